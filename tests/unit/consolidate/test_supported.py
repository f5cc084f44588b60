"""Facts that nobody said are caught, however they are dressed up; those that were said pass."""

from __future__ import annotations

import string
from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given, strategies as st

from recollect.core.consolidate.evidence import backed, quotes, says, stems, supported
from recollect.core.consolidate.extraction import Finding
from recollect.core.model import USER, Claim, Kind, Memory, Trust

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def turns(*said: str) -> list[Memory]:
    """The turns "name: text" of a conversation, in order."""
    parts = [text.partition(": ") for text in said]
    return [
        Memory(
            UUID(int=place),
            Kind.MESSAGE,
            text,
            Trust.USER,
            NOON,
            NOON,
            name=name,
            role="assistant" if name == "Bot" else "user",
        )
        for place, (name, _, text) in enumerate(parts, 1)
    ]


def finding(quote: str, value: str, subject: str = USER, place: int = 1) -> Finding:
    claim = Claim(subject, "residence", value)
    return Finding(claim, Kind.FACT, f"Lives in {value}.", (UUID(int=place),), quote, NOON)


MOVED = turns(
    "Bot: Where do you live now?",
    "Ada: We've moved to  Atlanta, with 2 dogs; my sister Maria is still in Covington.",
    "Bot: And how many bedrooms?",
    "Ada: Three, for $450,000 at most.",
)


@pytest.mark.parametrize(
    "said",
    [
        finding("We've moved to Atlanta", "Atlanta", place=2),
        finding("we ve moved TO atlanta", "atlanta", place=2),
        finding("We've moved to Atlanta with two dogs", "two dogs", place=2),
        finding("my sister Maria is still in Covington", "Covington", "sister", place=2),
        finding("my sister Maria is still in Covington", "Covington", "Maria", place=2),
        finding("my sister Maria still is in Covington", "Covington", "Maria", place=2),
        finding("Three", "3", place=4),
        finding("Three", "three bedrooms", place=4),
        finding("for $450,000 at most", "450000", place=4),
        finding("for $450,000 at most", "$450,000", place=4),
        finding("Three", "yes", place=4),
    ],
)
def test_what_was_said_passes(said: Finding) -> None:
    assert supported(said, MOVED)


@pytest.mark.parametrize(
    "made_up",
    [
        finding("We've moved to Boston", "Boston", place=2),
        finding("We've moved to Atlanta", "Boston", place=2),
        finding("We've moved to Atlanta", "Atlanta, Georgia", place=2),
        finding("We've moved to Atlanta", "3 dogs", place=2),
        finding("We've moved to Atlanta", "Atlanta", place=4),
        finding("We've moved to Atlanta", "Atlanta", place=9),
        finding("my brother Tom lives in Covington now", "Covington", place=2),
        finding("my sister Maria is still in Covington", "Covington", "brother", place=2),
        finding("for $450,000 at most", "540000", place=4),
        finding("Three", "four", place=4),
        finding("Three", "Covington", place=4),
        finding("", "Atlanta", place=2),
        finding("?!", "Atlanta", place=2),
        finding("We've moved to Atlanta", "", place=2),
        finding("Where do you live now?", "Atlanta", place=1),
    ],
)
def test_what_was_made_up_does_not(made_up: Finding) -> None:
    assert not supported(made_up, MOVED)


def test_a_finding_without_evidence_is_made_up() -> None:
    claim = Claim(USER, "residence", "Atlanta")
    assert not supported(Finding(claim, Kind.FACT, "Lives in Atlanta.", (), "Atlanta", NOON), MOVED)


def test_somebody_is_not_named_by_what_is_said_later() -> None:
    later = turns("Ada: She lives in Rome.", "Ada: Luna, I mean.")
    assert not supported(finding("She lives in Rome", "Rome", "Luna", place=1), later)
    earlier = turns("Ada: Luna is my aunt.", "Bot: I see.", "Ada: She lives in Rome.")
    assert supported(finding("She lives in Rome", "Rome", "Luna", place=3), earlier)


def test_a_speaker_is_named_by_speaking() -> None:
    assert supported(finding("We've moved to Atlanta", "Atlanta", "Ada", place=2), MOVED)


def test_text_without_spaces_is_found_in_its_run() -> None:
    said = turns("林: 我现在住在上海。")
    assert supported(finding("我现在住在上海", "上海", place=1), said)
    assert not supported(finding("我现在住在上海", "北京", place=1), said)


def test_a_long_quotation_may_slip_but_a_short_one_may_not() -> None:
    text = "I honestly think that the grey fabric sofa was by far the best one in the whole store today."
    assert quotes(text, "I honestly think that the gray fabric sofa was by far the best one in the store")
    assert not quotes(text, "I honestly think that the red leather chair is the worst one in this shop")
    assert not quotes(text, "grey leather sofa")


def test_a_name_or_number_that_a_sentence_brings_in_is_seen() -> None:
    told = stems(" ".join(turn.content for turn in MOVED))
    assert backed("Ada lives in Atlanta with 2 dogs. Her sister lives in Covington.", told)
    assert not backed("She lives in Atlanta near Tom.", told)
    assert not backed("She has 5 dogs.", told)


@given(st.lists(st.text(alphabet="ab c1.é上", max_size=12), max_size=5), st.text(max_size=30))
def test_any_words_of_a_turn_are_said_by_it(words: list[str], other: str) -> None:
    said = turns(f"Ada: {' '.join(words)} {other}")
    for word in words:
        if any(char.isalnum() for char in word):
            assert quotes(said[0].content, word)
            assert says(said, word)


@given(st.text(), st.text())
def test_any_texts_can_be_compared(text: str, quote: str) -> None:
    assert quotes(text, quote) in (True, False)
    assert backed(text, stems(quote)) in (True, False)


@given(st.text(alphabet=string.printable))
def test_a_text_brings_in_nothing_beside_itself(text: str) -> None:
    assert backed(text, stems(text))
