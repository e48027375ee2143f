import json
import sys

import pytest

from jupyter_mlws.capture.gather import NameNotDefined
from jupyter_mlws.capture.packing import CannotCapture
from jupyter_mlws.client.cell_job import prepare_cell
from jupyter_mlws.client.notebook_job import kernel_of, place_on_disk
from jupyter_mlws.client.options import JobInvalid, JobOptions
from jupyter_mlws.client.target import prepare
from jupyter_mlws.model.job import JobKind
from jupyter_mlws.model.parameters import ParameterInvalid


def prepared(target, *args, options=None, **more):
    return prepare(
        target,
        args=args,
        kwargs=more.get("kwargs"),
        options=options or JobOptions(),
        inputs=more.get("inputs"),
        outputs=more.get("outputs"),
    )


def a_notebook(path, *sources, **metadata):
    cells = [
        {
            "cell_type": "code",
            "id": f"c{i}",
            "metadata": {},
            "source": s,
            "outputs": [],
            "execution_count": None,
        }
        for i, s in enumerate(sources)
    ]
    path.write_text(json.dumps({"nbformat": 4, "nbformat_minor": 5, "metadata": metadata, "cells": cells}))
    return path


def test_a_cell_takes_what_it_reads_and_gives_what_it_assigns():
    job = prepare_cell("b = a + 1\nc = b", options=JobOptions(), namespace={"a": 1, "unused": 2})
    assert job.spec.kind is JobKind.CELL
    assert [item.name for item in job.spec.inputs.items] == ["a"]
    assert job.spec.outputs == ["b", "c"]
    assert job.spec.kernel.executable == sys.executable
    (blob,) = job.blobs
    assert blob.sha256 == job.spec.inputs.blob


def test_inputs_and_outputs_can_be_named():
    job = prepare_cell(
        "b = 1\nc = 2", options=JobOptions(), namespace={"a": 1, "x": 2}, inputs=["x"], outputs=["c"]
    )
    assert [item.name for item in job.spec.inputs.items] == ["x"]
    assert job.spec.outputs == ["c"]


def test_a_cell_that_reads_nothing_sends_nothing():
    job = prepare_cell("x = 1", options=JobOptions(), namespace={})
    assert job.spec.inputs is None
    assert job.blobs == []


def test_a_parameter_stands_for_a_variable():
    options = JobOptions(parameters={"depth": 6})
    job = prepare_cell("y = depth + a", options=options, namespace={"a": 1, "depth": object()})
    assert [item.name for item in job.spec.inputs.items] == ["a"]
    assert job.spec.parameters == {"depth": 6}


def test_what_cannot_be_sent_is_said_before_anything_is_sent(tmp_path):
    with pytest.raises(NameNotDefined, match="nowhere"):
        prepare_cell("nowhere + 1", options=JobOptions(), namespace={})
    with (tmp_path / "f").open("w") as held, pytest.raises(CannotCapture, match="held"):
        prepare_cell("held.read()", options=JobOptions(), namespace={"held": held})
    with pytest.raises(JobInvalid, match="empty"):
        prepare_cell(" \n", options=JobOptions(), namespace={})


def test_names_that_may_be_missing_are_listed_as_skipped():
    code = "try:\n    maybe\nexcept NameError:\n    maybe = 1"
    job = prepare_cell(code, options=JobOptions(), namespace={})
    assert [skipped.name for skipped in job.skipped] == ["maybe"]


def test_a_function_travels_with_its_arguments(tmp_path):
    def train(depth, lr=0.1):
        return depth * lr

    job = prepared(train, 3, kwargs={"lr": 0.5})
    assert job.spec.kind is JobKind.FUNCTION
    assert job.spec.name == "train"
    assert job.spec.outputs == ["result"]
    assert {item.name for item in job.spec.inputs.items} == {
        "__mlws_function__",
        "__mlws_args__",
        "__mlws_kwargs__",
    }


def test_an_argument_that_cannot_be_sent_is_named_as_the_caller_knows_it(tmp_path):
    with (tmp_path / "f").open("w") as held, pytest.raises(CannotCapture) as caught:
        prepared(print, held)
    assert "args" in caught.value.message
    assert "__mlws" not in str(caught.value)


