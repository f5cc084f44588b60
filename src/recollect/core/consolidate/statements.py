"""Open statements: quantities, dates, sums, shares, versions and states of anything that a speaker tells.

Their attribute is the noun phrase in small letters, sorted so that two tellings of the same thing get the
same words: without determiners, what stands behind a preposition first, the head last.
"""

from __future__ import annotations

import re

from recollect.core.consolidate.grammar import Frame
from recollect.core.consolidate.telling import Told
from recollect.core.consolidate.words import KIN, PEOPLE
from recollect.core.model import USER

_SMALL = (
    r"(?:zero|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve|thirteen|fourteen"
    r"|fifteen|sixteen|seventeen|eighteen"
    r"|nineteen|(?:twenty|thirty|forty|fifty|sixty|seventy|eighty|ninety)(?:[ -](?:one|two|three"
    r"|four|five|six|seven|eight|nine))?"
    r"|half|a (?:dozen|hundred|thousand|million))"
)
_ABOUT = (
    r"(?:(?:about|around|roughly|approximately|approx\.?|nearly|almost|over|under|more than|less "
    r"than|at least|up to|exactly|only|just|now"
    r"|a total of|close to) ){0,2}"
)
_NUMBER = (
    rf"(?:[$€£] ?)?(?:\d+(?:,\d+)*(?:\.\d+)*|{_SMALL})(?: ?(?:%|percent|per cent|k|m|bn|thousand|million"
    rf"|hundred|dollars|euros|pounds|usd|eur|bucks|kgs?|lbs?|kilos|ms|[gmt]b|mph)(?!\w))?(?:/\d+)?"
)
_DAY = (
    r"(?:(?:next|this|last|the|early|late|mid) )*(?:mon|tues|wednes|thurs|fri|satur|sun)day|tomorrow"
    r"|today|tonight|noon|midnight"
    r"|(?:early |late |mid[- ]?)?(?:jan(?:uary)?|feb(?:ruary)?|march|apr(?:il)?|may|june?|july?"
    r"|aug(?:ust)?|sept?(?:ember)?|oct(?:ober)?|nov(?:ember)?|dec(?:ember)?)\b"
    r"|(?:next|this) (?:week|month|year|spring|summer|fall|autumn|winter|weekend)|the \d{1,2}(?:st"
    r"|nd|rd|th)|\d{1,2}(?:st|nd|rd|th)|\d{1,2}(?::\d\d)? ?[ap]\.?m"
)
_STATE = (
    r"(?:almost |nearly |fully |already |now |officially |finally |not yet |still )*(?:done|finished"
    r"|complete|completed|cancell?ed|approved|rejected|denied|open|closed|pending|broken|fixed|sold"
    r"|delivered"
    r"|shipped|deployed|released|merged|postponed|delayed|confirmed|signed|paid|unpaid|overdue"
    r"|submitted|booked|on hold|in progress|in review|live|archived|out of stock|expired|active"
    r"|inactive"
    r"|on track|behind schedule|ahead of schedule|canceled|launched|published|resolved|unresolved"
    r"|repaired|declined|accepted|working again|down|offline|online)(?=$|,| now| and| so| but| since"
    r"| already| on | at | by | by)"
)
_NAMED = r"(?-i:[A-Z][\w.+#'-]*)(?: (?-i:[A-Z0-9][\w.+#'-]*)){0,4}"
_TYPED = re.compile(
    rf"(?P<lead>(?:(?:now|currently|set|scheduled|due|planned|fixed|booked|confirmed|expected|at|on"
    rf"|for|by|in|around|about|to be|down|up|to|still|always"
    rf"|already|raised|extended|increased|reduced|lowered|cut|bumped|shifted|delayed|brought forward"
    rf"|exactly|version|v|valued|priced|estimated|only|just|the|roughly|almost|nearly|over"
    rf"|under|approximately|moved|pushed|postponed|back|rescheduled|changed"
    rf"|until|from|between|a total of) ?)*?)"
    rf"(?P<value>(?:{_DAY})(?!\w).*|(?P<number>{_ABOUT}{_NUMBER})(?!\w)(?P<unit>.*)"
    rf"|v?\d+(?:\.\d+)+(?!\w)|#?(?-i:[A-Z]{{1,5}})[A-Z0-9-]{{0,6}}\d[\w-]{{1,20}}|{_STATE})",
    re.IGNORECASE,
)
_WORD = r"[\w'’&/+#-]+"
_NOUNS = rf"(?:{_WORD} ){{0,8}}?{_WORD}"
_COPULA = (
    r"(?:(?:has|had|needs?) to (?:move|be moved|be pushed) to|(?:is|are|was|were|has been|have been"
    r"|will be|got|gets|is going to be)(?: (?:now|currently|still|just|already|recently|actually"
    r"|officially|only))*(?: been)?"
    r"|(?:now |currently )?(?:stands?|sits?|averages?|hovers?) (?:at|around)|(?:now |currently "
    r")?averages?|(?:has |have )?(?:\w+ly )?(?:improved|dropped|risen|grown|increased|decreased"
    r"|fallen|climbed|gone (?:up|down))(?: further| a lot| \w+ly| again| a bit)*,?(?: and)?(?: is| "
    r"are|,)? now(?: averaging| sitting| standing| hovering)?(?: at| around)?"
    r"|(?:has|have) (?:now |just |recently )?(?:gone|risen|grown|dropped|fallen|improved|increased"
    r"|decreased|climbed|moved|changed)(?: up| down)? from [^,;]{1,30}? to"
    r"|(?:has|have) (?:now |just |recently )?(?: |just |recently )?(?:reached|hit|risen to|grown "
    r"to|dropped to|fallen to|increased to|decreased to|gone up to|gone down to|improved to|climbed "
    r"to|changed to|moved to|become)"
    r"|(?:now |just |recently |finally |already )*(?:reached|hit|rose to|grew to|dropped to|fell to"
    r"|increased to|decreased to|went up to|went down to|improved to|climbed to|changed to|moved to"
    r"|became|jumped to|went to"
    r"|(?:increased|decreased|improved|rose|grew|dropped|fell|went(?: up| down)?|jumped|climbed"
    r"|changed|moved) from [^,;]{1,30}? to)"
    r"|costs?(?: us| me| you)?|c(?:ame|omes) to|amounts? to|weighs?|(?:starts?|begins?|ends?|closes?"
    r"|opens?|takes? place|happens?|finishes|expires?|launches|arrives?|departs?|leaves?|lasts?"
    r"|runs?)(?: (?:at|on|in|until|till|for|from))?"
    r"|contains?|includes?|(?:now )?has(?: now| already)?|needs?|requires?|totals|covers?)"
)
_PHRASE = re.compile(
    rf"(?:(?P<det>the|my|our|this|its|his|her|their) )?(?P<np>{_NOUNS}) (?P<be>{_COPULA}) (?P<rest>.+)",
    re.IGNORECASE,
)
_BROUGHT = re.compile(
    rf"\b(?:brought|bringing|brings|raised|raising|pushed|pushing|increased|increasing|reduced"
    rf"|reducing|took|taking|got|getting|cut|cutting|improved|improving|lowered|lowering|moved|moving"
    rf"|extended|extending)"
    rf" (?:the |my |our )?(?P<np>{_NOUNS})(?: up| down| back| forward| out)?(?: from [^,;]{{1,30}}?)? "
    rf"to (?P<rest>.+)",
    re.IGNORECASE,
)
_WITH = re.compile(
    rf"\bwith (?:now |already )?(?P<rest>{_NUMBER} (?:{_WORD} ){{1,4}}(?:in|on|of|for) (?:my|our) .+)",
    re.IGNORECASE,
)
_THERE = re.compile(
    rf"there (?:is|are|were|was)(?: now| currently)? (?P<rest>{_ABOUT}{_NUMBER} .+)", re.IGNORECASE
)
_COUNTED = re.compile(
    rf"(?P<n>{_ABOUT}{_NUMBER})(?P<more> more| new| other| different)? (?P<np>{_NOUNS})(?: (?:have "
    rf"been|has been|are|were|got|is|was))? "
    rf"(?:now |already )?(?P<verb>merged|done|completed|finished|written|read|submitted|signed|sold"
    rf"|booked|confirmed|closed|left|remaining|deployed|reviewed|fixed|paid|saved|registered|invited"
    rf"|collected|published|tested|pending|open|resolved)\b(?P<pp>.*)",
    re.IGNORECASE,
)
_MOVED = frozenset(
    {
        "move",
        "reschedule",
        "push",
        "change",
        "update",
        "set",
        "extend",
        "increase",
        "raise",
        "lower",
        "reduce",
        "decrease",
        "cut",
        "postpone",
        "shift",
        "bump",
        "delay",
        "schedule",
        "book",
        "drop",
        "put",
    }
)
_MOVING = re.compile(
    rf"(?:the |my |our |this )(?P<np>{_NOUNS})(?: back| up| out| forward| down)?(?: from "
    rf"[^,;]{{1,40}}?)? (?:to|for|at|until|by|on) (?P<rest>.+)",
    re.IGNORECASE,
)
_QUANTITY = re.compile(
    rf"(?P<n>{_ABOUT}{_NUMBER})(?!\w)(?P<more> (?:more|additional|extra|other|another|new)(?= ))? "
    rf"?(?P<rest>.*)",
    re.IGNORECASE,
)
_AT = re.compile(
    rf"(?:now |currently )?(?:at|up to|down to) (?P<rest>{_ABOUT}{_NUMBER} [a-z].+)", re.IGNORECASE
)
_BOOKED = re.compile(
    rf"(?:an? |my |our |the )(?P<np>{_NOUNS})(?: scheduled| booked| set| coming up| due)? (?:on |at "
    rf"|for )?(?P<value>(?:{_DAY})(?=$|,| (?:at|on|in|with|from|for|to|so|next|this|morning|afternoon"
    rf"|evening|night)\b).*)",
    re.IGNORECASE,
)
_PURPOSE = re.compile(r" ?(?:for|of|on|in) (?:the|my|our) [\w' -]{2,40}", re.IGNORECASE)
_SHARE = re.compile(r"%|percent|[$€£]", re.IGNORECASE)
_MOST = 6
_OWNERS = re.compile(r"\b(?:my|our|its) ", re.IGNORECASE)
_DATED = re.compile(
    rf"\b(?:my|our|the|an?) (?P<np>(?:{_WORD} ){{0,4}}?(?:deadline|exam|meeting|appointment"
    rf"|defen[sc]e|launch|wedding|interview|flight|presentation|review|target|test|workshop|party"
    rf"|demo|conference|due date|kick-?off|budget|salary|rent|goal|limit|rate|raise|score)(?: with "
    rf"(?:{_WORD} ){{0,2}}{_WORD})?)"
    rf" (?:being |that is |which is )?(?:set |scheduled |due |booked )?(?:of|on|for|by|at|to) "
    rf"(?P<value>{_ABOUT}(?:[$€£] ?\d[\d,.]*[km]?|\d[\d,.]* ?(?:%|percent|words?|hours?"
    rf"|points?)(?!\w)|(?:{_DAY})(?!\w).{{0,30}}))",
    re.IGNORECASE,
)
_POSSESSED = re.compile(rf"(?P<kin>{KIN}|{PEOPLE})(?:'s|(?<=s)') ", re.IGNORECASE)
_THEIRS = frozenset({"his", "her", "their"})
_HOLDS = re.compile(r"(?:contain|include|need|require|cover|hold)s?|(?:now )?has(?: now| already)?")
_PARTS = {
    "end": "end",
    "finish": "end",
    "expire": "end",
    "close": "end",
    "cost": "price",
    "weigh": "weight",
    "last": "duration",
}
_MOVED_AWAY = re.compile(
    r"(?:now )?(?:moved|pushed|changed|rescheduled|postponed|raised|extended|increased|reduced|lowered"
    r"|cut|bumped|shifted|delayed|brought|set|scheduled|booked|fixed|confirmed)",
    re.IGNORECASE,
)
_DONE = re.compile(_STATE, re.IGNORECASE)
_VERSIONED = frozenset({"use", "run", "upgrade", "update", "switch", "install", "have", "migrate"})
_MEASURE = re.compile(
    r"(?:[cmk]?m|inch(?:es)?|feet|foot|ft|yards?|miles?|kilomet(?:er|re)s?|(?:centi|milli)?met(?:er|re)s?|kg|kilos?"
    r"|grams?|pounds?|lbs?|lit(?:er|re)s?|degrees?|percent|volts?|watts?)(?!\w)",
    re.IGNORECASE,
)
"""What a number of alone says nothing of anything."""
_ENOUGH = re.compile(r"\btoo (?:few|many|much|little)\b", re.IGNORECASE)
_SPAN = re.compile(r"(?:years?|months?|weeks?|days?|times?|minutes?|hours?) ?\Z", re.IGNORECASE)
_AND = re.compile(r" and .*", re.IGNORECASE)
_OF_ALL = re.compile(r"of (?:(?:the|my|our|these|those|all) )?(?:\d+ )?", re.IGNORECASE)
_PLACED = ("for ", "in ", "on ", "to ", "at ")
_MONEY = re.compile(r"[$€£]|dollars|euros|pounds|kg|lbs?", re.IGNORECASE)
_SECRET = frozenset(str.split("password passcode pin cvv cvc ssn secret token credential iban passport card"))
_SUM = re.compile(_NUMBER, re.IGNORECASE)
_EARNED = frozenset({"make", "made"})
"""Verbs that tell of sums, and of other numbers nothing in particular."""
_VERSION = re.compile(
    r"(?:to |with |on |version )*(?P<name>(?-i:[A-Z])[\w.+#-]*(?:[ -](?-i:[A-Z])[\w.+#-]*){0,2}),? "
    r"(?:version |v)?(?P<version>v?\d+(?:\.\d+)*(?:\.x)?)(?!\w)(?! (?:times|hours|days|weeks|months"
    r"|years|minutes))",
    re.IGNORECASE,
)
_PREPOSITION = re.compile(
    r"\s+(?:of|for|in|on|at|from|with|to|about|by|within|into|inside|between|during|through|towards?"
    r"|across|under|per|out of|as|against)\s+",
    re.IGNORECASE,
)
_DROPPED = frozenset(
    str.split(
        "the a an my our your his her their this that these those new current latest total overall "
        "updated revised actual currently now "
        "so far already just own entire whole up down only some all and or i we am is are was were "
        "been have has had more other different "
        "also still about around today recently little bit it me us by"
    )
)
_STOP = re.compile(
    r"\s*(?:,(?!\d| (?:19|20)\d\d\b)|:(?!\d)|[;()!?]|\b(?:because|but|so|which|that|who|when|while|since"
    r"|until"
    r"|although|though|if|where|and (?:i|we|it|that|my|the|now|am)|now|already|so far|right now"
    r"|currently"
    r"|this (?:week|month|year|morning|time|far)|last (?:week|month|year|night)|yesterday|today|in "
    r"total|overall|as of|today|at the moment|to date|these days|i think|instead|then|after|before"
    r"|thanks)\b).*$",
    re.IGNORECASE,
)
_EVERY = re.compile(
    r"\b(?:a|per|every|each) (?P<unit>day|week|month|year|hour|night|morning|evening|session|semester"
    r"|quarter)\b",
    re.IGNORECASE,
)
_CLAUSAL = re.compile(
    r"\b(?:i|we|you|he|she|it|they|that|which|who|what|when|if|is|are|was|were|has|have|had|do|does|did"
    r"|and)\b",
    re.IGNORECASE,
)
_ASKS = frozenset(
    str.split(
        "you will would could should can cannot shall must be being does not plus who whom what which how why"
        " when"
    )
)
"""Words that only a clause has, and no name of a thing."""
_VAGUE = frozenset(
    str.split(
        "thing things time times day days one way point reason problem question year years minute "
        "minutes second bit lot idea "
              "something side case most hand rest other half part week month sec seconds hours hour "
              "sort kind moment guy step")
)  # fmt: skip
_ACTIONS = frozenset(
    str.split(
        "read write finish complete merge save earn spend pay run walk sleep weigh score gain lose "
        "collect visit attend watch submit add create receive review "
        "test apply learn study practise practice sell book invite burn lift drink eat cook bake "
        "log gather compile make do build solve interview plant donate "
        "raise hire drive publish fix deploy commit record cover pass answer plan invest own plan "
        "track send design train play handle manage budget find use "
        "take need fail close resolve cut reduce meet measure swim cycle reach have want hit "
        "increase decrease implement refactor download draft translate"
    )
)


