"""How often each memory is recalled: noted as it happens, and written down later."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from uuid import UUID

from recollect.core.errors import RecollectError, StorageUnavailable
from recollect.core.model import Memory, Principal
from recollect.core.ports import Clock, Storage

log = logging.getLogger(__name__)

MOST_NOTED = 50_000
"""Of more memories than these no use is noted until some are written down."""


class Uses:
    """Counts what is recalled. Nobody who asks waits for it; what was noted last may be lost."""

    def __init__(self, storage: Storage, clock: Clock) -> None:
        self._storage = storage
        self._clock = clock
        self._noted: defaultdict[UUID, Counter[UUID]] = defaultdict(Counter)
        self._size = 0
        self._flushing = asyncio.Lock()

    def note(self, principal: Principal, memories: Iterable[Memory]) -> None:
        """These were recalled once more."""
        self._add(principal.tenant_id, {memory.id: 1 for memory in memories})

    def _add(self, tenant_id: UUID, uses: Mapping[UUID, int]) -> None:
        noted = self._noted[tenant_id]
        for id_, count in uses.items():
            if id_ in noted:
                noted[id_] += count
            elif self._size < MOST_NOTED:
                noted[id_] = count
                self._size += 1

    async def flush(self) -> None:
        """Write down what was noted; what cannot be written is kept for the next time."""
        async with self._flushing:
            for tenant_id in list(self._noted):
                await self._write(tenant_id)

    async def _write(self, tenant_id: UUID) -> None:
        noted = self._noted.pop(tenant_id)
        self._size -= len(noted)
        written = False
        try:
            async with self._storage.transaction(Principal(tenant_id, "uses")) as tx:
                await tx.put_accesses(noted, self._clock.now())
            written = True
        except StorageUnavailable:
            pass  # the storage tells of it, once
        except RecollectError as error:
            log.warning("What was recalled cannot be counted yet: %s", error)
        finally:
            if not written:
                self._add(tenant_id, noted)

    async def follow(self, interval: float) -> None:
        """Write down what was noted, every `interval` seconds, until cancelled."""
        while True:
            await asyncio.sleep(interval)
            await self.flush()
