"""What is written together is what MLflow's own REST interface writes: each column of each row is compared.

It notices when the inside of MLflow changes.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
import sqlalchemy as sa

from jupyter_mlws.model.identity import new_id
from jupyter_mlws.model.status import JobStatus
from jupyter_mlws.store.layout import Layout
from jupyter_mlws.tracking.identity import RunIdentity, identify
from jupyter_mlws.tracking.recording import RunRecord
from jupyter_mlws.tracking.rows import Tables
from jupyter_mlws.tracking.troubles import NotTogether, Unreachable
from tests.tracking.conftest import JobRun, Live, begin, ship_all

TABLES = {
    "runs": "run_uuid",
    "params": "run_uuid",
    "tags": "run_uuid",
    "metrics": "run_uuid",
    "latest_metrics": "run_uuid",
    "logged_model_metrics": "run_id",
}
API = "/api/2.0/mlflow/"


def rows(live: Live, run_id: str) -> dict[str, list[tuple[Any, ...]]]:
    """Return all rows of a run, with another's id left out."""
    found = {}
    with closing(sqlite3.connect(live.server.database)) as database:
        for table, column in TABLES.items():
            lines = database.execute(f"SELECT * FROM {table} WHERE {column} = ?", (run_id,)).fetchall()
            shown = [tuple(str(value).replace(run_id, "<run>") for value in line) for line in lines]
            found[table] = sorted(shown)
    return found


@pytest.fixture
def rest(live: Live) -> Iterator[httpx.Client]:
    headers = {"Authorization": f"Bearer {live.address.token}"}
    with httpx.Client(base_url=live.address.url, headers=headers, timeout=60) as client:
        yield client


def new_job(live: Live, *, experiment: str = "Default") -> JobRun:
    """Return a job of which nothing is recorded yet."""
    job = new_id()
    folder = Layout(live.root).attempt(job, 1).spool
    folder.mkdir(parents=True)
    run = identify(live.server.database, job=job, attempt=1, experiment=experiment)
    return JobRun(run, job, folder, None)  # type: ignore[arg-type]


def append(folder: Path, *records: dict[str, Any]) -> None:
    with (folder / "records.jsonl").open("a") as stream:
        for record in records:
            stream.write(json.dumps(record) + "\n")


def send(rest: httpx.Client, records: list[dict[str, Any]]) -> None:
    """Send records as requests, one by one."""
    for record in records:
        if "run" in record:
            path, body = API + "runs/log-batch", {"run_id": record["run"], **record}
        elif "end" in record:
            path = API + "runs/update"
            body = {"run_id": record["end"], "status": record["status"], "end_time": record["end_time"]}
        else:
            path, body = record["path"], record["body"]
        rest.post(path, json=body).raise_for_status()


def create(run: RunIdentity, **body: Any) -> dict[str, Any]:
    wishes = [
        {"key": "mlws.wished_run_id", "value": run.run_id},
        {"key": "mlws.wished_experiment", "value": run.experiment},
    ]
    tags = [*body.pop("tags", []), *wishes]
    body = {"experiment_id": run.experiment_id, "start_time": 1, "tags": tags, **body}
    return {"method": "POST", "path": API + "runs/create", "body": body}


def metric(key: str, value: Any, *, step: int = 0, timestamp: int = 5, **more: Any) -> dict[str, Any]:
    return {"key": key, "value": value, "timestamp": timestamp, "step": step, **more}


def log(run: RunIdentity, **kinds: Any) -> dict[str, Any]:
    return {"run": run.run_id, **kinds}


def pair(key: str, value: str) -> dict[str, str]:
    return {"key": key, "value": value}


def update(run: RunIdentity, **body: Any) -> dict[str, Any]:
    return {"method": "POST", "path": API + "runs/update", "body": {"run_id": run.run_id, **body}}


def end(run: RunIdentity) -> dict[str, Any]:
    return {"end": run.run_id, "experiment": run.experiment_id, "status": "FAILED", "end_time": 7}


def a_short_job(run: RunIdentity) -> list[dict[str, Any]]:
    return [
        create(run, run_name="job", tags=[pair("mlflow.user", "ada"), pair("mlws.job", "x")]),
        log(run, params=[pair("depth", "6"), pair("empty", "")]),
        end(run),
    ]


