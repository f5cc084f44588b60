from collections.abc import Mapping

import pytest

from recollect.core.recall.candidates import Query
from recollect.core.recall.ranking import Ranked
from recollect.core.recall.reasons import why

QUERY = Query("When did Caroline paint the lake?", names=("Caroline",))


def reasons(
    parts: Mapping[str, float],
    content: str,
    matched: tuple[str, ...] = (),
    name: str = "Ann",
    similarity: float | None = 0.5,
) -> str:
    return why(QUERY, Ranked(0, sum(parts.values()), parts, matched, similarity), content, name)


def test_words_are_told_as_the_memory_writes_them() -> None:
    told = reasons({"words": 3.0}, "She PAINTED it by the lake’s shore", ("lake", "paint", "absent"))
    assert told == "says 'lake’s', 'PAINTED'"


def test_a_script_without_spaces_is_told_by_token() -> None:
    assert reasons({"words": 1.0}, "我喜欢灰色的沙发", ("沙发",)) == "says '沙发'"


def test_the_strongest_reason_comes_first() -> None:
    parts = {"dense": 3.0, "words": 1.0, "speaker": 0.2, "date": 2.0, "session": 0.1, "previous": -1.0}
    told = reasons(parts, "We paint.", ("paint",), "Caroline")
    assert told == "close in meaning; on the date asked about; says 'paint'; said by Caroline"


@pytest.mark.parametrize("similarity", [None, 0.1])
def test_the_nearest_of_what_is_far_is_not_called_close(similarity: float | None) -> None:
    assert reasons({"dense": 5.0}, "Hello", similarity=similarity) == "the nearest there is"


def test_what_stands_around_it_is_told() -> None:
    parts = {"dense": 0.1, "window": 0.5, "previous": 0.5, "session": 0.4}
    assert reasons(parts, "Yes!") == "the turns around it fit; from a session about it"


def test_a_memory_without_a_reason_is_the_nearest() -> None:
    assert reasons({"dense": -0.5, "date": -0.1}, "Hello") == "the nearest there is"


@pytest.mark.parametrize("content", ["", "\ud800 \x00", "lake " * 20_000])
def test_any_content_will_do(content: str) -> None:
    assert reasons({"dense": 1.0}, content, ("lake",)).startswith(("close in meaning", "says 'lake'"))
