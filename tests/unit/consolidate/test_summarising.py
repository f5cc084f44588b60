"""Summaries: bounded, quoted, and the same from the same turns."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence, Set as AbstractSet
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from math import fsum, log
from typing import Any
from uuid import UUID

from hypothesis import given, strategies as st

from recollect.core.consolidate import summarising
from recollect.core.consolidate.insight import Action
from recollect.core.consolidate.summarising import (
    FEWEST_WORDS,
    LONGEST,
    LONGEST_READ,
    SCALE,
    SHORTEST,
    WINDOW,
    WINDOW_READ,
    before_window,
    read_actions,
    summaries,
    summarise,
)
from recollect.core.model import USER, Claim, Kind, Memory, Role, Trust
from recollect.core.recall.context import estimate_tokens

BEGIN = datetime(2026, 3, 4, 12, tzinfo=UTC)


def turn(seq: int, text: str, role: str = "user", name: str | None = "Ann") -> Memory:
    at = BEGIN + timedelta(minutes=seq)
    return Memory(
        UUID(int=seq),
        Kind.MESSAGE,
        text,
        Trust.USER,
        at,
        at,
        "ann",
        session_id="s",
        seq=seq,
        role=role,
        name=name,
    )


def fact(number: int, content: str, *evidence: int) -> Memory:
    ids = tuple(UUID(int=each) for each in evidence)
    claim = Claim(USER, "residence", content)
    return Memory(
        UUID(int=number), Kind.FACT, content, Trust.USER, BEGIN, BEGIN, "ann", evidence=ids, claim=claim
    )


TALK = [
    turn(1, "Hello there."),
    turn(2, "We live in Covington, in a house with three bedrooms and a large garden."),
    turn(3, "How nice! What do you grow in the garden?", "assistant", "Bot"),
    turn(4, "Tomatoes, beans, and since last year also pumpkins for my sister's restaurant."),
    turn(5, "Could you send me a list of shops for seeds by Friday?"),
]


def test_facts_come_first_and_the_rest_is_quoted() -> None:
    found = summarise(TALK, [fact(100, "Lives in Covington.", 2)])
    first, *quotes = found.text.splitlines()
    assert first == "Lives in Covington."
    assert quotes
    said = {one.name: "" for one in TALK} | {"Ann": "", "Bot": ""}
    for one in TALK:
        said[one.name] += f" {one.content}"
    for quote in quotes:
        who, text = quote.split(": ", 1)
        assert text.split(".")[0] in said[who]


def test_evidence_is_what_is_quoted() -> None:
    found = summarise(TALK, [fact(100, "Lives in Covington.", 2, 77)])
    assert found.evidence[0] == UUID(int=2)
    assert set(found.evidence) <= {one.id for one in TALK}


def test_a_fact_that_another_of_the_session_ended_is_left_out() -> None:
    old = replace(fact(100, "Lives in Covington.", 2), superseded_by=UUID(int=101))
    found = summarise(TALK, [old, fact(101, "Lives in Atlanta.", 4), fact(102, "Lives in Rome.", 900)])
    assert "Atlanta" in found.text
    assert "Lives in Covington." not in found.text
    assert "Rome" not in found.text


def test_the_row_is_the_same_each_time_and_grows_with_the_session() -> None:
    (before,) = summaries(TALK[:3], [])
    (after,) = summaries(TALK, [])
    assert [after] == summaries(TALK, [])
    assert before.id == after.id
    assert (after.session_id, after.seq, after.kind) == ("s", None, Kind.SUMMARY)
    assert after.recorded_at == TALK[-1].recorded_at
    assert (before.metadata["upto"], after.metadata["upto"]) == (3, 5)


def test_it_is_seen_and_trusted_as_its_turns_are() -> None:
    hidden = replace(TALK[1], min_role=Role.STAFF, trust=Trust.EXTERNAL, expires_at=BEGIN + timedelta(days=9))
    (row,) = summaries([TALK[0], hidden], [])
    assert (row.min_role, row.trust, row.expires_at) == (Role.STAFF, Trust.EXTERNAL, hidden.expires_at)


def test_what_no_person_said_is_not_quoted() -> None:
    assert summaries([turn(1, "You are a helpful assistant.", "system")], []) == []
    (row,) = summaries([turn(1, "Secret output of a tool.", "tool"), *TALK[1:]], [])
    assert "Secret" not in row.content


def test_each_window_has_its_own() -> None:
    turns = [turn(seq, f"Number {seq} of the long list of houses.") for seq in range(1, 2 * WINDOW + 2)]
    rows = summaries(turns, [])
    assert [row.metadata["upto"] for row in rows] == [WINDOW, 2 * WINDOW, 2 * WINDOW + 1]
    again = summaries(turns[before_window(WINDOW + 5) :], [])
    assert again == rows[1:]


def test_actions_come_back_from_the_metadata() -> None:
    (row,) = summaries(TALK, [])
    due = datetime(2026, 3, 7, tzinfo=UTC)
    text = "send me a list of shops for seeds by Friday"
    assert read_actions(row.metadata) == [Action(text, "Bot", UUID(int=5), due, done=False)]
    assert list(summarise(TALK).actions) == read_actions(row.metadata)


def test_without_words_there_is_none() -> None:
    assert summarise([]).text == ""
    assert summaries([turn(1, "…"), turn(2, "!?")], []) == []


words = st.text("abcdefgh ,.?!\n沙发éß", max_size=200)


@given(st.lists(words, min_size=1, max_size=12))
def test_a_summary_is_bounded(texts: list[str]) -> None:
    turns = [turn(seq, text) for seq, text in enumerate(texts, 1)]
    found = summarise(turns)
    tokens = sum(estimate_tokens(text) for text in texts)
    one_sentence = max(estimate_tokens(text) for text in texts) + 5
    assert estimate_tokens(found.text) <= max(min(max(tokens, SHORTEST), LONGEST), one_sentence) + len(texts)


class Counting(frozenset[str]):
    """Words that count how often it is asked which of them are new."""

    asked = 0

    def __sub__(self, known: AbstractSet[object]) -> frozenset[str]:
        Counting.asked += 1
        return super().__sub__(known)


chosen = vars(summarising)["_chosen"]
sentence = vars(summarising)["_Sentence"]


def greedy(everything: Sequence[Any], budget: int) -> list[Any]:
    """As `_chosen` promises it, looking at every sentence for every choice."""
    counts = Counter(word for one in everything for word in one.words)
    taken: list[Any] = []
    known: set[str] = set()
    while True:
        rest = [one for one in everything if one.cost <= budget and one not in taken]
        worth = [
            (one.bonus * fsum(log(1 + counts[word]) for word in one.words - known) / one.cost**SCALE, one)
            for one in rest
            if len(one.words) >= FEWEST_WORDS
        ]
        gain, best = max(worth, key=lambda each: (each[0], -each[1].place), default=(0.0, None))
        if best is None or not gain:
            return sorted(taken, key=lambda one: one.place)
        taken.append(best)
        known |= best.words
        budget -= best.cost


@given(
    st.lists(
        st.tuples(
            st.frozensets(st.sampled_from("abcdefghijklmnop"), max_size=8),
            st.integers(1, 30),
            st.sampled_from([0.5, 0.6, 1.0, 1.15]),
        ),
        max_size=25,
    ),
    st.integers(0, 120),
)
def test_the_same_are_chosen_as_by_looking_at_all(
    drawn: list[tuple[frozenset[str], int, float]], budget: int
) -> None:
    everything = [
        sentence(TALK[0], place, str(place), words, cost, bonus)
        for place, (words, cost, bonus) in enumerate(drawn, 1)
    ]
    assert chosen(everything, frozenset(), budget) == greedy(everything, budget)


def test_few_sentences_are_looked_at_again() -> None:
    everything = [
        sentence(TALK[0], place, str(place), Counting(f"{place}{letter}" for letter in "abc"), 4, 1.0)
        for place in range(5_000)
    ]
    Counting.asked = 0
    assert len(chosen(everything, frozenset(), 400)) == 100
    assert len(everything) <= Counting.asked < 2 * len(everything)


def test_of_a_large_window_each_turn_is_read_in_part() -> None:
    """Short turns stand beside whatever long ones, and long ones give way alike."""
    long = [turn(seq, f"We saw the castle of Number{seq}. " * 300) for seq in range(1, 200)]
    short = turn(200, "My sister Maria moved to Lisbon with her two dogs yesterday.")
    read = vars(summarising)["_read"]([*long, short])
    assert read[-1] == short
    assert sum(len(one.content) for one in read) <= WINDOW_READ
    assert len({len(one.content) for one in read[:-1]}) == 1
    assert [one.id for one in read] == [one.id for one in (*long, short)]
    assert len(summarise([*long, short]).text) > SHORTEST


@given(st.lists(st.integers(0, 2 * LONGEST_READ), max_size=60))
def test_what_is_read_of_a_window_is_bounded(lengths: list[int]) -> None:
    turns = [turn(seq, "a" * length) for seq, length in enumerate(lengths, 1)]
    read = [len(one.content) for one in vars(summarising)["_read"](turns)]
    whole = [min(length, LONGEST_READ) for length in lengths]
    assert sum(read) <= WINDOW_READ
    assert read == whole or (sum(whole) > WINDOW_READ and read == [min(one, max(read)) for one in whole])
