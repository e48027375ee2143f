"""Runs read over REST, against a real server."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from jupyter_mlws.tracking.address import TrackingAddress
from jupyter_mlws.tracking.runs import Runs, TrackingRefused, TrackingUnavailable
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


async def test_a_run_that_does_not_exist(runs: Runs) -> None:
    with pytest.raises(TrackingRefused, match="0123456789abcdef") as caught:
        await runs.values("0123456789abcdef0123456789abcdef")
    assert caught.value.reason == "RESOURCE_DOES_NOT_EXIST"


async def test_nobody_answers(free_port: int, tmp_path: Path) -> None:
    async def address() -> TrackingAddress:
        return TrackingAddress(url=f"http://127.0.0.1:{free_port}", token="t", socket=tmp_path / "none")

    nobody = Runs(address)
    with pytest.raises(TrackingUnavailable):
        await nobody.values("x")
    await nobody.close()


async def test_a_wrong_token_is_refused(live: Any) -> None:
    async def address() -> TrackingAddress:
        return TrackingAddress(url=live.address.url, token="wrong", socket=live.address.socket)

    stranger = Runs(address)
    with pytest.raises(TrackingRefused, match="MLFLOW_TRACKING_TOKEN"):
        await stranger.values("x")
    await stranger.close()
