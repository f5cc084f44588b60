"""How much is remembered, and what of it is of little use."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from recollect.core.model import Counts, Kind
from recollect.storage.rows import Rows


class StatisticsRows(Rows):
    """What is counted over whole tables."""

    async def counts(self, user_id: str | None, *, now: datetime) -> Counts:
        """How much there is of a person, or of everything, as far as the principal may see."""
        among = {"whose": user_id, "now": now}
        kinds = {Kind(row["kind"]): row["count"] for row in await self._all("memory_counts", **among)}
        (graph,) = await self._all("graph_counts", **among)
        return Counts(**graph, kinds=kinds)

    async def unused_memories(
        self,
        *,
        before: datetime,
        fewer: int,
        after: UUID,
        limit: int,
        ids: Sequence[UUID] | None = None,
    ) -> list[tuple[UUID, str | None]]:
        """Memories that stand for themselves, of these or of all, with whose each is; by id.

        They were recorded before a time, recalled fewer than so many times, and are not pinned.
        """
        among = None if ids is None else list(ids)
        rows = await self._all(
            "unused_memories", before=before, fewer=fewer, after=after, limit=limit, ids=among
        )
        return [(row["id"], row["user_id"]) for row in rows]
