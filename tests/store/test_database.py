from __future__ import annotations

import sqlite3
import stat
import threading

import alembic.config
import pytest
import sqlalchemy as sa
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory

from jupyter_mlws.model.job_query import JobQuery
from jupyter_mlws.store import audit, jobs, migrate, outbox, sqlite, tables
from jupyter_mlws.store.database import Database
from jupyter_mlws.store.description import WorkspaceNotFound
from jupyter_mlws.store.durable import DiskFull, WorkspaceReadOnly
from jupyter_mlws.store.layout import Layout

OPEN = """
from jupyter_mlws.store import audit, jobs, workspaces
from jupyter_mlws.store.database import Database
layout = workspaces.resolve()
workspaces.open(layout)
"""


def pragma(db, name):
    with db.read() as tx:
        return tx.connection.exec_driver_sql(f"PRAGMA {name}").scalar_one()


def test_a_new_database_is_wal_private_and_checks_foreign_keys(db, layout):
    assert pragma(db, "journal_mode") == "wal"
    assert pragma(db, "foreign_keys") == 1
    assert pragma(db, "integrity_check") == "ok"
    for suffix in ("", "-wal", "-shm"):
        file = layout.database.with_name(layout.database.name + suffix)
        assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_the_migrations_make_the_tables_that_the_code_uses(db):
    with db.read() as tx:
        context = MigrationContext.configure(tx.connection, opts={"compare_type": True})
        assert compare_metadata(context, tables.metadata) == []
        conditions = {
            name: " ".join(sql.split("WHERE", 1)[1].split())
            for name, sql in tx.connection.exec_driver_sql(
                "SELECT name, sql FROM sqlite_master WHERE type = 'index' AND sql LIKE '%WHERE%'"
            )
        }
    assert conditions == {
        "ix_jobs_unfinished": tables.UNFINISHED.text,
        "ix_jobs_unsettled": tables.UNSETTLED.text,
    }


def test_head_is_the_newest_revision():
    config = alembic.config.Config()
    config.set_main_option("script_location", "jupyter_mlws.store:migrations")
    assert ScriptDirectory.from_config(config).get_heads() == [migrate.HEAD]


def test_alembic_is_not_imported_when_the_tables_are_up_to_date(db, start_python):
    process = start_python(
        OPEN
        + """
import sys
Database.open(layout).close()
print([name for name in sys.modules if "alembic" in name])
"""
    )
    out, error = process.communicate()
    assert (out.strip(), error) == ("[]", "")


def test_a_database_of_a_newer_version_is_left_alone(db, layout):
    with db.write() as tx:
        tx.connection.exec_driver_sql("UPDATE alembic_version SET version_num = '9999'")
    with pytest.raises(migrate.StoreTooNew, match="newer version"):
        Database.open(layout)


def test_a_file_that_is_no_database_is_a_sentence(layout):
    layout.database.write_bytes(b"not a database" * 1000)
    with pytest.raises(sqlite.StoreBroken, match=r"mlws\.db cannot be read"):
        Database.open(layout)
    assert layout.database.read_bytes().startswith(b"not a database")


def test_a_folder_that_is_no_workspace_is_a_sentence(place):
    with pytest.raises(WorkspaceNotFound, match="no workspace"):
        Database.open(Layout(place.root / "nothing"))
    assert not (place.root / "nothing").exists()


def test_a_write_that_raises_leaves_nothing(db, make_job):
    job = make_job()
    with pytest.raises(ZeroDivisionError), db.write() as tx:
        jobs.insert(tx, job)
        audit.record(tx, "ada", "submit", "job", job.id, None, job)
        raise ZeroDivisionError
    with db.read() as tx:
        assert jobs.find(tx, job.id) is None
        assert outbox.last(tx) == 0
        assert audit.page(tx).entries == []


def test_a_read_sees_one_state_while_others_write(db, make_job):
    job = make_job()
    with db.read() as tx:
        assert jobs.find(tx, job.id) is None
        with db.write() as other:
            jobs.insert(other, job)
        assert jobs.find(tx, job.id) is None
    with db.read() as tx:
        assert jobs.find(tx, job.id) == job


