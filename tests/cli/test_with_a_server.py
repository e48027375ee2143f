"""The command line against a real server, as a shell runs it."""

import json
import os
import pty
import random
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

INTERRUPTED = str(Path(__file__).parent / "interrupted.py")


@pytest.fixture
def mlws(jupyter_server):
    """`mlws("job", "list")`: run the command in the server's place and return what it gave."""

    def run(*words, cwd=None, code=0):
        done = subprocess.run(
            [sys.executable, "-m", "jupyter_mlws", *map(str, words)],
            capture_output=True,
            text=True,
            env=jupyter_server.place.environ(),
            cwd=cwd or jupyter_server.place.folder,
            stdin=subprocess.DEVNULL,
            timeout=120,
        )
        assert done.returncode == code, f"{words}: {done}"
        assert "Traceback (most recent call last)" not in done.stderr
        return done

    return run


@pytest.fixture
def script(jupyter_server):
    """`script("name", source)`: a script in the server's folder."""

    def write(name, source):
        path = jupyter_server.place.folder / f"{name}.py"
        path.write_text(source)
        return path

    return write


def test_a_script_is_submitted_and_followed(mlws, script):
    done = mlws("job", "submit", script("good", "print('seen')"), "--follow", "--name", "good one")
    assert done.stdout == "seen\n"
    assert "✓ Completed  good one" in done.stderr
    assert "\x1b" not in done.stdout + done.stderr


def test_the_exit_code_is_that_of_the_job(mlws, script):
    done = mlws("job", "submit", script("bad", "raise ValueError('no')"), "--wait", code=1)
    assert "✕ Failed" in done.stderr
    assert "ValueError: no" in done.stderr


def test_an_id_is_printed_for_scripts(mlws, script):
    job_id = mlws("job", "submit", script("quick", "pass")).stdout.strip()
    assert re.fullmatch("[0-9a-z]{13}", job_id)
    record = json.loads(mlws("job", "wait", job_id, "--json").stdout)
    assert (record["id"], record["status"]) == (job_id, "Completed")
    assert job_id in mlws("job", "show", job_id).stdout


def test_a_notebook_with_parameters_and_results(mlws, jupyter_server):
    cells = [
        {"source": "depth = 1", "metadata": {"tags": ["parameters"]}},
        {"source": "score = depth * 7\nprint(word)", "metadata": {}},
    ]
    cells[0]["source"] += "\nword = ''"
    for number, cell in enumerate(cells):
        cell.update(cell_type="code", id=f"c{number}", outputs=[], execution_count=None)
    content = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells}
    path = jupyter_server.place.folder / "train.ipynb"
    path.write_text(json.dumps(content))
    done = mlws(
        "job", "submit", "train.ipynb", "-p", "depth", "6", "-p", "word", "it's", "--out", "score", "--follow"
    )
    assert done.stdout == "it's\n"
    assert "42" in mlws("job", "result", "train", "score").stdout
    assert "score" in mlws("job", "result", "train").stdout
    assert json.loads(mlws("job", "result", "train", "--json").stdout)[0]["name"] == "score"
    executed = json.loads(mlws("job", "notebook", "train").stdout)
    assert executed["nbformat"] == 4
    mlws("job", "submit", "train.ipynb", "-p", "dept", "6", code=1)


def test_logs_are_text_or_json_lines(mlws, script):
    mlws("job", "submit", script("talk", "for i in range(5): print('line', i)"), "--wait", "--name", "talk")
    assert mlws("job", "logs", "talk").stdout == "".join(f"line {i}\n" for i in range(5))
    assert mlws("job", "logs", "talk", "-n", "2").stdout == "line 3\nline 4\n"
    events = [json.loads(line) for line in mlws("job", "logs", "talk", "--json").stdout.splitlines()]
    assert (events[0]["type"], events[-1]["status"]) == ("attempt", "Completed")
    followed = mlws("job", "logs", "talk", "--follow", "--json").stdout.splitlines()
    assert json.loads(followed[-1])["status"] == "Completed"


def test_cancel_is_exit_code_3(mlws, script):
    job_id = mlws("job", "submit", script("long", "import time\ntime.sleep(300)")).stdout.strip()
    assert "is being ended" in mlws("job", "cancel", job_id).stdout
    mlws("job", "wait", job_id, code=3)
    assert "has ended" in mlws("job", "cancel", job_id).stdout
    again = mlws("job", "rerun", job_id, "--name", "again").stdout.strip()
    mlws("job", "wait", again, "--timeout", "0.2s", code=1)
    mlws("job", "cancel", again)
    mlws("job", "wait", again, code=3)
    refused = mlws("job", "delete", again, code=2)
    assert "--yes" in refused.stderr
    assert "is being deleted" in mlws("job", "delete", again, "--yes").stdout
    assert "There is no job" in mlws("job", "show", again, code=1).stderr
    mlws("job", "show", "no such job", code=1)


