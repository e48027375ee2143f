"""What becomes of outputs: in the log, in files beside it, in the executed notebook."""

from __future__ import annotations

import json

import nbformat
import psutil
import pytest


def lines(attempt):
    return (attempt.root / "events.jsonl").read_bytes().split(b"\n")


def peak_memory(attempt):
    """Wait for the attempt's end; return the largest resident size of its worker in bytes."""
    peak = 0
    process = psutil.Process(attempt.process.pid)
    while attempt.process.poll() is None:
        try:
            peak = max(peak, process.memory_info().rss)
        except psutil.Error:
            break
        try:
            attempt.process.wait(0.02)
        except Exception:
            continue
    return peak


def test_a_million_lines(attempt):
    job = attempt(code="for i in range(1_000_000): print(i)")
    peak = peak_memory(job)
    assert job.last["status"] == "Completed"
    assert job.text() == "".join(f"{i}\n" for i in range(1_000_000))
    assert peak < 400 << 20
    kept = job.notebook["cells"][0]["outputs"]
    assert len(kept) == 1
    assert kept[0]["text"].startswith("0\n1\n2\n")
    assert kept[0]["text"].endswith("999998\n999999\n")
    assert "are left out here" in kept[0]["text"]
    assert len(kept[0]["text"]) < 400_000


@pytest.mark.parametrize(
    "code",
    [
        "for i in range(1024): print('x' * (1 << 20))",
        "line = 'x' * ((1 << 20) - 1) + '\\n'\nfor i in range(1024): print(line, end='')\nprint('end')",
        "print('y' * (1 << 30))",
    ],
    ids=["many", "lines", "one"],
)
def test_a_gigabyte_of_output(attempt, code):
    job = attempt(code=code)
    peak = peak_memory(job)
    assert job.last["status"] == "Completed"
    with (job.root / "events.jsonl").open("rb") as log:
        longest = size = 0
        for line in log:
            longest = max(longest, len(line))
            event = json.loads(line)
            if event["type"] == "output":
                size += len(event["output"]["text"])
    assert 1 << 30 < size <= (1 << 30) + 1024
    assert longest < 400_000
    assert peak < 600 << 20
    assert (job.root / "notebook.ipynb").stat().st_size < 1 << 20
    (job.root / "events.jsonl").unlink()


def test_small_prints_are_merged(run):
    done = run("import sys\nfor i in range(2000):\n    print(i)\n    sys.stdout.flush()")
    assert done.text() == "".join(f"{i}\n" for i in range(2000))
    assert len(done.of("output")) < 500


def test_output_comes_while_the_cell_runs(attempt, wait_for):
    job = attempt(code="import time\nprint('first')\ntime.sleep(600)")
    wait_for(lambda: job.text() == "first\n")
    wait_for(lambda: (job.root / "notebook.ipynb").exists() and job.notebook["cells"][0]["outputs"])
    assert job.notebook["cells"][0]["outputs"][0]["text"] == "first\n"
    job.cancel()
    job.wait()


def test_streams_keep_their_order_among_displays(run):
    code = """
import sys
from IPython.display import display
print('a'); sys.stdout.flush()
print('b', file=sys.stderr); sys.stderr.flush()
display(1)
print('c'); sys.stdout.flush()
2
"""
    done = run(code)
    seen = [(output["output_type"], output.get("text")) for output in done.outputs]
    assert seen == [
        ("stream", "a\n"),
        ("stream", "b\n"),
        ("display_data", None),
        ("stream", "c\n"),
        ("execute_result", None),
    ]
    assert [output["output_type"] for output in done.notebook["cells"][0]["outputs"]] == [
        kind for kind, _ in seen
    ]


def test_what_is_written_to_the_file_descriptors_comes_too(run):
    done = run("import os\nos.write(1, b'raw\\n')\nos.system('echo child')\nos.write(2, b'\\xff\\xfe\\n')")
    assert "raw\n" in done.text()
    assert "child\n" in done.text()
    assert "\ufffd" in done.text("stderr")


@pytest.mark.parametrize(
    "text",
    ["'\\ud800 lone'", "'\\udcff escaped'", "'\\x00\\x01\\x7f'", "'\\u2028 \\u2029 😀 é'", "'\\r\\n\\b'"],
)
def test_any_text_can_be_printed(run, text):
    done = run(f"print({text}); print('after')")
    assert done.last["status"] == "Completed"
    assert done.text().endswith("after\n")
    assert (done.root / "events.jsonl").read_bytes().decode("utf-8")
    nbformat.validate(nbformat.read(done.root / "notebook.ipynb", as_version=4))


