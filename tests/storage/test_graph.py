"""The graph in a real database: put, read, merged, fenced, and forgotten with what it rests on."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import permutations
from typing import Any
from uuid import UUID, uuid4

import pytest
from testbed import NOON, Bed, Database

from recollect.core.consolidate.consolidation import Consolidator
from recollect.core.consolidate.extraction import Conversation, Extraction, Mention
from recollect.core.consolidate.linking import Graph, entity_id, link, person_id
from recollect.core.errors import AlreadyExists, Conflict, Forbidden, Invalid, NotFound
from recollect.core.facts import Edit
from recollect.core.graph import NEAR, Listing, NewEntity, NewRelation, Reach
from recollect.core.handles import TenantMemory
from recollect.core.ids import derived_id
from recollect.core.indexing import Text, index_notes
from recollect.core.model import (
    USER,
    Claim,
    Filter,
    Kind,
    Memory,
    Message,
    Principal,
    Role,
    Trust,
    Turns,
    tenant_id_of,
)

pytestmark = pytest.mark.anyio
LOFT = Principal(tenant_id_of("loft"), "owner")
ANN, BOB = (Principal(LOFT.tenant_id, name, Role.USER) for name in ("ann", "bob"))
Said = tuple[Memory, Sequence[Mention], Sequence[Memory]]


@dataclass(frozen=True, slots=True)
class Told:
    """A person's turns, what is found in each, and the graph that is put of it."""

    bed: Bed
    user_id: str = "ann"

    async def turn(self, content: str, rank: Role = Role.USER) -> Memory:
        turns = Turns(
            f"s-{self.user_id}", [Message(content, at=self.bed.clock.advance(hours=1))], self.user_id
        )
        (id_,) = (await self.bed.service.remember(LOFT, turns)).ids
        return await self.bed.service.correct(LOFT, id_, {"min_role": rank})

    async def fact(self, turn: Memory, *claim: Any, **fields: Any) -> Memory:
        """A fact that a turn tells, kept as a memory."""
        made = Memory(
            derived_id(turn.id, *map(str, claim)),
            Kind.FACT,
            f"{claim}",
            Trust.USER,
            turn.valid_from,
            turn.recorded_at,
            user_id=self.user_id,
            min_role=turn.min_role,
            evidence=(turn.id,),
            source={"extractor": "test"},
            claim=Claim(*claim),
        )
        made = replace(made, **fields)
        model, (indexed,) = await index_notes([Text(made.content, made.valid_from)], self.bed.embeddings)
        async with self.bed.storage.transaction(LOFT) as tx:
            await tx.insert_memories([(made, indexed)], model)
        return made

    async def put(
        self, turns: Sequence[Memory], mentions: Sequence[Mention] = (), facts: Sequence[Memory] = ()
    ) -> Graph:
        conversation = Conversation(turns, user_id=self.user_id)
        graph = link(Extraction(mentions=tuple(mentions)), facts, conversation)
        model, vectors = await self.bed.embeddings.embed(graph.names)
        async with self.bed.storage.transaction(LOFT) as tx:
            await tx.lock_person(self.user_id)
            await tx.put_graph(graph, vectors, model)
        return graph

    def id(self, name: str, rank: Role = Role.USER) -> UUID:
        return entity_id(self.user_id, name, rank)

    async def family(self) -> None:
        """Ann's sister Maria lives in Boston, works at Acme with Tom, and Ann in Atlanta."""
        first = await self.turn("My sister Maria lives in Boston.")
        second = await self.turn("She works at Acme, as Tom does.")
        third = await self.turn("I live in Atlanta. My sister likes Boston.")
        mentions = [
            Mention("Maria", "person", first.id, ("my sister",)),
            Mention("Boston", "place", first.id),
            Mention("Acme", "organisation", second.id),
            Mention("Tom", "person", second.id),
            Mention("Boston", "place", third.id),
        ]
        facts = [
            await self.fact(first, USER, "sister", "Maria"),
            await self.fact(first, "Maria", "residence", "Boston"),
            await self.fact(second, "Maria", "employer", "Acme"),
            await self.fact(second, "Tom", "employer", "Acme"),
            await self.fact(third, USER, "residence", "Atlanta"),
            await self.fact(third, "sister", "likes", "Boston"),
        ]
        await self.put([first, second, third], mentions, facts)


