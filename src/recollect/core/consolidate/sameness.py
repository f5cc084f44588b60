"""When two claims speak of the same thing, and when they say the same of it.

A wrong "the same" hides what is still so, a wrong "another" only leaves two facts beside each other: where
the words leave a doubt, they are not the same.
"""

from __future__ import annotations

import re
from collections.abc import Hashable
from dataclasses import dataclass
from functools import lru_cache
from typing import TypeAlias

import Stemmer

from recollect.core.model import Claim

Topic: TypeAlias = str | frozenset[str]

OUT_OF_SCALE = 8.0
"""A sum of money so many times another is of something else: a house, and the curtains."""

LONGEST_READ = 300
"""So many characters of an attribute or a value are compared."""

_WORD = re.compile(r"[^\W_]+(?:['’.,:/-][^\W_]+)*")
_APOSTROPHE = re.compile(r"['’]s?\b")
_IDLE = frozenset(
    str.split(
        "a an the my our your his her their its this that these those current currently new newest latest"
        " recent now total overall actual updated so far today own"
    )
)
_COUNTS = frozenset({"number", "amount", "count", "quantity", "total", "sum"})
_BINDS = frozenset(str.split("of for in on at to with from by about per on into during between"))
_ONES = {
    word: str(number)
    for number, word in enumerate(
        str.split(
            "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen"
            " sixteen seventeen eighteen nineteen"
        )
    )
}
_TENS = {
    word: str(10 * number)
    for number, word in enumerate(str.split("twenty thirty forty fifty sixty seventy eighty ninety"), 2)
}
_NUMBERS = _ONES | _TENS | {"couple": "2", "dozen": "12"}
_TENS_AND_ONES = re.compile(rf"\b({'|'.join(_TENS)})[ -]({'|'.join(_ONES)})\b", re.IGNORECASE)
_IN_WORDS = re.compile(rf"\b(?:{'|'.join(_NUMBERS)})\b", re.IGNORECASE)

_ABOUT = (
    r"(?:(?:about|around|roughly|approximately|approx\.?|some|nearly|almost|over|under|exactly|just|only|at|least"
    r"|most|up|to|now|already)\s+|~\s*)*"
)
_AMOUNT = r"[+-]?\d[\d,]*(?:\.\d+)?\s*(?:k|m|bn|thousand|million|billion)?"
_MONEY = re.compile(
    rf"{_ABOUT}(?:(?P<sign>[$€£])\s*(?P<sum>{_AMOUNT})|(?P<plain>{_AMOUNT})\s*"
    rf"(?P<unit>dollars?|usd|bucks|euros?|eur|€|pounds?|gbp|£)\b)\W*",
    re.IGNORECASE,
)
_PERCENT = re.compile(rf"{_ABOUT}(?P<number>{_AMOUNT})\s*(?:%|percent|per cent)\W*", re.IGNORECASE)
_VERSION = re.compile(
    r"(?:version\s*|v\.?\s*)(?P<version>\d+(?:\.\d+)*)\W*|(?P<bare>\d+(?:\.\d+){2,})\W*", re.IGNORECASE
)
_COUNTED = re.compile(
    rf"{_ABOUT}(?P<number>{_AMOUNT})(?:[\s-]+(?P<unit>[a-z][a-z' -]{{0,60}}))?\W*", re.IGNORECASE
)
_TAILED = re.compile(
    r"(?P<amount>.*?\d.*?)(?:\s+(?:of|for|in|on|at|to|from)\s+(?P<tail>[a-z].*))?", re.IGNORECASE
)
_MONTHS = str.split("january february march april may june july august september october november december")
_SHORT = {month[:3]: month for month in _MONTHS} | {"sept": "september"}
_DATED = re.compile(
    rf"\b(?:{'|'.join([*_MONTHS, *_SHORT])})\b|\b(?:mon|tues|wednes|thurs|fri|satur|sun)days?\b"
    r"|\b\d{1,2}(?::\d{2})?\s*[ap]\.?m\b|\b\d{1,2}:\d{2}\b|\b\d{4}-\d{2}-\d{2}\b|\b\d{1,2}/\d{1,2}/\d{2,4}\b"
    r"|\b(?:today|tomorrow|tonight|noon|midnight)\b|\A(?:19|20)\d{2}\W*\Z",
    re.IGNORECASE,
)
_ORDINAL = re.compile(r"(?<=\d)(?:st|nd|rd|th)\Z")
_IN_ORDER = frozenset({"words", "version"})
_SCALES = {"k": 1e3, "thousand": 1e3, "m": 1e6, "million": 1e6, "bn": 1e9, "billion": 1e9}
_CURRENCIES = {"$": "$", "d": "$", "u": "$", "b": "$", "€": "€", "e": "€", "£": "£", "p": "£", "g": "£"}


