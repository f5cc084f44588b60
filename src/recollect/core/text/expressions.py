"""Single expressions of time in English: the vocabulary, and a rule for each way of saying when.

A rule is a pattern and a function that resolves its match; the first rule that fits a place has it. In the
patterns a space is any white space, and capitals name a fragment. A resolver raises ValueError or
OverflowError for what is no time after all ("31/31/2023").
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import product
from typing import TypeAlias

from recollect.core.text.dates import DAY, HOUR, Interval, floor, nearest, season, shift, span


@dataclass(frozen=True, slots=True)
class Said:
    """When something was said, and whether its bare "Friday" is the coming one rather than the last."""

    now: datetime
    future: bool = False

    @property
    def today(self) -> datetime:
        return floor(self.now, "day")

    def on(self, year: int, month: int, day: int = 1) -> datetime:
        return self.today.replace(year=year, month=month, day=day)

    def recurring(self, make: Callable[[int], Interval], year: str | None) -> Interval:
        """What `make` gives for the year written, or for the nearest year if none is."""
        if year:
            return make(_year(year, self))
        return nearest(make, range(self.now.year - 8, self.now.year + 9), self.now, future=self.future)

    def day(self, year: str | None, month: int, day: int) -> Interval:
        return self.recurring(lambda of: span(self.on(of, month, day), "day"), year)


Resolved: TypeAlias = tuple[datetime, datetime, str]
"""Start, end and grain. The grain is a unit, or "weekday" (a bare one), "run" (several units), "about" and a
unit; or a time of day, standing on today's date: "clock" is sure of its half of the day, "time" ("7:30") is
not, "hour" ("at 7") and "part" ("in the morning") mean nothing but beside a date."""
Resolver: TypeAlias = Callable[["re.Match[str]", Said], Resolved]

_SMALL = frozenset({"second", "minute", "hour"})
_LARGE = frozenset({"decade", "century"})
_ONES = str.split(
    "one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen "
    "seventeen eighteen nineteen"
)
_TENS = str.split("twenty thirty forty fifty sixty seventy eighty ninety")
_NUMBERS = {word: n for n, word in enumerate(_ONES, 1)} | {word: n * 10 for n, word in enumerate(_TENS, 2)}
_NUMBERS |= {"a": 1, "an": 1, "couple": 2, "few": 3, "several": 3}
_ORDINALS = str.split(
    "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth "
    "fifteenth sixteenth seventeenth eighteenth nineteenth twentieth"
)
_NTH = {word: n for n, word in enumerate(_ORDINALS, 1)} | {"thirtieth": 30, "thirty-first": 31, "last": -1}
_NTH |= {f"twenty-{word}": n for n, word in enumerate(_ORDINALS[:9], 21)}
_MONTHS = str.split("jan feb mar apr may jun jul aug sep oct nov dec")
_WEEKDAYS = str.split("mon tue wed thu fri sat sun")
_SEASONS = frozenset({"spring", "summer", "autumn", "fall", "winter"})
_WHICH = dict.fromkeys(["this", "current"], 0) | dict.fromkeys(["last", "past", "previous", "prior"], -1)
_WHICH |= dict.fromkeys(["next", "coming", "upcoming", "following"], 1)
_NAMED = {"today": 0, "yesterday": -1, "tomorrow": 1, "tmrw": 1}
_HOURS = {  # as Recognizers-Text has them
    "morning": (8, 12),
    "afternoon": (12, 16),
    "evening": (16, 20),
    "night": (20, 24),
    "lunchtime": (11, 13),
}
_HOLIDAYS = {
    "new year's eve": (12, 31),
    "new year's day": (1, 1),
    "valentine's day": (2, 14),
    "independence day": (7, 4),
    "halloween": (10, 31),
    "christmas eve": (12, 24),
    "christmas day": (12, 25),
    "christmas": (12, 25),
    "boxing day": (12, 26),
}
# Months and days that are also words or people: alone they need a preposition, some a capital too.
_WORDS = frozenset({"may", "march", "mar", "august", "jan", "dec", "sun", "sat", "mon", "wed"})
_PEOPLE = frozenset({"april", "june"})

_NAMES_OF_MONTHS = (
    "jan(?:uary)?|feb(?:ruary)?|mar(?:ch)?|apr(?:il)?|may|june?|july?|aug(?:ust)?|sept?(?:ember)?"
    "|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?"
)
_FRAGMENTS = {
    "MONTH": rf"(?:{_NAMES_OF_MONTHS})(?![a-z])",
    "WEEKDAY": r"(?:mon(?:day)?|tue(?:s(?:day)?)?|wed(?:nesday)?|thu(?:rs?(?:day)?)?|fri(?:day)?"
    r"|sat(?:urday)?|sun(?:day)?)(?![a-z])",
    "NUM": rf"(?:\d{{1,4}}|(?:{'|'.join(_TENS)})(?:[\s-](?:{'|'.join(_ONES[:9])}))?"
    rf"|{'|'.join(reversed(_ONES))}|(?:a )?couple(?: of)?|(?:a )?few|several|an?)",
    "NTH": rf"(?:twenty[\s-](?:{'|'.join(_ORDINALS[:9])})|thirty[\s-]first|thirtieth"
    rf"|{'|'.join(reversed(_ORDINALS))}|[0-3]?\d(?:st|nd|rd|th))(?!\w)",
    "DATE": rf"(?:NTH|[0-3]?\d(?![\d:a-z])|(?:twenty|thirty)[\s-](?:{'|'.join(_ONES[:9])})(?!\w))",
    "YEAR": r"(?:(?:1[5-9]|2[01])\d\d|'\d\d)(?!\w)",
    "UNIT": r"(?:sec(?:ond)?|min(?:ute)?|hour|hr|day|weekend|week|fortnight|month|quarter|year|yr|decade"
    r"|century)",
    "SEASON": rf"(?:{'|'.join(sorted(_SEASONS))})(?!\w)",
    "WHICH": rf"(?P<which>{'|'.join(_WHICH)})",
    "PART": r"(?:(?P<half>early|late)[\s-])?(?P<part>morning|afternoon|evening|night|lunchtime)(?!\w)",
    "STEPS": r"(?P<steps>NUM ?(?:more )?UNITs?(?:(?:,? and|,)? NUM ?UNITs?){0,4})(?!\w)",
    "HOLIDAY": rf"(?P<holiday>{'|'.join(sorted(_HOLIDAYS, reverse=True))})(?!\w)".replace("'", "['’]"),
    "CUE": r"(?P<cue>(?:in|on|since|by|before|after|until|till|during|of|from|between|to|early|late|mid"
    r"|through|around|every) (?:the month of |the )?)?",
    "TO": r" ?(?:-|–|~|to|and|until|till?|through|thru) ?",
}
_FRAGMENT = re.compile(rf"\b(?:{'|'.join(_FRAGMENTS)})|(?<=\))(?:TO|UNIT)")


def compiled(source: str) -> re.Pattern[str]:
    """A rule's pattern, its fragments put in."""
    while (filled := _FRAGMENT.sub(lambda found: _FRAGMENTS[found[0]], source)) != source:
        source = filled
    spaced = source.replace(" ", r"(?:\s{1,3})")
    return re.compile(rf"(?:(?<!\w)|(?<=\dT))(?:{spaced})", re.IGNORECASE)


