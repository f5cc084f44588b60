"""Memories: found, read, written and deleted."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, fields
from datetime import datetime
from typing import Any
from uuid import UUID

import numpy as np
import psycopg
from pgvector import HalfVector
from psycopg.types.json import Jsonb

from recollect.core.errors import ModelRetired
from recollect.core.ids import NEWEST
from recollect.core.model import (
    Claim,
    Filter,
    JsonObject,
    Kind,
    Memory,
    Modality,
    Role,
    Standing,
    Trust,
)
from recollect.core.ports import Aim, Gathered, Indexed, Probe, Vector
from recollect.core.recall.candidates import Candidates
from recollect.core.text.alike import Names
from recollect.storage.gathering import Gathering
from recollect.storage.rows import Row, Rows
from recollect.storage.sizes import NEAREST, Way, bound, way
from recollect.storage.words import words_and_counts

MANY = 5_000
"""More tokens are hashed in a thread: in the event loop they would stop everybody."""

MANY_BYTES = 1_000_000
"""More bytes of hashes are searched in a thread."""

PAGE = 5_000
"""So many rows of a scope are gathered at once: with the longest texts, what they hold is 400 MB."""

_BY_INDEX = b"""
SET LOCAL plan_cache_mode = force_custom_plan;
SET LOCAL enable_sort = off;
SET LOCAL hnsw.iterative_scan = relaxed_order;
SET LOCAL hnsw.ef_search = 400
"""
_EXACTLY = b"""
SET LOCAL plan_cache_mode = force_generic_plan;
SET LOCAL enable_sort = on
"""

_MODEL_KEYS = frozenset({"memories_embedding_model_fkey", "entities_embedding_model_fkey"})
_FIELDS = [field.name for field in fields(Memory)]
_INDEX = ("embedding", "window_embedding", "term_count", "words", "counts", "traits", "mentions")


def memory(row: Row) -> Memory:
    """A row of the fragment `columns` as a memory."""
    row["kind"] = Kind(row["kind"])
    row["trust"] = Trust(row["trust"])
    row["min_role"] = Role(row["min_role"])
    row["evidence"] = tuple(row["evidence"])
    # Kept in four bytes: read as the number that was written.
    row["importance"], row["confidence"] = round(row["importance"], 6), round(row["confidence"], 6)
    row["claim"] = _claim(row["claim"]) if row["claim"] else None
    row["standing"] = Standing(row["standing"]) if row["standing"] else None
    return Memory(**row)


def _claim(value: JsonObject) -> Claim:
    return Claim(**{**value, "modality": Modality(value["modality"])})


def _values(memory: Memory) -> dict[str, Any]:
    values = {name: getattr(memory, name) for name in _FIELDS}
    return values | {
        "kind": str(memory.kind),
        "trust": int(memory.trust),
        "min_role": int(memory.min_role),
        "evidence": list(memory.evidence),
        "metadata": Jsonb(memory.metadata),
        "source": Jsonb(memory.source),
        "subject": memory.claim.subject if memory.claim else None,
        "attribute": memory.claim.attribute if memory.claim else None,
        "claim": Jsonb(asdict(memory.claim)) if memory.claim else None,
        "standing": str(memory.standing) if memory.standing else None,
    }


def _index(indexed: Indexed | None) -> dict[str, Any]:
    if indexed is None:
        return dict.fromkeys(_INDEX)
    words, counts = words_and_counts(indexed.tokens)
    mentions = np.array(indexed.mentions, ">f8").tobytes()
    found = (halfvec(indexed.embedding), halfvec(indexed.window), len(indexed.tokens), words, counts)
    return dict(zip(_INDEX, (*found, indexed.traits, mentions), strict=True))


def _inserts(rows: Sequence[tuple[Memory, Indexed]], model: int) -> list[dict[str, Any]]:
    return [{**_values(memory), **_index(indexed), "model": model} for memory, indexed in rows]


async def parameters(rows: Sequence[tuple[Memory, Indexed]], model: int) -> list[dict[str, Any]]:
    """The values of `insert_memory` for each row."""
    tokens = sum(len(indexed.tokens) for _, indexed in rows)
    return await asyncio.to_thread(_inserts, rows, model) if tokens > MANY else _inserts(rows, model)


@contextmanager
def model_kept() -> Iterator[None]:
    """Raise ModelRetired where a vector's model has no vectors in the database any more."""
    try:
        yield
    except psycopg.errors.ForeignKeyViolation as error:
        if error.diag.constraint_name not in _MODEL_KEYS:
            raise
        raise ModelRetired from error


def halfvec(vector: Vector | None) -> HalfVector | None:
    """The vector as a parameter, in binary."""
    return None if vector is None else HalfVector(vector)


def aim_of(aim: Aim) -> Row:
    """The values of the fragment `aim`."""
    return {
        "model": aim.model,
        "vector": halfvec(aim.vector),
        "retiring": aim.retiring,
        "retiring_vector": halfvec(aim.retiring_vector),
    }


def _near(aim: Aim) -> list[Row]:
    """A search for the nearest rows of each model."""
    aims = [(aim.model, aim.vector), (aim.retiring, aim.retiring_vector)]
    return [
        {"of_model": model, "near": halfvec(vector), "dimensions": len(vector)}
        for model, vector in aims
        if vector is not None
    ]


def passing(scope: Filter, now: datetime) -> dict[str, Any]:
    """The values of the fragment `passing`, and the users in scope ('' for nobody: shared)."""
    conditions = [
        {"path": list(condition.path), "operator": condition.operator, "value": condition.value}
        for condition in scope.metadata
    ]
    users = [scope.user_id] if scope.user_id else []
    return {
        "user_ids": [*users, ""] if scope.include_shared or not users else users,
        "agent_id": scope.agent_id,
        "session_id": scope.session_id,
        "kinds": [str(kind) for kind in scope.kinds] or None,
        "since": scope.since,
        "until": scope.until,
        "as_of": scope.as_of,
        "known_at": scope.known_at,
        "conditions": Jsonb(conditions) if conditions else None,
        "now": now,
    }


