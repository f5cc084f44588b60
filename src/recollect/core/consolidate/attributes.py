"""What conversations are read by: the closed attributes of attributes.toml, and those that packs bring.

A pack's document has the tables of attributes.toml: `values` (a class's name and its pattern, which rules may
name in capitals: STYLE), `attribute`, and beside these

- `mention`: `kind`, `pattern`, with a group `value`, and `name`, the entity's with {value}: what is named so
  in a turn of a `role` (["user"] if not said);
- `entity`: `kind`, `about`, and `person` where it is what the person remembered is called there;
- `instructions`: what a language model is told beside ours.

Three things are a pack's alone. Its `free` rules are read in every clause, whatever else that tells: a
preference where somebody says what they like, anything else wherever it stands. And `asking` attributes are
read in wishes and questions too: whoever asks for it has told the taste. And one attribute `ends` another:
told that it was put right, what was told to be wrong before is over.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cache
from itertools import chain, count
from string import Formatter
from typing import Any, TypeAlias, TypeVar

from recollect.core.consolidate.english import FORMS
from recollect.core.consolidate.words import HOUSE, KINDS, NUM, VALUES
from recollect.core.errors import Misconfigured
from recollect.core.model import Kind
from recollect.core.tables import build

_CLASSES = ("sibling", "child", "animal", "language", "nationality")
"""Classes that the house's own rules name in capitals."""

_RESERVED = frozenset({"v", "num", "city"})
_CLASS_NAME = re.compile(r"[a-z][a-z_]{1,40}")
_DENIED = re.compile(r"\b(?:no|not|never|nothing|without|neither|but)\b", re.IGNORECASE)
_TOLD = (Kind.FACT, Kind.PREFERENCE, Kind.EVENT)
_TABLES = {"attribute": "name", "mention": "name", "entity": "kind"}

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Attribute:
    """Something that can be known of somebody.

    `tell`: the claim as a verb phrase in its base form with {value}; "" if it is told as "Attribute: value."
    `change`: verbs whose past tense tells how it is now. `lasting`: once
    so, always so. `entity`: the kind of thing that its value names. `asking`: asking for it tells it.
    `closed`: a pack's, so that no words count as its value but those of its class. `ends`: the attribute of
    which whatever was told before is over when this is told; "" if it ends none.
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
    asking: bool = False
    closed: bool = False
    ends: str = ""

    def within(self, text: str) -> str:
        """What of an answer may be the value: all of it, or, if the class is closed, from its first word on.

        "" where a closed class has none there, or it is denied.
        """
        if not self.closed:
            return text
        found = list(self.value.finditer(text))
        if not found or _DENIED.search(text, 0, found[0].start()):
            return ""
        return text[found[0].start() : found[0 if self.single else -1].end()]


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

    def find(self, text: str) -> Iterator[tuple[int, int, str]]:
        """The values anywhere in a text, after where the pattern and where they begin."""
        for found in self.pattern.finditer(text):
            for group, value in found.groupdict().items():
                if value and group != "ignored":
                    yield found.start(), found.start(group), value
                    break


@dataclass(frozen=True, slots=True)
class MentionRule:
    """Words that name an entity in turns of these roles; `name`: what it is called, with {value}."""

    kind: str
    pattern: re.Pattern[str]
    name: str
    roles: frozenset[str]


@dataclass(frozen=True, slots=True, eq=False)
class Vocabulary:
    """All rules: by the verb that they follow, by noun, by question, and those that stand alone.

    `anywhere`: packs' free rules. `closed`: the attributes by their names. Of what packs add, `entities`: the
    kinds of entities that attributes' values name; `kinds`: those beyond the house's own; `instructions`: for
    a language model.
    """

    verbs: Mapping[str, tuple[Rule, ...]]
    nouns: tuple[Rule, ...]
    asked: tuple[Rule, ...]
    free: tuple[Rule, ...]
    anywhere: tuple[Rule, ...]
    closed: Mapping[str, Attribute]
    entities: Mapping[str, str]
    mentions: tuple[MentionRule, ...]
    kinds: tuple[str, ...]
    instructions: str

    def noun(self, phrase: str) -> Attribute | None:
        """The attribute that "my <phrase>" names."""
        return next((rule.attribute for rule in self.nouns if rule.pattern.fullmatch(phrase)), None)

    def question(self, text: str) -> Attribute | None:
        """The attribute that a question asks for."""
        return next((rule.attribute for rule in self.asked if rule.pattern.search(text)), None)


@dataclass(frozen=True, slots=True)
class _Written:
    """An attribute as it is written, without its rules' patterns compiled."""

    name: str
    single: bool
    kind: str = "fact"
    value: str = "any"
    tell: str = ""
    verbs: Mapping[str, str] = field(default_factory=dict)
    nouns: tuple[str, ...] = ()
    asked: tuple[str, ...] = ()
    free: str = ""
    change: tuple[str, ...] = ()
    lasting: bool = False
    negates: bool = False
    entity: str = ""
    asking: bool = False
    ends: str = ""


