from __future__ import annotations

import json
import shutil
import stat
import tempfile
from pathlib import Path

import pytest

from jupyter_mlws.store import jobs, workspaces
from jupyter_mlws.store.blobs import Blobs
from jupyter_mlws.store.database import Database
from jupyter_mlws.store.description import NotAWorkspace, WorkspaceNotFound, WorkspaceTooNew
from jupyter_mlws.store.layout import Layout

NOBODY = 65534


@pytest.fixture
def no_choice(monkeypatch):
    monkeypatch.delenv("MLWS_WORKSPACE")


def test_opening_makes_a_private_workspace_once(layout):
    first = workspaces.open(layout)
    assert workspaces.open(layout) == first
    assert first.path == str(layout.root)
    assert first.current
    assert stat.S_IMODE(layout.root.stat().st_mode) == 0o700
    assert stat.S_IMODE(layout.description.stat().st_mode) == 0o600
    assert set(json.loads(layout.description.read_text())) == {"id", "name", "created_at", "format"}


def test_the_choice_is_argument_variable_current_default(place, monkeypatch):
    top = place.data / "mlws" / "workspaces"
    assert workspaces.resolve().root == place.workspace
    assert workspaces.resolve("a").root == top / "a"
    assert workspaces.resolve(str(place.root / "b")).root == place.root / "b"
    monkeypatch.setenv("MLWS_WORKSPACE", "c")
    assert workspaces.resolve().root == top / "c"
    monkeypatch.delenv("MLWS_WORKSPACE")
    assert workspaces.resolve().root == top / "default"
    workspaces.create("d")
    workspaces.use("d")
    assert workspaces.resolve().root == top / "d"
    assert (place.data / "mlws" / "current").read_text() == "d"
    monkeypatch.setenv("MLWS_WORKSPACE", "")
    assert workspaces.resolve().root == top / "d"
    monkeypatch.chdir(place.root)
    assert workspaces.resolve("./e").root == place.root / "e"
    monkeypatch.setenv("HOME", str(place.home))
    assert workspaces.resolve("~/f").root == place.home / "f"


def test_create_list_use(no_choice, place):
    assert workspaces.list() == []
    one = workspaces.create("one")
    two = workspaces.create("two")
    assert workspaces.list() == [one, two]
    assert not one.current
    assert one.id != two.id
    assert workspaces.use("two").current
    assert [(each.name, each.current) for each in workspaces.list()] == [("one", False), ("two", True)]
    with pytest.raises(workspaces.WorkspaceExists, match="'one'"):
        workspaces.create("one")
    with pytest.raises(WorkspaceNotFound):
        workspaces.use("three")
    assert not (place.data / "mlws" / "workspaces" / "three").exists()


def test_a_workspace_by_path_can_be_current(no_choice, place):
    path = str(place.root / "far" / "away é")
    made = workspaces.open(workspaces.resolve(path))
    assert made.name == "workspace"
    workspaces.use(path)
    assert workspaces.resolve().root == Path(path)
    assert [(each.path, each.current) for each in workspaces.list()] == [(path, True)]


@pytest.mark.parametrize(
    "name", ["..", ".", "-x", "é", "a b", "x" * 65, "x" * 10_000, "a\nb", "'", "a\0", "a\n"]
)
def test_a_name_that_is_no_name_is_a_sentence(no_choice, place, name):
    for ask in (workspaces.create, workspaces.use, workspaces.resolve):
        with pytest.raises(workspaces.WorkspaceNameInvalid) as caught:
            ask(name)
        assert len(str(caught.value)) < 400
    assert not (place.data / "mlws").exists()


@pytest.mark.parametrize("name", ["../x", "/tmp/x", "a/b"])
def test_create_makes_nothing_outside_its_place(no_choice, place, name):
    with pytest.raises(workspaces.WorkspaceNameInvalid):
        workspaces.create(name)


@pytest.mark.parametrize("path", ["/x\0y", "/" + "x" * 10_000, "~nobody-of-this-name/x"])
def test_a_path_that_is_no_path_is_a_sentence(path):
    with pytest.raises(workspaces.WorkspaceNameInvalid):
        workspaces.resolve(path)


def test_a_broken_choice_or_folder_does_not_hide_the_others(place, monkeypatch):
    monkeypatch.setenv("MLWS_WORKSPACE", "é")
    one = workspaces.create("one")
    top = place.data / "mlws" / "workspaces"
    (top / "file").write_text("x")
    (top / "empty").mkdir()
    (top / "broken").mkdir()
    (top / "broken" / "workspace.json").write_text("{")
    assert workspaces.list() == [one]


