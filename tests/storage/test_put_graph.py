"""Entities and relations that are put together, once or again; and found by name, by kind and by a floor."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest
from testbed import NOON, Bed

from recollect.core.consolidate.linking import person_id
from recollect.core.errors import Forbidden, Invalid, NotFound, TooLarge, Unowned
from recollect.core.graph import MOST_NAMED, Listing, NewEntity, NewRelation
from recollect.core.model import Message, Note, Principal, Role, Turns, tenant_id_of
from recollect.core.writing import LARGEST_BATCH

pytestmark = pytest.mark.anyio
LOFT = Principal(tenant_id_of("loft"), "owner")
ANN = Principal(LOFT.tenant_id, "ann", Role.USER)
FERN = NewEntity("Fern", "plant", description="A fern for shady rooms.", attributes={"price": 9, "size": "S"})
PALM = NewEntity("Palm", "plant", aliases=("Kentia",))
BED = NewEntity("Bed 12", "bed", "ann")


@pytest.fixture
async def loft(bed: Bed) -> Bed:
    await bed.tenant("loft")
    return bed


async def test_what_is_put_is_there_and_put_again_is_added_to(loft: Bed) -> None:
    first = await loft.service.put_entities(LOFT, [FERN, BED, PALM])
    assert [one.id for one in first] == [FERN.id, BED.id, PALM.id]
    assert await loft.service.entities(LOFT, limit=10) == sorted(first, key=lambda one: one.id)
    again = replace(FERN, name="FERN", aliases=("Boston",), attributes={"likes": ["shade"]}, description="")
    more = replace(
        FERN, name="fern!", attributes={"size": "L", "likes": ["rain"]}, description="A large one."
    )
    (fern, _) = await loft.service.put_entities(LOFT, [again, more])
    assert fern == (await loft.service.entity(LOFT, FERN.id)).entity
    assert (fern.name, fern.aliases) == ("Fern", ("Boston", "fern!"))
    assert fern.attributes == {"price": 9, "size": "L", "likes": ["shade", "rain"]}
    assert fern.description == "A fern for shady rooms.\nA large one."
    assert await loft.service.put_entities(LOFT, []) == []


async def test_two_who_put_at_once_wait_for_each_other(loft: Bed) -> None:
    some = [NewEntity(f"Pot {place}", user_id=f"u{place}", attributes={f"{place}": 1}) for place in range(4)]
    await asyncio.gather(*(loft.service.put_entities(LOFT, each) for each in (some, some[::-1], some)))
    assert len(await loft.service.entities(LOFT)) == 4


async def test_forty_who_add_to_one_at_once_lose_nothing(loft: Bed) -> None:
    some = [replace(FERN, attributes={f"{place}": place, "seen": [f"{place}"]}) for place in range(40)]
    await asyncio.gather(*(loft.service.put_entities(LOFT, [each]) for each in some))
    fern = (await loft.service.entity(LOFT, FERN.id)).entity
    assert {key: fern.attributes[key] for key in fern.attributes if key != "seen"} == {
        f"{place}": place for place in range(40)
    }
    assert sorted(fern.attributes["seen"], key=int) == [f"{place}" for place in range(40)]


async def test_the_vector_is_of_the_name_with_the_description(loft: Bed) -> None:
    await loft.service.put_entities(LOFT, [FERN])
    await loft.service.put_entities(LOFT, [replace(FERN, description="")])
    (found,) = await loft.service.search_entities(LOFT, "Fern: A fern for shady rooms.")
    assert round(found.similarity, 2) == 1
    await loft.service.change_entity(LOFT, FERN.id, {"description": "Green."})
    (found,) = await loft.service.search_entities(LOFT, "Fern: Green.")
    assert (round(found.similarity, 2), found.entity.description) == (1, "Green.")


async def test_all_is_put_or_nothing_and_by_whom_it_may_be(loft: Bed) -> None:
    service = loft.service
    with pytest.raises(Unowned):
        await service.put_entities(LOFT, [FERN, NewEntity("Me", person=True)])
    with pytest.raises(Invalid):
        await service.put_entities(LOFT, [FERN, NewEntity("Oak", description="x" * 2_001)])
    with pytest.raises(Forbidden):
        await service.put_entities(ANN, [NewEntity("Oak", user_id="bob")])
    with pytest.raises(TooLarge):
        await service.put_entities(LOFT, [FERN] * (LARGEST_BATCH + 1))
    assert await service.entities(LOFT) == []
    (hers,) = await service.put_entities(ANN, [NewEntity("Oak", "plant")])
    assert (hers.id, hers.user_id) == (NewEntity("Oak", "plant", "ann").id, "ann")


async def test_the_person_remembered_is_put_before_and_after_they_speak(loft: Bed) -> None:
    said = "I live in Boston. My name is Ann."
    for user_id, first in (("ann", True), ("bob", False)):
        themself = NewEntity("Ann Lee", user_id=user_id, attributes={"tier": 2}, person=True)
        if first:
            await loft.service.put_entities(LOFT, [themself])
        await loft.service.remember(LOFT, Turns(f"s-{user_id}", [Message(said, at=NOON)], user_id))
        await loft.learn()
        (put,) = await loft.service.put_entities(LOFT, [themself])
        assert (put.id, put.kind, put.name) == (person_id(user_id), "person", "Ann Lee")
        around = await loft.service.neighbours(LOFT, put.id)
        assert ("Boston", "residence") in {
            (near.entity.name, tie.kind) for near in around.near for tie in around.relations
        }
        assert around.entity.attributes == {"tier": 2}


async def test_a_relation_that_holds_is_not_said_twice(loft: Bed) -> None:
    await loft.service.put_entities(LOFT, [FERN, BED, PALM])
    grows = NewRelation(BED.id, FERN.id, "grows", attributes={"row": 1}, valid_from=NOON)
    (made, other) = await loft.service.put_relations(LOFT, [grows, replace(grows, target_id=PALM.id)])
    assert made.user_id == "ann"
    later = replace(grows, valid_from=None, strength=3, attributes={"side": "left"})
    (again,) = await loft.service.put_relations(LOFT, [later])
    assert (again.id, again.valid_from, again.strength) == (made.id, NOON, 3)
    assert again.attributes == {"row": 1, "side": "left"}
    ended = replace(grows, valid_to=NOON + timedelta(days=1))
    loft.clock.advance(days=2)
    # What is over stays as it was; said to be so again, it begins anew; told once more, its time finds it.
    one, two, three = await loft.service.put_relations(LOFT, [ended, replace(grows, valid_from=None), ended])
    assert one == three != two
    assert (one.id, one.valid_to, two.valid_to) == (made.id, NOON + timedelta(days=1), None)
    around = await loft.service.neighbours(LOFT, BED.id)
    assert {tie.id for tie in around.relations} == {two.id, other.id}
    assert loft.database.value("SELECT count(*) FROM relations") == 3


async def test_what_was_said_for_a_higher_role_is_not_shown_to_a_lower_one(loft: Bed) -> None:
    await loft.service.put_entities(LOFT, [FERN, BED])
    secret = NewRelation(BED.id, FERN.id, "grows", attributes={"margin": 40}, min_role=Role.MANAGER)
    (made,) = await loft.service.put_relations(LOFT, [secret])
    (again,) = await loft.service.put_relations(LOFT, [replace(secret, attributes={}, min_role=Role.USER)])
    assert (again.id, again.min_role, again.attributes) == (made.id, Role.MANAGER, {"margin": 40})
    assert (await loft.service.neighbours(ANN, BED.id)).relations == ()
    (raised,) = await loft.service.put_relations(LOFT, [replace(secret, min_role=Role.OWNER)])
    assert (raised.id, raised.min_role) == (made.id, Role.OWNER)


async def test_attributes_that_are_merged_are_bounded(loft: Bed) -> None:
    await loft.service.put_entities(LOFT, [FERN, BED])
    parts = [NewRelation(BED.id, FERN.id, "grows", attributes={key: "x" * 40_000}) for key in "ab"]
    await loft.service.put_relations(LOFT, parts[:1])
    with pytest.raises(TooLarge):
        await loft.service.put_relations(LOFT, parts[1:])


async def test_a_relation_is_put_by_whom_it_may_be(loft: Bed) -> None:
    await loft.service.put_entities(LOFT, [FERN, BED, PALM, NewEntity("Pot", "thing", "bob")])
    good = NewRelation(BED.id, FERN.id, "grows")
    for wrong, error in (
        (replace(good, target_id=BED.id), Invalid),
        (replace(good, target_id=NewEntity("Pot", "thing", "bob").id), NotFound),
        (replace(good, source_id=PALM.id), Forbidden),
        (replace(good, valid_to=NOON), Invalid),
    ):
        with pytest.raises(error):
            await loft.service.put_relations(ANN, [good, wrong])
    assert loft.database.value("SELECT count(*) FROM relations") == 0
    assert len(await loft.service.put_relations(ANN, [good])) == 1


async def test_found_by_name_of_ones_own_and_of_the_tenants(loft: Bed) -> None:
    mine = NewEntity("Café Kentia", "place", "ann", aliases=("my local",))
    await loft.service.put_entities(LOFT, [PALM, mine, replace(PALM, user_id="bob")])

    async def found(*names: str, user_id: str | None = "ann", **scope: bool) -> list[str]:
        entities = await loft.service.find_entities(LOFT, names, user_id=user_id, **scope)
        return [f"{one.user_id}: {one.name}" for one in entities]

    assert await found("KENTIA", "The local", "zzz") == ["ann: Café Kentia", "None: Palm"]
    assert await found("palm", include_shared=False) == []
    assert await found("palm", user_id=None) == ["None: Palm"]
    with pytest.raises(Invalid):
        await found(*["x"] * (MOST_NAMED + 1))


async def test_a_search_by_kind_with_a_floor_and_with_what_is_shared(loft: Bed) -> None:
    await loft.service.put_entities(LOFT, [FERN, PALM, BED, NewEntity("Fern lover", "taste", "ann")])

    async def found(text: str, **wanted: object) -> list[str]:
        hits = await loft.service.search_entities(LOFT, text, user_id="ann", **wanted)  # type: ignore[arg-type]
        return [hit.entity.name for hit in hits]

    assert await found("fern") == ["Fern lover"]
    assert set(await found("fern", include_shared=True)) == {"Fern lover", "Fern"}
    assert await found("fern", include_shared=True, kinds=["plant"]) == ["Fern"]
    # Named or not, with a floor the cosine alone decides.
    assert await found("Is there a Fern in bed 12 or elsewhere?", min_similarity=0.9) == []
    assert await found("bed 12", include_shared=True, min_similarity=0.99) == ["Bed 12"]
    everything = await found("bed 12", include_shared=True, min_similarity=-1)
    assert len(everything) == len(await loft.service.entities(LOFT, Listing())) == 4
    with pytest.raises(Invalid):
        await found("bed", min_similarity=2)


async def test_what_a_person_made_goes_with_them(loft: Bed) -> None:
    await loft.service.put_entities(LOFT, [FERN, BED, NewEntity("Ann", user_id="ann", person=True)])
    await loft.service.put_relations(LOFT, [NewRelation(BED.id, FERN.id, "grows")])
    await loft.service.add(LOFT, [Note("Likes shade.", user_id="ann")])
    await loft.service.forget_user(LOFT, "ann")
    assert [one.name for one in await loft.service.entities(LOFT)] == ["Fern"]
    assert loft.database.value("SELECT count(*) FROM relations") == 0
