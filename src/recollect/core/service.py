"""Remember, recall, context, forget: what Recollect does, over its ports."""

from __future__ import annotations

import asyncio
from dataclasses import replace

from recollect.core.answers import Answers
from recollect.core.consolidate.consolidation import Consolidator
from recollect.core.embeddings import Embeddings
from recollect.core.errors import RecollectError
from recollect.core.facts import Facts
from recollect.core.graph import Relator
from recollect.core.model import Forgotten, Principal, Remembered, Turns
from recollect.core.ports import Clock, Storage
from recollect.core.progress import Progress
from recollect.core.reading import Reader
from recollect.core.summaries import Summaries
from recollect.core.writing import DEBOUNCE, Writer


class Service(Writer, Answers, Facts, Relator, Progress):
    """Everything a principal can do. What it knows is in the storage; what it holds itself may be lost."""

    def __init__(
        self,
        storage: Storage,
        embeddings: Embeddings,
        clock: Clock,
        *,
        debounce: float = DEBOUNCE,
        consolidator: Consolidator | None = None,
    ) -> None:
        Writer.__init__(self, storage, embeddings, clock, debounce)
        Reader.__init__(self, storage, embeddings, clock)
        Facts.__init__(self, storage, embeddings, clock)
        Relator.__init__(self, storage, embeddings, clock)
        Summaries.__init__(self, storage, clock)
        Progress.__init__(self, storage, clock)
        self._consolidator = consolidator or Consolidator(storage, embeddings)

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
