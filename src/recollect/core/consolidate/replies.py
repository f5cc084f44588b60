"""Answers to the agent's questions, and corrections of what was said: where only the value is told."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from recollect.core.consolidate.attributes import Attribute, Vocabulary
from recollect.core.consolidate.claims import claimed, of, valued
from recollect.core.consolidate.english import FORMS
from recollect.core.consolidate.grammar import led, plain
from recollect.core.consolidate.household import is_animal, pets
from recollect.core.consolidate.sentences import sentences
from recollect.core.consolidate.statements import name_of
from recollect.core.consolidate.telling import Told, concrete, items, tidy
from recollect.core.consolidate.wants import wanted
from recollect.core.consolidate.words import VALUES
from recollect.core.model import USER, Kind

_YES = re.compile(
    r"(?:yes|yeah|yep|yup|sure|correct|i do|i am|we do|we are|of course|definitely|absolutely|exactly"
    r"|that's right|indeed|right)\b[\s,.!]*",
    re.IGNORECASE,
)
_NO = re.compile(
    r"(?:no\b|nope|nah|not really|not at all|i do not|i am not|never|we do not|none)\b[\s,.!]*", re.IGNORECASE
)
_POLAR = re.compile(
    r"(?:and |so |then |but |ok(?:ay)?,? |great[.,!]? |thanks[.,!]? )*(?P<aux>do|are|have|is|does"
    r"|did|were|would|should) (?P<who>it|you|your (?P<np>[\w'-]+(?: [\w'-]+)??))(?: (?:currently"
    r"|also|still|already"
    r"|now|ever|happen to))* (?P<rest>.+)",
    re.IGNORECASE,
)
_MANY = re.compile(
    r"how (?:many|much) (?P<what>[\w -]{3,40}?)(?: (?:do|does|are|is|would|will|should|did|have|has|can"
    r"|could) (?:you|it|the"
    r"|we|they|this|that)\b| in your| there|\?|$)",
    re.IGNORECASE,
)
_YOURS = re.compile(
    r"(?:(?:what|when|which|how (?:much|long|old|big|large)|where)(?:'s| is| are)(?: currently| now)?"
    r"|(?:may|can|could) (?:i|we) (?:have|get|take)|do you (?:have|know)|\A(?:and|so|then)(?! what)) "
    r"(?:(?:your|the) )(?P<what>[\w' -]{3,50}?)(?:\?|$| (?:now|currently|again|set|for you))",
    re.IGNORECASE,
)
_WHAT = re.compile(
    r"(?:what|which) (?P<what>size|colou?r|material|style|area|location|neighbou?rhood|part of (?:the "
    r")?(?:town|city)|brand|model|date|day|time|room|city|fabric|finish|price range|shape)\b"
    r"(?: (?:is|are|was) (?:the|your) (?P<thing>[\w -]{3,30}?)(?=\?|$))?",
    re.IGNORECASE,
)
_FRAGMENT = re.compile(
    r"(?:(?:in|at|on|around|about|for|it is|it's|that is|that would be|probably|i think|mostly|maybe"
    r"|just|only|please|something|somewhere|make it|make that|let us say|say|the|a|an|to|as|from"
    r"|near|by|via|hmm|well"
    r"|ideally)\s+)+",
    re.IGNORECASE,
)
_EVASIVE = re.compile(
    r"\b(?:any|anything|not sure|no idea|do not (?:know|care|mind)|does not matter|doesn't matter"
    r"|whatever|depends|flexible|no preference|why|none|nothing|later|secret|rather not|skip|pass|both"
    r"|either|you tell me|hello|hi|hey|thanks|thank|ok|okay|good|great|fine|well|sure|cool|perfect"
    r"|sounds|what|who|how)\b",
    re.IGNORECASE,
)
_MARK = re.compile(
    r"(?P<strong>(?:(?:oh |ah |um |well |hmm |hey )?(?:no\b|nope|wait|sorry|oops|whoops|my mistake"
    r"|my bad|my apologies|apologies|correction|scratch that|i misspoke|i was wrong|that is wrong"
    r"|that's wrong|that is not right|that's not right"
    r"|not quite|let me correct (?:that|myself|you)|i need to correct (?:that|myself)|typo|i made a "
    r"mistake|i got that wrong|strike that|that was (?:a typo|wrong|a mistake)|you got (?:that|it) "
    r"wrong|that is incorrect|that's incorrect|small correction)[\s,.:;!–—-]*)+)?"
    r"(?P<meant>(?:actually,? )?(?:what )?(?:i (?:actually |really )?(?:said|meant|mean|intended)|i "
    r"should have said|it should (?:be|have been|read|say)|should be|make (?:it|that)|change (?:it"
    r"|that) to|that should be)(?: (?:it(?:'s| is)|is|to say|was|that))?[\s,:]+)?"
    r"(?P<actually>actually,? )?",
    re.IGNORECASE,
)
_ERROR = re.compile(
    r"\b(?:misspoke|mistake|typo|wrong|incorrect|correction|scratch|strike|correct|oops|whoops|sorry"
    r"|apologies|my bad)\b",
    re.IGNORECASE,
)
_NOT_BUT = re.compile(
    r"(?:(?:it(?:'s| is)|that(?:'s| is)|i am|we are) )?not (?P<old>[^,;]{1,40}?)(?:,? but (?:rather )?|, "
    r"?(?:it(?:'s| is) |i am |we are )?)(?P<new>[^,;]{1,60})$",
    re.IGNORECASE,
)
_SAID_MEANT = re.compile(
    r"(?:i said )?(?P<old>[^,;]{1,40}?),? (?:but )?i meant(?: to say)? (?P<new>[^,;]{1,60})$", re.IGNORECASE
)
_BUT_NOT = re.compile(
    r"(?:(?:it(?:'s| is)|that(?:'s| is)|i said|i meant|make that|make it) )?(?P<new>[^,;]{1,60}?),? "
    r"(?:and )?(?:not|instead of|rather than) (?P<old>[^,;]{1,40})$",
    re.IGNORECASE,
)
_NUMERIC = re.compile(rf"^(?:{VALUES['number']})\b|^[$€£]?\d", re.IGNORECASE)
_DATE = re.compile(
    r"\b(?:mon|tues|wednes|thurs|fri|satur|sun)day\b|\b(?:january|february|march|april|may|june|july"
    r"|august|september|october|november|december)\b|\btomorrow\b|\d(?:st|nd|rd|th)\b|\d ?[ap]m\b"
    r"|\b(?:next|this) (?:week|month|year)",
    re.IGNORECASE,
)
_NAMES = {"beds": "bedrooms", "baths": "bathrooms", "bath": "bathrooms", "bed": "bedrooms"}
_PLACES = re.compile(
    r"\b(?:what|which) (?:area|city|town|location|part of town|neighbou?rhood)\b|\bwhere (?:would|do"
    r"|are) you (?:like|want|looking|prefer|searching)",
    re.IGNORECASE,
)
_PLACED = re.compile(
    r"\b(?:in|near|around|at)(?: the)? (?P<place>(?-i:[A-Z][\w'’.-]+)(?: (?-i:[A-Z][\w'’.-]+)){0,2})",
    re.IGNORECASE,
)
_VISITS = re.compile(r"\b(?:visit|viewing|appointment|tour|see it|come by)\b", re.IGNORECASE)
_DAYS = re.compile(
    r"\b(?:next |this |on )?(?:mon|tues|wednes|thurs|fri|satur|sun)day\b|\btomorrow\b|\bthe "
    r"\d{1,2}(?:st|nd|rd|th)\b"
    r"|\b(?:january|february|march|april|may|june|july|august|september|october|november"
    r"|december)(?: the)? \d{1,2}(?:st|nd|rd|th)?\b",
    re.IGNORECASE,
)
_DROP = re.compile(
    r"\A(?:(?:please|just|you can|we can|let us) )*(?:forget|never ?mind|ignore"
    r"|disregard)(?: about)? (?:what (?:i|we)"
    r" (?:have )?said about|(?:my|our) (?:wish|idea|request) (?:for|of)) (?:the "
    r"|an? )?(?P<said>[\w' -]{2,40})(?:,.*)?\Z"
    r"|\A(?:i|we)(?: have)? changed (?:my|our) minds? (?:about|on) (?:the "
    r"|an? )?(?P<mind>[\w' -]{2,40})(?:,.*)?\Z"
    r"|\A(?:i|we)(?: am| are| have)? (?:(?:now|also) )?(?:gone off|went off"
    r"|no longer interested in)"
    r" (?:the )?(?:idea of )?(?:(?:having|getting|buying) )?(?:the |an? )?(?P<wish>[\w' -]{2,40})(?:,.*)?\Z"
    r"|\A(?:(?:please|just|let us) )*(?:forget(?: about)?|scrap"
    r"|never ?mind) the (?P<idea>[\w' -]{2,40}) (?:idea|thing|plan)\Z",
    re.IGNORECASE,
)
_LOOK = re.compile(
    r"(?:(?:moss|dark|light|navy|sage|pale|deep|bright|olive|sky|off)[ -])?(?:green|blue|red|grey|gray"
    r"|white|black|brown"
    r"|beige|yellow|orange|pink|purple|rust|cream|teal|turquoise|silver|gold|navy|leather|velvet|linen"
    r"|wool|cotton"
    r"|oak|walnut|pine|marble|glass|metal|steel|wood|rattan|plastic)",
    re.IGNORECASE,
)
_MOST = 5
_CLAUSAL = re.compile(
    r"\b(?:i|we|you|he|she|it|they|is|are|was|were|did|does|do|can|will|would|has|have|had)\b", re.IGNORECASE
)
_SEVERAL = re.compile(r",|\b(?:and|or)\b")
_INSTEAD = re.compile(
    r"\A[^,.]{1,40},? (?:(?:no|wait|sorry|actually|hang on),? )*(?:no,|wait,?|sorry,?|actually,?|or rather,?"
    r"|i mean,?|make that,?) (?=\S)",
    re.IGNORECASE,
)
"""What an answer takes back itself: "six, no wait, eight"."""
_ABOUT = re.compile(r"(?P<value>.+?) for (?:the|my|our) (?P<what>[\w -]+)")
_SORRY = re.compile(r"\A(?:oh,? )?(?:sorry|oops|apologies),? (?=\S)", re.IGNORECASE)
_UNSPECIFIC = frozenset({"thing", "part", "way", "time"})
_ARTICLE = re.compile(r"\b(?:an?|the) \Z", re.IGNORECASE)
_FOR = re.compile(
    r"\bbudget (?:per|for (?:the|your|an?|each|every)) (?P<what>[\w' -]{2,40}?)(?=\?|$)", re.IGNORECASE
)
_FLIPPED = {"yes": "no", "no": "yes"}
_COUNT = re.compile(rf"\d|\b{VALUES['number']}\b", re.IGNORECASE)
_UNITS = re.compile(r"(?P<number>(?:\d[\d,.]*|\w+)) (?P<unit>[\w-]+)s?$")


def question_in(text: str) -> str:
    """The last question of a turn, if it ends with one; "" if it does not."""
    asked = sentences(text[-600:])[-2:]
    return next((each.text for each in reversed(asked) if each.asks), "")


def replied(question: str, text: str, vocabulary: Vocabulary) -> list[Told]:
    """What an answer without a verb of its own says: its first sentence, beside the question.

    >>> from recollect.core.consolidate.attributes import english
    >>> [(each.attribute, each.value) for each in replied("Where do you live?", "Atlanta, GA.", english())]
    [('residence', 'Atlanta, GA')]
    """
    question = plain(question)
    said = plain(text).strip(" .!")
    if polar := _polar(question, said, vocabulary):
        return polar
    if placed := _where(question, said):
        return placed
    answer, unsure = led(_INSTEAD.sub("", _SORRY.sub("", said)))
    if (_EVASIVE.search(answer) and not _COUNT.search(answer)) or len(answer.split()) > 16:
        return []
    answer = _NO.sub("", answer) if _NO.match(answer) else answer
    bare = answer[_FRAGMENT.match(answer).end() :] if _FRAGMENT.match(answer) else answer  # type: ignore[union-attr]
    attribute = vocabulary.question(question)
    if attribute is not None and attribute.name == "reason":
        value = tidy(
            re.sub(r"^(?:because|since|as|due to) ", "", plain(text).strip(" .!"), flags=re.IGNORECASE),
            keep=True,
        )
        return [of(attribute, USER, value)] if 1 < len(value.split()) <= 16 else []
    if not bare or _predicates(answer):
        return []
    confidence = 0.4 if unsure else 0.75
    return [replace(each, confidence=confidence) for each in _answered(question, answer, bare, vocabulary)]


def _predicates(answer: str) -> bool:
    """Whether it has a subject and a verb, so that it is read as any clause."""
    first, _, rest = answer.partition(" ")
    return first.lower() in {"i", "we", "my", "our", "he", "she", "they", "you", "the", "there"} and any(
        word.lower() in FORMS for word in rest.split()[:4]
    )


def _closed(attribute: Attribute, question: str, answer: str, bare: str) -> list[Told]:
    """What an answer says of the attribute that it was asked for."""
    if attribute.name == "pet" and (named := pets(answer)):
        return named
    many = _MANY.search(question)
    if (many and not _NUMERIC.match(bare)) or (attribute.name == "wants" and answer.startswith("to ")):
        return []
    open_ = attribute.name in {"reason", "timeline", "availability"}
    value = valued(attribute, attribute.within(answer if open_ else bare))
    if many and attribute.name in {"children", "siblings", "pet"} and _NUMERIC.fullmatch(value):
        value = f"{value} {many['what']}"
    if attribute.name == "residence" and attribute.value.match(value) is None:
        return []
    if attribute.name == "wants" and (article := _ARTICLE.search(answer.removesuffix(bare))):
        value = value and f"{article[0]}{value}"
    values = [value] if attribute.single else items(value)
    told = [
        of(attribute, USER, each) for each in values if each and (attribute.name != "pet" or is_animal(each))
    ]
    purpose = _FOR.search(question) if attribute.name == "budget" else None
    name = name_of(purpose["what"]) if purpose else ""
    return [replace(each, attribute=f"{name} budget") for each in told] if name else told


def _answered(question: str, answer: str, bare: str, vocabulary: Vocabulary) -> list[Told]:
    if attribute := vocabulary.question(question):
        return _closed(attribute, question, answer, bare)
    if many := _MANY.search(question):
        number = re.search(rf"\b{VALUES['number']}", bare, re.IGNORECASE)
        name = _NAMES.get(many["what"].lower(), name_of(many["what"]))
        return [_bare(name, number[0].strip(" .,"))] if number and name else []
    if found := _WHAT.search(question) or _YOURS.search(question):
        thing = found.groupdict().get("thing") or ""
        name, value = name_of(f"{thing} {found['what']}"), tidy(bare)
        name = "" if "'s " in found["what"] or name.rsplit(" ", 1)[-1] in _UNSPECIFIC else name
        fits = name and value and len(value.split()) <= 6 and not _CLAUSAL.search(value)
        return [_bare(name, value)] if fits else []
    return []


def _where(question: str, said: str) -> list[Told]:
    """The place or the day that an answer names, where one is asked for."""
    if _PLACES.search(question) and (found := _PLACED.search(said)):
        return [
            Told(USER, "area", found["place"], Kind.PREFERENCE, single=True, confidence=0.75, entity="place")
        ]
    if _VISITS.search(question) and (found := _DAYS.search(said)):
        return [Told(USER, "visit", found[0].strip(), Kind.PREFERENCE, single=True, confidence=0.75)]
    return []


def _bare(name: str, value: str) -> Told:
    wish = name in {
        "size",
        "color",
        "colour",
        "material",
        "style",
        "area",
        "bedrooms",
        "bathrooms",
        "location",
        "neighborhood",
        "neighbourhood",
        "brand",
        "model",
        "fabric",
        "finish",
        "shape",
    }
    return Told(USER, name, value, Kind.PREFERENCE if wish else Kind.FACT, single=True)


def _polar(question: str, answer: str, vocabulary: Vocabulary) -> list[Told]:
    """A question that is answered by yes or no, as the statement that this makes."""
    yes, no = _YES.match(answer), _NO.match(answer)
    said = yes or no
    found = _POLAR.match(question.rstrip("?! "))
    if not said or not found or len(answer[said.end() :].split()) > 3 or " or " in question:
        return []
    if details := wanted(f"I need {found['rest']}", looking=True):
        return [
            replace(each, value=_FLIPPED.get(each.value, each.value) if no else each.value)
            for each in details
        ]
    if re.search(r"\b(?:any|anything|if|would|should)\b", question):
        return []
    subject = f"my {found['np']}" if found["np"] else "I"
    verb = {
        "do": "",
        "are": "am " if subject == "I" else "is ",
        "is": "is ",
        "have": "have ",
        "does": "does ",
        "did": "did ",
        "were": "was ",
        "would": "would ",
        "should": "should ",
    }[found["aux"].lower()]
    statement = re.sub(r"\byour\b", "my", f"{subject} {verb}{found['rest']}")
    told = claimed(statement, "", vocabulary, guess=False).told
    return [replace(each, negated=each.negated != bool(no), confidence=0.7) for each in told]


def correction(text: str) -> tuple[str, bool, bool]:
    """The text behind the words that announce a correction; whether there are any; whether they are sure.

    >>> correction("no, I said three bedrooms")
    ('three bedrooms', True, True)
    """
    found = _MARK.match(text)
    if found is None or not found.end():
        return text, False, False
    sure = bool(found["meant"]) or bool(found["strong"] and _ERROR.search(found["strong"]))
    rest = text[found.end() :]
    sure = sure or bool(found["strong"] and re.search(r",? not [^,]{1,40}$", rest))
    return (rest, True, sure) if rest else (text, False, False)


def corrected(text: str, history: Sequence[Told], *, sure: bool) -> list[Told]:
    """What a correction that only names the value makes of what was said last.

    The last claim whose value is of the same class is meant, or the one that has the value called wrong.
    """
    if found := swapped(text, history):
        return found
    if swap := _BUT_NOT.match(text):
        text, sure = swap["new"], True
    value = _value(text)
    if (
        not value
        or len(value.split()) > 6
        or (not sure and not _NUMERIC.match(value) and not _DATE.search(value) and not value[:1].isupper())
    ):
        return []
    recent = history[-12:]
    if (about := _ABOUT.fullmatch(value)) and any(about["what"].lower() in told.attribute for told in recent):
        value, recent = about["value"], [told for told in recent if about["what"].lower() in told.attribute]
    unit = _UNITS.match(value)
    named = [
        told for told in recent if unit and told.attribute.rstrip("s") == unit["unit"].rstrip("s").lower()
    ]
    for told in reversed(named or recent):
        if _alike(told, value) and not _same(told.value, _fitted(told, value)):
            return [replace(told, value=_fitted(told, value), corrects=True, confidence=0.7, negated=False)]
    return []


def dropped(text: str, history: Sequence[Told]) -> list[Told]:
    """What "forget what I said about green" and "I have gone off the corner sofa" take back.

    The wish or liking that names it is denied; where none was told, it is of one that can only be a wish.

    >>> [(each.attribute, each.value, each.negated) for each in dropped("forget what I said about green", [])]
    [('wants', 'green', True)]
    """
    found = _DROP.search(led(plain(text))[0])
    what = tidy(found["said"] or found["wish"] or found["idea"] or found["mind"]) if found else ""
    if not found or not concrete(what) or len(what.split()) > _MOST:
        return []
    words = set(what.lower().split())
    for told in reversed(history):
        known = set(f"{told.attribute} {told.value}".lower().split())
        if told.kind is Kind.PREFERENCE and told.subject == USER and words <= known and not told.negated:
            named = replace(told, value=what, tell="want {a}") if _SEVERAL.search(told.value) else told
            return [replace(named, negated=True, corrects=False, confidence=0.7)]
    if found["wish"] or (found["said"] and _LOOK.fullmatch(what)):
        tell = "want {value}" if _LOOK.fullmatch(what) else "want {a}"
        return [Told(USER, "wants", what, Kind.PREFERENCE, tell=tell, negated=True, confidence=0.6)]
    return []


def swapped(text: str, history: Sequence[Told]) -> list[Told]:
    """What "not Oracle but SAP" makes of the claim that said Oracle."""
    swap = _SAID_MEANT.match(text) or _NOT_BUT.match(text) or _BUT_NOT.match(text)
    if swap is None:
        return []
    old, new = _value(swap["old"]), _value(swap["new"])
    for told in reversed(history):
        if new and old and (_same(told.value, old) or _same(told.value, _fitted(told, old))):
            return [replace(told, value=_fitted(told, new), corrects=True, confidence=0.75, negated=False)]
    return []


def _value(text: str) -> str:
    text = text.strip(" .,!")
    lead = _FRAGMENT.match(text)
    return tidy(text[lead.end() :] if lead else text)


def _same(first: str, second: str) -> bool:
    return bool(second) and re.sub(r"\W", "", first.lower()) == re.sub(r"\W", "", second.lower())


def _fitted(told: Told, value: str) -> str:
    """The value without the unit that the attribute names already: "three bedrooms" of the bedrooms."""
    unit = _UNITS.match(value)
    if unit and _NUMERIC.match(value) and unit["unit"].rstrip("s").lower() in told.attribute:
        return unit["number"]
    return value


def _alike(told: Told, value: str) -> bool:
    """Whether a value could be one of the same attribute."""
    if (unit := _UNITS.match(value)) and _NUMERIC.match(value) and not _DATE.search(value):
        word = unit["unit"].rstrip("s").lower()
        known = f"{told.attribute} {told.value}".lower()
        return word in known or (
            bool(_NUMERIC.match(told.value)) and word in {"dollar", "euro", "pound", "k", "percent", "grand"}
        )
    if _DATE.search(value):
        return bool(_DATE.search(told.value))
    if _NUMERIC.match(value):
        return bool(_NUMERIC.match(told.value)) and not _DATE.search(told.value)
    if value[:1].isupper():
        return told.value[:1].isupper() and not _DATE.search(told.value)
    return (
        told.single
        and not _NUMERIC.match(told.value)
        and not _DATE.search(told.value)
        and told.value[:1].islower()
    )