def everything(run: RunIdentity) -> list[dict[str, Any]]:
    return [
        create(run, user_id="ada", run_name="first name", tags=[pair("kept", "ü"), pair("changed", "1")]),
        log(run, metrics=[metric("loss", 0.5), metric("loss", 0.25, step=1), metric("loss", 9, step=1)]),
        log(run, metrics=[metric("loss", 0.1, step=0, timestamp=9), metric("loss", 0.5)]),
        log(
            run,
            metrics=[metric("nan", "NaN"), metric("inf", "Infinity"), metric("-inf", "-Infinity", step=-3)],
        ),
        log(run, metrics=[metric("nan", 1, step=2), metric("nan", "NaN", step=2), metric("ä b/c.d:e", 1)]),
        log(run, params=[pair("p", "1"), pair("long", "x" * 6000)], tags=[pair("changed", "2")]),
        log(run, params=[pair("p", "1"), pair("q", "2")]),
        log(run, tags=[pair("changed", "3"), pair("mlflow.runName", "second name"), pair("new", "")]),
        update(run, run_name="third name"),
        update(run, status="FINISHED", end_time=3),
        log(run, metrics=[metric("after the end", 1)]),
        end(run),
    ]


def without_a_name(run: RunIdentity) -> list[dict[str, Any]]:
    return [
        create(run, tags=[pair("mlflow.runName", "by its tag")]),
        log(run, tags=[pair("mlflow.runName", "")]),
    ]


def too_long(run: RunIdentity) -> list[dict[str, Any]]:
    return [
        create(run, run_name="long"),
        log(run, params=[pair("p", "x" * 9000)], tags=[pair("t", "x" * 9000)]),
        log(run, params=[pair("p", "x" * 7000)]),
    ]


@pytest.mark.parametrize("records", [a_short_job, everything, without_a_name, too_long])
@pytest.mark.parametrize("pieces", ["at once", "one by one"])
def test_the_rows_are_those_of_mlflows_own_requests(
    records: Any, pieces: str, live: Live, rest: httpx.Client
) -> None:
    job, other = new_job(live), new_job(live)
    send(rest, records(other.identity))
    for each in [records(job.identity)] if pieces == "at once" else [[one] for one in records(job.identity)]:
        append(job.folder, *each)
        ship_all(live, job)
    assert not (job.folder / "refused.jsonl").exists(), (job.folder / "refused.jsonl").read_text()
    assert rows(live, job.run_id) == rows(live, other.run_id)


def test_sent_again_it_is_the_same(live: Live) -> None:
    job = new_job(live)
    append(job.folder, *everything(job.identity))
    ship_all(live, job)
    before = rows(live, job.run_id)
    (job.folder / "shipped.json").unlink()
    ship_all(live, job)
    assert rows(live, job.run_id) == before
    assert not (job.folder / "refused.jsonl").exists()


def test_metrics_of_a_model(live: Live, rest: httpx.Client) -> None:
    def model(run: RunIdentity) -> str:
        body = {"experiment_id": run.experiment_id, "name": "m", "source_run_id": run.run_id}
        return str(rest.post(API + "logged-models", json=body).json()["model"]["info"]["model_id"])

    job, other = new_job(live), new_job(live)
    found = []
    for each in (job, other):
        send(rest, [create(each.identity, run_name="job")])
        id = model(each.identity)
        data = {"dataset_name": "d", "dataset_digest": "1"}
        records = [
            log(each.identity, metrics=[metric("m", 1, model_id=id), metric("m", 1, model_id=id)]),
            log(each.identity, metrics=[metric("m", 2, step=1, model_id=id, **data), metric("plain", 1)]),
        ]
        if each is job:
            append(job.folder, *records)
            ship_all(live, job)
        else:
            send(rest, records)
        found.append(
            {table: str(lines).replace(id, "<model>") for table, lines in rows(live, each.run_id).items()}
        )
    assert found[0] == found[1]
    (job.folder / "shipped.json").unlink()
    ship_all(live, job)
    assert not (job.folder / "refused.jsonl").exists()
    assert len(rows(live, job.run_id)["logged_model_metrics"]) == 2


@pytest.mark.parametrize(
    "bad",
    [
        {"metrics": [metric("a:*b", 1)]},
        {"metrics": [{"key": "m", "timestamp": 1}]},
        {"metrics": [metric("m", 1, model_id="m-none")]},
        {"params": [pair("p", "another")]},
        {"params": [pair("d", "1"), pair("d", "2")]},
        {"params": [{"value": "1"}]},
        {"tags": [pair("x" * 300, "1")]},
        {"tags": [pair("../x", "1")]},
    ],
)
def test_what_mlflow_refuses_is_refused_with_its_words(
    bad: dict[str, Any], live: Live, rest: httpx.Client
) -> None:
    job = new_job(live)
    append(job.folder, create(job.identity, run_name="job"), log(job.identity, params=[pair("p", "1")]))
    append(job.folder, log(job.identity, **bad), log(job.identity, metrics=[metric("after", 1)]))
    ship_all(live, job)
    [said] = [json.loads(line) for line in (job.folder / "refused.jsonl").read_text().splitlines()]
    own = rest.post(API + "runs/log-batch", json={"run_id": job.run_id, **bad})
    assert own.status_code >= 400, said
    if "Background" not in said["message"]:  # an error of its database, whose words hold what was written
        assert said["message"] == own.json()["message"]
    assert "after" in [line[0] for line in rows(live, job.run_id)["latest_metrics"]]


