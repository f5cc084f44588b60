"""Who lives with somebody, told by the way: "our daughter Inés, who is seven", "Biscuit, our ginger cat"."""

from __future__ import annotations

import re
from dataclasses import replace

from recollect.core.consolidate.english import NO_NAMES
from recollect.core.consolidate.telling import Told
from recollect.core.consolidate.words import KIN, NUM, PETS, VALUES
from recollect.core.model import USER

_NAME = rf"(?!(?-i:(?:{NO_NAMES})\b))(?-i:[A-ZÀ-Ý][a-zà-ÿ]{{1,20}}(?:-[A-Z][a-z]{{1,20}})?)(?!['’\w])"
_ANIMAL = VALUES["animal"]
_KIND = rf"(?:[\w-]{{2,20}} ){{0,3}}?(?P<animal>{_ANIMAL})\b"
_CLOSED = r"(?=$|[,.;!)]| and\b| who\b)"
_FREE = r"(?<!\bin )(?<!\bto )(?<!\bat )(?<!\bof )(?<!\bfrom )(?<!\bnear )(?<!\blove )(?<!\blike )"
_KIN = re.compile(
    rf"\b(?:my|our) (?P<kin>{KIN}"
    rf"|{PETS})(?P<comma>,)? (?P<name>{_NAME})(?(comma){_CLOSED})(?:,? (?:who (?:is|has just turned"
    rf"|just turned)"
    rf"|aged?|is)(?: now)? (?P<age>{VALUES['years']}|{NUM})(?! ?[a-z%]*-| (?:feet|foot|metres?|of|in"
    rf"|months|weeks)))?",
    re.IGNORECASE,
)
_PERSON = re.compile(rf"{_FREE}(?P<name>{_NAME}), (?:my|our) (?P<kin>{KIN}){_CLOSED}", re.IGNORECASE)
_PET = re.compile(rf"{_FREE}(?P<name>{_NAME}), (?:my|our) (?P<kind>{_KIND}){_CLOSED}", re.IGNORECASE)
_HAVING = re.compile(
    rf"\b(?:i|we) (?:\w+ ){{0,2}}?(?:have|got|own|adopted|rescued)\b.{{0,60}}?\ban? (?P<kind>{_KIND}) "
    rf"(?:called|named) (?P<name>{_NAME})",
    re.IGNORECASE,
)
_ONE = re.compile(rf"(?:\A|\b(?:only|just|and) )(?P<name>{_NAME}),? (?P<kind>an? {_KIND})", re.IGNORECASE)
_SOME = re.compile(
    rf"(?P<kind>(?:an?|{NUM}) {_KIND}),? (?:called |named )?(?P<names>{_NAME}(?:(?:,| and|, and"
    rf"|,? &) {_NAME}){{0,4}})",
    re.IGNORECASE,
)
_OURS = re.compile(rf"\b(?:my|our) {_SOME.pattern}", re.IGNORECASE)
_US = re.compile(
    rf"\A(?:there (?:are|is) |we are |it is )?(?:only |just )?(?:the )?(?P<count>{NUM}) of us(?=$|[:,.]"
    rf"| at home| plus"
    rf"| in the (?:house|flat|family)| living)",
    re.IGNORECASE,
)
_GONE = re.compile(
    r",? (?:(?:has|had|just|sadly|recently|suddenly) )*(?:passed away|died|was put down"
    r"|is no longer with us)\b",
    re.IGNORECASE,
)
_AND = re.compile(r",? (?:and|&) |, ")


def household(text: str) -> list[Told]:
    """How many they are, their family's names and ages, and their pets', wherever a sentence tells them.

    >>> [(each.subject, each.attribute, each.value) for each in household("our son Leo, who is six")]
    [('user', 'son', 'Leo'), ('son', 'age', 'six')]
    """
    found = []
    if us := _US.match(text):
        found.append(Told(USER, "household size", us["count"], single=True, clause=us[0]))
    for each in (*_KIN.finditer(text), *_PERSON.finditer(text)):
        kin = each["kin"].lower()
        named = _named(kin, each["name"], each[0], "pet" if re.fullmatch(PETS, kin) else "person")
        found.append(replace(named, over=bool(_GONE.match(text, each.end()))))
        if age := each.groupdict().get("age"):
            found.append(Told(kin, "age", age, single=True, tell="be {value} years old", clause=each[0]))
    for each in _OURS.finditer(text):
        found += _pet(each["kind"], each["animal"], _AND.split(each["names"]), each[0])
    for each in (*_PET.finditer(text), *_HAVING.finditer(text)):
        found += _pet(each["kind"], each["animal"], [each["name"]], each[0])
    return found


def pets(answer: str) -> list[Told]:
    """The pets that an answer to a question for pets names, and what they are.

    >>> [(each.attribute, each.value) for each in pets("two cats, Milo and Otis")]
    [('cat', 'Milo'), ('cat', 'Otis'), ('pet', 'two cats')]
    """
    found: list[Told] = []
    for each in _SOME.finditer(answer):
        found += _pet(each["kind"], each["animal"], _AND.split(each["names"]), each[0])
    for each in [] if found else _ONE.finditer(answer):
        found += _pet(each["kind"], each["animal"], [each["name"]], each[0])
    return found


def is_animal(value: str) -> bool:
    """Whether a value names a kind of pet."""
    return re.search(rf"\b{_ANIMAL}\b", value, re.IGNORECASE) is not None


def _pet(kind: str, animal: str, names: list[str], clause: str) -> list[Told]:
    one = animal.lower() if len(names) == 1 else animal.lower().removesuffix("s")
    named = [_named(one, name, clause, "pet") for name in names]
    return [*named, Told(USER, "pet", kind, tell="have {a}", clause=clause)]


def _named(attribute: str, name: str, clause: str, entity: str) -> Told:
    return Told(USER, attribute, name, confidence=0.85, clause=clause, entity=entity)
