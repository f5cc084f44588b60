"""Standing instructions to the agent: "always answer in bullet points", "from now on call me Jo"."""

from __future__ import annotations

import re

from recollect.core.consolidate.grammar import led, plain
from recollect.core.consolidate.telling import Told
from recollect.core.model import USER, Kind

_VERBS = (
    "answer|reply|respond|write|use|call|address|speak|talk|keep|give|format|start|starting|end"
    "|ending|begin|finish|include|including|add|adding|avoid|stop"
    "|explain|show|cite|translate|list|put|limit|refer to|send|remind|spell|name|provide|mention"
    "|ask|wrap|return|skip|leave out|omit|prefix|suffix|tell"
    "|summari[sz]e|check|round|convert|wait|greet|sign|annotate|document|prefer|stick to|treat"
    "|assume|recommend|suggest|offer|track|note|follow|import"
    "|importing|define|declare|create|make|double-check|confirm|highlight|structure|break|print|log"
    "|test|comment|encrypt|handle|close|contact|email|text"
    "|schedule|book|share|consider|set|append|attach|mark|label|sort|group|store|save|run|read|have"
    "|ring|phone|message|disturb|knock|go for|work|pass|catch|raise|apply|commit|utili[sz]e|employ"
)
_LEAD = re.compile(
    r"(?:(?:also|and|so|first(?:ly)?|second(?:ly)?|third(?:ly)?|next|finally|additionally"
    r"|furthermore|moreover|instead|plus|then|but|remember(?! to)|please note|note|just"
    r"|another thing(?: is)?|the (?:second|other|first|next) (?:thing|one)(?: is)?|one (?:more"
    r"|other) thing|in addition|lastly|as for (?:[\w ]{3,30})|moving on)[,:]?(?: that)? )+",
    re.IGNORECASE,
)
_WHEN = re.compile(
    r"(?P<when>(?:when(?:ever)?|every time|each time|any ?time|for (?:any|all|every|your)?) "
    r"?[^,;]{3,70}),\s*",
    re.IGNORECASE,
)
_CUE = re.compile(
    r"\b(?:always|n?ever|from (?:now|here|this)|future|forward|henceforth|consistently|every|each"
    r"|when(?:ever)?|all|by default|remember|sure|call|calls|ring|phone|text|contact|message|disturb"
    r"|knock|address|names?|you to|that you)\b|_",
    re.IGNORECASE,
)
_FROM_NOW = re.compile(
    r"(?P<now>(?:from (?:now|here|this point) (?:on|onwards?|forward)|in (?:the )?future|going "
    r"forward|moving forward|henceforth|for (?:all )?future [\w ]{3,30}|starting (?:now"
    r"|today)),?\s+)",
    re.IGNORECASE,
)
_WISH = re.compile(
    r"(?:(?:i|we) (?:just |also )?(?:want|would like|need) to (?:emphasi[sz]e|stress|remind you"
    r"|point out|make sure|mention|note|ensure)(?: that)?(?: you)?(?: to)? |(?:it is|it's) "
    r"(?:important|essential|crucial) that you )?"
    r"(?:(?:i|we)(?: just| really| also| still)?(?: would|'d| do)?(?: now| also| really| just| "
    r"still)* ?(?:like|want|prefer|need|expect|ask|require|love)(?: (?:that|it if))? you (?:all "
    r")?(?:to )?"
    r"|you (?:should|must|need to|have to) (?=always|never)|(?:we|i) (?:(?:always|also) )?(?:prefer"
    r"|want|like) to (?=always)"
    r"|(?:one|another) (?:[\w]+ ){1,6}?(?:is|to) (?:to )?(?=always|never)|it is (?:important"
    r"|essential|crucial) to (?=always|never)|(?:the|an?) (?:[\w']+ ){1,6}is to (?=always|never"
    r"|include|prefix))",
    re.IGNORECASE,
)
_HOW = re.compile(
    r"(?P<how>(?:(?:please|kindly|always|consistently|only|instead|now|also|just|remember to|be sure "
    r"to|be sure that you|make sure(?: to| that you| you)?|ensure(?: that)? you|ensure to|ensure "
    r"that|be ready to"
    r"|make it a (?:habit|point) to|get into the habit of|try to always"
    r"|do)\s+)+)?(?P<never>(?:never(?: ever)?|do not(?: ever| you ever)?|not(?: ever)?|avoid|stop"
    r"|refrain from)\s+)?(?P<also>(?:ever|always)\s+)?",
    re.IGNORECASE,
)
_WHAT = re.compile(rf"(?P<what>(?:{_VERBS})(?![\w'’-])[^;]+)", re.IGNORECASE)
_LASTING = re.compile(
    r"\b(?:always|never|ever|from (?:now|here) on(?:wards?)?|in (?:the )?future|going forward|moving "
    r"forward|henceforth|every(?: time)?|each time|whenever|all (?:your|future|my|of your)"
    r"|consistently|at all times|by default)\b",
    re.IGNORECASE,
)
_LASTING_HOW = re.compile(
    r"\b(?:always|never|ever|consistently|remember to|habit|make sure|be sure)\b", re.IGNORECASE
)
_HOURS = re.compile(
    r"(?:call|ring|phone|text|contact|email|message|disturb|knock)\b.{0,30}? (?:(?:before|after|between"
    r"|until)"
    r" (?:\d|noon|midday|lunch|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve)|on \w+days\b"
    r"|at (?:work|weekends|night)\b|during )",
    re.IGNORECASE,
)
"""Hours at which one is not to be called: they last without being said to."""
_GENERIC = re.compile(
    r"\b(?:(?:your|all|every|any|each|my)(?: \w+){0,2} (?:functions?|methods?|class(?:es)?|code"
    r"|scripts?|modules?|files?|replies|answers|responses|emails|messages|summaries|reports"
    r"|recommendations|suggestions|explanations|translations)"
    r"|(?:functions|methods|classes|replies|answers|responses))\b",
    re.IGNORECASE,
)
_AFFIX = re.compile(
    r"(?<!\w)['\"‘“`](?:\w{1,4}_|_\w{1,4}|\w{2,12}|@\w+)['\"’”`]|\b[a-z]{1,4}_(?!\w)"
    r"|(?<!\w)_[a-z]{1,4}\b"
)
_THING = (
    r"(?:function|method|class|variable|attribute|module|file|field|column|table|argument|parameter"
    r"|constant|test|package|branch|folder|key)s?"
)
_NAMED = rf"(?:{_THING}(?: {_THING})?)(?:'s)?(?: names?)?"
_FIX = r"(?:start|end|begin|prefix|suffix|includ|finish|append|add)\w*"
_TAG = r"['\"‘“`][\w@]{1,12}['\"’”`]"
_NAMING = re.compile(
    rf"\b(?P<noun>{_NAMED})\b[^.;!?]{{0,30}}?\b{_FIX}\b[^.;!?]{{0,30}}?\b(?:with|in|to|string|prefix"
    rf"|suffix|by)\b[^.;!?'\"]{{0,20}}{_TAG}"
    rf"|\b{_FIX} (?:all |each |every |any |your |our |the |of ){{0,4}}(?P<noun2>{_NAMED}) (?:with|by"
    rf"|in)\b[^.;!?'\"]{{0,20}}{_TAG}"
    rf"|\b(?:naming|defining|declaring|writing|creating|for) (?:all |each |every |any |your |our |the "
    rf"|an? |new ){{0,3}}(?P<noun3>{_NAMED}),? "
    rf"[^.;!?]{{0,40}}?\b(?P<fix>{_FIX})\b[^.;!?'\"]{{0,40}}{_TAG}",
    re.IGNORECASE,
)
_PLACES = {
    "sta": "start",
    "beg": "start",
    "pre": "start",
    "end": "end",
    "fin": "end",
    "suf": "end",
    "app": "end",
}
_PLACED = re.compile(r"\b(?:start|begin|prefix|end|finish|suffix|append)\w*", re.IGNORECASE)
_OWN = re.compile(
    r"\b(?:I will|we will|I am going to|I understand|understood|got it|noted|my)\b|\?", re.IGNORECASE
)
_CALL_ME = re.compile(
    r"(?:(?:please|from now on,?|you can|just|but|everyone|everybody|people|my friends|friends|they"
    r"|most people|in future,?|so|and|always|all)\s+)*(?:calls?|address) me (?:as "
    r")?(?P<name>(?:(?-i:Dr|Mr|Mrs|Ms|Prof)\.? )?(?-i:[A-Z])[\w'’-]+(?: (?-i:[A-Z])[\w'’-]+)?)\b(?! "
    r"(?:a |an |the |at |on |back|later|tomorrow|when|if|any))",
    re.IGNORECASE,
)
_SLOT = re.compile(
    r"\s+(?:with|in|as|by|to|using|like|at|under|below|within|than|without)\s+(?!(?:your|all|every"
    r"|any|each|our|function|method|class|code)\b)(?:(?:the|a|an) )?(?:prefix |suffix |string "
    r")?(?:['\"‘“`][^'\"’”`]{1,40}['\"’”`]|\S+(?: \S+){0,2}(?=$|[.,;!]))"
    r"|\s*(?P<quoted>['\"‘“`][^'\"’”`]{1,40}['\"’”`]|\b\w+_(?!\w)|(?<!\w)_\w+|\b\d[\d,.]*\b)",
    re.IGNORECASE,
)
_TRAILING = re.compile(
    r"\s*(?:[;!?]|\.(?=\s|$)|,(?! (?:and )?(?:your |the )?[\w ]{2,24} (?:names? )?(?:with|in) )"
    r"|\b(?:because|so that|since|as it|as this|it helps|this (?:will|way|helps|makes)|instead of"
    r"|rather than|from now on|in (?:the )?future|going forward|please"
    r"|moving forward|okay|ok|for me|too|as well|and not|but)\b).*$",
    re.IGNORECASE,
)
_WORDS = re.compile(r"[^\W_][\w'’-]*")
_POINTS = re.compile(r"\b(?:it|them|one|the names?|that)\b", re.IGNORECASE)
_PLAIN = frozenset(
    str.split(
        "a an the my your our all any every each of for on and or me i you it its them their this "
        "that these those when whenever time always never please "
        "only just use using used be is are was do make sure have has answer answers reply replies "
        "respond responses write writing naming name names named "
        "include including add adding keep give put provide to should must not no avoid stop new if "
        "there where so long such some more with in as by even "
        "prefix suffix string word come declaring defining creating working comes ensure ask consistently"
    )
)
_SHORTEST, _LONGEST = 2, 30


