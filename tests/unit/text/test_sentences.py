"""Sentences and stems."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

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
