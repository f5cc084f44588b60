"""Who and what is spoken of, and what they are to each other: read, searched, and put right by people."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from itertools import islice
from typing import Any
from uuid import UUID

from recollect.core.access import own_user, require, require_staff
from recollect.core.bounds import (
    LATEST,
    check_id,
    check_ids,
    check_json,
    check_page,
    check_shares,
    check_text,
    check_times,
)
from recollect.core.consolidate.linking import MOST_ALIASES, entity_id, families, key
from recollect.core.embeddings import Embeddings
from recollect.core.errors import (
    AlreadyExists,
    Busy,
    Conflict,
    Forbidden,
    Invalid,
    ModelRetired,
    NotFound,
    Unowned,
)
from recollect.core.ids import NEWEST, uuid7
from recollect.core.model import (
    Entity,
    JsonObject,
    Occasion,
    Permission,
    Principal,
    Relation,
    Role,
)
from recollect.core.ports import Clock, Span, Storage, Transaction, Vector
from recollect.core.walks import Path, Walk, whole

MOST_HOPS = 4
DEEPEST = 3
MOST_NEAR = 200
MOST_SEEN = 2_000
MOST_PATHS = 20
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

ATTEMPTS = 10
FIRST = UUID(int=0)
NOW = (LATEST, "~", NEWEST)
"""After everything in a timeline."""

_MARKS = " .,;:!?…\"'“”„«»()[]{}<>"


@dataclass(frozen=True, slots=True)
class NewEntity:
    """An entity that a person makes; without a user it is the tenant's own, which `shared` must say."""

    name: str
    kind: str = "thing"
    user_id: str | None = None
    aliases: tuple[str, ...] = ()
    attributes: JsonObject = field(default_factory=dict)
    min_role: Role = Role.USER
    shared: bool = True


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


@dataclass(frozen=True, slots=True)
class Listing:
    """Which entities: of this user, or of all; of these kinds; whose name, or an alias, begins so."""

    user_id: str | None = None
    kinds: Sequence[str] = ()
    prefix: str | None = None


@dataclass(frozen=True, slots=True)
class Reach:
    """How far, and over which relations: of these kinds, or of any; as `Filter` has the times."""

    hops: int = 1
    kinds: Sequence[str] = ()
    as_of: datetime | None = None
    known_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Family:
    """An entity, and those that are merged into it."""

    entity: Entity
    merged: tuple[Entity, ...] = ()


@dataclass(frozen=True, slots=True)
class Near:
    """An entity, and over how many relations it was reached."""

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


