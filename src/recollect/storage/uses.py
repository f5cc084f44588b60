"""How often memories are recalled."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from uuid import UUID

from recollect.storage.rows import Rows


class UseRows(Rows):
    """The table `accesses`."""

    async def put_accesses(self, uses: Mapping[UUID, int], at: datetime) -> None:
        """Memories were recalled so many times more, up to a time. What is not there any more is left out."""
        await self._run("put_accesses", ids=list(uses), counts=list(uses.values()), at=at)
