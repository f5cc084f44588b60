"""The wire of the furniture retailer's chat: thin over the core."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from typing import Annotated, TypeAlias
from uuid import UUID

from fastapi import APIRouter, Query, Request
from starlette.responses import Response

from recollect.core.access import own_user
from recollect.core.consolidate.linking import called, person_id
from recollect.core.errors import Conflict, NotFound
from recollect.core.graph import NewEntity, NewRelation
from recollect.core.model import Entity, Filter, Kind, Note, Role, Session
from recollect.core.readiness import OK
from recollect.core.sampling import load_sample
from recollect.interfaces.http.calls import Asked, Call, IdempotencyKey, Server
from recollect.interfaces.http.paths import SessionId, UserId
from recollect.interfaces.http.requests import Id
from recollect.packs.commerce import PACK, shapes, wire
from recollect.packs.commerce.populating import QUERY, SHOPPER, sample_of
from recollect.packs.commerce.shapes import User

router = APIRouter(tags=["commerce"])

LATE = 600
"""Understanding that is so many seconds behind is told of in the status."""

AROUND = 100
KINDS = {"general": Kind.OBSERVATION} | {
    str(kind): kind for kind in Kind if kind not in (Kind.MESSAGE, Kind.SUMMARY)
}
"""What a memory of each type is; of any other, an observation."""

Most: TypeAlias = Annotated[int, Query(ge=1, le=100, description="How many at most.")]
Asking: TypeAlias = Annotated[
    str, Query(max_length=4_000, description="What the customer says. Without it: what is known.")
]


@router.get("/memory/status", response_model=shapes.ShopStatus)
async def get_status(asked: Asked, request: Request) -> Response:
    """Whether the memory is well, and how much it holds."""
    server: Server = request.app.state.server
    counts = await asked.service.statistics(asked.principal)
    checks = await server.readiness.check(asked.principal)
    away = [f"{part}: {state}" for part, state in checks.items() if state != OK]
    faults = [*away, *await _delays(asked)]
    stats = shapes.ShopStats(
        total_entities=counts.entities,
        total_relations=counts.relations,
        total_memories=counts.memories,
        total_summaries=counts.summaries,
        unique_users=counts.users,
    )
    return shapes.ShopStatus(
        status="degraded" if faults else "operational",
        message=" ".join(faults) or "All is well.",
        stats=stats,
        system_ready=not away,
    ).send()


async def _delays(asked: Call) -> list[str]:
    """What keeps conversations from being understood, as far as the credential may know."""
    if asked.principal.role is Role.USER:
        return []
    lag = await asked.service.lag(asked.principal)
    late = lag.oldest_seconds is not None and lag.oldest_seconds > LATE
    parked = f"{lag.jobs.parked} conversations could not be understood: GET /v1/jobs/parked."
    return [
        *([f"{lag.messages} messages wait to be understood."] if late else []),
        *([parked] if lag.jobs.parked else []),
    ]


@router.get("/memory/user/{user_identifier:id}/summary", response_model=shapes.ShopCustomerSummary)
async def get_user_summary(asked: Asked, user_identifier: UserId) -> Response:
    """What is known of a customer."""
    summary = await asked.service.user_summary(asked.principal, user_identifier)
    user = await asked.service.user(asked.principal, user_identifier)
    around = await asked.service.around_person(asked.principal, user_identifier, limit=AROUND)
    entities, relations = wire.around(around)
    counts = await asked.service.statistics(asked.principal, user_identifier)
    return shapes.ShopCustomerSummary(
        user_identifier=user_identifier,
        names=list(user.names),
        summary=summary.text,
        facts=wire.memories(summary.facts),
        entities=entities,
        relations=relations,
        recent_summaries=wire.memories(summary.summaries),
        stats={
            "entities": counts.entities,
            "relations": counts.relations,
            "memories": user.memory_count or 0,
            "conversations": user.session_count or 0,
        },
        first_seen=user.created_at,
    ).send()


@router.post("/memory/search/entities", response_model=shapes.ShopEntities)
async def search_entities(asked: Asked, wanted: shapes.ShopSearch) -> Response:
    """The customer's and the shop's entities whose cosine to the query is high enough, the nearest first."""
    found = await asked.service.search_entities(
        asked.principal,
        wanted.query,
        user_id=wanted.user_identifier,
        include_shared=True,
        min_similarity=wanted.min_similarity,
        limit=wanted.limit,
    )
    results = [wire.entity(one.entity, one.similarity) for one in found]
    return shapes.ShopEntities(results=results, count=len(results)).send()


@router.post("/memory/search/memories", response_model=shapes.ShopMemories)
async def search_memories(asked: Asked, wanted: shapes.ShopSearch) -> Response:
    """What is remembered of the customer whose cosine to the query is high enough, the best first."""
    scope = Filter(user_id=wanted.user_identifier, min_similarity=wanted.min_similarity)
    found = await asked.service.recall(asked.principal, wanted.query, scope, limit=wanted.limit)
    results = wire.hits(found.hits)
    return shapes.ShopMemories(results=results, count=len(results)).send()


@router.get("/memory/context/{user_identifier:id}", response_model=shapes.ShopContext)
async def get_context(asked: Asked, user_identifier: UserId, query: Asking = "") -> Response:
    """What an agent should know before it answers.

    What does not answer now is left out and named in `enrichment`: the plain history is always there.
    """
    brief = await asked.service.brief(asked.principal, PACK.context("chat"), query, user_identifier)
    return wire.context(brief).send()


@router.post("/memory/entity/create", response_model=shapes.ShopEntityMade)
async def create_entity(asked: Asked, user_identifier: User, sent: shapes.ShopNewEntity) -> Response:
    """Make an entity of a customer known; to one that is known, observations and metadata are added."""
    (made,) = await asked.service.put_entities(asked.principal, [wire.new_entity(user_identifier, sent)])
    return shapes.ShopEntityMade(success=True, entity_id=made.id, message=f"{made.name} is known.").send()


@router.post("/memory/relation/create", response_model=shapes.ShopDone)
async def create_relation(asked: Asked, user_identifier: User, sent: shapes.ShopNewRelation) -> Response:
    """Say what one entity is to another, each by its name or its id; the customer, by theirs too."""
    one = await _end(asked, user_identifier, sent.from_entity)
    other = await _end(asked, user_identifier, sent.to_entity)
    relation = NewRelation(
        one.id,
        other.id,
        sent.relation_type,
        sent.strength,
        sent.confidence,
        attributes=sent.metadata,
    )
    await asked.service.put_relations(asked.principal, [relation])
    told = f"{one.name} {sent.relation_type} {other.name}."
    return shapes.ShopDone(success=True, message=told).send()


async def _end(asked: Call, user_id: str, said: str) -> Entity:
    """The entity that is meant: the customer's own before the shop's.

    Raises:
        NotFound: there is none.
        Conflict: there are several.
    """
    if said == user_id:
        return await _themself(asked, user_id)
    if (id_ := _id(said)) is not None:
        with suppress(NotFound):
            return (await asked.service.entity(asked.principal, id_)).entity
    found = await asked.service.find_entities(asked.principal, [said], user_id=user_id)
    meant = [one for one in found if one.user_id] or found
    if not meant:
        raise NotFound(f"Nothing is called {said!r} there.", hint="Create it first, or give its id.")
    if len(meant) > 1:
        ids = ", ".join(f"{one.id} ({one.kind})" for one in meant)
        raise Conflict(f"Several are called {said!r}.", hint=f"Give the id of one: {ids}.")
    return meant[0]


async def _themself(asked: Call, user_id: str) -> Entity:
    """The customer in the graph, who is put there if they are not yet."""
    try:
        return (await asked.service.entity(asked.principal, person_id(user_id))).entity
    except NotFound:
        themself = NewEntity(user_id, "person", user_id, person=True)
        return (await asked.service.put_entities(asked.principal, [themself]))[0]


def _id(said: str) -> UUID | None:
    try:
        return UUID(said)
    except ValueError:
        return None


@router.get("/memory/products/related", response_model=shapes.ShopRelatedProducts)
async def get_related_products(
    asked: Asked,
    user_identifier: User,
    product: Annotated[
        Id | None, Query(description="Also what goes with this one: its name, or its id.")
    ] = None,
    limit: Most = 5,
) -> Response:
    """Products that may suit a customer, each with the reasons; what they have is not among them.

    What was ordered together is counted over the orders that the credential sees: a customer's own sees
    nobody else's.
    """
    meant = (await _end(asked, user_identifier, product)).id if product else None
    found = await asked.service.related(asked.principal, PACK, user_identifier, item=meant, limit=limit)
    products = [wire.related(one) for one in found]
    return shapes.ShopRelatedProducts(
        user_identifier=user_identifier, products=products, count=len(products)
    ).send()


@router.post("/memory/memory/store", response_model=shapes.ShopDone)
async def store_memory(
    asked: Asked,
    user_identifier: User,
    sent: shapes.ShopNewMemory,
    conversation_id: Annotated[Id | None, Query(description="The conversation that it is from.")] = None,
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Keep something about a customer over all conversations."""
    kind = KINDS.get(sent.memory_type, Kind.OBSERVATION)
    note = Note(
        sent.content,
        kind,
        user_identifier,
        metadata={
            wire.MEMORY_TYPE: sent.memory_type,
            **({wire.CONVERSATION: conversation_id} if conversation_id else {}),
        },
        importance=sent.importance,
    )
    await asked.service.add(asked.principal, [note], idempotency_key=idempotency_key)
    return shapes.ShopDone(success=True, message="It is remembered.").send()