def name_of(phrase: str) -> str:
    """A noun phrase as an attribute; "" if it names nothing in particular.

    >>> name_of("deadline for the first sprint"), name_of("sources in my Zotero library")
    ('first sprint deadline', 'zotero library sources')
    """
    parts = [_words(part) for part in _PREPOSITION.split(_STOP.sub("", phrase))]
    ordered = [word for part in reversed(parts) for word in part]
    if (
        not ordered
        or not _SECRET.isdisjoint(ordered)
        or "social security" in phrase.lower()
        or len(ordered) > 8
        or (len(ordered) == 1 and ordered[0] in _VAGUE)
        or not parts[0]
        or not _ASKS.isdisjoint(ordered)
    ):
        return ""
    return " ".join(dict.fromkeys(ordered))


def _words(phrase: str) -> list[str]:
    words = (word.strip("'’\".,").lower() for word in phrase.split())
    return [word.removesuffix("'s").removesuffix("’s") for word in words if word and word not in _DROPPED]


def stated(text: str) -> list[Told]:
    """What a clause tells of something that is no person: its number, date, sum, share, version or state.

    >>> [(each.attribute, each.value) for each in stated("the deadline for the first sprint is March 29")]
    [('first sprint deadline', 'March 29')]
    """
    if (found := _PHRASE.match(text)) and (thing := _thing(found)):
        return thing
    if found := _THERE.match(text):
        return _counted(USER, found["rest"], "")
    if (found := _BROUGHT.search(text)) and (typed := _QUANTITY.match(found["rest"])):
        attribute, value = name_of(found["np"]), typed["n"]
        return [_open(USER, attribute, value)] if attribute and value else []
    if found := _WITH.search(text):
        return _counted(USER, found["rest"], "")
    if found := _COUNTED.match(text):
        attribute = name_of(f"{found['np']} {found['verb']}{found['pp']}")
        return [_open(USER, attribute, found["n"])] if attribute and not found["more"] else []
    return []


