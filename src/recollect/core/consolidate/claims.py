"""What one clause claims: closed attributes, open statements, intentions and experiences."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace

from recollect.core.consolidate.attributes import Attribute, Rule, Vocabulary
from recollect.core.consolidate.grammar import Frame, frame, pronoun
from recollect.core.consolidate.statements import done, name_of, stated
from recollect.core.consolidate.telling import UNNAMED, Told, concrete, items, tidy
from recollect.core.consolidate.words import KIN, PEOPLE, PETS
from recollect.core.model import USER, Kind

_NOUN = re.compile(
    r"(?:(?:my|our)|(?P<whose>(?-i:[A-Z])[\w-]+)'s|the (?=best way)) (?P<noun>[\w'’/-]+(?: [\w'’/-]+){0,6}?)"
    r"(?: (?:is|are|was|were|will be|has changed to|changed to)(?: (?P<not>not|no longer))?(?: "
    r"(?P<now>now|currently|actually|still|just|around|about))?| ?[:=])\s+(?P<value>.+)",
    re.IGNORECASE,
)
_LABEL = re.compile(
    r"(?:my )?(?P<noun>[a-z][\w'’/-]*(?: [\w'’/-]+){0,3}) ?(?::|=|\s-)\s*(?P<value>.{1,120})", re.IGNORECASE
)
_REVERSED = re.compile(
    r"(?P<value>[\w'’@.+#$€£-]+(?: [\w'’.#-]+){0,4}) (?:is|are)(?: (?P<not>not|no longer|still|now"
    r"|definitely|probably|also))* (?:my|our) (?P<noun>[\w'’-]+(?: [\w'’-]+){0,3})",
    re.IGNORECASE,
)
_FAVOURITE = re.compile(
    r"(?:all[- ]time |absolute |current |new )?favou?rite (?P<what>.+?)(?: (?:of all time|ever|right now"
    r"|these days|at the moment))?$",
    re.IGNORECASE,
)
_KIN_NOUN = re.compile(
    rf"(?P<kin>(?:older |younger |best |ex-?)?(?:{KIN}|{PEOPLE}|{PETS}))(?:'s|(?<=s)') (?P<noun>.+)",
    re.IGNORECASE,
)
_PET_WITH_NAME = re.compile(
    rf"(?:an? |our |my )(?:[\w-]+ ){{0,3}}?(?P<what>{PETS}|{KIN}|{PEOPLE})(?:,? (?:who is |whose name is "
    rf")?(?:named|called)|,) (?P<name>(?:(?-i:Dr|Mr|Mrs|Ms|Prof)\.? )?(?-i:[A-Z])[\w'’-]+)",
    re.IGNORECASE,
)
_TRIVIAL = frozenset(
    {
        "be",
        "have",
        "do",
        "see",
        "tell",
        "know",
        "keep",
        "give",
        "ask",
        "put",
        "make",
        "get",
        "set",
        "think",
        "feel",
        "come",
        "call",
        "send",
        "show",
        "mind",
        "stand",
        "like",
        "love",
        "hate",
        "want",
        "need",
        "prefer",
        "enjoy",
        "look",
        "find",
        "test",
        "mention",
        "check",
        "try",
        "figure",
        "confirm",
        "add",
        "ensure",
        "emphasize",
        "emphasise",
        "touch",
        "discuss",
        "remind",
        "understand",
        "share",
        "start",
        "go",
        "hear",
        "improve",
        "avoid",
        "help",
        "apply",
        "use",
        "point",
        "highlight",
        "take",
        "let",
        "focus",
        "continue",
        "work",
        "explore",
        "encourage",
        "create",
    }
)
_EXPERIENCES = frozenset(
    {
        "use",
        "try",
        "visit",
        "read",
        "play",
        "finish",
        "complete",
        "implement",
        "write",
        "build",
        "work",
        "drive",
        "own",
        "travel",
        "ride",
        "attend",
        "study",
        "learn",
        "meet",
        "deploy",
        "configure",
        "integrate",
        "test",
        "touch",
        "smoke",
        "fly",
        "swim",
        "hire",
        "design",
        "make",
        "create",
        "handle",
        "manage",
        "submit",
        "record",
        "publish",
        "be",
    }
)
LIKING = frozenset({"likes", "prefers", "wants", "interest"})
_PASSING = LIKING | {"availability", "budget", "age"}
"""Attributes that the past tense says nothing of: "I wanted a sofa"."""
_PLACES = frozenset({"residence", "hometown"})
_AFTERTHOUGHT = re.compile(
    r"[,;]\s+(?:but |and |as |because |since )?(?:i|we|my|our|he|she|it|they|there|that)\b.*$", re.IGNORECASE
)
_CALLED = re.compile(r"(?:her|his|its|their) name is (?P<name>(?-i:[A-Z])[\w'’-]+)", re.IGNORECASE)
_PRESENT = frozenset({"rent"})
"""Verbs that tell where somebody lives only in the present."""
_CONCRETE = frozenset({"wants", "uses", "owns", "interest"})
_WORDY = frozenset({"reason", "goal", "timeline"})
_FOUND_ANYWHERE = frozenset({"phone", "email", "address", "birthday"})
_FOUND_AHEAD = frozenset({"budget", "age", "diet", "nationality", "name", "employer", "nickname"})
_INFINITIVE = re.compile(r"\A(?:to|that) (?=\w)")
_KNOWN = re.compile(rf"(?:ex-|best )?(?:{KIN}|{PEOPLE}|{PETS})", re.IGNORECASE)
_NONE = re.compile(r"(?:no|any) ", re.IGNORECASE)
_STILL = re.compile(r"\b(?:for|since|always|all my life)\b")
_WAS = re.compile(r".{0,60}\bwas\b")
_SAYING = re.compile(r" (?:you|i|we|he|she|they) ", re.IGNORECASE)
_CHANGED = re.compile(
    r"(?:please |can you |could you |i would like to |i want to |i need to |i (?:have )?(?:just "
    r")?)?(?:change|changed|update|updated|switch|switched|set|correct|corrected) (?:my|our) "
    r"(?P<noun>[\w'’/-]+(?: [\w'’/-]+){0,4}?)(?: (?:on file|in your (?:system|records)))?(?: from "
    r"[^,;]{1,40}?)? to:? (?P<not>(?!))?(?P<value>.+)",
    re.IGNORECASE,
)
_KEPT = frozenset({"pet", "owns", "wants", "children", "siblings", "partner", "marital status"})
_PLACE_NOT = re.compile(
    r"^(?:(?:mon|tues|wednes|thurs|fri|satur|sun)days?|january|february|march|april|june|july|august"
    r"|september|october|november|december|it|this|that|here|there|a|an|my|our|his|her|their|your"
    r"|someone|peace|fear|harmony|total"
    r"|general|fact|luck|trouble|love|touch|danger|charge|the (?:moment|middle|past|future|present"
    r"|meantime|end|same|mood|process|morning|evening|house|room|office|car|kitchen|garden|market|area"
    r"|country ?side|city|suburbs|building|neighbou?rhood))\b",
    re.IGNORECASE,
)
_ASIDE = re.compile(
    r"^(?:the fact|(?:my|our) .* to |this|these|those|that|how|when|it when|your|to hear|to see|to know"
    r"|to think|to say)\b",
    re.IGNORECASE,
)
_DATED = re.compile(
    r"\b(?:by|before|on|in|next|this) (?:the )?(?:\d|mon|tue|wed|thu|fri|sat|sun|jan|feb|mar|apr|may|jun"
    r"|jul|aug|sep|oct|nov|dec|week|month|year|summer|spring|autumn|fall|winter|end)|\btomorrow\b",
    re.IGNORECASE,
)
_UNSAID = re.compile(
    r"\b(?:it|that|them|those|this one|these|everything|something|anything|which|how|what)\b(?! (?:week"
    r"|month|year|summer))|\b(?:learn|know|hear|read) more\b",
    re.IGNORECASE,
)
_ASKED_FOR = re.compile(
    r"(?:^|.* )(?:recommendations?|tips?|ideas?|suggestions?|resources?|advice|help|information|info"
    r"|answers?|guidance|feedback|updates?|examples?|instructions?|options|ways?|opinions?|recipes?"
    r"|details|explanations?|steps?|list)(?= (?:for|on|of|to|about|that|from|in|with)\b|$)",
    re.IGNORECASE,
)
_PURPOSE = re.compile(
    r"\d[\w.,]* (?:in total )?(?:on|for) (?:the|a|an|my|our) (?P<what>[\w' -]{2,40})", re.IGNORECASE
)
_AREA_TAIL = re.compile(
    r"\s+(?:one day|some ?day|with|for|since|now|because|and|near|until|at|from|by|on|as|in (?:(?:19|20)\d\d"
    r"|the|a|january"
    r"|february|march|april|may|june|july|august|september|october|november|december)|this|last|next"
    r"|after|before|during|right|every|when|who|to|together|alone|full[- ]time|part[- ]time|temporarily"
    r"|permanently|right now|again|though|too|about|over|\d+)\b.*$",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Clausal:
    """What a clause claims, and whom it speaks of if that is not the speaker."""

    told: tuple[Told, ...] = ()
    person: str = ""


def claimed(text: str, person: str, vocabulary: Vocabulary, *, guess: bool) -> Clausal:
    """What a clause, with its contractions written out, claims.

    `person`: whom "she" and "he" mean. `guess`: the speaker is not sure of it.
    """
    told = list(_nouns(text, vocabulary))
    read = frame(text)
    subject = ""
    if read is not None:
        if read.subject in {"she", "he"}:
            fits = person and pronoun(person) in {"", read.subject}
            read = replace(read, subject=person) if fits else None
        subject = read.subject if read and read.subject != USER else ""
    if not told and read is not None:
        told = [*_relation(read), *_framed(read, vocabulary)]
    if not told:
        told = stated(text)
    if not told:
        told = list(_free(text, vocabulary))
    if not told and person and (called := _CALLED.match(text)):
        told = [Told(USER, person, called["name"], confidence=0.8, entity=_entity(person))]
    unsure = guess or bool(read and read.tentative)
    return Clausal(
        tuple(replace(each, confidence=round(each.confidence * (0.5 if unsure else 1), 2)) for each in told),
        subject,
    )


def labelled(text: str, vocabulary: Vocabulary) -> list[Told]:
    """What "Budget: 500k" says."""
    found = _LABEL.match(text)
    if found is None:
        return []
    attribute = vocabulary.noun(found["noun"].strip())
    if attribute is None:
        return []
    value = valued(attribute, attribute.within(found["value"]))
    return [of(attribute, USER, value)] if value else []


def _nouns(text: str, vocabulary: Vocabulary) -> Iterator[Told]:
    """What "my budget is …", "my sister's job is …", "… is my favourite colour" say."""
    found = _NOUN.match(text) or _CHANGED.match(text) or _REVERSED.match(text)
    if found is None:
        return
    noun, value = found["noun"], found["value"]
    subject = USER
    if kin := _KIN_NOUN.fullmatch(noun):
        subject, noun = kin["kin"].lower(), kin["noun"]
    elif found.re is _NOUN and found["whose"]:
        subject = found["whose"].lower()
    denied = (found["not"] or "").lower() in {"not", "no longer"}
    if favourite := _FAVOURITE.fullmatch(noun):
        told = _favourite(subject, favourite["what"], value)
    else:
        told = _noun(subject, vocabulary.noun(noun), value, past=bool(_WAS.match(text)), denied=denied)
    if told is not None:
        yield replace(told, negated=denied, confidence=0.85)


def _favourite(subject: str, what: str, value: str) -> Told | None:
    """A favourite of a kind: "my favourite colour is blue"."""
    value, kind = tidy(value), (name_of(what) or what.lower()).replace("color", "colour")
    return Told(subject, f"favourite {kind}", value, Kind.PREFERENCE, single=True) if value else None


def _noun(subject: str, attribute: Attribute | None, text: str, *, past: bool, denied: bool) -> Told | None:
    """What "my <attribute> is …" says; of somebody else's name, who they are."""
    value = valued(attribute, attribute.within(text)) if attribute else ""
    if attribute is None or not value or (denied and attribute.name in _WORDY):
        return None
    if (attribute.name in _PLACES and not value[:1].isupper()) or (
        attribute.name == "occupation" and not attribute.value.match(value)
    ):
        return None
    if subject != USER and attribute.name == "name":
        return Told(USER, subject, value, entity=_entity(subject))
    return _purposed(replace(of(attribute, subject, value), over=past and not attribute.lasting), text)


