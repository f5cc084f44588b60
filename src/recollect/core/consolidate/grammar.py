"""Who a clause speaks of, what it says of them, and how it is meant: said, denied, planned, over.

A clause is brought to its subject, the base form of its verb and the rest, so that a rule is written once:
"we've been living in Oslo", "I no longer live in Oslo" and "my sister lives in Oslo" are all "live" and "in
Oslo".
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TypeAlias

from recollect.core.consolidate.english import (
    ADVERBS,
    CONTRACTED,
    FORMS,
    HEDGES,
    LEADS,
    NEGATIONS,
    NO_NAMES,
    PAST,
    UNREAL,
    denied,
    is_participle,
    is_verb,
    skipped,
)
from recollect.core.consolidate.words import HE, KIN, PEOPLE, PETS, SHE
from recollect.core.model import USER

_CONTRACTION = re.compile(
    rf"(?<![\w'])(?:{'|'.join(sorted(map(re.escape, CONTRACTED), key=len, reverse=True))})(?![\w'])",
    re.IGNORECASE,
)
_NAMES = re.compile(r"\bname'?s (?=[A-Z])")
_BEAR = re.compile(r"\b(?:can|could) not (?:really )?(?:stand|bear)\b", re.IGNORECASE)
_LEADS = re.compile(rf"(?:(?:{LEADS})(?:\s*[,:!.]+\s*|\s+|$))+", re.IGNORECASE)
_FOR = re.compile(r"(?P<lead>for (?:the|my|our|this) [\w' -]{2,40}?),? (?=(?:i|we) )", re.IGNORECASE)
_AM = re.compile(
    r"(?:still |currently |now )?(?:looking|searching|hunting) for |(?:allergic|lactose) |(?:based"
    r"|living|working) (?:in|at|for|as) |interested in |(?:thinking of|planning to) \w",
    re.IGNORECASE,
)
_DID = re.compile(
    r"(?:just |recently |finally |really |absolutely )?(?:(?:moved|relocated) |(?:bought|sold"
    r"|adopted|joined|got) (?:an? |my )|(?:love|hate|prefer|need|want) )",
    re.IGNORECASE,
)
_HEDGE = re.compile(
    r"^(?:(?:maybe|perhaps|possibly|probably|presumably|i (?:think|guess|believe|suppose|feel like"
    r"|reckon|assume|am pretty sure"
    r"|am fairly sure)(?: that)?|i am not (?:sure|certain),? but|it seems(?: like| that)?|if i "
    r"remember correctly"
    r"|from what i (?:remember|recall)|iirc)\s*,?\s*)+",
    re.IGNORECASE,
)
_UNREAL = re.compile(rf"\b(?:{UNREAL})\b", re.IGNORECASE)
_REPORTED = re.compile(
    r"\b(?:says?|said|saying|told|tells|claims?|claimed|asked|asks|wrote|writes|heard|thinks|read "
    r"(?:that|about|in)|thought|believes"
    r"|mentioned|mentions|insists|insisted|argues|replied|according to|goes like|quote|suggests?|suggested"
    r"|rumou?r|allegedly|supposedly)\b(?! (?:up|you|that i|me|\d|about \d|some|all|two|three|a few"
    r"|several)\b)",
    re.IGNORECASE,
)

_BE = frozenset({"am", "is", "are", "was", "were", "be", "been", "being", "'s", "'m", "'re"})
_HAVE = frozenset({"have", "has", "had", "having"})
_MODAL = frozenset({"can", "could", "might", "may", "should", "must", "ought", "would"})
_IMAGINED = "?"
_MOST_WORDS = 12
"""So many words are looked at for a verb."""
_WISH = re.compile(
    r"(?:really |also |much |both )*(?:like|love|(?P<prefer>prefer|rather))\b ?(?:to (?:have|see|get"
    r"|find|buy|rent)\b ?)?",
    re.IGNORECASE,
)
_SPENDING = re.compile(r"(?:now |only )*spend\b", re.IGNORECASE)
_ABLE = re.compile(
    r"(?:only |also )?(?:speak|afford|play)\b|not (?:really )?(?:eat|drink|have|afford)\b", re.IGNORECASE
)
_INTENT = re.compile(
    r"(?:(?:not )?(?:going|planning|hoping|intending|aiming|looking|about|set|due|expecting"
    r"|preparing|scheduled) to|planning on|(?P<tentative>thinking (?:of|about)|considering|looking "
    r"into|contemplating|debating|tempted to|toying with(?: the idea of)?))\s+",
    re.IGNORECASE,
)
_WILL = re.compile(
    r"(?:(?P<want>want|wants|wanted)|hope|hopes|plan|plans|intend|intends|aim|aims|expect|expects"
    r"|mean|decided|decide|agreed"
    r"|promised|(?P<need>need|needs)|(?P<like>would like|would love)|have|has|had)(?: (?P<not>not))? "
    r"to\s+(?!be (?:contacted|reached))",
    re.IGNORECASE,
)
_NO_MORE = re.compile(r"\s+(?:any ?more|any ?longer)\b", re.IGNORECASE)
_NO_LONGER = re.compile(r"no longer\s+", re.IGNORECASE)

_REL = rf"(?:{KIN}|{PEOPLE}|{PETS})"
_NAME = r"(?-i:[A-Z][a-zà-ÿ'’]+(?:-[A-Z][a-z]+)?)"
_SUBJECT = re.compile(
    r"(?P<me>(?:i|we)(?: (?:both|all|two))?\b|(?:me and my|my) (?:\w+ and (?:me|i)|(?:wife|husband"
    r"|partner|girlfriend|boyfriend)"
    r"(?= and i\b) and i)\b|me and my \w+\b)"
    rf"|(?:my|our) (?P<kin>(?:(?:older|younger|elder|eldest|oldest|youngest|little|big|twin|best|new"
    rf"|late|ex|former|old|current"
    rf"|good|close|other|second|first|only|grown)[ -])*{_REL})(?:'s (?P<kin2>{_REL}))?(?:,? "
    rf"(?P<name>{_NAME})\b,?)?(?!['’\w-])"
    r"|(?P<she>she)\b|(?P<he>he)\b"
    rf"|(?P<named>(?!(?-i:(?:{NO_NAMES})\b))"
    rf"{_NAME}(?: {_NAME})?)(?!['’\w-])",
    re.IGNORECASE,
)
_QUALIFIER = re.compile(
    r"^(?:older|younger|elder|little|big|new|late|current|good|close|only|grown)[ -]", re.IGNORECASE
)


@dataclass(frozen=True, slots=True)
class Frame:
    """A clause in parts.

    `subject`: USER, "sister" or a name in small letters. `verb`: in its base form; `form`: as it was written.
    `rest`: what follows it. `negated`, `planned`, `tentative`: as it is meant. `past`: in the past tense;
    `over`: said to be no more ("used to"). `perfect`: "have done". `will`: no more than
    "will", "need to" or "want to" makes it a plan.
    """

    subject: str
    verb: str
    rest: str
    form: str = ""
    name: str = ""
    negated: bool = False
    planned: bool = False
    tentative: bool = False
    past: bool = False
    over: bool = False
    perfect: bool = False
    progressive: bool = False
    will: bool = False


def plain(text: str) -> str:
    """The text with straight apostrophes and its contractions written out.

    >>> plain("I’m sure we don't")
    'I am sure we do not'
    """
    text = _NAMES.sub("name is ", text.replace("’", "'").replace("‘", "'"))
    text = _CONTRACTION.sub(lambda found: CONTRACTED[found[0].lower()], text)
    return _BEAR.sub("hate", text)


def led(text: str) -> tuple[str, bool]:
    """The text without the words that only lead up to it, and whether those made it a guess."""
    text = text[_end(_LEADS, text) :]
    hedge = _end(_HEDGE, text)
    text = text[hedge:]
    text = text[_end(_LEADS, text) :] if hedge else text
    if ahead := _FOR.match(text):
        text = f"{text[ahead.end() :]} {ahead['lead']}"
    return text, bool(hedge)


def _end(pattern: re.Pattern[str], text: str) -> int:
    found = pattern.match(text)
    return found.end() if found and found.end() < len(text) else 0


def subjected(text: str) -> str:
    """The text with the "I" that is left out in notes and chats: "looking for a flat", "moved to Oslo".

    >>> subjected("looking for a flat"), subjected("We look for a flat")
    ('I am looking for a flat', 'We look for a flat')
    """
    if _AM.match(text):
        return f"I am {text}"
    return f"I {text}" if _DID.match(text) else text


def unreal(text: str) -> bool:
    """Whether it is imagined, or said by somebody else: no fact of the speaker's telling."""
    return bool(_UNREAL.search(text) or _REPORTED.search(text))


