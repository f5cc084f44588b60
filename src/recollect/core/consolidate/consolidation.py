"""A session's new turns, understood: read, extracted, settled with what is known, and written in one go.

Nothing is held while it is thought: the turns are read in one transaction, and what they say is written in
another, which begins by making sure that nobody was faster. What is derived has ids of its evidence, so a job
that is run twice, or cut short and run again, leaves the same rows.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias
from uuid import UUID

from recollect.core.consolidate.attributes import ByPacks, without_packs
from recollect.core.consolidate.extraction import Conversation, Extraction, Finding, Mention
from recollect.core.consolidate.junk import spoken
from recollect.core.consolidate.linking import Graph, link
from recollect.core.consolidate.mentioning import mentioned
from recollect.core.consolidate.resolving import Resolved, resolve
from recollect.core.consolidate.rolling import roll_up
from recollect.core.consolidate.rules import extract
from recollect.core.consolidate.summarising import as_memories, before_window, summaries
from recollect.core.embeddings import Embeddings
from recollect.core.errors import Busy, ModelRetired
from recollect.core.ids import derived_id
from recollect.core.indexing import Text, index_notes
from recollect.core.model import Memory, Modality, Principal, Session
from recollect.core.ports import Indexed, Storage, Transaction, Vectors
from recollect.core.text.entities import find_entities
from recollect.core.unlearning import write_settled

BEFORE = 20
"""So many turns that were understood already are read again, so that the new ones can be."""

BATCH = 200
"""So many new turns are understood at once."""

ATTEMPTS = 10

Read: TypeAlias = Callable[[Principal, Conversation], Awaitable[Extraction]]
"""Reads a conversation by whatever can: it never fails for want of a language model."""


@dataclass(frozen=True, slots=True)
class _Session:
    """A session as it stood, its next turns, and what was known of its person.

    `turns`: from the first of those that stand in one summary with the new ones. `upto`: up to there it is
    understood then: the place of the last turn that was read, or the session's last, which may be forgotten.
    """

    session: Session
    conversation: Conversation
    turns: Sequence[Memory]
    known: Sequence[Memory]
    upto: int


@dataclass(frozen=True, slots=True)
class _Understood:
    """What is to be written of a session's new turns."""

    resolved: Resolved
    graph: Graph
    summaries: Sequence[Memory]

    @property
    def rows(self) -> list[Memory]:
        """The memories that are new."""
        return [*self.resolved.insert, *self.summaries]


@dataclass(frozen=True, slots=True)
class _Found:
    """What the new memories, and the names in the graph, are found by; each by the model that made it."""

    rows: tuple[int, Sequence[Indexed]]
    names: tuple[int, Vectors]


def by_rules(conversation: Conversation) -> Extraction:
    """What is understood without a language model."""
    found = extract(conversation)
    return replace(found, mentions=(*found.mentions, *_named(conversation), *mentioned(conversation)))


def _named(conversation: Conversation) -> Iterator[Mention]:
    for turn in conversation.turns[conversation.new :]:
        if turn.role == "user":
            for entity in find_entities(spoken(turn.content)):
                yield Mention(entity.name, entity.kind, turn.id)


async def read_by_rules(_: Principal, conversation: Conversation) -> Extraction:
    """What is understood without a language model, in a thread."""
    return await asyncio.to_thread(by_rules, conversation)


class Consolidator:
    """Understands sessions, one job at a time.

    `vocabulary`: what the conversations of a tenant are read by that has turned on packs of these names; the
    same one for the same names.
    """

    def __init__(
        self,
        storage: Storage,
        embeddings: Embeddings,
        read: Read = read_by_rules,
        vocabulary: ByPacks = without_packs,
    ) -> None:
        self._storage = storage
        self._embeddings = embeddings
        self._extract = read
        self._vocabulary = vocabulary

    async def consolidate(self, tenant_id: UUID, key: UUID) -> None:
        """Understand all turns of a session that were not; of one that is gone, nothing.

        Raises:
            Busy: others kept settling facts about the same person.
            StorageUnavailable: the database went away; to be run again.
        """
        principal = Principal(tenant_id, subject="worker")
        overtaken = 0
        begun = last = None
        extraction = Extraction()
        while session := await self._next(principal, key):
            begun = begun or session
            if last is None or session.conversation != last.conversation:
                extraction = await self._extract(principal, session.conversation)  # it may cost money: once
            last = session
            if not await self._learn(principal, session, extraction):
                overtaken += 1
            if overtaken > ATTEMPTS:
                raise Busy("Others kept settling facts about the same person.")
        if begun and begun.turns and begun.session.user_id and not begun.session.consolidated_seq:
            now = begun.turns[-1].recorded_at
            await roll_up(self._storage, self._embeddings, principal, begun.session.user_id, now)

    async def _next(self, principal: Principal, key: UUID) -> _Session | None:
        """The session's next turns; None if there are none."""
        async with self._storage.transaction(principal) as tx:
            session = await tx.session_by_key(key)
            if session is None or session.consolidated_seq >= session.last_seq:
                return None
            done = session.consolidated_seq
            first = min(max(done - BEFORE, 0), before_window(done))
            limit = done - first + BATCH
            turns = await tx.turns(session.session_id, after=first, limit=limit)
            known = await tx.facts_of(session.user_id)
            user = await tx.user(session.user_id) if session.user_id else None
            on = await tx.packs()
        near = [turn for turn in turns if (turn.seq or 0) > done - BEFORE]
        conversation = Conversation(
            near,
            new=sum((turn.seq or 0) <= done for turn in near),
            user_id=session.user_id,
            names=user.names if user else (),
            participants=session.participants,
            vocabulary=self._vocabulary(on),
        )
        window = [turn for turn in turns if (turn.seq or 0) > before_window(done)]
        upto = session.last_seq if len(turns) < limit else turns[-1].seq or session.last_seq
        return _Session(session, conversation, window, known, upto)

    async def _learn(self, principal: Principal, session: _Session, extraction: Extraction) -> bool:
        """Whether what was read is written; False: somebody was faster, and it is to be settled again."""
        understood = await asyncio.to_thread(_understand, session, extraction)
        found = await self._index(understood)
        try:
            async with self._storage.transaction(principal) as tx:
                return await _write(tx, session, understood, found)
        except ModelRetired:
            await self._embeddings.refresh()
            return False

    async def _index(self, understood: _Understood) -> _Found:
        texts = [Text(memory.content, memory.valid_from) for memory in understood.rows]
        return _Found(
            await index_notes(texts, self._embeddings), await self._embeddings.embed(understood.graph.names)
        )


