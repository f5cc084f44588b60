"""What people say of the graph: entities and relations made, put right, merged and told apart, forgotten."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from recollect.core.access import own_user, require, require_staff
from recollect.core.bounds import check_id, check_ids, check_json, check_shares, check_text, check_times
from recollect.core.consolidate.linking import MOST_ALIASES, families, key
from recollect.core.errors import (
    AlreadyExists,
    Busy,
    Conflict,
    Forbidden,
    Invalid,
    ModelRetired,
    NotFound,
    TooLarge,
    Unowned,
)
from recollect.core.graph import (
    LONGEST_KIND,
    STRONGEST,
    Family,
    GraphReader,
    NewEntity,
    NewRelation,
    found,
)
from recollect.core.ids import uuid7
from recollect.core.making import LONGEST_DESCRIPTION, Said, added_to, check_order
from recollect.core.model import Entity, Permission, Principal, Relation, Role
from recollect.core.ports import Transaction, Vectors
from recollect.core.writing import LARGEST_BATCH

ATTEMPTS = 40
PERSON = "person"
"""The kind of whoever is remembered."""

Written = TypeVar("Written")


class Relator(GraphReader):
    """Everything about entities and relations."""

    async def add_entity(self, principal: Principal, new: NewEntity) -> Entity:
        """Make an entity. What was read by the same name, and may be the same, is merged into it.

        Raises:
            AlreadyExists: there is one of this name and kind that a person has made.
            Unowned: it has no user, and `shared` refuses that.
            Forbidden: the principal may not write about that user, or not for that role.
        """
        entity = self._made(principal, new)

        async def read(_: Transaction) -> list[Entity]:
            return [entity]

        async def write(tx: Transaction, made: Sequence[Entity], vectors: Vectors, model: int) -> None:
            if await tx.entities([entity.id]):
                raise AlreadyExists("There is an entity of this name and kind already.")
            await _make(tx, made, vectors, model)

        await self._settled(principal, read, write, lambda tx: _lock_persons(tx, [entity]))
        return entity

    async def put_entities(self, principal: Principal, news: Sequence[NewEntity]) -> list[Entity]:
        """Make entities, or add to those that people made before by the same ids: all of them, or none.

        What is there keeps its name: another one becomes an alias. Aliases are united, attributes merged over
        those there were, their lists of texts united, and the lines of a description added; but a principal
        who is one person changes no attribute that is there. Returned is each as it is then, in the order
        given.

        Raises:
            TooLarge: they are more than `LARGEST_BATCH`.
            Unowned, Forbidden: as `add_entity`.
        """
        _check_batch(news)
        given = [self._made(principal, new) for new in news]
        ids = sorted({one.id for one in given})

        async def read(tx: Transaction) -> list[Entity]:
            known = await tx.entities(ids)
            news = given if principal.role > Role.USER else [_beside(known.get(one.id), one) for one in given]
            return list(added_to(known, news).values())

        async def write(
            tx: Transaction, after: Sequence[Entity], vectors: Vectors, model: int
        ) -> dict[UUID, Entity]:
            known = await tx.entities(ids)
            changed = [place for place, one in enumerate(after) if known.get(one.id) != one]
            for place in changed:
                _check_entity(after[place])
            await tx.make_entities([after[place] for place in changed], vectors[changed], model)
            # Whom a name may join or leave is looked at only where a name is new: it takes all there are.
            for user_id in sorted(
                {after[place].user_id or "" for place in changed if _is_new(known, after[place])}
            ):
                await tx.tidy_graph(user_id or None)
            return {one.id: one for one in after}

        if not given:
            return []
        after = await self._settled(principal, read, write, lambda tx: _lock_persons(tx, given))
        return [after[one.id] for one in given]

    def _made(self, principal: Principal, new: NewEntity) -> Entity:
        """The entity as the principal makes it, if they may."""
        require(principal, Permission.WRITE)
        check_ids(user_id=new.user_id)
        new = replace(new, user_id=own_user(principal, new.user_id))
        if new.user_id is None and (new.person or not new.shared):
            raise Unowned
        _check_rank(principal, new.min_role)
        kind = PERSON if new.person else new.kind
        entity = Entity(
            new.id, kind, new.name, self._clock.now(), new.user_id, new.aliases, new.attributes, new.min_role,
            by_hand=True, description=new.description,
        )  # fmt: skip
        _check_entity(entity)
        return entity

    async def change_entity(self, principal: Principal, id_: UUID, changes: Mapping[str, Any]) -> Entity:
        """Put an entity right, and return it as it is then: what is read later changes it no more.

        `changes`: any of name, kind, aliases, attributes, description.

        Raises:
            NotFound: there is no such entity, for this principal.
        """
        require(principal, Permission.WRITE)

        async def read(tx: Transaction) -> list[Entity]:
            return [replace(found(await tx.entities([id_]), id_), **changes, by_hand=True)]

        async def write(tx: Transaction, after: Sequence[Entity], vectors: Vectors, model: int) -> Entity:
            _check_entity(after[0])
            await tx.change_entity(after[0], vectors[0], model)
            await tx.tidy_graph(after[0].user_id)
            return found(await tx.entities([id_]), id_)

        async def lock(tx: Transaction) -> None:
            await _lock(tx, principal, id_)

        return await self._settled(principal, read, write, lock)

    async def _settled(
        self,
        principal: Principal,
        read: Callable[[Transaction], Awaitable[list[Entity]]],
        write: Callable[[Transaction, Sequence[Entity], Vectors, int], Awaitable[Written]],
        lock: Callable[[Transaction], Awaitable[None]],
    ) -> Written:
        """Write entities as `read` makes them of what is there, with vectors of what they are then.

        No connection is held while they are embedded. If they read otherwise once they are locked, or the
        embedding model was changed meanwhile, it is done anew.
        """
        for _ in range(ATTEMPTS):
            async with self._storage.transaction(principal) as tx:
                texts = [one.text for one in await read(tx)]
            model, vectors = await self._embeddings.embed(texts)
            try:
                async with self._storage.transaction(principal) as tx:
                    await lock(tx)
                    after = await read(tx)
                    if [one.text for one in after] == texts:
                        return await write(tx, after, vectors, model)
            except ModelRetired:
                await self._embeddings.refresh()
        raise Busy("Others kept changing the same.")

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
            other = found(known, into)
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
        now = self._clock.now()
        _check_relation(principal, new)
        async with self._storage.transaction(principal) as tx:
            ends = await tx.entities([new.source_id, new.target_id])
            relation = _joined(principal, new, ends, now)
            await tx.make_relations([relation])
        return relation

    async def put_relations(self, principal: Principal, news: Sequence[NewRelation]) -> list[Relation]:
        """Say what entities are to others: all of it, or none.

        What a person has said of the same two in the same word, and still holds or began at the same time, is
        not said twice: it gets the strength, the confidence and the times that are given, and the attributes
        over those there were; its role is never lowered. Returned is each as it is then, in the order given.

        Raises:
            TooLarge: they are more than `LARGEST_BATCH`, or the attributes of one become too large.
            NotFound, Invalid, Forbidden: as `add_relation`.
        """
        require(principal, Permission.WRITE)
        _check_batch(news)
        for new in news:
            _check_relation(principal, new)
        now = self._clock.now()
        ids = sorted({id_ for new in news for id_ in (new.source_id, new.target_id)})
        async with self._storage.transaction(principal) as tx:
            ends = await tx.entities(ids)
            given = [_joined(principal, new, ends, now) for new in news]
            for user_id in sorted({one.user_id or "" for one in given}):
                await tx.lock_person(user_id or None)
            sources, targets = {new.source_id for new in news}, {new.target_id for new in news}
            said = Said(await tx.relations_made(sorted(sources), sorted(targets)), now)
            put = [said.put(one, new.valid_from) for new, one in zip(news, given, strict=True)]
            await tx.make_relations([said.known[id_] for id_ in dict.fromkeys(put)])
        return [said.known[id_] for id_ in put]

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


async def _lock_persons(tx: Transaction, given: Iterable[Entity]) -> None:
    """Whoever these are of is there, and nobody else's to change until the transaction ends."""
    users = sorted({one.user_id or "" for one in given})
    await tx.ensure_users([user_id for user_id in users if user_id])
    for user_id in users:
        await tx.lock_person(user_id or None)


