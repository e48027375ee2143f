"""The magics in a real kernel beside a real server."""

import json

MIME = "application/vnd.mlws.job+json"


def test_a_cell_is_sent_and_comes_back(notebook):
    notebook.run("seed = 3\ndef double(x): return 2 * x * seed\nclass Model:\n    pass")
    ran = notebook.run(
        "%%mlws submit --name train\nmodel = Model()\nmodel.w = double(5)\nprint('in the job')"
    )
    card = ran.shown[0][MIME]
    assert (card["name"], card["kind"], card["variable"]) == ("train", "cell", "job")
    assert {item["name"] for item in card["sent"]} >= {"Model", "double"}
    assert all(item["type"] and item["size"] > 0 for item in card["sent"])
    assert card["id"] in ran.text
    assert "<script" not in ran.shown[0]["text/html"]
    assert (
        notebook.run("model = job.result('model'); print(model.w, type(model) is Model)").stdout
        == "30 True\n"
    )
    assert "in the job" in notebook.run("%mlws logs").stdout


def test_functions_that_come_back_see_the_notebook(notebook):
    notebook.run("offset = 1")
    notebook.run("%%mlws submit\nshift = lambda x: x + offset")
    assert notebook.run("shift = job.result('shift'); offset = 100; print(shift(1))").stdout == "101\n"


def test_waiting_shows_the_output_and_assigns(notebook):
    ran = notebook.run(
        "%%mlws submit --wait --out a,b --job mine\n"
        "from IPython.display import HTML, display\n"
        "a, b, c = 1, 2, 3\n"
        "print('seen', a)\n"
        "display(HTML('<i>rich</i>'))"
    )
    assert "seen 1" in ran.stdout
    assert any("<i>rich</i>" in bundle.get("text/html", "") for bundle in ran.shown)
    assert notebook.run("print(a, b, mine.record.spec.outputs)").stdout == "1 2 ['a', 'b']\n"


def test_parameters_of_any_content_arrive(notebook):
    notebook.run("table = {'deep': [1, {'x': None}]}")
    line = "%%mlws submit -p n=6 -p nan=nan -p \"quote='it\\'s'\" -p t={table} -p text=a/../b"
    notebook.run(f"{line}\nseen = repr((n, nan, quote, t, text))")
    said = notebook.run("print(job.result('seen'))").stdout.strip()
    assert said == repr((6, float("nan"), "it's", {"deep": [1, {"x": None}]}, "a/../b"))


def test_what_cannot_be_sent_is_one_sentence(notebook):
    notebook.run(
        "import sqlite3, threading\nheld = open('/dev/null')\nlock = threading.Lock()\ngen = (i for i in [1])"
    )
    for name in ("held", "lock", "gen"):
        ran = notebook.run(f"%%mlws submit\nprint({name})", fails=True)
        assert f"`{name}`" in ran.error
        assert "Or leave it out: --in names the variables to send." in ran.error
        assert "jupyter_mlws" not in ran.traceback
        assert not ran.shown
    ran = notebook.run("%%mlws submit\nnever_defined + 1", fails=True)
    assert "never_defined" in ran.error
    ran = notebook.run("%%mlws submit\nx = = 1", fails=True)
    assert "line 1" in ran.error.lower()
    assert "jupyter_mlws" not in ran.traceback


def test_a_failure_is_shown_with_the_jobs_traceback_alone(notebook):
    ran = notebook.run("%%mlws submit --wait --name broken\nvalue = 1\nvalue / 0", fails=True)
    assert "ZeroDivisionError" in ran.stderr
    assert ran.error.startswith("JobFailed: The job 'broken'")
    assert "jupyter_mlws" not in ran.traceback
    ran = notebook.run("job.result('value')", fails=True)
    assert "value / " in ran.traceback.replace("\x1b[32m", "").replace("\x1b[39m", "")
    assert "jupyter_mlws" not in ran.traceback


def test_a_wrong_option_is_a_sentence_without_a_traceback(notebook):
    ran = notebook.run("%mlws submit --nope", fails=True)
    assert ran.stderr == "UsageError: Unrecognized arguments: --nope. See: %mlws submit --help\n"
    assert ran.traceback == ""


