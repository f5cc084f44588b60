"""The conversations that training/conversations.py makes: what a ranker may be fitted on."""

from __future__ import annotations

import importlib
from itertools import islice
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def grammar(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The generator, which is a script beside the package."""
    for folder in ("benchmarks", "training"):
        monkeypatch.syspath_prepend(str(ROOT / folder))
    return importlib.import_module("conversations")


def test_the_same_seed_writes_the_same_however_many_follow(grammar: ModuleType) -> None:
    two, four = list(grammar.generate(3, 2)), list(islice(grammar.generate(3, 4), 2))
    assert two == four
    assert two != list(grammar.generate(4, 2))


def test_every_question_names_turns_that_exist_or_cannot_be_answered(grammar: ModuleType) -> None:
    for conversation in grammar.generate(5, 6):
        turns = range(len(conversation.turns))
        for question in conversation.questions:
            assert question.evidence <= set(turns)
            assert bool(question.evidence) == (question.category not in {"unanswerable", "untold"})


def test_nothing_of_the_grammar_is_left_in_the_texts(grammar: ModuleType) -> None:
    for conversation in grammar.generate(6, 6):
        texts = [each.text for each in (*conversation.turns, *conversation.questions)]
        assert all(texts)
        assert not [text for text in texts if set("[]<>|") & set(text)]


def test_both_kinds_come_by_turns_with_every_category(grammar: ModuleType) -> None:
    made = list(grammar.generate(7, 12))
    people, assistants = made[::2], made[1::2]
    assert all(len(one.names) == 2 and {turn.speaker for turn in one.turns} == {*one.names} for one in people)
    assert all(
        one.names == () and {"user", "assistant"} == {turn.speaker for turn in one.turns}
        for one in assistants
    )
    common = {"single", "temporal", "two_hop", "list", "count", "order", "summary", "unanswerable", "untold"}
    assert {question.category for one in people for question in one.questions} == common
    assert {question.category for one in assistants for question in one.questions} == common | {"update"}


def test_turns_come_in_the_order_of_their_times(grammar: ModuleType) -> None:
    for conversation in grammar.generate(8, 4):
        places = [(turn.session, turn.seq) for turn in conversation.turns]
        assert places == sorted(set(places))
        times = [turn.at for turn in conversation.turns]
        assert times == sorted(times)


def test_a_question_of_when_names_the_turn_that_names_the_thing(grammar: ModuleType) -> None:
    words = grammar.tomllib.loads((ROOT / "training" / "people.toml").read_text("utf-8"))["words"]
    bands = words["band"].split("|")
    asked = [
        ([band for band in bands if band.lower() in question.text.lower()], conversation, question)
        for conversation in islice(grammar.generate(9, 12), 0, None, 2)
        for question in conversation.questions
        if question.category == "temporal"
    ]
    about = [(named[0], conversation, question) for named, conversation, question in asked if named]
    assert len(about) > 3
    for band, conversation, question in about:
        [at] = question.evidence
        assert band in conversation.turns[at].text