async def _make(tx: Transaction, entities: Sequence[Entity], vectors: Vectors, model: int) -> None:
    await tx.make_entities(entities, vectors, model)
    for user_id in sorted({one.user_id or "" for one in entities}):
        await tx.tidy_graph(user_id or None)


def _is_new(known: Mapping[UUID, Entity], one: Entity) -> bool:
    """Whether an entity is new, or is called otherwise than it was."""
    before = known.get(one.id)
    return before is None or (before.by_hand, before.name, before.aliases) != (True, one.name, one.aliases)


def _beside(before: Entity | None, one: Entity) -> Entity:
    """What somebody says of themselves, beside what the business has said of it."""
    kept = before.attributes if before and before.by_hand else {}
    return replace(one, attributes={**one.attributes, **kept})


def _joined(principal: Principal, new: NewRelation, ends: Mapping[UUID, Entity], now: datetime) -> Relation:
    """The relation as the principal makes it, if they may."""
    both = [found(ends, id_) for id_ in (new.source_id, new.target_id)]
    users = {one.user_id for one in both} - {None}
    if len(users) > 1:
        raise Invalid("The two are of different users.")
    user_id = next(iter(users), None)
    if user_id is None:
        require_staff(principal)
    relation = Relation(
        uuid7(), new.source_id, new.target_id, new.kind, new.valid_from or now, now, user_id,
        new.strength, new.confidence, Role(max(new.min_role, *(one.min_role for one in both))), new.valid_to,
        attributes=new.attributes,
    )  # fmt: skip
    check_order(relation)
    return relation


