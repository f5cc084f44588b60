"""Time expressions: said on Wednesday 10 May 2023 at 14:30."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, strategies as st

from recollect.core.text import times
from recollect.core.text.dates import EARLIEST, LATEST, floor, nth_week, shift, span
from recollect.core.text.expressions import RULES
from recollect.core.text.times import find_times

NOW = datetime(2023, 5, 10, 14, 30, tzinfo=UTC)
OPEN = {"-": EARLIEST.replace(tzinfo=UTC), "+": LATEST.replace(tzinfo=UTC), "now": NOW}


def at(moment: str) -> datetime:
    return OPEN.get(moment) or datetime.fromisoformat(moment).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "phrase", "start", "end"),
    [
        ("on 5 July 2023 we met", "5 July 2023", "2023-07-05", "2023-07-06"),
        ("July 5th", "July 5th", "2022-07-05", "2022-07-06"),
        ("I will come on July 5th", "July 5th", "2023-07-05", "2023-07-06"),
        ("since 2023-03-05", "since 2023-03-05", "2023-03-05", "now"),
        ("07/05/2023", "07/05/2023", "2023-07-05", "2023-07-06"),
        ("25/12/2022", "25/12/2022", "2022-12-25", "2022-12-26"),
        ("in May 2023", "May 2023", "2023-05-01", "2023-06-01"),
        ("back in 2022", "2022", "2022-01-01", "2023-01-01"),
        ("the summer of 2022", "the summer of 2022", "2022-06-01", "2022-09-01"),
        ("last winter", "last winter", "2022-12-01", "2023-03-01"),
        ("the weekend of 1 July 2023", "the weekend of 1 July 2023", "2023-07-01", "2023-07-03"),
        ("over the weekend", "the weekend", "2023-05-06", "2023-05-08"),
        ("last weekend", "last weekend", "2023-05-06", "2023-05-08"),
        ("yesterday", "yesterday", "2023-05-09", "2023-05-10"),
        ("the day after tomorrow", "the day after tomorrow", "2023-05-12", "2023-05-13"),
        ("last week", "last week", "2023-05-01", "2023-05-08"),
        ("two months ago", "two months ago", "2023-03-10", "2023-03-11"),
        ("3 years, 2 months and a day ago", "3 years, 2 months and a day ago", "2020-03-09", "2020-03-10"),
        ("next Friday", "next Friday", "2023-05-19", "2023-05-20"),
        ("last Friday", "last Friday", "2023-05-05", "2023-05-06"),
        ("on Friday", "Friday", "2023-05-05", "2023-05-06"),
        ("We'll meet on Friday", "Friday", "2023-05-12", "2023-05-13"),
        ("Tuesday of last week", "Tuesday of last week", "2023-05-02", "2023-05-03"),
        ("this morning", "this morning", "2023-05-10T08:00", "2023-05-10T12:00"),
        ("the past three weeks", "the past three weeks", "2023-04-19", "2023-05-10"),
        ("in the next few days", "the next few days", "2023-05-11", "2023-05-14"),
        ("since March", "since March", "2023-03-01", "now"),
        ("before June 2022", "before June 2022", "-", "2022-06-01"),
        ("after Christmas", "after Christmas", "2022-12-26", "+"),
        ("between May and July", "between May and July", "2022-05-01", "2022-08-01"),
        ("from Monday to Friday", "from Monday to Friday", "2023-05-08", "2023-05-13"),
        ("tomorrow at 5pm", "tomorrow at 5pm", "2023-05-11T17:00", "2023-05-11T18:00"),
        ("tonight around 7", "tonight around 7", "2023-05-10T19:00", "2023-05-10T20:00"),
        ("yesterday, from 11 to 3pm", "yesterday, from 11 to 3pm", "2023-05-09T11:00", "2023-05-09T15:00"),
        ("4pm today to 5pm tomorrow", "4pm today to 5pm tomorrow", "2023-05-10T16:00", "2023-05-11T17:00"),
        (
            "a quarter to eight yesterday",
            "a quarter to eight yesterday",
            "2023-05-09T07:45",
            "2023-05-09T07:46",
        ),
        ("Q3 2021", "Q3 2021", "2021-07-01", "2021-10-01"),
        ("the first quarter of last year", "the first quarter of last year", "2022-01-01", "2022-04-01"),
        ("in the 1990s", "the 1990s", "1990-01-01", "2000-01-01"),
        ("the '70s", "the '70s", "1970-01-01", "1980-01-01"),
        ("the first Friday of July 2022", "the first Friday of July 2022", "2022-07-01", "2022-07-02"),
        ("early last week", "early last week", "2023-05-01", "2023-05-04"),
        ("earlier this year", "earlier this year", "2023-01-01", "now"),
        ("the end of March", "the end of March", "2023-03-16", "2023-04-01"),
        ("two days before yesterday", "two days before yesterday", "2023-05-07", "2023-05-08"),
        ("2023-05-07T09:30", "2023-05-07T09:30", "2023-05-07T09:30", "2023-05-07T09:31"),
        ("on Feb 29", "Feb 29", "2020-02-29", "2020-03-01"),
    ],
)
def test_expressions(text: str, phrase: str, start: str, end: str) -> None:
    [found] = find_times(text, NOW)
    assert (found.phrase, found.start, found.end) == (phrase, at(start), at(end))
    assert text[found.begin : found.stop] == phrase


@pytest.mark.parametrize(
    "text",
    [
        "You may march on; the second sun marred it.",
        "May I come? March on! June said so, and April and August agreed.",
        "I sat in the sun and wed my dec. Mon dieu, Jan!",
        "Every Friday, on Mondays, in the mornings",
        "3/4 cup, 24/7, 1.5 kg, room 1204, $2022, 2022 people, v20.23.1",
        "31/31/2023, 25:99, 2023-13-45, 2/30/2023",
        "I came second; fall in line; spring forward; a day's work, week after week",
        "at 7 dollars, 5 to one, nine to five",
        "",
    ],
)
def test_what_is_no_time(text: str) -> None:
    assert [found.phrase for found in find_times(text, NOW)] == []


def test_several_in_one_text() -> None:
    text = "We met in May 2022, again last week, and I leave tomorrow at noon."
    assert [found.phrase for found in find_times(text, NOW)] == ["May 2022", "last week", "tomorrow at noon"]


def test_a_distance_is_as_vague_as_its_unit() -> None:
    slack = {text: find_times(text, NOW)[0].slack for text in ("2 days ago", "2 weeks ago", "2 years ago")}
    assert slack["2 days ago"] == timedelta(0)
    assert slack["2 weeks ago"] == timedelta(days=3.5)
    assert slack["2 years ago"] == timedelta(days=182.5)


def test_the_zone_is_that_of_now() -> None:
    zone = timezone(timedelta(hours=-7))
    [found] = find_times("before yesterday at 5pm", NOW.astimezone(zone))
    assert found.start.tzinfo is found.end.tzinfo is zone
    assert found.end == datetime(2023, 5, 9, 17, tzinfo=zone)
    assert found.start.astimezone(UTC) < found.end


WORDS = st.sampled_from(
    str.split(
        """
        the first second last next this past of in on at from to between and before after since until by early
        late may March June fri Monday weekend week month year years days hours ago now yesterday tomorrow
        night morning 5 12 31 2022 2023-02-30 9999 99 10:30 5pm noon 3rd twenty one a few couple q3 summer
        1990s century - , . / ~ decade Christmas half quarter past o'clock rest '70s 07/05/2023 29 February
        """
    )
)


@given(st.lists(WORDS, max_size=14).map(" ".join), st.datetimes())
def test_any_sentence_at_any_time(text: str, now: datetime) -> None:
    stop = 0
    for found in find_times(text, now):
        assert found.start < found.end
        assert found.begin >= stop
        assert found.phrase == text[found.begin : found.stop]
        stop = found.stop


@given(
    st.lists(WORDS | st.sampled_from([" ", "T", "İſı٣"]), max_size=8),
    st.sampled_from([" ", "", "-", "\n"]),
    st.sampled_from([str, str.upper, str.title]),
)
def test_the_rules_passed_over_find_nothing(
    words: list[str], gap: str, written: Callable[[str], str]
) -> None:
    text = written(gap.join(words))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(times, "rules_for", lambda _: [rule[1:] for rule in RULES])
        everything = find_times(text, NOW)
    assert find_times(text, NOW) == everything


@given(st.text(max_size=300))
def test_any_text(text: str) -> None:
    assert all(found.phrase in text for found in find_times(text, NOW))


@pytest.mark.parametrize(
    "piece", ["1 ", "may ", "a ", "the last ", "5 to ", "1/", "2 years and ", "\n", "from ", "12:", "x"]
)
def test_long_texts_end(piece: str) -> None:
    text = piece * (200_000 // len(piece))
    assert all(found.stop <= len(text) for found in find_times(text, NOW))


def test_calendar() -> None:
    day = datetime(2024, 3, 31, 15, tzinfo=UTC)
    assert shift(day, "month", -1) == datetime(2024, 2, 29, 15, tzinfo=UTC)
    assert floor(day, "quarter") == datetime(2024, 1, 1, tzinfo=UTC)
    assert span(day, "decade", -1) == (datetime(2010, 1, 1, tzinfo=UTC), datetime(2020, 1, 1, tzinfo=UTC))
    year = span(datetime(2015, 6, 1, tzinfo=UTC), "year")
    assert nth_week(year, 1)[0] == datetime(2014, 12, 29, tzinfo=UTC)
    assert nth_week(year, -1)[0] == datetime(2015, 12, 28, tzinfo=UTC)
    with pytest.raises(OverflowError):
        shift(day, "century", 90)
