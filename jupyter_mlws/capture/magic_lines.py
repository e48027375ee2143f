"""What IPython's magic and shell lines read and assign."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from string import Formatter

RUNS_CODE = frozenset({"time", "timeit", "prun", "memit", "debug", "lprun"})
"""Line magics whose line, and cell magics whose body, is Python."""
RUNS_CELL = RUNS_CODE | {"capture"}
KEEPS_LOCAL = frozenset({"timeit", "memit"})
"""Magics whose code assigns nothing in the notebook."""
DEFINES_UNSEEN = frozenset({"run", "pylab", "load_ext", "reload_ext", "store"})
"""Line magics that may assign names that their line does not show."""
_NO_PYTHON_TEXT = (
    "bash sh script html HTML javascript js latex markdown svg SVG writefile file perl ruby python "
    "python2 python3 pypy cmd sx system ! sql R cython"
)
NO_PYTHON = frozenset(_NO_PYTHON_TEXT.split())
"""Cell magics whose body is not Python of this notebook."""
_TAKES_VALUE = {"timeit": "nrp", "prun": "lsTD", "memit": "rti", "lprun": "fmDTsu", "debug": "b", "time": ""}
_WORD = re.compile(r"\s*-(?P<dash>-?)(?P<name>\w[\w-]*)(?P<value>\s+\S+)?")
_DOLLAR = re.compile(r"\$(\$|[^\W\d]\w*)")
_OUTPUT_OPTION = re.compile(r"--(?:out|err|proc)[ =]+([^\W\d]\w*)")
_AT_NAME = re.compile(r"@([^\W\d]\w*)")


@dataclass(frozen=True)
class ShellCall:
    """A call that stands for a line or cell of IPython's syntax.

    `method` is `run_line_magic`, `run_cell_magic`, `system` or `getoutput`; `name` is the magic's, `line`
    what follows it, `body` a cell magic's.
    """

    method: str
    name: str
    line: str
    body: str = ""


def shell_call(node: ast.Call) -> ShellCall | None:
    """Return what `node` stands for, None when it is a call like any other."""
    function = node.func
    if not (
        isinstance(function, ast.Attribute)
        and isinstance(function.value, ast.Call)
        and isinstance(function.value.func, ast.Name)
        and function.value.func.id == "get_ipython"
    ):
        return None
    constants = [argument.value for argument in node.args if isinstance(argument, ast.Constant)]
    texts = [constant for constant in constants if isinstance(constant, str)]
    if len(texts) != len(node.args):
        return None
    match function.attr, texts:
        case ("run_line_magic", [name, line]):
            return ShellCall("run_line_magic", name, line)
        case ("run_cell_magic", [name, line, body]):
            return ShellCall("run_cell_magic", name, line, body)
        case ("system" | "getoutput" as method, [line]):
            return ShellCall(method, "", line)
        case _:
            return None


def expanded(line: str) -> Iterator[ast.expr]:
    """Yield the expressions that IPython puts into `line`: `{expression}`, `$name` and `$name.attribute`.

    What does not parse is left as it is there (`awk '{print $1}'`), and so it is here.
    """
    try:
        fields = [field for _, field, _, _ in Formatter().parse(line) if field]
    except ValueError:
        fields = []
    for text in [*fields, *(name for name in _DOLLAR.findall(line) if name != "$")]:
        try:
            yield ast.parse(text.strip(), mode="eval").body
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            continue


def code_of(call: ShellCall) -> str:
    """Return the Python in the line of a magic of `RUNS_CODE`, without the options before it."""
    rest = call.line
    takes_value = _TAKES_VALUE.get(call.name, "")
    while found := _WORD.match(rest):
        name = found["name"]
        # `-n 10` has its value in the next word, `-n10` in its own.
        apart = not found["dash"] and len(name) == 1 and name in takes_value
        rest = rest[found.end() if apart else found.end("name") :]
    return rest.strip()


def assigned_by_cell_magic(call: ShellCall) -> list[str]:
    """Return the names that the line of a cell magic asks to assign: `%%capture out`, `%%bash --out text`."""
    if call.name == "capture":
        return [word for word in call.line.split() if word.isidentifier()][:1]
    return _OUTPUT_OPTION.findall(call.line)


def names_in_query(node: ast.Call) -> list[str]:
    """Return the names behind `@` in a text given to `.query()` or `.eval()`, as pandas looks them up."""
    if not (isinstance(node.func, ast.Attribute) and node.func.attr in ("query", "eval")):
        return []
    texts = [
        part.value for argument in node.args for part in ast.walk(argument) if isinstance(part, ast.Constant)
    ]
    return [name for text in texts if isinstance(text, str) for name in _AT_NAME.findall(text)]