@pytest.fixture
async def told(bed: Bed) -> Told:
    await bed.tenant("loft")
    return Told(bed)


def rows(database: Database) -> list[Any]:
    """Every row of the graph, as text."""
    tables = ("entities", "relations", "mentions")
    return [database.rows(f"SELECT t::text FROM {table} AS t ORDER BY 1") for table in tables]


async def names(told: Told, principal: Principal = LOFT, **which: Any) -> set[str]:
    found = await told.bed.service.entities(principal, Listing(**which), limit=200)
    return {one.name for one in found}


async def test_what_was_read_is_there(told: Told) -> None:
    await told.family()
    assert await names(told) == {"ann", "Maria", "Boston", "Acme", "Tom", "Atlanta"}
    assert await names(told, kinds=["place"]) == {"Boston", "Atlanta"}
    assert await names(told, prefix="a") == {"ann", "Acme", "Atlanta"}
    assert await names(told, prefix="my s") == {"Maria"}
    assert await names(told, prefix="%") == set()
    family = await told.bed.service.entity(LOFT, told.id("Maria"))
    assert (family.entity.kind, family.entity.aliases) == ("person", ("my sister", "sister"))
    assert [one.name for one in family.merged] == ["sister"]
    merged = await told.bed.service.entity(LOFT, told.id("sister"))
    assert (merged.entity.name, merged.entity.merged_into) == ("sister", told.id("Maria"))


async def test_putting_it_again_in_any_order_gives_the_same_rows(told: Told) -> None:
    turns = [await told.turn(text) for text in ("maria came", "My sister Maria called", "Maria Lopez it is")]
    said = [
        (turns[0], [Mention("maria", "thing", turns[0].id)]),
        (turns[1], [Mention("Maria", "person", turns[1].id, ("my sister",))]),
        (turns[2], [Mention("Maria Lopez", "person", turns[2].id), Mention("sister", "person", turns[2].id)]),
    ]
    facts = {turns[1].id: [await told.fact(turns[1], USER, "sister", "Maria")]}
    seen = []
    for order in permutations(said):
        told.bed.database.rows("DELETE FROM entities RETURNING id")
        for turn, mentions in (*order, order[0]):
            await told.put([turn], mentions, facts.get(turn.id, ()))
        seen.append(rows(told.bed.database))
        assert (await told.bed.service.entity(LOFT, told.id("Maria"))).entity.name == "maria"
    assert len(seen) == 6
    assert all(one == seen[0] for one in seen)
    everything = [mention for _, mentions in said for mention in mentions]
    await told.put(turns, everything, facts[turns[1].id])
    assert rows(told.bed.database) == seen[0]
    full = await told.bed.service.entity(LOFT, told.id("Maria Lopez"))
    assert {one.name for one in full.merged} == {"maria", "sister"}


async def test_neighbours_by_depth_kind_and_time(told: Told) -> None:
    await told.family()
    service, me = told.bed.service, person_id("ann")
    around = await service.neighbours(LOFT, me)
    assert {(one.entity.name, one.distance) for one in around.near} == {("Maria", 1), ("Atlanta", 1)}
    assert {one.kind for one in around.relations} == {"sister", "residence"}
    far = await service.neighbours(LOFT, me, Reach(hops=3))
    assert {one.entity.name: one.distance for one in far.near} == {
        "Maria": 1, "Atlanta": 1, "Boston": 2, "Acme": 2, "Tom": 3,
    }  # fmt: skip
    # What was said of "my sister" is Maria's.
    of_maria = await service.neighbours(LOFT, told.id("sister"), Reach(kinds=["likes"]))
    assert of_maria.entity.id == told.id("Maria")
    assert [one.entity.name for one in of_maria.near] == ["Boston"]
    assert (await service.neighbours(LOFT, me, Reach(as_of=NOON))).near == ()
    assert len((await service.neighbours(LOFT, me, Reach(hops=3), limit=2)).near) == 2
    with pytest.raises(Invalid):
        await service.neighbours(LOFT, me, Reach(hops=4))
    with pytest.raises(NotFound):
        await service.neighbours(LOFT, uuid4())


