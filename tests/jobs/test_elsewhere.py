"""What a job becomes where there are neither this machine's folders nor its kernels."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest

from jupyter_mlws.jobs.elsewhere import NotThere, check_promises, elsewhere
from jupyter_mlws.model.compute import Capacity, ComputeCheck, Guarantees
from jupyter_mlws.model.job import JobKind, JobSpec, KernelChoice, Resources
from jupyter_mlws.processes.identity import ProcessRef


class Far:
    """A compute that shares nothing with this machine. Nothing is launched here."""

    name, type, price_per_hour = "far", "far", 0.0
    capacity = Capacity(cpus=0, memory=0, slots=1)
    guarantees = Guarantees(memory_limit=False, kill=False, survives_server=True, live_folder=False)

    async def check(self) -> ComputeCheck:
        return ComputeCheck(reachable=True)

    async def launch(self, folder: Path) -> ProcessRef:
        raise NotImplementedError

    def environment(self, *, gpus: int, taken: set[int]) -> tuple[dict[str, str], list[int]]:
        return {}, []


def spec(kind: JobKind, **fields: Any) -> JobSpec:
    known = {
        JobKind.CELL: {"code": "x = 1"},
        JobKind.NOTEBOOK: {"notebook": "0" * 64},
        JobKind.SCRIPT: {"path": "a.py"},
    }[kind]
    here = KernelChoice(executable=sys.executable)
    return JobSpec(**{"kind": kind, "name": "job", "folder": "/here", "kernel": here, **known, **fields})


def test_notebooks_and_scripts_take_a_copy_of_their_folder_along() -> None:
    for kind in (JobKind.NOTEBOOK, JobKind.SCRIPT):
        assert elsewhere(spec(kind), Far(), None).snapshot is True
        with pytest.raises(NotThere, match="in its own folder"):
            elsewhere(spec(kind, snapshot=False), Far(), None)
    assert elsewhere(spec(JobKind.CELL), Far(), None).snapshot is None
    assert elsewhere(spec(JobKind.CELL, snapshot=True), Far(), None).snapshot is True


def test_interpreters_and_packages_of_this_machine_mean_nothing_there() -> None:
    made = elsewhere(spec(JobKind.CELL, environment="0" * 64), Far(), None)
    assert (made.kernel, made.environment) == (KernelChoice(), None)
    named = elsewhere(spec(JobKind.CELL, kernel=KernelChoice(name="ir")), Far(), None)
    assert named.kernel == KernelChoice(name="ir")


@pytest.mark.parametrize(
    ("metadata", "name"),
    [
        ({}, None),
        (None, None),
        ({"kernelspec": {"name": "my-env", "language": "python"}}, None),
        ({"kernelspec": {"name": "my-env"}, "language_info": {"name": "Python"}}, None),
        ({"kernelspec": {"name": "ir", "language": "R"}}, "ir"),
        ({"kernelspec": {"name": "ir"}, "language_info": {"name": "R"}}, "ir"),
        ({"language_info": {"name": "R"}}, None),
        ({"kernelspec": ["ir"], "language_info": {"name": "R"}}, None),
    ],
)
def test_a_notebook_of_another_language_keeps_its_kernel(metadata: Any, name: str | None) -> None:
    assert elsewhere(spec(JobKind.NOTEBOOK), Far(), {"metadata": metadata}).kernel.name == name


def test_what_is_not_promised_is_refused() -> None:
    with pytest.raises(NotThere, match="cannot hold a job to 4 GB of memory"):
        check_promises(spec(JobKind.CELL, resources=Resources(memory=4 * 2**30)), Far())
    with pytest.raises(NotThere, match="counts jobs and not GPUs"):
        check_promises(spec(JobKind.CELL, resources=Resources(gpus=1)), Far())
    check_promises(spec(JobKind.CELL, resources=Resources(cpus=64)), Far())
