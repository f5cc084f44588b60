"""What was found in one conversation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from recollect.core.access import require
from recollect.core.bounds import check_id, check_page
from recollect.core.errors import NotFound
from recollect.core.ids import NEWEST
from recollect.core.model import (
    Condition,
    Entity,
    Filter,
    Kind,
    Memory,
    Permission,
    Principal,
    Relation,
    Session,
)
from recollect.core.ports import Clock, Span, Storage
from recollect.core.walks import Walk

MOST_NOTES = 200


@dataclass(frozen=True, slots=True)
class SessionInsights:
    """What a session tells.

    `entities`: whom and what it speaks of. `relations`, `facts`, `summaries`: what was read in it. `notes`:
    what was kept with the session's id in its metadata.
    """

    session: Session
    entities: Sequence[Entity]
    relations: Sequence[Relation]
    facts: Sequence[Memory]
    summaries: Sequence[Memory]
    notes: Sequence[Memory]


@dataclass(frozen=True, slots=True)
class SessionEnd:
    """How a session stands: what was said last, and what stands for it, in words."""

    turn: Memory | None
    summary: str


class Insights:
    """Everything that is asked about one conversation as a source."""

    def __init__(self, storage: Storage, clock: Clock) -> None:
        self._storage = storage
        self._clock = clock

    async def session_insights(
        self, principal: Principal, session_id: str, *, key: str = "conversation_id"
    ) -> SessionInsights:
        """What was found in a session; `key`: by which metadata names the session that it belongs to.

        Raises:
            NotFound: there is no such session, for this principal.
        """
        require(principal, Permission.READ)
        check_id(session_id, "session_id")
        now = self._clock.now()
        async with self._storage.transaction(principal) as tx:
            session = await tx.session(session_id)
            if session is None:
                raise NotFound("There is no such conversation, or this credential may not see it.")
            turns = await tx.ids_in_session(session_id)
            derived = await tx.derived_from(session.user_id, turns, session_id)
            told = list((await tx.relations([one.id for one in derived])).values())
            walk = Walk(tx, Span(now))
            await walk.learn(await tx.entities_spoken_of(session_id))
            await walk.learn(end for one in told for end in (one.source_id, one.target_id))
            scope = Filter(
                user_id=session.user_id,
                include_shared=False,
                metadata=(Condition((key,), "eq", session_id),),
            )
            noted = await tx.list_memories(scope, before=NEWEST, limit=MOST_NOTES, now=now)
        return SessionInsights(
            session,
            sorted(walk.entities.values(), key=lambda one: one.name),
            [
                replace(one, source_id=walk.roots[one.source_id], target_id=walk.roots[one.target_id])
                for one in told
                if {one.source_id, one.target_id} <= walk.roots.keys()
            ],
            [one for one in derived if one.claim and one.superseded_at is None],
            [one for one in derived if one.kind is Kind.SUMMARY],
            [one for one in noted if one.kind is not Kind.MESSAGE],
        )

    async def ends(self, principal: Principal, session_ids: Sequence[str]) -> dict[str, SessionEnd]:
        """How sessions stand, each by its id: at most `LARGEST_PAGE`."""
        require(principal, Permission.READ)
        if not session_ids:
            return {}
        check_page(len(session_ids))
        async with self._storage.transaction(principal) as tx:
            found = await tx.ends_of_sessions(session_ids, now=self._clock.now())
        return {id_: _end([one for one in found if one.session_id == id_]) for id_ in session_ids}


def _end(found: Sequence[Memory]) -> SessionEnd:
    turn = next((one for one in found if one.seq is not None), None)
    return SessionEnd(turn, "\n".join(one.content for one in found if one.seq is None))
