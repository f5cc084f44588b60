"""Features to one score: each in standard deviations, weighed and summed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recollect.core.recall.candidates import Floats
from recollect.core.recall.neighbours import Neighbours, session_level


@dataclass(frozen=True, slots=True)
class Weights:
    """What a standard deviation of each feature is worth, and what share of a score flows on.

    `previous`, `following`: the share that a turn has of the score of the turn before, or after, it.
    `session`: the share that it has of its session's level.
    """

    dense: float = 1.0
    window: float = 0.5
    words: float = 0.5
    window_words: float = 0.2
    speaker: float = 0.3
    date: float = 0.5
    previous: float = 0.15
    following: float = 0.1
    session: float = 0.3


WEIGHTS = Weights()
"""Set by hand, not fitted to any data set."""


def standardise(columns: Floats) -> Floats:
    """Columns (…, n), each in standard deviations from its mean; 0 where nothing is known, or all are alike.

    >>> standardise(np.array([1.0, 3.0, np.nan])).tolist()
    [-1.0, 1.0, 0.0]
    """
    known = np.isfinite(columns)
    count = known.sum(axis=-1, keepdims=True).clip(min=1)
    values = np.where(known, columns, 0.0)
    apart = np.where(known, values - values.sum(axis=-1, keepdims=True) / count, 0.0)
    deviation = np.sqrt((apart * apart).sum(axis=-1, keepdims=True) / count)
    # All alike up to rounding: a deviation that is nothing but rounding errors must not be divided by.
    alike = deviation <= 1e-6 * np.abs(values).max(axis=-1, keepdims=True, initial=0.0)
    standard: Floats = apart / np.where(alike, np.inf, deviation)
    return standard


def fuse(
    features: Mapping[str, Floats], sessions: NDArray[np.int32], neighbours: Neighbours, weights: Weights
) -> dict[str, Floats]:
    """The summands of each row's score, one column (n,) for each weight."""
    worth = np.array([getattr(weights, name) for name in features])
    weighed = worth[:, None] * standardise(np.array(list(features.values())))
    own = weighed.sum(axis=0)
    parts = dict(zip(features, weighed, strict=True))
    parts["previous"] = weights.previous * neighbours.previous(own)
    parts["following"] = weights.following * neighbours.following(own)
    near = own + parts["previous"] + parts["following"]
    parts["session"] = weights.session * session_level(sessions, near)
    return parts
