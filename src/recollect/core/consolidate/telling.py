"""What was told in a clause, and the sentence that says it alone."""

from __future__ import annotations

import re
from dataclasses import dataclass

from recollect.core.model import USER, Kind

_THIRD = {"be": "is", "have": "has", "do": "does", "go": "goes"}
_CUT = re.compile(
    r"\s*(?:;|:(?!\d)|,\s+(?:but |and |so |then )?(?:i|we|he|she|it|they|there|you|please|not|moved"
    r"|instead)\b"
    r"|,(?!\d)(?! (?:(?:and|or) )?[\w'’ -]{1,30}(?:,|$| and | or ))|\s[-–—]\s|\("
    r"|\b(?:because|but|so that|so (?:i|we|he|she|they|you|it|be|do|please|the|my|our)|lol|haha|tbh|pls"
    r"|plz|thx|which|who|whom|whose|when|whenever|while|since|until|till"
    r"|although|though|if|unless|where|as well"
    r"|for (?:now|me|us|a while|some time|ages|the (?:last|past|time|moment)|about|almost|over|years"
    r"|ages|(?:\d+|a|one|two|three|four|five|six|seven|eight|ten|many|several|a few) (?:years?"
    r"|months?|weeks?|days?))"
    r"|right now|at the moment|at present|these days|nowadays|any ?more|lately|actually|please"
    r"|though|too|either|instead|now|currently|already"
    r"|so far|before i|before we|after i|after we|in the (?:\w+ies|past|\d+s)|when i|and (?:i|we|my"
    r"|our|he|she|it|they|that)|by the way|to be honest|you know|thanks|thank you|ok|okay|as of|i "
    r"think|i guess|a lot|so much|very much|the most|again|yet|together|anyway|btw)\b).*$",
    re.IGNORECASE | re.DOTALL,
)
_DETERMINER = re.compile(
    r"^(?:the|a|an|my|our|some|any|this(?! (?:week|month|year|morning|evening|afternoon|spring"
    r"|summer|autumn|fall|winter|mon|tue|wed|thu|fri|sat|sun))|these|those|that|such|all|your)\s+",
    re.IGNORECASE,
)
_ADVERB = re.compile(
    r"^(?:(?:probably|definitely|actually|really|currently|now|still|maybe|just|also|always|simply) )+",
    re.IGNORECASE,
)
_COUNTS = frozenset(str.split("one two three four five six seven eight nine ten more less new"))
_SOME = re.compile(r"^(?:a (?:bit|little) (?:of )?|some )", re.IGNORECASE)
_EMPTY = re.compile(
    r"^(?:it|this|that|these|those|them|they|him|her|you|me|us|one|ones|so|not|to|what|how|when"
    r"|where|why|who|which"
    r"|everything|anything|nothing|something|stuff|things?|someone|somebody|anyone|everyone|there"
    r"|here|more|less|both|either"
    r"|neither|none|all|lot|bit|few|idea|ideas|help|advice|info|information|know|being able|same"
    r"|rest|way|time|hear|see|say|ask|talk"
    r"|your|his|hers|theirs|yours|mine|of|it all|and|or|hearing|seeing|getting|having|doing|thinking"
    r"|feeling|question|questions|sound|look)\b",
    re.IGNORECASE,
)


_APART = re.compile(r",\s+(?=(?:for|with|in|on|under|near|by|without) )")
_ADDED = re.compile(
    r",\s+(?:nothing|no|not|if|preferably|ideally|maybe|perhaps|probably|something|anything)\b.*$",
    re.IGNORECASE,
)
_SUM = re.compile(
    r"(?:(?:up to|about|around|roughly|at most|no more than|less than|more than|under|over|maybe) )*[$€£]? ?"
    r"\d[\d,.]*k?(?: ?(?:euros?|dollars?|pounds?|bucks|grand|%|percent))?(?=$|,)",
    re.IGNORECASE,
)
UNNAMED = re.compile(
    r"(?:(?:basically|literally|almost|just|pretty much|nearly) )*(?:any|every|some|no)(?:body|one|thing"
    r"|where)\b"
    r"|(?:ones?|out|in|off|on|back|away)(?=$|,)|(?:[\w'’-]+ )?[\w'’-]+ ones?(?=$|[ ,])",
    re.IGNORECASE,
)
_FINITE = re.compile(
    r"(?-i: to (?!the |my |our |an? |go\b)[a-z]+)|(?<!that )(?<!who )\b(?:is|are|was|were|am|will|would"
    r"|does|did|has|hmm|cannot|can not)\b",
    re.IGNORECASE,
)
_OWN = re.compile(r"\b(?:my|our)\b", re.IGNORECASE)
_LITTLE = re.compile(
    r"(?:Up to|About|Around|Roughly|At (?:most|least)|No more|Under|Over|Between|Below|Less|More|Half|Any"
    r"|Every"
    r"|Only|Just|One|Two|Three|Four|Five|Six|Seven|Eight|Nine|Ten|Eleven|Twelve|The|An?|In|On|By|After|Before"
    r"|From|Not?|Week ?(?:days?|ends?)|Mornings?|Afternoons?|Evenings?)\b"
)
_PASSING = frozenset(
    str.split("inspiration hand minute moment second break look favour favor reply answer word chat turn")
)
_OF = re.compile(
    r" (?:for|with|in|on|of|to|from|under|near|by|without|at|that|next|like|over|about|around)\b|,"
)


