"""People, places, organisations, products, events, pets and other things that a text speaks of by name.

What stands in a pattern ("our dog Luna", "works at Acme", "the Lisbon Marathon") is a name by rule; the rest
is left to the labeller (core/text/labelling.py), where it is sure enough. Written for chats: English, small
letters and slips of the keyboard included; precision before recall, for junk in a graph is worse than a gap.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from recollect.core.text.labelling import GAZETTEERS, Labeller, Token, listed, load, tokens
from recollect.core.text.languages import STOP_WORDS
from recollect.core.text.names import ORDINARY_WORDS

LONGEST_READ = 20_000
"""So many characters of a text are looked through."""

SURE = 0.65
"""The labeller's names count from this likelihood on.

It is the lowest, in twentieths, from which four of five names were right to the kind over five folds of
wnut17's training split (training/fit_entities.py --crossvalidate)."""

KIND = {
    "person": "person",
    "location": "place",
    "corporation": "organisation",
    "group": "organisation",
    "product": "product",
    "creative-work": "thing",
}
"""What the labeller's kinds are called here."""

_PART = r"(?-i:[A-ZÀ-ÖØ-Þ][^\W_]{0,30}(?:['’-][^\W\d_]{2,30}){0,3})"
_NAME = rf"(?P<name>{_PART}(?: {_PART}){{0,2}})"
_LINKED = rf"(?P<name>{_PART}(?: (?:& |of |and |the )?{_PART}){{0,3}})"
_ONE = rf"(?P<name>{_PART}|[^\W\d_]{{2,20}})"


def _either(words: Iterable[str]) -> str:
    """A pattern for any of the words, the longest first; "_" stands for a space."""
    return "|".join(re.escape(word.replace("_", " ")) for word in sorted(words, key=lambda w: (-len(w), w)))


_ANIMAL = f"(?:{_either(GAZETTEERS['animals'])})"
_RELATIVE = f"(?:{_either(GAZETTEERS['relatives'])})"
_BETWEEN = r"(?: (?!and\b|or\b)[\w-]{2,12}){0,2}?"
_WHOSE = rf"\b(?:my|our|his|her|their|your|a|an|the){_BETWEEN}"
_OWN = rf"\b(?:my|our|his|her|their|your){_BETWEEN}"
_OWNED = r"(?:my|our|his|her|their) (?:[\w-]{2,12} ){0,2}"
_CALLED = r"(?:,? (?:who is |that is |is |was |we )?(?:named|called)|['’]s name (?:is|was)) "
_LEGAL = _either(
    str.split(
        "Inc LLC Ltd Corp Corporation GmbH PLC Co Company Holdings Technologies Industries Partners Group"
        " Logistics Systems Labs Solutions Consulting Studios"
    )
)
_BODIES = _either(
    str.split(
        "University College School Academy Institute Hospital Clinic Bank Church Foundation Association"
        " Society Agency Ministry Insurance Airlines Airways Motors Realty Properties Apartments"
        " Credit_Union FC"
    )
)
_SPOTS = _either(
    str.split(
        "Street Avenue Boulevard Road Park Beach Lake River Island Islands Mountain Mountains Valley Bay"
        " Bridge Square Hotel Inn Resort Airport Station Canyon Falls Forest County Museum Garden Gardens Zoo"
        " Library Stadium Castle Palace"
    )
)
_GATHERINGS = _either(
    str.split(
        "Festival Marathon Half_Marathon Conference Summit Championship Championships Olympics Expo Awards"
        " Parade Grand_Prix World_Cup Carnival Biennale Hackathon Regatta Tournament Gala"
    )
)
_ARTICLES = r"(?!(?:The|A|An|My|Our|Your|This|That|At|In|On)\b)"


def _ending(last: str) -> str:
    return rf"\b{_ARTICLES}(?P<name>(?:{_PART} (?:of |& )?){{1,3}}(?-i:{last}))\b"


