"""What goes over the wire of the furniture retailer's chat, field by field as its clients have it.

A request's unknown fields are left alone: its clients may send more than is needed.
"""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal, TypeAlias
from uuid import UUID

from fastapi import Query
from pydantic import AfterValidator, BaseModel, Field, model_validator

from recollect.core.graph import STRONGEST
from recollect.interfaces.http.answers import Answer
from recollect.interfaces.http.requests import EXAMPLE_TIME, Content, Id, Metadata, Question, Share, shown

User: TypeAlias = Annotated[Id, Query(description="The customer: your id for them.")]
Cosine: TypeAlias = Annotated[float, Field(ge=-1, le=1, allow_inf_nan=False)]

_ID = "019a9d3c-5b7e-5c1a-9f00-2d6b8c4e1a55"
_ENTITY: dict[str, Any] = {
    "id": _ID,
    "name": "order 10432",
    "entity_type": "order",
    "observations": ["Placed on 2 March 2026"],
    "confidence": 1.0,
    "metadata": {"status": "delivered"},
    "similarity": None,
}
_RELATION: dict[str, Any] = {
    "from_entity": "Priya",
    "to_entity": "order 10432",
    "relation_type": "placed",
    "strength": 1.0,
    "confidence": 1.0,
    "metadata": {},
    "since": EXAMPLE_TIME,
    "until": None,
}
_MEMORY: dict[str, Any] = {
    "id": _ID,
    "content": "Style: mid-century.",
    "memory_type": "preference",
    "importance": 0.5,
    "confidence": 0.8,
    "conversation_id": "chat-1",
    "created_at": EXAMPLE_TIME,
    "valid_until": None,
    "similarity": None,
}
_MESSAGE: dict[str, Any] = {
    "role": "user",
    "name": "Priya",
    "content": "I love mid-century.",
    "conversation_id": "chat-1",
    "timestamp": EXAMPLE_TIME,
}
_ENRICHMENT: dict[str, Any] = {"complete": True, "missing": [], "messages_behind": 0}


class Sent(BaseModel):
    """A request: what is null is not given."""

    @model_validator(mode="before")
    @classmethod
    def _given(cls, sent: Any) -> Any:
        return {key: one for key, one in sent.items() if one is not None} if isinstance(sent, dict) else sent


def _fold(word: str) -> str:
    return word.strip().lower()


Word: TypeAlias = Annotated[Id, AfterValidator(_fold)]
"""A word that means the same however it is written."""


class ShopSearch(Sent):
    """What is looked for."""

    model_config = shown({"query": "mid-century sofas", "user_identifier": "customer-17"})

    query: Question = Field(description="In words.")
    user_identifier: Id = Field(description="The customer: your id for them.")
    limit: int = Field(5, ge=1, le=100, description="How many at most.")
    min_similarity: Cosine = Field(0.6, description="The cosine that a result reaches at least.")


class ShopNewEntity(Sent):
    """Somebody or something to be known."""

    model_config = shown(
        {"name": "order 10432", "entity_type": "order", "observations": ["Placed on 2 March 2026"]}
    )

    name: Id = Field(description="What it is called.")
    entity_type: Word = Field(description="customer, order, product, preference or issue.")
    observations: list[Content] = Field(default=[], max_length=50, description="What is known of it.")
    confidence: Share = Field(1.0, description="How sure it is.")
    metadata: Metadata = Field(default_factory=dict, description="Anything of yours.")


class ShopNewRelation(Sent):
    """What one entity is to another."""

    model_config = shown({"from_entity": "Priya", "to_entity": "order 10432", "relation_type": "placed"})

    from_entity: Id = Field(description="Its name, or its id.")
    to_entity: Id = Field(description="Its name, or its id.")
    relation_type: Word = Field(description="What the one has the other for.")
    strength: float = Field(1.0, ge=0, le=STRONGEST, allow_inf_nan=False, description="How strong it is.")
    confidence: Share = Field(1.0, description="How sure it is.")
    metadata: Metadata = Field(default_factory=dict, description="Anything of yours.")


class ShopNewMemory(Sent):
    """Something to be kept over all conversations."""

    model_config = shown({"content": "Prefers to be called in the morning.", "memory_type": "preference"})

    content: Content = Field(description="What is to be known.")
    memory_type: Id = Field("general", description="preference, fact, event, insight…, or a word of yours.")
    importance: Share = Field(0.5, description="How much it matters.")


class ShopDone(Answer):
    """What was done."""

    model_config = shown({"success": True, "message": "Kept."})

    success: bool = Field(description="True; what is not done is answered with the status of its error.")
    message: str = Field(description="What was done, in words.")


class ShopEntityMade(Answer):
    """The entity that is known now."""

    model_config = shown({"success": True, "entity_id": _ID, "message": "order 10432 is known."})

    success: bool = Field(description="True.")
    entity_id: UUID = Field(description="Made of whose it is, of its name and its type.")
    message: str = Field(description="What was done, in words.")


