"""What a conversation shows beside facts: mood, outcome, actions, topics."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given, strategies as st

from recollect.core.consolidate.actions import MOST, actions
from recollect.core.consolidate.insight import Resolution
from recollect.core.consolidate.outcomes import resolution
from recollect.core.consolidate.sentiment import feeling, sentiment
from recollect.core.consolidate.topics import topics
from recollect.core.model import Kind, Memory, Trust

WEDNESDAY = datetime(2026, 3, 4, 12, tzinfo=UTC)


def talk(*lines: str) -> list[Memory]:
    """Turns of "U: …" (a user), "A: …" (an assistant) or "Name: …", a minute apart."""
    turns = []
    for seq, line in enumerate(lines, 1):
        who, text = line.split(": ", 1)
        at = WEDNESDAY + timedelta(minutes=seq)
        role = "assistant" if who == "A" else "user"
        name = None if who in "UA" else who
        turns.append(
            Memory(UUID(int=seq), Kind.MESSAGE, text, Trust.USER, at, at, "u", seq=seq, role=role, name=name)
        )
    return turns


@pytest.mark.parametrize(
    ("text", "sign"),
    [
        ("I love this sofa, it is wonderful!", 1),
        ("This is awful. I am very disappointed.", -1),
        ("It is not good at all.", -1),
        ("That is no problem, not bad.", 1),
        ("It was nice, but the delivery was terrible.", -1),
        ("See you tomorrow 😊", 1),
        ("It looks like rain; I would like two.", 0),
        ("The table is two metres long.", 0),
        ("我喜欢这张沙发。", 0),
    ],
)
def test_how_a_text_sounds(text: str, sign: int) -> None:
    value = feeling(text)
    assert (value > 0) - (value < 0) == sign


def test_a_degree_makes_it_stronger() -> None:
    assert feeling("really awful") < feeling("awful") < feeling("slightly awful") < 0


@given(st.text(max_size=300))
def test_any_text_has_a_feeling_between_the_bounds(text: str) -> None:
    assert -1 <= feeling(text) <= 1


def test_the_mood_of_a_conversation_is_that_of_its_people() -> None:
    mood = sentiment(talk("U: This is awful.", "A: Great, wonderful!", "U: I see.", "U: Now I'm happy!"))
    assert set(mood.by_speaker) == {"user", "assistant"}
    assert mood.by_speaker["assistant"] > 0
    assert mood.trend > 0
    assert sentiment([]).overall == 0


@pytest.mark.parametrize(
    ("lines", "outcome"),
    [
        (["Ann: We went to the lake.", "Bob: Lovely."], Resolution.NONE),
        (["U: How do I reset it?", "A: Hold the button."], Resolution.OPEN),
        (["U: How do I reset it?", "A: Hold the button.", "U: That worked, thanks!"], Resolution.RESOLVED),
        (["U: Please cancel my order.", "A: I have cancelled it."], Resolution.RESOLVED),
        (["U: It won't start.", "A: Restart it.", "U: Still doesn't work."], Resolution.UNRESOLVED),
        (["U: Do you ship to Oslo?", "A: We don't ship there, sorry."], Resolution.UNRESOLVED),
        (["U: I was charged twice.", "A: I am transferring you to billing."], Resolution.ESCALATED),
        (["U: How do I reset it?", "A: Hold the button.", "U: Thanks, I'll try that."], Resolution.OPEN),
    ],
)
def test_what_became_of_a_need(lines: list[str], outcome: Resolution) -> None:
    assert resolution(talk(*lines)) is outcome


def test_a_promise_is_its_speakers_and_has_a_due_date() -> None:
    (promised,) = actions(talk("A: I'll send you the quote by Friday."))
    assert (promised.text, promised.owner, promised.done) == (
        "send you the quote by Friday",
        "assistant",
        False,
    )
    assert promised.due == datetime(2026, 3, 7, tzinfo=UTC)
    assert promised.evidence == UUID(int=1)


def test_what_is_asked_is_the_others_to_do() -> None:
    turns = talk("Ann: Hello.", "Bob: Hi.", "Ann: Could you call me on Monday?")
    assert [(one.owner, one.text) for one in actions(turns)] == [("Bob", "call me on Monday")]
    named = talk("Ann: Hello.", "Bob: Hi.", "Cara: Hi.", "Ann: Bob, please send me the photos.")
    assert [one.owner for one in actions(named)] == ["Bob"]


@pytest.mark.parametrize(
    "later",
    ["Bob: I've sent you the photos.", "Ann: Got the photos, thanks.", "Bob: I sent them just now."],
)
def test_a_later_turn_says_that_it_is_done(later: str) -> None:
    (one,) = actions(talk("Ann: Bob, hello.", "Bob: I'll send you the photos.", later))
    assert one.done


@pytest.mark.parametrize(
    "later", ["Bob: I haven't sent the photos yet.", "Ann: I sent you the keys.", "Ann: Did you send it?"]
)
def test_nothing_else_does(later: str) -> None:
    promised, *_ = actions(talk("Ann: Hi.", "Bob: I'll send you the photos.", later))
    assert not promised.done


@pytest.mark.parametrize(
    "line",
    [
        "U: Maybe I'll call them.",
        "U: She said she will call me.",
        "U: I'll have the soup.",
        "A: Make sure to check the oven.",
        "U: Should I send it?",
        "U: I called them.",
        "U: Can you write me a poem about rain?",
        "U: I'll check it out.",
    ],
)
def test_what_is_no_promise(line: str) -> None:
    assert actions(talk(line)) == ()


def test_the_same_action_stands_once_with_its_date() -> None:
    (one,) = actions(talk("U: Can you send me the quote?", "A: Yes, I'll send you the quote by Friday."))
    assert one.due == datetime(2026, 3, 7, tzinfo=UTC)


@pytest.mark.parametrize(
    ("end", "text"),
    [
        (", and then, but.", "send you the quote"),
        (" approx.  ok - so", "send you the quote approx."),
        ("  for   the thousand sofas...", "send you the quote for the thousand sofas"),
    ],
)
def test_an_action_ends_with_its_words(end: str, text: str) -> None:
    (one,) = actions(talk(f"U: I'll send you the quote{end}"))
    assert one.text == text


def test_whom_a_name_is_asked_among_several() -> None:
    turns = talk("Ann: Hi.", "Bob: Hello.", "Cem: Bob, could you send the plan?", "Ann: Could you call Cem?")
    assert [one.owner for one in actions(turns)] == ["Bob", "Cem"]


@pytest.mark.parametrize(
    "unit", [" ", "\n", "Mr. ", "a, ", "- ", "and ", "please ", "I'll send it. ", "(", "is "]
)
def test_a_long_turn_is_read(unit: str) -> None:
    """What grows faster than the turn would be at this for minutes."""
    long = unit * (100_000 // len(unit))
    turns = talk(f"U: I'll send {long}", f"A: Could you book{long} the room?")
    assert len(actions(turns)) <= MOST
    assert resolution(turns) in Resolution
    assert len(topics(turns)) <= 6
    assert -1 <= sentiment(turns).overall <= 1


def test_the_last_actions_are_kept() -> None:
    lines = [f"U: I'll send room{number} the plan." for number in range(MOST + 5)]
    assert [one.text.split()[1] for one in actions(talk(*lines))] == [f"room{n}" for n in range(5, MOST + 5)]


def test_topics_are_what_is_spoken_of_again() -> None:
    turns = talk(
        "Ann: The leather sofa is too large for us.",
        "Bob: Then look at the grey sectional, Ann.",
        "Ann: The leather sofa was my favourite, the grey sectional is fine.",
    )
    found = topics(turns, ["Ann", "Bob"])
    assert set(found[:2]) == {"leather sofa", "grey sectional"}
    assert not any("ann" in topic.split() for topic in found)


@given(st.lists(st.text(max_size=60), max_size=6))
def test_any_conversation_is_read(texts: list[str]) -> None:
    turns = talk(*(f"U: {text}" for text in texts))
    assert len(topics(turns)) <= 6
    assert resolution(turns) in Resolution
    assert all(one.text for one in actions(turns))
