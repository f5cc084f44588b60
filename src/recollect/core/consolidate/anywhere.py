"""What packs' free rules read anywhere in a clause, and how that is meant: liked, wished for, asked for.

A preference is read where somebody says what they like: in a statement about a person whose verb is one of
liking. What `asking` attributes name is also read where something is wished or asked for; not where it is
only asked about, and not in what somebody has or does. Anything else is read in every statement.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from recollect.core.consolidate.attributes import Attribute, Rule, Vocabulary
from recollect.core.consolidate.claims import LIKING, of, valued
from recollect.core.consolidate.english import FORMS
from recollect.core.consolidate.grammar import Frame, frame, subject_of
from recollect.core.consolidate.telling import Told, bare, items
from recollect.core.model import USER, Kind

_ASKED = 0.6
"""How sure it is that what is asked for is also liked."""

_WISHING = re.compile(
    r"\b(?:show|find|recommend|suggest|give|get|bring|send|help)(?: \w+)? (?:me|us)\b"
    r"|\b(?:some|any)thing\b(?!'s\b| (?:else|is|was|went|has|had|happened)\b)"
    r"|\b(?:should|must|has to|needs to|ought to|would) (?:ideally |preferably |also )?(?:be|have|match|go)\b"
    r"|\b(?:ideally|preferably|please|looking for|in search of|drawn to|in love with"
    r"|lean(?:ing)? towards?|going for)\b",
    re.IGNORECASE,
)
_ASKING_FOR = re.compile(
    r"\b(?:(?:do|would|can|could|will|are) (?:you|there)|is there|(?:does|is|are) (?:it|this|that|they|these"
    r"|those|the [\w -]{2,40}?)) (?:\w+ ){0,3}?(?:have|got|sell|carry|stock|offer|make|find|show|get|ship"
    r"|bring|send|deliver|recommend|suggest|come|available|an?|any|some|something)\b"
    r"|\b(?:what|which) [\w -]{2,60}? (?:do|would|can|could) you (?:have|sell|carry|stock|offer|recommend"
    r"|suggest)\b|\A(?:any|anything|something|got any)\b"
    r"|\b(?:can|could|may) (?:i|we) (?:\w+ ){0,2}?(?:get|have|see|order|find|buy)\b"
    r"|\bwhere (?:can|could|do) (?:i|we) (?:find|see|get|buy)\b",
    re.IGNORECASE,
)
_POLITELY = re.compile(r"\A(?P<verb>\w+) not (?=(?:you|there|it|they|we|i)\b)", re.IGNORECASE)
"""How a question begins that is only put politely: "don't you have …"."""

_DENIED = re.compile(
    r"\b(?:no|not|never|nothing|without|nor|neither|hates?|dislikes?|detest|loathe|despise|avoid|too|tired of"
    r"|sick of|fed up with|anything but|instead of|rather than|other than|gone off|had enough of|allergic to"
    r"|away from|skip)\b"
    r"(?:(?!\b(?:but|maybe|more|just|only|instead|(?<!not )prefer|rather)\b|[;:(]"
    r"|, (?:\w+ ){3}).)*\Z",
    re.IGNORECASE,
)
"""That what comes next is meant not to be so; a comma, and more than a word or two, ends it."""

_SAID_NOT = re.compile(r"\b(?:no|not|never|without)(?: \w+)? \Z", re.IGNORECASE)
"""That what comes next is said not to be so, right before it: of what is no preference."""

_NONE = re.compile(
    r"(?:(?:and|but|so|also|please|or|well|hm+|oh)[, ]+)*no (?!(?:i|we|it|its|that|this|my|our|the|you|they"
    r"|he|she|there|thanks?|thank|problem|worries|need|idea|please|just|not|matter|doubt|longer|more|one|two|three"
    r"|four|five|six|seven|eight|nine|ten)\b)(?-i:[a-z])",
    re.IGNORECASE,
)
_TIRED = re.compile(
    r"\b(?:gone off|tired of|sick of|fed up with|had enough of)\b"
    r"|\btoo (?:[\w-]+ ){1,2}for (?:me|us|my|our)\b",
    re.IGNORECASE,
)
"""That it is liked no more, or not at all."""

_GETTING = frozenset(
    {"buy", "choose", "find", "get", "have", "look", "order", "own", "purchase", "see", "try"}
)
"""What one means to do with what one wishes for."""

_HAVING = frozenset({"buy", "get", "have", "order", "own", "purchase", "receive", "sell", "use"})
"""Verbs that tell what is there, or was, and not what is wished for."""

_OWN = re.compile(r"\b(?:my|our|his|her|their) (?:[\w-]+ )?\Z", re.IGNORECASE)
"""That what comes next is somebody's already."""

_OPEN = re.compile(
    r"\b(?:not|never|hardly) (?:\w+ )?(?:sure|certain|mind|decide|decided|know|care|matter|necessarily|only"
    r"|need to|have to|just|picky|fussed)\b|\bprefers? [^,;]{2,40}? (?:over|to)\b",
    re.IGNORECASE,
)
"""That it is left open."""


