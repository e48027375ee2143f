"""Workers that the compute `local` forks, against those that it starts anew."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import psutil
import pytest

sys.path.insert(0, str(Path(__file__).parent.parent / "worker"))

from attempts import Attempt, prepare

from jupyter_mlws.compute.local import LocalCompute
from jupyter_mlws.forking.client import ForkServer, Recipe, end_servers
from jupyter_mlws.model.forking import Forking

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux forks safely")
LARGE = "x = bytearray(400 << 20); import time; time.sleep(600)"


@pytest.fixture
def forking(place: Any, wait_for: Any) -> Any:
    """Settings of fork servers, which end with the test and leave nothing."""
    yield Forking(root=str(place.runtime), preload=(), spares=1, idle=60)
    end_servers(place.runtime)
    wait_for(lambda: not list(place.runtime.iterdir()), what="an empty runtime folder", timeout=10)


async def launched(compute: LocalCompute, attempt: Attempt, wait_until: Any) -> psutil.Process:
    """Launch a worker and wait for its end; return its parent of then."""
    ref = await compute.launch(attempt.root)
    parent = psutil.Process(psutil.Process(ref.pid).ppid())
    await wait_until(lambda: not ref.alive(), what="the worker's end")
    return parent


async def both_serve(place: Any, wait_until: Any) -> None:
    """Wait for the fork servers of workers and of kernels."""
    await wait_until(lambda: len(list(place.runtime.glob("fork-*/s"))) == 2, what="the fork servers")


async def test_the_first_is_started_and_those_after_it_are_forked(
    place: Any, forking: Forking, wait_until: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("PYTEST_CURRENT_TEST")
    compute = LocalCompute(forking=forking)
    first = prepare(place.root / "a1", code="print(1)", task={"forking": forking})
    assert (await launched(compute, first, wait_until)).pid == os.getpid()
    assert first.text() == "1\n"

    await both_serve(place, wait_until)
    monkeypatch.setenv("GIVEN_TO_THE_SERVER", "later")
    code = "import os, sys; print(os.environ['GIVEN_TO_THE_SERVER'], os.getcwd(), __name__)"
    second = prepare(place.root / "a2", code=code, task={"forking": forking})
    parent = await launched(compute, second, wait_until)
    assert "fork_server.py" in " ".join(parent.cmdline())
    assert second.statuses[-1] == "Completed", second.error
    assert second.text() == f"later {second.root} __main__\n"
    assert second.log == ""


def niceness(pid: int) -> tuple[int, int | None]:
    """The niceness of a process and of its session; None where the system shares no CPUs among sessions."""
    try:
        session = int(Path(f"/proc/{pid}/autogroup").read_text().split()[-1])
    except OSError:
        session = None
    return os.getpriority(os.PRIO_PROCESS, pid), session


@pytest.mark.parametrize("forked", [False, True])
async def test_jobs_that_take_long_give_way_with_all_that_they_start(
    place: Any, forking: Forking, wait_until: Any, forked: bool
) -> None:
    compute = LocalCompute(forking=forking)
    if forked:
        first = prepare(place.root / "a1", code="", task={"forking": forking})
        await launched(compute, first, wait_until)
        await both_serve(place, wait_until)
    go = place.root / "go"
    wait = f"import os, time\nwhile not os.path.exists({str(go)!r}): time.sleep(0.02)"
    # The one that it starts leads a session of its own, as what `!command` starts does.
    code = (
        "import os, subprocess, sys\n"
        f"child = subprocess.Popen([sys.executable, '-c', {wait!r}], start_new_session=True)\n"
        f"print(os.getpid(), child.pid, flush=True)\n{wait}\nchild.wait()"
    )
    before = os.getpriority(os.PRIO_PROCESS, 0)
    nice = min(19, before + 3)
    attempt = prepare(place.root / "a2", code=code, task={"forking": forking, "nice": nice})
    ref = await compute.launch(attempt.root)
    await wait_until(lambda: attempt.text().endswith("\n"), what="that it runs")
    pids = [ref.pid, *map(int, attempt.text().split())]
    has_sessions = niceness(ref.pid)[1] is not None
    expected = (nice, nice if has_sessions else None)
    await wait_until(lambda: all(niceness(pid) == expected for pid in pids), what="that all give way")
    go.touch()
    await wait_until(lambda: not ref.alive(), what="the worker's end")
    assert attempt.statuses[-1] == "Completed"


async def test_others_do_not_give_way(place: Any, forking: Forking, wait_until: Any) -> None:
    compute = LocalCompute(forking=forking)
    code = (
        "import os, pathlib, time; time.sleep(1.5); group = pathlib.Path('/proc/self/autogroup')\n"
        "session = group.read_text().split()[-1:] if group.exists() else ()\n"
        "print(os.getpriority(os.PRIO_PROCESS, 0), *session)"
    )
    attempt = prepare(place.root / "a1", code=code, task={"forking": forking})
    await launched(compute, attempt, wait_until)
    own, *session = map(int, attempt.text().split())
    assert own == os.getpriority(os.PRIO_PROCESS, 0)
    assert session in ([], [0])
    await both_serve(place, wait_until)


@pytest.mark.parametrize(
    ("code", "spec", "status", "said"),
    [
        (
            "x = bytearray(400 << 20); import time; time.sleep(600)",
            {"resources": {"memory": 200 << 20}},
            "Failed",
            "memory",
        ),
        ("import time; time.sleep(600)", {"timeout": 0.5}, "Failed", "timeout"),
        ("import os; os._exit(9)", {}, "Failed", "exit code 9"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", {}, "Failed", "SIGSEGV"),
        ("1/0", {}, "Failed", "division by zero"),
        ("", {}, "Completed", ""),
    ],
)
async def test_a_forked_job_ends_as_any_other(
    place: Any, forking: Forking, wait_until: Any, code: str, spec: Any, status: str, said: str
) -> None:
    compute = LocalCompute(forking=forking)
    for number in range(2):
        attempt = prepare(place.root / f"a{number}", code=code, task={"forking": forking}, **spec)
        await launched(compute, attempt, wait_until)
        assert attempt.statuses[-1] == status, attempt.last
        if said:
            assert said in str(attempt.error)
        await both_serve(place, wait_until)


def fork_server_of_workers(place: Any) -> psutil.Process:
    """The fork server that has no spares behind keepers: the one of workers."""
    servers = [psutil.Process(int(lock.read_text())) for lock in place.runtime.glob("fork-*/lock")]
    return next(each for each in servers if "jupyter_mlws.worker" in " ".join(each.cmdline()))


async def test_a_worker_waits_for_the_next_job(place: Any, forking: Forking, wait_until: Any) -> None:
    compute = LocalCompute(forking=forking)
    await launched(
        compute, prepare(place.root / "a1", code="print(1)", task={"forking": forking}), wait_until
    )
    await both_serve(place, wait_until)
    server = fork_server_of_workers(place)
    await wait_until(lambda: server.children(), what="a worker that waits")
    (waiting,) = server.children()

    second = prepare(place.root / "a2", code="print(2)", task={"forking": forking})
    assert (await compute.launch(second.root)).pid == waiting.pid
    await wait_until(lambda: not waiting.is_running(), what="the worker's end")
    assert second.text() == "2\n"

    # One that was killed while it waited is no job's trouble.
    await wait_until(lambda: server.children(), what="another worker that waits")
    server.children()[0].kill()
    third = prepare(place.root / "a3", code="print(3)", task={"forking": forking})
    await launched(compute, third, wait_until)
    assert third.text() == "3\n"

    # One that does not answer is passed over, and never runs what another has run.
    await wait_until(lambda: len(server.children()) == forking.spares, what="all that are to wait")
    stopped = server.children()[0]
    stopped.suspend()
    fourth = prepare(place.root / "a4", code="print(4)", task={"forking": forking})
    await launched(compute, fourth, wait_until)
    assert fourth.text() == "4\n"
    await wait_until(lambda: not stopped.is_running(), what="the end of the stopped one")

    # Those that wait end with their server, however it ends.
    await wait_until(lambda: server.children(), what="a third worker that waits")
    left = server.children()
    server.kill()
    await wait_until(lambda: not any(each.is_running() for each in left), what="their end")


def test_one_that_still_imports_ends_with_the_others(place: Any, wait_for: Any) -> None:
    recipe = Recipe(executable=sys.executable, entry="os:getcwd", preload=("mlflow", "sklearn.ensemble"))
    server = ForkServer(place.runtime, recipe, os.environ)
    server.start()
    lock = server.folder / "lock"
    wait_for(lambda: lock.exists() and lock.read_text(), what="the server's pid")
    process = psutil.Process(int(lock.read_text()))
    end_servers(place.runtime)
    wait_for(lambda: not process.is_running(), what="its end")
    assert not server.folder.exists()
