"""What a job logs lies in its folder at once, and is in MLflow afterwards; real processes, a real server."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import httpx
import psutil
import pytest

from jupyter_mlws.tracking.address import read_record
from tests.tracking.conftest import begin, left, ship_all

DATA = """
import mlflow, numpy
X = numpy.random.default_rng(0).normal(size=(60, 3)); y = (X[:, 0] > 0).astype(int)
"""


@pytest.fixture
async def mlflow(live: Any) -> AsyncIterator[httpx.AsyncClient]:
    address = await live.server.ensure()
    async with httpx.AsyncClient(
        base_url=f"{address.url}/api/2.0/mlflow/",
        headers={"Authorization": f"Bearer {address.token}"},
        timeout=60,
    ) as client:
        yield client


async def run_of(mlflow: httpx.AsyncClient, run_id: str) -> dict[str, Any]:
    answer = await mlflow.get("runs/get", params={"run_id": run_id})
    assert answer.status_code == 200, answer.text
    return answer.json()["run"]


def values(run: dict[str, Any], kind: str) -> dict[str, Any]:
    return {each["key"]: each["value"] for each in run["data"].get(kind, [])}


def records(job: Any) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (job.folder / "records.jsonl").read_bytes().splitlines()]


def kill_mlflow(live: Any) -> None:
    record = read_record(live.server.settings)
    assert record is not None and record.pid is not None
    os.kill(record.pid, signal.SIGKILL)
    psutil.wait_procs([psutil.Process(record.pid)] if psutil.pid_exists(record.pid) else [], timeout=10)


async def test_writes_are_in_the_folder_before_they_are_in_mlflow(
    jobs: Any, live: Any, mlflow: httpx.AsyncClient
) -> None:
    job = begin(live, params={"depth": 6})
    jobs.run(
        live,
        job,
        """
import mlflow
mlflow.log_metric("loss", 0.5, step=3)
mlflow.log_metrics({"a": float("nan"), "b": float("inf")})
mlflow.log_param("alpha", 0.1)
mlflow.set_tag("note", "ümlaut")
mlflow.log_text("hello", "notes/greeting.txt")
""",
        shipped=False,
    )
    kinds = [sorted(record) for record in records(job)]
    assert ["metrics", "run"] in kinds
    assert ["artifact", "file"] in kinds
    missing = await mlflow.get("runs/get", params={"run_id": job.run_id})
    assert missing.json()["error_code"] == "RESOURCE_DOES_NOT_EXIST"
    ship_all(live, job)
    assert left(job.folder) == 0
    run = await run_of(mlflow, job.run_id)
    assert values(run, "metrics") == {"loss": 0.5, "a": "NaN", "b": 1.7976931348623157e308}
    assert values(run, "params") == {"depth": "6", "alpha": "0.1"}
    assert values(run, "tags")["note"] == "ümlaut"
    file = live.server.artifacts / job.identity.artifact_root / "notes" / "greeting.txt"
    assert file.read_text() == "hello"
    assert list((job.folder / "files").iterdir()) == []


async def test_with_mlflow_dead_a_job_goes_on_and_all_is_there_afterwards(jobs: Any, mortal: Any) -> None:
    job = begin(mortal)
    ship_all(mortal, job)
    kill_mlflow(mortal)
    result = jobs.run(
        mortal,
        job,
        f"""{DATA}
from sklearn.linear_model import LogisticRegression
mlflow.sklearn.autolog(log_models=False)
model = LogisticRegression().fit(X, y)
for step in range(100):
    mlflow.log_metric("loss", 1 / (step + 1), step=step)
with mlflow.start_run(run_name="child", nested=True) as child:
    mlflow.log_param("trial", 1)
