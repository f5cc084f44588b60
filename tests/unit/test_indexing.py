"""The times that a text is kept with."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import product

import pytest
from hypothesis import given, strategies as st

from recollect.core.indexing import spans

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("side", "distance"),
    list(
        product(("until", "till", "before", "by", "after", "since"), ("two weeks ago", "two months from now"))
    ),
)
def test_a_time_that_is_open_to_one_side_is_kept_with_its_slack(side: str, distance: str) -> None:
    told = spans(f"I lived there {side} {distance}.", NOW)
    assert all(start < end for start, end in told)


@pytest.mark.parametrize(
    "text",
    ["in 79 centuries", "in 797 decades", "in 7973 years", "20 centuries ago", "before 20 centuries ago"],
)
def test_a_time_at_the_end_of_the_calendar_stops_nobody(text: str) -> None:
    assert all(start < end for start, end in spans(text, NOW))


@pytest.mark.parametrize(
    "text", ["thıs week", "fıve days ago", "ın fıve mınutes", "THİS WEEK", "laſt Friday"]
)
def test_letters_of_other_alphabets_are_read_as_they_are_matched(text: str) -> None:
    assert len(spans(text, NOW)) == 1


PIECES = str.split(
    "until before by after in about 99 9999 two centuries years weeks days minutes ago next last mınute"
)


@given(st.lists(st.sampled_from(PIECES), max_size=9))
def test_any_text_has_times_that_end_after_they_begin(words: list[str]) -> None:
    assert all(start <= end for start, end in spans(" ".join(words), NOW))
