"""Runs over REST, against a real server."""

from __future__ import annotations

import json
import math
import os
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest

from jupyter_mlws.model.status import JobStatus
from jupyter_mlws.tracking.address import TrackingAddress
from jupyter_mlws.tracking.runs import RunIdentity, Runs, TrackingRefused, TrackingUnavailable


@pytest.fixture
async def mlflow(live: Any) -> AsyncIterator[httpx.AsyncClient]:
    """MLflow's own REST interface, for looking at what is there."""
    headers = {"Authorization": f"Bearer {live.address.token}"}
    base_url = f"{live.address.url}/api/2.0/mlflow"
    async with httpx.AsyncClient(base_url=base_url, headers=headers) as client:
        yield client


async def look(mlflow: httpx.AsyncClient, run: RunIdentity) -> Any:
    run_record = (await mlflow.get("/runs/get", params={"run_id": run.run_id})).json()["run"]
    for kind in ("params", "tags"):
        run_record[kind] = {row["key"]: row["value"] for row in run_record["data"].get(kind, [])}
    return run_record


async def artifact(live: Any, run: RunIdentity, path: str) -> bytes:
    root = f"{live.address.url}/api/2.0/mlflow-artifacts/artifacts"
    url = f"{root}/{run.experiment_id}/{run.run_id}/artifacts/{path}"
    async with httpx.AsyncClient(headers={"Authorization": f"Bearer {live.address.token}"}) as client:
        return (await client.get(url)).raise_for_status().content


async def test_a_run_has_name_tags_and_parameters(runs: Runs, mlflow: httpx.AsyncClient) -> None:
    run = await runs.create_run(
        experiment="Ünïcode / 'quotes' \"double\"",
        name="first <b>run</b>",
        job="abc",
        attempt=2,
        tags={"mlws.kind": "cell"},
        params={"rate": 0.1, "names": ["a", "b"], "nothing": None},
    )
    found = await look(mlflow, run)
    assert found["info"]["run_name"] == "first <b>run</b>"
    assert found["info"]["status"] == "RUNNING"
    assert found["params"] == {"rate": "0.1", "names": "['a', 'b']", "nothing": "None"}
    assert found["tags"].items() >= {"mlws.job": "abc", "mlws.attempt": "2", "mlws.kind": "cell"}.items()


async def test_creating_a_run_again_gives_the_same(runs: Runs, live: Any) -> None:
    one = await runs.create_run(experiment="Twice", name="n", job="twice", attempt=1, params={"a": 1})
    other = Runs(live.server.ensure)
    assert (
        await other.create_run(experiment="Twice", name="n", job="twice", attempt=1, params={"a": 1}) == one
    )
    await other.close()
    assert await runs.create_run(experiment="Twice", name="n", job="twice", attempt=2) != one


async def test_a_run_is_found_by_job_and_attempt(runs: Runs) -> None:
    run = await runs.create_run(experiment="Found", name="n", job="found", attempt=3)
    assert await runs.find_run(job="found", attempt=3) == run
    assert await runs.find_run(job="found", attempt=4) is None


async def test_a_deleted_experiment_is_restored(runs: Runs, live: Any, mlflow: httpx.AsyncClient) -> None:
    experiment_id = await runs.experiment("Deleted")
    (await mlflow.post("/experiments/delete", json={"experiment_id": experiment_id})).raise_for_status()
    afresh = Runs(live.server.ensure)
    run = await afresh.create_run(experiment="Deleted", name="n", job="deleted", attempt=1)
    await afresh.close()
    assert run.experiment_id == experiment_id


async def test_metrics_come_back_and_nan_is_none(runs: Runs, new_job: Any) -> None:
    run = await new_job()
    sent = {"accuracy": 0.75, "loss": math.nan, "größe/µ": 3.0, "large": 1e300}
    await runs.log_batch(run.run_id, metrics=sent)
    assert await runs.metrics(run.run_id) == {**sent, "loss": None}


async def test_the_latest_value_of_a_metric_counts(runs: Runs, new_job: Any) -> None:
    run = await new_job()
    await runs.log_batch(run.run_id, metrics={"loss": 2.0}, step=1)
    await runs.log_batch(run.run_id, metrics={"loss": 1.0}, step=2)
    assert await runs.metrics(run.run_id) == {"loss": 1.0}


async def test_more_than_mlflow_takes_at_once(runs: Runs, new_job: Any, mlflow: httpx.AsyncClient) -> None:
    run = await new_job()
    await runs.log_batch(
        run.run_id,
        metrics={f"m{number}": float(number) for number in range(1500)},
        params={f"p{number}": number for number in range(150)},
        tags={f"t{number}": str(number) for number in range(150)},
    )
    found = await look(mlflow, run)
    assert len(await runs.metrics(run.run_id)) == 1500
    assert len(found["params"]) == 150
    assert found["tags"]["t149"] == "149"