_RULES: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (kind, re.compile(pattern, re.IGNORECASE))
    for kind, pattern in (
        ("pet", rf"{_WHOSE} {_ANIMAL}{_CALLED}{_ONE}"),
        ("pet", rf"{_OWN} {_ANIMAL},? {_NAME}"),
        ("pet", rf"\b{_NAME}, {_OWNED}{_ANIMAL}\b"),
        ("person", rf"{_WHOSE} {_RELATIVE}{_CALLED}{_ONE}"),
        ("person", rf"{_OWN} {_RELATIVE},? {_NAME}"),
        ("person", rf"\b{_NAME}, {_OWNED}{_RELATIVE}\b"),
        ("person", rf"\b(?:Dr|Mr|Mrs|Ms|Miss|Prof|Professor|Aunt|Uncle|Auntie)\b\.? {_NAME}"),
        ("person", rf"\b(?:my name is|my name['’]s|call me|i am called|name:) {_NAME}"),
        (
            "thing",
            rf"\bfavou?rite (?:film|movie|book|novel|show|series|song|album|game) (?:is|was) {_LINKED}",
        ),
        ("thing", rf"\b(?:finish|start|keep|been)\w* (?:re)?(?:reading|watching|playing) {_LINKED}(?!['’])"),
        ("thing", rf"\b(?:film|movie|book|novel|tv show|song|album)(?: called)? {_LINKED}(?!['’])"),
        ("organisation", rf"\bwork(?:s|ed|ing)? (?:at|for) {_LINKED}"),
        ("organisation", rf"\b(?:job|position|role|internship|interview) (?:at|with) {_LINKED}"),
        ("organisation", rf"\b(?P<name>(?:{_PART},? (?:& )?){{1,3}}(?-i:{_LEGAL})\b\.?)"),
        ("place", rf"\b(?:liv(?:e|es|ed|ing)|mov(?:e|ed|ing)|relocated|born|grew up) (?:in|to|near) {_NAME}"),
    )
)
_ENDINGS: tuple[tuple[str, re.Pattern[str]], ...] = tuple(
    (kind, re.compile(_ending(last)))
    for kind, last in (("organisation", _BODIES), ("event", _GATHERINGS), ("place", _SPOTS))
)
_SMALL = re.compile(
    rf"\b(?:[Mm]y|[Oo]ur|[Hh]is|[Hh]er|[Tt]heir) (?:[\w-]{{2,12}} )?{_RELATIVE}(?:,| is)?"
    r" (?P<person>[a-z]{3,12})\b"
    r"|\b(?:[Mm]y name is|[Mm]y name['’]s|[Cc]all me) (?P<self>[a-z]{2,15}(?: [a-z]{2,15})?)\b"
    r"|\b(?:in|to|from|near|around|outside) (?P<place>[a-z]{3,15}(?: [a-z]{3,12}){0,2})"
)
_MODEL = re.compile(r"(?: (?:\d{1,4}|Pro|Max|Plus|Mini|Ultra|Air|SE|XR?)\b)+")
_LISTED_KINDS = {
    entry: kind
    for kind, name in (
        ("event", "events"),
        ("thing", "works"),
        ("product", "products"),
        ("organisation", "teams"),
        ("organisation", "companies"),
        ("place", "regions"),
        ("place", "cities"),
    )
    for entry in GAZETTEERS[name]
}
_CERTAIN = frozenset(
    entry for name in ("events", "cities", "regions") for entry in GAZETTEERS[name] if " " in entry
) | frozenset(entry for entry in GAZETTEERS["works"] if entry.count(" ") > 1)
"""Names even in small letters."""

_AMBIGUOUS = frozenset(
    str.split(
        "bath chad cork essen georgia granada jordan male mobile nice phoenix pisa queens reading reno split"
        " surat toledo troy victoria"
    )
)
"""Places that are as often something else."""

_NO_NAMES = (
    STOP_WORDS
    | GAZETTEERS["calendar"]
    | GAZETTEERS["demonyms"]
    | GAZETTEERS["relatives"]
    | GAZETTEERS["animals"]
    | GAZETTEERS["holidays"]
    | frozenset(
        str.split(
            """
    ac admin agent ai aka am anybody anyone api app asap assistant atm bbq bc bot brb btw ceo cfo
    congrats covid css cto customer cv dad diy dm dr dvd eta everyone faq fyi gentleman gif god gps guys
    ha haha hahaha hello hey hi hr html http https id idk imo internet irl it json kinda lady lmao lol
    madam manager miss mom monsieur mr mrs ms mum no nobody ok okay omg pc pdf phd pin pm prof ps rip
    rofl sim sir smh sms someone speaker sql ssn support system tbh team thanks thx tv url usb user vip
    wifi wow wtf yeah yep yes yo
            """
        )
    )
)
_TELLING = frozenset({"said"})
"""Verbs that are first names too, and so often follow "my friend" that they are none."""

_WHERE = frozenset({"in", "to", "from", "near", "at", "around", "outside", "of", "through", "via"})
_SMALL_END = re.compile(r" (?:and|but|from|with|at|in|on|i|is|so|or|to|the|here|please|my|by|im|for|it)\b.*")


@dataclass(frozen=True, slots=True)
class Entity:
    """A name as it stands in text[start:end].

    `kind`: person, place, organisation, product, event, pet or thing (a book, film, song, game).
    """

    name: str
    kind: str
    start: int
    end: int


def find_entities(text: str, sure: float = SURE) -> list[Entity]:
    """The names in a text, in order; none overlap.

    `sure`: how likely a name must be that no rule finds; with less, more is found and more of it is none.
    The same text always gives the same names. Only LONGEST_READ characters are read, in time that grows with
    their number.

    >>> [(entity.name, entity.kind) for entity in find_entities("My sister Maria works at Acme")]
    [('Maria', 'person'), ('Acme', 'organisation')]
    """
    text = text[:LONGEST_READ]
    read = tokens(text)
    found = [
        entity
        for entity in (*_by_rule(text), *_listed(text, read), *_by_weight(text, read, sure))
        if _is_name(entity)
    ]
    taken, kept = bytearray(len(text)), []
    for entity in _widened(found):
        if not any(taken[entity.start : entity.end]):
            taken[entity.start : entity.end] = b"x" * (entity.end - entity.start)
            kept.append(entity)
    return sorted(kept, key=lambda entity: entity.start)


