"""When a kernel is started ahead of a job on another server, and when it gives way."""

from __future__ import annotations

from dataclasses import replace

import pytest

from jupyter_mlws.compute.warmth import Use, Verdict, verdict

QUIET = Use(slots=1, running=0, waiting=0, since_launch=60, since_active=60)


@pytest.mark.parametrize(
    ("changes", "spares", "decided"),
    [
        ({}, 0, Verdict.START),
        ({}, 1, Verdict.LEAVE),
        ({"since_active": 301}, 0, Verdict.LEAVE),
        ({"since_active": 301}, 1, Verdict.END),
        # Behind the job's own start.
        ({"slots": 2, "running": 1, "since_launch": 0.1}, 0, Verdict.LEAVE),
        ({"slots": 2, "running": 1, "since_launch": 1.5}, 0, Verdict.START),
        # A slot that a job has or wants is none for a spare.
        ({"running": 1}, 0, Verdict.LEAVE),
        ({"waiting": 1}, 0, Verdict.LEAVE),
        ({"slots": 2, "running": 1, "waiting": 1}, 0, Verdict.LEAVE),
        # It waits for a job that comes now, and gives way to those that did not take it.
        ({"waiting": 1}, 1, Verdict.LEAVE),
        ({"running": 1, "since_launch": 0.5}, 1, Verdict.LEAVE),
        ({"running": 1, "since_launch": 11}, 1, Verdict.END),
        ({"slots": 2, "running": 1, "since_launch": 11}, 1, Verdict.LEAVE),
    ],
)
def test_the_verdict(changes: dict[str, float], spares: int, decided: Verdict) -> None:
    assert verdict(replace(QUIET, **changes), spares=spares, idle=300) is decided  # type: ignore[arg-type]
