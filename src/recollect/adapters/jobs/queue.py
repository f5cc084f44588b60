"""The queue of jobs as a worker has it, over procrastinate.

Jobs are found when they are due, tried, put back, given up, and taken from workers that died. A worker's
connections are outside of every tenant: they see jobs, and nothing else. What a job does is done inside its
tenant, by whoever is given it.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from procrastinate import App, PsycopgConnector, exceptions, jobs, retry
from procrastinate.job_context import JobContext
from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool

from recollect.core.ports import Job, Work

log = logging.getLogger(__name__)

QUEUE = "recollect"
TASKS = ("consolidate", "tidy")


@dataclass(frozen=True, slots=True)
class Pace:
    """How a worker goes about it; all times in seconds.

    `poll`: between two looks for jobs that are due. `tries`: of a job, before it is given up. `backoff`:
    before the second try; four times as long before each further one. `heartbeat`: between two signs of life;
    a worker without one for `stalled` is dead, and its jobs are taken from it. `grace`: what a job under way
    has to end when the worker is stopped; then it is put back.
    """

    poll: float = 1.0
    tries: int = 5
    backoff: float = 2.0
    heartbeat: float = 5.0
    stalled: float = 20.0
    grace: float = 10.0

    def pause(self, attempts: int) -> float:
        """Before the next try of a job that was tried so many times before the one that just failed.

        >>> [Pace().pause(attempts) for attempts in range(4)]
        [2.0, 8.0, 32.0, 128.0]
        """
        return self.backoff * 4.0**attempts


class _Retry(retry.BaseRetryStrategy):
    """When to try a job again that failed, or that was interrupted by the worker's end."""

    def __init__(self, pace: Pace) -> None:
        self._pace = pace

    def get_retry_decision(self, *, exception: BaseException, job: jobs.Job) -> retry.RetryDecision | None:
        now = datetime.now(UTC)
        if isinstance(exception, asyncio.CancelledError | exceptions.JobAborted):
            return retry.RetryDecision(retry_at=now)
        if job.attempts + 1 >= self._pace.tries:
            return None
        # Below what is new: a job that waits for its next try keeps nobody with the same lock waiting.
        pause = timedelta(seconds=self._pace.pause(job.attempts))
        return retry.RetryDecision(retry_at=now + pause, priority=-job.attempts - 1)


@dataclass(slots=True)
class _Shift:
    """One worker's jobs: which of them are under way, and as whom it took them."""

    work: Work
    pace: Pace
    running: set[int] = field(default_factory=set)
    workers: set[int] = field(default_factory=set)
    strays: set[int] = field(default_factory=set)

    async def run(self, context: JobContext) -> None:
        """Do the job of the context; the last try of one that fails parks it."""
        job = _job(context.job)
        self.running.add(job.id)
        if context.job.worker_id:
            self.workers.add(context.job.worker_id)
        try:
            await self.work.do(job)
        except Exception:
            if job.attempt >= self.pace.tries:
                await self.work.give_up(job, None)
            raise
        finally:
            self.running.discard(job.id)

    def lost(self, doing: Iterable[jobs.Job], stalled: Iterable[jobs.Job]) -> list[jobs.Job]:
        """Jobs that nobody does: of dead workers, and our own that ended while the database was away.

        One of ours is lost when it is seen so twice: the first time it may be about to be put away.
        """
        ours = {job.id: job for job in doing if job.worker_id in self.workers and job.id not in self.running}
        lost = {job.id: job for job in stalled if job.id not in self.running}
        lost |= {id_: job for id_, job in ours.items() if id_ in self.strays}
        self.strays = {id_ for id_ in ours if id_ is not None}
        return list(lost.values())


def _job(job: jobs.Job) -> Job:
    assert job.id is not None
    key = job.task_kwargs.get("session_key")
    return Job(
        job.id, UUID(str(job.task_kwargs["tenant_id"])), UUID(str(key)) if key else None, job.attempts + 1
    )


