"""Loading the extension costs next to nothing: what it needs is imported by the first command."""

import json
import subprocess
import sys

HEAVY = (
    "httpx",
    "pydantic",
    "tornado.websocket",
    "pandas",
    "mlflow",
    "nbformat",
    "cloudpickle",
    "jupyter_server",
)

CODE = """
import json, sys
from IPython.core.interactiveshell import InteractiveShell
shell = InteractiveShell.instance()
before = set(sys.modules)
shell.run_line_magic("load_ext", "jupyter_mlws")
loaded = sorted(set(sys.modules) - before)
help = shell.magics_manager.magics["line"]["mlws"].__doc__
print(json.dumps({"loaded": loaded, "help": help, "dir": dir(sys.modules["jupyter_mlws"])}))
"""


def told_by(code):
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return json.loads(done.stdout.splitlines()[-1])


def test_the_extension_imports_neither_model_nor_client():
    told = told_by(CODE)
    ours = {name for name in told["loaded"] if name.startswith("jupyter_mlws")}
    assert ours == {"jupyter_mlws", "jupyter_mlws.magics", "jupyter_mlws.magics.register"}
    assert not [name for name in told["loaded"] if name.startswith(HEAVY)]
    assert "%%mlws submit" in told["help"]


def test_the_package_imports_nothing_of_ours():
    code = "import sys, json, jupyter_mlws; print(json.dumps(sorted(sys.modules)))"
    assert [name for name in told_by(code) if name.startswith("jupyter")] == ["jupyter_mlws"]


def test_the_public_names_are_there_when_asked_for():
    code = (
        "import json, jupyter_mlws as mlws\n"
        "print(json.dumps([mlws.connect.__name__, mlws.aconnect.__name__, hasattr(mlws, 'nope')]))"
    )
    assert told_by(code) == ["connect", "aconnect", False]


def test_the_client_imports_no_server_code_and_nothing_heavy():
    code = "import sys, json, jupyter_mlws as mlws\nmlws.connect\nprint(json.dumps(sorted(sys.modules)))"
    loaded = told_by(code)
    rooms = {name.split(".")[1] for name in loaded if name.startswith("jupyter_mlws.")}
    assert rooms <= {"client", "model", "capture", "processes", "version"}
    heavy = ("pandas", "mlflow", "nbformat", "nbclient", "sqlalchemy", "jupyter_server", "numpy", "IPython")
    assert not [name for name in loaded if name.startswith(heavy)]
