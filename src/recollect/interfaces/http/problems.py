"""Errors on the wire: one form for all of them, RFC 9457's, with our stable code and a hint."""

from __future__ import annotations

import json
from collections.abc import Sequence
from http import HTTPStatus
from typing import Any

from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from recollect.core.errors import (
    Invalid,
    Misconfigured,
    NotFound,
    RecollectError,
    Unauthenticated,
    Unavailable,
)

MEDIA_TYPE = "application/problem+json"
RETRY_SECONDS = 1
_WORDS = {"timezone_aware": "needs a zone, like 2026-03-01T12:00:00Z"}
"""What is said better than Pydantic says it."""
OF_A_PACK = "recollect.pack"
"""In a request's scope: it is on the wire of a pack."""

_UNION_TAGS = frozenset({"one", "batch"})


class InternalError(RecollectError):
    """The server failed at this request; what happened is in its log under the request's id."""

    code = "internal_error"
    hint = "Tell the operator the X-Request-Id of this response."


class NotReady(Unavailable):
    """Something that this server stands on is away."""

    code = "not_ready"


class InvalidJson(Invalid):
    """The body is not JSON."""

    code = "invalid_json"
    status = 400
    hint = "Send one JSON value in UTF-8, nested less than a few hundred levels deep."


class UnsupportedMediaType(RecollectError):
    """The body is not declared to be JSON."""

    code = "unsupported_media_type"
    status = 415
    hint = "Send 'Content-Type: application/json'."


class NoSuchPath(NotFound):
    """This server has nothing at this path."""

    code = "no_such_path"
    hint = "GET /v1/openapi.json lists every path."


class MethodNotAllowed(RecollectError):
    """This path does not answer to this method."""

    code = "method_not_allowed"
    status = 405
    hint = "The Allow header lists the methods."


_OF_STATUS: dict[int, type[RecollectError]] = {400: InvalidJson, 404: NoSuchPath, 405: MethodNotAllowed}


class Problem(Response):
    """An error as a response."""

    media_type = MEDIA_TYPE

    def __init__(self, error: RecollectError, faults: Sequence[dict[str, str]] = ()) -> None:
        # What a server's own trouble says may name its parts: the client is told only which kind it is.
        shown = InternalError() if isinstance(error, Misconfigured) or type(error).code == "error" else error
        kind = type(shown)
        document: dict[str, Any] = {
            "type": f"urn:recollect:problem:{kind.code}",
            "title": HTTPStatus(kind.status).phrase,
            "status": kind.status,
            "code": kind.code,
            "detail": kind.__doc__ if kind.status >= HTTPStatus.INTERNAL_SERVER_ERROR else str(shown),
            "hint": shown.hint,
            "errors": list(faults),
        }
        self._document = document
        # Escaped: the text of an error may quote half a surrogate pair, which UTF-8 cannot hold.
        super().__init__(json.dumps(document), kind.status, _headers(shown))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer; on the wire of a pack, whose clients look for `success` and `message`, with these too."""
        if scope.get(OF_A_PACK):
            failed = {"success": False, "message": self._document["detail"], **self._document}
            self.body = json.dumps(failed).encode()
            self.headers["content-length"] = str(len(self.body))
        await super().__call__(scope, receive, send)


def _headers(error: RecollectError) -> dict[str, str]:
    if isinstance(error, Unauthenticated):
        return {"WWW-Authenticate": "Bearer"}
    if isinstance(error, Unavailable):
        return {"Retry-After": str(RETRY_SECONDS)}
    return {}


async def answer_invalid(_: Request, error: Exception) -> Response:
    """A request that does not have the shape it must have, fault by fault; its values are not repeated."""
    assert isinstance(error, RequestValidationError)
    faults = error.errors()
    if any(fault["type"] == "json_invalid" for fault in faults):
        return Problem(InvalidJson())
    if isinstance(error.body, bytes):
        return Problem(UnsupportedMediaType())
    named = [{"location": _location(fault["loc"]), "message": _message(fault)} for fault in faults]
    hint = f"See errors; first, {named[0]['location']}: {named[0]['message']}."
    return Problem(Invalid(hint=hint), named)


def _message(fault: dict[str, Any]) -> str:
    said: str = fault["msg"]
    return _WORDS.get(fault["type"], said.removeprefix("Value error, "))


def _location(path: Sequence[int | str]) -> str:
    return ".".join(str(step) for step in path if step not in _UNION_TAGS)


async def answer_http(_: Request, error: Exception) -> Response:
    """What the framework refuses: an unknown path, a wrong method, a body that cannot be read."""
    assert isinstance(error, HTTPException)
    kind = _OF_STATUS.get(error.status_code, InternalError)
    response = Problem(kind())
    response.headers.update(error.headers or {})
    return response
