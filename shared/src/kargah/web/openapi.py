"""The OpenAPI 3.1 document, derived from the routes: models become shared components, enums included."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from typing import Any, Literal

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from kargah.access.roles import Permission
from kargah.contracts.problem import Problem
from kargah.web.route import JSON, Route, phrase

Schema = dict[str, Any]
Mode = Literal["validation", "serialization"]
_Key = tuple[type[BaseModel], Mode]

_PARAMETER = re.compile(r"<(?:(?P<converter>\w+)(?:\([^)]*\))?:)?(?P<name>\w+)>")
_CONVERTERS: dict[str, Schema] = {
    "int": {"type": "integer", "minimum": 0},
    "float": {"type": "number"},
    "uuid": {"type": "string", "format": "uuid"},
}
# Where people must log in: an API key, or the token of a session. `x-needs` names the permission.
_BEARER = "bearer"
_OPEN = (Permission.PUBLIC, Permission.SIGNED)
_BINARY: Schema = {"type": "string", "contentMediaType": "application/octet-stream"}


def document(title: str, version: str, routes: Sequence[Route]) -> dict[str, Any]:
    """The document. Raises `ValueError` when two routes share an operation id."""
    names = [route.name for route in routes]
    if doubled := {name for name in names if names.count(name) > 1}:
        raise ValueError(f"operation ids used twice: {', '.join(sorted(doubled))}")
    references, components = _components(routes)
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        operations = paths.setdefault(_PARAMETER.sub(r"{\g<name>}", route.path), {})
        operations[route.method.lower()] = _operation(route, references, components)
    return {
        "openapi": "3.1.0",
        "info": {"title": title, "version": version},
        "paths": paths,
        "components": {
            "schemas": components,
            "responses": {
                "Problem": _error_response("application/problem+json", references[(Problem, "serialization")])
            },
            "securitySchemes": {_BEARER: {"type": "http", "scheme": "bearer"}},
        },
    }


def _components(routes: Sequence[Route]) -> tuple[dict[_Key, Schema], dict[str, Schema]]:
    wanted: dict[_Key, None] = {(Problem, "serialization"): None}
    for route in routes:
        for model in (route.body, route.query):
            if model is not None:
                wanted[(model, "validation")] = None
        for answer in (route.returns, route.errors):
            if answer is not None:
                wanted[(answer, "serialization")] = None
    return _schemas(tuple(wanted))


@cache  # the same for every app that has these models, and most of what making an app takes
def _schemas(wanted: tuple[_Key, ...]) -> tuple[dict[_Key, Schema], dict[str, Schema]]:
    found, definitions = models_json_schema(list(wanted), ref_template="#/components/schemas/{model}")
    references = {key: found[key] for key in wanted}
    return references, definitions.get("$defs", {})


def _operation(route: Route, references: dict[_Key, Schema], components: dict[str, Schema]) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "operationId": route.name,
        "summary": route.summary,
        "tags": route.tags,
        "security": [] if route.needed in _OPEN else [{_BEARER: []}],
        "x-needs": route.needed.value,
        "parameters": [*_path_parameters(route), *_query_parameters(route, references, components)],
        "responses": _responses(route, references),
    }
    if body := _request_body(route, references):
        operation["requestBody"] = body
    return operation


def _path_parameters(route: Route) -> list[Schema]:
    return [
        {
            "name": match["name"],
            "in": "path",
            "required": True,
            "schema": _CONVERTERS.get(match["converter"] or "", {"type": "string"}),
        }
        for match in _PARAMETER.finditer(route.path)
    ]


def _query_parameters(route: Route, references: dict[_Key, Schema], components: dict[str, Schema]) -> list[Schema]:
    if route.query is None:
        return []
    model = components[references[(route.query, "validation")]["$ref"].rpartition("/")[2]]
    required = model.get("required", [])
    return [
        {"name": name, "in": "query", "required": name in required, "schema": schema}
        for name, schema in model.get("properties", {}).items()
    ]


def _request_body(route: Route, references: dict[_Key, Schema]) -> Schema | None:
    if route.body is not None:
        schema = references[(route.body, "validation")]
        return {"required": not route.optional_body, "content": {JSON: {"schema": schema}}}
    if route.consumes is not None:
        return {"required": True, "content": {route.consumes: {"schema": _raw_schema(route.consumes)}}}
    return None


def _raw_schema(content_type: str) -> Schema:
    if content_type == "multipart/form-data":
        return {"type": "object", "properties": {"file": _BINARY}, "additionalProperties": {"type": "string"}}
    return _BINARY


def _responses(route: Route, references: dict[_Key, Schema]) -> Schema:
    responses: Schema = {}
    for status in (route.status, *route.other_statuses):
        responses[str(status)] = {"description": phrase(status), **_content(route, status, references)}
    if route.errors is None:
        responses["default"] = {"$ref": "#/components/responses/Problem"}
    else:
        responses["default"] = _error_response(JSON, references[(route.errors, "serialization")])
    return responses


def _content(route: Route, status: int, references: dict[_Key, Schema]) -> Schema:
    if route.returns is not None:
        content = {JSON: {"schema": references[(route.returns, "serialization")]}}
        if route.streams is not None:
            # What a whole stream of events is, no schema can say.
            content[route.streams] = {} if route.streams == "text/event-stream" else {"schema": {"type": "string"}}
        return {"content": content}
    if status == 204 or route.method == "HEAD" or route.produces == JSON:
        return {}
    schema = {"type": "string"} if route.produces.startswith("text/") else _BINARY
    return {"content": {route.produces: {"schema": schema}}}


def _error_response(content_type: str, schema: Schema) -> Schema:
    return {"description": "What went wrong.", "content": {content_type: {"schema": schema}}}
