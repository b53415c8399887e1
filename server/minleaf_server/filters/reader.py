"""A stream of tokens with looking ahead, and the errors that name the token they found."""

from minleaf_server.filters.errors import FilterError
from minleaf_server.filters.lexer import Token, TokenKind, tokens


class Reader:
    """Reads tokens one after the other. The END token never runs out."""

    def __init__(self, text: str) -> None:
        self.text = text
        self._tokens = tokens(text)
        self._read: list[Token] = []
        self._at = 0

    def peek(self, ahead: int = 0) -> Token:
        """The token that comes `ahead` tokens after the next one."""
        while len(self._read) <= self._at + ahead:
            if self._read and self._read[-1].kind is TokenKind.END:
                return self._read[-1]
            self._read.append(next(self._tokens))
        return self._read[self._at + ahead]

    def next(self) -> Token:
        token = self.peek()
        if token.kind is not TokenKind.END:
            self._at += 1
        return token

    def accept_keyword(self, name: str) -> Token | None:
        """The keyword, consumed, or None where something else comes next."""
        return self.next() if self.peek().is_keyword(name) else None

    def take(self, kind: TokenKind, wanted: str, hint: str | None = None) -> Token:
        """The next token, which must be of this kind. Raises FilterError."""
        if self.peek().kind is not kind:
            raise self.expected(wanted, hint)
        return self.next()

    def mark(self) -> int:
        return self._at

    def reset(self, mark: int) -> None:
        """Go back to where `mark()` was asked."""
        self._at = mark

    def expected(self, wanted: str, hint: str | None = None) -> FilterError:
        return self.expected_at(self.peek(), wanted, hint)

    def expected_at(self, token: Token, wanted: str, hint: str | None = None) -> FilterError:
        return self.error(token, f"Expected {wanted}, found {token.shown}.", hint)

    def error(self, token: Token, message: str, hint: str | None = None) -> FilterError:
        return FilterError(self.text, token.start, token.end, message, hint)