_STEP = compiled("(NUM) ?(?:more )?(UNIT)")


def _number(word: str) -> int:
    parts = re.split(r"[\s-]+", re.sub(r"^a\s+|\s+of$", "", word.casefold()))
    return int(parts[0]) if parts[0].isdigit() else sum(_NUMBERS[part] for part in parts)


def nth(word: str) -> int:
    """The place that an ordinal or a day of the month names; "last" is -1."""
    digits = re.match(r"\d+", word)
    key = re.sub(r"\s+", "-", word.casefold())
    return int(digits[0]) if digits else _NTH.get(key) or _number(key)


def weekday(word: str) -> int:
    """0 for Monday to 6 for Sunday; ValueError for another word."""
    return _WEEKDAYS.index(word[:3].casefold())


def _month(word: str) -> int:
    return int(word) if word.isdigit() else _MONTHS.index(word[:3].casefold()) + 1


def _unit(word: str) -> str:
    unit = word.casefold()
    return {"sec": "second", "min": "minute", "hr": "hour", "yr": "year"}.get(unit, unit)


def _which(m: re.Match[str]) -> int:
    return _WHICH[m["which"].casefold()]


def _year(word: str, said: Said) -> int:
    """The year written; of two digits, the one from 70 years ago to 29 years ahead."""
    digits = word.lstrip("'")
    latest = said.now.year + 29
    return int(digits) if len(digits) == 4 else latest - (latest - int(digits)) % 100