async def test_a_relation_ends_with_its_fact(told: Told) -> None:
    turn = await told.turn("I live in Covington.")
    fact = await told.fact(turn, USER, "residence", "Covington")
    await told.put([turn], (), [fact])
    later = await told.turn("I moved to Atlanta.")
    end = later.valid_from
    closed = replace(fact, valid_to=end, superseded_at=end)
    await told.put([later], (), [closed, await told.fact(later, USER, "residence", "Atlanta")])
    service, me = told.bed.service, person_id("ann")

    async def homes(reach: Reach) -> list[str]:
        return [one.entity.name for one in (await service.neighbours(LOFT, me, reach)).near]

    assert await homes(Reach()) == ["Atlanta"]
    assert await homes(Reach(as_of=end - timedelta(minutes=1))) == ["Covington"]
    assert await homes(Reach(known_at=end - timedelta(minutes=1))) == ["Covington"]
    what = [(one.what, one.relation and one.relation.target_id) for one in await service.timeline(LOFT, me)]
    assert what == [
        ("ended", told.id("Covington")),
        ("began", told.id("Atlanta")),
        ("began", told.id("Covington")),
    ]


async def test_relations_follow_what_becomes_of_their_facts(told: Told) -> None:
    turn = await told.turn("I live in Covington.")
    fact = await told.fact(turn, USER, "residence", "Covington")
    await told.put([turn], (), [fact])
    async with told.bed.storage.transaction(LOFT) as tx:
        await tx.settle_facts([replace(fact, superseded_at=NOON + timedelta(days=9), confidence=0.25)])
    service, me = told.bed.service, person_id("ann")
    assert (await service.neighbours(LOFT, me)).relations == ()
    (relation,) = (await service.neighbours(LOFT, me, Reach(known_at=NOON + timedelta(days=8)))).relations
    assert relation.confidence == 0.25
    assert [one.what for one in await service.timeline(LOFT, told.id("Covington"))] == ["mentioned"]


async def test_paths_are_found_the_shortest_first(told: Told) -> None:
    await told.family()
    service = told.bed.service
    (path,) = await service.paths(LOFT, person_id("ann"), told.id("Tom"))
    assert [one.name for one in path.entities] == ["ann", "Maria", "Acme", "Tom"]
    assert [one.kind for one in path.relations] == ["sister", "employer", "employer"]
    assert await service.paths(LOFT, person_id("ann"), told.id("Tom"), Reach(hops=2)) == []
    turn = await told.turn("Tom is my friend, and he lives in Atlanta.")
    facts = [
        await told.fact(turn, USER, "friend", "Tom"),
        await told.fact(turn, "Tom", "residence", "Atlanta"),
    ]
    await told.put([turn], (), facts)
    found = await service.paths(LOFT, person_id("ann"), told.id("Tom"))
    assert [[one.name for one in path.entities] for path in found] == [
        ["ann", "Tom"],
        ["ann", "Atlanta", "Tom"],
        ["ann", "Maria", "Acme", "Tom"],
    ]
    assert len(await service.paths(LOFT, person_id("ann"), told.id("Tom"), limit=1)) == 1


async def test_a_timeline_is_read_page_by_page(told: Told) -> None:
    await told.family()
    service = told.bed.service
    everything = await service.timeline(LOFT, told.id("Maria"))
    assert [(one.what, one.memory.content if one.memory else None) for one in everything[:2]] == [
        ("mentioned", "I live in Atlanta. My sister likes Boston."),
        ("began", None),
    ]
    assert [one.at for one in everything] == sorted((one.at for one in everything), reverse=True)
    pages, before = [], None
    while page := await service.timeline(LOFT, told.id("Maria"), before=before, limit=2):
        pages += page
        before = (page[-1].at, page[-1].what, page[-1].id)
    assert pages == everything


async def test_a_search_finds_names_first_and_then_what_is_near(told: Told) -> None:
    await told.family()
    service = told.bed.service
    found = await service.search_entities(LOFT, "Where does my sister live?", user_id="ann")
    assert (found[0].entity.name, found[0].named) == ("Maria", True)
    assert not any(one.named or one.similarity < NEAR for one in found[1:])
    assert await service.search_entities(LOFT, "photosynthesis", user_id="ann") == []
    (best, *_) = await service.search_entities(LOFT, "acme", limit=1)
    assert (best.entity.name, round(best.similarity, 3)) == ("Acme", 1.0)
    assert await service.search_entities(LOFT, "acme", user_id="bob") == []
    with pytest.raises(Invalid):
        await service.search_entities(LOFT, " ")


