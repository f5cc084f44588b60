"""The search over a whole tenant: how many of the ten nearest are among what it gathers."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from unittest.mock import patch
from uuid import UUID

import psycopg
from pgvector import HalfVector
from pgvector.psycopg import register_vector_async
from psycopg import sql

from recollect.core.errors import Invalid
from recollect.core.model import Filter, Principal, tenant_id_of
from recollect.core.ports import Gathered, Probe
from recollect.core.recall.candidates import Candidates
from recollect.settings import load_settings
from recollect.storage.transaction import Transaction
from recollect.wiring import Recollect
from speed.people import tenant_name

NEAREST = 10
_EXACT = """
SELECT id FROM memories WHERE tenant_id = %s ORDER BY embedding <=> %s LIMIT 10
"""


@contextmanager
def watched() -> Iterator[list[Candidates]]:
    """What the storage gathers while the block runs."""
    gathered: list[Candidates] = []
    gather = Transaction.gather

    async def watching(tx: Transaction, probe: Probe, scope: Filter, now: datetime) -> Gathered:
        found = await gather(tx, probe, scope, now)
        gathered.append(found.candidates)
        return found

    with patch.object(Transaction, "gather", watching):
        yield gathered


async def nearest_gathered(home: Path, queries: Sequence[str]) -> float | str:
    """recall@10 of the gathering in the first tenant; or why a whole tenant is not searched."""
    try:
        return await _share_gathered(home, queries)
    except Invalid as refusal:
        return str(refusal)


async def _share_gathered(home: Path, queries: Sequence[str]) -> float:
    tenant = tenant_id_of(tenant_name(0))
    found = 0
    async with Recollect.open(settings=load_settings(home=home)) as memory:
        for query in queries:
            with watched() as gathered:
                await memory.service.recall(Principal(tenant, "bench"), query, Filter(all_users=True))
            _, vectors = await memory.embeddings.embed([query])
            exact = await _nearest(memory.database.url, tenant, HalfVector(vectors[0]))
            found += len(exact & {id_ for candidates in gathered for id_ in candidates.ids})
    return found / (NEAREST * len(queries))


async def _nearest(url: str, tenant: UUID, vector: HalfVector) -> set[UUID]:
    """The ten nearest rows of a tenant, by looking at every one."""
    async with await psycopg.AsyncConnection.connect(url) as connection:
        await register_vector_async(connection)
        await connection.execute(
            sql.SQL(
                "SET LOCAL app.tenant = {}; SET LOCAL app.role = '3'; SET LOCAL enable_indexscan = off"
            ).format(str(tenant))
        )
        cursor = await connection.execute(_EXACT, (tenant, vector))
        return {row[0] for row in await cursor.fetchall()}
