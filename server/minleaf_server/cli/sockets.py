"""The listening sockets: where they may be, and a clear word where they cannot be."""

import errno
import os
import socket
from ipaddress import ip_address

from minleaf_server.config import Settings
from minleaf_server.errors import SetupError

_Address = tuple[socket.AddressFamily, tuple[str, int] | tuple[str, int, int, int] | tuple[int, bytes]]


def open_sockets(settings: Settings) -> list[socket.socket]:
    """Return bound sockets that do not accept anything yet, one for each address of the host.

    Raises SetupError where the host does not exist, is not this machine's, can be reached by others although nobody has
    to log in, or the port is taken.
    """
    addresses = _resolve(settings.host, settings.port)
    _refuse_open_door(settings, addresses)
    sockets: list[socket.socket] = []
    port = settings.port
    for family, address in addresses:
        try:
            bound = _bind(family, (address[0], port, *address[2:]))
        except OSError as error:
            # A name such as localhost may have an IPv6 address on a machine without IPv6.
            if error.errno in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT) and (sockets or len(addresses) > 1):
                continue
            raise _refused(settings.host, port, error) from None
        sockets.append(bound)
        port = bound.getsockname()[1]
    if not sockets:
        raise SetupError(f"None of the addresses of {settings.host!r} is one of this machine.")
    return sockets


def url(host: str, port: int) -> str:
    """Return an address that a person can open: a server that listens everywhere is shown as 127.0.0.1."""
    shown = {"0.0.0.0": "127.0.0.1", "": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)
    return f"http://{shown}:{port}"


def _resolve(host: str, port: int) -> list[_Address]:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError):
        raise SetupError(f"--host {host!r} is not an address or name that this machine knows.") from None
    return list(dict.fromkeys((family, address) for family, _, _, _, address in found))


def _refuse_open_door(settings: Settings, addresses: list[_Address]) -> None:
    others = [str(address[0]) for _, address in addresses if not _is_loopback(str(address[0]))]
    if others and not settings.auth and not settings.insecure_no_auth:
        raise SetupError(
            f"--host {settings.host} lets others reach this server, and nobody has to log in. Add --auth, "
            "which asks for a login; or listen on 127.0.0.1 and let a proxy that asks for one, or an SSH tunnel, stand "
            "in front; or add --insecure-no-auth where everyone who can reach it may read and write everything."
        )


def _is_loopback(address: str) -> bool:
    return ip_address(address.partition("%")[0]).is_loopback


def _bind(family: socket.AddressFamily, address: tuple[object, ...]) -> socket.socket:
    bound = socket.socket(family, socket.SOCK_STREAM)
    try:
        if os.name == "posix":
            # A server that was stopped a moment ago must not keep the port from the next one.
            bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        bound.bind(address)
        bound.set_inheritable(True)
    except BaseException:
        bound.close()
        raise
    return bound


def _refused(host: str, port: int, error: OSError) -> SetupError:
    where = f"{host}:{port}"
    if error.errno == errno.EADDRINUSE:
        return SetupError(f"Port {port} is taken: something listens on {where} already. Choose another with --port.")
    if error.errno == errno.EACCES:
        return SetupError(f"This user may not listen on port {port}. Choose one from 1024 up with --port.")
    if error.errno == errno.EADDRNOTAVAIL:
        return SetupError(f"--host {host} is not an address of this machine.")
    return SetupError(f"Cannot listen on {where}: {error.strerror}.")
