"""How far what was said is understood: what is behind, what was given up, and another try for it."""

from __future__ import annotations

from recollect.core.access import require, require_staff
from recollect.core.bounds import check_id
from recollect.core.errors import NotFound
from recollect.core.model import Lag, ParkedJob, Permission, Principal
from recollect.core.ports import Clock, Storage

LAST_JOB = 2**63 - 1
"""Above the id of every job: the start of a list of the parked ones."""


class Progress:
    """What can be asked and done about a tenant's jobs."""

    def __init__(self, storage: Storage, clock: Clock) -> None:
        self._storage = storage
        self._clock = clock

    async def lag(self, principal: Principal) -> Lag:
        """What is not understood yet, and the state of the jobs that are to do it.

        Raises:
            Forbidden: the principal is one person, or may not read.
        """
        require(principal, Permission.READ)
        require_staff(principal)
        async with self._storage.transaction(principal) as tx:
            sessions, messages, since = await tx.backlog()
            jobs = await tx.job_counts()
        age = max((self._clock.now() - since).total_seconds(), 0.0) if since else None
        return Lag(sessions, messages, age, jobs)

    async def understand_soon(self, principal: Principal, session_id: str) -> bool:
        """Have a session understood next, in the background; False: all of it is understood.

        Raises:
            NotFound: there is no such session, for this principal.
        """
        require(principal, Permission.WRITE)
        check_id(session_id, "session_id")
        async with self._storage.transaction(principal) as tx:
            if await tx.session(session_id) is None:
                raise NotFound
            return await tx.enqueue_now(session_id)

    async def parked_jobs(
        self, principal: Principal, *, before: int = LAST_JOB, limit: int = 50
    ) -> list[ParkedJob]:
        """The jobs that were given up, those parked last first.

        Raises:
            Forbidden: as `lag`.
        """
        require(principal, Permission.READ)
        require_staff(principal)
        async with self._storage.transaction(principal) as tx:
            return await tx.parked_jobs(before=before, limit=limit)

    async def retry_job(self, principal: Principal, job_id: int) -> None:
        """Let a job that was given up be tried again, from the start.

        Raises:
            NotFound: there is no such parked job.
            Forbidden: the principal is one person, or may not write.
        """
        require(principal, Permission.WRITE)
        require_staff(principal)
        async with self._storage.transaction(principal) as tx:
            if not await tx.retry_parked(job_id):
                raise NotFound

    async def retry_jobs(self, principal: Principal) -> int:
        """The same for all of them, and a job for each session that is behind without one; how many."""
        require(principal, Permission.WRITE)
        require_staff(principal)
        async with self._storage.transaction(principal) as tx:
            return await tx.retry_parked(None) + await tx.enqueue_behind()
