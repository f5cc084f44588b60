"""Summaries of sessions, and what a prompt begins with."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from recollect.core.consolidate.profile import TELLING
from recollect.core.model import Filter, Memory
from recollect.storage.memories import memory, passing
from recollect.storage.rows import Rows


class SummaryRows(Rows):
    """The summaries among the table `memories`."""

    async def summaries_of_session(self, session_id: str, *, now: datetime) -> list[Memory]:
        """What stands for the session: a summary for each window of its turns, in order."""
        rows = await self._all("summaries_of_session", session_id=session_id, now=now)
        return [memory(row) for row in rows]

    async def ends_of_sessions(self, session_ids: Sequence[str], *, now: datetime) -> list[Memory]:
        """The last turn of each of the sessions, and what stands for them, in order."""
        return [memory(row) for row in await self._all("ends_of_sessions", ids=list(session_ids), now=now)]

    async def summaries_of(
        self, user_id: str | None, *, before: UUID, limit: int, now: datetime
    ) -> list[Memory]:
        """The newest summaries of the person's sessions, those older than `before`."""
        whose = user_id or ""
        rows = await self._all("summaries_of_user", whose=whose, before=before, limit=limit, now=now)
        return [memory(row) for row in rows]

    async def known_of(self, scope: Filter, *, facts: int, summaries: int, now: datetime) -> list[Memory]:
        """The most telling facts in parts about the scope's user that hold, and the newest summaries."""
        values = {"whose": scope.user_id or "", "facts": facts, "summaries": summaries}
        values |= {"telling": list(TELLING), **passing(scope, now)}
        rows = await self._all("known_of_user", **values)
        return [memory(row) for row in rows]

    async def notes_of(self, user_id: str, *, limit: int, now: datetime) -> list[Memory]:
        """What was kept of the person that nobody said in a session, the newest first."""
        return [memory(row) for row in await self._all("notes_of_user", whose=user_id, limit=limit, now=now)]

    async def end_session(self, session_id: str) -> bool:
        """The session is over as it stands; False: there is none."""
        return bool(await self._run("end_session", session_id=session_id))

    async def edge_turns(self, user_id: str, *, now: datetime) -> list[Memory]:
        """The first and the last turn of the person's sessions, as they were kept; one, if there is one."""
        rows = await self._all("edge_turns", whose=user_id, now=now)
        return [memory(row) for row in rows]
