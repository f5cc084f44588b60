"""The worker: what is done for each job of the queue."""

from __future__ import annotations

import logging
from contextlib import suppress

from recollect.core.consolidate.consolidation import Consolidator
from recollect.core.errors import RecollectError
from recollect.core.model import Principal
from recollect.core.ports import Job, Storage

log = logging.getLogger(__name__)
DAY = 86_400.0


class Worker:
    """Does jobs, each inside its tenant. `keep_days`: so long a request's idempotency key is kept."""

    def __init__(self, storage: Storage, consolidator: Consolidator, *, keep_days: int) -> None:
        self._storage = storage
        self._consolidator = consolidator
        self._keep_days = keep_days

    async def do(self, job: Job) -> None:
        """Do a job; of a session that is gone, nothing. What keeps it from that is noted, and raised."""
        try:
            if job.session_key is None:
                await self._tidy(job)
            else:
                await self._consolidator.consolidate(job.tenant_id, job.session_key)
        except Exception as error:
            await self._note(job, _reason(error))
            raise
        await self._clear(job)

    async def give_up(self, job: Job, reason: str | None) -> None:
        """A job is parked; `reason`: why, unless `do` has raised it."""
        await self._clear(job)
        if reason:
            await self._note(job, reason)
        log.warning("Job %d is parked after %d tries: `recollect jobs parked`.", job.id, job.attempt)

    async def _tidy(self, job: Job) -> None:
        async with self._storage.transaction(_in(job)) as tx:
            await tx.tidy(days=self._keep_days, again_in=DAY)

    async def _note(self, job: Job, reason: str) -> None:
        # While the database is away there is nobody to note it, and what is to be raised says so already.
        with suppress(RecollectError):
            async with self._storage.transaction(_in(job)) as tx:
                await tx.park_reason(job.id, reason)

    async def _clear(self, job: Job) -> None:
        """Of a session there is one parked job at most, and none once it is understood."""
        if job.session_key:
            async with self._storage.transaction(_in(job)) as tx:
                await tx.clear_parked(job.session_key, job.id)


def _in(job: Job) -> Principal:
    return Principal(job.tenant_id, subject="worker")


def _reason(error: Exception) -> str:
    """Why it failed. Other people's messages may quote what is remembered: of them only the type is told."""
    told = str(error) if isinstance(error, RecollectError) else "unexpected; the worker's log has more."
    return f"{type(error).__name__}: {told}"