def moved(moment: datetime, steps: str, sign: int) -> datetime:
    """The moment after (or with sign -1 before) it by steps as they are written, "2 years and a day"."""
    for count, unit in _STEP.findall(steps):
        moment = shift(moment, _unit(unit), sign * _number(count))
    return moment


def _last_unit(steps: str) -> str:
    return _unit(_STEP.findall(steps)[-1][1])


def _date(m: re.Match[str], said: Said) -> Resolved:
    """5 July 2023, July 5th, 2023-07-05."""
    if m["m"] in _WORDS and m["d"].isalpha():
        raise ValueError("you may first")
    return *said.day(m["y"], _month(m["m"]), nth(m["d"])), "day"


def _numeric(m: re.Match[str], said: Said) -> Resolved:
    """07/05/2023: the month first, unless that is impossible."""
    a, b = int(m["a"]), int(m["b"])
    month, day = (a, b) if a <= 12 else (b, a)
    return *said.day(m["y"], month, day), "day"


def _day_alone(m: re.Match[str], said: Said) -> Resolved:
    """The 22nd, of the nearest month that has one; Friday the 22nd."""
    number = nth(m["d"])
    months = [span(said.now, "month", n) for n in range(-12, 13)]
    days = [start + (number - 1) * DAY for start, end in months if start + number * DAY <= end]
    if m["w"]:
        days = [day for day in days if day.weekday() == weekday(m["w"])]
        day = min(days, key=lambda one: abs(one - said.today))
    elif said.future:
        day = next(one for one in days if one >= said.today)
    else:
        day = max(one for one in days if one <= said.today)
    return *span(day, "day"), "day"


def _days(m: re.Match[str], said: Said) -> Resolved:
    """Between 3 and 12 September, November 19-20."""
    month, first, last = _month(m["m"]), nth(m["d"]), nth(m["e"])
    run = said.recurring(lambda year: (said.on(year, month, first), said.on(year, month, last) + DAY), m["y"])
    return *run, "run"


def _days_of_which(m: re.Match[str], said: Said) -> Resolved:
    """The 20th of next month, from 4 to 23 this month."""
    month = span(said.now, "month", _which(m))[0]
    first, last = nth(m["d"]), nth(m["e"] or m["d"])
    return month.replace(day=first), month.replace(day=last) + DAY, "run" if m["e"] else "day"


def _month_of_year(m: re.Match[str], said: Said) -> Resolved:
    return *span(said.on(_year(m["y"], said), _month(m["m"])), "month"), "month"


def _month_alone(m: re.Match[str], said: Said) -> Resolved:
    word = m["m"]
    if word in _WORDS or (not m["cue"] and (len(word) < 4 or word.casefold() in _WORDS | _PEOPLE)):
        raise ValueError("perhaps no month")
    return *said.recurring(lambda year: span(said.on(year, _month(word)), "month"), None), "month"


def _season(m: re.Match[str], said: Said) -> Resolved:
    return *said.recurring(lambda year: season(year, m["s"].casefold(), said.now), m["y"]), "season"


