"""How a named query is run inside a transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

from psycopg import AsyncConnection, AsyncCursor

from recollect.core.errors import Forbidden
from recollect.core.model import Principal
from recollect.storage.queries import QUERIES
from recollect.storage.sizes import Sizes

Row: TypeAlias = dict[str, Any]


def hidden() -> Forbidden:
    """What cannot be forgotten whole: rows rest on it that the principal does not see."""
    return Forbidden(
        "More is remembered there than this credential may see, so it cannot forget it.",
        hint="Use a credential of a higher role.",
    )


class Rows:
    """A connection inside its principal's transaction; the tenant stands in every statement by itself.

    `sizes`: what is known of the tenants' sizes, whoever asked.
    """

    def __init__(self, connection: AsyncConnection[Row], principal: Principal, sizes: Sizes) -> None:
        self._connection = connection
        self._principal = principal
        self._sizes = sizes

    def _bound(self, values: Mapping[str, Any]) -> Row:
        return {**values, "tenant_id": self._principal.tenant_id}

    async def _all(self, query: str, **values: Any) -> list[Row]:
        cursor = await self._connection.execute(QUERIES[query], self._bound(values), binary=True)
        return await cursor.fetchall()

    async def _one(self, query: str, **values: Any) -> Row | None:
        cursor = await self._connection.execute(QUERIES[query], self._bound(values), binary=True)
        return await cursor.fetchone()

    async def _together(self, *queries: tuple[str, Mapping[str, Any]]) -> list[Row]:
        """The first row of each query, all sent in one message."""
        async with self._connection.pipeline():
            cursors = [await self._queue(query, values) for query, values in queries]
        return [await cursor.fetchone() or {} for cursor in cursors]

    async def _queue(self, query: str, values: Mapping[str, Any]) -> AsyncCursor[Row]:
        """Send a query within a pipeline; its rows come when the pipeline ends."""
        return await self._connection.execute(QUERIES[query], self._bound(values), binary=True)

    async def _run(self, query: str, **values: Any) -> int:
        """The number of rows touched."""
        cursor = await self._connection.execute(QUERIES[query], self._bound(values))
        return cursor.rowcount

    async def _run_each(self, query: str, values: Sequence[Mapping[str, Any]]) -> None:
        """The statement for each of the values, sent as one pipeline."""
        async with self._connection.cursor() as cursor:
            await cursor.executemany(QUERIES[query], [self._bound(each) for each in values])
