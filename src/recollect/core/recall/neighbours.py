"""Which rows are turns that follow one another, and what flows between them."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from recollect.core.recall.candidates import Candidates, Floats

SESSION_BEST = 3


@dataclass(frozen=True, slots=True)
class Neighbours:
    """`follows` (n - 1,): whether the row after is the next turn of the same session."""

    follows: NDArray[np.bool_]

    @classmethod
    def of(cls, candidates: Candidates) -> Neighbours:
        """Neighbours stand side by side already: the rows come in the order of (session, seq)."""
        sessions, seqs = candidates.sessions, candidates.seqs
        together = (sessions[1:] == sessions[:-1]) & (sessions[1:] >= 0)
        return cls(together & (seqs[:-1] > 0) & (np.diff(seqs) == 1))

    def previous(self, values: Floats) -> Floats:
        """For each row the value of the turn before it, 0 if there is none; rows of a matrix likewise."""
        moved = np.zeros_like(values)
        moved[1:][self.follows] = values[:-1][self.follows]
        return moved

    def following(self, values: Floats) -> Floats:
        """For each row the value of the turn after it, 0 if there is none; rows of a matrix likewise."""
        moved = np.zeros_like(values)
        moved[:-1][self.follows] = values[1:][self.follows]
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
    if not n:
        return scores
    groups = np.where(sessions >= 0, sessions, -1 - np.arange(n))
    order = np.lexsort((-scores, groups))
    begins = np.flatnonzero(np.diff(groups[order], prepend=groups[order[0]] - 1))
    sizes = np.diff(begins, append=n)
    place = np.arange(n) - np.repeat(begins, sizes)
    best = np.where(place < SESSION_BEST, scores[order], 0.0)
    levels = np.empty(n)
    levels[order] = np.repeat(np.add.reduceat(best, begins) / np.minimum(sizes, SESSION_BEST), sizes)
    return levels