def embedded(text: str) -> list[Told]:
    """What a clause tells by the way, wherever in it that stands: "…, now that my coverage is at 78%".

    >>> [(each.attribute, each.value) for each in embedded("which one fits, given a budget of $3,000")]
    [('budget', '$3,000')]
    """
    for start in list(_OWNERS.finditer(text))[:_MOST]:
        found = _PHRASE.match(text, start.start())
        if found and (thing := _thing(found)):
            return thing
    if (found := _DATED.search(text)) and (attribute := name_of(found["np"])):
        return [_open(USER, attribute, _STOP.sub("", found["value"]))]
    return []


def _thing(found: re.Match[str]) -> list[Told]:
    """What "the deadline is …" and "my library has …" tell."""
    phrase, verb = found["np"], found["be"].lower()
    typed = None if _CLAUSAL.search(phrase) else _TYPED.match(found["rest"])
    owner = (found["det"] or "").lower()
    if typed is None or owner in _THEIRS or (not owner and (" " not in phrase or not typed["number"])):
        return []
    subject = USER
    if kin := _POSSESSED.match(phrase):
        subject, phrase = kin["kin"].lower(), phrase[kin.end() :]
    attribute, value = name_of(phrase), _value(typed)
    if (purpose := _PURPOSE.match(typed["unit"] or "")) and _SHARE.search(typed["number"]):
        attribute, value = name_of(f"{phrase} {purpose[0]}"), typed["number"]
    if "due" in typed["lead"].lower() and "deadline" not in attribute:
        attribute = attribute and f"{attribute} deadline"
    if _HOLDS.fullmatch(verb):
        counted = name_of(typed["unit"] or "")
        if _MEASURE.fullmatch(counted):
            value = f"{typed['number'] or ''} {counted}".strip()
        else:
            attribute, value = f"{attribute} {counted}".strip(), (typed["number"] or "") if counted else ""
    elif part := next((part for start, part in _PARTS.items() if verb.startswith(start)), ""):
        attribute = attribute and f"{attribute} {part}"
    if not attribute or not value:
        return []
    ended = verb in {"was", "were"} and not _MOVED_AWAY.match(typed["lead"]) and not _DONE.fullmatch(value)
    return [_open(subject, attribute, value, over=ended)]