async def test_a_person_makes_an_entity_and_what_was_read_is_merged_into_it(told: Told) -> None:
    await told.family()
    service = told.bed.service
    made = await service.add_entity(LOFT, NewEntity("Acme", "organisation", "ann", ("the firm",)))
    assert await names(told, prefix="acme") == {"Acme"}
    family = await service.entity(LOFT, made.id)
    assert [one.id for one in family.merged] == [told.id("Acme")]
    assert family.entity.by_hand
    assert {one.entity.name for one in (await service.neighbours(LOFT, made.id)).near} == {"Maria", "Tom"}
    with pytest.raises(AlreadyExists):
        await service.add_entity(LOFT, NewEntity("ACME", "organisation", "ann"))
    await service.add_entity(LOFT, NewEntity("Acme", "brand of anvils", "ann"))
    changed = await service.change_entity(LOFT, made.id, {"name": "Acme Corp", "attributes": {"size": 3}})
    assert (changed.name, changed.kind, changed.attributes) == ("Acme Corp", "organisation", {"size": 3})


async def test_what_a_person_put_right_is_not_read_otherwise(told: Told) -> None:
    await told.family()
    service = told.bed.service
    await service.change_entity(LOFT, told.id("Boston"), {"name": "Boston, Lincolnshire", "kind": "town"})
    before = rows(told.bed.database)
    turn = await told.turn("Boston again.")
    await told.put([turn], [Mention("BOSTON", "person", turn.id)])
    entity = (await service.entity(LOFT, told.id("Boston"))).entity
    assert (entity.name, entity.kind) == ("Boston, Lincolnshire", "town")
    assert rows(told.bed.database)[0] == before[0]


async def test_merged_by_people_and_told_apart_again(told: Told) -> None:
    await told.family()
    service, tom, maria = told.bed.service, told.id("Tom"), told.id("Maria")
    before = rows(told.bed.database)
    merged = await service.merge(LOFT, tom, maria)
    assert {one.name for one in merged.merged} == {"sister", "Tom"}
    assert await service.timeline(LOFT, tom) == await service.timeline(LOFT, maria)
    turn = await told.turn("Tom again.")
    await told.put([turn], [Mention("Tom", "person", turn.id)])
    assert (await service.entity(LOFT, tom)).entity.merged_into == maria
    with pytest.raises(Conflict):
        await service.merge(LOFT, maria, told.id("Tom"))
    with pytest.raises(Invalid):
        await service.merge(LOFT, maria, maria)
    apart = await service.unmerge(LOFT, tom)
    assert (apart.entity.name, apart.entity.merged_into, apart.merged) == ("Tom", None, ())
    await service.forget_memory(LOFT, turn.id)
    told.bed.database.rows("UPDATE entities SET settled = false WHERE name = 'Tom' RETURNING id")
    assert rows(told.bed.database) == before


async def test_what_people_told_apart_is_not_merged_again(told: Told) -> None:
    await told.family()
    service = told.bed.service
    await service.unmerge(LOFT, told.id("sister"))
    turn = await told.turn("My sister Maria again.")
    await told.put([turn], [Mention("Maria", "person", turn.id, ("my sister",))])
    assert (await service.entity(LOFT, told.id("sister"))).entity.merged_into is None


async def test_merging_with_another_persons_is_refused_and_with_what_is_shared_is_not(told: Told) -> None:
    await told.family()
    await Told(told.bed, "bob").family()
    service = told.bed.service
    with pytest.raises(Invalid):
        await service.merge(LOFT, told.id("Acme"), entity_id("bob", "Acme"))
    acme = await service.add_entity(LOFT, NewEntity("Acme Inc", "organisation"))
    for user_id in ("ann", "bob"):
        await service.merge(LOFT, entity_id(user_id, "Acme"), acme.id)
    around = await service.neighbours(LOFT, acme.id)
    assert sorted(one.entity.name for one in around.near) == ["Maria", "Maria", "Tom", "Tom"]
    # Bob sees of the shared one what is his.
    assert len((await service.neighbours(BOB, acme.id)).near) == 2
    paths = await service.paths(LOFT, entity_id("ann", "Tom"), entity_id("bob", "Tom"))
    assert [one.name for one in paths[0].entities] == ["Tom", "Acme Inc", "Tom"]


