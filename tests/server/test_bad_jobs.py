"""Jobs that cannot be: each refused with one sentence that has the value in it, and nothing is kept."""

from __future__ import annotations

import hashlib
import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

if TYPE_CHECKING:
    from tests.fixtures.servers import RunningServer

CELL = {"kind": "cell", "name": "a cell", "code": "1"}
SCRIPT = {"kind": "script", "name": "a script", "folder": "", "path": "run.py"}
NOTEBOOK = {"kind": "notebook", "name": "a notebook"}


@pytest.mark.parametrize(
    ("fields", "status", "said"),
    [
        ({"name": ""}, 422, "name"),
        ({"name": "x" * 10_000}, 422, "name"),
        ({"name": "a\nb"}, 422, "name"),
        ({"name": None}, 422, "name"),
        ({"kind": "dance"}, 422, "dance"),
        ({"code": None}, 422, "code"),
        ({"code": 7}, 422, "code"),
        ({"colour": "red"}, 422, "colour"),
        ({"parameters": {"not a name": 1}}, 422, "not a name"),
        ({"parameters": {"class": 1}}, 422, "class"),
        ({"parameters": {"x": {"$float": "many"}}}, 422, "many"),
        ({"parameters": {"x": {"$dict": 3}}}, 422, "$dict"),
        ({"parameters": [1]}, 422, "parameters"),
        ({"timeout": 0}, 422, "timeout"),
        ({"timeout": 1e999}, 400, ""),
        ({"retries": -1}, 422, "retries"),
        ({"retries": 10**30}, 422, "retries"),
        ({"resources": {"cpus": 0}}, 422, "cpus"),
        ({"resources": {"cpus": 4000}}, 422, "4000"),
        ({"resources": {"memory": 1}}, 422, "memory"),
        ({"resources": {"memory": 10**40}}, 422, ""),
        ({"resources": {"gpus": 64}}, 422, "64"),
        ({"compute": "moon"}, 404, "moon"),
        ({"compute": "../local"}, 404, "../local"),
        ({"kernel": {"name": "../../etc"}}, 422, "../../etc"),
        ({"kernel": {"name": "x" * 10_000}}, 422, "xxx"),
        ({"kernel": {"name": "a\0b"}}, 422, ""),
        ({"kernel": {"executable": "/no/python"}}, 422, "/no/python"),
        ({"kernel": {"executable": "/"}}, 422, "'/'"),
        ({"kernel": {"executable": "/a\0b"}}, 422, ""),
        ({"kernel": {"executable": "/" + "x" * 10_000}}, 422, "xxx"),
        ({"folder": "/no/such"}, 422, "/no/such"),
        ({"folder": "/a\0b"}, 422, ""),
        ({"folder": "a\0b"}, 422, ""),
        ({"folder": "../up"}, 422, "../up"),
        ({"folder": "/" + "x" * 10_000}, 422, "xxx"),
        ({"folder": "/" + "x/" * 5_000}, 422, "x/x"),
        ({"folder": "/etc/hostname"}, 422, "/etc/hostname"),
        ({"inputs": {"blob": "0" * 64, "size": 1}}, 422, "000000"),
        ({"inputs": {"blob": "../../x", "size": 1}}, 422, "../../x"),
        ({"environment": "0" * 64}, 422, "000000"),
        ({"kind": "notebook", "notebook": "0" * 64}, 422, "000000"),
        ({"kind": "notebook", "notebook": "not a hash"}, 422, "not a hash"),
        ({"kind": "script"}, 422, "path"),
        ({"kind": "function"}, 422, "inputs"),
        ({"outputs": ["not a name", "ok"]}, 422, "not a name"),
    ],
)
def test_what_cannot_run_is_refused(
    api: httpx.Client, an_error: Any, fields: dict[str, Any], status: int, said: str
) -> None:
    before = api.get("/jobs").json()["total"]
    error = an_error(
        api.post(
            "/jobs", content=json.dumps({**CELL, **fields}), headers={"Content-Type": "application/json"}
        ),
        status,
    )
    assert said in error["message"]
    assert len(error["message"]) < 1000
    assert api.get("/jobs").json()["total"] == before


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"", 400),
        (b"{", 400),
        (b"null", 422),
        (b"[]", 422),
        (b'"text"', 422),
        (b"\xff\xfe", 400),
        (b"[" * 100_000, 400),
        (b'{"kind":"cell","name":"a","code":"\\ud800"}', 400),
        (b'{"kind":"cell","name":"a","code":"1","parameters":{"x":NaN}}', 400),
        (b'{"kind":"cell","name":"a","code":"' + b"x" * 5_000_000 + b'"}', 413),
    ],
    ids=lambda value: str(value)[:20],
)
def test_bodies_that_are_no_job(api: httpx.Client, an_error: Any, body: bytes, status: int) -> None:
    an_error(api.post("/jobs", content=body, headers={"Content-Type": "application/json"}), status)


@pytest.mark.parametrize(
    "path", ["../../etc/passwd", "/etc/passwd", "a\0b", "x" * 10_000, "loop.py", "", "."]
)
def test_scripts_that_are_not_in_their_folder(
    api: httpx.Client, an_error: Any, jupyter_server: RunningServer, path: str
) -> None:
    folder = jupyter_server.place.folder
    loop = folder / "loop.py"
    if not loop.is_symlink():
        loop.symlink_to(loop)
    an_error(api.post("/jobs", json={**SCRIPT, "folder": str(folder), "path": path}), 422)


@pytest.mark.parametrize(
    ("content", "status"),
    [
        (b"", 400),
        (b"not json", 400),
        (b"{}", 400),
        (b"[]", 400),
        (b'{"nbformat": 2, "cells": []}', 400),
        (b'{"nbformat": 4}', 400),
        (b'{"nbformat": 4, "cells": {}}', 400),
        (b'{"nbformat": 4, "nbformat_minor": 5, "metadata": 3, "cells": []}', 400),
        (b'{"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": [1]}', 400),
        (b'{"nbformat": true, "cells": []}', 400),
    ],
)
def test_what_is_no_notebook(api: httpx.Client, an_error: Any, content: bytes, status: int) -> None:
    sha256 = hashlib.sha256(content).hexdigest()
    assert api.put(f"/blobs/{sha256}", content=content).status_code in (200, 201)
    an_error(api.post("/jobs", json={**NOTEBOOK, "notebook": sha256}), status)


@pytest.mark.parametrize("ignored", [b"\xff\xfe", b"!\n", b"[\n"])
def test_an_ignore_file_that_cannot_be_read_is_no_failure_of_ours(
    api: httpx.Client, jupyter_server: RunningServer, ignored: bytes, tmp_path: Path
) -> None:
    (tmp_path / "run.py").write_text("1")
    (tmp_path / ".mlwsignore").write_bytes(ignored)
    kernel = {"executable": sys.executable}
    answer = api.post("/jobs", json={**SCRIPT, "folder": str(tmp_path), "kernel": kernel})
    assert answer.status_code in (201, 422)


def test_a_folder_with_a_name_that_is_no_text(api: httpx.Client, an_error: Any, tmp_path: Path) -> None:
    (tmp_path / "run.py").write_text("1")
    try:
        (tmp_path / os.fsdecode(b"\xff.csv")).write_text("1")
    except OSError:
        pytest.skip("this file system takes no such name")
    kernel = {"executable": sys.executable}
    error = an_error(api.post("/jobs", json={**SCRIPT, "folder": str(tmp_path), "kernel": kernel}), 422)
    assert "UTF-8" in error["message"]
