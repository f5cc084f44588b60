"""What a value from outside may be before anything is done with it: texts, ids, JSON, times."""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from recollect.core.errors import Invalid, TooLarge
from recollect.core.model import Filter, Note, Turns

LONGEST_ID = 200
LONGEST_CONTENT = 100_000
LARGEST_PAGE = 200
LARGEST_JSON = 65_536
RESERVED = frozenset({"extractor", "told", "said", "corrects", "ends", "decided"})
"""Keys of `source` by which it is known that a memory was derived, and how."""

DEEPEST_JSON = 16
EARLIEST = datetime(1000, 1, 1, tzinfo=UTC)
LATEST = datetime(9999, 1, 1, tzinfo=UTC)

# PostgreSQL's text has no NUL, and UTF-8 no half of a surrogate pair.
_NOT_TEXT = re.compile("[\0\ud800-\udfff]")
_NOT_IN_ID = re.compile("[\0-\x1f\x7f-\x9f\ud800-\udfff]")


def check_text(text: str, what: str) -> str:
    """The text, if it can be kept as it is.

    Raises:
        Invalid: it holds NUL, or half a surrogate pair.
    """
    if _NOT_TEXT.search(text):
        raise Invalid(f"{what} is not text: it holds NUL or half a surrogate pair.")
    return text


def check_content(content: str, what: str) -> None:
    """Refuse what cannot be a memory's text.

    Raises:
        Invalid: it is empty, or not text.
        TooLarge: it is longer than `LONGEST_CONTENT`.
    """
    if not content.strip():
        raise Invalid(f"{what} is empty.")
    check_text(content, what)
    if len(content) > LONGEST_CONTENT:
        raise TooLarge(
            f"{what} has {len(content)} characters.",
            hint=f"At most {LONGEST_CONTENT}; send a long text in parts.",
        )


def check_page(limit: int) -> None:
    """Refuse a page that is empty, or longer than `LARGEST_PAGE`.

    Raises:
        Invalid: it is.
    """
    if not 1 <= limit <= LARGEST_PAGE:
        raise Invalid(f"limit is {limit}; it must be from 1 to {LARGEST_PAGE}.")


def check_id(value: str, what: str) -> str:
    """The id, if somebody can have it.

    Raises:
        Invalid: it is empty, longer than `LONGEST_ID`, or holds a control character.

    >>> check_id("customer-17", "user_id")
    'customer-17'
    """
    if not 1 <= len(value) <= LONGEST_ID or _NOT_IN_ID.search(value):
        raise Invalid(
            f"{what} cannot be an id.",
            hint=f"1 to {LONGEST_ID} characters, none of them a control character.",
        )
    return value


def check_json(value: Any, what: str) -> None:
    """Refuse a JSON value that cannot be kept, or is larger than what belongs beside a memory.

    Raises:
        Invalid: a number that is not finite, a text that is not one, or something that is not JSON.
        TooLarge: deeper than `DEEPEST_JSON`, or with more than `LARGEST_JSON` characters and values.
    """
    level, size = [value], 0
    for _ in range(DEEPEST_JSON + 1):
        size += sum(_weigh(item, what) for item in level)
        if size > LARGEST_JSON:
            raise TooLarge(f"{what} is too large.", hint=f"At most {LARGEST_JSON} characters.")
        level = [inner for item in level for inner in _inside(item)]
        if not level:
            return
    raise TooLarge(f"{what} is nested too deeply.", hint=f"At most {DEEPEST_JSON} levels.")


def _weigh(item: Any, what: str) -> int:
    match item:
        case str():
            return 1 + len(check_text(item, what))
        case float() if not math.isfinite(item):
            raise Invalid(f"{what} holds a number that is not finite.")
        case int():
            return 1 + item.bit_length() // 3
        case dict() if not all(isinstance(key, str) for key in item):
            raise Invalid(f"{what} holds a key that is not text.")
        case None | float() | list() | tuple() | dict():
            return 1
        case _:
            raise Invalid(f"{what} holds something that is not JSON.")


def _inside(item: Any) -> list[Any]:
    if isinstance(item, dict):
        return [*item, *item.values()]
    return list(item) if isinstance(item, list | tuple) else []


def check_times(**times: datetime | None) -> None:
    """Refuse a time without a zone, or one that no calendar of ours reaches.

    Raises:
        Invalid: a time has no zone, or is before the year 1000 or after 9998.
    """
    for what, at in times.items():
        if at and (at.tzinfo is None or not EARLIEST <= at < LATEST):
            raise Invalid(f"{what} is not a time with a zone, of the years 1000 to 9998.")


def check_ids(**ids: str | None) -> None:
    """Refuse an id that nobody can have; None is none.

    Raises:
        Invalid: as `check_id` does.
    """
    for what, value in ids.items():
        if value is not None:
            check_id(value, what)


def check_turns(turns: Turns) -> None:
    """Refuse turns of which anything but the content cannot be kept.

    Raises:
        Invalid, TooLarge: as the checks above do.
    """
    check_ids(session_id=turns.session_id, user_id=turns.user_id, agent_id=turns.agent_id)
    for message in turns.messages:
        check_ids(role=message.role, name=message.name)
        check_times(at=message.at)
        check_json(message.metadata, "metadata")


def check_notes(notes: Sequence[Note]) -> None:
    """Refuse notes of which anything but the content cannot be kept.

    Raises:
        Invalid, TooLarge: as the checks above do.
    """
    for note in notes:
        check_ids(user_id=note.user_id, agent_id=note.agent_id)
        check_times(valid_from=note.valid_from, valid_to=note.valid_to, expires_at=note.expires_at)
        check_shares(importance=note.importance, confidence=note.confidence)
        check_json(note.metadata, "metadata")
        check_json(note.source, "source")
        if reserved := RESERVED.intersection(note.source):
            raise Invalid(f"source holds {min(reserved)!r}, which is for what was derived.")


def check_shares(**shares: float) -> None:
    """Refuse what is not from 0 to 1.

    Raises:
        Invalid: one is not.
    """
    for what, share in shares.items():
        if not 0 <= share <= 1:
            raise Invalid(f"{what} is not from 0 to 1.")


def check_scope(scope: Filter) -> None:
    """Refuse a scope in which nothing could ever be.

    Raises:
        Invalid: as the checks above do.
    """
    if scope.all_users and scope.user_id:
        raise Invalid("The scope is one user's and everybody's.", hint="Give user_id or all_users, not both.")
    check_ids(user_id=scope.user_id, agent_id=scope.agent_id, session_id=scope.session_id)
    check_times(since=scope.since, until=scope.until, as_of=scope.as_of, known_at=scope.known_at)