def _entity(kin: str) -> str:
    return "pet" if re.fullmatch(rf"(?:{PETS})", kin) else "person"


def _relation(read: Frame) -> Iterator[Told]:
    """Names of people and pets that are told by the way: "my sister Maria …", "a cat named Tom"."""
    if read.name and read.subject != read.name.lower():
        yield Told(USER, read.subject, read.name, entity=_entity(read.subject))
    if read.subject == USER and read.verb in {"have", "adopt", "get", "own"} and not read.negated:
        for pet in _PET_WITH_NAME.finditer(read.rest):
            what = pet["what"].lower()
            yield Told(USER, what, pet["name"], confidence=0.85, entity=_entity(what))


def _framed(read: Frame, vocabulary: Vocabulary) -> list[Told]:
    """What a clause about a person says of them."""
    found: list[Told] = []
    for rule in vocabulary.verbs.get(read.verb, ()):
        value = rule.read(read.rest)
        if value and (value := _fit(rule.attribute, value, read.rest)):
            if found and {found[0].attribute, rule.attribute.name} != {"occupation", "employer"}:
                continue
            found += (_purposed(told, read.rest) for told in _meant(rule, value, read))
    if not found or found[0].attribute in {"likes", "owns"}:
        found = done(read) or found
    return found or _plan(read) or _experience(read)


