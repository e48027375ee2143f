import json
import os
import subprocess
import sys

import psutil
import pytest

from jupyter_mlws.client import discovery, places
from jupyter_mlws.client.places import WorkspaceNameInvalid
from jupyter_mlws.processes.identity import process_start
from jupyter_mlws.processes.runtime_folder import runtime_folder

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
    file = runtime_folder(folder) / f"server-{pid}.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    if started is None:
        started = process_start(pid)
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


@pytest.mark.parametrize("asked", ["{}/loop/x", "~nobody-of-that-name/x", "/with/\0", "/not/\udcff/text"])
def test_what_is_no_path_is_a_sentence_here_as_in_the_server(place, asked):
    from jupyter_mlws.store import workspaces

    (place.root / "loop").symlink_to(place.root / "loop")
    asked = asked.format(place.root)
    with pytest.raises(WorkspaceNameInvalid, match="is not the path of a folder"):
        places.choose(asked)
    with pytest.raises(workspaces.WorkspaceNameInvalid, match="is not the path of a folder"):
        workspaces.resolve(asked)


def test_a_damaged_workspace_is_as_none(place):
    for id in ("../..", 7, None):
        a_workspace(place.workspace, id=id)
        assert places.choose(None).id is None


def test_a_living_server_is_found(place):
    word_of()
    (found,) = discovery.servers_of(WORKSPACE)
    assert found.url == f"http://127.0.0.1:{os.getpid()}/base"
    assert found.token == "secret"
    assert "secret" not in repr(found)


def test_a_dead_pid_a_reused_pid_and_a_broken_file_are_passed_over(place, sleeper):
    word_of(sleeper.pid)
    word_of(os.getpid(), started=12345.0)
    (runtime_folder(WORKSPACE) / "server-1.json").write_text("{")
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
