"""What clients send: the shape of every request, checked once, and turned into what the core takes."""

from __future__ import annotations

from dataclasses import replace
from typing import Annotated, Any, Literal, Self, TypeAlias
from uuid import UUID

from pydantic import (
    AwareDatetime,
    BaseModel,
    ConfigDict,
    Discriminator,
    Field,
    StringConstraints,
    Tag,
    ValidationError,
    model_validator,
)
from pydantic_core import InitErrorDetails, PydanticCustomError

from recollect.core import model
from recollect.core.bounds import EARLIEST, LATEST, LONGEST_CONTENT, LONGEST_ID
from recollect.core.filters import LARGEST_FILTER, parse_filter, parse_filter_text
from recollect.core.reading import LONGEST_QUERY, MOST_HITS
from recollect.core.writing import LARGEST_BATCH

LARGEST_PAGE = 100
LARGEST_BUDGET = 100_000
SMALLEST_BUDGET = 200
"""Room for what stands around memories, and for one of them, whatever it says."""

WHOSE = "Unset: a person's own credential writes what is theirs; any other must say `shared`."
"""What a write without a user is."""

Id: TypeAlias = Annotated[
    str, StringConstraints(min_length=1, max_length=LONGEST_ID, pattern=r"^[^\x00-\x1f\x7f-\x9f]*$")
]
Name: TypeAlias = Annotated[
    str, StringConstraints(min_length=1, max_length=LONGEST_ID, pattern=r"^[^\x00]*$")
]
# What is too large is for the core to refuse (413): the description states its bounds.
Content: TypeAlias = Annotated[str, Field(min_length=1, json_schema_extra={"maxLength": LONGEST_CONTENT})]
Question: TypeAlias = Annotated[str, Field(min_length=1, json_schema_extra={"maxLength": LONGEST_QUERY})]
Time: TypeAlias = Annotated[AwareDatetime, Field(ge=EARLIEST, lt=LATEST)]
Share: TypeAlias = Annotated[float, Field(ge=0, le=1, allow_inf_nan=False)]
Metadata: TypeAlias = dict[str, Any]
Rank: TypeAlias = Literal["user", "staff", "manager", "owner"]
NoteKind: TypeAlias = Literal[
    "fact", "preference", "event", "insight", "decision", "context", "summary", "observation"
]

EXAMPLE_TIME = "2026-03-02T09:30:00Z"


def shown(example: dict[str, Any]) -> ConfigDict:
    """A shape's configuration, with an example of it for the description."""
    return ConfigDict(json_schema_extra={"examples": [example]})


class Shape(BaseModel):
    """A request's shape: unknown fields are refused, so that a misspelt one is not silently nothing."""

    model_config = ConfigDict(extra="forbid")

    @model_validator(mode="before")
    @classmethod
    def _knows(cls, sent: Any) -> Any:
        """Tells of an unknown field which are known, as the model's own refusal does not."""
        known = [field.alias or name for name, field in cls.model_fields.items()]
        unknown = sorted(sent.keys() - known) if isinstance(sent, dict) else []
        if unknown:
            fault = PydanticCustomError("unknown", f"unknown field; known are {', '.join(known)}")
            raise ValidationError.from_exception_data(
                cls.__name__, [InitErrorDetails(type=fault, loc=(name,), input=None) for name in unknown]
            )
        return sent


def _check_sharing(user_id: str | None, *, shared: bool) -> None:
    if shared and user_id is not None:
        raise ValueError("shared is for what has no user_id: name one of the two")


class Turn(Shape):
    """One message of a conversation."""

    model_config = shown(
        {"content": "We moved to Covington last month.", "role": "user", "name": "Ada", "at": EXAMPLE_TIME}
    )

    content: Content = Field(description="What was said.")
    role: Name = Field("user", description="Who spoke: user, assistant, system, tool, or a role of your own.")
    name: Name | None = Field(None, description="The speaker's name, as the participants call them.")
    at: Time | None = Field(
        None, description="When it was said, with its zone; answers show it as `valid_from`. Unset: now."
    )
    metadata: Metadata = Field(
        default_factory=dict, description="Anything of yours; recall can filter by it."
    )

    def message(self) -> model.Message:
        """As the core has it."""
        return model.Message(self.content, self.role, self.name, self.at, self.metadata)


