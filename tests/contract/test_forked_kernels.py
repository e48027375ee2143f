"""The driver `forked` against the contract, with kernels that a real fork server forks."""

from __future__ import annotations

import asyncio
import contextlib
import os
import sys
from pathlib import Path

import psutil
import pytest

sys.path.insert(0, str(Path(__file__).parent))

from kernel_driver import connect, ended, gone, output
from kernel_features import PythonKernelContract

from jupyter_mlws.forking.client import end_servers
from jupyter_mlws.kernels.forked import ForkedDriver, ForkedKernel
from jupyter_mlws.kernels.plain import PlainDriver
from jupyter_mlws.model.forking import Forking
from jupyter_mlws.model.job import KernelChoice

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux forks safely")


HOMES = ("HOME", "XDG_", "JUPYTER_", "IPYTHONDIR", "TMPDIR")


class OnlyForked:
    """The driver under test, with no way out: it waits for the fork server."""

    promises = ForkedDriver.promises

    def __init__(
        self, root: Path, *, idle: float = 60, preload: tuple[str, ...] = ("numpy", "sklearn.ensemble")
    ) -> None:
        self.root = root
        forking = Forking(root=str(root), preload=preload, spares=1, idle=idle)
        self._driver = ForkedDriver(forking, plain=PlainDriver())
        # Each test has a home of its own, and a server serves one home.
        self._home = {name: value for name, value in os.environ.items() if name.startswith(HOMES)}

    async def start(self, choice, *, cwd, env):
        while True:
            kernel = await self._driver.start(choice, cwd=cwd, env={**env, **self._home})
            if isinstance(kernel, ForkedKernel):
                return kernel
            await kernel.close(patience=0)
            await asyncio.sleep(0.1)


@pytest.fixture(scope="module")
def only_forked(tmp_path_factory):
    """The driver, and where its fork server lies; it is ended with the module."""
    root = tmp_path_factory.mktemp("f")
    yield OnlyForked(root)
    for lock in root.glob("*/lock"):
        with contextlib.suppress(psutil.NoSuchProcess):  # it was idle
            process = psutil.Process(int(lock.read_text()))
            process.terminate()
            process.wait(30)


class TestForked(PythonKernelContract):
    @pytest.fixture(autouse=True)
    def _root(self, only_forked):
        self._driver = only_forked

    def driver(self):
        return self._driver

    def choice(self):
        return KernelChoice(executable=sys.executable)

    def missing(self):
        return KernelChoice(executable="/no/such/python")

    def debugs(self):
        return True