def _purposed(told: Told, text: str) -> Told:
    """A budget as that of what it is for."""
    found = _PURPOSE.search(text) if told.attribute == "budget" else None
    purpose = name_of(found["what"]) if found else ""
    return replace(told, attribute=f"{purpose} budget") if purpose else told


def _fit(attribute: Attribute, value: str, text: str) -> str:
    """The value, tidied; "" if it is none after all: no place, or only a word for what was said before."""
    if attribute.name in _PLACES:
        value = _AREA_TAIL.sub("", value)
        written = any(map(str.isupper, text.replace("I ", "")))
        small = value[:1].islower() and (written or value.startswith(("the ", "a ")))
        return "" if small or _PLACE_NOT.match(value) else valued(attribute, value)
    if attribute.name in LIKING:
        if _ASIDE.match(value) or UNNAMED.match(value) or _ASKED_FOR.match(value) or _SAYING.search(value):
            return ""
        if attribute.name == "likes" and value.startswith("to "):
            return f"to {tidy(value[3:], keep=True)}"
    return valued(attribute, value)


def valued(attribute: Attribute, value: str) -> str:
    """The value in its class, tidied; "" where it is of another class."""
    if attribute.name in _FOUND_ANYWHERE | _FOUND_AHEAD:
        read = attribute.value.search if attribute.name in _FOUND_ANYWHERE else attribute.value.match
        found = read(value.strip())
        return found[0].strip(" .,-") if found else ""
    if attribute.name == "contact preference":
        channel = attribute.value.search(value)
        return channel[0] if channel else ""
    if attribute.name == "availability":
        return _AFTERTHOUGHT.sub("", value).strip(" .,")
    if attribute.name in _PLACES:
        value = _AREA_TAIL.sub("", value.removeprefix("in "))
    elif attribute.name in _WORDY:
        value = _INFINITIVE.sub("", value)
    tidied = tidy(value, keep=attribute.name in _KEPT)
    tidied = concrete(tidied) if attribute.name in _CONCRETE else tidied
    most = 6 if attribute.name in _PLACES else 14 if attribute.name in _WORDY | {"wants"} else 9
    return tidied if len(tidied.split()) <= most else ""


