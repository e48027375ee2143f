"""Packs: there and back in one process, into namespaces that stand for notebook and kernel."""

from __future__ import annotations

import ast
import hashlib
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from jupyter_mlws.capture import portable
from jupyter_mlws.capture.portable import UnpackError, read_header, read_pack, unpack_into

Namespaces = Callable[..., dict[str, Any]]
Packs = Callable[..., dict[str, Any]]
HOSTILE_NAMES = [
    "'",
    '"',
    "\n",
    "../../etc/passwd",
    "größe",
    "数据",
    "\ud800",
    "",
    "x" * 10_000,
    "__main__",
    "a.b[0]",
]


def test_values_come_back(tmp_path: Path, pack_file: Packs) -> None:
    values: dict[str, Any] = {
        "nothing": None,
        "number": 1.5,
        "text": "ünïcødé\0\ud800",
        "nested": [{"a": (1, {2, 3})}, b"bytes", bytearray(b"more")],
        "frame": pd.DataFrame({"a": [1, 2], "b": ["x", None]}),
        "big": 10**5000,
        "nan": float("nan"),
    }
    pack_file(tmp_path / "pack", values, *values)
    read = read_pack(tmp_path / "pack", namespace={})
    assert list(read) == list(values)
    assert read["nested"] == values["nested"]
    assert read["text"] == values["text"]
    pd.testing.assert_frame_equal(read["frame"], values["frame"])


def test_large_arrays_are_mapped_writable_and_outlive_the_file(tmp_path: Path, pack_file: Packs) -> None:
    array = np.arange(100_000, dtype=float)
    fortran = np.asfortranarray(array.reshape(100, 1000))
    fixed = array.copy()
    fixed.flags.writeable = False
    pack_file(tmp_path / "pack", locals(), "array", "fortran", "fixed")
    before = (tmp_path / "pack").read_bytes()
    first = read_pack(tmp_path / "pack", namespace={})
    second = read_pack(tmp_path / "pack", namespace={})
    first["array"][0] = 7
    first["fortran"][:] = 0
    assert (tmp_path / "pack").read_bytes() == before
    assert second["array"][0] == 0
    (tmp_path / "pack").unlink()
    assert second["array"].sum() == array.sum()
    assert second["fortran"].flags.f_contiguous
    assert not second["fixed"].flags.writeable
    assert all(item["array"].ctypes.data % 64 == 0 for item in (first, second))


def test_text_columns_are_sent_as_they_lie(tmp_path: Path, pack_file: Packs) -> None:
    table = pd.DataFrame({"text": ["some text"] * 50_000 + [None], "number": range(50_001)})
    parts = pd.concat([table, table])  # two chunks, an index that repeats
    slice_ = table[40_000:]
    written = pack_file(tmp_path / "pack", locals(), "table", "parts", "slice_")
    read = read_pack(tmp_path / "pack", namespace={})
    for name, value in (("table", table), ("parts", parts), ("slice_", slice_)):
        pd.testing.assert_frame_equal(read[name], value)
    assert written["items"][2]["size"] < written["items"][0]["size"] / 2


def test_what_is_shared_stays_shared_and_counts_once(
    tmp_path: Path, notebook: Namespaces, pack_file: Packs
) -> None:
    rows = np.zeros(100_000)
    namespace = notebook("box = [rows]; other = {'box': box}; loop = []; loop.append(loop)", rows=rows)
    written = pack_file(tmp_path / "pack", namespace, "rows", "box", "other", "loop")
    read = read_pack(tmp_path / "pack", namespace={})
    assert read["box"][0] is read["rows"]
    assert read["other"]["box"] is read["box"]
    assert read["loop"][0] is read["loop"]
    sizes = [item["size"] for item in written["items"]]
    assert sizes[0] > rows.nbytes and sum(sizes[1:]) < 1000


