"""What a person has, and what stands together with it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from uuid import UUID

from recollect.core.model import Pairing, Relation
from recollect.core.ports import Span
from recollect.storage.graph import relation
from recollect.storage.rows import Row, Rows


def _values(span: Span) -> Row:
    return asdict(span) | {"kinds": list(span.kinds) or None}


class PairingRows(Rows):
    """The table `relations`, by whose they are and by what they have in common."""

    async def relations_of(self, user_id: str | None, span: Span, *, limit: int) -> list[Relation]:
        """What a person's entities are to others, or, without one, the tenant's own; the newest first."""
        values = _values(span) | {"whose": user_id or ""}
        return [relation(row) for row in await self._all("relations_of_person", limit=limit, **values)]

    async def together(self, ids: Sequence[UUID], user_id: str, span: Span, *, limit: int) -> list[Pairing]:
        """What stands in groups with these items, as far as the principal sees them; the most often first.

        A group is where a relation of the span's kinds begins. Two people at least have such groups, or one
        of them is the user's own, or the tenant's.
        """
        values = _values(span) | {"whose": user_id}
        return [Pairing(**row) for row in await self._all("together", ids=list(ids), limit=limit, **values)]
