"""How attempts end: by themselves, by their code's own wish, by a fault, by a limit, by a user."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from attempts import prepare, start

from jupyter_mlws.processes.identity import process_start


def test_the_walk_of_a_good_cell(run):
    done = run("print(1 + 1)\nx = [1, 2]\nx", outputs=["x"])
    assert done.process.returncode == 0
    kinds = [event["type"] for event in done.events if event["type"] not in ("sample", "environment")]
    assert kinds == [
        *["attempt", "status", "kernel", "status", "cell", "output", "output", "cell", "status"],
        *["results", "status"],
    ]
    assert done.statuses == ["Preparing", "Running", "Finalizing", "Completed"]
    assert done.text() == "2\n"
    assert done.results["x"]["type"] == "list"
    assert done.results["x"]["size"] > 0
    began = done.of("attempt")[0]
    assert (began["job"], began["pid"]) == ("0123456789abc", done.process.pid)
    kernel = done.of("kernel")[0]
    assert kernel["language"] == "python"
    assert kernel["executable"] == sys.executable
    assert kernel["version"] == "{}.{}.{}".format(*sys.version_info[:3])
    assert not psutil.pid_exists(kernel["pid"])
    environment = done.of("environment")[0]
    assert any(line.startswith("ipykernel==") for line in environment["packages"])
    cell = done.notebook["cells"][0]
    assert cell["source"].startswith("print")
    assert cell["execution_count"] == 1
    assert [output["output_type"] for output in cell["outputs"]] == ["stream", "execute_result"]
    assert (done.root / "results" / "results.json").exists()
    assert not Path((done.root / "kernel-folder").read_text()).exists()
    assert not (done.root / "reserve").exists()


@pytest.mark.parametrize("code", ["import sys; sys.exit()", "import sys; sys.exit(0)", "exit()", "quit()"])
def test_an_exit_completes_the_job(run, code):
    done = run(f"print('before')\nx = 1\n{code}", outputs=["x"])
    assert done.last["status"] == "Completed"
    assert done.text() == "before\n"
    assert done.text("stderr") == ""
    assert done.results["x"]["type"] == "int"
    assert not [output for output in done.outputs if output["output_type"] == "error"]


@pytest.mark.parametrize(("argument", "said"), [("3", "3"), ("'no data'", "'no data'")])
def test_an_exit_with_a_code_fails_the_job(run, argument, said):
    done = run(f"import sys; sys.exit({argument})")
    assert done.error["code"] == "exit_code"
    assert f"sys.exit({said})" in done.error["message"]


def test_an_exit_in_a_notebook_leaves_the_other_cells_alone(run_notebook):
    done = run_notebook("print(1)", "import sys; sys.exit()", "print(2)")
    assert done.last["status"] == "Completed"
    assert done.text() == "1\n"
    assert done.cell_states == [(0, "running"), (0, "ok"), (1, "running"), (1, "ok")]


def test_the_process_ends_itself(run):
    done = run("print('before'); import os; os._exit(1)")
    assert done.error["code"] == "kernel_died"
    assert "exit code 1" in done.error["message"]
    assert done.text() == "before\n"
    assert done.cell_states[-1] == (0, "error")


def test_the_kernel_is_killed_from_outside(run):
    done = run("import os, signal; os.kill(os.getpid(), signal.SIGKILL)")
    assert done.error["code"] == "kernel_died"
    assert "SIGKILL (9)" in done.error["message"]


def test_a_fault_of_memory_is_named(run):
    done = run("import ctypes; ctypes.string_at(0)")
    assert "SIGSEGV" in done.error["message"]


def test_a_syntax_error(run):
    done = run("x = (1,\nprint(")
    assert done.error["code"] == "user_error"
    assert done.error["message"].startswith("SyntaxError: ")
    assert ".py" not in done.error["message"]
    assert done.error["hint"] == "In the cell, line 2."
    assert done.outputs[0]["ename"] == "SyntaxError"


@pytest.mark.parametrize("message", ["größer → 数据 😀", "\\ud800 alone", "\\x00\\x1b[31m", "'" * 5])
def test_an_exception_with_any_message(run, message):
    done = run(f'raise ValueError("{message}")')
    assert done.error["code"] == "user_error"
    assert done.error["message"].startswith("ValueError: ")
    assert done.error["hint"] == "In the cell."
    if "größer" in message:
        assert message in done.error["message"]


def test_an_exception_with_a_message_of_a_million_characters(run):
    done = run("raise ValueError('é' * 1_000_000)")
    assert done.error["code"] == "user_error"
    assert len(done.error["message"]) < 3000
    assert max(map(len, (done.root / "events.jsonl").read_bytes().split(b"\n"))) < 400_000
    (kept,) = (done.root / "outputs").iterdir()
    assert "é" * 1_000_000 in kept.read_text()


def test_input_fails_with_a_sentence(run):
    done = run("print('before')\nname = input('Your name? ')")
    assert done.error["code"] == "input_requested"
    assert "nobody to answer" in done.error["message"]
    assert done.text() == "before\n"


def test_results_of_code_that_failed_come_back(run):
    done = run("model = {'a': 1}\n1 / 0\nscore = 2", outputs=["model", "score"])
    assert done.error["code"] == "user_error"
    assert done.results["model"].get("error") is None
    assert done.results["score"]["error"]


def test_cancel_of_an_endless_loop(attempt, wait_for):
    job = attempt(code="print('on', flush=True)\nwhile True: pass")
    wait_for(lambda: job.text() == "on\n")
    job.cancel()
    job.wait()
    assert job.statuses[-1] == "Canceled"
    assert job.text() == "on\n"
    assert "error" not in job.last
    assert job.notebook["cells"][0]["outputs"][0]["text"] == "on\n"


STUBBORN = """
import signal, time
print('on', flush=True)
while True:
    try:
        while True: time.sleep(0.01)
    except KeyboardInterrupt:
        print('interrupted', flush=True)
