from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from jupyter_mlws.processes.runtime_folder import (
    NoWorkspaceId,
    RuntimeFolderUnsafe,
    make_runtime_folder,
    runtime_folder,
    runtime_root,
    system_folder,
)
from tests.fixtures.place import Place

ID = "0123456789abcdef" * 2


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_it_is_short_and_private_however_it_was_made(place: Place) -> None:
    folder = runtime_folder(ID)
    assert folder == place.runtime / "mlws" / ID[:12]
    assert not folder.parent.exists()
    assert make_runtime_folder(ID) == folder
    for each in (folder, folder.parent):
        assert mode(each) == 0o700
        each.chmod(0o755)
    assert make_runtime_folder(ID) == folder
    assert [mode(each) for each in (folder, folder.parent)] == [0o700, 0o700]


@pytest.mark.parametrize("given", [None, "", "{}/missing", "{}/file", "run"])
def test_without_one_of_the_system_it_is_a_temporary_one(
    place: Place, monkeypatch: pytest.MonkeyPatch, given: str | None
) -> None:
    (place.root / "file").touch()
    monkeypatch.chdir(place.root)  # where `run` is a folder, which is another one for other processes
    if given is None:
        monkeypatch.delenv("XDG_RUNTIME_DIR")
    else:
        monkeypatch.setenv("XDG_RUNTIME_DIR", given.format(place.root))
    monkeypatch.setattr("tempfile.tempdir", str(place.home))
    assert make_runtime_folder(ID) == place.home / f"mlws-{os.getuid()}" / ID[:12]


def test_that_of_another_user_is_left_alone(place: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(place.home))
    other = os.getuid() + 1
    monkeypatch.setattr(os, "getuid", lambda: other)  # as after `sudo`, which may write there
    assert system_folder() is None
    assert runtime_root() == place.home / f"mlws-{other}"


@pytest.mark.parametrize("trap", ["link", "dangling", "file"])
def test_what_somebody_else_put_in_its_place_is_refused(place: Place, trap: str) -> None:
    at = place.runtime / "mlws"
    if trap == "file":
        at.touch()
    else:
        at.symlink_to(place.home if trap == "link" else place.root / "nothing")
    with pytest.raises(RuntimeFolderUnsafe, match="does not belong to you"):
        make_runtime_folder(ID)


@pytest.mark.parametrize("id", ["", "../../../x", "a/b/c/d/e/f", "short", ID + "\n", ID.upper()])
def test_nothing_but_an_id_names_a_folder(id: str) -> None:
    with pytest.raises(NoWorkspaceId):
        runtime_folder(id)
