"""The driver `forked` against the contract, with kernels that a real fork server forks."""

from __future__ import annotations

import asyncio
import contextlib
import sys
from pathlib import Path

import psutil
import pytest

sys.path.insert(0, str(Path(__file__).parent))

from kernel_driver import KernelDriverContract

from jupyter_mlws.kernels.forked import ForkedDriver, ForkedKernel
from jupyter_mlws.kernels.plain import PlainDriver
from jupyter_mlws.model.forking import Forking
from jupyter_mlws.model.job import KernelChoice

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux forks safely")


class OnlyForked:
    """The driver under test, with no way out: it waits for the fork server."""

    def __init__(self, root: Path) -> None:
        forking = Forking(root=str(root), preload=("numpy", "sklearn.ensemble"), spares=1, idle=60)
        self._driver = ForkedDriver(forking, plain=PlainDriver())

    async def start(self, choice, *, cwd, env):
        while True:
            kernel = await self._driver.start(choice, cwd=cwd, env=env)
            if isinstance(kernel, ForkedKernel):
                return kernel
            await kernel.close(patience=0)
            await asyncio.sleep(0.1)


@pytest.fixture(scope="module")
def fork_root(tmp_path_factory):
    """Where the fork server lies; it is ended with the module."""
    root = tmp_path_factory.mktemp("f")
    yield root
    for lock in root.glob("*/lock"):
        with contextlib.suppress(psutil.NoSuchProcess):  # it was idle
            process = psutil.Process(int(lock.read_text()))
            process.terminate()
            process.wait(30)


class TestForked(KernelDriverContract):
    @pytest.fixture(autouse=True)
    def _root(self, fork_root):
        self.root = fork_root

    def driver(self):
        return OnlyForked(self.root)

    def choice(self):
        return KernelChoice(executable=sys.executable)

    def missing(self):
        return KernelChoice(executable="/no/such/python")
