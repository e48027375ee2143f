"""MLflow's limits: what is cut, and how numbers travel."""

from __future__ import annotations

import pytest

from jupyter_mlws.tracking.limits import (
    PARAMETER_CHARACTERS,
    TAG_CHARACTERS,
    artifact_name,
    batches,
    fitting_params,
    fitting_tags,
    metric_from_json,
)


def test_a_parameter_as_long_as_mlflow_takes_is_whole() -> None:
    texts, cut = fitting_params({"longest": "x" * PARAMETER_CHARACTERS, "number": 0.5})
    assert texts == {"longest": "x" * PARAMETER_CHARACTERS, "number": "0.5"}
    assert cut == []


def test_a_longer_parameter_is_cut_and_named() -> None:
    texts, cut = fitting_params({"long": "x" * (PARAMETER_CHARACTERS + 1), "short": "y"})
    assert len(texts["long"]) == PARAMETER_CHARACTERS
    assert texts["long"].endswith("…")
    assert cut == ["long"]


def test_a_longer_tag_is_cut() -> None:
    assert len(fitting_tags({"a": "x" * 10_000})["a"]) == TAG_CHARACTERS


def test_batches_hold_everything_in_order() -> None:
    values = {str(number): number for number in range(7)}
    assert [len(some) for some in batches(values, 3)] == [3, 3, 1]
    assert dict(pair for some in batches(values, 3) for pair in some) == values
    assert list(batches({}, 3)) == []


@pytest.mark.parametrize(("received", "value"), [("NaN", None), ("Infinity", None), (1.5, 1.5), ("2.5", 2.5)])
def test_a_metric_that_is_no_finite_number_is_none(received: float | str, value: float | None) -> None:
    assert metric_from_json(received) == value


@pytest.mark.parametrize(
    ("name", "allowed"),
    [
        ("train.py", "train.py"),
        ("folder/übung 1.ipynb", "übung 1.ipynb"),
        ("../../etc/passwd", "passwd"),
        ("a#b%41c:d.py", "a_b_41c_d.py"),
        ("a\nb.py", "a_b.py"),
        ("C:\\work\\train.py", "train.py"),
        ("..", "source"),
        ("", "source"),
    ],
)
def test_a_file_name_becomes_one_that_mlflow_takes(name: str, allowed: str) -> None:
    assert artifact_name(name) == allowed


def test_a_long_file_name_keeps_its_suffix() -> None:
    assert artifact_name("ü" * 5000 + ".ipynb").endswith("ü.ipynb")
    assert len(artifact_name("ü" * 5000 + ".ipynb").encode()) <= 255
