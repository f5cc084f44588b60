"""Recall, context, and lists."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from recollect.core.access import own_scope, own_user, require, require_staff
from recollect.core.bounds import check_id, check_scope, check_text
from recollect.core.embeddings import Embeddings
from recollect.core.errors import Invalid, NotFound, TooLarge
from recollect.core.model import Context, Filter, Hit, Memory, Permission, Principal, Session, User
from recollect.core.ports import Clock, Probe, Storage
from recollect.core.recall.candidates import Candidates, Query
from recollect.core.recall.context import Packed, Passage, Section, pack
from recollect.core.recall.ranking import Ranked, rank
from recollect.core.recall.reasons import why
from recollect.core.text.names import mentioned, strip_names
from recollect.core.text.times import find_times
from recollect.core.text.tokens import tokenize

DEPTH = 1_000
"""A scope of up to so many rows is ranked whole; of a larger one, so many by each way of finding."""

LONGEST_QUERY = 4_000
QUERY_TOKENS = 64
MOST_HITS = 200
CONTEXT_HITS = 30
CONTEXT_TURNS = 12
LARGEST_PAGE = 200
FIRST = UUID(int=2**128 - 1)
"""Above every id: the start of a list of what is newest."""


class Reader:
    """Everything that finds what is remembered."""

    def __init__(self, storage: Storage, embeddings: Embeddings, clock: Clock) -> None:
        self._storage = storage
        self._embeddings = embeddings
        self._clock = clock

    async def recall(self, principal: Principal, text: str, scope: Filter, *, limit: int = 10) -> list[Hit]:
        """The memories in scope that answer the text best, the best first; at most `limit`.

        Raises:
            Invalid: the text is empty, or the limit out of range.
            TooLarge: the text is too long.
            Forbidden: the scope is not the principal's.
        """
        require(principal, Permission.READ)
        check_scope(scope)
        scope = own_scope(principal, scope)
        if scope.all_users:
            raise Invalid(
                "Recall searches one user's memories, or those that the tenant shares.",
                hint="Name the user_id, or leave it out for what is shared.",
            )
        _check_query(text, limit)
        query, plain = await self._understand(principal, text, scope.user_id)
        aim = await self._embeddings.aim(plain)
        probe = Probe(aim, query.tokens, DEPTH)
        async with self._storage.transaction(principal) as tx:
            candidates = await tx.candidates(probe, scope, self._clock.now())
            ranked = _rank(query, candidates, limit, scope.min_similarity)
            memories = await tx.memories([candidates.ids[one.index] for one in ranked])
        found = [(one, memories.get(candidates.ids[one.index])) for one in ranked]
        return [_hit(query, one, memory) for one, memory in found if memory]

    async def _understand(self, principal: Principal, text: str, user_id: str | None) -> tuple[Query, str]:
        """What the text asks for, and what of it is embedded: all but the participants' names."""
        names: tuple[str, ...] = ()
        if user_id:
            async with self._storage.transaction(principal) as tx:
                names = await tx.participants(user_id)
        plain = strip_names(text, names)
        times = find_times(text, self._clock.now())
        spans = tuple(
            ((time.start - time.slack).timestamp(), (time.end + time.slack).timestamp()) for time in times
        )
        tokens = tuple(dict.fromkeys(tokenize(plain)))[:QUERY_TOKENS]
        return Query(text, tokens, mentioned(text, names), spans), plain

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
        hits = await self.recall(principal, text, scope, limit=CONTEXT_HITS)
        recent: list[Memory] = []
        if session_id:
            check_id(session_id, "session_id")
            user_id = own_scope(principal, scope).user_id
            async with self._storage.transaction(principal) as tx:
                turns = await tx.recent_turns(session_id, limit=CONTEXT_TURNS, now=self._clock.now())
            # Whatever session is named: what somebody else said does not get into this person's prompt.
            recent = [turn for turn in turns if turn.user_id in (None, user_id)]
        sections = [
            Section("Relevant memories", [_passage(hit.memory) for hit in hits]),
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


def _hit(query: Query, ranked: Ranked, memory: Memory) -> Hit:
    reasons = why(query, ranked, memory.content, memory.name)
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
