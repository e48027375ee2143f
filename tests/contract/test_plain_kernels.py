"""The driver `plain` against the contract, with a kernelspec by its name and with a Python by its path."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from kernel_features import PythonKernelContract

from jupyter_mlws.kernels.plain import PlainDriver
from jupyter_mlws.model.job import KernelChoice


class TestByName(PythonKernelContract):
    def driver(self):
        return PlainDriver()

    def choice(self):
        return KernelChoice(name="python3")

    def missing(self):
        return KernelChoice(name="no-such-kernel")

    def debugs(self):
        return True


class TestByExecutable(PythonKernelContract):
    def driver(self):
        return PlainDriver()

    def choice(self):
        return KernelChoice(executable=sys.executable)

    def missing(self):
        return KernelChoice(executable="/no/such/python")

    def debugs(self):
        return False  # to import a debugger takes a third of the time of a start, and nobody debugs a job