def test_sizes_and_hashes(tmp_path: Path, notebook: Namespaces, pack_file: Packs) -> None:
    namespace = notebook("a = bytes(200_000); b = 'text'", c=np.ones(100_000), d=np.ones(3_000_000))
    written = pack_file(tmp_path / "pack", namespace, "a", "b", "c", "d")
    content = (tmp_path / "pack").read_bytes()
    assert written["size"] == len(content)
    assert written["sha256"] == hashlib.sha256(content).hexdigest()
    header = read_header(tmp_path / "pack")
    assert [item["name"] for item in header["names"]] == ["a", "b", "c", "d"]
    start = -(-(len(portable.MAGIC) + 8 + int.from_bytes(content[10:18], "big")) // 64) * 64
    at = start
    shares = []
    for item, buffers in zip(written["items"], (0, 0, 1, 1), strict=True):
        size = item["size"] - (800_000 if item["name"] == "c" else 24_000_000 if item["name"] == "d" else 0)
        shares.append((content[at : at + size], buffers))
        at += size
    for item, (share, _) in zip(written["items"][:2], shares, strict=False):
        assert item["sha256"] == hashlib.sha256(share).hexdigest()
    for item, (share, _), (offset, size) in zip(
        written["items"][2:], shares[2:], header["buffers"], strict=True
    ):
        buffer = content[start + offset : start + offset + size]
        assert (start + offset) % 64 == 0
        assert item["sha256"] == hashlib.sha256(share + buffer).hexdigest()


def test_a_function_sees_what_the_kernel_assigns_later(
    tmp_path: Path, notebook: Namespaces, pack_file: Packs
) -> None:
    book = notebook(
        """
        import math as m
        factor = 2
        def helper(x): return m.floor(x) * factor
        def predict(x): return helper(x) + bias
        """
    )
    pack_file(tmp_path / "pack", book, "predict")
    kernel = notebook(factor=1)
    assert unpack_into(tmp_path / "pack", kernel) == ["predict"]
    assert kernel["predict"].__globals__ is kernel
    assert kernel["factor"] == 2  # what the function uses comes with it
    assert "bias" not in kernel
    kernel["bias"] = 10
    assert kernel["predict"](1.5) == 12
    kernel["factor"] = 3
    assert kernel["predict"](1.5) == 13
    assert kernel["__builtins__"] is sys.modules["builtins"]


def test_a_function_that_comes_back_changes_nothing_of_the_notebook(
    tmp_path: Path, notebook: Namespaces
) -> None:
    kernel = notebook("model = 'new'; scale = 3\ndef predict(): return model, scale")
    portable.pack_results(["predict"], kernel, tmp_path)
    book = notebook(model="mine")
    read = read_pack(tmp_path / "0.mlws", namespace=book)
    assert book["model"] == "mine" and book["scale"] == 3
    assert "predict" not in book
    assert read["predict"]() == ("mine", 3)


def test_definitions_of_the_notebook(tmp_path: Path, notebook: Namespaces, pack_file: Packs) -> None:
    source = """
        import abc, collections, dataclasses, enum, functools, typing
        from pydantic import BaseModel
        class Base(abc.ABC):
            made = []
            @abc.abstractmethod
            def area(self): ...
        class Square(Base):
            def __init__(self, a): self.a = a
            def area(self): return super().__init__() or self.a ** 2
            @property
            def side(self): return self.a
            @classmethod
            def unit(cls): return cls(1)
        @dataclasses.dataclass
        class Point:
            x: int
            tags: list = dataclasses.field(default_factory=list)
        class Color(enum.Enum):
            RED = 1
        Pair = collections.namedtuple('Pair', 'a b')
        class Typed(typing.NamedTuple):
            a: int
        class Slotted:
            __slots__ = ('a',)
        class Config(BaseModel):
            depth: int = 3
        UserId = typing.NewType('UserId', int)
        T = typing.TypeVar('T')
        class Broken(Exception): pass
        @functools.lru_cache(maxsize=7)
        def cached(n): return n if n < 2 else cached(n - 1) + cached(n - 2)
        @functools.wraps(cached)
        def wrapper(*args): return cached(*args)
        def outer(k):
            def inner(x): return x + k
            return inner
        closure = outer(5)
        partial = functools.partial(closure, 1)
        method = Square(3).area
        async def wait(): return 1
        def generate(): yield 1
        red = Color.RED
        slotted = Slotted(); slotted.a = 1
    """
    book = notebook(source)
    names = [name for name in book if not name.startswith("__") and name not in ("abc", "typing")]
    pack_file(tmp_path / "pack", book, *names)
    kernel = notebook()
    unpack_into(tmp_path / "pack", kernel)
    expressions = """
        Square(3).area(), Square.unit().side, method(), isinstance(Square(1), Base), issubclass(Square, Base)
        Point(1), Point(1).tags == [], Color.RED is red, Color(1).name, Pair(1, 2).b, Typed(1).a
        Config(depth=4).depth, UserId(3), T.__name__, str(Broken('x'))
        cached(30), cached.cache_info().maxsize, slotted.a, wrapper(10)
        closure(1), partial(), list(generate())
        functools.reduce(lambda a, b: a + b, [1, 2])
    """
    for line in filter(None, map(str.strip, expressions.splitlines())):
        assert repr(eval(f"[{line}]", kernel)) == repr(eval(f"[{line}]", book))


def test_instances_come_back_as_the_notebooks_own_class(
    tmp_path: Path, notebook: Namespaces, pack_file: Packs
) -> None:
    book = notebook("class Model:\n    k = 1")
    pack_file(tmp_path / "there", book, "Model")
    kernel = notebook()
    unpack_into(tmp_path / "there", kernel)
    exec("model = Model(); model.weights = [1]", kernel)
    portable.pack_results(["model"], kernel, tmp_path)
    back = read_pack(tmp_path / "0.mlws", namespace=book)["model"]
    assert isinstance(back, book["Model"]) and back.weights == [1]


def test_what_the_shell_has_itself_is_not_sent(
    tmp_path: Path, notebook: Namespaces, pack_file: Packs
) -> None:
    shell_like = notebook("def f(): return get_ipython, In, Out, _, _12, exit, __name__, _mine")
    shell_like.update(get_ipython=open, In=[1], Out={}, _=iter(()), _12=1, exit=2, _mine=3)
    pack_file(tmp_path / "pack", shell_like, "f")
    kernel = notebook(get_ipython="own")
    unpack_into(tmp_path / "pack", kernel)
    assert kernel["get_ipython"] == "own" and kernel["_mine"] == 3
    assert not {"In", "Out", "_", "_12", "exit"} & set(kernel)


def test_a_module_beside_the_notebook_goes_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, notebook: Namespaces, pack_file: Packs
) -> None:
    (tmp_path / "beside_the_notebook.py").write_text("class Thing:\n    pass\ndef make(): return Thing()\n")
    monkeypatch.syspath_prepend(tmp_path)
    book = notebook("import beside_the_notebook as b; thing = b.make(); make = b.make")
    pack_file(tmp_path / "pack", book, "b", "thing", "make")
    assert not any(item["code"] for item in read_header(tmp_path / "pack")["names"])
    read = read_pack(tmp_path / "pack", namespace={})
    assert read["b"] is book["b"] and read["make"] is book["make"]
    # Where it is missing, the sentence names it and the variable.
    del sys.modules["beside_the_notebook"]
    monkeypatch.setattr(sys, "path", [entry for entry in sys.path if entry != str(tmp_path)])
    with pytest.raises(
        UnpackError, match="The variable `b` needs the package beside_the_notebook, which is missing"
    ):
        read_pack(tmp_path / "pack", namespace={})


