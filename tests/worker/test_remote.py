"""Jobs on another Jupyter server, through a proxy that is cut, silenced and restored."""

from __future__ import annotations

import asyncio
import json
import os

import httpx
import pytest

from jupyter_mlws.capture.packing import pack
from jupyter_mlws.kernels.remote.ending import end_kernel
from jupyter_mlws.model.remote import Remote, Whereabouts
from tests.remotes.proxy import Proxy
from tests.remotes.server import running

NUMBERED = "import time\nfor i in range(600):\n    print('line', i)\n    time.sleep(0.01)"
LINES = "".join(f"line {number}\n" for number in range(600))


@pytest.fixture(scope="module")
def elsewhere():
    with running("server") as server:
        yield server


@pytest.fixture
def proxy(elsewhere):
    with Proxy(elsewhere.port) as made:
        yield made


@pytest.fixture
def token_file(elsewhere, place):
    path = place.root / "token"
    path.write_text(elsewhere.token)
    path.chmod(0o600)
    return path


@pytest.fixture
def there(attempt, proxy, token_file):
    """`there("print(1)")`: an attempt on the other server, through the proxy, begun."""

    def begin(code="", *, url=None, token=token_file, patience=60.0, **spec):
        remote = Remote(name="lab2", url=url or proxy.url, token_file=str(token), patience=patience)
        return attempt(code=code, remote=remote, **spec)

    return begin


def printed(attempt, text):
    return lambda: text in attempt.text()


def test_a_cell_runs_there(there, elsewhere):
    done = there("import os, sys; print(os.getcwd()); print(sys.prefix)").wait()
    assert done.last["status"] == "Completed", (done.last, done.log)
    folder, prefix = done.text().splitlines()
    assert folder.startswith(str(elsewhere.temporary))
    assert ".remotes" in prefix
    assert any("empty folder" in text for text in done.messages)
    assert not list(elsewhere.temporary.glob("mlws-*"))
    assert not (done.root / "remote-kernel.json").exists()
    packages = done.of("environment")[0]["packages"]
    assert any(line.startswith("ipykernel==") for line in packages)
    assert not any("jupyter-mlws" in line for line in packages)
    assert elsewhere.kernels() == []


def test_neither_the_token_nor_our_environment_goes_there(there, elsewhere, monkeypatch):
    monkeypatch.setenv("SECRET_OF_OURS", "s3cret")
    done = there("import os; print(sorted(os.environ))").wait()
    assert done.last["status"] == "Completed", (done.last, done.log)
    assert "SECRET_OF_OURS" not in done.text()
    for path in done.root.rglob("*"):
        if path.is_file():
            assert elsewhere.token.encode() not in path.read_bytes(), path


def test_a_cut_in_the_middle_of_output(there, proxy, wait_for):
    job = there(NUMBERED)
    wait_for(printed(job, "line 50\n"))
    proxy.cut()
    wait_for(lambda: any("was lost" in text for text in job.messages))
    wait_for(lambda: proxy.refused >= 3, what="some tries while it was cut")
    proxy.restore()
    job.wait()
    assert job.last["status"] == "Completed", job.log
    assert job.text() == LINES
    assert any("lab2 is back" in text for text in job.messages)


def test_silence_in_the_middle_of_output(there, proxy, wait_for):
    job = there(NUMBERED)
    wait_for(printed(job, "line 50\n"))
    proxy.silence()
    wait_for(lambda: any("was lost" in text for text in job.messages))
    proxy.restore()
    job.wait()
    assert job.last["status"] == "Completed", job.log
    assert job.text() == LINES


def test_a_cut_before_the_reply(there, proxy, place, wait_for):
    go = place.root / "go"
    job = there(
        f"import os, time\nprint('on')\nwhile not os.path.exists({str(go)!r}): time.sleep(0.01)\nx = 1"
    )
    wait_for(printed(job, "on\n"))
    proxy.cut()
    wait_for(lambda: any("was lost" in text for text in job.messages))
    go.touch()
    wait_for(lambda: proxy.refused >= 3, what="some tries while it was cut")
    proxy.restore()
    job.wait()
    assert job.last["status"] == "Completed", job.log


