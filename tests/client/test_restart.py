"""A server that is killed while somebody follows a job: nothing is lost, and it is said."""

import threading

import jupyter_mlws as mlws
from jupyter_mlws.model.status import JobStatus

CODE = """
import pathlib, time
for i in range(50):
    print("line", i, flush=True)
    if i == 10:
        pathlib.Path(began).write_text("x")
        while not pathlib.Path(go).exists():
            time.sleep(0.05)
done = True
"""


def test_following_and_waiting_survive_a_killed_server(place, start_server, wait_for, capsys):
    began, go = place.root / "began", place.root / "go"
    server = start_server()
    lines = []
    ws = mlws.connect(say=lines.append)
    job = ws.jobs.submit_cell(CODE, namespace={"began": str(began), "go": str(go)})
    waiting = threading.Thread(target=lambda: ended.append(job.wait(120).record.status))
    ended = []
    wait_for(began.exists, what="the job's first lines")
    waiting.start()
    seen = []
    following = threading.Thread(target=lambda: seen.extend(job.events()))
    following.start()
    wait_for(lambda: len(seen) > 3, what="the first events")

    server.kill()
    wait_for(lambda: len(lines) >= 2, what="word that the server is gone")
    go.touch()
    # Another port and another token, as a restarted JupyterLab has.
    start_server()
    following.join(120)
    waiting.join(120)

    printed = "".join(
        e.output["text"] for e in seen if e.type == "output" and e.output["output_type"] == "stream"
    )
    assert printed.split("\n")[:50] == [f"line {i}" for i in range(50)]
    assert ended == [JobStatus.COMPLETED]
    assert "does not answer" in lines[0]
    assert "is back" in lines[-1]
    assert job.result("done") is True
    ws.close()


def test_a_command_after_a_restart_finds_the_new_server(place, start_server):
    server = start_server()
    ws = mlws.connect(start=False)
    job = ws.jobs.submit_cell("x = 1").wait(120)
    server.stop()
    other = start_server()
    assert job.result("x") == 1
    assert ws.url == other.url.rstrip("/")
    ws.close()


def test_a_server_back_on_its_port_with_another_token_is_found(place, start_server, free_port):
    server = start_server(port=free_port)
    ws = mlws.connect(start=False)
    server.stop()
    other = start_server(port=free_port)
    assert other.token != server.token
    assert ws.status().workspace.id == ws.id
    ws.close()