@dataclass(frozen=True, slots=True)
class Told:
    """A claim as it was read, before it is known when it holds.

    `tell`: as in attributes.Attribute. `change`: it tells of a change to what is so now. `over`: it is no
    more. `entity`: the kind of thing that its value names. `clause`: the words that say it.
    """

    subject: str
    attribute: str
    value: str
    kind: Kind = Kind.FACT
    single: bool = False
    tell: str = ""
    negated: bool = False
    planned: bool = False
    over: bool = False
    change: bool = False
    corrects: bool = False
    confidence: float = 0.8
    entity: str = ""
    clause: str = ""


def tidy(value: str, *, keep: bool = False) -> str:
    """A value without what is said around it; "" if nothing of it is left. `keep`: its article stays.

    >>> tidy("the grey sofas because they are soft")
    'grey sofas'
    """
    value = _CUT.sub("", _ADVERB.sub("", value)).strip(" ,.!?:;-–—\"'“”…")
    bare = value if keep else _DETERMINER.sub("", value)
    return "" if _EMPTY.match(bare) or "¤" in bare or (len(bare) < 2 and not bare.isdigit()) else bare


def bare(value: str) -> str:
    """A value as it is compared: without its article.

    >>> bare("a bit of Portuguese"), bare("the grey sofa")
    ('Portuguese', 'grey sofa')
    """
    return _DETERMINER.sub("", _SOME.sub("", value)) or value


def concrete(value: str) -> str:
    """The thing that a value names; "" if it is a clause, a sum, or only a word for what was said before.

    >>> concrete("an armchair, for reading"), concrete("anybody to come"), concrete("that one")
    ('an armchair for reading', '', '')
    """
    value = _ADDED.sub("", _APART.sub(" ", value))
    plain = bare(value)
    if _SUM.match(plain) or UNNAMED.match(plain) or UNNAMED.match(value) or _FINITE.search(value):
        return ""
    return "" if _head(plain) in _PASSING else value


def _head(value: str) -> str:
    """The noun that a noun phrase is about.

    >>> _head("lamp for reading next to the sofa")
    'lamp'
    """
    return _OF.split(value, maxsplit=1)[0].rsplit(maxsplit=1)[-1].lower() if value.strip() else ""


def items(value: str) -> list[str]:
    """The items of an enumeration; a value that is none is the only one.

    >>> items("sushi, long hikes and jazz")
    ['sushi', 'long hikes', 'jazz']
    >>> items("cooking for my family and friends")
    ['cooking for my family and friends']
    """
    parts = [
        part for part in re.split(r"\s*,(?!\d)\s*(?:and |or )?|\s+(?:and|or|nor)\s+|\s*&\s*", value) if part
    ]
    if all(each.rsplit(" ", 1)[-1][:1].isupper() for each in parts) and len(parts) < 8:
        return parts
    short = all(len(part.split()) <= (3 if len(parts) > 2 or "," in value else 2) for part in parts)
    return parts if 1 < len(parts) <= 8 and short else [value]


def sentence(told: Told) -> str:
    """What was told as a sentence that stands alone.

    >>> sentence(Told(USER, "residence", "Atlanta", tell="live in {value}"))
    'Lives in Atlanta.'
    >>> sentence(Told("sister", "residence", "Boston", tell="live in {value}", negated=True))
    'Sister: does not live in Boston.'
    >>> sentence(Told(USER, "budget", "$500"))
    'Budget: $500.'
    """
    if told.tell:
        said = _phrase(told)
        said = said[0].upper() + said[1:] if told.subject == USER else f"{_capital(told.subject)}: {said}"
        return f"{said}."
    if told.attribute.startswith("instruction:"):
        return f"Instruction: {told.value}."
    value = _settled(told.value)
    label = told.attribute if told.subject == USER else f"{told.subject}, {told.attribute}"
    marks = (" (planned)" if told.planned else "") + (" (formerly)" if told.over else "")
    return f"{_capital(label)}{marks}: {'not ' if told.negated else ''}{value}."


def _phrase(told: Told) -> str:
    """The claim as a verb phrase in the third person."""
    value = _settled(told.value)
    filled = told.tell.replace("{value}", value).replace("{a}", _articled(value))
    verb, _, rest = filled.partition(" ")
    third = _THIRD.get(verb) or (f"{verb}es" if verb.endswith(("s", "sh", "ch", "x")) else f"{verb}s")
    if told.attribute == "experience":
        return f"has {'never ' if told.negated else ''}{told.value}"
    if told.planned:
        return f"{'does not plan' if told.negated else 'plans'} to {filled}"
    if told.over:
        return f"did not {filled}" if told.negated else f"used to {filled}"
    if told.negated:
        return f"is not {rest}" if verb == "be" else f"does not {filled}"
    return f"{third} {rest}"


def _articled(value: str) -> str:
    """The value with "a", if it is a thing of which there may be one."""
    if (
        _DETERMINER.match(value)
        or not value[:1].islower()
        or (_head(value).endswith("s") and not _head(value).endswith(("ss", "us")))
        or value.split(maxsplit=1)[0] in _COUNTS
    ):
        return value
    return f"{'an' if value[0] in 'aeiou' else 'a'} {value}"


def _settled(value: str) -> str:
    """The value as it stands within a sentence about somebody.

    >>> _settled("Up to 900"), _settled("a chair for my father")
    ('up to 900', 'a chair for their father')
    """
    value = _OWN.sub("their", value)
    return value[:1].lower() + value[1:] if _LITTLE.match(value) else value


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]
