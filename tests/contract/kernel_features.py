"""What every Python kernel must be able to do, whichever driver started it."""

from __future__ import annotations

import os
import re
from abc import abstractmethod
from typing import Any

from kernel_driver import KernelDriverContract, connect, output, started


class PythonKernelContract(KernelDriverContract):
    """The contract of a driver for Python kernels: theirs, and what users do in them."""

    @abstractmethod
    def debugs(self) -> bool:
        """Whether its kernels have a debugger."""

    async def test_streams_come_in_order_and_apart(self, place: Any) -> None:
        async with started(self, place) as (_, client):
            heard = await messages(client, "import sys; print(1); print(2, file=sys.stderr); print(3)")
            streams = [m["content"] for m in heard if m["msg_type"] == "stream"]
            assert "".join(s["text"] for s in streams if s["name"] == "stdout") == "1\n3\n"
            assert "".join(s["text"] for s in streams if s["name"] == "stderr") == "2\n"

    async def test_what_is_written_to_the_descriptors_is_heard(self, place: Any) -> None:
        async with started(self, place) as (_, client):
            await output(client, "import os, subprocess, sys, time")
            code = "os.write(1, b'by number\\n'); subprocess.run(['echo', 'by a child']); time.sleep(1)"
            text = await output(client, code)
            assert {"by number", "by a child"} <= set(text.split("\n"))

    async def test_displays_and_their_updates(self, place: Any) -> None:
        async with started(self, place) as (_, client):
            code = (
                "from IPython.display import HTML, display\n"
                "handle = display(HTML('<b>1</b>'), display_id=True); handle.update(HTML('<b>2</b>')); 3"
            )
            heard = {m["msg_type"]: m["content"] for m in await messages(client, code)}
            assert heard["display_data"]["data"]["text/html"] == "<b>1</b>"
            assert heard["update_display_data"]["data"]["text/html"] == "<b>2</b>"
            assert heard["execute_result"]["data"]["text/plain"] == "3"

    async def test_widgets(self, place: Any) -> None:
        async with started(self, place) as (_, client):
            heard = await messages(
                client, "from ipywidgets import IntSlider; s = IntSlider(); display(s); s.value = 7"
            )
            opened = [m["content"] for m in heard if m["msg_type"] == "comm_open"]
            assert "jupyter.widget" in {content["target_name"] for content in opened}
            shown = next(m["content"] for m in heard if m["msg_type"] == "display_data")
            assert "application/vnd.jupyter.widget-view+json" in shown["data"]

    async def test_errors(self, place: Any) -> None:
        async with started(self, place) as (_, client):
            heard = await messages(client, "def f(): return 1 / 0\nf()")
            error = next(m["content"] for m in heard if m["msg_type"] == "error")
            assert error["ename"] == "ZeroDivisionError"
            shown = re.sub(r"\x1b\[[0-9;]*m", "", "\n".join(error["traceback"]))
            assert "f()" in shown
            assert "division by zero" in shown

    async def test_await_and_threads(self, place: Any) -> None:
        async with started(self, place) as (_, client):
            code = (
                "import asyncio, threading\n"
                "await asyncio.sleep(0.01)\n"
                "t = threading.Thread(target=print, args=('in a thread',)); t.start(); t.join()\n"
                "print('after')"
            )
            assert await output(client, code) == "in a thread\nafter\n"

    async def test_processes_and_pools(self, place: Any) -> None:
        async with started(self, place) as (_, client):
            code = (
                "import math, multiprocessing, subprocess, sys\n"
                "from concurrent.futures import ProcessPoolExecutor\n"
                "print(subprocess.run([sys.executable, '-c', 'print(6)'], capture_output=True).stdout)\n"
                "def double(x): return 2 * x\n"
                "methods = {'fork': double, 'spawn': math.sqrt, 'forkserver': math.sqrt}\n"
                "for method, function in methods.items():\n"
                "    context = multiprocessing.get_context(method)\n"
                "    with ProcessPoolExecutor(2, mp_context=context) as pool:\n"
                "        print(method, list(pool.map(function, [4, 9])))\n"
            )
            text = await output(client, code)
            assert "b'6\\n'" in text
            assert "fork [8, 18]" in text
            assert "spawn [2.0, 3.0]" in text
            assert "forkserver [2.0, 3.0]" in text

    async def test_joblib(self, place: Any) -> None:
        async with started(self, place) as (_, client):
            code = (
                "from joblib import Parallel, delayed\n"
                "def double(x): return 2 * x\n"
                "print(Parallel(n_jobs=2)(delayed(double)(i) for i in range(4)))"
            )
            assert await output(client, code) == "[0, 2, 4, 6]\n"

    async def test_blas_and_openmp(self, place: Any) -> None:
        async with started(self, place) as (_, client):
            code = (
                "import numpy as np\n"
                "from sklearn.ensemble import HistGradientBoostingClassifier\n"
                "a = np.random.default_rng(0).normal(size=(700, 700))\n"
                "print(np.allclose(a @ np.linalg.inv(a), np.eye(700), atol=1e-6))\n"
                "y = (a[:, 0] > 0).astype(int)\n"
                "print(HistGradientBoostingClassifier(max_iter=5).fit(a, y).score(a, y) > 0.9)"
            )
            assert await output(client, code) == "True\nTrue\n"

    async def test_questions_are_asked_and_answered(self, place: Any) -> None:
        async with started(self, place) as (_, client):
            running = client.execute("print('hello', input('who? '))", allow_stdin=True)
            asked = await client.get_stdin_msg(timeout=60)
            assert asked["content"]["prompt"] == "who? "
            client.input("Ada")
            assert await text_of(client, running) == "hello Ada\n"

    async def test_completion(self, place: Any) -> None:
        async with started(self, place) as (_, client):
            await output(client, "import os")
            reply = await client.complete("os.getc", reply=True, timeout=60)
            assert "os.getcwd" in reply["content"]["matches"] or "getcwd" in reply["content"]["matches"]

    async def test_debugger(self, place: Any) -> None:
        async with started(self, place) as (_, client):
            reply = await client.kernel_info(reply=True, timeout=60)
            assert ("debugger" in reply["content"].get("supported_features", [])) == self.debugs()
            if not self.debugs():
                return
            content = {"type": "request", "seq": 1, "command": "initialize", "arguments": DEBUG}
            message = client.session.msg("debug_request", content)
            client.control_channel.send(message)
            answer = await client.get_control_msg(timeout=60)
            assert answer["content"]["success"] is True

    async def test_two_kernels_have_different_random_states(self, place: Any) -> None:
        code = "import random, numpy; print(random.random(), numpy.random.rand())"
        async with started(self, place) as (_, one):
            first = await output(one, code)
        async with started(self, place) as (_, other):
            second = await output(other, code)
        assert not set(first.split()) & set(second.split())

    async def test_it_has_a_main_module_of_its_own(self, place: Any) -> None:
        async with started(self, place) as (_, client):
            code = (
                "import pickle, __main__\n"
                "class Own: pass\n"
                "x = 5\n"
                "print(__name__, __main__.x, type(pickle.loads(pickle.dumps(Own()))) is Own)\n"
                "print(sorted(n for n in vars(__main__) if n in ('Server', 'fork', 'keep', 'prepare')))"
            )
            assert await output(client, code) == "__main__ 5 True\n[]\n"

    async def test_it_has_its_variables_alone_and_imports_from_its_folder(self, place: Any) -> None:
        (place.folder / "beside.py").write_text("here = 'beside'")
        environment = {key: value for key, value in os.environ.items() if key != "PYTEST_CURRENT_TEST"}
        environment.pop("MLWS_NOT_GIVEN", None)
        os.environ["MLWS_NOT_GIVEN"] = "1"
        try:
            kernel = await self.driver().start(self.choice(), cwd=place.folder, env=environment)
        finally:
            del os.environ["MLWS_NOT_GIVEN"]
        if kernel.files is not None:
            await kernel.files.bring_folder(place.folder)
        client = await connect(kernel)
        try:
            code = "import os, beside; print(beside.here, 'MLWS_NOT_GIVEN' in os.environ)"
            assert await output(client, code) == "beside False\n"
        finally:
            client.stop_channels()
            await kernel.close(patience=0)


DEBUG = {
    "clientID": "contract",
    "clientName": "contract",
    "adapterID": "",
    "pathFormat": "path",
    "linesStartAt1": True,
    "columnsStartAt1": True,
    "supportsVariableType": True,
    "supportsVariablePaging": True,
    "supportsRunInTerminalRequest": True,
    "locale": "en",
}


async def messages(client: Any, code: str) -> list[dict[str, Any]]:
    """Run code to its end; return what came on iopub for it."""
    running = client.execute(code)
    found = await _until_idle(client, running)
    await client._recv_reply(running, timeout=30)
    return found


async def text_of(client: Any, running: str) -> str:
    """What a request that is under way prints until its end."""
    found = await _until_idle(client, running)
    return "".join(m["content"]["text"] for m in found if m["msg_type"] == "stream")


async def _until_idle(client: Any, running: str) -> list[dict[str, Any]]:
    found = []
    while True:
        message = await client.get_iopub_msg(timeout=60)
        if message["parent_header"].get("msg_id") != running:
            continue
        found.append(message)
        if message["msg_type"] == "status" and message["content"]["execution_state"] == "idle":
            return found
