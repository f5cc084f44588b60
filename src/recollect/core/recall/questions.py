"""What kind of answer a question asks for."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import IntEnum

from recollect.core.recall.candidates import Query
from recollect.core.text.tokens import tokenize
from recollect.core.text.traits import Trait


class Kind(IntEnum):
    """What is asked for; the first of them that a question's words show."""

    COUNT = 0
    DURATION = 1
    MONEY = 2
    WHEN = 3
    WHERE = 4
    WHO = 5
    WHY = 6
    HOW = 7
    WHAT = 8
    WHETHER = 9
    OTHER = 10


EXPECTED = {
    Kind.COUNT: Trait.NUMBER,
    Kind.DURATION: Trait.NUMBER | Trait.TIME,
    Kind.MONEY: Trait.MONEY | Trait.NUMBER,
    Kind.WHEN: Trait.TIME,
    Kind.WHERE: Trait.PLACE | Trait.NAME,
    Kind.WHO: Trait.NAME,
    Kind.WHY: Trait.REASON,
    Kind.HOW: Trait(0),
    Kind.WHAT: Trait(0),
    Kind.WHETHER: Trait(0),
    Kind.OTHER: Trait(0),
}
"""What a text that answers is likely to have, any of them."""

_KINDS = {
    Kind.COUNT: r"\bhow many\b|\bnumber of\b|\bhow often\b|\bhow old\b|\bhow tall\b",
    Kind.DURATION: r"\bhow (?:long|far|soon)\b|\bhow many (?:days|weeks|months|years|hours|minutes)\b",
    Kind.MONEY: r"\bhow much\b|\b(?:price|cost|budget|salary|rent)\b",
    Kind.WHEN: r"\bwhen\b|\bwh(?:at|ich) (?:date|day|time|month|year|week|weekend|season)\b",
    Kind.WHERE: r"\bwhere\b|\b(?:what|which) (?:city|country|place|town|state|street|shop|store)\b",
    Kind.WHO: r"\bwho(?:m|se)?\b|\bwhat(?: is|'s) the name\b",
    Kind.WHY: r"\bwhy\b|\bwhat (?:reason|motivat|inspir|made|caused)",
    Kind.HOW: r"\bhow\b",
    Kind.WHAT: r"\bwhat\b|\bwhich\b",
    Kind.WHETHER: r"\A\W*(?:is|are|was|were|do|does|did|has|have|had|can|could|will|would|should)\b",
}
_ORDER = (Kind.DURATION, *(kind for kind in _KINDS if kind is not Kind.DURATION))
_FOUND = {kind: re.compile(_KINDS[kind], re.IGNORECASE) for kind in _ORDER}
_MINE = re.compile(r"\b(?:i|me|my|mine|we|us|our)\b", re.IGNORECASE)
_YOURS = re.compile(r"\b(?:you|your)\b", re.IGNORECASE)
_LATEST = re.compile(
    r"\b(?:last|lately|latest|recent(?:ly)?|now|current(?:ly)?|newest|still|anymore)\b", re.IGNORECASE
)
_FIRST = re.compile(
    r"\b(?:first|initial(?:ly)?|original(?:ly)?|begin(?:ning)?|start(?:ed)?|before"
    r"|previously|used to|earlier)\b",
    re.IGNORECASE,
)
_SEVERAL = re.compile(
    r"\b(?:all|list|both|every|kinds?|types?|ways|things|activities|events|hobbies"
    r"|what \w+s (?:has|have|does|do|did))\b",
    re.IGNORECASE,
)
_CAPITALISED = re.compile(r"(?<=[\w,;:'\"“] )[\"'“]?[A-Z][\w'’&.-]*")


@dataclass(frozen=True, slots=True)
class Asked:
    """What a question's words show of its answer.

    `mine`, `yours`: it speaks of the one who asks, of the one who is asked. `latest`, `first`: it asks for an
    end of the time. `several`: the answer is likely to stand in several places. `named`: for each of the
    query's tokens, whether it is part of a name (of no participant: theirs are not among the tokens).
    """

    kind: Kind
    mine: bool
    yours: bool
    latest: bool
    first: bool
    several: bool
    named: tuple[bool, ...]


def read(query: Query) -> Asked:
    """What the question asks for.

    >>> asked = read(Query("How long did Ann work in Oslo?", ("long", "work", "oslo"), ("Ann",)))
    >>> asked.kind.name, asked.named
    ('DURATION', (False, False, True))
    """
    text = query.text
    names = frozenset(token for word in _CAPITALISED.findall(text) for token in tokenize(word))
    return Asked(
        kind=next((kind for kind, pattern in _FOUND.items() if pattern.search(text)), Kind.OTHER),
        mine=bool(_MINE.search(text)),
        yours=bool(_YOURS.search(text)),
        latest=bool(_LATEST.search(text)),
        first=bool(_FIRST.search(text)),
        several=bool(_SEVERAL.search(text)),
        named=tuple(token in names for token in query.tokens),
    )