@dataclass(frozen=True, slots=True)
class _WrittenMention:
    """A rule of a mention as it is written."""

    kind: str
    pattern: str
    name: str
    role: tuple[str, ...] = ("user",)


@dataclass(frozen=True, slots=True)
class _WrittenKind:
    """A kind of entity as it is written."""

    kind: str
    about: str
    person: bool = False


@dataclass(frozen=True, slots=True)
class _Document:
    """The house's own rules, or a pack's, as they are written."""

    values: Mapping[str, str] = field(default_factory=dict)
    attribute: tuple[_Written, ...] = ()
    mention: tuple[_WrittenMention, ...] = ()
    entity: tuple[_WrittenKind, ...] = ()
    instructions: str = ""


@dataclass(slots=True)
class _Rules:
    """The rules of attributes in the making, in their order."""

    verbs: dict[str, list[Rule]] = field(default_factory=dict)
    nouns: list[Rule] = field(default_factory=list)
    asked: list[Rule] = field(default_factory=list)
    free: list[Rule] = field(default_factory=list)
    anywhere: list[Rule] = field(default_factory=list)
    attributes: list[Attribute] = field(default_factory=list)

    def add(self, written: _Written, classes: _Classes, free: list[Rule]) -> None:
        """The rules of an attribute; `free`: where one goes that stands alone."""
        attribute = _attribute(written, classes)
        self.attributes.append(attribute)
        for verb, pattern in written.verbs.items():
            self.verbs.setdefault(verb, []).append(Rule(attribute, classes.reading(pattern, written.value)))
        self.nouns += [Rule(attribute, _pattern(noun)) for noun in written.nouns]
        self.asked += [Rule(attribute, _pattern(question)) for question in written.asked]
        if written.free:
            free.append(Rule(attribute, classes.reading(written.free, written.value)))

    def closed(self) -> dict[str, Attribute]:
        rules = chain(self.nouns, self.asked, self.free, self.anywhere, *self.verbs.values())
        read = {rule.attribute.name: rule.attribute for rule in rules}
        return read | {one.name: one for one in self.attributes if one.name not in read}


@dataclass(frozen=True, slots=True)
class _Classes:
    """Classes of values by their names, and which of them a pattern may name in capitals.

    `closed`: they are a pack's.
    """

    values: Mapping[str, str]
    named: Sequence[str]
    closed: bool = False

    def reading(self, pattern: str, value: str) -> re.Pattern[str]:
        """A pattern that reads a value, with its classes put in."""
        numbers = count()

        def filled(found: re.Match[str]) -> str:
            match found[0]:
                case "V":
                    return f"(?P<value{next(numbers)}>{self.values[value]})"
                case "NUM":
                    return NUM
                case "CITY":
                    return r"(?-i:[A-Z]\w+(?: [A-Z]\w+)?)"
            return f"(?:{self.values[found[0].lower()]})"

        tokens = "|".join(("V", "NUM", "CITY", *map(str.upper, self.named)))
        read = _pattern(re.sub(rf"(?:(?<!\w)|(?<=\\b))(?:{tokens})\b", filled, pattern))
        if not read.groupindex.keys() - {"ignored"}:
            raise ValueError(f"{pattern!r} reads no value: it has neither V nor a named group")
        return read


