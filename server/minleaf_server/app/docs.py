"""The page at /docs: every endpoint of the API with its fields, from the OpenAPI description, without any script."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined, Template

from minleaf_server.resources import folder

METHODS = ("get", "post", "put", "patch", "delete")
REFERENCE = "#/components/schemas/"


@dataclass(frozen=True, slots=True)
class Field:
    """A parameter, or a field of a body. `link` is the anchor of its schema, or ""."""

    name: str
    type: str
    link: str
    required: bool
    description: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What comes back with one status."""

    status: str
    description: str
    type: str
    link: str
    fields: tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class Operation:
    """One method of one path."""

    anchor: str
    method: str
    path: str
    summary: str
    description: str
    parameters: tuple[Field, ...]
    body: tuple[Field, ...]
    answers: tuple[Answer, ...]


@dataclass(frozen=True, slots=True)
class Group:
    """The operations under one heading."""

    title: str
    operations: tuple[Operation, ...]


@dataclass(frozen=True, slots=True)
class Schema:
    """A named object that fields refer to."""

    anchor: str
    name: str
    description: str
    fields: tuple[Field, ...]


@dataclass(frozen=True, slots=True)
class Page:
    """All that the template sees."""

    prefix: str
    title: str
    version: str
    description: str
    groups: tuple[Group, ...]
    schemas: tuple[Schema, ...]


def render(description: Mapping[str, Any], prefix: str) -> str:
    """The page as HTML. `prefix` is what the addresses of style sheets start with."""
    return _template().render(page=page_of(description, prefix))


def page_of(description: Mapping[str, Any], prefix: str = "") -> Page:
    """What the page shows of an OpenAPI description."""
    schemas: Mapping[str, Any] = description.get("components", {}).get("schemas", {})
    groups: dict[str, list[Operation]] = {}
    for tag, operation in _operations(description.get("paths", {}), schemas):
        groups.setdefault(tag, []).append(operation)
    info = description["info"]
    return Page(
        prefix=prefix,
        title=info["title"],
        version=info["version"],
        description=info.get("description", ""),
        groups=tuple(Group(title, tuple(operations)) for title, operations in groups.items()),
        schemas=tuple(
            Schema(_anchor(name), name, schema.get("description", ""), _fields(schema))
            for name, schema in sorted(schemas.items())
        ),
    )


@lru_cache
def _template() -> Template:
    loader = FileSystemLoader(folder("templates"))
    environment = Environment(loader=loader, autoescape=True, undefined=StrictUndefined, trim_blocks=True)
    return environment.get_template("docs.html")


def _operations(paths: Mapping[str, Any], schemas: Mapping[str, Any]) -> Iterator[tuple[str, Operation]]:
    for path, methods in paths.items():
        for method in METHODS:
            if method in methods:
                spec = methods[method]
                tag = next(iter(spec.get("tags", ())), "Other")
                yield tag, _operation(path, method, spec, schemas)


def _operation(path: str, method: str, spec: Mapping[str, Any], schemas: Mapping[str, Any]) -> Operation:
    return Operation(
        anchor=f"{method}-{path.strip('/').replace('/', '-')}",
        method=method.upper(),
        path=path,
        summary=spec.get("summary", ""),
        description=spec.get("description", ""),
        parameters=tuple(_parameter(parameter) for parameter in spec.get("parameters", ())),
        body=_fields(_resolved(_schema_of(spec.get("requestBody", {})), schemas)),
        answers=tuple(_answer(status, answer, schemas) for status, answer in spec.get("responses", {}).items()),
    )


def _parameter(spec: Mapping[str, Any]) -> Field:
    type_, link = _type(spec.get("schema", {}))
    return Field(spec["name"], type_, link, bool(spec.get("required")), spec.get("description", ""))


def _answer(status: str, spec: Mapping[str, Any], schemas: Mapping[str, Any]) -> Answer:
    schema = _schema_of(spec)
    type_, link = _type(schema) if schema else ("", "")
    fields = () if link else _fields(_resolved(schema, schemas))
    return Answer(status, spec.get("description", ""), type_, link, fields)


def _schema_of(spec: Mapping[str, Any]) -> Mapping[str, Any]:
    """The schema of a body, of whichever content type comes first."""
    content: Mapping[str, Any] = next(iter(spec.get("content", {}).values()), {})
    schema: Mapping[str, Any] = content.get("schema", {})
    return schema


def _resolved(schema: Mapping[str, Any], schemas: Mapping[str, Any]) -> Mapping[str, Any]:
    name = schema.get("$ref", "").removeprefix(REFERENCE)
    return schemas.get(name, {}) if name else schema


def _fields(schema: Mapping[str, Any]) -> tuple[Field, ...]:
    required = schema.get("required", ())
    return tuple(
        Field(name, *_type(spec), name in required, spec.get("description", ""))
        for name, spec in schema.get("properties", {}).items()
    )


def _type(schema: Mapping[str, Any]) -> tuple[str, str]:
    """A type in words, and the anchor of the schema it names."""
    if "$ref" in schema:
        name = schema["$ref"].removeprefix(REFERENCE)
        return name, _anchor(name)
    for several in ("anyOf", "oneOf", "allOf"):
        if several in schema:
            parts = [_type(part) for part in schema[several]]
            return " or ".join(part for part, _ in parts), next((link for _, link in parts if link), "")
    if schema.get("type") == "array":
        name, link = _type(schema.get("items", {}))
        return f"list of {name}", link
    if "enum" in schema:
        return " | ".join(map(str, schema["enum"])), ""
    type_ = schema.get("type", "any")
    name = " or ".join(type_) if isinstance(type_, list) else str(type_)
    return (f"{name} ({schema['format']})" if "format" in schema else name), ""


def _anchor(name: str) -> str:
    return f"schema-{name}"
