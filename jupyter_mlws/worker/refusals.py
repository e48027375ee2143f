"""What MLflow did not take of what the job logged, for the job's log; whoever ships writes it down."""

from __future__ import annotations

import json
import time
from pathlib import Path

_PACE_SECONDS = 0.5
_MOST = 20


class Refusals:
    """Reads `refused.jsonl` of a spool on; each line becomes one sentence."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._offset = 0
        self._said = 0
        self._looked_at = 0.0

    def new(self, *, at_once: bool = False) -> list[str]:
        """Return the sentences since the last call; at most twice a second it is looked, unless `at_once`."""
        if not at_once and time.monotonic() - self._looked_at < _PACE_SECONDS:
            return []
        self._looked_at = time.monotonic()
        try:
            with self._path.open("rb") as stream:
                stream.seek(self._offset)
                piece = stream.read()
        except OSError:
            return []
        whole = piece[: piece.rfind(b"\n") + 1]
        self._offset += len(whole)
        found = [sentence for line in whole.splitlines() if (sentence := _sentence(line))]
        room = max(0, _MOST - self._said)
        self._said += len(found)
        if room and len(found) > room:
            return [
                *found[:room],
                "MLflow did not take more; see mlflow/refused.jsonl of the attempt.",
            ]
        return found[:room]


def _sentence(line: bytes) -> str | None:
    try:
        refused = json.loads(line)
        return f"MLflow did not take {refused['what']}: {refused['message']}"
    except (ValueError, KeyError, TypeError):
        return None