def test_seven_megabytes_of_pictures(run):
    code = """
import os
from IPython.display import Image, display
png = bytes.fromhex('89504e470d0a1a0a')
for number in range(7):
    display(Image(data=png + os.urandom(1 << 20), format='png'))
display(Image(data=png, format='png'))
"""
    done = run(code)
    assert done.last["status"] == "Completed"
    pictures = [output["data"]["image/png"] for output in done.outputs]
    for picture in pictures[:7]:
        file = done.root / "outputs" / picture["file"]
        assert picture["file"].endswith(".png")
        assert file.stat().st_size == picture["size"] == (1 << 20) + 8
        assert file.read_bytes().startswith(b"\x89PNG")
    assert isinstance(pictures[7], str)
    assert max(map(len, lines(done))) < 10_000
    kept = done.notebook["cells"][0]["outputs"]
    assert [len(output["data"]["image/png"]) > 1 << 20 for output in kept] == [True] * 7 + [False]


def test_large_html_and_json_go_to_files(run):
    code = """
from IPython.display import HTML, JSON, display
display(HTML('<p>é</p>' * 20_000))
display(JSON({'x': list(range(50_000)), 'n': float('nan')}))
"""
    done = run(code)
    html, data = (output["data"] for output in done.outputs if output["output_type"] == "display_data")
    assert (done.root / "outputs" / html["text/html"]["file"]).read_text() == "<p>é</p>" * 20_000
    name = data["application/json"]["file"]
    assert name.endswith(".json")
    assert json.loads((done.root / "outputs" / name).read_text())["x"][-1] == 49_999


def test_very_many_displays_keep_first_and_last(run):
    done = run("from IPython.display import display\nfor i in range(3000): display(i)")
    assert len(done.of("output")) == 3000
    kept = done.notebook["cells"][0]["outputs"]
    assert len(kept) == 1201
    assert kept[0]["data"]["text/plain"] == "0"
    assert kept[-1]["data"]["text/plain"] == "2999"
    assert "1,800 outputs are left out" in kept[1000]["text"]


def test_displays_that_change(run_notebook):
    done = run_notebook(
        "from IPython.display import display\nhandle = display('one', display_id='d')",
        "handle.update('two')",
    )
    kinds = [
        (event["cell"], event["output"]["output_type"], event.get("display_id"))
        for event in done.of("output")
    ]
    assert kinds == [(0, "display_data", "d"), (1, "update_display_data", "d")]
    assert done.notebook["cells"][0]["outputs"][0]["data"]["text/plain"] == "'two'"
    assert done.notebook["cells"][1]["outputs"] == []


@pytest.mark.parametrize("wait", [True, False])
def test_clear_output(run, wait):
    code = f"""
from IPython.display import clear_output
for i in range(3):
    clear_output(wait={wait})
    print(i)
"""
    done = run(code)
    assert done.text() == "0\n1\n2\n"
    kept = done.notebook["cells"][0]["outputs"]
    assert [output["text"] for output in kept] == ["2\n"]
    assert [output["wait"] for output in done.outputs if output["output_type"] == "clear_output"] == [
        wait
    ] * 3


def test_a_progress_bar_is_kept_in_its_last_form(run):
    code = "import sys\nfor i in range(101):\n    sys.stderr.write(f'\\r{i}%'); sys.stderr.flush()"
    done = run(code)
    kept = {output["name"]: output["text"] for output in done.notebook["cells"][0]["outputs"]}
    assert kept["stderr"] == "100%"
    assert done.text("stderr").endswith("\r100%")


def test_output_of_a_thread_is_not_lost(run_notebook):
    done = run_notebook(
        "import threading, time\n"
        "def late():\n    time.sleep(0.5)\n    print('from the thread')\n"
        "thread = threading.Thread(target=late); thread.start()",
        "thread.join()",
    )
    # Which cell it belongs to is the kernel's word: its versions differ.
    (cell,) = {event["cell"] for event in done.of("output")}
    assert done.notebook["cells"][cell]["outputs"][0]["text"] == "from the thread\n"


def test_samples_tell_what_the_job_uses(run):
    done = run(
        "import time\nx = bytearray(100 << 20)\nend = time.time() + 2.5\nwhile time.time() < end: pass"
    )
    samples = done.of("sample")
    assert len(samples) >= 2
    assert samples[-1]["memory"] > 100 << 20
    assert samples[-1]["cpu_seconds"] > 0.5


def test_the_executed_notebook_is_a_notebook(run):
    done = run("import sys\nprint(1)\ndisplay(2)\n1 / 0")
    notebook = nbformat.read(done.root / "notebook.ipynb", as_version=4)
    nbformat.validate(notebook)
    assert notebook.metadata.language_info.name == "python"
    assert "iopub.status.busy" in notebook.cells[0].metadata.execution
