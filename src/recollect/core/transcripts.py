"""Conversations written down in files, as the turns of sessions.

Two shapes are read. JSON Lines: one turn a line, an object with `session_id` and `content`, and, where there
are such, `role`, `name`, `at`, `user_id`, `agent_id` and `metadata`. And that of LoCoMo: a JSON object, or a
list of them, whose `conversation` has lists `session_1`, `session_2`, … beside `session_1_date_time`, ….
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any, TypeAlias

from recollect.core.errors import Invalid
from recollect.core.model import Message, Turns

Json: TypeAlias = Mapping[str, Any]

TURN_FIELDS = ("session_id", "content", "role", "name", "at", "user_id", "agent_id", "metadata")

EXAMPLE = '{"session_id": "s1", "user_id": "ann", "content": "My dog is called Rex."}'
"""A turn as it stands on a line."""

_SHAPE = f"Write one JSON object a line, with no list around them, like {EXAMPLE}. Or have LoCoMo's shape."
_SESSION = re.compile(r"session_(\d+)")
_LOCOMO_TIME = "%I:%M %p on %d %B, %Y"


def read_transcripts(text: str, file: str) -> list[Turns]:
    """Every session of a file, in the order in which they begin, each with all its turns.

    Nothing is returned unless all of it can be read. `file` names the file in errors.

    Raises:
        Invalid: names the file, and the line or the turn, and what is wrong with it.
    """
    sessions = _read_lines(text, file) if _is_lines(text) else _read_locomo(text, file)
    if not sessions:
        raise Invalid(f"{file}: there is no conversation in it.")
    return sessions


def _is_lines(text: str) -> bool:
    """Whether the first line is an object by itself, and not a conversation of LoCoMo's."""
    first = text.lstrip().partition("\n")[0]
    try:
        value = json.loads(first)
    except ValueError:
        return not text.lstrip().startswith("[") and "conversation" not in text[:100_000]
    return isinstance(value, dict) and "conversation" not in value


class _Fault(Exception):
    """What is wrong with a turn; the caller knows where it stands."""


def _read_lines(text: str, file: str) -> list[Turns]:
    sessions: dict[str, list[Turns]] = {}
    # Not splitlines(): a JSON string may hold separators that it would split at.
    for number, line in enumerate(text.split("\n"), 1):
        if not line.strip():
            continue
        try:
            turn = _read_turn(line)
            _require_same(sessions.setdefault(turn.session_id, [turn])[0], turn)
        except _Fault as fault:
            hint = f"Write one JSON object a line, like {EXAMPLE}. Its fields: {', '.join(TURN_FIELDS)}."
            raise Invalid(f"{file}:{number}: {fault}.", hint=hint) from None
        if sessions[turn.session_id][0] is not turn:
            sessions[turn.session_id].append(turn)
    return [replace(turns[0], messages=[turn.messages[0] for turn in turns]) for turns in sessions.values()]


def _read_turn(line: str) -> Turns:
    """One line: a session with one turn."""
    try:
        fields = json.loads(line)
    except ValueError as error:
        raise _Fault(f"this is not JSON: {error}") from None
    if not isinstance(fields, dict):
        raise _Fault("this is not a JSON object")
    if unknown := fields.keys() - set(TURN_FIELDS):
        raise _Fault(f"unknown field {min(unknown)!r}; what else is known of a turn goes into `metadata`")
    metadata = fields.get("metadata")
    if not isinstance(metadata, dict | None):
        raise _Fault("metadata is not an object")
    at = _string(fields, "at")
    message = Message(
        _required(fields, "content"),
        role=_string(fields, "role") or "user",
        name=_string(fields, "name"),
        at=_moment(at) if at else None,
        metadata=metadata or {},
    )
    return Turns(
        _required(fields, "session_id"), (message,), _string(fields, "user_id"), _string(fields, "agent_id")
    )


def _require_same(first: Turns, turn: Turns) -> None:
    """A session is one user's and one agent's: those of its first turn."""
    for field in ("user_id", "agent_id"):
        before, now = getattr(first, field), getattr(turn, field)
        if now not in (None, before):
            raise _Fault(f"session {turn.session_id!r} has {field} {before!r} above, and {now!r} here")


def _required(fields: Json, key: str) -> str:
    value = _string(fields, key)
    if not value or not value.strip():
        raise _Fault(f"{key} is missing or empty")
    return value


def _string(fields: Json, key: str) -> str | None:
    value = fields.get(key)
    if value is not None and not isinstance(value, str):
        raise _Fault(f"{key} is not a string")
    return value


def _moment(text: str) -> datetime:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise _Fault(f"at is {text!r}, which is not a time like 2026-03-02T17:05:00+01:00") from None
    if moment.tzinfo is None:
        raise _Fault(f"at is {text!r}, which lacks its offset from UTC, like Z or +01:00")
    return moment


def _read_locomo(text: str, file: str) -> list[Turns]:
    try:
        document = json.loads(text)
    except json.JSONDecodeError as error:
        raise Invalid(f"{file}:{error.lineno}: this is not JSON: {error.msg}.", hint=_SHAPE) from None
    samples = document if isinstance(document, list) else [document]
    return [turns for number, sample in enumerate(samples, 1) for turns in _read_sample(sample, number, file)]


def _read_sample(sample: Any, number: int, file: str) -> Iterator[Turns]:
    """The sessions of one conversation, all of one user: the conversation's own id."""
    conversation = sample.get("conversation") if isinstance(sample, dict) else None
    if not isinstance(conversation, dict):
        raise Invalid(f"{file}: conversation {number}: there is no object `conversation` in it.", hint=_SHAPE)
    name = str(sample.get("sample_id") or f"conversation-{number}")
    found = [(int(match[1]), key) for key in conversation if (match := _SESSION.fullmatch(key))]
    for _, key in sorted(found):
        try:
            messages = _locomo_session(conversation[key], conversation.get(f"{key}_date_time"))
        except _Fault as fault:
            raise Invalid(f"{file}: {name}, {key}: {fault}.") from None
        if messages:
            yield Turns(f"{name}-{key}", messages, user_id=name)


def _locomo_session(turns: Any, date_time: Any) -> list[Message]:
    if not isinstance(turns, list):
        raise _Fault("this is not a list")
    at = _locomo_time(date_time)
    return [_locomo_turn(turn, place, at) for place, turn in enumerate(turns, 1)]


def _locomo_time(text: Any) -> datetime:
    """A session's time, like '1:56 pm on 8 May, 2023'; it is told without a zone, and taken as UTC."""
    try:
        return datetime.strptime(str(text), _LOCOMO_TIME).replace(tzinfo=UTC)
    except ValueError:
        raise _Fault(
            f"its date_time is {text!r}, which is not a time like '1:56 pm on 8 May, 2023'"
        ) from None


def _locomo_turn(turn: Any, place: int, at: datetime) -> Message:
    """A turn; what a shared picture shows stands in brackets behind what was said."""
    if not isinstance(turn, dict):
        raise _Fault(f"turn {place} is not an object")
    try:
        speaker, content = _required(turn, "speaker"), _string(turn, "text") or ""
        caption, place_id = _string(turn, "blip_caption"), _string(turn, "dia_id")
    except _Fault as fault:
        raise _Fault(f"turn {place}: {fault}") from None
    content = f"{content} [shares {caption}]" if caption else content
    if not content.strip():
        raise _Fault(f"turn {place}: text is missing or empty")
    return Message(content, name=speaker, at=at, metadata={"dia_id": place_id} if place_id else {})
