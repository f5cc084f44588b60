"""What the core asks of the world, as Protocols; adapters and storage answer them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from recollect.core.model import (
    ApiKey,
    EmbeddingModel,
    Filter,
    Forgotten,
    JsonObject,
    Memory,
    Principal,
    Session,
    Tenant,
    User,
)
from recollect.core.recall.candidates import Candidates

Vector = NDArray[np.float32]
Vectors = NDArray[np.float32]


class Clock(Protocol):
    """What time it is."""

    def now(self) -> datetime:
        """The time, aware, in UTC."""
        ...


class Tokens(Protocol):
    """Reads the tokens (JWTs) of an identity provider that the operator trusts."""

    async def verify(self, token: str) -> Principal:
        """Who the token says its bearer is; whether that tenant exists is not looked at.

        Raises:
            Unauthenticated: the token is not one that this server accepts.
            Unavailable: the provider's keys cannot be had.
        """
        ...


class Embedder(Protocol):
    """Turns texts into vectors of meaning."""

    @property
    def model(self) -> str:
        """The model's id; it stands with every vector in the database."""
        ...

    @property
    def dimensions(self) -> int:
        """The length of a vector."""
        ...

    async def embed(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors, shape (len(texts), dimensions), float32. Never blocks the event loop."""
        ...

    async def aclose(self) -> None:
        """Give up what it holds."""
        ...


@dataclass(frozen=True, slots=True)
class Indexed:
    """What a memory is found by: its vectors (`window` with the turn before it) and what its text holds.

    `traits`: bits of `core.text.traits.Trait`. `mentions`: the times that the text speaks of, each
    [start, end) in seconds since the epoch.
    """

    embedding: Vector
    window: Vector | None
    tokens: Sequence[str]
    traits: int
    mentions: Sequence[tuple[float, float]]


@dataclass(frozen=True, slots=True)
class Aim:
    """A query's vectors: by the model that serves, and by the one that retires while there is one."""

    model: int
    vector: Vector
    retiring: int | None = None
    retiring_vector: Vector | None = None


@dataclass(frozen=True, slots=True)
class Probe:
    """A query as the storage needs it. `depth`: as many rows come back by each way of finding."""

    aim: Aim
    tokens: Sequence[str]
    depth: int


@dataclass(frozen=True, slots=True)
class Gathered:
    """What may answer a query, and the participants' names of the user in scope, read together."""

    candidates: Candidates
    participants: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class SessionState:
    """A session as a writer takes it to be: whose it is, and the place of its last turn, 0 of a new one."""

    user_id: str | None
    agent_id: str | None
    last_seq: int


@dataclass(frozen=True, slots=True)
class LastTurn:
    """Where a session stands, and what the next turn's window rests on; by default that of a new session.

    `participants`: the names heard so far in its user's sessions, or of nobody's session, in it.
    """

    last_seq: int = 0
    user_id: str | None = None
    agent_id: str | None = None
    participants: tuple[str, ...] = ()
    content: str | None = None


@dataclass(frozen=True, slots=True)
class Done:
    """What a request with an idempotency key did; `fingerprint` is the digest of all that it said."""

    fingerprint: bytes
    result: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ModelRow:
    """A memory with what its vectors rest on: its text, and of a turn the one `before` it and the names."""

    id: UUID
    content: str
    before: str | None
    is_turn: bool
    participants: tuple[str, ...]


class Transaction(Protocol):
    """What can be done in one transaction; every row in it belongs to the principal's tenant."""

    async def gather(self, probe: Probe, scope: Filter, now: datetime) -> Gathered: ...
    async def participants(self, user_id: str) -> tuple[str, ...]: ...

    async def memories(self, ids: Sequence[UUID]) -> dict[UUID, Memory]: ...
    async def lock_memory(self, memory_id: UUID) -> Memory | None: ...
    async def list_memories(
        self, scope: Filter, *, before: UUID, limit: int, now: datetime
    ) -> list[Memory]: ...
    async def insert_memories(self, rows: Sequence[tuple[Memory, Indexed]], model: int) -> None: ...
    async def update_memory(self, memory: Memory, indexed: Indexed | None, model: int) -> None: ...
    async def blank_window_after(self, session_id: str, seq: int) -> None: ...
    async def delete_memory(self, memory_id: UUID) -> int: ...

    async def ensure_users(self, user_ids: Sequence[str]) -> None: ...
    async def append_turns(
        self,
        session_id: str,
        state: SessionState,
        participants: Sequence[str],
        turns: Sequence[tuple[Memory, Indexed]],
        model: int,
    ) -> bool: ...
    async def last_turn(self, session_id: str, user_id: str | None) -> LastTurn: ...
    async def session(self, session_id: str) -> Session | None: ...
    async def list_sessions(
        self, user_id: str | None, *, before: tuple[datetime, str] | None, limit: int
    ) -> list[Session]: ...
    async def turns(self, session_id: str, *, after: int, limit: int) -> list[Memory]: ...
    async def recent_turns(self, session_id: str, *, limit: int, now: datetime) -> list[Memory]: ...
    async def delete_session(self, session_id: str) -> Forgotten: ...

    async def user(self, user_id: str) -> User | None: ...
    async def list_users(self, *, after: str, limit: int) -> list[User]: ...
    async def put_user(
        self, user_id: str, names: Sequence[str] | None, attributes: JsonObject | None
    ) -> None: ...
    async def delete_user(self, user_id: str) -> Forgotten: ...

    async def claim_request(
        self, key: str, done: Done, *, user_id: str | None, session_id: str | None
    ) -> Done | None: ...
    async def request(self, key: str) -> Done | None: ...

    async def create_tenant(self, name: str) -> Tenant | None: ...
    async def tenant(self) -> Tenant | None: ...
    async def create_key(self, key: ApiKey, secret_hash: bytes) -> ApiKey: ...
    async def list_keys(self) -> list[ApiKey]: ...
    async def revoke_key(self, key_id: UUID) -> bool: ...
    async def delete_key(self, key_id: UUID) -> None: ...

    async def models(self) -> list[EmbeddingModel]: ...
    async def add_model(self, name: str, dimensions: int) -> None: ...
    async def switch_model(self, name: str, dimensions: int) -> None: ...
    async def delete_model(self, model: int) -> bool: ...
    async def rows_of_model(self, model: int, *, after: UUID, limit: int) -> list[ModelRow]: ...
    async def replace_vectors(
        self, rows: Sequence[tuple[ModelRow, tuple[Vector, Vector | None]]], model: int
    ) -> None: ...


class Storage(Protocol):
    """Where everything is kept."""

    def transaction(self, principal: Principal) -> AbstractAsyncContextManager[Transaction]:
        """A transaction in which only what the principal may see is there. Commits, or rolls all back."""
        ...

    async def key(self, tenant_id: UUID, key_id: UUID) -> tuple[ApiKey, bytes] | None:
        """A key and its secret's hash; read anew each time, so that a revoked key is of no use at once."""
        ...
