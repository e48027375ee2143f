"""What a cell takes along from the notebook."""

from __future__ import annotations

import functools
import math
import os
import os.path
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from jupyter_mlws.capture.gather import NameNotDefined, gather


def test_values_and_modules_in_the_order_of_use() -> None:
    namespace = {"path": os.path, "m": math, "table": [1], "unused": open, "k": None}
    captured = gather("x = m.sqrt(k) + len(table); path.join", namespace)
    assert list(captured.variables) == ["m", "k", "table", "path"]
    assert captured.variables["table"] is namespace["table"]
    assert captured.modules == {"m": "math", "path": os.path.__name__}
    assert captured.names.defines == ("x",)


def test_every_missing_name_is_named() -> None:
    with pytest.raises(NameNotDefined) as raised:
        gather("fit(model, data); print(epochs)", {"model": 1})
    assert raised.value.names == ("fit", "data", "epochs")
    assert raised.value.message == (
        "The names `fit`, `data`, `epochs` are used in the cell and not defined in the notebook."
    )
    assert "--in" in (raised.value.hint or "")
    with pytest.raises(NameNotDefined, match="The name `data` is used in the cell and not defined"):
        gather("data", {})


def test_what_the_cell_may_do_without_is_not_missing() -> None:
    source = "if fresh:\n    model = 1\nprint(model)\ndef later(): return soon"
    assert set(gather(source, {"fresh": 1}).variables) == {"fresh"}
    assert set(gather(source, {"fresh": 1, "model": 2, "soon": 3}).variables) == {"fresh", "model", "soon"}


def test_only_says_what_to_send_but_modules_come_along() -> None:
    namespace = {"m": math, "a": 1, "b": 2, "c": 3}
    captured = gather("m.sqrt(a + b + undefined)", namespace, only=["b", "c"])
    assert list(captured.variables) == ["b", "c", "m"]
    with pytest.raises(NameNotDefined, match="The name `d` is given with --in and not defined"):
        gather("a", namespace, only=["a", "d"])
    assert gather("a", namespace, only=[]).variables == {}


def test_a_variable_in_place_of_a_builtin_is_sent() -> None:
    @functools.wraps(open)
    def of_ipython(*arguments: Any) -> Any: ...

    namespace: dict[str, Any] = {"input": [1, 2], "max": max, "open": of_ipython, "exit": object()}
    assert gather("max(input); open; exit", namespace).variables == {"input": [1, 2]}


def test_many_and_long_names_are_told_short() -> None:
    source = "\n".join(f"name{'x' * 10_000}{index}" for index in range(30))
    with pytest.raises(NameNotDefined) as raised:
        gather(source, {})
    assert len(raised.value.names) == 30
    assert len(raised.value.message) < 3000
    assert "and 10 more" in raised.value.message


def test_the_namespace_of_a_real_shell_is_not_taken_for_the_users(tmp_path: Path) -> None:
    code = """
from IPython.core.interactiveshell import InteractiveShell
from jupyter_mlws.capture.gather import gather
shell = InteractiveShell(history_length=0)
shell.run_cell("mine = 1")
source = "mine; open; exit; quit; get_ipython; display; In; Out; _; __; _i; _i1; _dh; print"
print(list(gather(source, shell.user_ns).variables))
"""
    ran = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "IPYTHONDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.stdout.splitlines()[-1:] == ["['mine']"], ran.stderr
