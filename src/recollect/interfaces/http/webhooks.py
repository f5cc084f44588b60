"""Webhooks of packs: what other systems send. No credential comes with them, but a signature."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Annotated, Literal, TypeAlias

from fastapi import APIRouter, Query, Request
from pydantic import Field
from pydantic_core import from_json
from starlette.responses import Response

from recollect.core.model import JsonObject
from recollect.core.pack import Pack, Webhook
from recollect.core.signatures import Sealed
from recollect.interfaces.http import answers
from recollect.interfaces.http.calls import Call, Server
from recollect.interfaces.http.problems import InvalidJson
from recollect.interfaces.http.requests import shown

Receiver: TypeAlias = Callable[[Call, JsonObject], Awaitable[None]]
TenantName: TypeAlias = Annotated[str, Query(description="The tenant's name.")]


class Received(answers.Answer):
    """It came, and was understood."""

    model_config = shown({"received": True})

    received: Literal[True] = Field(description="Always so.")


def make_webhooks(pack: Pack) -> APIRouter:
    """The routes of a pack's webhooks.

    Raises:
        Misconfigured: a receiver cannot be had.
    """
    router = APIRouter(tags=[pack.name])
    for webhook in pack.webhooks:
        router.add_api_route(
            pack.webhook_path(webhook),
            _endpoint(pack, webhook),
            methods=["POST"],
            name=f"receive_{webhook.path.replace('-', '_').replace('/', '_')}",
            description=f"What another system sends, signed in its header {webhook.signature.header}: "
            f"GET /v1/packs/{pack.name}/webhooks shows the tenant's owner with which secret, and how.",
            response_model=Received,
            openapi_extra={"security": []},
        )
    return router


def _endpoint(pack: Pack, webhook: Webhook) -> Callable[..., Awaitable[Response]]:
    receiver: Receiver = pack.code(webhook.receive)

    async def receive(request: Request, tenant: TenantName = "") -> Response:
        server: Server = request.app.state.server
        sealed = await _sealed(request, webhook)
        principal = await server.webhooks.authenticate(tenant, pack, webhook, sealed)
        await receiver(Call(server.service, principal), _parse(sealed.body))
        return Received(received=True).send()

    return receive


async def _sealed(request: Request, webhook: Webhook) -> Sealed:
    """A request as it came."""
    signature, headers = webhook.signature, request.headers
    timestamps = headers.getlist(signature.timestamp_header) if signature.timestamp_header else ()
    return Sealed(await request.body(), headers.getlist(signature.header), timestamps)


def _parse(body: bytes) -> JsonObject:
    """The object that a body is.

    Raises:
        InvalidJson: it is none.
    """
    try:
        event = from_json(body, allow_inf_nan=False)
    except ValueError as error:
        raise InvalidJson from error
    if not isinstance(event, dict):
        raise InvalidJson("The body is not a JSON object.")
    return event