"""


def test_cancel_of_code_that_swallows_the_interrupt(attempt, wait_for):
    job = attempt(code=STUBBORN, task={"grace": 0.5})
    wait_for(lambda: "on" in job.text())
    job.cancel()
    job.wait()
    assert job.statuses[-1] == "Canceled"
    assert "interrupted" in job.text()


def test_cancel_of_code_that_ignores_every_signal(attempt, wait_for):
    ignoring = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + STUBBORN
    job = attempt(code=ignoring, task={"grace": 0.5})
    wait_for(lambda: "on" in job.text())
    kernel = job.of("kernel")[0]["pid"]
    job.cancel()
    job.wait()
    assert job.statuses[-1] == "Canceled"
    assert not psutil.pid_exists(kernel)


def test_cancel_without_a_signal(attempt, wait_for):
    job = attempt(code="print('on', flush=True)\nimport time; time.sleep(600)")
    wait_for(lambda: job.text())
    (job.root / "cancel").touch()
    job.wait()
    assert job.statuses[-1] == "Canceled"


def test_cancel_before_the_worker_is_up(attempt):
    job = attempt(code="print('never')")
    job.cancel()
    job.wait()
    # Either the worker took the attempt and ended it truthfully, or it never began.
    assert job.statuses[-1:] in ([], ["Canceled"])
    assert job.text() == ""
    assert bool(job.events) == (job.root / "claim").exists()


def test_cancel_while_the_kernel_starts(attempt, wait_for, kernelspec):
    name = kernelspec("slow", argv=[sys.executable, "-c", "import time; time.sleep(600)"])
    job = attempt(code="print('never')", kernel={"name": name})
    wait_for(lambda: "Preparing" in job.statuses)
    children = wait_for(lambda: psutil.Process(job.process.pid).children())
    job.cancel()
    job.wait()
    assert job.statuses == ["Preparing", "Canceled"]
    assert not any(child.is_running() for child in children)


def test_a_signal_that_is_no_cancel_is_no_cancel(attempt, wait_for):
    job = attempt(code="print('on', flush=True)\nimport time; time.sleep(600)")
    wait_for(lambda: job.text())
    job.process.send_signal(signal.SIGTERM)
    job.wait()
    assert job.statuses[-1] == "Failed"
    assert job.error["code"] == "worker_error"
    assert "signal" in job.error["message"]


def test_a_timeout(run):
    done = run("print('on', flush=True)\nimport time; time.sleep(600)", timeout=1.5)
    assert done.statuses[-1] == "Failed"
    assert done.error["code"] == "timeout"
    assert "1.5 seconds" in done.error["message"]
    assert done.text() == "on\n"


def test_a_timeout_stops_a_notebook_where_it_is(run_notebook):
    done = run_notebook("print(1)", "import time; time.sleep(600)", "print(2)", timeout=1.5)
    assert done.error["code"] == "timeout"
    assert done.text() == "1\n"


def test_more_memory_than_allowed(run):
    code = (
        "import time\nprint('on', flush=True)\nx = [bytearray(1 << 20) for _ in range(2000)]\ntime.sleep(60)"
    )
    done = run(code, resources={"memory": 400 << 20})
    assert done.error["code"] == "memory_limit"
    assert "400 MB" in done.error["message"]
    assert done.of("sample")[-1]["memory"] > 400 << 20


def test_memory_of_child_processes_counts(run):
    code = """
