from __future__ import annotations

import pytest

from jupyter_mlws.worker.stopping import COMPLETED
from jupyter_mlws.worker.verdict import kernel_died, memory_exceeded, of_reply, timed_out

WHERE = "In cell 2 of 3."


def error(name, value):
    return {"status": "error", "ename": name, "evalue": value}


@pytest.mark.parametrize(
    ("reply", "code", "text"),
    [
        (error("ValueError", "bad"), "user_error", "ValueError: bad"),
        (error("KeyboardInterrupt", ""), "user_error", "KeyboardInterrupt"),
        (error("SystemExit", "3"), "exit_code", "sys.exit(3)"),
        (error("SystemExit", "-1"), "exit_code", "sys.exit(-1)"),
        (error("SystemExit", "no data"), "exit_code", "sys.exit('no data')"),
        (error("StdinNotImplementedError", "x"), "input_requested", "nobody to answer"),
    ],
)
def test_errors(reply, code, text):
    ending = of_reply(reply, None, where=WHERE)
    assert ending.error.code == code
    assert text in ending.error.message
    assert WHERE in ending.error.hint


@pytest.mark.parametrize("value", ["", "0", "None", "False"])
def test_clean_exits(value):
    assert of_reply(error("SystemExit", value), None, where=WHERE) == COMPLETED


def test_the_next_cell_follows():
    assert of_reply({"status": "ok", "payload": []}, None, where=WHERE) is None


def test_exit_asks_for_the_end():
    assert of_reply({"status": "ok", "payload": [{"source": "ask_exit"}]}, None, where=WHERE) == COMPLETED


def test_a_reply_that_never_came():
    assert of_reply(None, None, where=WHERE) is None
    assert of_reply(None, {"ename": "E", "evalue": "v"}, where=WHERE).error.message == "E: v"


def test_a_very_long_message_is_shortened():
    ending = of_reply(error("E", "v" * 100_000), None, where=WHERE)
    assert len(ending.error.message) < 2200


@pytest.mark.parametrize(
    ("exit_code", "text"),
    [(1, "exit code 1"), (-9, "SIGKILL (9)"), (-11, "SIGSEGV (11)"), (-250, "unknown (250)"), (None, "died")],
)
def test_deaths(exit_code, text):
    assert text in kernel_died(exit_code, where=WHERE).error.message


def test_memory_in_words():
    message = memory_exceeded(3 << 30, 512 << 20).error.message
    assert "3 GB" in message
    assert "512 MB" in message


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (1, "1 second"),
        (1.5, "1.5 seconds"),
        (60, "1 minute"),
        (90, "90 seconds"),
        (5400, "90 minutes"),
        (7200, "2 hours"),
        (1_000_001.5, "1000001.5 seconds"),
    ],
)
def test_a_timeout_in_words(seconds, text):
    assert timed_out(seconds).error.message == f"The job was ended after {text}, its timeout."


@pytest.mark.parametrize(("code", "line"), [("x = (", 1), ("\n  \nx = (", 3), ("   x = (", 1)])
def test_a_syntax_error_names_the_line_of_the_cell(code, line):
    reply = error("SyntaxError", "'(' was never closed (3218543084.py, line 1)")
    ending = of_reply(reply, None, where=WHERE, code=code)
    assert ending.error.message == "SyntaxError: '(' was never closed"
    assert ending.error.hint == f"In cell 2 of 3, line {line}."


@pytest.mark.parametrize("value", ["invalid syntax (helper.py, line 3)", "invalid syntax (<string>, line 1)"])
def test_a_syntax_error_elsewhere_keeps_its_file(value):
    ending = of_reply(error("SyntaxError", value), None, where=WHERE, code="import helper")
    assert (ending.error.message, ending.error.hint) == (f"SyntaxError: {value}", WHERE)
