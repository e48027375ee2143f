from __future__ import annotations

import os

import pytest

from jupyter_mlws.worker import known_environment as subject
from jupyter_mlws.worker.environment_record import environment_record
from jupyter_mlws.worker.known_environment import known_environment


def install(folder, name, version):
    place = folder / f"{name}-{version}.dist-info"
    place.mkdir(parents=True)
    (place / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    return place


@pytest.fixture
def packages(tmp_path):
    install(tmp_path / "site-packages", "alpha", "3")
    return tmp_path / "site-packages"


@pytest.fixture
def read(monkeypatch):
    """How often the distributions were read."""
    times = []

    def counted(**arguments):
        times.append(1)
        return environment_record(**arguments)

    monkeypatch.setattr(subject, "environment_record", counted)
    return times


def ask(tmp_path, packages, python="3.11.7"):
    return known_environment(tmp_path / "known", python=python, path=["", str(packages)])


def test_it_is_read_once_and_the_same_afterwards(tmp_path, packages, read):
    first, again = ask(tmp_path, packages), ask(tmp_path, packages)
    assert first.packages == again.packages == ["alpha==3"]
    assert first.sha256 == again.sha256
    assert again.t >= first.t
    assert len(read) == 1


def test_what_is_installed_and_removed_is_seen(tmp_path, packages, read):
    ask(tmp_path, packages)
    beta = install(packages, "beta", "1")
    assert ask(tmp_path, packages).packages == ["alpha==3", "beta==1"]
    (beta / "METADATA").unlink()
    beta.rmdir()
    assert ask(tmp_path, packages).packages == ["alpha==3"]
    assert len(read) == 3


def test_a_distribution_whose_origin_changes_is_read_anew(tmp_path, packages, read):
    ask(tmp_path, packages)
    place = packages / "alpha-3.dist-info"
    (place / "direct_url.json").write_text('{"url": "file:///src", "dir_info": {"editable": true}}')
    os.utime(place, ns=(1, 1))  # whatever the clock's resolution is
    assert ask(tmp_path, packages).packages == ["-e file:///src"]


def test_another_python_is_another_record(tmp_path, packages, read):
    assert ask(tmp_path, packages).sha256 != ask(tmp_path, packages, python="3.12.0").sha256
    assert len(read) == 2


def test_what_cannot_be_read_or_kept_does_no_harm(tmp_path, packages, read):
    ask(tmp_path, packages)
    (kept,) = (tmp_path / "known").iterdir()
    kept.write_text("{")
    assert ask(tmp_path, packages).packages == ["alpha==3"]
    (tmp_path / "file").write_text("")
    seen = known_environment(tmp_path / "file", python="3.11.7", path=[str(packages)])
    assert seen.packages == ["alpha==3"]


def test_it_is_for_this_user_alone_and_leaves_no_other_file(tmp_path, packages):
    ask(tmp_path, packages)
    (kept,) = (tmp_path / "known").iterdir()
    assert kept.stat().st_mode & 0o077 == 0
    assert kept.parent.stat().st_mode & 0o077 == 0
