"""A tenant's conversations are read by the packs that it has turned on, and by no other's."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from testbed import Bed

from recollect.core.consolidate.attributes import Vocabulary, english, read_vocabulary
from recollect.core.consolidate.consolidation import Consolidator
from recollect.core.model import Message, Principal, Turns

pytestmark = pytest.mark.anyio

GARDEN = read_vocabulary(
    {
        "attribute": [
            {
                "name": "light",
                "kind": "preference",
                "single": False,
                "entity": "habitat",
                "tell": "like {value}",
                "free": r"(?P<light>half shade|full sun)",
            },
            {
                "name": "trouble",
                "single": False,
                "entity": "habitat",
                "free": r"the (?P<bed>herb bed|lawn) is dry",
            },
            {"name": "outcome", "single": False, "free": r"it is (?P<how>watered)", "ends": "trouble"},
        ],
        "mention": [{"kind": "plant", "pattern": r"plant #(?P<value>\d+)", "name": "plant {value}"}],
        "entity": [
            {"kind": "plant", "about": "what grows in the garden"},
            {"kind": "habitat", "about": "where it grows well"},
        ],
    }
)


def vocabulary(names: Sequence[str]) -> Vocabulary:
    return GARDEN if list(names) == ["garden"] else english()


async def heard(bed: Bed, who: Principal, session: str, said: str) -> None:
    await bed.service.remember(who, Turns(session, [Message(said)], "ann"))
    ((key,),) = bed.database.rows(
        "SELECT key FROM sessions WHERE tenant_id = %s AND session_id = %s", who.tenant_id, session
    )
    consolidator = Consolidator(bed.storage, bed.embeddings, vocabulary=vocabulary)
    await consolidator.consolidate(who.tenant_id, key)


async def graph(bed: Bed, who: Principal) -> set[tuple[str, str]]:
    rows = bed.database.rows("SELECT kind, name FROM entities WHERE tenant_id = %s", who.tenant_id)
    return {(kind, name) for kind, name in rows if kind != "person"}


async def test_a_tenant_is_read_by_the_packs_that_are_on(bed: Bed) -> None:
    loft, attic = await bed.tenant("loft"), await bed.tenant("attic")
    async with bed.storage.transaction(loft) as tx:
        assert await tx.turn_on_pack("garden")
    for who in (loft, attic):
        await heard(bed, who, "spring", "I love half shade. Plant #18 died.")
    assert await graph(bed, loft) == {("habitat", "half shade"), ("plant", "plant 18")}
    assert not {("habitat", "half shade"), ("plant", "plant 18")} & await graph(bed, attic)
    told = bed.database.rows(
        "SELECT claim ->> 'attribute' FROM memories WHERE tenant_id = %s AND claim IS NOT NULL",
        attic.tenant_id,
    )
    assert told == [("likes",)]


async def test_what_is_over_is_related_no_more_until_it_is_told_again(bed: Bed) -> None:
    loft = await bed.tenant("loft")
    async with bed.storage.transaction(loft) as tx:
        await tx.turn_on_pack("garden")

    async def troubles() -> list[bool]:
        around = bed.database.rows(
            "SELECT valid_to IS NULL FROM relations WHERE tenant_id = %s AND kind = 'trouble' ORDER BY id",
            loft.tenant_id,
        )
        return sorted(open_ for (open_,) in around)

    days = iter(range(1, 9))
    for said, are in (
        ("The lawn is dry.", [True]),
        ("It is watered.", [False]),
        ("The herb bed is dry.", [False, True]),
        ("It is not watered.", [False, True]),
        ("It is watered now.", [False, False]),
    ):
        bed.clock.advance(days=1)
        await heard(bed, loft, f"day {next(days)}", said)
        assert await troubles() == are, said


async def test_a_packs_kind_takes_the_place_of_the_houses_and_keeps_it(bed: Bed) -> None:
    loft = await bed.tenant("loft")
    await heard(bed, loft, "before", "My favourite place is half shade. I work at Half Shade.")
    assert ("organisation", "Half Shade") in await graph(bed, loft)
    async with bed.storage.transaction(loft) as tx:
        await tx.turn_on_pack("garden")
    await heard(bed, loft, "on", "I love half shade.")
    assert ("habitat", "Half Shade") in await graph(bed, loft)
    async with bed.storage.transaction(loft) as tx:
        await tx.turn_off_pack("garden")
    await heard(bed, loft, "off", "I work at Half Shade now.")
    assert ("habitat", "Half Shade") in await graph(bed, loft)
