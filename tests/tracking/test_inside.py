"""Jobs that log with MLflow: what they write lands in their run. Real processes, a real server."""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from jupyter_client.manager import AsyncKernelManager

from jupyter_mlws.model.status import JobStatus
from jupyter_mlws.tracking.recording import RunRecord
from tests.mlflow_runs import Runs
from tests.tracking.conftest import ship_all

DATA = """
import mlflow, numpy
from sklearn.linear_model import LogisticRegression
X = numpy.array([[0.0], [1.0], [2.0], [3.0]]); y = numpy.array([0, 0, 1, 1])
"""
AUTOLOG_TWICE = f"""{DATA}
mlflow.sklearn.autolog(log_models=False)
LogisticRegression(C=1.0).fit(X, y)
LogisticRegression(C=2.0, tol=0.5).fit(X, y)
mlflow.log_metric("after", 3)
run = mlflow.get_run(J)
result["metrics"] = sorted(run.data.metrics)
result["params"] = run.data.params
result["status"] = run.info.status
result["runs"] = len(mlflow.search_runs([run.info.experiment_id], f"tags.mlflow.parentRunId = '{{J}}'"))
"""


async def test_autologging_twice_and_a_metric_after(jobs: Any, live: Any, new_job: Any) -> None:
    result = jobs.run(live, await new_job(), AUTOLOG_TWICE)
    assert {"after", "training_accuracy_score"} <= set(result["metrics"])
    # What MLflow would refuse together with all the rest is what is left out.
    assert result["params"]["C"] == "1.0"
    assert result["params"]["solver"] == "lbfgs"
    assert result["status"] == "RUNNING"
    assert result["runs"] == 0


async def test_the_same_where_mlflow_is_imported_later(
    run_fresh: Any, live: Any, new_job: Any, tmp_path: Path
) -> None:
    result = run_fresh(live, await new_job(), AUTOLOG_TWICE, folder=tmp_path)
    assert {"after", "training_accuracy_score"} <= set(result["metrics"])
    assert result["runs"] == 0


async def test_a_second_fit_keeps_the_parameters_that_the_first_had_not(
    jobs: Any, live: Any, new_job: Any
) -> None:
    result = jobs.run(
        live,
        await new_job(),
        f"""{DATA}
from sklearn.tree import DecisionTreeClassifier
mlflow.sklearn.autolog(log_models=False)
LogisticRegression(random_state=1).fit(X, y)
DecisionTreeClassifier(random_state=2, max_depth=3).fit(X, y)
result["params"] = mlflow.get_run(J).data.params
""",
    )
    assert result["params"]["random_state"] == "1"
    assert result["params"]["max_depth"] == "3"


async def test_a_job_that_logs_a_model(jobs: Any, live: Any, new_job: Any) -> None:
    result = jobs.run(
        live,
        await new_job(),
        f"""{DATA}
model = LogisticRegression().fit(X, y)
info = mlflow.sklearn.log_model(model, name="model", pip_requirements=["scikit-learn"])
result["run"] = info.run_id
result["same"] = bool((mlflow.sklearn.load_model(info.model_uri).predict(X) == y).all())
with mlflow.start_run():
    pass
later = mlflow.sklearn.log_model(model, name="later", pip_requirements=["scikit-learn"])
result["later"] = later.run_id
with mlflow.start_run(run_name="child") as child:
    pass
result["last"] = mlflow.last_active_run().info.run_id == child.info.run_id
mlflow.log_text("hello", "greeting.txt")
result["text"] = mlflow.artifacts.load_text(f"runs:/{{J}}/greeting.txt")
result["J"] = J
""",
    )
    assert result["run"] == result["later"] == result["J"]
    assert result["last"]
    assert result["same"]
    assert result["text"] == "hello"


async def test_the_first_start_is_the_jobs_run_and_the_second_a_child(
    jobs: Any, live: Any, new_job: Any
) -> None:
    run = await new_job()
    result = jobs.run(
        live,
        run,
        """
import mlflow
with mlflow.start_run() as first:
    mlflow.log_param("a", 1)
    with mlflow.start_run(nested=True) as nested:
        mlflow.log_param("a", 2)
with mlflow.start_run(run_name="again") as second:
    mlflow.log_param("a", 3)
mlflow.log_metric("after", 1)
for name, run in (("first", first), ("nested", nested), ("second", second)):
    found = mlflow.get_run(run.info.run_id)
    parent = found.data.tags.get("mlflow.parentRunId")
    result[name] = [run.info.run_id, parent, found.data.params, found.info.status]
result["after"] = mlflow.get_run(J).data.metrics
result["experiment"] = mlflow.get_run(second.info.run_id).info.experiment_id
""",
    )
    assert result["first"] == [run.run_id, None, {"a": "1"}, "RUNNING"]
    assert result["nested"][1:] == [run.run_id, {"a": "2"}, "FINISHED"]
    assert result["second"][1:] == [run.run_id, {"a": "3"}, "FINISHED"]
    assert result["after"] == {"after": 1.0}
    assert result["experiment"] == run.experiment_id


