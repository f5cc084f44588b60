"""One connection by itself, outside of the pool: for what is done once, at a start or by an operator."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import psycopg
from psycopg import AsyncConnection
from psycopg.conninfo import conninfo_to_dict

from recollect.core.errors import Misconfigured, StorageUnavailable


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[AsyncConnection]:
    """A connection on which every statement is a transaction of its own; closed at the end.

    Raises:
        Misconfigured: the URL cannot be read; the message has nothing of it, since it holds a password.
        StorageUnavailable: the database does not answer, or went away meanwhile.
    """
    _require_readable(url)
    try:
        async with await AsyncConnection.connect(url, autocommit=True) as connection:
            yield connection
    except psycopg.OperationalError as error:
        raise StorageUnavailable(
            f"PostgreSQL does not answer: {error}", hint="Check the URL, the password, and that it runs."
        ) from error


def _require_readable(url: str) -> None:
    try:
        conninfo_to_dict(url)
    except psycopg.ProgrammingError:
        raise Misconfigured(
            "The database URL cannot be read.",
            hint="It is like postgresql://user:password@host:5432/database, the password percent-encoded.",
        ) from None
