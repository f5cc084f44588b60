"""Calendar arithmetic on wall time: units, their beginnings, steps from one to another.

Everything keeps the tzinfo of the datetime it is given, and counts on the wall: a day later is the same hour
of the next day. Outside the years 1 to 9999, OverflowError or ValueError.
"""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta
from typing import TypeAlias

Interval: TypeAlias = tuple[datetime, datetime]

HOUR = timedelta(hours=1)
DAY = timedelta(days=1)
WEEK = timedelta(weeks=1)
EARLIEST = datetime(1, 1, 2)  # noqa: DTZ001 - it takes the zone of the moment it is compared to
"""The start of what has none: a day within what datetime holds, so that it converts to any time zone."""
LATEST = datetime(9999, 12, 30)  # noqa: DTZ001 - as above
"""The end of what has none."""

_STEPS = {
    "second": timedelta(seconds=1),
    "minute": timedelta(minutes=1),
    "hour": HOUR,
    "day": DAY,
    "week": WEEK,
    "weekend": WEEK,
    "fortnight": 2 * WEEK,
}
_MONTHS = {"month": 1, "quarter": 3, "season": 12, "year": 12, "decade": 120, "century": 1200}


def shift(moment: datetime, unit: str, count: float) -> datetime:
    """The moment `count` units later, or earlier if negative; the 31st becomes a shorter month's last day.

    >>> shift(datetime(2023, 3, 31), "month", -1)
    datetime.datetime(2023, 2, 28, 0, 0)
    """
    if unit in _STEPS:
        return moment + _STEPS[unit] * count
    year, month = divmod(moment.year * 12 + moment.month - 1 + int(count * _MONTHS[unit]), 12)
    if not 1 <= year <= 9999:  # what datetime holds
        raise OverflowError(year)
    return moment.replace(year=year, month=month + 1, day=min(moment.day, monthrange(year, month + 1)[1]))


def floor(moment: datetime, unit: str) -> datetime:
    """The beginning of the unit the moment lies in; a week begins on Monday, a weekend on Saturday."""
    day = moment.replace(hour=0, minute=0, second=0, microsecond=0)
    if unit in {"second", "minute", "hour"}:
        return moment - (moment - day) % _STEPS[unit]
    if unit in {"week", "fortnight"}:
        return day - day.weekday() * DAY
    if unit == "weekend":
        return day + (5 - day.weekday()) * DAY
    if unit == "day":
        return day
    months = _MONTHS[unit]
    count = day.year * 12 + day.month - 1
    year, month = divmod(count - count % months, 12)
    return day.replace(year=max(year, 1), month=month + 1, day=1)


def span(moment: datetime, unit: str, count: int = 0) -> Interval:
    """The unit `count` units after the one that the moment lies in.

    >>> span(datetime(2023, 5, 10), "month", -1)
    (datetime.datetime(2023, 4, 1, 0, 0), datetime.datetime(2023, 5, 1, 0, 0))
    """
    start = shift(floor(moment, unit), unit, count)
    return start, start + 2 * DAY if unit == "weekend" else shift(start, unit, 1)


def season(year: int, name: str, zone: datetime) -> Interval:
    """The meteorological season of the north; the winter of a year begins in its December."""
    start = zone.replace(year=year, month={"spring": 3, "summer": 6, "winter": 12}.get(name, 9), day=1)
    start = floor(start, "day")
    return start, shift(start, "month", 3)


def nth_weekday(within: Interval, weekday: int, n: int) -> Interval:
    """The n-th Monday (0) to Sunday (6) of an interval; n = -1 is its last."""
    if n < 0:
        last = floor(within[1], "day") - DAY
        return span(last - (last.weekday() - weekday) % 7 * DAY, "day")
    first = within[0] + (weekday - within[0].weekday()) % 7 * DAY
    return span(first, "day", 7 * (n - 1))


def nth_week(within: Interval, n: int) -> Interval:
    """The n-th week of an interval, as ISO 8601 counts: the first is the one that has its first Thursday."""
    return span(nth_weekday(within, 3, n)[0], "week")


def nearest(
    make: Callable[[int], Interval], years: Iterable[int], now: datetime, *, future: bool
) -> Interval:
    """Of what recurs yearly, the latest that has begun by `now`, or in `future` the first not yet over.

    Years that have no such day (29 February) are passed over; ValueError if none has.
    """
    found: list[Interval] = []
    for year in years:
        try:
            found.append(make(year))
        except (ValueError, OverflowError):
            continue
    chosen = [one for one in found if (one[1] > now if future else one[0] <= now)]
    if not chosen:
        raise ValueError("no such day")
    return min(chosen) if future else max(chosen)