async def test_nested_runs_without_an_outer_one_are_children(jobs: Any, live: Any, new_job: Any) -> None:
    run = await new_job()
    result = jobs.run(
        live,
        run,
        """
import mlflow
result["parents"] = []
for trial in range(2):
    with mlflow.start_run(nested=True) as child:
        mlflow.log_metric("loss", trial)
    result["parents"].append(mlflow.get_run(child.info.run_id).data.tags["mlflow.parentRunId"])
with mlflow.start_run() as outer:
    result["outer"] = outer.info.run_id
""",
    )
    assert result["parents"] == [run.run_id, run.run_id]
    assert result["outer"] == run.run_id


async def test_a_run_gives_way_to_one_that_the_user_starts(jobs: Any, live: Any, new_job: Any) -> None:
    """MLflow alone would raise here: a run is active already."""
    run = await new_job()
    result = jobs.run(
        live,
        run,
        """
import mlflow
mlflow.log_param("implicit", 1)
with mlflow.start_run() as first: pass
mlflow.log_metric("between", 1)
with mlflow.start_run() as second:
    try:
        mlflow.start_run()
    except Exception as error:
        result["error"] = None
        result["raised"] = str(error)
result.pop("error")
result["runs"] = [first.info.run_id, second.info.run_id]
""",
    )
    assert result["runs"][0] == run.run_id
    assert result["runs"][1] != run.run_id
    assert "already active" in result["raised"]


async def test_the_active_run_is_the_jobs(jobs: Any, live: Any, new_job: Any) -> None:
    run = await new_job()
    result = jobs.run(
        live,
        run,
        """
import mlflow
result["active"] = mlflow.active_run().info.run_id
count = 0
while mlflow.active_run():
    mlflow.end_run()
    count += 1
result["ended"] = count
result["last"] = mlflow.last_active_run().info.run_id
with mlflow.start_run() as first:
    result["first"] = first.info.run_id
""",
    )
    assert result == {"active": run.run_id, "ended": 1, "last": run.run_id, "first": run.run_id}


async def test_ending_without_a_run_leaves_the_next_to_the_user(jobs: Any, live: Any, new_job: Any) -> None:
    run = await new_job()
    result = jobs.run(
        live,
        run,
        """
import mlflow
mlflow.end_run()
result["active"] = mlflow.active_run()
result["started"] = mlflow.start_run().info.run_id
""",
    )
    assert result == {"active": None, "started": run.run_id}


async def test_another_experiment_is_respected(jobs: Any, live: Any, new_job: Any) -> None:
    run = await new_job()
    result = jobs.run(
        live,
        run,
        """
import mlflow
chosen = mlflow.set_experiment("Chosen by the user").experiment_id
with mlflow.start_run() as explicit:
    mlflow.log_metric("m", 1)
mlflow.log_metric("implicit", 2)
result["explicit"] = [mlflow.get_run(explicit.info.run_id).info.experiment_id == chosen,
                      explicit.info.run_id == J]
result["metrics"] = mlflow.get_run(J).data.metrics
mlflow.set_experiment(experiment_id=mlflow.get_run(J).info.experiment_id)
mlflow.end_run()
with mlflow.start_run() as home:
    result["home"] = home.info.run_id
with mlflow.start_run(experiment_id=chosen) as by_argument:
    result["by_argument"] = by_argument.info.experiment_id == chosen
""",
    )
    assert result["explicit"] == [True, False]
    assert result["metrics"] == {"implicit": 2.0}
    assert result["home"] == run.run_id
    assert result["by_argument"]