def subject_of(text: str) -> tuple[str, str, str] | None:
    """The person that a clause begins with, their name if it is told, and what is said of them.

    The subject is USER, "she", "he", a relation or a name, in small letters.
    """
    found = _SUBJECT.match(text)
    if found is None:
        return None
    rest = text[found.end() :].lstrip(" ,")
    if found["me"]:
        return USER, "", rest
    if found["kin"]:
        kin = found["kin"].lower()
        while (shorter := _QUALIFIER.sub("", kin)) != kin:
            kin = shorter
        kin = f"{kin}'s {found['kin2'].lower()}" if found["kin2"] else kin
        return kin, found["name"] or "", rest
    if found["she"] or found["he"]:
        return found[0].lower(), "", rest
    return found[0].lower(), found[0], rest


def pronoun(subject: str) -> str:
    """What somebody is called by next: "she", "he", or "" where it is not known."""
    head = subject.rsplit(maxsplit=1)[-1] if subject else ""
    return "she" if head in SHE else "he" if head in HE else ""


def frame(text: str) -> Frame | None:
    """A clause that speaks of a person, in parts; None where it does not, or is not meant as a fact.

    >>> read = frame("I no longer live in Oslo")
    >>> (read.subject, read.verb, read.rest, read.negated)
    ('user', 'live', 'in Oslo', True)
    """
    parts = subject_of(text)
    if parts is None:
        return None
    subject, name, predicate = parts
    return predicated(Frame(subject, "", "", name=name), predicate)


