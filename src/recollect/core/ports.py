"""What the core asks of the world, as Protocols; adapters and storage answer them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Protocol
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from recollect.core.consolidate.linking import Graph
from recollect.core.model import (
    ApiKey,
    Counts,
    EmbeddingModel,
    Entity,
    Filter,
    Forgotten,
    JobCounts,
    JsonObject,
    LanguageCost,
    Memory,
    Occasion,
    Pairing,
    ParkedJob,
    Principal,
    Relation,
    Session,
    Tenant,
    Usage,
    User,
    Which,
)
from recollect.core.recall.candidates import Candidates
from recollect.core.text.alike import Names

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
class Prompt:
    """What a language model is to do, and with what; it answers in at most so many tokens."""

    system: str
    user: str
    output_tokens: int


@dataclass(frozen=True, slots=True)
class Completion:
    """What a language model answered: a value that its schema allows; and what that took."""

    value: JsonObject
    usage: Usage


class LanguageModel(Protocol):
    """Answers a prompt with JSON."""

    @property
    def model(self) -> str:
        """The model's id, as its vendor has it."""
        ...

    async def complete(self, prompt: Prompt, schema: JsonObject) -> Completion:
        """An answer that the JSON schema allows, in bounded time.

        The schema uses `type`, `properties`, `required` (all of them), `additionalProperties` (false),
        `items` and `enum` alone: what every vendor can hold a model to.

        Raises:
            LanguageModelFailed, LanguageModelRefused, LanguageModelMalformed: there is none.
        """
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
    """What may answer a query, and the names around the user in scope, read together."""

    candidates: Candidates
    names: Names


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


@dataclass(frozen=True, slots=True)
class Span:
    """Which relations are asked for: of these kinds, or of any; as `Filter` has the times.

    `whose`: of these users ('' for nobody's: shared); None: of all that may be seen.
    """

    now: datetime
    kinds: Sequence[str] = ()
    as_of: datetime | None = None
    known_at: datetime | None = None
    whose: Sequence[str] | None = None


@dataclass(frozen=True, slots=True)
class Sought:
    """Which entities are looked for: those near to `aim`, and those called one of `names`, in small letters.

    Of these kinds, or of any; with a `floor`, those alone whose cosine reaches it, named or not.
    """

    aim: Aim
    names: Sequence[str]
    kinds: Sequence[str] = ()
    floor: float | None = None


@dataclass(frozen=True, slots=True)
class Job:
    """Something to be done for a tenant: understand this session, or, without one, tidy up.

    `attempt`: which try this is, from 1.
    """

    id: int
    tenant_id: UUID
    session_key: UUID | None
    attempt: int


class Work(Protocol):
    """What jobs are done by."""

    async def do(self, job: Job) -> None:
        """Do the job; if this raises, it is tried again some time later, or given up."""
        ...

    async def give_up(self, job: Job, reason: str | None) -> None:
        """Learn that the job is not tried again by itself; `reason` is None if `do` has just raised it."""
        ...


class Jobs(Protocol):
    """The queue of jobs of all tenants, as a worker has it. `Transaction` puts jobs into it."""

    async def work(self, work: Work, *, concurrency: int = 1) -> None:
        """Do jobs as they fall due, so many at once, until cancelled."""
        ...

    async def drain(self, work: Work, *, concurrency: int = 1) -> None:
        """Do all jobs that are due, and wait for those that others do."""
        ...


