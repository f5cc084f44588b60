"""How far what was said is understood, and the jobs that were given up."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Self, TypeAlias

from fastapi import APIRouter, Path, Query
from pydantic import Field
from starlette.responses import Response

from recollect.core import model
from recollect.core.errors import InvalidCursor
from recollect.core.progress import LAST_JOB
from recollect.interfaces.http import answers
from recollect.interfaces.http.calls import Asked
from recollect.interfaces.http.requests import PageRequest, Shape, shown

JobId: TypeAlias = Annotated[int, Path(description="The job's id, as a list gave it.", ge=1, le=LAST_JOB)]

router = APIRouter(prefix="/v1/jobs", tags=["jobs"])

_LAG: dict[str, Any] = {
    "sessions_behind": 2,
    "messages_behind": 7,
    "oldest_seconds": 1.8,
    "waiting": 1,
    "running": 1,
    "retrying": 0,
    "parked": 0,
}
_PARKED: dict[str, Any] = {
    "id": 4711,
    "session_id": "s1",
    "user_id": "customer-17",
    "attempts": 5,
    "reason": "StorageUnavailable: PostgreSQL does not answer.",
    "failed_at": "2026-03-02T12:00:00Z",
}


class Waiting(Shape):
    """Whether the answer comes when what was said is understood."""

    wait: bool = Field(
        False,
        description="Understand the messages before answering; `consolidated` tells whether that went well.",
    )
    wait_seconds: float = Field(10, gt=0, le=50, description="How long to wait for that at most.")

    @property
    def seconds(self) -> float | None:
        """How long to wait; None: not at all."""
        return self.wait_seconds if self.wait else None


class Lag(answers.Answer):
    """How far the understanding of a tenant's sessions is behind, and its jobs."""

    model_config = shown(_LAG)

    sessions_behind: int = Field(description="Sessions with messages that are not understood yet.")
    messages_behind: int = Field(description="So many messages.")
    oldest_seconds: float | None = Field(description="The age of the oldest of them; null: there is none.")
    waiting: int = Field(description="Jobs that were not tried yet.")
    running: int = Field(description="Jobs under way.")
    retrying: int = Field(description="Jobs that failed, and are tried again.")
    parked: int = Field(description="Jobs that failed again and again, and wait for somebody.")

    @classmethod
    def of(cls, lag: model.Lag) -> Self:
        """As the core has it."""
        return cls(
            sessions_behind=lag.sessions,
            messages_behind=lag.messages,
            oldest_seconds=lag.oldest_seconds,
            waiting=lag.jobs.waiting,
            running=lag.jobs.running,
            retrying=lag.jobs.retrying,
            parked=lag.jobs.parked,
        )


class ParkedJob(answers.Answer):
    """A job that was given up."""

    model_config = shown(_PARKED)

    id: int = Field(description="Its id.")
    session_id: str = Field(description="The session that it is to understand.")
    user_id: str | None = Field(description="Whose session that is; null: the tenant shares it.")
    attempts: int = Field(description="How often it was tried.")
    reason: str = Field(description="What kept it from going well the last time.")
    failed_at: datetime | None = Field(description="When that was.")

    @classmethod
    def of(cls, job: model.ParkedJob) -> Self:
        """As the core has it."""
        return cls(
            id=job.id,
            session_id=job.session_id,
            user_id=job.user_id,
            attempts=job.attempts,
            reason=job.reason,
            failed_at=job.failed_at,
        )


class ParkedJobPage(answers.Answer):
    """A page of jobs that were given up, the newest first."""

    model_config = shown({"jobs": [_PARKED], "next_cursor": None})

    jobs: list[ParkedJob] = Field(description="The page, of at most `limit`.")
    next_cursor: str | None = Field(description="For the next page; null: this is the last.")


class Retried(answers.Answer):
    """What is tried again."""

    model_config = shown({"jobs": 1})

    jobs: int = Field(description="So many jobs.")


def _before(cursor: str | None) -> int:
    if cursor is None:
        return LAST_JOB
    if not (cursor.isascii() and cursor.isdecimal() and int(cursor) <= LAST_JOB):
        raise InvalidCursor
    return int(cursor)


@router.get("", response_model=Lag)
async def get_lag(asked: Asked) -> Response:
    """How far the understanding of what was said is behind, and how many jobs there are to catch up."""
    return Lag.of(await asked.service.lag(asked.principal)).send()


@router.get("/parked", response_model=ParkedJobPage)
async def list_parked_jobs(asked: Asked, wanted: Annotated[PageRequest, Query()]) -> Response:
    """The jobs that failed again and again, with the reason; one for a session."""
    found = await asked.service.parked_jobs(
        asked.principal, before=_before(wanted.cursor), limit=wanted.limit + 1
    )
    page = found[: wanted.limit]
    more = str(page[-1].id) if len(found) > wanted.limit else None
    return ParkedJobPage(jobs=[ParkedJob.of(job) for job in page], next_cursor=more).send()


@router.post("/{job_id}/retry", response_model=Retried)
async def retry_job(asked: Asked, job_id: JobId) -> Response:
    """Try a parked job again, from the start."""
    await asked.service.retry_job(asked.principal, job_id)
    return Retried(jobs=1).send()


@router.post("/retry", response_model=Retried)
async def retry_jobs(asked: Asked) -> Response:
    """Try all parked jobs again, and understand every session that is behind and has no job."""
    return Retried(jobs=await asked.service.retry_jobs(asked.principal)).send()
