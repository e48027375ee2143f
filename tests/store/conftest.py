from __future__ import annotations

import contextlib
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

import pytest
from alembic import command
from alembic.config import Config

from jupyter_mlws.model.identity import new_id
from jupyter_mlws.model.job import Job, JobKind, JobSpec
from jupyter_mlws.model.status import JobStatus
from jupyter_mlws.store import sqlite, workspaces
from jupyter_mlws.store.database import Database
from jupyter_mlws.store.layout import Layout
from jupyter_mlws.store.transaction import Transaction

START = datetime(2026, 1, 1, tzinfo=UTC)


class MakeJob(Protocol):
    def __call__(self, *, spec: dict[str, Any] | None = None, **fields: Any) -> Job: ...


@pytest.fixture
def layout() -> Layout:
    """A workspace in the test's own place."""
    layout = workspaces.resolve()
    workspaces.open(layout)
    return layout


@pytest.fixture
def db(layout: Layout) -> Iterator[Database]:
    """Its database."""
    database = Database.open(layout)
    yield database
    database.close()


@contextlib.contextmanager
def at_revision(layout: Layout, revision: str) -> Iterator[Transaction]:
    """A database as an older version made it, to write into: `revision` is its newest migration."""
    engine = sqlite.create_engine(layout.database)
    with engine.connect().execution_options(**sqlite.DURABLE_WRITE) as connection, connection.begin():
        config = Config()
        config.set_main_option("script_location", "jupyter_mlws.store:migrations")
        config.attributes["connection"] = connection
        command.upgrade(config, revision)
        yield Transaction(connection, workspace="older")
    engine.dispose()


@pytest.fixture
def make_job() -> MakeJob:
    """`make_job(spec={...}, status=...)`: a valid job, each a second younger than the one before."""
    made = 0

    def make(*, spec: dict[str, Any] | None = None, **fields: Any) -> Job:
        nonlocal made
        made += 1
        wanted = {"kind": JobKind.CELL, "name": f"job {made}", "code": "x = 1"} | (spec or {})
        known = {
            "id": new_id(),
            "spec": JobSpec.model_validate(wanted),
            "status": JobStatus.QUEUED,
            "created_by": "ada",
            "created_at": START + timedelta(seconds=made),
        }
        return Job.model_validate(known | fields)

    return make


@pytest.fixture
def start_python() -> Iterator[Callable[[str], subprocess.Popen[str]]]:
    """`start_python(source)`: another process, with pipes; killed at the end of the test."""
    started: list[subprocess.Popen[str]] = []

    def start(source: str) -> subprocess.Popen[str]:
        process = subprocess.Popen(
            [sys.executable, "-c", source],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()
        process.communicate()
