from __future__ import annotations

import pytest

from recollect.core.recall.candidates import Query
from recollect.core.recall.questions import EXPECTED, Asked, Kind, read
from recollect.core.text.tokens import tokenize
from recollect.core.text.traits import Trait, traits


def asked(text: str) -> Asked:
    return read(Query(text, tuple(dict.fromkeys(tokenize(text)))))


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("How many cats does Ann have?", Kind.COUNT),
        ("How often did they meet?", Kind.COUNT),
        ("How many weeks did the repair take?", Kind.DURATION),
        ("How long has she lived there?", Kind.DURATION),
        ("What is my budget for the flat?", Kind.MONEY),
        ("How much was the sofa?", Kind.MONEY),
        ("When did they move?", Kind.WHEN),
        ("In which month was the fair?", Kind.WHEN),
        ("Where is the key?", Kind.WHERE),
        ("Which city did she come from?", Kind.WHERE),
        ("Whose coat was it?", Kind.WHO),
        ("What's the name of her dog?", Kind.WHO),
        ("Why did she leave?", Kind.WHY),
        ("What made him change his mind?", Kind.WHY),
        ("How does he make the dough?", Kind.HOW),
        ("What did Bea paint?", Kind.WHAT),
        ("Did Bea paint?", Kind.WHETHER),
        ("the lake, Bea did paint it", Kind.OTHER),
        ("", Kind.OTHER),
        ("她画了什么？", Kind.OTHER),
    ],
)
def test_the_words_show_what_is_asked_for(text: str, kind: Kind) -> None:
    assert asked(text).kind is kind


def test_every_kind_says_what_answers_it() -> None:
    assert set(EXPECTED) == set(Kind)


@pytest.mark.parametrize(
    ("text", "answer"),
    [
        ("How many cats does Ann have?", "I have three of them."),
        ("How long has she lived there?", "For ten years."),
        ("How much was the sofa?", "They wanted 400 euros."),
        ("When did they move?", "We moved last week."),
        ("Where did Ann go?", "We went to Oslo for a day."),
        ("Who was at the fair?", "I met my friend Bea."),
        ("Why did she leave?", "I left because I was tired."),
    ],
)
def test_an_answer_has_what_is_expected_and_small_talk_has_not(text: str, answer: str) -> None:
    expected = EXPECTED[asked(text).kind]
    assert traits(answer) & expected
    assert not traits("Sounds lovely, tell me more!") & expected


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("What did I tell you?", {"mine", "yours"}),
        ("Where do my parents live now?", {"mine", "latest"}),
        ("What was your first answer?", {"yours", "first"}),
        ("What kinds of pets does Ann keep?", {"several"}),
        ("What books has Ann read lately?", {"several", "latest"}),
        ("What did Ann paint?", set()),
    ],
)
def test_whose_when_and_how_many(text: str, shown: set[str]) -> None:
    told = asked(text)
    assert {name for name in ("mine", "yours", "latest", "first", "several") if getattr(told, name)} == shown


def test_a_name_is_capitalised_within_the_sentence() -> None:
    query = Query("Did Ann see 'Northern Lights' in Oslo?", ("see", "northern", "light", "oslo"))
    assert read(query).named == (False, True, True, True)
    assert read(Query("Paint is dry?", ("paint", "dry"))).named == (False, False)


def test_traits_are_bits_that_fit_a_smallint() -> None:
    assert sum(Trait) < 2**15
