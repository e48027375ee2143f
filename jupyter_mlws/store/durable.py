"""Files and folders that are still there after a power failure, and refusals of the disk as sentences."""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import secrets
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

from jupyter_mlws.model.errors import NotReady

_REFUSED = frozenset({errno.EACCES, errno.EPERM, errno.EROFS})
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


class WorkspaceReadOnly(NotReady):
    """A file or folder of the workspace cannot be written by this user."""

    code = "workspace_read_only"

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"The workspace cannot be written: {path} is read-only for this user.",
            hint="Give yourself write permission on the folder and all in it, "
            "or choose another workspace with MLWS_WORKSPACE.",
        )


class DiskFull(NotReady):
    """No space is left where the workspace lies."""

    code = "disk_full"

    def __init__(self, path: Path) -> None:
        super().__init__(
            f"The disk that holds {path} is full, so nothing was written.",
            hint="Free some space, for example by deleting old jobs, and try again.",
        )


@contextlib.contextmanager
def refusals(path: Path) -> Iterator[None]:
    """Turn what the disk refuses inside the block into `WorkspaceReadOnly` or `DiskFull` for `path`."""
    try:
        yield
    except OSError as error:
        if error.errno in _REFUSED:
            raise WorkspaceReadOnly(path) from error
        if error.errno in _FULL:
            raise DiskFull(path) from error
        raise


def make_folder(path: Path) -> None:
    """Create `path` and what is missing above it, for this user alone (0700). Fine if it is there."""
    if path.is_dir():
        return
    make_folder(path.parent)
    with contextlib.suppress(FileExistsError):
        path.mkdir(mode=0o700)
        sync_folder(path.parent)


def write_atomically(path: Path, data: bytes) -> None:
    """Replace `path` by a file of mode 0600 with `data`; a reader sees the old or the new one, whole."""
    incoming = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    try:
        with create_private(incoming) as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        incoming.replace(path)
    except BaseException:
        incoming.unlink(missing_ok=True)
        raise
    sync_folder(path.parent)


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Keep other processes that ask for the same lock on the folder waiting until the block ends."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def sync_folder(path: Path) -> None:
    """Wait until the names in the folder are on disk: a renamed file is not safe before."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def create_private(path: Path) -> BinaryIO:
    """Create `path` for its owner alone (0600) and open it for writing. Raises `FileExistsError`."""
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")
