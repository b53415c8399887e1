"""Text to tokens, one at a time, so that a filter over the caps is refused before all of it is read."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import Enum

from minleaf_server.filters import limits
from minleaf_server.filters.errors import FilterError


class TokenKind(Enum):
    WORD = "word"
    QUOTED = "quoted"
    KEYWORD = "keyword"
    OPERATOR = "operator"
    OPEN = "("
    CLOSE = ")"
    COMMA = ","
    END = "end"


KEYWORDS = frozenset({"and", "or", "not", "in", "between", "like", "ilike", "is", "null", "exists"})


@dataclass(frozen=True, slots=True)
class Token:
    """`value` is the text without its quotes; of a keyword the lower case, of an operator its usual spelling."""

    kind: TokenKind
    value: str
    start: int
    end: int
    quote: str = ""

    def is_keyword(self, *names: str) -> bool:
        return self.kind is TokenKind.KEYWORD and self.value in names

    @property
    def shown(self) -> str:
        """The token as an error message names it."""
        if self.kind is TokenKind.END:
            return "the end"
        value = self.value if len(self.value) <= limits.MAX_SHOWN else self.value[: limits.MAX_SHOWN] + "…"
        return f"{self.quote}{value}{self.quote}" if self.quote else f"'{value}'"


# The quoted forms are sqlparse's, which MLflow uses: '' and \' do not end the text, and both stay in it as written.
WORD = re.compile(r"[^\s'\"`()<>=!~,;]+")
_TOKEN = re.compile(
    rf"""(?P<blank>\s+)
    |(?P<word>{WORD.pattern})
    |(?P<quoted>'(?:''|\\'|[^'])*'|"(?:""|\\"|[^"])*"|`(?:``|[^`])*`)
    |(?P<operator><>|<=|>=|!=|!~|==|[<>=~])
    |(?P<mark>[(),])""",
    re.VERBOSE,
)
_OPERATORS = {"<>": "!=", "==": "="}
_IMPOSSIBLE = re.compile("[\x00\ud800-\udfff]")


def tokens(text: str) -> Iterator[Token]:
    """The tokens of `text`, with an END token last. Raises FilterError."""
    _check_text(text)
    position = 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise _unreadable(text, position)
        start, position = position, match.end()
        if match.lastgroup != "blank":
            yield _token(match.lastgroup or "", match.group(), start)
    yield Token(TokenKind.END, "", len(text), len(text))


def _token(group: str, found: str, start: int) -> Token:
    end = start + len(found)
    if group == "quoted":
        return Token(TokenKind.QUOTED, found[1:-1], start, end, found[0])
    if group == "operator":
        return Token(TokenKind.OPERATOR, _OPERATORS.get(found, found), start, end)
    if group == "mark":
        return Token(TokenKind(found), found, start, end)
    if found.lower() in KEYWORDS:
        return Token(TokenKind.KEYWORD, found.lower(), start, end)
    return Token(TokenKind.WORD, found, start, end)


def _check_text(text: str) -> None:
    if len(text) > limits.MAX_LENGTH:
        message = f"The filter has {len(text)} characters; at most {limits.MAX_LENGTH} are allowed."
        raise FilterError(text[: limits.MAX_LENGTH], limits.MAX_LENGTH, limits.MAX_LENGTH, message)
    if found := _IMPOSSIBLE.search(text):
        message = f"The character U+{ord(found.group()):04X} cannot occur in any stored text."
        raise FilterError(text, found.start(), found.end(), message, "Remove it.")


def _unreadable(text: str, position: int) -> FilterError:
    character = text[position]
    if character in "'\"`":
        message = f"The quote {character} is not closed."
        return FilterError(text, position, len(text), message, f"Add {character} at its end.")
    hint = "Use !=, !~ or not." if character == "!" else "Put text with this character in quotes."
    return FilterError(text, position, position + 1, f"Unexpected character '{character}'.", hint)