@pytest.mark.parametrize("name", HOSTILE_NAMES, ids=lambda name: ascii(name[:20]))
def test_no_name_is_a_path(tmp_path: Path, name: str) -> None:
    folder = tmp_path / "inside" / "results"
    folder.mkdir(parents=True)
    namespace: dict[str, Any] = {name: {name: [name]}, "other": 1}
    items = portable.pack_results([name, "other", name], namespace, folder)
    assert [item["name"] for item in items] == [name, "other"]
    assert json.loads((folder / "results.json").read_text()) == {name: "0.mlws", "other": "1.mlws"}
    assert sorted(path.name for path in tmp_path.rglob("*") if path.is_file()) == [
        "0.mlws",
        "1.mlws",
        "results.json",
    ]
    assert read_pack(folder / "0.mlws", namespace={}) == {name: {name: [name]}}


def test_results_say_what_they_are_or_why_not(tmp_path: Path, notebook: Namespaces) -> None:
    kernel = notebook(
        "import math\ntable = 1.5\nf = open('/dev/null')", model=pd.DataFrame(np.zeros((7043, 21)))
    )
    kernel["locked"] = {"deep": [__import__("threading").Lock()]}
    items = portable.pack_results(["table", "math", "f", "missing", "model", "locked"], kernel, tmp_path)
    kernel["f"].close()
    by_name = {item["name"]: item for item in items}
    assert list(by_name) == ["table", "math", "f", "missing", "model", "locked"]
    for name, file in (("table", "0.mlws"), ("model", "1.mlws")):
        content = (tmp_path / file).read_bytes()
        assert by_name[name]["size"] == len(content)
        assert by_name[name]["sha256"] == hashlib.sha256(content).hexdigest()
        assert "error" not in by_name[name]
    assert by_name["model"]["preview"] == "DataFrame 7,043 × 21"
    errors = {name: item["error"] for name, item in by_name.items() if "error" in item}
    assert errors == {
        "math": "It is a module: write `import math` where you need it.",
        "f": "It is an open file (/dev/null).",
        "missing": "It was not assigned.",
        "locked": "`locked['deep'][0]` is a lock or another means of waiting between threads (_thread.lock).",
    }
    assert {path.name for path in tmp_path.iterdir()} == {"0.mlws", "1.mlws", "results.json"}


