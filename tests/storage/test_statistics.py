"""Counts that are true, as whoever asks may see; and what nobody needs is let go."""

from __future__ import annotations

from datetime import timedelta

import pytest
from testbed import NOON, Bed

from recollect.core.errors import Forbidden, Invalid
from recollect.core.graph import NewEntity, NewRelation
from recollect.core.model import Filter, Kind, Message, Note, Permission, Principal, Role, Turns, tenant_id_of

pytestmark = pytest.mark.anyio
LOFT = Principal(tenant_id_of("loft"), "owner")
ANN = Principal(LOFT.tenant_id, "ann", Role.USER)
MONTH = timedelta(days=30)


async def test_what_is_in_force_is_counted(bed: Bed) -> None:
    await bed.tenant("loft")
    service = bed.service
    fern, pot, urn = (NewEntity(name, "thing", "ann") for name in ("Fern", "Pot", "Urn"))
    await service.put_entities(LOFT, [fern, pot, urn, NewEntity("Garden")])
    await service.merge(LOFT, urn.id, pot.id)
    ends = fern.id, pot.id
    await service.put_relations(
        LOFT, [NewRelation(*ends, "in"), NewRelation(*ends, "near", valid_from=NOON - MONTH, valid_to=NOON)]
    )
    await service.remember(LOFT, Turns("s1", [Message("Hello.", at=NOON), Message("Again.", at=NOON)], "bob"))
    over = Note("Over.", user_id="ann", valid_from=NOON - MONTH, valid_to=NOON - timedelta(days=1))
    gone = Note("Gone.", user_id="ann", expires_at=NOON + timedelta(hours=1))
    await service.add(LOFT, [Note("Kept.", user_id="ann"), Note("Shared.", Kind.DECISION), over, gone])
    bed.clock.advance(hours=2)
    counts = await service.statistics(LOFT)
    assert counts.kinds == {Kind.MESSAGE: 2, Kind.FACT: 1, Kind.DECISION: 1}
    assert (counts.entities, counts.relations, counts.users) == (3, 1, 2)
    assert (counts.memories, counts.summaries) == (4, 0)
    hers = await service.statistics(ANN)
    assert (hers.kinds, hers.users) == ({Kind.FACT: 1, Kind.DECISION: 1}, 1)


async def test_what_hardly_anybody_recalled_goes_and_nothing_else(bed: Bed) -> None:
    await bed.tenant("loft")
    service = bed.service
    await service.remember(LOFT, Turns("s1", [Message("I live in Boston.", at=NOON)], "ann"))
    await bed.learn()
    (turn,) = await service.turns(LOFT, "s1")
    resting = Note("Rests on a turn.", user_id="ann", evidence=(turn.id,))
    ids = (
        await service.add(
            LOFT,
            [
                Note("The fern wants shade.", user_id="ann"),
                Note("The palm wants light.", user_id="bob"),
                Note("Nobody asks.", user_id="ann"),
                Note("Nobody asks for what is shared.", min_role=Role.OWNER),
                Note("Pinned.", user_id="ann", pinned=True),
                resting,
            ],
        )
    ).ids
    bed.clock.advance(days=60)
    (young,) = (await service.add(LOFT, [Note("Young.", user_id="ann")])).ids
    await service.recall(LOFT, "fern", Filter(user_id="ann"), limit=1)
    await service.recall(LOFT, "palm", Filter(user_id="bob"), limit=1)
    staff = Principal(LOFT.tenant_id, "staff", Role.STAFF)
    before = bed.database.value("SELECT count(*) FROM memories")
    dry = await service.clean_up(staff, older_than=MONTH, fewer_uses=1, dry_run=True)
    assert dry.memories == 1
    assert bed.database.value("SELECT count(*) FROM memories") == before
    assert (await service.clean_up(LOFT, older_than=MONTH, fewer_uses=1)).memories == 2
    left = {id_ for (id_,) in bed.database.rows("SELECT id FROM memories")}
    assert left.isdisjoint(ids[2:4])
    assert len(left) == before - 2
    assert (await service.clean_up(LOFT, older_than=MONTH, fewer_uses=2)).memories == 2
    left = {id_ for (id_,) in bed.database.rows("SELECT id FROM memories")}
    assert left >= {turn.id, young, *ids[4:]}
    assert bed.database.value("SELECT count(*) FROM accesses") == 0
    assert await service.clean_up(LOFT, older_than=MONTH, fewer_uses=2) == type(dry)()


async def test_what_rests_on_it_alone_goes_along(bed: Bed) -> None:
    await bed.tenant("loft")
    (note,) = (await bed.service.add(LOFT, [Note("The fern wants shade.", user_id="ann")])).ids
    fern, palm = NewEntity("Fern", user_id="ann"), NewEntity("Palm", user_id="ann")
    await bed.service.put_entities(LOFT, [fern, palm])
    (tie,) = await bed.service.put_relations(LOFT, [NewRelation(fern.id, palm.id, "beside")])
    bed.database.rows("UPDATE relations SET evidence = %s RETURNING id", [note])
    bed.clock.advance(days=60)
    assert (await bed.service.clean_up(LOFT, older_than=MONTH, fewer_uses=1)).memories == 1
    assert bed.database.rows("SELECT id FROM relations WHERE id = %s", tie.id) == []


async def test_only_staff_who_may_forget_clean_up(bed: Bed) -> None:
    await bed.tenant("loft")
    reader = Principal(LOFT.tenant_id, "x", Role.OWNER, frozenset({Permission.READ}))
    for principal in (ANN, reader):
        with pytest.raises(Forbidden):
            await bed.service.clean_up(principal, older_than=MONTH, fewer_uses=1)
    for age, uses in ((-MONTH, 1), (MONTH, -1), (timedelta.max, 1)):
        with pytest.raises(Invalid):
            await bed.service.clean_up(LOFT, older_than=age, fewer_uses=uses)
