"""Memories: found, read, written and deleted."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any, overload
from uuid import UUID

import numpy as np
import psycopg
from numpy.typing import DTypeLike, NDArray
from pgvector import HalfVector
from psycopg.types.json import Jsonb

from recollect.core.errors import ModelRetired
from recollect.core.model import Filter, Kind, Memory, Role, Trust
from recollect.core.ports import Indexed, Probe, Vector
from recollect.core.recall.candidates import Candidates
from recollect.storage.lexemes import tsquery, tsvector
from recollect.storage.rows import Row, Rows

MANY = 5_000
"""Of more tokens the literals are written in a thread: in the event loop they would stop everybody."""

_FIELDS = [field.name for field in fields(Memory)]


def memory(row: Row) -> Memory:
    """A row of the fragment `columns` as a memory."""
    row["kind"] = Kind(row["kind"])
    row["trust"] = Trust(row["trust"])
    row["min_role"] = Role(row["min_role"])
    row["evidence"] = tuple(row["evidence"])
    # Kept in four bytes: read as the number that was written.
    row["importance"], row["confidence"] = round(row["importance"], 6), round(row["confidence"], 6)
    return Memory(**row)


def _values(memory: Memory) -> dict[str, Any]:
    values = {name: getattr(memory, name) for name in _FIELDS}
    return values | {
        "kind": str(memory.kind),
        "trust": int(memory.trust),
        "min_role": int(memory.min_role),
        "evidence": list(memory.evidence),
        "metadata": Jsonb(memory.metadata),
        "source": Jsonb(memory.source),
    }


def _index(indexed: Indexed | None) -> dict[str, Any]:
    if indexed is None:
        return dict.fromkeys(("embedding", "window_embedding", "terms", "term_count"))
    return {
        "embedding": halfvec(indexed.embedding),
        "window_embedding": halfvec(indexed.window),
        "terms": tsvector(indexed.tokens),
        "term_count": len(indexed.tokens),
    }


def _inserts(rows: Sequence[tuple[Memory, Indexed]], model: int) -> list[dict[str, Any]]:
    return [{**_values(memory), **_index(indexed), "model": model} for memory, indexed in rows]


def halfvec(vector: Vector | None) -> HalfVector | None:
    """The vector as a parameter, in binary."""
    return None if vector is None else HalfVector(vector)


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


def _column(data: bytes | None, dtype: DTypeLike) -> NDArray[Any]:
    """A bytea of big-endian values as an array in the machine's own order."""
    big = np.dtype(dtype).newbyteorder(">")
    return np.frombuffer(data or b"", big).astype(dtype)


class _Ids(Sequence[UUID]):
    """UUIDs out of one bytea, each made when it is asked for: of a thousand candidates, ten are."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def __len__(self) -> int:
        return len(self._data) // 16

    @overload
    def __getitem__(self, place: int) -> UUID: ...
    @overload
    def __getitem__(self, place: slice) -> list[UUID]: ...
    def __getitem__(self, place: int | slice) -> UUID | list[UUID]:
        if isinstance(place, slice):
            return [self[each] for each in range(*place.indices(len(self)))]
        at = range(len(self))[place] * 16
        return UUID(bytes=self._data[at : at + 16])


def _candidates(row: Mapping[str, Any], tokens: int) -> Candidates:
    seqs = _column(row["seqs"], np.int32)
    sessions = _codes(_column(row["sessions"], np.int64), seqs)
    order = np.lexsort((seqs, sessions))
    frequencies = _frequencies(row, len(seqs), tokens)[order]
    is_whole = len(seqs) == row["total"]
    return Candidates(
        ids=_Ids(np.frombuffer(row["ids"] or b"", "V16")[order].tobytes()),
        sessions=sessions[order],
        seqs=seqs[order],
        at=_column(row["moments"], np.float64)[order],
        names=[row["names"][place] for place in order.tolist()],
        dense=_column(row["dense"], np.float32)[order],
        window=_column(row["beside"], np.float32)[order],
        lengths=_column(row["lengths"], np.int32)[order],
        frequencies=frequencies,
        holders=np.count_nonzero(frequencies, axis=0) if is_whole else np.array(row["holders"], np.int64),
        total=row["total"],
        mean_length=row["mean_length"],
    )


def _codes(hashes: NDArray[np.int64], seqs: NDArray[np.int32]) -> NDArray[np.int32]:
    """A small number for each session instead of its hash, -1 for none."""
    codes = np.unique(hashes, return_inverse=True)[1].astype(np.int32)
    codes[seqs == 0] = -1
    return codes


def _frequencies(row: Mapping[str, Any], rows: int, tokens: int) -> NDArray[np.int32]:
    """(rows, tokens): how often each row holds each token."""
    frequencies = np.zeros((rows, tokens), np.int32)
    pairs = _column(row["matches"], np.int32).reshape(-1, 2)
    owners = np.repeat(np.arange(rows), _column(row["matched"], np.int32))
    frequencies[owners, pairs[:, 0] - 1] = pairs[:, 1]
    return frequencies


class MemoryRows(Rows):
    """The table `memories`."""

    async def candidates(self, probe: Probe, scope: Filter, now: datetime) -> Candidates:
        """What may answer the query, with all that the ranker needs."""
        tokens = list(probe.tokens)
        row = await self._one(
            "candidates",
            model=probe.aim.model,
            vector=halfvec(probe.aim.vector),
            retiring=probe.aim.retiring,
            retiring_vector=halfvec(probe.aim.retiring_vector),
            tokens=tokens,
            words=tsquery(tokens),
            depth=probe.depth,
            **passing(scope, now),
        )
        assert row is not None
        return _candidates(row, len(tokens))

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
        tokens = sum(len(indexed.tokens) for _, indexed in rows)
        values = await asyncio.to_thread(_inserts, rows, model) if tokens > MANY else _inserts(rows, model)
        try:
            await self._run_each("insert_memory", values)
        except psycopg.errors.ForeignKeyViolation as error:
            if error.diag.constraint_name != "memories_embedding_model_fkey":
                raise
            raise ModelRetired from error

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
