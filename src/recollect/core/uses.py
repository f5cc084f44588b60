"""How often each memory is recalled: noted as it happens, and written down later."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from contextlib import suppress
from uuid import UUID

from recollect.core.errors import RecollectError, StorageUnavailable
from recollect.core.model import Memory, Principal
from recollect.core.ports import Clock, Storage

log = logging.getLogger(__name__)

MOST_NOTED = 50_000
MOST_OF_ONE = 10_000
"""Of more memories than these, in all and of one tenant, no use is noted until some are written down."""


class Uses:
    """Counts what is recalled. Nobody who asks waits for it; what was noted last may be lost."""

    def __init__(self, storage: Storage, clock: Clock) -> None:
        self._storage = storage
        self._clock = clock
        self._noted: defaultdict[UUID, Counter[UUID]] = defaultdict(Counter)
        self._size = 0
        self._flushing = asyncio.Lock()
        self._half_full = asyncio.Event()

    def note(self, principal: Principal, memories: Iterable[Memory]) -> None:
        """These were recalled once more."""
        before = self._is_half_full(principal.tenant_id)
        self._add(principal.tenant_id, {memory.id: 1 for memory in memories})
        # Only when it becomes so: while nothing can be written, it is not tried with each use.
        if not before and self._is_half_full(principal.tenant_id):
            self._half_full.set()

    def _is_half_full(self, tenant_id: UUID) -> bool:
        return 2 * self._size >= MOST_NOTED or 2 * len(self._noted[tenant_id]) >= MOST_OF_ONE

    def _add(self, tenant_id: UUID, uses: Mapping[UUID, int]) -> None:
        noted = self._noted[tenant_id]
        for id_, count in uses.items():
            if id_ in noted:
                noted[id_] += count
            elif self._size < MOST_NOTED and len(noted) < MOST_OF_ONE:
                noted[id_] = count
                self._size += 1

    async def flush(self, tenant_id: UUID | None = None) -> None:
        """Write down what was noted, of a tenant or of all; what cannot be written is kept for the next."""
        async with self._flushing:
            for each in [tenant_id] if tenant_id else list(self._noted):
                await self._write(each)

    async def _write(self, tenant_id: UUID) -> None:
        noted = self._noted.pop(tenant_id, None)
        if not noted:
            return
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
        """Write down what was noted, every `interval` seconds, or as soon as it is much, until cancelled."""
        while True:
            with suppress(TimeoutError):
                async with asyncio.timeout(interval):
                    await self._half_full.wait()
            self._half_full.clear()
            await self.flush()
