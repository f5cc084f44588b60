"""Facts in parts: what holds, how it came to be, and what people say of it.

What a person says of a fact outweighs whatever is read later: an extracted fact that says otherwise stands
beside it, disputed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from recollect.core.access import TRUSTED, own_scope, require, require_staff
from recollect.core.bounds import check_content, check_page, check_scope, check_text, check_times
from recollect.core.consolidate.attributes import ByPacks, without_packs
from recollect.core.consolidate.extraction import Conversation, Extraction
from recollect.core.consolidate.linking import link
from recollect.core.consolidate.resolving import resolve
from recollect.core.embeddings import Embeddings
from recollect.core.errors import Busy, Invalid, ModelRetired, NotFound
from recollect.core.ids import NEWEST, uuid7
from recollect.core.indexing import Text, index_notes
from recollect.core.model import (
    Memory,
    Permission,
    Principal,
    Standing,
    Trust,
    Which,
)
from recollect.core.ports import Clock, Storage, Transaction
from recollect.core.unlearning import write_settled

LONGEST_VALUE = 2_000
ATTEMPTS = 5


@dataclass(frozen=True, slots=True)
class Edit:
    """What to put right of a fact; what is None stays.

    Without `content`, the old sentence has the new value in it.
    """

    value: str | None = None
    content: str | None = None
    valid_from: datetime | None = None


class Facts:
    """What is known in parts, and what people say of it."""

    def __init__(
        self, storage: Storage, embeddings: Embeddings, clock: Clock, vocabulary: ByPacks = without_packs
    ) -> None:
        self._storage = storage
        self._embeddings = embeddings
        self._clock = clock
        self._vocabulary = vocabulary

    async def facts(
        self, principal: Principal, which: Which, *, before: UUID | None = None, limit: int = 50
    ) -> list[Memory]:
        """The newest of these facts.

        Raises:
            Invalid: the scope is everybody's, or the page is too long.
            Forbidden: the scope is not the principal's.
        """
        require(principal, Permission.READ)
        check_scope(which.scope)
        which = replace(which, scope=own_scope(principal, which.scope))
        if which.scope.all_users:
            raise Invalid("Facts are listed of one person, or of those that the tenant shares.")
        check_page(limit)
        async with self._storage.transaction(principal) as tx:
            return await tx.list_facts(which, before=before or NEWEST, limit=limit, now=self._clock.now())

    async def fact_history(self, principal: Principal, fact_id: UUID) -> list[Memory]:
        """All that was ever held of the fact's subject and attribute, the oldest first.

        Raises:
            NotFound: there is no such fact, for this principal.
        """
        require(principal, Permission.READ)
        async with self._storage.transaction(principal) as tx:
            fact = _fact((await tx.memories([fact_id])).get(fact_id))
            return sorted(
                _alike(fact, await tx.facts_of(fact.user_id)),
                key=lambda one: (one.valid_from, one.recorded_at, one.id),
            )

    async def confirm_fact(self, principal: Principal, fact_id: UUID) -> Memory:
        """Say that a fact is so: nothing that is read later ends it. Returns it as it is then.

        Raises:
            NotFound: there is no such fact, for this principal.
        """
        return await self._say(principal, fact_id, Standing.CONFIRMED)

    async def reject_fact(self, principal: Principal, fact_id: UUID) -> Memory:
        """Say that a fact is not so, and never was: it is not recalled, and not learned again.

        Raises:
            NotFound: there is no such fact, for this principal.
        """
        return await self._say(principal, fact_id, Standing.REJECTED)

    async def _say(self, principal: Principal, fact_id: UUID, standing: Standing) -> Memory:
        require(principal, Permission.WRITE)
        now = self._clock.now()
        async with self._storage.transaction(principal) as tx:
            fact, known = await _lock(tx, principal, fact_id)
            trust = max(fact.trust, TRUSTED[principal.role])
            said = replace(fact, standing=standing, trust=trust)
            if standing is Standing.CONFIRMED:
                until = None if fact.superseded_by else fact.valid_to  # it may have been told with its end
                source = {**fact.source, "decided": now.isoformat()}
                said = replace(said, confidence=1.0, valid_to=until, source=source)
                said = replace(said, superseded_at=None, superseded_by=None)
            else:
                said = replace(said, superseded_at=now, superseded_by=None)
            await _settle(tx, said, known)
            if standing is Standing.REJECTED:
                await tx.reopen_sessions(fact.evidence, None)  # a summary may say so
            return (await tx.memories([fact_id]))[fact_id]

    async def edit_fact(self, principal: Principal, fact_id: UUID, edit: Edit) -> Memory:
        """Put a fact right: a new one takes its place, confirmed, and the old one was never so.

        Raises:
            NotFound: there is no such fact, for this principal.
            Invalid: nothing is changed, or the old sentence does not hold the old value.
        """
        require(principal, Permission.WRITE)
        check_times(valid_from=edit.valid_from)
        for _ in range(ATTEMPTS):
            async with self._storage.transaction(principal) as tx:
                old = _fact((await tx.memories([fact_id])).get(fact_id))
                vocabulary = self._vocabulary(await tx.packs())
            new = _edited(old, edit, TRUSTED[principal.role], self._clock.now())
            model, (indexed,) = await index_notes([Text(new.content, new.valid_from)], self._embeddings)
            graph = link(Extraction(), [new], Conversation((), user_id=new.user_id, vocabulary=vocabulary))
            names_model, vectors = await self._embeddings.embed(graph.names)
            try:
                async with self._storage.transaction(principal) as tx:
                    stands, known = await _lock(tx, principal, fact_id)
                    if stands != old:
                        continue
                    gone = replace(
                        old, standing=Standing.REJECTED, superseded_at=new.recorded_at, superseded_by=new.id
                    )
                    await tx.insert_memories([(new, indexed)], model)
                    await _settle(tx, gone, [*known, new])
                    await tx.put_graph(graph, vectors, names_model)
                    await tx.reopen_sessions(old.evidence, None)
                    return new
            except ModelRetired:
                await self._embeddings.refresh()
        raise Busy("Others kept changing this fact.")


def _edited(old: Memory, edit: Edit, trust: Trust, now: datetime) -> Memory:
    """The fact as it is said to be."""
    assert old.claim
    claim = old.claim if edit.value is None else replace(old.claim, value=_checked(edit.value))
    if edit == Edit():
        raise Invalid("Nothing is changed.", hint="Give value, content or valid_from.")
    content = edit.content
    if content is None:
        content = old.content.replace(old.claim.value, claim.value)
        if claim != old.claim and content == old.content:
            raise Invalid("The fact's sentence does not hold its value.", hint="Give `content`: a new one.")
    check_content(content, "content")
    return replace(
        old,
        id=uuid7(),
        content=content,
        trust=trust,
        valid_from=edit.valid_from or old.valid_from,
        valid_to=None if old.superseded_by else old.valid_to,
        recorded_at=now,
        superseded_at=None,
        superseded_by=None,
        confidence=1.0,
        source={},
        claim=claim,
        standing=Standing.CONFIRMED,
    )


def _checked(value: str) -> str:
    if not 0 < len(check_text(value, "value").strip()) <= LONGEST_VALUE:
        raise Invalid(f"value must have 1 to {LONGEST_VALUE} characters.")
    return value


def _fact(memory: Memory | None) -> Memory:
    if memory is None or memory.claim is None:
        raise NotFound("There is no such fact, or this credential may not see it.")
    return memory


def _alike(fact: Memory, known: Sequence[Memory]) -> list[Memory]:
    """The facts of the same subject and attribute."""
    assert fact.claim
    key = (fact.claim.subject, fact.claim.attribute)
    return [one for one in known if one.claim and (one.claim.subject, one.claim.attribute) == key]


async def _lock(tx: Transaction, principal: Principal, fact_id: UUID) -> tuple[Memory, list[Memory]]:
    """The fact, and all that are known of its person, nobody else's to settle until the transaction ends."""
    fact = _fact((await tx.memories([fact_id])).get(fact_id))
    if fact.user_id is None:
        require_staff(principal)
    if not await tx.lock_person(fact.user_id):
        raise NotFound("There is no such fact, or this credential may not see it.")
    known = await tx.facts_of(fact.user_id)
    return _fact(next((one for one in known if one.id == fact_id), None)), known


async def _settle(tx: Transaction, said: Memory, known: Sequence[Memory]) -> None:
    """Write what was said of a fact, and what becomes of the others by it."""
    await tx.settle_facts([said])
    facts = [*(one for one in known if one.id != said.id), said]
    await write_settled(tx, await asyncio.to_thread(resolve, facts, ()))