def test_a_result_that_cannot_be_written_says_so(tmp_path: Path) -> None:
    (tmp_path / "0.mlws").mkdir()
    (item,) = portable.pack_results(["x"], {"x": 1}, tmp_path)
    assert item["error"].startswith("It could not be written: IsADirectoryError")


class _Bare:
    def method(self, b: int = 1) -> None: ...


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.843, "float 0.843"),
        (True, "bool True"),
        (None, "NoneType"),
        (10**5000, "int of 16,610 bits"),
        ("short\n", r"str 'short\n'"),
        ("x" * 200, f"str {'x' * 60!r}… (200 characters)"),
        (b"abc", "bytes of 3 bytes"),
        ([1, 2], "list of 2"),
        ({}, "dict of 0"),
        (np.zeros((100, 3)), "ndarray float64 (100, 3)"),
        (np.zeros(5), "ndarray float64 (5,)"),
        (np.float64(2.5), "float64 2.5"),
        (pd.Series([1, 2]), "Series int64 (2,)"),
        (pd.DataFrame({"a": range(1000)}), "DataFrame 1,000 × 1"),
        (int, "class int"),
        (_Bare.method, "function method(self, b)"),
        (len, "builtin_function_or_method"),
    ],
    ids=lambda value: ascii(value)[:20] if isinstance(value, str) else "",
)
def test_previews(value: object, text: str) -> None:
    assert portable.preview(value) == text


