"""The OpenAPI 3.1 document, made from the table of routes and the records. Pure.

`python -m jupyter_mlws.server.openapi` prints it; the TypeScript types of the labextension come from it.
"""

from __future__ import annotations

import inspect
import json
import re
import sys
from typing import Any, Literal

from pydantic.json_schema import models_json_schema

from jupyter_mlws.model.errors import ErrorAnswer
from jupyter_mlws.model.events import Change
from jupyter_mlws.model.notebook import NotebookRequest
from jupyter_mlws.model.record import Record
from jupyter_mlws.server.record_schema import RecordSchema
from jupyter_mlws.server.route import PREFIX, AnyRoute
from jupyter_mlws.server.routes.table import ROUTES

Json = dict[str, Any]
_Mode = Literal["validation", "serialization"]
_Refs = dict[tuple[type[Record], _Mode], Json]
_TEMPLATE = "#/components/schemas/{model}"
_FAILURES = {
    "401": "Not logged in, or the token is wrong",
    "403": "Not allowed",
    "404": "There is nothing of that name",
    "422": "A value is not valid",
    "503": "The workspace is not ready",
}


def document() -> Json:
    """Return the OpenAPI document."""
    references, definitions = _components()
    paths: dict[str, Json] = {}
    for route in ROUTES:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route, references)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "jupyter_mlws",
            "version": "1",
            "description": "A machine-learning workspace inside JupyterLab. Who may do what is decided by "
            "Jupyter's identity provider and authorizer; a token goes into the header "
            "`Authorization: token TOKEN`.",
        },
        "servers": [{"url": PREFIX, "description": "Under the base URL of the Jupyter server"}],
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "schemas": definitions,
            "securitySchemes": {"token": {"type": "apiKey", "in": "header", "name": "Authorization"}},
        },
    }


def as_text() -> str:
    """Return the document as JSON text, always the same for the same routes and records."""
    return json.dumps(document(), indent=2, ensure_ascii=False) + "\n"


def _components() -> tuple[_Refs, Json]:
    """Return a reference for each record in each direction, and the schemas they refer to."""
    wanted: dict[tuple[type[Record], _Mode], None] = {}
    for model in (ErrorAnswer, Change, NotebookRequest):
        wanted[(model, "serialization")] = None
    for route in ROUTES:
        if route.body is not None:
            wanted[(route.body, "validation")] = None
        if route.answer is not None:
            wanted[(route.answer, "serialization")] = None
    schemas, definitions = models_json_schema(
        list(wanted), ref_template=_TEMPLATE, schema_generator=RecordSchema
    )
    named = {_plain_name(name): _renamed(schema) for name, schema in definitions["$defs"].items()}
    return {key: _renamed(schemas[key]) for key in wanted}, dict(sorted(named.items()))


def _plain_name(name: str) -> str:
    """Return the name of a component: its own for a record as it is answered, `...Input` as it is sent."""
    return name.removesuffix("-Output").replace("-Input", "Input")


def _renamed(schema: Any) -> Any:
    """Return `schema` with its references to the plain names."""
    if isinstance(schema, list):
        return [_renamed(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if isinstance(schema.get("$ref"), str):
        return {**schema, "$ref": _plain_name(schema["$ref"])}
    return {key: _renamed(value) for key, value in schema.items()}


def _operation(route: AnyRoute, references: _Refs) -> Json:
    operation: Json = {
        "operationId": _operation_id(route),
        "tags": [route.resource],
        "summary": route.summary,
        "description": inspect.getdoc(route.run) or "",
        "parameters": [*_path_parameters(route), *_query_parameters(route)],
        "responses": _responses(route, references),
    }
    if route.streams_body:
        operation["requestBody"] = {"required": True, "content": {"application/octet-stream": {}}}
    elif route.body is not None:
        schema = references[(route.body, "validation")]
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": schema}}}
    return operation


def _operation_id(route: AnyRoute) -> str:
    noun = route.run.__module__.rpartition(".")[2]
    return f"{noun}_{route.run.__name__}"


def _path_parameters(route: AnyRoute) -> list[Json]:
    return [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in re.findall(r"\{(\w+)\}", route.path)
    ]


def _query_parameters(route: AnyRoute) -> list[Json]:
    schema = route.query.model_json_schema(ref_template=_TEMPLATE, schema_generator=RecordSchema)
    parameters = []
    for name, described in schema.get("properties", {}).items():
        resolved = _inlined(described, schema.get("$defs", {}))
        description = resolved.pop("description", None)
        parameter: Json = {"name": name, "in": "query", "required": False, "schema": resolved}
        if description is not None:
            parameter["description"] = description
        parameters.append(parameter)
    return parameters


def _inlined(schema: Any, definitions: Json) -> Any:
    """Return a query parameter's schema with its references replaced: they are small enumerations."""
    if isinstance(schema, list):
        return [_inlined(item, definitions) for item in schema]
    if not isinstance(schema, dict):
        return schema
    if "$ref" in schema:
        target = definitions[schema["$ref"].rpartition("/")[2]]
        rest = {key: value for key, value in schema.items() if key != "$ref"}
        return {**_inlined(target, definitions), **rest}
    return {key: _inlined(value, definitions) for key, value in schema.items()}


def _responses(route: AnyRoute, references: _Refs) -> Json:
    content: Json | None = None
    if route.answer is not None:
        content = {"application/json": {"schema": references[(route.answer, "serialization")]}}
    elif route.media is not None:
        content = {route.media: {}}
    responses: Json = {}
    for status, meaning in ((route.status, "Done"), *route.other_statuses.items()):
        responses[str(status)] = {"description": meaning, **({"content": content} if content else {})}
    failure = {"application/json": {"schema": references[(ErrorAnswer, "serialization")]}}
    for code, meaning in _FAILURES.items():
        responses[code] = {"description": meaning, "content": failure}
    responses["default"] = {"description": "Any other failure", "content": failure}
    return responses


if __name__ == "__main__":
    sys.stdout.write(as_text())
