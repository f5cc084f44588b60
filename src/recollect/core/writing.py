"""Remember, correct, forget."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from recollect.core.access import TRUSTED, own_user, require, require_staff
from recollect.core.bounds import (
    check_content,
    check_id,
    check_ids,
    check_json,
    check_notes,
    check_shares,
    check_times,
    check_turns,
)
from recollect.core.embeddings import Embeddings
from recollect.core.errors import (
    Busy,
    Forbidden,
    IdempotencyMismatch,
    Invalid,
    ModelRetired,
    NotFound,
    SessionBelongsToAnother,
    TooLarge,
    Unowned,
)
from recollect.core.ids import uuid7
from recollect.core.indexing import Text, index_notes, index_turns
from recollect.core.model import (
    Forgotten,
    JsonObject,
    Kind,
    Memory,
    Note,
    Permission,
    Principal,
    Remembered,
    Role,
    Trust,
    Turns,
    User,
)
from recollect.core.ports import Clock, Done, LastTurn, SessionState, Storage, Transaction
from recollect.core.text.names import MOST_NAMES
from recollect.core.unlearning import unlearn

LARGEST_BATCH = 1_000
ATTEMPTS = 10
DEBOUNCE = 2.0
"""Seconds from a session's first new turn until it is understood, with all that was said by then."""
RETOLD = frozenset({"content", "min_role", "expires_at"})
"""Of what is corrected, what is derived from a memory has its share."""

_SPOKEN = {"user": Trust.USER, "assistant": Trust.STAFF, "system": Trust.OWNER, "tool": Trust.TOOL}


class _Overtaken(Exception):
    """Somebody else added a turn to the session between our reading it and our writing to it."""


@dataclass(frozen=True, slots=True)
class _Claim:
    """An idempotency key, and the digest of the request that it stands for."""

    key: str
    fingerprint: bytes

    @classmethod
    def of(cls, principal: Principal, key: str | None, request: Any) -> _Claim | None:
        if key is None:
            return None
        check_id(key, "The idempotency key")
        text = json.dumps(request, default=str, sort_keys=True, ensure_ascii=False)
        return cls(_own_key(principal, key), hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest())

    async def take(
        self, tx: Transaction, ids: Sequence[UUID], user_id: str | None, session_id: str | None = None
    ) -> Remembered | None:
        """None: the request is new, and these are its ids. Otherwise what it did when it came first.

        It is forgotten with the user or the session.
        """
        done = Done(self.fingerprint, {"ids": [str(id_) for id_ in ids]})
        return self._told(await tx.claim_request(self.key, done, user_id=user_id, session_id=session_id))

    async def find(self, tx: Transaction) -> Remembered | None:
        """What the request did when it came first; None if it has not been done."""
        return self._told(await tx.request(self.key))

    def _told(self, done: Done | None) -> Remembered | None:
        if done is None:
            return None
        if done.fingerprint != self.fingerprint:
            raise IdempotencyMismatch
        return Remembered(tuple(UUID(id_) for id_ in done.result["ids"]), repeated=True)


def _own_key(principal: Principal, key: str) -> str:
    """An idempotency key as it is stored: one person's keys are their own, and nobody else can meet one."""
    if principal.role is not Role.USER:
        return key
    text = f"{principal.subject}\0{key}"
    return f"user:{hashlib.sha256(text.encode()).hexdigest()}"


