from __future__ import annotations

import os
from pathlib import Path

import pytest

from jupyter_mlws.jobs.snapshot import HashCache, Limits, SnapshotFailed, SnapshotTooLarge, restore, take
from jupyter_mlws.store.blobs import Blobs


@pytest.fixture
def blobs(tmp_path: Path) -> Blobs:
    return Blobs(tmp_path / "blobs")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "work"
    (folder / "src" / "__pycache__").mkdir(parents=True)
    (folder / ".git").mkdir()
    (folder / ".git" / "HEAD").write_text("ref")
    (folder / "src" / "__pycache__" / "m.pyc").write_text("cached")
    (folder / "src" / "größe.py").write_text("x = 1\n")
    (folder / "run.sh").write_text("#!/bin/sh\n")
    (folder / "run.sh").chmod(0o755)
    (folder / "data.csv").write_text("a,b\n" * 1000)
    return folder


def test_what_was_copied_is_as_it_was_though_the_folder_is_gone(
    folder: Path, blobs: Blobs, tmp_path: Path
) -> None:
    snapshot = take(folder, blobs, limits=Limits(), cache=HashCache())
    (folder / "src" / "größe.py").write_text("x = 2\n")
    (folder / "data.csv").unlink()
    target = tmp_path / "again"
    assert restore(snapshot, blobs, target) == []
    assert (target / "src" / "größe.py").read_text() == "x = 1\n"
    assert (target / "data.csv").read_text() == "a,b\n" * 1000
    assert os.access(target / "run.sh", os.X_OK)
    assert not (target / ".git").exists()
    assert not (target / "src" / "__pycache__").exists()


def test_what_is_too_large_is_linked_and_a_change_is_told(folder: Path, blobs: Blobs, tmp_path: Path) -> None:
    snapshot = take(folder, blobs, limits=Limits(single=100), cache=HashCache())
    assert [link.path for link in snapshot.linked] == ["data.csv"]
    assert restore(snapshot, blobs, tmp_path / "one") == []
    assert (tmp_path / "one" / "data.csv").read_text().startswith("a,b")
    (folder / "data.csv").write_text("changed")
    assert restore(snapshot, blobs, tmp_path / "two") == ["data.csv"]


def test_small_files_are_copied_before_the_total_is_spent(folder: Path, blobs: Blobs) -> None:
    snapshot = take(folder, blobs, limits=Limits(total=100), cache=HashCache())
    assert {file.path for file in snapshot.files} == {"run.sh", "src/größe.py"}


def test_the_script_itself_is_copied_whatever_its_size(folder: Path, blobs: Blobs) -> None:
    snapshot = take(folder, blobs, limits=Limits(single=10), cache=HashCache(), must="data.csv")
    assert "data.csv" in {file.path for file in snapshot.files}


def test_the_ignore_file_links_what_it_names(folder: Path, blobs: Blobs) -> None:
    (folder / ".mlwsignore").write_text("*.csv\n")
    snapshot = take(folder, blobs, limits=Limits(), cache=HashCache())
    assert [link.path for link in snapshot.linked] == ["data.csv"]


def test_a_link_stays_a_link(folder: Path, blobs: Blobs, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_text("far")
    (folder / "link").symlink_to(tmp_path / "elsewhere")
    snapshot = take(folder, blobs, limits=Limits(), cache=HashCache())
    restore(snapshot, blobs, tmp_path / "again")
    assert (tmp_path / "again" / "link").read_text() == "far"


def test_too_many_files_are_refused_with_the_folder_and_the_limit(folder: Path, blobs: Blobs) -> None:
    with pytest.raises(SnapshotTooLarge, match=r"more than 2 files") as caught:
        take(folder, blobs, limits=Limits(files=2), cache=HashCache())
    assert str(folder) in caught.value.message


def test_a_virtual_environment_is_left_out(folder: Path, blobs: Blobs) -> None:
    (folder / "env").mkdir()
    (folder / "env" / "pyvenv.cfg").write_text("")
    (folder / "env" / "python").write_text("")
    snapshot = take(folder, blobs, limits=Limits(), cache=HashCache())
    assert not any(file.path.startswith("env/") for file in snapshot.files)


def test_an_unchanged_file_is_not_read_again(folder: Path, blobs: Blobs) -> None:
    cache = HashCache()
    first = take(folder, blobs, limits=Limits(), cache=cache)
    for mark, _ in cache.known.values():
        assert mark
    assert take(folder, blobs, limits=Limits(), cache=cache) == first


def test_links_in_a_circle_and_deep_folders_end(folder: Path, blobs: Blobs, tmp_path: Path) -> None:
    (folder / "round").symlink_to(folder)
    (folder / "itself").symlink_to(folder / "itself")
    deep = folder.joinpath(*["d"] * 200)
    deep.mkdir(parents=True)
    (deep / "file.txt").write_text("deep")
    snapshot = take(folder, blobs, limits=Limits(), cache=HashCache())
    assert {link.path for link in snapshot.linked} == {"round", "itself"}
    assert any(file.path.endswith("d/file.txt") for file in snapshot.files)
    restore(snapshot, blobs, tmp_path / "again")
    assert (tmp_path / "again" / "round").is_symlink()


def test_a_name_that_is_not_utf_8_is_named(folder: Path, blobs: Blobs) -> None:
    try:
        (folder / os.fsdecode(b"\xff.csv")).write_text("1")
    except OSError:
        pytest.skip("this file system takes no such name")
    with pytest.raises(SnapshotFailed, match="UTF-8"):
        take(folder, blobs, limits=Limits(), cache=HashCache())


def test_an_ignore_file_of_any_bytes_is_read_or_named(folder: Path, blobs: Blobs) -> None:
    (folder / ".mlwsignore").write_bytes(b"\xff\xfe\n*.csv\n")
    snapshot = take(folder, blobs, limits=Limits(), cache=HashCache())
    assert [link.path for link in snapshot.linked] == ["data.csv"]
    (folder / ".mlwsignore").write_bytes(b"!\n")
    with pytest.raises(SnapshotFailed, match="pattern"):
        take(folder, blobs, limits=Limits(), cache=HashCache())


def test_a_file_that_cannot_be_read_is_named(folder: Path, blobs: Blobs) -> None:
    class Vanishing(HashCache):
        """The moment between a file's being found and its being read."""

        def get(self, path: str, facts: os.stat_result) -> str | None:
            Path(path).unlink()
            return None

    with pytest.raises(SnapshotFailed, match=r"größe\.py"):
        take(folder, blobs, limits=Limits(), cache=Vanishing())


def test_a_file_written_just_now_is_hashed_again(folder: Path, blobs: Blobs) -> None:
    cache = HashCache()
    facts = (folder / "run.sh").stat()
    cache.put("run.sh", facts, "a" * 64)
    assert cache.get("run.sh", facts) is None
    os.utime(folder / "run.sh", (1, 1))
    facts = (folder / "run.sh").stat()
    cache.put("run.sh", facts, "a" * 64)
    assert cache.get("run.sh", facts) == "a" * 64
