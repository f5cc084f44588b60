"""The short way of requests that are as they must be; the framework answers all others.

Matching routes, solving dependencies and closing what they might have opened is most of what a small request
costs in the framework. A POST of one JSON body needs none of it: its path is looked up, its body is checked
against the same shape, and its operation is called.
"""

from __future__ import annotations

import inspect
import json
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from fastapi.routing import APIRoute
from pydantic import BaseModel
from starlette.responses import Response
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Receive, Scope, Send

from recollect.interfaces.http.calls import KEY, Call
from recollect.interfaces.http.layers import replaying, sent

Operation: TypeAlias = Callable[[Call, Any], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class _Way:
    """An operation, and the shape of what it is sent."""

    shape: type[BaseModel]
    operation: Operation


class Shortcut:
    """Calls the operation of a route itself, if the request is fit for it.

    Each of the `routes` is a POST at a fixed path, and its operation takes who asks and the body, no more.
    """

    def __init__(self, app: ASGIApp, routes: Sequence[BaseRoute]) -> None:
        self._app = app
        self._ways = {route.path: _way(route) for route in routes if isinstance(route, APIRoute)}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        way = self._ways.get(scope["path"]) if scope["type"] == "http" else None
        if way is None or scope["method"] != "POST" or sent(scope, b"content-type") != ["application/json"]:
            await self._app(scope, receive, send)
            return
        message = await receive()
        try:
            # Parsed and checked in the framework's own two steps, so that both ways take the same bodies.
            body = way.shape.model_validate(json.loads(message["body"]))
        except (ValueError, RecursionError):
            await self._app(scope, replaying(message, receive), send)
            return
        response = await way.operation(scope[KEY], body)
        await response(scope, receive, send)


def _way(route: APIRoute) -> _Way:
    _, body = inspect.signature(route.endpoint, eval_str=True).parameters.values()
    return _Way(body.annotation, route.endpoint)
