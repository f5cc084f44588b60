"""What clients get: the shape of every answer, made from what the core returns."""

from __future__ import annotations

from dataclasses import asdict, fields
from datetime import datetime
from operator import attrgetter
from typing import Any, Literal, Self, TypeAlias
from uuid import UUID

from pydantic import BaseModel, Field
from pydantic_core import to_json
from starlette.responses import Response

from recollect.core import model
from recollect.interfaces.http.requests import Rank, shown

Origin: TypeAlias = Literal["external", "tool", "user", "staff", "owner"]

RANKS: dict[model.Role, Rank] = {
    model.Role.USER: "user",
    model.Role.STAFF: "staff",
    model.Role.MANAGER: "manager",
    model.Role.OWNER: "owner",
}
"""The roles by name."""

_ORIGINS: dict[model.Trust, Origin] = {
    model.Trust.EXTERNAL: "external",
    model.Trust.TOOL: "tool",
    model.Trust.USER: "user",
    model.Trust.STAFF: "staff",
    model.Trust.OWNER: "owner",
}
_MEMORY_FIELDS = tuple(field.name for field in fields(model.Memory))
_memory_values = attrgetter(*_MEMORY_FIELDS)
_ID = "019a9d3c-5b7e-7c1a-9f00-2d6b8c4e1a55"
_OTHER_ID = "019a9d3c-5b7e-7c1a-9f00-2d6b8c4e1a56"
_TIME = "2026-03-02T09:30:00Z"


class JsonText(Response):
    """A JSON text that is ready to be sent."""

    media_type = "application/json"


class Answer(BaseModel):
    """An answer, which the core's words have been put into."""

    def send(self, status: int = 200) -> JsonText:
        """The answer as a response, serialised here, so that the framework neither checks nor copies it."""
        return JsonText(self.__pydantic_serializer__.to_json(self), status)


class Remembered(Answer):
    """The ids of what was kept, in the order in which it was given."""

    model_config = shown({"ids": [_ID], "repeated": False, "consolidated": None})

    ids: tuple[UUID, ...] = Field(description="One for each message or memory of the request.")
    repeated: bool = Field(description="An earlier request with the same Idempotency-Key had done it.")
    consolidated: bool | None = Field(
        description="Whether what was said is understood; null: `wait` was not asked for. False: it will be."
    )

    @classmethod
    def of(cls, done: model.Remembered) -> Self:
        """As the core told it."""
        return cls(ids=done.ids, repeated=done.repeated, consolidated=done.consolidated)


_MEMORY: dict[str, Any] = {
    "id": _ID,
    "kind": "message",
    "content": "I love modern furniture.",
    "trust": "user",
    "valid_from": _TIME,
    "recorded_at": _TIME,
    "user_id": "customer-17",
    "agent_id": None,
    "session_id": "s1",
    "seq": 1,
    "role": "user",
    "name": "Ada",
    "metadata": {},
    "importance": 0.5,
    "confidence": 1.0,
    "min_role": "user",
    "pinned": False,
    "valid_to": None,
    "superseded_at": None,
    "superseded_by": None,
    "expires_at": None,
    "evidence": [],
    "source": {},
    "claim": None,
    "standing": None,
}


class Claim(Answer):
    """A fact that was understood, in parts."""

    model_config = shown(
        {
            "subject": "user",
            "attribute": "residence",
            "value": "Covington",
            "negated": False,
            "modality": "asserted",
            "single": True,
        }
    )

    subject: str = Field(description='Whom it is about: "user", the person remembered, or a name.')
    attribute: str = Field(description="What it tells of them.")
    value: str = Field(description="What that is.")
    negated: bool = Field(description="It is said not to be so, or no more.")
    modality: model.Modality = Field(description="Whether it is so, or is planned.")
    single: bool = Field(description="There is one at a time: a newer one takes the place of an older one.")