async def test_threads_log_into_the_jobs_run(jobs: Any, live: Any, new_job: Any) -> None:
    run = await new_job()
    result = jobs.run(
        live,
        run,
        """
import mlflow
from concurrent.futures import ThreadPoolExecutor
def implicit(number):
    mlflow.log_metric(f"m{number}", number)
def trial(number):
    with mlflow.start_run(nested=True) as child:
        mlflow.log_metric("m", number)
    return mlflow.get_run(child.info.run_id).data.tags["mlflow.parentRunId"]
with ThreadPoolExecutor(4) as pool:
    list(pool.map(implicit, range(8)))
    result["parents"] = list(pool.map(trial, range(4)))
result["metrics"] = sorted(mlflow.get_run(J).data.metrics)
result["runs"] = len(mlflow.search_runs([mlflow.get_run(J).info.experiment_id],
                                        f"tags.mlflow.parentRunId = '{J}'"))
""",
    )
    assert result["parents"] == [run.run_id] * 4
    assert result["metrics"] == [f"m{number}" for number in range(8)]
    assert result["runs"] == 4


async def test_explicit_starts_in_threads_give_the_jobs_run_once(jobs: Any, live: Any, new_job: Any) -> None:
    run = await new_job()
    result = jobs.run(
        live,
        run,
        """
import mlflow
from concurrent.futures import ThreadPoolExecutor
def work(number):
    with mlflow.start_run() as started:
        return started.info.run_id
with ThreadPoolExecutor(4) as pool:
    result["runs"] = list(pool.map(work, range(6)))
""",
    )
    assert result["runs"].count(run.run_id) == 1
    assert len(set(result["runs"])) == 6


async def test_autologging_in_threads_of_a_fit(jobs: Any, live: Any, new_job: Any) -> None:
    """The trees of a forest are fitted in threads, where autologging is not to start runs."""
    result = jobs.run(
        live,
        await new_job(),
        f"""{DATA}
from sklearn.ensemble import RandomForestClassifier
mlflow.sklearn.autolog(log_models=False, exclusive=True)
RandomForestClassifier(n_estimators=4, n_jobs=2).fit(X, y)
run = mlflow.get_run(J)
result["metrics"] = sorted(run.data.metrics)
result["children"] = len(mlflow.search_runs([run.info.experiment_id], f"tags.mlflow.parentRunId = '{{J}}'"))
""",
    )
    assert "training_accuracy_score" in result["metrics"]
    assert result["children"] == 0


async def test_a_subprocess_logs_into_the_jobs_run(jobs: Any, live: Any, new_job: Any) -> None:
    result = jobs.run(
        live,
        await new_job(),
        """
import mlflow, subprocess, sys
mlflow.log_metric("outer", 1)
with mlflow.start_run(): pass
subprocess.run([sys.executable, "-c", "import mlflow; mlflow.log_metric('inner', 2)"], check=True)
result["metrics"] = mlflow.get_run(J).data.metrics
""",
    )
    assert result["metrics"] == {"outer": 1.0, "inner": 2.0}


async def test_a_run_id_of_the_users_own(jobs: Any, live: Any, new_job: Any) -> None:
    other = await new_job()
    run = await new_job()
    result = jobs.run(
        live,
        run,
        f"""
import mlflow
mlflow.log_metric("mine", 1)
with mlflow.start_run(run_id={other.run_id!r}):
    mlflow.log_metric("theirs", 2)
theirs = mlflow.get_run({other.run_id!r})
result["other"] = [theirs.data.metrics, theirs.info.status]
with mlflow.start_run(run_id=J):
    pass
with mlflow.start_run() as child:
    result["is_child"] = child.info.run_id != J
result["mine"] = mlflow.get_run(J).data.metrics
""",
    )
    assert result["other"] == [{"theirs": 2.0}, "FINISHED"]
    assert result["is_child"]
    assert result["mine"] == {"mine": 1.0}


async def test_another_tracking_server_of_the_users(
    jobs: Any, live: Any, new_job: Any, tmp_path: Path
) -> None:
    run = await new_job()
    result = jobs.run(
        live,
        run,
        f"""
import mlflow
mlflow.log_metric("here", 1)
here = mlflow.get_tracking_uri()
mlflow.set_tracking_uri("sqlite:///{tmp_path}/own.db")
mlflow.set_experiment("Own")
with mlflow.start_run() as own:
    mlflow.log_metric("there", 2)
result["own"] = [own.info.run_id == J, mlflow.get_run(own.info.run_id).info.status]
mlflow.set_tracking_uri(here)
result["metrics"] = mlflow.get_run(J).data.metrics
""",
    )
    assert result["own"] == [False, "FINISHED"]
    assert result["metrics"] == {"here": 1.0}


