"""Blobs: immutable files named by the SHA-256 of their bytes."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import secrets
import stat
import time
from collections.abc import Callable, Container
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import TracebackType
from typing import Self

from jupyter_mlws.model.blob_files import INCOMING, INCOMING_NAME
from jupyter_mlws.model.errors import Invalid, NotFound
from jupyter_mlws.store.durable import create_private, locked, make_folder, refusals, sync_folder

UNUSED_SECONDS = 86_400.0
"""How long a blob stays that no job needs."""
_NAME = re.compile(r"[0-9a-f]{64}")


class BlobNotFound(NotFound):
    """No blob has this hash."""

    code = "blob_not_found"


class BlobNameInvalid(Invalid):
    """Not a SHA-256 in lower-case hexadecimal."""

    code = "blob_name_invalid"


class BlobMismatch(Invalid):
    """The bytes that came do not have the hash that was announced."""

    code = "blob_mismatch"


class Blobs:
    """The blobs below `root` (`Layout.blobs`)."""

    def __init__(self, root: Path) -> None:
        self._root = root

    @property
    def _incoming(self) -> Path:
        return self._root / INCOMING

    def has(self, sha: str) -> bool:
        """Whether the blob is here; one that is stays for hours to come, so that a job can name it.

        Raises `BlobNameInvalid`, or `WorkspaceReadOnly`.
        """
        place = self._place(sha)
        try:
            if time.time() - place.stat().st_mtime > UNUSED_SECONDS / 2:
                with locked(self._root), refusals(place):  # never between a look of `collect` and its removal
                    os.utime(place)
        except FileNotFoundError:
            return False
        return True

    def path(self, sha: str) -> Path:
        """Return the blob's file, to be read only. Raises `BlobNotFound` or `BlobNameInvalid`."""
        place = self._place(sha)
        if not place.is_file():
            raise BlobNotFound(f"There is no blob {sha}.", hint="Upload it first.")
        return place

    def writer(self) -> BlobWriter:
        """Return a writer for a new blob. Raises `WorkspaceReadOnly` or `DiskFull`."""
        with refusals(self._root):
            make_folder(self._incoming)
            return BlobWriter(self._incoming / secrets.token_hex(16), place_of=self._place)

    def put(self, data: bytes) -> str:
        """Keep `data` and return its hash. Raises `WorkspaceReadOnly` or `DiskFull`."""
        if self.has(sha := hashlib.sha256(data).hexdigest()):
            return sha
        with self.writer() as writer:
            writer.write(data)
            sha, _ = writer.commit()
        return sha

    def adopt(self, name: str, sha: str) -> int:
        """Keep the file `name`, which a process of this user laid into `incoming`, as the blob `sha`.

        Return its size in bytes; it is on the disk then. Where the blob is there, the file is not even read.

        Raises `BlobNotFound` where there is no such file of this user's, `BlobMismatch` (it is gone then),
        `DiskFull` or `WorkspaceReadOnly`.
        """
        place, incoming = self._place(sha), self._incoming / name
        if INCOMING_NAME.fullmatch(name) is None:
            raise BlobNameInvalid(f"{name[:100]!r} is not the name of a file that was laid ready.")
        try:
            # Neither a link nor a pipe that nobody writes to leads anywhere.
            flags = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
            descriptor = os.open(incoming, flags)
        except OSError as error:
            raise BlobNotFound(f"No file {name} was laid ready here: {error.strerror}.") from error
        try:
            facts = os.fstat(descriptor)
            if not stat.S_ISREG(facts.st_mode) or facts.st_uid != os.getuid() or facts.st_nlink != 1:
                raise BlobNotFound(f"{name} is not a file of this user's alone.")
            if self.has(sha):
                incoming.unlink(missing_ok=True)
                return facts.st_size
            with refusals(place):
                self._rename(descriptor, incoming, place, sha=sha, size=facts.st_size)
        finally:
            os.close(descriptor)
        return facts.st_size

    def _rename(self, descriptor: int, incoming: Path, place: Path, *, sha: str, size: int) -> None:
        os.fchmod(descriptor, 0o600)
        with ThreadPoolExecutor(1) as beside, os.fdopen(descriptor, "rb", closefd=False) as file:
            flushing = beside.submit(os.fsync, descriptor)
            found = hashlib.file_digest(file, "sha256").hexdigest()
        if found != sha:
            incoming.unlink(missing_ok=True)
            raise _mismatch(size, found, sha)
        flushing.result()
        make_folder(place.parent)
        try:
            incoming.replace(place)
        except FileNotFoundError as error:
            # Asked for twice, and the other was quicker; or taken back by a client that would not wait.
            if not self.has(sha):
                raise BlobNotFound(f"The file {incoming.name} was taken away meanwhile.") from error
        sync_folder(place.parent)

    def sweep(self, *, older_than: float = UNUSED_SECONDS) -> int:
        """Remove what killed writers left, untouched for `older_than` seconds; return how many files."""
        removed = 0
        with contextlib.suppress(FileNotFoundError):
            for file in list(self._incoming.iterdir()):
                with contextlib.suppress(FileNotFoundError):
                    if time.time() - file.stat().st_mtime > older_than:
                        file.unlink()
                        removed += 1
        return removed

    def collect(self, needed: Container[str]) -> int:
        """Remove the blobs that are not `needed` and are old; return how many.

        Whoever is about to name a blob has just written it, or asked whether it is here: it is young then.
        """
        removed = 0
        for place in self._root.glob("??/*"):
            if _NAME.fullmatch(place.name) and place.name not in needed and _is_unused(place):
                with locked(self._root), contextlib.suppress(FileNotFoundError):
                    if _is_unused(place):
                        place.unlink()
                        removed += 1
        return removed

    def _place(self, sha: str) -> Path:
        # Nothing but a hash ever becomes a path.
        if _NAME.fullmatch(sha) is None:
            raise BlobNameInvalid(
                f"{sha[:100]!r} is not the name of a blob.",
                hint="Use the SHA-256 in 64 lower-case hex digits.",
            )
        return self._root / sha[:2] / sha


