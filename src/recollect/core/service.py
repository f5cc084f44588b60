"""Remember, recall, context, forget: what Recollect does, over its ports."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from uuid import UUID

from recollect.core.briefing import Briefings
from recollect.core.consolidate.consolidation import Consolidator
from recollect.core.embeddings import Embeddings
from recollect.core.errors import RecollectError
from recollect.core.facts import Facts
from recollect.core.graph import NewEntity
from recollect.core.insights import Insights
from recollect.core.model import Entity, Forgotten, Note, Principal, Remembered, Turns
from recollect.core.packs import Packs
from recollect.core.ports import Clock, Storage
from recollect.core.progress import Progress
from recollect.core.reading import Reader
from recollect.core.recommending import Recommendations
from recollect.core.relator import Relator
from recollect.core.statistics import Statistics
from recollect.core.summaries import Summaries
from recollect.core.writing import DEBOUNCE, Writer


class Service(Writer, Briefings, Relator, Facts, Insights, Recommendations, Statistics, Progress):
    """Everything a principal can do. What it knows is in the storage; what it holds itself may be lost.

    `packs`: what is installed, and for whom it is turned on.
    """

    def __init__(  # noqa: PLR0913 - all that it works with
        self,
        storage: Storage,
        embeddings: Embeddings,
        clock: Clock,
        *,
        debounce: float = DEBOUNCE,
        consolidator: Consolidator | None = None,
        packs: Packs | None = None,
    ) -> None:
        self.packs = packs or Packs(storage)
        Writer.__init__(self, storage, embeddings, clock, debounce)
        Reader.__init__(self, storage, embeddings, clock)
        Facts.__init__(self, storage, embeddings, clock, self.packs.vocabulary)
        Relator.__init__(self, storage, embeddings, clock)
        Summaries.__init__(self, storage, clock)
        Insights.__init__(self, storage, clock)
        Recommendations.__init__(self, storage, clock)
        Statistics.__init__(self, storage, clock, self.uses)
        Progress.__init__(self, storage, clock)
        self._consolidator = consolidator or Consolidator(
            storage, embeddings, vocabulary=self.packs.vocabulary
        )

    async def remember(
        self,
        principal: Principal,
        turns: Turns,
        *,
        idempotency_key: str | None = None,
        wait: float | None = None,
    ) -> Remembered:
        """Keep the next turns of a session, as `Writer.remember` does; durable before this returns.

        With `wait`, they are also understood then, or so many seconds are over: `consolidated` says which.
        """
        done = await super().remember(principal, turns, idempotency_key=idempotency_key)
        if wait is None:
            return done
        return replace(done, consolidated=await self.understood(principal, turns.session_id, wait))

    async def add_entity(self, principal: Principal, new: NewEntity) -> Entity:
        """Make an entity, as `Relator.add_entity` does; an item must be as its pack has it.

        Raises:
            Invalid: it is not.
        """
        await self.packs.check_items(principal, [new])
        return await super().add_entity(principal, new)

    async def put_entities(self, principal: Principal, news: Sequence[NewEntity]) -> list[Entity]:
        """Make entities, or add to them, as `Relator.put_entities` does; items are as their packs have them.

        Raises:
            Invalid: one is not.
        """
        await self.packs.check_items(principal, news)
        return await super().put_entities(principal, news)

    async def change_entity(self, principal: Principal, id_: UUID, changes: Mapping[str, Any]) -> Entity:
        """Put an entity right, as `Relator.change_entity` does; an item stays as its pack has it.

        Raises:
            Invalid: it would not be.
        """
        if not changes.keys().isdisjoint({"kind", "attributes"}):
            before = (await self.entity(principal, id_)).entity
            after = replace(before, **changes)
            new = NewEntity(after.name, after.kind, attributes=after.attributes)
            await self.packs.check_items(principal, [new])
        return await super().change_entity(principal, id_, changes)

    async def _lasting(self, principal: Principal, notes: Sequence[Note]) -> Sequence[Note]:
        """The notes; each that has no end, and is not pinned, with the end that a pack gives it."""
        if all(note.expires_at or note.lasts or note.pinned for note in notes):
            return notes
        lasts = await self.packs.retention(principal)
        return [
            note
            if note.expires_at or note.lasts or note.pinned
            else replace(note, lasts=lasts.get(note.kind))
            for note in notes
        ]

    async def understood(self, principal: Principal, session_id: str, seconds: float) -> bool:
        """Understand the session now, here, whatever its job waits for; False: not within these seconds.

        Its job stays in the queue. It finds nothing to do, or does what this did not get done.
        """
        async with self._storage.transaction(principal) as tx:
            key = await tx.session_key(session_id)
        if key is None:
            return True
        try:
            async with asyncio.timeout(seconds):
                await self._consolidator.consolidate(principal.tenant_id, key)
        except (TimeoutError, RecollectError):
            return False
        return True

    async def forget_user(self, principal: Principal, user_id: str) -> Forgotten:
        """Delete a person and everything that is remembered of them, here too; of an unknown one, nothing.

        Raises:
            Forbidden: it is another person, or something of it is above the principal's own role.
        """
        gone = await super().forget_user(principal, user_id)
        self._heard.forget((principal.tenant_id, user_id))
        return gone
