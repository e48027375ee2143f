import json
import pickle

import pytest

import jupyter_mlws as mlws
from jupyter_mlws.client.card import MIME
from jupyter_mlws.client.follow import WaitTimeout
from jupyter_mlws.client.options import JobInvalid, JobOptions
from jupyter_mlws.client.results import JobCanceled, JobFailed, ResultNotKept, ResultUnknown, ResultUnreadable
from jupyter_mlws.model.errors import Conflict, NotFound
from jupyter_mlws.model.job_query import JobQuery
from jupyter_mlws.model.status import JobStatus


@pytest.fixture(scope="module")
def ws(jupyter_server):
    with mlws.connect(url=jupyter_server.url, token=jupyter_server.token) as connected:
        yield connected


def function(source, name):
    """A function as a notebook defines it, so that it goes by value."""
    namespace = {"__name__": "__main__"}
    exec(source, namespace)
    return namespace[name]


def test_a_cell_goes_and_its_variables_come_back(ws):
    job = ws.jobs.submit_cell("b = [x * 2 for x in a]\nprint('done', sum(b))", namespace={"a": [1, 2, 3]})
    assert job.wait(120) is job
    assert job.status is JobStatus.COMPLETED
    assert job.result("b") == [2, 4, 6]
    assert job.result() == {"b": [2, 4, 6]}
    assert job.logs() == "done 12\n"
    assert job.record.spec.origin.client == "python"
    assert [cell["cell_type"] for cell in job.notebook()["cells"]][-1] == "code"
    assert len(job.attempts()) == 1


def test_a_table_comes_back_as_it_was(ws):
    pandas = pytest.importorskip("pandas")
    table = pandas.DataFrame({"x": range(1000), "name": ["ä"] * 1000})
    job = ws.jobs.submit_cell("y = table.assign(z=table.x * 2)", namespace={"table": table})
    found = job.result("y")
    pandas.testing.assert_frame_equal(found, table.assign(z=table.x * 2))
    found.loc[0, "z"] = 7  # what came back can be changed


def test_a_function_gives_what_it_returns(ws):
    train = function("def train(depth, lr=0.1):\n    return {'score': depth * lr}", "train")
    job = ws.jobs.submit(train, 3, kwargs={"lr": 2}, name="fit")
    assert job.name == "fit"
    assert job.result() == {"score": 6}
    assert job.result("result") == {"score": 6}


def test_a_notebook_takes_parameters_and_keeps_what_was_asked(ws, tmp_path):
    cells = [
        {"source": "depth = 1", "metadata": {"tags": ["parameters"]}},
        {"source": "score = depth * 7\nprint(extra)", "metadata": {}},
    ]
    for number, cell in enumerate(cells):
        cell.update(cell_type="code", id=f"c{number}", outputs=[], execution_count=None)
    content = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": cells}
    (tmp_path / "train.ipynb").write_text(json.dumps(content))
    job = ws.jobs.submit(
        tmp_path / "train.ipynb", parameters={"depth": 6}, inputs={"extra": "sent"}, outputs=["score"]
    )
    assert job.result("score") == 42
    assert "sent" in job.logs()


def test_a_script_runs(ws, tmp_path):
    (tmp_path / "fit.py").write_text("print('from the script')")
    job = ws.jobs.submit(str(tmp_path / "fit.py"), experiment="scripts").wait(120)
    assert (job.status, job.logs()) == (JobStatus.COMPLETED, "from the script\n")
    assert "scripts" in [each.name for each in ws.experiments()]


def test_an_empty_notebook_is_a_job(ws, tmp_path):
    content = {"nbformat": 4, "nbformat_minor": 5, "metadata": {}, "cells": []}
    (tmp_path / "empty.ipynb").write_text(json.dumps(content))
    assert ws.jobs.submit(tmp_path / "empty.ipynb").wait(120).status is JobStatus.COMPLETED


