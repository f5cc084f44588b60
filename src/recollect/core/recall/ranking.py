"""Candidates to a ranked list."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from recollect.core.recall.candidates import Candidates, Floats, Query
from recollect.core.recall.features import measure
from recollect.core.recall.fuse import WEIGHTS, Weights, fuse
from recollect.core.recall.neighbours import Neighbours


@dataclass(frozen=True, slots=True)
class Ranked:
    """One candidate, by its index.

    `parts` are the score's summands by feature and add up to it. `matched`: the query's tokens that the
    row itself holds, the rarest first. `similarity`: the cosine of query and row, None without a vector.
    """

    index: int
    score: float
    parts: Mapping[str, float]
    matched: tuple[str, ...]
    similarity: float | None = None


def rank(query: Query, candidates: Candidates, k: int, weights: Weights = WEIGHTS) -> list[Ranked]:
    """The k best candidates, best first; of equals the newer first, then the smaller id.

    >>> rank(Query("anything"), Candidates.none(), 10)
    []
    """
    neighbours = Neighbours.of(candidates)
    features = measure(query, candidates, neighbours)
    parts = fuse(features, candidates.sessions, neighbours, weights)
    scores: Floats = np.sum(list(parts.values()), axis=0)
    return [
        Ranked(
            index=index,
            score=float(scores[index]),
            parts={name: float(column[index]) for name, column in parts.items()},
            matched=_matched(query, candidates, index),
            similarity=_known(candidates.dense[index]),
        )
        for index in _best(scores, candidates, k)
    ]


def _best(scores: Floats, candidates: Candidates, k: int) -> list[int]:
    if k <= 0:
        return []
    least = np.partition(scores, -k)[-k] if k < len(scores) else -np.inf
    contenders: list[int] = np.flatnonzero(scores >= least).tolist()
    contenders.sort(key=lambda i: (-scores[i], -candidates.at[i], candidates.ids[i]))
    return contenders[:k]


def _known(cosine: np.float32) -> float | None:
    return None if np.isnan(cosine) else round(float(cosine), 4)


def _matched(query: Query, candidates: Candidates, index: int) -> tuple[str, ...]:
    held = np.flatnonzero(candidates.frequencies[index])
    return tuple(query.tokens[i] for i in held[np.argsort(candidates.holders[held], kind="stable")])
