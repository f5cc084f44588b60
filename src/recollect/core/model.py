"""The words of Recollect as values: what is remembered, about whom, and who asks."""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from decimal import Decimal
from math import sqrt
from typing import Any, TypeAlias, overload
from uuid import UUID, uuid5

JsonObject: TypeAlias = Mapping[str, Any]

TENANTS = UUID("6f1a2d52-6c0c-5d5e-9a3b-7f0d3c2b1a90")
"""The namespace in which a tenant's name becomes its id."""


def tenant_id_of(name: str) -> UUID:
    """The id of the tenant of this name: derived, so no table across tenants is ever read to find it.

    >>> tenant_id_of("loft") == tenant_id_of("loft") != tenant_id_of("attic")
    True
    """
    return uuid5(TENANTS, name)


class Kind(enum.StrEnum):
    """What a memory is."""

    MESSAGE = "message"
    FACT = "fact"
    PREFERENCE = "preference"
    EVENT = "event"
    INSIGHT = "insight"
    DECISION = "decision"
    CONTEXT = "context"
    SUMMARY = "summary"
    OBSERVATION = "observation"


class Role(enum.IntEnum):
    """How much a principal may see: a memory is read from its `min_role` upwards."""

    USER = 0
    STAFF = 1
    MANAGER = 2
    OWNER = 3


class Trust(enum.IntEnum):
    """Where a memory came from, the least trusted first."""

    EXTERNAL = 0
    TOOL = 1
    USER = 2
    STAFF = 3
    OWNER = 4


USER = "user"
"""The subject of a fact about the person remembered."""


class Modality(enum.StrEnum):
    """How a fact was meant. What was only asked, imagined or quoted is no fact."""

    ASSERTED = "asserted"
    PLANNED = "planned"


class Standing(enum.StrEnum):
    """What is said of a fact beside its text: by a person, or because another fact contradicts it."""

    CONFIRMED = "confirmed"
    REJECTED = "rejected"
    DISPUTED = "disputed"


