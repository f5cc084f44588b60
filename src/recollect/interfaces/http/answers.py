"""What clients get: the shape of every answer, made from what the core returns."""

from __future__ import annotations

from dataclasses import fields
from datetime import datetime
from typing import Any, Literal, Self, TypeAlias
from uuid import UUID

from pydantic import BaseModel, ConfigDict, Field
from starlette.responses import Response

from recollect.core import model

Rank: TypeAlias = Literal["user", "staff", "manager", "owner"]
Origin: TypeAlias = Literal["external", "tool", "user", "staff", "owner"]

_RANKS: dict[model.Role, Rank] = {
    model.Role.USER: "user",
    model.Role.STAFF: "staff",
    model.Role.MANAGER: "manager",
    model.Role.OWNER: "owner",
}
_ORIGINS: dict[model.Trust, Origin] = {
    model.Trust.EXTERNAL: "external",
    model.Trust.TOOL: "tool",
    model.Trust.USER: "user",
    model.Trust.STAFF: "staff",
    model.Trust.OWNER: "owner",
}
_MEMORY_FIELDS = tuple(field.name for field in fields(model.Memory))
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


def _shown(example: dict[str, Any]) -> ConfigDict:
    return ConfigDict(json_schema_extra={"examples": [example]})


class Remembered(Answer):
    """The ids of what was kept, in the order in which it was given."""

    model_config = _shown({"ids": [_ID], "repeated": False})

    ids: tuple[UUID, ...]
    repeated: bool = Field(description="An earlier request with the same Idempotency-Key had done it.")

    @classmethod
    def of(cls, done: model.Remembered) -> Self:
        """As the core told it."""
        return cls(ids=done.ids, repeated=done.repeated)


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
}


class Memory(Answer):
    """One thing remembered."""

    model_config = _shown(_MEMORY)

    id: UUID
    kind: model.Kind
    content: str
    trust: Origin = Field(description="Where it came from, the least trusted first: external, tool, user, …")
    valid_from: datetime = Field(description="When it was said, or since when it is true.")
    recorded_at: datetime = Field(description="When it was kept.")
    user_id: str | None = Field(description="Whom it is about; null: the tenant shares it.")
    agent_id: str | None
    session_id: str | None
    seq: int | None = Field(description="Its place in its session, from 1.")
    role: str | None
    name: str | None
    metadata: dict[str, Any]
    importance: float
    confidence: float
    min_role: Rank = Field(description="The lowest role that may read it.")
    pinned: bool
    valid_to: datetime | None
    superseded_at: datetime | None
    superseded_by: UUID | None
    expires_at: datetime | None
    evidence: tuple[UUID, ...] = Field(description="Ids of the memories that it rests on.")
    source: dict[str, Any]

    @classmethod
    def of(cls, memory: model.Memory) -> Self:
        """As the core has it, its ranks by name."""
        values = {name: getattr(memory, name) for name in _MEMORY_FIELDS}
        values["trust"] = _ORIGINS[memory.trust]
        values["min_role"] = _RANKS[memory.min_role]
        return cls(**values)


_HIT: dict[str, Any] = {"memory": _MEMORY, "score": 3.2, "why": "says 'furniture'", "parts": None}


class MemoryPage(Answer):
    """A page of memories, the newest first."""

    model_config = _shown({"memories": [_MEMORY], "next_cursor": None})

    memories: list[Memory]
    next_cursor: str | None = Field(description="For the next page; null: this is the last.")


class MessagePage(Answer):
    """A page of a session's messages, in their order."""

    model_config = _shown({"messages": [_MEMORY], "next_after": None})

    messages: list[Memory]
    next_after: int | None = Field(description="`after` for the next page; null: this is the last.")


class Hit(Answer):
    """A memory that was recalled."""

    model_config = _shown(_HIT)

    memory: Memory
    score: float = Field(description="The higher the better; comparable within one answer only.")
    why: str = Field(description="What speaks most for it.")
    parts: dict[str, float] | None = Field(
        description="The summands of the score, by feature; null unless `explain`."
    )

    @classmethod
    def of(cls, hit: model.Hit, *, explain: bool) -> Self:
        """As the core ranked it."""
        parts = dict(hit.parts) if explain else None
        return cls(memory=Memory.of(hit.memory), score=hit.score, why=hit.why, parts=parts)


class Recalled(Answer):
    """What answers a question, the best first."""

    model_config = _shown({"hits": [_HIT], "took_ms": 3.4})

    hits: list[Hit]
    took_ms: float = Field(description="How long the search took within the server, in milliseconds.")


class Context(Answer):
    """A text for a prompt. It is data: nothing in it is an instruction."""

    model_config = _shown(
        {
            "text": "Relevant memories\n[1] 2026-03-02 Ada: I love modern furniture.",
            "citations": {"1": _ID},
            "tokens": 21,
            "dropped": 0,
        }
    )

    text: str
    citations: dict[str, UUID] = Field(description="Which memory each label in the text stands for.")
    tokens: int = Field(description="An estimate of the text's tokens.")
    dropped: int = Field(description="How many memories did not fit into the budget.")

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

    model_config = _shown({"memories": 42, "sessions": 3, "users": 1})

    memories: int
    sessions: int
    users: int

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
}


class Session(Answer):
    """One conversation, thread or call."""

    model_config = _shown(_SESSION)

    session_id: str
    user_id: str | None
    agent_id: str | None
    participants: tuple[str, ...] = Field(description="The names heard in it.")
    attributes: dict[str, Any]
    created_at: datetime
    last_seq: int = Field(description="The place of its last message.")

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
        )


class SessionPage(Answer):
    """A page of sessions, those that began last first."""

    model_config = _shown({"sessions": [_SESSION], "next_cursor": None})

    sessions: list[Session]
    next_cursor: str | None = Field(description="For the next page; null: this is the last.")


_PERSON: dict[str, Any] = {
    "user_id": "customer-17",
    "names": ["Ada"],
    "attributes": {"tier": "gold"},
    "created_at": _TIME,
}


class Person(Answer):
    """A person whom the tenant's agents remember."""

    model_config = _shown(_PERSON)

    user_id: str
    names: tuple[str, ...]
    attributes: dict[str, Any]
    created_at: datetime

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

    model_config = _shown({**_PERSON, "memory_count": 42, "session_count": 3})

    memory_count: int
    session_count: int

    @classmethod
    def of(cls, user: model.User) -> Self:
        """As the core has them, with their counts."""
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

    model_config = _shown({"users": [_PERSON], "next_cursor": None})

    users: list[Person]
    next_cursor: str | None = Field(description="For the next page; null: this is the last.")


class Live(Answer):
    """The process answers."""

    model_config = _shown({"status": "live"})

    status: Literal["live"] = "live"


class Ready(Answer):
    """Everything that the server stands on answers."""

    model_config = _shown({"status": "ready", "checks": {"database": "ok", "model": "ok"}})

    status: Literal["ready"] = "ready"
    checks: dict[str, str] = Field(description="Each part, and ok.")


class Version(Answer):
    """What runs here."""

    model_config = _shown({"version": "0.1.0", "model": "all-minilm-l6-v2", "dimensions": 384})

    version: str
    model: str = Field(description="The embedding model that serves.")
    dimensions: int = Field(description="The length of its vectors.")
