"""What a value from outside may be: whatever passes can be kept."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given, strategies as st

from recollect.core.bounds import DEEPEST_JSON, check_id, check_json, check_shares, check_times
from recollect.core.errors import Invalid, TooLarge

ANY_TEXT = st.text(st.characters())
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | ANY_TEXT,
    lambda inner: st.lists(inner) | st.dictionaries(ANY_TEXT, inner),
)


@given(JSON)
def test_json_that_passes_can_be_kept(value: Any) -> None:
    try:
        check_json(value, "metadata")
    except (Invalid, TooLarge):
        return
    text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    assert "\0" not in text
    assert "\\u0000" not in text
    text.encode()


@given(ANY_TEXT)
def test_an_id_that_passes_is_printable_enough(value: str) -> None:
    try:
        check_id(value, "user_id")
    except Invalid:
        return
    assert 1 <= len(value) <= 200
    assert not any(ord(character) < 32 or 0x7F <= ord(character) < 0xA0 for character in value)
    value.encode()


def test_depth_is_counted_from_the_value() -> None:
    def nested(levels: int) -> Any:
        return {"k": nested(levels - 1)} if levels else "end"

    check_json(nested(DEEPEST_JSON), "metadata")
    with pytest.raises(TooLarge):
        check_json(nested(DEEPEST_JSON + 1), "metadata")


def test_a_ring_is_refused_not_followed() -> None:
    ring: dict[str, Any] = {}
    ring["ring"] = ring
    with pytest.raises(TooLarge):
        check_json(ring, "metadata")


@pytest.mark.parametrize(
    "value", [object(), b"bytes", {1, 2}, {1: "one"}, datetime.now(UTC), float("nan"), 1j]
)
def test_what_is_not_json_is_refused(value: Any) -> None:
    with pytest.raises(Invalid):
        check_json({"k": [value]}, "metadata")


@pytest.mark.parametrize(
    "at",
    [
        datetime(2026, 1, 1),  # noqa: DTZ001 - the lack of a zone is the subject
        datetime.min.replace(tzinfo=timezone(timedelta(hours=14))),
        datetime.max.replace(tzinfo=timezone(timedelta(hours=-14))),
        datetime(999, 12, 31, tzinfo=UTC),
    ],
)
def test_a_time_no_calendar_reaches_is_refused(at: datetime) -> None:
    with pytest.raises(Invalid, match="since"):
        check_times(since=at, until=None)


@pytest.mark.parametrize("share", [-0.1, 1.1, float("nan"), float("inf")])
def test_a_share_is_from_nothing_to_all(share: float) -> None:
    check_shares(importance=0.0, confidence=1.0)
    with pytest.raises(Invalid, match="importance"):
        check_shares(importance=share)
