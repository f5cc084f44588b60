"""What is wanted of something looked for: its rooms, where it is to be, what it may cost."""

from __future__ import annotations

import re

from recollect.core.consolidate.telling import Told
from recollect.core.consolidate.words import NUM, VALUES
from recollect.core.model import USER, Kind

_PLACE = r"(?:the )?(?-i:[A-Z][\w.'’-]+)(?: (?-i:[A-Z][\w.'’-]+)){0,2}(?: area)?"
_DETAILS: tuple[tuple[str, str], ...] = (
    ("bedrooms", rf"(?P<value>{NUM}(?:\+|(?: ?(?:-|to|or) ?{NUM}))?)[ -]?(?:bed(?:room)?s?|br|bd|bdrms?)\b"),
    ("bathrooms", rf"(?P<value>{NUM}(?:\.5)?(?: and a half)?)[ -]?(?:bath(?:room)?s?|ba)\b"),
    (
        "size",
        (
            r"(?P<value>\d[\d,.]* ?(?:-|to)? ?\d* ?(?:sq\.? ?(?:ft|feet|m|met(?:er|re)s)|square (?:feet|foot"
            r"|met(?:er|re)s)|sqft|sqm|m2|m²|acres?))\b"
        ),
    ),
    ("area", rf"\b(?:in|near|around|close to) (?P<value>{_PLACE})"),
    (
        "budget",
        (
            rf"\b(?:under|below|up to|at most|no more than|less than|max(?:imum)?(?: of)?|budget (?:of|is"
            rf"|around)) (?P<value>{VALUES['money'].replace('under |', '')})"
        ),
    ),
    ("furnished", r"\b(?P<value>unfurnished|furnished)\b"),
    (
        "pets allowed",
        (
            r"\b(?P<value>pets? (?:must be |are |is )?(?:allowed|friendly|welcome)|pets are a must"
            r"|pet[- ]friendly|allows? "
            r"pets|no pets)\b"
        ),
    ),
    ("garage", r"\b(?P<value>(?:no )?(?:garage|parking(?: space| spot)?))\b"),
    (
        "visit",
        (
            r"\b(?:visit|viewing|appointment|tour)\b.{0,40}?(?:on |for )?(?P<value>(?:next |this |on "
            r")?(?:(?:mon|tues|wednes|thurs|fri|satur|sun)day|tomorrow)|(?:january|february|march|april|may"
            r"|june|july|august|september|october|november|december) \d{1,2}(?:st|nd|rd|th)?|the "
            r"\d{1,2}(?:st|nd|rd|th))\b"
        ),
    ),
    ("laundry", r"\b(?P<value>(?:in[- ]unit )(?:laundry|washer(?: and dryer)?))\b"),
)
_FOUND = tuple((name, re.compile(pattern, re.IGNORECASE)) for name, pattern in _DETAILS)
_VISIT = tuple(each for each in _FOUND if each[0] == "visit")
_ENTITIES = {"area": "place"}
_HOME = re.compile(
    r"\b(?:bed(?:room)?s?|bath(?:room)?s?|apartments?|apt|flats?|condos?|houses?|homes?|townhouses?"
    r"|studios?|lofts?|place|propert(?:y|ies)|rent(?:al)?|listings?|duplex|villas?"
    r"|furnished|unfurnished|garage|laundry|square feet|sq|sqft|pets?)\b",
    re.IGNORECASE,
)  # fmt: skip
_WANTING = re.compile(
    r"\b(?:want|need|needs to|look(?:ing)? (?:for|to)|search(?:ing)? for|prefer|find|show|must "
    r"(?:have|be)|should (?:have|be)|would like|interested in|rent|buy|in the market for|hoping for"
    r"|at least|something|schedule|book|visit)\b",
    re.IGNORECASE,
)
_OWN = re.compile(
    r"\b(?:i|we) (?:currently |now |still )?(?:rent|have|own|live|lived|used to|sold|had|grew)\b|\b(?:not"
    r"|never|no longer)\b|\b(?:he|she"
    r"|they|my (?!budget|ideal|wife and i))\w* ",
    re.IGNORECASE,
)
_SAYS_NO = {"unfurnished": "no", "no pets": "no", "no garage": "no", "no parking": "no"}


def wanted(text: str, *, looking: bool) -> list[Told]:
    """The details of a home that a clause asks for. `looking`: it is only a part of a sentence that does so.

    >>> [(each.attribute, each.value) for each in wanted("I need a 3 bedroom flat in Oslo", looking=False)]
    [('bedrooms', '3'), ('area', 'Oslo')]
    """
    home = _HOME.search(text)
    if not (looking or _WANTING.search(text)) or _OWN.search(text):
        return []
    found: list[Told] = []
    for name, pattern in _FOUND if home else _VISIT:
        if match := pattern.search(text):
            value = match["value"]
            if name in {"furnished", "pets allowed", "garage", "laundry"}:
                value = _SAYS_NO.get(value.lower(), "yes")
            found.append(
                Told(
                    USER,
                    name,
                    value,
                    Kind.PREFERENCE,
                    single=True,
                    confidence=0.75,
                    entity=_ENTITIES.get(name, ""),
                )
            )
    return found
