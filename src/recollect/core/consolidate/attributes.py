"""The closed attributes that the rules read, from attributes.toml, with their patterns compiled."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import count
from typing import Any

from recollect.core.model import Kind

FILE = files("recollect.core.consolidate").joinpath("attributes.toml")

NUM = r"(?:\d{1,4}|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve)"
_CLASSES = {
    "SIBLING": "sibling",
    "CHILD": "child",
    "ANIMAL": "animal",
    "LANGUAGE": "language",
    "NATIONALITY": "nationality",
}
_CLASS = re.compile(rf"\b(?:V|NUM|CITY|{'|'.join(_CLASSES)})\b")
_READ: dict[str, Any] = tomllib.loads(FILE.read_text("utf-8"))
VALUES: dict[str, str] = _READ["values"]


@dataclass(frozen=True, slots=True)
class Attribute:
    """Something that can be known of somebody.

    `tell`: the claim as a verb phrase in its base form with {value}; "" if it is told as "Attribute: value."
    `change`: verbs whose past tense tells how it is now. `lasting`: once
    so, always so. `entity`: the kind of thing that its value names.
    """

    name: str
    kind: Kind
    single: bool
    tell: str
    value: re.Pattern[str]
    change: frozenset[str]
    lasting: bool
    negates: bool
    entity: str


@dataclass(frozen=True, slots=True)
class Rule:
    """A pattern that reads an attribute's value in what follows a verb, stands alone, or is asked for."""

    attribute: Attribute
    pattern: re.Pattern[str]

    def read(self, text: str) -> str:
        """The value that a text begins with; "" if it does not."""
        found = self.pattern.match(text)
        told = found.groupdict() if found else {}
        return next((value for group, value in told.items() if value and group != "ignored"), "")


def words(group: str) -> frozenset[str]:
    return frozenset(_READ["people"][group].split("|"))


KIN = _READ["people"]["kin"]
PEOPLE = _READ["people"]["others"]
PETS = _READ["people"]["pets"]
SHE, HE = words("she"), words("he")
VERBS = frozenset(verb for each in _READ["attribute"] for verb in each.get("verbs", ()))


def _compiled(pattern: str, value: str) -> re.Pattern[str]:
    """The pattern with its classes put in."""
    numbers = count()

    def filled(found: re.Match[str]) -> str:
        match found[0]:
            case "V":
                return f"(?P<value{next(numbers)}>{VALUES[value]})"
            case "NUM":
                return NUM
            case "CITY":
                return r"(?-i:[A-Z]\w+(?: [A-Z]\w+)?)"
        return f"(?:{VALUES[_CLASSES[found[0]]]})"

    return re.compile(_CLASS.sub(filled, pattern), re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Attributes:
    """All rules: by the verb that they follow, by noun, by question, and those that stand alone."""

    verbs: dict[str, tuple[Rule, ...]]
    nouns: tuple[Rule, ...]
    asked: tuple[Rule, ...]
    free: tuple[Rule, ...]
    names: tuple[str, ...]

    def noun(self, phrase: str) -> Attribute | None:
        """The attribute that "my <phrase>" names."""
        return next((rule.attribute for rule in self.nouns if rule.pattern.fullmatch(phrase)), None)

    def question(self, text: str) -> Attribute | None:
        """The attribute that a question asks for."""
        return next((rule.attribute for rule in self.asked if rule.pattern.search(text)), None)


@cache
def attributes() -> Attributes:
    """The attributes as they are read from their file, once."""
    verbs: dict[str, list[Rule]] = {}
    nouns, asked, free = [], [], []
    for each in _READ["attribute"]:
        value = each.get("value", "any")
        attribute = _attribute(each)
        for verb, pattern in each.get("verbs", {}).items():
            verbs.setdefault(verb, []).append(Rule(attribute, _compiled(pattern, value)))
        nouns += [Rule(attribute, re.compile(noun, re.IGNORECASE)) for noun in each.get("nouns", ())]
        asked += [Rule(attribute, re.compile(question, re.IGNORECASE)) for question in each.get("asked", ())]
        if "free" in each:
            free.append(Rule(attribute, _compiled(each["free"], value)))
    names = dict.fromkeys(each["name"] for each in _READ["attribute"])
    rules = {verb: tuple(found) for verb, found in verbs.items()}
    return Attributes(rules, tuple(nouns), tuple(asked), tuple(free), tuple(names))


def _attribute(each: dict[str, Any]) -> Attribute:
    return Attribute(
        name=each["name"],
        kind=Kind(each.get("kind", "fact")),
        single=each["single"],
        tell=each.get("tell", ""),
        value=re.compile(VALUES[each.get("value", "any")], re.IGNORECASE),
        change=frozenset(each.get("change", ())),
        lasting=each.get("lasting", False),
        negates=each.get("negates", False),
        entity=each.get("entity", ""),
    )
