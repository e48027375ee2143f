from __future__ import annotations

import asyncio
import errno
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator

import psutil
import pytest

from jupyter_mlws.processes.identity import ProcessRef, process_start
from jupyter_mlws.processes.watch import Watch

SLEEPER = [sys.executable, "-c", "import time; print('up', flush=True); time.sleep(600)"]


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(SLEEPER, stdout=subprocess.PIPE, start_new_session=True)
    assert process.stdout is not None
    process.stdout.readline()
    yield process
    process.kill()
    process.wait()
    process.stdout.close()


def test_a_process_is_alive_until_it_ends(sleeper: subprocess.Popen[bytes]) -> None:
    ref = ProcessRef.of(sleeper.pid)
    assert ref is not None
    assert ref.alive()
    ref.kill_group()
    sleeper.wait()
    assert not ref.alive()
    assert ProcessRef.of(sleeper.pid) is None


def test_a_zombie_is_dead(sleeper: subprocess.Popen[bytes]) -> None:
    ref = ProcessRef.of(sleeper.pid)
    assert ref is not None
    sleeper.kill()
    os.waitid(os.P_PID, sleeper.pid, os.WEXITED | os.WNOWAIT)  # it has ended, and is not reaped
    assert not ref.alive()


def test_another_process_with_the_pid_is_left_alone(sleeper: subprocess.Popen[bytes]) -> None:
    ref = ProcessRef.of(sleeper.pid)
    assert ref is not None
    stranger = ProcessRef(sleeper.pid, ref.started - 100)
    assert not stranger.alive()
    assert not stranger.send(signal.SIGKILL)
    stranger.kill_group()
    assert ref.alive()


@pytest.mark.parametrize("descriptors", ["has pidfds", "has no descriptor left"])
async def test_the_watch_tells_the_end_and_reaps(
    sleeper: subprocess.Popen[bytes], monkeypatch: pytest.MonkeyPatch, descriptors: str
) -> None:
    def refuse(pid: int) -> int:
        raise OSError(errno.EMFILE, "Too many open files")

    if descriptors == "has no descriptor left":
        monkeypatch.setattr(os, "pidfd_open", refuse, raising=False)
    ref = ProcessRef.of(sleeper.pid)
    assert ref is not None
    ended = asyncio.Event()
    watch = Watch(ref, ended.set)
    sleeper.kill()
    await asyncio.wait_for(ended.wait(), 30)
    watch.close()
    assert ProcessRef.of(sleeper.pid) is None


async def test_the_watch_of_a_process_that_is_gone_tells_at_once() -> None:
    ended = asyncio.Event()
    watch = Watch(ProcessRef(2**22 - 1, 1.0), ended.set)
    await asyncio.wait_for(ended.wait(), 30)
    watch.close()


async def test_a_watch_that_was_closed_tells_nothing_and_still_reaps(
    sleeper: subprocess.Popen[bytes],
) -> None:
    ref = ProcessRef.of(sleeper.pid)
    assert ref is not None
    told: list[int] = []
    watch = Watch(ref, lambda: told.append(1))
    watch.close()
    sleeper.kill()
    async with asyncio.timeout(30):
        while ProcessRef.of(sleeper.pid) is not None:  # noqa: ASYNC110 - a process, not an event
            await asyncio.sleep(0.01)
    assert told == []


def test_the_group_of_a_leader_that_ended_is_killed() -> None:
    code = (
        "import subprocess, sys\n"
        "sleeps = [sys.executable, '-c', 'import time; time.sleep(600)']\n"
        "print(subprocess.Popen(sleeps, stdout=subprocess.DEVNULL).pid, flush=True)\n"
        "sys.stdin.readline()"
    )
    leader = subprocess.Popen(
        [sys.executable, "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,
    )
    assert leader.stdin is not None and leader.stdout is not None
    ref = ProcessRef.of(leader.pid)
    child = ProcessRef.of(int(leader.stdout.readline()))
    assert ref is not None and child is not None
    leader.communicate(b"\n", timeout=30)
    assert child.alive()
    ref.kill_group()
    assert child.wait(30)


def test_waiting_ends_with_the_process_or_the_patience(sleeper: subprocess.Popen[bytes]) -> None:
    ref = ProcessRef.of(sleeper.pid)
    assert ref is not None
    assert not ref.wait(0.05)
    sleeper.kill()
    assert ref.wait(30)


@pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the system keeps the time of the start")
def test_a_start_is_counted_from_the_machines_own_and_no_clock_moves_it() -> None:
    since_boot = psutil.Process().create_time() - psutil.boot_time()
    assert abs(process_start(os.getpid()) - since_boot) < 1
    assert process_start(os.getpid()) < time.clock_gettime(time.CLOCK_BOOTTIME)
