"""The queue: a job goes with its write, each tenant sees its own, what fails is tried again and parked."""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any
from uuid import UUID

import psycopg
import pytest
from procrastinate.exceptions import ConnectorException
from testbed import Bed, Database, Production

from recollect.adapters.jobs.queue import Pace, PostgresJobs
from recollect.core.consolidate.consolidation import Consolidator
from recollect.core.errors import Busy, Forbidden, Misconfigured, NotFound, SchemaOutdated
from recollect.core.model import JobCounts, Message, Permission, Principal, Role, Turns, tenant_id_of
from recollect.interfaces.worker import Worker
from recollect.storage.migrate import migrate
from recollect.storage.pool import PostgresStorage

pytestmark = pytest.mark.anyio

QUICK = Pace(poll=0.02, tries=3, backoff=0.01, heartbeat=0.1, stalled=10, grace=5)
JOBS = "SELECT task_name, status::text, attempts, queueing_lock FROM jobs.procrastinate_jobs ORDER BY id"
BEHIND = "SELECT count(*) FROM sessions WHERE consolidated_seq < last_seq"
SECRET = "a secret that was remembered"


class Troubled(Consolidator):
    """The real one; before it begins, it waits at a gate, and fails as it is told."""

    def __init__(self, bed: Bed, *faults: Exception, always: Exception | None = None) -> None:
        super().__init__(bed.storage, bed.embeddings)
        self.faults = list(faults)
        self.always = always
        self.gate = asyncio.Event()
        self.gate.set()
        self.begun: list[UUID] = []

    async def consolidate(self, tenant_id: UUID, key: UUID) -> None:
        """Understand the session, unless something keeps it from that."""
        self.begun.append(key)
        await self.gate.wait()
        if fault := self.always or (self.faults.pop(0) if self.faults else None):
            raise fault
        await super().consolidate(tenant_id, key)


@asynccontextmanager
async def working(bed: Bed, consolidator: Consolidator, pace: Pace = QUICK) -> AsyncIterator[None]:
    """A worker at its work while the block runs."""
    worker = Worker(bed.storage, consolidator, keep_days=7)
    task = asyncio.create_task(PostgresJobs(bed.database.url, pace).work(worker, concurrency=4))
    try:
        yield
    finally:
        task.cancel()
        (ended,) = await asyncio.gather(task, return_exceptions=True)
        assert isinstance(ended, asyncio.CancelledError)


async def until(state: Callable[[], Any]) -> None:
    """Wait until it is so; fail if it never is."""
    async with asyncio.timeout(30):
        while not state():  # noqa: ASYNC110 - the state is the database's
            await asyncio.sleep(0.02)


@pytest.fixture
async def loft(bed: Bed) -> Principal:
    """The owner of a tenant."""
    return await bed.tenant("loft")


async def say(bed: Bed, who: Principal, session: str = "s1", user: str | None = "ann", n: int = 1) -> None:
    """Say so many things in a session."""
    messages = [Message(f"I live in place number {place}.") for place in range(n)]
    await bed.service.remember(who, Turns(session, messages, user))


async def hasten(database: Database) -> None:
    """Time passes: whatever waits is due."""
    # In a thread: a worker of this very process may hold a row that this waits for.
    change = "UPDATE jobs.procrastinate_jobs SET scheduled_at = NULL RETURNING 1"
    await asyncio.to_thread(database.rows, change)


async def test_a_job_goes_with_its_write_and_has_no_text(bed: Bed, loft: Principal) -> None:
    await say(bed, loft, user="ann@example.com")
    key = bed.database.value("SELECT key FROM sessions")
    assert bed.database.rows(JOBS) == [("consolidate", "todo", 0, str(key))]
    args = bed.database.value("SELECT args FROM jobs.procrastinate_jobs")
    assert args == {"tenant_id": str(loft.tenant_id), "session_key": str(key)}
    assert "ann" not in bed.database.value("SELECT j::text FROM jobs.procrastinate_jobs AS j")
    wait = "SELECT extract(epoch FROM scheduled_at - now()) BETWEEN 0 AND 2 FROM jobs.procrastinate_jobs"
    assert bed.database.value(wait)


async def test_a_write_that_is_rolled_back_takes_its_job_with_it(bed: Bed, loft: Principal) -> None:
    await say(bed, loft)
    bed.database.rows("DELETE FROM jobs.procrastinate_jobs RETURNING 1")
    with pytest.raises(ZeroDivisionError):  # noqa: PT012 - a transaction that is given up
        async with bed.storage.transaction(loft) as tx:
            await tx._run("enqueue_session", session_id="s1", due_in=0.0)
            assert await tx.job_counts() == JobCounts(waiting=1)
            raise ZeroDivisionError
    assert bed.database.rows(JOBS) == []


