from __future__ import annotations

import pytest

from jupyter_mlws.compute.local import LocalCompute, available_cpus


def test_what_is_not_given_is_found_out() -> None:
    compute = LocalCompute()
    assert compute.capacity.cpus == available_cpus() >= 1
    assert compute.capacity.memory > 2**28


def test_gpus_are_given_to_one_job_each() -> None:
    compute = LocalCompute(gpus=3)
    assert compute.environment(gpus=2, taken={0}) == ({"CUDA_VISIBLE_DEVICES": "1,2"}, [1, 2])


def test_a_job_that_asks_for_no_gpu_sees_none() -> None:
    assert LocalCompute(gpus=2).environment(gpus=0, taken=set()) == ({"CUDA_VISIBLE_DEVICES": ""}, [])


def test_hidden_gpus_stay_hidden(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert LocalCompute().capacity.gpus == 0