class OneTurn(Turn):
    """The next message of a session."""

    model_config = shown({"content": "We moved to Covington last month.", "user_id": "customer-17"})

    user_id: Id | None = Field(
        None, description=f"Whose session it is; of one that was begun, not needed. {WHOSE}"
    )
    shared: bool = Field(
        False,
        description="Begin a session without a user: everybody of the tenant may read what is said in it.",
    )
    agent_id: Id | None = Field(None, description="Which of your agents, if the session is new.")

    @model_validator(mode="after")
    def _is_somebodys_or_shared(self) -> Self:
        _check_sharing(self.user_id, shared=self.shared)
        return self

    def turns(self, session_id: str) -> model.Turns:
        """As the core has them."""
        return model.Turns(session_id, [self.message()], self.user_id, self.agent_id, self.shared)


class ManyTurns(Shape):
    """The next messages of a session, in their order: all of them are kept, or none."""

    model_config = shown(
        {
            "user_id": "customer-17",
            "messages": [
                {"content": "I love modern furniture.", "role": "user", "name": "Ada", "at": EXAMPLE_TIME},
                {"content": "Shall I show you our Nordic line?", "role": "assistant"},
            ],
        }
    )

    messages: list[Turn] = Field(
        min_length=1,
        json_schema_extra={"maxItems": LARGEST_BATCH},
        description="The messages, in the order in which they were said.",
    )
    user_id: Id | None = Field(
        None, description=f"Whose session it is; of one that was begun, not needed. {WHOSE}"
    )
    shared: bool = Field(
        False,
        description="Begin a session without a user: everybody of the tenant may read what is said in it.",
    )
    agent_id: Id | None = Field(None, description="Which of your agents, if the session is new.")

    @model_validator(mode="after")
    def _is_somebodys_or_shared(self) -> Self:
        _check_sharing(self.user_id, shared=self.shared)
        return self

    def turns(self, session_id: str) -> model.Turns:
        """As the core has them."""
        messages = [turn.message() for turn in self.messages]
        return model.Turns(session_id, messages, self.user_id, self.agent_id, self.shared)


class NewMemory(Shape):
    """Something to be remembered that is not a message: a fact, a preference, a decision."""

    model_config = shown(
        {
            "content": "Prefers fabric to leather: the dog scratches.",
            "kind": "preference",
            "user_id": "customer-17",
            "metadata": {"room": "living room"},
        }
    )

    content: Content = Field(description="What is to be remembered.")
    kind: NoteKind = Field("fact", description="What it is.")
    user_id: Id | None = Field(None, description=f"Whom it is about. {WHOSE}")
    shared: bool = Field(False, description="It is about no user: everybody of the tenant may read it.")
    agent_id: Id | None = Field(None, description="Which of your agents.")
    metadata: Metadata = Field(
        default_factory=dict, description="Anything of yours; recall can filter by it."
    )
    importance: Share = Field(0.5, description="How much it matters.")
    confidence: Share = Field(1.0, description="How sure you are of it.")
    min_role: Rank = Field(
        "user", description="The lowest role that may read it; at most the credential's own."
    )
    pinned: bool = Field(False, description="A mark of yours, kept with it.")
    valid_from: Time | None = Field(None, description="Since when it is true. Unset: now.")
    valid_to: Time | None = Field(None, description="Until when it is true.")
    expires_at: Time | None = Field(None, description="From then on it is not recalled any more.")
    evidence: list[UUID] = Field(
        default=[], max_length=100, description="Ids of the memories that it rests on."
    )
    source: Metadata = Field(default_factory=dict, description="Where it came from, in your words.")

    @model_validator(mode="after")
    def _is_somebodys_or_shared(self) -> Self:
        _check_sharing(self.user_id, shared=self.shared)
        return self

    def note(self) -> model.Note:
        """As the core has it."""
        fields = {name: getattr(self, name) for name in type(self).model_fields}
        return model.Note(
            **fields
            | {
                "kind": model.Kind(self.kind),
                "min_role": model.Role[self.min_role.upper()],
                "evidence": tuple(self.evidence),
            }
        )

    def notes(self) -> list[model.Note]:
        """As a batch of one."""
        return [self.note()]