def test_a_failed_job_raises_with_its_traceback(ws):
    job = ws.jobs.submit_cell("def inner():\n    raise ValueError('gräßlich')\ninner()")
    with pytest.raises(JobFailed) as caught:
        job.result("x")
    assert "ValueError: gräßlich" in caught.value.message
    assert caught.value.error.code == "user_error"
    assert "inner()" in caught.value.traceback
    assert "inner()" in job.traceback
    assert "Traceback" not in caught.value._render_traceback_()[-1]


def test_results_that_cannot_come_back_say_why(ws):
    job = ws.jobs.submit_cell("good = 1\nbad = (i for i in range(3))")
    assert job.result("good") == 1
    with pytest.raises(ResultNotKept, match="'bad'.*generator"):
        job.result("bad")
    with pytest.raises(ResultUnknown, match="'worse'") as caught:
        job.result("worse")
    assert "good, bad" in caught.value.hint
    assert job.result() == {"good": 1}


def test_a_result_whose_module_is_missing_here_says_so(ws):
    code = (
        "import sys, types\n"
        "module = types.ModuleType('only_there')\n"
        "exec('class Thing: pass', module.__dict__)\n"
        "sys.modules['only_there'] = module\n"
        "thing = module.Thing()\n"
        "del module"
    )
    job = ws.jobs.submit_cell(code)
    with pytest.raises(ResultUnreadable, match="only_there"):
        job.result("thing")


def test_names_of_any_kind_reach_the_server(ws):
    name = 'it\'s "quoted" / ../ ünï 東京 #?&%'
    job = ws.jobs.submit_cell("größe = 5", options=JobOptions(name=name))
    assert job.result("größe") == 5
    assert ws.jobs.find(name).id == job.id
    assert [each.id for each in ws.jobs.list(name=name)] == [job.id]


def test_waiting_has_a_limit_and_the_job_goes_on(ws):
    job = ws.jobs.submit_cell("import time\ntime.sleep(120)", options=JobOptions(name="sleeper"))
    with pytest.raises(WaitTimeout, match="'sleeper'.*is still"):
        job.wait("0.2s")
    assert not job.status.is_terminal
    job.cancel()
    assert job.wait(60).status is JobStatus.CANCELED
    with pytest.raises(JobCanceled, match="was canceled"):
        job.result()


def test_a_deleted_job_is_gone_at_once_though_it_runs(ws):
    job = ws.jobs.submit_cell("import time\ntime.sleep(120)", options=JobOptions(name="doomed"))
    job.delete()
    assert ws.jobs.list(name="doomed") == []
    for ask in (job.refresh, job.wait, job.logs, job.delete, lambda: ws.jobs.find("doomed")):
        with pytest.raises(NotFound, match="There is no job"):
            ask()
    assert job.id in job._repr_mimebundle_()["text/plain"]  # as it was last seen


def test_a_job_runs_again_with_changes(ws):
    job = ws.jobs.submit_cell(
        "y = depth * a", namespace={"a": 10}, options=JobOptions(parameters={"depth": 2})
    )
    assert job.result("y") == 20
    again = job.rerun(parameters={"depth": 3}, name="again", cpus=0.5, priority="high")
    assert again.result("y") == 30
    assert again.record.spec.rerun_of == job.id
    assert again.record.spec.resources.cpus == 0.5
    with pytest.raises(JobInvalid, match="retries -1"):
        job.rerun(retries=-1)