@dataclass(frozen=True, slots=True)
class Value:
    """What is said of an attribute.

    `kind`: money, percent, version, quantity, date or words. `amount` and `unit` of what is counted; `words`
    in order, of dates, versions and words. `of`: stems in it that say what it is the value of.
    """

    kind: str
    amount: float | None = None
    unit: str = ""
    words: tuple[str, ...] = ()
    of: frozenset[str] = frozenset()


def about(claim: Claim) -> str:
    """Whom a claim is about, in words that are the same for the same.

    >>> about(Claim("My sister", "home town", "Cork"))
    'sister'
    """
    return " ".join(_content(claim.subject)) or claim.subject


def topics(claim: Claim) -> tuple[Topic, Topic]:
    """What a claim tells of whom it is about; claims that share any of it tell the same of them.

    It is the attribute as it stands, and the stems of its words with those of the value's unit. Nothing less
    will do: of claims whose words only overlap, every tenth was of something else.

    >>> one, other = Claim("user", "my library", "60 books"), Claim("user", "books in the library", "52")
    >>> topics(one)[1] == topics(other)[1]
    True
    """
    stems = phrase(claim.attribute) | value(claim.value).of
    return claim.attribute, stems or frozenset({claim.attribute})


def same_value(one: Claim, other: Claim) -> bool:
    """Whether two claims of one attribute say the same of it.

    Of a single-valued one a place is the same with and without what it lies in; the items of a list are the
    same only word by word.

    >>> said = [Claim("user", "budget", value, single=True) for value in ("$1,200", "about 1200 dollars")]
    >>> same_value(*said)
    True
    """
    a, b = value(one.value), value(other.value)
    if a.amount is not None and b.amount is not None:
        return a.amount == b.amount and _comparable(a, b)
    if a.kind != b.kind:
        return False
    if a.kind == "date":
        return set(a.words) == set(b.words)
    shorter, longer = sorted((a.words, b.words), key=len)
    within = one.single and other.single and "," in max(one.value, other.value, key=len)
    return a.words == b.words or (within and bool(shorter) and longer[: len(shorter)] == shorter)


def kept_under(claim: Claim) -> list[Hashable]:
    """Keys of its value: same_value(a, b) only if one of b's `sought_under` is one of a's `kept_under`."""
    said = value(claim.value)
    keys = [_key(said)]
    if claim.single and said.kind in _IN_ORDER:
        keys += [("within", said.kind, said.words[:length]) for length in range(1, len(said.words))]
    return keys


def sought_under(claim: Claim) -> list[Hashable]:
    """Keys under which those are kept that may say the same.

    >>> macon, georgia = (Claim("user", "home", home, single=True) for home in ("Macon", "Macon, Georgia"))
    >>> set(sought_under(macon)) & set(kept_under(georgia))
    {('within', 'words', ('macon',))}
    """
    said = value(claim.value)
    keys = [_key(said)]
    if claim.single and said.kind in _IN_ORDER:
        keys.append(("within", said.kind, said.words))
        keys += [(said.kind, said.words[:length]) for length in range(1, len(said.words))]
    return keys


