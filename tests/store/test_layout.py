from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from jupyter_mlws.model.identity import new_id
from jupyter_mlws.store.layout import Layout, PathRefused, RuntimeFolderUnsafe, runtime_folder

LAYOUT = Layout(Path("/ws"))
ID = "0" * 32


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


def test_the_runtime_folder_is_short_and_private(place, monkeypatch):
    folder = runtime_folder(ID)
    assert folder == place.runtime / "mlws" / ID[:12]
    assert runtime_folder(ID) == folder
    for each in (folder, folder.parent):
        assert stat.S_IMODE(each.stat().st_mode) == 0o700
    folder.chmod(0o755)
    assert stat.S_IMODE(runtime_folder(ID).stat().st_mode) == 0o700


@pytest.mark.parametrize("given", [None, "", "missing"])
def test_without_a_runtime_folder_of_the_system_it_is_a_temporary_one(place, monkeypatch, given):
    if given is None:
        monkeypatch.delenv("XDG_RUNTIME_DIR")
    else:
        monkeypatch.setenv("XDG_RUNTIME_DIR", given and str(place.root / given))
    monkeypatch.setattr("tempfile.tempdir", str(place.home))
    assert runtime_folder(ID) == place.home / f"mlws-{os.getuid()}" / ID[:12]


def test_a_runtime_folder_that_is_somebody_elses_is_refused(place):
    (place.home / "trap").mkdir()
    (place.runtime / "mlws").symlink_to(place.home / "trap")
    with pytest.raises(RuntimeFolderUnsafe, match="does not belong to you"):
        runtime_folder(ID)


@pytest.mark.parametrize("id", ["", "../../../x", "a/b/c/d/e/f", "short"])
def test_a_workspace_id_is_checked_before_it_names_a_folder(id):
    with pytest.raises(PathRefused):
        runtime_folder(id)