async def test_one_job_waits_for_a_session_and_another_is_made_while_it_runs(
    bed: Bed, loft: Principal
) -> None:
    consolidator = Troubled(bed)
    consolidator.gate.clear()
    for _ in range(3):
        await say(bed, loft)
    await say(bed, loft, "s2", "bob")
    assert len(bed.database.rows(JOBS)) == 2
    await hasten(bed.database)
    async with working(bed, consolidator):
        await until(lambda: len(consolidator.begun) == 2)
        await say(bed, loft)
        await say(bed, loft)
        states = [status for _, status, _, _ in bed.database.rows(JOBS)]
        assert states == ["doing", "doing", "todo"]
        consolidator.gate.set()
        await hasten(bed.database)
        await until(lambda: bed.database.rows(JOBS) == [])
    assert bed.database.value(BEHIND) == 0
    assert len(consolidator.begun) == 3


async def test_a_write_under_way_holds_the_job_that_it_relies_on(bed: Bed, loft: Principal) -> None:
    """Or a worker could take the job, not see what is being written, and nobody would look again."""
    await say(bed, loft)
    await hasten(bed.database)
    consolidator = Troubled(bed)
    async with working(bed, consolidator):
        async with bed.storage.transaction(loft) as tx:
            # The job may have been taken before; then this makes another one, which nobody sees yet.
            await tx._run("enqueue_session", session_id="s1", due_in=0.0)
            begun = len(consolidator.begun)
            await asyncio.sleep(0.3)
            assert len(consolidator.begun) == begun
        await until(lambda: len(consolidator.begun) == begun + 1)


async def test_one_persons_sessions_are_understood_one_after_the_other(bed: Bed, loft: Principal) -> None:
    consolidator = Troubled(bed)
    consolidator.gate.clear()
    for session, user in (("s1", "ann"), ("s2", "ann"), ("s3", "bob"), ("s4", None), ("s5", None)):
        await say(bed, loft, session, user)
    await hasten(bed.database)
    async with working(bed, consolidator):
        await until(lambda: len(consolidator.begun) == 4)
        await asyncio.sleep(0.2)
        assert len(consolidator.begun) == 4
        consolidator.gate.set()
        await until(lambda: bed.database.value(BEHIND) == 0)


