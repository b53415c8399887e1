"""The left side of a comparison: a name with or without its prefix, and the aggregates of a metric."""

from minleaf_server.filters.lexer import Token, TokenKind
from minleaf_server.filters.reader import Reader
from minleaf_server.filters.schema import PREFIXES
from minleaf_server.filters.tree import Aggregate, Field, Kind

_AGGREGATES = {aggregate.value: aggregate for aggregate in Aggregate}


def read_field(reader: Reader) -> Field:
    """A name, or an aggregate of one. Raises FilterError."""
    token = reader.peek()
    opens = reader.peek(1).kind is TokenKind.OPEN
    if token.kind is not TokenKind.WORD or not opens:
        return read_name(reader, comparing=True)
    aggregate = _AGGREGATES.get(token.value.lower())
    if aggregate is None:
        message = f"There is no aggregate {token.shown}."
        raise reader.error(token, message, f"There are {', '.join(_AGGREGATES)}.")
    reader.next()
    reader.next()
    name = read_name(reader, comparing=True)
    if name.kind not in (None, Kind.METRIC):
        named = Token(TokenKind.WORD, reader.text[name.start : name.end], name.start, name.end)
        raise reader.error(named, f"Only a metric has {aggregate.value}(…), found {named.shown}.")
    end = reader.take(TokenKind.CLOSE, "')'").end
    return Field(name.kind, name.name, aggregate, token.start, end)


def read_name(reader: Reader, comparing: bool = False) -> Field:
    """A name such as `acc`, `metrics.acc`, metrics."my acc" or `my acc`. Raises FilterError."""
    token = reader.peek()
    if token.kind is TokenKind.WORD:
        return _from_word(reader)
    if token.kind is TokenKind.QUOTED and not (comparing and token.quote == "'"):
        name = _from_quoted(reader)
        if comparing and not name.name:
            raise reader.error(token, "A name cannot be empty.")
        return name
    hint = "A name goes in backticks or double quotes, without prefix or as metrics.`my name`." if token.quote else None
    raise reader.expected("a name", hint)


def _from_word(reader: Reader) -> Field:
    token = reader.next()
    prefix, dot, key = token.value.partition(".")
    kind = PREFIXES.get(prefix) if dot else None
    if kind is None:
        return Field(None, token.value, None, token.start, token.end)
    return Field(kind, key, None, token.start, token.end) if key else _quoted_key(reader, kind, token)


def _from_quoted(reader: Reader) -> Field:
    token = reader.next()
    kind = PREFIXES.get(token.value) if token.quote == "`" else None
    following = reader.peek()
    if kind is not None and _touches(token, following) and following.value.startswith("."):
        reader.next()
        if following.value == ".":
            return _quoted_key(reader, kind, token, following)
        return Field(kind, following.value[1:], None, token.start, following.end)
    return Field(None, _key(token), None, token.start, token.end)


def _quoted_key(reader: Reader, kind: Kind, first: Token, dot: Token | None = None) -> Field:
    """The quoted key that must touch the dot."""
    before, token = dot or first, reader.peek()
    if token.kind is not TokenKind.QUOTED or token.start != before.end:
        raise reader.expected(
            f"a name after {kind.value}.", f"A name with blanks goes in backticks: {kind.value}.`my name`."
        )
    reader.next()
    if not token.value:
        raise reader.error(token, "A name cannot be empty.")
    return Field(kind, _key(token), None, first.start, token.end)


def _key(token: Token) -> str:
    key = token.value.replace(token.quote * 2, token.quote)
    # MLflow takes off double quotes and then backticks.
    if token.quote == '"' and len(key) > 1 and key[0] == key[-1] == "`":
        key = key[1:-1]
    return key


def _touches(token: Token, following: Token) -> bool:
    return following.kind is TokenKind.WORD and following.start == token.end
