from __future__ import annotations

import ast
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from jupyter_mlws.worker.parameters import arguments, assigned, assignments

VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


def same(one, other):
    """Equal, of the same types, and NaN equal to NaN."""
    if type(one) is not type(other):
        return False
    if isinstance(one, float):
        return (math.isnan(one) and math.isnan(other)) or repr(one) == repr(other)
    if isinstance(one, list):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict):
        return list(one) == list(other) and all(map(same, one.values(), other.values()))
    return one == other


@given(VALUES)
def test_any_value_arrives_as_it_was(value):
    scope = {}
    exec(assignments({"x": value}), scope)
    assert same(scope["x"], value)
    assert assigned(assignments({"x": value})) == {"x"}


@given(VALUES)
def test_arguments_of_scripts(value):
    name, text = arguments({"x": value})
    assert name == "--x"
    if isinstance(value, str):
        assert text == value
    else:
        assert same(eval(text, {"float": float}), value)


def test_values_are_literals_and_nothing_else():
    tree = ast.parse(assignments({"x": "__import__('os').system('true')", "y": [1, "{z}"]}))
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.Call)]


@pytest.mark.parametrize(
    ("source", "names"),
    [
        ("a = 1\nb: int = 2\n(c, [d]) = 1, [2]", {"a", "b", "c", "d"}),
        ("", set()),
        ("%matplotlib inline", None),
        ("if True:\n    x = 1", set()),
    ],
)
def test_names_that_a_cell_assigns(source, names):
    assert assigned(source) == names
