"""Facts in parts: read, settled, and taken back with what they rest on."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from psycopg.types.json import Jsonb

from recollect.core.model import Memory, Session, Which
from recollect.storage.memories import memory, passing
from recollect.storage.rows import Row, Rows
from recollect.storage.sessions import session

MOST_FACTS = 20_000
"""No more facts of one person are settled with each other."""


_OWNER = b"SET LOCAL app.role = '3'"


def _settled(fact: Memory) -> Row:
    return {
        "id": fact.id,
        "valid_from": fact.valid_from,
        "valid_to": fact.valid_to,
        "superseded_at": fact.superseded_at,
        "superseded_by": fact.superseded_by,
        "confidence": fact.confidence,
        "evidence": list(fact.evidence),
        "standing": str(fact.standing) if fact.standing else None,
        "trust": int(fact.trust),
        "min_role": int(fact.min_role),
        "expires_at": fact.expires_at,
        "source": Jsonb(fact.source),
    }


class FactRows(Rows):
    """The facts among the table `memories`, and how far sessions have been understood."""

    async def lock_person(self, user_id: str | None) -> bool:
        """Nobody else settles facts about the person until the transaction ends; False: there is nobody."""
        if user_id is not None and not await self._run("lock_user", user_id=user_id):
            return False
        await self._one("lock_person", whose=user_id or "")
        return True

    async def see_all(self) -> None:
        """From here on the transaction may see and change all of its tenant: for no request's own words."""
        await self._connection.execute(_OWNER, prepare=False)

    async def facts_of(self, user_id: str | None) -> list[Memory]:
        """Every fact in parts about the person, whatever became of it."""
        rows = await self._all("facts_of_person", whose=user_id or "", limit=MOST_FACTS)
        return [memory(row) for row in rows]

    async def list_facts(self, which: Which, *, before: UUID, limit: int, now: datetime) -> list[Memory]:
        """The newest of these facts older than `before`."""
        rows = await self._all(
            "list_facts",
            subject=which.subject,
            attribute=which.attribute,
            history=which.history,
            before=before,
            limit=limit,
            **passing(which.scope, now),
        )
        return [memory(row) for row in rows]

    async def settle_facts(self, facts: Sequence[Memory]) -> None:
        """Write what became of facts, and so of the relations that they say; their words stay."""
        await self._run_each("settle_fact", [_settled(fact) for fact in facts])
        await self._run("follow_facts", ids=[fact.id for fact in facts])

    async def tell_anew(self, pairs: Sequence[tuple[UUID, UUID]]) -> None:
        """Of each pair the older turn says what the newer one says otherwise."""
        await self._run_each("tell_anew", [{"older": older, "newer": newer} for older, newer in pairs])

    async def untell(self, ids: Sequence[UUID]) -> None:
        """No turn tells anew what these tell."""
        await self._run("untell", ids=list(ids))

    async def derived_from(
        self, user_id: str | None, ids: Sequence[UUID], session_id: str | None
    ) -> list[Memory]:
        """What rests on any of these memories, and what was derived from the session."""
        rows = await self._all("derived_from", whose=user_id or "", ids=list(ids), session_id=session_id)
        return [memory(row) for row in rows]

    async def delete_memories(self, ids: Sequence[UUID]) -> int:
        """The number of memories deleted."""
        return await self._run("delete_memories", ids=list(ids))

    async def session_by_key(self, key: UUID) -> Session | None:
        """The session that a job knows by this key, if it is still there."""
        row = await self._one("session_by_key", key=key)
        return session(row) if row else None

    async def advance_consolidation(self, session_id: str, since: int, upto: int) -> bool:
        """The session is understood up to a turn; False: it did not stand at `since` any more."""
        values = {"session_id": session_id, "since": since, "upto": upto}
        return bool(await self._run("advance_consolidation", **values))

    async def reopen_sessions(self, turns: Sequence[UUID], session_id: str | None) -> None:
        """The session, and those of these turns, are to be understood anew."""
        await self._run("reopen_sessions", ids=list(turns), session_id=session_id)
        await self._run("enqueue_reopened", ids=list(turns), session_id=session_id, due_in=0.0)