def _which_of_year(m: re.Match[str], said: Said) -> Resolved:
    """Last summer, this September, next June."""
    word, which = m["s"].casefold(), _which(m)

    def make(year: int) -> Interval:
        return (
            season(year, word, said.now) if word in _SEASONS else span(said.on(year, _month(word)), "month")
        )

    begun, over = make(said.now.year)[0] <= said.now, make(said.now.year)[1] <= said.now
    year = said.now.year + {1: int(begun), 0: 0, -1: int(over) - 1}[which]
    return *make(year), "season" if word in _SEASONS else "month"


def _which_unit(m: re.Match[str], said: Said) -> Resolved:
    unit, which = _unit(m["u"]), _which(m)
    if unit in _SMALL:
        start, end = sorted((said.now, shift(said.now, unit, which or 1)))
        return start, end, "run"
    return *span(said.now, unit, which), unit


def _beyond_next(m: re.Match[str], said: Said) -> Resolved:
    """The week after next, the month before last."""
    return *span(said.now, _unit(m["u"]), 2 if m["n"].casefold() == "next" else -2), _unit(m["u"])


def _which_weekday(m: re.Match[str], said: Said) -> Resolved:
    """Last Friday is the latest before today; next Friday is next week's, weeks beginning on Monday."""
    ahead = weekday(m["d"]) - said.now.weekday()
    if _which(m) < 0:
        ahead = -1 - (-ahead - 1) % 7
    elif m["which"].casefold() in {"coming", "upcoming"}:
        ahead = 1 + (ahead - 1) % 7
    else:
        ahead += 7 * _which(m)
    return *span(said.now, "day", ahead), "day"


def _weekday_alone(m: re.Match[str], said: Said) -> Resolved:
    word, cue = m["d"], m["cue"] or ""
    if cue[:5].casefold() == "every" or (len(word) < 5 and (word.islower() or not cue)):
        raise ValueError("perhaps no day")
    ahead = (weekday(word) - said.now.weekday()) % 7
    return *span(said.now, "day", ahead if said.future or not ahead else ahead - 7), "weekday"


def _named_day(m: re.Match[str], said: Said) -> Resolved:
    beyond = {"": 0, "before": -1, "after": 1}[m["b"].casefold()]
    return *span(said.now, "day", _NAMED[m["d"].casefold()] + beyond), "day"


def _part_of(day: datetime, m: re.Match[str]) -> Interval:
    begin, end = _HOURS[m["part"].casefold()]
    middle, half = (begin + end) // 2, (m["half"] or "").casefold()
    begin, end = {"late": (middle, end), "early": (begin, middle)}.get(half, (begin, end))
    return day + begin * HOUR, day + end * HOUR


def _which_part(m: re.Match[str], said: Said) -> Resolved:
    """This morning, last night."""
    return *_part_of(shift(said.today, "day", _which(m)), m), "day"


def _part_alone(m: re.Match[str], said: Said) -> Resolved:
    return *_part_of(said.today, m), "part"


def _tonight(_m: re.Match[str], said: Said) -> Resolved:
    return said.today + 20 * HOUR, said.today + DAY, "day"


def _now(_m: re.Match[str], said: Said) -> Resolved:
    return said.now, shift(said.now, "second", 1), "second"


def _away(m: re.Match[str], said: Said) -> Resolved:
    """Two weeks ago, in an hour, 2 years and 1 month from now: that day, or that smaller unit."""
    past = (m["way"] or "").casefold() in {"ago", "back", "earlier"}
    unit = _last_unit(m["steps"])
    moment = moved(said.now, m["steps"], -1 if past else 1)
    if unit in _SMALL:
        return moment, shift(moment, "second", 1), f"about {unit}"
    return *span(moment, "day"), f"about {unit}"


def _run(m: re.Match[str], said: Said) -> Resolved:
    """The past three weeks, the next few days, within two hours."""
    unit = _last_unit(m["steps"])
    here = said.now if unit in _SMALL else floor(said.now, unit if unit in _LARGE else "day")
    if m["which"] and _which(m) < 0:
        return moved(here, m["steps"], -1), here, "run"
    start = here if unit in _SMALL or not m["which"] else shift(here, unit if unit in _LARGE else "day", 1)
    return start, moved(start, m["steps"], 1), "run"