def test_a_folder_with_other_things_is_left_alone(place):
    folder = place.root / "project"
    folder.mkdir()
    (folder / "thesis.tex").write_text("x")
    with pytest.raises(NotAWorkspace, match="not an empty folder"):
        workspaces.open(Layout(folder))
    assert [file.name for file in folder.iterdir()] == ["thesis.tex"]
    for path in (folder / "thesis.tex", folder / "thesis.tex" / "below"):
        with pytest.raises(NotAWorkspace, match="file"):
            workspaces.open(Layout(path))


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        "null",
        "{}",
        '{"id": "../x", "name": "a", "created_at": "2026-01-01T00:00:00Z"}',
        "\udcff",
        '{"format": "x"}',
    ],
)
def test_a_damaged_description_is_a_sentence(layout, content):
    layout.description.write_bytes(content.encode("utf-8", "surrogateescape"))
    with pytest.raises(NotAWorkspace, match="does not describe a workspace"):
        workspaces.open(layout)


def test_a_newer_format_is_a_sentence(layout):
    content = json.loads(layout.description.read_text())
    layout.description.write_text(json.dumps(content | {"format": 2, "more": 1}))
    with pytest.raises(WorkspaceTooNew, match="format 2"):
        workspaces.open(layout)


def test_what_a_killed_process_left_does_not_keep_the_folder_from_becoming_a_workspace(place):
    place.workspace.mkdir()
    (place.workspace / ".workspace.json.0123").write_text('{"id"')
    assert workspaces.open(Layout(place.workspace)).id


def test_a_moved_workspace_keeps_working(layout, place, make_job):
    db = Database.open(layout)
    job = make_job()
    with db.write() as tx:
        jobs.insert(tx, job)
    sha = Blobs(layout.blobs).put(b"hi")
    before = workspaces.open(layout)
    db.close()
    moved = Layout(place.root / "elsewhere" / "moved")
    moved.root.parent.mkdir()
    shutil.move(layout.root, moved.root)
    after = workspaces.open(moved)
    assert (after.id, after.name, after.path) == (before.id, before.name, str(moved.root))
    db = Database.open(moved)
    with db.read() as tx:
        assert jobs.get(tx, job.id) == job
    assert Blobs(moved.blobs).path(sha).read_bytes() == b"hi"
    db.close()


READ_ONLY = """
import json, os, sys
from jupyter_mlws.model.errors import MlwsError
from jupyter_mlws.store import workspaces
from jupyter_mlws.store.blobs import Blobs
from jupyter_mlws.store.database import Database
from jupyter_mlws.store.layout import Layout

def attempt(action):
    try:
        action()
    except MlwsError as error:
        return [type(error).__name__, str(error)]
    return ["done", ""]

def everything(layout):
    return {
        "open": attempt(lambda: workspaces.open(layout)),
        "database": attempt(lambda: Database.open(layout).close()),
        "blob": attempt(lambda: Blobs(layout.blobs).put(b"hi")),
        "use": attempt(lambda: workspaces.use(str(layout.root))),
    }

# Once where it works: all that is imported on the way may lie where the other user cannot read.
everything(workspaces.resolve())
if os.getuid() == 0:
    # root is not bound by the mode of a folder.
    os.setgroups([])
    os.setgid(%(nobody)d)
    os.setuid(%(nobody)d)
print(json.dumps(everything(Layout(__import__("pathlib").Path(sys.stdin.readline().strip())))))
"""


def read_only_answers(start_python, root):
    process = start_python(READ_ONLY % {"nobody": NOBODY})
    process.stdin.write(f"{root}\n")
    out, error = process.communicate()
    assert error == ""
    return json.loads(out)


@pytest.fixture
def read_only(place):
    """A workspace that other users can read, and nobody but root can write."""
    root = Path(tempfile.mkdtemp(prefix="mlws-ro", dir="/tmp"))
    layout = Layout(root / "ws")
    workspaces.open(layout)
    Database.open(layout).close()
    root.chmod(0o755)
    place.data.chmod(0o555)
    for path in [layout.root, *layout.root.rglob("*")]:
        path.chmod(0o555 if path.is_dir() else 0o444)
    yield layout
    for path in [layout.root, *layout.root.rglob("*")]:
        if path.is_dir():
            path.chmod(0o755)
    shutil.rmtree(root)


def test_a_read_only_workspace_is_a_sentence_with_its_path(read_only, start_python):
    answers = read_only_answers(start_python, read_only.root)
    for what, path in {
        "open": read_only.root,
        "database": read_only.database,
        "blob": read_only.blobs,
    }.items():
        name, text = answers[what]
        assert name == "WorkspaceReadOnly", (what, text)
        assert str(path) in text
        assert "MLWS_WORKSPACE" in text
    assert answers["use"][0] == "WorkspaceReadOnly"


def test_a_folder_below_a_read_only_one_cannot_become_a_workspace(read_only, start_python):
    name, text = read_only_answers(start_python, read_only.root / "new" / "er")["open"]
    assert name == "WorkspaceReadOnly"
    assert str(read_only.root / "new" / "er") in text
