"""What the storage gathers for a query, as columns: everything the ranker needs and no text."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Cosines = NDArray[np.float32]
Codes = NDArray[np.int32]


def no_pairs() -> Codes:
    """No pairs of rows, (0, 2)."""
    return np.empty((0, 2), np.int32)


@dataclass(frozen=True, slots=True)
class Query:
    """What is asked for.

    `tokens`: the distinct tokens of `core.text`, in the order of the text. `names`: the participants whom
    it mentions, as they are written in `Candidates.names`. `spans`: the times that it speaks of, each
    [start, end) in seconds since the epoch. `past`: it asks what was, or how it changed, not what is.
    """

    text: str
    tokens: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    spans: tuple[tuple[float, float], ...] = ()
    past: bool = False


@dataclass(frozen=True, slots=True)
class Candidates:
    """Columns over n rows in the order of (session, seq); q is the number of the query's tokens.

    A row stands once; rows without a session come before or after all others, in any order.
    """

    ids: Sequence[UUID]
    sessions: Codes
    """A code for the session, -1 for none."""
    seqs: Codes
    """The place in the session, 0 for none."""
    at: Floats
    """`valid_from` in seconds since the epoch."""
    names: Sequence[str | None]
    """The speaker."""
    dense: Cosines
    """Cosine of the query and the turn, nan if the row has no vector."""
    window: Cosines
    """Cosine of the query and the turn with its neighbours, nan if there is none."""
    lengths: Codes
    """Tokens of the row."""
    frequencies: NDArray[np.int32]
    """(n, q): how often the row holds each token of the query."""
    holders: NDArray[np.int64]
    """(q): rows in scope that hold the token, candidates or not."""
    total: int
    """Rows in scope, candidates or not."""
    mean_length: float
    """Mean of the tokens of a row over the scope."""
    roles: Codes
    """Who spoke: 1 the user, 2 the assistant, 0 anybody else or nobody."""
    traits: Codes
    """Bits of `core.text.traits.Trait`; 0 is also what is not known."""
    mentions: Floats
    """(m, 2): the times [start, end) that rows speak of, in seconds since the epoch."""
    mentioned_by: Codes
    """(m): the row that speaks of each, ascending."""
    renewals: Codes = field(default_factory=no_pairs)
    """(m, 2): a row, and the row that tells what it told as it is since."""
    sayings: Codes = field(default_factory=no_pairs)
    """(m, 2): a fact that was understood, and a turn that says so; or a summary, twice."""

    def __len__(self) -> int:
        """How many rows there are.

        >>> len(Candidates.none())
        0
        """
        return len(self.ids)

    @classmethod
    def none(cls, tokens: int = 0) -> Candidates:
        """No rows, for a query of so many tokens."""
        codes, floats, cosines = np.empty(0, np.int32), np.empty(0, np.float64), np.empty(0, np.float32)
        return cls(
            ids=(),
            sessions=codes,
            seqs=codes,
            at=floats,
            names=(),
            dense=cosines,
            window=cosines,
            lengths=codes,
            frequencies=np.empty((0, tokens), np.int32),
            holders=np.zeros(tokens, np.int64),
            total=0,
            mean_length=0.0,
            roles=codes,
            traits=codes,
            mentions=np.empty((0, 2), np.float64),
            mentioned_by=codes,
        )