class Transaction(Protocol):
    """What can be done in one transaction; every row in it belongs to the principal's tenant."""

    async def gather(self, probe: Probe, scope: Filter, now: datetime) -> Gathered: ...
    async def names(self, user_id: str) -> Names: ...

    async def memories(self, ids: Sequence[UUID]) -> dict[UUID, Memory]: ...
    async def lock_memory(self, memory_id: UUID) -> Memory | None: ...
    async def list_memories(
        self, scope: Filter, *, before: UUID, limit: int, now: datetime
    ) -> list[Memory]: ...
    async def insert_memories(self, rows: Sequence[tuple[Memory, Indexed]], model: int) -> None: ...
    async def update_memory(self, memory: Memory, indexed: Indexed | None, model: int) -> None: ...
    async def blank_window_after(self, session_id: str, seq: int) -> None: ...
    async def delete_memory(self, memory_id: UUID) -> int: ...

    async def lock_person(self, user_id: str | None) -> bool: ...
    async def see_all(self) -> None: ...
    async def facts_of(self, user_id: str | None) -> list[Memory]: ...
    async def list_facts(self, which: Which, *, before: UUID, limit: int, now: datetime) -> list[Memory]: ...
    async def settle_facts(self, facts: Sequence[Memory]) -> None: ...
    async def tell_anew(self, pairs: Sequence[tuple[UUID, UUID]]) -> None: ...
    async def untell(self, ids: Sequence[UUID]) -> None: ...
    async def derived_from(
        self, user_id: str | None, ids: Sequence[UUID], session_id: str | None
    ) -> list[Memory]: ...
    async def delete_memories(self, ids: Sequence[UUID]) -> int: ...
    async def session_by_key(self, key: UUID) -> Session | None: ...
    async def advance_consolidation(self, session_id: str, since: int, upto: int) -> bool: ...
    async def reopen_sessions(self, turns: Sequence[UUID], session_id: str | None) -> None: ...

    async def put_graph(self, graph: Graph, vectors: Vectors, model: int) -> None: ...
    async def withdraw(self, user_id: str | None, memories: Sequence[UUID]) -> set[UUID]: ...
    async def tidy_graph(self, user_id: str | None) -> None: ...
    async def entities(self, ids: Sequence[UUID]) -> dict[UUID, Entity]: ...
    async def entities_spoken_of(self, session_id: str) -> list[UUID]: ...
    async def families(self, ids: Sequence[UUID]) -> list[Entity]: ...
    async def list_entities(
        self,
        whose: Sequence[str] | None,
        *,
        kinds: Sequence[str],
        prefix: str | None,
        after: UUID,
        limit: int,
    ) -> list[Entity]: ...
    async def relations_around(self, ids: Sequence[UUID], span: Span, *, limit: int) -> list[Relation]: ...
    async def newest_of(
        self, user_id: str, span: Span, *, first: Sequence[str], each: int, limit: int
    ) -> list[UUID]: ...
    async def relations(self, ids: Sequence[UUID]) -> dict[UUID, Relation]: ...
    async def relations_of(self, user_id: str | None, span: Span, *, limit: int) -> list[Relation]: ...
    async def together(
        self, ids: Sequence[UUID], user_id: str, span: Span, *, limit: int
    ) -> list[Pairing]: ...
    async def timeline(
        self, ids: Sequence[UUID], *, before: tuple[datetime, str, UUID], limit: int
    ) -> list[Occasion]: ...
    async def search_entities(
        self, sought: Sought, whose: Sequence[str] | None, *, limit: int
    ) -> list[tuple[UUID, float, bool]]: ...
    async def entities_named(
        self, names: Sequence[str], whose: Sequence[str], *, limit: int
    ) -> list[Entity]: ...
    async def make_entities(self, entities: Sequence[Entity], vectors: Vectors, model: int) -> None: ...
    async def change_entity(self, entity: Entity, vector: Vector, model: int) -> None: ...
    async def judge_entity(self, entity_id: UUID, into: UUID | None) -> None: ...
    async def delete_entities(self, ids: Sequence[UUID]) -> int: ...
    async def make_relations(self, relations: Sequence[Relation]) -> None: ...
    async def relations_made(self, sources: Sequence[UUID], targets: Sequence[UUID]) -> list[Relation]: ...
    async def delete_relation(self, relation_id: UUID) -> int: ...
    async def put_accesses(self, uses: Mapping[UUID, int], at: datetime) -> None: ...
    async def counts(self, user_id: str | None, *, now: datetime) -> Counts: ...
    async def unused_memories(
        self,
        *,
        before: datetime,
        fewer: int,
        after: UUID,
        limit: int,
        ids: Sequence[UUID] | None = None,
    ) -> list[tuple[UUID, str | None]]: ...

    async def entities_of_model(
        self, model: int, *, after: UUID, limit: int
    ) -> list[tuple[UUID, str, str]]: ...
    async def replace_entity_vectors(
        self, rows: Sequence[tuple[UUID, str, str]], vectors: Vectors, model: int
    ) -> None: ...

    async def ensure_users(self, user_ids: Sequence[str]) -> None: ...
    async def append_turns(  # noqa: PLR0913 - all that goes in one message
        self,
        session_id: str,
        state: SessionState,
        participants: Sequence[str],
        turns: Sequence[tuple[Memory, Indexed]],
        model: int,
        *,
        due_in: float,
    ) -> bool: ...
    async def last_turn(self, session_id: str, user_id: str | None) -> LastTurn: ...
    async def session(self, session_id: str) -> Session | None: ...
    async def list_sessions(
        self, user_id: str | None, *, before: tuple[datetime, str] | None, limit: int
    ) -> list[Session]: ...
    async def turns(self, session_id: str, *, after: int, limit: int) -> list[Memory]: ...
    async def ids_in_session(self, session_id: str) -> list[UUID]: ...
    async def recent_turns(self, session_id: str, *, limit: int, now: datetime) -> list[Memory]: ...
    async def delete_session(self, session_id: str) -> Forgotten: ...

    async def ends_of_sessions(self, session_ids: Sequence[str], *, now: datetime) -> list[Memory]: ...
    async def summaries_of_session(self, session_id: str, *, now: datetime) -> list[Memory]: ...
    async def summaries_of(
        self, user_id: str | None, *, before: UUID, limit: int, now: datetime
    ) -> list[Memory]: ...
    async def known_of(self, scope: Filter, *, facts: int, summaries: int, now: datetime) -> list[Memory]: ...
    async def notes_of(self, user_id: str, *, limit: int, now: datetime) -> list[Memory]: ...
    async def end_session(self, session_id: str) -> bool: ...
    async def edge_turns(self, user_id: str, *, now: datetime) -> list[Memory]: ...

    async def session_key(self, session_id: str) -> UUID | None: ...
    async def enqueue_behind(self) -> int: ...
    async def enqueue_now(self, session_id: str) -> bool: ...
    async def backlog(self) -> tuple[int, int, datetime | None]: ...
    async def job_counts(self) -> JobCounts: ...
    async def parked_jobs(self, *, before: int, limit: int) -> list[ParkedJob]: ...
    async def retry_parked(self, job_id: int | None) -> int: ...
    async def park_reason(self, job_id: int, reason: str) -> None: ...
    async def clear_parked(self, session_key: UUID, job_id: int) -> None: ...
    async def tidy(self, *, days: int, again_in: float) -> None: ...

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

    async def packs(self) -> list[str]: ...
    async def turn_on_pack(self, name: str) -> bool: ...
    async def turn_off_pack(self, name: str) -> bool: ...

    async def create_tenant(self, name: str) -> Tenant | None: ...
    async def tenant(self) -> Tenant | None: ...
    async def create_key(self, key: ApiKey, secret_hash: bytes) -> ApiKey: ...
    async def list_keys(self) -> list[ApiKey]: ...
    async def revoke_key(self, key_id: UUID) -> bool: ...
    async def delete_key(self, key_id: UUID) -> None: ...

    async def language_budget(self) -> Decimal | None: ...
    async def put_language_budget(self, monthly_cost: Decimal) -> None: ...
    async def language_costs(self, since: date) -> list[LanguageCost]: ...
    async def reserve_cost(self, month: date, model: str, cost: Decimal, monthly: Decimal) -> bool: ...
    async def settle_cost(self, settled: LanguageCost) -> None: ...

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