async def test_relations_that_people_make(told: Told) -> None:
    await told.family()
    service = told.bed.service
    knows = NewRelation(told.id("Tom"), told.id("Maria"), "knows", valid_from=NOON, strength=3)
    made = await service.add_relation(LOFT, knows)
    found = await service.neighbours(LOFT, told.id("Tom"), Reach(kinds=["knows"]))
    assert [one.id for one in found.relations] == [made.id]
    turn = await told.turn("…")
    await told.put([turn])
    assert await service.forget_relation(LOFT, made.id) == 1
    with pytest.raises(NotFound):
        await service.forget_relation(LOFT, made.id)
    ((said,),) = told.bed.database.rows("SELECT id FROM relations WHERE kind = 'sister'")
    with pytest.raises(Conflict):
        await service.forget_relation(LOFT, said)
    for wrong in (
        replace(knows, target_id=knows.source_id),
        replace(knows, valid_to=NOON),
        replace(knows, strength=-1),
        replace(knows, kind=""),
    ):
        with pytest.raises(Invalid):
            await service.add_relation(LOFT, wrong)
    with pytest.raises(NotFound):
        await service.add_relation(LOFT, replace(knows, target_id=uuid4()))


async def test_a_forgotten_turn_takes_along_what_rests_on_it_alone(told: Told) -> None:
    await told.family()
    service = told.bed.service
    first, _, third = await service.turns(LOFT, "s-ann")
    both = await told.fact(third, USER, "pet", "Luna", evidence=(first.id, third.id))
    await told.put([first, third], (), [both])
    await service.forget_memory(LOFT, first.id)
    database = told.bed.database
    assert database.value("SELECT count(*) FROM mentions WHERE memory_id = %s", first.id) == 0
    assert database.value("SELECT count(*) FROM relations WHERE %s = ANY (evidence)", first.id) == 0
    assert await names(told) >= {"Tom", "Acme", "Boston", "Atlanta"}
    # Maria works at Acme, as the second turn says; that she is somebody's sister was in the first.
    family = await service.entity(LOFT, told.id("Maria"))
    assert (family.entity.aliases, family.merged) == ((), ())
    await service.forget_session(LOFT, "s-ann")
    assert rows(database) == [[], [], []]


async def test_what_a_person_made_outlives_what_was_said(told: Told) -> None:
    await told.family()
    service = told.bed.service
    made = await service.add_entity(LOFT, NewEntity("Acme", "organisation", "ann"))
    await service.forget_session(LOFT, "s-ann")
    assert await names(told) == {"Acme"}
    assert (await service.entity(LOFT, made.id)).merged == ()


async def test_a_forgotten_person_leaves_nothing(told: Told) -> None:
    await told.family()
    await Told(told.bed, "bob").family()
    service = told.bed.service
    shared = await service.add_entity(LOFT, NewEntity("Acme Inc", "organisation"))
    await service.add_relation(LOFT, NewRelation(told.id("Acme"), shared.id, "part of"))
    others = told.bed.database.value("SELECT count(*) FROM entities WHERE user_id IS DISTINCT FROM 'ann'")
    memories = told.bed.database.value("SELECT count(*) FROM memories WHERE user_id = 'ann'")
    gone = await service.forget_user(LOFT, "ann")
    assert (gone.memories, gone.users) == (memories, 1)
    for table in ("entities", "relations", "mentions"):
        assert told.bed.database.value(f"SELECT count(*) FROM {table} WHERE user_id = 'ann'") == 0
    assert told.bed.database.value("SELECT count(*) FROM entities") == others


