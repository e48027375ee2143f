"""Files that a job logged go from its spool to where MLflow's server keeps artifacts: they are moved."""

from __future__ import annotations

import errno
import os
import shutil
import stat
from pathlib import Path

from jupyter_mlws.tracking.spool import FILES
from jupyter_mlws.tracking.troubles import Refused, Unreachable

_NEVER = (errno.ENAMETOOLONG, errno.EINVAL, errno.ELOOP)  # a path that no disk takes, however often


def place(record: dict[str, object], *, spool: Path, artifacts: Path) -> None:
    """Move the file of a record in `spool` to its place below `artifacts`; harmless when repeated.

    Raises `Refused` for what is no path of an artifact or no file, and `Unreachable` when the disk fails.
    """
    artifact, name = record.get("artifact"), record.get("file")
    if not isinstance(artifact, str) or not _stays_inside(artifact):
        raise Refused(f"{str(artifact)[:200]!r} is not the path of an artifact.")
    if not isinstance(name, str) or "/" in name or not _stays_inside(name):
        raise Refused(f"{str(name)[:200]!r} is not the name of a file.")
    source, target = spool / FILES / name, artifacts.joinpath(*artifact.split("/"))
    try:
        os.fsencode(target)
    except ValueError as error:
        raise Refused(f"{artifact[:200]!r} cannot be the path of a file: {error}.") from error
    try:
        is_file = stat.S_ISREG(source.lstat().st_mode)
    except FileNotFoundError:
        if target.exists():
            return  # the last time, just before a crash
        raise Refused("its file is gone.") from None
    if not is_file:
        raise Refused("it is not a file.")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        _move(source, target)
    except (NotADirectoryError, IsADirectoryError, FileExistsError) as error:
        raise Refused(f"{error.strerror}.") from error
    except OSError as error:
        if error.errno in _NEVER:
            raise Refused(f"{artifact[:200]!r} cannot be the path of a file: {error.strerror}.") from error
        raise Unreachable(f"an artifact cannot be put in its place: {error}") from error


def _stays_inside(path: str) -> bool:
    return all(part not in ("", ".", "..") and "\0" not in part for part in path.split("/"))


def _move(source: Path, target: Path) -> None:
    try:
        source.replace(target)
    except OSError as error:
        if error.errno != errno.EXDEV:
            raise
        incoming = target.with_name(f"{target.name}.incoming")
        shutil.copyfile(source, incoming)
        incoming.replace(target)
        source.unlink()