def _widened(found: Sequence[Entity]) -> Iterator[Entity]:
    """For each entity, in their order, one of its kind that it lies in, or itself."""
    widest: dict[str, Entity] = {}
    around: dict[Entity, Entity] = {}
    for entity in sorted(found, key=lambda entity: (entity.start, -entity.end)):
        if entity.kind not in widest or widest[entity.kind].end < entity.end:
            widest[entity.kind] = entity
        around[entity] = widest[entity.kind]
    return (around[entity] for entity in found)


def _by_rule(text: str) -> Iterator[Entity]:
    title = _is_title(text)
    for kind, pattern in _RULES:
        for match in pattern.finditer(text):
            if not (title and LABELLER.is_seldom_capital(match["name"].split(" ")[0])):
                yield _entity(text, kind, *match.span("name"))
    for kind, pattern in _ENDINGS:
        for match in pattern.finditer(text):
            if not all(map(LABELLER.is_seldom_capital, match["name"].split(" ")[:-1])):
                yield _entity(text, kind, *match.span("name"))
    for match in _SMALL.finditer(text):
        yield from _in_small_letters(text, match)


def _is_title(text: str) -> bool:
    """Whether the text is capitalised throughout, so that a capital says nothing."""
    words = [word for word in text.split() if len(word) > 2 and word[0].isalpha()]
    return len(words) > 2 and 2 * sum(word[0].isupper() for word in words) > len(words)


def _in_small_letters(text: str, match: re.Match[str]) -> Iterator[Entity]:
    """A name that somebody did not care to capitalise: a known one, or what they say they are called."""
    group = match.lastgroup or ""
    said, start = match[group], match.start(group)
    if group == "self":
        said = _SMALL_END.sub("", said)
        if said.split(" ")[0] not in _NO_NAMES:
            yield _entity(text, "person", start, start + len(said))
    elif group == "person":
        if said in GAZETTEERS["first_names"] and said not in ORDINARY_WORDS | _TELLING:
            yield _entity(text, "person", start, start + len(said))
    else:
        words = said.split(" ")
        for count in range(len(words), 0, -1):
            known = " ".join(words[:count])
            if known in GAZETTEERS["cities"] | GAZETTEERS["regions"] and known not in _AMBIGUOUS:
                yield _entity(text, "place", start, start + len(known))
                return


def _listed(text: str, read: Sequence[Token]) -> Iterator[Entity]:
    """Names that are known, and capitalised within a sentence."""
    lowered = [token.word.lower() for token in read]
    for begin, end in listed(lowered):
        if not begin or read[begin - 1].word in {".", "!", "?", ":"}:
            continue
        known, names = " ".join(lowered[begin:end]), read[begin:end]
        capitals = known in _CERTAIN or all(t.word[0].isupper() or t.word in STOP_WORDS for t in names)
        if known in _LISTED_KINDS and capitals and known not in ORDINARY_WORDS | _AMBIGUOUS:
            yield _entity(text, _LISTED_KINDS[known], names[0].start, names[-1].end)


def _by_weight(text: str, read: Sequence[Token], sure: float) -> Iterator[Entity]:
    for span in LABELLER.spans([token.word for token in read]):
        if span.likelihood >= sure:
            kind, end = KIND[span.kind], read[span.end - 1].end
            if kind == "place" and _is_called(read, span.begin, span.end):
                kind = "person"
            model = _MODEL.match(text, end) if kind == "product" else None
            yield _entity(text, kind, read[span.begin].start, model.end() if model else end)


def _is_called(read: Sequence[Token], begin: int, end: int) -> bool:
    """Whether it is a first name that a place has too, and nothing speaks for the place."""
    before = read[begin - 1].word.lower() if begin else ""
    return end - begin == 1 and read[begin].word.lower() in GAZETTEERS["first_names"] and before not in _WHERE


def _entity(text: str, kind: str, start: int, end: int) -> Entity:
    for possessive in ("'s", "’s"):
        if text[start:end].endswith(possessive):
            end -= 2
    return Entity(text[start:end], kind, start, end)


def _is_name(entity: Entity) -> bool:
    """Whether it is worth keeping: no ordinary word, handle, number or sign."""
    words = entity.name.lower().split()
    if len(words) > 1 and words[-1] in STOP_WORDS:
        return False
    small = entity.name == entity.name.lower()
    if small and words[0] in STOP_WORDS and entity.name not in _CERTAIN:
        return False
    if not any(c.isalpha() for c in entity.name) or entity.name[0] in "@#" or "://" in entity.name:
        return False
    return len(entity.name) > 1 and not all(word.strip(".,'’") in _NO_NAMES for word in words)


LABELLER: Labeller = load()
"""What ships with the package."""