def predicated(made: Frame, rest: str) -> Frame | None:
    """The frame with its verb found behind auxiliaries, adverbs and negations, which are read."""
    rest = _NO_MORE.sub("", rest)
    for _ in range(_MOST_WORDS):
        word, _, after = rest.partition(" ")
        small = word.lower().strip(",")
        if small in ADVERBS:
            made, rest = replace(made, tentative=made.tentative or small in HEDGES), after
        elif small == "kind" and after.startswith("of "):
            rest = after[3:]
        elif small in NEGATIONS:
            made, rest = replace(made, negated=True), after
        elif small == "used" and after.startswith("to "):
            made, rest = replace(made, over=True, past=True), after[3:]
        elif _NO_LONGER.match(rest):
            made, rest = replace(made, negated=True), rest[_end(_NO_LONGER, rest) :]
        elif (step := _auxiliary(made, small, rest, after)) is not None:
            made, rest = step
        else:
            return _verbed(made, word, after)
        if not rest or made.verb == _IMAGINED:
            return None
    return None


_Step: TypeAlias = tuple[Frame, str] | None
"""The frame with an auxiliary read, and what follows it; None where there is none."""


def _auxiliary(made: Frame, small: str, rest: str, after: str) -> _Step:
    """One auxiliary taken off; the verb is _IMAGINED where what follows is."""
    if will := _WILL.match(rest):
        return _willing(made, small, will, rest)
    if small in {"do", "does", "did"} and is_verb(skipped(after)):
        return replace(made, past=small == "did"), after
    if small in {"will", "shall"}:
        return replace(made, planned=True, will=True), after
    if small in _BE:
        return _being(made, small, after)
    if small in _HAVE:
        return _having(made, after)
    return _modal(made, small, after) if small in _MODAL else None


def _willing(made: Frame, small: str, will: re.Match[str], rest: str) -> _Step:
    """A verb of wanting, planning or having to."""
    if small in _HAVE:
        return replace(made, verb=_IMAGINED), rest
    weak = bool(will["need"] or will["like"] or will["want"])
    negated = made.negated or bool(will["not"])
    return replace(made, planned=True, negated=negated, will=made.will or weak), rest[will.end() :]


def _modal(made: Frame, small: str, after: str) -> _Step:
    """What only may be is imagined; "would like" is a wish, and what one can speak or spend is so."""
    if small == "would" and (wish := _WISH.match(after)):
        verb = "prefer" if wish["prefer"] else "want"
        return made, f"{verb} {after[wish.end() :]}"
    if small == "can" and (spending := _SPENDING.match(after)):
        return made, f"afford{after[spending.end() :]}"
    if small == "can" and _ABLE.match(after):
        return made, after
    return replace(made, verb=_IMAGINED), after


def _having(made: Frame, after: str) -> _Step:
    """A form of "have" that is an auxiliary: "have been", "have got", "have moved"."""
    nearer = skipped(after)
    word, _, behind = nearer.partition(" ")
    negated = made.negated or denied(after)
    match word.lower():
        case "been" if behind:
            return replace(made, perfect=True, negated=negated), f"am {behind}"
        case "got" if behind:
            return replace(made, negated=negated), f"have {behind}"
    return (replace(made, perfect=True, past=True), after) if is_participle(nearer) else None


def _being(made: Frame, small: str, after: str) -> _Step:
    """A form of "be" that is an auxiliary: of an intention, or of what is going on."""
    nearer = skipped(after)
    past = made.past or small in {"was", "were"}
    negated = made.negated or denied(after)
    if (intent := _INTENT.match(nearer)) and not nearer.lower().startswith("looking to"):
        if past:
            return replace(made, verb=_IMAGINED), after
        behind = nearer[intent.end() :]
        tentative = bool(intent["tentative"])
        return (
            (replace(made, planned=True, tentative=tentative, negated=negated), behind)
            if is_verb(behind)
            else None
        )
    word = nearer.partition(" ")[0].lower().strip(",")
    if word.endswith("ing") and word in FORMS:
        return replace(made, past=past, negated=negated, progressive=True), nearer
    return None


def _verbed(made: Frame, word: str, after: str) -> Frame | None:
    """The frame with its verb; None where it is none that the rules know, or a participle alone."""
    small = word.lower().strip(",")
    verb = FORMS.get(small, small if made.planned and small.isalpha() else "")
    alone = small.endswith("ing") and small != verb and not (made.progressive or made.planned or made.perfect)
    if not verb or alone:
        return None
    past = made.past or small in PAST or (small.endswith("ed") and small != verb)
    negated = made.negated
    if verb in {"be", "have"}:
        after, negated = skipped(after), negated or denied(after)
    return replace(made, verb=verb, form=small, rest=after.strip(), past=past, negated=negated)