@dataclass(frozen=True, slots=True)
class _Meant:
    """How a clause means what it names.

    `liking`: as a taste; `wish`: as what is wished or asked for; `turned`: as what is liked no more.
    """

    subject: str = USER
    liking: bool = False
    wish: bool = False
    over: bool = False
    turned: bool = False
    asks: bool = False


def anywhere(text: str, vocabulary: Vocabulary, *, asks: bool = False, guess: bool = False) -> list[Told]:
    """What packs' free rules read in a clause, with its contractions written out.

    `asks`: it is a question. `guess`: the speaker is not sure of it.
    """
    if not vocabulary.anywhere:
        return []
    text = _POLITELY.sub(r"\g<verb> ", text) if asks else text
    meant = _asked(text) if asks else _stated(text, vocabulary)
    found = [
        each
        for rule in vocabulary.anywhere
        if _allowed(rule.attribute, meant)
        for each in _found(rule, text, meant)
    ]
    # "No velvet sofas" denies the velvet, and not the sofas.
    denied = tuple(told.value.casefold() for _, told in found if told.negated)
    return [
        replace(told, confidence=round(told.confidence * (0.5 if guess else 1), 2))
        for place, told in found
        if not (told.negated and text[:place].rstrip().casefold().endswith(denied))
    ]


def is_none(text: str) -> bool:
    """Whether a text begins by saying of what there is to be none: "no leather, please"."""
    return bool(_NONE.match(text))


def beside(told: list[Told], also: list[Told], vocabulary: Vocabulary) -> list[Told]:
    """What the house's rules read, and what packs' did; a liking that says no more than those is left out.

    So is what is only called as an attribute of theirs is, and they read as another: "the issue is resolved".
    """
    said = {(one.subject, bare(one.value).casefold()) for one in also if one.kind is Kind.PREFERENCE}
    named = {rule.attribute.name for rule in vocabulary.anywhere}
    kept = [
        one
        for one in told
        if (one.attribute not in LIKING or (one.subject, bare(one.value).casefold()) not in said)
        and not (one.attribute in named and any(_is_another(one, each) for each in also))
    ]
    return [*kept, *also]


def _is_another(one: Told, other: Told) -> bool:
    same = one.value.casefold().endswith(other.value.casefold())
    return same and one.subject == other.subject and one.attribute != other.attribute


def _allowed(attribute: Attribute, meant: _Meant) -> bool:
    if attribute.kind is not Kind.PREFERENCE:
        return attribute.asking or not meant.asks
    return meant.liking or (meant.wish and attribute.asking)


def _asked(text: str) -> _Meant:
    return _Meant(wish=bool(_ASKING_FOR.search(text)), asks=True)


def _stated(text: str, vocabulary: Vocabulary) -> _Meant:
    read = frame(text)
    wished = bool(_WISHING.search(text))
    if _TIRED.search(text):
        return _Meant(read.subject if read else USER, liking=True, turned=True)
    if read is None:
        # Without a subject and a verb of its own it is a note: "a grey sectional for the den".
        words = [word.strip(",.").lower() for word in text.split()]
        verbs = any(word in FORMS or word.endswith("thing's") for word in words)
        note = subject_of(text) is None and not verbs
        return _Meant(wish=wished or note)
    if read.past and not (read.over or read.perfect):
        return _Meant(read.subject)
    likings = {rule.attribute.name for rule in vocabulary.verbs.get(read.verb, ()) if _reads(rule, read)}
    likings &= LIKING
    wish = (read.planned and read.verb in _GETTING) or "wants" in likings
    wish = wish or (wished and read.verb not in _HAVING)
    return _Meant(read.subject, bool(likings - {"wants"}), wish, read.over)


def _reads(rule: Rule, read: Frame) -> bool:
    return bool(rule.read(read.rest))


def _found(rule: Rule, text: str, meant: _Meant) -> Iterator[tuple[int, Told]]:
    """The values of a rule, and where they begin; of a single attribute one that is so."""
    settled = False
    taste = rule.attribute.kind is Kind.PREFERENCE
    for begin, place, found in rule.find(text):
        value = bare(found.strip(" .,;!")) if rule.attribute.closed else valued(rule.attribute, found)
        before = text[:place]
        if not value or _OPEN.search(before) or (taste and _OWN.search(text, 0, begin)):
            continue
        denied = _DENIED if taste else _SAID_NOT
        negated = bool(denied.search(before)) != rule.attribute.negates
        if not negated and (meant.turned or (settled and rule.attribute.single)):
            continue
        settled = settled or not negated
        said = replace(
            of(rule.attribute, meant.subject, value), negated=negated, over=meant.over and not negated
        )
        said = replace(said, confidence=_ASKED) if meant.asks else said
        yield from ((place, replace(said, value=each)) for each in _items(rule.attribute, value))


def _items(attribute: Attribute, value: str) -> list[str]:
    """The values of an enumeration, if each is one of the attribute's class."""
    each = [] if attribute.single else items(value)
    return each if all(map(attribute.value.fullmatch, each)) and each else [value]
