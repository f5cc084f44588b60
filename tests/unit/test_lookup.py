"""Which facts tell what is asked, and as what: so, over, planned, or not so."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from recollect.core.answering import may_be_a_fact
from recollect.core.lookup import look_up, named, stands_for_another
from recollect.core.model import USER, Claim, Kind, Memory, Modality, Standing, Trust

NOW = datetime(2026, 3, 4, 12, tzinfo=UTC)
PLANNED = Modality.PLANNED


def fact(content: str, claim: Claim, days: int = 0) -> Memory:
    at = NOW - timedelta(days=days)
    return Memory(UUID(int=days), Kind.FACT, content, Trust.USER, at, at, claim=claim)


HERE = fact("Lives in Atlanta.", Claim(USER, "residence", "Atlanta"), 10)
OVER = replace(
    fact("Lives in Covington.", Claim(USER, "residence", "Covington"), 90),
    valid_to=HERE.valid_from,
    superseded_at=HERE.recorded_at,
)
PLAN = fact("Plans to live in Seattle.", Claim(USER, "residence", "Seattle", modality=PLANNED), 5)
DENIED = fact("Does not live in Decatur.", Claim(USER, "residence", "Decatur", negated=True), 4)
DOG = fact("Dog: Gus.", Claim(USER, "dog", "Gus"), 3)
DIET = fact("Dog: is allergic to chicken.", Claim("dog", "allergy", "chicken"), 2)
JOB = fact("Works as a nurse.", Claim(USER, "occupation", "nurse"), 1)
ALL = (HERE, OVER, PLAN, DENIED, DOG, DIET, JOB)


def test_what_is_so_is_told_from_what_was_what_is_planned_and_what_is_not() -> None:
    told = look_up(ALL, "where do I live", NOW)
    assert (told.current, told.earlier, told.planned, told.denied) == ([HERE], [OVER], [PLAN], [DENIED])


def test_what_was_taken_back_is_not_told() -> None:
    wrong = replace(HERE, superseded_at=NOW)
    rejected = replace(OVER, standing=Standing.REJECTED)
    told = look_up((wrong, rejected), "where do I live", NOW)
    assert not told.current
    assert not told.earlier
    assert not named([replace(DOG, superseded_at=NOW)])


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("what is Gus allergic to", [DIET]),
        ("what is my dog allergic to", [DIET]),
        ("what am I allergic to", []),
        ("what is my cat allergic to", []),
        ("what are my pets called", [DOG]),
        ("do", [JOB]),
        ("where did I move to Atlanta", [HERE]),
        ("where did I move to Rome", []),
        ("what is the capital of France", []),
        ("is it", []),
    ],
)
def test_all_words_must_be_a_facts_own(asked: str, found: list[Memory]) -> None:
    assert look_up(ALL, asked, NOW).current == found


@pytest.mark.parametrize(
    ("asked", "found"),
    [
        ("what is my name", "Name: Lena."),
        ("what is my husband's name", "Husband: Tom."),
        ("what is my sister called", "Sister: Ida."),
        ("what are my pets called", "Dog: Gus."),
        ("what is my brother's name", None),
    ],
)
def test_who_somebody_is_tells_a_name_if_it_is_asked_whose(asked: str, found: str | None) -> None:
    known = [
        fact("Husband: Tom.", Claim(USER, "husband", "Tom"), 4),
        fact("Sister: Ida.", Claim(USER, "sister", "Ida"), 3),
        fact("Dog: Gus.", Claim(USER, "dog", "Gus"), 2),
        fact("Name: Lena.", Claim(USER, "name", "Lena"), 1),
    ]
    for facts in (known, known[:3]):
        told = [one.content for one in look_up(facts, asked, NOW).current]
        assert told == [one.content for one in facts if one.content == found]


def test_advice_is_not_looked_up() -> None:
    assert may_be_a_fact("When is the closing?")
    assert not may_be_a_fact("Where should we live?")
    assert not may_be_a_fact("What do you think of Gus?")
    assert not may_be_a_fact("Tell me a joke.")


def test_a_word_for_an_attribute_says_nothing_in_a_turn() -> None:
    assert stands_for_another("live")
    assert not stands_for_another("leather sofa")
