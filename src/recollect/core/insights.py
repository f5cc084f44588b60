"""What was found in one conversation."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from recollect.core.access import own_user, require
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
from recollect.core.ports import Clock, Span, Storage, Transaction
from recollect.core.walks import Walk

MOST_NOTES = 200


@dataclass(frozen=True, slots=True)
class SessionInsights:
    """What a session tells; `session` None: only notes know of it.

    `entities`: whom and what it speaks of. `relations`, `facts`, `summaries`: what was read in it. `notes`:
    what was kept with the session's id in its metadata.
    """

    session: Session | None
    entities: Sequence[Entity] = ()
    relations: Sequence[Relation] = ()
    facts: Sequence[Memory] = ()
    summaries: Sequence[Memory] = ()
    notes: Sequence[Memory] = ()


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
        self, principal: Principal, session_id: str, user_id: str, *, key: str
    ) -> SessionInsights:
        """What was found in a session of a user; `key`: by which metadata notes name the session.

        Of a session of which only notes know, those alone.

        Raises:
            NotFound: nothing is known of such a session of theirs, to this principal.
            Forbidden: it is another person's credential.
        """
        require(principal, Permission.READ)
        own_user(principal, user_id)
        check_id(session_id, "session_id")
        now = self._clock.now()
        named = (Condition((key,), "eq", session_id),)
        scope = Filter(user_id=user_id, include_shared=False, metadata=named)
        async with self._storage.transaction(principal) as tx:
            session = await tx.session(session_id)
            if session and session.user_id != user_id:
                session = None
            noted = await tx.list_memories(scope, before=NEWEST, limit=MOST_NOTES, now=now)
            notes = [one for one in noted if one.kind is not Kind.MESSAGE]
            if session:
                return await _found(tx, session, notes, now)
        if not notes:
            raise NotFound("The person has no such conversation, or this credential may not see it.")
        return SessionInsights(None, notes=notes)

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


async def _found(
    tx: Transaction, session: Session, notes: Sequence[Memory], now: datetime
) -> SessionInsights:
    """What a session tells, beside the notes that know of it."""
    turns = await tx.ids_in_session(session.session_id)
    derived = await tx.derived_from(session.user_id, turns, session.session_id)
    told = (await tx.relations([one.id for one in derived])).values()
    walk = Walk(tx, Span(now))
    await walk.learn(await tx.entities_spoken_of(session.session_id))
    await walk.learn(end for one in told for end in (one.source_id, one.target_id))
    relations = [
        replace(one, source_id=walk.roots[one.source_id], target_id=walk.roots[one.target_id])
        for one in told
        if {one.source_id, one.target_id} <= walk.roots.keys()
    ]
    return SessionInsights(
        session,
        sorted(walk.entities.values(), key=lambda one: one.name),
        relations,
        [one for one in derived if one.claim and one.superseded_at is None],
        [one for one in derived if one.kind is Kind.SUMMARY],
        notes,
    )
