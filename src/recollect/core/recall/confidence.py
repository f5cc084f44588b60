"""How sure recall is that what answers a question is among what it found."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from math import exp, isnan, nan

import numpy as np
from numpy.typing import NDArray

from recollect.core.recall.candidates import Candidates, Cosines, Query
from recollect.core.recall.questions import read
from recollect.core.recall.ranking import Ranked

HITS = 10
"""So many of the best rows are looked at: it is they among whom the answer is said to be."""

CLOSEST = 3
"""The mean cosine is that of so many rows."""

CLIP = 4.0
"""What is so many deviations from the mean of the training is no further away than that."""

WEIGHTS_FILE = files("recollect.core.recall") / "confidence.json"


@dataclass(frozen=True, slots=True)
class Sign:
    """A sign's mean and deviation where it was fitted, and what a deviation is worth: never less than 0."""

    mean: float
    deviation: float
    weight: float

    def worth(self, value: float) -> float:
        """What the value adds to the logarithm of the odds; nothing if it is not known.

        >>> sign = Sign(mean=0.5, deviation=0.25, weight=2.0)
        >>> sign.worth(0.75), sign.worth(float("nan"))
        (2.0, 0.0)
        """
        if isnan(value):
            return 0.0
        return self.weight * min(max((value - self.mean) / self.deviation, -CLIP), CLIP)


@dataclass(frozen=True, slots=True)
class Belief:
    """A logistic regression: the odds where every sign is at its mean, as a logarithm, and the signs."""

    odds: float
    signs: Mapping[str, Sign]

    def probability(self, seen: Mapping[str, float]) -> float:
        """From 0 to 1; it never falls when a sign grows."""
        return 1 / (1 + exp(-self.odds - sum(sign.worth(seen[name]) for name, sign in self.signs.items())))


def _load() -> Belief:
    """What training/fit_confidence.py wrote."""
    kept = json.loads(WEIGHTS_FILE.read_text("utf-8"))
    return Belief(kept["odds"], {name: Sign(**sign) for name, sign in kept["signs"].items()})


BELIEF = _load()
"""What ships with the package."""


def confidence(
    query: Query, candidates: Candidates, ranked: Sequence[Ranked], belief: Belief = BELIEF
) -> float:
    """How likely one of the first HITS of `ranked` answers the question, from 0 to 1; 0 if it is empty.

    `ranked` is what `rank` makes of the candidates: HITS of them, if there are so many. It is calibrated for
    questions half of which can be answered; the others ask what was never spoken of, what is lost, or what
    was left out of something told. It knows the first of these well, the second a little and the third not:
    there, what lies nearest is as near as an answer (benchmarks/results/confidence.md).

    >>> confidence(Query("Where is it?"), Candidates.none(), [])
    0.0
    """
    return belief.probability(signs(query, candidates, ranked)) if ranked else 0.0


def signs(query: Query, candidates: Candidates, ranked: Sequence[Ranked]) -> dict[str, float]:
    """What speaks for an answer, by name; nan for what the question does not ask, or nobody knows."""
    hits = ranked[:HITS]
    rows = np.array([hit.index for hit in hits], np.intp)
    return {
        "cosine": _mean_of_best(candidates.dense[rows], 1),
        "mean cosine": _mean_of_best(candidates.dense, CLOSEST),
        **dict(_words(query, candidates, rows)),
        "speaker": _by_whom(query, candidates.names[hits[0].index]),
        "in time": _in_time(query, candidates, rows),
        "lead": hits[0].score - hits[-1].score if len(hits) == HITS and "learned" in hits[0].parts else nan,
        "together": _together(candidates.sessions[rows].tolist()),
    }


def _mean_of_best(cosines: Cosines, most: int) -> float:
    known = cosines[np.isfinite(cosines)]
    return float(np.partition(known, -most)[-most:].mean()) if len(known) >= most else nan


def _words(query: Query, candidates: Candidates, rows: NDArray[np.intp]) -> Iterator[tuple[str, float]]:
    """How much of the question the first row holds, and how much of the names in it any row, by rarity."""
    holders = candidates.holders
    rarity = np.log1p((candidates.total - holders + 0.5) / (holders + 0.5))
    held = candidates.frequencies[rows] > 0
    named = rarity * np.array(read(query).named, bool)
    yield "coverage", float(held[0] @ rarity / rarity.sum()) if rarity.any() else nan
    yield "names", float((held @ named).max() / named.sum()) if named.any() else nan


def _by_whom(query: Query, name: str | None) -> float:
    return float(name in query.names) if query.names else nan


def _in_time(query: Query, candidates: Candidates, rows: NDArray[np.intp]) -> float:
    """The share of the first half of the hits that was said in the times asked about."""
    at = candidates.at[rows[: HITS // 2]]
    inside = np.zeros(len(at), bool)
    for start, end in query.spans:
        inside |= (at >= start) & (at < end)
    return float(inside.mean()) if query.spans else nan


def _together(sessions: Sequence[int]) -> float:
    """The largest share of the hits that is of one session.

    >>> _together([3, 1, 3, -1, -1, -1])
    0.3333333333333333
    """
    homes = Counter(session for session in sessions if session >= 0)
    return max(homes.values(), default=1) / len(sessions)
