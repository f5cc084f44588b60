"""An application over a bed, and clients with keys of their own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any
from uuid import uuid4

import httpx2
import uvicorn
from fastapi import FastAPI
from testbed import Bed

from recollect.core.credentials import Credentials
from recollect.core.errors import AlreadyExists
from recollect.core.language import Language
from recollect.core.model import Permission, Role
from recollect.core.ports import Tokens
from recollect.core.readiness import Readiness
from recollect.core.webhooks import Webhooks
from recollect.interfaces.http.app import Bounds, make_app
from recollect.interfaces.http.calls import Server

BOUNDS = Bounds(body=200_000, requests=50, seconds=20)
HOST = "http://127.0.0.1"


@dataclass(slots=True)
class Door:
    """The application, and the clients that were made for it."""

    bed: Bed
    app: FastAPI
    clients: list[httpx2.AsyncClient] = field(default_factory=list)
    mark: str = field(default_factory=lambda: uuid4().hex)

    def tenant(self, name: str) -> str:
        """The name of this door's own tenant of that name."""
        return f"{name}-{self.mark}"

    async def key(self, tenant: str, **fields: Any) -> str:
        """A new key of a tenant, which is made if it is new; `fields`: those of `Tenants.create_key`."""
        with suppress(AlreadyExists):
            await self.bed.tenants.create(self.tenant(tenant))
        _, text = await self.bed.tenants.create_key(self.tenant(tenant), "test", **fields)
        return text

    def bearer(self, credential: str | None) -> httpx2.AsyncClient:
        """A client with this credential."""
        headers = {"Authorization": f"Bearer {credential}"} if credential is not None else {}
        transport = httpx2.ASGITransport(app=self.app)
        client = httpx2.AsyncClient(transport=transport, base_url=HOST, headers=headers)
        self.clients.append(client)
        return client

    async def client(self, tenant: str, **fields: Any) -> httpx2.AsyncClient:
        """A client with a new key of a tenant."""
        return self.bearer(await self.key(tenant, **fields))

    async def person(self, tenant: str, user_id: str, **fields: Any) -> httpx2.AsyncClient:
        """A client who is one person."""
        return await self.client(tenant, role=Role.USER, user_id=user_id, **fields)

    async def reader(self, tenant: str) -> httpx2.AsyncClient:
        """A client who may only read."""
        return await self.client(tenant, permissions=frozenset({Permission.READ}))

    async def close(self) -> None:
        """Close every client."""
        for client in self.clients:
            await client.aclose()


def make_door(
    bed: Bed,
    bounds: Bounds = BOUNDS,
    tokens: Tokens | None = None,
    webhook_secret: str | None = None,
    language: Language | None = None,
) -> Door:
    """The door over a bed."""
    server = Server(
        bed.service,
        Credentials(bed.tenants, bed.storage, tokens),
        Readiness(bed.storage, bed.embeddings),
        bed.embeddings,
        language or Language(bed.storage, bed.clock, monthly=Decimal(10)),
        "0",
        Webhooks(bed.storage, bed.clock, webhook_secret),
    )
    return Door(bed, make_app(server, bounds))


@asynccontextmanager
async def listening(app: FastAPI) -> AsyncIterator[int]:
    """The port of a loopback socket at which uvicorn serves the application."""
    config = uvicorn.Config(app, host="127.0.0.1", port=0, log_level="critical", lifespan="off")
    server = uvicorn.Server(config)
    task = asyncio.create_task(server.serve())
    while not server.started:  # noqa: ASYNC110 - uvicorn has no event to wait for
        await asyncio.sleep(0.01)
    try:
        yield server.servers[0].sockets[0].getsockname()[1]
    finally:
        server.should_exit = True
        await task


def code(response: httpx2.Response) -> str:
    """The code of a problem, which must have a problem's form and headers."""
    assert response.headers["content-type"] == "application/problem+json"
    assert response.headers["x-request-id"]
    problem = response.json()
    assert set(problem) == {"type", "title", "status", "code", "detail", "hint", "errors"}
    assert problem["status"] == response.status_code
    assert problem["type"] == f"urn:recollect:problem:{problem['code']}"
    assert problem["detail"]
    assert (response.status_code == 401) == ("www-authenticate" in response.headers)
    assert (response.status_code == 503) == ("retry-after" in response.headers)
    text: str = problem["code"]
    return text
