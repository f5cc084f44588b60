"""The description of the door for machines: OpenAPI, made when somebody with a credential first asks."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from starlette.responses import Response

from recollect.interfaces.http.answers import Answer, JsonText

ABOUT = """The memory of AI agents: conversations go in, the right evidence comes out in milliseconds.

Every request but `GET /v1/health/live` carries `Authorization: Bearer <API key or JWT>`, and sees only what
its tenant, role and person may. Errors are `application/problem+json` with a stable `code`, a `detail` and
a `hint`. An id in a path is percent-encoded, and may hold any character but control characters."""

_PROBLEM = {
    "type": "object",
    "title": "Problem",
    "description": "What went wrong (RFC 9457).",
    "required": ["type", "title", "status", "code", "detail", "hint", "errors"],
    "additionalProperties": False,
    "properties": {
        "type": {"type": "string", "description": "A URI of the code."},
        "title": {"type": "string", "description": "The status in words."},
        "status": {"type": "integer", "description": "As of the response."},
        "code": {"type": "string", "description": "Stable: programs may rely on it."},
        "detail": {"type": "string", "description": "What went wrong, for people."},
        "hint": {"type": ["string", "null"], "description": "What to do about it."},
        "success": {"type": "boolean", "description": "On the wire of a pack alone: false."},
        "message": {"type": "string", "description": "On the wire of a pack alone: the detail."},
        "errors": {
            "type": "array",
            "description": "The fields that are wrong, or the parts that are away: `location`, `message`.",
            "items": {
                "type": "object",
                "required": ["location", "message"],
                "properties": {"location": {"type": "string"}, "message": {"type": "string"}},
            },
        },
    },
    "examples": [
        {
            "type": "urn:recollect:problem:not_found",
            "title": "Not Found",
            "status": 404,
            "code": "not_found",
            "detail": "There is nothing by that id here.",
            "hint": None,
            "errors": [],
        }
    ],
}
_CONTENT = {"application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}}
_BEARER = {"type": "http", "scheme": "bearer", "description": "An API key (rcl_…), or a JWT."}


def serve_description(app: FastAPI) -> None:
    """Serve the description at /v1/openapi.json."""

    @cache
    def text() -> bytes:
        return json.dumps(describe(app)).encode()

    @app.get("/v1/openapi.json", include_in_schema=False)
    async def openapi() -> Response:
        return JsonText(text())


def _shapes(base: type[Answer]) -> Iterator[type[Answer]]:
    for shape in base.__subclasses__():
        yield shape
        yield from _shapes(shape)


def describe(app: FastAPI) -> dict[str, Any]:
    """The OpenAPI document of an application's operations."""
    described = get_openapi(
        title=app.title, version=app.version, description=ABOUT, routes=app.routes, tags=[]
    )
    components = described["components"]
    components["schemas"] |= {"Problem": _PROBLEM}
    components["schemas"] = {
        name: schema
        for name, schema in components["schemas"].items()
        if name not in ("HTTPValidationError", "ValidationError")
    }
    # The framework takes nulls out of examples; an answer has them.
    for shape in _shapes(Answer):
        if shape.__name__ in components["schemas"]:
            extra: Any = shape.model_config["json_schema_extra"]
            components["schemas"][shape.__name__]["examples"] = extra["examples"]
    components["securitySchemes"] = {"bearer": _BEARER}
    described["security"] = [{"bearer": []}]
    for path in described["paths"].values():
        for operation in path.values():
            operation["responses"].pop("422", None)
            operation["responses"]["default"] = {"description": "A problem.", "content": _CONTENT}
    return described
