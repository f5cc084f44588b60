"""A connection carries nothing from one principal to the next, however badly the last one left it."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Awaitable, Callable, Sequence
from typing import Any
from uuid import uuid4

import psycopg
import pytest
from testbed import Bed, Database, HashedWords, make_bed

from recollect.core.errors import Busy, Forbidden, Invalid, RecollectError, StorageUnavailable
from recollect.core.model import Filter, Message, Note, Principal, Role, Turns, tenant_id_of
from recollect.core.tenants import Tenants
from recollect.storage.pool import PostgresStorage

pytestmark = pytest.mark.anyio
LOFT = Principal(tenant_id_of("loft"), "ann", Role.USER)


async def kill_backends(database: Database) -> None:
    await asyncio.to_thread(
        database.rows,
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity "
        "WHERE datname = current_database() AND usename = 'recollect_server'",
    )


async def run(storage: PostgresStorage, *statements: str) -> None:
    """Statements inside the principal's transaction."""
    async with storage.transaction(LOFT) as tx:
        for statement in statements:
            await tx._connection.execute(statement.encode())


async def leave_by_an_error(storage: PostgresStorage) -> None:
    async with storage.transaction(LOFT) as tx:
        await tx.create_tenant("loft")
        raise ZeroDivisionError


async def fail(storage: PostgresStorage, _: Database) -> None:
    with pytest.raises(ZeroDivisionError):
        await leave_by_an_error(storage)


async def fail_in_sql(storage: PostgresStorage, _: Database) -> None:
    with pytest.raises(Invalid):
        await run(storage, "SELECT 'x'::integer")


async def fail_at_the_fence(storage: PostgresStorage, _: Database) -> None:
    with pytest.raises(Forbidden):
        await run(storage, f"INSERT INTO tenants VALUES ('{uuid4()}', 'x')")


async def take_too_long(storage: PostgresStorage, _: Database) -> None:
    with pytest.raises(Busy):
        await run(storage, "SET LOCAL statement_timeout = 1", "SELECT pg_sleep(5)")


async def be_cancelled(storage: PostgresStorage, _: Database) -> None:
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await run(storage, "SELECT pg_sleep(5)")


async def lose_the_backend(storage: PostgresStorage, _: Database) -> None:
    with pytest.raises(StorageUnavailable):
        await run(storage, "SELECT pg_terminate_backend(pg_backend_pid())")


async def lose_the_backend_while_idle(storage: PostgresStorage, database: Database) -> None:
    await run(storage, "SELECT 1")
    await kill_backends(database)


async def end_the_transaction(storage: PostgresStorage, _: Database) -> None:
    await run(storage, "COMMIT", "SELECT 1")


async def undo_a_part(storage: PostgresStorage, _: Database) -> None:
    async with storage.transaction(LOFT) as tx:
        with contextlib.suppress(ZeroDivisionError):
            async with tx._connection.transaction():
                raise ZeroDivisionError


@pytest.mark.parametrize(
    "mishap",
    [
        fail,
        fail_in_sql,
        fail_at_the_fence,
        take_too_long,
        be_cancelled,
        lose_the_backend,
        lose_the_backend_while_idle,
        end_the_transaction,
        undo_a_part,
    ],
)
async def test_the_next_finds_no_settings_of_the_last_after(database: Database, mishap: Any) -> None:
    async with await PostgresStorage.open(database.url, size=1) as storage:
        await mishap(storage, database)
        async with storage.transaction(Principal(tenant_id_of("attic"), "owner")) as tx:
            assert await tx.tenant() is None
            seen = await (await tx._connection.execute(SETTINGS)).fetchone()
        assert seen == {"tenant": str(tenant_id_of("attic")), "role": "3", "subject": ""}
        async with storage._pool.connection() as connection:
            assert connection.info.transaction_status == psycopg.pq.TransactionStatus.IDLE
            bare = await (await connection.execute(SETTINGS)).fetchone()
        assert set(bare.values() if bare else ()) <= {"", None}


@pytest.mark.parametrize("mishap", [None, fail, fail_in_sql, be_cancelled, lose_the_backend, undo_a_part])
async def test_a_key_is_known_on_a_connection_after(bed: Bed, mishap: Any) -> None:
    await bed.tenant("loft")
    kept, text = await bed.tenants.create_key("loft", "key")
    async with await PostgresStorage.open(bed.database.url, size=1) as storage:
        tenants = Tenants(storage, bed.clock)
        for _ in range(2):
            if mishap:
                await mishap(storage, bed.database)
            assert (await tenants.authenticate(text)).subject == f"key:{kept.id}"


