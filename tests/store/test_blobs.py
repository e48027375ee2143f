from __future__ import annotations

import hashlib
import os
import stat
import threading
import time
from pathlib import Path

import pytest

from jupyter_mlws.store.blobs import BlobMismatch, BlobNameInvalid, BlobNotFound, Blobs
from jupyter_mlws.store.durable import DiskFull, refusals

OTHER = "0" * 64


@pytest.fixture
def blobs(layout):
    return Blobs(layout.blobs)


def left_over(layout):
    return list((layout.blobs / "incoming").iterdir())


@pytest.mark.parametrize("data", [b"", b"hi", os.urandom(3_000_000)])
def test_a_blob_is_named_by_its_hash_and_private(blobs, layout, data):
    sha = hashlib.sha256(data).hexdigest()
    assert not blobs.has(sha)
    assert blobs.put(data) == sha
    assert blobs.put(data) == sha
    assert blobs.has(sha)
    path = blobs.path(sha)
    assert path == layout.blobs / sha[:2] / sha
    assert path.read_bytes() == data
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert left_over(layout) == []


def test_it_is_written_in_pieces_and_not_seen_before_commit(blobs, layout):
    pieces = [os.urandom(size) for size in (1, 0, 70_000, 3)]
    sha = hashlib.sha256(b"".join(pieces)).hexdigest()
    writer = blobs.writer()
    for piece in pieces:
        writer.write(piece)
        assert not blobs.has(sha)
    assert stat.S_IMODE(left_over(layout)[0].stat().st_mode) == 0o600
    assert writer.commit(sha) == (sha, 70_004)
    assert blobs.has(sha)
    writer.abort()
    assert blobs.has(sha)


@pytest.mark.parametrize("expected", [OTHER, "", "../../x", "A" * 64])
def test_a_wrong_hash_keeps_nothing(blobs, layout, expected):
    writer = blobs.writer()
    writer.write(b"hi")
    with pytest.raises(BlobMismatch) as caught:
        writer.commit(expected)
    assert hashlib.sha256(b"hi").hexdigest() in str(caught.value)
    assert caught.value.status == 422
    assert not blobs.has(hashlib.sha256(b"hi").hexdigest())
    assert left_over(layout) == []


def test_leaving_the_block_or_aborting_keeps_nothing(blobs, layout):
    with pytest.raises(ZeroDivisionError), blobs.writer() as writer:
        writer.write(b"hi")
        raise ZeroDivisionError
    other = blobs.writer()
    other.write(b"hi")
    other.abort()
    other.abort()
    assert left_over(layout) == []
    assert not blobs.has(hashlib.sha256(b"hi").hexdigest())


@pytest.mark.parametrize(
    "name",
    [
        "",
        "..",
        "../../etc/passwd",
        "/etc/passwd",
        "a" * 63,
        "A" * 64,
        "é" * 64,
        "0" * 64 + "\n",
        "x" * 10_000,
    ],
)
def test_nothing_but_a_hash_becomes_a_path(blobs, name):
    for ask in (blobs.has, blobs.path):
        with pytest.raises(BlobNameInvalid, match="not the name of a blob") as caught:
            ask(name)
        assert len(str(caught.value)) < 500


def test_a_missing_blob_is_a_sentence(blobs):
    with pytest.raises(BlobNotFound, match=OTHER):
        blobs.path(OTHER)


def test_writers_of_the_same_blob_do_not_meet(blobs, layout):
    data = os.urandom(500_000)
    failures = []

    def put() -> None:
        try:
            for _ in range(5):
                blobs.put(data)
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=put) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert blobs.path(hashlib.sha256(data).hexdigest()).read_bytes() == data
    assert left_over(layout) == []


def test_a_killed_writer_leaves_no_blob_and_is_swept(blobs, layout, start_python):
    process = start_python(
        """
from jupyter_mlws.store import workspaces
from jupyter_mlws.store.blobs import Blobs
writer = Blobs(workspaces.resolve().blobs).writer()
writer.write(b"x" * 1_000_000)
print("inside", flush=True)
input()
"""
    )
    assert process.stdout.readline() == "inside\n", process.communicate()[1]
    process.kill()
    process.wait()
    (file,) = left_over(layout)
    assert not blobs.has(hashlib.sha256(b"x" * 1_000_000).hexdigest())
    assert blobs.sweep() == 0
    os.utime(file, (0, 0))
    assert blobs.sweep() == 1
    assert left_over(layout) == []


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="this system has no device that is always full")
def test_a_full_disk_is_a_sentence(layout):
    with (
        pytest.raises(DiskFull, match="is full"),
        refusals(layout.blobs),
        Path("/dev/full").open("wb", 0) as full,
    ):
        full.write(b"x")


def test_a_writer_that_fails_leaves_nothing(blobs, layout, start_python):
    # A limit on the size of a file fails the same call in the same place as the end of the disk.
    process = start_python(
        """
import resource, signal
from jupyter_mlws.store import workspaces
from jupyter_mlws.store.blobs import Blobs
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, 100_000))
try:
    Blobs(workspaces.resolve().blobs).put(b"x" * 1_000_000)
except Exception as error:
    print(type(error).__name__, error)
"""
    )
    out, error = process.communicate()
    assert ("File too large" in out, error) == (True, "")
    assert left_over(layout) == []
    assert not blobs.has(hashlib.sha256(b"x" * 1_000_000).hexdigest())


