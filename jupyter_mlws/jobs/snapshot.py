"""A copy of a folder as it was when a job was submitted: small files as blobs, large ones linked.

Junk (version control, caches, virtual environments) is left out. What `.mlwsignore` names (gitignore
patterns), what is larger than the limit for a file, and what goes beyond the limit for all files is not
copied: a link to the live file stands in its place, and the manifest says so.
"""

from __future__ import annotations

import os
import shutil
import stat
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pathspec

from jupyter_mlws.model.errors import Invalid
from jupyter_mlws.model.job import Sha256
from jupyter_mlws.model.record import Record
from jupyter_mlws.store.blobs import Blobs

IGNORE_FILE = ".mlwsignore"
_JUNK = frozenset(
    [
        *(".git", ".hg", ".svn", ".venv", ".tox", ".nox", "node_modules", "__pycache__"),
        *(".cache", ".mypy_cache", ".ruff_cache", ".pytest_cache"),
        *(".ipynb_checkpoints", ".virtual_documents", ".DS_Store"),
    ]
)
_PIECE = 1 << 20
_REMEMBERED = 100_000
_SETTLED_SECONDS = 2.0


class SnapshotTooLarge(Invalid):
    """The folder holds more files than a snapshot takes."""

    code = "snapshot_too_large"


class SnapshotFailed(Invalid):
    """A file of the folder could not be read."""

    code = "snapshot_failed"


class CopiedFile(Record):
    """A file that lies in the blobs."""

    path: str
    sha256: Sha256
    size: int
    mode: int


class LinkedFile(Record):
    """A file that was not copied; `size` and `modified` (seconds since 1970) tell whether it changed."""

    path: str
    size: int
    modified: float


class Snapshot(Record):
    """The manifest of a snapshot; paths are relative to `folder`, with `/`."""

    folder: str
    files: list[CopiedFile]
    linked: list[LinkedFile] = []


@dataclass(frozen=True)
class Limits:
    """How much a snapshot takes: files in all, bytes in all, bytes of one file (Azure's: 300 MB)."""

    files: int = 10_000
    total: int = 300 * 2**20
    single: int = 100 * 2**20


@dataclass
class HashCache:
    """Hashes of files seen before, by path; one is good while size, time and inode are the same."""

    known: dict[str, tuple[tuple[int, int, int], str]] = field(default_factory=dict)

    def get(self, path: str, facts: os.stat_result) -> str | None:
        """Return the hash of a file that did not change since it was seen."""
        mark, sha256 = self.known.get(path, (None, ""))
        return sha256 if mark == _mark(facts) else None

    def put(self, path: str, facts: os.stat_result, sha256: str) -> None:
        """Remember a hash, unless the file was written just now: it may change within the same tick."""
        if len(self.known) >= _REMEMBERED:
            self.known.clear()
        if time.time() - facts.st_mtime > _SETTLED_SECONDS:
            self.known[path] = (_mark(facts), sha256)


def take(
    folder: Path, blobs: Blobs, *, limits: Limits, cache: HashCache, must: str | None = None
) -> Snapshot:
    """Copy `folder` into `blobs` and return the manifest; the file `must` is copied whatever its size.

    Raises `SnapshotTooLarge` and `SnapshotFailed`.
    """
    ignored = _ignored(folder)
    found = _found(folder, limits)
    copied: list[CopiedFile] = []
    linked: list[LinkedFile] = []
    spent = 0
    # Small ones first: code is small, and it is what must not change.
    for path, facts in sorted(found, key=lambda item: (item[0] != must, item[1].st_size, item[0])):
        regular = stat.S_ISREG(facts.st_mode)
        fits = facts.st_size <= limits.single and spent + facts.st_size <= limits.total
        if regular and (path == must or (fits and not ignored.match_file(path))):
            sha256 = _keep(folder / path, facts, blobs, cache)
            mode = stat.S_IMODE(facts.st_mode)
            copied.append(CopiedFile(path=path, sha256=sha256, size=facts.st_size, mode=mode))
            spent += facts.st_size
        else:
            linked.append(LinkedFile(path=path, size=facts.st_size, modified=facts.st_mtime))
    return Snapshot(folder=str(folder), files=copied, linked=linked)


