"""Which reverse proxy is believed, and what it says about the request that it passes on."""

from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

from starlette.types import Scope

from minleaf_server.errors import SetupError


class TrustedProxies:
    """The addresses and networks of --trusted-proxy. Empty: no proxy is believed."""

    def __init__(self, text: str) -> None:
        self._networks = [_network(part.strip()) for part in text.split(",") if part.strip()]

    def __bool__(self) -> bool:
        return bool(self._networks)

    def trusts(self, scope: Scope) -> bool:
        """Whether the request came straight from a trusted proxy."""
        client = scope.get("client")
        if not client or not self._networks:
            return False
        try:
            address = ip_address(client[0])
        except ValueError:
            return False
        return any(address in network for network in self._networks)


def last_value(value: bytes) -> bytes:
    """The last of a comma-separated list: what the nearest proxy, the trusted one, has added."""
    return value.rpartition(b",")[2].strip()


def _network(text: str) -> IPv4Network | IPv6Network:
    try:
        return ip_network(text, strict=False)
    except ValueError:
        raise SetupError(
            f"--trusted-proxy: {text!r} is neither an IP address nor a network such as 10.0.0.0/8. "
            "Give the address from which the proxy connects; several are separated by commas."
        ) from None