info = mlflow.sklearn.log_model(model, name="model", pip_requirements=["scikit-learn"])
mlflow.log_dict({{"a": 1}}, "a.json")
result["child"], result["model"] = child.info.run_id, info.model_id
""",
        shipped=False,
    )
    address = await mortal.server.ensure()
    ship_all(mortal, job)
    assert not (job.folder / "refused.jsonl").exists()
    headers = {"Authorization": f"Bearer {address.token}"}
    async with httpx.AsyncClient(base_url=f"{address.url}/api/2.0/mlflow/", headers=headers) as client:
        run, child = await run_of(client, job.run_id), await run_of(client, result["child"])
        history = await client.get(
            "metrics/get-history", params={"run_id": job.run_id, "metric_key": "loss", "max_results": 500}
        )
        model = (await client.get(f"logged-models/{result['model']}")).json()["model"]
    assert len(history.json()["metrics"]) == 100
    assert "training_accuracy_score" in values(run, "metrics")
    assert values(child, "params") == {"trial": "1"}
    assert values(child, "tags")["mlflow.parentRunId"] == job.run_id
    assert child["info"]["status"] == "FINISHED"
    assert model["info"]["status"] == "LOGGED_MODEL_READY"
    assert (mortal.server.artifacts / run["info"]["experiment_id"]).is_dir()
    place = mortal.server.artifacts / model["info"]["artifact_uri"].removeprefix("mlflow-artifacts:/")
    assert (place / "MLmodel").is_file()


async def test_a_read_waits_for_a_dead_mlflow_to_come_back(jobs: Any, mortal: Any, wait_until: Any) -> None:
    """The kernel leaves a wish to be answered, and whoever ships starts MLflow's server."""
    job = begin(mortal)
    ship_all(mortal, job)
    kill_mlflow(mortal)
    code = """
import mlflow
mlflow.log_metric("m", 1)
result["metrics"] = mlflow.search_runs([mlflow.active_run().info.experiment_id],
                                       f"attributes.run_id = '{J}'")["metrics.m"][0]
"""
    reading = asyncio.create_task(asyncio.to_thread(jobs.run, mortal, job, code, shipped=False))
    await wait_until(lambda: any("wake" in each for each in records(job)), what="the wish")
    await mortal.server.ensure()
    assert (await reading)["metrics"] == 1.0


async def test_the_same_sent_again_changes_nothing(jobs: Any, live: Any, mlflow: httpx.AsyncClient) -> None:
    """A crash between sending and noting it: everything is shipped twice."""
    job = begin(live, params={"depth": 6})
    result = jobs.run(
        live,
        job,
        f"""{DATA}
import pandas
from sklearn.linear_model import LogisticRegression
data = mlflow.data.from_pandas(pandas.DataFrame(X), name="table")
with mlflow.start_run():
    mlflow.log_input(data, context="training")
    for step in range(20):
        mlflow.log_metric("loss", step, step=step)
    mlflow.log_params({{f"p{{n}}": n for n in range(150)}})
    mlflow.set_tag("t", 1)
    mlflow.set_tag("t", 2)
    info = mlflow.sklearn.log_model(LogisticRegression().fit(X, y), name="model",
                                    params={{str(n): n for n in range(150)}},
                                    pip_requirements=["scikit-learn"])
    mlflow.log_metric("of_model", 1, model_id=info.model_id, dataset=data)
    mlflow.log_text("x", "x.txt")
    with mlflow.start_run(nested=True) as child:
        mlflow.log_metric("m", 1)
mlflow.set_experiment_tag("team", "a")
result["child"], result["model"] = child.info.run_id, info.model_id
""",
    )
    first = [await run_of(mlflow, id) for id in (job.run_id, result["child"])]
    model = (await mlflow.get(f"logged-models/{result['model']}")).json()
    (job.folder / "shipped.json").unlink()
    ship_all(live, job)
    assert not (job.folder / "refused.jsonl").exists(), (job.folder / "refused.jsonl").read_text()
    assert [await run_of(mlflow, id) for id in (job.run_id, result["child"])] == first
    again = (await mlflow.get(f"logged-models/{result['model']}")).json()
    for each in (model, again):
        each["model"]["info"].pop("last_updated_timestamp_ms")
    assert again == model
    history = await mlflow.get("metrics/get-history", params={"run_id": job.run_id, "metric_key": "loss"})
    assert len(history.json()["metrics"]) == 20
    assert values(first[0], "tags")["t"] == "2"
    assert len(values(first[0], "params")) >= 150


async def test_what_mlflow_refuses_is_left_out_and_said(
    jobs: Any, live: Any, mlflow: httpx.AsyncClient
) -> None:
    job = begin(live)
    jobs.run(
        live,
        job,
        """
import mlflow
mlflow.log_metric("before", 1)
""",
        shipped=False,
    )
    with (job.folder / "records.jsonl").open("a") as stream:
        bad = {"run": job.run_id, "metrics": [{"key": "a:*b", "value": 1, "timestamp": 1, "step": 0}]}
        good = {"run": job.run_id, "metrics": [{"key": "after", "value": 2, "timestamp": 1, "step": 0}]}
        outside = {"artifact": "../../stolen.txt", "file": "x"}
        for line in (json.dumps(bad), "no json", json.dumps(outside), json.dumps(good)):
            stream.write(line + "\n")
    ship_all(live, job)
    assert values(await run_of(mlflow, job.run_id), "metrics") == {"before": 1, "after": 2}
    said = [json.loads(line) for line in (job.folder / "refused.jsonl").read_text().splitlines()]
    assert [each["what"] for each in said] == [
        "the metric a:*b",
        "a record",
        "the artifact ../../stolen.txt",
    ]
    assert "a:*b" in said[0]["message"]