class Writer:
    """Everything that changes what is remembered."""

    def __init__(
        self, storage: Storage, embeddings: Embeddings, clock: Clock, debounce: float = DEBOUNCE
    ) -> None:
        self._storage = storage
        self._embeddings = embeddings
        self._clock = clock
        self._debounce = debounce

    async def remember(
        self, principal: Principal, turns: Turns, *, idempotency_key: str | None = None
    ) -> Remembered:
        """Keep the next turns of a session, in order: all of them, durable before this returns, or none.

        A session is made by its first turn, and keeps the user and the agent it was begun with.

        Raises:
            Invalid: no turn at all, or an empty one.
            Unowned: the session is new, without a user, and `shared` refuses that.
            TooLarge: too many turns at once, or one that is too long.
            SessionBelongsToAnother: the session was begun with another user.
            IdempotencyMismatch: the key was used for something else.
        """
        require(principal, Permission.WRITE)
        _check([message.content for message in turns.messages])
        check_turns(turns)
        turns = replace(turns, user_id=own_user(principal, turns.user_id))
        claim = _Claim.of(principal, idempotency_key, asdict(turns))
        ids = tuple(uuid7() for _ in turns.messages)
        return await self._insist(principal, claim, lambda: self._append(principal, turns, claim, ids))

    async def _append(
        self, principal: Principal, turns: Turns, claim: _Claim | None, ids: tuple[UUID, ...]
    ) -> Remembered:
        spoken = _first(message.name for message in turns.messages if message.name)
        async with self._storage.transaction(principal) as tx:
            last = await tx.last_turn(turns.session_id, turns.user_id)
        state = _state(turns, last)
        now = self._clock.now()
        texts = [Text(message.content, message.at or now) for message in turns.messages]
        # No connection is held while the texts are embedded; the session is looked at again afterwards.
        model, indexed = await index_turns(
            texts, last.content, _first((*last.participants, *spoken)), self._embeddings
        )
        memories = _turns(principal, turns, state, ids, now)
        async with self._storage.transaction(principal) as tx:
            if claim and (done := await claim.take(tx, ids, state.user_id, turns.session_id)):
                return done
            rows = list(zip(memories, indexed, strict=True))
            if not await tx.append_turns(turns.session_id, state, spoken, rows, model, due_in=self._debounce):
                raise _Overtaken
        return Remembered(ids)

    async def _insist(
        self, principal: Principal, claim: _Claim | None, attempt: Callable[[], Awaitable[Remembered]]
    ) -> Remembered:
        """Try again when another writer was faster, or the embedding model was changed meanwhile.

        A request that was done already is answered before anything is embedded for it.
        """
        if claim:
            async with self._storage.transaction(principal) as tx:
                if done := await claim.find(tx):
                    return done
        for _ in range(ATTEMPTS):
            try:
                return await attempt()
            except _Overtaken:
                continue
            except ModelRetired:
                await self._embeddings.refresh()
        raise Busy("Others kept writing to the same place.")

    async def add(
        self, principal: Principal, notes: Sequence[Note], *, idempotency_key: str | None = None
    ) -> Remembered:
        """Keep memories that are not turns: all of them, durable before this returns, or none.

        Raises:
            Invalid: nothing to keep, or an empty content.
            Unowned: a memory has no user, and its `shared` refuses that.
            TooLarge: too many at once, or one that is too long.
            Forbidden: a memory above the principal's own role, or about somebody they may not write about.
            IdempotencyMismatch: the key was used for something else.
        """
        require(principal, Permission.WRITE)
        _check([note.content for note in notes])
        check_notes(notes)
        notes = [replace(note, user_id=own_user(principal, note.user_id)) for note in notes]
        if not all(note.user_id or note.shared for note in notes):
            raise Unowned
        if any(note.min_role > principal.role for note in notes):
            raise Forbidden("min_role is above this credential's own role.")
        claim = _Claim.of(principal, idempotency_key, [_request(note) for note in notes])
        notes = await self._lasting(principal, notes)
        ids = tuple(uuid7() for _ in notes)
        return await self._insist(principal, claim, lambda: self._add(principal, notes, claim, ids))

    async def _lasting(self, principal: Principal, notes: Sequence[Note]) -> Sequence[Note]:  # noqa: ARG002 - what is above knows more
        """The notes, each with its end, if something says how long its kind lasts."""
        return notes

    async def _add(
        self, principal: Principal, notes: Sequence[Note], claim: _Claim | None, ids: tuple[UUID, ...]
    ) -> Remembered:
        memories = [self._noted(principal, id_, note) for id_, note in zip(ids, notes, strict=True)]
        texts = [Text(memory.content, memory.valid_from) for memory in memories]
        model, indexed = await index_notes(texts, self._embeddings)
        async with self._storage.transaction(principal) as tx:
            if claim and (done := await claim.take(tx, ids, notes[0].user_id)):
                return done
            await tx.ensure_users(sorted({note.user_id for note in notes if note.user_id}))
            await tx.insert_memories(list(zip(memories, indexed, strict=True)), model)
        return Remembered(ids)

    def _noted(self, principal: Principal, id_: UUID, note: Note) -> Memory:
        now = self._clock.now()
        valid_from = note.valid_from or now
        if note.valid_to and note.valid_to <= valid_from:
            raise Invalid("valid_to is not after valid_from.")
        return Memory(
            id=id_,
            kind=note.kind,
            content=note.content,
            user_id=note.user_id,
            agent_id=note.agent_id,
            metadata=note.metadata,
            importance=note.importance,
            confidence=note.confidence,
            trust=TRUSTED[principal.role],
            min_role=note.min_role,
            pinned=note.pinned,
            valid_from=valid_from,
            valid_to=note.valid_to,
            recorded_at=now,
            expires_at=note.expires_at or (now + note.lasts if note.lasts else None),
            evidence=note.evidence,
            source=note.source,
        )

    async def correct(self, principal: Principal, memory_id: UUID, changes: Mapping[str, Any]) -> Memory:
        """Change fields of a memory, and return it as it is then; new content is found by its own words.

        `changes`: any of content, metadata, importance, pinned, min_role, valid_to, expires_at.

        Raises:
            NotFound: there is no such memory, for this principal.
            Invalid: the changed memory would not be valid.
        """
        require(principal, Permission.WRITE)
        indexed, model = None, 0
        if "content" in changes:
            _check([changes["content"]])
            text = Text(changes["content"], await self._beginning(principal, memory_id))
            model, (indexed,) = await index_notes([text], self._embeddings)
        async with self._storage.transaction(principal) as tx:
            before = await _lock(tx, memory_id)
            # Whoever rewrites a text lends it their own trust, and no more than it had.
            trust = min(before.trust, TRUSTED[principal.role]) if "content" in changes else before.trust
            after = replace(before, **changes, trust=trust)
            _check_correction(principal, after)
            await tx.update_memory(after, indexed, model)
            if indexed and after.session_id and after.seq:
                await tx.blank_window_after(after.session_id, after.seq)
            if not RETOLD.isdisjoint(changes):
                await unlearn(tx, after.user_id, [memory_id], after.session_id, rewritten=after)
        return after

    async def _beginning(self, principal: Principal, memory_id: UUID) -> datetime:
        """When a memory began to hold, which no correction changes."""
        async with self._storage.transaction(principal) as tx:
            found = await tx.memories([memory_id])
        if memory_id not in found:
            raise NotFound
        return found[memory_id].valid_from

    async def describe_user(
        self,
        principal: Principal,
        user_id: str,
        *,
        names: Sequence[str] | None = None,
        attributes: JsonObject | None = None,
    ) -> User:
        """Set what the tenant knows of a person, who is made if new, and return it; what is None stays."""
        require(principal, Permission.WRITE)
        check_id(user_id, "user_id")
        own_user(principal, user_id)
        check_ids(**{f"names[{place}]": name for place, name in enumerate(names or ())})
        check_json(attributes or {}, "attributes")
        async with self._storage.transaction(principal) as tx:
            await tx.put_user(user_id, names, attributes)
            described = await tx.user(user_id)
        assert described
        return described

    async def forget_memory(self, principal: Principal, memory_id: UUID) -> Forgotten:
        """Delete one memory, and what was derived from it; what it told leaves its neighbour's vector, too.

        Raises:
            NotFound: there is no such memory, for this principal.
            Forbidden: they may read it, and not delete it.
        """
        require(principal, Permission.FORGET)
        async with self._storage.transaction(principal) as tx:
            memory = await _lock(tx, memory_id)
            again = await _tellings_behind(tx, memory)
            speaking = await tx.withdraw(memory.user_id, [memory_id])
            if not await tx.delete_memory(memory_id):
                raise Forbidden("This memory is shared: a credential of one person may not delete it.")
            if memory.session_id and memory.seq:
                await tx.blank_window_after(memory.session_id, memory.seq)
            session = memory.session_id if memory.seq else None
            more = await tx.delete_memories(again)
            more += await unlearn(tx, memory.user_id, [memory_id, *again], session, speaking=speaking)
        return Forgotten(memories=1 + more)

    async def forget_session(self, principal: Principal, session_id: str) -> Forgotten:
        """Delete a session, all that was said in it and was derived from it; of an unknown one, nothing.

        Raises:
            Forbidden: something in it is above the principal's own role.
        """
        require(principal, Permission.FORGET)
        check_id(session_id, "session_id")
        async with self._storage.transaction(principal) as tx:
            session = await tx.session(session_id)
            if session is None:
                return Forgotten()
            await tx.lock_person(session.user_id)
            ids = await tx.ids_in_session(session_id)
            speaking = await tx.withdraw(session.user_id, ids)
            gone = await tx.delete_session(session_id)
            derived = await unlearn(tx, session.user_id, ids, None, speaking=speaking)
        return replace(gone, memories=gone.memories + derived)

    async def forget_user(self, principal: Principal, user_id: str) -> Forgotten:
        """Delete a person and everything that is remembered of them; of an unknown one, nothing.

        Raises:
            Forbidden: it is another person, or something of it is above the principal's own role.
        """
        require(principal, Permission.FORGET)
        check_id(user_id, "user_id")
        own_user(principal, user_id)
        async with self._storage.transaction(principal) as tx:
            return await tx.delete_user(user_id)