def test_a_write_sees_what_the_write_before_it_left(db, make_job):
    job = make_job()
    with db.write() as tx:
        jobs.insert(tx, job)

    def count() -> None:
        for _ in range(25):
            with db.write() as tx:
                seen = jobs.get(tx, job.id)
                jobs.save(tx, seen.model_copy(update={"cells_done": seen.cells_done + 1}))

    threads = [threading.Thread(target=count) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with db.read() as tx:
        assert jobs.get(tx, job.id).cells_done == 100


def test_two_processes_write_in_turn(db, layout, make_job, start_python):
    job = make_job()
    with db.write() as tx:
        jobs.insert(tx, job)
    count = f"""
db = Database.open(layout)
for _ in range(50):
    with db.write() as tx:
        seen = jobs.get(tx, {job.id!r})
        jobs.save(tx, seen.model_copy(update={{"cells_done": seen.cells_done + 1}}))
"""
    for process in [start_python(OPEN + count) for _ in range(2)]:
        assert process.communicate()[1] == ""
    with db.read() as tx:
        assert jobs.get(tx, job.id).cells_done == 100


def test_two_processes_open_a_new_workspace_at_once(place, start_python):
    go = "import jupyter_mlws.store.database\nprint('ready', flush=True)\ninput()\n"
    processes = [
        start_python(go + OPEN + "Database.open(layout)\nprint(workspaces.open(layout).id)") for _ in range(4)
    ]
    for process in processes:
        assert process.stdout.readline() == "ready\n"
    for process in processes:
        process.stdin.write("\n")
        process.stdin.flush()
    answers = [process.communicate() for process in processes]
    assert [error for _, error in answers] == [""] * 4
    assert len({out for out, _ in answers}) == 1


def test_kill_in_the_middle_of_a_write_leaves_nothing_of_it(db, make_job, layout, start_python):
    job, torn = make_job(), make_job()
    with db.write() as tx:
        jobs.insert(tx, job)
    process = start_python(
        OPEN
        + f"""
from jupyter_mlws.model.job import Job
db = Database.open(layout)
with db.write(durable=True) as tx:
    for _ in range(2000):
        audit.record(tx, "ada", "x", "job", {torn.id!r}, None, {{"text": "y" * 10_000}})
    jobs.insert(tx, Job.model_validate_json({torn.model_dump_json()!r}))
    jobs.delete(tx, {job.id!r})
    print("inside", flush=True)
    input()
"""
    )
    assert process.stdout.readline() == "inside\n", process.communicate()[1]
    process.kill()
    process.wait()
    with db.write() as tx:
        assert jobs.get(tx, job.id) == job
        assert jobs.find(tx, torn.id) is None
        assert audit.page(tx).entries == []
        assert outbox.last(tx) == 1
    assert pragma(db, "integrity_check") == "ok"


def test_kill_at_any_moment_keeps_what_was_committed(layout, start_python, db):
    source = (
        OPEN
        + """
from datetime import UTC, datetime
from jupyter_mlws.model.identity import new_id
from jupyter_mlws.model.job import Attempt, Job, JobSpec
db = Database.open(layout)
while True:
    now = datetime.now(UTC)
    spec = JobSpec(kind="cell", name="x", code="1")
    job = Job(id=new_id(), spec=spec, status="Queued", created_by="ada", created_at=now)
    with db.write() as tx:
        jobs.insert(tx, job)
        jobs.insert_attempt(tx, job.id, Attempt(number=1, status="Queued", folder="x", created_at=now))
        audit.record(tx, "ada", "submit", "job", job.id, None, job)
    print(job.id, flush=True)
"""
    )
    told = []
    for length in (1, 7, 20):
        process = start_python(source)
        told += [process.stdout.readline().strip() for _ in range(length)]
        process.kill()
        told += process.communicate()[0].split()
    assert "" not in told
    with db.read() as tx:
        parts = [
            tx.connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar_one()
            for table in ("jobs", "job_records", "job_specs", "attempts", "audit", "outbox")
        ]
        assert len(set(parts)) == 1
        assert all(jobs.find(tx, id[:13]) for id in told if len(id) == 13)
    assert pragma(db, "integrity_check") == "ok"


def test_kill_in_the_middle_of_the_migration_leaves_an_empty_database(layout, start_python):
    process = start_python(
        OPEN
        + """
import sqlalchemy as sa
@sa.event.listens_for(sa.Engine, "after_cursor_execute")
def stop(connection, cursor, statement, *_):
    if "CREATE TABLE attempts" in statement:
        print("inside", flush=True)
        input()
Database.open(layout)
"""
    )
    assert process.stdout.readline() == "inside\n", process.communicate()[1]
    process.kill()
    process.wait()
    with sqlite3.connect(layout.database) as connection:
        assert connection.execute("SELECT count(*) FROM sqlite_master").fetchone() == (0,)
    connection.close()
    db = Database.open(layout)
    assert pragma(db, "integrity_check") == "ok"
    db.close()


def test_a_full_disk_is_a_sentence_and_leaves_the_rest_whole(db, layout, make_job):
    job = make_job()
    with db.write() as tx:
        jobs.insert(tx, job)
    with pytest.raises(DiskFull, match="is full"), db.write() as tx:
        # SQLite's own limit gives the error of a full disk.
        tx.connection.exec_driver_sql("PRAGMA max_page_count = 60")
        try:
            jobs.insert(tx, make_job(spec={"code": "x" * 1_000_000}))
        finally:
            tx.connection.detach()
    with db.read() as tx:
        assert jobs.get(tx, job.id) == job


def test_a_lock_that_is_never_given_back_is_a_sentence(layout, db, monkeypatch):
    monkeypatch.setattr(sqlite, "BUSY_SECONDS", 0.1)
    impatient = Database.open(layout)
    other = sqlite3.connect(layout.database, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    with pytest.raises(sqlite.StoreBusy, match="locked by another process"), impatient.write():
        pytest.fail("it is locked")
    with impatient.read() as tx:
        assert jobs.page(tx, JobQuery()).total == 0
    other.close()
    impatient.close()


def test_a_database_that_refuses_writes_is_a_sentence(db, make_job):
    with pytest.raises(WorkspaceReadOnly, match=r"mlws\.db is read-only"), db.write() as tx:
        tx.connection.exec_driver_sql("PRAGMA query_only = 1")
        try:
            jobs.insert(tx, make_job())
        finally:
            tx.connection.exec_driver_sql("PRAGMA query_only = 0")


def test_other_errors_of_the_database_pass(db):
    with pytest.raises(sa.exc.OperationalError, match="no such table"), db.read() as tx:
        tx.connection.exec_driver_sql("SELECT * FROM no_such")


def test_the_outbox_is_trimmed_and_counts_on(db, make_job):
    for _ in range(5):
        with db.write() as tx:
            jobs.insert(tx, make_job())
    with db.write() as tx:
        assert outbox.trim(tx, 2) == 3
    with db.read() as tx:
        assert [change.sequence for change in outbox.read(tx, 0)] == [4, 5]
    with db.write() as tx:
        outbox.trim(tx, 0)
        jobs.insert(tx, make_job())
    with db.read() as tx:
        assert outbox.last(tx) == 6
