"""How well a row's words match, exactly."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from recollect.core.recall.candidates import Floats

SATURATION = 1.2
LENGTH_PENALTY = 0.75

Counts = NDArray[np.integer] | Floats


def bm25(frequencies: Counts, lengths: Counts, holders: Counts, total: int, mean_length: float) -> Floats:
    """The BM25 score of n rows for q tokens, shape (n,), never negative.

    Robertson and Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond" (2009), formula 3.15,
    with k1 = SATURATION and b = LENGTH_PENALTY; the inverse document frequency is Lucene's,
    ln(1 + (N - n + 0.5) / (n + 0.5)), which stays positive for tokens that most rows hold.

    `frequencies` (n, q), `lengths` (n,); `holders` (q,) of the `total` rows hold each token.

    >>> bm25(np.array([[1], [0]]), np.array([4, 4]), np.array([1]), 2, 4.0).round(3).tolist()
    [0.693, 0.0]
    """
    rarity = np.log1p((total - holders + 0.5) / (holders + 0.5))
    relative = lengths / mean_length if mean_length else np.ones(len(lengths))
    room = SATURATION * (1 - LENGTH_PENALTY + LENGTH_PENALTY * relative)
    saturated = frequencies * (SATURATION + 1) / (frequencies + room[:, None])
    scores: Floats = saturated @ rarity
    return scores