class Memory(Answer):
    """One thing remembered."""

    model_config = shown(_MEMORY)

    id: UUID = Field(description="Given when it was kept.")
    kind: model.Kind = Field(description="What it is; what was said in a session is a message.")
    content: str = Field(description="Its text, as it was sent.")
    trust: Origin = Field(description="Where it came from, the least trusted first.")
    valid_from: datetime = Field(
        description="When it was said (the message's `at`), or since when it is true."
    )
    recorded_at: datetime = Field(description="When it was kept.")
    user_id: str | None = Field(description="Whom it is about; null: the tenant shares it.")
    agent_id: str | None = Field(description="Which of your agents.")
    session_id: str | None = Field(description="Where it was said; null: it is not a message.")
    seq: int | None = Field(description="Its place in its session, from 1.")
    role: str | None = Field(description="Who spoke: user, assistant, system, tool, or a role of your own.")
    name: str | None = Field(description="The speaker's name.")
    metadata: dict[str, Any] = Field(description="What you gave it.")
    importance: float = Field(description="How much it matters, from 0 to 1, as you said.")
    confidence: float = Field(description="How sure it is, from 0 to 1, as you said.")
    min_role: Rank = Field(description="The lowest role that may read it.")
    pinned: bool = Field(description="A mark of yours.")
    valid_to: datetime | None = Field(description="Until when it is true; null: without end.")
    superseded_at: datetime | None = Field(description="When another took its place.")
    superseded_by: UUID | None = Field(description="The other.")
    expires_at: datetime | None = Field(description="From then on it is not recalled any more.")
    evidence: tuple[UUID, ...] = Field(description="Ids of the memories that it rests on.")
    source: dict[str, Any] = Field(description="Where it came from, in your words.")
    claim: Claim | None = Field(description="Of a fact that was understood, its parts.")
    standing: model.Standing | None = Field(
        description="What a person said of a fact, or that another one contradicts it."
    )

    @classmethod
    def of(cls, memory: model.Memory) -> Self:
        """As the core has it, its ranks by name."""
        return cls(**cls.fields_of(memory))

    @staticmethod
    def fields_of(memory: model.Memory) -> dict[str, Any]:
        """The fields of the answer for a memory, not checked: the core made them."""
        values = dict(zip(_MEMORY_FIELDS, _memory_values(memory), strict=True))
        values["trust"] = _ORIGINS[memory.trust]
        values["min_role"] = RANKS[memory.min_role]
        values["claim"] = asdict(memory.claim) if memory.claim else None
        return values


_HIT: dict[str, Any] = {
    "memory": _MEMORY,
    "score": 3.2,
    "similarity": 0.61,
    "why": "says 'furniture'",
    "parts": None,
}


class MemoryPage(Answer):
    """A page of memories, the newest first."""

    model_config = shown({"memories": [_MEMORY], "next_cursor": None})

    memories: list[Memory] = Field(description="The page, of at most `limit`.")
    next_cursor: str | None = Field(description="For the next page; null: this is the last.")


class MessagePage(Answer):
    """A page of a session's messages, in their order."""

    model_config = shown({"messages": [_MEMORY], "next_after": None})

    messages: list[Memory] = Field(description="The page, of at most `limit`.")
    next_after: int | None = Field(description="`after` for the next page; null: this is the last.")


class Hit(Answer):
    """A memory that was recalled."""

    model_config = shown(_HIT)

    memory: Memory = Field(description="What was recalled, whole.")
    score: float = Field(
        description="The higher the better. It compares the hits of one answer, and nothing else: the same "
        "memory has another score in another answer. It may be below 0."
    )
    similarity: float | None = Field(
        description="The cosine of the query and the memory, from -1 to 1: absolute, so that it compares "
        "across answers; what `min_similarity` looks at. Only a part of what the score is made of: a memory "
        "that says the very words may be best and less similar. Null: it has no vector of the serving model."
    )
    why: str = Field(description="What speaks most for it.")
    parts: dict[str, float] | None = Field(
        description="The summands of the score, by feature; null unless `explain`."
    )

    @staticmethod
    def fields_of(hit: model.Hit, *, explain: bool) -> dict[str, Any]:
        """The fields of the answer for a hit, not checked: the core made them."""
        return {
            "memory": Memory.fields_of(hit.memory),
            "score": hit.score,
            "similarity": hit.similarity,
            "why": hit.why,
            "parts": dict(hit.parts) if explain else None,
        }


class Recalled(Answer):
    """What answers a question, the best first."""

    model_config = shown({"hits": [_HIT], "confidence": 0.83, "took_ms": 3.4})

    hits: list[Hit] = Field(description="At most `limit`.")
    confidence: float = Field(
        description="How likely the answer is among the first ten hits, from 0 to 1: low where nothing that "
        "is remembered is near to what was asked. A guess; docs/recall.md says how good a one."
    )
    took_ms: float = Field(description="How long the search took within the server, in milliseconds.")

    @staticmethod
    def sent(found: model.Recalled, took_ms: float, *, explain: bool) -> JsonText:
        """As the core ranked them, straight to JSON: a model of each hit would cost more than the rest."""
        shown = {
            "hits": [Hit.fields_of(hit, explain=explain) for hit in found],
            "confidence": round(found.confidence, 3),
            "took_ms": took_ms,
        }
        return JsonText(to_json(shown, inf_nan_mode="null"))


class Context(Answer):
    """A text for a prompt. It is data: nothing in it is an instruction."""

    model_config = shown(
        {
            "text": "What is remembered from earlier stands between <remembered> and </remembered>. …\n"
            "<remembered>\n## Relevant memories\n[m1] 2026-03-02 09:30, Ada: I love modern furniture.\n"
            "</remembered>",
            "citations": {"m1": _ID},
            "tokens": 85,
            "dropped": 0,
        }
    )

    text: str = Field(description="To be put into a prompt as it is; empty if nothing is remembered.")
    citations: dict[str, UUID] = Field(description="Which memory each label in the text stands for.")
    tokens: int = Field(description="An estimate of the text's tokens; never above the budget.")
    dropped: int = Field(
        description="How many memories that were found did not fit into the budget; those kept are worth "
        "more. A larger budget shows more of them."
    )

    @classmethod
    def of(cls, context: model.Context) -> Self:
        """As the core packed it."""
        return cls(
            text=context.text,
            citations=dict(context.citations),
            tokens=context.tokens,
            dropped=context.dropped,
        )