def read_vocabulary(*documents: Mapping[str, Any]) -> Vocabulary:
    """The house's rules, and before them those of packs, in the order of these.

    A pack's attribute replaces the house's of that name. What it names of other packs is not known to it.

    Raises:
        Misconfigured: a document is not as it must be; the message names the place, and what is wrong.
    """
    packs = [_read(document) for document in documents]
    house = build(_Document, {key: HOUSE[key] for key in ("values", "attribute")}, "attributes.toml")
    replaced = {one.name for pack in packs for one in pack.attribute}
    rules = _Rules()
    for pack in packs:
        _add(rules, pack)
    for one in house.attribute:
        if one.name not in replaced:
            rules.add(one, _Classes(VALUES, _CLASSES), rules.free)
    return Vocabulary(
        verbs={verb: tuple(found) for verb, found in rules.verbs.items()},
        nouns=tuple(rules.nouns),
        asked=tuple(rules.asked),
        free=tuple(rules.free),
        anywhere=tuple(rules.anywhere),
        closed=rules.closed(),
        entities={one.name: one.entity for pack in packs for one in pack.attribute if one.entity},
        mentions=tuple(
            MentionRule(one.kind, _pattern(one.pattern), one.name, frozenset(one.role))
            for pack in packs
            for one in pack.mention
        ),
        kinds=tuple(dict.fromkeys(chain.from_iterable(map(_kinds, packs)))),
        instructions="\n\n".join(filter(None, map(_instructions, packs))),
    )


@cache
def english() -> Vocabulary:
    """The house's rules alone, read once."""
    return read_vocabulary()


def _read(document: Mapping[str, Any]) -> _Document:
    """A pack's document, checked, but for the patterns of its attributes."""
    rest = build(_Document, {**document, **{key: [] for key in _TABLES}}, "rules")
    read = replace(
        rest,
        attribute=_tables(_Written, document, "attribute"),
        mention=_tables(_WrittenMention, document, "mention"),
        entity=_tables(_WrittenKind, document, "entity"),
    )
    for name, pattern in read.values.items():
        with _place(f"values, {name}"):
            _check_class(name, pattern)
    for one in read.mention:
        with _place(f"mention {one.name!r}"):
            _check_mention(one, read)
    return read


def _tables(shape: type[T], document: Mapping[str, Any], key: str) -> tuple[T, ...]:
    """The tables of a key, each called by its name or its kind in what is wrong with it."""
    tables = document.get(key, [])
    if not isinstance(tables, list) or not all(isinstance(one, Mapping) for one in tables):
        raise Misconfigured(f"{key}: it is not a list of tables.", hint=f"Write [[{key}]] above each.")
    called = _TABLES[key]
    return tuple(
        build(shape, one, f"{key} {one.get(called, place)!r}") for place, one in enumerate(tables, 1)
    )


@contextmanager
def _place(where: str) -> Iterator[None]:
    """Makes what is wrong within it a fault of this place.

    Raises:
        Misconfigured: what is wrong, and where.
    """
    try:
        yield
    except (ValueError, re.error) as error:
        raise Misconfigured(f"{where}: {error}.", hint="Correct it in the pack's rules.") from error


def _check_class(name: str, pattern: str) -> None:
    if name in _RESERVED or not _CLASS_NAME.fullmatch(name):
        raise ValueError("a class cannot be called so")
    if _pattern(pattern).groupindex:
        raise ValueError("a class has no named groups")


