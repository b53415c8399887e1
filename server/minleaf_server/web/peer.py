"""Where a request comes from."""

from starlette.types import Scope

FORWARDED_HEADERS = frozenset([b"x-forwarded-for", b"forwarded", b"x-forwarded-host", b"x-forwarded-proto"])


def is_local(scope: Scope) -> bool:
    """Whether who asks is on this machine, as far as can be seen: no proxy says that it asks for somebody else."""
    client = scope.get("client")
    if not client or not (client[0].startswith("127.") or client[0] == "::1"):
        return False
    return FORWARDED_HEADERS.isdisjoint([name for name, _ in scope["headers"]])