class Relator:
    """Everything about entities and relations. What is merged is read as one, by the name of the whole."""

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
        return Span(self._clock.now(), tuple(reach.kinds), reach.as_of, reach.known_at)

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

    async def search_entities(
        self, principal: Principal, text: str, *, user_id: str | None = None, limit: int = 10
    ) -> list[Found]:
        """The entities that a text names, and then those that are near to it in meaning, the nearest first.

        Of a user, or, without one, of all that the principal may see.

        Raises:
            Invalid: the text is empty or too long, or the limit out of range.
        """
        require(principal, Permission.READ)
        check_ids(user_id=user_id)
        check_page(limit)
        if not check_text(text, "The query").strip() or len(text) > LONGEST_QUERY:
            raise Invalid(f"The query must have 1 to {LONGEST_QUERY} characters.")
        aim = await self._embeddings.aim(text)
        async with self._storage.transaction(principal) as tx:
            found = await tx.search_entities(
                aim, sorted(_said(text)), _whose(principal, user_id), limit=limit + MOST_ALIASES
            )
            walk = Walk(tx, Span(self._clock.now()))
            await walk.learn([id_ for id_, *_ in found])
        best: dict[UUID, Found] = {}
        for id_, near, named in found:
            if not named and near < NEAR:
                continue
            root = walk.entities[walk.roots[id_]]
            best.setdefault(root.id, Found(root, near, named))
        return list(best.values())[:limit]

    async def add_entity(self, principal: Principal, new: NewEntity) -> Entity:
        """Make an entity. What was read by the same name, and may be the same, is merged into it.

        Raises:
            AlreadyExists: a person has made one of this name and kind.
            Unowned: it has no user, and `shared` refuses that.
            Forbidden: the principal may not write about that user, or not for that role.
        """
        require(principal, Permission.WRITE)
        _check_entity(new.name, new.kind, new.aliases, new.attributes)
        check_ids(user_id=new.user_id)
        user_id = own_user(principal, new.user_id)
        if user_id is None and not new.shared:
            raise Unowned
        _check_rank(principal, new.min_role)
        id_ = entity_id(user_id, new.name, new.min_role, new.kind)
        entity = Entity(
            id_, new.kind, new.name, self._clock.now(), user_id, new.aliases, new.attributes, new.min_role,
            by_hand=True,
        )  # fmt: skip

        async def write(tx: Transaction, vector: Vector, model: int) -> Entity:
            if user_id:
                await tx.ensure_users([user_id])
            await tx.lock_person(user_id)
            if not await tx.add_entity(entity, vector, model):
                raise AlreadyExists("There is an entity of this name and kind already.")
            await tx.tidy_graph(user_id)
            return entity

        return await self._embedded(principal, new.name, write)

    async def change_entity(self, principal: Principal, id_: UUID, changes: Mapping[str, Any]) -> Entity:
        """Put an entity right, and return it as it is then: what is read later changes it no more.

        `changes`: any of name, kind, aliases, attributes.

        Raises:
            NotFound: there is no such entity, for this principal.
        """
        require(principal, Permission.WRITE)
        async with self._storage.transaction(principal) as tx:
            name = changes.get("name", _found(await tx.entities([id_]), id_).name)

        async def write(tx: Transaction, vector: Vector, model: int) -> Entity:
            before = await _lock(tx, principal, id_)
            after = replace(before, **{"name": name, **changes}, by_hand=True)
            _check_entity(after.name, after.kind, after.aliases, after.attributes)
            await tx.change_entity(after, vector, model)
            await tx.tidy_graph(after.user_id)
            return _found(await tx.entities([id_]), id_)

        return await self._embedded(principal, name, write)

    async def _embedded(
        self, principal: Principal, name: str, write: Callable[[Transaction, Vector, int], Awaitable[Entity]]
    ) -> Entity:
        """Write with the name's vector; anew if the embedding model was changed meanwhile."""
        for _ in range(ATTEMPTS):
            model, vectors = await self._embeddings.embed([name])
            try:
                async with self._storage.transaction(principal) as tx:
                    return await write(tx, vectors[0], model)
            except ModelRetired:
                await self._embeddings.refresh()
        raise Busy("The embedding model kept being changed.")

    async def forget_entity(self, principal: Principal, id_: UUID) -> int:
        """Delete an entity, all that is merged into it, and what they are to others; returns how many.

        What was said stays, and once it is spoken of again, it is known again.

        Raises:
            NotFound: there is no such entity, for this principal.
            Forbidden: they may read it, and not delete it.
        """
        require(principal, Permission.FORGET)
        async with self._storage.transaction(principal) as tx:
            entity = await _lock(tx, principal, id_)
            known = await tx.families([id_])
            gone = next((all_ for root, all_ in families(known) if root.id == id_), ())
            count = await tx.delete_entities([id_, *(one.id for one in gone)])
            await tx.tidy_graph(entity.user_id)
        return count

    async def merge(self, principal: Principal, id_: UUID, into: UUID) -> Family:
        """Say that an entity is the same as another one: it is read as that, until it is told apart again.

        Returns the other, with all that is merged into it. Nothing that is read later changes it.

        Raises:
            NotFound: one of the two is not there, for this principal.
            Conflict: the other is merged into this one already.
            Invalid: they are one, or the other is another user's.
        """
        require(principal, Permission.WRITE)
        if id_ == into:
            raise Invalid("An entity is not merged into itself.")
        async with self._storage.transaction(principal) as tx:
            entity = await _lock(tx, principal, id_)
            known = {one.id: one for one in await tx.families([into])}
            other = _found(known, into)
            if other.user_id not in (None, entity.user_id):
                raise Invalid(
                    "The two are of different users.", hint="Make a shared one, and merge both into it."
                )
            if any(one.id == id_ for one in _upwards(other, known)):
                raise Conflict("The other entity is merged into this one.", hint="Tell it apart first.")
            await tx.judge_entity(id_, into)
            await tx.tidy_graph(entity.user_id)
        return await self.entity(principal, into)

    async def unmerge(self, principal: Principal, id_: UUID) -> Family:
        """Say that an entity is something of its own: everything about it is as it was before it was merged.

        Nothing that is read later merges it again.

        Raises:
            NotFound: there is no such entity, for this principal.
        """
        require(principal, Permission.WRITE)
        async with self._storage.transaction(principal) as tx:
            entity = await _lock(tx, principal, id_)
            await tx.judge_entity(id_, None)
            await tx.tidy_graph(entity.user_id)
        return await self.entity(principal, id_)

    async def add_relation(self, principal: Principal, new: NewRelation) -> Relation:
        """Say what one entity is to another.

        Raises:
            NotFound: one of the two is not there, for this principal.
            Invalid: they are of different users, or the times are not in order.
            Forbidden: they are shared, and the principal is one person; or the role is above their own.
        """
        require(principal, Permission.WRITE)
        check_ids(kind=new.kind)
        check_times(valid_from=new.valid_from, valid_to=new.valid_to)
        check_shares(confidence=new.confidence)
        if not 0 <= new.strength <= STRONGEST:
            raise Invalid(f"strength is not from 0 to {STRONGEST}.")
        _check_rank(principal, new.min_role)
        now = self._clock.now()
        valid_from = new.valid_from or now
        if new.source_id == new.target_id or (new.valid_to and new.valid_to <= valid_from):
            raise Invalid("It needs two entities, and to end after it begins.")
        async with self._storage.transaction(principal) as tx:
            ends = await tx.entities([new.source_id, new.target_id])
            both = [_found(ends, id_) for id_ in (new.source_id, new.target_id)]
            users = {one.user_id for one in both} - {None}
            if len(users) > 1:
                raise Invalid("The two are of different users.")
            user_id = next(iter(users), None)
            if user_id is None:
                require_staff(principal)
            rank = max(new.min_role, *(one.min_role for one in both))
            relation = Relation(
                uuid7(), new.source_id, new.target_id, new.kind, valid_from, now, user_id,
                new.strength, new.confidence, Role(rank), new.valid_to,
            )  # fmt: skip
            await tx.add_relation(relation)
        return relation

    async def forget_relation(self, principal: Principal, id_: UUID) -> int:
        """Delete a relation that a person made; returns how many: 1.

        Raises:
            NotFound: there is none by this id, for this principal.
            Conflict: a fact says it.
            Forbidden: they may read it, and not delete it.
        """
        require(principal, Permission.FORGET)
        async with self._storage.transaction(principal) as tx:
            relation = (await tx.relations([id_])).get(id_)
            if relation is None:
                raise NotFound
            if relation.evidence:
                raise Conflict(
                    "This relation is what a fact says.", hint="Reject or forget the fact of the same id."
                )
            if not await tx.delete_relation(id_):
                raise Forbidden("This relation is shared: a credential of one person may not delete it.")
        return 1


