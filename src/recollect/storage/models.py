"""The models that made the vectors, and the change from one to the next."""

from __future__ import annotations

from collections.abc import Sequence
from uuid import UUID

import psycopg

from recollect.core.model import EmbeddingModel
from recollect.core.ports import ModelRow, Vector
from recollect.storage.memories import halfvec
from recollect.storage.rows import Rows


class ModelRows(Rows):
    """The table `embedding_models`, and `memories` by model."""

    async def models(self) -> list[EmbeddingModel]:
        """The models whose vectors may be in the database."""
        return [EmbeddingModel(**row) for row in await self._all("list_models")]

    async def add_model(self, name: str, dimensions: int) -> None:
        """Name the model of a new database, unless it has one."""
        await self._run("add_model", name=name, dimensions=dimensions)

    async def switch_model(self, name: str, dimensions: int) -> None:
        """Let a model serve from now on, and the one that served retire."""
        await self._run("retire_model")
        await self._run("add_model", name=name, dimensions=dimensions)

    async def delete_model(self, model: int) -> bool:
        """Whether the model could be deleted: not while there is a vector of it, in whichever tenant."""
        try:
            async with self._connection.transaction():
                await self._run("delete_model", model=model)
        except psycopg.errors.ForeignKeyViolation:
            return False
        return True

    async def rows_of_model(self, model: int, *, after: UUID, limit: int) -> list[ModelRow]:
        """The tenant's next memories with vectors of the model, by id."""
        rows = await self._all("rows_of_model", model=model, after=after, limit=limit)
        return [ModelRow(**row | {"participants": tuple(row["participants"])}) for row in rows]

    async def replace_vectors(
        self, rows: Sequence[tuple[ModelRow, tuple[Vector, Vector | None]]], model: int
    ) -> None:
        """Put new vectors where the texts are still what they were made from."""
        values = [
            {
                "model": model,
                "id": row.id,
                "content": row.content,
                "before": row.before,
                "embedding": halfvec(embedding),
                "window_embedding": halfvec(window),
            }
            for row, (embedding, window) in rows
        ]
        await self._run_each("replace_vectors", values)