def restore(snapshot: Snapshot, blobs: Blobs, target: Path) -> list[str]:
    """Make `snapshot` real in `target`, and return the linked paths that have changed or gone since."""
    target.mkdir(parents=True, exist_ok=True)
    for file in snapshot.files:
        place = target / file.path
        place.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(blobs.path(file.sha256), place)
        place.chmod(file.mode | stat.S_IWUSR)
    changed = []
    for link in snapshot.linked:
        live = Path(snapshot.folder) / link.path
        place = target / link.path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.symlink_to(live)
        try:
            facts = live.lstat()
        except OSError:
            changed.append(link.path)
            continue
        if facts.st_size != link.size or facts.st_mtime != link.modified:
            changed.append(link.path)
    return changed


def _ignored(folder: Path) -> pathspec.GitIgnoreSpec:
    try:
        lines = (folder / IGNORE_FILE).read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    try:
        return pathspec.GitIgnoreSpec.from_lines(lines)
    except ValueError as error:
        raise SnapshotFailed(
            f"The file {folder / IGNORE_FILE} holds a pattern that cannot be read: {error}.",
            hint="Its patterns are those of .gitignore.",
        ) from error


def _found(folder: Path, limits: Limits) -> list[tuple[str, os.stat_result]]:
    found = []
    for path, facts in _walk(folder):
        found.append((path, facts))
        if len(found) > limits.files:
            raise SnapshotTooLarge(
                f"The folder {folder} holds more than {limits.files:,} files, which is too many to copy.",
                hint="Move the notebook into a folder of its own, or submit it with snapshot=False to run in "
                "the folder itself.",
            )
    return found


def _walk(root: Path) -> Iterator[tuple[str, os.stat_result]]:
    """Give the files below `root` with their facts. Links are not followed, so that a circle ends."""
    folders = [(root, "")]
    while folders:
        folder, prefix = folders.pop()
        try:
            entries = list(os.scandir(folder))
        except OSError:
            continue  # a folder that this user may not read is not part of the work
        for entry in entries:
            if entry.name in _JUNK:
                continue
            path = prefix + entry.name
            try:
                facts = entry.stat(follow_symlinks=False)
            except OSError:
                continue
            if stat.S_ISDIR(facts.st_mode):
                if not Path(entry.path, "pyvenv.cfg").exists():
                    folders.append((Path(entry.path), path + "/"))
            elif stat.S_ISREG(facts.st_mode) or stat.S_ISLNK(facts.st_mode):
                yield _writable(path, folder=root), facts


def _writable(path: str, *, folder: Path) -> str:
    """Return `path` if it can be written into a manifest. Raises `SnapshotFailed`."""
    try:
        path.encode()
    except UnicodeEncodeError as error:
        raise SnapshotFailed(
            f"The name of the file {path!r} in {folder} is not UTF-8, so it cannot be kept in a snapshot.",
            hint="Rename the file.",
        ) from error
    return path


def _keep(path: Path, facts: os.stat_result, blobs: Blobs, cache: HashCache) -> str:
    known = cache.get(str(path), facts)
    if known is not None and blobs.has(known):
        return known
    writer = blobs.writer()
    try:
        with path.open("rb") as stream:
            while piece := stream.read(_PIECE):
                writer.write(piece)
    except OSError as error:
        writer.abort()
        raise SnapshotFailed(
            f"The file {path} cannot be read for the snapshot: {error.strerror or error}.",
            hint=f"Mend its permissions, or name it in {IGNORE_FILE}.",
        ) from error
    sha256, _ = writer.commit(None)
    cache.put(str(path), facts, sha256)
    return sha256


def _mark(facts: os.stat_result) -> tuple[int, int, int]:
    return facts.st_size, facts.st_mtime_ns, facts.st_ino
