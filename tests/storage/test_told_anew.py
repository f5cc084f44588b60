"""What has been told anew, from the rows to the answer of a recall."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest
from testbed import NOON, Bed, HashedWords

from recollect.core.consolidate.consolidation import Consolidator
from recollect.core.consolidate.resolving import resolve
from recollect.core.ids import derived_id
from recollect.core.indexing import Text, index_notes
from recollect.core.model import USER, Claim, Filter, Kind, Memory, Message, Principal, Trust, Turns
from recollect.core.ports import Aim, Probe
from recollect.core.recall.candidates import Candidates
from recollect.core.text.tokens import tokenize
from recollect.storage import memories

pytestmark = pytest.mark.anyio
HOMES = ("Covington", "Macon", "Atlanta")


async def tell(bed: Bed, who: Principal, homes: Sequence[str] = HOMES) -> list[UUID]:
    """Ann says where she lives, a day apart, each time with a fact of it; and the turns that say so."""
    turns: list[UUID] = []
    for day, home in enumerate(homes):
        message = Message(f"We live in {home} now, the home is lovely", at=NOON + timedelta(days=day))
        turns += (await bed.service.remember(who, Turns(f"s{day}", [message], "ann"))).ids
    found = [fact(turn, home, day) for day, (turn, home) in enumerate(zip(turns, homes, strict=True))]
    await settle(bed, who, found)
    bed.clock.time = NOON + timedelta(days=9)
    return turns


def fact(turn: UUID, home: str, day: int) -> Memory:
    return Memory(
        id=derived_id(turn, "fact", home),
        kind=Kind.FACT,
        content=f"Lives in {home}.",
        trust=Trust.USER,
        valid_from=NOON + timedelta(days=day),
        recorded_at=NOON + timedelta(days=day),
        user_id="ann",
        evidence=(turn,),
        source={"extractor": "rules"},
        claim=Claim(USER, "residence", home, single=True),
    )


async def settle(bed: Bed, who: Principal, found: Sequence[Memory]) -> None:
    """Write what becomes of the facts, as the consolidation does."""
    resolved = resolve((), found)
    texts = [Text(row.content, row.valid_from) for row in resolved.insert]
    model, indexed = await index_notes(texts, bed.embeddings)
    async with bed.storage.transaction(who) as tx:
        await tx.insert_memories(list(zip(resolved.insert, indexed, strict=True)), model)
        await tx.tell_anew(resolved.retold)


async def gather(bed: Bed, who: Principal, scope: Filter) -> Candidates:
    (vector,) = await HashedWords().embed(["home"])
    probe = Probe(Aim(bed.embeddings.model.id, vector), tuple(tokenize("home")), 1_000)
    async with bed.storage.transaction(who) as tx:
        return (await tx.gather(probe, scope, bed.clock.now())).candidates


def pairs(found: Candidates, column: str) -> set[tuple[UUID, UUID]]:
    return {(found.ids[one], found.ids[other]) for one, other in getattr(found, column).tolist()}


@pytest.mark.parametrize("page", [memories.PAGE, 2])
async def test_what_renews_what_is_gathered_beside_the_rows(
    bed: Bed, page: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memories, "PAGE", page)
    who = await bed.tenant("loft")
    turns = await tell(bed, who)
    found = await gather(bed, who, Filter(user_id="ann"))
    assert pairs(found, "renewals") == {(turns[0], turns[1]), (turns[1], turns[2])}
    assert pairs(found, "sayings") == {(derived_id(turns[2], "fact", "Atlanta"), turns[2])}


async def test_a_row_whose_renewal_is_not_in_scope_has_none(bed: Bed) -> None:
    who = await bed.tenant("loft")
    await tell(bed, who)
    found = await gather(bed, who, Filter(user_id="ann", session_id="s0"))
    assert len(found) == 1
    assert pairs(found, "renewals") == pairs(found, "sayings") == set()


async def test_the_newest_stands_first_and_the_older_say_that_they_were_told_anew(bed: Bed) -> None:
    who = await bed.tenant("loft")
    turns = await tell(bed, who)
    hits = await bed.service.recall(who, "Where is our home?", Filter(user_id="ann", kinds=(Kind.MESSAGE,)))
    assert [hit.memory.id for hit in hits] == turns[::-1]
    assert ["told anew since" in hit.why for hit in hits] == [False, True, True]


async def test_of_the_facts_the_one_that_holds_comes_and_says_since_when(bed: Bed) -> None:
    who = await bed.tenant("loft")
    await tell(bed, who)
    scope = Filter(user_id="ann", kinds=(Kind.FACT,))
    (now,) = await bed.service.recall(who, "Where is our home?", scope)
    assert now.memory.content == "Lives in Atlanta."
    assert "so since 4 March 2026" in now.why
    (then,) = await bed.service.recall(who, "Where?", replace(scope, as_of=NOON + timedelta(hours=1)))
    assert then.memory.content == "Lives in Covington."
    assert "so since 2 March 2026 until 3 March 2026" in then.why


async def test_from_what_was_said_to_what_is_recalled(meaningful_bed: Bed) -> None:
    bed = meaningful_bed
    who = await bed.tenant("loft")
    said = ["I live in Covington. Do you know a good plumber?", "We moved to Atlanta! The flat is tiny."]
    turns: list[UUID] = []
    for day, text in enumerate(said):
        message = Message(text, at=NOON + timedelta(days=day))
        turns += (await bed.service.remember(who, Turns(f"s{day}", [message], "ann"))).ids
    consolidator = Consolidator(bed.storage, bed.embeddings)
    for (key,) in bed.database.rows("SELECT key FROM sessions ORDER BY session_id"):
        await consolidator.consolidate(who.tenant_id, key)
    bed.clock.time = NOON + timedelta(days=9)
    kinds = (Kind.MESSAGE, Kind.FACT)
    now = await bed.service.recall(who, "Where do I live?", Filter(user_id="ann", kinds=kinds))
    assert now[0].memory.content == "Lives in Atlanta."
    (stale,) = (hit for hit in now if hit.memory.id == turns[0])
    assert "told anew since" in stale.why
    assert not any(hit.memory.content == "Lives in Covington." for hit in now)
    then = Filter(user_id="ann", kinds=(Kind.FACT,), as_of=NOON + timedelta(hours=1))
    (before,) = await bed.service.recall(who, "Where do I live?", then)
    assert before.memory.content == "Lives in Covington."


@pytest.mark.parametrize(
    ("question", "scope"),
    [
        ("Where was our home before?", Filter(user_id="ann")),
        ("Where is our home?", Filter(user_id="ann", as_of=NOON + timedelta(days=8))),
        ("Where is our home?", Filter(user_id="ann", known_at=NOON + timedelta(days=8))),
    ],
)
async def test_who_asks_what_was_gets_no_lift(bed: Bed, question: str, scope: Filter) -> None:
    who = await bed.tenant("loft")
    await tell(bed, who)
    hits = await bed.service.recall(who, question, scope)
    assert not any("renewal" in hit.parts for hit in hits)
