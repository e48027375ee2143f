"""Cells that do their worst, sent from a real notebook: each is a clear sentence or a right result."""

from __future__ import annotations

import pytest

from tests.hostile.conftest import files_of

OURS = "/jupyter_mlws/"


@pytest.fixture(scope="module")
def before(place_of):
    """The files that were there before the first test."""
    return files_of(place_of)


def fails(notebook, code: str, *, options: str = "--wait"):
    """Submit `code`, which fails; what the user sees holds no way through our own code."""
    ran = notebook.run(f"%%mlws submit {options}\n{code}", fails=True)
    assert OURS not in ran.traceback
    assert OURS not in ran.stderr
    return ran


def test_it_begins_with_nothing(before, notebook):
    assert "No jobs yet. Put %%mlws submit over a cell" in notebook.run("%mlws").text
    assert "There are no jobs yet" in notebook.run("%mlws logs", fails=True).stderr


@pytest.mark.parametrize("code", ["import sys; kept = 1; sys.exit()", "kept = 1; exit()"])
def test_an_exit_completes_and_keeps_results(notebook, code):
    ran = notebook.run(f"%%mlws submit --wait --out kept\n{code}")
    # The card under the cell tells how it stands in the end, also where no extension keeps it up.
    assert "Queued" not in notebook.run("job").text
    assert ran.error == ""
    assert notebook.run("print(kept, job.status)").stdout == "1 Completed\n"


def test_an_exit_with_a_number(notebook):
    assert "sys.exit(3)" in fails(notebook, "import sys; sys.exit(3)").error


def test_the_process_ends_itself(notebook):
    ran = fails(notebook, "import os; print('seen', flush=True); os._exit(1)")
    assert "The kernel ended itself with exit code 1" in ran.error
    assert ran.stdout == "seen\n"


def test_an_endless_loop_is_canceled_from_the_command_line(notebook, command_line, wait_for):
    notebook.run("%%mlws submit --name endless --job endless\nprint('begun', flush=True)\nwhile True: pass")
    wait_for(lambda: "begun" in notebook.run("%mlws logs endless").stdout)
    done = command_line("job", "cancel", "endless")
    assert (done.returncode, "is being ended" in done.stdout) == (0, True)
    assert notebook.run("print(endless.wait(60).status)").stdout == "Canceled\n"
    assert notebook.run("print(endless.logs())").stdout.startswith("begun\n")
    assert command_line("job", "wait", "endless").returncode == 3
    assert "was canceled" in notebook.run("endless.result()", fails=True).error


def test_input_has_nobody_to_answer(notebook):
    assert "asked for input with input()" in fails(notebook, "name = input('who? ')").error


def test_a_million_lines_arrive_in_order(notebook):
    ran = notebook.run("%%mlws submit --wait\nfor i in range(1_000_000): print(i)")
    assert ran.stdout == "".join(f"{i}\n" for i in range(1_000_000))
    assert notebook.run("%mlws logs -n 2").stdout == "999998\n999999\n"


def test_a_gigabyte_of_output(notebook, command_line, memory, wait_for):
    with memory:
        notebook.run(
            "%%mlws submit --name flood --job flood\nline = 'x' * 999_999 + '\\n'\n"
            "for i in range(1000): print(line, end='')\nprint('the end')\nlast = 7"
        )
        assert notebook.run("print(flood.result('last'))", timeout=240).stdout == "7\n"
    assert memory.grown < 200 << 20
    assert command_line("job", "logs", "flood", "-n", "1").stdout == "the end\n"
    assert int(notebook.run("import json; print(len(json.dumps(flood.notebook())))").stdout) < 2 << 20
    notebook.run("flood.delete()")
    wait_for(lambda: "There is no job" in notebook.run("flood").text)


def test_seven_megabytes_of_pictures(notebook):
    ran = notebook.run(
        "%%mlws submit --wait\nimport os\nfrom IPython.display import Image, display\n"
        "for i in range(7): display(Image(b'\\x89PNG\\r\\n\\x1a\\n' + os.urandom(1_000_000), format='png'))"
    )
    pictures = [shown["image/png"] for shown in ran.shown if "image/png" in shown]
    assert [len(picture) > 1_300_000 for picture in pictures] == [True] * 7
    assert (
        notebook.run(
            "print(sum('image/png' in o['data'] for o in job.notebook()['cells'][0]['outputs']))"
        ).stdout
        == "7\n"
    )


def test_an_interactive_output_does_not_hang(notebook):
    code = (
        "import ipywidgets as w\nfrom IPython.display import display\na = w.IntSlider(3)\n"
        "out = w.interactive_output(lambda x: print('x is', x), {'x': a})\n"
        "display(a, out)\na.value = 5\nend = 1"
    )
    ran = notebook.run(f"%%mlws submit --wait --timeout 100\n{code}")
    assert "x is 5" in ran.stdout
    told = notebook.run("print(job.result())")
    assert "'end': 1" in told.stdout
    assert "a: It is a widget" in told.stdout
    assert ".;" not in told.stdout


def test_a_syntax_error_is_told_before_anything_runs(notebook):
    ran = fails(notebook, "y = 1\nx = = 1")
    assert "Line 2 of the cell is not valid Python" in ran.error
    assert not ran.shown


def test_a_message_in_any_script(notebook):
    ran = fails(notebook, "raise ValueError('schön ☃ 😀 \\u202e \\x00 \\ud800')")
    assert "ValueError: schön ☃ 😀" in ran.error


