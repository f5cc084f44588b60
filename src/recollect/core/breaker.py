"""A circuit breaker: what fails again and again is left alone for a while.

closed ── so many failures in a row ──▶ open ── a pause ──▶ half open
half open ── an answer ──▶ closed
half open ── a failure ──▶ open
"""

from __future__ import annotations

import enum
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta

from recollect.core.errors import LanguageModelFailed, LanguageModelPaused, LanguageModelUnavailable
from recollect.core.ports import Clock

FAILURES = 5
"""After so many failures in a row nothing is asked."""

PAUSE = timedelta(seconds=30)
"""For so long; then one call tries."""


class BreakerState(enum.StrEnum):
    """Whether calls are made."""

    CLOSED = "closed"
    """They are."""
    OPEN = "open"
    """None is."""
    HALF_OPEN = "half_open"
    """One is, to see."""


class Breaker:
    """Guards the calls that this process makes of a language model."""

    def __init__(self, clock: Clock, failures: int = FAILURES, pause: timedelta = PAUSE) -> None:
        self._clock = clock
        self._most = failures
        self._pause = pause
        self._failures = 0
        self._until: datetime | None = None
        self._trying = False

    @property
    def state(self) -> BreakerState:
        """Whether a call would be made now."""
        if self._until is None:
            return BreakerState.CLOSED
        return BreakerState.OPEN if self._clock.now() < self._until else BreakerState.HALF_OPEN

    def check(self) -> None:
        """Raise LanguageModelPaused if no call would be made now."""
        if self.state is BreakerState.OPEN or self._trying:
            raise LanguageModelPaused

    @contextmanager
    def passing(self) -> Iterator[None]:
        """The call is made inside; how it ends is what the breaker goes by.

        A refusal, or an answer of the wrong form, is an answer. A call that was given up says nothing.

        Raises:
            LanguageModelPaused: no call is made now.
        """
        self.check()
        trial = self._trying = self.state is BreakerState.HALF_OPEN
        try:
            yield
        except LanguageModelFailed:
            self._failed(trial=trial)
            raise
        except LanguageModelUnavailable:
            self._answered()
            raise
        else:
            self._answered()
        finally:
            self._trying = self._trying and not trial

    def _failed(self, *, trial: bool) -> None:
        self._failures += 1
        if trial or self._failures >= self._most:
            self._until = self._clock.now() + self._pause

    def _answered(self) -> None:
        self._failures, self._until = 0, None
