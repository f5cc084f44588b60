"""Which items may suit a person, read from the graph and from what they said."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from recollect.core.access import own_user, require
from recollect.core.bounds import check_id, check_page
from recollect.core.consolidate.linking import persons
from recollect.core.errors import Misconfigured, NotFound
from recollect.core.ids import NEWEST
from recollect.core.model import (
    USER,
    Entity,
    Filter,
    Memory,
    Pairing,
    Permission,
    Principal,
    Relation,
    Which,
)
from recollect.core.pack import ItemSchema, Pack
from recollect.core.ports import Clock, Span, Storage, Transaction
from recollect.core.relating import Known, Limit, Related, Taste, most, relate
from recollect.core.walks import Walk

MOST_ITEMS = 5_000
"""So many items are compared, those with the lowest ids, and so many of a person's relations read."""

MOST_PAIRS = 2_000
MOST_FACTS = 500
_FIRST = UUID(int=0)


class Recommendations:
    """Items that may suit, each with its reasons."""

    def __init__(self, storage: Storage, clock: Clock) -> None:
        self._storage = storage
        self._clock = clock

    async def related(
        self, principal: Principal, pack: Pack, user_id: str, *, item: UUID | None = None, limit: int = 5
    ) -> list[Related]:
        """The items of a pack that may suit a person, the best first; what nothing speaks for is not shown.

        With an `item`, also what goes with it: what was taken together with it, or is like it. Without one,
        what was taken together with anything that the person has. That is counted over the groups that the
        principal sees: a credential of one person sees nobody else's, so this tells it nothing; the staff
        learn how many groups there are, never whose. What one other person alone took together is no reason:
        it takes two. That two took it once, each of them can make more of with their own credential.

        Raises:
            NotFound: there is no such item, for this principal.
            Forbidden: it is another person's credential.
            Misconfigured: the pack has no items.
        """
        require(principal, Permission.READ)
        check_id(user_id, "user_id")
        check_page(limit)
        own_user(principal, user_id)
        if pack.items is None:
            raise Misconfigured(f"The pack {pack.name} has no items.", hint="Add [items] to its pack.toml.")
        reader = _Reader(pack, pack.items, Span(now := self._clock.now(), as_of=now))
        async with self._storage.transaction(principal) as tx:
            items = await tx.list_entities(
                ["", user_id], kinds=[pack.items.kind], prefix=None, after=_FIRST, limit=MOST_ITEMS
            )
            known = await reader.known(tx, user_id, item)
        return await asyncio.to_thread(relate, items, known, pack.items, pack.scoring, limit)


@dataclass(frozen=True, slots=True)
class _Reader:
    """Reads what is known of a person, in the words of a pack, as it holds now."""

    pack: Pack
    schema: ItemSchema
    span: Span

    async def known(self, tx: Transaction, user_id: str, item: UUID | None) -> Known:
        """What is known of the person, and of the item.

        Raises:
            NotFound: there is no such item.
        """
        ties = await self._ties(tx, user_id)
        walk = Walk(tx, self.span)
        ends = {end for one in ties for end in (one.source_id, one.target_id)}
        await walk.learn(ends | ({item} if item else set()))
        asked = self._asked(walk, user_id, item) if item else None
        seen = [one for one in ties if {one.source_id, one.target_id} <= walk.roots.keys()]
        theirs = [one for one in seen if walk.roots[one.source_id] in persons(user_id)]
        owned = dict.fromkeys(walk.roots[one.target_id] for one in theirs if one.kind == self.schema.owned)
        had = {walk.roots[one.target_id] for one in seen if one.kind == self.schema.groups}.union(owned)
        facts = await self._facts(tx, user_id)
        return Known(
            asked,
            [*self._noted(theirs, walk), *self._said(facts)],
            list(self._limits(facts)),
            [walk.entities[id_] for id_ in owned if not (asked and id_ == asked.id)],
            await self._together(tx, walk, user_id, [asked.id] if asked else sorted(had)),
            frozenset(had),
        )

    def _asked(self, walk: Walk, user_id: str, item: UUID) -> Entity:
        asked = walk.entities.get(walk.roots.get(item, item))
        if asked is None or asked.kind != self.schema.kind or asked.user_id not in (None, user_id):
            raise NotFound(f"There is no such {self.schema.kind}, or this credential may not see it.")
        return asked

    async def _ties(self, tx: Transaction, user_id: str) -> list[Relation]:
        """What they own, took and like; the newest first."""
        kinds = tuple(filter(None, (self.schema.owned, self.schema.groups, self.schema.stated)))
        span = replace(self.span, kinds=kinds)
        return await tx.relations_of(user_id, span, limit=MOST_ITEMS) if kinds else []

    async def _together(
        self, tx: Transaction, walk: Walk, user_id: str, ids: Sequence[UUID]
    ) -> list[Pairing]:
        """What was taken together with these, or with what is merged into them."""
        members = [member for id_ in ids for member in walk.members[id_]]
        if not (members and self.schema.groups):
            return []
        span = replace(self.span, kinds=(self.schema.groups,))
        found = await tx.together(members, user_id, span, limit=MOST_PAIRS)
        return [replace(one, item=walk.roots[one.item]) for one in found]

    async def _facts(self, tx: Transaction, user_id: str) -> list[Memory]:
        """What they said of themselves that holds now; the newest first."""
        which = Which(Filter(user_id=user_id, include_shared=False), subject=USER)
        return await tx.list_facts(which, before=NEWEST, limit=MOST_FACTS, now=self.span.now)

    def _said(self, facts: Iterable[Memory]) -> Iterator[Taste]:
        fields = {name: one.name for one in self.schema.field for name in (one.name, *one.also)}
        for fact in facts:
            if (claim := fact.claim) and (field := fields.get(claim.attribute)):
                yield Taste(field, claim.value, fact.valid_from, fact.id, claim.negated, claim.single)

    def _noted(self, theirs: Iterable[Relation], walk: Walk) -> Iterator[Taste]:
        rules = self.pack.rules.get("attribute", ())
        single = {one["name"] for one in rules if one.get("single")}
        for one in theirs:
            has = walk.entities[walk.roots[one.target_id]].attributes
            match has.get("about"), has.get("value"):
                case str(about), str(value) if one.kind == self.schema.stated:
                    yield Taste(about, value, one.valid_from, one.id, single=about in single, said=False)

    def _limits(self, facts: Iterable[Memory]) -> Iterator[Limit]:
        units = {one.name: one.unit for one in self.schema.field}
        for limit in self.schema.limit:
            for fact in facts:
                claim = fact.claim
                if claim and claim.attribute == limit.attribute and not claim.negated:
                    if (number := most(claim.value, units[limit.field])) is not None:
                        yield Limit(limit.field, number, fact.valid_from, fact.id)
                    break
