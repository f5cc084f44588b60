"""The models whose vectors are in the database, each with its embedder."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from uuid import UUID

from recollect.core.errors import ModelMismatch, RecollectError, StorageUnavailable
from recollect.core.model import EmbeddingModel, Principal
from recollect.core.ports import Aim, Embedder, Storage, Vectors

log = logging.getLogger(__name__)

Open = Callable[[str], Awaitable[Embedder]]
NOBODY = Principal(UUID(int=0), "recollect")
"""Belongs to no tenant, and so sees no tenant's rows."""


class Embeddings:
    """Embeds by the model that serves, and queries also by one that retires, until its last vector is gone.

    Another process may change the models at any time: `refresh` follows.
    """

    def __init__(self, storage: Storage, open_embedder: Open) -> None:
        self._storage = storage
        self._open = open_embedder
        self._embedders: dict[int, Embedder] = {}
        self._serving = 0
        self._spare: Embedder | None = None
        self._refreshing = asyncio.Lock()

    async def start(self, wanted: str | None, default: str) -> None:
        """Open the database's model; `wanted`, or the default, becomes that of a new database.

        Raises:
            ModelMismatch: another model than the wanted one made the database's vectors.
            ModelUnavailable: the model cannot be had.
        """
        serving = await self._found()
        if serving is None:
            self._spare = await self._open(wanted or default)
            async with self._storage.transaction(NOBODY) as tx:
                await tx.add_model(self._spare.model, self._spare.dimensions)
            serving = await self._found()  # not ours, if another server was faster
        assert serving is not None
        if wanted and wanted != serving.name:
            self._spare = self._spare or await self._open(wanted)
            if self._spare.model != serving.name:
                await self._spare.aclose()
                raise ModelMismatch(
                    f"The database's vectors were made by {serving.name}; this process is set to {wanted}.",
                    hint=f"Run `recollect model use {wanted}` to embed everything anew while it serves, "
                    f"or set RECOLLECT_MODEL={serving.name}.",
                )
        await self.refresh()

    async def _found(self) -> EmbeddingModel | None:
        """The database's serving model; None: it is new."""
        async with self._storage.transaction(NOBODY) as tx:
            return next((model for model in await tx.models() if model.state == "serving"), None)

    async def follow(self, interval: float) -> None:
        """Notice changes of the model, every `interval` seconds, until cancelled."""
        while True:
            await asyncio.sleep(interval)
            try:
                await self.refresh()
            except StorageUnavailable:
                continue  # the storage tells of it, once
            except RecollectError as error:
                # What is open goes on serving; rows of a model that cannot be opened are found by words.
                log.warning("The embedding models cannot be refreshed: %s", error)

    async def refresh(self) -> None:
        """Open the embedders of models that came, close those of models that went."""
        async with self._refreshing:
            async with self._storage.transaction(NOBODY) as tx:
                models = await tx.models()
            for model in models:
                if model.id not in self._embedders:
                    self._embedders[model.id] = await self._open_as(model)
            self._serving = next(model.id for model in models if model.state == "serving")
            for gone in self._embedders.keys() - {model.id for model in models}:
                await self._embedders.pop(gone).aclose()

    async def _open_as(self, model: EmbeddingModel) -> Embedder:
        embedder, self._spare = self._spare, None
        if embedder is None or embedder.model != model.name:
            embedder = await self._open(model.name)
        if embedder.dimensions != model.dimensions:
            await embedder.aclose()
            raise ModelMismatch(
                f"{model.name} has {embedder.dimensions} dimensions here, {model.dimensions} in the database."
            )
        return embedder

    async def aclose(self) -> None:
        """Close every embedder."""
        while self._embedders:
            await self._embedders.popitem()[1].aclose()

    @property
    def model(self) -> EmbeddingModel:
        """The model that serves."""
        embedder = self._embedders[self._serving]
        return EmbeddingModel(self._serving, embedder.model, embedder.dimensions, "serving")

    async def embed(self, texts: Sequence[str]) -> tuple[int, Vectors]:
        """The serving model's id, and its vectors of the texts."""
        serving = self._serving
        return serving, await self._embedders[serving].embed(texts)

    async def aim(self, query: str) -> Aim:
        """A query's vectors by every model that has vectors in the database."""
        serving, vectors = await self.embed([query])
        for model, embedder in self._embedders.items():
            if model != serving:
                return Aim(serving, vectors[0], model, (await embedder.embed([query]))[0])
        return Aim(serving, vectors[0])