class Forgotten(Answer):
    """What was deleted, in exact counts."""

    model_config = shown({"memories": 42, "sessions": 3, "users": 1})

    memories: int = Field(description="Memories, messages among them.")
    sessions: int = Field(description="Sessions.")
    users: int = Field(description="People.")

    @classmethod
    def of(cls, forgotten: model.Forgotten) -> Self:
        """As the core counted it."""
        return cls(memories=forgotten.memories, sessions=forgotten.sessions, users=forgotten.users)


_SESSION: dict[str, Any] = {
    "session_id": "s1",
    "user_id": "customer-17",
    "agent_id": None,
    "participants": ["Ada"],
    "attributes": {},
    "created_at": _TIME,
    "last_seq": 12,
    "consolidated_seq": 3,
}


class Session(Answer):
    """One conversation, thread or call."""

    model_config = shown(_SESSION)

    session_id: str = Field(description="Its id: yours, unique in the tenant.")
    user_id: str | None = Field(description="Whose it is; null: the tenant shares it.")
    agent_id: str | None = Field(description="Which of your agents it was begun with.")
    participants: tuple[str, ...] = Field(description="The names heard in it.")
    attributes: dict[str, Any] = Field(description="Nothing yet.")
    created_at: datetime = Field(description="When its first message was kept.")
    last_seq: int = Field(description="The place of its last message.")
    consolidated_seq: int = Field(description="The place of the last message that is understood.")

    @classmethod
    def of(cls, session: model.Session) -> Self:
        """As the core has it."""
        return cls(
            session_id=session.session_id,
            user_id=session.user_id,
            agent_id=session.agent_id,
            participants=session.participants,
            attributes=dict(session.attributes),
            created_at=session.created_at,
            last_seq=session.last_seq,
            consolidated_seq=session.consolidated_seq,
        )


class SessionPage(Answer):
    """A page of sessions, those that began last first."""

    model_config = shown({"sessions": [_SESSION], "next_cursor": None})

    sessions: list[Session] = Field(description="The page, of at most `limit`.")
    next_cursor: str | None = Field(description="For the next page; null: this is the last.")


_PERSON: dict[str, Any] = {
    "user_id": "customer-17",
    "names": ["Ada"],
    "attributes": {"tier": "gold"},
    "created_at": _TIME,
}


class Person(Answer):
    """A person whom the tenant's agents remember."""

    model_config = shown(_PERSON)

    user_id: str = Field(description="Their id: yours, unique in the tenant.")
    names: tuple[str, ...] = Field(description="What they are called, as you set it.")
    attributes: dict[str, Any] = Field(description="What you set.")
    created_at: datetime = Field(description="When they were first named.")

    @classmethod
    def of(cls, user: model.User) -> Self:
        """As the core has them."""
        return cls(
            user_id=user.user_id,
            names=user.names,
            attributes=dict(user.attributes),
            created_at=user.created_at,
        )


class User(Person):
    """A person, with how much is remembered of them."""

    model_config = shown({**_PERSON, "memory_count": 42, "session_count": 3})

    memory_count: int = Field(description="How many memories are about them, messages among them.")
    session_count: int = Field(description="How many sessions are theirs.")

    @classmethod
    def of(cls, user: model.User) -> Self:
        """As the core has them, with their counts."""
        assert user.memory_count is not None
        assert user.session_count is not None
        return cls(
            user_id=user.user_id,
            names=user.names,
            attributes=dict(user.attributes),
            created_at=user.created_at,
            memory_count=user.memory_count,
            session_count=user.session_count,
        )


class UserPage(Answer):
    """A page of people, by their ids."""

    model_config = shown({"users": [_PERSON], "next_cursor": None})

    users: list[Person] = Field(description="The page, of at most `limit`.")
    next_cursor: str | None = Field(description="For the next page; null: this is the last.")


class Live(Answer):
    """The process answers."""

    model_config = shown({"status": "live"})

    status: Literal["live"] = Field(default="live", description="Always this.")


class Ready(Answer):
    """Everything that the server stands on answers."""

    model_config = shown({"status": "ready", "checks": {"database": "ok", "model": "ok"}})

    status: Literal["ready"] = Field(
        default="ready", description="Always this; what is not ready is a problem, 503."
    )
    checks: dict[str, str] = Field(description="Each part, and ok.")


class Version(Answer):
    """What runs here."""

    model_config = shown({"version": "0.1.0", "model": "all-minilm-l6-v2", "dimensions": 384})

    version: str = Field(description="Of Recollect.")
    model: str = Field(description="The embedding model that serves.")
    dimensions: int = Field(description="The length of its vectors.")
