"""What was read becomes a graph: who and what is spoken of, and what they are to each other.

Everything here is a function of what was said: an entity's id is made of whose it is and of its name, and a
relation has the id of the fact that says so. So turns may be read twice, and in any order. What may be read
by one role only stands in an entity of its own, which is merged into the one of the same name that more may
read: so no name, alias or relation is seen by whoever may not see the turn that told of it.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import lru_cache
from math import log2
from uuid import UUID, uuid5

from recollect.core.consolidate.extraction import Conversation, Extraction, Mention
from recollect.core.consolidate.words import KINDS
from recollect.core.model import USER, Claim, Entity, Memory, Modality, Relation, Role
from recollect.core.text.tokens import fold

ENTITIES = UUID("3c1d0c57-52a5-5f0b-9d5e-7d5b2b1f6a11")
"""The namespace in which a name becomes an entity's id."""

LONGEST_NAME = 200
LONGEST_READ = 1_000
"""So many characters of a name are compared."""

LONGEST_VALUE = 5
"""A value of more words is no name."""

MOST_ALIASES = 50
MOST_ALIKE = 500

# What somebody or something is to the person remembered, and so is called by: "my sister".
_ROLES: Mapping[str, str] = dict.fromkeys(
    str.split(
        "aunt boss boyfriend brother brother-in-law child colleague cousin coworker dad daughter doctor "
        "ex-husband ex-wife father father-in-law fiance fiancee friend girlfriend grandchild granddaughter "
        "grandfather grandma grandmother grandpa grandson husband landlord manager mentor mom mother "
        "mother-in-law mum neighbor neighbour nephew niece partner roommate sibling sister sister-in-law son "
        "spouse stepfather stepmother teacher therapist uncle wife"
    ),
    "person",
) | dict.fromkeys(str.split("bird cat dog hamster horse kitten parrot pet puppy rabbit"), "pet")

# Attributes whose value is a name, and of what kind.
_OF_VALUE: Mapping[str, str] = {
    "birthplace": "place",
    "hometown": "place",
    "residence": "place",
    "workplace": "place",
    "company": "organisation",
    "education": "organisation",
    "employer": "organisation",
    "school": "organisation",
    "university": "organisation",
}
_VAGUE = frozenset({"product", "thing"})
_CALLED = frozenset({"name", "nickname"})
_MARKS = r"""[\s.,;:!?…"'“”‘„«»()\[\]{}<>_-]"""
_BEFORE = re.compile(rf"^(?:(?:my|our|the)\s+|{_MARKS})+")
_AFTER = re.compile(rf"(?:'s|{_MARKS})+$")
_ARTICLES = ("a ", "an ", "the ", "my ", "our ", "his ", "her ", "their ", "some ", "no ", "not ")


@dataclass(frozen=True, slots=True)
class Sighting:
    """A memory speaks of an entity, by these names."""

    entity_id: UUID
    memory_id: UUID
    at: datetime
    user_id: str | None = None
    min_role: Role = Role.USER
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Graph:
    """What is to be put into the graph of one person, or, without one, of the tenant itself."""

    user_id: str | None
    entities: tuple[Entity, ...] = ()
    relations: tuple[Relation, ...] = ()
    sightings: tuple[Sighting, ...] = ()

    @property
    def names(self) -> list[str]:
        """What is embedded of each entity, in their order."""
        return [entity.name for entity in self.entities]


@lru_cache(maxsize=8192)
def key(name: str) -> str:
    """What is the same in a name however it is written, and whoever says "my".

    >>> key("My  Sister's"), key("José"), key("…")
    ('sister', 'jose', '')
    """
    folded = " ".join(fold(name[:LONGEST_READ]).split())
    return _AFTER.sub("", _BEFORE.sub("", folded, count=1), count=1)


def entity_id(user_id: str | None, name: str, rank: Role = Role.USER, kind: str | None = None) -> UUID:
    """The id of an entity by its name; `kind`: of one that a person makes.

    >>> entity_id("c17", "Maria") == entity_id("c17", "maria") != entity_id("c18", "Maria")
    True
    """
    return uuid5(ENTITIES, "\0".join([user_id or "", str(int(rank)), key(name), kind or ""]))


def person_id(user_id: str, rank: Role = Role.USER) -> UUID:
    """The id of the entity that is the person remembered, whatever they are called."""
    return uuid5(ENTITIES, "\0".join([user_id, str(int(rank)), "\0"]))