def instructed(text: str) -> list[Told]:
    """The standing instruction that a sentence gives, quotations and all.

    >>> [(each.attribute, each.value) for each in instructed("From now on, answer in bullet points.")]
    [('instruction: answer', 'answer in bullet points')]
    >>> instructed("Send me the report.")
    []
    """
    if not _CUE.search(text):
        return []
    text = plain(text)
    if naming := _named(text):
        return naming
    rest, when, lasting, wished = _prefixed(led(text)[0])
    if called := _CALL_ME.match(rest):
        name = called["name"]
        return [Told(USER, "nickname", name, Kind.PREFERENCE, single=True, tell="want to be called {value}")]
    how = _HOW.match(rest)
    what = _WHAT.match(rest, how.end()) if how else None
    if what is None or how is None:
        return []
    lasting = lasting or bool(when or _LASTING_HOW.search(how[0]) or _LASTING.search(what["what"]))
    lasting = lasting or bool(how["never"] and _HOURS.match(what["what"]))
    if not lasting and not _AFFIX.search(rest) and not (wished and _GENERIC.search(rest)):
        return []
    return _instruction(what["what"], when, never=bool(how["never"]))


def _named(text: str) -> list[Told]:
    """A convention of naming: "function names should start with 'q_'"."""
    found = [] if _OWN.search(text) else list(_NAMING.finditer(text))
    told = []
    for each in found:
        noun = each["noun"] or each["noun2"] or each["noun3"]
        topic = topic_of(f"{noun} {_placed(each[0])}")
        value = (
            each[0]
            if each["fix"] is None
            else f"when naming {noun}, {each[0][each.start('fix') - each.start() :]}"
        )
        if topic:
            told.append(
                Told(USER, f"instruction: {topic}", value, Kind.PREFERENCE, single=True, confidence=0.8)
            )
    return told


