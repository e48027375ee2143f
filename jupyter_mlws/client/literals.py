"""Parameter values as they are typed on a line: a Python literal when it is one, else the text itself."""

from __future__ import annotations

import ast

_FLOATS = {word: float(word) for word in ("nan", "NaN", "inf", "+inf", "-inf")}


def parse(text: str) -> object:
    """Return the value that `text` stands for.

    `3`, `0.5`, `True`, `None`, `[1, 2]`, `{"a": 1}` and `'quoted'` are read as Python reads them, `nan`,
    `inf` and `-inf` as numbers, inside lists and dicts too; anything else is a str as it stands.
    """
    stripped = text.strip()
    if stripped in _FLOATS:
        return _FLOATS[stripped]
    try:
        tree = ast.parse(stripped, mode="eval")
        value: object = ast.literal_eval(_Numbers().visit(tree))
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return text
    return value


class _Numbers(ast.NodeTransformer):
    """Reads the names `nan` and `inf`, which Python has no literals for, as numbers."""

    def visit_Name(self, node: ast.Name) -> ast.expr:
        return ast.Constant(_FLOATS[node.id]) if node.id in _FLOATS else node
