"""Who and what is spoken of, and what they are to each other: read and searched."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import islice
from typing import TypeAlias
from uuid import UUID

from recollect.core.access import own_user, require
from recollect.core.bounds import (
    LATEST,
    check_ids,
    check_page,
    check_text,
    check_times,
)
from recollect.core.consolidate.linking import (
    MOST_ALIASES,
    entity_id,
    families,
    key,
    person_id,
)
from recollect.core.consolidate.words import KINDS
from recollect.core.embeddings import Embeddings
from recollect.core.errors import (
    Invalid,
    NotFound,
)
from recollect.core.ids import NEWEST
from recollect.core.model import (
    Entity,
    JsonObject,
    Occasion,
    Permission,
    Principal,
    Relation,
    Role,
)
from recollect.core.ports import Aim, Clock, Sought, Span, Storage
from recollect.core.walks import MOST_RELATIONS, Path, Walk, whole
from recollect.core.writing import LARGEST_BATCH

MOST_HOPS = 4
DEEPEST = 3
MOST_NEAR = 200
MOST_SEEN = 2_000
MOST_PATHS = 20
MOST_NAMED = 200
LONGEST_KIND = 63
LONGEST_SAID = 5
"""So many words of a query may be one name."""

MOST_WORDS = 200
LONGEST_QUERY = 4_000
STRONGEST = 1_000
NEAR = 0.4
"""What a query does not name is found from this cosine on.

With the model that ships, of 15 queries that mean nothing or nothing known ("zzz", "photosynthesis") 1 came
as near to any of 20 names; of 19 that describe one of them ("my phone": iPhone 15), all but 1 came to it."""

FIRST = UUID(int=0)
NOW = (LATEST, "~", NEWEST)
"""After everything in a timeline."""

Ranked: TypeAlias = tuple[UUID, float, bool]
"""An entity by its id, its cosine to a query, and whether the query names it."""

_MARKS = " .,;:!?…\"'“”„«»()[]{}<>"


@dataclass(frozen=True, slots=True)
class NewEntity:
    """An entity that a person makes; without a user it is the tenant's own, which `shared` must say.

    `description`: what is known of it in a sentence or some; it is found by that, too. `person`: it is the
    person remembered, whatever they are called, and so has a user; its kind is always the same.
    """

    name: str
    kind: str = "thing"
    user_id: str | None = None
    aliases: tuple[str, ...] = ()
    attributes: JsonObject = field(default_factory=dict)
    min_role: Role = Role.USER
    shared: bool = True
    description: str = ""
    person: bool = False

    @property
    def id(self) -> UUID:
        """The id that it has: made of whose it is, its name, its kind and who may read it.

        >>> NewEntity("Luna", "pet", "c17").id == NewEntity("luna", "pet", "c17").id
        True
        """
        if self.person and self.user_id:
            return person_id(self.user_id, self.min_role)
        return entity_id(self.user_id, self.name, self.min_role, self.kind)


@dataclass(frozen=True, slots=True)
class NewRelation:
    """A relation that a person makes; `valid_from` None means now."""

    source_id: UUID
    target_id: UUID
    kind: str
    strength: float = 1.0
    confidence: float = 1.0
    min_role: Role = Role.USER
    valid_from: datetime | None = None
    valid_to: datetime | None = None
    attributes: JsonObject = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Listing:
    """Which entities: of this user, or of all; of these kinds; whose name, or an alias, begins so."""

    user_id: str | None = None
    kinds: Sequence[str] = ()
    prefix: str | None = None


@dataclass(frozen=True, slots=True)
class Reach:
    """How far, and over which relations: of these kinds, or of any; as `Filter` has the times.

    `user_id`: over those of this user and the tenant's own alone. Without it the way leads on from what is
    shared to whoever else has to do with it, as far as the principal may see.
    """

    hops: int = 1
    kinds: Sequence[str] = ()
    as_of: datetime | None = None
    known_at: datetime | None = None
    user_id: str | None = None


@dataclass(frozen=True, slots=True)
class Family:
    """An entity, and those that are merged into it."""

    entity: Entity
    merged: tuple[Entity, ...] = ()


@dataclass(frozen=True, slots=True)
class Near:
    """An entity, and over how many relations it was reached; a person's own, tied to nothing, in 2."""

    entity: Entity
    distance: int


