"""The furniture retailer's chat: a server with the pack, the real embedding model, and clients of tenants."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import httpx2
import pytest
from interfaces.door import Door, make_door
from testbed import Bed, Database, make_bed

from recollect.adapters.embeddings.local import LocalEmbedder
from recollect.core.model import Role
from recollect.packs.commerce import PACK

PRIYA = "customer-priya"


@dataclass(frozen=True, slots=True)
class Chat:
    """What a shop's chat does."""

    bed: Bed
    client: httpx2.AsyncClient

    async def get(self, path: str, status: int = 200, **params: Any) -> Any:
        """The answer of a GET below the pack's path."""
        return _answer(await self.client.get(f"/commerce{path}", params=params), status)

    async def post(
        self, path: str, body: dict[str, Any] | None = None, status: int = 200, **params: Any
    ) -> Any:
        """The answer of a POST."""
        return _answer(await self.client.post(f"/commerce{path}", json=body, params=params), status)

    async def delete(self, path: str, status: int = 200) -> Any:
        """The answer of a DELETE."""
        return _answer(await self.client.delete(f"/commerce{path}"), status)

    async def say(self, session: str, *said: str, user: str = PRIYA, learn: bool = True) -> None:
        """Keep what a customer says in a conversation, and understand it."""
        messages = [{"content": text, "name": "Priya"} for text in said]
        body = {"messages": messages, "user_id": user}
        kept = await self.client.post(f"/v1/sessions/{session}/messages", json=body)
        assert kept.status_code == 201, kept.text
        if learn:
            await self.bed.learn()

    async def entity(self, name: str, type_: str, *observations: str, user: str = PRIYA, **more: Any) -> str:
        """Make an entity; its id."""
        body = {"name": name, "entity_type": type_, "observations": list(observations), **more}
        made = await self.post("/memory/entity/create", body, user_identifier=user)
        assert made["success"] is True
        return str(made["entity_id"])

    async def relate(self, one: str, kind: str, other: str, user: str = PRIYA, **more: Any) -> None:
        """Say what one is to another."""
        body = {"from_entity": one, "to_entity": other, "relation_type": kind, **more}
        made = await self.post("/memory/relation/create", body, user_identifier=user)
        assert made["success"] is True


def _answer(response: httpx2.Response, status: int) -> Any:
    assert response.status_code == status, response.text
    return response.json()


@pytest.fixture(scope="module")
async def shop_bed(module_database: Database, local_embedder: LocalEmbedder) -> AsyncIterator[Bed]:
    """The core over the module's database, with the real model and the pack."""
    async with make_bed(module_database, local_embedder, packs={PACK.name: PACK}) as bed:
        yield bed


@pytest.fixture
async def door(shop_bed: Bed) -> AsyncIterator[Door]:
    """The door, with tenants of the test's own."""
    door = make_door(shop_bed)
    yield door
    await door.close()


async def open_chat(door: Door, tenant: str = "loft", **key: Any) -> Chat:
    """A chat of a tenant that has turned the pack on; `key`: the fields of its key."""
    owner = await door.client(tenant)
    assert (await owner.put("/v1/packs/commerce")).status_code == 200
    return Chat(door.bed, await door.client(tenant, **key) if key else owner)


@pytest.fixture
async def chat(door: Door) -> Chat:
    """The chat of the tenant `loft`."""
    return await open_chat(door)


@pytest.fixture
async def own_chat(door: Door) -> Chat:
    """The chat as the credential of one customer has it."""
    return await open_chat(door, role=Role.USER, user_id=PRIYA)
