"""Computes in the database, and their tokens beside it."""

from __future__ import annotations

import os
import stat
from datetime import UTC, datetime

import pytest

from jupyter_mlws.model.compute import ComputeCheck, ComputeSpec, ComputeState
from jupyter_mlws.store import computes, jobs, migrate, outbox
from jupyter_mlws.store.computes import ComputeRow
from jupyter_mlws.store.database import Database
from jupyter_mlws.store.layout import PathRefused
from jupyter_mlws.store.tokens import TokenNotPrivate, Tokens

from .conftest import at_revision

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def row(name="lab2", *, url="http://h:8888", token=None, **fields):
    return ComputeRow(ComputeSpec(name=name, type="jupyter", url=url), token, "ada", NOW, **fields)


def test_what_is_saved_is_found_and_told(db):
    checked = ComputeCheck(reachable=False, message="no answer")
    with db.write() as tx:
        computes.save(tx, row())
        computes.save(tx, row("lab1", check=checked, checked_at=NOW))
    with db.read() as tx:
        assert [found.spec.name for found in computes.read(tx)] == ["lab1", "lab2"]
        assert computes.find(tx, "lab2") == row()
        assert computes.find(tx, "lab1").check == checked
        assert [(each.noun, each.id, each.status) for each in outbox.read(tx, 0)] == [
            ("compute", "lab2", "unchecked"),
            ("compute", "lab1", "unreachable"),
        ]
    with db.write() as tx:
        computes.save(tx, row(check=ComputeCheck(reachable=True), checked_at=NOW))
        computes.delete(tx, "lab1")
    with db.read() as tx:
        assert computes.find(tx, "lab1") is None
        assert computes.find(tx, "lab2").state is ComputeState.READY
        assert outbox.read(tx, 2)[-1].status is None


def test_jobs_that_run_and_wait_are_counted(db, make_job):
    with db.write() as tx:
        for status in ("Queued", "Queued", "Preparing", "Running", "Completed"):
            jobs.insert(tx, make_job(spec={"compute": "lab2"}, status=status))
        jobs.insert(tx, make_job(status="Running"))
        assert jobs.unfinished(tx, "lab2") == (2, 2)
        assert jobs.unfinished(tx, "nowhere") == (0, 0)


def test_a_database_of_the_version_before_is_upgraded_with_its_jobs(layout, make_job):
    job = make_job(spec={"compute": "gone-since"})
    with at_revision(layout, "0002") as tx:
        jobs.insert(tx, job)
    db = Database.open(layout)
    with db.read() as tx:
        assert computes.read(tx) == []
        assert jobs.get(tx, job.id) == job
        assert (
            tx.connection.exec_driver_sql("SELECT version_num FROM alembic_version").scalar() == migrate.HEAD
        )
    db.close()


def test_tokens_are_for_their_owner_alone(layout):
    tokens = Tokens(layout.tokens)
    before = os.umask(0)
    try:
        id = tokens.keep("hush")
    finally:
        os.umask(before)
    assert stat.S_IMODE(layout.tokens.stat().st_mode) == 0o700
    assert stat.S_IMODE(tokens.path(id).stat().st_mode) == 0o600
    assert tokens.read(id) == "hush"
    assert tokens.keep("other", id=id) == id
    assert tokens.read(id) == "other"
    assert stat.S_IMODE(tokens.path(id).stat().st_mode) == 0o600
    tokens.forget(id)
    tokens.forget(id)
    assert tokens.read(id) is None
    assert list(layout.tokens.iterdir()) == []


def test_a_folder_that_others_could_read_is_closed_first(layout):
    layout.tokens.mkdir(mode=0o777)
    layout.tokens.chmod(0o777)
    Tokens(layout.tokens).keep("hush")
    assert stat.S_IMODE(layout.tokens.stat().st_mode) == 0o700


def test_a_disk_without_modes_is_refused(layout, monkeypatch):
    # Stands for a file system such as FAT, which shows all files as readable: none can be mounted here.
    monkeypatch.setattr("pathlib.Path.chmod", lambda *_args, **_options: None)
    layout.tokens.mkdir(mode=0o755)
    with pytest.raises(TokenNotPrivate, match="keeps no modes"):
        Tokens(layout.tokens).keep("hush")
    assert list(layout.tokens.iterdir()) == []


def test_only_what_no_row_names_and_is_old_is_swept(layout):
    tokens = Tokens(layout.tokens)
    tokens.sweep(set())
    named, old, young = tokens.keep("a"), tokens.keep("b"), tokens.keep("c")
    for id in (named, old):
        os.utime(tokens.path(id), (1, 1))
    tokens.sweep({named})
    assert {path.name for path in layout.tokens.iterdir()} == {named, young}


def test_sweeping_beside_another_server_is_no_error(layout, monkeypatch):
    tokens = Tokens(layout.tokens)
    gone, old = tokens.keep("a"), tokens.keep("b")
    for id in (gone, old):
        os.utime(tokens.path(id), (1, 1))
    listed = list(layout.tokens.iterdir())
    tokens.forget(gone)
    monkeypatch.setattr("pathlib.Path.iterdir", lambda _folder: iter(listed))
    tokens.sweep(set())
    assert not tokens.path(old).exists()


def test_an_id_is_no_path(layout):
    with pytest.raises(PathRefused):
        Tokens(layout.tokens).read("../workspace.json")