def called(entity: Entity) -> str:
    """What somebody or something is called: a person whom the tenant gave no name, as was heard."""
    return entity.aliases[0] if entity.name == entity.user_id and entity.aliases else entity.name


def strength(evidence: int) -> float:
    """How strong a relation is by the number of memories that say so: log2(1 + n), and 1 for none."""
    return log2(1 + max(evidence, 1))


def link(extraction: Extraction, facts: Sequence[Memory], conversation: Conversation) -> Graph:
    """What to put into the graph: of the mentions, and of the facts that were learned or changed.

    `facts`: as they are written, those that were closed or taken back too. A fact whose value is a name
    becomes a relation; one that is negated or only planned does not. What the conversation does not hold is
    not looked for: a fact's older evidence was put when it was read.
    """
    book = _Book(conversation)
    for mention in extraction.mentions:
        book.see(mention)
    for fact in facts:
        if fact.claim and fact.user_id == conversation.user_id:
            book.relate(fact, fact.claim)
    return book.graph()


@dataclass(slots=True)
class _Book:
    """The graph of a conversation in the making."""

    conversation: Conversation
    entities: dict[UUID, Entity] = field(default_factory=dict)
    relations: dict[UUID, Relation] = field(default_factory=dict)
    sightings: dict[tuple[UUID, UUID], Sighting] = field(default_factory=dict)
    said: dict[UUID, dict[str, Mention]] = field(default_factory=lambda: defaultdict(dict))
    turns: dict[UUID, Memory] = field(init=False)

    def __post_init__(self) -> None:
        self.turns = {turn.id: turn for turn in self.conversation.turns}

    def see(self, mention: Mention) -> None:
        """Somebody or something is spoken of by name."""
        turn = self.turns.get(mention.memory_id)
        if turn and _is_name(mention.name):
            self.said[turn.id][key(mention.name)] = mention
            self._sight(mention.name, mention.kind, [turn], mention.aliases)

    def relate(self, fact: Memory, claim: Claim) -> None:
        """What a fact says of somebody, if that is somebody or something."""
        turns = [self.turns[id_] for id_ in fact.evidence if id_ in self.turns]
        if not claim.negated and claim.modality is Modality.ASSERTED:
            if claim.attribute in _CALLED:
                self._name(fact, claim, turns)
            elif value := self._value(claim, turns):
                is_role = claim.subject == USER and _role(claim.attribute) is not None
                aliases = (f"my {claim.attribute}",) if is_role and fact.superseded_at is None else ()
                self._sight(*value, turns, aliases)
                self._join(fact, claim.subject, claim.attribute, value)
        if claim.subject != USER and _is_name(claim.subject):
            self._sight(claim.subject, self._kind(claim.subject, turns), turns)

    def _name(self, fact: Memory, claim: Claim, turns: Sequence[Memory]) -> None:
        """Somebody is called by a name: the person remembered, or whoever is something to them."""
        if not _is_name(claim.value) or fact.superseded_at is not None:
            return
        if claim.subject == USER:
            self._sight(USER, KINDS[0], turns, (claim.value,))
        else:
            role = key(claim.subject)
            value = (claim.value, self._kind(claim.subject, turns))
            self._sight(*value, turns, (f"my {role}",) if _role(role) else (claim.subject,))
            if _role(role):
                self._join(fact, USER, role, value)

    def _value(self, claim: Claim, turns: Sequence[Memory]) -> tuple[str, str] | None:
        """What the claim's value names, and of what kind that is; None if it names nothing."""
        if not _is_name(claim.value) or (claim.value.islower() and _role(claim.value)):
            return None
        known = {name: mention for turn in turns for name, mention in self.said[turn.id].items()}
        if own := self.conversation.vocabulary.entities.get(claim.attribute):
            mention = known.get(key(claim.value))
            return (mention.name if mention else claim.value), own
        kind = _role(claim.attribute) or _OF_VALUE.get(claim.attribute)
        value = f" {key(claim.value)} "
        within = [name for name in known if f" {name} " in value] if kind else [value.strip()]
        if len(within) == 1 and within[0] in known:
            mention = known[within[0]]
            return mention.name, kind or mention.kind
        plain = not fold(claim.value).startswith(_ARTICLES) and len(claim.value.split()) <= LONGEST_VALUE
        return (claim.value, kind) if kind and plain and not within else None

    def _kind(self, name: str, turns: Sequence[Memory]) -> str:
        known = [mention.kind for turn in turns if (mention := self.said[turn.id].get(key(name)))]
        return min([*known, _role(name) or "thing"], key=_place)

    def _sight(self, name: str, kind: str, turns: Sequence[Memory], aliases: Iterable[str] = ()) -> None:
        if name == USER and self.conversation.user_id is None:
            return
        for turn in turns:
            id_ = self._entity(name, kind, turn.min_role, turn.recorded_at)
            before = self.sightings.get((id_, turn.id))
            also = filter(_is_name, aliases if name == USER else (name, *aliases))
            names = sorted({*(before.names if before else ()), *also})
            self.sightings[id_, turn.id] = Sighting(
                id_, turn.id, turn.valid_from, turn.user_id, turn.min_role, tuple(names[:MOST_ALIASES])
            )

    def _join(self, fact: Memory, subject: str, kind: str, value: tuple[str, str]) -> None:
        if not _is_name(subject) or (subject == USER and self.conversation.user_id is None):
            return
        source = self._entity(subject, self._kind(subject, ()), fact.min_role, fact.recorded_at)
        target = self._entity(*value, fact.min_role, fact.recorded_at)
        if source != target:
            self.relations[fact.id] = _relation(fact, source, target, kind)

    def _entity(self, name: str, kind: str, rank: Role, at: datetime) -> UUID:
        user_id = self.conversation.user_id
        if user_id and name == USER:
            id_, kind = person_id(user_id, rank), KINDS[0]
            name = next(iter(self.conversation.names), user_id)
        else:
            id_ = entity_id(user_id, name, rank)
        found = Entity(id_, kind, name, at, user_id, min_role=rank)
        self.entities[id_] = _united(self.entities.get(id_, found), found)
        return id_

    def graph(self) -> Graph:
        """All of it."""
        return Graph(
            self.conversation.user_id,
            tuple(sorted(self.entities.values(), key=lambda one: one.id)),
            tuple(sorted(self.relations.values(), key=lambda one: one.id)),
            tuple(self.sightings[place] for place in sorted(self.sightings)),
        )


