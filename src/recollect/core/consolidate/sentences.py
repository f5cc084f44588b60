"""A text into sentences, and those into the clauses that each say one thing."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace

MOST = 80
"""So many sentences of a text are read, and so many clauses of a sentence."""

LONGEST = 320
"""A sentence of more characters is cut here."""

_ABBREVIATION = re.compile(
    r"\b(?:Mr|Mrs|Ms|Dr|Prof|St|Sr|Jr|vs|etc|e\.g|i\.e|approx|dept|est|Inc|Ltd|Co|Corp|Mt|Ave|Blvd"
    r"|Rd|no|No|Apt"
    r"|Jan|Feb|Mar|Apr|Jun|Jul|Aug|Sept|Oct|Nov|Dec|[A-Z]|a\.m|p\.m)\.\Z"
)
_END = re.compile(r"(?<![.!?…])[.!?…]+[\"'”’)\]]*(?=\s|\Z)|\n+")
_SPACES = re.compile(r"\s+")

_STARTS = (
    r"(?:i|i['’](?:m|ve|d|ll)|im|ive|we|we['’](?:re|ve|d|ll)|my|our|he|she|it|they|you|there"
    r"|he['’]s|she['’]s|it['’]s|that['’]s|they['’](?:re|ve)|the|this|please|call|make|don['’]?t|his"
    r"|her|their)\b"
)
_VERBS = (
    r"(?:work|live|love|like|hate|prefer|own|want|need|speak|have|am|enjoy|study|play|drive|moved"
    r"|bought|got|got|"
    r"adopted|started|joined|used|works|lives|loves|likes|hates|prefers|owns|wants|needs|speaks|has|is|are|"
    r"enjoys|studies|plays|drives|can['’]?t stand|don['’]t|do not|doesn['’]t|never|always|also|now|used to"
    r"|looking|budget)\b"
)
_JOINT = re.compile(
    rf"\s*(?:;|—| – | - |\.\.\.|…|\((?!\d))\s*"
    rf"|\s*,?\s+(?:but|because|cause|cuz|so|although|though|whereas|while|yet|plus|which|and then"
    rf"|since|as|or)\s+"
    rf"(?={_STARTS})"
    rf"|\s*,?\s+(?:and|so|but)\s+(?=(?:can|could|would|will|do|does|did|is there|are there|how|what"
    rf"|where|which|who|why)\b)"
    rf"|\s*,?\s+but\s+(?=(?:(?P<alone>{_VERBS}\s)|not|now|no longer|never|{_VERBS}))"
    rf"|\s*[,:]\s+(?:and\s+)?(?={_STARTS})"
    rf"|\s+and\s+(?={_STARTS})"
    rf"|\s*,?\s+and\s+(?=(?P<bare>{_VERBS}\s))"
    rf"|\s*,\s*(?=(?:(?:do|does|did|is|are|can|could|would|will|what|how|where|when|which|who|right"
    rf"|ok|okay|is|so)\b))",
    re.IGNORECASE,
)
_RELATIVE = re.compile(r"(?:which|who|whose|whom) ", re.IGNORECASE)
_ASKING = re.compile(
    r"(?:(?:and|so|but|ok(?:ay)?|well|hey|hi|also|please|sorry|then)[, ]+)*(?:"
    r"(?:do|does|did|is|are|am|was|were|can|could|would|will|shall|should|has|have|had|may|might"
    r"|isn['’]?t|aren['’]?t"
    r"|don['’]?t|doesn['’]?t|didn['’]?t|won['’]?t|can['’]?t|couldn['’]?t|wouldn['’]?t)"
    r" (?:i|we|you|he|she|it|they|there|this|that|these|those|my|our|your|the|any|anyone|anybody"
    r"|someone|\w+ (?:a|an)\b)\b"
    r"|(?:what|who|whom|whose|where|why|how|which)(?:['’]s|['’]re|['’]d)? (?!I\b(?! (?:do|should|can"
    r"|have to)\b))"
    r"|when (?:do|does|did|is|are|will|can|should|would|was|were)\b"
    r"|(?:any|anyone|anybody) )",
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence, in one line, that stood at [begin, stop) of its text; `asks`: it is a question."""

    text: str
    asks: bool = False
    begin: int = 0
    stop: int = 0


@dataclass(frozen=True, slots=True)
class Clause:
    """A part of a sentence that says one thing.

    `bare`: it has no subject of its own, and shares the one before it. `link`: the word that joins it to what
    is before it. `asks`: it is a question.
    """

    text: str
    link: str = ""
    bare: bool = False
    asks: bool = False


def sentences(text: str) -> list[Sentence]:
    """The sentences of a text in order, at most MOST, each on one line and cut at LONGEST.

    >>> [each.text for each in sentences("Dr. Lee saw me at 3.30 today. Is that ok? Yes")]
    ['Dr. Lee saw me at 3.30 today.', 'Is that ok?', 'Yes']
    """
    found: list[Sentence] = []
    begin = 0
    for end in _END.finditer(text):
        if end[0] == "." and _ABBREVIATION.search(text, max(begin, end.start() - 8), end.end()):
            continue
        _add(found, text, begin, end.end())
        begin = end.end()
        if len(found) >= MOST:
            return found
    _add(found, text, begin, len(text))
    return found


def _add(found: list[Sentence], text: str, begin: int, stop: int) -> None:
    line = _SPACES.sub(" ", text[begin : min(stop, begin + 2 * LONGEST)]).strip()[:LONGEST]
    if line and any(map(str.isalnum, line)):
        asks = "?" in line[-4:] or bool(_ASKING.match(line))
        found.append(Sentence(line, asks, begin, stop))


def clauses(sentence: Sentence) -> list[Clause]:
    """The clauses of a sentence in order.

    >>> [each.text for each in clauses(Sentence("I live in Oslo and work there, but my sister moved."))]
    ['I live in Oslo', 'work there', 'my sister moved']
    >>> [each.asks for each in clauses(Sentence("I have two dogs, do you take pets?", asks=True))]
    [False, True]
    """
    text = sentence.text.rstrip(".!?… ")
    found: list[Clause] = []
    begin, link, bare = 0, "", False
    for joint in _JOINT.finditer(text):
        found.append(_clause(text[begin : joint.start()], link, bare=bare))
        begin, bare = joint.end(), bool(joint["bare"] or joint["alone"])
        link = joint[0].strip(" ,").lower()
        if len(found) >= MOST:
            break
    found.append(_clause(text[begin:], link, bare=bare))
    found = [each for each in found if each.text]
    if not sentence.asks:
        found = [replace(each, asks=each.asks and not _RELATIVE.match(each.text)) for each in found]
    if sentence.asks and found and not any(each.asks for each in found):
        found = [Clause(each.text, each.link, bare=each.bare, asks=True) for each in found]
    return found


def _clause(text: str, link: str, *, bare: bool) -> Clause:
    text = text.strip(" ,;:()")
    return Clause(text, link, bare=bare, asks=bool(_ASKING.match(text)))