def of(attribute: Attribute, subject: str, value: str) -> Told:
    return Told(
        subject,
        attribute.name,
        value,
        attribute.kind,
        attribute.single,
        attribute.tell,
        confidence=0.85,
        entity=attribute.entity,
    )


def _meant(rule: Rule, value: str, read: Frame) -> Iterator[Told]:
    """The claim as the clause means it: denied, planned, over; an enumeration item by item."""
    attribute = rule.attribute
    change = read.verb in attribute.change
    planned = read.planned or (change and not read.past and not read.negated and not attribute.negates)
    over = _over(attribute, read)
    passing = attribute.name in _PASSING or _tasted(attribute)
    told_before = over and not read.over and not read.perfect and passing
    used_before = (
        attribute.name == "uses" and not change and (read.past or (read.perfect and not read.progressive))
    )
    doubly = attribute.negates and (read.negated or read.over or (read.planned and change))
    let_go = read.verb in _PRESENT and (read.planned or read.past)
    if told_before or used_before or doubly or let_go:
        return
    negated = read.negated or attribute.negates
    if none := _NONE.match(value):
        if none[0] == "any " and not read.negated:
            return
        value, negated = value[none.end() :], True
    said = replace(
        of(attribute, read.subject, value),
        negated=negated,
        planned=planned,
        over=over,
        change=change and read.past,
    )
    if attribute.name == "name" and read.subject != USER:
        said = replace(said, subject=USER, attribute=read.subject, single=False, entity=_entity(read.subject))
        yield from [said] if _KNOWN.fullmatch(read.subject) else []
        return
    single = attribute.single or attribute.name == "wants"
    yield from (
        replace(said, value=each) for each in ([value] if single else items(value)) if tidy(each, keep=True)
    )