class ShopEntity(Answer):
    """Somebody or something that is known."""

    model_config = shown(_ENTITY)

    id: UUID = Field(description="Its id.")
    name: str = Field(description="What it is called.")
    entity_type: str = Field(description="customer, order, product, preference, issue, or what was read.")
    observations: list[str] = Field(description="What is known of it.")
    confidence: float = Field(description="How sure it is.")
    metadata: dict[str, Any] = Field(description="What you gave it.")
    similarity: float | None = Field(description="The cosine of the query and it; null: there was no query.")


class ShopRelation(Answer):
    """What one entity is to another."""

    model_config = shown(_RELATION)

    from_entity: str = Field(description="The one's name.")
    to_entity: str = Field(description="The other's name.")
    relation_type: str = Field(description="What the one has the other for.")
    strength: float = Field(description="How strong it is.")
    confidence: float = Field(description="How sure it is.")
    metadata: dict[str, Any] = Field(description="What you gave it.")
    since: datetime = Field(description="Since when it is so.")
    until: datetime | None = Field(description="Until when; null: without end.")


class ShopMemory(Answer):
    """Something that is remembered."""

    model_config = shown(_MEMORY)

    id: UUID = Field(description="Its id.")
    content: str = Field(description="What it says.")
    memory_type: str = Field(description="As it was stored; of what was said, conversation.")
    importance: float = Field(description="How much it matters.")
    confidence: float = Field(description="How sure it is.")
    conversation_id: str | None = Field(description="Where it is from.")
    created_at: datetime = Field(description="Since when it holds, or when it was said.")
    valid_until: datetime | None = Field(description="Until when it held; null: it holds.")
    similarity: float | None = Field(description="The cosine of the query and it; null: there was no query.")


class ShopMessage(Answer):
    """A message of a conversation."""

    model_config = shown(_MESSAGE)

    role: str = Field(description="Who spoke: user, assistant, …")
    name: str | None = Field(description="What they are called.")
    content: str = Field(description="What was said.")
    conversation_id: str | None = Field(description="Where.")
    timestamp: datetime = Field(description="When.")


class ShopEntities(Answer):
    """The entities nearest to the query, the nearest first."""

    model_config = shown({"results": [{**_ENTITY, "similarity": 0.81}], "count": 1})

    results: list[ShopEntity] = Field(description="At most `limit`.")
    count: int = Field(description="How many these are.")


class ShopMemories(Answer):
    """The memories that answer the query best."""

    model_config = shown({"results": [{**_MEMORY, "similarity": 0.74}], "count": 1})

    results: list[ShopMemory] = Field(description="At most `limit`.")
    count: int = Field(description="How many these are.")


class ShopEnrichment(Answer):
    """Whether all that makes a context better than the plain history is in it."""

    model_config = shown(_ENRICHMENT)

    complete: bool = Field(description="All of it is.")
    missing: list[str] = Field(
        description="What does not answer now: facts, graph, recall, answer, language model."
    )
    messages_behind: int = Field(description="So many messages are to be understood still.")


class ShopContextData(Answer):
    """What a context is made of."""

    model_config = shown(
        {
            "entities": [_ENTITY],
            "relations": [_RELATION],
            "memories": [_MEMORY],
            "summaries": [],
            "recent_messages": [_MESSAGE],
            "answer": None,
            "enrichment": _ENRICHMENT,
        }
    )

    entities: list[ShopEntity] = Field(description="Those around the customer, the nearest first.")
    relations: list[ShopRelation] = Field(description="What they are to each other.")
    memories: list[ShopMemory] = Field(description="What answers the query, and what else is known.")
    summaries: list[ShopMemory] = Field(description="Of earlier conversations, the newest first.")
    recent_messages: list[ShopMessage] = Field(description="The plain history, in order.")
    answer: str | None = Field(description="To a plain question: quoted from memory.")
    enrichment: ShopEnrichment = Field(description="Whether all of it is there.")


class ShopContext(Answer):
    """What an agent should know before it answers."""

    model_config = shown(
        {
            "formatted_context": "…<remembered>\n## Customer\n[m1] Name: Priya.\n</remembered>",
            "raw_data": ShopContextData.model_config["json_schema_extra"]["examples"][0],  # type: ignore[index]
            "has_context": True,
        }
    )

    formatted_context: str = Field(description="A text for the prompt; what is remembered is marked as data.")
    raw_data: ShopContextData = Field(description="What it is made of.")
    has_context: bool = Field(description="Something is known of the customer.")


class ShopStats(Answer):
    """Exact counts, of what the credential may see."""

    model_config = shown(
        {
            "total_entities": 1200,
            "total_relations": 5400,
            "total_memories": 21000,
            "total_summaries": 1500,
            "unique_users": 300,
        }
    )

    total_entities: int = Field(description="Entities; those that are one count once.")
    total_relations: int = Field(description="Relations that hold.")
    total_memories: int = Field(
        description="What is kept over all conversations and holds: facts, preferences, notes; no messages."
    )
    total_summaries: int = Field(description="Summaries of conversations.")
    unique_users: int = Field(description="Customers.")


