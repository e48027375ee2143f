from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest

from jupyter_mlws.compute.process import ProcessRef, Watch

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


async def test_the_watch_tells_the_end_and_reaps(sleeper: subprocess.Popen[bytes]) -> None:
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
