"""Recall, context, and lists."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from recollect.core.access import own_scope, own_user, require, require_staff
from recollect.core.bounds import check_id, check_scope, check_text
from recollect.core.embeddings import Embeddings
from recollect.core.errors import Invalid, NotFound, TooLarge
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
from recollect.core.recall.context import Packed, Passage, Section, pack
from recollect.core.recall.ranking import Ranked, rank
from recollect.core.recall.reasons import why
from recollect.core.text.names import mentioned, respell, strip_names
from recollect.core.text.tokens import tokenize

DEPTH = 1_000
"""A scope of up to so many rows is ranked whole; of a larger one, so many by each way of finding."""

LONGEST_QUERY = 4_000
QUERY_TOKENS = 128
MOST_HITS = 200
CONTEXT_HITS = 30
CONTEXT_TURNS = 12
LARGEST_PAGE = 200
MANY_HITS = 20
"""The words of more hits are looked for in a thread: in the event loop they would hold everybody up."""

MOST_HEARD = 10_000
FIRST = UUID(int=2**128 - 1)
"""Above every id: the start of a list of what is newest."""


class Heard:
    """The participants' names of the people last asked about, so that a query can be embedded at once.

    They may be old. Every recall reads them again together with its rows, and one that went by old names is
    asked once more, by the new ones.
    """

    def __init__(self) -> None:
        self._names: dict[tuple[UUID, str], tuple[str, ...]] = {}

    def find(self, user: tuple[UUID, str]) -> tuple[str, ...] | None:
        """The names as they were; None if it was long ago."""
        return self._names.get(user)

    def keep(self, user: tuple[UUID, str], names: tuple[str, ...]) -> None:
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
        return found

    async def _ask(
        self, principal: Principal, text: str, scope: Filter, limit: int, names: tuple[str, ...]
    ) -> tuple[tuple[str, ...], _Found]:
        """What the text brings if the participants have these names, and the names that they have."""
        now = self._clock.now()
        query, plain = _understand(text, names, now)
        probe = Probe(await self._embeddings.aim(plain), query.tokens, DEPTH)
        async with self._storage.transaction(principal) as tx:
            gathered = await tx.gather(probe, scope, now)
            candidates = gathered.candidates
            best = _rank(query, candidates, max(limit, HITS), scope.min_similarity)
            memories = await tx.memories([candidates.ids[one.index] for one in best[:limit]])
        if scope.user_id:
            self._heard.keep((principal.tenant_id, scope.user_id), gathered.participants)
        found = [(one, memories.get(candidates.ids[one.index])) for one in best[:limit]]
        winners = [(one, memory) for one, memory in found if memory]
        return gathered.participants, _Found(query, winners, confidence(query, candidates, best))

    async def _names(self, principal: Principal, user_id: str | None) -> tuple[str, ...]:
        """The participants of the user's sessions, perhaps as they were at the last recall."""
        if user_id is None:
            return ()
        names = self._heard.find((principal.tenant_id, user_id))
        if names is None:
            async with self._storage.transaction(principal) as tx:
                names = await tx.participants(user_id)
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

        Holds what is recalled, and the last turns of `session_id`; each line with a label to cite it by.

        Raises:
            Invalid, TooLarge, Forbidden: as `recall` does.
        """
        found = await self._find(principal, text, scope, CONTEXT_HITS)
        recent: list[Memory] = []
        if session_id:
            check_id(session_id, "session_id")
            user_id = own_scope(principal, scope).user_id
            async with self._storage.transaction(principal) as tx:
                turns = await tx.recent_turns(session_id, limit=CONTEXT_TURNS, now=self._clock.now())
            # Whatever session is named: what somebody else said does not get into this person's prompt.
            recent = [turn for turn in turns if turn.user_id in (None, user_id)]
        sections = [
            Section("Relevant memories", [_passage(memory) for _, memory in found.winners]),
            Section("Latest in this conversation", [_passage(turn) for turn in recent], newest_last=True),
        ]
        # In a thread: long memories take as long to quote as a second.
        return _context(await asyncio.to_thread(pack, sections, budget))

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
        _check_page(limit)
        async with self._storage.transaction(principal) as tx:
            return await tx.list_memories(scope, before=before or FIRST, limit=limit, now=self._clock.now())

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
        _check_page(limit)
        async with self._storage.transaction(principal) as tx:
            return await tx.list_sessions(user_id, before=before, limit=limit)

    async def turns(
        self, principal: Principal, session_id: str, *, after: int = 0, limit: int = 50
    ) -> list[Memory]:
        """A session's turns in order, after a place in it."""
        require(principal, Permission.READ)
        check_id(session_id, "session_id")
        _check_page(limit)
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
        _check_page(limit)
        async with self._storage.transaction(principal) as tx:
            return await tx.list_users(after=after, limit=limit)


def _understand(text: str, names: tuple[str, ...], now: datetime) -> tuple[Query, str]:
    """What the text asks for, and what of it is embedded: all but the participants' names."""
    plain = strip_names(respell(text, names), names)
    tokens = tuple(dict.fromkeys(tokenize(plain)))[:QUERY_TOKENS]
    return Query(text, tokens, mentioned(text, names), tuple(spans(text, now))), plain


def _check_query(text: str, limit: int) -> None:
    if not text.strip():
        raise Invalid("The query is empty.")
    check_text(text, "The query")
    if len(text) > LONGEST_QUERY:
        raise TooLarge(f"The query has {len(text)} characters.", hint=f"At most {LONGEST_QUERY}.")
    if not 1 <= limit <= MOST_HITS:
        raise Invalid(f"limit is {limit}; it must be from 1 to {MOST_HITS}.")


def _check_page(limit: int) -> None:
    if not 1 <= limit <= LARGEST_PAGE:
        raise Invalid(f"limit is {limit}; it must be from 1 to {LARGEST_PAGE}.")


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


def _passage(memory: Memory) -> Passage:
    return Passage(memory.id, memory.content, memory.valid_from, memory.name or memory.role)


def _context(packed: Packed) -> Context:
    return Context(packed.text, dict(packed.citations), packed.tokens, len(packed.dropped))