@dataclass(frozen=True, slots=True)
class Neighbourhood:
    """An entity with those around it, the nearest first, and what all of them are to each other."""

    entity: Entity
    near: tuple[Near, ...]
    relations: tuple[Relation, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """An entity that a search brought: `similarity` is the cosine, `named`: the query says its name."""

    entity: Entity
    similarity: float
    named: bool


EVERY = Listing()
NEAREST = Reach()
FAR = Reach(hops=MOST_HOPS)


class GraphReader:
    """Everything that reads the graph. What is merged is read as one, by the name of the whole."""

    def __init__(self, storage: Storage, embeddings: Embeddings, clock: Clock) -> None:
        self._storage = storage
        self._embeddings = embeddings
        self._clock = clock

    async def entities(
        self, principal: Principal, which: Listing = EVERY, *, after: UUID = FIRST, limit: int = 50
    ) -> list[Entity]:
        """The entities that are asked for, as far as the principal may see them; by id, after one of them."""
        require(principal, Permission.READ)
        check_ids(user_id=which.user_id)
        check_text(which.prefix or "", "prefix")
        check_page(limit)
        whose = _whose(principal, which.user_id)
        async with self._storage.transaction(principal) as tx:
            return await tx.list_entities(
                whose, kinds=which.kinds, prefix=which.prefix or None, after=after, limit=limit
            )

    async def entity(self, principal: Principal, id_: UUID) -> Family:
        """One entity, with the names of all that are merged into it.

        Raises:
            NotFound: there is none by this id, for this principal.
        """
        require(principal, Permission.READ)
        async with self._storage.transaction(principal) as tx:
            known = await tx.families([id_])
        asked = next((one for one in known if one.id == id_), None)
        if asked is None:
            raise NotFound
        found = ((root, merged) for root, merged in families(known) if root.id == id_)
        return next((Family(whole(root, merged), merged) for root, merged in found), Family(asked))

    async def neighbours(
        self, principal: Principal, id_: UUID, reach: Reach = NEAREST, *, limit: int = 50
    ) -> Neighbourhood:
        """The entities around one, the strongest of each step first.

        Raises:
            NotFound: there is no such entity, for this principal.
            Invalid: more than `DEEPEST` hops, or the limit is out of range.
        """
        span = self._span(principal, reach, DEEPEST)
        _check_range("limit", limit, MOST_NEAR)
        async with self._storage.transaction(principal) as tx:
            walk = Walk(tx, span)
            root = await walk.root(id_)
            distances = await walk.explore(root, reach.hops, limit)
        near = [Near(walk.entities[one], at) for one, at in distances.items() if at]
        between = [
            one for one in walk.relations.values() if {one.source_id, one.target_id} <= distances.keys()
        ]
        return Neighbourhood(walk.entities[root], tuple(near), tuple(between))

    async def around_person(
        self,
        principal: Principal,
        user_id: str,
        *,
        first: Sequence[str] = (),
        each: int = MOST_NEAR,
        limit: int = 50,
    ) -> Neighbourhood | None:
        """What is the person's, and what they and theirs are tied to, by their own relations; None: nothing.

        Of each kind so many, the newest first; the best of every kind before the second of any, and the kinds
        of `first` before others. What was tied and is no more is left out. Nobody may have spoken of the
        person themself: then they are nothing but their id.

        Raises:
            Forbidden: it is another person's credential.
            Invalid: a limit is out of range.
        """
        own_user(principal, user_id)
        span = self._span(principal, Reach(user_id=user_id), DEEPEST)
        _check_range("limit", limit, MOST_NEAR)
        _check_range("each", each, MOST_NEAR)
        id_ = person_id(user_id)
        async with self._storage.transaction(principal) as tx:
            newest = await tx.newest_of(user_id, span, first=first, each=each, limit=limit)
            walk = Walk(tx, span)
            await walk.learn([id_, *newest])
            between = walk.between(await tx.relations_of(user_id, span, limit=MOST_RELATIONS))
        if not walk.entities:
            return None
        me = walk.roots.get(id_, id_)
        themself = walk.entities.get(me) or Entity(me, KINDS[0], user_id, span.now, user_id)
        beside = {end for one in between if me in _ends(one) for end in _ends(one)}
        roots = dict.fromkeys(walk.roots[one] for one in newest if one in walk.roots)
        near = tuple(Near(walk.entities[one], 1 if one in beside else 2) for one in roots if one != me)
        return Neighbourhood(themself, near, tuple(between))

    async def paths(
        self, principal: Principal, source: UUID, target: UUID, reach: Reach = FAR, *, limit: int = 5
    ) -> list[Path]:
        """The ways from one entity to another, the shortest first.

        Raises:
            NotFound: there is no such entity, for this principal.
            Invalid: more than `MOST_HOPS` hops, or the limit is out of range.
        """
        span = self._span(principal, reach, MOST_HOPS)
        _check_range("limit", limit, MOST_PATHS)
        async with self._storage.transaction(principal) as tx:
            walk = Walk(tx, span)
            begin, end = await walk.root(source), await walk.root(target)
            # From both ends: what lies between is at most half the way from one of them.
            await walk.explore(begin, (reach.hops + 1) // 2, MOST_SEEN)
            await walk.explore(end, reach.hops // 2, MOST_SEEN)
        return list(islice(walk.ways(begin, end, reach.hops), limit))

    def _span(self, principal: Principal, reach: Reach, most: int) -> Span:
        require(principal, Permission.READ)
        check_times(as_of=reach.as_of, known_at=reach.known_at)
        _check_range("hops", reach.hops, most)
        check_ids(user_id=reach.user_id)
        whose = None if reach.user_id is None else (reach.user_id, "")
        return Span(self._clock.now(), tuple(reach.kinds), reach.as_of, reach.known_at, whose)

    async def timeline(
        self,
        principal: Principal,
        id_: UUID,
        *,
        before: tuple[datetime, str, UUID] | None = None,
        limit: int = 50,
    ) -> list[Occasion]:
        """When an entity was spoken of, and when what it is to others began and ended; the newest first.

        Raises:
            NotFound: there is no such entity, for this principal.
        """
        require(principal, Permission.READ)
        check_page(limit)
        async with self._storage.transaction(principal) as tx:
            walk = Walk(tx, Span(self._clock.now()))
            members = walk.members[await walk.root(id_)]
            found = await tx.timeline(members, before=before or NOW, limit=limit)
            memories = await tx.memories([one.id for one in found])
            relations = await tx.relations([one.id for one in found])
        # A relation that was read has its fact's id: what happened tells which of the two is meant.
        return [
            replace(one, memory=memories.get(one.id))
            if one.what == "mentioned"
            else replace(one, relation=relations.get(one.id))
            for one in found
        ]

    async def search_entities(  # noqa: PLR0913 - what is asked, where, and how much of it
        self,
        principal: Principal,
        text: str,
        *,
        user_id: str | None = None,
        include_shared: bool = False,
        kinds: Sequence[str] = (),
        min_similarity: float | None = None,
        limit: int = 10,
    ) -> list[Found]:
        """The entities that a text names, and then those that are near to it in meaning, the nearest first.

        Of a user, with `include_shared` the tenant's own as well; or, without one, of all that the principal
        may see. Of any of these kinds, or of all. With a floor, all whose cosine to the text reaches it, and
        those alone, the nearest first; otherwise what is not named must be as near as `NEAR`. The cosine is
        that of the text and the name with the description; or, of what is named, with the name alone, if that
        is larger.

        Raises:
            Invalid: the text is empty or too long, the limit out of range, or the floor no cosine.
        """
        require(principal, Permission.READ)
        check_ids(user_id=user_id)
        check_page(limit)
        _check_search(text, min_similarity)
        aim = await self._embeddings.aim(text)
        sought = Sought(aim, sorted(_said(text)), kinds, min_similarity)
        whose = _whose(principal, user_id, shared=include_shared)
        async with self._storage.transaction(principal) as tx:
            found = await tx.search_entities(sought, whose, limit=limit + MOST_ALIASES)
            known = await tx.entities([id_ for id_, _, is_named in found if is_named])
        found = await self._nearest(aim, found, known, min_similarity)
        async with self._storage.transaction(principal) as tx:
            walk = Walk(tx, Span(self._clock.now()))
            best: dict[UUID, Found] = {}
            for first in range(0, len(found), limit):
                page = found[first : first + limit]
                await walk.learn([id_ for id_, *_ in page])
                for id_, near, named in page:
                    if root := walk.roots.get(id_):  # it may have been forgotten since
                        best.setdefault(root, Found(walk.entities[root], near, named))
                if len(best) >= limit:
                    break
        return list(best.values())[:limit]

    async def _nearest(
        self, aim: Aim, found: list[Ranked], known: Mapping[UUID, Entity], floor: float | None
    ) -> list[Ranked]:
        """What was found and is near, with the cosines of `known` names alone where these are larger."""
        if floor is None:
            return [one for one in found if one[2] or one[1] >= NEAR]
        told = {id_: one.name for id_, one in known.items() if one.description}
        _, vectors = await self._embeddings.embed(list(told.values()))
        alone = dict(zip(told, (vectors @ aim.vector).tolist(), strict=True)) if told else {}
        near = [(id_, max(cosine, alone.get(id_, cosine)), named) for id_, cosine, named in found]
        return sorted((one for one in near if one[1] >= floor), key=lambda one: (-one[1], one[0]))

    async def find_entities(
        self, principal: Principal, names: Sequence[str], *, user_id: str | None, include_shared: bool = True
    ) -> list[Entity]:
        """The entities of a user that have one of these names, however it is written, or have it as an alias.

        The user's own first, then, with `include_shared` or without a user, the tenant's.

        Raises:
            Invalid: more than `MOST_NAMED` names.
        """
        require(principal, Permission.READ)
        check_ids(user_id=user_id)
        if len(names) > MOST_NAMED:
            raise Invalid(f"More than {MOST_NAMED} names are looked for at once.")
        for name in names:
            check_text(name, "A name")
        whose = _whose(principal, user_id, shared=include_shared) or [""]
        async with self._storage.transaction(principal) as tx:
            found = await tx.entities_named(sorted(_written(names)), whose, limit=LARGEST_BATCH)
            walk = Walk(tx, Span(self._clock.now()))
            await walk.learn([one.id for one in found])
        roots = {walk.roots[one.id] for one in found if one.id in walk.roots}
        return sorted((walk.entities[id_] for id_ in roots), key=lambda one: (one.user_id is None, one.id))


def _whose(principal: Principal, user_id: str | None, *, shared: bool = False) -> list[str] | None:
    """In whose entities is looked: '' stands for nobody's; None: everybody's. `shared`: beside a user's."""
    nobodys = [""] if shared else []
    if principal.role is Role.USER:
        return [str(own_user(principal, user_id)), *(nobodys if user_id else [""])]
    return [user_id, *nobodys] if user_id else None


def _ends(relation: Relation) -> tuple[UUID, UUID]:
    return relation.source_id, relation.target_id


def _written(names: Iterable[str]) -> set[str]:
    """How each name may be written, in small letters.

    >>> sorted(_written(["My Sister"]))
    ['my sister', 'sister', 'the sister']
    """
    known = [(name.strip().lower(), key(name)) for name in names if key(name)]
    return {one for name, short in known for one in (name, short, f"my {short}", f"the {short}")}


def found(known: Mapping[UUID, Entity], id_: UUID) -> Entity:
    """The entity of this id; NotFound, if it is not there for whoever asks."""
    if id_ not in known:
        raise NotFound
    return known[id_]


def _said(text: str) -> set[str]:
    """What in a text may be a name: each run of words, in small letters.

    >>> sorted(_said("Where's Maria Lopez?"))
    ['lopez', 'maria', 'maria lopez', 'where', "where's", "where's maria", "where's maria lopez"]
    """
    stripped = (word.strip(_MARKS) for word in text.lower().replace("’", "'").split())
    words = list(islice(filter(None, stripped), MOST_WORDS))
    runs = {
        " ".join(words[start:end])
        for start in range(len(words))
        for end in range(start + 1, min(start + LONGEST_SAID, len(words)) + 1)
    }
    return runs | {run.removesuffix("'s") for run in runs}


def _check_search(text: str, floor: float | None) -> None:
    if floor is not None and not -1 <= floor <= 1:
        raise Invalid("min_similarity is not from -1 to 1.")
    if not check_text(text, "The query").strip() or len(text) > LONGEST_QUERY:
        raise Invalid(f"The query must have 1 to {LONGEST_QUERY} characters.")


def _check_range(what: str, value: int, most: int) -> None:
    if not 1 <= value <= most:
        raise Invalid(f"{what} is {value}; it must be from 1 to {most}.")
