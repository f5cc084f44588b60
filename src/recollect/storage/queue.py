"""The queue's own schema, `jobs`: made and upgraded from what the library of the queue brings with it.

Its ledger, `jobs.migrations`, has the name of each of the library's migrations that the database has, and the
checksum of queue.sql, which is what we add.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from importlib.machinery import PathFinder
from pathlib import Path
from typing import Any

import psycopg
from psycopg import AsyncConnection

from recollect.core.errors import SchemaOutdated

_LEDGER = "CREATE TABLE migrations (name text PRIMARY KEY, applied_at timestamptz NOT NULL DEFAULT now())"


def _library() -> Path:
    """The folder of the library's SQL, found without importing the library."""
    spec = PathFinder.find_spec("procrastinate")
    assert spec
    assert spec.submodule_search_locations
    return Path(spec.submodule_search_locations[0]) / "sql"


def _packaged() -> list[Path]:
    return sorted((_library() / "migrations").glob("*.sql"))


def _ours(text: str) -> str:
    return f"queue.sql {hashlib.sha256(text.encode()).hexdigest()}"


async def install(connection: AsyncConnection[Any], ours: str, phase: str | None = None) -> None:
    """Make the queue's schema as the owner, or bring it up to date; `ours`: the text of queue.sql.

    With `phase`, only that phase's steps of an upgrade are applied, up to the first of the other phase.

    Raises:
        InsufficientPrivilege: the owner may not make a schema in this database.
    """
    if not await _exists(connection, "to_regnamespace('jobs')"):
        await connection.execute("CREATE SCHEMA jobs")
    is_new = not await _exists(connection, "to_regclass('jobs.migrations')")
    steps = [] if is_new else _until(await _missing(connection), phase)
    if not is_new and not steps and _ours(ours) in await _applied(connection):
        return
    async with connection.transaction():
        await connection.execute("SET LOCAL search_path = jobs")
        if is_new:
            await connection.execute(_LEDGER)
            await connection.execute((_library() / "schema.sql").read_bytes())
            steps = _packaged()
        else:
            # The library's steps are the owner's, and may touch every row.
            await connection.execute("ALTER TABLE procrastinate_jobs NO FORCE ROW LEVEL SECURITY")
            for step in steps:
                await connection.execute(step.read_bytes())
        await connection.execute(ours.encode())
        names = [[name] for name in (*(step.stem for step in steps), _ours(ours))]
        async with connection.cursor() as cursor:
            await cursor.executemany("INSERT INTO migrations VALUES (%s) ON CONFLICT DO NOTHING", names)


async def require_installed(connection: AsyncConnection[Any]) -> None:
    """Check, as the application, that the queue is there, in a version that the library can work with.

    Raises:
        SchemaOutdated: it is not; what an upgrade does after a deploy may be missing.
    """
    try:
        missing = [step for step in await _missing(connection) if "_post_" not in step.stem]
    except (psycopg.errors.UndefinedTable, psycopg.errors.InvalidSchemaName):
        raise SchemaOutdated("The database has no queue of jobs yet.") from None
    if missing:
        raise SchemaOutdated(f"The queue of jobs lacks {len(missing)} migrations.")


def _until(steps: Sequence[Path], phase: str | None) -> list[Path]:
    """The steps up to the first that is of another phase."""
    other = {"pre": "_post_", "post": "_pre_"}.get(phase or "")
    stop = next((place for place, step in enumerate(steps) if other and other in step.stem), len(steps))
    return list(steps[:stop])


async def _missing(connection: AsyncConnection[Any]) -> list[Path]:
    applied = await _applied(connection)
    return [step for step in _packaged() if step.stem not in applied]


async def _applied(connection: AsyncConnection[Any]) -> set[str]:
    cursor = await connection.execute("SELECT name FROM jobs.migrations")
    return {name for (name,) in await cursor.fetchall()}


async def _exists(connection: AsyncConnection[Any], what: str) -> bool:
    row = await (await connection.execute(f"SELECT {what} IS NOT NULL".encode())).fetchone()
    return bool(row and row[0])