def _weekend(_m: re.Match[str], said: Said) -> Resolved:
    coming = span(said.now, "weekend")
    return *(coming if said.future or coming[0] <= said.now else span(said.now, "weekend", -1)), "weekend"


def _rest(m: re.Match[str], said: Said) -> Resolved:
    return said.now if m["u"].casefold() == "day" else said.today, span(said.now, _unit(m["u"]))[1], "run"


def _year_alone(m: re.Match[str], said: Said) -> Resolved:
    return *span(said.on(int(m["y"]), 1), "year"), "year"


def _years(m: re.Match[str], said: Said) -> Resolved:
    first, last = said.on(_year(m["y"], said), 1), said.on(_year(m["z"], said), 1)
    if last < first:
        raise ValueError("backwards")
    return first, shift(last, "year", 1), "run"


def _century(m: re.Match[str], said: Said) -> Resolved:
    return *span(said.on(100 * nth(m["n"]) - 50, 1), "century"), "century"


def _decade(m: re.Match[str], said: Said) -> Resolved:
    """The 1970s, the '90s, the seventies."""
    year = _year(m["n"], said) if m["n"] else 1900 + 10 * (_TENS.index(m["t"].casefold()[:-1] + "y") + 2)
    return *span(said.on(year, 1), "decade"), "decade"


def _part_of_year(m: re.Match[str], said: Said) -> Resolved:
    """Q3 2016, the third quarter of last year."""
    months = 6 if m["k"][0] in "hH" else 3
    first = months * (nth(m["n"]) - 1) + 1
    year = str(said.now.year + _which(m)) if m["which"] else m["y"] or m["z"]

    def make(year: int) -> Interval:
        return said.on(year, first), shift(said.on(year, first), "month", months)

    return *said.recurring(make, year), "quarter"


def _holiday(m: re.Match[str], said: Said) -> Resolved:
    name = re.sub(r"\s+", " ", m["holiday"].casefold().replace("’", "'"))
    return *said.day(m["y"], *_HOLIDAYS[name]), "day"


def _clock(m: re.Match[str], said: Said) -> Resolved:
    """5pm, 7:30, 12:34:25, 8 o'clock."""
    hour, pm, groups = int(m["h"]), m["pm"], m.groupdict()
    if pm:
        hour = hour % 12 + 12 * (pm in "pP")
    start = said.today.replace(hour=hour, minute=int(groups.get("m") or 0), second=int(groups.get("s") or 0))
    unit = "second" if groups.get("s") else "minute" if groups.get("m") else "hour"
    sure = (
        "clock" if pm or not 0 < hour <= 12 else "time" if unit != "hour" or groups.get("oclock") else "hour"
    )
    return start, shift(start, unit, 1), sure


def _past(m: re.Match[str], said: Said) -> Resolved:
    """Ten past nine, a quarter to eight, half past five."""
    word = m["n"].casefold().removeprefix("a ").strip()
    if m["way"].casefold() == "to" and not (m["u"] or word == "quarter"):
        raise ValueError("five to seven is a range, or a score")
    minutes = {"quarter": 15, "half": 30}.get(word) or _number(word)
    hour = _number(m["h"])
    if hour > 12:
        raise ValueError("no such hour")
    start = (
        said.today
        + hour % 24 * HOUR
        + timedelta(minutes=minutes if m["way"].casefold() == "past" else -minutes)
    )
    return start, start + timedelta(minutes=1), "time"


def _spoken(m: re.Match[str], said: Said) -> Resolved:
    """Seven o'clock, eight forty pm."""
    hour, minute = _number(m["h"]), _number(m["n"]) if m["n"] else 0
    if hour > 12 or minute > 59:
        raise ValueError("no such hour")
    start = said.today + (hour % 12 + 12 * (m["pm"] in "pP") if m["pm"] else hour) * HOUR
    start += timedelta(minutes=minute)
    return start, start + (timedelta(minutes=1) if minute else HOUR), "clock" if m["pm"] else "time"


