"""What packs bring to reading, by a little pack of gardeners, and what is refused of a bad one."""

from __future__ import annotations

import tomllib
from dataclasses import replace
from datetime import UTC, datetime
from functools import cache
from typing import Any
from uuid import UUID

import pytest

from recollect.core.consolidate.answer import ANSWER, form, listed
from recollect.core.consolidate.attributes import Vocabulary, english, read_vocabulary
from recollect.core.consolidate.consolidation import by_rules, facts
from recollect.core.consolidate.extraction import Conversation, Mention
from recollect.core.consolidate.linking import Graph, entity_id, link, settle
from recollect.core.consolidate.resolving import resolve
from recollect.core.errors import Misconfigured
from recollect.core.model import Entity, Kind, Memory, Role, Trust

AT = datetime(2026, 3, 11, 12, tzinfo=UTC)
GARDEN = """
instructions = "A season is no event."

[values]
zone = '(?:hardiness )?zone \\d{1,2}[ab]?'
light = '(?:full sun|half shade|full shade|dappled light)'
soil = '(?:clay|loam|sand|chalk)'
pest = '(?:slugs|aphids|has not come up|mildew)'

[[attribute]]
name = "climate zone"
single = true
value = "zone"
tell = "garden in {value}"
nouns = ["(?:climate|growing) zone"]
asked = ["(?:what|which) (?:climate |growing )?zone"]
free = "\\\\bV"

[[attribute]]
name = "light"
kind = "preference"
single = false
value = "light"
entity = "habitat"
tell = "like {value}"
nouns = ["light"]
asked = ["(?:what|which) light"]
verbs = { grow = "(?:everything )?in V" }
free = "\\\\b(?P<lights>LIGHT(?: or LIGHT)?)"
asking = true

[[attribute]]
name = "soil"
kind = "preference"
single = true
value = "soil"
free = "\\\\bV\\\\b"

[[attribute]]
name = "trouble"
kind = "event"
single = false
value = "pest"
free = "\\\\bV"

[[mention]]
kind = "plant"
pattern = "\\\\bplant (?:no\\\\. ?|#)(?P<value>\\\\d{2,4})"
name = "plant {value}"

[[mention]]
kind = "product"
pattern = "\\\\bSKU (?P<value>\\\\d+)"
name = "SKU {value}"
role = ["assistant"]

[[entity]]
kind = "plant"
about = "what grows in the garden"

[[entity]]
kind = "habitat"
about = "where it grows well"

[[entity]]
kind = "gardener"
about = "whose garden it is"
person = true
"""


def garden() -> dict[str, Any]:
    return tomllib.loads(GARDEN)


@cache
def vocabulary() -> Vocabulary:
    return read_vocabulary(garden())


def conversation(said: str, words: Vocabulary | None = None) -> Conversation:
    """Turns parted by " / "; "A:" is the agent's."""
    turns = [
        Memory(
            UUID(int=number),
            Kind.MESSAGE,
            line.removeprefix("A: "),
            Trust.USER,
            AT,
            AT,
            user_id="ann",
            role="assistant" if line.startswith("A: ") else "user",
            seq=number,
        )
        for number, line in enumerate(said.split(" / "), 1)
    ]
    return Conversation(turns, user_id="ann", vocabulary=words or vocabulary())


def told(said: str, words: Vocabulary | None = None) -> list[str]:
    """The facts as "subject|attribute|value", marked: ! negated, < over."""
    return [
        f"{'!' * one.claim.negated}{'<' * (one.valid_to is not None)}"
        f"{one.claim.subject}|{one.claim.attribute}|{one.claim.value}"
        for one in by_rules(conversation(said, words)).findings
    ]


@pytest.mark.parametrize(
    "line",
    [
        "My climate zone is zone 8. => user|climate zone|zone 8",
        "A: Which zone are you in? / zone 6a => user|climate zone|zone 6a",
        "We garden somewhere in hardiness zone 7b. => user|climate zone|hardiness zone 7b",
        "A: What light do you like? / Half shade. => user|light|Half shade",
        "A: What light do you like? / Well, half shade would be nice => user|light|half shade",
        "I'm tired of full shade. => !user|light|full shade",
        "The fern you sent is too full sun for us. => !user|light|full sun",
        "No full shade, please. => !user|light|full shade",
        "No, full shade. => user|light|full shade",
        "I have always loved full sun. => user|light|full sun",
        "No full shade clay beds, please => !user|light|full shade",
        "My light is half shade. => user|light|half shade",
        "I grow everything in half shade. => user|light|half shade",
        "I love full sun. => user|light|full sun",
        "I love loam. => user|soil|loam",
        "I don't like rustling full shade. => !user|likes|rustling full shade; !user|light|full shade",
        "I'm not into full shade. => !user|light|full shade",
        "I hate full sun; I prefer half shade. => !user|light|full sun; user|light|half shade",
        "Not full sun, maybe half shade. => !user|light|full sun; user|light|half shade",
        "I used to love full sun. => <user|light|full sun",
        "My sister loves full shade. => sister|light|full shade",
        "A fern for full sun or half shade, please => user|light|full sun; user|light|half shade",
        "We found slugs on the beans. => user|trouble|slugs",
        "The rose has not come up. => user|trouble|has not come up",
    ],
)
def test_a_packs_attributes_are_read_by_verb_noun_question_and_anywhere(line: str) -> None:
    said, _, expected = line.partition(" => ")
    assert sorted(told(said)) == sorted(expected.split("; "))


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        ("Show me something for half shade, please.", ["user|light|half shade"]),
        ("Do you have anything for dappled light?", ["user|light|dappled light"]),
        ("Don't you have anything for dappled light?", ["user|light|dappled light"]),
        ("Something for half shade", ["user|light|half shade"]),
        ("I'd like something that is not for full shade.", ["!user|light|full shade"]),
        ("Do you have anything for clay?", []),
        ("Show me something for clay, please.", []),
    ],
)
def test_asking_for_it_tells_a_taste_where_the_pack_says_so(said: str, expected: list[str]) -> None:
    assert told(said) == expected


