"""What each kind of job runs, and what its parameters become."""

from __future__ import annotations

import json
import linecache
import math
import re
import sys
import textwrap

import nbformat
import pytest
from attempts import notebook_json

from jupyter_mlws.capture.portable import read_pack, write_pack


@pytest.fixture
def run_script(attempt, place):
    def through(code, *, name="train.py", **options):
        path = place.folder / name
        path.write_text(textwrap.dedent(code))
        task = {"script": str(path), **options.pop("task", {})}
        return attempt(kind="script", path=name, folder=str(place.folder), task=task, **options).wait()

    return through


@pytest.fixture
def run_function(attempt, place):
    def through(function, *arguments, namespace=None, task=None, **keywords):
        pack = place.root / "inputs.mlws"
        variables = {
            "__mlws_function__": function,
            "__mlws_args__": arguments,
            "__mlws_kwargs__": keywords,
        }
        with pack.open("wb") as stream:
            write_pack(variables, stream, namespace={} if namespace is None else namespace)
        inputs = {"blob": "0" * 64, "size": 1}
        return attempt(kind="function", inputs=inputs, task={"inputs": str(pack), **(task or {})}).wait()

    return through


@pytest.fixture
def pack(place):
    def write(**variables):
        path = place.root / "inputs.mlws"
        with path.open("wb") as stream:
            write_pack(variables, stream, namespace={})
        return str(path)

    return write


def result(attempt, name):
    files = json.loads((attempt.root / "results" / "results.json").read_text())
    return read_pack(str(attempt.root / "results" / files[name]))[name]


AWKWARD = {
    "quotes": "it's \"quoted\" '''thrice'''",
    "lines": "one\ntwo\r\nthree\\n {x} {{y}} $z %s",
    "unicode": "数据 é 😀",
    "nan": {"$float": "nan"},
    "infinite": [{"$float": "inf"}, {"$float": "-inf"}],
    "nested": [[1, [2.5, None]], {"a": {"b": [True, "'"]}}, -1, 1e-300],
    "big": {"$int": str(2**80)},
    "tagged": {"$dict": [["$x", 1]]},
    "empty": "",
    "long": "x" * 10_000,
}


def check_awkward(values):
    assert math.isnan(values.pop("nan"))
    assert values == {
        "quotes": "it's \"quoted\" '''thrice'''",
        "lines": "one\ntwo\r\nthree\\n {x} {{y}} $z %s",
        "unicode": "数据 é 😀",
        "infinite": [math.inf, -math.inf],
        "nested": [[1, [2.5, None]], {"a": {"b": [True, "'"]}}, -1, 1e-300],
        "big": 2**80,
        "tagged": {"$x": 1},
        "empty": "",
        "long": "x" * 10_000,
    }


def test_awkward_parameters_reach_a_cell(run):
    names = ", ".join(f"{name!r}: {name}" for name in AWKWARD)
    done = run(f"values = {{{names}}}", parameters=AWKWARD, outputs=["values"])
    assert done.last["status"] == "Completed", done.error
    check_awkward(result(done, "values"))
    cells = done.notebook["cells"]
    assert cells[0]["metadata"]["tags"] == ["injected-parameters"]
    assert len(cells) == 2


def test_awkward_parameters_reach_a_notebook(run_notebook):
    names = ", ".join(f"{name!r}: {name}" for name in AWKWARD)
    done = run_notebook(
        (
            "quotes = lines = unicode = nan = infinite = nested = big = tagged = empty = long = None",
            ["parameters"],
        ),
        f"values = {{{names}}}",
        parameters=AWKWARD,
        outputs=["values"],
    )
    assert done.last["status"] == "Completed", done.error
    check_awkward(result(done, "values"))
    assert done.messages == []


def test_parameters_come_after_the_tagged_cell(run_notebook):
    done = run_notebook(
        "import math",
        ("depth = 1\nrate: float = 0.1", ["parameters"]),
        "print(depth, rate)",
        parameters={"depth": 6},
    )
    assert done.text() == "6 0.1\n"
    tags = [cell["metadata"].get("tags") for cell in done.notebook["cells"]]
    assert tags == [None, ["parameters"], ["injected-parameters"], None]
    nbformat.validate(nbformat.read(done.root / "notebook.ipynb", as_version=4))


def test_parameters_replace_those_that_were_injected_before(run_notebook):
    done = run_notebook(
        ("depth = 1", ["parameters"]),
        ("depth = 2", ["injected-parameters"]),
        "print(depth)",
        parameters={"depth": 3},
    )
    assert done.text() == "3\n"
    assert len(done.notebook["cells"]) == 3


def test_parameters_without_a_tagged_cell_come_first_and_are_mentioned(run_notebook):
    done = run_notebook("print(depth)", parameters={"depth": 3})
    assert done.text() == "3\n"
    assert any("no cell tagged" in text for text in done.messages)


