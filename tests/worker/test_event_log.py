from __future__ import annotations

import asyncio
import errno
import json
import os
import socket
import subprocess
import sys
import time

import pytest
from attempts import prepare

from jupyter_mlws.jobs.log import is_output, parse_all
from jupyter_mlws.model.events import Message, StatusChanged
from jupyter_mlws.model.status import JobStatus
from jupyter_mlws.worker.doorbell import Doorbell
from jupyter_mlws.worker.event_log import EventLog


def open_log(folder, doorbell=None):
    return EventLog(
        folder / "events.jsonl", reserve=folder / "reserve", doorbell=doorbell or Doorbell(None, name="")
    )


def say(text):
    return Message(t=time.time(), text=text)


def end(status=JobStatus.COMPLETED):
    return StatusChanged(t=time.time(), status=status)


def test_every_line_is_an_event(tmp_path):
    log = open_log(tmp_path)
    log.append(say("one\ntwo \u2028 😀"))
    log.append_output({"output_type": "stream", "name": "stdout", "text": "\ud800\x00\n"}, cell=0)
    log.append_output(
        {"output_type": "display_data", "data": {"a": None}, "metadata": {}}, cell=1, display_id="d"
    )
    log.finish([end()])
    lines = (tmp_path / "events.jsonl").read_bytes().split(b"\n")
    assert lines.pop() == b""
    events = [parse_all([line])[0] for line in lines]
    assert [event.type for event in events] == ["message", "output", "output", "status"]
    assert [is_output(line) for line in lines] == [False, True, True, False]
    assert events[1].output["text"] == "?\x00\n"
    assert events[2].output["data"] == {"a": None}
    assert events[2].display_id == "d"


def test_nan_is_refused(tmp_path):
    log = open_log(tmp_path)
    with pytest.raises(ValueError, match="JSON"):
        log.append_output({"x": float("nan")}, cell=0)
    log.finish([end()])


def test_a_disk_that_is_full_still_takes_the_last_event(tmp_path, monkeypatch):
    # A full disk cannot be had without rights on this machine; os.write is made to behave like one.
    log = open_log(tmp_path)
    log.append(say("fits"))
    write, room = os.write, 100

    def full(descriptor, data):
        if not log._reserve.exists():
            return write(descriptor, data)
        nonlocal room
        if room == 0:
            raise OSError(errno.ENOSPC, "No space left on device")
        taken = write(descriptor, bytes(data[:room]))
        room -= taken
        return taken

    monkeypatch.setattr(os, "write", full)
    log.append(say("does not fit " * 20))
    assert log.failure.errno == errno.ENOSPC
    log.append(say("never tried"))
    log.finish([end(JobStatus.FAILED)])
    monkeypatch.undo()
    events = [json.loads(line) for line in (tmp_path / "events.jsonl").read_bytes().splitlines()]
    assert [event.get("text") for event in events] == ["fits", None]
    assert events[-1]["status"] == "Failed"


@pytest.mark.skipif(sys.platform != "linux", reason="a small file system of one's own is had on Linux alone")
def test_a_job_on_a_disk_that_is_really_full(place):
    job = prepare(place.root / "full", code="while True: print('x' * 10_000)", task={"cwd": "/tmp"})
    script = (
        f"mount -t tmpfs -o size=2m none /mnt && cp {job.root}/task.json /mnt && "
        f"{sys.executable} -m jupyter_mlws.worker /mnt 2>{job.root}/worker.log; "
        f"cp /mnt/events.jsonl {job.root}/events.jsonl"
    )
    command = ["unshare", "--user", "--map-root-user", "--mount", "sh", "-c"]
    if subprocess.run([*command, "mount -t tmpfs -o size=1m none /mnt"], capture_output=True).returncode:
        pytest.skip("this machine gives no file system of one's own")
    subprocess.run([*command, script], check=True, timeout=100)
    assert job.last["status"] == "Failed"
    assert job.error["code"] == "worker_error"
    assert "No space left" in job.error["message"]
    assert job.text().startswith("x" * 10_000)


async def test_the_doorbell_rings_seldom_and_last(tmp_path, place):
    path = place.runtime / "bell"
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as server:
        server.bind(str(path))
        server.setblocking(False)
        log = open_log(tmp_path, Doorbell(str(path), name="job"))
        began = time.monotonic()
        for number in range(500):
            log.append(say(str(number)))
            await asyncio.sleep(0)
        seconds = time.monotonic() - began
        log.finish([end()])
        rings = []
        while True:
            try:
                rings.append(server.recv(100))
            except BlockingIOError:
                break
    assert set(rings[:-1]) == {b"+job"} and rings[-1] == b"job"
    assert 2 <= len(rings) <= 12 + seconds * 20


def test_nobody_at_the_door(tmp_path, place):
    log = open_log(tmp_path, Doorbell(str(place.runtime / "gone"), name="job"))
    log.append(say("x"))
    log.finish([end()])