def test_a_cell_that_was_sent_into_a_cut_runs_once(there, proxy, place, wait_for):
    counter = place.root / "counter"
    code = f"open({str(counter)!r}, 'a').write('x'); print('done')"
    job = there(f"print('on')\nimport time; time.sleep(1)\n{code}")
    wait_for(printed(job, "on\n"))
    for _ in range(5):
        seen = proxy.connections
        proxy.blink()
        wait_for(lambda seen=seen: proxy.connections > seen or job.process.poll() is not None)
    job.wait()
    assert job.last["status"] == "Completed", job.log
    assert job.text() == "on\ndone\n"
    assert counter.read_text() == "x"


def test_more_output_than_a_server_lets_through(there):
    code = (
        "from IPython.display import display\n"
        "for i in range(5000): display(i)\n"
        "for i in range(300_000): print('line', i)\n"
        "print('x' * 5_000_000)"
    )
    done = there(code).wait()
    assert done.last["status"] == "Completed", (done.last, done.log)
    expected = "".join(f"line {number}\n" for number in range(300_000)) + "x" * 5_000_000 + "\n"
    assert done.text() == expected
    shown = [each["data"]["text/plain"] for each in done.outputs if each["output_type"] == "display_data"]
    assert shown == [str(number) for number in range(5000)]


def test_records_come_once_and_in_order_whatever_happens(there, proxy, wait_for):
    job = there(
        "import sys, time\n"
        "remote = sys.modules['_mlws_remote'].remote\n"
        "for i in range(3000):\n"
        "    remote.append(b'{\"wake\":%d}' % i)\n"
        "    time.sleep(0.001)\n"
        "print('done')"
    )
    spooled = job.root / "mlflow" / "records.jsonl"
    wait_for(spooled.exists, what="the first records")
    proxy.blink()
    job.wait()
    assert job.last["status"] == "Completed", (job.last, job.log)
    assert spooled.read_text() == "".join(f'{{"wake":{number}}}\n' for number in range(3000))


def test_variables_of_ten_megabytes_go_there_and_back(there, proxy, place):
    pandas = pytest.importorskip("pandas")
    table = pandas.DataFrame({"a": range(650_000), "b": [0.5] * 650_000})
    path = place.root / "inputs"
    with path.open("wb") as sink:
        pack({"table": table}, sink=sink)
    done = there(
        "back = table.assign(c=table.a * 2); print(len(table))",
        task={"inputs": str(path)},
        inputs={"blob": "0" * 64, "size": path.stat().st_size},
        outputs=["back"],
    ).wait()
    assert done.last["status"] == "Completed", (done.last, done.log)
    assert done.text() == "650000\n"
    item = done.results["back"]
    assert item.get("error") is None, item
    assert item["size"] > 10_000_000


def test_cancel_while_a_large_variable_is_on_its_way(there, proxy, place, elsewhere, wait_for):
    path = place.root / "inputs"
    with path.open("wb") as sink:
        pack({"large": os.urandom(60 << 20)}, sink=sink)
    task, inputs = {"inputs": str(path)}, {"blob": "0" * 64, "size": path.stat().st_size}
    whole = there("print(len(large))", task=task, inputs=inputs).wait()
    assert whole.text() == f"{60 << 20}\n", (whole.last, whole.log)
    job = there("print(len(large))", task=task, inputs=inputs)
    parts = "mlws-*/inputs/inputs"
    wait_for(lambda: any(found.stat().st_size > 0 for found in elsewhere.temporary.glob(parts)))
    proxy.silence()  # so that it cannot be over before it is canceled
    job.cancel()
    wait_for(lambda: any("was lost" in text for text in job.messages) or job.process.poll() is not None)
    proxy.restore()
    job.wait()
    assert job.last["status"] == "Canceled", (job.last, job.log)
    assert job.text() == ""
    assert elsewhere.kernels() == []
    assert not list(elsewhere.temporary.glob("mlws-*"))


