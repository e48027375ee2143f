"""What is wrong with a line is one sentence, before anything is connected or sent."""

import pytest
from IPython.core.error import UsageError

from jupyter_mlws.magics.completion import candidates, matches
from jupyter_mlws.magics.dispatch import run
from jupyter_mlws.magics.parser import COMMANDS


class NoConnection:
    """Stands for a session that must not be used."""

    is_connected = False

    class shell:
        user_ns: dict = {}


@pytest.mark.parametrize(
    ("line", "cell", "said"),
    [
        ("jbs", None, "Did you mean jobs?"),
        ("frobnicate", None, "no command %mlws frobnicate. See: %mlws help"),
        ("submit --nmae x", "1", "--nmae. See: %mlws submit --help"),
        ("submit --nam x", "1", "--nam"),
        ("submit --retries many", "1", "invalid int value: 'many'"),
        ("submit --priority urgent", "1", "'urgent'"),
        ("submit --in 'a b'", "1", "'a b' is not the name of a variable"),
        ("submit --job class", "1", "'class' is not the name of a variable"),
        ("submit --name 'x", "1", "No closing quotation"),
        ("jobs", "x = 1", "%%mlws jobs cannot stand over a cell"),
        ("", "x = 1", "%%mlws submit"),
        ("delete", None, "JOB"),
        ("submit -p depth", "1", "has no ="),
    ],
)
def test_a_wrong_line_is_a_sentence(line, cell, said):
    with pytest.raises(UsageError) as caught:
        run(NoConnection(), line, cell)
    assert said in str(caught.value)
    assert "\n" not in str(caught.value)


def test_help_lists_every_command_and_option(capsys):
    run(NoConnection(), "help", None)
    listed = capsys.readouterr().out
    assert all(f"%mlws {name}" in listed for name in COMMANDS)
    run(NoConnection(), "submit --help", "x = 1")
    options = capsys.readouterr().out
    wanted = "--name --experiment --compute --in --out --wait --timeout --retries --cpus --memory --gpus -p"
    for option in wanted.split():
        assert f"{option} " in options
    run(NoConnection(), "help cancel", None)
    assert "JOB" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("before", "offered", "not_offered"),
    [
        ("%mlws ", {"submit", "jobs", "help"}, set()),
        ("%%mlws ", {"submit"}, {"jobs"}),
        ("%%mlws submit --na", {"--name"}, {"jobs"}),
        ("%mlws submit --priority ", {"low", "high"}, {"--name"}),
        ("%mlws workspace ", {"create", "use"}, {"submit"}),
        ("%mlws nonsense ", set(), {"submit"}),
    ],
)
def test_words_are_offered_without_a_server(before, offered, not_offered):
    found = set(candidates(NoConnection(), before))
    assert offered <= found
    assert not found & not_offered


def test_only_what_begins_as_typed_is_offered():
    result = matches(NoConnection(), "%mlws ca")
    assert [each.text for each in result["completions"]] == ["cancel"]
    assert result["matched_fragment"] == "ca"
