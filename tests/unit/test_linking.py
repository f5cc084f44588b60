"""What was read becomes a graph, whatever the order in which it was read."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import count
from uuid import UUID

import pytest
from hypothesis import given, strategies as st

from recollect.core.consolidate.extraction import Conversation, Extraction, Mention
from recollect.core.consolidate.linking import (
    Graph,
    entity_id,
    families,
    key,
    link,
    person_id,
    settle,
    strength,
)
from recollect.core.model import USER, Claim, Entity, Kind, Memory, Modality, Role, Trust

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
ANN = "ann"
_numbers = count(1)


def turn(content: str, *, rank: Role = Role.USER, user_id: str | None = ANN) -> Memory:
    number = next(_numbers)
    at = NOON + timedelta(minutes=number)
    return Memory(
        UUID(int=number),
        Kind.MESSAGE,
        content,
        Trust.USER,
        at,
        at,
        user_id=user_id,
        seq=number,
        min_role=rank,
    )


def fact(claim: Claim, *turns: Memory, **fields: object) -> Memory:
    made = {
        "id": UUID(int=next(_numbers)),
        "kind": Kind.FACT,
        "content": f"{claim.attribute}: {claim.value}.",
        "trust": Trust.USER,
        "valid_from": turns[0].valid_from,
        "recorded_at": max(one.recorded_at for one in turns),
        "user_id": turns[0].user_id,
        "evidence": tuple(one.id for one in turns),
        "claim": claim,
        "min_role": max(one.min_role for one in turns),
    }
    return Memory(**{**made, **fields})  # type: ignore[arg-type]


def linked(
    turns: Sequence[Memory], *mentions: Mention, facts: Sequence[Memory] = (), user_id: str | None = ANN
) -> Graph:
    return link(Extraction(mentions=mentions), facts, Conversation(turns, user_id=user_id, names=("Ann",)))


def person(name: str, *aliases: str, rank: Role = Role.USER, **fields: object) -> Entity:
    made = {"kind": "person", "user_id": ANN, "aliases": aliases, "min_role": rank}
    made |= {"id": entity_id(ANN, name, rank), "name": name, "recorded_at": NOON}
    return Entity(**{**made, **fields})  # type: ignore[arg-type]


def names(graph: Graph) -> dict[UUID, str]:
    return {one.id: one.name for one in graph.entities}


def test_a_mention_is_an_entity_and_where_it_was_spoken_of() -> None:
    said = turn("My sister Maria came.")
    graph = linked([said], Mention("Maria", "person", said.id, ("my sister",)))
    (entity,) = graph.entities
    assert (entity.id, entity.name, entity.kind) == (entity_id(ANN, "maria"), "Maria", "person")
    (sighting,) = graph.sightings
    assert (sighting.entity_id, sighting.memory_id, sighting.at) == (entity.id, said.id, said.valid_from)
    assert sighting.names == ("Maria", "my sister")


def test_a_fact_whose_value_is_a_name_is_a_relation_with_the_facts_id() -> None:
    said = turn("I live in Atlanta.")
    lives = fact(Claim(USER, "residence", "Atlanta", single=True), said, confidence=0.8)
    graph = linked([said], facts=[lives])
    (relation,) = graph.relations
    assert (relation.id, relation.kind, relation.confidence) == (lives.id, "residence", 0.8)
    assert (relation.source_id, relation.target_id) == (person_id(ANN), entity_id(ANN, "Atlanta"))
    assert relation.evidence == (said.id,)
    assert relation.strength == strength(1) == 1
    assert names(graph) == {person_id(ANN): "Ann", entity_id(ANN, "atlanta"): "Atlanta"}


def test_a_closed_fact_is_a_relation_that_ended() -> None:
    said = turn("I lived in Covington until March.")
    end = said.valid_from + timedelta(days=1)
    lived = fact(Claim(USER, "residence", "Covington"), said, valid_to=end, superseded_at=end)
    (relation,) = linked([said], facts=[lived]).relations
    assert (relation.valid_to, relation.superseded_at) == (end, end)


@pytest.mark.parametrize(
    "claim",
    [
        Claim(USER, "residence", "Atlanta", negated=True),
        Claim(USER, "residence", "Denver", modality=Modality.PLANNED),
        Claim(USER, "employer", "a bank"),
        Claim(USER, "test coverage", "78%"),
        Claim(USER, "residence", "the place that we found last year by the river"),
        Claim(USER, "residence", "…"),
        Claim(USER, "pet", "dog"),
        Claim(USER, "best friend", "my boss"),
        Claim(USER, "residence", "x" * 201),
    ],
)
def test_what_names_nothing_or_is_not_so_is_no_relation(claim: Claim) -> None:
    said = turn("…")
    assert linked([said], facts=[fact(claim, said)]).relations == ()


def test_a_value_that_the_turn_names_is_what_it_was_found_to_be() -> None:
    said = turn("I love Luna.")
    graph = linked([said], Mention("Luna", "pet", said.id), facts=[fact(Claim(USER, "likes", "luna"), said)])
    assert [(one.name, one.kind) for one in graph.entities if one.id != person_id(ANN)] == [("Luna", "pet")]
    assert len(graph.relations) == 1


def test_a_name_within_a_value_is_what_the_value_names() -> None:
    said = turn("I studied at Stanford University, and my best friend is Larry Bird.")
    mention = Mention("Stanford University", "organisation", said.id)
    claims = [Claim(USER, "education", "at Stanford University"), Claim(USER, "best friend", "Larry Bird")]
    graph = linked([said], mention, facts=[fact(claim, said) for claim in claims])
    assert {one.target_id for one in graph.relations} == {
        entity_id(ANN, "Stanford University"),
        entity_id(ANN, "Larry Bird"),
    }
    assert {one.names for one in graph.sightings} == {
        ("Stanford University",),
        ("Larry Bird", "my best friend"),
    }


def test_what_a_role_alone_may_read_stands_apart() -> None:
    open_, hidden = turn("Maria called."), turn("Maria owes us money.", rank=Role.STAFF)
    mentions = [
        Mention("Maria", "person", one.id, alias) for one, alias in ((open_, ()), (hidden, ("debtor",)))
    ]
    graph = linked([open_, hidden], *mentions)
    assert {one.id: one.min_role for one in graph.entities} == {
        entity_id(ANN, "Maria"): Role.USER,
        entity_id(ANN, "Maria", Role.STAFF): Role.STAFF,
    }
    assert {one.names for one in graph.sightings if one.min_role is Role.USER} == {("Maria",)}
    assert settle(graph.entities, ANN) == {entity_id(ANN, "Maria", Role.STAFF): entity_id(ANN, "Maria")}


def test_nobodys_session_has_no_person() -> None:
    said = turn("I live in Atlanta.", user_id=None)
    lives = fact(Claim(USER, "residence", "Atlanta"), said)
    graph = linked([said], facts=[lives], user_id=None)
    assert graph.relations == ()
    assert [one.user_id for one in graph.entities] == [None]


def test_somebodys_name_is_told_by_a_fact() -> None:
    said = turn("My sister is called Maria.")
    graph = linked([said], facts=[fact(Claim("sister", "name", "Maria"), said)])
    (relation,) = graph.relations
    assert (relation.kind, relation.target_id) == ("sister", entity_id(ANN, "Maria"))
    assert {one.names for one in graph.sightings} == {("Maria", "my sister"), ("sister",)}


def test_a_role_is_merged_into_the_one_who_has_it() -> None:
    maria, sister = person("Maria", "my sister"), person("sister")
    assert settle([maria, sister], ANN) == {sister.id: maria.id}
    anna = person("Anna", "my sister")
    assert settle([maria, sister, anna], ANN) == {}
    merged = Entity(**{**{name: getattr(sister, name) for name in Entity.__slots__}, "merged_into": maria.id})
    assert settle([maria, merged, anna], ANN) == {sister.id: None}


def test_a_first_name_is_the_one_full_name_that_begins_so() -> None:
    full, first, place = person("Maria Lopez"), person("Maria"), person("Maria", kind="place")
    assert settle([full, first], ANN) == {first.id: full.id}
    assert settle([full, place], ANN) == {}
    assert settle([full, first, person("María Gomez")], ANN) == {}


def test_whoever_has_the_persons_name_is_the_person() -> None:
    me = Entity(person_id(ANN), "person", ANN, NOON, ANN)
    caroline, carol = person("Caroline"), person("Caroline Jones")
    assert settle([me, caroline], ANN, ["Caroline"]) == {caroline.id: me.id}
    assert settle([me, caroline, carol], ANN, ["Caroline Jones"]) == {caroline.id: me.id, carol.id: me.id}


def test_what_a_person_settled_or_made_stays() -> None:
    maria, sister = person("Maria", "my sister"), person("sister", settled=True)
    assert settle([maria, sister], ANN) == {}
    made = person("Maria", id=UUID(int=5), by_hand=True)
    assert settle([made, maria], ANN) == {maria.id: made.id}
    assert settle([made, person("maria", id=UUID(int=6), by_hand=True), maria], ANN) == {}


def test_names_that_are_each_others_aliases_are_merged_once() -> None:
    luna, dog = person("Luna", "dog", kind="pet"), person("dog", "Luna", kind="pet")
    assert settle([luna, dog], ANN) == {dog.id: luna.id}


def test_a_family_is_an_entity_and_all_that_are_merged_into_it() -> None:
    maria, sister = person("Maria"), person("sister")
    sis = person("sis", merged_into=sister.id)
    merged = person("sister", merged_into=maria.id)
    found = {root.name: {one.name for one in others} for root, others in families([maria, merged, sis])}
    assert found == {"Maria": {"sister", "sis"}}
    assert {root.name for root, _ in families([merged, sis])} == {"sister"}


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("My  Sister's", "sister"),
        ("José", "jose"),
        ("ACME", "acme"),
        ("“Luna”", "luna"),
        ("the Loft", "loft"),
    ],
)
def test_names_that_are_one(one: str, other: str) -> None:
    assert key(one) == key(other)


@given(st.text(max_size=30))
def test_a_key_is_its_own_key(name: str) -> None:
    assert key(key(name)) == key(name)


ROWS = st.lists(
    st.builds(
        lambda name, alias, kind, rank, by_hand: person(
            name, *alias, rank=rank, kind=kind, **({"by_hand": True, "id": UUID(int=9)} if by_hand else {})
        ),
        st.sampled_from(["Maria", "Maria Lopez", "sister", "Anna", "Ann", "dog", "Luna"]),
        st.lists(st.sampled_from(["my sister", "Maria", "Ann", "my dog", "Luna"]), max_size=2),
        st.sampled_from(["person", "pet", "thing"]),
        st.sampled_from([Role.USER, Role.STAFF]),
        st.booleans(),
    ),
    max_size=8,
    unique_by=lambda one: one.id,
)


def applied(known: Sequence[Entity], changes: dict[UUID, UUID | None]) -> list[Entity]:
    return [
        Entity(
            **{
                **{name: getattr(one, name) for name in Entity.__slots__},
                "merged_into": changes.get(one.id, one.merged_into),
            }
        )
        for one in known
    ]


@given(ROWS, st.randoms())
def test_settling_is_the_same_in_any_order_and_only_once(known: list[Entity], random: object) -> None:
    me = Entity(person_id(ANN), "person", ANN, NOON, ANN)
    changes = settle([me, *known], ANN, ["Ann"])
    shuffled = [*known, me]
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert settle(shuffled, ANN, ["Ann"]) == changes
    after = applied([me, *known], changes)
    assert settle(after, ANN, ["Ann"]) == {}
    assert sum(1 + len(others) for _, others in families(after)) == len(after)
    # What a user may read is merged as if there were nothing else.
    low = [one for one in [me, *known] if one.min_role is Role.USER]
    assert settle(low, ANN, ["Ann"]) == {
        id_: into for id_, into in changes.items() if id_ in {x.id for x in low}
    }
