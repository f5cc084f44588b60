"""What a value from outside may be before anything is done with it: texts, ids, JSON, times."""

from __future__ import annotations

import math
import re
from datetime import UTC, datetime
from typing import Any

from recollect.core.errors import Invalid, TooLarge

LONGEST_ID = 200
LARGEST_JSON = 65_536
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
        case None | bool() | int() | float() | list() | tuple() | dict():
            return 1
        case _:
            raise Invalid(f"{what} holds something that is not JSON.")


def _inside(item: Any) -> list[Any]:
    if isinstance(item, dict):
        return [*item, *item.values()]
    return list(item) if isinstance(item, list | tuple) else []


def check_time(at: datetime, what: str) -> None:
    """Refuse a time without a zone, or one that no calendar of ours reaches.

    Raises:
        Invalid: the time has no zone, or is before the year 1000 or after 9998.
    """
    if at.tzinfo is None or not EARLIEST <= at < LATEST:
        raise Invalid(f"{what} is not a time with a zone, of the years 1000 to 9998.")
