"""What in a text tells who somebody is, or gives power over what is theirs.

Numbers and addresses are found by their patterns, by their check digits where they have some (cards: Luhn,
ISO/IEC 7812; bank accounts: ISO 13616), and by the words before them; names by core/text/entities.py with a
lower threshold, since here a gap is worse than a span too many. Patterns know English, and postal addresses
as they are written in North America and much of Europe.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from ipaddress import ip_address

from recollect.core.text.entities import LONGEST_READ, find_entities
from recollect.core.text.labelling import GAZETTEERS

LIKELY = 0.3
"""Names count from this likelihood on."""


@dataclass(frozen=True, slots=True)
class Span:
    """text[start:end] is of this kind.

    `kind`: account, address, age, card, date_of_birth, email, iban, ip, licence, nationality, organisation,
    passport, person, phone, place, secret, ssn, title, url or zip. `confidence`: 0.9 and more where check
    digits or the words before it say so, less where only its looks do.
    """

    kind: str
    start: int
    end: int
    confidence: float


@dataclass(frozen=True, slots=True)
class _Rule:
    kind: str
    pattern: re.Pattern[str]
    confidence: float
    check: Callable[[str], bool] = bool


def find_pii(text: str) -> list[Span]:
    """What is personal in a text, in order; spans do not overlap.

    Only core.text.entities.LONGEST_READ characters are read.

    >>> [(span.kind, span.start, span.end) for span in find_pii("I'm Ann, call 201-948-1927")]
    [('person', 4, 7), ('phone', 14, 26)]
    """
    text = text[:LONGEST_READ]
    found = sorted(
        (*_by_pattern(text), *_names(text)),
        key=lambda span: (-span.confidence, span.start - span.end, span.start),
    )
    taken, kept = bytearray(len(text)), []
    for span in found:
        if not any(taken[span.start : span.end]):
            taken[span.start : span.end] = b"x" * (span.end - span.start)
            kept.append(span)
    return sorted(kept, key=lambda span: span.start)


def _by_pattern(text: str) -> Iterator[Span]:
    numbers = _DIGIT.search(text)
    for rule in _RULES:
        if not numbers and rule.kind not in _WITHOUT_DIGITS:
            continue
        for match in rule.pattern.finditer(text):
            if rule.check(match["value"]):
                yield Span(rule.kind, *match.span("value"), rule.confidence)


def _names(text: str) -> Iterator[Span]:
    for entity in find_entities(text, LIKELY):
        if entity.kind in {"person", "place", "organisation"}:
            yield Span(entity.kind, entity.start, entity.end, 0.7)


def _digits(text: str) -> list[int]:
    return [int(c) for c in text if c in "0123456789"]


def is_luhn(number: str) -> bool:
    """Whether the last digit checks the others.

    >>> is_luhn("4111 1111 1111 1111"), is_luhn("4111 1111 1111 1112")
    (True, False)
    """
    digits = _digits(number)[::-1]
    doubled = (sum(divmod(2 * digit, 10)) for digit in digits[1::2])
    return len(set(digits)) > 1 and (sum(digits[::2]) + sum(doubled)) % 10 == 0


def is_iban(account: str) -> bool:
    """Whether the check digits of an international account number are right.

    >>> is_iban("GB82 WEST 1234 5698 7654 32"), is_iban("GB82 WEST 1234 5698 7654 33")
    (True, False)
    """
    plain = re.sub(r"[ -]", "", account).upper()
    moved = plain[4:] + plain[:4]
    return 15 <= len(plain) <= 34 and int("".join(str(int(c, 36)) for c in moved)) % 97 == 1


def _is_address(value: str) -> bool:
    try:
        ip_address(value)
    except ValueError:
        return False
    return value != "::"


def _is_phone(value: str) -> bool:
    """Between 7 and 15 digits (ITU-T E.164), and no date."""
    digits = _digits(value)
    return 7 <= len(digits) <= 15 and not _DATE.fullmatch(value.strip()) and len(set(digits)) > 1


def _is_birthday(value: str) -> bool:
    years = re.findall(r"\d{4}", value)
    return not years or 1880 <= int(years[0]) <= date.max.year


def _is_age(value: str) -> bool:
    return int(value) < 125


def _has_digit(value: str) -> bool:
    return bool(_digits(value))


def _has_parts(value: str) -> bool:
    """Whether it is written as a postal address is, and not as "5 March 2023" or the title of a film."""
    return bool(_PARTED.search(value))


_PARTED = re.compile(r"[,\n]|\b(?:apt|suite|unit|flat|box|room|floor)\b", re.IGNORECASE)
_MONTH = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*"
_DAY = (
    rf"(?:\d{{1,2}}[/.-]\d{{1,2}}[/.-](?:\d{{4}}|\d\d)|\d{{4}}[/.-]\d{{1,2}}[/.-]\d{{1,2}}"
    rf"|{_MONTH}\.? \d{{1,2}}(?:st|nd|rd|th)?(?:,? \d{{4}})?"
    rf"|\d{{1,2}}(?:st|nd|rd|th)? (?:of )?{_MONTH}(?:,? \d{{4}})?)"
)
_DIGIT = re.compile("[0-9]")
_WITHOUT_DIGITS = frozenset({"email", "url", "title", "person", "nationality"})
_DATE = re.compile(rf"{_DAY}(?: \d\d)?", re.IGNORECASE)
_IS = r"(?: number| no\.?| code| #)?(?: is|:| was|=| #|,)*[ \n]*(?:it['’]s |as |it is )?"

_CAP = r"[^\W\d_a-z][^\W\d_]{0,25}(?:['’.-][^\W\d_]{1,25}){0,3}\.?"
_STREETS = (
    r"(?i:street|st|road|rd|avenue|ave|boulevard|blvd|lane|ln|drive|dr|court|ct|way|place|pl|square|sq|terrace"
    r"|crescent|close|parkway|pkwy|highway|hwy|circle|cir|alley|trail|plaza|crossing)"
)
_STREET_END = (
    r"(?:stra(?:ß|ss)e|gasse|weg|platz|allee|laan|straat|gata|gatan|gade|vej|vejen|veien|tie|katu|ulica|utca)"
)
_APART = r"[ ,\n>?]{1,8}"
_ROOM = rf"(?:{_APART}(?i:apt|suite|unit|flat|box|room|floor)\b\.? ?#?(?:\d\w{{0,5}}|[A-Z]\b))"
_TOWN = rf"(?:{_APART}[^\W\d_a-z][^\W\d_]{{1,20}}(?:[ '’-][^\W\d_]{{1,20}}){{0,4}})"
_CODE = (
    rf"(?:{_APART}(?:[A-Z]\d[A-Z] ?\d[A-Z]\d|[A-Z]{{1,2}}\d{{1,2}}[A-Z]? ?\d[A-Z]{{2}}"
    r"|\d{3,6}(?:-\d{3,4})?))"
)
_REST = rf"(?:{_ROOM}{{0,2}}{_TOWN}{{0,3}}{_CODE}(?!\w)|{_ROOM}{{1,2}})"
_BEFORE = (
    r"\b(?i:address(?:es)?(?: with| is| to|:|,)*|located at|lives? (?:at|on)"
    r"|(?:north|south|east|west) side of"
    r"|sent to|(?:return|ship|send|deliver|taxi) (?:it )?to|meet (?:me|you) at|is at|corner of)[ \n]"
)

_STATES = (
    "(?:A[KLRZ]|C[AOT]|D[CE]|FL|GA|HI|I[ADLN]|K[SY]|LA|M[ADEINOST]|N[CDEHJMVY]|O[HKR]|PA|RI|S[CD]|T[NX]|UT"
    "|V[AT]|W[AIVY])"
)

_PATTERNS: tuple[tuple[str, float, str, Callable[[str], bool]], ...] = (
    ("email", 0.99, r"(?<![\w.+-])(?P<value>[\w.+-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,4})", bool),
    ("url", 0.95, r"\b(?P<value>(?:https?://|www\.)[^\s<>\"')\]]{3,200})(?<![.,;:!?])", bool),
    ("ip", 0.95, r"(?<![\w.])(?P<value>\d{1,3}(?:\.\d{1,3}){3})(?![\w.]*\d)", _is_address),
    ("ip", 0.95, r"(?<![\w:])(?P<value>(?:[0-9a-f]{0,4}:){2,7}[0-9a-f]{0,4})(?![\w:])", _is_address),
    ("iban", 0.99, r"\b(?P<value>[A-Z]{2}\d\d(?:[ -]?[A-Z0-9]{2,4}){3,8})\b", is_iban),
    ("card", 0.98, r"(?<![\w.-])(?P<value>\d(?:[ -]?\d){12,18})(?![\w-])", is_luhn),
    (
        "card",
        0.96,
        (
            r"\b(?:card|cc|credit card|debit card)(?: number| no\.?)?(?: is| #|:)* "
            r"(?P<value>\d(?:[ -]?\d){10,18})\b"
        ),
        bool,
    ),
    ("ssn", 0.95, r"(?<![\w-])(?P<value>(?!000|666)\d{3}-(?!00)\d\d-(?!0000)\d{4})(?![\w-])", bool),
    (
        "ssn",
        0.97,
        (
            rf"\b(?:ssn|social security|social)(?: number)?(?: last (?:four|4)(?: digits)?)?{_IS}"
            r"(?P<value>\d{3}[ -]?\d\d[ -]?\d{4}|\d{4})\b"
        ),
        bool,
    ),
    (
        "licence",
        0.96,
        rf"\b(?:driver['’]?s?|driving) licen[cs]e{_IS}(?P<value>[A-Z0-9](?:[A-Z0-9]|-(?=\d)){{4,16}})\b",
        _has_digit,
    ),
    ("passport", 0.96, rf"\bpassport{_IS}(?P<value>[A-Z]{{0,2}}\d{{6,9}})\b", bool),
    (
        "account",
        0.92,
        (
            rf"\b(?:account|acct|routing|sort code|member|policy|claim|customer) (?:number|no\.?|id|#){_IS}"
            r"(?P<value>[A-Z]{0,4}[ -]?\d[\d -]{2,20}\d)\b"
        ),
        bool,
    ),
    (
        "secret",
        0.9,
        r"\b(?:password|passcode|passphrase|pin|api key)(?: code)?(?: is|:|=) ?(?P<value>[^\s,;]{4,100})",
        _has_digit,
    ),
    ("secret", 0.95, r"(?<!\w)(?P<value>(?:sk|pk|ghp|xoxb|AKIA)[-_]?[A-Za-z0-9_-]{16,100})", _has_digit),
    (
        "date_of_birth",
        0.95,
        (
            rf"\b(?:born(?: on| in)?|birth ?date|date of birth|dob|d\.o\.b\.?|birthday){_IS}(?:on )?"
            rf"(?P<value>{_DAY}|\d{{4}})\b"
        ),
        _is_birthday,
    ),
    (
        "phone",
        0.93,
        (
            rf"\b(?:phone|tel|telephone|mobile|cell|fax|desk|office|contact|whatsapp"
            rf"|reach me (?:at|on)|call (?:me )?(?:at|on)?){_IS}(?P<value>\+?\(?\d[\d ().-]{{5,18}}\d)(?!\w)"
        ),
        _is_phone,
    ),
    (
        "phone",
        0.9,
        r"(?<![\w.+-])(?P<value>\+\d{1,3}[ .-]?(?:\(\d{1,4}\)[ .-]?)?\d(?:[ .-]{0,2}\d){6,12})(?!\w)",
        _is_phone,
    ),
    (
        "phone",
        0.85,
        r"(?<![\w.+/-])(?P<value>(?:1[ .-])?\(?\d{3}\)?[ .-]{1,2}\d{3}[ .-]\d{4}(?: ?x\d{1,5})?)(?![\w-])",
        _is_phone,
    ),
    (
        "phone",
        0.75,
        r"(?<![\w.+/$€£-])(?P<value>\(?\d{2,5}\)?(?:[ .-]\d{2,4}){2,5})(?![\w-]|[.,]\d)",
        _is_phone,
    ),
    ("phone", 0.7, r"(?<![\w.+/$€£-])(?P<value>\d{10,11})(?![\w-])", _is_phone),
    (
        "zip",
        0.95,
        rf"\b(?:zip|zip ?code|postal code|postcode){_IS}(?P<value>[A-Z0-9]{{3,6}}(?:[ -][A-Z0-9]{{2,4}})?)\b",
        _has_digit,
    ),
    ("zip", 0.8, r"\b(?P<value>(?-i:[A-Z]{1,2}\d[A-Z\d]? \d[A-Z]{2}|[A-Z]\d[A-Z] \d[A-Z]\d))\b", bool),
    ("zip", 0.8, rf"(?<=, )(?-i:{_STATES}) (?P<value>\d{{5}}(?:-\d{{4}})?)(?![\w-])", bool),
    ("age", 0.95, r"\b(?P<value>\d{1,3})(?:[- ]years?[- ]old| ?y[/.]?o\b|[- ]year[- ]olds?)", _is_age),
    (
        "age",
        0.93,
        (
            r"\b(?:turn(?:s|ed|ing)?|aged?|at the age of|(?:i['’]?m|he['’]s|she['’]s"
            r"|(?:he|she|i) was)(?: now)?)(?: is|:)? "
            r"(?P<value>\d{1,3})(?=[.,!;)\n]|$| (?:and|now|today|this|next|last|in)\b)"
        ),
        _is_age,
    ),
    ("title", 0.9, r"\b(?P<value>(?:Mr|Mrs|Ms|Dr|Prof)\b\.?|Miss|Madam)(?= [A-ZÀ-Þ])", bool),
    (
        "person",
        0.75,
        rf"\b(?i:names?(?: is|:)|named (?:him|her|them)) (?P<value>{_CAP}(?: {_CAP}){{0,3}})",
        bool,
    ),
    ("person", 0.68, rf"(?m:^)(?P<value>{_CAP}(?: {_CAP}){{1,3}})(?=\n)", bool),
    (
        "address",
        0.93,
        (
            r"\b(?P<value>(?:[A-Z][A-Za-z]{1,20} (?:\d{1,5},? )?"
            r"(?:\w{1,20} \d{1,5}[ ,\n]{1,4})?|[A-Z]{2,5}\n)[ ,\n]{0,4}(?:APO|FPO|DPO) [A-Z]{2} \d{5})"
        ),
        bool,
    ),
    (
        "address",
        0.9,
        (
            rf"(?<![\w.-])(?P<value>\d{{1,6}}(?: \d{{1,5}})?(?: [^\W_]{{1,20}}\.?){{0,3}} {_STREETS}\b\.?"
            rf"(?:{_REST})?)"
        ),
        bool,
    ),
    (
        "address",
        0.88,
        rf"(?<![\w.-])(?P<value>\d{{1,6}}(?: \d{{1,5}})?(?: {_CAP}){{1,5}}(?: \d{{1,4}}\.?)?{_REST})",
        _has_parts,
    ),
    (
        "address",
        0.88,
        (
            rf"(?<![\w.-])(?P<value>\d{{1,6}}(?: \d{{1,5}})?(?: [^\W\d_][\w.'’-]{{0,24}}){{1,5}}"
            rf"(?: \d{{1,4}}\.?)?{_ROOM}{{1,2}}(?:{_TOWN}{{0,3}}{_CODE}(?!\w))?)"
        ),
        bool,
    ),
    ("address", 0.88, rf"{_BEFORE}(?:the )?(?P<value>\d{{1,6}}(?: [^\W_]{{1,20}}\.?){{1,5}})", bool),
    ("address", 0.88, rf"{_BEFORE}(?P<value>(?:[^\W\d_]{{1,20}}\.? ){{1,4}}\d{{1,4}})(?!\w)", bool),
    (
        "address",
        0.85,
        rf"(?<![\w-])(?P<value>[^\W\d_a-z][^\W\d_]{{2,20}}{_STREET_END} \d{{1,4}}[a-z]?(?:{_REST})?)",
        bool,
    ),
)
_CASED = frozenset({"iban", "secret", "title", "address", "person"})


def _compiled() -> Sequence[_Rule]:
    return tuple(
        _Rule(kind, re.compile(pattern, re.NOFLAG if kind in _CASED else re.IGNORECASE), confidence, check)
        for kind, confidence, pattern, check in _PATTERNS
    )


_NATIONALITY = _Rule(
    "nationality",
    re.compile(
        rf"\b(?P<value>(?:{'|'.join(sorted(word.capitalize() for word in GAZETTEERS['demonyms']))}))\b"
    ),
    0.65,
)
_RULES: Sequence[_Rule] = (*_compiled(), _NATIONALITY)
