"""Tokens to a tree, by recursive descent. Depth and number of clauses are capped before anything recurses further."""

from minleaf_server.filters import limits
from minleaf_server.filters.errors import FilterError
from minleaf_server.filters.lexer import Token, TokenKind
from minleaf_server.filters.names import read_field, read_name
from minleaf_server.filters.reader import Reader
from minleaf_server.filters.tree import (
    And,
    Between,
    Compare,
    Expr,
    Field,
    In,
    IsNull,
    Literal,
    Not,
    Operator,
    Or,
    Words,
)

_A_COMPARISON = "a comparison such as =, <, in, like, ~ or is null"


def parse(text: str) -> Expr:
    """The tree of a filter. Empty text is the filter that everything matches. Raises FilterError.

    As in MLflow, `and` may be missing between two comparisons and may stand at the start or the end.
    """
    reader = Reader(text)
    _skip_ands(reader)
    if reader.peek().kind is TokenKind.END:
        return And()
    expr = _Parser(reader).disjunction()
    if reader.peek().kind is not TokenKind.END:
        raise _unexpected(reader)
    return expr


class _Parser:
    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._depth = 0
        self._clauses = 0

    def disjunction(self) -> Expr:
        items = [self._conjunction()]
        while self._reader.accept_keyword("or"):
            items.append(self._conjunction())
        return items[0] if len(items) == 1 else Or(tuple(items))

    def _conjunction(self) -> Expr:
        items = [self._negation()]
        while True:
            if _skip_ands(self._reader):
                if self._depth == 0 and self._reader.peek().kind is TokenKind.END:
                    break
            elif isinstance(items[-1], Words) or not _starts_comparison(self._reader):
                break
            items.append(self._negation())
        return items[0] if len(items) == 1 else And(tuple(items))

    def _negation(self) -> Expr:
        token = self._reader.accept_keyword("not")
        if token is None:
            return self._primary()
        self._descend(token)
        item = self._negation()
        self._depth -= 1
        return Not(item)

    def _primary(self) -> Expr:
        token = self._reader.peek()
        if token.kind is TokenKind.OPEN:
            return self._parenthesis()
        if token.is_keyword("exists"):
            return self._exists()
        if token.kind in (TokenKind.WORD, TokenKind.QUOTED):
            if not _starts_comparison(self._reader):
                return self._words()
            self._count(token)
            return comparison(self._reader)
        raise self._reader.expected("a name, a word, 'not' or '('")

    def _parenthesis(self) -> Expr:
        self._descend(self._reader.next())
        expr = self.disjunction()
        if self._reader.peek().kind is not TokenKind.CLOSE:
            raise _unexpected(self._reader, "')', 'and' or 'or'")
        self._reader.next()
        self._depth -= 1
        return expr

    def _exists(self) -> Expr:
        self._count(self._reader.next())
        self._reader.take(TokenKind.OPEN, "'(' and a name after 'exists'")
        field = read_field(self._reader)
        self._reader.take(TokenKind.CLOSE, "')'")
        return IsNull(field, negated=True)

    def _words(self) -> Words:
        words: list[str] = []
        while self._reader.peek().kind in (TokenKind.WORD, TokenKind.QUOTED):
            if words and _starts_comparison(self._reader):
                raise self._reader.expected("'and' or 'or'", "A name with blanks goes in backticks: `my metric` > 1.")
            self._count(self._reader.peek())
            words.append(_word(self._reader))
        return Words(tuple(words))

    def _count(self, token: Token) -> None:
        self._clauses += 1
        if self._clauses > limits.MAX_CLAUSES:
            message = f"The filter has more than {limits.MAX_CLAUSES} comparisons."
            raise self._reader.error(token, message, "Join values of one name with 'in (…)'.")

    def _descend(self, token: Token) -> None:
        self._depth += 1
        if self._depth > limits.MAX_DEPTH:
            message = f"More than {limits.MAX_DEPTH} parentheses or 'not' stand inside each other."
            raise self._reader.error(token, message)


