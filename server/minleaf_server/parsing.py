"""How the text of a setting becomes its value. Each function raises ValueError with what the text has to be."""

import base64
import re
from collections.abc import Callable
from ipaddress import IPv4Network, IPv6Network, ip_network

PERMISSIONS = ("NO_PERMISSIONS", "READ", "EDIT", "MANAGE")
LOG_LEVELS = ("debug", "info", "warning", "error")


def integer(low: int, high: int) -> Callable[[str], int]:
    """From `low` to `high`."""

    def parse(text: str) -> int:
        value = int(text) if re.fullmatch(r"[0-9]{1,18}", text) else None
        if value is None or not low <= value <= high:
            raise ValueError(f"a whole number from {low} to {high}")
        return value

    return parse


def boolean(text: str) -> bool:
    """A switch, as environment variables spell it."""
    if text.lower() in ("1", "true", "yes", "on"):
        return True
    if text.lower() in ("0", "false", "no", "off", ""):
        return False
    raise ValueError("true or false")


def names(text: str) -> tuple[str, ...]:
    """What stands between commas."""
    return tuple(name.strip() for name in text.split(",") if name.strip())


def prefix(text: str) -> str:
    """A path below which a proxy serves Minleaf, or nothing."""
    if text and not re.fullmatch(r"(/[A-Za-z0-9._~-]+)+", text):
        raise ValueError("a path such as /minleaf: it begins with a slash, does not end with one, and has no odd signs")
    return text


def level(text: str) -> str:
    """A level of the log."""
    if text.lower() not in LOG_LEVELS:
        raise ValueError(f"one of {', '.join(LOG_LEVELS)}")
    return text.lower()


def frame_options(text: str) -> str:
    """A value of X-Frame-Options."""
    if text.upper() not in ("DENY", "SAMEORIGIN", "NONE"):
        raise ValueError("DENY, SAMEORIGIN or NONE")
    return text.upper()


def schemes(text: str) -> tuple[str, ...]:
    """Kinds of address that webhooks may have."""
    found = tuple(dict.fromkeys(names(text.lower())))
    if not found or not set(found) <= {"https", "http"}:
        raise ValueError("https, http or both")
    return found


_PRIVATE = "127.0.0.0/8,10.0.0.0/8,172.16.0.0/12,192.168.0.0/16,100.64.0.0/10,::1/128,fc00::/7"


def networks(text: str) -> tuple[IPv4Network | IPv6Network, ...]:
    """Networks of addresses; `true` stands for every private one."""
    try:
        given = _PRIVATE if boolean(text) else ""
    except ValueError:
        given = text
    try:
        return tuple(ip_network(name) for name in names(given))
    except ValueError:
        raise ValueError("true, false, or networks such as 10.1.0.0/16,127.0.0.1") from None


def fernet_keys(text: str) -> tuple[str, ...]:
    """Keys of webhook secrets, the first of which encrypts."""
    keys = names(text)
    try:
        sound = bool(keys) and all(len(base64.b64decode(key, b"-_", validate=True)) == 32 for key in keys)
    except ValueError:
        sound = False
    if not sound:
        raise ValueError(
            "a Fernet key: 32 bytes in URL-safe base64, as python -c 'from cryptography.fernet import Fernet; "
            "print(Fernet.generate_key().decode())' prints; further keys, separated by commas, only decrypt"
        )
    return keys


def pattern(text: str) -> str:
    """A regular expression."""
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"a regular expression that Python can read ({error})") from None
    return text


def permission(text: str) -> str:
    """A permission in MLflow's words."""
    if text.upper() not in PERMISSIONS:
        raise ValueError(f"one of {', '.join(PERMISSIONS)}")
    return text.upper()


def filled(text: str) -> str:
    """Any text but none."""
    if not text:
        raise ValueError("a value that is not empty")
    return text
