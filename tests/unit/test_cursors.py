"""Cursors: what was made is read again, and nothing else is."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import pytest
from hypothesis import given, strategies as st

from recollect.core.errors import InvalidCursor
from recollect.interfaces.http.cursors import (
    memory_cursor,
    parse_memory_cursor,
    parse_session_cursor,
    parse_user_cursor,
    session_cursor,
    user_cursor,
)

IDS = st.text(st.characters(exclude_categories=["Cc", "Cs"]), min_size=1, max_size=200)


@given(st.uuids(), IDS, st.datetimes(timezones=st.just(UTC)))
def test_a_cursor_says_where_the_page_ended(memory: UUID, name: str, at: datetime) -> None:
    assert parse_memory_cursor(memory_cursor(memory)) == memory
    assert parse_session_cursor(session_cursor(at, name)) == (at, name)
    assert parse_user_cursor(user_cursor(name)) == name


@given(st.text())
def test_what_we_did_not_make_is_refused(text: str) -> None:
    for parse in (parse_memory_cursor, parse_session_cursor, parse_user_cursor):
        with pytest.raises(InvalidCursor):
            parse(text)


def test_no_cursor_is_the_first_page() -> None:
    assert (parse_memory_cursor(None), parse_session_cursor(None), parse_user_cursor(None)) == (
        None,
        None,
        "",
    )
