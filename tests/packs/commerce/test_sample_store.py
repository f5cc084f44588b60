"""The sample store in a database: all of it is there, once, however often it is loaded."""

from __future__ import annotations

from datetime import date

import pytest
from interfaces.door import Door

from packs.commerce.conftest import Chat
from recollect.core.sampling import Loaded, load_sample
from recollect.packs.commerce.sample import store

pytestmark = pytest.mark.anyio


async def test_the_store_is_loaded_whole_and_once(chat: Chat, door: Door) -> None:
    sample = store(customers=6, today=date(2026, 3, 1))
    principal = chat.bed.tenants.principal(door.tenant("loft"))
    turns = sum(len(one.messages) for one in sample.conversations)
    counts = (len(sample.people), len(sample.people) + len(sample.entities), len(sample.relations))
    told: list[str] = []
    loaded = await load_sample(
        chat.bed.service, principal, sample, lambda what, done, of: told.append(f"{what} {done} of {of}")
    )
    assert loaded == Loaded(*counts, len(sample.conversations), turns)
    assert f"people 0 of {len(sample.people)}" in told
    again = await load_sample(chat.bed.service, principal, sample)
    assert again == Loaded(*counts, len(sample.conversations), 0)
    stats = (await chat.get("/memory/status"))["stats"]
    holding = [one for one in sample.relations if one.valid_to is None]
    assert stats["total_entities"] == counts[1]
    assert stats["total_relations"] == len(holding)
    assert stats["total_memories"] == len(sample.notes)
    assert stats["unique_users"] == len(sample.people)
