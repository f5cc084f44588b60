from collections.abc import Sequence
from dataclasses import fields, replace
from uuid import UUID

import numpy as np
import pytest
from hypothesis import given, settings, strategies as st
from numpy.typing import NDArray

from recollect.core.recall.candidates import Candidates, Query
from recollect.core.recall.evidence import HEAD
from recollect.core.recall.fuse import WEIGHTS, Weights, standardise
from recollect.core.recall.learned import LEARNED, Net
from recollect.core.recall.ranking import FLOOR, Ranked, rank
from recollect.core.text.traits import Trait

NAN = float("nan")
PEOPLE = (None, "Ann", "Bea")


def rows(
    n: int,
    *,
    dense: Sequence[float] | None = None,
    counts: NDArray[np.int32] | None = None,
    places: Sequence[tuple[int, int]] | None = None,
    at: Sequence[float] | None = None,
    names: Sequence[str | None] | None = None,
    length: int = 5,
) -> Candidates:
    """So many candidates, alike but for what is given."""
    counts = np.zeros((n, 1), np.int32) if counts is None else counts
    places = places or [(-1, 0)] * n
    return Candidates(
        ids=[UUID(int=i + 1) for i in range(n)],
        sessions=np.array([session for session, _ in places], np.int32),
        seqs=np.array([seq for _, seq in places], np.int32),
        at=np.array(at if at is not None else [0.0] * n, float),
        names=names or [None] * n,
        dense=np.array(dense if dense is not None else [NAN] * n, np.float32),
        window=np.full(n, NAN, np.float32),
        lengths=np.full(n, length, np.int32),
        frequencies=counts,
        holders=np.count_nonzero(counts, axis=0),
        total=n,
        mean_length=float(length) if n else 0.0,
        roles=np.zeros(n, np.int32),
        traits=np.zeros(n, np.int32),
        mentions=np.empty((0, 2)),
        mentioned_by=np.empty(0, np.int32),
    )


cosines = st.one_of(st.just(NAN), st.just(0.5), st.floats(-1, 1, width=32))


@st.composite
def searches(draw: st.DrawFn) -> tuple[Query, Candidates]:
    """Any query with any candidates that the storage may gather, in its order."""
    n, q = draw(st.integers(0, 12)), draw(st.integers(0, 3))
    place = st.one_of(st.just((-1, 0)), st.tuples(st.integers(0, 2), st.integers(0, 6)))
    counts = np.array(draw(st.lists(st.integers(0, 3), min_size=n * q, max_size=n * q)), np.int32).reshape(
        n, q
    )
    lengths = counts.sum(axis=1, dtype=np.int32) + draw(st.integers(0, 9))
    beyond = draw(st.sampled_from([0, 1, 100_000]))

    def column(values: st.SearchStrategy[float]) -> NDArray[np.float32]:
        return np.array(draw(st.lists(values, min_size=n, max_size=n)), np.float32)

    speaking = sorted(draw(st.lists(st.integers(0, n - 1), max_size=6))) if n else []
    found = Candidates(
        ids=draw(st.lists(st.uuids(), min_size=n, max_size=n, unique=True)),
        sessions=np.empty(0, np.int32),
        seqs=np.empty(0, np.int32),
        at=column(st.sampled_from([-1e10, 0.0, 1.7e9, 1.8e9])).astype(np.float64),
        names=draw(st.lists(st.sampled_from(PEOPLE), min_size=n, max_size=n)),
        dense=column(cosines),
        window=column(cosines),
        lengths=lengths,
        frequencies=counts,
        holders=np.count_nonzero(counts, axis=0) + draw(st.integers(0, beyond)),
        total=n + beyond,
        mean_length=float(lengths.mean()) if n else 0.0,
        roles=column(st.integers(0, 2)).astype(np.int32),
        traits=column(st.integers(0, 2**15 - 1)).astype(np.int32),
        mentions=np.array([(1.6e9, 1.6e9 + row) for row in speaking]).reshape(-1, 2),
        mentioned_by=np.array(speaking, np.int32),
    )
    places = sorted(draw(st.lists(place, min_size=n, max_size=n)))
    found = replace(
        found,
        sessions=np.array([session for session, _ in places], np.int32),
        seqs=np.array([seq for _, seq in places], np.int32),
    )
    names = tuple(draw(st.lists(st.sampled_from(["Ann", "Bea"]), unique=True)))
    spans = tuple((start, start + 2e8) for start in draw(st.lists(st.sampled_from([-1e9, 1.6e9]))))
    text = draw(st.sampled_from(["?", "When did I last see Oslo?", "how many", "是什么"]))
    return Query(text, tuple("abc"[:q]), names, spans), found