def test_a_module_that_is_missing_there(there, place):
    import attempts

    path = place.root / "inputs"
    with path.open("wb") as sink:
        pack({"made": attempts.Attempt(place.root)}, sink=sink)
    done = there("1", task={"inputs": str(path)}, inputs={"blob": "0" * 64, "size": 1}).wait()
    assert done.error["code"] == "unpack_failed"
    assert "attempts" in done.error["message"]
    assert "lab2" in done.error["hint"]


def test_a_script_runs_in_its_snapshot(there, place, attempt):
    def with_snapshot(root):
        work = root / "work" / "package"
        work.mkdir(parents=True)
        (work / "__init__.py").write_text("")
        (work / "large.bin").write_bytes(b"ab" * 2_000_000)
        (work / "part.py").write_text("here = 'from the snapshot'")
        (root / "work" / "main.py").write_text(
            "import os, sys\nfrom package.part import here\n"
            "print(here, sys.argv[1:], os.path.getsize('package/large.bin'))\n"
            "assert __file__ == os.path.abspath('main.py')"
        )

    done = there(
        kind="script",
        path="main.py",
        folder="/nowhere",
        parameters={"depth": 6},
        before=with_snapshot,
        task={"cwd": "work", "script": "work/main.py"},
    ).wait()
    assert done.last["status"] == "Completed", (done.last, done.log)
    assert done.text() == "from the snapshot ['--depth', '6'] 4000000\n"


def test_cancel(there, elsewhere, wait_for):
    job = there(
        "print('on')\nimport time\nwhile True:\n  try: time.sleep(600)\n  except KeyboardInterrupt: pass"
    )
    wait_for(printed(job, "on\n"))
    job.cancel()
    job.wait()
    assert job.last["status"] == "Canceled"
    assert elsewhere.kernels() == []


def test_timeout(there, elsewhere):
    done = there("import time; time.sleep(600)", timeout=1).wait()
    assert done.error["code"] == "timeout"
    assert elsewhere.kernels() == []


def test_the_kernel_dies(there, elsewhere):
    done = there("import os; print('on', flush=True); os.kill(os.getpid(), 9)").wait()
    assert done.process.returncode == 0, done.log
    assert done.error["code"] == "kernel_died"
    assert "lab2" in done.error["message"]
    assert elsewhere.kernels() == []


def test_somebody_ends_the_kernel_while_the_connection_is_cut(there, elsewhere, proxy, wait_for):
    job = there("print('on')\nimport time; time.sleep(600)")
    wait_for(printed(job, "on\n"))
    proxy.cut()
    for kernel in elsewhere.kernels():
        httpx.delete(
            f"{elsewhere.url}/api/kernels/{kernel}", headers={"Authorization": f"token {elsewhere.token}"}
        )
    proxy.restore()
    job.wait()
    assert job.error["code"] == "kernel_died"
    assert "not there any more" in job.error["message"]


def test_a_connection_that_does_not_come_back(there, proxy, elsewhere, wait_for, token_file):
    job = there("print('on')\nimport time; time.sleep(600)", patience=1.0)
    wait_for(printed(job, "on\n"))
    proxy.cut()
    job.wait()
    assert job.error["code"] == "connection_lost"
    assert "'lab2'" in job.error["message"]
    assert "not known" in job.error["message"]
    # Its kernel could not be ended, which is said, and whoever comes later finds it.
    assert any("may still run" in text for text in job.messages)
    assert len(elsewhere.kernels()) == 1
    found = Whereabouts.model_validate_json((job.root / "remote-kernel.json").read_bytes())
    asyncio.run(end_kernel(found.model_copy(update={"url": elsewhere.url})))
    assert elsewhere.kernels() == []


