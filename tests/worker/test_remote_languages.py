"""Jobs in other languages than Python on another Jupyter server: nothing of ours is in their kernels."""

from __future__ import annotations

import json

import pytest

from jupyter_mlws.model.remote import Remote
from tests.remotes.environment import environment
from tests.remotes.proxy import Proxy
from tests.remotes.server import running

ECHO = """
import asyncio, os
from ipykernel.kernelapp import IPKernelApp
from ipykernel.kernelbase import Kernel


class Echo(Kernel):
    implementation, implementation_version = "echo", "1"
    banner = "echo"
    language_info = {"name": "echo", "mimetype": "text/plain", "file_extension": ".txt", "version": "9"}

    async def do_execute(self, code, silent, *arguments, **keywords):
        word, _, rest = code.partition(" ")
        if not silent:
            self.send_response(self.iopub_socket, "stream", {"name": "stdout", "text": code + "\\n"})
        if word == "count":
            rest, _, counter = rest.partition(" ")
            with open(counter, "a") as sink:
                sink.write("x")
        while word in ("wait", "count") and not os.path.exists(rest):
            await asyncio.sleep(0.02)
        if word == "die":
            os._exit(3)
        return {"status": "ok", "execution_count": self.execution_count, "user_expressions": {}}


IPKernelApp.launch_instance(kernel_class=Echo)
"""


@pytest.fixture(scope="module")
def elsewhere():
    with running("server") as server:
        folder = server.root / "home" / "data" / "kernels" / "echo"
        folder.mkdir(parents=True)
        (server.root / "echo.py").write_text(ECHO)
        python = str(environment("server") / "bin" / "python")
        argv = [python, str(server.root / "echo.py"), "-f", "{connection_file}"]
        spec = {"argv": argv, "display_name": "echo", "language": "echo"}
        (folder / "kernel.json").write_text(json.dumps(spec))
        yield server
        assert server.kernels() == []


@pytest.fixture
def proxy(elsewhere):
    with Proxy(elsewhere.port) as made:
        yield made


@pytest.fixture
def echo(attempt, proxy, elsewhere, place):
    """`echo("hello")`: an attempt on the other server, through the proxy, begun."""
    token = place.root / "token"
    token.write_text(elsewhere.token)

    def begin(code):
        remote = Remote(name="lab2", url=proxy.url, token_file=str(token), patience=60.0)
        return attempt(code=code, remote=remote, kernel={"name": "echo"})

    return begin


def begun(attempt):
    return lambda: attempt.text() != ""


def lost(attempt):
    return lambda: any("was lost" in text for text in attempt.messages)


def test_a_cell_runs_there(echo):
    done = echo("hello").wait()
    assert done.last["status"] == "Completed", (done.last, done.log)
    assert done.text() == "hello\n"
    assert done.of("kernel")[0]["language"] == "echo"
    assert not done.messages or "missing" not in " ".join(done.messages)


def test_a_reply_that_comes_during_a_cut_is_heard_afterwards(echo, proxy, place, wait_for):
    go = place.root / "go"
    job = echo(f"wait {go}")
    wait_for(begun(job))
    proxy.cut()
    wait_for(lost(job))
    go.touch()
    wait_for(lambda: proxy.refused >= 3, what="some tries while it was cut")
    proxy.restore()
    job.wait()
    assert job.last["status"] == "Completed", (job.last, job.log)
    assert any("may be missing" in text for text in job.messages)


def test_a_cell_that_goes_on_after_a_cut(echo, proxy, place, wait_for):
    go = place.root / "go"
    job = echo(f"wait {go}")
    wait_for(begun(job))
    proxy.blink()
    wait_for(lambda: any("is back" in text for text in job.messages))
    go.touch()
    job.wait()
    assert job.last["status"] == "Completed", (job.last, job.log)


def test_a_reply_that_is_lost_is_an_unknown_outcome_and_nothing_runs_again(echo, proxy, place, wait_for):
    go, counter = place.root / "go", place.root / "counter"
    job = echo(f"count {go} {counter}")
    wait_for(begun(job))
    proxy.silence()  # the server does not notice, and keeps nothing
    go.touch()
    wait_for(lost(job))
    proxy.restore()
    job.wait()
    assert job.last["status"] == "Failed", (job.last, job.log)
    assert job.error["code"] == "connection_lost"
    assert "'lab2'" in job.error["message"]
    assert "not known" in job.error["message"]
    assert counter.read_text() == "x"


def test_a_kernel_that_dies(echo):
    done = echo("die").wait()
    assert done.error["code"] == "kernel_died", done.log
    assert "lab2" in done.error["message"]
