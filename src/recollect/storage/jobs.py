"""The queue of jobs, as a tenant sees it."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

from recollect.core.model import JobCounts, ParkedJob
from recollect.storage.rows import Rows


class JobRows(Rows):
    """The table `jobs.procrastinate_jobs`, and how far sessions are understood."""

    async def enqueue_behind(self) -> int:
        """Make a job for each session that is behind and has none; how many there were."""
        return await self._run("enqueue_behind", due_in=0.0)

    async def enqueue_now(self, session_id: str) -> bool:
        """Have the session understood next; False: there is nothing of it that is not."""
        return bool(await self._run("enqueue_now", session_id=session_id, due_in=0.0))

    async def backlog(self) -> tuple[int, int, datetime | None]:
        """How many sessions are behind, by how many turns, and when the oldest of those was recorded."""
        row = await self._one("backlog")
        assert row
        return row["sessions"], row["messages"], row["since"]

    async def job_counts(self) -> JobCounts:
        """The tenant's jobs by their state."""
        return JobCounts(**await self._one("job_counts") or {})

    async def parked_jobs(self, *, before: int, limit: int) -> list[ParkedJob]:
        """The jobs that were given up, those parked last first, below an id."""
        return [ParkedJob(**row) for row in await self._all("parked_jobs", before=before, limit=limit)]

    async def retry_parked(self, job_id: int | None) -> int:
        """Let a parked job, or with None all of them, be tried from the start; how many those were."""
        return await self._run("retry_parked", id=job_id)

    async def park_reason(self, job_id: int, reason: str) -> None:
        """Note why a job did not go well."""
        await self._run("note_failure", id=job_id, reason=reason)

    async def clear_parked(self, session_key: UUID, job_id: int) -> None:
        """Delete the session's parked jobs but this one."""
        await self._run("delete_parked", session_key=session_key, id=job_id)

    async def session_key(self, session_id: str) -> UUID | None:
        """What a job knows the session by, if it is there."""
        row = await self._one("session_key", session_id=session_id)
        return row["key"] if row else None

    async def tidy(self, *, days: int, again_in: float) -> None:
        """Delete requests of so many days ago, and parked jobs of nothing; while any are left, come again."""
        await self._run("delete_old_requests", days=days)
        await self._run("delete_lost_jobs")
        if await self._one("has_requests") is not None:
            await self._run("enqueue_tidying", due_in=again_in)
