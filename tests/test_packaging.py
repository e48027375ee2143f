"""What is installed is whole, and nothing that is committed names a place of one machine."""

from __future__ import annotations

import ast
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parent.parent
# Used where a notebook's user has them, never needed.
_OPTIONAL = {"numpy", "pandas", "pyarrow", "scipy"}
# Belongs to pydantic, which asks for one exact version of it.
_PARTS = {"pydantic_core"}
LABEXTENSION = "jupyter_mlws-{version}.data/data/share/jupyter/labextensions/jupyter-mlws"


def _uv(*arguments: str | Path, environment: dict[str, str] | None = None) -> None:
    uv = shutil.which("uv", path=str(Path(sys.executable).parent)) or shutil.which("uv")
    assert uv, "uv is one of our dependencies"
    subprocess.run(
        [uv, *arguments], cwd=REPOSITORY, env=environment, check=True, capture_output=True, timeout=240
    )


@pytest.fixture(scope="module")
def version() -> str:
    return str(json.loads((REPOSITORY / "package.json").read_text(encoding="utf-8"))["version"])


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the sdist, and the wheel that was made from it where there is no node."""
    assert (REPOSITORY / "jupyter_mlws/labextension/static/style.js").exists(), "run `make setup` first"
    folder = tmp_path_factory.mktemp("dist")
    tools = tmp_path_factory.mktemp("bin")
    for name in ("sh", "env"):
        (tools / name).symlink_to(shutil.which(name) or f"/bin/{name}")
    without_node = {**os.environ, "PATH": f"{Path(sys.executable).parent}{os.pathsep}{tools}"}
    options = ("--no-build-isolation", "--python", sys.executable, "--out-dir", folder)
    # Without --sdist or --wheel: the wheel is made from the sdist, not from the checkout.
    _uv("build", *options, environment=without_node)
    return folder


def test_wheel_holds_what_a_user_needs(built: Path, version: str) -> None:
    (wheel,) = built.glob("*.whl")
    names = set(zipfile.ZipFile(wheel).namelist())
    labextension = LABEXTENSION.format(version=version)
    config = f"jupyter_mlws-{version}.data/data/etc/jupyter/jupyter_server_config.d/jupyter_mlws.json"
    wanted = {
        "jupyter_mlws/py.typed",
        "jupyter_mlws/capture/portable.py",
        "jupyter_mlws/tracking/inside.py",
        f"{labextension}/package.json",
        f"{labextension}/install.json",
        f"{labextension}/static/style.js",
        config,
    }
    assert wanted <= names
    assert any(re.fullmatch(r"jupyter_mlws/store/migrations/.+\.py", name) for name in names)


def test_wheel_holds_nothing_twice_and_no_tests(built: Path) -> None:
    (wheel,) = built.glob("*.whl")
    names = zipfile.ZipFile(wheel).namelist()
    assert len(names) == len(set(names))
    tops = {name.split("/")[0] for name in names}
    assert {top for top in tops if not top.startswith("jupyter_mlws")} == set()
    assert not [name for name in names if name.startswith("jupyter_mlws/labextension/")]


def test_versions_agree(version: str) -> None:
    from importlib.metadata import version as installed

    assert installed("jupyter_mlws") == version
    assert f"## {version}" in (REPOSITORY / "CHANGELOG.md").read_text(encoding="utf-8")


def test_lock_holds_every_dependency() -> None:
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    asked = [*project["dependencies"], *project["optional-dependencies"]["test"]]
    locked = (REPOSITORY / "tests/requirements.lock").read_text(encoding="utf-8")
    pinned = set(re.findall(r"^([a-z0-9-]+)==", locked, re.MULTILINE))
    names = {re.split(r"[<>=!~\[ ]", line)[0].lower().replace("_", "-") for line in asked}
    assert names <= pinned, f"run `make lock`: {sorted(names - pinned)}"


def test_locks_name_no_address() -> None:
    python = (REPOSITORY / "tests/requirements.lock").read_text(encoding="utf-8")
    node = json.loads((REPOSITORY / "package-lock.json").read_text(encoding="utf-8"))
    assert "://" not in python
    assert "--" not in python
    assert not [name for name, entry in node["packages"].items() if "://" in entry.get("resolved", "")]


def test_demo_notebook_has_no_outputs() -> None:
    for path in sorted((REPOSITORY / "examples").glob("*.ipynb")):
        cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
        assert not [cell for cell in cells if cell.get("outputs") or cell.get("execution_count")], path.name


def test_every_import_is_a_declared_dependency() -> None:
    """Nothing works only because something else happens to bring a package along."""
    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    declared = {
        re.split(r"[<>=!~\[ ]", line)[0].lower().replace("_", "-") for line in project["dependencies"]
    }
    homes = packages_distributions()
    missing: dict[str, str] = {}
    for path in (REPOSITORY / "jupyter_mlws").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"), filename=str(path))):
            names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            if isinstance(node, ast.ImportFrom) and node.module and not node.level:
                names = [node.module]
            for top in {name.split(".")[0] for name in names}:
                if top in sys.stdlib_module_names or top in _OPTIONAL | _PARTS | {"jupyter_mlws"}:
                    continue
                if not declared & {home.lower().replace("_", "-") for home in homes.get(top, [])}:
                    missing[top] = path.name
    assert not missing, f"declare these in pyproject.toml: {missing}"
