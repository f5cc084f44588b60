from dataclasses import replace
from uuid import UUID

import numpy as np
import pytest
from hypothesis import given, strategies as st

from recollect.core.recall.candidates import Candidates
from recollect.core.recall.neighbours import Neighbours, session_level

NONE = -1


def neighbours(*places: tuple[int, int]) -> Neighbours:
    """Of rows at these (session, seq)."""
    return Neighbours.of(
        replace(
            Candidates.none(),
            ids=[UUID(int=i) for i in range(len(places))],
            sessions=np.array([session for session, _ in places], np.int32),
            seqs=np.array([seq for _, seq in places], np.int32),
        )
    )


def test_values_flow_between_successive_turns_of_a_session() -> None:
    chain = neighbours((0, 1), (0, 2), (0, 3))
    values = np.array([1.0, 10.0, 100.0])
    assert chain.previous(values).tolist() == [0, 1, 10]
    assert chain.following(values).tolist() == [10, 100, 0]
    assert chain.window(values).tolist() == [11, 111, 110]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        pytest.param((0, 2), (1, 3), id="another session"),
        pytest.param((0, 1), (0, 3), id="a turn between them is not there"),
        pytest.param((NONE, 1), (NONE, 2), id="no session"),
        pytest.param((0, 0), (0, 1), id="not a turn"),
        pytest.param((0, 0), (0, 0), id="neither is a turn"),
    ],
)
def test_nothing_flows_between_rows_that_do_not_follow(
    first: tuple[int, int], second: tuple[int, int]
) -> None:
    apart = neighbours(first, second)
    assert apart.window(np.array([1.0, 10.0])).tolist() == [1, 10]


def test_the_rows_of_a_matrix_flow_as_whole_rows() -> None:
    assert neighbours((0, 1), (0, 2)).window(np.array([[1.0, 2.0], [10.0, 0.0]])).tolist() == [
        [11, 2],
        [11, 2],
    ]


@pytest.mark.parametrize("places", [(), ((0, 1),)])
def test_no_rows_or_one_have_no_neighbours(places: tuple[tuple[int, int], ...]) -> None:
    values = np.ones(len(places))
    assert neighbours(*places).window(values).tolist() == values.tolist()


scored = st.lists(st.tuples(st.integers(-1, 4), st.floats(-50, 50)), max_size=30)


@given(scored)
def test_a_session_is_as_good_as_the_mean_of_its_best_three(rows: list[tuple[int, float]]) -> None:
    sessions = np.array([session for session, _ in rows], np.int32)
    levels = session_level(sessions, np.array([score for _, score in rows], float))
    for (session, score), level in zip(rows, levels, strict=True):
        mates = [s for c, s in rows if c == session] if session >= 0 else [score]
        best = sorted(mates, reverse=True)[:3]
        assert level == pytest.approx(sum(best) / len(best), abs=1e-9)
