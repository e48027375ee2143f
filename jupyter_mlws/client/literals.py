"""Parameter values as they are typed on a line: a Python literal when it is one, else the text itself."""

from __future__ import annotations

import ast

_FLOATS = {word: float(word) for word in ("nan", "NaN", "inf", "+inf", "-inf")}


def parse(text: str) -> object:
    """Return the value that `text` stands for.

    `3`, `0.5`, `True`, `None`, `[1, 2]`, `{"a": 1}` and `'quoted'` are read as Python reads them, `nan`,
    `inf` and `-inf` as numbers; anything else is a str as it stands.
    """
    stripped = text.strip()
    if stripped in _FLOATS:
        return _FLOATS[stripped]
    try:
        value: object = ast.literal_eval(stripped)
    except (ValueError, SyntaxError, TypeError, MemoryError, RecursionError):
        return text
    return value