@pytest.mark.parametrize(
    "said",
    [
        "How much water does half shade need?",
        "We have full sun on the terrace.",
        "I loved the one for full sun.",
        "If I liked full sun, I would say so.",
        "She said she loves full sun.",
        "I'm not sure about full sun.",
        "Do slugs like beer?",
        "A: You love full sun. / Hm.",
        "A: What light do you like? / I mean, is there a guarantee",
        "A: What light do you like? / Whatever you have.",
        "Something's wrong with the bed in full sun.",
        "We have full sun everywhere, so no shade plants please.",
        "I love my old full sun border.",
    ],
)
def test_what_is_asked_about_had_or_imagined_is_no_taste(said: str) -> None:
    assert not {"light", "trouble"}.intersection(one.split("|")[1] for one in told(said))


def test_an_attribute_of_a_pack_replaces_the_houses() -> None:
    own = garden() | {"attribute": [{"name": "diet", "single": True, "value": "soil", "free": "eat V"}]}
    words = read_vocabulary(own)
    assert told("I'm vegan.", words) == []
    assert told("I eat loam.", words) == ["user|diet|loam"]
    assert told("I'm vegan.") == ["user|diet|vegan"]


def test_two_packs_are_read_beside_each_other() -> None:
    words = read_vocabulary(garden(), {"attribute": [{"name": "motto", "single": True, "nouns": ["motto"]}]})
    assert told("My motto is patience. I love loam.", words) == ["user|motto|patience", "user|soil|loam"]


def test_without_packs_nothing_is_read_by_them() -> None:
    said = "We are in hardiness zone 7b. Plant #18 died. I love loam."
    assert told(said, english()) == ["user|likes|loam"]
    assert read_vocabulary().closed == english().closed
    assert not any((english().kinds, english().mentions, english().anywhere, english().instructions))


def test_a_vocabulary_is_the_same_only_as_itself() -> None:
    one, other = conversation("Hello."), conversation("Hello.", read_vocabulary(garden()))
    assert one == conversation("Hello.") != other
    assert replace(other, vocabulary=one.vocabulary) == one


def test_what_packs_see_named_is_mentioned_by_role_in_the_speakers_own_words() -> None:
    said = 'Plant no. 17 and plant #18 died. "Plant #19" he said. SKU 5 / A: Take SKU 77, not plant #20.'
    found = by_rules(conversation(said)).mentions
    assert [(one.name, one.kind) for one in found if one.kind in {"plant", "product"}] == [
        ("plant 17", "plant"),
        ("plant 18", "plant"),
        ("plant 19", "plant"),
        ("SKU 77", "product"),
    ]


def graph(said: str) -> Graph:
    heard = conversation(said)
    found = by_rules(heard)
    return link(found, resolve([], facts(found, heard)).insert, heard)


def test_what_a_packs_attribute_names_is_an_entity_that_the_person_is_related_to() -> None:
    made = graph("I love half shade. I hate full sun. I love loam.")
    kinds = {entity.id: (entity.kind, entity.name) for entity in made.entities}
    related = {(kinds[one.source_id][0], one.kind, *kinds[one.target_id]) for one in made.relations}
    assert related == {("person", "light", "habitat", "half shade")}


@pytest.mark.parametrize("other", ["product", "thing", "organisation"])
@pytest.mark.parametrize("first", [True, False])
def test_a_packs_kind_holds_before_the_houses(other: str, *, first: bool) -> None:
    heard = conversation("Plant #18 died.")
    found = by_rules(heard)
    also = Mention("plant 18", other, heard.turns[0].id)
    mentions = (also, *found.mentions) if first else (*found.mentions, also)
    (entity,) = link(replace(found, mentions=mentions), [], heard).entities
    assert (entity.kind, entity.name) == ("plant", "plant 18")


@pytest.mark.parametrize(
    ("kind", "merged"), [("plant", True), ("product", True), ("thing", True), ("place", False)]
)
def test_of_one_name_what_may_be_a_packs_is_one(kind: str, *, merged: bool) -> None:
    seen = Entity(entity_id("ann", "Rosa"), "plant", "Rosa", AT, "ann")
    secret = Entity(entity_id("ann", "Rosa", Role.OWNER), kind, "Rosa", AT, "ann", min_role=Role.OWNER)
    assert settle([seen, secret], "ann") == ({secret.id: seen.id} if merged else {})


