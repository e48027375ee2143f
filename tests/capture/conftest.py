"""A namespace that stands for the notebook: what a kernel has in `__main__`, without being `__main__`.

The `__main__` of a test is pytest itself; code executed here has `__name__ == "__main__"` and globals of its
own, as in a kernel.
"""

from __future__ import annotations

import builtins
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from jupyter_mlws.capture import portable


def _notebook(source: str = "", **variables: Any) -> dict[str, Any]:
    namespace: dict[str, Any] = {"__name__": "__main__", "__builtins__": builtins, **variables}
    exec(compile(textwrap.dedent(source), "<cell>", "exec", dont_inherit=True), namespace)
    return namespace


@pytest.fixture
def notebook() -> Callable[..., dict[str, Any]]:
    """Run source, with variables given, and return the namespace."""
    return _notebook


@pytest.fixture
def pack_file() -> Callable[..., dict[str, Any]]:
    """Pack names of a namespace into a file."""

    def write(path: Path, namespace: dict[str, Any], *names: str) -> dict[str, Any]:
        with path.open("wb") as file:
            return portable.write_pack({name: namespace[name] for name in names}, file, namespace=namespace)

    return write
