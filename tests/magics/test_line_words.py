"""How a `%mlws` line is split into words."""

import pytest

from jupyter_mlws.magics.line_words import split


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("submit -p n=6 --wait", ["submit", "-p", "n=6", "--wait"]),
        ('-p x=[1, {"a": nan}] --wait', ["-p", 'x=[1, {"a": nan}]', "--wait"]),
        ("-p x={'a': \"]}\"} -p y=(1, 2)", ["-p", "x={'a': \"]}\"}", "-p", "y=(1, 2)"]),
        ("--parameter=x=[1, 2] f.ipynb", ["-p", "x=[1, 2]", "f.ipynb"]),
        ('-p x="[1, 2]"', ["-p", "x=[1, 2]"]),
        ("-p x={seed}", ["-p", "x={seed}"]),
        ("--name 'a -p x=[1' -p y=3", ["--name", "a -p x=[1", "-p", "y=3"]),
        ("-p x=[1,2", ["-p", "x=[1,2"]),
        ("", []),
    ],
)
def test_lists_and_dicts_stay_whole(line, words):
    assert split(line) == words


def test_a_quote_that_is_not_closed_is_an_error():
    with pytest.raises(ValueError, match="closing quotation"):
        split('submit --name "x')