async def _conversation(asked: Call, conversation_id: str, user_id: str) -> Session:
    """The customer's conversation.

    Raises:
        NotFound: there is none of theirs.
    """
    own_user(asked.principal, user_id)
    session = await asked.service.session(asked.principal, conversation_id)
    if session.user_id != user_id:
        raise NotFound("The customer has no such conversation.")
    return session


@router.post("/memory/conversation/{conversation_id:id}/process", response_model=shapes.ShopDone)
async def process_conversation(asked: Asked, conversation_id: SessionId, user_identifier: User) -> Response:
    """Have a conversation understood next, in the background."""
    await _conversation(asked, conversation_id, user_identifier)
    behind = await asked.service.understand_soon(asked.principal, conversation_id)
    told = "It is being understood." if behind else "All of it is understood."
    return shapes.ShopDone(success=True, message=told).send()


@router.get("/memory/conversation/{conversation_id:id}/insights", response_model=shapes.ShopInsights)
async def get_insights(asked: Asked, conversation_id: SessionId, user_identifier: User) -> Response:
    """What was found in a conversation."""
    session = await _conversation(asked, conversation_id, user_identifier)
    found = await asked.service.session_insights(asked.principal, conversation_id, key=wire.CONVERSATION)
    names = {one.id: called(one) for one in found.entities}
    behind = session.last_seq - session.consolidated_seq
    return shapes.ShopInsights(
        conversation_id=conversation_id,
        user_identifier=user_identifier,
        entities=[wire.entity(one) for one in found.entities],
        relations=wire.relations(found.relations, names),
        memories=wire.memories([*found.facts, *found.notes]),
        summaries=wire.memories(found.summaries),
        messages=session.last_seq,
        messages_behind=behind,
        processed=not behind,
    ).send()


