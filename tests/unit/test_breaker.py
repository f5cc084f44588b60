"""What fails again and again is left alone, and tried again after a pause."""

from __future__ import annotations

import asyncio
from datetime import timedelta

import pytest
from testbed import SetClock

from recollect.core.breaker import Breaker
from recollect.core.errors import LanguageModelFailed, LanguageModelMalformed, LanguageModelPaused

PAUSE = timedelta(seconds=30)


def fail(breaker: Breaker) -> None:
    with pytest.raises(LanguageModelFailed), breaker.passing():
        raise LanguageModelFailed


def broken() -> tuple[Breaker, SetClock]:
    clock = SetClock()
    breaker = Breaker(clock, failures=3, pause=PAUSE)
    for _ in range(3):
        fail(breaker)
    return breaker, clock


def test_it_opens_after_so_many_failures_in_a_row() -> None:
    breaker = Breaker(SetClock(), failures=3, pause=PAUSE)
    fail(breaker)
    fail(breaker)
    with breaker.passing():
        pass
    fail(breaker)
    fail(breaker)
    assert str(breaker.state) == "closed"
    fail(breaker)
    assert str(breaker.state) == "open"


def test_while_it_is_open_nothing_passes() -> None:
    breaker, clock = broken()
    clock.advance(seconds=29)
    with pytest.raises(LanguageModelPaused), breaker.passing():
        pytest.fail("a call was made")
    with pytest.raises(LanguageModelPaused):
        breaker.check()


def test_after_the_pause_one_call_tries_and_closes_it() -> None:
    breaker, clock = broken()
    clock.advance(seconds=30)
    assert str(breaker.state) == "half_open"
    with breaker.passing(), pytest.raises(LanguageModelPaused):
        breaker.check()
    assert str(breaker.state) == "closed"
    breaker.check()


def test_a_trial_that_fails_opens_it_at_once() -> None:
    breaker, clock = broken()
    clock.advance(seconds=30)
    fail(breaker)
    assert str(breaker.state) == "open"
    clock.advance(seconds=30)
    with breaker.passing():
        pass
    assert str(breaker.state) == "closed"


def test_an_answer_of_the_wrong_form_is_an_answer() -> None:
    breaker, clock = broken()
    clock.advance(seconds=30)
    with pytest.raises(LanguageModelMalformed), breaker.passing():
        raise LanguageModelMalformed
    assert str(breaker.state) == "closed"


def test_a_trial_that_is_given_up_says_nothing_and_lets_the_next_one_try() -> None:
    breaker, clock = broken()
    clock.advance(seconds=30)
    with pytest.raises(asyncio.CancelledError), breaker.passing():
        raise asyncio.CancelledError
    assert str(breaker.state) == "half_open"
    with breaker.passing():
        pass
    assert str(breaker.state) == "closed"
