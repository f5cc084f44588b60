"""Conversations in files, read whole or refused with the place of the fault."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, strategies as st

from recollect.core.errors import Invalid
from recollect.core.model import Message, Turns
from recollect.core.transcripts import read_transcripts

WORDS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1).filter(str.strip)
TIMES = st.datetimes(datetime(1990, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
MESSAGES = st.builds(
    Message,
    WORDS,
    role=st.sampled_from(["user", "assistant", "tool"]),
    name=st.none() | WORDS,
    at=st.none() | TIMES,
    metadata=st.dictionaries(st.text(max_size=5), st.integers() | st.none(), max_size=2),
)
SESSIONS = st.dictionaries(WORDS, st.lists(MESSAGES, min_size=1, max_size=4), min_size=1, max_size=4)


def line(session_id: str, message: Message, user_id: str) -> str:
    fields = {
        "session_id": session_id,
        "user_id": user_id,
        "content": message.content,
        "role": message.role,
        "name": message.name,
        "at": message.at and message.at.isoformat(),
        "metadata": message.metadata,
    }
    return json.dumps(fields, ensure_ascii=False)


@given(SESSIONS, st.randoms())
def test_lines_come_back_as_sessions_however_they_are_interleaved(
    sessions: dict[str, list[Message]], random: Any
) -> None:
    queues = {session_id: list(messages) for session_id, messages in sessions.items()}
    lines = []
    while queues:
        session_id = random.choice(sorted(queues))
        lines.append(line(session_id, queues[session_id].pop(0), "u"))
        if not queues[session_id]:
            del queues[session_id]
    read = read_transcripts("\n".join(lines), "file")
    assert {turns.session_id: turns.messages for turns in read} == sessions
    assert {turns.user_id for turns in read} == {"u"}


GOOD = '{"session_id": "s", "content": "Hello."}'


@pytest.mark.parametrize(
    ("second", "why"),
    [
        ("nonsense", "this is not JSON"),
        ("[]", "this is not a JSON object"),
        ('{"session_id": "s"}', "content is missing or empty"),
        ('{"session_id": "s", "content": " "}', "content is missing or empty"),
        ('{"content": "x"}', "session_id is missing or empty"),
        ('{"session_id": 7, "content": "x"}', "session_id is not a string"),
        ('{"session_id": "s", "content": "x", "metadata": []}', "metadata is not an object"),
        ('{"session_id": "s", "content": "x", "sesion": 1}', "unknown field 'sesion'"),
        ('{"session_id": "s", "content": "x", "at": "soon"}', "is not a time"),
        ('{"session_id": "s", "content": "x", "at": "2026-03-02T09:00:00"}', "lacks its offset"),
        ('{"session_id": "s", "content": "x", "user_id": "other"}', "has user_id None above, and 'other'"),
    ],
)
def test_a_bad_line_is_named(second: str, why: str) -> None:
    with pytest.raises(Invalid, match=r"^chat\.jsonl:3: ") as refused:
        read_transcripts(f"{GOOD}\n\n{second}\n{GOOD}", "chat.jsonl")
    assert why in str(refused.value)


def locomo(**conversation: Any) -> str:
    return json.dumps([{"sample_id": "one", "qa": [], "conversation": {"speaker_a": "Ann", **conversation}}])


def test_a_locomo_conversation_is_read_with_its_dates_and_captions() -> None:
    text = locomo(
        session_10=[{"speaker": "Ben", "dia_id": "D10:1", "text": "Later."}],
        session_10_date_time="12:05 am on 1 March, 2026",
        session_2=[{"speaker": "Ann", "dia_id": "D2:1", "text": "Look!", "blip_caption": "a photo of a cat"}],
        session_2_date_time="1:56 pm on 8 May, 2025",
        session_3=[],
        session_3_date_time="1:56 pm on 9 May, 2025",
    )
    noon, night = datetime(2025, 5, 8, 13, 56, tzinfo=UTC), datetime(2026, 3, 1, 0, 5, tzinfo=UTC)
    look = Message("Look! [shares a photo of a cat]", name="Ann", at=noon, metadata={"dia_id": "D2:1"})
    later = Message("Later.", name="Ben", at=night, metadata={"dia_id": "D10:1"})
    assert read_transcripts(text, "file") == [
        Turns("one-session_2", [look], user_id="one"),
        Turns("one-session_10", [later], user_id="one"),
    ]
    assert read_transcripts(json.dumps(json.loads(text)[0], indent=1), "file") == read_transcripts(
        text, "file"
    )


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "there is no conversation in it"),
        ("[]", "there is no conversation in it"),
        ("[1]", "conversation 1: there is no object `conversation`"),
        ('{"conversation": {\n"session_1": [}', ":2: this is not JSON"),
        (locomo(session_1=[{}]), "one, session_1: its date_time is None"),
        (
            locomo(session_1=[{"speaker": "Ann"}], session_1_date_time="1:56 pm on 8 May, 2025"),
            "one, session_1: turn 1: text is missing or empty",
        ),
        (
            locomo(session_1=[3], session_1_date_time="1:56 pm on 8 May, 2025"),
            "one, session_1: turn 1 is not an object",
        ),
        (
            locomo(session_1=3, session_1_date_time="1:56 pm on 8 May, 2025"),
            "one, session_1: this is not a list",
        ),
    ],
)
def test_a_file_that_is_no_conversation_is_refused(text: str, why: str) -> None:
    with pytest.raises(Invalid) as refused:
        read_transcripts(text, "locomo.json")
    assert str(refused.value).startswith("locomo.json")
    assert why in str(refused.value)
