"""Runs as they are answered, kept encoded: a run that has not changed is neither loaded nor encoded again.

Whatever an answer shows of a run gives the run another `seq` in the same transaction. So the internal id and the `seq`,
read in one snapshot with the rest, name one committed state of the run for ever, whichever replica wrote it.
"""

import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence

from minleaf_server.db.read import runs as read
from minleaf_server.db.store import Connection, Store
from minleaf_server.entities import Run
from minleaf_server.tracking import search
from minleaf_server.tracking.search import RunQuery

Encode = Callable[[Run], bytes]
Join = Callable[[Sequence[bytes], str | None], bytes]

ENTRY_BYTES = 320
"""What an entry takes beside its text: the text's header, two numbers, a pair and a place in a dictionary."""

_LOADED_AT_ONCE = 5_000


class Answers:
    """The memory of one process, of at most so many bytes; 0 keeps nothing. What was used least recently goes first.

    `encode` must be the same function at every call.
    """

    def __init__(self, max_bytes: int) -> None:
        self._max_bytes = max_bytes
        self._bytes = 0
        self._kept: OrderedDict[int, tuple[int, bytes]] = OrderedDict()
        self._lock = threading.Lock()

    @property
    def size(self) -> int:
        """What is kept takes so many bytes."""
        return self._bytes

    async def get(self, store: Store, run_id: str, encode: Encode) -> bytes:
        """The run with its inputs and outputs, encoded; deleted ones too. Raises NotFound. One query, if it is kept."""

        def job(conn: Connection) -> bytes:
            row_id, seq = read.version(conn, run_id)
            return self._of(conn, [row_id], {row_id: seq}, encode)[0]

        return await store.read(job)

    async def search(self, store: Store, query: RunQuery, encode: Encode, join: Join) -> bytes:
        """A page as `search.runs` finds it: what `join` makes of the encoded runs and the token of the next page.

        All of it is made in the thread that reads. Raises as `search.runs`.
        """

        def make(conn: Connection, ids: Sequence[int], next_token: str | None) -> bytes:
            return join(self._of(conn, ids, read.versions(conn, ids) if ids else {}, encode), next_token)

        return await search.page(store, query, make)

    def _of(self, conn: Connection, ids: Sequence[int], seqs: Mapping[int, int], encode: Encode) -> list[bytes]:
        """The encoded runs in this order. `seqs` are theirs in the snapshot of the connection."""
        found = self._known(ids, seqs)
        missing = [row_id for row_id in ids if row_id not in found]
        for start in range(0, len(missing), _LOADED_AT_ONCE):
            part = missing[start : start + _LOADED_AT_ONCE]
            made = dict(zip(part, map(encode, read.load(conn, part, inputs=True)), strict=True))
            self._keep(made, seqs)
            found |= made
        return [found[row_id] for row_id in ids]

    def _known(self, ids: Sequence[int], seqs: Mapping[int, int]) -> dict[int, bytes]:
        known: dict[int, bytes] = {}
        with self._lock:
            for row_id in ids:
                kept = self._kept.get(row_id)
                if kept is not None and kept[0] == seqs[row_id]:
                    self._kept.move_to_end(row_id)
                    known[row_id] = kept[1]
        return known

    def _keep(self, made: Mapping[int, bytes], seqs: Mapping[int, int]) -> None:
        with self._lock:
            for row_id, text in made.items():
                self._drop(row_id)
                self._kept[row_id] = (seqs[row_id], text)
                self._bytes += len(text) + ENTRY_BYTES
            while self._bytes > self._max_bytes:
                self._drop(next(iter(self._kept)))

    def _drop(self, row_id: int) -> None:
        kept = self._kept.pop(row_id, None)
        if kept is not None:
            self._bytes -= len(kept[1]) + ENTRY_BYTES