def names_around(user: Row) -> Names:
    """The names around a person, out of their row; none of nobody we know."""
    return Names(tuple(user.get("participants", ())), tuple(map(tuple, user.get("alike", ()))))


async def _add(found: Gathering, row: Row) -> UUID | None:
    if len(row["words"] or b"") > MANY_BYTES:
        return await asyncio.to_thread(found.add, row, PAGE)
    return found.add(row, PAGE)


class MemoryRows(Rows):
    """The table `memories`."""

    async def gather(self, probe: Probe, scope: Filter, now: datetime) -> Gathered:
        """What may answer the query, with all that the ranker needs.

        All users of a tenant are searched in one of the ways of `sizes`: of a large tenant the NEAREST rows
        come back, by their own vectors and not by their words; by a model's index of vectors, where it has
        one and the filter lets enough pass, which may miss a few of them; without, exactly, in a time
        that grows with the tenant.
        """
        if scope.all_users:
            return Gathered(await self._gather_all(probe, scope, now), Names())
        found = Gathering(probe.tokens, probe.depth)
        values = {**aim_of(probe.aim), **passing(scope, now), "limit": PAGE}
        parts = [{**values, "whose": whose, "before": NEWEST} for whose in values["user_ids"]]
        user, *firsts = await self._together(
            ("participants_of", {"user_id": scope.user_id}),
            *(("candidates_of_user", part) for part in parts),
        )
        for part, first in zip(parts, firsts, strict=True):
            await self._go_on("candidates_of_user", part, first, found)
        return Gathered(found.candidates(), names_around(user))

    async def _gather_all(self, probe: Probe, scope: Filter, now: datetime) -> Candidates:
        values = {**aim_of(probe.aim), **passing(scope, now)}
        match await self._way():
            case Way.WHOLE:
                found = Gathering(probe.tokens, probe.depth)
                part = {**values, "limit": PAGE, "before": NEWEST}
                (first,) = await self._together(("candidates_of_tenant", part))
                await self._go_on("candidates_of_tenant", part, first, found)
                return found.candidates()
            case Way.EXACT:
                return await self._nearest(probe, values)
            case Way.BY_INDEX:
                await self._connection.execute(_BY_INDEX, prepare=False)
                nearest = await self._nearest(probe, values)
                if nearest.total >= NEAREST * len(_near(probe.aim)):
                    return nearest
                # Too few pass the filter for the index to come upon them all.
                await self._connection.execute(_EXACTLY, prepare=False)
                return await self._nearest(probe, values)

    async def _nearest(self, probe: Probe, values: Row) -> Candidates:
        """The NEAREST rows of each model, and all that is counted of them alone."""
        found = Gathering(probe.tokens, probe.depth)
        near = [{**values, **each, "limit": NEAREST} for each in _near(probe.aim)]
        for rows in await self._together(*(("nearest_of_tenant", each) for each in near)):
            found.add(rows, PAGE)
        return found.candidates()

    async def _way(self) -> Way:
        """How the tenant is searched as a whole, perhaps as it was a minute ago."""
        asker = self._principal.tenant_id, self._principal.role
        found = self._sizes.find(asker)
        if found is None:
            (table,) = await self._together(("size_of_table", {}))
            most = bound(table["all_rows"]) + 1
            (tenant,) = await self._together(("size_of_tenant", {"most": most}))
            found = way(tenant["rows"], table["all_rows"])
            self._sizes.keep(asker, found)
        return found

    async def _go_on(self, query: str, values: Row, row: Row, found: Gathering) -> None:
        """Count in a first page, and all that follow: the newest first."""
        while before := await _add(found, row):
            (row,) = await self._together((query, {**values, "before": before}))

    async def memories(self, ids: Sequence[UUID]) -> dict[UUID, Memory]:
        """Those of the memories that are there, by id."""
        rows = await self._all("memories_by_id", ids=list(ids))
        return {row["id"]: memory(row) for row in rows}

    async def lock_memory(self, memory_id: UUID) -> Memory | None:
        """The memory, nobody else's to change until the transaction ends."""
        row = await self._one("memory_for_update", id=memory_id)
        return memory(row) if row else None

    async def list_memories(self, scope: Filter, *, before: UUID, limit: int, now: datetime) -> list[Memory]:
        """The newest memories older than `before`."""
        query = "list_of_tenant" if scope.all_users else "list_of_users"
        rows = await self._all(query, before=before, limit=limit, **passing(scope, now))
        return [memory(row) for row in rows]

    async def insert_memories(self, rows: Sequence[tuple[Memory, Indexed]], model: int) -> None:
        """Keep memories, with what each is found by.

        Raises:
            ModelRetired: the model has no vectors in the database any more.
        """
        values = await parameters(rows, model)
        with model_kept():
            await self._run_each("insert_memory", values)

    async def update_memory(self, memory: Memory, indexed: Indexed | None, model: int) -> None:
        """Change a memory; `indexed` None leaves what it is found by."""
        values = {**_values(memory), **_index(indexed), "model": model if indexed else None}
        await self._run("update_memory", **values)

    async def blank_window_after(self, session_id: str, seq: int) -> None:
        """Take what a turn said out of the window of the one after it."""
        await self._run("blank_window", session_id=session_id, seq=seq)

    async def delete_memory(self, memory_id: UUID) -> int:
        """The number of memories deleted: 1, or 0 if it was not there."""
        return await self._run("delete_memory", id=memory_id)
