"""The only way to the database: a transaction, for a principal, inside their fence."""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Self, TypeAlias
from uuid import UUID

import psycopg
from pgvector.psycopg import register_vector_async
from psycopg import AsyncConnection, AsyncCursor, sql
from psycopg.pq import TransactionStatus
from psycopg.rows import dict_row
from psycopg_pool import AsyncConnectionPool, PoolClosed, PoolTimeout, TooManyRequests

from recollect.core.errors import (
    Busy,
    Forbidden,
    Invalid,
    NotFound,
    RecollectError,
    StorageUnavailable,
    UnsafeRole,
)
from recollect.core.model import ApiKey, Principal, Role
from recollect.storage.access import kept_key
from recollect.storage.connecting import connected
from recollect.storage.migrate import require_current
from recollect.storage.queries import QUERIES
from recollect.storage.rows import Row
from recollect.storage.sizes import Sizes
from recollect.storage.transaction import Transaction

PROMPTLY = 1.0
"""Seconds after which a caller without a connection looks whether the database is there at all."""

log = logging.getLogger(__name__)
Connection: TypeAlias = AsyncConnection[Row]
_TOO_BUSY = (
    psycopg.errors.QueryCanceled,
    psycopg.errors.LockNotAvailable,
    psycopg.errors.DeadlockDetected,
)

# One plan for every value: the queries are written so that the generic plan is the good one, and planning
# the recall anew each time would take longer than running it. Each has its index, whatever the planner
# guesses of tenants in general; and to start a parallel worker takes longer than most of them run.
_SESSION = """
SET statement_timeout = '30s';
SET lock_timeout = '10s';
SET idle_in_transaction_session_timeout = '60s';
SET plan_cache_mode = force_generic_plan;
SET enable_seqscan = off;
SET max_parallel_workers_per_gather = 0;
SET timezone = 'UTC'
"""

# What every request begins with, in one message with BEGIN and COMMIT, which takes no parameters. Nor is it
# PREPARE and EXECUTE: behind a pooler the next message may reach another connection.
_KEY = QUERIES["key"].decode()
_HURRY = QUERIES["hurry_jobs"].decode()

_ROLE = """
SELECT session_user AS name,
    array(SELECT rolname::text FROM pg_roles
          WHERE (rolsuper OR rolbypassrls OR rolname IN (
                    'pg_read_server_files', 'pg_write_server_files', 'pg_execute_server_program'))
            AND pg_has_role(session_user, oid, 'MEMBER')) AS unfenced,
    array(SELECT relname::text FROM pg_class JOIN pg_namespace AS n ON n.oid = relnamespace
          WHERE n.nspname = current_schema() AND relkind IN ('r', 'p')
            AND pg_has_role(session_user, relowner, 'MEMBER')) AS owned
"""


class PostgresStorage:
    """A pool of connections of the application's role.

    Made by `PostgresStorage.open`; `async with` closes it.
    """

    def __init__(
        self,
        url: str,
        pool: AsyncConnectionPool[Connection],
        revive: Callable[[], Awaitable[None]] | None,
    ) -> None:
        self._url = url
        self._pool = pool
        self._revive = revive
        self._reviving = asyncio.Lock()
        self._is_away = False
        self._sizes = Sizes()

    @classmethod
    async def open(
        cls,
        url: str,
        *,
        size: int = 10,
        wait: float = 10,
        revive: Callable[[], Awaitable[None]] | None = None,
    ) -> Self:
        """Connect as the application; `size` connections at most, for one of which a caller waits `wait` s.

        `revive` is called when the database does not answer, to start it again if it is ours.

        Raises:
            UnsafeRole: the role could read past the tenants' fence.
            SchemaOutdated: `recollect migrate` has to be run first.
            Misconfigured, StorageUnavailable: as `connected`.
        """
        await _examine(url)
        pool: AsyncConnectionPool[Connection] = AsyncConnectionPool(
            url,
            min_size=min(2, size),
            max_size=size,
            timeout=wait,
            max_waiting=size * 100,
            kwargs={"autocommit": True, "row_factory": dict_row, "prepare_threshold": 0},
            configure=_configure,
            reconnect_timeout=2,
            open=False,
        )
        try:
            await pool.open(wait=True, timeout=wait)
        except PoolTimeout as error:
            await pool.close()
            raise StorageUnavailable from error
        return cls(url, pool, revive)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """Close every connection."""
        await self._pool.close()

    @asynccontextmanager
    async def transaction(self, principal: Principal) -> AsyncIterator[Transaction]:
        """A transaction in which only what the principal may see is there. Commits, or rolls all back.

        Raises:
            Forbidden: a write reached outside the fence.
            Invalid: a value that the database does not take, such as a text with NUL.
            NotFound: there is no such tenant.
            Busy: no connection came free, a lock or statement took too long, or what a write rests on was
                being forgotten.
            StorageUnavailable: the database went away; whether a commit under way took place is unknown,
                and an idempotency key makes repeating it safe.
        """
        connection, _ = await self._send(_opening(principal))
        try:
            with _translated():
                yield Transaction(connection, principal, self._sizes)
                await connection.execute("COMMIT")
        finally:
            await self._give_back(connection)

    async def key(self, tenant_id: UUID, key_id: UUID) -> tuple[ApiKey, bytes] | None:
        """A key and its secret's hash, in one message there and back: every request begins with it.

        The fence is that of a transaction inside the tenant.

        Raises:
            Busy, StorageUnavailable: as `transaction`.
        """
        # The tenant is only claimed until the secret is proved: inside its fence there is one row to read.
        opening = _opening(Principal(tenant_id, subject="authentication"))
        key = _KEY % {"tenant_id": _literal(tenant_id), "id": _literal(key_id)}
        with _translated():
            connection, cursor = await self._send(f"{opening}; {key}; COMMIT")
            try:
                while cursor.description is None:
                    cursor.nextset()
                row = await cursor.fetchone()
            finally:
                await self._give_back(connection)
        return kept_key(row) if row else None

    async def hurry(self) -> None:
        """Let all jobs that wait for their time be due now, outside of every tenant.

        Raises:
            Busy, StorageUnavailable: as `transaction`.
        """
        with _translated():
            connection, _ = await self._send(_HURRY)
            await self._give_back(connection)

    async def _give_back(self, connection: Connection) -> None:
        """Back to the pool, with whatever was not committed rolled back."""
        try:
            if connection.info.transaction_status != TransactionStatus.IDLE:
                with contextlib.suppress(psycopg.Error):
                    await connection.rollback()
        finally:
            await self._pool.putconn(connection)

    async def _send(self, message: str) -> tuple[Connection, AsyncCursor[Row]]:
        """A connection with its transaction begun; connections that died in the pool are passed over."""
        for _ in range(self._pool.max_size + 1):
            connection = await self._take()
            try:
                cursor = await connection.execute(message.encode(), prepare=False)
            except _TOO_BUSY:
                await self._give_back(connection)
                raise
            except psycopg.OperationalError:
                await self._give_back(connection)
                await self._bring_up()
            except BaseException:
                await self._give_back(connection)
                raise
            else:
                self._tell_back()
                return connection, cursor
        raise StorageUnavailable

    async def _take(self) -> Connection:
        """A connection out of the pool; if none comes promptly, perhaps the database has to be revived."""
        with contextlib.suppress(PoolTimeout):
            return await self._getconn(min(PROMPTLY, self._pool.timeout))
        await self._bring_up()
        try:
            return await self._getconn(self._pool.timeout)
        except PoolTimeout as error:
            raise (Busy if await self._answers() else StorageUnavailable) from error

    async def _getconn(self, wait: float) -> Connection:
        try:
            return await self._pool.getconn(wait)
        except TooManyRequests as error:
            raise Busy from error
        except PoolClosed as error:
            raise StorageUnavailable from error

    async def _bring_up(self) -> None:
        """Start the database again if it is gone and ours; of many who notice, one does it."""
        if self._revive:
            async with self._reviving:
                if not await self._answers():
                    await self._revive()

    async def _answers(self) -> bool:
        try:
            connection = await AsyncConnection.connect(self._url, connect_timeout=2)
        except psycopg.OperationalError as error:
            self._tell_away(error)
            return False
        await connection.close()
        return True

    def _tell_away(self, error: psycopg.OperationalError) -> None:
        if not self._is_away:
            log.warning("PostgreSQL does not answer: %s", " ".join(str(error).split()))
        self._is_away = True

    def _tell_back(self) -> None:
        if self._is_away:
            log.warning("PostgreSQL answers again.")
        self._is_away = False