class TestForkServer:
    """What a fork server promises besides the kernels' own contract."""

    @pytest.fixture(autouse=True)
    def _root(self, only_forked):
        self.driver = only_forked
        self.root = only_forked.root

    async def take(self, place):
        environment = {key: value for key, value in os.environ.items() if key != "PYTEST_CURRENT_TEST"}
        choice = KernelChoice(executable=sys.executable)
        return await self.driver.start(choice, cwd=place.folder, env=environment)

    def server(self) -> psutil.Process:
        lock = max(self.root.glob("*/lock"), key=lambda path: path.stat().st_mtime)
        return psutil.Process(int(lock.read_text()))

    async def test_a_kernel_shares_its_memory_with_the_server(self, place):
        kernel = await self.take(place)
        client = await connect(kernel)
        await output(client, "import numpy, sklearn.ensemble")
        memory = psutil.Process(kernel.pid).memory_full_info()
        client.stop_channels()
        await kernel.close(patience=0)
        assert memory.uss < memory.rss / 2

    async def test_a_kernel_outlives_the_server(self, place, wait_until):
        kernel = await self.take(place)
        client = await connect(kernel)
        server = self.server()
        spares = [keeper for keeper in server.children() if keeper.pid != psutil.Process(kernel.pid).ppid()]
        server.kill()
        await wait_until(lambda: all(gone(spare.pid) for spare in spares), what="the end of the spares")
        assert await output(client, "print('still here')") == "still here\n"
        client.execute("import os; os._exit(3)")
        await wait_until(lambda: kernel.exit_code() == 3)
        client.stop_channels()
        await kernel.close(patience=0)

    async def test_nothing_of_a_kernel_outlives_its_owner(self, place, wait_until):
        kernel = await self.take(place)
        client = await connect(kernel)
        detach = "import subprocess; print(subprocess.Popen(['setsid', 'sleep', '600']).pid)"
        detached = int(await output(client, detach))
        folder = kernel._taken.place
        client.stop_channels()
        # What the system does with its descriptors when the owner dies.
        asyncio.get_running_loop().remove_reader(kernel._taken.leash)
        kernel._taken.leash.close()
        await wait_until(lambda: gone(kernel.pid) and gone(detached) and not folder.exists())

    async def test_a_spare_that_dies_is_replaced(self, place, wait_until):
        first = await self.take(place)
        server, keeper = self.server(), psutil.Process(first.pid).ppid()
        await first.close(patience=0)

        def waiting():
            # The keeper of the first may still be there.
            return next((each for each in server.children() if each.pid != keeper), None)

        (await wait_until(waiting, what="a spare")).kill()
        kernel = await self.take(place)
        client = await connect(kernel)
        assert await output(client, "print(1)") == "1\n"
        client.stop_channels()
        await kernel.close(patience=0)

    async def test_nothing_is_left_when_a_keeper_is_killed(self, place, wait_until):
        kernel = await self.take(place)
        folder = kernel._taken.place
        keeper = psutil.Process(kernel.pid).parent()
        keeper.kill()
        await wait_until(lambda: gone(kernel.pid))
        await wait_until(lambda: ended(kernel), what="word of its end")
        await kernel.close(patience=5)
        assert not folder.exists()

    async def test_all_are_ended_at_once_and_what_they_forked_lives_on(self, place, tmp_path):
        self.root = tmp_path
        self.driver = OnlyForked(tmp_path)
        kernel = await self.take(place)
        server = self.server()
        end_servers(tmp_path)
        assert gone(server.pid)
        assert [folder.name[:6] for folder in tmp_path.iterdir()] == ["mlws-k"]
        client = await connect(kernel)
        assert await output(client, "print(1)") == "1\n"
        client.stop_channels()
        await kernel.close(patience=0)
        assert not list(tmp_path.iterdir())

    async def test_it_ends_when_idle_and_leaves_nothing(self, place, tmp_path, wait_until):
        self.driver = OnlyForked(tmp_path, idle=0.5)
        self.root = tmp_path
        await (await self.take(place)).close(patience=0)
        server = self.server()
        family = [server, *server.children(recursive=True)]
        await wait_until(lambda: all(gone(each.pid) for each in family), what="its end")
        assert not list(tmp_path.glob("*/s"))

    async def test_a_package_that_adds_to_the_path_makes_nothing_stale(self, place, tmp_path, monkeypatch):
        (tmp_path / "adds_to_path.py").write_text(f"import sys; sys.path.append({str(tmp_path / 'more')!r})")
        monkeypatch.setenv("PYTHONPATH", f"{tmp_path}{os.pathsep}{os.environ.get('PYTHONPATH', '')}")
        self.root = tmp_path / "f"
        self.driver = OnlyForked(self.root, preload=("adds_to_path",))
        await (await self.take(place)).close(patience=0)
        server = self.server()
        kernel = await self.take(place)
        assert self.server().pid == server.pid
        client = await connect(kernel)
        assert await output(client, "import sys; print(sys.path[-1])") == f"{tmp_path / 'more'}\n"
        client.stop_channels()
        await kernel.close(patience=0)
        server.terminate()

    async def test_a_new_package_is_noticed(self, place, tmp_path, wait_until):
        packages = tmp_path / "site-packages"
        packages.mkdir()
        self.root = tmp_path / "f"
        self.driver = OnlyForked(self.root)
        os.environ["PYTHONPATH"] = f"{packages}{os.pathsep}{os.environ.get('PYTHONPATH', '')}"
        try:
            await (await self.take(place)).close(patience=0)
            old = self.server()
            (packages / "brand_new.py").write_text("x = 1")
            kernel = await self.take(place)
        finally:
            os.environ["PYTHONPATH"] = os.environ["PYTHONPATH"].partition(os.pathsep)[2]
        await wait_until(lambda: gone(old.pid))
        client = await connect(kernel)
        assert await output(client, "import brand_new; print(brand_new.x)") == "1\n"
        client.stop_channels()
        await kernel.close(patience=0)
        self.server().terminate()
