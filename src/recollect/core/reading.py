"""Recall, context, and lists."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import chain
from uuid import UUID

from recollect.core.access import own_scope, own_user, require, require_staff
from recollect.core.bounds import check_id, check_page, check_scope, check_text
from recollect.core.embeddings import Embeddings
from recollect.core.errors import Invalid, NotFound, TooLarge
from recollect.core.ids import NEWEST
from recollect.core.indexing import spans
from recollect.core.model import (
    Context,
    Filter,
    Hit,
    Memory,
    Permission,
    Principal,
    Recalled,
    Session,
    User,
)
from recollect.core.ports import Clock, Probe, Storage
from recollect.core.recall.candidates import Candidates, Query
from recollect.core.recall.confidence import HITS, confidence
from recollect.core.recall.context import Packed, pack
from recollect.core.recall.ranking import Ranked, rank
from recollect.core.recall.reasons import why
from recollect.core.recall.sections import Known, sections
from recollect.core.recall.updates import asks_what_was
from recollect.core.text.alike import Names, other_names
from recollect.core.text.names import mentioned, respell, strip_names
from recollect.core.text.tokens import tokenize
from recollect.core.uses import Uses

DEPTH = 1_000
"""A scope of up to so many rows is ranked whole; of a larger one, so many by each way of finding."""

LONGEST_QUERY = 4_000
QUERY_TOKENS = 128
MOST_HITS = 200
CONTEXT_HITS = 30
CONTEXT_TURNS = 12
PROFILE_FACTS = 24
"""The profile in a context is chosen from so many facts about the person."""

MANY_HITS = 20
"""The words of more hits are looked for in a thread: in the event loop they would hold everybody up."""

MOST_HEARD = 10_000


class Heard:
    """The names around the people last asked about, so that a query can be embedded at once.

    They may be old. Every recall reads them again together with its rows, and one that went by old names is
    asked once more, by the new ones.
    """

    def __init__(self) -> None:
        self._names: dict[tuple[UUID, str], Names] = {}

    def find(self, user: tuple[UUID, str]) -> Names | None:
        """The names as they were; None if it was long ago."""
        return self._names.get(user)

    def forget(self, user: tuple[UUID, str]) -> None:
        """Do not know the person any more."""
        self._names.pop(user, None)

    def keep(self, user: tuple[UUID, str], names: Names) -> None:
        """Remember the names, and forget those of whoever was not asked about for longest."""
        self._names.pop(user, None)
        self._names[user] = names
        if len(self._names) > MOST_HEARD:
            del self._names[next(iter(self._names))]


@dataclass(frozen=True, slots=True)
class _Found:
    """What a query brought: its winners, each as it was ranked and as it is kept."""

    query: Query
    winners: Sequence[tuple[Ranked, Memory]]
    confidence: float


class Reader:
    """Everything that finds what is remembered."""

    def __init__(self, storage: Storage, embeddings: Embeddings, clock: Clock) -> None:
        self._storage = storage
        self._embeddings = embeddings
        self._clock = clock
        self._heard = Heard()
        self.uses = Uses(storage, clock)

    async def recall(self, principal: Principal, text: str, scope: Filter, *, limit: int = 10) -> Recalled:
        """The memories in scope that answer the text best, the best first; at most `limit`.

        All users of a large tenant are searched by meaning first: what has only the words may not be found.

        Raises:
            Invalid: the text is empty, or the limit out of range.
            TooLarge: the text is too long.
            Forbidden: the scope is not the principal's.
        """
        found = await self._find(principal, text, scope, limit)
        many = len(found.winners) > MANY_HITS
        hits = await asyncio.to_thread(_hits, found) if many else _hits(found)
        return Recalled(hits, found.confidence)

    async def _find(self, principal: Principal, text: str, scope: Filter, limit: int) -> _Found:
        require(principal, Permission.READ)
        check_scope(scope)
        scope = own_scope(principal, scope)
        _check_query(text, limit)
        names = await self._names(principal, scope.user_id)
        heard, found = await self._ask(principal, text, scope, limit, names)
        if heard != names:
            _, found = await self._ask(principal, text, scope, limit, heard)
        self.uses.note(principal, (memory for _, memory in found.winners))
        return found

    async def _ask(
        self, principal: Principal, text: str, scope: Filter, limit: int, names: Names
    ) -> tuple[Names, _Found]:
        """What the text brings if these are the names around the person, and the names that there are."""
        now = self._clock.now()
        query, plain = _understand(text, names, now)
        if scope.as_of or scope.known_at:
            query = replace(query, past=True)
        probe = Probe(await self._embeddings.aim(plain), query.tokens, DEPTH)
        async with self._storage.transaction(principal) as tx:
            gathered = await tx.gather(probe, scope, now)
            candidates = gathered.candidates
            best = _rank(query, candidates, max(limit, HITS), scope.min_similarity)
            memories = await tx.memories([candidates.ids[one.index] for one in best[:limit]])
        if scope.user_id:
            self._heard.keep((principal.tenant_id, scope.user_id), gathered.names)
        found = [(one, memories.get(candidates.ids[one.index])) for one in best[:limit]]
        winners = [(one, memory) for one, memory in found if memory]
        return gathered.names, _Found(query, winners, confidence(query, candidates, best))

    async def _names(self, principal: Principal, user_id: str | None) -> Names:
        """The names around the user, perhaps as they were at the last recall."""
        if user_id is None:
            return Names()
        names = self._heard.find((principal.tenant_id, user_id))
        if names is None:
            async with self._storage.transaction(principal) as tx:
                names = await tx.names(user_id)
        return names

    async def context(
        self,
        principal: Principal,
        text: str,
        scope: Filter,
        *,
        budget: int = 1_000,
        session_id: str | None = None,
    ) -> Context:
        """What an agent should know before it answers `text`, as a text of at most `budget` tokens.

        Holds what is known of the person, the last summary, what is recalled, and the last turns of
        `session_id`; each line with a label to cite it by.

        Raises:
            Invalid, TooLarge, Forbidden: as `recall` does.
        """
        require(principal, Permission.READ)
        check_scope(scope)
        scope = own_scope(principal, scope)
        _check_query(text, CONTEXT_HITS)
        if session_id:
            check_id(session_id, "session_id")
        found, (known, recent) = await asyncio.gather(
            self._find(principal, text, scope, CONTEXT_HITS), self._known(principal, scope, session_id)
        )
        what = Known(known, [memory for _, memory in found.winners], recent)
        # In a thread: long memories take as long to quote as a second.
        return _context(await asyncio.to_thread(pack, sections(what, budget), budget))

    async def _known(
        self, principal: Principal, scope: Filter, session_id: str | None
    ) -> tuple[list[Memory], list[Memory]]:
        """What is known of the scope's user, and the last turns of the session, if they are theirs."""
        now = self._clock.now()
        known: list[Memory] = []
        turns: list[Memory] = []
        if not (scope.user_id or session_id):
            return known, turns
        async with self._storage.transaction(principal) as tx:
            if scope.user_id:
                known = await tx.known_of(scope, facts=PROFILE_FACTS, summaries=1, now=now)
            if session_id:
                turns = await tx.recent_turns(session_id, limit=CONTEXT_TURNS, now=now)
        # Whatever session is named: what somebody else said does not get into this person's prompt.
        return known, [turn for turn in turns if turn.user_id in (None, scope.user_id)]

    async def memory(self, principal: Principal, memory_id: UUID) -> Memory:
        """One memory.

        Raises:
            NotFound: there is none by this id, for this principal.
        """
        require(principal, Permission.READ)
        async with self._storage.transaction(principal) as tx:
            found = await tx.memories([memory_id])
        if memory_id not in found:
            raise NotFound
        return found[memory_id]

    async def memories(
        self, principal: Principal, scope: Filter, *, before: UUID | None = None, limit: int = 50
    ) -> list[Memory]:
        """The newest memories in scope, those recorded before `before`."""
        require(principal, Permission.READ)
        check_scope(scope)
        scope = own_scope(principal, scope)
        check_page(limit)
        async with self._storage.transaction(principal) as tx:
            return await tx.list_memories(scope, before=before or NEWEST, limit=limit, now=self._clock.now())

    async def session(self, principal: Principal, session_id: str) -> Session:
        """One session.

        Raises:
            NotFound: there is none by this id, for this principal.
        """
        require(principal, Permission.READ)
        check_id(session_id, "session_id")
        async with self._storage.transaction(principal) as tx:
            found = await tx.session(session_id)
        if found is None:
            raise NotFound
        return found

    async def sessions(
        self,
        principal: Principal,
        *,
        user_id: str | None = None,
        before: tuple[datetime, str] | None = None,
        limit: int = 50,
    ) -> list[Session]:
        """The sessions that began last, of one user or of all."""
        require(principal, Permission.READ)
        check_scope(Filter(user_id=user_id))
        user_id = own_user(principal, user_id)
        check_page(limit)
        async with self._storage.transaction(principal) as tx:
            return await tx.list_sessions(user_id, before=before, limit=limit)

    async def turns(
        self, principal: Principal, session_id: str, *, after: int = 0, limit: int = 50
    ) -> list[Memory]:
        """A session's turns in order, after a place in it."""
        require(principal, Permission.READ)
        check_id(session_id, "session_id")
        check_page(limit)
        async with self._storage.transaction(principal) as tx:
            return await tx.turns(session_id, after=after, limit=limit)

    async def user(self, principal: Principal, user_id: str) -> User:
        """One person, with exact counts.

        Raises:
            NotFound: nobody by this id is known, to this principal.
        """
        require(principal, Permission.READ)
        check_id(user_id, "user_id")
        own_user(principal, user_id)
        async with self._storage.transaction(principal) as tx:
            found = await tx.user(user_id)
        if found is None:
            raise NotFound
        return found

    async def users(self, principal: Principal, *, after: str = "", limit: int = 50) -> Sequence[User]:
        """People by id, after one of them."""
        require(principal, Permission.READ)
        require_staff(principal)
        check_page(limit)
        async with self._storage.transaction(principal) as tx:
            return await tx.list_users(after=after, limit=limit)


