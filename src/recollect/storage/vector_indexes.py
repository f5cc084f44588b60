"""The indexes by which all of a large tenant is searched: one over each model's vectors, of the owner."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, TypeAlias

import psycopg
from psycopg import AsyncConnection, sql

from recollect.core.errors import Conflict, Invalid, Misconfigured
from recollect.core.model import EmbeddingModel
from recollect.storage.connecting import connected

Connection: TypeAlias = AsyncConnection[tuple[Any, ...]]

WIDEST = 4_000
"""The index takes no vectors of more dimensions."""

LOCK = 0x7265636F6C6C6578
"""Of two who would make indexes at once, one does."""

_MODELS = "SELECT id, name, dimensions, state FROM embedding_models ORDER BY id"
_FOUND = """
SELECT c.relname, i.indisvalid FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indexrelid
WHERE i.indrelid = 'memories'::regclass AND c.relname LIKE 'memories\\_near\\_%'
"""


async def index_vectors(owner_url: str, memory: str = "256MB") -> list[str]:
    """Make the index of each model that has none, and let go those of models that are gone.

    Nobody who reads or writes waits for it. It takes some minutes for each 100,000 memories; `memory` is
    what PostgreSQL may use for it meanwhile, and too little makes it several times slower. What was cut short
    is begun again by the next call. Returns the models' names whose index was made.

    Raises:
        Conflict: somebody else is doing it.
        Invalid: `memory` is no amount of it.
        Misconfigured: the role is not the owner; and as `connected`.
        StorageUnavailable: as `connected`.
    """
    async with _alone(owner_url) as connection:
        try:
            await connection.execute("SELECT set_config('maintenance_work_mem', %s, false)", [memory])
        except psycopg.errors.InvalidParameterValue as error:
            raise Invalid(f"{memory!r} is no amount of memory.", hint="One is 256MB, or 2GB.") from error
        models = {index_name(model): model for model in await _models(connection)}
        found = await _indexes(connection)
        for name, is_whole in found.items():
            if name not in models or not is_whole:
                await _drop(connection, name)
        made = [name for name in models if not found.get(name)]
        for name in made:
            await _create(connection, name, models[name])
        return [models[name].name for name in made]


async def follow_models(owner_url: str) -> list[str]:
    """After a change of models: `index_vectors`, if any index was asked for before."""
    async with connected(owner_url) as connection:
        found = await _indexes(connection)
    return await index_vectors(owner_url) if found else []


async def unindex_vectors(owner_url: str) -> list[str]:
    """Let every index of vectors go; all of a tenant is then searched exactly. Returns their names.

    Raises:
        Conflict, Misconfigured, StorageUnavailable: as `index_vectors`.
    """
    async with _alone(owner_url) as connection:
        found = await _indexes(connection)
        for name in found:
            await _drop(connection, name)
        return list(found)


def index_name(model: EmbeddingModel) -> str:
    """What the index of a model's vectors is called."""
    return f"memories_near_{model.id}"


@asynccontextmanager
async def _alone(owner_url: str) -> AsyncIterator[Connection]:
    async with connected(owner_url) as connection:
        # Not waited for: an index is not finished before every statement that began earlier, such as a wait.
        cursor = await connection.execute("SELECT pg_try_advisory_lock(%s)", [LOCK])
        if await cursor.fetchone() != (True,):
            raise Conflict("The indexes of vectors are being made already.", hint="Wait until they are.")
        try:
            yield connection
        except psycopg.errors.InsufficientPrivilege as error:
            raise Misconfigured(
                f"This role may not index the table: {error.diag.message_primary}.",
                hint="Give the URL of the owner of the tables.",
            ) from error


async def _models(connection: Connection) -> list[EmbeddingModel]:
    rows = await (await connection.execute(_MODELS)).fetchall()
    models = [EmbeddingModel(*row) for row in rows]
    return [model for model in models if model.dimensions <= WIDEST]


async def _indexes(connection: Connection) -> dict[str, bool]:
    """The names of the indexes that are there, and whether they are whole."""
    cursor = await connection.execute(_FOUND)
    return dict(await cursor.fetchall())


async def _create(connection: Connection, name: str, model: EmbeddingModel) -> None:
    await connection.execute(
        sql.SQL(
            "CREATE INDEX CONCURRENTLY {name} ON memories"
            " USING hnsw ((embedding::halfvec({dimensions})) halfvec_cosine_ops) WITH (ef_construction = 128)"
            " WHERE embedding_model = {id}"
        ).format(
            name=sql.Identifier(name), dimensions=sql.Literal(model.dimensions), id=sql.Literal(model.id)
        )
    )


async def _drop(connection: Connection, name: str) -> None:
    await connection.execute(sql.SQL("DROP INDEX CONCURRENTLY {}").format(sql.Identifier(name)))
