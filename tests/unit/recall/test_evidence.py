from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import numpy as np
import pytest
from numpy.typing import NDArray

from recollect.core.recall.candidates import Candidates, Query
from recollect.core.recall.evidence import COLUMNS, GROUPED, HEAD, Head, describe, head, matrix
from recollect.core.recall.features import measure
from recollect.core.recall.fuse import WEIGHTS, fuse
from recollect.core.recall.neighbours import Neighbours
from recollect.core.text.traits import Trait

DAY = 86_400.0
BEGIN = 1.68e9
QUERY = Query("What did Ann paint in May?", ("paint", "may"), ("Ann",), ((BEGIN, BEGIN + DAY),))


def chat(n: int = 8, *, turns: int = 4, seed: int = 0) -> Candidates:
    """Ann and Bea in sessions of so many turns, a day each; cosines and words by chance."""
    random = np.random.default_rng(seed)
    rows = np.arange(n)
    counts = random.integers(0, 2, (n, 2)).astype(np.int32)
    return replace(
        Candidates.none(2),
        ids=[UUID(int=row + 1) for row in range(n)],
        sessions=(rows // turns).astype(np.int32),
        seqs=(rows % turns + 1).astype(np.int32),
        at=(BEGIN + DAY * (rows // turns)).astype(np.float64),
        names=[("Ann", "Bea")[row % 2] for row in range(n)],
        dense=random.uniform(-0.1, 0.8, n).astype(np.float32),
        window=random.uniform(-0.1, 0.8, n).astype(np.float32),
        lengths=random.integers(3, 30, n).astype(np.int32),
        frequencies=counts,
        holders=np.count_nonzero(counts, axis=0),
        total=n,
        mean_length=12.0,
        roles=np.zeros(n, np.int32),
        traits=np.zeros(n, np.int32),
    )


def best(found: Candidates, query: Query = QUERY) -> Head:
    neighbours = Neighbours.of(found)
    features = measure(query, found, neighbours)
    fused = np.sum(list(fuse(features, found.sessions, neighbours, WEIGHTS).values()), axis=0)
    return head(query, found, features, fused, neighbours)


def column(name: str, found: Candidates, query: Query = QUERY) -> list[float]:
    """The column of all rows, which are no more than the head."""
    rows = len(found)
    told: list[float] = matrix({name: describe(best(found, query))[name]}, rows)[:, 0].tolist()
    return told


@pytest.mark.parametrize("n", [0, 1, 2, 3, HEAD, HEAD + 30])
@pytest.mark.parametrize("query", [QUERY, Query("", ("a", "b")), Query("How many first lists?", ("a", "b"))])
def test_every_column_is_told_of_every_row_in_finite_numbers(n: int, query: Query) -> None:
    described = best(chat(n), query)
    columns = describe(described)
    told = matrix(columns, len(described.rows))
    assert tuple(columns) == COLUMNS
    assert told.shape == (min(n, HEAD), len(COLUMNS))
    assert np.isfinite(told).all()


def test_every_column_has_one_group_and_one_name() -> None:
    assert len(set(COLUMNS)) == len(COLUMNS) == sum(map(len, GROUPED.values()))


def test_vectors_that_are_not_known_are_as_the_mean_of_those_that_are() -> None:
    found = chat()
    dense, window = found.dense.copy(), np.full(8, np.nan, np.float32)
    dense[3] = np.nan
    found = replace(found, dense=dense, window=window)
    assert column("dense cosine", found)[3] == pytest.approx(float(np.nanmean(dense)))
    assert column("dense level", found)[3] == 0
    assert column("window cosine", found) == [0] * 8


def test_the_head_are_the_best_in_their_order() -> None:
    found = chat(HEAD + 30)
    neighbours = Neighbours.of(found)
    features = measure(QUERY, found, neighbours)
    fused = np.sum(list(fuse(features, found.sessions, neighbours, WEIGHTS).values()), axis=0)
    rows = head(QUERY, found, features, fused, neighbours).rows
    assert rows.tolist() == sorted(np.argsort(-fused)[:HEAD].tolist())


def test_a_head_is_told_as_it_would_be_among_all() -> None:
    """What lies around a row is found though it is not among the best."""
    found = replace(chat(HEAD + 40), dense=np.linspace(0, 0.8, HEAD + 40).astype(np.float32))
    described = best(found)
    previous = describe(described)["previous speaker asked"]
    first = np.flatnonzero(found.seqs[described.rows] == 1)
    spoke = np.array([name == "Ann" for name in found.names])
    expected = np.where(found.seqs[described.rows] == 1, 0.0, spoke[described.rows - 1])
    assert len(first) > 10
    assert np.asarray(previous).tolist() == expected.tolist()


def test_ranks_go_from_the_best_to_the_last_and_equals_share_theirs() -> None:
    found = replace(chat(4), dense=np.array([0.9, 0.1, 0.5, 0.5], np.float32))
    ranks = column("dense rank", found)
    assert ranks[:2] == [0, 1]
    assert 0 < ranks[2] == ranks[3] < 1


def test_words_are_told_as_shares_of_the_questions() -> None:
    counts = np.array([[1, 1], [0, 1], [0, 0], [0, 0], [0, 0], [0, 1], [0, 0], [0, 0]], np.int32)
    found = replace(chat(), frequencies=counts, holders=np.array([1, 3]))
    whole, part, following, nothing = (column("coverage", found)[row] for row in (0, 1, 2, 3))
    assert (whole, following, nothing) == (1, 0, 0)
    assert 0 < part < 0.5  # the other word is rarer
    assert column("window coverage", found)[2] == pytest.approx(part)
    assert column("matched", found)[:3] == [0.5, 0.25, 0]


def test_a_name_that_is_asked_for_counts_apart() -> None:
    counts = np.array([[1, 0], [0, 1]], np.int32)
    found = replace(chat(2), frequencies=counts, holders=np.array([1, 1]))
    query = Query("Did she paint Oslo?", ("paint", "oslo"))
    assert column("names matched", found, query) == [0, 1]
    assert column("names asked", found, query) == [1, 1]


def test_who_speaks_is_told_beside_who_is_asked_about() -> None:
    found = replace(chat(4), names=["Ann", "Bea", None, "Ann"])
    assert column("speaker asked", found) == [1, 0, 0, 1]
    assert column("other speaker", found) == [0, 1, 0, 0]
    assert column("other speaker", found, replace(QUERY, names=("Ann", "Bea"))) == [0, 0, 0, 0]
    assert column("previous speaker asked", found) == [0, 1, 0, 0]
    assert column("following speaker asked", found) == [0, 0, 1, 0]


def test_a_turn_answers_what_ends_in_a_question_in_its_own_session() -> None:
    traits = np.zeros(8, np.int32)
    traits[[1, 3]] = Trait.ASKS | Trait.ENDS_ASKING
    found = replace(chat(), traits=traits)
    assert column("answers", found) == [0, 0, 1, 0, 0, 0, 0, 0]
    assert column("is answered", found) == [1, 0, 1, 0, 0, 0, 0, 0]
    assert column("is ASKS", found) == [0, 1, 0, 1, 0, 0, 0, 0]


def test_a_turn_fits_when_it_has_what_is_asked_for() -> None:
    found = replace(chat(3), traits=np.array([Trait.TIME, Trait.MONEY, Trait.NUMBER], np.int32))
    assert column("fits", found, replace(QUERY, text="When was it?")) == [1, 0, 0]
    assert column("fits", found, replace(QUERY, text="How many were there?")) == [0, 0, 1]
    assert column("fits", found, replace(QUERY, text="What was it?")) == [0, 0, 0]
    assert column("following fits", found, replace(QUERY, text="How many were there?")) == [0, 1, 0]


def test_times_are_told_by_when_it_was_said_and_by_what_it_speaks_of() -> None:
    spans = np.array([[BEGIN - DAY, BEGIN - 1], [BEGIN + 1, BEGIN + 2], [BEGIN + 9 * DAY, BEGIN + 10 * DAY]])
    found = replace(chat(), mentions=spans, mentioned_by=np.array([0, 5, 5], np.int32))
    assert column("in time", found) == [1, 1, 1, 1, 0, 0, 0, 0]
    assert column("share in time", found) == [0.5] * 8
    assert column("speaks of time", found) == [0, 0, 0, 0, 0, 1, 0, 0]
    assert column("tells a time", found) == [0.5, 0, 0, 0, 0, 1, 0, 0]
    assert column("days away", found)[:4] == [0] * 4
    later = replace(found, at=found.at + DAY)
    assert column("days away", later) == pytest.approx([0] * 4 + [np.log(2)] * 4)
    assert column("days away", found, replace(QUERY, spans=())) == [0] * 8


def test_the_ends_of_time_count_when_they_are_asked_for() -> None:
    found = chat(12)
    moments = [0.0] * 4 + [0.5] * 4 + [1.0] * 4
    assert column("moment", found) == moments
    assert column("latest", found, replace(QUERY, text="What did she paint last?")) == moments
    assert column("earliest", found, replace(QUERY, text="What did she paint first?")) == moments[::-1]
    assert column("latest", found) == column("earliest", found) == [0] * 12


def test_roles_count_in_a_chat_with_an_assistant_only() -> None:
    user, both = np.ones(4, np.int32), np.array([1, 2, 1, 2], np.int32)
    query = replace(QUERY, text="What did you tell me?")
    assert column("user", replace(chat(4), roles=user), query) == [0, 0, 0, 0]
    assert column("mine of user", replace(chat(4), roles=both), query) == [1, 0, 1, 0]
    assert column("yours of assistant", replace(chat(4), roles=both), query) == [0, 1, 0, 1]


def test_the_session_of_the_best_stands_out() -> None:
    dense = np.full(8, 0.1, np.float32)
    dense[[4, 5]] = 0.8
    found = replace(chat(), dense=dense, window=dense, frequencies=np.zeros((8, 2), np.int32))
    gaps = column("session gap", found)
    assert gaps[4:] == [0] * 4
    assert all(gap < -0.5 for gap in gaps[:4])


def test_the_scale_of_the_scope_does_not_matter() -> None:
    """The same rows twice as often are told alike, but for what counts rows."""
    once: NDArray[np.intp] = np.arange(8)
    found = chat(8, turns=1)
    twice = np.repeat(once, 2)
    doubled = replace(
        found,
        ids=[UUID(int=row) for row in range(16)],
        sessions=np.arange(16, dtype=np.int32),
        seqs=np.ones(16, np.int32),
        names=[found.names[row] for row in twice.tolist()],
        **{
            name: getattr(found, name)[twice]
            for name in ("at", "dense", "window", "lengths", "frequencies", "roles", "traits")
        },
    )
    for name in ("dense level", "dense gap", "window cosine", "moment", "relative length", "share in time"):
        assert column(name, doubled)[::2] == pytest.approx(column(name, found))
