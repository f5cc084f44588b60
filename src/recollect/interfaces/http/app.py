"""The HTTP door as one ASGI application."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from fastapi import APIRouter, Depends, FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException

from recollect.core.errors import Misconfigured
from recollect.core.pack import Pack
from recollect.interfaces.http import (
    facts,
    graph,
    health,
    jobs,
    language,
    memories,
    packs,
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
from recollect.interfaces.http.webhooks import make_webhooks


@dataclass(frozen=True, slots=True)
class Bounds:
    """How much a server takes on: bytes of a body, requests at once, seconds of a request."""

    body: int
    requests: int
    seconds: float


def _operation_id(route: APIRoute) -> str:
    """The operation's name; one of a pack's has the pack's before it."""
    first = route.path.split("/")[1].replace("-", "_")
    return route.name if first == "v1" else f"{first}_{route.name}"


def make_routes(version: str, installed: Mapping[str, Pack]) -> FastAPI:
    """The operations, ours and the packs', with nothing behind them yet and no layer before them."""
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
    rooms = (sessions, memories, facts, graph, recall, summaries, users, jobs, language, packs, health)
    for room in rooms:
        app.include_router(room.router)
    for pack in installed.values():
        app.include_router(make_webhooks(pack))
        if pack.routes:
            fence = Depends(packs.turned_on(pack.name))
            app.include_router(router_of(pack), prefix=pack.path, dependencies=[fence])
    serve_description(app)
    return app


def router_of(pack: Pack) -> APIRouter:
    """The router that a pack names as its routes.

    Raises:
        Misconfigured: it cannot be had, or is no router.
    """
    router = pack.code(pack.routes)
    if not isinstance(router, APIRouter):
        raise Misconfigured(
            f"{pack.package}/pack.toml, routes: {pack.routes!r} is no router.",
            hint="Name a fastapi.APIRouter.",
        )
    return router


def make_app(server: Server, bounds: Bounds) -> FastAPI:
    """The application; what stands behind it stays its caller's to open and to close."""
    installed = server.service.packs.installed
    app = make_routes(server.version, installed)
    app.state.server = server
    # The last one added is the outermost.
    app.add_middleware(Shortcut, routes=recall.router.routes)
    app.add_middleware(Body, most=bounds.body)
    app.add_middleware(
        Authentication, service=server.service, credentials=server.credentials, webhooks=server.webhooks
    )
    app.add_middleware(Limits, most=bounds.requests, seconds=bounds.seconds)
    paths = frozenset(pack.path for pack in installed.values())
    webhooks = frozenset(pack.webhook_path(one) for pack in installed.values() for one in pack.webhooks)
    app.add_middleware(Guard, packs=paths, webhooks=webhooks)
    return app
