"""The latest metrics and the parameters of a job's run, folded from the records of its spool. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass, field

from jupyter_mlws.tracking.limits import metric_from_json


@dataclass
class LatestValues:
    """What a run has, as far as its spool was read."""

    run_id: str
    offset: int = 0
    """Bytes of the spool that were read."""
    params: dict[str, str] = field(default_factory=dict)
    _metrics: dict[str, tuple[int, int, float | None]] = field(default_factory=dict)

    @property
    def metrics(self) -> dict[str, float | None]:
        """The latest value of each metric; None stands for NaN and the infinities."""
        return {key: value for key, (_, _, value) in self._metrics.items()}

    def take(self, lines: Iterable[bytes], *, offset: int) -> bool:
        """Take account of whole lines, up to `offset`; whether anything of this run changed."""
        changed = False
        mark = f'"run":"{self.run_id}"'.encode()
        for line in lines:
            if mark in line[:64]:
                changed = self._take(line) or changed
        self.offset = offset
        return changed

    def _take(self, line: bytes) -> bool:
        try:
            record = json.loads(line)
            for each in record.get("metrics", ()):
                key, step, at = str(each["key"]), int(each["step"]), int(each["timestamp"])
                known = self._metrics.get(key)
                # As MLflow: the largest step counts, of these the latest.
                if known is None or (step, at) >= known[:2]:
                    self._metrics[key] = step, at, metric_from_json(each["value"])
            for each in record.get("params", ()):
                self.params.setdefault(str(each["key"]), str(each["value"]))
        except (ValueError, KeyError, TypeError, AttributeError):
            return False  # MLflow will say what is wrong with it
        return True