def _key(said: Value) -> Hashable:
    if said.amount is not None:
        return said.amount
    return said.kind, said.words if said.kind in _IN_ORDER else frozenset(said.words)


def rivals(one: Claim, other: Claim) -> bool:
    """Whether two values of what has one at a time cannot both be so: they differ, and are of one kind."""
    a, b = value(one.value), value(other.value)
    return _comparable(a, b) and not same_value(one, other) and not _out_of_scale(a, b)


def _out_of_scale(a: Value, b: Value) -> bool:
    less, more = sorted((a.amount or 0.0, b.amount or 0.0))
    return a.kind == b.kind == "money" and more > OUT_OF_SCALE * less > 0


def _comparable(a: Value, b: Value) -> bool:
    if a.amount is None or b.amount is None:
        return a.kind == b.kind
    if a.kind == b.kind:
        return a.unit == b.unit or not a.unit or not b.unit
    return "quantity" in {a.kind, b.kind} and not (a.unit and b.unit)


@lru_cache(4096)
def phrase(text: str) -> frozenset[str]:
    """The stems of a noun phrase's words, without those that say nothing.

    >>> sorted(phrase("number of commits merged to main"))
    ['commit', 'main', 'merg']
    """
    words = [word for word in _content(text[:LONGEST_READ]) if word not in _BINDS]
    return frozenset(_stems([word for word in words if word not in _COUNTS] or words))


@lru_cache(32_768)
def value(text: str) -> Value:
    """What a value is made of.

    >>> value("about three bedrooms") == Value("quantity", 3.0, "bedroom", of=frozenset({"bedroom"}))
    True
    >>> value("$1.2k").amount, value("April 2").words, sorted(value("52% for the parser").of)
    (1200.0, ('april', '2'), ['parser'])
    """
    whole = _spelt(text[:LONGEST_READ].strip())
    if _DATED.search(whole):
        told = [_ORDINAL.sub("", word) for word in _content(whole) if word not in _BINDS]
        return Value("date", words=tuple(_SHORT.get(word, word) for word in told))
    found = _TAILED.fullmatch(whole)
    amount, tail = (found["amount"], phrase(found["tail"] or "")) if found else (whole, frozenset[str]())
    if found := _MONEY.fullmatch(amount):
        unit = _CURRENCIES[(found["sign"] or found["unit"])[0].lower()]
        return Value("money", _number(found["sum"] or found["plain"]), unit, of=tail)
    if found := _PERCENT.fullmatch(amount):
        return Value("percent", _number(found["number"]), "%", of=tail)
    if found := _VERSION.fullmatch(amount):
        return Value("version", words=tuple((found["version"] or found["bare"]).split(".")), of=tail)
    if found := _COUNTED.fullmatch(amount):
        units = _stems(_content(found["unit"] or ""))
        return Value("quantity", _number(found["number"]), "".join(units[-1:]), of=tail | frozenset(units))
    return Value("words", words=tuple(_stems(_content(whole))))


def _content(text: str) -> list[str]:
    """The words that say something, in lower case."""
    words = (_APOSTROPHE.sub("", word) for word in _WORD.findall(text.lower()))
    return [word for word in words if word and word not in _IDLE]


def _stems(words: list[str]) -> list[str]:
    return list(Stemmer.Stemmer("english").stemWords(words))


def _spelt(text: str) -> str:
    """The text with its small numbers in digits.

    >>> _spelt("Twenty-five rooms, seven of them large")
    '25 rooms, 7 of them large'
    """
    text = _TENS_AND_ONES.sub(lambda m: str(int(_TENS[m[1].lower()]) + int(_ONES[m[2].lower()])), text)
    return _IN_WORDS.sub(lambda m: _NUMBERS[m[0].lower()], text)


def _number(text: str) -> float:
    found = re.match(r"([+-]?[\d,.]+)\s*([a-z]*)", text.lower())
    assert found, text
    return float(found[1].replace(",", "").rstrip(".")) * _SCALES.get(found[2], 1.0)
