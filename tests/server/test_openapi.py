"""The OpenAPI document is made from the routes, and the one that was checked in is current."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from jupyter_mlws.server.extension import MlwsApp
from jupyter_mlws.server.routes.table import ROUTES

REPOSITORY = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def printed() -> str:
    """What the command prints, in a process of its own, as `make types` runs it.

    pydantic parses the sources of the records; in Python 3.11 `ast.parse` fails now and then («AST
    constructor recursion depth mismatch») in a process as long-lived and full of threads as this one.
    """
    return subprocess.run(
        [sys.executable, "-m", "jupyter_mlws.server.openapi"],
        check=True,
        stdout=subprocess.PIPE,
        encoding="utf-8",
    ).stdout


@pytest.fixture
def document(printed: str) -> dict[str, Any]:
    """The document as JSON."""
    return dict(json.loads(printed))


def test_the_document_in_the_labextension_is_current(printed: str) -> None:
    stored = (REPOSITORY / "labextension" / "openapi.json").read_text("utf-8")
    assert stored == printed, "run: python -m jupyter_mlws.server.openapi > labextension/openapi.json"


def test_every_route_is_described_once(document: dict[str, Any]) -> None:
    described = {(method.upper(), path) for path, item in document["paths"].items() for method in item}
    assert described == {(route.method, route.path) for route in ROUTES}
    assert len(ROUTES) == len(described)
    ids = [operation["operationId"] for item in document["paths"].values() for operation in item.values()]
    assert len(ids) == len(set(ids))


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    references = set(re.findall(r'"#/components/schemas/([^"]+)"', json.dumps(document)))
    assert references <= set(document["components"]["schemas"])
    assert {"Job", "JobSpec", "JobSpecInput", "Change", "NotebookRequest", "ErrorAnswer"} <= set(
        document["components"]["schemas"]
    )


def test_an_answer_holds_all_its_fields_and_a_body_only_what_it_must(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    assert set(schemas["Job"]["required"]) == set(schemas["Job"]["properties"])
    assert set(schemas["JobSpecInput"]["required"]) == {"kind", "name"}


def test_the_texts_under_fields_are_descriptions(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    assert schemas["Job"]["properties"]["cost"]["description"].startswith("US dollars")


def test_bodies_that_stream_are_all_under_the_handler_that_streams() -> None:
    # The handlers' patterns are fixed, so that the table need not be imported at the server's start.
    assert all(route.path.startswith("/blobs/") for route in ROUTES if route.streams_body)


def test_every_setting_is_documented() -> None:
    for name, trait in MlwsApp.class_own_traits(config=True).items():
        assert trait.help, name
