"""Questions about pieces of a syntax tree."""

from __future__ import annotations

import ast


def type_parameters(node: ast.AST) -> set[str]:
    """Return the names in the brackets of `def f[T]`, `class C[T]` and `type X[T]` (Python 3.12)."""
    return {parameter.name for parameter in getattr(node, "type_params", [])}


def is_true(node: ast.expr) -> bool:
    """Return whether `node` is a constant that is true."""
    return isinstance(node, ast.Constant) and bool(node.value)


def has_items(node: ast.expr) -> bool:
    """Return whether a loop over `node` certainly has a first round."""
    if isinstance(node, (ast.List, ast.Tuple, ast.Set)):
        return any(not isinstance(item, ast.Starred) for item in node.elts)
    if isinstance(node, ast.Constant):
        return isinstance(node.value, (str, bytes)) and bool(node.value)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "range":
        bounds = [argument.value for argument in node.args if isinstance(argument, ast.Constant)]
        numbers = [bound for bound in bounds if isinstance(bound, int)]
        return len(numbers) == len(node.args) in (1, 2) and len(range(*numbers)) > 0
    return False


def stored_names(*nodes: ast.AST) -> set[str]:
    """Return every name that is assigned somewhere in `nodes`, more rather than less."""
    parts = [part for node in nodes for part in ast.walk(node)]
    stored = {part.id for part in parts if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store)}
    definitions = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
    stored |= {part.name for part in parts if isinstance(part, definitions)}
    stored |= {part.name for part in parts if isinstance(part, (ast.MatchAs, ast.MatchStar)) and part.name}
    stored |= {part.rest for part in parts if isinstance(part, ast.MatchMapping) and part.rest}
    return stored | {
        part.asname or part.name.partition(".")[0] for part in parts if isinstance(part, ast.alias)
    }


def lists_names(node: ast.expr) -> bool:
    """Return whether `node` is `globals()` or the like."""
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in ("globals", "locals", "vars", "dir")
    )
