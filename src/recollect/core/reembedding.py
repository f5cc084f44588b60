"""A change of the embedding model, while everything keeps serving.

The new model serves from the first moment: what is written gets its vectors. The old one retires: a query is
embedded by both, and each row is compared with the query in its own model's space, until its last vector has
been replaced. Cut short, it is taken up by the next run.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from uuid import UUID

from recollect.core.embeddings import NOBODY
from recollect.core.errors import Conflict
from recollect.core.indexing import vectors_of
from recollect.core.model import EmbeddingModel, Principal, text_of
from recollect.core.ports import Embedder, Storage, Transaction

BATCH = 128
_START = UUID(int=0)

Tenants = Callable[[], Awaitable[Sequence[UUID]]]


async def change_model(
    storage: Storage, embedder: Embedder, tenants: Tenants, progress: Callable[[int], None]
) -> int:
    """Make the embedder's model the one that serves, and every vector one of its own.

    `tenants` lists all of them, again on every call. `progress` is told after each batch how many memories it
    had. Returns how many memories were embedded anew.

    Raises:
        Conflict: a change to another model is under way, or has begun meanwhile.
    """
    retiring = await _switch(storage, embedder)
    done = 0
    while retiring:
        for tenant_id in await tenants():
            done += await _replace(storage, embedder, tenant_id, retiring.id, progress)
            await _replace_entities(storage, embedder, tenant_id, retiring.id)
        retiring = None if await _drop(storage, retiring) else retiring
    return done


async def _switch(storage: Storage, embedder: Embedder) -> EmbeddingModel | None:
    """The model that retires; None if there is nothing to replace."""
    async with storage.transaction(NOBODY) as tx:
        models = {model.state: model for model in await tx.models()}
        serving, retiring = models.get("serving"), models.get("retiring")
        if serving and serving.name == embedder.model:
            return retiring
        if retiring and serving:
            raise Conflict(
                f"The change from {retiring.name} to {serving.name} is not finished.",
                hint=f"Run `recollect model use {serving.name}` to its end first.",
            )
        await tx.switch_model(embedder.model, embedder.dimensions)
    return serving


async def _replace(
    storage: Storage, embedder: Embedder, tenant_id: UUID, retiring: int, progress: Callable[[int], None]
) -> int:
    """Embed anew what the tenant has of the retiring model. No connection is held while embedding."""
    principal = Principal(tenant_id, subject="model use")
    after, done = _START, 0
    while True:
        async with storage.transaction(principal) as tx:
            rows = await tx.rows_of_model(retiring, after=after, limit=BATCH)
            serving = await _serving(tx, embedder) if rows else 0
        if not rows:
            return done
        vectors = await vectors_of(rows, embedder)
        async with storage.transaction(principal) as tx:
            await tx.replace_vectors(list(zip(rows, vectors, strict=True)), serving)
        after, done = rows[-1].id, done + len(rows)
        progress(len(rows))


async def _replace_entities(storage: Storage, embedder: Embedder, tenant_id: UUID, retiring: int) -> None:
    """The same for the entities of the tenant's graph."""
    principal = Principal(tenant_id, subject="model use")
    after = _START
    while True:
        async with storage.transaction(principal) as tx:
            rows = await tx.entities_of_model(retiring, after=after, limit=BATCH)
            serving = await _serving(tx, embedder) if rows else 0
        if not rows:
            return
        vectors = await embedder.embed([text_of(name, description) for _, name, description in rows])
        async with storage.transaction(principal) as tx:
            await tx.replace_entity_vectors(rows, vectors, serving)
        after = rows[-1][0]


async def _serving(tx: Transaction, embedder: Embedder) -> int:
    """The id of the model that serves, which must be the embedder's."""
    serving = next(model for model in await tx.models() if model.state == "serving")
    if serving.name != embedder.model:
        raise Conflict(f"Another change has begun meanwhile: to {serving.name}.")
    return serving.id


async def _drop(storage: Storage, retiring: EmbeddingModel) -> bool:
    """Whether the model could be let go: a server that had not noticed may have written vectors of it."""
    async with storage.transaction(NOBODY) as tx:
        return await tx.delete_model(retiring.id)
