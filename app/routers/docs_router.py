"""The API's documentation, rendered here from the OpenAPI document."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from app.dependencies import CurrentUser
from app.templating import Template, render

router = APIRouter(include_in_schema=False)

_METHODS: Final = ("get", "post", "put", "patch", "delete")
_LIMITS: Final = {
    "minLength": "≥",
    "maxLength": "≤",
    "minimum": "≥",
    "maximum": "≤",
    "exclusiveMaximum": "<",
}
_WORTH_TELLING: Final = 1_000_000


@dataclass(frozen=True, slots=True)
class Field:
    """A parameter or a property of a body: `kind` in words, limits after a comma."""

    name: str
    place: str
    kind: str
    required: bool
    description: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What comes back with a status."""

    status: str
    description: str
    kind: str


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path."""

    id: str
    method: str
    path: str
    summary: str
    description: str
    fields: tuple[Field, ...]
    answers: tuple[Answer, ...]


@dataclass(frozen=True, slots=True)
class Model:
    """An object that bodies are made of."""

    name: str
    description: str
    fields: tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class DocsPage(Template):
    template: ClassVar[str] = "docs/docs.html"
    version: str
    operations: tuple[Operation, ...]
    models: tuple[Model, ...]


@router.get("/api/docs")
async def docs(request: Request, user: CurrentUser) -> HTMLResponse:
    """Every operation and model; needs nothing but this page."""
    document: dict[str, Any] = request.app.openapi()
    schemas: dict[str, Any] = document.get("components", {}).get("schemas", {})
    operations = tuple(
        _operation(method, path, item[method], schemas)
        for path, item in document["paths"].items()
        for method in _METHODS
        if method in item
    )
    models = tuple(
        Model(name, schema.get("description", ""), _properties(schema, ""))
        for name, schema in schemas.items()
        if "properties" in schema
    )
    return render(request, DocsPage(document["info"]["version"], operations, models))


def _operation(
    method: str, path: str, operation: Mapping[str, Any], schemas: Mapping[str, Any]
) -> Operation:
    fields = [
        Field(
            parameter["name"],
            parameter["in"],
            _kind(parameter["schema"]),
            parameter.get("required", False),
            parameter.get("description", ""),
        )
        for parameter in operation.get("parameters", ())
    ]
    body = _json_schema(operation.get("requestBody", {}))
    if body:
        fields += _properties(schemas.get(_reference(body), body), "body")
    answers = tuple(
        Answer(status, answer.get("description", ""), _kind(_json_schema(answer)))
        for status, answer in operation.get("responses", {}).items()
    )
    return Operation(
        id=operation["operationId"],
        method=method.upper(),
        path=path,
        summary=operation.get("summary", ""),
        description=operation.get("description", ""),
        fields=tuple(fields),
        answers=answers,
    )


def _properties(schema: Mapping[str, Any], place: str) -> tuple[Field, ...]:
    required = schema.get("required", ())
    return tuple(
        Field(name, place, _kind(value), name in required, value.get("description", ""))
        for name, value in schema.get("properties", {}).items()
    )


def _json_schema(content: Mapping[str, Any]) -> dict[str, Any]:
    schema: dict[str, Any] = (
        content.get("content", {}).get("application/json", {}).get("schema", {})
    )
    return schema


def _reference(schema: Mapping[str, Any]) -> str:
    return str(schema.get("$ref", "")).rpartition("/")[2]


def _kind(schema: Mapping[str, Any]) -> str:
    """A schema in a few words, such as `string (date) | null` or `array of ItemOut`."""
    if reference := _reference(schema):
        return reference
    if choices := schema.get("anyOf"):
        return " | ".join(_kind(choice) for choice in choices)
    if values := schema.get("enum"):
        return " | ".join(str(value) for value in values)
    if "const" in schema:
        return str(schema["const"])
    kind = str(schema.get("type", ""))
    if kind == "array":
        kind = f"array of {_kind(schema.get('items', {}))}"
    if form := schema.get("format"):
        kind += f" ({form})"
    limits = [
        f"{sign} {schema[name]:g}"
        for name, sign in _LIMITS.items()
        # What a 64-bit integer can hold anyway says nothing to a reader.
        if name in schema and abs(schema[name]) < _WORTH_TELLING
    ]
    return ", ".join((kind, *limits))