def _noon(m: re.Match[str], said: Said) -> Resolved:
    start = said.today if m["n"].casefold() == "midnight" else said.today + 12 * HOUR
    return start, start + HOUR, "clock"


def _minutes(hour: str, minute: str | None, pm: str | None) -> tuple[int, ...]:
    """The minutes of the day that may be meant."""
    total = int(hour) * 60 + int(minute or 0)
    if pm:
        return (total % 720 + 720 * (pm in "pP"),)
    return (total, (total + 720) % 1440) if 60 <= total < 780 else (total,)


def _hours(m: re.Match[str], said: Said) -> Resolved:
    """5 to 6 pm, from 11 am to 3: where the half of the day is not said, the shortest stretch is meant."""
    pairs = product(_minutes(m["h"], m["m"], m["am"]), _minutes(m["i"], m["n"], m["pm"]))
    first, last = min(pairs, key=lambda pair: ((pair[1] - pair[0] - 1) % 1440, pair))
    start = said.today + timedelta(minutes=first)
    length = timedelta(minutes=(last - first - 1) % 1440 + 1)
    return start, start + length, "clock" if m["am"] or m["pm"] else "part"


_APM = r"\.?\s?m\b\.?"
_DAY = r"(?:WEEKDAY\.?,? (?:the )?)?"
_IN_YEAR = r"(?:(?:,|,? of|,? in|-|,?)\s?(?P<y>YEAR))?"

