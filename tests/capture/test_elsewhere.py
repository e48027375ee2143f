"""Packs in other processes: kernels without our package or cloudpickle, and tables of a gigabyte."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from jupyter_client.manager import KernelManager

from jupyter_mlws.capture import portable
from jupyter_mlws.capture.portable import read_pack

SOURCE = Path(portable.__file__)
Namespaces = Callable[..., dict[str, Any]]
Packs = Callable[..., dict[str, Any]]
# As the worker brings it into a kernel: no file of ours is importable there.
INSTALL = f"""
import sys, types
module = types.ModuleType("_mlws_portable")
exec(compile(open({str(SOURCE)!r}, encoding="utf-8").read(), "<_mlws_portable>", "exec"), vars(module))
sys.modules["_mlws_portable"] = module
del module, types
"""


def _bare(code: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Run `code` in a Python that has the standard library alone."""
    command = [sys.executable, "-I", "-S", "-c", INSTALL + code, *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def test_plain_data_needs_the_standard_library_alone(tmp_path: Path, pack_file: Packs) -> None:
    import math

    pack_file(
        tmp_path / "pack", {"a": [1, {"b": "ü"}], "m": math, "big": bytearray(1 << 20)}, "a", "m", "big"
    )
    code = """
sys.modules["_mlws_portable"].unpack_into(sys.argv[1], globals())
total = m.floor(1.5) + len(big) + len(a)
import json
print(json.dumps(sys.modules["_mlws_portable"].pack_results(["total", "a", "json"], globals(), sys.argv[2])))
"""
    (tmp_path / "results").mkdir()
    ran = _bare(code, tmp_path / "pack", tmp_path / "results")
    assert ran.returncode == 0, ran.stderr
    items = json.loads(ran.stdout)
    assert [item.get("preview") for item in items] == [f"int {1 + (1 << 20) + 2}", "list of 2", None]
    assert read_pack(tmp_path / "results" / "1.mlws", namespace={}) == {"a": [1, {"b": "ü"}]}


def test_a_missing_package_is_named(tmp_path: Path, notebook: Namespaces, pack_file: Packs) -> None:
    code = 'sys.modules["_mlws_portable"].unpack_into(sys.argv[1], globals())'
    pack_file(tmp_path / "array", {"weights": np.zeros(3)}, "weights")
    ran = _bare(code, tmp_path / "array")
    assert "UnpackError: The variable `weights` needs the package numpy" in ran.stderr
    assert "Install it there." in ran.stderr
    pack_file(tmp_path / "call", {"__mlws_args__": (np.zeros(3),)}, "__mlws_args__")
    assert "The variable `args` needs the package numpy" in _bare(code, tmp_path / "call").stderr
    pack_file(tmp_path / "function", notebook("def f(): return 1"), "f")
    ran = _bare(code, tmp_path / "function")
    assert (
        "UnpackError: The variable `f` needs the package cloudpickle, which carries definitions of a notebook"
        in ran.stderr
    )


def test_without_cloudpickle_definitions_do_not_come_back_and_say_why(tmp_path: Path) -> None:
    code = """
def f(): return 1
class C: pass
c, x = C(), [1]
import json
print(json.dumps(sys.modules["_mlws_portable"].pack_results(["f", "C", "c", "x"], globals(), sys.argv[1])))
"""
    ran = _bare(code, tmp_path)
    assert ran.returncode == 0, ran.stderr
    errors = [item.get("error", "") for item in json.loads(ran.stdout)]
    assert errors[3] == ""
    for error in errors[:3]:
        assert "is defined in the notebook, and the package cloudpickle is missing" in error


def test_a_real_kernel_there_and_back(tmp_path: Path, notebook: Namespaces, pack_file: Packs) -> None:
    book = notebook(
        """
        import numpy as np
        scale = 2
        class Model:
            def fit(self, table): self.mean = table.mean() * scale; return self
        def train(table): return Model().fit(table + offset)
        """,
        table=np.ones(50_000),
    )
    pack_file(tmp_path / "pack", book, "train", "table")
    (tmp_path / "results").mkdir()
    manager = KernelManager(kernel_name="python3")
    manager.start_kernel(cwd=str(tmp_path))
    client = manager.blocking_client()
    try:
        client.start_channels()
        client.wait_for_ready(timeout=60)
        _run(client, INSTALL)
        _run(client, f"sys.modules['_mlws_portable'].unpack_into({str(tmp_path / 'pack')!r}, globals())")
        _run(client, "offset = 1; model = train(table); table[0] = 5; display(repr(__builtins__))")
        _run(
            client,
            f"sys.modules['_mlws_portable'].pack_results(['model', 'train', 'table'], globals(),"
            f" {str(tmp_path / 'results')!r})",
        )
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)
    model = read_pack(tmp_path / "results" / "0.mlws", namespace=book)["model"]
    assert isinstance(model, book["Model"]) and model.mean == 4
    train = read_pack(tmp_path / "results" / "1.mlws", namespace=book)["train"]
    book["offset"] = 10
    assert train.__globals__ is book and train(book["table"]).mean == 22
    assert read_pack(tmp_path / "results" / "2.mlws", namespace=book)["table"][0] == 5


def _run(client: Any, code: str) -> None:
    reply = client.execute_interactive(code, timeout=60, output_hook=lambda message: None)
    assert reply["content"]["status"] == "ok", reply["content"]


MEASURE = """
import resource, sys
import numpy as np
from jupyter_mlws.capture.packing import pack
from jupyter_mlws.capture.portable import read_pack

class Nowhere:
    def write(self, data):
        return len(data)

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)

value = np.zeros((1 << 23, 16))  # a gigabyte that holds no memory until it is touched
if sys.argv[1] == "frame":
    import pandas as pd
    value = pd.DataFrame(value, copy=False)
pack({"warm": [value[:100]]}, sink=Nowhere(), namespace=globals())
before = peak()
inputs = pack({"value": value}, sink=Nowhere(), namespace=globals())
print(inputs.size, peak() - before)
"""


@pytest.mark.parametrize("kind", ["array", "frame"])
def test_a_gigabyte_is_packed_without_a_copy(kind: str) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", MEASURE, kind], capture_output=True, text=True, timeout=240, check=False
    )
    assert ran.returncode == 0, ran.stderr
    size, extra = map(int, ran.stdout.split())
    assert size > 1 << 30
    assert extra < 100 << 20


READ = """
import resource, sys
import numpy
from jupyter_mlws.capture.portable import read_pack

def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)

before = peak()
value = read_pack(sys.argv[1], namespace=globals())["value"]
value[0] = 1
print(value.nbytes, peak() - before)
"""


class Holes:
    """A file in which stretches of zeros take no room on the disk."""

    def __init__(self, path: Path) -> None:
        self.file = path.open("wb")

    def write(self, data: Any) -> int:
        view = memoryview(data)
        if view.nbytes >= 1 << 20:
            self.file.seek(view.nbytes, 1)
        else:
            self.file.write(view)
        return view.nbytes


def test_a_gigabyte_is_mapped_not_read(tmp_path: Path) -> None:
    sink: Any = Holes(tmp_path / "pack")
    written = portable.write_pack({"value": np.zeros(1 << 27)}, sink, namespace={})
    sink.file.truncate(written["size"])
    sink.file.close()
    ran = subprocess.run(
        [sys.executable, "-c", READ, str(tmp_path / "pack")],
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    size, extra = map(int, ran.stdout.split())
    assert size == 1 << 30
    assert extra < 100 << 20
