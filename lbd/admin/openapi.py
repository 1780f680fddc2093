"""`GET /v1/openapi.json`: the description of the admin interface (OpenAPI 3.1), made from its table of routes."""

from collections.abc import Sequence
from typing import Any

from aiohttp import web

from lbd import __version__
from lbd.admin.answers import answer
from lbd.admin.guard import CHANGING
from lbd.admin.route import QUERIES, ApiRoute
from lbd.schema import REQUIRED, keys

PROBLEM: dict[str, Any] = {
    "type": "object",
    "description": "RFC 9457",
    "required": ["type", "title", "status", "detail"],
    "properties": {"type": {"type": "string"}, "title": {"type": "string"}, "status": {"type": "integer"},
                   "detail": {"type": "string"}, "problems": {"type": "array", "items": {"type": "object"}}},
}

UNAVAILABLE = "refused: lbd starts or stops, or cannot keep the change on its disk"


class OpenApiResource:
    """The resource `/v1/openapi.json`."""

    def __init__(self, routes: Sequence[ApiRoute]) -> None:
        self._routes = routes

    async def get(self, _request: web.Request) -> web.Response:
        """200 with the description."""
        return answer(describe(self._routes))


def describe(routes: Sequence[ApiRoute]) -> dict[str, Any]:
    """The OpenAPI document of the routes."""
    paths: dict[str, Any] = {}
    for route in routes:
        paths.setdefault(route.path, {})[route.method.lower()] = _operation(route)
    return {
        "openapi": "3.1.0",
        "info": {"title": "lbd", "version": __version__, "summary": "the admin interface of a load balancer"},
        "paths": paths,
        "components": {"schemas": {"Problem": PROBLEM},
                       "securitySchemes": {"token": {"type": "http", "scheme": "bearer"}}},
        "security": [{}, {"token": []}],
    }


def body(section: type) -> dict[str, Any]:
    """The JSON Schema of a request body; null is the same as a key that is left out."""
    properties, required = {}, []
    for name, (_, about) in keys(section).items():
        schema = about.kind.schema if about.kind is not None else {}
        if about.default is REQUIRED:
            required.append(name)
            properties[name] = {**schema, "description": about.text}
        else:
            properties[name] = {"anyOf": [schema, {"type": "null"}], "description": about.text}
    return {"type": "object", "properties": properties, "additionalProperties": False,
            **({"required": required} if required else {})}


def _operation(route: ApiRoute) -> dict[str, Any]:
    faults = {400, 401, 403, 408, 413, 500, 503}
    faults |= ({404} if "{" in route.path else set()) | ({422} if route.body else set())
    texts = {503: UNAVAILABLE} if route.method in CHANGING else {}
    names = [part[1:-1] for part in route.path.split("/") if part.startswith("{")]
    return {
        "operationId": f"{route.method.lower()}{route.path.replace('/', '_').replace('{', '').replace('}', '')}",
        "summary": route.text,
        **({"description": f"For tokens of the role {route.role}."} if route.role else {"security": []}),
        "parameters": [
            *({"name": name, "in": "path", "required": True, **_parameter(name)} for name in names),
            *({"name": name, "in": "query", **_parameter(name)} for name in route.query),
        ],
        **({"requestBody": _body(route.body)} if route.body else {}),
        "responses": {
            **{str(code): _error(texts.get(code, "refused")) for code in sorted(faults - set(route.codes))},
            **{str(code): _response(route, code, text) for code, text in route.codes.items()},
        },
    }


def _response(route: ApiRoute, code: int, text: str) -> dict[str, Any]:
    if code < 400 and route.media == "application/json":
        schema = {"type": "object", **({"required": list(route.answer)} if route.answer else {})}
        return {"description": text, "content": {route.media: {"schema": schema}}}
    if code < 400 or route.media != "application/json":
        return {"description": text, "content": {route.media: {}}}
    return _error(text)


def _parameter(name: str) -> dict[str, Any]:
    return {"description": QUERIES[name].allowed, "schema": QUERIES[name].schema}


def _body(section: type) -> dict[str, Any]:
    schema = body(section)
    return {"required": "required" in schema, "content": {"application/json": {"schema": schema}}}


def _error(text: str) -> dict[str, Any]:
    return {"description": text,
            "content": {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}}
