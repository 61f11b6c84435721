"""The OpenAPI document of the table of routes."""

from __future__ import annotations

import types
from typing import TYPE_CHECKING, Annotated, Any, Literal, NotRequired, Union, get_args, get_origin, get_type_hints
from typing import is_typeddict as is_object

from amlnb.server.contract import Fault
from amlnb.server.routes import JSON
from amlnb.version import __version__

if TYPE_CHECKING:
    from collections.abc import Sequence

    from amlnb.server.parameters import Parameter
    from amlnb.server.routes import Route

_PLACES = {"workspace": "the key of a workspace", "run": "the full id of a run"}
_NO_NUMBERS = ["NaN", "Infinity", "-Infinity"]
_PLAIN: dict[Any, dict[str, Any]] = {
    str: {"type": "string"},
    bool: {"type": "boolean"},
    int: {"type": "integer"},
    float: {"type": "number"},
    type(None): {"type": "null"},
    Any: {},
}


def document(routes: Sequence[Route]) -> dict[str, Any]:
    """Describe routes (OpenAPI 3.1), their addresses relative to ``amlnb/api/``."""
    components: dict[str, Any] = {}
    paths: dict[str, dict[str, Any]] = {}
    for route in routes:
        paths.setdefault(f"/{route.path}", {})[route.method.lower()] = _operation(route, components)
    return {
        "openapi": "3.1.0",
        "info": {"title": "amlnb", "version": __version__},
        "servers": [{"url": "amlnb/api"}],
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "schemas": components,
            "securitySchemes": {"token": {"type": "apiKey", "in": "header", "name": "Authorization"}},
        },
    }


def schema(of: Any, components: dict[str, Any]) -> dict[str, Any]:
    """JSON Schema of a type of an answer; objects are put among the components, and referred to."""
    if of in _PLAIN:
        return _PLAIN[of]
    if is_object(of):
        return _reference(of, components)
    origin, arguments = get_origin(of), get_args(of)
    if origin is Annotated:
        base, told = arguments[0], arguments[1]
        if told == "number":
            return {"anyOf": [schema(base, components), {"enum": _NO_NUMBERS}]}
        return {"type": "string", "enum": list(told)}
    if origin is Literal:
        return {"enum": list(arguments)}
    if origin is list:
        return {"type": "array", "items": schema(arguments[0], components)}
    if origin is dict:
        return {"type": "object", "additionalProperties": schema(arguments[1], components)}
    if origin is tuple:
        items = [schema(each, components) for each in arguments]
        return {"type": "array", "prefixItems": items, "minItems": len(items), "maxItems": len(items)}
    if origin in (Union, types.UnionType):
        return {"anyOf": [schema(each, components) for each in arguments]}
    raise TypeError(f"{of!r} has no schema")


def _reference(of: Any, components: dict[str, Any]) -> dict[str, Any]:
    name = of.__name__
    if name not in components:
        components[name] = {}  # it may refer to itself
        properties, required = {}, []
        for field, kind in get_type_hints(of, include_extras=True).items():
            is_optional = get_origin(kind) is NotRequired
            properties[field] = schema(get_args(kind)[0] if is_optional else kind, components)
            required += [] if is_optional else [field]
        told = {"type": "object", "properties": properties, "required": required, "additionalProperties": False}
        components[name] = {**told, "description": of.__doc__ or name}
    return {"$ref": f"#/components/schemas/{name}"}


def _operation(route: Route, components: dict[str, Any]) -> dict[str, Any]:
    told: dict[str, Any] = {
        "summary": route.told,
        "parameters": [_place(name) for name in route.places] + [_parameter(each) for each in route.query],
        "responses": {
            str(route.status): {"description": route.told, **_content(route, components)},
            "default": {
                "description": "What is wrong, and what to do about it.",
                "content": {JSON: {"schema": schema(Fault, components)}},
            },
        },
    }
    if route.body is not None:
        told["requestBody"] = {"required": bool(route.body), "content": {JSON: {"schema": _body(route.body)}}}
    return told


def _content(route: Route, components: dict[str, Any]) -> dict[str, Any]:
    if route.gives is None:
        return {}
    if isinstance(route.gives, str):
        return {"content": {route.gives: {}}}
    return {"content": {JSON: {"schema": schema(route.gives, components)}}}


def _place(name: str) -> dict[str, Any]:
    return {
        "name": name,
        "in": "path",
        "required": True,
        "description": _PLACES[name],
        "schema": {"type": "string", "minLength": 1},
    }


def _parameter(parameter: Parameter) -> dict[str, Any]:
    kind: dict[str, Any] = dict(parameter.kind.schema)
    if parameter.default is not None:
        kind["default"] = parameter.default
    if parameter.many:
        kind = {"type": "array", "items": kind}
    return {
        "name": parameter.name,
        "in": "query",
        "required": parameter.required,
        "description": parameter.told,
        "schema": kind,
    }


def _body(fields: Sequence[Parameter]) -> dict[str, Any]:
    return {
        "type": "object",
        "properties": {field.name: {**field.kind.schema, "description": field.told} for field in fields},
        "required": [field.name for field in fields if field.required],
        "additionalProperties": False,
    }
