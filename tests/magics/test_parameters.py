import pytest
from IPython.core.error import UsageError

from jupyter_mlws.magics import parameters


def parse(*texts, **namespace):
    return parameters.parse(texts, namespace=namespace)


def test_values_are_literals_or_text():
    assert parse("depth=6", "opt=adam", "grid={'a': [1, 2]}", "eq=a=b", "empty=") == {
        "depth": 6,
        "opt": "adam",
        "grid": {"a": [1, 2]},
        "eq": "a=b",
        "empty": "",
    }


def test_a_reference_takes_the_variable_itself():
    table = object()
    assert parse("x={seed}", "y=$table", seed=3, table=table) == {"x": 3, "y": table}


def test_a_reference_to_nothing_is_a_sentence():
    with pytest.raises(UsageError, match="there is no variable 'sede'"):
        parse("x={sede}", seed=3)


def test_a_price_is_text():
    assert parse("price=$5") == {"price": "$5"}


@pytest.mark.parametrize("text", ["depth", "a b=1", "../x=1", "=1", "1a=2"])
def test_what_is_no_parameter_is_a_sentence(text):
    with pytest.raises(UsageError, match="-p "):
        parse(text)