async def test_the_job_decides_how_its_run_ends(jobs: Any, live: Any, new_job: Any) -> None:
    run = await new_job()
    look = f"import mlflow; result['status'] = mlflow.get_run({run.run_id!r}).info.status"
    jobs.run(
        live,
        run,
        """
import mlflow
try:
    with mlflow.start_run():
        raise ValueError("the job fails")
except ValueError:
    mlflow.start_run(run_id=J)  # is active at the end of the process
""",
    )
    assert jobs.run(live, await new_job(), look) == {"status": "RUNNING"}
    with RunRecord(run.folder, run.identity) as record:
        record.end(status=JobStatus.FAILED, at=datetime.now(UTC))
    ship_all(live, run)
    assert jobs.run(live, await new_job(), look) == {"status": "FAILED"}


async def test_functions_look_as_they_did(jobs: Any, live: Any, new_job: Any) -> None:
    result = jobs.run(
        live,
        await new_job(),
        """
import inspect, pickle, mlflow
result["parameters"] = list(inspect.signature(mlflow.start_run).parameters)[:2]
result["same"] = pickle.loads(pickle.dumps(mlflow.start_run)) is mlflow.start_run
result["doc"] = "MLflow" in mlflow.start_run.__doc__
try:
    mlflow.start_run(nonsense=1)
except TypeError as error:
    result["wrong"] = str(error)
""",
    )
    assert result["parameters"] == ["run_id", "experiment_id"]
    assert result["same"]
    assert result["doc"]
    assert "nonsense" in result["wrong"]


async def test_mlflow_is_not_installed(run_fresh: Any, live: Any, new_job: Any, tmp_path: Path) -> None:
    (tmp_path / "mlflow.py").write_text("raise ImportError('not installed')")
    code = """
try:
    import mlflow
except ImportError as error:
    result["error"] = None
result["proxies"] = os.environ["no_proxy"]
"""
    result = run_fresh(live, await new_job(), code, folder=tmp_path)
    assert "127.0.0.1" in result["proxies"]


async def test_an_mlflow_that_looks_different_is_left_alone(
    run_fresh: Any, live: Any, new_job: Any, tmp_path: Path
) -> None:
    package = tmp_path / "mlflow"
    (package / "tracking").mkdir(parents=True)
    (package / "__init__.py").write_text("from mlflow.tracking.fluent import start_run")
    (package / "tracking" / "__init__.py").write_text("")
    (package / "tracking" / "fluent.py").write_text(
        "_active_run_stack = []\ndef start_run(): return 'its own'"
    )
    code = """
import mlflow
result["started"] = mlflow.start_run()
result["environment"] = os.environ["MLFLOW_RUN_ID"] == J
"""
    result = run_fresh(live, await new_job(), code, folder=tmp_path)
    assert result == {"started": "its own", "environment": True}


async def test_in_a_real_kernel(live: Any, new_job: Any, tmp_path: Path, runs: Runs) -> None:
    run = await new_job()
    given = run.given
    manager = AsyncKernelManager(kernel_name="python3")
    assert manager.kernel_spec is not None
    manager.kernel_spec.argv[0] = sys.executable
    await manager.start_kernel(cwd=str(tmp_path), env=dict(os.environ))
    client = manager.client()
    client.start_channels()
    try:
        await client.wait_for_ready(timeout=60)
        bootstrap = f"_b = {{}}; exec({given['bootstrap']!r}, _b); _b['install']({given!r}); del _b"
        cell = "import mlflow\nmlflow.log_metric('from_a_cell', 4)\nassert mlflow.active_run().info.run_id"
        for code in (bootstrap, cell):
            reply = await client.execute_interactive(code, timeout=60, output_hook=lambda message: None)
            assert reply["content"]["status"] == "ok", reply["content"]
    finally:
        client.stop_channels()
        await manager.shutdown_kernel()
    ship_all(live, run)
    assert (await runs.values(run.run_id)).metrics == {"from_a_cell": 4.0}


async def test_a_proxy_is_not_asked_for_the_loopback_interface(
    run_fresh: Any, live: Any, new_job: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, runs: Runs
) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:9")
    monkeypatch.setenv("no_proxy", "example.org")
    run = await new_job()
    code = "import mlflow; mlflow.log_metric('m', 1); result['no_proxy'] = os.environ['no_proxy']"
    result = run_fresh(live, run, code, folder=tmp_path)
    assert result["no_proxy"] == "example.org,127.0.0.1,localhost"
    assert (await runs.values(run.run_id)).metrics == {"m": 1.0}
