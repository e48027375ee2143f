"""What a run has in MLflow once it is shipped."""

from __future__ import annotations

from typing import Any

from tests.mlflow_runs import Runs
from tests.tracking.conftest import begin, ship_all


async def test_a_run_has_name_tags_and_parameters(runs: Runs, live: Any) -> None:
    job = begin(
        live,
        experiment="Ünïcode / 'quotes' \"double\"",
        params={"rate": 0.1, "names": ["a", "b"], "nothing": None},
    )
    ship_all(live, job)
    found = await runs.get(job.run_id)
    assert found["info"]["status"] == "RUNNING"
    assert found["info"]["experiment_id"] == job.experiment_id
    expected = {"rate": "0.1", "names": "['a', 'b']", "nothing": "None"}
    assert (await runs.values(job.run_id)).params == expected
    tags = {row["key"] for row in found["data"]["tags"]}
    assert "mlws.job" in tags
    assert not {tag for tag in tags if "wished" in tag}


async def test_nan_is_none(runs: Runs, live: Any, jobs: Any) -> None:
    job = begin(live)
    jobs.run(live, job, "import mlflow; mlflow.log_metrics({'a': float('nan'), 'b': 1.5})")
    assert (await runs.values(job.run_id)).metrics == {"a": None, "b": 1.5}
