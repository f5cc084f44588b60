"""What is recalled is counted, and written down later, whatever was forgotten meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from testbed import Bed

from recollect.core.errors import StorageUnavailable
from recollect.core.model import Filter, Note, Principal, Role, tenant_id_of
from recollect.core.uses import Uses

pytestmark = pytest.mark.anyio
LOFT = Principal(tenant_id_of("loft"), "owner")
ATTIC = Principal(tenant_id_of("attic"), "owner")


def counted(bed: Bed) -> dict[UUID, int]:
    return dict(bed.database.rows("SELECT memory_id, count FROM accesses"))


async def notes(bed: Bed, *contents: str) -> list[UUID]:
    await bed.tenant("loft")
    return list((await bed.service.add(LOFT, [Note(one, user_id="ann") for one in contents])).ids)


async def test_what_recall_and_context_return_is_counted(bed: Bed) -> None:
    fern, palm = await notes(bed, "The fern wants shade.", "The palm wants light.")
    scope = Filter(user_id="ann")
    for _ in range(2):
        await bed.service.recall(LOFT, "fern shade", scope, limit=1)
    await bed.service.context(LOFT, "fern", scope)
    assert counted(bed) == {}
    await bed.service.uses.flush()
    assert counted(bed) == {fern: 3, palm: 1}
    await bed.service.recall(LOFT, "fern", scope, limit=1)
    bed.clock.advance(hours=1)
    await bed.service.uses.flush()
    await bed.service.uses.flush()
    rows = bed.database.rows("SELECT count, last_at, user_id FROM accesses WHERE memory_id = %s", fern)
    assert rows == [(4, bed.clock.time, "ann")]


async def test_what_was_forgotten_meanwhile_is_left_out(bed: Bed) -> None:
    fern, palm = await notes(bed, "The fern wants shade.", "The palm wants light.")
    await bed.service.recall(LOFT, "fern palm", Filter(user_id="ann"))
    await bed.service.forget_memory(LOFT, fern)
    await bed.service.uses.flush()
    assert counted(bed) == {palm: 1}
    await bed.service.forget_memory(LOFT, palm)
    assert counted(bed) == {}


async def test_what_is_being_forgotten_is_not_waited_for(bed: Bed) -> None:
    fern, palm = await notes(bed, "The fern wants shade.", "The palm wants light.")
    await bed.service.recall(LOFT, "fern palm", Filter(user_id="ann"))
    async with bed.storage.transaction(LOFT) as tx:
        await tx.delete_memories([fern])
        await bed.service.uses.flush()
    assert counted(bed) == {palm: 1}


async def test_what_cannot_be_written_is_kept(bed: Bed, monkeypatch: pytest.MonkeyPatch) -> None:
    (fern,) = await notes(bed, "The fern wants shade.")
    found = await bed.service.memories(LOFT, Filter(user_id="ann"))
    uses = Uses(bed.storage, bed.clock)
    uses.note(LOFT, found)

    @asynccontextmanager
    async def away(_: Principal) -> AsyncIterator[Any]:
        raise StorageUnavailable
        yield

    with monkeypatch.context() as broken:
        broken.setattr(bed.storage, "transaction", away)
        await uses.flush()
    uses.note(LOFT, found)
    await uses.flush()
    assert counted(bed) == {fern: 2}


async def test_no_more_is_noted_than_can_be_held(bed: Bed, monkeypatch: pytest.MonkeyPatch) -> None:
    await notes(bed, "The fern wants shade.", "The palm wants light.")
    found = await bed.service.memories(LOFT, Filter(user_id="ann"))
    monkeypatch.setattr("recollect.core.uses.MOST_NOTED", 1)
    uses = Uses(bed.storage, bed.clock)
    uses.note(LOFT, found)
    uses.note(LOFT, found)
    await uses.flush()
    assert counted(bed) == {found[0].id: 2}
    uses.note(LOFT, found[1:])
    await uses.flush()
    assert len(counted(bed)) == 2


async def test_one_tenants_flood_leaves_room_for_another(bed: Bed, monkeypatch: pytest.MonkeyPatch) -> None:
    await notes(bed, "The fern wants shade.", "The palm wants light.")
    await bed.tenant("attic")
    await bed.service.add(ATTIC, [Note("The attic is dry.", user_id="ann")])
    scope = Filter(user_id="ann")
    flood, few = [await bed.service.memories(who, scope) for who in (LOFT, ATTIC)]
    monkeypatch.setattr("recollect.core.uses.MOST_OF_ONE", 1)
    uses = Uses(bed.storage, bed.clock)
    uses.note(LOFT, flood)
    uses.note(ATTIC, few)
    await uses.flush()
    assert counted(bed) == {flood[0].id: 1, few[0].id: 1}


async def test_who_cleans_up_writes_down_their_own_uses_alone(bed: Bed) -> None:
    (fern,) = await notes(bed, "The fern wants shade.")
    await bed.tenant("attic")
    (dry,) = (await bed.service.add(ATTIC, [Note("The attic is dry.", user_id="ann")])).ids
    for who in (LOFT, ATTIC):
        await bed.service.recall(who, "fern attic", Filter(user_id="ann"))
    await bed.service.clean_up(LOFT, older_than=timedelta(days=1), fewer_uses=1, dry_run=True)
    assert counted(bed) == {fern: 1}
    await bed.service.uses.flush()
    assert counted(bed) == {fern: 1, dry: 1}


async def test_what_fills_up_is_written_down_at_once(bed: Bed, monkeypatch: pytest.MonkeyPatch) -> None:
    await notes(bed, "The fern wants shade.", "The palm wants light.")
    found = await bed.service.memories(LOFT, Filter(user_id="ann"))
    monkeypatch.setattr("recollect.core.uses.MOST_OF_ONE", 4)
    uses = Uses(bed.storage, bed.clock)
    following = asyncio.create_task(uses.follow(3_600))
    uses.note(LOFT, found)
    async with asyncio.timeout(60):
        while not counted(bed):  # noqa: ASYNC110 - a database has no event to wait for
            await asyncio.sleep(0.01)
    following.cancel()
    assert counted(bed) == {one.id: 1 for one in found}


async def test_a_person_sees_the_uses_of_their_own_memories_alone(bed: Bed) -> None:
    await notes(bed, "The fern wants shade.")
    await bed.service.add(LOFT, [Note("Shared.")])
    await bed.service.recall(LOFT, "fern shared", Filter(all_users=True))
    await bed.service.uses.flush()
    for person, seen in (("ann", 1), ("bob", 0)):
        bob = Principal(LOFT.tenant_id, person, Role.USER)
        async with bed.storage.transaction(bob) as tx:
            cursor = await tx._connection.execute("SELECT count(*) AS n FROM accesses")
            assert await cursor.fetchone() == {"n": seen}
