"""Brings a database to today's schema: a new one by schema.sql, an old one by its numbered migrations.

A migration is `migrations/NNNN_pre_name.sql` (run before the new code is deployed) or `NNNN_post_name.sql`
(after it); each runs in a transaction of its own, once, under an advisory lock, and its checksum is kept.
"""

from __future__ import annotations

import contextlib
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from typing import Any, Literal, TypeAlias

import psycopg
from psycopg import AsyncConnection
from psycopg.conninfo import conninfo_to_dict, make_conninfo

from recollect.core.errors import Misconfigured, SchemaOutdated
from recollect.storage.connecting import connected
from recollect.storage.queue import install, require_installed

Phase: TypeAlias = Literal["pre", "post"]
LOCK = 0x7265636F6C6C6563
_FILE = re.compile(r"(?P<version>\d{4})_(?P<phase>pre|post)_(?P<name>\w+)\.sql")
_LEDGER = """
CREATE TABLE IF NOT EXISTS schema_migrations (
    version     integer PRIMARY KEY,
    phase       text NOT NULL CHECK (phase IN ('pre', 'post')),
    name        text NOT NULL,
    checksum    text NOT NULL,
    applied_at  timestamptz NOT NULL DEFAULT now()
)"""


@dataclass(frozen=True, slots=True)
class Migration:
    """One step of the schema; `checksum` is the SHA-256 of its text."""

    version: int
    phase: Phase
    name: str
    text: str

    @property
    def checksum(self) -> str:
        return hashlib.sha256(self.text.encode()).hexdigest()


def migrations() -> list[Migration]:
    """Every migration, in order.

    Raises:
        Misconfigured: a file is misnamed or a version stands twice.
    """
    found = []
    for file in sorted(_texts().joinpath("migrations").iterdir(), key=lambda file: file.name):
        matched = _FILE.fullmatch(file.name)
        if not matched:
            raise Misconfigured(f"{file.name} is not named as a migration: NNNN_pre_name.sql.")
        phase: Phase = "pre" if matched["phase"] == "pre" else "post"
        found.append(Migration(int(matched["version"]), phase, matched["name"], file.read_text("utf-8")))
    if [step.version for step in found] != list(range(1, len(found) + 1)):
        raise Misconfigured("The migrations are not numbered 1, 2, 3, … without gap or repeat.")
    return found


def _texts() -> Any:
    return resources.files("recollect.storage")


def statements(file: str) -> str:
    """The text of one of storage's .sql files."""
    text: str = _texts().joinpath(file).read_text("utf-8")
    return text


async def migrate(owner_url: str, phase: Phase | None = None) -> list[Migration]:
    """Bring the owner's database up to date and return what was applied; [] when it was current.

    Safe to run from many processes at once and to run again after a crash. With `phase`, only that phase's
    steps are applied, up to the first of the other phase.

    Raises:
        Misconfigured: a right is missing, or an applied migration was edited since; says what to do.
        Misconfigured, StorageUnavailable: as `connected`.
    """
    try:
        async with connected(owner_url) as connection:
            await connection.execute("SELECT pg_advisory_lock(%s)", [LOCK])
            applied = await _apply(connection, phase)
            await install(connection, statements("queue.sql"), phase)
            return applied
    except psycopg.errors.InsufficientPrivilege as error:
        raise Misconfigured(
            f"The owner's role may not do this: {error.diag.message_primary}.",
            hint="Let an administrator run recollect/storage/roles.sql and CREATE EXTENSION vector first, "
            "and in a database of another owner CREATE SCHEMA jobs AUTHORIZATION recollect_owner.",
        ) from error


async def prepare(administrator_url: str, owner_url: str) -> None:
    """Make the roles and the database of a server that is ours alone, and give the owner `vector`.

    Repeating it changes nothing; an attempt that was cut short is completed.
    """
    async with connected(administrator_url) as connection:
        await connection.execute("SELECT pg_advisory_lock(%s)", [LOCK])
        for statement in statements("roles.sql").split(";\n")[:-1]:
            with contextlib.suppress(psycopg.errors.DuplicateObject, psycopg.errors.DuplicateDatabase):
                await connection.execute(statement.encode())
        url = make_conninfo(administrator_url, dbname=conninfo_to_dict(owner_url)["dbname"])
        async with connected(url) as inside:
            await inside.execute("CREATE EXTENSION IF NOT EXISTS vector")


async def _apply(connection: AsyncConnection, phase: Phase | None) -> list[Migration]:
    steps = migrations()
    await _require_app_role(connection)
    is_new = await _value(connection, "SELECT to_regclass('memories') IS NULL")
    await connection.execute(_LEDGER)
    done = await _applied(connection)
    if is_new and not done:
        await _create(connection, steps)
        return steps
    _require_unchanged(steps, done)
    pending = [step for step in steps if step.version not in done]
    applied = []
    for step in pending:
        if phase and step.phase != phase:
            break
        async with connection.transaction():
            await connection.execute(step.text.encode())
            await _record(connection, [step])
        applied.append(step)
    return applied


async def _create(connection: AsyncConnection, steps: Sequence[Migration]) -> None:
    async with connection.transaction():
        await connection.execute(statements("schema.sql").encode())
        await connection.execute(statements("policies.sql").encode())
        await _record(connection, steps)


async def _require_app_role(connection: AsyncConnection) -> None:
    if await _value(connection, "SELECT to_regrole('recollect_app') IS NULL"):
        await connection.execute("CREATE ROLE recollect_app NOLOGIN")


async def _record(connection: AsyncConnection, steps: Sequence[Migration]) -> None:
    async with connection.cursor() as cursor:
        await cursor.executemany(
            "INSERT INTO schema_migrations (version, phase, name, checksum) VALUES (%s, %s, %s, %s)",
            [(step.version, step.phase, step.name, step.checksum) for step in steps],
        )


async def _applied(connection: AsyncConnection) -> dict[int, str]:
    cursor = await connection.execute("SELECT version, checksum FROM schema_migrations")
    return dict(await cursor.fetchall())


async def _value(connection: AsyncConnection, query: str) -> Any:
    row = await (await connection.execute(query.encode())).fetchone()
    return row[0] if row else None


def _require_unchanged(steps: Sequence[Migration], done: dict[int, str]) -> None:
    if newer := set(done) - {step.version for step in steps}:
        raise SchemaOutdated(
            f"The database has migration {max(newer)}, which this version of Recollect does not know.",
            hint="Run the newer version of Recollect that made it.",
        )
    for step in steps:
        if done.get(step.version, step.checksum) != step.checksum:
            raise Misconfigured(
                f"Migration {step.version} ({step.name}) was edited after it had been applied.",
                hint="Undo the edit, and write a new migration.",
            )


async def require_current(connection: AsyncConnection[Any]) -> None:
    """Check, as the application, that the schema is the one this code needs.

    Raises:
        SchemaOutdated: with the number of steps that are missing. Steps of phase `post` may be.
    """
    try:
        done = await _applied(connection)
    except psycopg.errors.UndefinedTable:
        raise SchemaOutdated("The database has no Recollect schema yet.") from None
    except psycopg.errors.InsufficientPrivilege:
        raise SchemaOutdated(
            "The application's role may not read the schema.",
            hint="Run `recollect migrate`, and GRANT recollect_app TO the application's role.",
        ) from None
    steps = migrations()
    _require_unchanged(steps, done)
    missing = [step for step in steps if step.phase == "pre" and step.version not in done]
    if missing:
        raise SchemaOutdated(f"The database lacks {len(missing)} migrations, from {missing[0].version} on.")
    await require_installed(connection)