class ManyMemories(Shape):
    """Several things to be remembered: all of them are kept, or none."""

    model_config = shown(
        {
            "memories": [
                {"content": "Delivery only on Fridays.", "kind": "preference", "user_id": "customer-17"}
            ]
        }
    )

    memories: list[NewMemory] = Field(
        min_length=1,
        json_schema_extra={"maxItems": LARGEST_BATCH},
        description="Each as it would be sent alone.",
    )

    @property
    def shared(self) -> bool:
        """Whether any of them is for everybody."""
        return any(memory.shared for memory in self.memories)

    def notes(self) -> list[model.Note]:
        """As the core has them."""
        return [memory.note() for memory in self.memories]


def _is_batch(field: str) -> Discriminator:
    return Discriminator(lambda body: "batch" if isinstance(body, dict) and field in body else "one")


SomeTurns: TypeAlias = Annotated[
    Annotated[OneTurn, Tag("one")] | Annotated[ManyTurns, Tag("batch")], _is_batch("messages")
]
SomeMemories: TypeAlias = Annotated[
    Annotated[NewMemory, Tag("one")] | Annotated[ManyMemories, Tag("batch")], _is_batch("memories")
]


def _describe_changes(schema: dict[str, Any]) -> None:
    schema["examples"] = [{"content": "Moved to Covington in February.", "importance": 0.8}]
    for field in schema["properties"].values():
        field.pop("default", None)  # what is left out is not sent at all


class MemoryChanges(Shape):
    """What to change of a memory; a field that is left out stays, null clears a time."""

    model_config = ConfigDict(json_schema_extra=_describe_changes)

    content: Content = Field("", description="In place of the text; a message keeps its place and its time.")
    metadata: Metadata = Field(default_factory=dict, description="In place of all there was.")
    importance: Share = Field(0.5, description="How much it matters.")
    min_role: Rank = Field(
        "user", description="The lowest role that may read it; at most the credential's own."
    )
    pinned: bool = Field(False, description="A mark of yours, kept with it.")
    valid_to: Time | None = Field(None, description="Until when it is true; null: without end.")
    expires_at: Time | None = Field(
        None, description="From then on it is not recalled any more; null: without end."
    )

    @model_validator(mode="after")
    def _changes_something(self) -> Self:
        if not self.model_fields_set:
            raise ValueError("name at least one field to change")
        return self

    def changes(self) -> dict[str, Any]:
        """The fields that were given, as the core has them."""
        given = {name: getattr(self, name) for name in self.model_fields_set}
        return given | ({"min_role": model.Role[self.min_role.upper()]} if "min_role" in given else {})


class Scope(Shape):
    """Where to look."""

    user_id: Id | None = Field(
        None,
        description="Whose memories. Unset: those that the tenant shares; for a person's key, their own.",
    )
    agent_id: Id | None = Field(None, description="Which of your agents.")
    session_id: Id | None = Field(None, description="Within this session only.")
    kinds: list[model.Kind] = Field(
        default=[], max_length=len(model.Kind), description="Of any of these kinds."
    )
    since: Time | None = Field(None, description="Said, or true, from then on.")
    until: Time | None = Field(None, description="Said, or true, before then.")
    as_of: Time | None = Field(None, description="True at that time.")
    known_at: Time | None = Field(None, description="As it was known at that time.")
    include_shared: bool = Field(True, description="Also what the tenant shares.")
    min_similarity: float | None = Field(
        None,
        ge=-1,
        le=1,
        allow_inf_nan=False,
        description="Leave out what is less similar to the query than this, and what has no `similarity`.",
    )
    metadata: Metadata = Field(
        default_factory=dict,
        description='{"key": value} or {"key": {"operator": value}}; a key with dots is a path. '
        "Operators: eq, ne, in, gt, gte, lt, lte, contains, exists.",
    )

    def filter(self) -> model.Filter:
        """As the core has it."""
        return model.Filter(
            user_id=self.user_id,
            include_shared=self.include_shared,
            agent_id=self.agent_id,
            session_id=self.session_id,
            kinds=tuple(self.kinds),
            since=self.since,
            until=self.until,
            as_of=self.as_of,
            known_at=self.known_at,
            min_similarity=self.min_similarity,
            metadata=parse_filter(self.metadata),
        )


