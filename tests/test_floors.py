"""The house stands: imports point down only, in no circle, and what must be light or alone is."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = "jupyter_mlws"
ROOT = Path(__file__).resolve().parent.parent / PACKAGE

_GROUND = {"model", "version"}
_RESOURCES = _GROUND | {"processes", "store", "capture", "kernels", "worker", "forking"}
_JOBS = _RESOURCES | {"compute", "environments", "data", "tracking"}
_DOOR = _GROUND | {"capture", "client"}
MAY_IMPORT: dict[str, set[str]] = {
    "version": set(),
    "model": set(),
    "processes": _GROUND,
    "store": _GROUND,
    "capture": _GROUND,
    "forking": _GROUND,
    "kernels": _GROUND | {"processes", "forking"},
    "worker": _GROUND | {"processes", "kernels", "capture", "forking"},
    "compute": _RESOURCES,
    "environments": _RESOURCES,
    "data": _RESOURCES,
    "tracking": _RESOURCES,
    "jobs": _JOBS,
    "reconcile": _JOBS | {"jobs"},
    "app": _JOBS | {"jobs", "reconcile"},
    "server": _JOBS | {"jobs", "reconcile", "app"},
    "client": _GROUND | {"capture", "processes"},
    "magics": _DOOR,
    "cli": _DOOR,
    "__main__": {"cli"},
    # The package itself: only lazily, inside functions; see test_importing_the_package_is_light.
    "": {"client", "magics", "server"},
}
"""What each room may import of ours, besides itself."""

STANDALONE = {
    # Run in whatever Python jobs choose, and start with it.
    "forking/ahead.py": set(),
    "forking/fork_server.py": set(),
    "forking/child.py": set(),
    "forking/keeper.py": set(),
    "forking/pace.py": set(),
    "forking/packets.py": set(),
    "forking/spare.py": set(),
    # ... and what comes with it.
    "forking/kernel_child.py": {"IPython", "ipykernel", "tornado", "traitlets"},
    # Runs in any kernel, where our package is not installed; cloudpickle where it is there.
    "capture/portable.py": {"cloudpickle"},
    # Runs in kernels of other machines; psutil is there with ipykernel.
    "kernels/remote/inside.py": set(),
    "kernels/remote/inside_files.py": set(),
    "kernels/remote/inside_kept.py": set(),
    "kernels/remote/inside_machine.py": {"psutil"},
    # Run in the job's kernel; MLflow where the user's code imports it.
    "tracking/bootstrap.py": set(),
    "tracking/flush.py": set(),
    "tracking/inside.py": {"mlflow"},
    "tracking/inside_artifacts.py": {"mlflow"},
    "tracking/inside_attach.py": {"mlflow"},
    "tracking/inside_known.py": {"mlflow"},
    "tracking/inside_models.py": {"mlflow"},
    "tracking/inside_store.py": {"mlflow"},
    "tracking/spool.py": set(),
}
HEAVY = {"mlflow", "pandas", "numpy", "nbclient", "sqlalchemy", "sklearn", "matplotlib"}
NEVER_ON_SERVER = {"mlflow", "pandas", "numpy", "pickle", "cloudpickle"}
"""Of these the Jupyter server's process imports nothing: they are heavy, or would run a user's code."""
SERVER_SIDE = _JOBS - {"model", "capture", "kernels", "worker", "forking"} | {
    "jobs",
    "reconcile",
    "app",
    "server",
}
LONGEST = 400
"""Lines of a file; most have far fewer."""


def _files() -> list[Path]:
    return sorted(path for path in ROOT.rglob("*.py") if "labextension" not in path.relative_to(ROOT).parts)


def _name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def _module(path: Path) -> str:
    parts = [PACKAGE, *path.relative_to(ROOT).with_suffix("").parts]
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def _room(module: str) -> str:
    parts = module.split(".")
    return parts[1] if len(parts) > 1 else ""


def _type_checking(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)


def _nodes(tree: ast.AST, *, lazy: bool, typing: bool) -> Iterator[ast.AST]:
    """The nodes of a tree: those in functions only if `lazy`, those for type checkers only if `typing`."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda) and not lazy:
            continue
        if isinstance(node, ast.If) and _type_checking(node) and not typing:
            for other in node.orelse:
                yield other
                yield from _nodes(other, lazy=lazy, typing=typing)
            continue
        yield node
        yield from _nodes(node, lazy=lazy, typing=typing)


def imports(path: Path, *, lazy: bool = True, typing: bool = True) -> set[str]:
    """The modules that a file imports, by their full names."""
    module = _module(path)
    package = module.split(".") if path.name == "__init__.py" else module.split(".")[:-1]
    found: set[str] = set()
    for node in _nodes(
        ast.parse(path.read_text(encoding="utf-8"), filename=str(path)), lazy=lazy, typing=typing
    ):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = package[: len(package) - node.level + 1] if node.level else []
            source = ".".join([*base, *([node.module] if node.module else [])])
            # `from jupyter_mlws.store import blobs` imports the module, and of the package nothing.
            modules = {
                f"{source}.{alias.name}" for alias in node.names if _is_module(f"{source}.{alias.name}")
            }
            found |= modules
            if len(modules) < len(node.names):
                found.add(source)
    return found


