"""Candidates to a ranked list: the fusion ranks all, and the learned ranker the best of them once more."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import compress
from math import isnan

import numpy as np

from recollect.core.recall.candidates import Candidates, Floats, Query
from recollect.core.recall.evidence import Head, describe, head, matrix
from recollect.core.recall.features import measure
from recollect.core.recall.fuse import WEIGHTS, Weights, fuse
from recollect.core.recall.learned import LEARNED, Net
from recollect.core.recall.neighbours import Neighbours
from recollect.core.recall.updates import lift, sink

FLOOR = 0.3
"""What the fusion's score counts beside the learned one; the net was fitted to add to it."""


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


def rank(
    query: Query, candidates: Candidates, k: int, weights: Weights = WEIGHTS, net: Net | None = LEARNED
) -> list[Ranked]:
    """The k best candidates, best first; of equals the newer first, then the smaller id.

    The parts are the fusion's. With a net they are FLOOR of it, and "learned" beside them: the logarithm of
    the share that the net gives the row of all that it read, so never above 0. While rows lack a vector, as
    when the model is being changed, the net would favour those that have one, and is not asked.
    What tells anew what another row told is lifted above it, by the part "renewal", unless the query asks for
    what was; a fact that stands below a turn that says so sinks to the end, by the part "said by its turn".

    >>> rank(Query("anything"), Candidates.none(), 10)
    []
    """
    neighbours = Neighbours.of(candidates)
    features = measure(query, candidates, neighbours)
    parts = fuse(features, candidates.sessions, neighbours, weights)
    names, summands = tuple(parts), np.array(list(parts.values()))
    if net and len(candidates) and np.isfinite(candidates.dense).all():
        learned = _learned(net, head(query, candidates, features, summands.sum(axis=0), neighbours))
        names, summands = (*names, "learned"), np.vstack([FLOOR * summands, learned])
    scores: Floats = summands.sum(axis=0)
    moves: dict[str, Floats] = {}
    if len(candidates.renewals) and not query.past:
        moves["renewal"] = lift(candidates, scores)
        scores = scores + moves["renewal"]
    if len(candidates.sayings):
        moves["said by its turn"] = sink(candidates, scores)
        scores = scores + moves["said by its turn"]
    best = _best(scores, candidates, k)
    names, told = (*names, *moves), np.vstack([summands[:, best], *(move[best] for move in moves.values())])
    return [
        Ranked(index, score, dict(zip(names, parts, strict=True)), matched, _known(similarity))
        for index, score, parts, matched, similarity in zip(
            best,
            scores[best].tolist(),
            told.T.tolist(),
            _matched(query, candidates, best),
            candidates.dense[best].tolist(),
            strict=True,
        )
    ]


def _learned(net: Net, best: Head) -> Floats:
    """The logarithm of each candidate's share; the rows beyond the head have the least of the head's."""
    shares = log_shares(net.score(matrix(describe(best), len(best.rows))))
    learned = np.full(len(best.found), shares.min())
    learned[best.rows] = shares
    return learned


def log_shares(scores: Floats) -> Floats:
    """The logarithms of the scores' softmax.

    >>> np.exp(log_shares(np.array([0.0, 0.0]))).round(3).tolist()
    [0.5, 0.5]
    """
    apart = scores - scores.max()
    shares: Floats = apart - np.log(np.exp(apart).sum())
    return shares


def _best(scores: Floats, candidates: Candidates, k: int) -> list[int]:
    if k <= 0:
        return []
    least = np.partition(scores, -k)[-k] if k < len(scores) else -np.inf
    contenders: list[int] = np.flatnonzero(scores >= least).tolist()
    contenders.sort(key=lambda i: (-scores[i], -candidates.at[i], candidates.ids[i]))
    return contenders[:k]


def _known(cosine: float) -> float | None:
    return None if isnan(cosine) else round(cosine, 4)


def _matched(query: Query, candidates: Candidates, rows: list[int]) -> Iterator[tuple[str, ...]]:
    rarest = np.argsort(candidates.holders, kind="stable")
    tokens = [query.tokens[place] for place in rarest.tolist()]
    return (tuple(compress(tokens, held)) for held in candidates.frequencies[rows][:, rarest].tolist())