def order(ranked: list[Ranked]) -> list[int]:
    return [each.index for each in ranked]


nets = st.sampled_from([None, LEARNED])
PARTS = {field.name for field in fields(WEIGHTS)}


@given(searches(), st.integers(-1, 15), nets)
@settings(max_examples=300)
def test_whatever_is_gathered_is_ranked(search: tuple[Query, Candidates], k: int, net: Net | None) -> None:
    query, candidates = search
    ranked = rank(query, candidates, k, net=net)
    assert len(ranked) == min(max(k, 0), len(candidates)) == len(set(order(ranked)))
    assert order(ranked) == order(rank(query, candidates, len(candidates), net=net))[: max(k, 0)]
    scores = [each.score for each in ranked]
    assert np.isfinite(scores).all()
    assert scores == sorted(scores, reverse=True)
    learned = {"learned"} if net and len(candidates) and np.isfinite(candidates.dense).all() else set()
    for each in ranked:
        assert set(each.parts) == PARTS | learned
        assert sum(each.parts.values()) == pytest.approx(each.score, abs=1e-9)
        held = candidates.frequencies[each.index]
        assert set(each.matched) == {token for token, count in zip(query.tokens, held, strict=True) if count}


@given(searches(), nets)
def test_rows_without_a_session_may_come_in_any_order(
    search: tuple[Query, Candidates], net: Net | None
) -> None:
    query, candidates = search
    n = len(candidates)
    alone = replace(candidates, sessions=np.full(n, -1, np.int32), seqs=np.zeros(n, np.int32))
    of_the_scope = {"holders", "total", "mean_length", "mentioned_by"}
    columns = [field.name for field in fields(Candidates) if field.name not in of_the_scope]
    turned = {name: getattr(alone, name)[::-1] for name in columns}
    backwards = replace(alone, mentioned_by=n - 1 - alone.mentioned_by[::-1], **turned)
    scores = {alone.ids[each.index]: each.score for each in rank(query, alone, n, net=net)}
    assert {
        backwards.ids[each.index]: each.score for each in rank(query, backwards, n, net=net)
    } == pytest.approx(scores, abs=1e-4)


def test_the_nearest_in_meaning_comes_first() -> None:
    assert order(rank(Query("?"), rows(3, dense=[0.1, 0.7, 0.4], counts=np.zeros((3, 0), np.int32)), 3)) == [
        1,
        2,
        0,
    ]


def test_a_row_without_a_vector_surfaces_by_its_words() -> None:
    counts = np.zeros((200, 1), np.int32)
    counts[77] = 1
    dense = np.linspace(0.2, 0.4, 200)
    dense[77] = NAN
    best = rank(Query("sku4417", ("sku4417",)), rows(200, dense=dense.tolist(), counts=counts), 5)[0]
    assert (best.index, best.matched, best.parts["dense"]) == (77, ("sku4417",), 0.0)


def test_a_row_without_a_vector_is_neither_better_nor_worse_for_it() -> None:
    ranked = rank(Query("?", ("a",)), rows(3, dense=[0.9, NAN, 0.1]), 3)
    assert order(ranked) == [0, 1, 2]


def test_who_is_asked_about_and_when_lift_a_row() -> None:
    found = rows(4, names=["Ann", "Bea", "Ann", "Bea"], at=[10.0, 10.0, 20.0, 20.0])
    assert order(rank(Query("?", ("a",), ("Bea",), ((20.0, 30.0),)), found, 1)) == [3]
    assert order(rank(Query("?", ("a",), ("Ann",), ((0.0, 20.0),)), found, 1)) == [0]


def test_a_span_ends_before_its_end() -> None:
    found = rows(2, at=[10.0, 20.0])
    dated = {
        each.index: each.parts["date"] for each in rank(Query("?", ("a",), (), ((10.0, 20.0),)), found, 2)
    }
    assert dated[0] > 0 > dated[1]


def test_naming_everybody_favours_nobody() -> None:
    found = rows(2, names=["Ann", "Bea"])
    assert [each.parts["speaker"] for each in rank(Query("?", ("a",), ("Ann", "Bea")), found, 2)] == [0, 0]


def test_a_turn_is_lifted_by_its_neighbour_and_its_session() -> None:
    places = [(0, 1), (0, 2), (0, 3), (1, 1), (1, 2), (1, 3)]
    found = rows(6, dense=[0.2, 0.9, 0.2, 0.2, 0.2, 0.2], places=places)
    parts = {each.index: each.parts for each in rank(Query("?", ("a",)), found, 6, net=None)}
    assert order(rank(Query("?", ("a",)), found, 6, net=None))[:3] == [1, 2, 0]
    assert parts[2]["previous"] == pytest.approx(WEIGHTS.previous * parts[1]["dense"])
    assert parts[0]["following"] == pytest.approx(WEIGHTS.following * parts[1]["dense"])
    assert parts[0]["session"] == parts[2]["session"] > parts[3]["session"]


