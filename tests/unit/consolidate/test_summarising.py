"""Summaries: bounded, quoted, and the same from the same turns."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from hypothesis import given, strategies as st

from recollect.core.consolidate.insight import Action
from recollect.core.consolidate.summarising import (
    LONGEST,
    SHORTEST,
    WINDOW,
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