def _role(name: str) -> str | None:
    """Of what kind somebody is who is called so for what they are ("sister", "best friend"); None: a name."""
    return _ROLES.get(key(name).rpartition(" ")[2])


def _is_name(name: str) -> bool:
    return len(name) <= LONGEST_NAME and bool(key(name))


def _place(kind: str) -> tuple[int, str]:
    """Where a kind stands among those of one name: a pack's before the house's own."""
    return (KINDS.index(kind) + 1 if kind in KINDS else 0), kind


def _united(one: Entity, other: Entity) -> Entity:
    """Two findings of one entity: the name that was heard first, the kind that says most."""
    first = min(one, other, key=lambda each: (each.recorded_at, each.name))
    return replace(first, kind=min(one.kind, other.kind, key=_place))


def _relation(fact: Memory, source: UUID, target: UUID, kind: str) -> Relation:
    return Relation(
        id=fact.id,
        source_id=source,
        target_id=target,
        kind=kind[:LONGEST_NAME],
        valid_from=fact.valid_from,
        recorded_at=fact.recorded_at,
        user_id=fact.user_id,
        strength=strength(len(fact.evidence)),
        confidence=fact.confidence,
        min_role=fact.min_role,
        valid_to=fact.valid_to,
        superseded_at=fact.superseded_at,
        evidence=fact.evidence,
    )


def persons(user_id: str | None) -> frozenset[UUID]:
    """The ids of the entities that are the person remembered, one for each role that may read it."""
    return frozenset(person_id(user_id, rank) for rank in Role) if user_id else frozenset()


def settle(
    known: Sequence[Entity], user_id: str | None, names: Sequence[str] = ()
) -> dict[UUID, UUID | None]:
    """Which entities of a person are to be merged into another, and which no more: only what changes.

    Merged are those of one name and of kinds that go together; whoever has one of the person's own `names`
    with the person; a first name with the one full name that begins so; and whatever is the alias of exactly
    one other. Where two could be meant, none is. What a person settled, or made, stays; and what a role may
    read is settled by that alone.
    """
    wanted = _Merging(known, persons(user_id), names).all()
    return {
        one.id: wanted.get(one.id)
        for one in known
        if not (one.settled or one.by_hand) and wanted.get(one.id) != one.merged_into
    }


