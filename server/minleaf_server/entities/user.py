"""Users of a server that asks for a login, and the rules for their names and passwords."""

from dataclasses import dataclass

from minleaf_server.errors import InvalidParameter

NAME_MAX = 255
PASSWORD_MIN = 12
PASSWORD_MAX = 1024
"""Longer ones are refused before they are hashed."""


@dataclass(frozen=True, slots=True)
class User:
    """One account. `password_hash` is "" where no password opens it."""

    id: int
    name: str
    is_admin: bool
    password_hash: str


def validate_user_name(name: str) -> None:
    """Raises InvalidParameter for a name that HTTP's basic authentication could not carry, or nobody could read."""
    if not name or not name.strip():
        raise InvalidParameter("Username cannot be empty.")
    if len(name) > NAME_MAX:
        raise InvalidParameter(f"A username may have at most {NAME_MAX} characters.")
    if name != name.strip() or ":" in name or not name.isprintable():
        raise InvalidParameter(
            "A username holds no colon and no control characters, and neither begins nor ends with a space."
        )


def validate_password(password: str) -> None:
    """Raises InvalidParameter, whose text never repeats the password."""
    if not PASSWORD_MIN <= len(password) <= PASSWORD_MAX:
        raise InvalidParameter(f"A password must have {PASSWORD_MIN} to {PASSWORD_MAX} characters.")
    if password != password.strip() or not password.isprintable():
        raise InvalidParameter("A password holds no control characters, and neither begins nor ends with a space.")
