"""The error of a filter or an order that cannot be understood."""

from minleaf_server.errors import InvalidParameter
from minleaf_server.filters import limits


class FilterError(InvalidParameter):
    """What is wrong at `text[start:end]`. `message` says what was found and expected, `hint` what would be right.

    `fixes` are texts of which each, put in the place of `text[start:end]`, may be what was meant.
    `str(error)` is the whole as one line with the position, for the wire; a page shows the parts by themselves.
    """

    def __init__(
        self, text: str, start: int, end: int, message: str, hint: str | None = None, fixes: tuple[str, ...] = ()
    ) -> None:
        super().__init__(text, start, end, message, hint, fixes)
        self.text = text
        self.start = min(start, len(text))
        self.end = max(self.start, min(end, len(text)))
        self.hint = hint
        self.fixes = fixes
        self._message = message

    @property
    def message(self) -> str:
        return self._message

    def __str__(self) -> str:
        hint = f" {self.hint}" if self.hint else ""
        return f"{self._message}{hint} (at character {self.start + 1} of {shown(self.text)})"


def shown(text: str) -> str:
    """`text` in quotes for a message, cut where it is long."""
    return repr(text if len(text) <= limits.MAX_SHOWN else text[: limits.MAX_SHOWN] + "…")
