"""Cursors: where a page of a list ended, as a text that its client only hands back."""

from __future__ import annotations

import base64
import binascii
import json
from datetime import datetime
from typing import Any
from uuid import UUID

from recollect.core.bounds import check_id
from recollect.core.errors import Invalid, InvalidCursor


def _pack(name: str, place: list[str]) -> str:
    text = json.dumps([name, *place], separators=(",", ":"))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _unpack(cursor: str, name: str, parts: int) -> list[str]:
    try:
        text = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        read: Any = json.loads(text)
    except (binascii.Error, ValueError, RecursionError):
        raise InvalidCursor from None
    place = read[1:] if isinstance(read, list) and read[:1] == [name] else []
    if len(place) != parts or not all(isinstance(part, str) for part in place):
        raise InvalidCursor
    return place


def memory_cursor(last: UUID) -> str:
    """The cursor after a memory.

    >>> parse_memory_cursor(memory_cursor(UUID(int=7)))
    UUID('00000000-0000-0000-0000-000000000007')
    """
    return _pack("memories", [str(last)])


def parse_memory_cursor(cursor: str | None) -> UUID | None:
    """The memory that a page follows; None: it is the first page.

    Raises:
        InvalidCursor: this is no cursor of a list of memories.
    """
    if cursor is None:
        return None
    try:
        (last,) = _unpack(cursor, "memories", 1)
        return UUID(last)
    except ValueError:
        raise InvalidCursor from None


def entity_cursor(last: UUID) -> str:
    """The cursor after an entity."""
    return _pack("entities", [str(last)])


def parse_entity_cursor(cursor: str | None) -> UUID | None:
    """The entity that a page follows; None: it is the first page.

    Raises:
        InvalidCursor: this is no cursor of a list of entities.
    """
    if cursor is None:
        return None
    try:
        (last,) = _unpack(cursor, "entities", 1)
        return UUID(last)
    except ValueError:
        raise InvalidCursor from None


def timeline_cursor(at: datetime, what: str, id_: UUID) -> str:
    """The cursor after something in a timeline."""
    return _pack("timeline", [at.isoformat(), what, str(id_)])


def parse_timeline_cursor(cursor: str | None) -> tuple[datetime, str, UUID] | None:
    """What a page of a timeline follows; None: it is the first page.

    Raises:
        InvalidCursor: this is no cursor of a timeline.
    """
    if cursor is None:
        return None
    at, what, id_ = _unpack(cursor, "timeline", 3)
    try:
        moment, last = datetime.fromisoformat(at), UUID(id_)
    except ValueError:
        raise InvalidCursor from None
    if moment.tzinfo is None:
        raise InvalidCursor
    return moment, _id(what), last


def session_cursor(created_at: datetime, session_id: str) -> str:
    """The cursor after a session."""
    return _pack("sessions", [created_at.isoformat(), session_id])


def parse_session_cursor(cursor: str | None) -> tuple[datetime, str] | None:
    """The session that a page follows; None: it is the first page.

    Raises:
        InvalidCursor: this is no cursor of a list of sessions.
    """
    if cursor is None:
        return None
    at, session_id = _unpack(cursor, "sessions", 2)
    try:
        moment = datetime.fromisoformat(at)
    except ValueError:
        raise InvalidCursor from None
    if moment.tzinfo is None:
        raise InvalidCursor
    return moment, _id(session_id)


def user_cursor(user_id: str) -> str:
    """The cursor after a user."""
    return _pack("users", [user_id])


def parse_user_cursor(cursor: str | None) -> str:
    """The user that a page follows; '': it is the first page.

    Raises:
        InvalidCursor: this is no cursor of a list of users.
    """
    return "" if cursor is None else _id(*_unpack(cursor, "users", 1))


def _id(text: str) -> str:
    try:
        return check_id(text, "The place")
    except Invalid:
        raise InvalidCursor from None
