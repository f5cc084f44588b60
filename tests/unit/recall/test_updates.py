"""The newer above the older, where the one tells the other anew."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

import numpy as np
import pytest
from hypothesis import given, strategies as st

from recollect.core.model import Claim, Kind, Memory, Modality, Standing, Trust
from recollect.core.recall.candidates import Candidates, Query
from recollect.core.recall.ranking import Ranked, rank
from recollect.core.recall.reasons import why
from recollect.core.recall.updates import NEAR, asks_what_was, lift, sink

AT = datetime(2026, 3, 2, tzinfo=UTC)


def told(
    cosines: Sequence[float],
    renewals: Sequence[tuple[int, int]] = (),
    sayings: Sequence[tuple[int, int]] = (),
) -> Candidates:
    """Turns of these cosines in the order of time, some of which tell others anew, and facts of turns."""
    n = len(cosines)
    return replace(
        Candidates.none(),
        ids=[UUID(int=i + 1) for i in range(n)],
        sessions=np.arange(n, dtype=np.int32),
        seqs=np.ones(n, np.int32),
        at=np.arange(n, dtype=float),
        names=[None] * n,
        dense=np.array(cosines, np.float32),
        window=np.array(cosines, np.float32),
        lengths=np.full(n, 5, np.int32),
        frequencies=np.zeros((n, 0), np.int32),
        total=n,
        mean_length=5.0,
        roles=np.ones(n, np.int32),
        traits=np.zeros(n, np.int32),
        renewals=np.array(renewals, np.int32).reshape(-1, 2),
        sayings=np.array(sayings, np.int32).reshape(-1, 2),
    )


def order(found: Candidates, *, past: bool = False) -> list[int]:
    return [each.index for each in rank(Query("Where do I live?", past=past), found, len(found))]


def test_what_is_told_anew_stands_right_above_what_it_renews() -> None:
    cosines = [0.6, 0.55, 0.58]
    assert order(told(cosines, [])) == [0, 2, 1]
    assert order(told(cosines, [(0, 1)])) == [1, 0, 2]


def test_of_a_chain_the_newest_stands_first() -> None:
    assert order(told([0.6, 0.58, 0.56], [(1, 2), (0, 1)])) == [2, 1, 0]


def test_a_fact_of_what_tells_anew_stands_above_what_is_renewed_though_its_turn_is_far() -> None:
    assert order(told([0.9, 0.3, 0.7], [(0, 1)], [(2, 1)])) == [2, 0, 1]


def test_a_fact_that_is_told_elsewhere_is_not_lifted() -> None:
    assert order(told([0.9, 0.3, 0.7, 0.2], [(0, 1)], [(2, 3)]))[0] == 0


def test_what_is_far_from_the_question_lifts_nothing() -> None:
    assert order(told([0.9, 0.9 - 2 * NEAR, 0.8], [(0, 1)]))[0] == 0


def test_what_stands_above_already_stays_as_it_is() -> None:
    before, after = told([0.4, 0.7], []), told([0.4, 0.7], [(0, 1)])
    assert [each.score for each in rank(Query("?"), before, 2)] == [
        each.score for each in rank(Query("?"), after, 2)
    ]


def test_who_asks_what_was_gets_it_as_it_was() -> None:
    found = told([0.6, 0.55], [(0, 1)])
    assert order(found, past=True) == [0, 1]


def test_the_lift_is_a_part_of_the_score() -> None:
    lifted, _ = rank(Query("?"), told([0.6, 0.55], [(0, 1)]), 2)
    assert lifted.parts["renewal"] > 0
    assert sum(lifted.parts.values()) == pytest.approx(lifted.score)


def test_without_a_vector_nothing_is_lifted() -> None:
    found = told([float("nan"), 0.5], [(0, 1)])
    assert lift(found, np.array([1.0, 0.0])).tolist() == [0.0, 0.0]


@given(
    st.lists(st.floats(-1, 1, width=32), min_size=2, max_size=8),
    st.sets(st.tuples(st.integers(0, 7), st.integers(0, 7)), max_size=8),
    st.randoms(use_true_random=False),
)
def test_a_lift_only_adds_and_puts_every_near_renewal_above(
    cosines: list[float], pairs: set[tuple[int, int]], random: object
) -> None:
    renewals = [(old, new) for old, new in pairs if old < new < len(cosines)]
    found = told(cosines, renewals)
    scores = np.array(cosines[::-1])
    added = lift(found, scores)
    assert (added >= 0).all()
    for old, new in renewals:
        if found.dense[new] >= found.dense[old] - NEAR:
            assert (scores + added)[new] > (scores + added)[old]


def test_a_fact_stands_where_it_is_better_than_the_turns_that_say_so() -> None:
    assert order(told([0.5, 0.3, 0.7], sayings=[(2, 0), (2, 1)])) == [2, 0, 1]


def test_a_fact_below_a_turn_that_says_so_comes_after_all_others() -> None:
    facts_last = order(told([0.7, 0.1, 0.6, 0.2, 0.65], sayings=[(2, 0), (2, 1), (4, 0)]))
    assert facts_last == [0, 3, 1, 4, 2]


def test_what_does_not_sink_stays_as_it_is() -> None:
    found = told([0.5, 0.3, 0.7], sayings=[(2, 0)])
    assert sink(found, np.array([3.0, 2.0, 1.0])).tolist()[:2] == [0.0, 0.0]
    assert sink(found, np.array([1.0, 2.0, 3.0])).tolist() == [0.0, 0.0, 0.0]


@pytest.mark.parametrize(
    "question",
    [
        "Where did we live before?",
        "What was my original budget?",
        "Where did I use to work?",
        "Which phone did I have previously?",
        "What was the first deadline?",
        "How has my weight changed?",
        "Where do I no longer live?",
    ],
)
def test_questions_for_what_was(question: str) -> None:
    assert asks_what_was(question)


@pytest.mark.parametrize(
    "question",
    [
        "Where do I live?",
        "What is my budget?",
        "When does the project start?",
        "How many commits have been merged?",
        "What did I say about leather?",
        "How did I name the cat?",
        "When is the deadline for the first sprint?",
        "How old is my dog?",
    ],
)
def test_questions_for_what_is(question: str) -> None:
    assert not asks_what_was(question)


def memory(**values: object) -> Memory:
    plain = Memory(UUID(int=1), Kind.FACT, "Lives in Atlanta.", Trust.USER, AT, AT)
    return replace(plain, **values)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("found", "told_of"),
    [
        (memory(kind=Kind.MESSAGE, superseded_by=UUID(int=2)), "told anew since"),
        (memory(claim=Claim("user", "residence", "Atlanta")), "so since 2 March 2026"),
        (
            memory(claim=Claim("user", "residence", "Atlanta"), valid_to=AT.replace(day=9)),
            "so since 2 March 2026 until 9 March 2026",
        ),
        (
            memory(claim=Claim("user", "residence", "Atlanta", modality=Modality.PLANNED)),
            "planned since 2 March 2026",
        ),
        (
            memory(claim=Claim("user", "residence", "Atlanta"), standing=Standing.DISPUTED),
            "so since 2 March 2026, contradicted",
        ),
    ],
)
def test_the_reasons_say_since_when(found: Memory, told_of: str) -> None:
    assert why(Query("?"), Ranked(0, 1.0, {}, ()), found) == f"the nearest there is, {told_of}"