async def test_a_person_sees_and_changes_what_is_theirs(told: Told) -> None:
    await told.family()
    await Told(told.bed, "bob").family()
    service = told.bed.service
    shared = await service.add_entity(LOFT, NewEntity("Showroom", "place"))
    before = rows(told.bed.database)
    assert "Showroom" in await names(told, ANN)
    assert len(await names(told, ANN)) == len(await names(told, ANN, user_id="ann")) + 1
    assert {one.entity.user_id for one in await service.search_entities(ANN, "Maria, Showroom")} == {
        "ann",
        None,
    }
    theirs = entity_id("bob", "Maria")
    for refused in (
        service.entity(ANN, theirs),
        service.neighbours(ANN, theirs),
        service.timeline(ANN, theirs),
        service.paths(ANN, told.id("Maria"), theirs),
        service.change_entity(ANN, theirs, {"name": "Mine"}),
        service.forget_entity(ANN, theirs),
        service.merge(ANN, told.id("Maria"), theirs),
        service.merge(ANN, theirs, told.id("Maria")),
        service.unmerge(ANN, theirs),
        service.add_relation(ANN, NewRelation(told.id("Maria"), theirs, "knows")),
    ):
        with pytest.raises(NotFound):
            await refused
    for forbidden in (
        service.entities(ANN, Listing(user_id="bob")),
        service.search_entities(ANN, "Maria", user_id="bob"),
        service.add_entity(ANN, NewEntity("X", user_id="bob")),
        service.add_entity(ANN, NewEntity("X", min_role=Role.STAFF)),
        service.change_entity(ANN, shared.id, {"name": "Mine"}),
        service.forget_entity(ANN, shared.id),
        service.unmerge(ANN, shared.id),
    ):
        with pytest.raises(Forbidden):
            await forbidden
    assert rows(told.bed.database) == before
    assert (await service.add_entity(ANN, NewEntity("Mine"))).user_id == "ann"
    await service.merge(ANN, told.id("Tom"), told.id("Maria"))
    await service.forget_entity(ANN, told.id("Maria"))
    assert {"Maria", "Tom", "sister"}.isdisjoint(await names(told, ANN))


async def test_what_staff_alone_may_read_stays_with_them(told: Told) -> None:
    turn = await told.turn("I live in Atlanta with Maria.")
    await told.put(
        [turn], [Mention("Maria", "person", turn.id)], [await told.fact(turn, USER, "residence", "Atlanta")]
    )
    before = await told.bed.service.entities(ANN)
    hidden = await told.turn("Ann's sister Maria works at Acme.", Role.STAFF)
    facts = [
        await told.fact(hidden, USER, "sister", "Maria"),
        await told.fact(hidden, "Maria", "employer", "Acme"),
    ]
    await told.put([hidden], [Mention("Maria", "person", hidden.id, ("the debtor",))], facts)
    service = told.bed.service
    assert await service.entities(ANN) == before
    seen = await service.entity(ANN, told.id("Maria"))
    assert (seen.entity.aliases, seen.merged) == ((), ())
    assert (await service.neighbours(ANN, person_id("ann"), Reach(hops=3))).relations[0].kind == "residence"
    assert len(await service.timeline(ANN, told.id("Maria"))) == 1
    whole = await service.entity(LOFT, told.id("Maria"))
    assert whole.entity.aliases == ("my sister", "the debtor")
    around = await service.neighbours(LOFT, person_id("ann"), Reach(hops=2))
    assert {one.entity.name for one in around.near} == {"Atlanta", "Maria", "Acme"}
    with pytest.raises(NotFound):
        await service.entity(ANN, told.id("Acme", Role.STAFF))


async def test_another_tenants_graph_is_not_there(told: Told) -> None:
    await told.family()
    attic = await told.bed.tenant("attic")
    service, maria = told.bed.service, told.id("Maria")
    before = rows(told.bed.database)
    assert await service.entities(attic) == []
    assert await service.search_entities(attic, "Maria") == []
    for refused in (
        service.entity(attic, maria),
        service.neighbours(attic, maria),
        service.paths(attic, maria, told.id("Tom")),
        service.timeline(attic, maria),
        service.merge(attic, maria, told.id("Tom")),
        service.forget_entity(attic, maria),
        service.add_relation(attic, NewRelation(maria, told.id("Tom"), "knows")),
    ):
        with pytest.raises(NotFound):
            await refused
    assert rows(told.bed.database) == before