def _over(attribute: Attribute, read: Frame) -> bool:
    """Whether it is told as what was so, and is no more."""
    if read.over:
        return True
    if not read.past or read.negated or attribute.lasting or read.verb in attribute.change:
        return False
    return not (read.perfect and (_tasted(attribute) or _STILL.search(read.rest)))


def _tasted(attribute: Attribute) -> bool:
    """Whether it is what somebody likes: of the house's, or a preference of a pack's."""
    return attribute.name in LIKING or (attribute.closed and attribute.kind is Kind.PREFERENCE)


def _plan(read: Frame) -> list[Told]:
    """An intention that no attribute is made for."""
    if not read.planned or read.verb in _TRIVIAL or (read.will and not _DATED.search(read.rest)):
        return []
    value = tidy(f"{read.verb} {read.rest}", keep=True)
    if _UNSAID.search(value) or not 2 <= len(value.split()) <= 14:
        return []
    return [
        Told(read.subject, "plan", value, tell="{value}", planned=True, negated=read.negated, confidence=0.7)
    ]


def _experience(read: Frame) -> list[Told]:
    """What somebody has done, or never did: "I've never used Zotero"."""
    if (
        not read.perfect
        or read.progressive
        or read.planned
        or read.verb not in _EXPERIENCES
        or (read.verb == "be" and not read.rest.startswith("to "))
    ):
        return []
    value = tidy(f"{'been' if read.verb == 'be' else read.form} {read.rest}", keep=True)
    if not 2 <= len(value.split()) <= 12 or re.search(r" (?:it|this|that|them|you)$", value):
        return []
    return [
        Told(read.subject, "experience", value, tell="have {value}", negated=read.negated, confidence=0.7)
    ]


def _free(text: str, vocabulary: Vocabulary) -> Iterator[Told]:
    for rule in vocabulary.free:
        found = rule.pattern.search(text)
        if found and (value := rule.read(text[found.start() :])):
            yield of(rule.attribute, USER, value)