class Permission(enum.StrEnum):
    """What a credential allows."""

    READ = "memory:read"
    WRITE = "memory:write"
    FORGET = "memory:forget"


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks. Every connection to the database is had with one, and sees only what it may.

    A principal of role USER is one person: it sees what is theirs and what the tenant shares, whatever
    `user_id` a request names.
    """

    tenant_id: UUID
    subject: str
    role: Role = Role.OWNER
    permissions: frozenset[Permission] = frozenset(Permission)


@dataclass(frozen=True, slots=True)
class Tenant:
    """A business."""

    tenant_id: UUID
    name: str
    created_at: datetime


@dataclass(frozen=True, slots=True)
class ApiKey:
    """An API key as it is kept: everything but the secret."""

    tenant_id: UUID
    id: UUID
    name: str
    role: Role
    permissions: frozenset[Permission]
    user_id: str | None
    created_at: datetime
    expires_at: datetime | None
    revoked_at: datetime | None


@dataclass(frozen=True, slots=True)
class User:
    """A person whom a tenant's agents remember; the id is the tenant's own. A list does not count."""

    user_id: str
    names: tuple[str, ...]
    attributes: JsonObject
    created_at: datetime
    memory_count: int | None = None
    session_count: int | None = None


@dataclass(frozen=True, slots=True)
class Session:
    """One conversation, thread or call; the id is the tenant's own.

    `last_seq`: its last turn's place. `consolidated_seq`: up to there its turns have been understood.
    """

    session_id: str
    user_id: str | None
    agent_id: str | None
    participants: tuple[str, ...]
    attributes: JsonObject
    created_at: datetime
    last_seq: int
    consolidated_seq: int = 0


@dataclass(frozen=True, slots=True)
class Message:
    """A turn to be remembered. `at` is when it was said; None means now."""

    content: str
    role: str = "user"
    name: str | None = None
    at: datetime | None = None
    metadata: JsonObject = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Turns:
    """The next turns of a session. No user: the session is the tenant's own, or the user it has already.

    `shared` False: it is refused to begin a session without a user.
    """

    session_id: str
    messages: Sequence[Message]
    user_id: str | None = None
    agent_id: str | None = None
    shared: bool = True


@dataclass(frozen=True, slots=True)
class Claim:
    """A fact in parts: what is said of whom.

    `subject`: USER, or the name of somebody or something else ("sister", "Luna"). `attribute`: one of
    `core/consolidate/attributes.toml`, or a noun phrase in lower case ("test coverage"). `single`: it has one
    value at a time, so a newer one takes the older one's place; otherwise they are a list. `negated`: it is
    said not to be so, or no more.
    """

    subject: str
    attribute: str
    value: str
    negated: bool = False
    modality: Modality = Modality.ASSERTED
    single: bool = False


@dataclass(frozen=True, slots=True)
class Memory:
    """One thing remembered.

    `valid_from`/`valid_to`: when it was true, or said. `recorded_at`/`superseded_at`: when we knew it, and
    when we knew of its end. `superseded_by`: the memory that tells it as it is since; a turn that has one
    stays, as history. `evidence`: ids of the memories that it rests on. `seq`: its place in its session, from
    1; a summary of a session has none. `claim`: of a fact that was understood, in parts.
    """

    id: UUID
    kind: Kind
    content: str
    trust: Trust
    valid_from: datetime
    recorded_at: datetime
    user_id: str | None = None
    agent_id: str | None = None
    session_id: str | None = None
    seq: int | None = None
    role: str | None = None
    name: str | None = None
    metadata: JsonObject = field(default_factory=dict)
    importance: float = 0.5
    confidence: float = 1.0
    min_role: Role = Role.USER
    pinned: bool = False
    valid_to: datetime | None = None
    superseded_at: datetime | None = None
    superseded_by: UUID | None = None
    expires_at: datetime | None = None
    evidence: tuple[UUID, ...] = ()
    source: JsonObject = field(default_factory=dict)
    claim: Claim | None = None
    standing: Standing | None = None


@dataclass(frozen=True, slots=True)
class Entity:
    """Somebody or something that is spoken of.

    `aliases`: what else it is called. `merged_into`: the entity that it is the same as; it keeps its own
    rows, so that the two can be told apart again. `by_hand`: a person made it, or put it right: extraction
    leaves it as it is, and it stays when nothing tells of it any more. `settled`: a person has said into what
    it is merged, or that it is not. `description`: what is known of it, in a sentence or some.
    """

    id: UUID
    kind: str
    name: str
    recorded_at: datetime
    user_id: str | None = None
    aliases: tuple[str, ...] = ()
    attributes: JsonObject = field(default_factory=dict)
    min_role: Role = Role.USER
    merged_into: UUID | None = None
    by_hand: bool = False
    settled: bool = False
    description: str = ""

    @property
    def text(self) -> str:
        """What is embedded of it."""
        return text_of(self.name, self.description)


def text_of(name: str, description: str) -> str:
    """What is embedded of an entity.

    >>> text_of("Luna", ""), text_of("Luna", "A cat.")
    ('Luna', 'Luna: A cat.')
    """
    return f"{name}: {description}" if description else name


@dataclass(frozen=True, slots=True)
class Relation:
    """What one entity is to another, in the time in which it holds; times as of `Memory`.

    One that was read has the id of the fact that says so, and its evidence. `strength` grows with that.
    `attributes`: what a person who made it gave it.
    """

    id: UUID
    source_id: UUID
    target_id: UUID
    kind: str
    valid_from: datetime
    recorded_at: datetime
    user_id: str | None = None
    strength: float = 1.0
    confidence: float = 1.0
    min_role: Role = Role.USER
    valid_to: datetime | None = None
    superseded_at: datetime | None = None
    evidence: tuple[UUID, ...] = ()
    attributes: JsonObject = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Pairing:
    """An item and another one stand together in `count` groups: of those in which each of the two stands."""

    item: UUID
    other: UUID
    count: int
    of_item: int
    of_other: int

    @property
    def affinity(self) -> float:
        """The cosine of the two over all groups, from 0 to 1: what stands in every group is near to nothing.

        >>> Pairing(UUID(int=1), UUID(int=2), 3, 4, 9).affinity
        0.5
        """
        return self.count / sqrt(self.of_item * self.of_other)


@dataclass(frozen=True, slots=True)
class Occasion:
    """Something in the life of an entity.

    `what`: mentioned, and then `id` is the memory's; began or ended, and then it is the relation's.
    """

    at: datetime
    what: str
    id: UUID
    memory: Memory | None = None
    relation: Relation | None = None


@dataclass(frozen=True, slots=True)
class Condition:
    """One test on a memory's metadata; travels to the database as a parameter."""

    path: tuple[str, ...]
    operator: str
    value: Any


@dataclass(frozen=True, slots=True)
class Filter:
    """What may come back at all; applied before anything is ranked.

    `user_id` None means the tenant's shared memories only, unless `all_users`. `since`/`until` bound
    `valid_from` (until is exclusive). `as_of`: true at that time. `known_at`: known by that time.
    A recall that names none of these times leaves out what is no longer true; a list does not.
    `min_similarity` leaves out hits whose cosine to the query is below it.
    """

    user_id: str | None = None
    all_users: bool = False
    include_shared: bool = True
    agent_id: str | None = None
    session_id: str | None = None
    kinds: tuple[Kind, ...] = ()
    since: datetime | None = None
    until: datetime | None = None
    as_of: datetime | None = None
    known_at: datetime | None = None
    metadata: tuple[Condition, ...] = ()
    min_similarity: float | None = None


@dataclass(frozen=True, slots=True)
class Which:
    """Which facts in parts: those that hold, or with `history` also those that held, or were taken back."""

    scope: Filter
    subject: str | None = None
    attribute: str | None = None
    history: bool = False