def test_ctrl_c_stops_following_and_not_the_job(mlws, script, jupyter_server):
    path = script("patient", "import time\nprint('began', flush=True)\ntime.sleep(300)")
    process = subprocess.Popen(
        [sys.executable, "-m", "jupyter_mlws", "job", "submit", str(path), "--follow"],
        env=jupyter_server.place.environ(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout.readline() == "began\n"
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130, said
    job_id = re.search("jupyter mlws job cancel ([0-9a-z]{13})", said)[1]
    assert json.loads(mlws("job", "show", job_id, "--json").stdout)["status"] == "Running"
    mlws("job", "cancel", job_id)


@pytest.mark.slow
def test_ctrl_c_at_any_moment_ends_the_command_as_ctrl_c(mlws, script, jupyter_server):
    path = script("endless", "import time\nprint('began', flush=True)\ntime.sleep(600)")
    job_id = mlws("job", "submit", path).stdout.strip()

    def interrupted(moment):
        return subprocess.run(
            [sys.executable, INTERRUPTED, str(moment), "job", "logs", job_id, "--follow"],
            env=jupyter_server.place.environ(),
            capture_output=True,
            text=True,
            timeout=60,
        )

    last = interrupted(0)
    assert (last.returncode, last.stdout) == (130, "began\n"), last
    calls = int(re.search(r"calls: (\d+)", last.stderr)[1])
    seeded = random.Random(20)
    # Most of its calls are imports; the request, the following and the output are in the last thousand.
    moments = [seeded.randrange(1, calls) for _ in range(4)]
    moments += [seeded.randrange(calls - 1000, calls) for _ in range(10)]
    for moment in moments:
        done = interrupted(moment)
        assert done.returncode == 130, (moment, calls, done)
        assert "Traceback" not in done.stderr, (moment, calls, done)
    assert json.loads(mlws("job", "show", job_id, "--json").stdout)["status"] == "Running"
    mlws("job", "cancel", job_id)


def test_lists_are_tables_or_json(mlws, script):
    mlws("job", "submit", script("listed", "pass"), "--wait", "--experiment", "lists")
    assert "listed" in mlws("job", "list", "--experiment", "lists").stdout
    found = json.loads(mlws("job", "list", "--experiment", "lists", "--json").stdout)
    assert [job["spec"]["name"] for job in found] == ["listed"]
    assert json.loads(mlws("job", "list", "--status", "completed", "--limit", "1", "--json").stdout)
    assert "No job matches" in mlws("job", "list", "--name", "none of that name").stdout
    assert json.loads(mlws("compute", "list", "--json").stdout)[0]["name"] == "local"
    assert "local" in mlws("compute", "list").stdout


def test_status_server_workspace_and_mlflow(mlws, jupyter_server):
    assert str(jupyter_server.workspace) in mlws("status").stdout
    assert json.loads(mlws("status", "--json").stdout)["workspace"]["path"] == str(jupyter_server.workspace)
    told = json.loads(mlws("server", "status", "--json").stdout)
    assert (told["url"], told["pid"]) == (jupyter_server.url.rstrip("/"), jupyter_server.process.pid)
    assert told["url"] in mlws("server", "start").stdout
    assert "JupyterLab or Jupyter server of yours" in mlws("server", "stop", code=1).stderr
    assert "/mlws/mlflow/" in mlws("mlflow").stdout
    assert json.loads(mlws("mlflow", "--json").stdout)["pages"].startswith(told["url"])
    assert "is made at" in mlws("workspace", "create", "spare").stdout
    assert "spare" in mlws("workspace", "list").stdout
    assert str(jupyter_server.workspace) in mlws("workspace", "show").stdout
    mlws("workspace", "create", "not a name", code=1)


def test_another_workspace_has_a_server_of_its_own(mlws, jupyter_server):
    folder = jupyter_server.place.root / "elsewhere"
    started = mlws("-w", folder, "server", "start")
    assert "starting one" in started.stderr
    assert "headless server" in started.stdout
    assert "ends" in mlws("-w", folder, "server", "stop").stdout
    mlws("server", "status")


def test_who_uses_another_workspace_is_told_that_the_shell_still_names_the_first(place, start_server):
    start_server()

    def told(*words, **environment):
        line = [sys.executable, "-m", "jupyter_mlws", "workspace", *words]
        done = subprocess.run(line, capture_output=True, text=True, env={**place.environ(), **environment})
        assert done.returncode == 0, done
        return done.stderr

    told("create", "second")
    assert f"MLWS_WORKSPACE={place.workspace} comes before it" in told("use", "second")
    assert told("use", "second", MLWS_WORKSPACE="second") == ""
    assert told("use", str(place.workspace), MLWS_WORKSPACE="") == ""


def test_a_terminal_gets_colours_and_a_live_line(jupyter_server, script):
    path = script("shown", "import time\nprint('first')\ntime.sleep(1)\nprint('second')")
    reading, writing = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "jupyter_mlws", "job", "submit", str(path), "--follow"],
        env={**jupyter_server.place.environ(), "TERM": "xterm-256color", "COLUMNS": "100"},
        stdout=writing,
        stderr=writing,
        stdin=writing,
        start_new_session=True,
    )
    os.close(writing)
    shown = b""
    try:
        while piece := os.read(reading, 65536):
            shown += piece
    except OSError:  # the other end of a pty that was closed
        pass
    assert process.wait(60) == 0
    text = shown.decode()
    assert "\x1b[" in text
    assert "first" in text
    assert "second" in text
    assert "Running  shown" in text
    assert "✓ Completed  shown" in text