@router.delete("/memory/user/{user_identifier:id}", response_model=shapes.ShopDone)
async def forget_user(asked: Asked, user_identifier: UserId) -> Response:
    """Delete a customer and everything that is remembered of them; of an unknown one, nothing."""
    gone = await asked.service.forget_user(asked.principal, user_identifier)
    told = f"{gone.memories} memories and {gone.sessions} conversations are deleted, and the customer."
    return shapes.ShopDone(
        success=True, message=told if gone.users else "Nobody by this id was known."
    ).send()


@router.post("/memory/maintenance/cleanup", response_model=shapes.ShopDone)
async def clean_up(
    asked: Asked,
    days_old: Annotated[int, Query(ge=0, le=36_500, description="Only what is older.")] = 90,
    min_access_count: Annotated[
        int, Query(ge=0, le=1_000_000, description="Only what was recalled less often.")
    ] = 1,
) -> Response:
    """Delete stored memories that are old and were hardly ever recalled.

    What was said stays, and what was read in it; so does what is pinned.
    """
    gone = await asked.service.clean_up(
        asked.principal, older_than=timedelta(days=days_old), fewer_uses=min_access_count
    )
    return shapes.ShopDone(success=True, message=f"{gone.memories} memories are deleted.").send()


@router.post("/memory/test/populate-sample-data", response_model=shapes.ShopDone)
async def populate(asked: Asked, user_identifier: User = SHOPPER) -> Response:
    """Give a customer a sample order, product, preference and issue; a second time changes nothing."""
    own_user(asked.principal, user_identifier)
    loaded = await load_sample(asked.service, asked.principal, sample_of(user_identifier))
    told = f"{user_identifier} has {loaded.entities} sample entities and {loaded.relations} relations."
    return shapes.ShopDone(success=True, message=told).send()


@router.get("/memory/test/demo-context", response_model=shapes.ShopContext)
async def get_demo_context(asked: Asked) -> Response:
    """The context of the sample customer: empty until there is one."""
    brief = await asked.service.brief(asked.principal, PACK.context("chat"), QUERY, SHOPPER)
    return wire.context(brief).send()


@router.get("/v1/sessions/{user_identifier:id}", response_model=shapes.ShopInbox)
async def list_conversations(asked: Asked, user_identifier: UserId, limit: Most = 50) -> Response:
    """A customer's conversations, those begun last first, for an inbox."""
    sessions = await asked.service.sessions(asked.principal, user_id=user_identifier, limit=limit)
    ends = await asked.service.ends(asked.principal, [one.session_id for one in sessions])
    listed = [wire.listed(one, ends[one.session_id]) for one in sessions]
    return shapes.ShopInbox(user_identifier=user_identifier, sessions=listed, count=len(listed)).send()