def test_a_parameter_that_the_notebook_does_not_have_is_mentioned(run_notebook):
    done = run_notebook(
        ("depth = 1", ["parameters"]), "print(depth, rate)", parameters={"depth": 3, "rate": 1}
    )
    assert done.text() == "3 1\n"
    (warning,) = done.of("message")
    assert warning["level"] == "warning"
    assert "'rate'" in warning["text"]
    assert "'depth'" not in warning["text"]


def test_a_script_runs_as_python_runs_it(run_script, place):
    (place.folder / "beside.py").write_text("name = __name__")
    done = run_script(
        """
        import asyncio, sys, os, threading, time
        import beside
        assert __name__ == "__main__"
        print(sys.argv[0] == __file__, sys.argv[1:], sys.path[0] == os.path.dirname(__file__), beside.name)
        async def main():
            await asyncio.sleep(0)
            print("async")
        asyncio.run(main())
        def late():
            time.sleep(0.3)
            print("late")
        threading.Thread(target=late).start()
        """,
        parameters={"name": "a b", "depth": 3, "flags": [True, None], "rate": {"$float": "nan"}},
    )
    assert done.last["status"] == "Completed", done.log
    first, *rest = done.text().splitlines()
    arguments = ["--name", "a b", "--depth", "3", "--flags", "[True, None]", "--rate", "float('nan')"]
    assert first == f"True {arguments} True beside"
    assert rest == ["async", "late"]
    assert "import beside" in done.notebook["cells"][0]["source"]


def test_a_script_can_use_processes_of_its_own(run_script):
    done = run_script(
        """
        import multiprocessing
        def double(x): return 2 * x
        if __name__ == "__main__":
            with multiprocessing.get_context("spawn").Pool(2) as pool:
                print(pool.map(double, [1, 2]))
        """
    )
    assert done.text() == "[2, 4]\n"


def test_the_traceback_of_a_script_points_into_its_file(run_script):
    done = run_script("def f():\n    return 1 / 0\n\nf()\n")
    assert done.error["code"] == "user_error"
    assert done.error["hint"] == "In train.py."
    traceback = "\n".join(done.outputs[0]["traceback"])
    assert (
        "train.py:4" in traceback.replace("\x1b[32m", "").replace("\x1b[39m", "") or "train.py" in traceback
    )
    assert "_mlws" not in traceback
    assert "inside_kernel" not in traceback


def test_a_syntax_error_of_a_script(run_script):
    done = run_script("x = (\n")
    assert done.error["code"] == "user_error"
    assert done.error["message"].startswith("SyntaxError")
    assert "train.py" in "\n".join(done.outputs[0]["traceback"])


@pytest.mark.parametrize(("code", "status"), [("0", "Completed"), ("2", "Failed")])
def test_a_script_that_exits(run_script, code, status):
    done = run_script(f"import sys\nprint(1)\nsys.exit({code})")
    assert done.last["status"] == status
    assert done.text() == "1\n"


def test_a_script_that_is_not_there(attempt, place):
    done = attempt(
        kind="script",
        path="gone.py",
        folder=str(place.folder),
        task={"script": str(place.folder / "gone.py")},
    ).wait()
    assert done.error["code"] == "script_unreadable"
    assert "gone.py" in done.error["message"]


def test_results_of_a_script(run_script):
    done = run_script("model = {'a': 1}", outputs=["model"])
    assert result(done, "model") == {"a": 1}


def test_a_function_returns_its_result(run_function):
    def add(a, *, b):
        print("adding")
        return a + b

    done = run_function(add, 1, b=2)
    assert done.last["status"] == "Completed", done.log
    assert result(done, "result") == 3
    assert done.text() == "adding\n"


def test_a_coroutine_function_is_awaited(run_function):
    async def late(value):
        import asyncio

        await asyncio.sleep(0)
        return value

    assert result(run_function(late, "x"), "result") == "x"


def test_the_traceback_of_a_function_is_its_own(run_function):
    def fail():
        raise KeyError("gone")

    done = run_function(fail)
    assert done.error["message"] == "KeyError: 'gone'"
    assert "_mlws" not in "\n".join(done.outputs[0]["traceback"])


def test_the_traceback_of_a_function_shows_its_lines(run_function, monkeypatch):
    # As IPython does with the text of a cell.
    text = "def deep(x):\n    return 1 / x\n\ndef fail(x):\n    return deep(x)\n"
    monkeypatch.setitem(linecache.cache, "<cell>", (len(text), None, text.splitlines(True), "<cell>"))
    book = {"__name__": "__main__"}
    exec(compile(text, "<cell>", "exec"), book)
    done = run_function(book["fail"], 0, namespace=book)
    assert done.error["hint"] == "In the function."
    traceback = re.sub("\x1b\\[[0-9;]*m", "", "\n".join(done.outputs[0]["traceback"]))
    assert "return deep(x)" in traceback
    assert "return 1 / x" in traceback
    assert "Could not get source" not in traceback