def _whose(principal: Principal, user_id: str | None) -> list[str] | None:
    """In whose entities is looked: '' stands for nobody's; None: everybody's."""
    if principal.role is Role.USER:
        return [str(own_user(principal, user_id)), *([] if user_id else [""])]
    return [user_id] if user_id else None


def _found(known: Mapping[UUID, Entity], id_: UUID) -> Entity:
    if id_ not in known:
        raise NotFound
    return known[id_]


async def _lock(tx: Transaction, principal: Principal, id_: UUID) -> Entity:
    """An entity, and whoever it is of, nobody else's to change until the transaction ends."""
    entity = _found(await tx.entities([id_]), id_)
    if entity.user_id is None and principal.role is Role.USER:
        raise Forbidden("This entity is shared: a credential of one person may not change it.")
    await tx.lock_person(entity.user_id)
    return _found(await tx.entities([id_]), id_)


def _upwards(one: Entity, known: Mapping[UUID, Entity]) -> Iterator[Entity]:
    """What an entity is merged into, and what that is."""
    seen: set[UUID] = set()
    while one.merged_into and one.merged_into in known and one.id not in seen:
        seen.add(one.id)
        one = known[one.merged_into]
        yield one


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


def _check_range(what: str, value: int, most: int) -> None:
    if not 1 <= value <= most:
        raise Invalid(f"{what} is {value}; it must be from 1 to {most}.")


def _check_rank(principal: Principal, rank: Role) -> None:
    if rank > principal.role:
        raise Forbidden("min_role is above this credential's own role.")


def _check_entity(name: str, kind: str, aliases: Sequence[str], attributes: JsonObject) -> None:
    check_id(name, "name")
    if not key(name):
        raise Invalid("name holds no letter and no digit.")
    if len(check_id(kind, "kind")) > LONGEST_KIND:
        raise Invalid(f"kind has more than {LONGEST_KIND} characters.")
    if len(aliases) > MOST_ALIASES:
        raise Invalid(f"There are more than {MOST_ALIASES} aliases.")
    for alias in aliases:
        check_id(alias, "An alias")
    check_json(attributes, "attributes")