_SOURCES: tuple[tuple[str, str, Resolver], ...] = (
    ("dashed", r"(?P<y>\d{4})[-/](?P<m>\d{1,2}|MONTH)[-/](?P<d>\d{1,2})(?!\d)", _date),
    ("dashed", r"(?P<a>\d{1,2})[-/](?P<b>\d{1,2})[-/,](?P<y>\d{4}|\d\d)(?![\d/])", _numeric),
    ("dashed", r"(?P<a>\d{1,2})\.(?P<b>\d{1,2})\.(?P<y>\d{4})(?!\d)", _numeric),
    ("month date", rf"(?:from |between )?(?P<d>DATE)(?:TO)(?P<e>DATE)(?: of)? (?P<m>MONTH){_IN_YEAR}", _days),
    ("month date", rf"(?:from |between )?(?P<m>MONTH)\.? (?P<d>DATE) ?[-–] ?(?P<e>DATE){_IN_YEAR}", _days),
    (
        "which date",
        r"(?:from |between |the )?(?P<d>DATE)(?:(?:TO)(?P<e>DATE))?(?: of| in)? WHICH month",
        _days_of_which,
    ),
    ("month date", rf"{_DAY}(?P<d>DATE)(?: of |\.? |[-/])(?P<m>MONTH)\.?{_IN_YEAR}", _date),
    (
        "month date",
        rf"{_DAY}(?P<m>MONTH)(?:\.? the |[.,]? |[-/]|(?=\d))(?P<d>DATE)(?! ?[ap]{_APM}){_IN_YEAR}",
        _date,
    ),
    ("month digit", r"(?P<m>MONTH)\.?(?:,? of|,)? (?P<y>YEAR)", _month_of_year),
    ("month digit", r"(?P<y>YEAR),? (?P<m>MONTH)", _month_of_year),
    ("digit", r"(?:from |between )?(?P<y>YEAR)(?:TO)(?P<z>YEAR)(?![./-]\d)", _years),
    ("century", r"(?:the )?(?P<n>NTH) century", _century),
    ("dashed", r"(?P<y>20\d\d|19\d\d)[-/.](?P<m>0?[1-9]|1[0-2])(?![\d/.-])", _month_of_year),
    ("dashed", r"(?P<m>0?[1-9]|1[0-2])/(?P<y>20\d\d|19\d\d)(?![\d/.-])", _month_of_year),
    (
        "dashed",
        r"(?P<cue>(?:on|by|since|before|after|until|from|to) )(?P<a>\d\d?)/(?P<b>\d\d?)(?P<y>)(?![\d/.])",
        _numeric,
    ),
    ("holiday", rf"HOLIDAY{_IN_YEAR}", _holiday),
    ("weekday date", r"(?P<w>WEEKDAY),? (?:the )?(?P<d>NTH)", _day_alone),
    (
        "digit",
        (
            r"(?P<cue>(?:on|by|since|before|after|until|from|to|till) )(?P<w>)the (?P<d>\d\d?(?:st|nd|rd|th))"
            r"(?! (?:floor|street|st\b|avenue|ave\b|birthday|anniversary|time|day|place|grade|edition))"
        ),
        _day_alone,
    ),
    (
        "quarter",
        r"(?:(?P<z>YEAR) )?(?P<k>[qh])(?P<n>[1-4])(?!\w)(?:(?: of)? (?:WHICH year|(?P<y>YEAR)))?",
        _part_of_year,
    ),
    (
        "date half",
        r"(?:(?P<z>YEAR) )?(?:the )?(?P<n>NTH) (?P<k>quarter|half)(?:(?: of|,)? (?:WHICH year|(?P<y>YEAR)))",
        _part_of_year,
    ),
    ("named", r"(?:the )?day (?P<b>before|after) (?P<d>yesterday|tomorrow|tmrw)(?!\w)", _named_day),
    ("named", r"(?:the )?(?P<d>today|yesterday|tomorrow|tmrw)(?!\w)(?P<b>)", _named_day),
    ("which unit", r"(?:the )?(?P<u>UNIT) (?:after|before) (?:the )?(?P<n>next|last)(?!\w)", _beyond_next),
    ("which unit", r"(?:the )?WHICH STEPS", _run),
    ("unit within", r"within (?:the )?(?:WHICH )?STEPS", _run),
    ("unit away", r"STEPS (?P<way>ago|back|earlier|later|hence|from now|from today)(?!\w)", _away),
    ("unit", r"in (?:less than )?STEPS(?P<way>)", _away),
    ("weekend", r"(?:the|my) weekend(?!\w)", _weekend),
    (
        "unit rest",
        r"(?:the )?rest (?:of )?(?:the |my |this |current )?(?P<u>day|week|month|year)(?!\w)",
        _rest,
    ),
    ("which part", r"(?:the )?WHICH PART", _which_part),
    ("which unit", r"(?:the )?WHICH (?P<u>UNIT)(?!\w)", _which_unit),
    ("which weekday", r"(?:the )?WHICH (?P<d>WEEKDAY)", _which_weekday),
    ("which month", r"(?:the )?WHICH (?P<s>SEASON|MONTH)", _which_of_year),
    ("month digit", r"(?:in |during |over )?(?:the )?(?P<s>SEASON)(?:,? of|,)? (?P<y>YEAR)", _season),
    (
        "month",
        r"(?P<cue>(?:in|during|over|since|by|until|before|after) (?:the )?)(?P<s>SEASON)(?P<y>)",
        _season,
    ),
    (
        "decade",
        r"(?:the )?'?(?P<n>(?:1[5-9]|20)\d0|(?<=the\s)\d0|(?<=')\d0|\d0(?=['’]s))['’]?s(?!\w)",
        _decade,
    ),
    ("ties", r"the (?P<t>twenti|thirti|forti|fifti|sixti|seventi|eighti|nineti)es(?P<n>)(?!\w)", _decade),
    ("part", r"tonight(?!\w)", _tonight),
    ("now", r"(?:right )?now(?!\w)", _now),
    (
        "digit",
        (
            rf"(?:from |between )?(?P<h>\d\d?)(?:[:.](?P<m>[0-5]\d))?(?:\s?(?P<am>[ap]){_APM})?(?:TO)"
            rf"(?P<i>\d\d?)(?:[:.](?P<n>[0-5]\d))?(?:\s?(?P<pm>[ap]){_APM})?(?![\w:])"
        ),
        _hours,
    ),
    (
        "digit hour",
        rf"(?P<h>0?[1-9]|1[0-2])(?:[:.](?P<m>[0-5]\d)(?::(?P<s>[0-5]\d))?)?\s?(?P<pm>[ap]){_APM}",
        _clock,
    ),
    ("colon", r"(?P<h>[01]?\d|2[0-3]):(?P<m>[0-5]\d)(?::(?P<s>[0-5]\d))?(?P<pm>)(?![\w:])", _clock),
    ("digit hour", r"(?P<h>0?[1-9]|1[0-2])(?P<oclock> ?o['’]?clock)(?P<pm>)(?!\w)", _clock),
    (
        "past",
        (
            r"(?P<n>(?:a )?quarter|half|NUM)(?P<u> min(?:ute)?s?)? (?P<way>past|to) (?P<h>NUM)"
            r"(?: o['’]?clock)?(?!\w)"
        ),
        _past,
    ),
    ("hour", rf"(?P<h>NUM)(?: (?P<n>NUM))?(?: o['’]?clock|\s(?P<pm>[ap]){_APM})", _spoken),
    ("digit", r"(?:at|around) (?P<h>[01]?\d|2[0-3])(?P<pm>)(?![\w:.%]| ?\w)", _clock),
    ("noon", r"(?:12 )?(?P<n>noon|midday|mid-day|midnight)(?!\w)", _noon),
    ("part", r"(?:in (?:the )?)?PART", _part_alone),
    ("weekday", r"CUE(?P<d>WEEKDAY)(?:\.(?= ?\w))?", _weekday_alone),
    ("month", r"CUE(?P<m>MONTH)", _month_alone),
    (
        "year",
        (
            r"(?<![$£€#/.:-])(?:year )?(?P<y>(?:19|20)\d\d)(?![\w%]|[.,:/-]\d)"
            r"(?! (?!was|is|has|this)(?:[a-z]{3,}s|people|men|women)\b)"
        ),
        _year_alone,
    ),
)
RULES = tuple((frozenset(needed.split()), compiled(source), resolve) for needed, source, resolve in _SOURCES)
"""Each rule after keys of HINTS: in a text without one of them it has nothing to find."""