async def test_a_long_parameter_is_whole_in_an_artifact(
    runs: Runs, live: Any, mlflow: httpx.AsyncClient
) -> None:
    text = "ä" * 10_000
    run = await runs.create_run(
        experiment="Long", name="n", job="long", attempt=1, params={"text": text, "n": 1}
    )
    assert len((await look(mlflow, run))["params"]["text"]) == 6000
    assert json.loads(await artifact(live, run, "parameters.json")) == {"text": text, "n": 1}


async def test_long_tags_are_cut(runs: Runs, new_job: Any, mlflow: httpx.AsyncClient) -> None:
    run = await new_job()
    await runs.set_tags(run.run_id, tags={"long": "x" * 9000})
    assert len((await look(mlflow, run))["tags"]["long"]) == 8000


@pytest.mark.parametrize(
    ("status", "in_mlflow"),
    [(JobStatus.COMPLETED, "FINISHED"), (JobStatus.FAILED, "FAILED"), (JobStatus.CANCELED, "KILLED")],
)
async def test_a_run_ends_as_its_job(
    runs: Runs, new_job: Any, mlflow: httpx.AsyncClient, status: JobStatus, in_mlflow: str
) -> None:
    run = await new_job()
    at = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
    await runs.finish(run.run_id, status=status, at=at)
    info = (await look(mlflow, run))["info"]
    assert info["status"] == in_mlflow
    assert int(info["end_time"]) == int(at.timestamp() * 1000)


async def test_runs_under_it_that_were_not_ended_end_with_it(
    runs: Runs, new_job: Any, mlflow: httpx.AsyncClient
) -> None:
    run = await new_job()
    made = await mlflow.post(
        "/runs/create",
        json={
            "experiment_id": run.experiment_id,
            "tags": [{"key": "mlflow.parentRunId", "value": run.run_id}],
        },
    )
    child = RunIdentity(made.json()["run"]["info"]["run_id"], run.experiment_id)
    await runs.finish(run.run_id, status=JobStatus.CANCELED)
    assert (await look(mlflow, child))["info"]["status"] == "KILLED"


async def test_artifacts_of_bytes_and_of_files(runs: Runs, live: Any, new_job: Any, tmp_path: Path) -> None:
    run = await new_job()
    file = tmp_path / "large"
    file.write_bytes(os.urandom(5_000_000))
    await runs.log_artifact_bytes(run.run_id, path="code/a b?ü.py", content=b"print(1)")
    await runs.log_artifact_file(run.run_id, path="deep/er/large.bin", file=file)
    assert await artifact(live, run, "code/a%20b%3F%C3%BC.py") == b"print(1)"
    assert await artifact(live, run, "deep/er/large.bin") == file.read_bytes()


async def test_an_artifact_stays_under_its_run(runs: Runs, live: Any, new_job: Any) -> None:
    run = await new_job()
    with pytest.raises(TrackingRefused):
        await runs.log_artifact_bytes(run.run_id, path="../../../../outside", content=b"x")
    assert not list(live.root.parent.rglob("outside"))


async def test_a_run_that_does_not_exist(runs: Runs) -> None:
    with pytest.raises(TrackingRefused, match="0123456789abcdef") as caught:
        await runs.metrics("0123456789abcdef0123456789abcdef")
    assert caught.value.reason == "RESOURCE_DOES_NOT_EXIST"


async def test_nobody_answers(free_port: int, tmp_path: Path) -> None:
    async def address() -> TrackingAddress:
        return TrackingAddress(url=f"http://127.0.0.1:{free_port}", token="t", socket=tmp_path / "none")

    nobody = Runs(address)
    with pytest.raises(TrackingUnavailable):
        await nobody.metrics("x")
    await nobody.close()


async def test_a_wrong_token_is_refused(live: Any, tmp_path: Path) -> None:
    async def address() -> TrackingAddress:
        return TrackingAddress(url=live.address.url, token="wrong", socket=live.address.socket)

    stranger = Runs(address)
    with pytest.raises(TrackingRefused, match="MLFLOW_TRACKING_TOKEN"):
        await stranger.metrics("x")
    await stranger.close()


async def test_a_run_that_was_created_without_an_answer_is_not_created_twice(live: Any, runs: Runs) -> None:
    """The connection breaks after MLflow has carried out the request."""
    client = Runs(live.server.ensure)
    post = client._rest.post
    broken = []

    async def breaking(path: str, **arguments: Any) -> Any:
        answer = await post(path, **arguments)
        if path == "runs/create" and not broken:
            broken.append(answer["run"]["info"]["run_id"])
            raise TrackingUnavailable("The connection broke.")
        return answer

    client._rest.post = breaking  # type: ignore[method-assign]
    run = await client.create_run(experiment="Broken", name="n", job="broken", attempt=1)
    await client.close()
    assert broken == [run.run_id]
