"""Bodies and queries become records, or one sentence with the field and the value in it."""

from __future__ import annotations

import math

import pytest

from jupyter_mlws.model.errors import MlwsError
from jupyter_mlws.model.job import JobSpec
from jupyter_mlws.model.job_query import JobQuery
from jupyter_mlws.model.workspace import WorkspaceCreate
from jupyter_mlws.server.reading import (
    BodyMalformed,
    BodyTooLarge,
    FieldInvalid,
    QueryMalformed,
    read_body,
    read_query,
)

CELL = b'{"kind": "cell", "name": "n", "code": "x", %s}'


@pytest.mark.parametrize(
    "text", [b"", b"  ", b"{", b"not json", b'{"a": NaN}', b'{"a": Infinity}', b"\xff\xfe"]
)
def test_what_is_not_json(text: bytes) -> None:
    with pytest.raises(BodyMalformed):
        read_body(JobSpec, text)


def test_nan_is_told_apart_and_how_to_send_it() -> None:
    with pytest.raises(BodyMalformed) as refused:
        read_body(JobSpec, CELL % b'"parameters": {"p": NaN}')
    assert '{"$float": "nan"}' in str(refused.value.hint)


@pytest.mark.parametrize(
    ("part", "field", "value"),
    [
        (b'"timeout": -1', "timeout", "-1"),
        (b'"timeout": 1e999', "timeout", "Infinity"),
        (b'"retries": 1.5', "retries", "1.5"),
        (b'"retries": ' + b"9" * 4000, "retries", "999"),
        (b'"resources": {"cpus": 0}', "resources.cpus", "0"),
        (b'"priority": "urgent"', "priority", '"urgent"'),
        (b'"experiment": "a\\u0000b"', "experiment", "a"),
        (b'"experiment": "' + b"x" * 10_000 + b'"', "experiment", "10,002 characters"),
        (b'"snapshot": "perhaps"', "snapshot", "perhaps"),
        (b'"inputs": {"blob": "../x", "size": 1}', "inputs.blob", "../x"),
    ],
)
def test_a_value_that_cannot_be(part: bytes, field: str, value: str) -> None:
    with pytest.raises(FieldInvalid) as refused:
        read_body(JobSpec, CELL % part)
    assert f"'{field}'" in refused.value.message
    assert value in refused.value.message
    assert len(refused.value.message) < 600


def test_an_unknown_field_and_a_missing_one() -> None:
    with pytest.raises(FieldInvalid, match="no field 'nam'"):
        read_body(JobSpec, CELL % b'"nam": 1')
    with pytest.raises(FieldInvalid, match="'name' is missing"):
        read_body(WorkspaceCreate, b"{}")


@pytest.mark.parametrize("text", [b"[]", b"1", b"null", b'"x"'])
def test_json_that_is_no_object(text: bytes) -> None:
    with pytest.raises(FieldInvalid, match="no valid JobSpec"):
        read_body(JobSpec, text)


def test_more_json_than_is_read_at_once() -> None:
    with pytest.raises(BodyTooLarge):
        read_body(JobSpec, b" " * (5 * 2**20))


def test_deep_nesting_is_refused_in_a_sentence() -> None:
    with pytest.raises(MlwsError):
        read_body(JobSpec, CELL % (b'"parameters": {"p": ' + b"[" * 5000 + b"]" * 5000 + b"}"))


def test_what_a_browser_would_lose_is_tagged() -> None:
    spec = read_body(JobSpec, CELL % b'"parameters": {"big": 9007199254740993, "far": 1e999}')
    assert spec.parameters == {"big": {"$int": "9007199254740993"}, "far": {"$float": "inf"}}
    assert spec.values == {"big": 9007199254740993, "far": math.inf}


def test_a_query() -> None:
    query = read_query(
        JobQuery,
        {"status": [b"Running", b"Queued"], "limit": [b"7"], "descending": [b"false"], "token": [b"t"]},
    )
    assert [str(each) for each in query.status] == ["Running", "Queued"]
    assert query.limit == 7
    assert query.descending is False


@pytest.mark.parametrize(
    ("arguments", "kind", "words"),
    [
        ({"foo": [b"1"]}, FieldInvalid, "no query parameter 'foo'"),
        ({"limit": [b"0"]}, FieldInvalid, "'limit'"),
        ({"limit": [b"9" * 5000]}, FieldInvalid, "'limit'"),
        ({"limit": [b"NaN"]}, FieldInvalid, "'limit'"),
        ({"status": [b"Walking"]}, FieldInvalid, "'status'"),
        ({"limit": [b"1", b"2"]}, QueryMalformed, "2 times"),
        ({"q": [b"\xff"]}, QueryMalformed, "UTF-8"),
    ],
)
def test_a_query_that_cannot_be(arguments: dict[str, list[bytes]], kind: type[MlwsError], words: str) -> None:
    with pytest.raises(kind) as refused:
        read_query(JobQuery, arguments)
    assert words in refused.value.message