def _understand(session: _Session, extraction: Extraction) -> _Understood:
    found = facts(extraction, session.conversation)
    resolved = resolve(session.known, found)
    touched = [*resolved.insert, *resolved.change]
    now = {fact.id: fact for fact in (*session.known, *touched)}.values()
    # What is read again is linked again: what it was linked to may have been forgotten with something else.
    told = {fact.id for fact in (*found, *touched)}
    graph = link(extraction, [fact for fact in now if fact.id in told], session.conversation)
    if extraction.summary:
        whole = as_memories(extraction.summary, session.turns, extraction.source)
    else:
        whole = summaries(session.turns, list(now), extraction.source)
    return _Understood(resolved, graph, whole)


async def _write(tx: Transaction, session: _Session, understood: _Understood, found: _Found) -> bool:
    stood = session.session
    if not await tx.lock_person(stood.user_id):
        return True  # whoever it was about is being forgotten, and the session with them
    if await tx.facts_of(stood.user_id) != list(session.known):
        return False
    if not await tx.advance_consolidation(stood.session_id, stood.consolidated_seq, session.upto):
        return False
    await tx.delete_memories([summary.id for summary in understood.summaries])
    model, indexed = found.rows
    await tx.insert_memories(list(zip(understood.rows, indexed, strict=True)), model)
    await write_settled(tx, understood.resolved)
    model, vectors = found.names
    await tx.put_graph(understood.graph, vectors, model)
    return True


def facts(extraction: Extraction, conversation: Conversation) -> list[Memory]:
    """What was found, as the memories that it becomes.

    A fact is trusted as little as the least trusted turn that says it, and seen by whoever sees them all.
    Where a conversation is nobody's, only what named participants say of themselves is known of somebody:
    "my sister" of two strangers is not one.
    """
    turns = {turn.id: turn for turn in conversation.turns}
    named = {name.lower() for name in conversation.participants}
    return [
        _fact(finding, [turns[id_] for id_ in finding.evidence], extraction, _ended_by(finding, conversation))
        for finding in extraction.findings
        if conversation.user_id is not None or finding.claim.subject in named
    ]


def _ended_by(finding: Finding, conversation: Conversation) -> str:
    """The attribute that is over with what was found; "" if none is."""
    claim, closed = finding.claim, conversation.vocabulary.closed
    if claim.negated or claim.modality is not Modality.ASSERTED or claim.attribute not in closed:
        return ""
    return closed[claim.attribute].ends


def _fact(finding: Finding, turns: Sequence[Memory], extraction: Extraction, ends: str) -> Memory:
    claim, first = finding.claim, turns[0]
    parts = (claim.subject, claim.attribute, claim.value, str(claim.negated), str(claim.modality))
    expiries = [turn.expires_at for turn in turns if turn.expires_at]
    said = max(turn.valid_from for turn in turns).isoformat()
    source = {**extraction.source, "quote": finding.quote, "said": said}
    return Memory(
        id=derived_id(first.id, "fact", *parts),
        kind=finding.kind,
        content=finding.content,
        user_id=first.user_id,
        agent_id=first.agent_id,
        trust=min(turn.trust for turn in turns),
        min_role=max(turn.min_role for turn in turns),
        valid_from=finding.valid_from,
        valid_to=finding.valid_to,
        recorded_at=max(turn.recorded_at for turn in turns),
        expires_at=min(expiries, default=None),
        confidence=finding.confidence,
        evidence=tuple(turn.id for turn in turns),
        source=source | ({"corrects": True} if finding.corrects else {}) | ({"ends": ends} if ends else {}),
        claim=claim,
    )