def comparison(reader: Reader) -> Expr:
    """One comparison: a field, an operator and what it needs."""
    field = read_field(reader)
    token = reader.next()
    if token.kind is TokenKind.OPERATOR:
        return Compare(field, Operator(token.value), _literal(reader, token.value))
    if token.is_keyword("is"):
        return _is(reader, field)
    negated = token.is_keyword("not")
    if negated:
        token = reader.next()
    if token.is_keyword("exists"):
        return IsNull(field, negated=not negated)
    if token.is_keyword("in"):
        return In(field, _list(reader), negated)
    if token.is_keyword("between"):
        return _between(reader, field, negated)
    if token.is_keyword("like", "ilike"):
        spelling = f"not {token.value}" if negated else token.value
        return Compare(field, Operator(spelling), _literal(reader, spelling))
    wanted = "'in', 'like', 'ilike', 'between' or 'exists' after 'not'" if negated else _A_COMPARISON
    raise reader.expected_at(token, wanted)


def _is(reader: Reader, field: Field) -> Expr:
    negated = reader.accept_keyword("not") is not None
    token = reader.next()
    if token.is_keyword("null"):
        return IsNull(field, negated)
    if token.kind is TokenKind.WORD and token.value.lower() == "nan":
        literal = Literal(token.value, start=token.start, end=token.end)
        return Compare(field, Operator.NE if negated else Operator.EQ, literal)
    raise reader.expected_at(token, "'null' or 'nan' after 'is'", "Use = to compare with a value.")


def _between(reader: Reader, field: Field, negated: bool) -> Between:
    low = _literal(reader, "between")
    if not reader.accept_keyword("and"):
        raise reader.expected("'and' and the upper bound of 'between'")
    return Between(field, low, _literal(reader, "and"), negated)


def _list(reader: Reader) -> tuple[Literal, ...]:
    reader.take(TokenKind.OPEN, "'(' and a list of values after 'in'")
    values = [_literal(reader, "(")]
    while reader.peek().kind is TokenKind.COMMA:
        reader.next()
        if reader.peek().kind is TokenKind.CLOSE:
            break
        if len(values) == limits.MAX_LIST:
            raise reader.error(reader.peek(), f"A list has at most {limits.MAX_LIST} values.")
        values.append(_literal(reader, ","))
    reader.take(TokenKind.CLOSE, "',' or ')'", "Put a value with blanks in quotes.")
    return tuple(values)


def _literal(reader: Reader, after: str) -> Literal:
    token = reader.peek()
    if token.kind is TokenKind.WORD:
        reader.next()
        return Literal(token.value, start=token.start, end=token.end)
    if token.kind is TokenKind.QUOTED:
        reader.next()
        return Literal(_unquoted(token), quoted=True, start=token.start, end=token.end)
    hint = None
    if token.kind is TokenKind.KEYWORD:
        hint = (
            "Use 'is null'."
            if token.value == "null"
            else f"Put it in quotes to compare with the text: '{token.value}'."
        )
    raise reader.expected(f"a value after '{after}'", hint)


def _unquoted(token: Token) -> str:
    # MLflow takes what stands between ' or " as it is, so only a backtick can be written twice to mean itself.
    return token.value.replace("``", "`") if token.quote == "`" else token.value


def _word(reader: Reader) -> str:
    token = reader.peek()
    if token.kind is TokenKind.QUOTED:
        reader.next()
        return _unquoted(token)
    name = read_name(reader)
    if name.kind is not None:
        raise reader.expected(f"{_A_COMPARISON} after {reader.text[name.start : name.end]}")
    return token.value


def _starts_comparison(reader: Reader) -> bool:
    """Whether a name and an operator come next. Looks ahead, consumes nothing."""
    mark = reader.mark()
    try:
        if reader.peek().kind not in (TokenKind.WORD, TokenKind.QUOTED):
            return False
        read_name(reader)
        token = reader.peek()
        return token.kind in (TokenKind.OPERATOR, TokenKind.OPEN) or token.is_keyword(
            "in", "like", "ilike", "between", "is", "not", "exists"
        )
    finally:
        reader.reset(mark)


def _skip_ands(reader: Reader) -> bool:
    """Consume every `and` that comes next; whether there was one."""
    found = False
    while reader.accept_keyword("and"):
        found = True
    return found


def _unexpected(reader: Reader, wanted: str = "'and', 'or' or the end") -> FilterError:
    token = reader.peek()
    words = {"&&": "and", "||": "or", "&": "and", "|": "or"}
    word = words.get(token.value) if token.kind is TokenKind.WORD else None
    hint = f"Use '{word}'." if word else None
    if token.kind is TokenKind.CLOSE:
        hint = "There is no '(' that it closes."
    elif hint is None and token.kind in (TokenKind.WORD, TokenKind.QUOTED):
        hint = "Put text with blanks in quotes."
    error = reader.expected(wanted, hint)
    error.fixes = (word,) if word else ()
    return error
