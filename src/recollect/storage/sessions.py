"""Sessions and their turns."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import psycopg

from recollect.core.model import Forgotten, Memory, Session
from recollect.core.ports import LastTurn, SessionState
from recollect.core.text.names import MOST_NAMES
from recollect.storage.memories import memory
from recollect.storage.rows import Row, Rows, hidden

_END = (datetime.max.replace(tzinfo=UTC), "")


def _session(row: Row) -> Session:
    return Session(**row | {"participants": tuple(row["participants"])})


class SessionRows(Rows):
    """The table `sessions`, and `memories` by session."""

    async def open_session(
        self, session_id: str, user_id: str | None, agent_id: str | None, participants: Sequence[str]
    ) -> SessionState:
        """The session, made if it is new, locked until the transaction ends."""
        row = await self._one(
            "open_session",
            session_id=session_id,
            user_id=user_id,
            agent_id=agent_id,
            participants=list(participants),
            most=MOST_NAMES,
        )
        assert row is not None
        return SessionState(**row)

    async def advance_session(self, session_id: str, last_seq: int) -> None:
        """Set the number of the session's last turn."""
        await self._run("advance_session", session_id=session_id, last_seq=last_seq)

    async def last_turn(self, session_id: str) -> LastTurn | None:
        """Where the session stands; None if it is new."""
        row = await self._one("last_turn", session_id=session_id)
        return LastTurn(**row | {"participants": tuple(row["participants"])}) if row else None

    async def session(self, session_id: str) -> Session | None:
        """The session, if it is there."""
        row = await self._one("session", session_id=session_id)
        return _session(row) if row else None

    async def list_sessions(
        self, user_id: str | None, *, before: tuple[datetime, str] | None, limit: int
    ) -> list[Session]:
        """The sessions that began last, before a moment and id."""
        at, name = before or _END
        rows = await self._all("list_sessions", user_id=user_id, before_at=at, before_id=name, limit=limit)
        return [_session(row) for row in rows]

    async def turns(self, session_id: str, *, after: int, limit: int) -> list[Memory]:
        """The session's turns after a place in it, in order."""
        rows = await self._all("turns_of_session", session_id=session_id, after=after, limit=limit)
        return [memory(row) for row in rows]

    async def recent_turns(self, session_id: str, *, limit: int, now: datetime) -> list[Memory]:
        """The session's last turns, in order, without those that have expired."""
        rows = await self._all("recent_turns", session_id=session_id, limit=limit, now=now)
        return [memory(row) for row in reversed(rows)]

    async def delete_session(self, session_id: str) -> Forgotten:
        """Delete a session and all that was said in it.

        Raises:
            Forbidden: something in it is above the principal's role.
        """
        if not await self._run("lock_session", session_id=session_id):
            return Forgotten()  # one that is being begun now is not waited for
        memories = await self._run("delete_memories_of_session", session_id=session_id)
        await self._run("delete_requests_of_session", session_id=session_id)
        try:
            return Forgotten(memories, sessions=await self._run("delete_session", session_id=session_id))
        except psycopg.errors.ForeignKeyViolation as error:
            raise hidden() from error