class ShopStatus(Answer):
    """How the memory is."""

    model_config = shown(
        {
            "status": "operational",
            "message": "All is well.",
            "stats": {
                "total_entities": 1200,
                "total_relations": 5400,
                "total_memories": 21000,
                "total_summaries": 1500,
                "unique_users": 300,
            },
            "system_ready": True,
        }
    )

    status: Literal["operational", "degraded"] = Field(description="Degraded: see `message`.")
    message: str = Field(description="In words.")
    stats: ShopStats = Field(description="What there is.")
    system_ready: bool = Field(description="Everything that a request stands on answers.")


class ShopCustomerSummary(Answer):
    """What is known of a customer."""

    model_config = shown(
        {
            "user_identifier": "customer-17",
            "names": ["Priya"],
            "summary": "Name: Priya. Style: mid-century.",
            "facts": [_MEMORY],
            "entities": [_ENTITY],
            "relations": [_RELATION],
            "recent_summaries": [],
            "stats": {"entities": 1, "relations": 1, "memories": 12, "conversations": 2},
            "first_seen": EXAMPLE_TIME,
        }
    )

    user_identifier: str = Field(description="Your id for them.")
    names: list[str] = Field(description="What they are called.")
    summary: str = Field(description="The most telling facts, and the last conversations, in words.")
    facts: list[ShopMemory] = Field(description="The most telling facts that hold.")
    entities: list[ShopEntity] = Field(description="What is around them.")
    relations: list[ShopRelation] = Field(description="What that is to them.")
    recent_summaries: list[ShopMemory] = Field(description="Of the last conversations, the newest first.")
    stats: dict[str, int] = Field(description="Exact counts: entities, relations, memories, conversations.")
    first_seen: datetime = Field(description="Since when they are known.")


class ShopInsights(Answer):
    """What was found in a conversation."""

    model_config = shown(
        {
            "conversation_id": "chat-1",
            "user_identifier": "customer-17",
            "entities": [_ENTITY],
            "relations": [_RELATION],
            "memories": [_MEMORY],
            "summaries": [],
            "messages": 6,
            "messages_behind": 0,
            "processed": True,
        }
    )

    conversation_id: str = Field(description="The session's id.")
    user_identifier: str = Field(description="The customer.")
    entities: list[ShopEntity] = Field(description="Whom and what it speaks of.")
    relations: list[ShopRelation] = Field(description="What was read in it of what they are to each other.")
    memories: list[ShopMemory] = Field(description="Facts that were read in it, and memories stored with it.")
    summaries: list[ShopMemory] = Field(description="What stands for it.")
    messages: int = Field(description="How long it is.")
    messages_behind: int = Field(description="So many of them are to be understood still.")
    processed: bool = Field(description="All of it is understood.")


class ShopConversation(Answer):
    """A conversation in the inbox."""

    model_config = shown(
        {
            "session_id": "chat-1",
            "conversation_id": "chat-1",
            "agent_id": None,
            "participants": ["Priya"],
            "created_at": EXAMPLE_TIME,
            "message_count": 6,
            "processed": True,
            "last_message": _MESSAGE,
            "summary": None,
            "metadata": {},
        }
    )

    session_id: str = Field(description="Its id.")
    conversation_id: str = Field(description="The same.")
    agent_id: str | None = Field(description="The agent that it is with.")
    participants: list[str] = Field(description="The names heard in it.")
    created_at: datetime = Field(description="When it was begun.")
    message_count: int = Field(description="How many messages it has.")
    processed: bool = Field(description="All of it is understood.")
    last_message: ShopMessage | None = Field(description="What was said last.")
    summary: str | None = Field(description="What stands for it; null: nothing yet.")
    metadata: dict[str, Any] = Field(description="What it was given.")


class ShopInbox(Answer):
    """A customer's conversations, the newest first."""

    model_config = shown({"user_identifier": "customer-17", "sessions": [], "count": 0, "next_cursor": None})

    user_identifier: str = Field(description="The customer.")
    sessions: list[ShopConversation] = Field(description="At most `limit`.")
    count: int = Field(description="How many these are.")
    next_cursor: str | None = Field(description="For the next page; null: this is the last.")


class ShopRelatedProduct(Answer):
    """A product, and why it is shown."""

    model_config = shown(
        {
            "product": {**_ENTITY, "name": "Alder sideboard", "entity_type": "product"},
            "score": 1.4,
            "reasons": [
                "mid-century, as you said on 2 March 2026",
                "ordered together with the Alder sofa in 7 orders",
            ],
            "evidence": [_ID],
        }
    )

    product: ShopEntity = Field(description="The product.")
    score: float = Field(description="The better the higher; of one answer only.")
    reasons: list[str] = Field(description="What it rests on, the weightiest first.")
    evidence: list[UUID] = Field(description="The facts and relations that some of the reasons are from.")


class ShopRelatedProducts(Answer):
    """Products that may suit, the best first."""

    model_config = shown({"user_identifier": "customer-17", "products": [], "count": 0})

    user_identifier: str = Field(description="The customer.")
    products: list[ShopRelatedProduct] = Field(description="At most `limit`.")
    count: int = Field(description="How many these are.")