async def test_inside_a_tenant_there_are_only_its_own_jobs(bed: Bed, loft: Principal) -> None:
    attic = await bed.tenant("attic")
    for who in (loft, attic):
        await say(bed, who)
    theirs = bed.database.value("SELECT min(id) FROM jobs.procrastinate_jobs")
    count = "SELECT count(*) FROM jobs.procrastinate_jobs"
    new = "INSERT INTO jobs.procrastinate_jobs (queue_name, task_name, args) VALUES ('q', 't', {})"
    with psycopg.connect(bed.database.url, autocommit=True) as connection:
        assert connection.execute(count.encode()).fetchone() == (2,)
        assert connection.execute(b"SELECT count(*) FROM sessions").fetchone() == (0,)
        connection.execute(f"SET app.tenant = '{attic.tenant_id}'".encode())
        assert connection.execute(count.encode()).fetchone() == (1,)
        for change in (
            "UPDATE jobs.procrastinate_jobs SET attempts = 9",
            "DELETE FROM jobs.procrastinate_jobs",
        ):
            assert connection.execute(f"{change} WHERE id = {theirs}".encode()).rowcount == 0
        for args in (f"""'{{"tenant_id": "{loft.tenant_id}"}}'""", "'{}'"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(new.format(args).encode())
        moved = f"""UPDATE jobs.procrastinate_jobs SET args = '{{"tenant_id": "{loft.tenant_id}"}}'"""
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(moved.encode())
    assert (await bed.service.lag(attic)).jobs == JobCounts(waiting=1)


async def test_a_tenants_worker_cannot_be_led_into_another_tenant(bed: Bed, loft: Principal) -> None:
    """A job that names one tenant and another one's session finds nothing."""
    await bed.tenant("attic")
    await say(bed, loft)
    key = bed.database.value("SELECT key FROM sessions")
    await Consolidator(bed.storage, bed.embeddings).consolidate(tenant_id_of("attic"), key)
    assert bed.database.value(BEHIND) == 1


async def test_what_fails_is_tried_again_and_then_parked_with_its_reason(bed: Bed, loft: Principal) -> None:
    poison = Troubled(bed, always=ValueError(SECRET))
    await say(bed, loft)
    await hasten(bed.database)
    async with working(bed, poison):
        await until(lambda: (bed.database.rows(JOBS) or [(0, 0)])[0][1] == "failed")
        assert len(poison.begun) == QUICK.tries
        (parked,) = await bed.service.parked_jobs(loft)
        assert (parked.session_id, parked.user_id, parked.attempts) == ("s1", "ann", QUICK.tries)
        assert parked.reason.startswith("ValueError: ")
        assert parked.failed_at
        assert SECRET not in bed.database.value("SELECT j::text FROM jobs.procrastinate_jobs AS j")
        lag = await bed.service.lag(loft)
        assert (lag.sessions, lag.messages, lag.jobs) == (1, 1, JobCounts(parked=1))
        # Another write makes another job; one job alone stays parked for the session.
        await say(bed, loft)
        await hasten(bed.database)
        await until(lambda: len(poison.begun) == 2 * QUICK.tries)
        await until(lambda: [status for _, status, _, _ in bed.database.rows(JOBS)] == ["failed"])
        poison.always = None
        (parked,) = await bed.service.parked_jobs(loft)
        await bed.service.retry_job(loft, parked.id)
        await until(lambda: bed.database.rows(JOBS) == [])
    assert bed.database.value(BEHIND) == 0
    assert await bed.service.parked_jobs(loft) == []


async def test_our_own_words_are_kept_as_the_reason(bed: Bed, loft: Principal) -> None:
    await say(bed, loft)
    await hasten(bed.database)
    async with working(bed, Troubled(bed, Busy("Too much."), Busy("Too much."))):
        reason = "SELECT reason FROM jobs.procrastinate_jobs"
        await until(lambda: bed.database.rows(reason) in ([("Busy: Too much.",)], []))
        await until(lambda: bed.database.rows(JOBS) == [])


async def test_what_waits_for_its_next_try_keeps_nobody_waiting(bed: Bed, loft: Principal) -> None:
    slow = Pace(poll=0.02, backoff=3600, heartbeat=0.1, stalled=10, grace=5)
    consolidator = Troubled(bed, Busy())
    await say(bed, loft)
    await hasten(bed.database)
    async with working(bed, consolidator, slow):
        await until(lambda: [job[1:] for job in bed.database.rows(JOBS)] == [("todo", 1, None)])
        await say(bed, loft, "s2")
        bed.database.rows(
            "UPDATE jobs.procrastinate_jobs SET scheduled_at = NULL WHERE attempts = 0 RETURNING 1"
        )
        await until(lambda: len(consolidator.begun) == 2)
        await until(lambda: len(bed.database.rows(JOBS)) == 1)
    assert (await bed.service.lag(loft)).jobs == JobCounts(retrying=1)


async def test_a_later_success_clears_what_was_parked(bed: Bed, loft: Principal) -> None:
    consolidator = Troubled(bed, *[Busy()] * QUICK.tries)
    await say(bed, loft)
    await hasten(bed.database)
    async with working(bed, consolidator):
        await until(lambda: [status for _, status, _, _ in bed.database.rows(JOBS)] == ["failed"])
        await say(bed, loft)
        await hasten(bed.database)
        await until(lambda: bed.database.rows(JOBS) == [])


async def test_a_stopped_worker_puts_back_what_it_cannot_finish(bed: Bed, loft: Principal) -> None:
    consolidator = Troubled(bed)
    consolidator.gate.clear()
    await say(bed, loft)
    await hasten(bed.database)
    async with working(bed, consolidator, Pace(poll=0.02, grace=0.05)):
        await until(lambda: consolidator.begun)
    assert [status for _, status, _, _ in bed.database.rows(JOBS)] == ["todo"]
    consolidator.gate.set()
    async with working(bed, consolidator):
        await until(lambda: bed.database.rows(JOBS) == [])
    assert bed.database.value(BEHIND) == 0


async def test_jobs_of_dead_workers_are_done_by_others_and_given_up_if_they_kill(
    bed: Bed, loft: Principal
) -> None:
    for session, user in (("s1", "ann"), ("s2", "bob")):
        await say(bed, loft, session, user)
    bed.database.rows("UPDATE jobs.procrastinate_jobs SET status = 'doing', scheduled_at = NULL RETURNING 1")
    killer = bed.database.value("SELECT max(id) FROM jobs.procrastinate_jobs")
    bed.database.rows(
        "UPDATE jobs.procrastinate_jobs SET attempts = %s WHERE id = %s RETURNING 1", QUICK.tries - 1, killer
    )
    async with working(bed, Troubled(bed)):
        await until(lambda: [job[1] for job in bed.database.rows(JOBS)] == ["failed"])
        await until(lambda: bed.database.value("SELECT reason FROM jobs.procrastinate_jobs"))
    (parked,) = await bed.service.parked_jobs(loft)
    assert (parked.id, parked.reason) == (killer, "The worker died while it did this, again and again.")


@contextmanager
def finished_unheard() -> Iterator[None]:
    """Let the library tell that a job is gone, whose end was committed as the connection broke; no more."""
    loop = asyncio.get_running_loop()
    others = loop.get_exception_handler()

    def tell(loop: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        gone = isinstance(error, ConnectorException) and "Job was not found" in str(error.__cause__)
        if not gone:
            assert others
            others(loop, context)

    loop.set_exception_handler(tell)
    try:
        yield
        gc.collect()  # a task's error is told when the task goes
    finally:
        loop.set_exception_handler(others)


async def test_a_worker_goes_on_after_the_database_was_away(bed: Bed, loft: Principal) -> None:
    with finished_unheard():
        await _cut_and_go_on(bed, loft)


async def _cut_and_go_on(bed: Bed, loft: Principal) -> None:
    consolidator = Troubled(bed)
    consolidator.gate.clear()
    await say(bed, loft)
    await hasten(bed.database)
    cut = """SELECT pg_terminate_backend(pid) FROM pg_stat_activity
             WHERE datname = %s AND pid <> pg_backend_pid()"""
    async with working(bed, consolidator):
        await until(lambda: consolidator.begun)
        for _ in range(3):
            bed.database.rows(cut, bed.database.name)
            consolidator.gate.set()
            await asyncio.sleep(0.1)
        await hasten(bed.database)
        await until(lambda: bed.database.rows(JOBS) == [])
        assert bed.database.value(BEHIND) == 0
        bed.database.rows(cut, bed.database.name)
        await say(bed, loft, "s2")
        await hasten(bed.database)
        await until(lambda: bed.database.rows(JOBS) == [])
    assert bed.database.value(BEHIND) == 0


async def test_draining_does_all_that_waits(bed: Bed, loft: Principal) -> None:
    for place in range(5):
        await say(bed, loft, f"s{place}", "ann" if place % 2 else "bob")
    await bed.storage.hurry()
    jobs = PostgresJobs(bed.database.url, QUICK)
    await jobs.drain(Worker(bed.storage, Troubled(bed), keep_days=7), concurrency=2)
    assert bed.database.value(BEHIND) == 0
    assert bed.database.rows(JOBS) == []


async def test_what_is_forgotten_leaves_a_job_that_ends_quietly(bed: Bed, loft: Principal) -> None:
    await say(bed, loft)
    await bed.service.forget_user(loft, "ann")
    await hasten(bed.database)
    async with working(bed, Troubled(bed)):
        await until(lambda: bed.database.rows(JOBS) == [])
    assert (await bed.service.lag(loft)).sessions == 0


async def test_sessions_that_are_behind_without_a_job_get_one(bed: Bed, loft: Principal) -> None:
    for session in ("s1", "s2"):
        await say(bed, loft, session)
    bed.database.rows(
        "DELETE FROM jobs.procrastinate_jobs AS j USING sessions AS s "
        "WHERE s.key = j.session_key AND s.session_id = 's1' RETURNING 1"
    )
    assert await bed.service.retry_jobs(loft) == 1
    assert await bed.service.retry_jobs(loft) == 0
    assert len(bed.database.rows(JOBS)) == 2


async def test_how_old_the_oldest_is_that_is_not_understood(bed: Bed, loft: Principal) -> None:
    assert (await bed.service.lag(loft)).oldest_seconds is None
    await say(bed, loft, n=2)
    bed.clock.advance(seconds=30)
    await say(bed, loft, "s2", "bob", n=3)
    lag = await bed.service.lag(loft)
    assert (lag.sessions, lag.messages, lag.oldest_seconds) == (2, 5, 30)
    assert lag.jobs == JobCounts(waiting=2)


async def test_waiting_for_it_gives_the_facts_and_never_loses_the_write(bed: Bed, loft: Principal) -> None:
    turns = Turns("s1", [Message("I live in Atlanta.")], "ann")
    done = await bed.service.remember(loft, turns, wait=10)
    assert done.consolidated is True
    assert bed.database.value(BEHIND) == 0
    assert (await bed.service.remember(loft, turns)).consolidated is None
    slow = Troubled(bed)
    slow.gate.clear()
    bed.service._consolidator = slow
    done = await bed.service.remember(loft, turns, wait=0.05)
    assert done.consolidated is False
    slow.always = Busy()
    slow.gate.set()
    assert (await bed.service.remember(loft, turns, wait=10)).consolidated is False
    assert len(await bed.service.turns(loft, "s1", after=0, limit=10)) == 4
    assert (await bed.service.lag(loft)).jobs.waiting == 1


async def test_jobs_are_the_business_of_the_tenants_staff(bed: Bed, loft: Principal) -> None:
    ann = Principal(loft.tenant_id, "ann", Role.USER)
    reader = Principal(loft.tenant_id, "r", permissions=frozenset({Permission.READ}))
    for refused in (
        bed.service.lag(ann),
        bed.service.parked_jobs(ann),
        bed.service.retry_jobs(ann),
        bed.service.retry_jobs(reader),
        bed.service.retry_job(reader, 1),
    ):
        with pytest.raises(Forbidden):
            await refused
    with pytest.raises(NotFound):
        await bed.service.retry_job(loft, 1)


async def test_old_requests_are_forgotten_in_their_tenant_and_new_ones_kept(
    bed: Bed, loft: Principal
) -> None:
    attic = await bed.tenant("attic")
    for who in (loft, attic):
        for key in ("old", "new"):
            turns = Turns("s1", [Message("x")], "ann")
            await bed.service.remember(who, turns, idempotency_key=key)
    bed.database.rows(
        "UPDATE idempotency SET created_at = now() - interval '8 days' WHERE key = 'old' RETURNING 1"
    )
    tidying = [job for job in bed.database.rows(JOBS) if job[0] == "tidy"]
    assert [place for _, _, _, place in tidying] == [f"tidy:{who.tenant_id}" for who in (loft, attic)]
    bed.database.rows(
        "UPDATE jobs.procrastinate_jobs SET scheduled_at = NULL WHERE tenant_id = %s RETURNING 1",
        loft.tenant_id,
    )
    kept = "SELECT tenant_id, key FROM idempotency ORDER BY tenant_id = %s, key"
    async with working(bed, Troubled(bed)):
        await until(lambda: len(bed.database.rows(kept, loft.tenant_id)) == 3)
    assert bed.database.rows(kept, loft.tenant_id)[-1] == (loft.tenant_id, "new")
    again = "SELECT count(*) FROM jobs.procrastinate_jobs WHERE task_name = 'tidy' AND tenant_id = %s"
    assert bed.database.value(again, loft.tenant_id) == 1
    assert (await bed.service.lag(loft)).jobs.waiting == 0


async def test_the_queues_schema_is_made_once_and_upgraded(production: Production) -> None:
    await migrate(production.owner)
    ledger = "SELECT name, applied_at FROM jobs.migrations ORDER BY name"
    with psycopg.connect(production.owner) as connection:
        before = connection.execute(ledger.encode()).fetchall()
    assert await migrate(production.owner) == []
    with psycopg.connect(production.owner) as connection:
        assert connection.execute(ledger.encode()).fetchall() == before
        # As if the library had brought its last step since.
        last = max(name for name, _ in before if not name.startswith("queue.sql"))
        connection.execute("DELETE FROM jobs.migrations WHERE name = %s OR name ~ '^queue'", [last])
    async with await PostgresStorage.open(production.app, size=1):
        pass  # what comes after a deploy may be missing
    with psycopg.connect(production.owner) as connection:
        connection.execute(b"DELETE FROM jobs.migrations WHERE name LIKE '%\\_pre\\_%'")
    with pytest.raises(SchemaOutdated, match="queue of jobs lacks"):
        await PostgresStorage.open(production.app, size=1)


async def test_an_owner_who_may_make_no_schema_is_told_what_an_administrator_does(
    production: Production,
) -> None:
    production.run(f"ALTER DATABASE {production.database} OWNER TO postgres")
    production.run("GRANT ALL ON SCHEMA public TO recollect_owner")
    with pytest.raises(Misconfigured) as refused:
        await migrate(production.owner)
    assert refused.value.hint
    assert "CREATE SCHEMA jobs AUTHORIZATION" in refused.value.hint
    production.run("CREATE SCHEMA jobs AUTHORIZATION recollect_owner")
    await migrate(production.owner)
    async with await PostgresStorage.open(production.app, size=1):
        pass
