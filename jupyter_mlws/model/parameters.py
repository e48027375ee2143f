"""Typed parameters: what a job may be given by name, and how it travels as JSON.

A parameter is None, a bool, an int, a float (infinities and NaN too), a str, or a list or a dict with
str keys of these, nested at will. JSON knows no NaN, and JavaScript loses digits beyond 2**53; both
travel tagged: `{"$float": "nan"}`, `{"$int": "9007199254740993"}`. A dict that holds a key starting with
"$" is itself tagged: `{"$dict": [[key, value], ...]}`.
"""

from __future__ import annotations

import keyword
import math
from collections.abc import Mapping
from typing import TypeAlias

from jupyter_mlws.model.errors import Invalid

Parameter: TypeAlias = "bool | int | float | str | list[Parameter] | dict[str, Parameter] | None"
PARAMETERS_TAG = "parameters"
"""Tags the cell of a notebook that declares its parameters, as papermill has it."""
_EXACT = 2**53
_DEEPEST = 64


class ParameterInvalid(Invalid):
    """A parameter's name is no identifier, or its value has a type that cannot be written as a literal."""

    code = "parameter_invalid"


def check(parameters: Mapping[str, object]) -> dict[str, Parameter]:
    """Return `parameters` as plain values. Tuples become lists. Raises `ParameterInvalid`."""
    checked: dict[str, Parameter] = {}
    for name, value in parameters.items():
        check_name(name)
        checked[name] = _plain(value, name, 0)
    return checked


def check_name(name: str) -> None:
    """Raise `ParameterInvalid` unless code can assign to `name`."""
    if not name.isidentifier() or keyword.iskeyword(name):
        raise ParameterInvalid(
            f"The parameter {name[:100]!r} is not a valid name.",
            hint="Use letters, digits and _, not starting with a digit, and no word of Python's own.",
        )


def _plain(value: object, name: str, depth: int) -> Parameter:
    if depth > _DEEPEST:
        raise ParameterInvalid(
            f"The parameter {name!r} is nested deeper than {_DEEPEST} levels.",
            hint="Send it as a captured variable, or write it to a file.",
        )
    if value is None or isinstance(value, bool):
        return value
    # Subclasses (numpy.float64, enum.IntEnum) become the plain type, which their literal would give.
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value)
    if isinstance(value, str):
        return str(value)
    if isinstance(value, (list, tuple)):
        return [_plain(item, name, depth + 1) for item in value]
    if isinstance(value, Mapping):
        for key in value:
            if not isinstance(key, str):
                raise ParameterInvalid(
                    f"The parameter {name!r} holds a dict with the key {key!r} of type {type(key).__name__}.",
                    hint="Use str keys.",
                )
        return {str(key): _plain(item, name, depth + 1) for key, item in value.items()}
    raise ParameterInvalid(
        f"The parameter {name!r} is of type {type(value).__name__}, which is no literal.",
        hint="Parameters are None, bool, int, float, str, list and dict; anything else goes as a captured "
        "variable.",
    )


def to_json(value: Parameter) -> object:
    """Return `value` as JSON that every reader understands (see the module's text)."""
    if isinstance(value, bool) or value is None or isinstance(value, str):
        return value
    if isinstance(value, int):
        return value if -_EXACT <= value <= _EXACT else {"$int": str(value)}
    if isinstance(value, float):
        return value if math.isfinite(value) else {"$float": repr(value)}
    if isinstance(value, list):
        return [to_json(item) for item in value]
    if any(key.startswith("$") for key in value):
        return {"$dict": [[key, to_json(item)] for key, item in value.items()]}
    return {key: to_json(item) for key, item in value.items()}


def from_json(value: object) -> Parameter:
    """Return the parameter that `to_json` wrote. Raises `ParameterInvalid` for a broken tag."""
    if isinstance(value, list):
        return [from_json(item) for item in value]
    if not isinstance(value, dict):
        return _plain(value, "value", 0)
    if len(value) == 1:
        ((tag, content),) = value.items()
        try:
            if tag == "$float":
                return float(content)
            if tag == "$int":
                return int(content)
            if tag == "$dict":
                return {str(key): from_json(item) for key, item in content}
        except (TypeError, ValueError) as error:
            raise ParameterInvalid(
                f"{str(value)[:100]} is not a parameter: {error}.",
                hint='Tags are {"$float": "nan"}, {"$int": "123"} and {"$dict": [[key, value]]}.',
            ) from error
    return {str(key): from_json(item) for key, item in value.items()}