def _value(typed: re.Match[str]) -> str:
    value = _STOP.sub("", typed["value"]).strip(" .,").removeprefix("up to ")
    return value if len(value.split()) <= 8 else ""


def _open(subject: str, attribute: str, value: str, *, over: bool = False) -> Told:
    return Told(subject, attribute, value.strip(" .,"), single=True, over=over, confidence=0.7)


def done(frame: Frame) -> list[Told]:
    """What a person tells of their quantities, of what they set or moved, and of the versions they use.

    >>> from recollect.core.consolidate.grammar import frame
    >>> [(each.attribute, each.value) for each in done(frame("I have merged 165 commits"))]
    [('commits merged', '165')]
    """
    if frame.planned or frame.negated:
        return []
    return _set(frame) or _booked(frame) or _quantified(frame)


def _set(frame: Frame) -> list[Told]:
    """What was set or moved to a value, and the version of what is used."""
    attribute = value = ""
    if frame.verb in _MOVED and (found := _MOVING.match(frame.rest)):
        typed = _TYPED.match(found["rest"])
        attribute, value = name_of(found["np"]), _value(typed) if typed else ""
    elif frame.verb in _VERSIONED and (found := _VERSION.match(frame.rest)):
        attribute, value = f"{found['name'].lower()} version", found["version"]
    subject = USER if frame.verb in _MOVED else frame.subject
    return [_open(subject, attribute, value)] if attribute and value else []


