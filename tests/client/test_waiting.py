"""Many jobs are waited for at once; what was sent lately is not sent again."""

import asyncio
import threading

import jupyter_mlws as mlws
from jupyter_mlws.client.follow import WaitTimeout
from jupyter_mlws.client.lines import Lines
from jupyter_mlws.model.status import JobStatus
from jupyter_mlws.store.blobs import Blobs
from jupyter_mlws.store.layout import Layout

WAITS = """
import pathlib, time
while not pathlib.Path(go).exists():
    time.sleep(0.05)
print("gone")
"""
MANY = 200


async def test_hundreds_wait_at_once_with_a_request_each(jupyter_server, tmp_path, monkeypatch, wait_until):
    asked = []
    line = Lines.line
    monkeypatch.setattr(Lines, "line", lambda self: (asked.append(1), line(self))[1])
    go = tmp_path / "go"
    ws = await mlws.aconnect(url=jupyter_server.url, token=jupyter_server.token)
    job = await ws.jobs.submit_cell(WAITS, namespace={"go": str(go)})
    asked.clear()
    waits = [asyncio.create_task(job.wait(120)) for _ in range(MANY)]
    await wait_until(lambda: len(asked) == MANY)
    # Others are not kept from their turn by those who wait.
    assert (await job.refresh()).status is not JobStatus.COMPLETED
    go.touch()
    assert {record.status for record in await asyncio.gather(*waits)} == {JobStatus.COMPLETED}
    assert len(asked) == MANY + 1
    await ws.close()


async def test_a_time_that_is_over_is_told_with_the_status(jupyter_server, tmp_path):
    ws = await mlws.aconnect(url=jupyter_server.url, token=jupyter_server.token)
    job = await ws.jobs.submit_cell(WAITS, namespace={"go": str(tmp_path / "go")})
    try:
        await job.wait(3)
    except WaitTimeout as error:
        assert "is still" in error.message
        assert "after 3 s" in error.message
    else:
        raise AssertionError("the job cannot have ended")
    await job.delete()
    await ws.close()


def test_waiting_goes_on_when_the_server_ends_and_comes_back(place, start_server, wait_for):
    go = place.root / "go"
    server = start_server()
    lines = []
    ws = mlws.connect(say=lines.append)
    job = ws.jobs.submit_cell(WAITS, namespace={"go": str(go)})
    ended = []
    waiting = threading.Thread(target=lambda: ended.append(job.wait(120).record.status))
    waiting.start()
    server.stop()
    wait_for(lambda: lines, what="word that the server is gone")
    go.touch()
    start_server()
    waiting.join(120)
    assert ended == [JobStatus.COMPLETED]
    ws.close()


def test_a_blob_that_has_gone_meanwhile_is_sent_again(jupyter_server):
    ws = mlws.connect(url=jupyter_server.url, token=jupyter_server.token)
    numbers = list(range(1000))
    first = ws.jobs.submit_cell("total = sum(numbers)", namespace={"numbers": numbers}).wait(120)
    inputs = first.record.spec.inputs
    assert inputs is not None
    Blobs(Layout(jupyter_server.workspace).blobs).path(inputs.blob).unlink()
    again = ws.jobs.submit_cell("total = sum(numbers)", namespace={"numbers": numbers})
    assert again.result("total") == sum(numbers)
    ws.close()