def _check_mention(one: _WrittenMention, pack: _Document) -> None:
    if "value" not in _pattern(one.pattern).groupindex:
        raise ValueError(f"its pattern {one.pattern!r} has no group named value")
    if "{value}" not in one.name:
        raise ValueError("its name has no {value}")
    _check_kind(one.kind, pack)


def _check_kind(kind: str, pack: _Document) -> None:
    known = (*KINDS, *(each.kind for each in pack.entity if not each.person))
    if kind not in known:
        raise ValueError(f"{kind!r} is no kind of entity here: there are {', '.join(dict.fromkeys(known))}")


def _check(one: _Written, pack: _Document, classes: _Classes) -> None:
    """Raise ValueError if an attribute of a pack is not as one can be."""
    if not one.name or one.name != " ".join(one.name.lower().split()):
        raise ValueError("its name is not in small letters, with single spaces")
    if one.kind not in _TOLD:
        raise ValueError(f"its kind is none of {', '.join(_TOLD)}")
    if one.value not in classes.values:
        raise ValueError(f"its value {one.value!r} is no class of values")
    _check_tell(one.tell)
    for verb in (*one.verbs, *one.change):
        if FORMS.get(verb) != verb:
            raise ValueError(f"{verb!r} is no verb that is known, in its base form")
    if one.entity:
        _check_kind(one.entity, pack)
    if one.ends and one.ends not in {each.name for each in pack.attribute} - {one.name}:
        raise ValueError(f"it ends {one.ends!r}, which is no other attribute here")
    if not (one.verbs or one.nouns or one.asked or one.free):
        raise ValueError("nothing reads it: it has none of verbs, nouns, asked and free")


def _check_tell(tell: str) -> None:
    used = {name for _, name, _, _ in Formatter().parse(tell) if name is not None}
    if tell and not used:
        raise ValueError("its tell has neither {value} nor {a}")
    if unknown := used - {"value", "a"}:
        raise ValueError(f"its tell names {{{min(unknown)}}}, and there are {{value}} and {{a}} alone")


def _add(rules: _Rules, pack: _Document) -> None:
    classes = _Classes(VALUES | dict(pack.values), (*_CLASSES, *pack.values), closed=True)
    for one in pack.attribute:
        with _place(f"attribute {one.name!r}"):
            _check(one, pack, classes)
            # What its values name is told by the graph, from facts; a denied one names nothing.
            rules.add(replace(one, entity=""), classes, rules.anywhere)


def _kinds(pack: _Document) -> Iterator[str]:
    return (one.kind for one in pack.entity if one.kind not in KINDS and not one.person)


def _instructions(pack: _Document) -> str:
    """What a language model is told of a pack: its kinds of entities, and the pack's own words."""
    kinds = [f"- `{one.kind}`: {one.about}" for one in pack.entity if not one.person]
    return "\n".join([*(["Kinds of entities here:", *kinds, ""] if kinds else []), pack.instructions]).strip()


def _attribute(each: _Written, classes: _Classes) -> Attribute:
    value, closed = classes.values[each.value], classes.closed and each.value != "any"
    return Attribute(
        name=each.name,
        kind=Kind(each.kind),
        single=each.single,
        tell=each.tell,
        value=_pattern(rf"(?<!\w)(?:{value})(?!\w)" if closed else value),
        change=frozenset(each.change),
        lasting=each.lasting,
        negates=each.negates,
        entity=each.entity,
        asking=each.asking,
        closed=closed,
        ends=each.ends,
    )


def _pattern(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern, re.IGNORECASE)


ByPacks: TypeAlias = Callable[[Sequence[str]], Vocabulary]
"""What is read by where packs of these names are turned on; the same object for the same names."""


def without_packs(_: Sequence[str]) -> Vocabulary:
    """What is read by where no packs are installed."""
    return english()
