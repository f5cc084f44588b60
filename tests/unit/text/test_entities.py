from __future__ import annotations

import json
from dataclasses import astuple
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st

from recollect.core.text.entities import LONGEST_READ, Entity, find_entities
from recollect.core.text.labelling import (
    GAZETTEERS,
    LABELS,
    Labeller,
    Usage,
    Weights,
    listed,
    load,
    pack,
    shape,
    tokens,
    unpack,
)

KINDS = {"person", "place", "organisation", "product", "event", "pet", "thing"}


def found(text: str) -> list[tuple[str, str]]:
    return [(entity.name, entity.kind) for entity in find_entities(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("my sister Maria moved out", [("Maria", "person")]),
        ("my sister maria moved out", [("maria", "person")]),
        ("My sister, Maria, moved out", [("Maria", "person")]),
        ("her brother's name is Tom", [("Tom", "person")]),
        ("our dog Luna is three", [("Luna", "pet")]),
        ("we have a cat named milo", [("milo", "pet")]),
        ("Luna, our old dog, sleeps", [("Luna", "pet")]),
        ("I work at Acme Corp", [("Acme Corp", "organisation")]),
        ("he works for Bell & Sons", [("Bell & Sons", "organisation")]),
        ("I study at Zelin University", [("Zelin University", "organisation")]),
        ("We ran the Lisbon Marathon", [("Lisbon Marathon", "event")]),
        ("see you at the super bowl", [("super bowl", "event")]),
        ("my name is vimal raj", [("vimal raj", "person")]),
        ("my name is vimal and i need help", [("vimal", "person")]),
        ("Dr. Patel said so", [("Patel", "person")]),
        ("we're in atlanta now", [("atlanta", "place")]),
        ("We moved to Covington in March", [("Covington", "place")]),
        ("Sofia's birthday is on March 29", [("Sofia", "person")]),
        ("I got the iPhone 12 Pro", [("iPhone 12 Pro", "product")]),
        ("I love Game of Thrones", [("Game of Thrones", "thing")]),
        ("My favourite film is Quiet River", [("Quiet River", "thing")]),
    ],
)
def test_names_are_found(text: str, expected: list[tuple[str, str]]) -> None:
    assert found(text) == expected


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "Hello!",
        "Thanks, that works",
        "Monday works for me",
        "LOL that's so funny",
        "PLEASE CALL ME BACK",
        "The Sofa is great. Fabric is better",
        "my mom Will call",
        "My Boss Hates Me",
        "Can You Help Me",
        "I speak French and Spanish",
        "We moved in March",
        "@someone see https://Example.com/Paris #London",
        "my name is not important",
        "it may be late, will you mark it?",
    ],
)
def test_what_is_no_name_is_left(text: str) -> None:
    assert found(text) == []


def test_a_longer_name_of_the_same_kind_wins() -> None:
    assert found("my sister Maria Anne Lopez called") == [("Maria Anne Lopez", "person")]


@given(st.text(max_size=300) | st.text("aA'’.,-@ /:&19éß\n", max_size=300))
@settings(max_examples=200)
def test_names_stand_where_they_say_and_do_not_overlap(text: str) -> None:
    entities = find_entities(text)
    assert entities == find_entities(text)
    assert all(text[e.start : e.end] == e.name and e.kind in KINDS for e in entities)
    assert all(a.end <= b.start for a, b in pairwise(entities))


@pytest.mark.parametrize("piece", ["my ", "Aa ", "a", "A", "'s ", "my dog ", "& ", "Aa-", "new york "])
def test_long_texts_are_read_to_a_bound(piece: str) -> None:
    text = piece * (LONGEST_READ // len(piece)) + " my sister Maria"
    assert all(entity.end <= LONGEST_READ for entity in find_entities(text))


def test_an_entity_can_be_kept_as_json() -> None:
    (entity,) = find_entities("my sister Maria moved")
    assert Entity(*json.loads(json.dumps(astuple(entity)))) == entity


def test_addresses_and_handles_are_one_token() -> None:
    assert [token.word for token in tokens("See a.b@c.de, @you or https://x.de/a?b at 3:30")] == [
        *("See", "a.b@c.de", ",", "@you", "or", "https://x.de/a?b", "at", "3:30")
    ]


@given(st.text(max_size=100))
def test_tokens_stand_where_they_say(text: str) -> None:
    assert all(text[token.start : token.end] == token.word for token in tokens(text))


@pytest.mark.parametrize(("word", "drawn"), [("Maria", "Xx"), ("A", "X"), ("USA", "XX"), ("b2b", "xdx")])
def test_shapes(word: str, drawn: str) -> None:
    assert shape(word) == drawn


def test_the_longest_entry_from_each_word_is_listed() -> None:
    assert list(listed(["new", "york", "city", "new", "york", "new"])) == [(0, 3), (1, 2), (3, 5), (4, 5)]


def test_gazetteers_are_in_small_letters() -> None:
    entries = set().union(*GAZETTEERS.values())
    assert {entry for entry in entries if entry != entry.lower() or "_" in entry} == set()


def test_what_a_friend_said_is_no_name() -> None:
    assert find_entities('My friend said "I hate blue furniture".') == []
    assert [one.name for one in find_entities("my friend lily said hi")] == ["lily"]


def test_a_chain_weighs_whole_names() -> None:
    """The likelihoods are those of all labellings, counted one by one."""
    random = np.random.default_rng(7)
    words = random.normal(0, 0.15, (1 << 15, len(LABELS))).astype(np.float32)
    pairs = random.normal(0, 0.5, (len(LABELS), len(LABELS))).astype(np.float32)
    forbidden = np.array([[b[0] == "I" and a[2:] != b[2:] for b in LABELS] for a in LABELS])
    pairs[forbidden] = -40
    labeller = Labeller(Weights(words, pairs, Usage({}, {})))
    text = ["Ann", "Lee"]
    scores = labeller._scores(text)
    total = np.zeros((len(LABELS), len(LABELS)))
    for first in range(len(LABELS)):
        for second in range(len(LABELS)):
            total[first, second] = np.exp(
                scores[0, first]
                + scores[1, second]
                + pairs[0, first]
                + pairs[first, second]
                + pairs[second, 0]
            )
    total /= total.sum()
    spans = {(s.begin, s.end, s.kind): s.likelihood for s in labeller.spans(text)}
    assert spans
    for (begin, end, kind), likelihood in spans.items():
        b = LABELS.index(f"B-{kind}")
        if (begin, end) == (0, 2):
            assert likelihood == pytest.approx(total[b, b + 1], rel=1e-6)
        elif begin == 0:
            assert likelihood == pytest.approx(total[b].sum() - total[b, b + 1], rel=1e-6)
        else:
            assert likelihood == pytest.approx(total[:, b].sum(), rel=1e-6)


def test_packed_weights_find_the_same() -> None:
    weights = load()._weights
    again = unpack(pack(weights))
    assert np.abs(again.words - weights.words).max() <= np.abs(weights.words).max() / 127
    assert again.usage == weights.usage