async def _lock(tx: Transaction, principal: Principal, id_: UUID) -> Entity:
    """An entity, and whoever it is of, nobody else's to change until the transaction ends."""
    entity = found(await tx.entities([id_]), id_)
    if entity.user_id is None and principal.role is Role.USER:
        raise Forbidden("This entity is shared: a credential of one person may not change it.")
    await tx.lock_person(entity.user_id)
    return found(await tx.entities([id_]), id_)


def _upwards(one: Entity, known: Mapping[UUID, Entity]) -> Iterator[Entity]:
    """What an entity is merged into, and what that is."""
    seen: set[UUID] = set()
    while one.merged_into and one.merged_into in known and one.id not in seen:
        seen.add(one.id)
        one = known[one.merged_into]
        yield one


def _check_rank(principal: Principal, rank: Role) -> None:
    if rank > principal.role:
        raise Forbidden("min_role is above this credential's own role.")


def _check_batch(news: Sequence[Any]) -> None:
    if len(news) > LARGEST_BATCH:
        raise TooLarge(f"{len(news)} at once are too many.", hint=f"Send at most {LARGEST_BATCH}.")


def _check_entity(entity: Entity) -> None:
    check_id(entity.name, "name")
    if not key(entity.name):
        raise Invalid("name holds no letter and no digit.")
    if len(check_id(entity.kind, "kind")) > LONGEST_KIND:
        raise Invalid(f"kind has more than {LONGEST_KIND} characters.")
    if len(entity.aliases) > MOST_ALIASES:
        raise Invalid(f"There are more than {MOST_ALIASES} aliases.")
    for alias in entity.aliases:
        check_id(alias, "An alias")
    check_json(entity.attributes, "attributes")
    if len(check_text(entity.description, "description")) > LONGEST_DESCRIPTION:
        raise Invalid(f"description has more than {LONGEST_DESCRIPTION} characters.")


def _check_relation(principal: Principal, new: NewRelation) -> None:
    require(principal, Permission.WRITE)
    check_ids(kind=new.kind)
    check_times(valid_from=new.valid_from, valid_to=new.valid_to)
    check_shares(confidence=new.confidence)
    check_json(new.attributes, "attributes")
    if not 0 <= new.strength <= STRONGEST:
        raise Invalid(f"strength is not from 0 to {STRONGEST}.")
    _check_rank(principal, new.min_role)