async def test_what_was_forgotten_meanwhile_is_not_spoken_of(told: Told) -> None:
    turn = await told.turn("Maria called.")
    await told.bed.service.forget_memory(LOFT, turn.id)
    await told.put([turn], [Mention("Maria", "person", turn.id)])
    assert rows(told.bed.database) == [[], [], []]


async def test_two_who_put_at_once_leave_the_same_rows(told: Told) -> None:
    turns = [await told.turn(f"Maria and friend {number}") for number in range(6)]
    mentions = [
        [Mention("Maria", "person", turn.id, ("my sister",)), Mention("sister", "person", turn.id)]
        for turn in turns
    ]
    await asyncio.gather(*(told.put([turn], said) for turn, said in zip(turns, mentions, strict=True)))
    together = rows(told.bed.database)
    told.bed.database.rows("DELETE FROM entities RETURNING id")
    for turn, said in zip(turns, mentions, strict=True):
        await told.put([turn], said)
    assert rows(told.bed.database) == together


async def test_times_at_the_ends_of_the_calendar_are_read(told: Told) -> None:
    await told.family()
    reach = Reach(as_of=datetime(1000, 1, 1, tzinfo=UTC), known_at=datetime(9998, 1, 1, tzinfo=UTC))
    assert (await told.bed.service.neighbours(LOFT, person_id("ann"), reach)).near == ()


async def understand(bed: Bed) -> None:
    """Understand every session that is behind."""
    consolidator = Consolidator(bed.storage, bed.embeddings)
    behind = bed.database.rows("SELECT tenant_id, key FROM sessions WHERE consolidated_seq < last_seq")
    for tenant_id, session in behind:
        await consolidator.consolidate(tenant_id, session)


def day(number: int) -> datetime:
    return NOON + timedelta(days=number)


async def test_around_a_person_every_kind_has_its_share_and_the_newest_are_first(told: Told) -> None:
    service, me = told.bed.service, person_id("ann")
    themself = NewEntity("Ann", "person", "ann", person=True)
    orders = [NewEntity(f"order {number}", "order", "ann") for number in range(60)]
    issues = [NewEntity(f"issue {number}", "issue", "ann") for number in range(3)]
    lamp, taste = NewEntity("lamp", "product", shared=True), NewEntity("oak", "preference", "ann")
    await service.put_entities(LOFT, [themself, *orders, *issues, lamp, taste])
    ties = [NewRelation(me, one.id, "placed", valid_from=day(at)) for at, one in enumerate(orders)]
    ties += [NewRelation(me, one.id, "raised", valid_from=day(at)) for at, one in enumerate(issues[:2])]
    ties.append(NewRelation(orders[5].id, lamp.id, "contains", valid_from=day(5)))
    ties.append(NewRelation(me, taste.id, "prefers", valid_from=day(-9), valid_to=day(-8)))
    for portion in (ties[:40], ties[40:]):
        await service.put_relations(LOFT, portion)
    around = await service.around_person(LOFT, "ann", first=["issue", "order"], each=6, limit=9)
    assert around
    near = [one.entity.name for one in around.near]
    assert [name for name in near if "order" in name] == [f"order {number}" for number in range(59, 53, -1)]
    assert sorted(name for name in near if "issue" in name) == ["issue 0", "issue 1", "issue 2"]
    assert near[1] == "order 59"  # the best of each kind first
    whole = await service.around_person(LOFT, "ann", each=70, limit=100)
    assert whole
    distances = {one.entity.name: one.distance for one in whole.near}
    assert (len(distances), distances["lamp"], distances["order 5"]) == (64, 2, 1)
    strongest = await service.neighbours(LOFT, me, limit=2)
    assert [one.entity.name for one in strongest.near] == ["order 59", "order 58"]


async def test_who_was_never_spoken_of_has_what_is_theirs(told: Told) -> None:
    assert await told.bed.service.around_person(LOFT, "ann") is None
    await told.bed.service.put_entities(LOFT, [NewEntity("order 7", "order", "ann")])
    around = await told.bed.service.around_person(LOFT, "ann")
    assert around
    assert (around.entity.id, around.entity.name) == (person_id("ann"), "ann")
    assert [one.entity.name for one in around.near] == ["order 7"]


