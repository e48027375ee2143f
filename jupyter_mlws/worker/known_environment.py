"""The record of an environment, remembered from job to job while no distribution was added or removed.

To read two hundred distributions takes a tenth of a second of a CPU; to see that they are the same, a
millisecond or two.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from jupyter_mlws.model.events import EnvironmentSeen
from jupyter_mlws.model.record import Record
from jupyter_mlws.worker.environment_record import environment_record

_METADATA = (".dist-info", ".egg-info", ".egg-link")


class _Known(Record):
    stamp: str
    seen: EnvironmentSeen


def known_environment(folder: Path, *, python: str, path: Sequence[str]) -> EnvironmentSeen:
    """Return what `environment_record` does, out of `folder` (of this user alone) where it is known."""
    identity = hashlib.sha256(json.dumps([python, *path]).encode()).hexdigest()
    place, stamp = folder / f"{identity[:16]}.json", _stamp(path)
    with contextlib.suppress(OSError, ValueError):
        known = _Known.model_validate_json(place.read_bytes())
        if known.stamp == stamp:
            return known.seen.model_copy(update={"t": time.time()})
    seen = environment_record(python=python, path=path)
    # Without it, the next job reads them once more.
    with contextlib.suppress(OSError):
        _keep(place, _Known(stamp=stamp, seen=seen))
    return seen


def _stamp(path: Sequence[str]) -> str:
    """Return what changes with each distribution that is installed, replaced or removed on `path`."""
    found = hashlib.sha256()
    for entry in filter(None, path):
        try:
            with os.scandir(entry) as inside:
                there = sorted(
                    (each.name, each.stat().st_mtime_ns) for each in inside if each.name.endswith(_METADATA)
                )
        except OSError:  # an archive, or nothing
            with contextlib.suppress(OSError):
                found.update(str(Path(entry).stat().st_mtime_ns).encode())
            continue
        found.update(json.dumps([entry, there]).encode())
    return found.hexdigest()


def _keep(place: Path, known: _Known) -> None:
    place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    descriptor, written = tempfile.mkstemp(dir=place.parent)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.write(known.model_dump_json())
        Path(written).replace(place)
    except BaseException:
        Path(written).unlink(missing_ok=True)
        raise
