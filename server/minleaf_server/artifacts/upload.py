"""One file on its way into a local store: written aside, then moved to its place in one step.

What is not whole yet lies in a folder of its own below the root, in the same file system, under a name nobody can tell
beforehand.
"""

import errno
import os
import secrets
import stat
import threading
from collections.abc import Iterable, Sequence
from contextlib import suppress
from pathlib import Path

from minleaf_server.artifacts.disk import clash, descriptor, lock, make_folder, missing, open_folder, sync_folder
from minleaf_server.artifacts.paths import TEMPORARY
from minleaf_server.errors import Unavailable

_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW
_ATTEMPTS = 10


class Upload:
    """One file on its way into the store. Its methods block, may be called in any thread, and exclude each other.

    After `finish` or `abandon` every method does nothing: the thread of a request that was cancelled may come late.
    """

    def __init__(self, root: Path, path: str) -> None:
        self._root = root
        self._path = path
        self._lock = threading.Lock()
        self._over = False
        self._file = -1
        self._folder = -1
        self._name = ""

    def write(self, parts: Iterable[bytes]) -> None:
        """Append bytes. Raises OSError, and what `finish` raises as far as it can be told already."""
        with self._lock:
            if not self._over:
                self._append(parts)

    def finish(self, parts: Iterable[bytes]) -> None:
        """Append the last bytes and put the file in its place, safe from a power cut. Raises OSError.

        Raises InvalidParameter where a folder has the name or a file stands where a folder has to be, and NotFound
        where a symbolic link stands there.
        """
        with self._lock:
            if self._over:
                return
            self._append(parts)
            os.fsync(self._file)
            self._place()
            self._name = ""
            self._end()

    def abandon(self) -> None:
        """Remove what has been written, unless it is finished."""
        with self._lock:
            if not self._over:
                self._end()

    def _append(self, parts: Iterable[bytes]) -> None:
        if self._file < 0:
            _refuse_clash(self._root, self._path)
            self._create()
        for part in parts:
            rest = memoryview(part)
            while rest:
                rest = rest[os.write(self._file, rest) :]

    def _create(self) -> None:
        self._folder = make_folder(self._root, [TEMPORARY])
        for _ in range(_ATTEMPTS):
            name = secrets.token_hex(16)
            file = os.open(name, _NEW, 0o600, dir_fd=self._folder)
            # The lock says that a living process writes here. Between the two calls another server may have swept.
            lock(file, wait=True)
            if os.fstat(file).st_nlink:
                self._file, self._name = file, name
                return
            os.close(file)
        raise Unavailable("The artifact store is being cleaned.")

    def _place(self) -> None:
        *parents, name = self._path.split("/")
        for attempt in range(_ATTEMPTS):
            try:
                with descriptor(make_folder(self._root, parents)) as folder:
                    _refuse_name(folder, name, self._path)
                    os.rename(self._name, name, src_dir_fd=self._folder, dst_dir_fd=folder)
                    sync_folder(folder)
                return
            except FileNotFoundError:
                # Somebody deleted the folder between these steps.
                if attempt == _ATTEMPTS - 1:
                    raise
            except OSError as error:
                raise _obstacle(error, self._root, parents, self._path) from None

    def _end(self) -> None:
        self._over = True
        try:
            if self._name:
                os.unlink(self._name, dir_fd=self._folder)
        finally:
            for opened in (self._file, self._folder):
                if opened >= 0:
                    os.close(opened)


def _refuse_clash(root: Path, path: str) -> None:
    """Tells a clash as soon as the upload begins, so that nobody waits for it to its end."""
    *parents, name = path.split("/")
    try:
        with descriptor(open_folder(root, parents)) as folder:
            _refuse_name(folder, name, path)
    except FileNotFoundError:
        return
    except OSError as error:
        raise _obstacle(error, root, parents, path) from None


def _refuse_name(folder: int, name: str, path: str) -> None:
    """`rename` would replace a link or a pipe, and do no harm; but what stands there is not ours to replace."""
    with suppress(FileNotFoundError):
        mode = os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode
        if stat.S_ISLNK(mode):
            raise missing(path)
        if not stat.S_ISREG(mode):
            raise clash(path)


def _obstacle(error: OSError, root: Path, parents: Sequence[str], path: str) -> Exception:
    """What to say where a part of the path is no folder: NotFound at a symbolic link, InvalidParameter at a file."""
    if isinstance(error, IsADirectoryError):
        return clash(path)
    if error.errno not in (errno.ENOTDIR, errno.ELOOP):
        return error
    for count, segment in enumerate(parents):
        with suppress(OSError), descriptor(open_folder(root, parents[:count])) as folder:
            if stat.S_ISLNK(os.stat(segment, dir_fd=folder, follow_symlinks=False).st_mode):
                return missing(path)
    return clash(path)
