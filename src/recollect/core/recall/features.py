"""What can be said of each candidate, in the feature's own unit."""

from __future__ import annotations

import numpy as np

from recollect.core.recall.bm25 import bm25
from recollect.core.recall.candidates import Candidates, Floats, Query
from recollect.core.recall.neighbours import Neighbours


def measure(query: Query, candidates: Candidates, neighbours: Neighbours) -> dict[str, Floats]:
    """One column (n,) for each feature; nan where a row cannot be measured.

    `dense`, `window`: cosines. `words`, `window_words`: BM25 of the turn, and of the turn with its
    neighbours. `speaker`, `date`: 1 if it was said by somebody, or at a time, that the query speaks of.
    """
    return {
        "dense": candidates.dense.astype(np.float64),
        "window": candidates.window.astype(np.float64),
        "words": _words(candidates),
        "window_words": _window_words(candidates, neighbours),
        "speaker": _spoken(query, candidates),
        "date": _dated(query, candidates),
    }


def _words(candidates: Candidates) -> Floats:
    return bm25(
        candidates.frequencies,
        candidates.lengths,
        candidates.holders,
        candidates.total,
        candidates.mean_length,
    )


def _window_words(candidates: Candidates, neighbours: Neighbours) -> Floats:
    """Windows are counted among the candidates: nearly all that hold a token are there."""
    # A token's counts side by side in memory: what follows goes through them token by token.
    frequencies = neighbours.window(candidates.frequencies.astype(np.float64, order="F"))
    lengths = neighbours.window(candidates.lengths.astype(np.float64))
    mean_length = float(lengths.mean()) if len(lengths) else 0.0
    return bm25(frequencies, lengths, (frequencies > 0).sum(axis=0), candidates.total, mean_length)


def _spoken(query: Query, candidates: Candidates) -> Floats:
    if not query.names:
        return np.zeros(len(candidates))
    asked = frozenset(query.names)
    spoken = np.fromiter(map(asked.__contains__, candidates.names), bool, len(candidates))
    return spoken.astype(np.float64)


def _dated(query: Query, candidates: Candidates) -> Floats:
    asked = np.zeros(len(candidates))
    for start, end in query.spans:
        asked[(candidates.at >= start) & (candidates.at < end)] = 1.0
    return asked
