"""`jupyter mlws compute` as a shell runs it; the server elsewhere is the module's own."""

import json
import os
import pty
import subprocess
import sys

import pytest


@pytest.fixture
def mlws(jupyter_server):
    """`mlws("list")`: run a command of `compute` in the server's place and return what it gave."""

    def run(*words, code=0, stdin=None, **variables):
        done = subprocess.run(
            [sys.executable, "-m", "jupyter_mlws", "compute", *map(str, words)],
            capture_output=True,
            text=True,
            input=stdin if stdin is not None else "",
            env={**jupyter_server.place.environ(), **variables},
            timeout=120,
        )
        assert done.returncode == code, f"{words}: {done}"
        assert "Traceback (most recent call last)" not in done.stderr
        assert jupyter_server.token not in done.stdout + done.stderr
        return done

    return run


@pytest.fixture
def token_file(jupyter_server):
    """A file that holds the token of the server elsewhere."""
    file = jupyter_server.place.root / "token"
    file.write_text(jupyter_server.token + "\n")
    return file


def test_made_listed_shown_checked_and_deleted(mlws, jupyter_server, token_file):
    url = jupyter_server.url
    done = mlws("create", "lab2", "--type", "jupyter", "--url", url, "--token-file", token_file, "--slots", 2)
    assert done.stdout == f"The compute 'lab2' is at {url.rstrip('/')}.\n"
    listed = mlws("list").stdout
    assert [line.split()[:3] for line in listed.splitlines()[1:]] == [
        ["lab2", "jupyter", "✓"],
        ["local", "local", "✓"],
    ]
    assert "0 / 2" in listed
    assert json.loads(mlws("list", "--json").stdout)[0]["has_token"] is True
    shown = mlws("show", "lab2").stdout
    assert "kept, never shown" in shown
    assert "guarantees" in shown
    assert json.loads(mlws("show", "lab2", "--json").stdout)["state"] == "ready"
    assert "✓ ready" in mlws("check", "lab2").stdout
    assert json.loads(mlws("check", "lab2", "--json").stdout)["reachable"] is True
    # The token that is kept goes on, since the address is the same.
    assert json.loads(mlws("create", "lab2", "--url", url, "--json").stdout)["capacity"]["slots"] == 1
    mlws("delete", "lab2", code=130)
    assert "is deleted" in mlws("delete", "lab2", "--yes").stdout
    assert "There is: local." in mlws("show", "lab2", code=1).stderr


def test_every_way_to_give_the_token(mlws, jupyter_server):
    url, token = jupyter_server.url, jupyter_server.token
    create = ("create", "lab3", "--url")
    for words, options in (
        ((*create, url, "--token-file", "-"), {"stdin": token}),
        ((*create, url), {"MLWS_COMPUTE_TOKEN": token}),
        ((*create, f"{url}lab?token={token}"), {}),
        ((*create, url, "--token", token), {}),
    ):
        mlws(*words, **options)
        assert json.loads(mlws("check", "lab3", "--json").stdout)["reachable"] is True
        mlws("delete", "lab3", "--yes")


def test_on_a_terminal_the_token_is_asked_for_and_not_echoed(mlws, jupyter_server, wait_for):
    main, side = pty.openpty()
    line = [sys.executable, "-m", "jupyter_mlws", "compute", "create", "asked", "--url", jupyter_server.url]
    process = subprocess.Popen(
        line,
        env=jupyter_server.place.environ(),
        stdin=side,
        stdout=side,
        stderr=side,
        start_new_session=True,
    )
    os.close(side)
    seen = b""
    while b"Token of that server" not in seen:
        seen += os.read(main, 4096)
    os.write(main, jupyter_server.token.encode() + b"\n")
    try:
        while piece := os.read(main, 4096):
            seen += piece
    except OSError:  # the other end of a pty that was closed
        pass
    os.close(main)
    assert process.wait(60) == 0, seen
    assert jupyter_server.token.encode() not in seen
    assert b"The compute 'asked' is at" in seen
    mlws("delete", "asked", "--yes")


def test_what_cannot_be_is_a_sentence(mlws, jupyter_server, token_file):
    url = jupyter_server.url
    wrong = mlws("create", "lab4", "--url", url, "--token-file", "-", stdin="wr0ng", code=1)
    assert "does not accept the token" in wrong.stderr
    assert "wr0ng" not in wrong.stderr
    assert "this machine" in mlws("create", "local", "--url", url, "--no-check", code=1).stderr
    assert "cannot be the name" in mlws("create", "a b", "--url", url, "--no-check", code=1).stderr
    assert "There is: jupyter." in mlws("create", "x", "--type", "slurm", "--url", url, code=1).stderr
    assert "http://" in mlws("create", "x", "--url", "ftp://h", code=1).stderr
    assert "cannot be read" in mlws("create", "x", "--url", url, "--token-file", "/nope", code=1).stderr
    mlws("create", "x", "--url", url, "--slots", "many", code=2)
    for option, value in (("--slots", "0"), ("--slots", "-1"), ("--price-per-hour", "nan")):
        assert "is not valid" in mlws("create", "x", "--url", url, option, value, code=1).stderr
    mlws("create", "x", code=2)
    mlws("create", "dead", "--url", "http://127.0.0.1:1", "--no-check", "--no-token")
    assert "○ unchecked" in mlws("list").stdout
    dead = mlws("check", "dead", code=1).stdout
    assert "✕ unreachable" in dead
    assert "http://127.0.0.1:1" in dead
    assert "✕ unreachable" in mlws("list").stdout
    mlws("delete", "dead", "-y")