async def _lock(tx: Transaction, memory_id: UUID) -> Memory:
    """The memory, and whoever it is about, nobody else's to change until the transaction ends."""
    # The person first, as everybody does who settles facts: in another order, two would wait for each other.
    found = (await tx.memories([memory_id])).get(memory_id)
    if found:
        await tx.lock_person(found.user_id)
    memory = await tx.lock_memory(memory_id)
    if memory is None:
        raise NotFound
    return memory


async def _tellings_behind(tx: Transaction, fact: Memory) -> list[UUID]:
    """The later tellings that a fact stands for, which would come forth without it."""
    if fact.claim is None:
        return []
    value = fact.claim.value.casefold()
    return [
        one.id
        for one in await tx.facts_of(fact.user_id)
        if one.superseded_by == fact.id
        and one.valid_to is None
        and one.claim
        and one.claim.value.casefold() == value
    ]


def _request(note: Note) -> JsonObject:
    """A note as its request is known again by: what it does not say, an older version did not know."""
    return {name: value for name, value in asdict(note).items() if name != "lasts" or value is not None}


def _first(names: Iterable[str]) -> list[str]:
    """The names that were heard first, as many as are told apart."""
    return list(dict.fromkeys(names))[:MOST_NAMES]


def _state(turns: Turns, last: LastTurn) -> SessionState:
    """The session as the turns will find it, unless another writer is faster."""
    if not last.last_seq:
        if not (turns.user_id or turns.shared):
            raise Unowned
        return SessionState(turns.user_id, turns.agent_id, 0)
    if turns.user_id not in (None, last.user_id):
        raise SessionBelongsToAnother
    return SessionState(last.user_id, last.agent_id, last.last_seq)


