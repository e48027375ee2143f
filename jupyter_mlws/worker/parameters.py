"""Parameters as source code: a cell that assigns them, or the arguments of a script. Pure."""

from __future__ import annotations

import ast
import math
from collections.abc import Mapping, Sequence

from jupyter_mlws.model.parameters import Parameter

INJECTED_TAG = "injected-parameters"


def assignments(parameters: Mapping[str, Parameter]) -> str:
    """Return source that assigns each parameter its literal, one a line."""
    body: list[ast.stmt] = []
    for name, value in parameters.items():
        body.append(ast.Assign(targets=[ast.Name(name, ast.Store())], value=_literal(value), lineno=0))
    code = ast.unparse(ast.fix_missing_locations(ast.Module(body=body, type_ignores=[])))
    return f"# Parameters\n{code}"


def arguments(parameters: Mapping[str, Parameter]) -> list[str]:
    """Return a script's arguments: `--name value`, strings as they are, the rest as Python literals."""
    given: list[str] = []
    for name, value in parameters.items():
        given += [f"--{name}", value if isinstance(value, str) else ast.unparse(_literal(value))]
    return given


def assigned(source: str) -> frozenset[str] | None:
    """Return the names that a cell assigns at its top level; None when it is not plain Python."""
    try:
        module = ast.parse(source)
    except (SyntaxError, ValueError):
        return None
    names: set[str] = set()
    for statement in module.body:
        targets: Sequence[ast.expr] = []
        if isinstance(statement, ast.Assign):
            targets = statement.targets
        elif isinstance(statement, (ast.AnnAssign, ast.AugAssign)):
            targets = [statement.target]
        for target in targets:
            names |= {node.id for node in ast.walk(target) if isinstance(node, ast.Name)}
    return frozenset(names)


def _literal(value: Parameter) -> ast.expr:
    if isinstance(value, float) and not math.isfinite(value):
        # A literal such as 1e999 reads badly, and NaN has none.
        return ast.Call(func=ast.Name("float", ast.Load()), args=[ast.Constant(repr(value))], keywords=[])
    if isinstance(value, list):
        return ast.List(elts=[_literal(item) for item in value], ctx=ast.Load())
    if isinstance(value, dict):
        return ast.Dict(
            keys=[ast.Constant(key) for key in value], values=[_literal(item) for item in value.values()]
        )
    return ast.Constant(value)