class PostgresJobs:
    """The queue, at the application's URL."""

    def __init__(self, url: str, pace: Pace = Pace()) -> None:
        self._url = url
        self._pace = pace

    async def work(self, work: Work, *, concurrency: int = 1) -> None:
        """Do jobs as they fall due, so many at once, until cancelled.

        A job under way is then finished or put back. While the database is away, it is waited for.
        """
        async with self._open(work) as (app, shift), _beside(self._rescue(app, shift)):
            while True:
                await self._run(app, concurrency, wait=True)
                await asyncio.sleep(self._pace.poll)

    async def drain(self, work: Work, *, concurrency: int = 1) -> None:
        """Do all jobs that are due, and wait for those that others do."""
        async with self._open(work) as (app, shift), _beside(self._rescue(app, shift)):
            while await _due(app):
                await self._run(app, concurrency, wait=False)

    @asynccontextmanager
    async def _open(self, work: Work) -> AsyncIterator[tuple[App, _Shift]]:
        connector = PsycopgConnector()
        app, shift = App(connector=connector), _Shift(work, self._pace)
        for name in TASKS:
            app.task(name=name, queue=QUEUE, retry=_Retry(self._pace), pass_context=True)(_task(shift))
        pool: AsyncConnectionPool[Any] = AsyncConnectionPool(
            self._url,
            min_size=1,
            max_size=2,
            timeout=10,
            kwargs={"autocommit": True},
            configure=_configure,
            check=AsyncConnectionPool.check_connection,
            reconnect_timeout=2,
            open=False,
        )
        async with pool:
            await connector.open_async(pool)
            yield app, shift

    async def _run(self, app: App, concurrency: int, *, wait: bool) -> None:
        """The library's own worker, until it is cancelled or stumbles over the database."""
        running = asyncio.ensure_future(
            app.run_worker_async(
                queues=[QUEUE],
                concurrency=concurrency,
                wait=wait,
                fetch_job_polling_interval=self._pace.poll,
                listen_notify=False,
                delete_jobs="successful",
                install_signal_handlers=False,
                update_heartbeat_interval=self._pace.heartbeat,
                stalled_worker_timeout=self._pace.stalled,
                shutdown_graceful_timeout=self._pace.grace,
            )
        )
        try:
            await asyncio.shield(running)
        except asyncio.CancelledError:
            running.cancel()
            await asyncio.gather(running, return_exceptions=True)
            raise
        except exceptions.ConnectorException as error:
            log.info("The worker begins again: %s", type(error.__cause__ or error).__name__)

    async def _rescue(self, app: App, shift: _Shift) -> None:
        """Put back jobs that nobody does any more, again and again."""
        while True:
            await asyncio.sleep(self._pace.heartbeat)
            with contextlib.suppress(exceptions.ConnectorException):
                doing = await app.job_manager.list_jobs_async(queue=QUEUE, status="doing")
                stalled = await app.job_manager.get_stalled_jobs(
                    queue=QUEUE, seconds_since_heartbeat=self._pace.stalled
                )
                for job in shift.lost(doing, stalled):
                    await self._put_back(app, shift, job)

    async def _put_back(self, app: App, shift: _Shift, job: jobs.Job) -> None:
        """Give a lost job another try, or give it up: it may be what its workers died of."""
        if job.attempts + 1 < self._pace.tries:
            await app.job_manager.retry_job(job, retry_at=datetime.now(UTC))
            return
        await app.job_manager.finish_job(job, jobs.Status.FAILED, delete_job=False)
        await shift.work.give_up(_job(job), "The worker died while it did this, again and again.")


def _task(shift: _Shift) -> Any:
    async def run(context: JobContext, **_: Any) -> None:
        await shift.run(context)

    return run


async def _configure(connection: AsyncConnection[Any]) -> None:
    await connection.execute("SET search_path = jobs")


async def _due(app: App) -> bool:
    """Whether a job is due or under way."""
    now = datetime.now(UTC)
    waiting = await app.job_manager.list_jobs_async(queue=QUEUE, status="todo")
    if any(job.scheduled_at is None or job.scheduled_at <= now for job in waiting):
        return True
    return any(await app.job_manager.list_jobs_async(queue=QUEUE, status="doing"))


@asynccontextmanager
async def _beside(coroutine: Any) -> AsyncIterator[None]:
    """Run something while the block runs."""
    task = asyncio.ensure_future(coroutine)
    try:
        yield
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