def _turns(
    principal: Principal, turns: Turns, session: SessionState, ids: tuple[UUID, ...], now: datetime
) -> list[Memory]:
    """The turns as rows, from the session's next place on."""
    ceiling = TRUSTED[principal.role]
    return [
        Memory(
            id=ids[place],
            kind=Kind.MESSAGE,
            content=message.content,
            user_id=session.user_id,
            agent_id=session.agent_id,
            session_id=turns.session_id,
            seq=session.last_seq + place + 1,
            role=message.role,
            name=message.name,
            metadata=message.metadata,
            trust=min(_SPOKEN.get(message.role, Trust.EXTERNAL), ceiling),
            valid_from=message.at or now,
            recorded_at=now,
        )
        for place, message in enumerate(turns.messages)
    ]


def _check(contents: Sequence[str]) -> None:
    if not contents:
        raise Invalid("There is nothing to remember.")
    if len(contents) > LARGEST_BATCH:
        raise TooLarge(f"{len(contents)} at once are too many.", hint=f"Send at most {LARGEST_BATCH}.")
    for place, content in enumerate(contents):
        check_content(content, f"The content of item {place}")


def _check_correction(principal: Principal, memory: Memory) -> None:
    if memory.user_id is None:
        require_staff(principal)
    if memory.min_role > principal.role:
        raise Forbidden("min_role is above this credential's own role.")
    check_times(valid_to=memory.valid_to, expires_at=memory.expires_at)
    check_shares(importance=memory.importance)
    check_json(memory.metadata, "metadata")
    if memory.valid_to and memory.valid_to <= memory.valid_from:
        raise Invalid("valid_to is not after valid_from.")
