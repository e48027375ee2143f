# ruff: noqa: E501 - a table is read in rows
"""What cannot be sent is an error that names the variable, the place in it, and the reason."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import ctypes
import functools
import io
import mmap
import queue
import shelve
import socket
import sqlite3
import subprocess
import sys
import tempfile
import threading
import types
import weakref
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import ipywidgets
import numpy as np
import pandas as pd
import pytest
import sqlalchemy
import sqlalchemy.orm
from IPython.core.autocall import ExitAutocall

from jupyter_mlws.capture.packing import CannotCapture, pack
from jupyter_mlws.capture.portable import read_pack
from jupyter_mlws.model.job import Inputs


def _generator() -> Iterator[int]:
    yield 1


async def _coroutine() -> None: ...


async def _async_generator() -> Any:
    yield 1


def _frame() -> types.FrameType:
    return sys._getframe()


def _traceback() -> Any:
    try:
        raise ValueError
    except ValueError as error:
        return error.__traceback__


def _nested() -> list[Any]:
    outer: list[Any] = []
    for _ in range(100_000):
        outer = [outer]
    return outer


class Holder:
    def __init__(self, **parts: Any) -> None:
        self.__dict__.update(parts)


class Refuses:
    def __reduce__(self) -> Any:
        raise ValueError("I stay here")


class Leaves:
    def __reduce__(self) -> Any:
        sys.exit(3)


class RefusesState:
    def __getstate__(self) -> Any:
        raise KeyError("nothing")


class Unspeakable(Exception):
    def __str__(self) -> str:
        raise SystemError


class RaisesUnspeakable:
    def __reduce__(self) -> Any:
        raise Unspeakable


ENGINE = sqlalchemy.create_engine("sqlite://")

# What makes the value, and what the sentence says after "it ".
HOSTILE: dict[str, tuple[Callable[[Path], Any], str]] = {
    "text file": (lambda p: (p / "a").open("w"), "is an open file ("),
    "file for reading": (lambda p: Path(__file__).open(), f"is an open file ({__file__})."),
    "binary file": (lambda p: Path(__file__).open("rb"), f"is an open file ({__file__})."),
    "raw file": (lambda p: Path(__file__).open("rb", buffering=0), "is an open file ("),
    "temporary file": (lambda p: tempfile.NamedTemporaryFile(), "is an open file ("),
    "spooled file": (lambda p: tempfile.SpooledTemporaryFile(), "is an open file ("),
    "temporary folder": (lambda p: tempfile.TemporaryDirectory(), "is a temporary folder, which is deleted with it ("),
    "zip file": (lambda p: zipfile.ZipFile(p / "z", "w"), "is an open file ("),
    "shelf": (lambda p: shelve.open(str(p / "s")), "is an open file ("),
    "mapped file": (lambda p: mmap.mmap(-1, 10), "is a file mapped to memory (mmap.mmap)."),
    "lock": (lambda p: threading.Lock(), "is a lock or another means of waiting between threads (_thread.lock)."),
    "rlock": (lambda p: threading.RLock(), "is a lock or another means of waiting between threads (_thread.RLock)."),
    "event": (lambda p: threading.Event(), "is a lock or another means of waiting between threads (threading.Event)."),
    "thread-local": (lambda p: threading.local(), "holds values of one thread alone (_thread._local)."),
    "asyncio lock": (lambda p: asyncio.Lock(), "is a lock or another means of waiting between threads (asyncio.locks.Lock)."),
    "queue": (lambda p: queue.Queue(), "is a queue between threads or processes (queue.Queue)."),
    "simple queue": (lambda p: queue.SimpleQueue(), "is a queue between threads or processes (_queue.SimpleQueue)."),
    "generator": (lambda p: _generator(), "is a generator (generator)."),
    "async generator": (lambda p: _async_generator(), "is a generator (async_generator)."),
    "coroutine": (lambda p: _coroutine(), "is a coroutine (coroutine)."),
    "future": (lambda p: concurrent.futures.Future(), "is a task or future of this process ("),
    "executor": (lambda p: concurrent.futures.ThreadPoolExecutor(), "is a running process or a pool of them ("),
    "event loop": (lambda p: asyncio.new_event_loop(), "belongs to this kernel ("),
    "thread": (lambda p: threading.Thread(), "is a thread (threading.Thread)."),
    "process": (lambda p: subprocess.Popen([sys.executable, "-c", ""]), "is a running process or a pool of them ("),
    "socket": (lambda p: socket.socket(), "is a network connection (socket.socket)."),
    "sqlite": (lambda p: sqlite3.connect(":memory:"), "is a connection to a database (sqlite3.Connection)."),
    "cursor": (lambda p: sqlite3.connect(":memory:").cursor(), "is a connection to a database (sqlite3.Cursor)."),
    "engine": (lambda p: ENGINE, "is a connection to a database (sqlalchemy.engine.base.Engine)."),
    "connection": (lambda p: ENGINE.connect(), "is a connection to a database (sqlalchemy.engine.base.Connection)."),
    "session": (lambda p: sqlalchemy.orm.Session(ENGINE), "is a connection to a database (sqlalchemy.orm.session.Session)."),
    "widget": (lambda p: ipywidgets.IntSlider(), "is a widget, which lives in this notebook's page ("),
    "shell": (lambda p: ExitAutocall(), "belongs to this kernel ("),
    "weak reference": (lambda p: weakref.ref(ENGINE), "is a weak reference (weakref.ReferenceType)."),
    "frame": (lambda p: _frame(), "is a frame of running code (frame)."),
    "traceback": (lambda p: _traceback(), "is a traceback (traceback)."),
    "pointer": (lambda p: ctypes.pointer(ctypes.c_int()), "which Python cannot pickle (ValueError: ctypes objects containing pointers cannot be pickled)."),
    "too deep": (lambda p: _nested(), "is nested too deep (Python stops at "),
    "own reduce": (lambda p: Refuses(), "and packing it raised ValueError: I stay here."),
    "leaves": (lambda p: Leaves(), "and packing it raised SystemExit: 3."),
    "own state": (lambda p: RefusesState(), "and packing it raised KeyError: 'nothing'."),
    "unspeakable": (lambda p: RaisesUnspeakable(), "and packing it raised Unspeakable."),
    "module without a file": (lambda p: _module_with_lock(), "`v.lock` is a lock"),
}  # fmt: skip


def _module_with_lock() -> types.ModuleType:
    module = types.ModuleType("dynamic")
    module.__dict__["lock"] = threading.Lock()
    return module


def _close(value: Any) -> None:
    if isinstance(value, subprocess.Popen):
        value.wait()
    for name in ("close", "shutdown", "cleanup"):
        with contextlib.suppress(Exception):
            getattr(value, name)()


@pytest.mark.parametrize("kind", HOSTILE)
def test_what_cannot_be_sent_says_what_it_is(tmp_path: Path, kind: str, notebook: Namespaces) -> None:
    make, reason = HOSTILE[kind]
    value = make(tmp_path)
    sink = io.BytesIO()
    try:
        with pytest.raises(CannotCapture) as raised:
            pack({"fine": 1, "v": value}, sink=sink, namespace=notebook())
    finally:
        _close(value)
    error = raised.value
    assert error.name == "v"
    assert error.message.startswith("The variable `v` cannot be sent to the job: ")
    assert reason in error.message
    assert error.hint and error.info.code == "cannot_capture"
    assert len(error.message) < 700
    assert sink.getvalue() == b""


Namespaces = Callable[..., dict[str, Any]]
LOCK = threading.Lock()


def _model() -> Holder:
    model = Holder(callbacks=[1, Holder(file=LOCK)], size=3)
    model.owner = model
    return model


def _with_parent() -> Holder:
    kept = Holder(first=Holder(), last=None)
    kept.first.parent = kept
    kept.last = LOCK
    return kept


class _Bound:
    def __init__(self, lock: Any) -> None:
        self.lock = lock

    def call(self) -> None: ...


PLACES: dict[str, tuple[Callable[[Namespaces], Any], str]] = {
    "attributes and items": (lambda _: _model(), "v.callbacks[1].file"),
    "nearest": (lambda _: {"far": [[[LOCK]]], "near": LOCK}, "v['near']"),
    "quotes in keys": (lambda _: {"a'\"\n\x00": [LOCK]}, "v['a\\'\"\\n\\x00'][0]"),
    "long key": (lambda _: {"k" * 10_000: LOCK}, f"v['{'k' * 40}']"),
    "tuple key": (lambda _: {(1, 2): LOCK}, "v[…]"),
    "column": (lambda _: pd.DataFrame({"a": [1, 2], "b": [None, LOCK]}), "v['b'][1]"),
    "object array": (lambda _: np.array([1, LOCK], dtype=object), "v[1]"),
    "global of a function": (
        lambda run: run("def use(): return deep", deep={"x": [LOCK]})["use"],
        "v → deep['x'][0]",
    ),
    "closure": (lambda run: run("def outer(k): return lambda: k")["outer"](LOCK), "v → k"),
    "class": (lambda run: run("class C:\n    guard = lock", lock=LOCK)["C"], "v.guard"),
    "instance of it": (lambda run: run("class C:\n    guard = lock\nc = C()", lock=LOCK)["c"], "v.guard"),
    "loop": (lambda _: _with_parent(), "v.last"),
    "set of holders": (lambda _: {Holder(lock=LOCK)}, "v{…}.lock"),
    "bound method": (lambda _: _Bound(LOCK).call, "v.__self__.lock"),
    "default value": (lambda run: run("def f(a=lock): pass", lock=LOCK)["f"], "v(default value)"),
    "partial": (lambda _: functools.partial(print, 1, file=LOCK), "v.keywords['file']"),
    "million": (lambda _: [*range(1_000_000), LOCK], "v[1000000]"),
}


@pytest.mark.parametrize("place", PLACES)
def test_the_place_is_named(place: str, notebook: Namespaces) -> None:
    make, path = PLACES[place]
    with pytest.raises(CannotCapture) as raised:
        pack({"v": make(notebook)}, sink=io.BytesIO(), namespace=notebook())
    assert raised.value.path == path
    assert "is a lock" in raised.value.reason


def test_a_global_that_a_function_uses_is_named_by_itself(notebook: Namespaces) -> None:
    book = notebook("def load(): return conn.execute('x')", conn=sqlite3.connect(":memory:"))
    with pytest.raises(CannotCapture) as raised:
        pack({"load": book["load"]}, sink=io.BytesIO(), namespace=book)
    book["conn"].close()
    assert raised.value.message == (
        "The variable `load` cannot be sent to the job: `conn`, which `load` uses, is a connection to a database"
        " (sqlite3.Connection)."
    )
    assert raised.value.hint == "Connect in the job's own code."


def test_a_lock_that_is_never_pickled_does_no_harm(tmp_path: Path, notebook: Namespaces) -> None:
    book = notebook(
        """
        import threading
        class Careful:
            def __init__(self): self.lock = threading.Lock(); self.x = 1
            def __getstate__(self): return {'x': self.x}
        careful = Careful()
        """
    )
    with (tmp_path / "pack").open("wb") as file:
        pack({"careful": book["careful"]}, sink=file, namespace=book)
    assert read_pack(tmp_path / "pack", namespace=notebook())["careful"].x == 1


def test_inputs_are_the_products_record(tmp_path: Path, notebook: Namespaces) -> None:
    path = tmp_path / "pack"
    with path.open("wb") as file:
        inputs = pack({"a": 1, "größe ../'": [2], "m": io}, sink=file, namespace=notebook())
    assert isinstance(inputs, Inputs)
    assert inputs.size == path.stat().st_size
    assert [(item.name, item.type) for item in inputs.items] == [
        ("a", "int"),
        ("größe ../'", "list"),
        ("m", "module"),
    ]
    assert pack({}, sink=io.BytesIO(), namespace=notebook()).items == []


def test_the_standard_streams_stay_those_of_the_kernel(tmp_path: Path, notebook: Namespaces) -> None:
    with (tmp_path / "pack").open("wb") as file:
        pack({"out": sys.stdout, "deep": [sys.stderr]}, sink=file, namespace=notebook())
    assert read_pack(tmp_path / "pack", namespace={}) == {"out": sys.stdout, "deep": [sys.stderr]}
