"""Which kernelspecs a fork server can serve."""

from __future__ import annotations

import sys
from typing import Any

import pytest
from jupyter_client.kernelspec import KernelSpec

from jupyter_mlws.kernels.forkable import python_of

_PLAIN = ["-m", "ipykernel_launcher", "-f", "{connection_file}"]


@pytest.mark.parametrize(
    ("argv", "python"),
    [
        (["/opt/env/bin/python", *_PLAIN], "/opt/env/bin/python"),
        (["/opt/env/bin/python", "-Xfrozen_modules=off", *_PLAIN], "/opt/env/bin/python"),
        (["python", *_PLAIN], sys.executable),
        (["python3", *_PLAIN], sys.executable),
        (["pypy3", *_PLAIN], None),
        (["/opt/env/bin/python", *_PLAIN, "--matplotlib=inline"], None),
        (["/opt/env/bin/python", "-m", "bash_kernel", "-f", "{connection_file}"], None),
        (["/opt/R", "--slave", "-e", "IRkernel::main()", "--args", "{connection_file}"], None),
        ([], None),
    ],
)
def test_the_command_decides(argv: list[str], python: str | None) -> None:
    assert python_of(KernelSpec(argv=argv)) == python


@pytest.mark.parametrize(
    "other",
    [
        {"env": {"SPARK_HOME": "/opt/spark"}},
        {"interrupt_mode": "message"},
        {"metadata": {"kernel_provisioner": {"provisioner_name": "slurm"}}},
    ],
)
def test_a_kernelspec_that_wants_more_is_started_as_it_says(other: dict[str, Any]) -> None:
    assert python_of(KernelSpec(argv=["python3", *_PLAIN], **other)) is None


def test_the_debugger_is_no_obstacle() -> None:
    assert python_of(KernelSpec(argv=["python3", *_PLAIN], metadata={"debugger": True})) == sys.executable
