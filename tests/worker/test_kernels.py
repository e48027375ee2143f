"""Kernels that are not there, die at their start, or speak another language."""

from __future__ import annotations

import subprocess
import sys

import pytest
from attempts import notebook_json

ECHO = """
import sys
from ipykernel.kernelapp import IPKernelApp
from ipykernel.kernelbase import Kernel


class Echo(Kernel):
    implementation, implementation_version = "echo", "1"
    banner = "echo"
    language_info = {"name": "echo", "mimetype": "text/plain", "file_extension": ".txt", "version": "9"}

    async def do_execute(self, code, silent, *arguments, **keywords):
        if code.startswith("ask"):
            self.session.send(self.stdin_socket, "input_request", {"prompt": "?", "password": False},
                              self.get_parent(), ident=self._shell_parent_ident.get())
            import asyncio
            await asyncio.sleep(600)
        if not silent:
            self.send_response(self.iopub_socket, "stream", {"name": "stdout", "text": code + "\\n"})
        if code.startswith("lose"):
            self._publish_status = lambda *arguments, **keywords: None
        if code.startswith("fail"):
            return {"status": "error", "ename": "Failed", "evalue": "so", "traceback": []}
        return {"status": "ok", "execution_count": self.execution_count, "user_expressions": {}}


IPKernelApp.launch_instance(kernel_class=Echo)
"""


@pytest.fixture
def echo(kernelspec, place):
    path = place.root / "echo_kernel.py"
    path.write_text(ECHO)
    return kernelspec("echo", argv=[sys.executable, str(path), "-f", "{connection_file}"], language="echo")


def test_a_kernelspec_that_is_missing(run, kernelspec):
    kernelspec("there", argv=["true"])
    done = run("1", kernel={"name": "no such kernel"})
    assert done.error["code"] == "kernel_not_found"
    assert "'no such kernel'" in done.error["message"]
    assert "there" in done.error["hint"]
    assert "python3" in done.error["hint"]


def test_a_kernelspec_that_a_notebook_names_is_missing(run_notebook):
    content = notebook_json("1", kernelspec={"name": "julia-9.9", "display_name": "Julia"})
    done = run_notebook(content=content, kernel={})
    assert done.error["code"] == "kernel_not_found"
    assert "'julia-9.9'" in done.error["message"]


def test_a_python_that_is_missing(run):
    done = run("1", kernel={"executable": "/no/such/python"})
    assert done.error["code"] == "kernel_not_found"
    assert "/no/such/python" in done.error["message"]


def test_a_kernelspec_that_dies_at_its_start(run, kernelspec):
    code = "import sys; print('the licence is gone', file=sys.stderr); sys.exit(7)"
    done = run("1", kernel={"name": kernelspec("dying", argv=[sys.executable, "-c", code])})
    assert done.error["code"] == "kernel_start_failed"
    assert "'dying'" in done.error["message"]
    assert "exit code 7" in done.error["message"]
    assert "the licence is gone" in done.error["message"]
    assert done.statuses == ["Preparing", "Failed"]


def test_a_kernelspec_that_dies_without_a_word(run, kernelspec):
    done = run("1", kernel={"name": kernelspec("silent", argv=[sys.executable, "-c", "raise SystemExit(7)"])})
    said = "The kernel 'silent' ended at its start with exit code 7, and wrote nothing."
    assert done.error["message"] == said
    assert done.error["hint"] == "Start it in a terminal to see why: jupyter kernel --kernel=silent"


def test_a_kernelspec_whose_command_is_missing(run, kernelspec):
    done = run("1", kernel={"name": kernelspec("nothing", argv=["/no/such/command", "{connection_file}"])})
    assert done.error["code"] == "kernel_start_failed"
    assert "'nothing'" in done.error["message"]


def test_a_python_without_ipykernel(run, place):
    bare = place.root / "bare"
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", str(bare)], check=True)
    python = bare / "bin" / "python"
    done = run("1", kernel={"executable": str(python)})
    assert done.error["code"] == "kernel_start_failed"
    assert "ipykernel" in done.error["message"]
    assert f"{python} -m pip install ipykernel" in done.error["hint"]


def test_a_python_that_is_too_old(run, kernelspec):
    code = (
        "import sys; from ipykernel.kernelapp import IPKernelApp; app = IPKernelApp.instance(); "
        "app.initialize(); sys.version_info = (3, 7, 16, 'final', 0); app.start()"
    )
    argv = [sys.executable, "-c", code, "-f", "{connection_file}"]
    done = run("print(1)", kernel={"name": kernelspec("old", argv=argv)})
    assert done.error["code"] == "kernel_start_failed"
    assert "Python 3.7.16, which is too old for jobs." in done.error["message"]
    assert done.error["hint"] == "Python 3.8 or later is needed in the job's kernel."
    assert done.text() == ""


def test_a_kernel_of_another_language_runs(run_notebook, echo):
    done = run_notebook("hello", "world", kernel={"name": echo})
    assert done.last["status"] == "Completed", done.log
    assert done.text() == "hello\nworld\n"
    assert done.of("kernel")[0]["language"] == "echo"
    assert done.notebook["metadata"]["language_info"]["name"] == "echo"


def test_an_error_of_another_language(run_notebook, echo):
    done = run_notebook("fail", "never", kernel={"name": echo})
    assert done.error["message"] == "Failed: so"
    assert done.text() == "fail\n"


@pytest.mark.parametrize("spec", [{"parameters": {"x": 1}}, {"inputs": {"blob": "0" * 64, "size": 1}}])
def test_what_only_python_can_do_is_refused_in_another_language(run_notebook, echo, spec):
    task = {"inputs": "/nowhere"} if "inputs" in spec else {}
    done = run_notebook("hello", kernel={"name": echo}, task=task, **spec)
    assert done.error["code"] == "python_needed"
    assert "echo" in done.error["message"]
    assert done.text() == ""


def test_results_in_another_language_say_why_not(run_notebook, echo):
    done = run_notebook("hello", kernel={"name": echo}, outputs=["x"])
    assert done.last["status"] == "Completed"
    assert "Python" in done.results["x"]["error"]


def test_a_kernel_that_asks_for_input_all_the_same(run_notebook, echo):
    done = run_notebook("ask", kernel={"name": echo}, task={"grace": 0.3})
    assert done.error["code"] == "input_requested"


def test_a_kernel_that_never_says_that_it_is_idle(run_notebook, echo):
    done = run_notebook("lose it", kernel={"name": echo})
    assert done.last["status"] == "Completed"
    assert done.text() == "lose it\n"
