"""The headers of a delivery: who it is, when it was sent, and the proof that it comes from this server.

MLflow's names and its form, so that receivers made for MLflow can check them.
"""

import base64
import hashlib
import hmac

from minleaf_server.resources import version

SIGNATURE = "X-MLflow-Signature"
TIMESTAMP = "X-MLflow-Timestamp"
DELIVERY_ID = "X-MLflow-Delivery-Id"


def headers(delivery_id: str, seconds: int, body: bytes, secret: str | None) -> list[tuple[str, str]]:
    """The headers of one call. `seconds` since 1970 is when this call is made, `secret` None where it is unsigned."""
    found = [
        ("Content-Type", "application/json"),
        ("User-Agent", f"Minleaf/{version()}"),
        (DELIVERY_ID, delivery_id),
        (TIMESTAMP, str(seconds)),
    ]
    if secret is not None:
        found.append((SIGNATURE, sign(delivery_id, seconds, body, secret)))
    return found


def sign(delivery_id: str, seconds: int, body: bytes, secret: str) -> str:
    """`v1,` and, in base64, the HMAC-SHA256 of `<delivery id>.<seconds>.<body>`."""
    signed = f"{delivery_id}.{seconds}.".encode() + body
    digest = hmac.new(secret.encode(), signed, hashlib.sha256).digest()
    return f"v1,{base64.b64encode(digest).decode()}"
