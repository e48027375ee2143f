import math

import pytest

from jupyter_mlws.client import literals


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("6", 6),
        ("-0.5", -0.5),
        ("1e-3", 0.001),
        ("True", True),
        ("None", None),
        ("[1, [2, 'x']]", [1, [2, "x"]]),
        ("{'a': 1}", {"a": 1}),
        ("'6'", "6"),
        ("inf", math.inf),
        ("-inf", -math.inf),
    ],
)
def test_literals_are_read_as_python_reads_them(text, value):
    assert literals.parse(text) == value
    assert type(literals.parse(text)) is type(value)


@pytest.mark.parametrize(
    "text",
    [
        "adam",
        "true",
        "2024-01-01",
        "2024-10-10",
        "a b",
        "it's",
        "",
        "__import__('os')",
        "[1,",
        "é",
        "(" * 5000,
        "../x",
    ],
)
def test_anything_else_is_text_as_it_stands(text):
    assert literals.parse(text) == text


def test_nan_is_a_number():
    assert math.isnan(literals.parse("nan"))


def test_nan_is_a_number_inside_lists_too():
    first, (second,), third = literals.parse("[nan, [-inf], {'a': inf}]")
    assert math.isnan(first)
    assert (second, third) == (-math.inf, {"a": math.inf})
