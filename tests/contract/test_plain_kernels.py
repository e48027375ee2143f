"""The driver `plain` against the contract, with a kernelspec by its name and with a Python by its path."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from kernel_driver import KernelDriverContract

from jupyter_mlws.kernels.plain import PlainDriver
from jupyter_mlws.model.job import KernelChoice


class TestByName(KernelDriverContract):
    def driver(self):
        return PlainDriver()

    def choice(self):
        return KernelChoice(name="python3")

    def missing(self):
        return KernelChoice(name="no-such-kernel")


class TestByExecutable(KernelDriverContract):
    def driver(self):
        return PlainDriver()

    def choice(self):
        return KernelChoice(executable=sys.executable)

    def missing(self):
        return KernelChoice(executable="/no/such/python")