def _opening(principal: Principal) -> str:
    """BEGIN with the principal's settings, in one message. They are plain SETs, which also reach shards."""
    subject = sql.Literal(principal.subject).as_string() if principal.role is Role.USER else "''"
    return (
        f"BEGIN; SET LOCAL app.tenant = {_literal(principal.tenant_id)}; "
        f"SET LOCAL app.role = '{int(principal.role)}'; SET LOCAL app.subject = {subject}"
    )


def _literal(id_: UUID) -> str:
    """Hexadecimal digits in quotation marks, whatever has been passed for a UUID."""
    return f"'{UUID(int=id_.int)}'"


@contextlib.contextmanager
def _translated() -> Iterator[None]:
    """The database's errors as ours."""
    try:
        yield
    except psycopg.errors.InsufficientPrivilege as error:
        raise Forbidden("That is outside of what this principal may touch.") from error
    except (psycopg.DataError, psycopg.errors.CheckViolation, UnicodeEncodeError) as error:
        raise Invalid("A value cannot be kept: it is too long, out of range, or not text.") from error
    except psycopg.errors.ForeignKeyViolation as error:
        raise _missing(error) from error
    except _TOO_BUSY as error:
        raise Busy("The database took too long over this request.") from error
    except (psycopg.OperationalError, psycopg.InterfaceError) as error:
        raise StorageUnavailable from error


def _missing(error: psycopg.errors.ForeignKeyViolation) -> RecollectError:
    """What a row refers to is not there: the tenant, or something that another request was forgetting."""
    # By the constraint's name: the message is in the server's language.
    if (error.diag.constraint_name or "").endswith("_tenant_id_fkey"):
        return NotFound("There is no such tenant.")
    return Busy("Others were forgetting what this rests on.")


async def _configure(connection: Connection) -> None:
    await connection.execute(_SESSION, prepare=False)
    await register_vector_async(connection)


async def _examine(url: str) -> None:
    """Refuse a role that could read past the fence, and a schema that is not ours."""
    async with connected(url) as connection:
        ((role, unfenced, owned),) = await (await connection.execute(_ROLE)).fetchall()
        if reason := _unsafe(unfenced, owned):
            raise UnsafeRole(
                f"The role '{role}' {reason}, so row level security would not hold it.",
                hint="Connect as a role that is only a member of recollect_app: "
                "CREATE ROLE recollect_server LOGIN PASSWORD '…' IN ROLE recollect_app;",
            )
        await require_current(connection)


def _unsafe(unfenced: list[str], owned: list[str]) -> str | None:
    if unfenced:
        return (
            "is, or can become, a superuser, a role with BYPASSRLS, or one that reaches the server's files "
            f"({', '.join(unfenced)})"
        )
    if owned:
        return f"owns tables ({', '.join(sorted(owned)[:3])}, …)"
    return None
