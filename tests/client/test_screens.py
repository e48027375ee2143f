"""A followed job under a notebook's cell."""

import pytest

from jupyter_mlws.client import screens
from jupyter_mlws.model.events import Output


def printed(text):
    return Output(t=0, cell=1, output={"output_type": "stream", "name": "stdout", "text": text})


def test_what_is_too_much_for_a_page_is_left_out_and_said_once(monkeypatch, capsys):
    monkeypatch.setattr(screens, "_MOST_TEXT", 10)
    screen = screens.NotebookScreen(job_id="j1")
    for text in ("12345", "67890", "", "abc", "def"):
        screen.show(printed(text))
    said = capsys.readouterr().out
    assert said.startswith("1234567890\n[The job j1 has printed more than 10 B.")
    assert said.count("%mlws logs j1") == 1
    assert "abc" not in said


@pytest.mark.parametrize("text", ["", "short\n"])
def test_little_is_shown_as_it_is(capsys, text):
    screens.NotebookScreen(job_id="j1").show(printed(text))
    assert capsys.readouterr().out == text
