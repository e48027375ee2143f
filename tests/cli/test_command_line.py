"""What needs no server: help, usage, exit codes, and what is imported."""

import json
import subprocess
import sys
from importlib import metadata
from pathlib import Path

import pytest
from click.testing import CliRunner

from jupyter_mlws import version
from jupyter_mlws.cli import main as command_line
from jupyter_mlws.cli.follow import exit_code
from jupyter_mlws.cli.main import cli
from jupyter_mlws.cli.parameter import as_parameters
from jupyter_mlws.model.status import JobStatus

GROUPS = ("job", "compute", "workspace", "server", "mlflow", "status")

REPOSITORY = Path(__file__).resolve().parents[2]


def test_help_imports_nothing_heavy():
    code = (
        "import sys, json\n"
        "from jupyter_mlws.cli.main import main\n"
        "try:\n    main(['--help'])\n"
        "except SystemExit as end:\n    print()\n    print(json.dumps([end.code, sorted(sys.modules)]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    status, loaded = json.loads(done.stdout.splitlines()[-1])
    assert status == 0
    assert all(f"  {group} " in done.stdout for group in GROUPS)
    heavy = ("httpx", "pydantic", "rich", "IPython", "jupyter_mlws.client", "jupyter_mlws.model")
    assert not [name for name in loaded if name.startswith(heavy)]


def test_the_version_is_that_of_the_checkout_installed_or_not():
    line = [sys.executable, "-m", "jupyter_mlws", "--version"]
    done = subprocess.run(line, capture_output=True, text=True, check=True, cwd=REPOSITORY)
    told = json.loads((REPOSITORY / "package.json").read_text())["version"]
    assert done.stdout == f"jupyter mlws, version {told}\n"


@pytest.mark.parametrize("beside", [None, '{"name": "other", "version": "7"}', "[]", "{"])
def test_without_a_checkout_the_version_is_what_is_installed(tmp_path, monkeypatch, beside):
    def missing(name):
        raise metadata.PackageNotFoundError(name)

    if beside is not None:
        (tmp_path / "package.json").write_text(beside)
    monkeypatch.setattr(version, "__file__", str(tmp_path / "jupyter_mlws" / "version.py"))
    monkeypatch.setattr(metadata, "version", {"jupyter_mlws": "9.9"}.get)
    assert version.version() == "9.9"
    monkeypatch.setattr(metadata, "version", missing)
    assert CliRunner().invoke(cli, ["--version"]).output == "jupyter mlws, version unknown\n"


@pytest.mark.parametrize("group", GROUPS)
def test_every_group_has_help(group):
    done = CliRunner().invoke(cli, [group, "--help"])
    assert done.exit_code == 0
    assert "Usage: " in done.output


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["nonsense"], "No such command 'nonsense'"),
        (["job", "list", "--limit", "many"], "'many' is not a valid integer"),
        (["job", "list", "--status", "Sleeping"], "'Sleeping' is not one of"),
        (["job", "show"], "Missing argument 'JOB'"),
        (["job", "submit"], "Missing argument 'PATH'"),
        (["job", "submit", "t.py", "-p", "a=1", "x"], "-p takes two words: -p a 1"),
    ],
)
def test_wrong_usage_is_exit_code_2(words, said, capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "t.py").write_text("")
    with pytest.raises(SystemExit) as ended:
        command_line.main(words)
    assert ended.value.code == 2
    assert said in capsys.readouterr().err


def test_an_error_is_one_sentence_and_a_hint(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit) as ended:
        command_line.main(["job", "submit", "nope.ipynb"])
    heard = capsys.readouterr()
    assert ended.value.code == 1
    assert heard.out == ""
    assert "nope.ipynb cannot be read" in heard.err
    assert "Traceback" not in heard.err


def test_an_error_is_json_where_json_was_asked_for(capsys, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(SystemExit):
        command_line.main(["job", "submit", "nope.ipynb", "--json"])
    error = json.loads(capsys.readouterr().err)["error"]
    assert error["code"] == "file_missing"


@pytest.mark.parametrize(
    ("status", "code"), [(JobStatus.COMPLETED, 0), (JobStatus.FAILED, 1), (JobStatus.CANCELED, 3)]
)
def test_the_exit_code_tells_how_a_job_ended(status, code):
    assert exit_code(status) == code


def test_parameters_are_two_words():
    pairs = [("depth", "6"), ("opt", "adam"), ("lr", "-1e-3"), ("grid", "[1, 2]")]
    assert as_parameters(pairs) == {"depth": 6, "opt": "adam", "lr": -0.001, "grid": [1, 2]}