def test_what_cannot_be_sent_is_named(notebook):
    notebook.run(
        "import sqlite3, threading\nclass Model: pass\nmodel = Model()\n"
        "model.cache = {'log': [open('/dev/null')]}\n"
        "lock = threading.Lock()\nlines = (n for n in [1])\nbase = sqlite3.connect(':memory:')"
    )
    for name, said in {
        "model": "`model.cache['log'][0]` is an open file (/dev/null)",
        "lock": "a lock",
        "lines": "a generator",
        "base": "a connection to a database",
    }.items():
        ran = fails(notebook, f"print({name})")
        assert f"`{name}`" in ran.error
        assert said in ran.error
        assert not ran.shown


def test_names_that_nobody_defined(notebook):
    ran = fails(notebook, "def f():\n    return deep_inside\nprint(never_defined, f())")
    assert "`deep_inside`" in ran.error
    assert "`never_defined`" in ran.error
    # What is defined, but was left out by --in, is known only once it runs.
    notebook.run("here = 1")
    assert (
        "name 'never_defined' is not defined"
        in fails(notebook, "print(never_defined)", options="--wait --in here").error
    )


def test_a_table_of_a_gigabyte(notebook, memory):
    notebook.run("import numpy, pandas\nbig = pandas.DataFrame(numpy.zeros((1 << 20, 128)))")
    notebook.run("big.iloc[-1, -1] = 5")
    with memory:
        ran = notebook.run("%%mlws submit --job first\nlast = big.iloc[-1, -1]; shape = big.shape")
        assert "big DataFrame (1 GB)" in ran.text
        assert "1 GB of 1 GB" in ran.stdout
        said = notebook.run("print(first.result('last'), first.result('shape'))", timeout=240).stdout
    assert said == "5.0 (1048576, 128)\n"
    assert memory.grown < 200 << 20
    # The same table does not travel twice.
    assert "of 1 GB" not in notebook.run("%%mlws submit --job second\nn = len(big)").stdout
    notebook.run("second.wait(); first.delete(); second.delete(); del big")


@pytest.mark.parametrize(
    ("kernel", "said"),
    [
        ("nosuch", "There is no kernel 'nosuch'"),
        ("../../etc", "no Python to run at '../../etc'"),
        ("/etc/passwd", "no Python to run at '/etc/passwd'"),
        ("unreadable", "'unreadable'"),
        ("dies", "ended at its start with exit code 7: libfoo.so is missing"),
        ("gone", "'/no/such/python'"),
    ],
)
def test_kernels_that_cannot_start(notebook, kernel, said):
    assert said in fails(notebook, "print(1)", options=f"--wait --kernel {kernel}").error


def test_parameters_of_any_content(notebook):
    notebook.run("table = {'deep': [1, {'x': None, 'quote': 'it\\'s \"so\"\\n'}]}")
    line = (
        "%%mlws submit -p l=[1, [2, nan], {\"k\": -inf}] -p t={table} -p d={'a b': (1, 2)} -p q='it is' -p e="
    )
    notebook.run(f"{line}\nseen = repr((l, t, d, q, e))")
    expected = (
        [1, [2, float("nan")], {"k": float("-inf")}],
        {"deep": [1, {"x": None, "quote": 'it\'s "so"\n'}]},
        {"a b": [1, 2]},
        "it is",
        "",
    )
    assert notebook.run("print(job.result('seen'))").stdout.strip() == repr(expected)
    for text, said in {
        "o={notebook_object}": "no variable 'notebook_object'",
        "'a b=1'": "'a b' is not a valid name",
        "class=1": "'class' is not a valid name",
        "depth": "has no =",
    }.items():
        ran = fails(notebook, "print(1)", options=f"-p {text}")
        assert said in ran.error + ran.stderr


def test_names_of_any_content(notebook, before, place_of):
    name = "../../../naïve ☃ 'q' \\\"d\\\""
    notebook.run(f'%%mlws submit --name "{name}" --experiment "{name}" --wait\nx = 1')
    assert notebook.run("print(job.name)").stdout == "../../../naïve ☃ 'q' \"d\"\n"
    ran = fails(notebook, "x = 1", options=f"--name {'n' * 10_000}")
    assert "(10,000 characters)" in ran.error
    assert "longer than 255 characters" in ran.error
    assert len(ran.error) < 400
    assert files_of(place_of) == before


def test_jobs_that_the_notebook_holds_outlive_a_wrong_address(notebook, jupyter_server, free_port):
    notebook.run("%%mlws submit --job held\nx = 1")
    notebook.run(f"import os; os.environ['MLWS_SERVER_URL'] = '{jupyter_server.url}'")
    notebook.run("os.environ['MLWS_TOKEN'] = 'wrong'")
    refused = notebook.run("%mlws", fails=True)
    assert "refuses the token from MLWS_TOKEN" in refused.error
    assert OURS not in refused.traceback
    notebook.run(f"os.environ['MLWS_SERVER_URL'] = 'http://127.0.0.1:{free_port}'")
    assert "cannot be reached" in fails(notebook, "x = 1").error
    notebook.run("del os.environ['MLWS_SERVER_URL'], os.environ['MLWS_TOKEN']")
    assert "workspace" in notebook.run("%mlws").text
    assert notebook.run("print(held.result('x'))").stdout == "1\n"


def test_what_runs_stands_first_in_a_busy_workspace(notebook, wait_for):
    notebook.run("%%mlws submit --name worker --job worker\nimport time\ntime.sleep(600)")
    wait_for(lambda: notebook.run("print(worker.refresh().status)").stdout == "Running\n")
    notebook.run(
        "import jupyter_mlws as mlws\nws = mlws.connect()\n"
        "waiting = [ws.jobs.submit(len, [], name=f'w{n}', cpus=2) for n in range(12)]"
    )
    shown = notebook.run("%mlws").text
    assert "12 Queued" in shown
    assert "● Running" in shown
    assert shown.index("worker") < shown.index("w11")
    notebook.run("[job.cancel() for job in waiting]; worker.cancel(); worker.wait()")