def test_a_language_model_is_told_of_packs() -> None:
    kinds = form(vocabulary().kinds)["properties"]["entities"]["items"]["properties"]["kind"]["enum"]
    assert kinds == [
        *ANSWER["properties"]["entities"]["items"]["properties"]["kind"]["enum"],
        "plant",
        "habitat",
    ]
    assert {"climate zone*", "light", "residence*"} <= set(listed(vocabulary()).split(", "))
    assert vocabulary().instructions.endswith("A season is no event.")
    assert "- `plant`: what grows in the garden" in vocabulary().instructions
    assert "gardener" not in vocabulary().instructions


ATTRIBUTE = {"name": "soil", "single": True}
MENTION = {"kind": "thing", "name": "bed {value}", "pattern": r"bed (?P<value>\d)"}


@pytest.mark.parametrize(
    ("document", "fault"),
    [
        ({"colour": 1}, "rules: 'colour' is unknown"),
        ({"instructions": 1}, "rules, instructions: it is not a text"),
        ({"attribute": ATTRIBUTE}, "attribute: it is not a list of tables"),
        ({"attribute": [{"single": True}]}, "attribute 1: 'name' is missing"),
        ({"attribute": [{"name": "soil"}]}, "attribute 'soil': 'single' is missing"),
        ({"attribute": [ATTRIBUTE | {"verb": {}}]}, "attribute 'soil': 'verb' is unknown"),
        ({"attribute": [ATTRIBUTE | {"single": "yes"}]}, "attribute 'soil', single: it is not true or false"),
        ({"attribute": [ATTRIBUTE | {"nouns": "soil"}]}, "attribute 'soil', nouns: it is not a list"),
        ({"attribute": [ATTRIBUTE | {"name": "Soil"}]}, "attribute 'Soil': its name is not in small letters"),
        ({"attribute": [ATTRIBUTE | {"kind": "message"}]}, "attribute 'soil': its kind is none of"),
        ({"attribute": [ATTRIBUTE | {"value": "mud"}]}, "attribute 'soil': its value 'mud' is no class"),
        ({"attribute": [ATTRIBUTE | {"tell": "dig"}]}, "attribute 'soil': its tell has neither"),
        ({"attribute": [ATTRIBUTE | {"tell": "dig {mud}"}]}, "attribute 'soil': its tell names {mud}"),
        ({"attribute": [ATTRIBUTE | {"tell": "dig {value"}]}, "attribute 'soil': "),
        ({"attribute": [ATTRIBUTE]}, "attribute 'soil': nothing reads it"),
        ({"attribute": [ATTRIBUTE | {"entity": "mud"}]}, "attribute 'soil': 'mud' is no kind of entity here"),
        ({"attribute": [ATTRIBUTE | {"ends": "mud"}]}, "attribute 'soil': it ends 'mud', which is no other"),
        (
            {"attribute": [ATTRIBUTE | {"ends": "soil"}]},
            "attribute 'soil': it ends 'soil', which is no other",
        ),
        ({"attribute": [ATTRIBUTE | {"verbs": {"frobbed": "V"}}]}, "attribute 'soil': 'frobbed' is no verb"),
        ({"attribute": [ATTRIBUTE | {"verbs": {"dig": "(V"}}]}, "attribute 'soil': "),
        ({"attribute": [ATTRIBUTE | {"free": "mud"}]}, "attribute 'soil': 'mud' reads no value"),
        ({"attribute": [ATTRIBUTE | {"nouns": ["(soil"]}]}, "attribute 'soil': "),
        ({"values": {"v": "x"}}, "values, v: a class cannot be called so"),
        ({"values": {"mud": "(x"}}, "values, mud: "),
        ({"values": {"mud": "(?P<x>x)"}}, "values, mud: a class has no named groups"),
        ({"mention": [MENTION | {"pattern": "bed (1)"}]}, "has no group named value"),
        ({"mention": [MENTION | {"pattern": "(?P<value>"}]}, "mention 'bed {value}': "),
        ({"mention": [MENTION | {"name": "bed"}]}, "mention 'bed': its name has no {value}"),
        ({"mention": [MENTION | {"kind": "mud"}]}, "mention 'bed {value}': 'mud' is no kind of entity here"),
        ({"mention": [MENTION | {"role": "user"}]}, "mention 'bed {value}', role: it is not a list"),
        ({"entity": [{"kind": "plant"}]}, "entity 'plant': 'about' is missing"),
    ],
)
def test_what_is_wrong_with_a_pack_is_said(document: dict[str, Any], fault: str) -> None:
    with pytest.raises(Misconfigured) as refused:
        read_vocabulary(document)
    assert fault in str(refused.value)


def test_a_long_turn_is_read_up_to_its_bound() -> None:
    found = by_rules(conversation("plant #18 " * 10_000))
    assert [one.name for one in found.mentions if one.kind == "plant"] == ["plant 18"]