def age(blobs, sha, days):
    os.utime(blobs.path(sha), (time.time() - days * 86_400,) * 2)


def test_what_nobody_needs_goes_once_it_is_old(blobs):
    needed, unused, young = blobs.put(b"needed"), blobs.put(b"unused"), blobs.put(b"young")
    age(blobs, needed, days=9)
    age(blobs, unused, days=9)
    assert blobs.collect({needed}) == 1
    assert [blobs.has(sha) for sha in (needed, unused, young)] == [True, False, True]


def test_what_somebody_asked_for_stays_for_the_job_that_will_name_it(blobs):
    asked, sent_again = blobs.put(b"asked"), blobs.put(b"sent again")
    for sha in (asked, sent_again):
        age(blobs, sha, days=9)
    assert blobs.has(asked)
    blobs.put(b"sent again")
    assert blobs.collect(set()) == 0


def test_one_that_is_asked_for_while_it_is_about_to_go_stays(blobs):
    sha = blobs.put(b"late")
    age(blobs, sha, days=9)

    class AskedForMeanwhile:
        def __contains__(self, name):
            return not blobs.has(name)

    assert blobs.collect(AskedForMeanwhile()) == 0
    assert blobs.has(sha)


def test_strange_files_are_left_alone_and_an_empty_store_is_fine(blobs, layout):
    assert blobs.collect(set()) == 0
    blobs.put(b"x")
    strange = layout.blobs / "ab" / "notes.txt"
    strange.parent.mkdir(exist_ok=True)
    strange.write_text("mine")
    os.utime(strange, (0, 0))
    assert blobs.collect(set()) == 0
    assert strange.exists()


def laid(layout, data, name="a" * 32):
    place = layout.blobs / "incoming" / name
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_bytes(data)
    return place


def test_a_file_that_was_laid_ready_becomes_the_blob(blobs, layout):
    data = os.urandom(3_000_000)
    sha = hashlib.sha256(data).hexdigest()
    place = laid(layout, data)
    place.chmod(0o666)
    assert blobs.adopt(place.name, sha) == len(data)
    assert blobs.path(sha).read_bytes() == data
    assert stat.S_IMODE(blobs.path(sha).stat().st_mode) == 0o600
    assert left_over(layout) == []


def test_a_file_that_is_there_already_is_not_laid_twice(blobs, layout):
    sha = blobs.put(b"hi")
    before = blobs.path(sha).stat()
    place = laid(layout, b"hi")
    assert blobs.adopt(place.name, sha) == 2
    assert blobs.path(sha).stat().st_ino == before.st_ino
    assert left_over(layout) == []


def test_a_file_that_is_taken_twice_at_once_is_kept_once(blobs, layout, monkeypatch):
    place, sha = laid(layout, b"hi"), hashlib.sha256(b"hi").hexdigest()
    digest = hashlib.file_digest

    def meanwhile(file, kind):
        monkeypatch.setattr(hashlib, "file_digest", digest)
        assert blobs.adopt(place.name, sha) == 2
        return digest(file, kind)

    monkeypatch.setattr(hashlib, "file_digest", meanwhile)
    assert blobs.adopt(place.name, sha) == 2
    assert blobs.path(sha).read_bytes() == b"hi"
    assert left_over(layout) == []


def test_a_file_with_another_hash_is_not_kept(blobs, layout):
    place = laid(layout, b"hi")
    with pytest.raises(BlobMismatch):
        blobs.adopt(place.name, OTHER)
    assert left_over(layout) == []


@pytest.mark.parametrize("name", ["", "..", "../../x", "a/b", "A" * 32, "a" * 31, "a" * 32 + "\n"])
def test_a_name_that_leads_elsewhere_is_refused(blobs, name):
    with pytest.raises(BlobNameInvalid):
        blobs.adopt(name, OTHER)


def test_only_a_plain_file_of_ones_own_is_taken(blobs, layout, tmp_path):
    secret = tmp_path / "secret"
    secret.write_bytes(b"hi")
    sha = hashlib.sha256(b"hi").hexdigest()
    place = layout.blobs / "incoming" / ("b" * 32)
    place.parent.mkdir(parents=True, exist_ok=True)
    with pytest.raises(BlobNotFound):
        blobs.adopt(place.name, sha)
    place.symlink_to(secret)
    with pytest.raises(BlobNotFound):
        blobs.adopt(place.name, sha)
    place.unlink()
    os.link(secret, place)
    with pytest.raises(BlobNotFound):
        blobs.adopt(place.name, sha)
    place.unlink()
    os.mkfifo(place)
    with pytest.raises(BlobNotFound):
        blobs.adopt(place.name, sha)
    place.unlink()
    place.mkdir()
    with pytest.raises(BlobNotFound):
        blobs.adopt(place.name, sha)
    assert not blobs.has(sha)
    assert secret.read_bytes() == b"hi"