SETTINGS = b"""
SELECT current_setting('app.tenant', true) AS tenant, current_setting('app.role', true) AS role,
    current_setting('app.subject', true) AS subject"""


async def test_what_fails_is_rolled_back(database: Database) -> None:
    async with await PostgresStorage.open(database.url, size=1) as storage:
        await fail(storage, database)
        async with storage.transaction(LOFT) as tx:
            assert await tx.tenant() is None


async def test_who_waits_too_long_for_a_connection_is_told_that_it_is_busy(database: Database) -> None:
    async with await PostgresStorage.open(database.url, size=1, wait=0.1) as storage:
        async with storage.transaction(LOFT):
            with pytest.raises(Busy):
                await run(storage, "SELECT 1")
        await run(storage, "SELECT 1")


@pytest.mark.parametrize("subject", ["o'hara", "a\\'b", "%", "'; SET app.tenant = ''; --", "名前", "a\nb"])
async def test_any_subject_is_kept_as_it_is(database: Database, subject: str) -> None:
    async with await PostgresStorage.open(database.url, size=1) as storage:
        async with storage.transaction(Principal(LOFT.tenant_id, subject, Role.USER)) as tx:
            seen = await (await tx._connection.execute(SETTINGS)).fetchone()
        assert seen == {"tenant": str(LOFT.tenant_id), "role": "0", "subject": subject}


TENANTS = 50
OPERATIONS = 3_000


class Shop:
    """One of many tenants: everything it keeps carries its mark, and everything it sees must."""

    def __init__(self, bed: Bed, name: str, luck: random.Random) -> None:
        self.bed, self.name, self.luck = bed, name, luck
        self.principal = Principal(tenant_id_of(name), "owner")
        self.seen = 0

    async def act(self) -> None:
        """One operation, sometimes given up in the middle."""
        service = self.bed.service
        person, session = self.luck.choice("ab"), self.luck.choice("xyz")
        mine = Filter(user_id=person)
        listed = Filter(all_users=True) if self.luck.random() < 0.3 else mine
        action: Callable[[], Awaitable[Any]] = self.luck.choice(
            [
                lambda: service.remember(
                    self.principal, Turns(person + session, [Message(f"{self.name} likes tea")], person)
                ),
                lambda: service.add(self.principal, [Note(f"{self.name} sells tea", user_id=person)]),
                lambda: service.recall(self.principal, "who likes tea?", mine, limit=20),
                lambda: service.memories(self.principal, listed),
                lambda: service.turns(self.principal, person + session),
                lambda: service.context(self.principal, "tea", mine, session_id=person + session),
                lambda: service.forget_session(self.principal, person + session),
            ]
        )
        patience = self.luck.choice([None, None, None, self.luck.uniform(0.0005, 0.01)])
        try:
            async with asyncio.timeout(patience):
                self.look(await action())
        except TimeoutError:
            pass

    def look(self, result: Any) -> None:
        """Everything in a result is this tenant's own."""
        for one in result if isinstance(result, Sequence) else [result]:
            memory = getattr(one, "memory", one)
            text = getattr(memory, "content", None) or getattr(memory, "text", None)
            if text:
                self.seen += 1
                assert self.name in text
                assert not [other for other in OTHERS[self.name] if other in text]


NAMES = [f"shop-{place:02}" for place in range(TENANTS)]
OTHERS = {name: [other for other in NAMES if other != name] for name in NAMES}


async def test_fifty_tenants_over_three_connections_never_meet(database: Database) -> None:
    luck = random.Random(2)
    async with make_bed(database, HashedWords(), size=3) as bed:
        for name in NAMES:
            await bed.tenant(name)
        shops = [Shop(bed, name, luck) for name in NAMES]
        turns = iter([luck.choice(shops) for _ in range(OPERATIONS)])

        async def client() -> None:
            for shop in turns:
                await shop.act()

        async with asyncio.TaskGroup() as clients:
            for _ in range(12):
                clients.create_task(client())
    assert sum(shop.seen for shop in shops) > OPERATIONS // 2
    strangers = """
        SELECT count(*) FROM memories JOIN tenants USING (tenant_id)
        WHERE content NOT LIKE tenants.name || ' %'"""
    assert database.value(strangers) == 0
    assert database.value("SELECT count(*) FROM memories") != 0


async def test_an_error_of_the_database_is_one_of_ours(bed: Bed) -> None:
    loft = await bed.tenant("loft")
    for text in ("a\0b", "\ud800", "x" * 300):
        with pytest.raises(RecollectError):
            await bed.service.remember(loft, Turns("s", [Message("hello", name=text)], user_id=text))
