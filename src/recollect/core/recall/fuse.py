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


def standardise(column: Floats) -> Floats:
    """The column in standard deviations from its mean; 0 where nothing is known, or all are alike.

    >>> standardise(np.array([1.0, 3.0, np.nan])).tolist()
    [-1.0, 1.0, 0.0]
    """
    known = np.isfinite(column)
    values = column[known]
    standard = np.zeros(len(column))
    # All alike up to rounding: a deviation that is nothing but rounding errors must not be divided by.
    if values.size and (deviation := values.std()) > 1e-6 * np.abs(values).max():
        standard[known] = (values - values.mean()) / deviation
    return standard


def fuse(
    features: Mapping[str, Floats], sessions: NDArray[np.int32], neighbours: Neighbours, weights: Weights
) -> dict[str, Floats]:
    """The summands of each row's score, one column (n,) for each weight."""
    parts = {name: getattr(weights, name) * standardise(column) for name, column in features.items()}
    own = np.sum(list(parts.values()), axis=0)
    parts["previous"] = weights.previous * neighbours.previous(own)
    parts["following"] = weights.following * neighbours.following(own)
    near = own + parts["previous"] + parts["following"]
    parts["session"] = weights.session * session_level(sessions, near)
    return parts