def _is_module(name: str) -> bool:
    if not name.startswith(PACKAGE + "."):
        return False
    path = ROOT.joinpath(*name.split(".")[1:])
    return path.with_suffix(".py").exists() or path.is_dir()


def _tops(names: set[str]) -> set[str]:
    return {name.split(".")[0] for name in names}


def test_imports_point_down() -> None:
    wrong = []
    for path in _files():
        room = _room(_module(path))
        assert room in MAY_IMPORT, f"{_name(path)} is in a room that architecture does not know: {room}"
        rooms = {_room(name) for name in imports(path) if name.startswith(PACKAGE + ".")}
        if upward := rooms - MAY_IMPORT[room] - {room, ""}:
            wrong.append(f"{_name(path)} imports {sorted(upward)}; it may import {sorted(MAY_IMPORT[room])}")
    assert not wrong, "\n".join(wrong)


def test_no_circle_between_rooms() -> None:
    edges: dict[str, set[str]] = {}
    for path in _files():
        here = _room(_module(path))
        rooms = {_room(name) for name in imports(path, typing=False) if name.startswith(PACKAGE + ".")}
        edges.setdefault(here, set()).update(rooms - {here, ""})
    assert _circle(edges) is None, f"rooms import each other in a circle: {_circle(edges)}"


def test_no_circle_between_modules() -> None:
    """Nor one that an import inside a function hides."""
    modules = {_module(path) for path in _files()}
    edges: dict[str, set[str]] = {}
    for path in _files():
        wanted = imports(path, typing=False)
        edges[_module(path)] = {name for name in wanted if name in modules and name != _module(path)}
    assert _circle(edges) is None, f"modules import each other in a circle: {_circle(edges)}"


def _circle(edges: dict[str, set[str]]) -> list[str] | None:
    done: set[str] = set()

    def walk(node: str, trail: list[str]) -> list[str] | None:
        if node in trail:
            return [*trail[trail.index(node) :], node]
        if node in done:
            return None
        for following in sorted(edges.get(node, ())):
            if found := walk(following, [*trail, node]):
                return found
        done.add(node)
        return None

    for start in sorted(edges):
        if found := walk(start, []):
            return found
    return None


@pytest.mark.parametrize("name", sorted(STANDALONE))
def test_standalone_files_need_nothing_of_ours(name: str) -> None:
    path = ROOT / name
    foreign = _tops(imports(path)) - set(sys.stdlib_module_names) - {"__future__"}
    assert foreign <= STANDALONE[name], f"{name} runs without our package and may import {STANDALONE[name]}"


def test_heavy_imports_are_lazy_where_notebooks_import() -> None:
    rooms = {"", "model", "capture", "client", "magics", "cli"}
    found = {
        _name(path): sorted(heavy)
        for path in _files()
        if _room(_module(path)) in rooms and (heavy := _tops(imports(path, lazy=False, typing=False)) & HEAVY)
    }
    assert not found, f"imported when the module is imported, not where it is used: {found}"


def test_server_never_imports_mlflow_nor_unpickles() -> None:
    # Files that need MLflow run in the job's kernel, and these in MLflow's own process.
    elsewhere = {
        f"tracking/{name}.py" for name in ("chosen_ids", "gathered_run", "mlflow_database", "rows", "serve")
    }
    elsewhere |= {name for name, needs in STANDALONE.items() if "mlflow" in needs}
    found = {
        _name(path): sorted(wrong)
        for path in _files()
        if _room(_module(path)) in SERVER_SIDE
        and _name(path) not in elsewhere
        and (wrong := _tops(imports(path, typing=False)) & NEVER_ON_SERVER)
    }
    assert not found, f"these run in the Jupyter server: {found}"


def test_files_stay_short() -> None:
    lengths = {_name(path): len(path.read_text(encoding="utf-8").splitlines()) for path in _files()}
    # What must be one file, since it runs where our package is not, may be longer.
    found = {name: lines for name, lines in lengths.items() if lines > LONGEST and name not in STANDALONE}
    assert not found, f"more than one idea? {found}"


def test_no_drawer_for_odds_and_ends() -> None:
    drawers = {"utils", "util", "helpers", "helper", "common", "base", "misc"}
    found = [
        _name(path) for path in _files() if path.stem in drawers or drawers & set(_name(path).split("/"))
    ]
    assert not found, f"a file is one idea that its name tells: {found}"


def test_importing_the_package_is_light() -> None:
    """`import jupyter_mlws` and `%load_ext jupyter_mlws` load neither the records nor the client."""
    import subprocess

    code = (
        "import sys\n"
        "from IPython.core.interactiveshell import InteractiveShell\n"
        "before = set(sys.modules)\n"
        "shell = InteractiveShell.instance()\n"
        "shell.run_line_magic('load_ext', 'jupyter_mlws')\n"
        "print(*sorted(set(sys.modules) - before))\n"
    )
    answer = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=120
    )
    loaded = set(answer.stdout.split())
    heavy = {name for name in loaded if name.split(".")[0] in HEAVY | {"httpx", "pydantic"}}
    rooms = {name for name in loaded if name.startswith((f"{PACKAGE}.model", f"{PACKAGE}.client"))}
    assert not heavy | rooms
