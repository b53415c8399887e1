"""Page tokens: opaque to a client, for us the place where the next page starts."""

import base64
import binascii
import json
from typing import Any

from minleaf_server.errors import InvalidParameter

TOKEN_LENGTH_MAX = 16_384


def encode(place: Any) -> str:
    """A token for a place made of JSON values."""
    return base64.urlsafe_b64encode(json.dumps(place, separators=(",", ":")).encode()).decode()


def decode(token: str) -> Any:
    """The place in a token. Raises InvalidParameter for what `encode` did not make; the caller checks types."""
    try:
        if len(token) > TOKEN_LENGTH_MAX:
            raise ValueError
        return json.loads(base64.b64decode(token.encode("ascii"), altchars=b"-_", validate=True))
    except (ValueError, binascii.Error, RecursionError):
        raise invalid() from None


def invalid() -> InvalidParameter:
    """The error for a token that is not one of ours."""
    return InvalidParameter("The page token is not valid. Use the next_page_token of the page before as it was given.")
