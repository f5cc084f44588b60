"""How large a tenant is, and so how all of it is searched."""

from __future__ import annotations

import time
from collections.abc import Callable
from enum import Enum
from math import ceil, sqrt
from typing import TypeAlias
from uuid import UUID

from recollect.core.model import Role

WHOLE = 10_000
"""Up to so many rows a tenant is read whole, as one person's memories are: found by every word."""

NEAREST = 200
"""Of a larger tenant, so many of the nearest rows are ranked."""

DEAR = 15
"""To reach a row by the index of vectors takes as long as to read so many rows in their order."""

SECONDS = 60.0
"""For so long a tenant is taken to be as large as it was."""

MOST_KEPT = 10_000


class Way(Enum):
    """How all of a tenant's rows are searched."""

    WHOLE = "every row is compared, by its meaning and its words"
    EXACT = "every row is compared by its meaning, and the nearest by their words"
    BY_INDEX = (
        "an index of vectors tells the nearest; it may miss a few, and they are compared by their words"
    )


def bound(all_rows: float) -> int:
    """The most rows of a tenant, in a table of so many, that are compared one by one.

    The index holds the rows of all tenants: to find NEAREST of one with n of them, all_rows / n times as
    many have to be reached, each as dear as DEAR rows read in order. So it pays from
    n² = NEAREST · DEAR · all_rows on.

    >>> bound(0), bound(10_000_000)
    (10000, 173206)
    """
    return max(WHOLE, ceil(sqrt(NEAREST * DEAR * all_rows)))


def way(rows: int, all_rows: float) -> Way:
    """How a tenant of so many rows is searched, in a table of so many.

    >>> [way(rows, 1_000_000).name for rows in (10_000, 10_001, 60_000)]
    ['WHOLE', 'EXACT', 'BY_INDEX']
    """
    if rows <= WHOLE:
        return Way.WHOLE
    return Way.EXACT if rows <= bound(all_rows) else Way.BY_INDEX


Asker: TypeAlias = tuple[UUID, Role]
"""A tenant, and the rank of who searches it: those of a lower one see fewer rows."""


class Sizes:
    """How the tenants are searched that were asked about as a whole, for SECONDS each."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._kept: dict[Asker, tuple[float, Way]] = {}

    def find(self, asker: Asker) -> Way | None:
        """As it was found; None if that is too long ago."""
        until, found = self._kept.get(asker, (0.0, None))
        return found if self._now() < until else None

    def keep(self, asker: Asker, found: Way) -> None:
        """Remember it, and forget the oldest of too many."""
        self._kept.pop(asker, None)
        self._kept[asker] = (self._now() + SECONDS, found)
        if len(self._kept) > MOST_KEPT:
            del self._kept[next(iter(self._kept))]
