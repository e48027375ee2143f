"""The driver `remote` against the contract: a Jupyter server, Kernel Gateway, Enterprise Gateway."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import pytest
from kernel_driver import KernelDriverContract
from kernel_features import PythonKernelContract

from jupyter_mlws.kernels.remote.driver import RemoteDriver
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


class TestOnAGateway(OnARemote, KernelDriverContract):
    kind = "gateway"


class TestOnAnEnterpriseGateway(OnARemote, KernelDriverContract):
    kind = "enterprise"
