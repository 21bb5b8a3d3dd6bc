"""The API's documentation, rendered here from the OpenAPI document.

The document itself is English. What the page shows of it (descriptions of routes, fields, answers
and objects) is looked up in the reader's catalogue; `manage.py messages` collects it from there.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from app.dependencies import CurrentUser
from app.templating import Template, language_of, render

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

Translate = Callable[[str], str]


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
    return render(request, docs_page(request.app.openapi(), language_of(request).gettext))


def docs_page(document: Mapping[str, Any], translate: Translate) -> DocsPage:
    """What the page shows of an OpenAPI document; `translate` gets each of its sentences."""
    schemas: dict[str, Any] = document.get("components", {}).get("schemas", {})
    operations = tuple(
        _operation(method, path, item[method], schemas, translate)
        for path, item in document["paths"].items()
        for method in _METHODS
        if method in item
    )
    models = tuple(
        Model(name, _description(schema, translate), _properties(schema, "", translate))
        for name, schema in schemas.items()
        if "properties" in schema
    )
    return DocsPage(document["info"]["version"], operations, models)


def _operation(
    method: str,
    path: str,
    operation: Mapping[str, Any],
    schemas: Mapping[str, Any],
    translate: Translate,
) -> Operation:
    fields = [
        Field(
            parameter["name"],
            parameter["in"],
            _kind(parameter["schema"]),
            parameter.get("required", False),
            _description(parameter, translate),
        )
        for parameter in operation.get("parameters", ())
    ]
    body = _json_schema(operation.get("requestBody", {}))
    if body:
        fields += _properties(schemas.get(_reference(body), body), "body", translate)
    answers = tuple(
        Answer(status, _description(answer, translate), _kind(_json_schema(answer)))
        for status, answer in operation.get("responses", {}).items()
    )
    return Operation(
        id=operation["operationId"],
        method=method.upper(),
        path=path,
        # Without a docstring there is only the function's name to show.
        description=_description(operation, translate) or operation.get("summary", ""),
        fields=tuple(fields),
        answers=answers,
    )


def _properties(schema: Mapping[str, Any], place: str, translate: Translate) -> tuple[Field, ...]:
    required = schema.get("required", ())
    return tuple(
        Field(name, place, _kind(value), name in required, _description(value, translate))
        for name, value in schema.get("properties", {}).items()
    )


def _description(part: Mapping[str, Any], translate: Translate) -> str:
    text = str(part.get("description", ""))
    return translate(text) if text else ""


def _json_schema(content: Mapping[str, Any]) -> dict[str, Any]:
    kinds: dict[str, Any] = content.get("content", {})
    schema: dict[str, Any] = kinds.get(
        "application/json", kinds.get("multipart/form-data", {})
    ).get("schema", {})
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
