"""Page tokens: opaque to a client, for us the place where the next page starts. Plain JSON in base64.

Nothing in a token gives access to anything: a forged one starts the caller's own answer somewhere else.
"""

import base64
import binascii
from typing import Any, TypeVar

import msgspec

from minleaf_server.errors import InvalidParameter

Place = TypeVar("Place")

MAX_LENGTH = 1_000_000
"""Characters. The longest order of a search by the longest texts stays below."""


def encode(place: Any) -> str:
    """The token for a place, which msgspec can write as JSON."""
    return base64.urlsafe_b64encode(msgspec.json.encode(place)).decode()


def decode(token: str, kind: type[Place]) -> Place:
    """The place in a token. Raises InvalidParameter for what `encode` cannot have made of a place of this kind."""
    if len(token) > MAX_LENGTH:
        raise InvalidParameter(f"Invalid page token: it has {len(token)} characters.")
    try:
        return msgspec.json.decode(base64.b64decode(token.encode(), b"-_", validate=True), type=kind)
    except (UnicodeEncodeError, binascii.Error, msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise invalid() from None


def invalid() -> InvalidParameter:
    """The error for a token that is not one of ours."""
    return InvalidParameter(
        "Invalid page token, could not base64-decode it: use the next_page_token of the page before, unchanged."
    )
