"""What a filter or an order may cost, as named numbers. docs/filters.md lists them for users."""

MAX_LENGTH = 65_536
"""Characters of a filter, and of one order_by entry."""

MAX_CLAUSES = 100
"""Comparisons and searched words of one filter."""

MAX_DEPTH = 50
"""Parentheses and `not` inside each other."""

MAX_LIST = 10_000
"""Values of one `in (...)`."""

MAX_ORDER_BY = 20
"""Entries of one order_by."""

SORTED_CHARACTERS = 1024
"""How much of a param's or tag's text sorts, so that a page token has a bounded size."""

MAX_PATTERN = 8_000
"""Characters of a `like` or `ilike` pattern or of a searched word. SQLite takes 50,000 bytes."""

MAX_FOLDED = 1_000
"""Characters of an `ilike` pattern or a searched word with letters beyond ASCII."""

MAX_REGEX = 500
"""Characters of a regular expression."""

MAX_REGEX_REPEAT = 255
"""The largest number in `{m,n}`. Postgres takes no larger one."""

MAX_REGEX_SIZE = 500
"""Characters and classes of a regular expression once its `{m,n}` are written out.

RE2 takes 1,000; the time that Postgres needs for the worst expressions grows with the square of this.
"""

MAX_NAMES_COMPARED = 2_000
"""Names that an unknown name is compared with for a suggestion."""

MAX_SHOWN = 60
"""How much of the filter a message repeats."""