def _booked(frame: Frame) -> list[Told]:
    """An appointment that somebody has."""
    found = None if frame.verb != "have" or frame.past else _BOOKED.match(frame.rest)
    attribute = name_of(found["np"]) if found else ""
    return [_open(frame.subject, attribute, _STOP.sub("", found["value"]))] if found and attribute else []


def _quantified(frame: Frame) -> list[Told]:
    """A number of something that somebody has, has done or does."""
    if frame.verb == "be" and (found := _AT.match(frame.rest)):
        return _counted(frame.subject, found["rest"], "")
    had = frame.verb == "have" and frame.past and not frame.perfect
    if frame.verb not in _ACTIONS or had:
        return []
    verb = "" if frame.verb in {"have", "own"} else frame.form if frame.past else frame.verb
    return _counted(frame.subject, frame.rest, verb, over=frame.over)


def _counted(subject: str, text: str, verb: str, *, over: bool = False) -> list[Told]:
    """A number of something, with the verb that was done to it; of money it need not be of anything."""
    found = _QUANTITY.match(text)
    if found is None or found["more"]:
        return []
    every = _EVERY.search(found["rest"])
    rest = _EVERY.sub("", found["rest"]) if every else found["rest"]
    rest = _AND.sub("", _STOP.sub("", rest)).strip()
    rest = _OF_ALL.sub("", rest, count=1) if rest.startswith("of ") else rest
    rest = "" if _SUM.fullmatch(rest) else rest
    attribute = name_of(f"{verb} {rest}" if rest.startswith(_PLACED) else f"{rest} {verb}")
    attribute = "" if rest.lower() == "times" else attribute
    is_measure = _SPAN.match(rest) or _MEASURE.match(rest) or _ENOUGH.search(rest)
    alone = attribute == verb or (is_measure is not None and not every)
    if not attribute or ((alone or verb in _EARNED) and not _MONEY.search(found["n"])):
        return []
    attribute = f"{attribute} {every['unit'].lower()}" if every else attribute
    return [_open(subject, attribute, found["n"], over=over)]
