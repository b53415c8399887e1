"""Which addresses a webhook may call: none that is not public, unless the operator allows its network.

The rule is asked twice: when a webhook is made, of its URL alone, and when it is called, of the address to which the
connection is opened. A name is looked up once for each call, and what was looked up is what is connected to.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address
from urllib.parse import SplitResult, urlsplit

from minleaf_server.config import Settings
from minleaf_server.entities import limits
from minleaf_server.errors import InvalidParameter

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_URL = re.compile(r"[!-\[\]-~]+")  # printable ASCII without space and backslash
_NAME = re.compile(r"(?=.{1,253}\Z)[a-z0-9_](?:[a-z0-9_-]{0,62})(?:\.[a-z0-9_](?:[a-z0-9_-]{0,62}))*")
_NETLOC = re.compile(r"(?:\[[0-9A-Fa-f:.]+\]|[^\[\]:]*)(?::[^:]*)?")
_NUMBER = re.compile(r"(?:.*\.)?(?:[0-9]+|0x[0-9a-f]*)")

_LOOPBACK = ip_address("127.0.0.1")
_PRIVATE_NAMES = ("internal", "local", "home.arpa")
"""Domains that are never public (ICANN's .internal, RFC 6762, RFC 8375). Others are judged by what they resolve to."""

_NAT64 = IPv6Network("64:ff9b::/96")
_METADATA = frozenset(
    ip_address(text) for text in ("169.254.169.254", "168.63.129.16", "100.100.100.200", "192.0.0.192", "fd00:ec2::254")
)
"""Where clouds tell a machine its credentials. Allowing a whole network does not allow these."""

_SERVICES = frozenset({1433, 1521, 2049, 2181, 2375, 2376, 2379, 3306, 3389, 5432, 5672, 5984, 6000, 6379, 6667})
_MORE_SERVICES = frozenset({9042, 9092, 9200, 9300, 11211, 27017})
_PORTS = (frozenset(range(1024)) - {80, 443}) | _SERVICES | _MORE_SERVICES
"""Ports of services that are no web servers: those below 1024, databases, brokers, remote desktops, Docker."""


class Refused(Exception):
    """The address may not be called. The text names no address, because a caller could learn it from there."""


@dataclass(frozen=True, slots=True)
class Destination:
    """The parts of a URL that was checked. `host` is in lower case, without brackets; `target` is path and query."""

    scheme: str
    host: str
    port: int
    target: str

    @property
    def authority(self) -> str:
        """The value of the Host header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == {"https": 443, "http": 80}[self.scheme] else f"{host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Rule:
    """The rule of a server. `networks` are those of non-public addresses that may be called."""

    schemes: tuple[str, ...] = ("https",)
    networks: tuple[Network, ...] = ()

    @classmethod
    def of(cls, settings: Settings) -> "Rule":
        """The rule that the settings make."""
        return cls(settings.webhook_schemes, settings.webhook_private_networks)

    def destination(self, url: str) -> Destination:
        """The parts of a URL that a webhook may have; what its name resolves to is not looked at here.

        Raises InvalidParameter, whose text begins as MLflow's.
        """
        parts = self._split(url)
        host = _host_of(parts, url)
        try:
            port = parts.port
        except ValueError:
            raise _invalid(url, "its port is no number from 1 to 65535") from None
        if port in _PORTS:
            raise _invalid(
                url, f"port {port} belongs to a service that is no web server; use 443, 80, or one from 1024"
            )
        try:
            self._check_host(host, parts.scheme)
        except Refused as error:
            raise InvalidParameter(f"{error} {_ALLOW}") from None
        target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
        return Destination(parts.scheme, host, port or {"https": 443, "http": 80}[parts.scheme], target)

    def check_addresses(self, addresses: Sequence[str], scheme: str) -> None:
        """Raises Refused unless every address may be called: a name that has both kinds is a trap."""
        if not all(self._permits(ip_address(address), scheme) for address in addresses):
            raise Refused("Webhook URL must not resolve to a non-public IP address.")

    def _split(self, url: str) -> SplitResult:
        if not url.strip():
            raise InvalidParameter(f"Webhook URL cannot be empty or just whitespace: {url[:10]!r}")
        if len(url) > limits.MAX_WEBHOOK_URL_LENGTH:
            most = limits.MAX_WEBHOOK_URL_LENGTH
            raise InvalidParameter(
                f"'url' exceeds the maximum length of {most} characters: it has {len(url)} characters"
            )
        # urlsplit would pass over tabs and newlines, and other programs take a backslash for a slash.
        if _URL.fullmatch(url) is None:
            raise _invalid(url, "it may hold printable ASCII only, and no space or backslash (percent-encode them)")
        try:
            parts = urlsplit(url)
        except ValueError as error:
            raise _invalid(url, str(error)) from None
        if parts.scheme not in self.schemes:
            allowed = ", ".join(self.schemes)
            raise InvalidParameter(f"Invalid webhook URL scheme: {parts.scheme!r}. Allowed schemes are: {allowed}.")
        if "@" in parts.netloc:
            raise InvalidParameter("Webhook URL must not include a user name or password. Sign it with a secret.")
        if "#" in url:
            raise _invalid(url, "it must not include a fragment (#)")
        return parts

    def _check_host(self, host: str, scheme: str) -> None:
        address = _literal(host)
        if address is not None:
            if not self._permits(address, scheme):
                raise Refused(f"Webhook URL must not name a non-public IP address: {host!r}.")
            return
        name = host.removesuffix(".")
        last = name.rpartition(".")[2]
        if last == "localhost" and not self._permits(_LOOPBACK, scheme):
            raise Refused(f"Webhook URL must not resolve to a non-public IP address: {host!r} is this machine.")
        private = any(name == domain or name.endswith(f".{domain}") for domain in _PRIVATE_NAMES)
        if private and not self.networks:
            raise Refused(f"Webhook URL must not resolve to a non-public IP address: {host!r} is no public name.")

    def _permits(self, address: Address, scheme: str) -> bool:
        address = _plain(address)
        if address in _METADATA:
            return any(network.num_addresses == 1 and address in network for network in self.networks)
        if any(address in network for network in self.networks):
            return True
        if address.is_loopback:
            # Who allows plain http does so for a receiver on this machine, or knows of none there.
            return scheme == "http" and "http" in self.schemes
        return _is_public(address)


_ALLOW = "The operator of this server can allow networks with the setting webhook_private_networks."


def _is_public(address: Address) -> bool:
    odd = address.is_multicast or address.is_reserved or address.is_unspecified or address.is_link_local
    return address.is_global and not odd and not (isinstance(address, IPv6Address) and address.is_site_local)


def _plain(address: Address) -> Address:
    """The IPv4 address that an IPv6 address leads to (mapped, 6to4, Teredo, NAT64), else the address itself."""
    if isinstance(address, IPv4Address):
        return address
    teredo = address.teredo
    embedded = address.ipv4_mapped or address.sixtofour or (teredo and teredo[1])
    if embedded is None and address in _NAT64:
        embedded = IPv4Address(int(address) & 0xFFFFFFFF)
    return embedded or address


def _host_of(parts: SplitResult, url: str) -> str:
    host = parts.hostname or ""
    if not host:
        raise InvalidParameter(f"Webhook URL must include a hostname: {_shown(url)}")
    sound = _NETLOC.fullmatch(parts.netloc) is not None
    if not sound or (_literal(host) is None and _NAME.fullmatch(host.removesuffix(".")) is None):
        raise _invalid(url, "its host is no name and no IP address (write names of other scripts as xn--…)")
    return host


def _literal(host: str) -> Address | None:
    """The address that the host is, or None for a name. Raises InvalidParameter for what only some take for one."""
    name = host.removesuffix(".")
    try:
        return ip_address(name)
    except ValueError:
        pass
    if _NUMBER.fullmatch(name):
        raise InvalidParameter(f"Webhook URL host {_shown(host)} is not a canonical IP address, such as 192.0.2.1.")
    return None


def _shown(text: str) -> str:
    return repr(text if len(text) <= limits.MAX_SHOWN_LENGTH else text[: limits.MAX_SHOWN_LENGTH] + "…")


def _invalid(url: str, reason: str) -> InvalidParameter:
    return InvalidParameter(f"Invalid webhook URL {_shown(url)}: {reason}.")
