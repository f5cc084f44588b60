"""What stands for whole conversations, and for a person: summaries, and what is to be done."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from math import inf

from recollect.core.access import own_user, require
from recollect.core.bounds import check_id, check_page
from recollect.core.consolidate.insight import Action
from recollect.core.consolidate.profile import ordered, profile
from recollect.core.consolidate.summarising import read_actions
from recollect.core.errors import Invalid, NotFound
from recollect.core.ids import NEWEST
from recollect.core.model import Filter, Memory, Permission, Principal, Session
from recollect.core.ports import Clock, Storage

QUIET = timedelta(minutes=30)
"""A session in which nothing was said for so long is over, until more is said."""

INSTANT = timedelta(microseconds=1)
"""The end of a time is no part of it."""

MOST_FACTS = 200
MOST_SUMMARIES = 200
"""So many of a person's newest summaries are looked through for what is to be done."""

SHOWN_SUMMARIES = 5
SHOWN_FACTS = 20


@dataclass(frozen=True, slots=True)
class SessionSummary:
    """What stands for a session.

    `summaries`: one for each window of its turns, in order; none yet: it is still to be understood. `upto`:
    the place of the last turn that they tell of. `final`: the session is over, and they tell all of it.
    """

    session_id: str
    summaries: Sequence[Memory]
    upto: int
    final: bool


@dataclass(frozen=True, slots=True)
class PersonSummary:
    """What stands for a person: facts that hold, the most telling first; the last summaries, newest first."""

    user_id: str
    text: str
    facts: Sequence[Memory]
    summaries: Sequence[Memory]


@dataclass(frozen=True, slots=True)
class ToDo:
    """Something to be done, where it was said, and the summary that has it."""

    action: Action
    session_id: str | None
    said_at: datetime
    summary: Memory

    @property
    def last_day(self) -> date | None:
        """The last day (UTC) on which it is in time: `due` is the end of the time that was named."""
        return (self.action.due - INSTANT).date() if self.action.due else None


class Summaries:
    """Everything that tells of conversations as wholes."""

    def __init__(self, storage: Storage, clock: Clock) -> None:
        self._storage = storage
        self._clock = clock

    async def session_summary(self, principal: Principal, session_id: str) -> SessionSummary:
        """What stands for a session.

        Raises:
            NotFound: there is no such session, for this principal.
        """
        require(principal, Permission.READ)
        check_id(session_id, "session_id")
        now = self._clock.now()
        async with self._storage.transaction(principal) as tx:
            session = await tx.session(session_id)
            if session is None:
                raise NotFound
            summaries = await tx.summaries_of_session(session_id, now=now)
        return _session_summary(session, summaries, now)

    async def end_session(self, principal: Principal, session_id: str) -> SessionSummary:
        """Say that a session is over: once all of it is understood, its summary is final.

        Raises:
            NotFound: there is no such session, for this principal.
        """
        require(principal, Permission.WRITE)
        check_id(session_id, "session_id")
        async with self._storage.transaction(principal) as tx:
            if not await tx.end_session(session_id):
                raise NotFound
        return await self.session_summary(principal, session_id)

    async def user_summary(self, principal: Principal, user_id: str) -> PersonSummary:
        """What stands for a person: the most telling facts, and the last conversations.

        Raises:
            NotFound: nobody by this id is known, to this principal.
            Forbidden: it is another person's credential.
        """
        require(principal, Permission.READ)
        check_id(user_id, "user_id")
        own_user(principal, user_id)
        scope = Filter(user_id=user_id, include_shared=False)
        async with self._storage.transaction(principal) as tx:
            if await tx.user(user_id) is None:
                raise NotFound
            known = await tx.known_of(
                scope, facts=MOST_FACTS, summaries=SHOWN_SUMMARIES, now=self._clock.now()
            )
        facts, summaries = profile(known)[:SHOWN_FACTS], ordered(known)
        lines = [" ".join(fact.content for fact in facts)]
        lines += [f"{one.valid_from:%Y-%m-%d}: {' '.join(one.content.split())}" for one in summaries]
        return PersonSummary(user_id, "\n".join(filter(None, lines)), facts, summaries)

    async def actions(
        self, principal: Principal, user_id: str | None = None, *, done: bool = False, limit: int = 50
    ) -> list[ToDo]:
        """What was promised or asked for in a person's last conversations: what is due first comes first.

        Without `done`, what is still to be done; what has no due date comes last, the newest first.

        Raises:
            Invalid: no user is named.
            Forbidden: it is another person's credential.
        """
        require(principal, Permission.READ)
        user_id = own_user(principal, user_id)
        if user_id is None:
            raise Invalid("Actions are listed of one person.", hint="Give user_id.")
        check_id(user_id, "user_id")
        check_page(limit)
        async with self._storage.transaction(principal) as tx:
            summaries = await tx.summaries_of(
                user_id, before=NEWEST, limit=MOST_SUMMARIES, now=self._clock.now()
            )
        return to_do(summaries, done=done)[:limit]


def to_do(summaries: Sequence[Memory], *, done: bool = False) -> list[ToDo]:
    """The actions of summaries: by due date, then the newest first; with `done`, also those that are done."""
    found = [
        ToDo(action, one.session_id, one.valid_from, one)
        for one in summaries
        for action in read_actions(one.metadata)
        if done or not action.done
    ]
    found.sort(key=lambda one: (-one.said_at.timestamp(), one.action.evidence))
    return sorted(found, key=lambda one: one.action.due.timestamp() if one.action.due else inf)


def _session_summary(session: Session, summaries: Sequence[Memory], now: datetime) -> SessionSummary:
    whole = bool(summaries) and session.consolidated_seq == session.last_seq
    quiet = whole and now - summaries[-1].recorded_at > QUIET
    ended = session.attributes.get("ended_seq") == session.last_seq
    upto = session.consolidated_seq
    return SessionSummary(session.session_id, summaries, upto, final=whole and (quiet or ended))
