"""How a record becomes a JSON schema: with the texts under its fields, and answers complete."""

from __future__ import annotations

import ast
import inspect
import textwrap
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema


class RecordSchema(GenerateJsonSchema):
    """Pydantic's generator, but for three things.

    Answers always hold all their fields, so a reader need not expect a missing one. The string under a field
    is its description. Titles, which only repeat the name, are left out.
    """

    def field_is_required(
        self,
        field: core_schema.ModelField | core_schema.DataclassField | core_schema.TypedDictField,
        total: bool,
    ) -> bool:
        """Whether the field is always there: in an answer, yes."""
        return self.mode == "serialization" or super().field_is_required(field, total)

    def field_title_should_be_set(self, schema: Any) -> bool:
        """No."""
        return False

    def model_schema(self, schema: core_schema.ModelSchema) -> JsonSchemaValue:
        """Return the schema of a record, with the descriptions of its fields."""
        made = super().model_schema(schema)
        made.pop("title", None)
        properties: dict[str, Any] = made.get("properties", {})
        for name, text in field_texts(schema["cls"]).items():
            if name in properties:
                properties[name] = {**properties[name], "description": text}
        return made


def field_texts(record: type[BaseModel]) -> dict[str, str]:
    """Return the string that stands under each field in the source of `record` and of its parents."""
    texts: dict[str, str] = {}
    for cls in reversed(record.__mro__):
        if not (issubclass(cls, BaseModel) and cls.__module__.startswith("jupyter_mlws.")):
            continue
        (definition,) = ast.parse(textwrap.dedent(inspect.getsource(cls))).body
        assert isinstance(definition, ast.ClassDef)
        for field, below in zip(definition.body, definition.body[1:], strict=False):
            if (
                isinstance(field, ast.AnnAssign)
                and isinstance(field.target, ast.Name)
                and isinstance(below, ast.Expr)
                and isinstance(below.value, ast.Constant)
                and isinstance(below.value.value, str)
            ):
                texts[field.target.id] = inspect.cleandoc(below.value.value)
    return texts
