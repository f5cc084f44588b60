from collections.abc import Sequence
from dataclasses import replace
from math import isnan, nan
from uuid import UUID

import numpy as np
import pytest
from hypothesis import given, strategies as st

from recollect.core.recall.candidates import Candidates, Query
from recollect.core.recall.confidence import BELIEF, HITS, Belief, Sign, confidence, signs
from recollect.core.recall.ranking import Ranked, rank

QUERY = Query("Where did Ann paint the lake?", ("paint", "lake"), names=("Ann",))
ASKED = replace(QUERY, spans=((100.0, 200.0),))


def rows(
    cosines: Sequence[float],
    *,
    held: Sequence[Sequence[int]] = ((0, 0),),
    names: Sequence[str | None] = (None,),
    at: Sequence[float] = (0.0,),
    sessions: Sequence[int] = (-1,),
) -> Candidates:
    """A row for each cosine; what is given of the first rows, the others have as the last of these."""
    n = len(cosines)

    def filled(values: Sequence[float] | Sequence[Sequence[int]]) -> np.ndarray:
        return np.array([*values, *[values[-1]] * n][:n])

    counts = filled(held).astype(np.int32)
    return replace(
        Candidates.none(),
        ids=[UUID(int=place + 1) for place in range(n)],
        sessions=filled(sessions).astype(np.int32),
        seqs=np.arange(1, n + 1, dtype=np.int32),
        at=filled(at).astype(float),
        names=[*names, *[names[-1]] * n][:n],
        dense=np.array(cosines, np.float32),
        window=np.full(n, nan, np.float32),
        lengths=np.full(n, 5, np.int32),
        frequencies=counts,
        holders=np.count_nonzero(counts, axis=0),
        total=n,
        mean_length=5.0,
        roles=np.zeros(n, np.int32),
        traits=np.zeros(n, np.int32),
    )


def in_order(found: Candidates) -> list[Ranked]:
    """The rows as hits, the first one first."""
    return [Ranked(place, -place / 4, {"learned": -place / 4}, ()) for place in range(len(found))]


def sure(found: Candidates, query: Query = QUERY) -> float:
    return confidence(query, found, in_order(found))


FAR = [0.1] * 12


def test_nothing_found_is_no_confidence() -> None:
    assert confidence(QUERY, Candidates.none(2), []) == 0.0


@pytest.mark.parametrize(
    ("more", "less"),
    [
        (rows([0.8, *FAR]), rows([0.4, *FAR])),
        (rows(FAR, held=[(1, 1), (0, 0)]), rows(FAR, held=[(1, 0), (0, 0)])),
        (rows(FAR, names=["Ann", "Bea"]), rows(FAR, names=["Bea", "Ann"])),
        (rows(FAR, sessions=[4]), rows(FAR, sessions=[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11])),
    ],
    ids=["closer in meaning", "holds more of the question", "said by whom it asks of", "of one session"],
)
def test_what_makes_it_surer(more: Candidates, less: Candidates) -> None:
    assert sure(more) > sure(less)


def test_a_hit_from_the_time_asked_about_makes_it_surer() -> None:
    assert sure(rows(FAR, at=[150.0]), ASKED) > sure(rows(FAR, at=[250.0]), ASKED)


def test_a_lead_makes_it_surer_only_where_the_net_gives_it() -> None:
    found = rows(FAR)
    alike = [replace(hit, score=0.0) for hit in in_order(found)]
    fused = [replace(hit, parts={"dense": hit.score}) for hit in in_order(found)]
    assert confidence(QUERY, found, in_order(found)) > confidence(QUERY, found, alike)
    assert isnan(signs(QUERY, found, fused)["lead"])


def test_the_names_in_the_question_may_stand_in_any_hit() -> None:
    query = Query("Did we go to Oslo?", ("go", "oslo"))
    with_name = rows(FAR, held=[(0, 0), (0, 1), (0, 0)])
    assert signs(query, with_name, in_order(with_name))["names"] == 1.0
    assert signs(query, with_name, in_order(with_name))["coverage"] == 0.0


def test_what_is_not_asked_for_is_no_sign() -> None:
    found = rows(FAR, held=[()])
    seen = signs(Query("what else?"), found, in_order(found))
    assert {name for name, value in seen.items() if isnan(value)} == {
        "coverage",
        "names",
        "speaker",
        "in time",
    }


def test_only_the_first_hits_count() -> None:
    found = rows(np.linspace(0.9, 0.1, 30).tolist(), sessions=[2])
    ranked = in_order(found)
    assert confidence(QUERY, found, ranked) == confidence(QUERY, found, ranked[:HITS])


def test_without_vectors_the_words_decide() -> None:
    nothing = [nan] * 12
    assert sure(rows(nothing, held=[(1, 1), (0, 0)])) > sure(rows(nothing))


@given(
    st.lists(st.one_of(st.just(nan), st.floats(-1, 1, width=32)), min_size=1, max_size=30),
    st.lists(st.tuples(st.integers(0, 3), st.integers(0, 3)), min_size=1, max_size=30),
    st.integers(-1, 0),
)
def test_any_rows_make_a_probability(cosines: list[float], held: list[tuple[int, int]], session: int) -> None:
    found = rows(cosines, held=held, sessions=[session])
    assert 0.0 < confidence(ASKED, found, rank(ASKED, found, HITS)) < 1.0


@given(st.sampled_from(sorted(BELIEF.signs)), st.floats(-1e6, 1e6), st.floats(0, 1e6))
def test_no_sign_lowers_it_by_growing(name: str, value: float, more: float) -> None:
    seen = dict.fromkeys(BELIEF.signs, nan)
    assert BELIEF.probability(seen | {name: value}) <= BELIEF.probability(seen | {name: value + more})


def test_what_is_not_known_is_at_its_mean() -> None:
    belief = Belief(1.0, {"near": Sign(0.5, 0.1, 3.0)})
    assert belief.probability({"near": nan}) == belief.probability({"near": 0.5})


def test_the_weights_that_ship_are_of_the_signs_that_are_read() -> None:
    found = rows(FAR)
    assert set(BELIEF.signs) <= set(signs(QUERY, found, in_order(found)))
    assert len(BELIEF.signs) > 4
    assert all(sign.weight > 0 and sign.deviation > 0 for sign in BELIEF.signs.values())
