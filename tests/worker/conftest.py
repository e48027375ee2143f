"""Fixtures of the worker's suite: attempts in the test's own place."""

from __future__ import annotations

import contextlib
import itertools
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

sys.path.insert(0, str(Path(__file__).parent))

from attempts import Attempt, notebook_json, prepare, start


@pytest.fixture
def attempt(place: Any) -> Iterator[Callable[..., Attempt]]:
    """`attempt(code="1/0", task={...})`: an attempt whose worker runs; `.wait()` for its end."""
    numbers = itertools.count(1)
    made: list[Attempt] = []

    def begin(**options: Any) -> Attempt:
        made.append(start(prepare(place.root / f"attempt{next(numbers)}", **options)))
        return made[-1]

    yield begin
    for each in made:
        if each.process is not None and each.process.poll() is None:
            with contextlib.suppress(ProcessLookupError):
                each.process.kill()


@pytest.fixture
def run(attempt: Callable[..., Attempt]) -> Callable[..., Attempt]:
    """`run("print(1)")`: the attempt of a cell job, over."""

    def through(code: str = "", **options: Any) -> Attempt:
        return attempt(code=code, **options).wait()

    return through


@pytest.fixture
def run_notebook(attempt: Callable[..., Attempt], place: Any) -> Callable[..., Attempt]:
    """`run_notebook("a = 1", ("b = 2", ["tag"]))`: the attempt of a notebook job, over."""
    numbers = itertools.count(1)

    def through(*cells: Any, content: Any = None, **options: Any) -> Attempt:
        path = place.folder / f"{next(numbers)}.ipynb"
        made = notebook_json(*cells) if content is None else content
        path.write_bytes(made if isinstance(made, bytes) else json.dumps(made).encode())
        task = {"notebook": str(path), **options.pop("task", {})}
        return attempt(kind="notebook", notebook="0" * 64, path=path.name, task=task, **options).wait()

    return through


@pytest.fixture
def kernelspec(place: Any) -> Callable[..., str]:
    """`kernelspec("broken", argv=[...])`: a kernelspec in the test's own place; its name."""

    def write(name: str, *, argv: list[str], language: str = "python", **fields: Any) -> str:
        folder = place.data / "kernels" / name
        folder.mkdir(parents=True)
        spec = {"argv": argv, "display_name": name, "language": language, **fields}
        (folder / "kernel.json").write_text(json.dumps(spec))
        return name

    return write
