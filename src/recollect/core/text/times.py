"""Time expressions in English text, resolved to half-open intervals as said at a given moment.

The rules of `expressions` find single expressions ("5 July", "last week", "3pm"). Here the words before one
bend it ("early", "the first Friday of"); a date and a time of day that stand together become one; two around
"to" or "and" become a range; and "since", "before" or "after" open a side.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import TypeAlias

from recollect.core.text.dates import (
    DAY,
    EARLIEST,
    HOUR,
    LATEST,
    Interval,
    floor,
    nth_week,
    nth_weekday,
    shift,
    span,
)
from recollect.core.text.expressions import (
    Resolver,
    Said,
    as_matched,
    compiled,
    moved,
    nth,
    rules_for,
    weekday,
)


@dataclass(frozen=True, slots=True)
class TimeSpan:
    """An expression of time: the interval [start, end) it means, and where it stands: text[begin:stop].

    `slack` is how far off the speaker may be on either side: "two years ago" means a day, give or take half
    a year. A side that is open ends at dates.EARLIEST or dates.LATEST, a day within what datetime holds.
    """

    start: datetime
    end: datetime
    begin: int
    stop: int
    phrase: str
    slack: timedelta = timedelta(0)


@dataclass(frozen=True, slots=True)
class _Found:
    """An expression at text[begin:stop]; `grain` as in expressions.Resolved."""

    begin: int
    stop: int
    start: datetime
    end: datetime
    grain: str
    slack: timedelta = timedelta(0)

    @property
    def length(self) -> timedelta:
        return self.end - self.start


def find_times(text: str, now: datetime) -> list[TimeSpan]:
    """The time expressions in the text, in order and apart, resolved as said at `now`, in its time zone.

    A bare "Friday" or "June" is the last one, or the coming one in a sentence that speaks of what is to be
    ("will", "by", "plan"). Any str will do, and takes time linear in its length.

    >>> [one] = find_times("What did we do last weekend?", datetime(2023, 5, 8))
    >>> one.phrase, one.start.isoformat(), one.end.isoformat()
    ('last weekend', '2023-05-06T00:00:00', '2023-05-08T00:00:00')
    """
    written, text = text, as_matched(text)
    rules = rules_for(text)
    if not rules:
        return []
    said = Said(now, future=bool(_SOONER.search(text)))
    joined: list[_Found] = []
    for found in _singles(text, rules, said):
        bent = _bent(text, found, said)
        while joined and joined[-1].stop > bent.begin:
            joined.pop()
        joined.append(bent)
    for join in (_beside, _between):
        joined = _folded(text, joined, join)
    opened = (_opened(text, found, said) for found in joined if found.grain not in _WEAK)
    return [TimeSpan(f.start, f.end, f.begin, f.stop, written[f.begin : f.stop], f.slack) for f in opened]


_SOONER = re.compile(
    r"\b(?:will|shall|going to|gonna|plan(?:s|ning)?|by|until|due|upcoming|schedule|remind)\b|['’]ll\b",
    re.IGNORECASE,
)
_TIMES_OF_DAY = frozenset({"clock", "time", "hour", "part"})
_WEAK = frozenset({"hour", "part"})
_REACH = 48
"""How many characters before an expression may bend it."""


def _singles(text: str, rules: Iterable[tuple[re.Pattern[str], Resolver]], said: Said) -> list[_Found]:
    taken = bytearray(len(text))
    found: list[_Found] = []
    for pattern, resolve in rules:
        for match in pattern.finditer(text):
            begin, stop = match.span()
            if "cue" in pattern.groupindex:
                begin = max(begin, match.end("cue"))
            if any(taken[begin:stop]):
                continue
            slack = timedelta(0)
            try:
                start, end, grain = resolve(match, said)
                if grain.startswith("about "):
                    grain = grain.removeprefix("about ")
                    slack = _slack(start, grain)
                    grain = "second" if grain in {"second", "minute", "hour"} else "day"
            except (ValueError, OverflowError):
                continue
            taken[begin:stop] = b"\1" * (stop - begin)
            found.append(_Found(begin, stop, start, end, grain, slack))
    return sorted(found, key=lambda one: one.begin)


def _slack(start: datetime, unit: str) -> timedelta:
    """Half the unit in which a distance was told; a day is told exactly."""
    return timedelta(0) if unit == "day" else (shift(start, unit, 1) - start) / 2


_Bend: TypeAlias = Callable[["re.Match[str]", _Found, Said], tuple[datetime, datetime, str]]


def _half(m: re.Match[str], found: _Found, said: Said) -> tuple[datetime, datetime, str]:
    """Early May, late last week, the end of March, mid 2022, earlier this year."""
    months = {"year": 12, "decade": 120, "quarter": 3, "season": 3}.get(found.grain)
    if months:
        quarter, middle = shift(found.start, "month", months // 4), shift(found.start, "month", months // 2)
        third = shift(found.start, "month", months - months // 4)
    else:
        days = found.length // DAY
        quarter, middle = found.start + days // 4 * DAY, found.start + days // 2 * DAY
        third = found.end - days // 4 * DAY - (DAY if days == 7 else timedelta(0))
    word = m["half"].casefold().split()[0]
    if word in {"earlier", "later"}:
        start, end = (found.start, said.now) if word == "earlier" else (said.now, found.end)
        return (start, end, "run") if start < end else (found.start, found.end, found.grain)
    if word.startswith("mid"):
        return quarter, third, "run"
    if word in {"early", "beginning", "start"}:
        return found.start, middle, "run"
    return middle, found.end, "run"


def _picked(m: re.Match[str], found: _Found, _said: Said) -> tuple[datetime, datetime, str]:
    """The first Friday of July, the last week of 2015, the second month of it."""
    n, unit, within = nth(m["n"]), m["what"].casefold(), (found.start, found.end)
    if unit == "week":
        return *nth_week(within, n), "week"
    if unit == "weekend":
        saturday = nth_weekday(within, 5, n)[0]
        return saturday, saturday + 2 * DAY, "weekend"
    if unit == "day":
        return *span(found.end - DAY if n < 0 else found.start + (n - 1) * DAY, "day"), "day"
    if unit == "month":
        return *span(found.end - DAY if n < 0 else shift(found.start, "month", n - 1), "month"), "month"
    return *nth_weekday(within, weekday(unit), n), "day"


def _around(m: re.Match[str], found: _Found, _said: Said) -> tuple[datetime, datetime, str]:
    """The week of 4 July, the weekend of the 5th, the month of May."""
    unit = m["what"].casefold()
    return *span(found.start, unit), unit


def _apart(m: re.Match[str], found: _Found, _said: Said) -> tuple[datetime, datetime, str]:
    """Two days after tomorrow, a week before 5 May."""
    moment = moved(found.start, m["steps"], -1 if m["way"].casefold() == "before" else 1)
    return moment, moment + found.length, "day"


_BENDS: tuple[tuple[re.Pattern[str], frozenset[str], _Bend], ...] = tuple(
    (compiled(source + r"\Z"), frozenset(grains.split()), bend)
    for source, grains, bend in (
        (
            (
                r"(?:the )?(?P<half>earl(?:y|ier)|later?|mid|(?:start|beginning|middle|end) of)"
                r"(?:-| (?:in )?)(?:the )?"
            ),
            "week weekend month quarter season year decade run",
            _half,
        ),
        (
            r"(?:the )?(?P<n>NTH|last) (?P<what>week|weekend|day|month|WEEKDAY)(?: of| in)?(?: the)? ",
            "month quarter season year run",
            _picked,
        ),
        (
            r"(?:the )?(?P<what>week|weekend|month|year) (?:of|beginning|starting|commencing)(?: the| on)? ",
            "day weekday month year",
            _around,
        ),
        (r"STEPS (?P<way>before|after|from) ", "day weekday", _apart),
    )
)


def _bent(text: str, found: _Found, said: Said) -> _Found:
    for pattern, grains, bend in _BENDS:
        if found.grain not in grains:
            continue
        match = pattern.search(text, max(0, found.begin - _REACH), found.begin)
        if match is None:
            continue
        try:
            start, end, grain = bend(match, found, said)
        except (ValueError, OverflowError):
            continue
        return replace(found, begin=match.start(), start=start, end=end, grain=grain)
    return found


def _folded(text: str, found: list[_Found], join: _Join) -> list[_Found]:
    """The expressions with neighbours joined, as long as they can be."""
    folded: list[_Found] = []
    for one in found:
        folded.append(one)
        while len(folded) > 1:
            first, second = folded[-2:]
            gap = text[first.stop : second.begin] if second.begin - first.stop <= _GAP else "|"
            joined = join(text, first, second, gap)
            if joined is None:
                break
            folded[-2:] = [joined]
    return folded


_GAP = 20
_Join: TypeAlias = Callable[[str, _Found, _Found, str], _Found | None]
_BESIDE = re.compile(
    r"[\s,]*(?:(?:at|on|in|for|around|about|of|the|between|from|t|-)[\s,]*){0,3}", re.IGNORECASE
)
_TO = re.compile(r"\s*(?:-|–|~|to|until|till?|through|thru)\s*(?:the\s+)?", re.IGNORECASE)
_AND = re.compile(r"\s+(?:and|to)\s+(?:the\s+)?", re.IGNORECASE)
_FROM = re.compile(r"\b(?:from|(?P<between>between))\s+(?:the\s+)?\Z", re.IGNORECASE)


def _beside(_text: str, first: _Found, second: _Found, gap: str) -> _Found | None:
    """A date and a time of day, or a weekday and a week, as one."""
    if not _BESIDE.fullmatch(gap):
        return None
    whole = replace(first, stop=second.stop)
    for day, other in ((first, second), (second, first)):
        part = day.grain == "part" and other.grain in _TIMES_OF_DAY - {"part"}
        if part or (day.grain in {"day", "weekday"} and other.grain in _TIMES_OF_DAY):
            return _timed(whole, day, other)
        if day.grain == "weekday" and other.grain == "week":
            start = other.start + day.start.weekday() * DAY
            return replace(whole, start=start, end=start + DAY, grain="day")
    return None


def _between(text: str, first: _Found, second: _Found, gap: str) -> _Found | None:
    """From the one to the other, including the last day or month, but not the last hour."""
    lead = _FROM.search(text, max(0, first.begin - _REACH), first.begin)
    if not (_TO.fullmatch(gap) or (lead and lead["between"] and _AND.fullmatch(gap))):
        return None
    interval = _from_to(first, second)
    if interval is None or interval[1] <= interval[0]:
        return None
    hours = second.grain in _TIMES_OF_DAY
    begin = lead.start() if lead else first.begin
    whole = replace(first, begin=begin, stop=second.stop, start=interval[0], end=interval[1])
    return replace(whole, grain=("clock" if first.grain in _TIMES_OF_DAY else "moment") if hours else "run")


def _from_to(first: _Found, second: _Found) -> Interval | None:
    hours = second.grain in _TIMES_OF_DAY
    if hours != (first.grain in _TIMES_OF_DAY) and not (hours and first.grain == "moment"):
        return None
    start, end = first.start, second.start if second.grain == "moment" else second.end
    if hours:
        end = floor(start, "day") + (second.start - floor(second.start, "day"))
        end += timedelta(0) if end > start else DAY
    elif second.grain == "weekday":
        end = start + (1 + (second.start - start).days % 7) * DAY
    elif end <= start and first.grain in {"second", "weekday"}:  # now and a date whose last one is over
        end = shift(end, "year", 1)
    elif end <= start:
        start = shift(start, "year", -1)
    return start, end


def _timed(whole: _Found, day: _Found, time: _Found) -> _Found:
    """The time on that day; in its half of the day, if the day is only a part of one."""
    start = floor(day.start, "day") + (time.start - floor(time.start, "day"))
    if time.grain in {"time", "hour"} and day.length < DAY and day.start.hour >= 12 > start.hour:
        start += 12 * HOUR
    grain = "clock" if day.grain == "part" else "day" if time.grain == "part" else "moment"
    return replace(whole, start=start, end=start + time.length, grain=grain)


_OPENINGS = (
    r"(?:(?P<since>(?:ever )?since)|(?P<before>before|prior to|earlier than)|(?P<after>after|later than)"
    r"|(?P<until>by|until|till|up to|no later than))(?: the)? "
)
_OPENING = compiled(_OPENINGS + r"\Z")


def _opened(text: str, found: _Found, said: Said) -> _Found:
    """With one side open, if the word before says so: since, before, after, by, until."""
    match = _OPENING.search(text, max(0, found.begin - _REACH), found.begin)
    if match is None:
        return found
    earliest, latest = (side.replace(tzinfo=said.now.tzinfo) for side in (EARLIEST, LATEST))
    sides = {
        "since": (found.start, said.now if said.now > found.start else latest),
        "before": (earliest, found.start),
        "after": (found.start if found.grain in _TIMES_OF_DAY | {"moment"} else found.end, latest),
        "until": (earliest, found.end),
    }
    start, end = sides[str(match.lastgroup)]
    return replace(found, begin=match.start(), start=start, end=end) if start < end else found