def test_a_preview_runs_no_code_of_the_user(notebook: Namespaces) -> None:
    book = notebook(
        """
        class Evil(list):
            def __repr__(self): raise SystemExit
            def __len__(self): raise SystemExit
            def __getattribute__(self, name): raise SystemExit
        evil = Evil()
        """
    )
    assert portable.preview(book["evil"]) == "Evil"


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        (b"", "is not a pack of variables"),
        (b"PK\x03\x04 something else", "is not a pack of variables"),
        (portable.MAGIC, "is damaged or cut short"),
        (portable.MAGIC + (2**60).to_bytes(8, "big"), "is damaged or cut short"),
        (portable.MAGIC + (2).to_bytes(8, "big") + b"{}", "is damaged or cut short"),
        (portable.MAGIC + (2).to_bytes(8, "big") + b"\xff{", "is damaged or cut short"),
    ],
    ids=["empty", "zip", "magic", "length", "header", "json"],
)
def test_a_broken_pack_is_told(tmp_path: Path, content: bytes, sentence: str) -> None:
    (tmp_path / "pack").write_bytes(content)
    with pytest.raises(UnpackError, match=sentence):
        read_pack(tmp_path / "pack", namespace={})


def test_a_pack_cut_anywhere_is_told(tmp_path: Path, notebook: Namespaces, pack_file: Packs) -> None:
    pack_file(tmp_path / "pack", notebook(a=np.ones(20_000), b=[1, 2]), "a", "b")
    whole = (tmp_path / "pack").read_bytes()
    for length in range(0, len(whole), 4001):
        (tmp_path / "cut").write_bytes(whole[:length])
        with pytest.raises(UnpackError):
            read_pack(tmp_path / "cut", namespace={})
    with pytest.raises(UnpackError, match="cannot be opened"):
        read_pack(tmp_path / "none", namespace={})


def test_code_of_another_python_is_refused_and_data_is_not(
    tmp_path: Path, notebook: Namespaces, pack_file: Packs
) -> None:
    pack_file(tmp_path / "data", {"x": [1]}, "x")
    pack_file(tmp_path / "code", notebook("x = 1\ndef f(): return x"), "x", "f")
    here = f"{sys.version_info[0]}.{sys.version_info[1]}"
    for name in ("data", "code"):
        content = (tmp_path / name).read_bytes()
        changed = content.replace(f'"python":"{here}"'.encode(), b'"python":"3.99"', 1)
        (tmp_path / name).write_bytes(changed)
    assert read_pack(tmp_path / "data", namespace={}) == {"x": [1]}
    namespace = notebook()
    before = dict(namespace)
    with pytest.raises(UnpackError) as raised:
        unpack_into(tmp_path / "code", namespace)
    assert f"The variable `f` holds code of Python 3.99, and this kernel runs Python {here}" in str(
        raised.value
    )
    assert namespace == before


def test_a_failure_leaves_the_namespace_as_it_was(
    tmp_path: Path, notebook: Namespaces, pack_file: Packs
) -> None:
    source = """
        used = 1
        def f(): return used
        def fail(): raise ValueError("not today")
        class Bad:
            def __reduce__(self): return fail, ()
        bad = Bad()
    """
    pack_file(tmp_path / "pack", notebook(source), "f", "bad")
    namespace = notebook(used="mine")
    before = dict(namespace)
    with pytest.raises(UnpackError, match="The variable `bad` could not be unpacked in Python .*not today"):
        unpack_into(tmp_path / "pack", namespace)
    assert namespace == before


def test_it_stands_alone_and_is_python_3_9() -> None:
    """The floor of jobs' kernels cannot be installed here: the grammar at least is checked."""
    source = Path(portable.__file__).read_text()
    tree = ast.parse(source, feature_version=(3, 9))
    modules = {
        name.split(".")[0]
        for node in ast.walk(tree)
        if isinstance(node, (ast.Import, ast.ImportFrom))
        for name in (
            [node.module or ""] if isinstance(node, ast.ImportFrom) else [a.name for a in node.names]
        )
    }
    assert modules <= set(sys.stdlib_module_names)