def _placed(text: str) -> str:
    """Where a convention of naming puts its letters."""
    found = _PLACED.search(text)
    return _PLACES[found[0].lower()[:3]] if found else ""


def _prefixed(text: str) -> tuple[str, str, bool, bool]:
    """The sentence behind what leads up to it; its condition; whether it is to last; whether it is a wish."""
    when, lasting, wished = "", False, False
    for _ in range(4):
        if lead := _LEAD.match(text):
            text = text[lead.end() :]
        if found := _FROM_NOW.match(text):
            lasting, text = True, text[found.end() :]
        elif found := _WHEN.match(text):
            when, text = found["when"], text[found.end() :]
        elif found := _WISH.match(text):
            wished, text = True, text[found.end() :]
        else:
            break
    return text, when, lasting, wished


def _instruction(what: str, when: str, *, never: bool) -> list[Told]:
    what = _TRAILING.sub("", what).strip(" .!,")
    what = re.sub(r"\b(?:always|consistently|ever)\s+", "", what, flags=re.IGNORECASE)
    if not _SHORTEST <= len(what.split()) <= _LONGEST:
        return []
    asked = re.sub(r"\s+when(?:ever)? .*$", "", what)
    topic = topic_of(f"{when} {asked}" if when and _POINTS.search(asked) else asked)
    value = " ".join(part for part in (f"{when}," if when else "", "never" if never else "", what) if part)
    single = bool(_SLOT.search(what)) and not never
    told = Told(USER, f"instruction: {topic}", value, Kind.PREFERENCE, single=single, confidence=0.8)
    return [told] if topic else []


def topic_of(what: str) -> str:
    """What an instruction is about, without what it asks for: the same when it is told anew otherwise.

    >>> topic_of("answer in bullet points") == topic_of("answer in short sentences")
    True
    """
    words = [word.lower() for word in _WORDS.findall(_SLOT.sub(" ", what))]
    telling = [
        word.removesuffix("s") if len(word) > 4 and not word.endswith("ss") else word
        for word in words
        if word not in _PLAIN
    ]
    return " ".join(dict.fromkeys(telling or words[:1]))[:80]