def test_an_interrupt_ends_the_waiting_and_not_the_job(notebook):
    notebook.run("%%mlws submit --job sleeper --name sleeper\nimport time\ntime.sleep(300)")
    message_id = notebook.client.execute(
        "import threading, os, signal\n"
        "threading.Timer(1, os.kill, (os.getpid(), signal.SIGINT)).start()\n"
        "try:\n    sleeper.wait()\nexcept KeyboardInterrupt:\n    print('interrupted')"
    )
    heard = ""
    while "interrupted" not in heard:
        message = notebook.client.get_iopub_msg(timeout=60)
        if message["parent_header"].get("msg_id") == message_id and message["msg_type"] == "stream":
            heard += message["content"]["text"]
    assert notebook.run("print(sleeper.status.is_terminal)").stdout == "False\n"
    assert "is being ended" in notebook.run("%mlws cancel sleeper").stdout
    assert notebook.run("print(sleeper.wait().status)").stdout == "Canceled\n"
    assert "has ended already" in notebook.run("%mlws cancel sleeper").stdout
    assert "is being deleted" in notebook.run("%mlws delete sleeper").stdout
    assert "There is no job" in notebook.run("sleeper").text
    assert "No job matches" in notebook.run("%mlws jobs --name sleeper").stdout


def test_the_overview_tells_what_there_is(notebook):
    ran = notebook.run("%mlws")
    assert {"text/plain", "text/html"} <= set(ran.shown[0])
    for word in ("workspace", "server", "compute", "MLflow", "jobs"):
        assert word in ran.text


def test_jobs_are_listed_found_and_run_again(notebook):
    notebook.run("%%mlws submit --name findme --experiment looked -p k=2\ny = k * 10")
    notebook.run("job.wait()")
    assert "findme" in notebook.run("%mlws jobs --experiment looked").text
    assert "No job matches" in notebook.run("%mlws jobs --name nothing-of-that-name").stdout
    assert "findme" in notebook.run("%mlws job findme").text
    assert notebook.run("y = %mlws result findme y\nprint(y)").stdout == "20\n"
    notebook.run("%mlws rerun findme -p k=3 --wait --job again")
    assert notebook.run("print(again.result('y'))").stdout == "30\n"
    assert "no job 'nothing'" in notebook.run("%mlws job nothing", fails=True).error
    assert "local" in notebook.run("%mlws compute").text
    assert "workspace" in notebook.run("%mlws workspace").text


def test_completion(notebook):
    assert notebook.complete("%mlws su") == ["submit"]
    assert notebook.complete("%%mlws submit --ti") == ["--timeout"]
    notebook.run("%%mlws submit --name completeme\nx = 1")
    assert "completeme" in notebook.complete("%mlws logs comp")
    assert "job" in notebook.complete("%mlws cancel j")
    # Below the first line stands Python.
    assert "import" in notebook.complete("%%mlws submit\nimpor")


def test_loading_twice_changes_nothing(notebook):
    notebook.run("%reload_ext jupyter_mlws")
    assert notebook.complete("%mlws su") == ["submit"]


def test_a_job_variable_can_be_used_in_a_job(notebook):
    notebook.run("%%mlws submit --job first\nx = 20")
    notebook.run("first.wait()")
    notebook.run("%%mlws submit --job second\ny = first.result('x') + 1")
    assert notebook.run("print(second.result('y'))").stdout == "21\n"


def test_the_notebook_is_sent_as_it_was_saved_where_no_browser_shows_it(jupyter_server, open_notebook):
    cells = ["%load_ext jupyter_mlws", "value = 6 * 7\nprint('value is', value)"]
    opened = open_notebook("sub folder/train ü.ipynb", cells)
    opened.run("%load_ext jupyter_mlws")
    ran = opened.run("%mlws submit --wait")
    assert "value is 42" in ran.stdout
    card = ran.shown[0][MIME]
    assert (card["kind"], card["name"]) == ("notebook", "train ü")
    spec = json.loads(opened.run("print(job.record.spec.model_dump_json())").stdout)
    assert spec["folder"] == str(jupyter_server.place.folder / "sub folder")
    assert spec["path"] == "train ü.ipynb"
    assert spec["kernel"]["executable"]
    # The server's own kernel finds it without being told where it is.
    assert opened.run("print(job.record.spec.origin.kernel_id is not None)").stdout == "True\n"
