"""Reads query and body into records, and says in one sentence what is wrong with them. Pure."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import TypeVar, get_origin

from pydantic import ValidationError
from pydantic_core import ErrorDetails, from_json

from jupyter_mlws.model.errors import Invalid, Malformed, TooLarge
from jupyter_mlws.model.record import Record

R = TypeVar("R", bound=Record)
_LARGEST_BODY = 4 * 2**20
_LONGEST = 100
_IN_BODY, _IN_QUERY = "field", "query parameter"
# Jupyter's own, which any request may carry.
_OF_JUPYTER = frozenset({"token", "no_track_activity", "_xsrf"})


class BodyMalformed(Malformed):
    """The body is not JSON."""

    code = "body_malformed"


class BodyTooLarge(TooLarge):
    """More JSON than can be read without holding up everybody else."""

    code = "body_too_large"


class QueryMalformed(Malformed):
    """The query is not UTF-8, or names one value twice."""

    code = "query_malformed"


class FieldInvalid(Invalid):
    """A field has a value that it cannot have, is missing, or does not exist."""

    code = "field_invalid"


def read_body(record: type[R], text: bytes) -> R:
    """Return the JSON in `text` as a record. Raises `BodyMalformed`, `BodyTooLarge` and `FieldInvalid`."""
    if len(text) > _LARGEST_BODY:
        raise BodyTooLarge(
            f"The body has {len(text):,} bytes; at most {_LARGEST_BODY:,} are taken.",
            hint="Send large values as captured variables, or as files.",
        )
    try:
        # Python's reader would take NaN, which is not JSON and which a browser could not read back.
        from_json(text, allow_inf_nan=False, cache_strings=False)
    except ValueError as error:
        if not text.strip():
            raise BodyMalformed(
                f"The body is empty; a {record.__name__} was expected.", hint="Send a JSON object."
            ) from error
        hint = (
            'JSON knows no NaN: send {"$float": "nan"} as the value of a parameter.'
            if b"NaN" in text
            else None
        )
        raise BodyMalformed(f"The body is not JSON: {error}.", hint=hint) from error
    try:
        return record.model_validate_json(text)
    except ValidationError as error:
        raise _invalid(error, record=record, where=_IN_BODY) from error


def read_query(record: type[R], arguments: Mapping[str, Sequence[bytes]]) -> R:
    """Return a query as a record; a parameter it does not know is an error.

    Raises `QueryMalformed` and `FieldInvalid`.
    """
    values: dict[str, str | list[str]] = {}
    for name, given in arguments.items():
        if name in _OF_JUPYTER:
            continue
        try:
            texts = [text.decode("utf-8") for text in given]
        except UnicodeDecodeError as error:
            raise QueryMalformed(f"The query parameter {name[:_LONGEST]!r} is not UTF-8.") from error
        if _is_list(record, name):
            values[name] = texts
        elif len(texts) > 1:
            raise QueryMalformed(f"The query parameter {name[:_LONGEST]!r} is given {len(texts)} times.")
        else:
            values[name] = texts[0]
    try:
        return record.model_validate(values)
    except ValidationError as error:
        raise _invalid(error, record=record, where=_IN_QUERY) from error


def _is_list(record: type[Record], name: str) -> bool:
    field = record.model_fields.get(name)
    return field is not None and get_origin(field.annotation) is list


def _invalid(error: ValidationError, *, record: type[Record], where: str) -> FieldInvalid:
    problems = error.errors(include_url=False)
    sentence = _sentence(problems[0], record=record, where=where)
    if (others := len(problems) - 1) > 0:
        sentence += f" There {'is 1 more problem' if others == 1 else f'are {others} more problems'}."
    known = ", ".join(record.model_fields) or "none"
    hint = f"{where.capitalize()}s of {record.__name__}: {known}." if _is_about_names(problems[0]) else None
    return FieldInvalid(sentence, hint=hint)


def _is_about_names(problem: ErrorDetails) -> bool:
    return problem["type"] in ("extra_forbidden", "missing") and len(problem["loc"]) == 1


def _sentence(problem: ErrorDetails, *, record: type[Record], where: str) -> str:
    parts = problem["loc"][:1] if where == _IN_QUERY else problem["loc"]
    name = ".".join(str(part)[:_LONGEST] for part in parts)
    if problem["type"] == "extra_forbidden":
        return f"There is no {where} {name!r} here."
    if problem["type"] == "missing":
        return f"The {where} {name!r} is missing."
    reason = problem["msg"].removeprefix("Value error, ").rstrip(".")
    if _is_secret(record, problem):
        return f"The {where} {name!r} is not valid: {_lower(reason)}."
    if problem["type"] == "string_pattern_mismatch":
        reason = f"it does not have the form {problem['ctx']['pattern']}"
    if not problem["loc"]:
        return f"This is no valid {record.__name__}: {reason}."
    return f"The {where} {name!r} cannot be {_short(problem['input'])}: {_lower(reason)}."


def _is_secret(record: type[Record], problem: ErrorDetails) -> bool:
    """Whether the value is never shown: `repr=False` says so of a field."""
    field = record.model_fields.get(str(problem["loc"][0])) if problem["loc"] else None
    return field is not None and not field.repr


def _short(value: object) -> str:
    try:
        text = json.dumps(value, ensure_ascii=False)
    except (TypeError, ValueError):
        text = repr(value)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}… ({len(text):,} characters)"


def _lower(text: str) -> str:
    return text[:1].lower() + text[1:]
