"""Memories, one by one and in lists."""

from __future__ import annotations

from typing import Annotated, TypeAlias
from uuid import UUID

from fastapi import APIRouter, Path, Query
from starlette.responses import Response

from recollect.core.access import require_staff
from recollect.core.errors import NotFound
from recollect.core.model import Forgotten
from recollect.interfaces.http import answers
from recollect.interfaces.http.calls import Asked, Call, IdempotencyKey
from recollect.interfaces.http.cursors import memory_cursor, parse_memory_cursor
from recollect.interfaces.http.requests import MemoryChanges, MemoryList, SomeMemories

MemoryId: TypeAlias = Annotated[UUID, Path(description="The id that it was given when it was kept.")]

router = APIRouter(prefix="/v1/memories", tags=["memories"])


@router.post("", status_code=201, response_model=answers.Remembered)
async def add_memories(
    asked: Asked, memories: SomeMemories, idempotency_key: IdempotencyKey = None
) -> Response:
    """Keep something that nobody said in a session, or several: durable when this answers, all or none.

    It names the user whom it is about, or says that it is `shared`, unless the credential is one person's.
    """
    if memories.shared:
        require_staff(asked.principal)
    done = await asked.service.add(asked.principal, memories.notes(), idempotency_key=idempotency_key)
    return answers.Remembered.of(done).send(201)


@router.get("", response_model=answers.MemoryPage)
async def list_memories(asked: Asked, wanted: Annotated[MemoryList, Query()]) -> Response:
    """The memories that were kept last, of a user, or, without one, of all: what the credential may see."""
    before = parse_memory_cursor(wanted.cursor)
    found = await asked.service.memories(
        asked.principal, wanted.filter(), before=before, limit=wanted.limit + 1
    )
    page = found[: wanted.limit]
    more = memory_cursor(page[-1].id) if len(found) > wanted.limit else None
    return answers.MemoryPage(memories=[answers.Memory.of(one) for one in page], next_cursor=more).send()


@router.get("/{memory_id}", response_model=answers.Memory)
async def get_memory(asked: Asked, memory_id: MemoryId) -> Response:
    """One memory."""
    return answers.Memory.of(await asked.service.memory(asked.principal, memory_id)).send()


@router.patch("/{memory_id}", response_model=answers.Memory)
async def correct_memory(asked: Asked, memory_id: MemoryId, changes: MemoryChanges) -> Response:
    """Change fields of a memory; a new content is found by its own words from then on."""
    changed = await asked.service.correct(asked.principal, memory_id, changes.changes())
    return answers.Memory.of(changed).send()


@router.delete("/{memory_id}", response_model=answers.Forgotten)
async def forget_memory(asked: Asked, memory_id: MemoryId) -> Response:
    """Delete one memory; what it told is taken out of its neighbour's vector, too.

    Of an unknown one, nothing is deleted.
    """
    return answers.Forgotten.of(await forget_one(asked, memory_id)).send()


async def forget_one(asked: Call, memory_id: UUID) -> Forgotten:
    """Delete a memory; of an unknown one, nothing, as of a session or a user: so it is safe to repeat."""
    try:
        return await asked.service.forget_memory(asked.principal, memory_id)
    except NotFound:
        return Forgotten()