async def test_mistakes_are_errors_at_the_users_call(jobs: Any, live: Any, new_job: Any) -> None:
    result = jobs.run(
        live,
        await new_job(),
        """
import mlflow
from mlflow import MlflowClient
def fails(name, call):
    try:
        call()
    except mlflow.MlflowException as error:
        result[name] = [error.error_code, str(error)]
    else:
        result[name] = None
mlflow.log_param("p", 1)
fails("changed", lambda: mlflow.log_param("p", 2))
fails("same", lambda: mlflow.log_param("p", "1"))
fails("metric", lambda: mlflow.log_metric("a:*b", 1))
fails("value", lambda: mlflow.log_metric("m", "text"))
fails("tag", lambda: mlflow.set_tag("a:*b", 1))
fails("run", lambda: MlflowClient().log_metric("0" * 32, "m", 1))
fails("path", lambda: mlflow.log_text("x", "../x.txt"))
fails("model", lambda: mlflow.initialize_logged_model(name="a/b"))
""",
    )
    assert result.pop("same") is None
    assert "Changing param values is not allowed" in result["changed"][1]
    assert result["run"][0] == "RESOURCE_DOES_NOT_EXIST"
    assert {name for name, said in result.items() if said is None} == set()


async def test_many_writers_at_once(jobs: Any, live: Any, mlflow: httpx.AsyncClient) -> None:
    """Threads and forked processes tear no line and lose none."""
    job = begin(live)
    jobs.run(
        live,
        job,
        """
import mlflow, multiprocessing, threading
mlflow.active_run()
def work(name):
    for step in range(200):
        mlflow.log_metric(name, step, step=step, run_id=J)
def process(name):
    threads = [threading.Thread(target=work, args=(f"{name}-{n}",)) for n in range(3)]
    for thread in threads: thread.start()
    for thread in threads: thread.join()
context = multiprocessing.get_context("fork")
children = [context.Process(target=process, args=(f"p{n}",)) for n in range(3)]
for child in children: child.start()
process("here")
for child in children: child.join()
""",
    )
    metrics = values(await run_of(mlflow, job.run_id), "metrics")
    assert len(metrics) == 12
    assert set(metrics.values()) == {199.0}
    assert not (job.folder / "refused.jsonl").exists()
    assert sum(len(record.get("metrics", ())) for record in records(job)) == 12 * 200


@pytest.mark.parametrize("library", ["sklearn", "xgboost", "lightgbm"])
async def test_autologging(library: str, jobs: Any, live: Any, mlflow: httpx.AsyncClient) -> None:
    pytest.importorskip(library)
    fit = {
        "sklearn": "from sklearn.ensemble import RandomForestClassifier as C; C(n_estimators=5).fit(X, y)",
        "xgboost": "import xgboost; xgboost.train({}, xgboost.DMatrix(X, label=y), 3, "
        "evals=[(xgboost.DMatrix(X, label=y), 'train')], verbose_eval=False)",
        "lightgbm": "import lightgbm; d = lightgbm.Dataset(X, y); "
        "lightgbm.train({'verbosity': -1, 'metric': 'l2'}, d, 3, valid_sets=[d])",
    }[library]
    job = begin(live)
    jobs.run(live, job, f"{DATA}\nimport mlflow.{library}\nmlflow.{library}.autolog()\n{fit}")
    run = await run_of(mlflow, job.run_id)
    assert values(run, "metrics")
    assert values(run, "params")
    assert run["outputs"]["model_outputs"], "autologging logs the model"
    assert not (job.folder / "refused.jsonl").exists()


