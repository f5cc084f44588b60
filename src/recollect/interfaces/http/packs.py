"""The packs of this server, and which of them the tenant has turned on."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from dataclasses import asdict
from typing import Annotated, Literal, TypeAlias

from fastapi import APIRouter, Path, Request
from pydantic import Field
from starlette.responses import Response

from recollect.core.access import require
from recollect.core.model import Permission
from recollect.interfaces.http import answers
from recollect.interfaces.http.calls import Asked, Call, Server
from recollect.interfaces.http.requests import Id, shown

router = APIRouter(prefix="/v1/packs", tags=["packs"])

PackName: TypeAlias = Annotated[Id, Path(description="The pack's name.")]
_COMMERCE = {
    "name": "commerce",
    "about": "The memory of a furniture retailer's chat.",
    "on": True,
    "path": "/commerce",
}
_ORDERS = {
    "path": "/commerce/webhooks/orders?tenant=loft",
    "header": "X-Signature-256",
    "prefix": "sha256=",
    "encoding": "hex",
    "signed": "{body}",
    "timestamp_header": "",
    "tolerance": 300,
}


class Pack(answers.Answer):
    """A domain that this server knows."""

    model_config = shown(_COMMERCE)

    name: str = Field(description="Its name.")
    about: str = Field(description="What it is for.")
    on: bool = Field(description="Whether the tenant has turned it on.")
    path: str = Field(description="Where its own routes are.")


class PackList(answers.Answer):
    """The domains that this server knows."""

    model_config = shown({"packs": [_COMMERCE]})

    packs: list[Pack] = Field(description="By name.")


class Webhook(answers.Answer):
    """What another system may call, and how it signs what it sends."""

    model_config = shown(_ORDERS)

    path: str = Field(description="Where it posts to, on this server.")
    header: str = Field(description="The header of the signature, an HMAC-SHA256 with the secret.")
    prefix: str = Field(description="What stands before the signature there.")
    encoding: Literal["hex", "base64"] = Field(description="How it is written.")
    signed: str = Field(description="What is signed: {body} is the body as it is sent.")
    timestamp_header: str = Field(description="The header of {timestamp}, seconds since 1970; empty: none.")
    tolerance: int = Field(description="How many seconds {timestamp} may be off.")


class WebhookList(answers.Answer):
    """What the senders to a pack are given."""

    model_config = shown({"secret": "whs_…", "webhooks": [_ORDERS]})

    secret: str = Field(description="The key of the signatures, as text. It is the tenant's, of this pack.")
    webhooks: list[Webhook] = Field(description="As the pack lists them.")


def turned_on(name: str) -> Callable[[Call], Awaitable[None]]:
    """What a pack's routes ask first: whether the tenant has turned the pack on."""

    async def fence(asked: Asked) -> None:
        await asked.service.packs.require_on(asked.principal, name)

    return fence


@router.get("/{pack}/webhooks", response_model=WebhookList)
async def list_webhooks(asked: Asked, request: Request, pack: PackName) -> Response:
    """What a pack's senders are given: where to send, what to sign, and the secret for it. For the owner."""
    server: Server = request.app.state.server
    found = asked.service.packs.find(pack)
    senders = await server.webhooks.senders(asked.principal, found)
    told = zip(senders.paths, found.webhooks, strict=True)
    listed = [Webhook(path=path, **asdict(one.signature)) for path, one in told]
    return WebhookList(secret=senders.secret, webhooks=listed).send()


@router.get("", response_model=PackList)
async def list_packs(asked: Asked) -> Response:
    """The packs of this server, and which of them the tenant has turned on."""
    require(asked.principal, Permission.READ)
    return (await _listed(asked)).send()


@router.put("/{pack}", response_model=PackList)
async def turn_on_pack(asked: Asked, pack: PackName) -> Response:
    """Turn a pack on: what is said from now on is read by its rules, and its routes answer. For the owner."""
    require(asked.principal, Permission.WRITE)
    await asked.service.packs.turn_on(asked.principal, pack)
    return (await _listed(asked)).send()


@router.delete("/{pack}", response_model=PackList)
async def turn_off_pack(asked: Asked, pack: PackName) -> Response:
    """Turn a pack off; what was remembered with it stays. For the owner."""
    require(asked.principal, Permission.WRITE)
    await asked.service.packs.turn_off(asked.principal, pack)
    return (await _listed(asked)).send()


async def _listed(asked: Call) -> PackList:
    on = frozenset(await asked.service.packs.turned_on(asked.principal))
    return PackList(packs=list(_all(asked, on)))


def _all(asked: Call, on: frozenset[str]) -> Iterator[Pack]:
    for name, pack in sorted(asked.service.packs.installed.items()):
        yield Pack(name=name, about=pack.about, on=name in on, path=pack.path)
