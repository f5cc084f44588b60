"""What can be said of a text at a glance: what kind of question it could answer, and whether it asks one."""

from __future__ import annotations

import re
from enum import IntFlag


class Trait(IntFlag):
    """Kept with a memory in fifteen bits, so a bit never changes its meaning."""

    ASKS = 1
    """There is a question in it."""
    ENDS_ASKING = 2
    """Its last sentence is a question."""
    NUMBER = 4
    """It tells a number, in digits or words."""
    TIME = 8
    """It speaks of a time, a date or a duration."""
    MONEY = 16
    """It tells a sum of money, or a share in percent."""
    NAME = 32
    """There is a capitalised word within a sentence, other than "I"."""
    PLACE = 64
    """Such a word follows "in", "at", "to" or "from"."""
    FIRST = 128
    """The speaker speaks of "me" or "us"."""
    SECOND = 256
    """The speaker speaks to "you"."""
    LIST = 512
    """It enumerates: three things with commas, or lines with bullets or numbers."""
    GREETING = 1024
    """It begins by greeting, thanking or praising."""
    SHORT = 2048
    """It has at most SHORTEST characters."""
    QUOTATION = 4096
    """It quotes, or gives a title in quotation marks."""
    LINK = 8192
    """It holds a link or an e-mail address."""
    REASON = 16384
    """It gives a reason or a purpose."""


SHORTEST = 40
LONGEST_READ = 10_000
"""So many characters of a text are looked through."""

_WORDS = {
    Trait.NUMBER: "one two three four five six seven eight nine ten eleven twelve twenty thirty forty fifty"
    " hundred thousand million once twice dozen couple several first third half",
    Trait.TIME: "yesterday today tonight tomorrow monday tuesday wednesday thursday friday saturday sunday"
    " weekend morning afternoon evening january february april june july august september october november"
    " december ago second seconds minute minutes hour hours day days week weeks month months year years"
    " decade decades summer winter autumn birthday anniversary christmas early earlier late lately later"
    " recently since",
    Trait.MONEY: "dollar dollars euro euros pound pounds bucks usd eur gbp percent",
    Trait.FIRST: "i me my mine myself we us our ours",
    Trait.SECOND: "you your yours yourself",
    Trait.REASON: "because since therefore why reason due help helps so",
}
_PATTERNS = {
    Trait.NUMBER: r"\d",
    Trait.TIME: r"\b(?:19|20)\d\d\b|\d:\d\d|\d ?[ap]m\b",
    Trait.MONEY: r"[$€£¥₹%]",
    Trait.NAME: r"[a-z,;:] (?!I\b)[A-Z]",
    Trait.PLACE: r"\b(?:in|at|to|from) (?:the )?(?!I\b)[A-Z]",
    Trait.LIST: r"(?:^|\n)[ \t]*(?:[-*•]|\d+[.)])\s|,[^,.?!\n]{2,40},? (?:and|or) ",
    Trait.GREETING: r"\A\W*(?i:hey|hi|hello|wow|thanks?|bye|cool|great|awesome|sounds|congrat\w*|nice"
    r"|ok(?:ay)?|yeah|yes|no|sure|good (?:morning|evening|afternoon)|oh|well|absolutely|definitely)\b",
    Trait.QUOTATION: r"[\"“”«»「『]",
    Trait.LINK: r"https?://|www\.|\w@\w",
    Trait.ASKS: "[?？؟]",
    Trait.ENDS_ASKING: r"[?？؟][\"'”’)\s]*\Z",
}
_VOCABULARY = {trait: frozenset(words.split()) for trait, words in _WORDS.items()}
_FOUND = {trait: re.compile(pattern) for trait, pattern in _PATTERNS.items()}
_WORD = re.compile(r"[a-z]+")


def traits(text: str) -> Trait:
    """What the text is like; cheap, and the same wherever it is asked.

    >>> traits("Which sofa?")
    <Trait.ASKS|ENDS_ASKING|SHORT: 2051>
    >>> Trait.PLACE in traits("We bought two of them in Oslo.")
    True
    """
    text = text[:LONGEST_READ]
    words = frozenset(_WORD.findall(text.lower()))
    found = 0 if len(text) > SHORTEST else int(Trait.SHORT)
    for trait, vocabulary in _VOCABULARY.items():
        if not words.isdisjoint(vocabulary):
            found |= trait
    for trait, pattern in _FOUND.items():
        if not found & trait and pattern.search(text):
            found |= trait
    return Trait(found)