def _understand(text: str, around: Names, now: datetime) -> tuple[Query, str]:
    """What the text asks for, and what of it is embedded: all but the participants' names.

    Whoever is named is looked for by their other names too, among the words.
    """
    names = around.participants
    plain = strip_names(respell(text, names), names)
    others = chain.from_iterable(map(tokenize, other_names(plain, around)))
    tokens = tuple(dict.fromkeys([*tokenize(plain)[:QUERY_TOKENS], *others]))[:QUERY_TOKENS]
    times = tuple(spans(text, now))
    return Query(text, tokens, mentioned(text, names), times, asks_what_was(text)), plain


def _check_query(text: str, limit: int) -> None:
    if not text.strip():
        raise Invalid("The query is empty.")
    check_text(text, "The query")
    if len(text) > LONGEST_QUERY:
        raise TooLarge(f"The query has {len(text)} characters.", hint=f"At most {LONGEST_QUERY}.")
    if not 1 <= limit <= MOST_HITS:
        raise Invalid(f"limit is {limit}; it must be from 1 to {MOST_HITS}.")


def _hits(found: _Found) -> tuple[Hit, ...]:
    return tuple(_hit(found.query, ranked, memory) for ranked, memory in found.winners)


def _hit(query: Query, ranked: Ranked, memory: Memory) -> Hit:
    reasons = why(query, ranked, memory)
    return Hit(memory, ranked.score, ranked.parts, ranked.similarity, reasons)


def _rank(query: Query, candidates: Candidates, limit: int, floor: float | None) -> list[Ranked]:
    """The best candidates; with a floor, the best of those whose similarity reaches it."""
    if floor is None:
        return rank(query, candidates, limit)
    everything = rank(query, candidates, len(candidates))
    return [one for one in everything if one.similarity is not None and one.similarity >= floor][:limit]


def _context(packed: Packed) -> Context:
    return Context(packed.text, dict(packed.citations), packed.tokens, len(packed.dropped))