def test_a_notebook_is_sent_as_it_is_with_its_folder(tmp_path):
    job = prepared(a_notebook(tmp_path / "train.ipynb", "x = 1"))
    assert (job.spec.kind, job.spec.name) == (JobKind.NOTEBOOK, "train")
    assert (job.spec.path, job.spec.folder) == ("train.ipynb", str(tmp_path))
    assert job.spec.notebook == job.blobs[0].sha256
    assert job.spec.in_snapshot


def test_the_kernel_is_the_one_that_the_notebook_names():
    def named(name):
        return {"metadata": {"kernelspec": {"name": name}}, "cells": []}

    assert kernel_of(named("julia-1.11")).name == "julia-1.11"
    # Not in a notebook's kernel: python3 means what Jupyter calls so.
    assert kernel_of(named("python3")).name == "python3"
    assert kernel_of({"cells": []}).name == "python3"


def test_a_script_is_named_by_its_path(tmp_path):
    (tmp_path / "fit.py").write_text("print(1)")
    job = prepared(tmp_path / "fit.py", options=JobOptions(parameters={"n": 2}, kernel="/usr/bin/python3"))
    assert (job.spec.kind, job.spec.path, job.spec.folder) == (JobKind.SCRIPT, "fit.py", str(tmp_path))
    assert job.spec.kernel.executable == "/usr/bin/python3"


@pytest.mark.parametrize("name", ["données d'été", "a/../b", "x" * 300, "tab\there", "  "])
def test_any_file_name_gives_a_valid_default_name(tmp_path, name):
    stem = name.replace("/", "_")[:200]
    (tmp_path / f"{stem}.py").write_text("")
    assert prepared(tmp_path / f"{stem}.py").spec.name


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"name": "x" * 10_000}, "10,000 characters"),
        ({"name": ""}, "name ''"),
        ({"name": "a\nb"}, "name"),
        ({"cpus": 0}, "cpus 0"),
        ({"retries": -1}, "retries -1"),
        ({"gpus": 1.5}, "gpus 1.5"),
        ({"priority": "urgent"}, "'urgent'"),
        ({"memory": 5}, "memory 5"),
    ],
)
def test_a_value_that_no_job_can_have_is_a_sentence_with_it(tmp_path, options, said):
    (tmp_path / "t.py").write_text("")
    with pytest.raises(JobInvalid) as caught:
        prepared(tmp_path / "t.py", options=JobOptions(**options))
    assert said in caught.value.message
    assert len(caught.value.message) < 400


def test_parameters_of_any_content_travel_and_others_are_refused(tmp_path):
    (tmp_path / "t.py").write_text("")
    values = {"quote": 'it\'s "x"\n', "nan": float("nan"), "nested": [[1, {"$a": None}]], "ü": -(2**70)}
    spec = prepared(tmp_path / "t.py", options=JobOptions(parameters=values)).spec
    assert repr(spec.values) == repr(values)
    with pytest.raises(ParameterInvalid, match="'m' is of type set"):
        prepared(tmp_path / "t.py", options=JobOptions(parameters={"m": {1}}))
    with pytest.raises(ParameterInvalid, match="'../x'"):
        prepared(tmp_path / "t.py", options=JobOptions(parameters={"../x": 1}))


@pytest.mark.parametrize(
    ("target", "said"), [("data.csv", "neither a notebook"), (7, "type int"), (None, "type NoneType")]
)
def test_what_cannot_be_a_job_is_a_sentence(target, said):
    with pytest.raises(JobInvalid, match=said):
        prepared(target)


def test_a_path_takes_no_arguments_and_a_function_no_inputs(tmp_path):
    with pytest.raises(JobInvalid, match="takes no arguments"):
        prepared("train.ipynb", 3)
    with pytest.raises(JobInvalid, match="as arguments"):
        prepared(print, inputs={"a": 1})


def test_the_notebook_on_the_screen_lies_where_the_server_says():
    assert str(place_on_disk("sub/train.ipynb", "/home/me/sub")) == "/home/me/sub/train.ipynb"
