"""Opening files and folders below a root, segment by segment, so that no symbolic link is ever followed.

Every step is relative to the descriptor of the folder before it (`openat`): whoever swaps a folder for a link between
two steps gets an error or the folder that was there, never another place. The root itself is the operator's word, and
links in its own path are followed.
"""

import errno
import fcntl
import logging
import os
import stat
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from hashlib import blake2b
from pathlib import Path

from minleaf_server.errors import Exhausted, InvalidParameter, MinleafError, NotFound, Unavailable

# O_NONBLOCK: to open a FIFO would otherwise wait for its other end.
FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW
_FILE = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK

_MISSING = {errno.ENOENT, errno.ENOTDIR, errno.ELOOP, errno.ENXIO}
_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_UNFIT_NAME = {errno.ENAMETOOLONG, errno.EILSEQ, errno.EINVAL}

# What shares of other machines answer where they have no such call.
UNSUPPORTED = {errno.EINVAL, errno.ENOTSUP, errno.ENOSYS, errno.ENOLCK}

log = logging.getLogger(__name__)


def is_missing(error: OSError) -> bool:
    """Whether the error says that a path names nothing, or leads over something that is no folder."""
    return error.errno in _MISSING


@contextmanager
def translated(path: str) -> Iterator[None]:
    """Turns what the system says into an error that may be shown. What it said goes to the log, with its path."""
    try:
        yield
    except OSError as error:
        raise _translation(error, path) from None


def _translation(error: OSError, path: str) -> MinleafError:
    if is_missing(error):
        return missing(path)
    if error.errno in _UNFIT_NAME:
        return InvalidParameter("Invalid path")
    log.error("the artifact store failed", extra={"fields": {"artifact": path, "error": str(error)}})
    if error.errno in _FULL:
        return Exhausted("The disk of the artifact store is full.")
    return Unavailable("The artifact store cannot be read or written now. The log of the server says why.", 5)


def missing(path: str) -> NotFound:
    """The error for a path that names nothing, or nothing that may be read."""
    return NotFound(f"No such artifact: '{path}'")


def clash(path: str) -> InvalidParameter:
    """The error for a file where a folder has to be, or the other way round."""
    return InvalidParameter(
        f"'{path}' cannot be written: a folder has that name, or a part of the path is a file. Choose another name."
    )


@contextmanager
def descriptor(opened: int) -> Iterator[int]:
    """The descriptor, closed at the end."""
    try:
        yield opened
    finally:
        os.close(opened)


def sync_folder(folder: int) -> None:
    """Make what was put into the folder safe from a power cut, where its file system can."""
    try:
        os.fsync(folder)
    except OSError as error:
        if error.errno not in UNSUPPORTED:
            raise


def lock(file: int, wait: bool) -> bool:
    """Hold a file until it is closed. False where the disk knows no locks or, without `wait`, another holds it."""
    try:
        fcntl.flock(file, fcntl.LOCK_EX if wait else fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        if error.errno not in UNSUPPORTED | {errno.EWOULDBLOCK}:
            raise
        return False
    return True


def open_root(root: Path) -> int:
    """A descriptor of the root. Raises OSError."""
    return os.open(root, os.O_RDONLY | os.O_DIRECTORY)


def open_folder(root: Path, segments: Sequence[str]) -> int:
    """A descriptor of an existing folder below the root. Raises OSError, also at a symbolic link."""
    folder = open_root(root)
    for segment in segments:
        folder = _step(folder, segment)
    return folder


def make_folder(root: Path, segments: Sequence[str]) -> int:
    """A descriptor of a folder below the root; what is missing of it, the root included, is made and synced."""
    if not root.exists():
        _make_root(root)
    folder = open_root(root)
    for segment in segments:
        try:
            os.stat(segment, dir_fd=folder, follow_symlinks=False)
        except FileNotFoundError:
            _make_child(folder, segment)
        except BaseException:
            os.close(folder)
            raise
        folder = _step(folder, segment)
    return folder


def _step(folder: int, segment: str) -> int:
    """From a folder to a child; the folder's descriptor is closed in any case."""
    with descriptor(folder):
        return os.open(segment, FOLDER, dir_fd=folder)


def _make_child(folder: int, segment: str) -> None:
    try:
        os.mkdir(segment, 0o700, dir_fd=folder)
        sync_folder(folder)
    except FileExistsError:
        pass  # Another request was quicker.
    except BaseException:
        os.close(folder)
        raise


def _make_root(root: Path) -> None:
    for folder in (*reversed(root.parents), root):
        if not folder.exists():
            folder.mkdir(mode=0o700, exist_ok=True)


def open_file(root: Path, path: str) -> tuple[int, os.stat_result]:
    """A descriptor of a regular file and what the system knows of it.

    Raises OSError, and NotFound for a folder, a link, a device, a socket, a pipe, and for a file with more than one
    hard link: such a file may as well be one that lies outside the root.
    """
    *parents, name = path.split("/")
    with descriptor(open_folder(root, parents)) as folder:
        # Asked for before it is opened too, because opening some devices has effects.
        if not stat.S_ISREG(os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode):
            raise missing(path)
        opened = os.open(name, _FILE, dir_fd=folder)
    try:
        found = os.fstat(opened)
        _require_plain(found, path)
    except BaseException:
        os.close(opened)
        raise
    return opened, found


def look_at(root: Path, path: str) -> os.stat_result:
    """What the system knows of a file or folder, "" being the root. Raises what `open_file` raises."""
    if not path:
        return os.stat(root)
    *parents, name = path.split("/")
    with descriptor(open_folder(root, parents)) as folder:
        found = os.stat(name, dir_fd=folder, follow_symlinks=False)
    if not stat.S_ISDIR(found.st_mode):
        _require_plain(found, path)
    return found


def _require_plain(found: os.stat_result, path: str) -> None:
    if not stat.S_ISREG(found.st_mode):
        raise missing(path)
    if found.st_nlink > 1:
        raise NotFound(f"The artifact '{path}' has more than one hard link, and such files are not served.")


def etag(found: os.stat_result) -> str:
    """A quoted ETag that another content of the same file does not have. It tells nothing of the disk."""
    text = f"{found.st_mtime_ns} {found.st_size} {found.st_ino}"
    return f'"{blake2b(text.encode(), digest_size=12).hexdigest()}"'
