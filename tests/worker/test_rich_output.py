from __future__ import annotations

import json

from jupyter_mlws.worker.rich_output import LARGEST_VALUE, error_output, rich_output, shortened, without_nan


class Files:
    def __init__(self):
        self.kept = {}

    def __call__(self, extension, content):
        name = f"{len(self.kept) + 1}.{extension}"
        self.kept[name] = content
        return {"file": name, "size": len(content)}


def test_small_values_stay():
    files = Files()
    content = {"data": {"text/plain": "1"}, "metadata": {"a": 1}, "execution_count": 3}
    output = rich_output("execute_result", content, keep=files)
    assert output == {
        "output_type": "execute_result",
        "data": {"text/plain": "1"},
        "metadata": {"a": 1},
        "execution_count": 3,
    }
    assert files.kept == {}


def test_many_values_of_middle_size_make_no_endless_line():
    files = Files()
    data = {f"text/x-{number}": "é" * (LARGEST_VALUE - 1) for number in range(20)}
    output = rich_output("display_data", {"data": data, "metadata": {}}, keep=files)
    assert len(json.dumps(output, ensure_ascii=False)) < 400_000
    assert list(output["data"]) == list(data)
    for mime, value in output["data"].items():
        assert value == data[mime] or files.kept[value["file"]].decode() == data[mime]


def test_what_claims_to_be_a_picture_and_is_not():
    files = Files()
    rich_output("display_data", {"data": {"image/png": "ä" * 100_000}}, keep=files)
    assert files.kept["1.png"].decode() == "ä" * 100_000


def test_metadata_without_end_is_left_out():
    output = rich_output("display_data", {"data": {}, "metadata": {"x": "y" * 100_000}}, keep=Files())
    assert output["metadata"] == {}


def test_a_long_error_is_whole_in_a_file():
    files = Files()
    content = {"ename": "E", "evalue": "v" * 200_000, "traceback": ["t" * 10] * 20_000}
    output = error_output(content, keep=files)
    assert len(json.dumps(output)) < 400_000
    assert "outputs/1.txt" in output["evalue"]
    assert b"v" * 200_000 in files.kept["1.txt"]


def test_an_error_with_odd_fields():
    output = error_output({"ename": None, "traceback": None}, keep=Files())
    assert output == {"output_type": "error", "ename": "None", "evalue": "", "traceback": []}


def test_shortened_says_how_much():
    text = shortened("a" * 50_000 + "b" * 50_000, note="n", longest=100)
    assert text == f"{'a' * 50}\n[... 99,900 characters are left out here; n ...]\n{'b' * 50}"


def test_json_has_no_nan():
    value = {"a": [float("nan"), float("inf"), 1.5, {"b": -float("inf")}], "c": "x"}
    assert without_nan(value) == {"a": ["nan", "inf", 1.5, {"b": "-inf"}], "c": "x"}
