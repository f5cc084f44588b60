from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given, strategies as st

from recollect.core.model import Kind, Memory, Trust
from recollect.core.recall.candidates import Query
from recollect.core.recall.ranking import Ranked
from recollect.core.recall.reasons import why

AT = datetime(2026, 3, 10, 15, tzinfo=UTC)
DAY = datetime(2026, 3, 10, tzinfo=UTC)
QUERY = Query("When did Caroline paint the lake?", names=("Caroline",))


def said(content: str, name: str | None = None, role: str | None = None) -> Memory:
    return Memory(UUID(int=1), Kind.MESSAGE, content, Trust.USER, AT, AT, role=role, name=name)


def reasons(
    parts: Mapping[str, float],
    memory: Memory,
    matched: tuple[str, ...] = (),
    similarity: float | None = 0.5,
    query: Query = QUERY,
) -> str:
    return why(query, Ranked(0, sum(parts.values()), parts, matched, similarity), memory)


def asked(first: int, days: int = 1) -> Query:
    """A question about so many days, the first of them so many days after the memory's own."""
    start = DAY + timedelta(first)
    return Query("when?", spans=((start.timestamp(), (start + timedelta(days)).timestamp()),))


def test_words_are_told_as_the_memory_writes_them() -> None:
    told = reasons({"words": 3.0}, said("She PAINTED it by the lake’s shore"), ("lake", "paint", "absent"))
    assert told == "says 'lake’s' and 'PAINTED'"


def test_a_script_without_spaces_is_told_by_token() -> None:
    assert reasons({"words": 1.0}, said("我喜欢灰色的沙发"), ("沙发",)) == "says '沙发'"


def test_what_it_says_comes_first_then_who_then_what_stands_around() -> None:
    parts = {"dense": 3.0, "words": 1.0, "window": 2.0, "session": 2.0, "date": -1.0}
    assert reasons(parts, said("We paint.", name="Caroline"), ("paint",)) == (
        "says 'paint', close in meaning, said by Caroline, the turns around it fit, from a session about it"
    )


def test_who_has_no_name_is_told_by_role() -> None:
    assert reasons({"words": 1.0}, said("We paint.", role="customer"), ("paint",)) == (
        "says 'paint', said by the customer"
    )


@pytest.mark.parametrize("similarity", [None, 0.1])
def test_the_nearest_of_what_is_far_is_not_called_close(similarity: float | None) -> None:
    assert reasons({"dense": 5.0}, said("Hello"), similarity=similarity) == "the nearest there is"


def test_what_stands_around_it_is_told() -> None:
    parts = {"dense": 0.1, "window": 0.5, "previous": 0.5, "session": 0.4}
    assert reasons(parts, said("Yes!")) == "the turns around it fit, from a session about it"


def test_a_memory_without_a_reason_is_the_nearest_and_still_somebodys() -> None:
    assert reasons({"dense": -0.5}, said("Hello", name="Ann")) == "the nearest there is, said by Ann"


@pytest.mark.parametrize(
    ("query", "told"),
    [
        (asked(0), "on the date you asked about"),
        (asked(-3, 7), "in the time you asked about"),
        (asked(1), "a day before the date you asked about"),
        (asked(2), "two days before the date you asked about"),
        (asked(-2), "two days after the date you asked about"),
        (asked(21, 31), "three weeks before the time you asked about"),
        (asked(31), None),
        (Query("who?"), None),
    ],
)
def test_how_its_date_lies_to_the_one_asked_about(query: Query, told: str | None) -> None:
    expected = ["says 'lake'", "said by Ann", *([told] if told else [])]
    assert reasons({"words": 1.0}, said("The lake.", name="Ann"), ("lake",), query=query) == ", ".join(
        expected
    )


def test_of_several_times_the_nearest_is_told() -> None:
    query = Query("when?", spans=(*asked(-20).spans, *asked(1).spans))
    assert (
        reasons({}, said("Hi"), query=query) == "the nearest there is, a day before the date you asked about"
    )


@given(st.floats(-1e12, 1e12), st.floats(0, 1e10))
def test_any_time_asked_about_will_do(start: float, length: float) -> None:
    assert reasons({"words": 1.0}, said("lake"), ("lake",), query=Query("", spans=((start, start + length),)))


@pytest.mark.parametrize("content", ["", "\ud800 \x00", "lake " * 20_000])
def test_any_content_will_do(content: str) -> None:
    assert reasons({"dense": 1.0}, said(content), ("lake",)).startswith(("close in meaning", "says 'lake'"))
