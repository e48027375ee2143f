"""How far the spool of an attempt was shipped: the file `shipped.json` beside its records."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import NamedTuple

from jupyter_mlws.tracking.spool import RECORDS

_FILE = "shipped.json"


class State(NamedTuple):
    """How far a spool was shipped."""

    offset: int = 0
    """Bytes of the records."""
    tries: int = 0
    """At the record that follows, which MLflow failed over."""
    ended: bool = False
    """Whether the end of the job's run was among it."""


def state_of(folder: Path) -> State:
    """Return how far the spool in `folder` was shipped."""
    try:
        known = json.loads((folder / _FILE).read_bytes())
        return State(int(known["offset"]), int(known["tries"]), bool(known["ended"]))
    except (OSError, ValueError, KeyError, TypeError):
        return State()


def note(folder: Path, state: State) -> None:
    """Keep how far the spool in `folder` was shipped, whole or not at all. Raises OSError."""
    incoming = folder / f"{_FILE}.{os.getpid()}"
    incoming.write_text(json.dumps(state._asdict()))
    incoming.replace(folder / _FILE)


def size_of(folder: Path) -> int:
    """Return the bytes of the records of the spool in `folder`; 0 where there are none."""
    try:
        return (folder / RECORDS).stat().st_size
    except OSError:
        return 0
