"""Removing files and folders from a local store, and what a killed server has left in it."""

import errno
import logging
import os
import secrets
import stat
from contextlib import suppress
from pathlib import Path

from minleaf_server.artifacts.disk import FOLDER, descriptor, lock, make_folder, missing, open_folder, sync_folder
from minleaf_server.artifacts.paths import TEMPORARY

_ATTEMPTS = 10

log = logging.getLogger(__name__)


def remove(root: Path, path: str) -> None:
    """Remove a file, or a folder with all that is in it: it is gone in one step, and then taken apart.

    Symbolic links in the folder are removed, never followed. Raises OSError, and NotFound for a link or a device.
    """
    *parents, name = path.split("/")
    with descriptor(open_folder(root, parents)) as folder:
        mode = os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode
        if stat.S_ISREG(mode):
            os.unlink(name, dir_fd=folder)
            sync_folder(folder)
        elif stat.S_ISDIR(mode):
            _remove_folder(root, folder, name)
        else:
            raise missing(path)


def _remove_folder(root: Path, parent: int, name: str) -> None:
    with descriptor(make_folder(root, [TEMPORARY])) as temporary:
        moved = secrets.token_hex(16)
        os.rename(name, moved, src_dir_fd=parent, dst_dir_fd=temporary)
        sync_folder(parent)
        sync_folder(temporary)
        _take_apart(temporary, moved)


def _take_apart(temporary: int, name: str) -> None:
    """Remove what has been moved here. The folders of a folder are moved up before it goes: no depth is too deep."""
    pending = [name]
    while pending:
        # What is missing another server has swept at the same time.
        with suppress(FileNotFoundError):
            pending += _flatten(temporary, pending.pop())


def _flatten(temporary: int, name: str) -> list[str]:
    """Remove one folder and its files. Returns the names under which its folders have been moved up."""
    moved: list[str] = []
    for attempt in range(_ATTEMPTS):
        try:
            with descriptor(os.open(name, FOLDER, dir_fd=temporary)) as folder:
                moved += _empty(folder, temporary)
            os.rmdir(name, dir_fd=temporary)
            break
        except OSError as error:
            if error.errno in (errno.ENOTDIR, errno.ELOOP):
                os.unlink(name, dir_fd=temporary)
                break
            # An upload that had opened the folder before it was moved may still put its file into it.
            if error.errno != errno.ENOTEMPTY or attempt == _ATTEMPTS - 1:
                raise
    return moved


def _empty(folder: int, temporary: int) -> list[str]:
    with os.scandir(folder) as found:
        entries = [(entry.name, entry.is_dir(follow_symlinks=False)) for entry in found]
    moved = []
    for name, is_folder in entries:
        if is_folder:
            moved.append(secrets.token_hex(16))
            os.rename(name, moved[-1], src_dir_fd=folder, dst_dir_fd=temporary)
        else:
            os.unlink(name, dir_fd=folder)
    return moved


def sweep(root: Path) -> None:
    """Remove what killed servers have left. Uploads of living ones, in this process or another, hold a lock."""
    try:
        with descriptor(open_folder(root, [TEMPORARY])) as temporary:
            for name in os.listdir(temporary):
                with suppress(FileNotFoundError):
                    _sweep_one(temporary, name)
    except FileNotFoundError:
        return
    except OSError as error:
        log.warning("the leftovers of uploads cannot be removed", extra={"fields": {"error": str(error)}})


def _sweep_one(temporary: int, name: str) -> None:
    if not stat.S_ISREG(os.stat(name, dir_fd=temporary, follow_symlinks=False).st_mode):
        _take_apart(temporary, name)
        return
    with descriptor(os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=temporary)) as file:
        # With the lock held, so that an upload which has just begun sees that its file is gone.
        if lock(file, wait=False):
            os.unlink(name, dir_fd=temporary)
