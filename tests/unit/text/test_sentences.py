"""Sentences and stems."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, strategies as st

from recollect.core.text import sentences as module
from recollect.core.text.sentences import LONGEST, sentences
from recollect.core.text.stems import stems
from recollect.core.text.tokens import tokenize


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("One. Two! Three? Four", ["One.", "Two!", "Three?", "Four"]),
        ("Dr. Haas and Mr. J. Lee came.", ["Dr. Haas and Mr. J. Lee came."]),
        ("It costs 3.50 now. Fine.", ["It costs 3.50 now.", "Fine."]),
        ("- milk\n- bread\n1. eggs", ["milk", "bread", "eggs"]),
        ('He said "no." Then he left.', ['He said "no."', "Then he left."]),
        ("灰色。真的吗？", ["灰色。", "真的吗？"]),
        ("We met Mr.\nThen he left.", ["We met Mr.", "Then he left."]),
        ("It was approx. 3 km.  Far \n \n enough", ["It was approx. 3 km.", "Far", "enough"]),
        ("", []),
    ],
)
def test_where_sentences_end(text: str, parts: list[str]) -> None:
    assert sentences(text) == parts


@given(st.text(max_size=2_000))
def test_nothing_is_made_up_and_none_is_too_long(text: str) -> None:
    found = sentences(text)
    assert all(part and part in text and len(part) <= LONGEST for part in found)


def test_a_long_sentence_is_cut() -> None:
    assert [len(part) <= LONGEST for part in sentences("word " * 500)].count(True) > 4


@pytest.mark.parametrize(
    "unit", [" ", "\t", "\n", " \n", "Mr. ", "1. ", ".)", ". ", ".", '."', ")", "。", "。」", "a", "- "]
)
@pytest.mark.parametrize("lead", ["", "I live in ", "Here. "])
@pytest.mark.parametrize("end", ["", "x"])
def test_nothing_takes_longer_than_it_is_long(lead: str, unit: str, end: str) -> None:
    """What looks back over blanks, or over the sentence so far, would be at this for minutes."""
    text = lead + unit * (200_000 // len(unit)) + end
    found = sentences(text)
    assert all(0 < len(part) <= LONGEST for part in found)
    assert bool(found) == any(not char.isspace() for char in text)


class Counting:
    """A pattern that counts the characters it is given."""

    def __init__(self, pattern: re.Pattern[str]) -> None:
        self.pattern = pattern
        self.given = 0

    def search(self, text: str) -> re.Match[str] | None:
        self.given += len(text)
        return self.pattern.search(text)


def test_an_abbreviation_is_looked_for_in_a_few_characters(monkeypatch: pytest.MonkeyPatch) -> None:
    counting = Counting(vars(module)["_ABBREVIATION"])
    monkeypatch.setattr(module, "_ABBREVIATION", counting)
    text = "Mr. " * 2_000
    assert sentences(text)
    assert 2_000 < counting.given < 4 * len(text)


@pytest.mark.parametrize(
    ("short", "text"),
    [
        ("leather sofa", "We like leather sofas very much."),
        ("leather sofa", "Die leather sofa ist da."),
        ("沙发", "我喜欢灰色的沙发"),
        ("Café", "Wir treffen uns im Café am Markt"),
    ],
)
def test_the_words_of_a_short_text_are_found_in_any(short: str, text: str) -> None:
    assert stems(short)
    assert stems(short) <= set(tokenize(text))