import subprocess, sys, time
child = "import time; x = bytearray(500 << 20); time.sleep(60)"
subprocess.Popen([sys.executable, "-c", child])
time.sleep(60)
"""
    done = run(code, resources={"memory": 400 << 20})
    assert done.error["code"] == "memory_limit"


LEAVES_A_CHILD = """
import subprocess, sys
child = subprocess.Popen(
    [sys.executable, "-c", "import time; time.sleep(600)"],
    start_new_session={new_session},
    stdout=subprocess.DEVNULL,
)
print(child.pid, flush=True)
"""


@pytest.mark.parametrize("new_session", [False, True])
def test_no_process_survives_the_job(run, new_session):
    done = run(LEAVES_A_CHILD.format(new_session=new_session))
    assert done.last["status"] == "Completed"
    assert not psutil.pid_exists(int(done.text()))


@pytest.mark.skipif(sys.platform != "linux", reason="orphans are adopted on Linux alone")
def test_a_daemon_does_not_survive_the_job(run):
    code = """
import subprocess, sys
daemon = (
    "import os, sys, time\\nif os.fork(): os._exit(0)\\n"
    "os.setsid()\\nprint(os.getpid(), flush=True)\\ntime.sleep(600)"
)
process = subprocess.Popen([sys.executable, "-c", daemon], stdout=subprocess.PIPE)
print(int(process.stdout.readline()), flush=True)
process.wait()
"""
    done = run(code)
    assert done.last["status"] == "Completed", done.error
    assert not psutil.pid_exists(int(done.text()))


def test_a_kernel_dies_with_its_worker(attempt, wait_for):
    job = attempt(code="print('on', flush=True)\nimport time; time.sleep(600)")
    wait_for(lambda: job.text())
    kernel = job.of("kernel")[0]["pid"]
    job.process.kill()
    wait_for(lambda: not psutil.pid_exists(kernel) or psutil.Process(kernel).status() == "zombie")


def test_an_attempt_that_somebody_has_is_left_alone(place):
    job = prepare(place.root / "taken", code="print(1)")
    (job.root / "claim").touch()
    before = {path.name for path in job.root.iterdir()}
    start(job).wait()
    assert job.process.returncode == 3
    assert {path.name for path in job.root.iterdir()} == before | {"worker.log"}


def test_a_task_that_cannot_be_read(place):
    job = prepare(place.root / "broken", code="1")
    (job.root / "task.json").write_text('{"job": 1}')
    start(job).wait()
    assert job.statuses == ["Failed"]
    assert job.error["code"] == "worker_error"


def test_the_process_file_names_the_worker(attempt, wait_for):
    job = attempt(code="import time; time.sleep(600)")
    path = job.root / "process.json"
    wait_for(path.exists)
    content = json.loads(path.read_text())
    assert content["pid"] == job.process.pid
    assert content["process_started"] == process_start(job.process.pid)
    job.cancel()
    job.wait()
    assert (job.root / "events.jsonl").stat().st_mode & 0o077 == 0


def test_usage_of_the_command():
    done = subprocess.run([sys.executable, "-m", "jupyter_mlws.worker"], capture_output=True, text=True)
    assert done.returncode == 2
    assert "usage" in done.stderr