def test_a_worker_that_is_killed_leaves_what_its_kernel_is_found_by(there, elsewhere, wait_for):
    job = there("print('on')\nimport time; time.sleep(600)")
    wait_for(printed(job, "on\n"))
    job.process.kill()
    found = Whereabouts.model_validate_json((job.root / "remote-kernel.json").read_bytes())
    assert elsewhere.kernels() == [found.kernel_id]
    asyncio.run(end_kernel(found.model_copy(update={"kernel_id": None})))
    assert elsewhere.kernels() == []
    asyncio.run(end_kernel(found))


def test_a_wrong_token(there, place):
    wrong = place.root / "wrong"
    wrong.write_text("not-the-token")
    done = there("1", token=wrong).wait()
    assert done.error["code"] == "compute_token_refused"
    assert "'lab2'" in done.error["message"]
    assert "not-the-token" not in json.dumps(done.events)


def test_a_token_that_expires_midway(there, proxy, token_file, wait_for, elsewhere):
    job = there("print('on')\nimport time; time.sleep(600)")
    wait_for(printed(job, "on\n"))
    right = token_file.read_text()
    token_file.write_text("expired")
    proxy.blink()
    job.wait()
    assert job.error["code"] == "compute_token_refused"
    token_file.write_text(right)
    found = Whereabouts.model_validate_json((job.root / "remote-kernel.json").read_bytes())
    asyncio.run(end_kernel(found))


def test_a_token_that_is_renewed_midway_is_read_anew(there, proxy, token_file, wait_for):
    job = there(NUMBERED)
    wait_for(printed(job, "line 50\n"))
    right = token_file.read_text()
    token_file.write_text("expired")
    token_file.write_text(right)
    proxy.blink()
    job.wait()
    assert job.text() == LINES


def test_nobody_answers(there, free_port):
    done = there("1", url=f"http://127.0.0.1:{free_port}").wait()
    assert done.error["code"] == "compute_unreachable"
    assert f"http://127.0.0.1:{free_port}" in done.error["message"]
    assert "refused" in done.error["message"]


def test_what_is_no_jupyter_server(there, place):
    import threading
    from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *arguments):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Quiet) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        done = there("1", url=f"http://127.0.0.1:{server.server_address[1]}").wait()
        server.shutdown()
    assert done.error["code"] == "not_a_jupyter_server"


def test_several_remotes_at_once(there, elsewhere, attempt, place):
    with running("gateway") as other:
        token = place.root / "other"
        token.write_text(other.token)
        jobs = [
            there("print('one')"),
            there("print('two')", url=other.url, token=token),
            there("print('three')"),
            there("print('four')", url=other.url, token=token),
        ]
        assert [job.wait().text() for job in jobs] == ["one\n", "two\n", "three\n", "four\n"]


@pytest.fixture
def doomed():
    with running("server") as server:
        yield server


def test_the_other_machine_goes(there, doomed, place, wait_for):
    token = place.root / "doomed"
    token.write_text(doomed.token)
    job = there("print('on')\nimport time; time.sleep(600)", url=doomed.url, token=token, patience=2.0)
    wait_for(printed(job, "on\n"))
    doomed.kill()
    job.wait()
    assert job.error["code"] == "connection_lost"
    assert "not known" in job.error["message"]


def test_a_server_that_is_full(there, place):
    limit = (
        "from jupyter_server.services.kernels.kernelmanager import AsyncMappingKernelManager as M\n"
        "from tornado.web import HTTPError\n"
        "class Full(M):\n"
        "    async def start_kernel(self, *a, **k): raise HTTPError(503, 'The limit is reached')\n"
        "c.ServerApp.kernel_manager_class = Full\n"
    )
    config = place.root / "full.py"
    config.write_text(limit)
    with running("server", arguments=(f"--config={config}",)) as full:
        token = place.root / "full"
        token.write_text(full.token)
        done = there("1", url=full.url, token=token).wait()
    assert done.error["code"] == "compute_full"
    assert "The limit is reached" in done.error["message"]