@dataclass(frozen=True, slots=True)
class Hit:
    """A memory that was recalled, the better the higher its score.

    `score` compares the hits of one answer, and nothing else: it is in standard deviations over the scope.
    `parts` are its summands by feature. `similarity` is the cosine of the query and the memory, the same in
    every answer; None while the memory has no vector of a model that serves. `why` says the largest parts in
    words.
    """

    memory: Memory
    score: float
    parts: Mapping[str, float]
    similarity: float | None
    why: str


@dataclass(frozen=True, slots=True)
class Recalled(Sequence[Hit]):
    """What was recalled: a sequence of its hits, the best first.

    `confidence`, from 0 to 1: how likely the answer is among the first ten. It is low where nothing that is
    remembered is near to what was asked; 0 without hits.
    """

    hits: tuple[Hit, ...]
    confidence: float

    def __len__(self) -> int:
        return len(self.hits)

    @overload
    def __getitem__(self, place: int) -> Hit: ...
    @overload
    def __getitem__(self, place: slice) -> tuple[Hit, ...]: ...
    def __getitem__(self, place: int | slice) -> Hit | tuple[Hit, ...]:
        return self.hits[place]


@dataclass(frozen=True, slots=True)
class Page:
    """One page of a list, newest first; `next_cursor` None means the last."""

    items: Sequence[Memory]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class Usage:
    """What a call of a language model used, in tokens."""

    input_tokens: int = 0
    output_tokens: int = 0


@dataclass(frozen=True, slots=True)
class LanguageCost:
    """What a language model cost a tenant in a month (its first day), in US dollars.

    `failures`: the calls among `calls` that gave nothing. `reserved`: what calls under way may cost at most,
    and those whose end nobody saw.
    """

    month: date
    model: str
    calls: int
    failures: int
    usage: Usage
    cost: Decimal
    reserved: Decimal


@dataclass(frozen=True, slots=True)
class JobCounts:
    """A tenant's jobs: not tried yet, under way, to be tried again, given up after several tries."""

    waiting: int = 0
    running: int = 0
    retrying: int = 0
    parked: int = 0


@dataclass(frozen=True, slots=True)
class Lag:
    """How far understanding is behind: so many sessions, by so many turns, the oldest so many seconds old."""

    sessions: int
    messages: int
    oldest_seconds: float | None
    jobs: JobCounts


@dataclass(frozen=True, slots=True)
class ParkedJob:
    """A job that was given up. `reason` says why, without anything of what is remembered."""

    id: int
    session_id: str
    user_id: str | None
    attempts: int
    reason: str
    failed_at: datetime | None


@dataclass(frozen=True, slots=True)
class Counts:
    """How much is remembered, in exact counts: what is in force now.

    `entities`: those that are merged into another are one with it. `kinds`: how many memories there are of
    each kind of which there is any.
    """

    entities: int
    relations: int
    kinds: Mapping[Kind, int]
    users: int

    @property
    def memories(self) -> int:
        """All memories, of whatever kind."""
        return sum(self.kinds.values())

    @property
    def kept(self) -> int:
        """Those of the memories that are neither turns nor summaries."""
        return self.memories - self.kinds.get(Kind.MESSAGE, 0) - self.summaries

    @property
    def summaries(self) -> int:
        """Those of the memories that are summaries."""
        return self.kinds.get(Kind.SUMMARY, 0)


@dataclass(frozen=True, slots=True)
class Forgotten:
    """What was deleted, in exact counts."""

    memories: int = 0
    sessions: int = 0
    users: int = 0


@dataclass(frozen=True, slots=True)
class EmbeddingModel:
    """A model whose vectors are in the database; `state` is serving or retiring."""

    id: int
    name: str
    dimensions: int
    state: str


@dataclass(frozen=True, slots=True)
class Note:
    """A memory to be kept that is not a turn: a fact, a preference, a decision.

    `valid_from` None means now. It ends at `expires_at`, or after it `lasts` so long. `min_role`: the lowest
    role that may read it. Without a user it is the tenant's own, which `shared` False refuses.
    """

    content: str
    kind: Kind = Kind.FACT
    user_id: str | None = None
    agent_id: str | None = None
    metadata: JsonObject = field(default_factory=dict)
    importance: float = 0.5
    confidence: float = 1.0
    min_role: Role = Role.USER
    pinned: bool = False
    valid_from: datetime | None = None
    valid_to: datetime | None = None
    expires_at: datetime | None = None
    lasts: timedelta | None = None
    evidence: tuple[UUID, ...] = ()
    source: JsonObject = field(default_factory=dict)
    shared: bool = True


@dataclass(frozen=True, slots=True)
class Remembered:
    """What a write did: the ids in the order of what was given.

    `repeated`: an earlier request with the same idempotency key had done it. `consolidated`: whether it has
    been understood too; None if nobody asked to wait for that.
    """

    ids: tuple[UUID, ...]
    repeated: bool = False
    consolidated: bool | None = None


@dataclass(frozen=True, slots=True)
class Context:
    """Text for a prompt; `citations` says which memory each label in it stands for."""

    text: str
    citations: Mapping[str, UUID]
    tokens: int
    dropped: int