def test_jobs_are_listed_by_page_and_filter(ws):
    ids = [ws.jobs.submit_cell(f"x = {n}", options=JobOptions(experiment="many")).id for n in range(3)]
    found = ws.jobs.list(experiment="many")
    assert [job.id for job in found] == ids[::-1]
    first = ws.jobs.page(JobQuery(experiment="many", limit=2))
    assert (first.total, len(first.jobs)) == (3, 2)
    rest = ws.jobs.page(JobQuery(experiment="many", limit=2, cursor=first.next))
    assert [job.id for job in rest.jobs] == ids[:1]
    for job in found:
        job.wait(120)
    assert len(ws.jobs.list(experiment="many", status="Completed")) == 3
    assert ids[0] in repr(ws.jobs.list(experiment="many"))
    assert "<table" in ws.jobs.list(experiment="many")._repr_html_()
    with pytest.raises(JobInvalid, match="status"):
        ws.jobs.list(status="Sleeping")
    assert "No jobs yet" in repr(ws.jobs.list(experiment="none at all"))


def test_output_is_streamed_in_order(ws, capsys):
    job = ws.jobs.submit_cell("import time\nfor i in range(20):\n    print('line', i)\n    time.sleep(0.01)")
    job.stream()
    lines = [line for line in capsys.readouterr().out.splitlines() if line.startswith("line")]
    assert lines == [f"line {i}" for i in range(20)]
    assert job.record.status is JobStatus.COMPLETED


def test_events_go_over_all_retries(ws, tmp_path):
    counter = tmp_path / "count"
    code = f"open({str(counter)!r}, 'a').write('x')\nassert len(open({str(counter)!r}).read()) == 3"
    job = ws.jobs.submit_cell(code, options=JobOptions(retries=3))
    attempts = [event.attempt for event in job.events(attempt=1) if event.type == "attempt"]
    assert attempts == [1, 2, 3]
    assert job.status is JobStatus.COMPLETED


def test_large_variables_go_once(ws, tmp_path):
    numpy = pytest.importorskip("numpy")
    array = numpy.arange(4_000_000.0)
    job = ws.jobs.submit_cell("total = array.sum(); back = array", namespace={"array": array})
    assert job.result("total") == array.sum()
    assert numpy.array_equal(job.result("back"), array)
    again = ws.jobs.submit_cell("total = array.sum()", namespace={"array": array})
    assert again.record.spec.inputs.blob == job.record.spec.inputs.blob


def test_a_result_can_be_saved_unread(ws, tmp_path):
    from jupyter_mlws.capture.portable import read_pack

    job = ws.jobs.submit_cell("x = {'a': 1}")
    job.save_result("x", tmp_path / "x.mlws")
    assert read_pack(tmp_path / "x.mlws") == {"x": {"a": 1}}


def test_a_job_shows_itself_as_a_card(ws):
    job = ws.jobs.submit_cell("y = a", namespace={"a": 1}, options=JobOptions(name="<b>bold</b>"))
    shown = job._repr_mimebundle_()
    card = shown[MIME]
    assert (card["id"], card["workspace"], card["name"]) == (job.id, ws.id, "<b>bold</b>")
    assert [item["name"] for item in card["sent"]] == ["a"]
    assert card["skipped"] == []
    assert "<script" not in shown["text/html"]
    assert "<b>bold</b>" not in shown["text/html"]
    assert "&lt;b&gt;bold" in shown["text/html"]
    assert job.id in shown["text/plain"]
    json.dumps(shown)


def test_a_job_travels_without_its_token(ws, jupyter_server, monkeypatch):
    job = ws.jobs.submit_cell("x = 1").wait(120)
    packed = pickle.dumps(job)
    assert jupyter_server.token.encode() not in packed
    for name, value in jupyter_server.place.environment.items():
        monkeypatch.setenv(name, value)
    assert pickle.loads(packed).result("x") == 1


def test_a_missing_job_is_a_sentence(ws):
    with pytest.raises(NotFound):
        ws.jobs.get("../../etc")
    with pytest.raises(NotFound, match="There is no job 'no such'"):
        ws.jobs.find("no such")


def test_workspaces_are_made_and_listed(ws):
    made = ws.workspaces.create("second")
    assert made.name == "second"
    assert "second" in [each.name for each in ws.workspaces.list()]
    with pytest.raises(Conflict, match="second"):
        ws.workspaces.create("second")