# Plain words first: a pattern for small letters that begins with one is looked for many times faster than
# a rule. Each hint finds what its rules cannot do without, wherever it stands.
HINTS = {
    key: re.compile(source)
    for key, source in {
        "digit": r"\d",
        "dashed": r"\d[-/.]",
        "colon": r"\d:",
        "year": r"(?:19|20)\d\d",
        "decade": "0['’]?s",
        "quarter": "[qh][1-4]",
        "date": rf"\d|{'|'.join(_ORDINALS)}|thirtieth|twenty|thirty",
        "month": rf"(?:{_NAMES_OF_MONTHS}|{'|'.join(sorted(_SEASONS))})(?![a-z])",
        "weekday": _FRAGMENTS["WEEKDAY"],
        "holiday": "year['’]s|valentine|independence|halloween|christmas|boxing",
        "unit": _FRAGMENTS["UNIT"] + r"s?(?!\w)",
        "half": "quarter|half",
        "century": "century",
        "weekend": "weekend",
        "named": "|".join(_NAMED),
        "which": "|".join(_WHICH),
        "within": "within",
        "away": "ago|back|earlier|later|hence|from",
        "rest": "rest",
        "part": r"(?:morning|afternoon|evening|night|lunchtime)(?!\w)",
        "now": r"now(?!\w)",
        "noon": "noon|mid-?day|midnight",
        "past": r"(?:past|quarter|min(?:ute)?s?)(?!\w)",
        "hour": r"clock|[ap]\.?\s?m\b",
        "ties": "ties",
    }.items()
}
_SMALL_LETTERS = str.maketrans("İıſ", "iis")


def as_matched(text: str) -> str:
    """The text, as long as it was, with the letters that a pattern takes for i and s, if it ignores case."""
    return text if text.isascii() else text.translate(_SMALL_LETTERS)


def rules_for(text: str) -> list[tuple[re.Pattern[str], Resolver]]:
    """The rules that may find something in the text, in their order; the text is `as_matched`."""
    small = text.lower()
    hints = {key for key, hint in HINTS.items() if hint.search(small)}
    return [(pattern, resolve) for needed, pattern, resolve in RULES if needed <= hints]
