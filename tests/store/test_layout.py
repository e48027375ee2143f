from __future__ import annotations

from pathlib import Path

import pytest

from jupyter_mlws.model.identity import new_id
from jupyter_mlws.store.layout import Layout, PathRefused

LAYOUT = Layout(Path("/ws"))


def test_the_folder_is_as_documented():
    job = new_id()
    attempt = LAYOUT.attempt(job, 2)
    assert {
        LAYOUT.description: "workspace.json",
        LAYOUT.database: "mlws.db",
        LAYOUT.blobs: "blobs",
        LAYOUT.mlflow: "mlflow",
        LAYOUT.snapshot(job): f"jobs/{job}/snapshot.json",
        attempt.folder: f"jobs/{job}/attempts/2",
        attempt.task: f"jobs/{job}/attempts/2/task.json",
        attempt.claim: f"jobs/{job}/attempts/2/claim",
        attempt.process: f"jobs/{job}/attempts/2/process.json",
        attempt.tracking: f"jobs/{job}/attempts/2/tracking.json",
        attempt.cancel: f"jobs/{job}/attempts/2/cancel",
        attempt.events: f"jobs/{job}/attempts/2/events.jsonl",
        attempt.notebook: f"jobs/{job}/attempts/2/notebook.ipynb",
        attempt.outputs: f"jobs/{job}/attempts/2/outputs",
        attempt.results: f"jobs/{job}/attempts/2/results",
        attempt.work: f"jobs/{job}/attempts/2/work",
        attempt.log: f"jobs/{job}/attempts/2/worker.log",
    } == {
        path: LAYOUT.relative(path)
        for path in [
            LAYOUT.description,
            LAYOUT.database,
            LAYOUT.blobs,
            LAYOUT.mlflow,
            LAYOUT.snapshot(job),
            attempt.folder,
            attempt.task,
            attempt.claim,
            attempt.process,
            attempt.tracking,
            attempt.cancel,
            attempt.events,
            attempt.notebook,
            attempt.outputs,
            attempt.results,
            attempt.work,
            attempt.log,
        ]
    }
    assert LAYOUT.absolute(LAYOUT.relative(attempt.events)) == attempt.events


@pytest.mark.parametrize(
    "id", ["", ".", "..", "../x", "/etc", "a/b", "x" * 10_000, "é" * 13, "0" * 12, "0" * 13 + "\n"]
)
def test_nothing_but_an_id_becomes_a_folder(id):
    for ask in (LAYOUT.job, LAYOUT.snapshot, LAYOUT.attempts, lambda id: LAYOUT.attempt(id, 1)):
        with pytest.raises(PathRefused):
            ask(id)


def test_attempts_count_from_one():
    with pytest.raises(PathRefused):
        LAYOUT.attempt(new_id(), 0)


@pytest.mark.parametrize("relative", ["/etc/passwd", "..", "jobs/../../x", "a\0b"])
def test_a_stored_path_never_leaves_the_workspace(relative):
    with pytest.raises(PathRefused):
        LAYOUT.absolute(relative)
    with pytest.raises(PathRefused):
        LAYOUT.relative(Path("/other") / relative)
    with pytest.raises(PathRefused):
        LAYOUT.relative(LAYOUT.root / ".." / "x")
