"""Bad files, bad values and bad servers, through the command line, Python and REST."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import sys

import httpx
import pytest

import jupyter_mlws as mlws
from jupyter_mlws.client.options import JobInvalid
from jupyter_mlws.client.results import JobFailed
from jupyter_mlws.model.errors import MlwsError
from jupyter_mlws.model.parameters import ParameterInvalid
from tests.hostile.conftest import files_of

EMPTY = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": []}
CELL = {"cell_type": "code", "id": "a", "metadata": {}, "outputs": [], "execution_count": None}
TAGGED = {**CELL, "metadata": {"tags": ["parameters"]}, "source": "depth = 1"}
PRINTS = {**CELL, "id": "b", "source": "print(repr(depth))"}
OLD = {
    "nbformat": 3,
    "nbformat_minor": 0,
    "metadata": {"name": ""},
    "worksheets": [
        {
            "metadata": {},
            "cells": [
                {
                    "cell_type": "code",
                    "language": "python",
                    "metadata": {},
                    "outputs": [],
                    "input": ["print('from format 3')"],
                }
            ],
        }
    ],
}


@pytest.fixture(scope="module")
def folder(place_of):
    """Notebooks and scripts of all bad kinds."""
    place = place_of.folder
    (place / "text.ipynb").write_text("I am no notebook")
    (place / "bytes.ipynb").write_bytes(b"\x00\xff\xfe" * 1000)
    (place / "list.ipynb").write_text("[1, 2]")
    (place / "nothing.ipynb").write_text("")
    (place / "future.ipynb").write_text(json.dumps({**EMPTY, "nbformat": 99}))
    (place / "empty.ipynb").write_text(json.dumps(EMPTY))
    (place / "old.ipynb").write_text(json.dumps(OLD))
    (place / "tagged.ipynb").write_text(json.dumps({**EMPTY, "cells": [TAGGED, PRINTS]}))
    julia = {"kernelspec": {"name": "julia-9.9", "display_name": "Julia"}}
    (place / "julia.ipynb").write_text(json.dumps({**EMPTY, "metadata": julia}))
    (place / "ü ☃ 'q'.py").write_text("print('odd name')\n")
    return place


def refused(done: subprocess.CompletedProcess[str], *, code: int = 1) -> str:
    """What the command line said when it refused: never a way through Python code."""
    assert done.returncode == code, done
    assert "Traceback" not in done.stderr
    assert done.stderr.startswith(("Error: ", "Usage: ")), done.stderr
    return done.stderr


@pytest.mark.parametrize(
    ("file", "said"),
    [
        ("text", "text.ipynb is no notebook: it is not JSON"),
        ("bytes", "bytes.ipynb is no notebook: it is not JSON"),
        ("list", "list.ipynb is no notebook: it is JSON without nbformat"),
        ("nothing", "nothing.ipynb is empty"),
        ("future", "notebook of format 99"),
        ("missing", "missing.ipynb cannot be read: No such file"),
        ("julia", "There is no kernel 'julia-9.9'"),
    ],
)
def test_what_is_no_notebook(folder, command_line, ws, file, said):
    told = refused(command_line("job", "submit", f"{file}.ipynb"))
    assert said in told
    assert len(told.splitlines()) == 2, "a sentence, and what to do"
    with pytest.raises(MlwsError, match="kernel|notebook|empty|cannot be read"):
        ws.jobs.submit(folder / f"{file}.ipynb")
    assert not ws.jobs.list(q=file)


def test_notebooks_that_are_odd_and_run(folder, command_line):
    assert command_line("job", "submit", "empty.ipynb", "--wait").returncode == 0
    assert "from format 3\n" in command_line("job", "submit", "old.ipynb", "--follow").stdout
    assert "odd name\n" in command_line("job", "submit", "ü ☃ 'q'.py", "--follow").stdout


def test_a_notebook_sent_over_rest_is_checked_as_well(folder, jupyter_server):
    with jupyter_server.client() as client:
        for content in (b"not json", b"[]", b""):
            digest = hashlib.sha256(content).hexdigest()
            client.put(f"/blobs/{digest}", content=content)
            answer = client.post("/jobs", json={"kind": "notebook", "name": "raw", "notebook": digest})
            assert answer.status_code == 400
            assert set(answer.json()["error"]) == {"code", "message", "hint"}
            assert "'raw'" in answer.json()["error"]["message"]


def test_a_parameter_that_the_notebook_does_not_have(folder, command_line, ws):
    told = refused(command_line("job", "submit", "tagged.ipynb", "-p", "dpeth", "6"))
    assert "has no parameter 'dpeth'" in told
    assert "has depth" in told
    with pytest.raises(MlwsError, match="has no parameter 'dpeth'"):
        ws.jobs.submit(folder / "tagged.ipynb", parameters={"dpeth": 6})
    known = ws.jobs.submit(folder / "tagged.ipynb", parameters={"depth": 6})
    with pytest.raises(MlwsError, match="has no parameter 'dpeth'"):
        known.rerun(parameters={"dpeth": 6})


def test_parameters_of_any_content_reach_a_notebook(folder, command_line, ws):
    value = ["it's", 'a "quote"\n', [1, {"x": None, "y": float("nan")}], "../", "☃"]
    job = ws.jobs.submit(folder / "tagged.ipynb", parameters={"depth": value})
    assert job.wait().logs() == f"{value!r}\n"
    done = command_line("job", "submit", "tagged.ipynb", "--follow", "-p", "depth", "[nan, 'a\\nb']")
    assert done.stdout == "[nan, 'a\\nb']\n"
    done = command_line("job", "submit", "tagged.ipynb", "--follow", "-p", "depth", "line 1\nline 2")
    assert done.stdout == "'line 1\\nline 2'\n"
    for bad in ({"depth": {1, 2}}, {"depth": object()}, {"a b": 1}, {"class": 1}, {"depth": {1: 2}}):
        with pytest.raises(ParameterInvalid, match="depth|a b|class"):
            ws.jobs.submit(folder / "tagged.ipynb", parameters=bad)
    with pytest.raises(JobInvalid, match="a name of type int"):
        ws.jobs.submit(folder / "tagged.ipynb", parameters={3: 1})


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (["--name", "n" * 10_000], "(10,000 characters) is not valid: it is longer than 255"),
        (["--name", "a\nb"], "holds a line break"),
        (["--name", ""], "it is empty"),
        (["--memory", "lots"], "'lots' is not an amount of memory"),
        (["--memory", "1K"], "less than 16 MB"),
        (["--memory", "900T"], "more than the compute local has"),
        (["--cpus", "999"], "more than the compute local has"),
        (["--timeout", "-3"], "'-3' is not a length of time"),
        (["--retries", "1000"], "The retries 1000 is not valid"),
        (["--compute", "moon"], "There is no compute 'moon'"),
        (["--kernel", "nosuch"], "There is no kernel 'nosuch'"),
    ],
)
def test_options_that_cannot_be(folder, command_line, options, said):
    told = refused(command_line("job", "submit", "empty.ipynb", *options))
    assert said in told
    assert len(told) < 500


def test_names_never_become_paths(folder, place_of, command_line, ws):
    files = files_of(place_of)
    name = "../../../naïve ☃ 'q' \"d\""
    done = command_line("job", "submit", "empty.ipynb", "--name", name, "--experiment", name, "--wait")
    assert done.returncode == 0
    assert ws.jobs.find(name).status == "Completed"
    with pytest.raises(MlwsError, match="no job"):
        ws.jobs.get("../../workspace.json")
    assert files_of(place_of) == files


def test_a_function_that_uses_what_is_not_there(ws):
    with pytest.raises(JobFailed, match="name 'missing_everywhere' is not defined"):
        ws.jobs.submit(lambda: missing_everywhere).result()  # noqa: F821
    with pytest.raises(MlwsError, match="cannot be submitted"):
        ws.jobs.submit(3)


def test_an_empty_list_says_whether_it_was_filtered(command_line):
    assert "No job matches" in command_line("job", "list", "--name", "nobody's").stdout


def test_a_wrong_token_at_every_door(folder, jupyter_server, command_line):
    wrong = {"MLWS_SERVER_URL": jupyter_server.url, "MLWS_TOKEN": "wrong-token"}
    told = refused(command_line("job", "list", environment=wrong))
    assert "refuses the token from MLWS_TOKEN" in told
    assert "wrong-token" not in told
    with pytest.raises(MlwsError, match="refuses the token from the argument token") as caught:
        mlws.connect(url=jupyter_server.url, token="wrong-token")
    assert caught.value.hint
    for headers in ({}, {"Authorization": "token wrong-token"}):
        answer = httpx.get(f"{jupyter_server.api}/jobs", headers=headers)
        assert answer.status_code == 401
        assert answer.json()["error"]["hint"]
        assert "wrong-token" not in answer.text


def without_rights() -> list[str]:
    """The start of a command line whose process is bound by the modes of files."""
    if os.geteuid() != 0:
        return []
    setpriv = shutil.which("setpriv")
    if setpriv is None:
        pytest.skip("root is not bound by the modes of files, and there is no setpriv to give that up")
    return [setpriv, "--inh-caps=-all", "--bounding-set=-dac_override,-dac_read_search"]


def test_a_workspace_that_is_read_only(place):
    place.workspace.mkdir(mode=0o500)
    (place.folder / "work.py").write_text("print(1)")
    done = subprocess.run(
        [*without_rights(), sys.executable, "-m", "jupyter_mlws", "job", "submit", "work.py"],
        cwd=place.folder,
        env=place.environ(),
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 1
    assert "Traceback" not in done.stderr
    assert f"{place.workspace} is read-only" in done.stderr
    assert "choose another workspace" in done.stderr
    assert list(place.workspace.iterdir()) == []
