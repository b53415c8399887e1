"""Passwords at rest: scrypt from the standard library, in threads of its own and never on the event loop."""

import asyncio
import hashlib
import hmac
import os
from base64 import b64decode, b64encode
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from minleaf_server.errors import Unavailable

T = TypeVar("T")

# One of the sets of parameters that OWASP recommends: 32 MB and some 0.2 s of one core for each password.
_N, _R, _P = 2**15, 8, 3
_MEMORY_MAX = 2**26
_SALT_BYTES = 16
_THREADS = 2
_WAITING_MAX = 64


def hashed(password: str) -> str:
    """The text that is kept of a password: parameters, salt and hash."""
    return _written(os.urandom(_SALT_BYTES), password)


def matches(password: str, kept: str) -> bool:
    """Whether `kept` was made of this password. Where it is "", no password matches, after the same time."""
    _, n, r, p, salt, wanted = (kept or _NOBODY).split("$")
    derived = _derived(password, b64decode(salt), int(n), int(r), int(p))
    return hmac.compare_digest(derived, b64decode(wanted)) and bool(kept)


def _written(salt: bytes, password: str) -> str:
    parts = (salt, _derived(password, salt, _N, _R, _P))
    return "$".join(["scrypt", str(_N), str(_R), str(_P), *(b64encode(part).decode("ascii") for part in parts)])


def _derived(password: str, salt: bytes, n: int, r: int, p: int) -> bytes:
    return hashlib.scrypt(password.encode(), salt=salt, n=n, r=r, p=p, maxmem=_MEMORY_MAX)


# What is compared where there is no such user. Its hash is of no password: the parameters alone take the time.
_NOBODY = "$".join(["scrypt", str(_N), str(_R), str(_P), "AAAAAAAAAAAAAAAAAAAAAA==", "AAAA"])


class Hashing:
    """Runs the work of hashing in few threads, and refuses more where too much is waiting."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="password")
        self._waiting = 0

    async def hashed(self, password: str) -> str:
        """As `hashed`. Raises Unavailable."""
        return await self._run(lambda: hashed(password))

    async def matches(self, password: str, kept: str) -> bool:
        """As `matches`. Raises Unavailable."""
        return await self._run(lambda: matches(password, kept))

    def close(self) -> None:
        self._threads.shutdown(cancel_futures=True)

    async def _run(self, work: Callable[[], T]) -> T:
        if self._waiting >= _WAITING_MAX:
            raise Unavailable("More sign-ins are waiting than this server can check now.", retry_after_seconds=5)
        self._waiting += 1
        try:
            return await asyncio.get_running_loop().run_in_executor(self._threads, work)
        finally:
            self._waiting -= 1
