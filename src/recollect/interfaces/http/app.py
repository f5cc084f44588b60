"""The HTTP door as one ASGI application."""

from __future__ import annotations

from dataclasses import dataclass

from fastapi import FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException

from recollect.interfaces.http import (
    facts,
    graph,
    health,
    jobs,
    language,
    memories,
    recall,
    sessions,
    summaries,
    users,
)
from recollect.interfaces.http.calls import Server
from recollect.interfaces.http.layers import Authentication, Body, Guard, Limits
from recollect.interfaces.http.openapi import serve_description
from recollect.interfaces.http.problems import answer_http, answer_invalid
from recollect.interfaces.http.shortcut import Shortcut


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much a server takes on: bytes of a body, requests at once, seconds of a request."""

    body: int
    requests: int
    seconds: float


def _operation_id(route: APIRoute) -> str:
    return route.name


def make_routes(version: str) -> FastAPI:
    """The operations, with nothing behind them yet and no layer before them."""
    app = FastAPI(
        title="Recollect",
        version=version,
        openapi_url=None,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        generate_unique_id_function=_operation_id,
        exception_handlers={RequestValidationError: answer_invalid, HTTPException: answer_http},
    )
    for room in (sessions, memories, facts, graph, recall, summaries, users, jobs, language, health):
        app.include_router(room.router)
    serve_description(app)
    return app


def make_app(server: Server, bounds: Bounds) -> FastAPI:
    """The application; what stands behind it stays its caller's to open and to close."""
    app = make_routes(server.version)
    app.state.server = server
    # The last one added is the outermost.
    app.add_middleware(Shortcut, routes=recall.router.routes)
    app.add_middleware(Body, most=bounds.body)
    app.add_middleware(Authentication, service=server.service, credentials=server.credentials)
    app.add_middleware(Limits, most=bounds.requests, seconds=bounds.seconds)
    app.add_middleware(Guard)
    return app