async def test_a_model_is_logged_loaded_and_registered_in_one_job(jobs: Any, live: Any) -> None:
    result = jobs.run(
        live,
        begin(live),
        f"""{DATA}
from sklearn.linear_model import LogisticRegression
model = LogisticRegression().fit(X, y)
info = mlflow.sklearn.log_model(model, name="model", pip_requirements=["scikit-learn"],
                                registered_model_name="churn")
for number, uri in enumerate((info.model_uri, "models:/churn/1", f"runs:/{{J}}/model")):
    loaded = mlflow.sklearn.load_model(uri)
    result[str(number)] = bool((loaded.predict(X) == model.predict(X)).all())
result["status"] = str(mlflow.get_logged_model(info.model_id).status)
""",
    )
    assert result == {"0": True, "1": True, "2": True, "status": "READY"}


async def test_artifacts_are_read_as_they_were_written(jobs: Any, live: Any, tmp_path: Path) -> None:
    (tmp_path / "tree" / "deep").mkdir(parents=True)
    (tmp_path / "tree" / "deep" / "a b.txt").write_text("deep")
    (tmp_path / "one.txt").write_text("one")
    result = jobs.run(
        live,
        begin(live),
        f"""
import mlflow, pathlib
mlflow.log_artifact({str(tmp_path / "one.txt")!r})
pathlib.Path({str(tmp_path / "one.txt")!r}).write_text("changed afterwards")
mlflow.log_artifacts({str(tmp_path / "tree")!r}, "tree")
mlflow.log_dict({{"a": 1}}, "a.json")
mlflow.log_table({{"x": [1]}}, "table.json")
mlflow.log_table({{"x": [2]}}, "table.json")
result["one"] = mlflow.artifacts.load_text(f"runs:/{{J}}/one.txt")
result["deep"] = mlflow.artifacts.load_text(f"runs:/{{J}}/tree/deep/a b.txt")
result["dict"] = mlflow.artifacts.load_dict(f"runs:/{{J}}/a.json")
result["table"] = mlflow.load_table("table.json", run_ids=[J])["x"].tolist()
result["listed"] = sorted(each.path for each in mlflow.MlflowClient().list_artifacts(J))
""",
    )
    assert result == {
        "one": "one",
        "deep": "deep",
        "dict": {"a": 1},
        "table": [1, 2],
        "listed": ["a.json", "one.txt", "table.json", "tree"],
    }


async def test_searching_sees_what_was_just_logged(jobs: Any, live: Any) -> None:
    result = jobs.run(
        live,
        begin(live, experiment="Searched"),
        """
import mlflow
for trial in range(3):
    with mlflow.start_run(nested=True):
        mlflow.log_metric("score", trial)
found = mlflow.search_runs(experiment_names=["Searched"], order_by=["metrics.score DESC"])
result["best"] = [float(value) for value in found["metrics.score"][:3]]
result["job"] = J in list(found["run_id"])
""",
    )
    assert result == {"best": [2.0, 1.0, 0.0], "job": True}


async def test_an_experiment_that_was_never_there_is_made_with_the_id_that_was_given(
    jobs: Any, live: Any, mlflow: httpx.AsyncClient
) -> None:
    job, other = begin(live, experiment="New ü/2"), begin(live, experiment="New ü/2")
    assert job.experiment_id == other.experiment_id
    for each in (other, job):
        ship_all(live, each)
    found = await mlflow.get("experiments/get-by-name", params={"experiment_name": "New ü/2"})
    assert found.json()["experiment"]["experiment_id"] == job.experiment_id
    await mlflow.post("experiments/update", json={"experiment_id": job.experiment_id, "new_name": "Old"})
    renamed = begin(live, experiment="New ü/2")
    assert renamed.experiment_id != job.experiment_id
    ship_all(live, renamed)
    await mlflow.post("experiments/delete", json={"experiment_id": renamed.experiment_id})
    restored = begin(live, experiment="New ü/2")
    ship_all(live, restored)
    assert restored.experiment_id == renamed.experiment_id
    assert (await run_of(mlflow, restored.run_id))["info"]["lifecycle_stage"] == "active"


async def test_an_experiment_made_by_another_meanwhile_is_used(live: Any, mlflow: httpx.AsyncClient) -> None:
    job = begin(live, experiment="Made meanwhile")
    made = await mlflow.post("experiments/create", json={"name": "Made meanwhile"})
    ship_all(live, job)
    run = await run_of(mlflow, job.run_id)
    assert run["info"]["experiment_id"] == made.json()["experiment_id"] != job.experiment_id
    # The job puts its artifacts where it believed them to be.
    assert run["info"]["artifact_uri"] == f"mlflow-artifacts:/{job.identity.artifact_root}"
