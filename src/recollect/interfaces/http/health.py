"""Whether the server lives, whether it is ready, and what it is."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import Response

from recollect.core.readiness import OK
from recollect.interfaces.http import answers
from recollect.interfaces.http.calls import Asked, Server
from recollect.interfaces.http.problems import NotReady, Problem

router = APIRouter(prefix="/v1", tags=["server"])


@router.get("/health/live", response_model=answers.Live, openapi_extra={"security": []})
async def live() -> Response:
    """The process answers. The one path that asks for no credential."""
    return answers.Live().send()


@router.get("/health/ready", response_model=answers.Ready)
async def ready(asked: Asked, request: Request) -> Response:
    """Whether everything that the server stands on answers: the database, and the embedding model."""
    server: Server = request.app.state.server
    checks = await server.readiness.check(asked.principal)
    away = [{"location": part, "message": state} for part, state in checks.items() if state != OK]
    return Problem(NotReady(), away) if away else answers.Ready(checks=checks).send()


@router.get("/version", response_model=answers.Version)
async def version(_: Asked, request: Request) -> Response:
    """What runs here."""
    server: Server = request.app.state.server
    model = server.embeddings.model
    return answers.Version(version=server.version, model=model.name, dimensions=model.dimensions).send()
