"""Which names this server answers to.

A page of a stranger's site can make a browser send requests to a server on the same machine, by letting its own name
point to 127.0.0.1. The Host header then still holds the stranger's name, so only known names are answered.
"""

from collections.abc import Iterable
from functools import lru_cache
from ipaddress import ip_address

from minleaf_server.errors import SetupError

LOOPBACK_NAMES = ("localhost", "localhost.", "127.0.0.1", "127.0.0.1.", "[::1]")
WILDCARDS = ("0.0.0.0", "::", "")
REMEMBERED_MAX = 256
REMEMBERED_LENGTH_MAX = 300
"""No name is longer, with its port."""


class HostRules:
    """The accepted values of the Host header.

    The loopback names and the address that the server is bound to count with the server's own port or with none.
    A name in `allowed` counts with every port, or with the one that it is given with; `*.example.org` stands for every
    name below a domain, and `*` for every name at all where `any_name` permits it. A server bound to all addresses
    also answers to any IP address: an address in the Host header cannot have come from a stranger's name. Such a
    server often stands in a container whose port has another number outside, so there the loopback names count with
    every port too.
    """

    def __init__(self, host: str, port: int, allowed: Iterable[str] = (), any_name: bool = False) -> None:
        wildcard = host in WILDCARDS
        own = LOOPBACK_NAMES if wildcard else (*LOOPBACK_NAMES, bracketed(host.lower()))
        exact = {name + suffix for name in own for suffix in ("", f":{port}")}
        any_port = set(LOOPBACK_NAMES) if wildcard else set()
        below: set[tuple[str, str]] = set()
        self._everything = False
        for entry in allowed:
            if entry.strip() == "*":
                _require(any_name)
                self._everything = True
                continue
            wildcard_name = entry.strip().startswith("*.")
            name, number = _entry(entry.strip()[1:] if wildcard_name else entry)
            if wildcard_name:
                below.add((name, number))
            else:
                (exact if number else any_port).add(name + number)
        self._below = tuple((name.encode("ascii"), number.encode("ascii")) for name, number in below)
        self._exact = frozenset(text.encode("ascii", "replace") for text in exact)
        self._any_port = frozenset(text.encode("ascii") for text in any_port)
        self._addresses = wildcard
        self._remembered = lru_cache(REMEMBERED_MAX)(self._allows_other)

    def allows(self, host: bytes) -> bool:
        """Whether a Host header with this value may be answered."""
        if host in self._exact:
            return True
        # Whoever reaches a server by an address of its machine sends that with every request.
        return self._remembered(host) if len(host) <= REMEMBERED_LENGTH_MAX else self._allows_other(host)

    def _allows_other(self, host: bytes) -> bool:
        host = host.lower()
        if host in self._exact:
            return True
        parts = split_host(host)
        if parts is None:
            return False
        name, port = parts
        if self._everything or name in self._any_port or (self._addresses and _is_address(name)):
            return True
        return any(
            name.endswith(domain) and len(name) > len(domain) and number in (b"", b":" + port)
            for domain, number in self._below
        )


def bracketed(host: str) -> str:
    """An IPv6 address as it stands in a Host header: in brackets."""
    return f"[{host}]" if ":" in host and not host.startswith("[") else host


def split_host(host: bytes) -> tuple[bytes, bytes] | None:
    """The name and the port (without its colon, empty where there is none) of a Host header; None for anything else."""
    if host.startswith(b"["):
        name, bracket, rest = host.partition(b"]")
        name += bracket
    else:
        name, colon, number = host.partition(b":")
        rest = colon + number
    if not name or (rest and not (rest[:1] == b":" and rest[1:].isdigit() and len(rest) <= 6)):
        return None
    return name, rest[1:]


def _require(any_name: bool) -> None:
    if not any_name:
        raise SetupError(
            "--allowed-hosts '*' lets any web page that a user of this machine opens read this server, because nobody "
            "has to log in. Name the hosts (tracker.example.org or *.example.org), or add --auth or --insecure-no-auth."
        )


def _entry(text: str) -> tuple[str, str]:
    """The name and ":port" (or "") of one entry of --allowed-hosts."""
    entry = text.strip().lower().removesuffix(":*")
    parts = split_host(entry.encode("ascii", "replace"))
    plain = entry.startswith("[") or all(letter.isalnum() or letter in "-._" for letter in entry.partition(":")[0])
    if parts is None or not plain or not entry.isascii():
        raise SetupError(
            f"--allowed-hosts: {text!r} is not a host name. Give names as a browser shows them: tracker.example.org or "
            "tracker.example.org:8080, *.example.org for every name below a domain, an IPv6 address in brackets."
        )
    name, number = parts
    return name.decode("ascii"), f":{number.decode('ascii')}" if number else ""


def _is_address(name: bytes) -> bool:
    try:
        address = ip_address(name.strip(b"[]").decode("ascii"))
    except ValueError:
        return False
    return not address.is_unspecified and (address.version == 6) == name.startswith(b"[")
