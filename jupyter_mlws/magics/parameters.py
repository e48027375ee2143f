"""`-p key=value` as it is typed in a notebook."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

from IPython.core.error import UsageError

from jupyter_mlws.client import literals

_REFERENCE = re.compile(r"\{(\w+)\}|\$(\w+)")


def parse(texts: Sequence[str], *, namespace: Mapping[str, object]) -> dict[str, object]:
    """Return the parameters by name.

    A value is a Python literal when it is one; `{name}` and `$name` stand for the value of that variable;
    anything else is text. Raises `UsageError`.
    """
    found: dict[str, object] = {}
    for text in texts:
        name, sign, value = text.partition("=")
        name = name.strip()
        if not sign:
            raise UsageError(f"-p {text[:100]!r} has no =. Write for example: -p depth=6")
        if not name.isidentifier():
            raise UsageError(f"-p {name[:100]!r} is not a valid name. Write for example: -p depth=6")
        found[name] = _value(value, namespace)
    return found


def _value(text: str, namespace: Mapping[str, object]) -> object:
    match = _REFERENCE.fullmatch(text.strip())
    if match is None:
        return literals.parse(text)
    name = match[1] or match[2]
    if not name.isidentifier():
        return literals.parse(text)  # {1} is a set, and is refused as that; $5 is text
    if name not in namespace:
        raise UsageError(
            f"-p {text}: there is no variable {name!r}. For the text itself, quote it twice: \"'{text}'\""
        )
    return namespace[name]