def _mismatch(size: int, found: str, expected: str) -> BlobMismatch:
    return BlobMismatch(
        f"The {size} bytes that arrived have the hash {found}, not {expected[:100]!r}.",
        hint="Send the file again; it was changed or cut off on the way.",
    )


def _is_unused(place: Path) -> bool:
    try:
        return time.time() - place.stat().st_mtime > UNUSED_SECONDS
    except FileNotFoundError:
        return False


class BlobWriter:
    """Takes the bytes of one blob; nothing of it is seen before `commit`. Leaving its block aborts it."""

    def __init__(self, incoming: Path, *, place_of: Callable[[str], Path]) -> None:
        self._incoming = incoming
        self._place_of = place_of
        self._hash = hashlib.sha256()
        self._size = 0
        self._file = create_private(incoming)

    def write(self, data: bytes | bytearray) -> None:
        """Add bytes. Raises `DiskFull`."""
        with refusals(self._incoming):
            self._file.write(data)
        self._hash.update(data)
        self._size += len(data)

    def commit(self, expected_sha: str | None = None) -> tuple[str, int]:
        """Keep the blob and return its hash and its size in bytes; it is on disk then.

        Raises `BlobMismatch` when the hash is not `expected_sha`, `DiskFull` or `WorkspaceReadOnly`; nothing
        is kept then.
        """
        sha = self._hash.hexdigest()
        if expected_sha is not None and sha != expected_sha:
            self.abort()
            raise _mismatch(self._size, sha, expected_sha)
        place = self._place_of(sha)
        try:
            with refusals(place):
                self._file.flush()
                os.fsync(self._file.fileno())
                self._file.close()
                make_folder(place.parent)
                self._incoming.replace(place)
                sync_folder(place.parent)
        except BaseException:
            self.abort()
            raise
        return sha, self._size

    def abort(self) -> None:
        """Forget what was written. Does nothing after `commit`."""
        with contextlib.suppress(OSError):
            self._file.close()
        self._incoming.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.abort()
