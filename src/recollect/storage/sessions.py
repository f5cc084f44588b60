"""Sessions and their turns."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from uuid import UUID

import psycopg

from recollect.core.model import Forgotten, Memory, Session
from recollect.core.ports import Indexed, LastTurn, SessionState
from recollect.core.text.names import MOST_NAMES
from recollect.storage.memories import memory, model_kept, parameters
from recollect.storage.rows import Row, Rows, hidden

_END = (datetime.max.replace(tzinfo=UTC), "")


def session(row: Row) -> Session:
    """A row of `sessions` as a session."""
    return Session(**row | {"participants": tuple(row["participants"])})


class SessionRows(Rows):
    """The table `sessions`, and `memories` by session."""

    async def append_turns(  # noqa: PLR0913 - what a write is made of
        self,
        session_id: str,
        state: SessionState,
        participants: Sequence[str],
        turns: Sequence[tuple[Memory, Indexed]],
        model: int,
        *,
        due_in: float,
    ) -> bool:
        """Keep a session's next turns; it, and its user, are made if new. All in one message there and back.

        With them goes a job that understands them, due in so many seconds, unless one waits already.

        False: the session does not stand as `state` says, and the transaction must be given up.

        Raises:
            ModelRetired: the model has no vectors in the database any more.
        """
        values = {
            **asdict(state),
            "session_id": session_id,
            "participants": list(participants),
            "most": MOST_NAMES,
        }
        rows = await parameters(turns, model)
        try:
            with model_kept():
                async with self._connection.pipeline():
                    if state.user_id:
                        await self._queue("ensure_user", values)
                    opened = await self._queue("open_session", values)
                    for row in rows:
                        await self._queue("insert_memory", row)
                    await self._queue("advance_session", values | {"last_seq": state.last_seq + len(rows)})
                    await self._queue("enqueue_session", {"session_id": session_id, "due_in": due_in})
        except psycopg.errors.UniqueViolation as error:
            if error.diag.constraint_name != "memories_of_session":
                raise
            return False
        return await opened.fetchone() == asdict(state)

    async def last_turn(self, session_id: str, user_id: str | None) -> LastTurn:
        """Where the session stands, and the names heard so far: the user's own, or else the session's."""
        user, row = await self._together(
            ("participants_of", {"user_id": user_id}), ("last_turn", {"session_id": session_id})
        )
        if not user_id and row.get("user_id"):
            (user,) = await self._together(("participants_of", {"user_id": row["user_id"]}))
        owned = bool(user_id or row.get("user_id"))
        names = (user if owned else row).get("participants", ())
        return LastTurn(**row | {"participants": tuple(names)})

    async def session(self, session_id: str) -> Session | None:
        """The session, if it is there."""
        row = await self._one("session", session_id=session_id)
        return session(row) if row else None

    async def list_sessions(
        self, user_id: str | None, *, before: tuple[datetime, str] | None, limit: int
    ) -> list[Session]:
        """The sessions that began last, before a moment and id."""
        at, name = before or _END
        rows = await self._all("list_sessions", user_id=user_id, before_at=at, before_id=name, limit=limit)
        return [session(row) for row in rows]

    async def turns(self, session_id: str, *, after: int, limit: int) -> list[Memory]:
        """The session's turns after a place in it, in order."""
        rows = await self._all("turns_of_session", session_id=session_id, after=after, limit=limit)
        return [memory(row) for row in rows]

    async def ids_in_session(self, session_id: str) -> list[UUID]:
        """The ids of its turns, and of what was made from it."""
        return [row["id"] for row in await self._all("ids_in_session", session_id=session_id)]

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