async def test_from_what_was_said_to_the_graph_and_back(told: Told) -> None:
    first = await told.turn("My sister Maria lives in Boston.")
    await told.turn("My sister works at Acme.")
    await told.turn("I live in Atlanta.")
    await understand(told.bed)
    service, me = told.bed.service, person_id("ann")
    around = await service.neighbours(LOFT, me, Reach(hops=2))
    assert {one.entity.name for one in around.near} == {"Maria", "Boston", "Acme", "Atlanta"}
    assert {one.kind for one in around.relations} == {"sister", "residence", "employer"}
    (sister,) = await service.search_entities(LOFT, "my sister", limit=1)
    assert (sister.entity.name, sister.named) == ("Maria", True)
    before = rows(told.bed.database)
    told.bed.database.rows("UPDATE sessions SET consolidated_seq = 0 RETURNING key")
    await understand(told.bed)
    assert rows(told.bed.database) == before
    await told.turn("I moved to Denver.")
    await understand(told.bed)
    homes = await service.neighbours(LOFT, me, Reach(kinds=["residence"]))
    assert [one.entity.name for one in homes.near] == ["Denver"]
    (gone,) = [one for one in await service.timeline(LOFT, told.id("Atlanta")) if one.what == "ended"]
    assert gone.relation
    assert gone.relation.target_id == told.id("Atlanta")
    (fact,) = [one for one in homes.relations if one.target_id == told.id("Denver")]
    await service.reject_fact(LOFT, fact.id)
    now = await service.neighbours(LOFT, me, Reach(kinds=["residence"]))
    assert [one.entity.name for one in now.near] == ["Atlanta"]
    await service.edit_fact(LOFT, now.relations[0].id, Edit("Covington"))
    now = await service.neighbours(LOFT, me, Reach(kinds=["residence"]))
    assert [one.entity.name for one in now.near] == ["Covington"]
    await service.forget_memory(LOFT, first.id)
    await understand(told.bed)
    assert {"Maria", "Boston"}.isdisjoint(await names(told))
    assert {"sister", "Acme"} <= await names(told)


async def best(told: Told, query: str, principal: Principal = LOFT) -> str:
    (hit, *_) = await told.bed.service.recall(principal, query, Filter(user_id=told.user_id), limit=1)
    return hit.memory.content


async def test_whom_a_question_names_is_found_by_their_other_names(told: Told) -> None:
    for thing in ("table", "lamp", "sofa", "chair"):
        await told.turn(f"Grandfather bought a {thing} on Monday.")
    bought = await told.turn("Maria Lopez bought one on Monday.")
    asked = "What did my sister get?"
    assert await best(told, asked) != bought.content
    named = await told.turn("Her name is known.")
    await told.put([named], [Mention("Maria Lopez", "person", named.id, ("my sister",))])
    for _ in range(2):
        assert await best(told, asked) == await best(told, asked, ANN) == bought.content
    await told.bed.service.forget_memory(LOFT, named.id)
    assert await best(told, asked) != bought.content


async def test_a_name_that_staff_alone_may_read_helps_nobody(told: Told) -> None:
    await told.family()
    hidden = await told.turn("…", Role.STAFF)
    await told.put([hidden], [Mention("Tom", "person", hidden.id, ("the debtor",))])
    for principal in (LOFT, ANN):
        async with told.bed.storage.transaction(principal) as tx:
            assert (await tx.names("ann")).alike == (("Maria", "my sister", "sister"),)


async def test_a_person_as_a_library_holds_them(told: Told) -> None:
    await told.family()
    ann = TenantMemory(told.bed.service, told.bed.storage, "loft").user("ann")
    assert [one.name for one in await ann.entities(prefix="mar")] == ["Maria"]
    maria = await ann.entity("my sister")
    assert maria
    assert (await ann.entity("nobody at all")) is None
    assert {one.entity.name for one in (await ann.neighbours()).near} == {"Maria", "Atlanta"}
    around = await ann.neighbours(maria.id, kinds=("employer",))
    assert around == await ann.neighbours("my sister", kinds=("employer",))
    with pytest.raises(NotFound):
        await ann.neighbours("Zoe")
    assert [one.entity.name for one in around.near] == ["Acme"]