def test_no_name_of_ours_is_in_the_users_namespace(run, pack):
    code = "found = sorted(name for name in dir() if 'mlws' in name.lower())\nprint(found, seen, In)"
    done = run(code, task={"inputs": pack(seen=7)}, inputs={"blob": "0" * 64, "size": 1}, outputs=["seen"])
    assert done.text().startswith("[] 7 ['', ")
    assert result(done, "seen") == 7


def test_a_broken_pack_fails_with_a_sentence(run, place):
    path = place.root / "broken.mlws"
    path.write_bytes(b"nothing of the kind")
    done = run("print(1)", task={"inputs": str(path)}, inputs={"blob": "0" * 64, "size": 1})
    assert done.error["code"] == "unpack_failed"
    assert done.text() == ""
    assert done.statuses == ["Preparing", "Failed"]


def test_results_that_cannot_come_back_say_why(run):
    done = run("import threading\nlock = threading.Lock()\nfine = 1", outputs=["lock", "fine", "never"])
    assert done.last["status"] == "Completed"
    assert done.results["lock"]["error"]
    assert done.results["never"]["error"]
    assert result(done, "fine") == 1


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"no json", "cannot be read"),
        (b"[1]", "nbformat"),
        (b"{}", "nbformat"),
        (b'{"nbformat": 99}', "cannot be"),
    ],
)
def test_what_is_no_notebook(run_notebook, content, said):
    done = run_notebook(content=content)
    assert done.error["code"] == "notebook_invalid"
    assert said in done.error["message"]
    assert done.statuses == ["Preparing", "Failed"]


def test_an_empty_notebook_completes(run_notebook):
    for done in (run_notebook(), run_notebook("", "  \n")):
        assert done.last["status"] == "Completed"
        assert done.of("cell") == []


def test_a_notebook_of_format_3_is_upgraded(run_notebook):
    content = {
        "nbformat": 3,
        "nbformat_minor": 0,
        "metadata": {"name": "old"},
        "worksheets": [
            {
                "metadata": {},
                "cells": [
                    {"cell_type": "heading", "level": 1, "metadata": {}, "source": ["Old"]},
                    {
                        "cell_type": "code",
                        "collapsed": False,
                        "input": ["x\n", "print('old wine')"],
                        "language": "python",
                        "metadata": {},
                        "outputs": [],
                    },
                ],
            }
        ],
    }
    done = run_notebook(content=content, parameters={"x": 1})
    assert done.last["status"] == "Completed", done.error
    assert done.text() == "old wine\n"
    assert done.notebook["nbformat"] == 4
    nbformat.validate(nbformat.read(done.root / "notebook.ipynb", as_version=4))


def test_markdown_raw_and_skipped_cells(run_notebook):
    content = notebook_json("print(1)", ("print(2)", ["skip-execution"]), "print(3)")
    content["cells"].insert(0, {"cell_type": "markdown", "id": "m", "metadata": {}, "source": "# Title"})
    content["cells"].append({"cell_type": "raw", "id": "r", "metadata": {}, "source": "raw"})
    done = run_notebook(content=content)
    assert done.text() == "1\n3\n"
    assert done.cell_states == [(1, "running"), (1, "ok"), (2, "skipped"), (3, "running"), (3, "ok")]
    assert done.of("cell")[0]["position"] == 1
    assert {event["total"] for event in done.of("cell")} == {3}


def test_cells_that_may_fail(run_notebook):
    done = run_notebook(("1 / 0", ["raises-exception"]), "print('on')", "raise KeyError(1)", "print('never')")
    assert done.text() == "on\n"
    assert done.error["message"] == "KeyError: 1"
    assert done.error["hint"] == "In cell 3 of 4."
    assert done.cell_states[:2] == [(0, "running"), (0, "error")]


def test_old_outputs_of_a_notebook_are_gone(run_notebook):
    content = notebook_json("print(1)", "raise ValueError", "print(3)")
    for cell in content["cells"]:
        cell["outputs"] = [{"output_type": "stream", "name": "stdout", "text": "old"}]
        cell["execution_count"] = 9
    done = run_notebook(content=content)
    assert done.notebook["cells"][2]["outputs"] == []
    assert done.notebook["cells"][2]["execution_count"] is None


def test_magics_and_await_at_top_level(run):
    done = run("%env MLWS_TRY=1\nimport asyncio\nawait asyncio.sleep(0)\n!echo from the shell\nprint('end')")
    assert done.last["status"] == "Completed", done.error
    assert "from the shell" in done.text()
    assert done.text().endswith("end\n")


def test_a_notebook_of_ten_thousand_characters_in_a_name(run):
    name = "n" * 10_000
    done = run(f"{name} = 1\nprint({name})", outputs=[name])
    assert done.last["status"] == "Completed"
    assert name in done.results


def test_the_working_folder_is_the_tasks(run, place):
    done = run("import os; print(os.getcwd())", task={"cwd": str(place.folder)})
    assert done.text().strip() == str(place.folder)


def test_a_working_folder_that_is_gone(run, place):
    done = run("1", task={"cwd": str(place.root / "gone")})
    assert done.error["code"] == "kernel_start_failed"
    assert "gone" in done.error["message"]
    assert sys.executable
