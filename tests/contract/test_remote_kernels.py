"""The driver `remote` against the contract: a Jupyter server, Kernel Gateway, Enterprise Gateway."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import pytest
from kernel_driver import KernelDriverContract
from kernel_features import PythonKernelContract

from jupyter_mlws.kernels.remote.driver import RemoteDriver
from jupyter_mlws.kernels.remote.ending import end_kernel
from jupyter_mlws.kernels.remote.spares import READY, Spares, notes, read
from jupyter_mlws.kernels.remote.sparing import start_spare
from jupyter_mlws.kernels.remote.token import token_of
from jupyter_mlws.model.job import KernelChoice
from jupyter_mlws.model.remote import Remote
from tests.remotes.server import running


class OnARemote:
    kind = "server"

    @pytest.fixture(scope="class", autouse=True)
    @classmethod
    def elsewhere(cls, tmp_path_factory):
        """The other server; no kernel may be left there in the end."""
        with running(cls.kind) as server:
            token = tmp_path_factory.mktemp("token") / "token"
            token.write_text(server.token)
            cls.remote = Remote(name="lab2", url=server.url, token_file=str(token))
            yield server
            assert server.kernels() == []

    def driver(self):
        return RemoteDriver(self.remote)

    def choice(self):
        return KernelChoice()

    def missing(self):
        return KernelChoice(name="no-such-kernel")

    def debugs(self):
        return True


class TestOnAServer(OnARemote, PythonKernelContract):
    kind = "server"


class Sparing:
    """Has a kernel wait for each that is started, which takes it."""

    promises = RemoteDriver.promises

    def __init__(self, remote, folder):
        self.remote, self.folder = remote, folder
        self.taken = folder / "taken"
        folder.mkdir(exist_ok=True)

    async def start(self, choice, *, cwd, env):
        async def note(found):
            return True

        async def keep(found):
            self.ready.write_text(found.model_dump_json())
            return True

        self.ready = self.folder / f"one{READY}"
        self.taken.unlink(missing_ok=True)
        await start_spare(self.remote, token=token_of(self.remote.token_file), note=note, keep=keep)
        waits = read(self.ready)
        driver = RemoteDriver(self.remote, spares=Spares(self.folder, into=self.taken))
        try:
            kernel = await driver.start(choice, cwd=cwd, env=env)
        except BaseException:
            await end_kernel(waits)
            raise
        assert notes(self.folder, READY) == []
        assert read(self.taken) == waits
        return kernel


class TestOneThatWaited(OnARemote, PythonKernelContract):
    kind = "server"

    @pytest.fixture(autouse=True)
    def folder(self, place):
        self.spares = place.root / "spares"

    def driver(self):
        return Sparing(self.remote, self.spares)

    @property
    def promises(self):
        return RemoteDriver.promises


class TestOneThatWaitedOnAGateway(OnARemote, KernelDriverContract):
    kind = "gateway"

    @pytest.fixture(autouse=True)
    def folder(self, place):
        self.spares = place.root / "spares"

    def driver(self):
        return Sparing(self.remote, self.spares)


class TestOnAGateway(OnARemote, KernelDriverContract):
    kind = "gateway"


class TestOnAnEnterpriseGateway(OnARemote, KernelDriverContract):
    kind = "enterprise"