class RecallRequest(Scope):
    """A question to the memory."""

    model_config = shown(
        {"query": "What style of furniture does she like?", "user_id": "customer-17", "limit": 5}
    )

    query: Question = Field(description="In words, as somebody would ask it; times in it are understood.")
    limit: int = Field(10, ge=1, le=MOST_HITS, description="How many hits at most.")
    all_users: bool = Field(
        False,
        description="Search what is remembered of everybody, for staff: without `user_id`. A person's own "
        "credential still finds only what is theirs. See docs/recall.md for large tenants.",
    )
    explain: bool = Field(False, description="Also the parts of each score.")

    def filter(self) -> model.Filter:
        """As the core has it."""
        return replace(super().filter(), all_users=self.all_users)


class ContextRequest(Scope):
    """What an agent is about to answer."""

    model_config = shown(
        {"query": "Which sofa should I suggest?", "user_id": "customer-17", "session_id": "s1", "budget": 800}
    )

    query: Question = Field(description="What is asked, or the message to be answered.")
    session_id: Id | None = Field(
        None, description="The conversation under way: its last turns come along. Does not narrow the rest."
    )
    budget: int = Field(
        1_000,
        ge=SMALLEST_BUDGET,
        le=LARGEST_BUDGET,
        description="The tokens that the whole text may have, estimated: 4 characters each, 1.5 in the "
        "scripts of East Asia. No memory takes more than a quarter of it.",
    )

    def filter(self) -> model.Filter:
        """As the core has it: of any session."""
        return Scope.model_construct(**{**dict(self), "session_id": None}).filter()


class ForgetRequest(Shape):
    """What to forget: exactly one of the three."""

    model_config = shown({"user_id": "customer-17"})

    memory_id: UUID | None = Field(None, description="One memory.")
    session_id: Id | None = Field(None, description="A session, with all that was said in it.")
    user_id: Id | None = Field(None, description="A person, with everything that is remembered of them.")

    @model_validator(mode="after")
    def _names_one(self) -> Self:
        if sum(value is not None for value in (self.memory_id, self.session_id, self.user_id)) != 1:
            raise ValueError("name exactly one of memory_id, session_id and user_id")
        return self


class PageRequest(Shape):
    """Which page of a list."""

    cursor: str | None = Field(
        None, max_length=2_000, description="next_cursor of the page before, as it came."
    )
    limit: int = Field(50, ge=1, le=LARGEST_PAGE, description="How many at most.")


class SessionList(PageRequest):
    """Which sessions."""

    user_id: Id | None = Field(None, description="Of this user only.")


class MessageList(Shape):
    """Which messages of a session."""

    after: int = Field(0, ge=0, lt=2**31, description="The place (seq) of the last message that is known.")
    limit: int = Field(50, ge=1, le=LARGEST_PAGE, description="How many at most.")


class MemoryList(PageRequest):
    """Which memories."""

    user_id: Id | None = Field(None, description="Of this user only. Unset: all that the credential may see.")
    include_shared: bool = Field(False, description="With a user: also what the tenant shares.")
    kinds: list[model.Kind] = Field(
        default=[],
        max_length=len(model.Kind),
        description="Of any of these kinds; repeat the parameter for each.",
    )
    agent_id: Id | None = Field(None, description="Which of your agents.")
    session_id: Id | None = Field(None, description="Within this session only.")
    since: Time | None = Field(None, description="Said, or true, from then on.")
    until: Time | None = Field(None, description="Said, or true, before then.")
    metadata: str = Field("{}", max_length=LARGEST_FILTER, description="A JSON object, written as in recall.")

    def filter(self) -> model.Filter:
        """As the core has it."""
        return model.Filter(
            user_id=self.user_id,
            all_users=self.user_id is None,
            include_shared=self.include_shared,
            agent_id=self.agent_id,
            session_id=self.session_id,
            kinds=tuple(self.kinds),
            since=self.since,
            until=self.until,
            metadata=parse_filter_text(self.metadata),
        )


class UserChanges(Shape):
    """What the tenant knows of a person; what is left out stays."""

    model_config = shown({"names": ["Ada", "Ms Lovelace"], "attributes": {"tier": "gold"}})

    names: list[Name] | None = Field(
        None, max_length=50, description="What they are called, in place of all there was."
    )
    attributes: Metadata | None = Field(None, description="Anything of yours, in place of all there was.")
