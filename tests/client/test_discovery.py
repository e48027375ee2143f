import json
import os
import subprocess
import sys

import psutil
import pytest

from jupyter_mlws.client import discovery, places
from jupyter_mlws.store import layout

WORKSPACE = "0123456789abcdef0123456789abcdef"
OTHER = "fedcba9876543210fedcba9876543210"


@pytest.fixture
def sleeper():
    process = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    yield process
    process.kill()
    process.wait()


def word_of(pid=None, *, workspace_id=WORKSPACE, folder=WORKSPACE, started=None, **more):
    pid = pid or os.getpid()
    file = places.runtime_folder(folder) / f"server-{pid}.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    if started is None:
        started = psutil.Process(pid).create_time()
    told = {
        "pid": pid,
        "process_started": started,
        "url": f"http://127.0.0.1:{pid}/base/",
        "token": "secret",
        "workspace": "/w",
        "workspace_id": workspace_id,
        "headless": False,
        **more,
    }
    file.write_text(json.dumps(told))
    return file


def a_workspace(path, id=WORKSPACE):
    path.mkdir(parents=True, exist_ok=True)
    (path / "workspace.json").write_text(json.dumps({"id": id, "name": "w", "format": 1}))


def test_the_places_are_those_of_the_store(place, monkeypatch):
    assert places.runtime_folder(WORKSPACE) == layout.runtime_folder(WORKSPACE)
    monkeypatch.delenv("XDG_RUNTIME_DIR")
    monkeypatch.setenv("TMPDIR", str(place.root))
    monkeypatch.setattr("tempfile.tempdir", None)
    assert places.runtime_folder(WORKSPACE) == layout.runtime_folder(WORKSPACE)


def test_the_workspace_is_chosen_as_the_store_does(place, monkeypatch):
    from jupyter_mlws.store import workspaces

    def same(choice=None):
        return places.choose(choice).path == workspaces.resolve(choice).root

    assert same()
    assert same("churn")
    assert same("/some/where/")
    monkeypatch.delenv("MLWS_WORKSPACE")
    assert same()
    assert places.choose(None).asked == "default"
    workspaces.create("churn")
    workspaces.use("churn")
    assert same()
    assert places.choose(None).asked == "churn"


def test_a_living_server_is_found(place):
    word_of()
    (found,) = discovery.servers_of(WORKSPACE)
    assert found.url == f"http://127.0.0.1:{os.getpid()}/base"
    assert found.token == "secret"
    assert "secret" not in repr(found)


def test_a_dead_pid_a_reused_pid_and_a_broken_file_are_passed_over(place, sleeper):
    word_of(sleeper.pid)
    word_of(os.getpid(), started=12345.0)
    (places.runtime_folder(WORKSPACE) / "server-1.json").write_text("{")
    assert [each.pid for each in discovery.servers_of(WORKSPACE)] == [sleeper.pid]
    sleeper.kill()
    psutil.Process(sleeper.pid).status()  # it is a zombie of ours now, or about to be one
    while psutil.Process(sleeper.pid).status() != psutil.STATUS_ZOMBIE:
        pass
    assert discovery.servers_of(WORKSPACE) == []


def test_the_hint_comes_first_then_a_server_with_a_browser(place, sleeper):
    headless = word_of(headless=True)
    word_of(sleeper.pid)
    assert [each.headless for each in discovery.servers_of(WORKSPACE)] == [False, True]
    assert [each.headless for each in discovery.servers_of(WORKSPACE, hint=str(headless))] == [True, False]


def test_a_server_that_went_on_to_another_workspace_serves_only_its_own_kernels(place):
    a_workspace(place.workspace)
    file = word_of(workspace_id=OTHER)
    hint = {"MLWS_RUNTIME_FILE": str(file)}
    assert discovery.find(places.choose(None), environment={}) is None
    assert discovery.find(places.choose(None), environment=hint).workspace_id == OTHER
    assert discovery.find(places.choose(str(place.workspace)), environment=hint) is None


def test_nothing_is_found_where_nothing_is(place):
    assert discovery.find(places.choose(None), environment={}) is None
    assert discovery.find(places.choose(None), environment={"MLWS_RUNTIME_FILE": "/nowhere"}) is None