class _Merging:
    """Finds for each entity the one that it is."""

    def __init__(self, known: Sequence[Entity], persons: frozenset[UUID], names: Sequence[str]) -> None:
        self._known = sorted(known, key=lambda one: (_role(one.name) is None, one.min_role, one.id))
        self._persons = persons
        self._names = names
        ids = {one.id for one in known}
        self._into = {
            one.id: one.merged_into
            for one in known
            if one.settled and one.merged_into and one.merged_into in ids
        }
        self._named: dict[str, list[Entity]] = defaultdict(list)
        self._begun: dict[str, list[Entity]] = defaultdict(list)
        self._aliased: dict[str, list[Entity]] = defaultdict(list)
        for one in self._known:
            self._enter(one)

    def _enter(self, one: Entity) -> None:
        names, aliases = {key(one.name)}, {key(alias) for alias in one.aliases}
        if one.id in self._persons:
            names, aliases = {*names, *aliases, *map(key, self._names)}, set()
        for name in names:
            self._named[name].append(one)
            if one.kind == KINDS[0] and " " in name:
                self._begun[name.partition(" ")[0]].append(one)
        for alias in aliases - names:
            self._aliased[alias].append(one)

    def all(self) -> dict[UUID, UUID]:
        """Each entity that is another one, and which."""
        free = [one for one in self._known if not (one.settled or one.by_hand)]
        for one in free:
            self._merge(one, self._first(self._others(one, self._named)))
        for index in (self._begun, self._aliased):
            for one in free:
                if one.id not in self._into and one.id not in self._persons:
                    self._merge(one, self._only(self._others(one, index)))
        return {one.id: self._into[one.id] for one in free if one.id in self._into}

    def _others(self, one: Entity, index: Mapping[str, Sequence[Entity]]) -> list[Entity]:
        """Those that the entity may be by the index: the same to all who may read it."""
        found = list(index[key(one.name)]) if key(one.name) in index else []
        if one.id in self._persons:
            found = [other for other in self._known if other.id in self._persons]
        return [
            other
            for other in found
            if other.min_role <= one.min_role
            and _goes_with(one.kind, other.kind)
            and (index is not self._named or self._order(other) < self._order(one))
        ]

    def _order(self, one: Entity) -> tuple[bool, bool, int]:
        """Of those with one name the first is the one that all of them are."""
        return one.id not in self._persons, not one.by_hand, one.min_role

    def _first(self, others: Sequence[Entity]) -> Entity | None:
        """The first in order; none if two things that people made have the name."""
        first = min(map(self._order, others), default=None)
        return self._only(other for other in others if self._order(other) == first)

    def _only(self, others: Iterable[Entity]) -> Entity | None:
        """The one that all of them are, if they are one."""
        roots = {self._root(other.id): other for other in others}
        return next(iter(roots.values())) if len(roots) == 1 else None

    def _root(self, id_: UUID) -> UUID:
        for _ in range(len(self._known)):
            if id_ not in self._into:
                break
            id_ = self._into[id_]
        return id_

    def _merge(self, one: Entity, into: Entity | None) -> None:
        if into and self._root(into.id) != one.id:
            self._into[one.id] = self._root(into.id)


def _goes_with(kind: str, other: str) -> bool:
    """Whether two of one name may be one: what is only known to be a thing, or a product, may be a pack's."""
    vague = {KINDS[-1]} if {kind, other} <= set(KINDS) else _VAGUE
    return kind == other or not vague.isdisjoint((kind, other))


def families(known: Iterable[Entity]) -> Iterator[tuple[Entity, tuple[Entity, ...]]]:
    """Each entity that is merged into no other one of these, and all that are merged into it."""
    by_id = {one.id: one for one in known}
    members: dict[UUID, list[Entity]] = defaultdict(list)
    for one in by_id.values():
        root, seen = one, {one.id}
        while root.merged_into in by_id and root.merged_into not in seen:
            root = by_id[root.merged_into]
            seen.add(root.id)
        members[root.id].append(one)
    for id_, family in members.items():
        yield by_id[id_], tuple(one for one in sorted(family, key=lambda one: one.id) if one.id != id_)


def alike(known: Iterable[Entity], user_id: str | None) -> list[list[str]]:
    """The names of each entity that has several, at most MOST_ALIKE of them.

    Only what everybody may read who may read anything of the person; and not the person, whom all is about.
    """
    same = persons(user_id)
    open_ = [one for one in known if one.min_role is Role.USER]
    groups = (
        sorted({name for one in (root, *merged) for name in (one.name, *one.aliases)})
        for root, merged in families(open_)
        if root.id not in same
    )
    return sorted(names for names in groups if len(names) > 1)[:MOST_ALIKE]
