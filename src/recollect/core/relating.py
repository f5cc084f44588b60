"""What may suit a person: items by what was taken together, by what was said, and by what they own.

Nothing here knows what the items are: a pack's item schema says what counts, and its scoring how much. Every
point of a score is a reason, in words, made of the row that it is from.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from heapq import nsmallest
from typing import Any, TypeAlias
from uuid import UUID

from recollect.core.consolidate.sameness import phrase, value
from recollect.core.model import Entity, JsonObject, Pairing
from recollect.core.pack import ItemField, ItemSchema

Trait: TypeAlias = tuple[str, str]
"""A field, and a value of it in small letters."""

_LENGTHS = {"mm": 0.1, "cm": 1.0, "m": 100.0, '"': 2.54, "in": 2.54, "inch": 2.54, "ft": 30.48, "foot": 30.48}
_LENGTHS |= {
    "inches": 2.54,
    "feet": 30.48,
    "centimetre": 1.0,
    "centimeter": 1.0,
    "metre": 100.0,
    "meter": 100.0,
}
_LENGTH = re.compile(r"(\d+(?:[.,]\d+)?) ?([a-z]+|\")", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Taste:
    """What somebody likes, or does not.

    `evidence`: the fact, or the relation, that says so. `said`: by themself, in a conversation. `single`: of
    this field they like one thing at a time.
    """

    field: str
    value: str
    since: datetime
    evidence: UUID
    against: bool = False
    single: bool = False
    said: bool = True


@dataclass(frozen=True, slots=True)
class Limit:
    """How large a number of an item may be at most, in the field's unit; `evidence` is the fact."""

    field: str
    most: float
    since: datetime
    evidence: UUID


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a person, and of what they ask about.

    `owned`: the newest first. `pairings`: of what was asked for, or of all that they have, with others.
    `had`: what is not shown, as they own it, or took it before.
    """

    asked: Entity | None = None
    tastes: Sequence[Taste] = ()
    limits: Sequence[Limit] = ()
    owned: Sequence[Entity] = ()
    pairings: Sequence[Pairing] = ()
    had: frozenset[UUID] = frozenset()


@dataclass(frozen=True, slots=True)
class Reason:
    """A part of a score in words. `evidence`: the fact or the relation that says so, where it is one."""

    text: str
    weight: float
    evidence: UUID | None = None


@dataclass(frozen=True, slots=True)
class Related:
    """An item that may suit; its score is the sum of its reasons, the weightiest first."""

    entity: Entity
    score: float
    reasons: tuple[Reason, ...]


LARGEST = 1e15
"""What is larger counts as this: an integer of JSON may be too large to be told."""


def relate(
    items: Sequence[Entity], known: Known, schema: ItemSchema, scoring: Mapping[str, float], limit: int
) -> list[Related]:
    """The best of the items that there is a reason for.

    Left out are what was asked for, what the person has, what has something that they do not like, and what
    is above a limit of theirs. `scoring`: of each field, `together`, and by what a field counts: `asked`,
    `owned` and `stated`, each 1 if it is not there.
    """
    weighed = (
        (sum(each.weight for each in why), one, why)
        for one, why in _Scales(items, known, schema, scoring).weigh()
    )
    best = nsmallest(limit, weighed, key=lambda found: (-found[0], found[1].id))
    return [
        Related(one, score, tuple(sorted(why, key=lambda each: -each.weight))) for score, one, why in best
    ]


class _Scales:
    """What is in favour of an item, and what is against it: looked up by what the item has."""

    def __init__(
        self, items: Sequence[Entity], known: Known, schema: ItemSchema, scoring: Mapping[str, float]
    ) -> None:
        self._schema = schema
        self._known = known
        self._scoring = scoring
        self._fields = {one.name: one for one in schema.field}
        self._shared = [one for one in schema.field if one.type != "number"]
        self._items = [(one, self._traits(one)) for one in items]
        self._written = {trait: text for _, has in self._items for trait, text in has.items()}
        self._tastes = told(known.tastes, self._written)
        self._hidden = known.had | ({known.asked.id} if known.asked else set())
        self._for: dict[Trait, list[Reason]] = defaultdict(list)
        for trait, reason in (*self._stated(), *self._asked(), *self._owned()):
            self._for[trait].append(reason)
        about = [*items, *known.owned, *([known.asked] if known.asked else [])]
        names = {one.id: one.name for one in about}
        self._beside: dict[UUID, list[Reason]] = defaultdict(list)
        for each in known.pairings:
            if each.item in names:
                self._beside[each.other].append(self._together(each, names[each.item]))

    def weigh(self) -> Iterator[tuple[Entity, list[Reason]]]:
        """The items that there are reasons for, each with these."""
        against = {trait for trait, taste in self._tastes.items() if taste.against}
        for one, has in self._items:
            if one.id in self._hidden or not against.isdisjoint(has) or self._exceeds(one):
                continue
            why = [
                *self._beside.get(one.id, ()),
                *(each for trait in has for each in self._for.get(trait, ())),
                *self._within(one),
            ]
            if counting := [each for each in why if each.weight > 0]:
                yield one, counting

    def _stated(self) -> Iterator[tuple[Trait, Reason]]:
        for trait, taste in self._tastes.items():
            if not taste.against:
                text = self._in_words(taste, trait)
                yield trait, Reason(text, self._weight("stated", trait), taste.evidence)

    def _in_words(self, taste: Taste, trait: Trait) -> str:
        """Why a taste speaks for what has the trait: it may be said in more words, or in fewer."""
        reasons, date = self._schema.reasons, day(taste.since)
        if not taste.said:
            return reasons.noted.format(value=self._say(trait[0], taste.value), date=date)
        if _words(taste.value) == _words(trait[1]):
            return reasons.said.format(value=self._say(*trait), date=date)
        return reasons.meant.format(value=self._say(*trait), said=taste.value, date=date)

    def _asked(self) -> Iterator[tuple[Trait, Reason]]:
        if one := self._known.asked:
            for trait in self._traits(one):
                text = self._schema.reasons.asked.format(value=self._say(*trait), other=one.name)
                yield trait, Reason(text, self._weight("asked", trait))

    def _owned(self) -> Iterator[tuple[Trait, Reason]]:
        """What several have that they own counts for more, by their share of what they own."""
        having: dict[Trait, list[Entity]] = defaultdict(list)
        for one in self._known.owned:
            for trait in self._traits(one):
                having[trait].append(one)
        for trait, those in having.items():
            text = self._schema.reasons.owned.format(value=self._say(*trait), other=those[0].name)
            yield trait, Reason(text, self._weight("owned", trait) * len(those) / len(self._known.owned))

    def _together(self, pairing: Pairing, name: str) -> Reason:
        reasons = self._schema.reasons
        words = reasons.together if pairing.count > 1 else reasons.together_once
        text = words.format(other=name, count=pairing.count)
        return Reason(text, self._scoring.get("together", 1.0) * pairing.affinity)

    def _exceeds(self, one: Entity) -> bool:
        return any((_number(one, each.field) or 0) > each.most for each in self._known.limits)

    def _within(self, one: Entity) -> Iterator[Reason]:
        for each in self._known.limits:
            if (number := _number(one, each.field)) is not None:
                said = f"{number:,.2f}".rstrip("0").rstrip(".")
                words = self._schema.reasons.within.format(
                    value=self._say(each.field, said), date=day(each.since)
                )
                yield Reason(words, self._scoring.get(each.field, 0.0), each.evidence)

    def _traits(self, one: Entity) -> dict[Trait, str]:
        return traits(self._shared, one.attributes)

    def _weight(self, source: str, trait: Trait) -> float:
        return self._scoring.get(trait[0], 0.0) * self._scoring.get(source, 1.0)

    def _say(self, name: str, said: str) -> str:
        return self._fields[name].say.format(value=self._written.get((name, said), said))


def traits(fields: Sequence[ItemField], attributes: JsonObject) -> dict[Trait, str]:
    """What may be shared of an item, each as it is written there; numbers are not.

    >>> traits([ItemField("colour", "text"), ItemField("edible", "flag")], {"colour": "Navy", "edible": True})
    {('colour', 'navy'): 'Navy', ('edible', 'edible'): 'edible'}
    """
    return {
        (one.name, text.lower()): text for one in fields for text in _texts(one, attributes.get(one.name))
    }


def _texts(field: ItemField, has: Any) -> Sequence[str]:
    match has:
        case str() if field.type == "text":
            return [has]
        case list() if field.type == "list":
            return [one for one in has if isinstance(one, str)]
        case True if field.type == "flag":
            return [field.name]
        case _:
            return []


def _number(one: Entity, field: str) -> float | None:
    """A number that an item has, or the `LARGEST` that it reaches; None: it has none."""
    has = one.attributes.get(field)
    if not isinstance(has, int | float) or isinstance(has, bool):
        return None
    return float(min(max(has, -LARGEST), LARGEST))


def told(tastes: Iterable[Taste], there: Iterable[Trait]) -> dict[Trait, Taste]:
    """Which of the traits that there are somebody likes, or does not, by what was said of each last.

    Of what they like one at a time, only the newest counts.
    """
    values: dict[str, list[str]] = defaultdict(list)
    for field, text in there:
        values[field].append(text)
    last = {(one.field, _words(one.value)): one for one in sorted(tastes, key=_since)}
    ordered = sorted(last.values(), key=_since)
    newest = {one.field: one for one in ordered if one.single and not one.against}
    return {
        (one.field, text): one
        for one in ordered
        if one.against or not one.single or newest[one.field] is one
        for text in _named(one, values[one.field])
    }


def _since(taste: Taste) -> datetime:
    return taste.since


def _named(taste: Taste, values: Iterable[str]) -> list[str]:
    """What a taste is about: not to like oak is not to like solid oak; what was put down is word by word."""
    words = _words(taste.value)
    if taste.against:
        return [one for one in values if words and words <= _words(one)]
    if taste.said:
        return meant(taste.value, values)
    return [one for one in values if words == _words(one)]


def meant(said: str, values: Iterable[str]) -> list[str]:
    """Those of the values that are meant: all their words are said; or else, all that is said is in them.

    >>> meant("mid century modern", ["modern", "mid-century", "rustic"])
    ['mid-century']
    >>> meant("walnut", ["solid walnut", "oak"]), meant("sectionals", ["sectional"]), meant("", ["oak"])
    (['solid walnut'], ['sectional'], [])
    """
    words = _words(said)
    within = {one: len(_words(one)) for one in values if _words(one) <= words}
    if within:
        return [one for one, length in within.items() if length == max(within.values())]
    return [one for one in values if words and words < _words(one)]


def _words(text: str) -> frozenset[str]:
    return phrase(text.replace("-", " "))


def most(said: str, unit: str) -> float | None:
    """The number that is said, in the unit of a field; None: there is none, or it is of something else.

    >>> most("about $1,200", "USD"), most("3.2 m", "cm"), most("320", "cm"), most("10 feet", "cm")
    (1200.0, 320.0, 320.0, 304.8)
    """
    if unit in _LENGTHS and (found := _LENGTH.search(said)):
        length = _LENGTHS.get(found[2].lower(), _LENGTHS.get(found[2].lower().rstrip("s")))
        return (
            None if length is None else round(float(found[1].replace(",", ".")) * length / _LENGTHS[unit], 2)
        )
    return value(said).amount


def day(at: datetime) -> str:
    """A day in words: "2 March 2026"."""
    return f"{at.day} {at:%B %Y}"