def test_of_equals_the_newer_comes_first_and_then_the_smaller_id() -> None:
    assert order(rank(Query("?", ("a",)), rows(4, at=[1.0, 2.0, 2.0, 3.0]), 4)) == [3, 1, 2, 0]
    assert order(rank(Query("?", ("a",)), rows(4, at=[1.0, 2.0, 2.0, 3.0]), 2)) == [3, 1]


def test_matched_tokens_come_rarest_first() -> None:
    counts = np.array([[1, 2, 1], [1, 1, 0], [1, 0, 0]], np.int32)
    assert rank(Query("?", ("a", "b", "c")), rows(3, counts=counts), 1)[0].matched == ("c", "b", "a")


def test_a_weight_of_nothing_leaves_its_feature_out() -> None:
    weights = Weights(
        dense=0, window=0, window_words=0, speaker=0, date=0, previous=0, following=0, session=0
    )
    found = rows(2, dense=[0.9, 0.1], counts=np.array([[0], [1]], np.int32))
    assert order(rank(Query("?", ("a",)), found, 2, weights)) == [1, 0]


@given(st.lists(cosines, max_size=20))
def test_standard_scores_have_no_mean_and_one_deviation(column: list[float]) -> None:
    values = np.array(column, float)
    standard = standardise(values)
    known = standard[np.isfinite(values)]
    assert (standard[~np.isfinite(values)] == 0).all()
    assert not known.any() or (known.mean(), known.std()) == pytest.approx((0, 1), abs=1e-6)


def test_a_column_that_differs_by_rounding_only_says_nothing() -> None:
    assert standardise(np.array([0.1 + 0.2, 0.3, 0.3])).tolist() == [0, 0, 0]


def learned(ranked: list[Ranked]) -> dict[int, float]:
    return {each.index: each.parts["learned"] for each in ranked}


def test_the_net_shares_out_what_it_reads_and_adds_to_part_of_the_fusion() -> None:
    found = rows(5, dense=[0.1, 0.7, 0.4, 0.3, 0.2], counts=np.array([[0], [1], [0], [1], [0]], np.int32))
    fused = {each.index: each.parts for each in rank(Query("?", ("a",)), found, 5, net=None)}
    ranked = rank(Query("?", ("a",)), found, 5, net=LEARNED)
    assert sum(np.exp(list(learned(ranked).values()))) == pytest.approx(1)
    for each in ranked:
        for part in PARTS:
            assert each.parts[part] == pytest.approx(FLOOR * fused[each.index][part])


def test_what_the_net_does_not_read_counts_like_the_last_that_it_reads() -> None:
    n = HEAD + 50
    ranked = rank(Query("?", ("a",)), rows(n, dense=np.linspace(0, 0.9, n).tolist()), n)
    read = {index: part for index, part in learned(ranked).items() if index >= 50}
    assert sum(np.exp(list(read.values()))) == pytest.approx(1)
    assert {learned(ranked)[index] for index in range(50)} == {min(read.values())}


def test_without_a_net_or_without_all_vectors_the_fusion_ranks_alone() -> None:
    counts = np.array([[0], [1], [0]], np.int32)
    dense = rows(3, dense=[0.5, 0.4, 0.3], counts=counts)
    blind = rows(3, counts=counts)
    assert all(set(each.parts) == PARTS for each in rank(Query("?", ("a",)), dense, 3, net=None))
    for found in (blind, rows(3, dense=[0.5, NAN, 0.3], counts=counts)):
        assert rank(Query("?", ("a",)), found, 3) == rank(Query("?", ("a",)), found, 3, net=None)


def test_an_answer_stands_above_the_question_that_it_answers() -> None:
    """What the fusion cannot tell: a turn that asks is as near to the question as its answer, or nearer."""
    places = [(session, seq) for session in range(10) for seq in range(1, 5)]
    dense = [0.1 + 0.002 * (row % 7) for row in range(40)]
    dense[9], dense[10] = 0.62, 0.56
    found = rows(40, dense=dense, places=places, counts=np.zeros((40, 0), np.int32))
    traits = np.zeros(40, np.int32)
    traits[9] = Trait.ASKS | Trait.ENDS_ASKING | Trait.SECOND
    traits[10] = Trait.FIRST | Trait.NAME | Trait.PLACE
    found = replace(found, window=found.dense, traits=traits)
    query = Query("Where did she go in May?")
    assert order(rank(query, found, 2, net=None)) == [9, 10]
    assert order(rank(query, found, 2)) == [10, 9]