def test_a_run_that_is_not_there_or_was_deleted(live: Live, rest: httpx.Client) -> None:
    job, gone = new_job(live), new_job(live)
    send(rest, [create(gone.identity, run_name="gone")])
    rest.post(API + "runs/delete", json={"run_id": gone.run_id}).raise_for_status()
    append(job.folder, log(job.identity, metrics=[metric("m", 1)]), create(job.identity, run_name="job"))
    append(job.folder, log(gone.identity, metrics=[metric("m", 1)]), end(job.identity))
    told = ship_all(live, job)
    said = [json.loads(line)["message"] for line in (job.folder / "refused.jsonl").read_text().splitlines()]
    assert [job.run_id in said[0], "deleted" in said[1]] == [True, True]
    assert (told.ended, told.metrics) == (True, {})


def test_the_answer_holds_what_the_run_has(live: Live) -> None:
    job = new_job(live)
    append(job.folder, *everything(job.identity)[:-1])
    assert (ship_all(live, job).ended, ship_all(live, job).metrics) == (False, None)
    append(job.folder, end(job.identity))
    told = ship_all(live, job)
    assert told.ended
    assert told.metrics is not None
    assert (told.metrics["nan"], told.metrics["loss"]) == (1, 9)
    assert told.params is not None
    assert (told.params["p"], told.params["q"]) == ("1", "2")


def test_children_that_run_are_ended_with_the_job(live: Live, rest: httpx.Client) -> None:
    job, other = begin(live), begin(live)
    ship_all(live, job)
    child = RunIdentity("1" * 32, "0", "Default", "")
    ended = RunIdentity("2" * 32, "0", "Default", "")
    direct = RunIdentity("3" * 32, "0", "Default", "")
    others = RunIdentity("4" * 32, "0", "Default", "")
    of_job, of_other = [pair("mlflow.parentRunId", job.run_id)], [pair("mlflow.parentRunId", other.run_id)]
    send(rest, [create(direct, tags=of_job), create(others, tags=of_other)])
    append(job.folder, create(child, tags=of_job), create(ended, tags=of_job))
    append(job.folder, update(ended, status="FINISHED", end_time=2), end(job.identity))
    ship_all(live, job)
    with closing(sqlite3.connect(live.server.database)) as database:
        query = "SELECT run_uuid, status, end_time FROM runs WHERE run_uuid IN (?, ?, ?, ?, ?)"
        ids = [each.run_id for each in (job, child, ended, direct, others)]
        found = {id: (status, at) for id, status, at in database.execute(query, ids)}
    assert [found[id] for id in ids] == [
        ("FAILED", 7),
        ("FAILED", 7),
        ("FINISHED", 2),
        ("FAILED", 7),
        ("RUNNING", None),
    ]


def test_a_trivial_job_is_one_transaction(live: Live) -> None:
    job = new_job(live)
    with RunRecord(job.folder, job.identity) as record:
        record.begin(name="job", started_at=datetime.now(UTC), tags={"mlws.job": job.job})
        record.params({"depth": 6})
        record.cell("print(1 + 1)")
        record.packages(["numpy==2.0"])
        record.end(status=JobStatus.COMPLETED, at=datetime.now(UTC))
    with closing(sqlite3.connect(live.server.database, isolation_level=None)) as database:
        # While this is read, SQLite writes on at the end of its log.
        database.execute("BEGIN").execute("SELECT count(*) FROM runs").fetchone()
        before = commits(live.server.database)
        ship_all(live, job)
        assert commits(live.server.database) - before == 1
    assert rows(live, job.run_id)["params"]


def commits(database: Path) -> int:
    """Return the transactions in the write-ahead log, whose format is in SQLite's documentation."""
    log = database.with_name(f"{database.name}-wal").read_bytes()
    page, salts = int.from_bytes(log[8:12]), log[16:24]
    frames = (log[start : start + 24] for start in range(32, len(log), 24 + page))
    return sum(1 for frame in frames if frame[8:16] == salts and frame[4:8] != bytes(4))


@pytest.mark.parametrize(("damage", "raised"), [("no tables", NotTogether), ("no database", Unreachable)])
def test_tables_of_another_form_are_left_to_mlflow(
    tmp_path: Path, damage: str, raised: type[Exception]
) -> None:
    database = tmp_path / "mlflow.db"
    if damage == "no database":
        database.mkdir()
    with pytest.raises(raised):
        Tables(sa.create_engine(f"sqlite:///{database}")).apply_together(
            [{"run": "a" * 32, "metrics": [metric("m", 1)]}]
        )
