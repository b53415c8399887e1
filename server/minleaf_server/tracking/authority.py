"""Who is who and who may do what, remembered for a moment.

Each process remembers users, permissions and verified passwords, so that a logging request costs microseconds. It looks
at two numbers in the database at most FRESH_SECONDS after it last did, and drops what has changed: a password that was
changed or a permission that was taken away counts in every process within that time, in the changing one at once.
"""

import asyncio
import hashlib
import os
import time
from collections.abc import Callable, Sequence

from minleaf_server.db.read import auth as read
from minleaf_server.db.read.auth import Changes, Grants
from minleaf_server.db.store import Connection, Store
from minleaf_server.entities.permission import Permission
from minleaf_server.entities.user import User
from minleaf_server.tracking.bounded import Bounded
from minleaf_server.tracking.passwords import Hashing

FRESH_SECONDS = 0.5
_USERS_MAX = 10_000
_GRANTS_MAX = 1_000
_RUNS_MAX = 20_000


class Authority:
    """The memory of one process. `default` is what a user may do with that on which nothing was granted."""

    def __init__(self, store: Store, default: Permission) -> None:
        self.store = store
        self.default = default
        self.hashing = Hashing()
        self._users: Bounded[str, User] = Bounded(_USERS_MAX)
        self._grants: Bounded[int, Grants] = Bounded(_GRANTS_MAX)
        self._runs: Bounded[str, int] = Bounded(_RUNS_MAX)
        self._models: Bounded[str, int] = Bounded(_RUNS_MAX)
        self._verified: Bounded[bytes, User] = Bounded(_USERS_MAX)
        self._secret = os.urandom(32)
        self._seen: Changes | None = None
        self._checked = float("-inf")
        # Counts the times that something was dropped, so that a read that began before does not bring it back.
        self._generation = 0
        self._checking = asyncio.Lock()

    def close(self) -> None:
        """End the threads that hash."""
        self.hashing.close()

    def changed(self) -> None:
        """Users or permissions were changed by this process: look again before the next answer."""
        self._checked = float("-inf")

    async def refresh(self) -> None:
        """Drop what other processes, or this one, have changed. Raises Unavailable."""
        if time.monotonic() - self._checked < FRESH_SECONDS:
            return
        async with self._checking:
            begun = time.monotonic()
            if begun - self._checked < FRESH_SECONDS:
                return
            found = await self.store.read(read.changes)
            if self._seen is None or found[0] != self._seen[0]:
                self._users.clear()
                self._generation += 1
            if self._seen is None or found[1] != self._seen[1]:
                self._grants.clear()
                self._generation += 1
            self._seen, self._checked = found, begun

    async def known(self, credentials: bytes) -> User | None:
        """The user whose credentials these are, where they were verified before and nothing has changed since."""
        await self.refresh()
        verified = self._verified.get(self._digest(credentials))
        if verified is None:
            return None
        now = await self.user(verified.name)
        return now if now is not None and (now.id, now.password_hash) == (verified.id, verified.password_hash) else None

    async def verify(self, credentials: bytes, name: str, password: str) -> User | None:
        """The user, where the password is right. Takes the same time where it is wrong and where there is none."""
        found = await self.user(name)
        right = await self.hashing.matches(password, found.password_hash if found else "")
        if found is None or not right:
            return None
        self._verified.put(self._digest(credentials), found)
        return found

    async def user(self, name: str) -> User | None:
        """The user of this name."""
        found = self._users.get(name)
        if found is None:
            generation = self._generation
            found = await self.store.read(lambda conn: read.user(conn, name))
            if found is not None and generation == self._generation:
                self._users.put(name, found)
        return found

    async def grants(self, user: User) -> Grants:
        """The permissions of a user. Not to be changed."""
        found = self._grants.get(user.id)
        if found is None:
            generation = self._generation
            found = await self.store.read(lambda conn: read.grants(conn, user.id))
            if generation == self._generation:
                self._grants.put(user.id, found)
        return found

    async def experiments_of_runs(self, run_ids: Sequence[str]) -> set[int | None]:
        """The experiments that these runs belong to; None among them where a run does not exist."""
        return await self._experiments(self._runs, read.experiments_of_runs, run_ids)

    async def experiments_of_models(self, model_ids: Sequence[str]) -> set[int | None]:
        """The experiments that these logged models belong to; None among them where one does not exist."""
        return await self._experiments(self._models, read.experiments_of_models, model_ids)

    async def _experiments(
        self,
        memory: Bounded[str, int],
        find: Callable[[Connection, Sequence[str]], dict[str, int]],
        ids: Sequence[str],
    ) -> set[int | None]:
        """What a run or a logged model belongs to never changes, so it may be remembered for ever."""
        found = {one: memory.get(one) for one in ids}
        missing = [one for one, experiment_id in found.items() if experiment_id is None]
        if missing:
            for one, experiment_id in (await self.store.read(lambda conn: find(conn, missing))).items():
                found[one] = experiment_id
                memory.put(one, experiment_id)
        return set(found.values())

    def _digest(self, credentials: bytes) -> bytes:
        return hashlib.blake2b(credentials, key=self._secret, digest_size=32).digest()
