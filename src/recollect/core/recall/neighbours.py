"""Which rows are turns that follow one another, and what flows between them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recollect.core.recall.candidates import Candidates, Floats

SESSION_BEST = 3


@dataclass(frozen=True, slots=True)
class Neighbours:
    """`follows` (n - 1,): 1 where the row after is the next turn of the same session, else 0."""

    follows: Floats

    @classmethod
    def of(cls, candidates: Candidates) -> Neighbours:
        """Neighbours stand side by side already: the rows come in the order of (session, seq)."""
        sessions, seqs = candidates.sessions, candidates.seqs
        together = (sessions[1:] == sessions[:-1]) & (sessions[1:] >= 0)
        return cls((together & (seqs[:-1] > 0) & (seqs[1:] - seqs[:-1] == 1)).astype(np.float64))

    def previous(self, values: Floats) -> Floats:
        """For each row the value of the turn before it, 0 if there is none; rows of a matrix likewise."""
        moved = np.zeros_like(values)
        moved[1:] = (values[:-1].T * self.follows).T
        return moved

    def following(self, values: Floats) -> Floats:
        """For each row the value of the turn after it, 0 if there is none; rows of a matrix likewise."""
        moved = np.zeros_like(values)
        moved[:-1] = (values[1:].T * self.follows).T
        return moved

    def window(self, values: Floats) -> Floats:
        """For each row the sum over the turn and its neighbours."""
        return values + self.previous(values) + self.following(values)


def session_level(sessions: NDArray[np.int32], scores: Floats) -> Floats:
    """For each row the mean of its session's SESSION_BEST best scores; a row without one stands alone.

    >>> session_level(np.array([0, 0, -1], np.int32), np.array([1.0, 3.0, 5.0])).tolist()
    [2.0, 2.0, 5.0]
    """
    n = len(scores)
    groups = np.where(sessions >= 0, sessions, -1 - np.arange(n))
    order = np.argsort(groups, kind="stable")
    ordered, first = groups[order], np.ones(n, np.bool_)
    first[1:] = ordered[1:] != ordered[:-1]
    group, begins = np.cumsum(first) - 1, np.flatnonzero(first)
    left, total, best = scores[order], np.zeros(len(begins)), np.empty(len(begins), np.intp)
    # The best of every session is counted and taken out, three times over: faster than sorting the scores.
    for _ in range(SESSION_BEST):
        top = np.maximum.reduceat(left, begins)
        total += np.where(top > -np.inf, top, 0.0)
        tops = np.flatnonzero(left == top[group])
        best[group[tops]] = tops
        left[best] = -np.inf
    levels = np.empty(n)
    levels[order] = (total / np.minimum(np.bincount(group), SESSION_BEST))[group]
    return levels
