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
from recollect.core.errors import Conflict, Invalid, NotFound
from recollect.core.graph import NewEntity, NewRelation
from recollect.core.insights import SessionInsights
from recollect.core.model import Entity, Filter, Kind, Note, Role
from recollect.core.readiness import OK
from recollect.core.sampling import load_sample
from recollect.interfaces.http import answers
from recollect.interfaces.http.calls import Asked, Call, IdempotencyKey, Server
from recollect.interfaces.http.cursors import parse_session_cursor, session_cursor
from recollect.interfaces.http.paths import SessionId, UserId
from recollect.interfaces.http.requests import Id
from recollect.interfaces.http.sessions import add_messages
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
        total_memories=counts.kept,
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
        names=list(user.names) or wire.heard(around),
        summary=summary.text,
        facts=wire.memories(summary.facts),
        entities=entities,
        relations=relations,
        recent_summaries=wire.memories(summary.summaries),
        stats={
            "entities": counts.entities,
            "relations": counts.relations,
            "memories": counts.kept,
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
async def get_context(
    asked: Asked, request: Request, user_identifier: UserId, query: Asking = ""
) -> Response:
    """What an agent should know before it answers.

    What does not answer now is left out and named in `enrichment`: the plain history is always there.
    """
    server: Server = request.app.state.server
    away = ["language model"] if server.language.paused else []
    template = PACK.context("chat")
    brief = await asked.service.brief(asked.principal, template, query, user_identifier, away=away)
    return wire.context(brief).send()


@router.post("/memory/entity/create", response_model=shapes.ShopEntityMade)
async def create_entity(asked: Asked, user_identifier: User, sent: shapes.ShopNewEntity) -> Response:
    """Make an entity of a customer known; to one that is known, observations and metadata are added."""
    (made,) = await asked.service.put_entities(asked.principal, [wire.new_entity(user_identifier, sent)])
    return shapes.ShopEntityMade(success=True, entity_id=made.id, message=f"{made.name} is known.").send()


@router.post("/memory/relation/create", response_model=shapes.ShopDone)
async def create_relation(asked: Asked, user_identifier: User, sent: shapes.ShopNewRelation) -> Response:
    """Say what one entity is to another, each by its name or its id; the customer, by theirs too.

    What both are the shop's own concerns everybody: POST /v1/relations says it.
    """
    one = await _end(asked, user_identifier, sent.from_entity)
    other = await _end(asked, user_identifier, sent.to_entity)
    if one and other and one.user_id is None and other.user_id is None:
        raise Invalid("Both are the shop's own, not the customer's.", hint="Send it to POST /v1/relations.")
    # Only once both are known to be there: what is refused leaves nobody behind.
    source = one or await _themself(asked, user_identifier)
    target = other or await _themself(asked, user_identifier)
    relation = NewRelation(
        source.id, target.id, sent.relation_type, sent.strength, sent.confidence, attributes=sent.metadata
    )
    await asked.service.put_relations(asked.principal, [relation])
    told = f"{called(source)} {sent.relation_type} {called(target)}."
    return shapes.ShopDone(success=True, message=told).send()


async def _end(asked: Call, user_id: str, said: str) -> Entity | None:
    """The entity that is meant, the customer's own before the shop's; None: the customer, not known yet.

    Raises:
        NotFound: there is none.
        Conflict: there are several.
    """
    id_ = person_id(user_id) if said == user_id else _id(said)
    if id_ is not None:
        with suppress(NotFound):
            entity = (await asked.service.entity(asked.principal, id_)).entity
            if entity.user_id in (None, user_id):
                return entity
    if said == user_id:
        return None
    found = await asked.service.find_entities(asked.principal, [said], user_id=user_id)
    meant = [one for one in found if one.user_id] or found
    if not meant:
        raise NotFound(f"Nothing is called {said!r} there.", hint="Create it first, or give its id.")
    if len(meant) > 1:
        ids = ", ".join(f"{one.id} ({one.kind})" for one in meant)
        raise Conflict(f"Several are called {said!r}.", hint=f"Give the id of one: {ids}.")
    return meant[0]


async def _themself(asked: Call, user_id: str) -> Entity:
    """The customer, put into the graph."""
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
    item = await _end(asked, user_identifier, product) if product else None
    found = await asked.service.related(
        asked.principal, PACK, user_identifier, item=item.id if item else None, limit=limit
    )
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


@router.post("/memory/conversation/{conversation_id:id}/process", response_model=shapes.ShopDone)
async def process_conversation(asked: Asked, conversation_id: SessionId, user_identifier: User) -> Response:
    """Have a conversation understood next, in the background."""
    found = await _insights(asked, conversation_id, user_identifier)
    behind = found.session and await asked.service.understand_soon(asked.principal, conversation_id)
    told = "It is being understood." if behind else "All of it is understood."
    return shapes.ShopDone(success=True, message=told).send()


@router.get("/memory/conversation/{conversation_id:id}/insights", response_model=shapes.ShopInsights)
async def get_insights(asked: Asked, conversation_id: SessionId, user_identifier: User) -> Response:
    """What was found in a conversation."""
    found = await _insights(asked, conversation_id, user_identifier)
    names = {one.id: called(one) for one in found.entities}
    length = found.session.last_seq if found.session else 0
    behind = length - found.session.consolidated_seq if found.session else 0
    return shapes.ShopInsights(
        conversation_id=conversation_id,
        user_identifier=user_identifier,
        entities=[wire.entity(one) for one in found.entities],
        relations=wire.relations(found.relations, names),
        memories=wire.memories([*found.facts, *found.notes]),
        summaries=wire.memories(found.summaries),
        messages=length,
        messages_behind=behind,
        processed=not behind,
    ).send()


async def _insights(asked: Call, conversation_id: str, user_id: str) -> SessionInsights:
    return await asked.service.session_insights(
        asked.principal, conversation_id, user_id, key=wire.CONVERSATION
    )


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
async def get_demo_context(asked: Asked, user_identifier: User = SHOPPER) -> Response:
    """The context of a sample customer: empty until there is one."""
    brief = await asked.service.brief(asked.principal, PACK.context("chat"), QUERY, user_identifier)
    return wire.context(brief).send()


@router.get("/v1/sessions/{user_identifier:id}", response_model=shapes.ShopInbox)
async def list_conversations(
    asked: Asked,
    user_identifier: UserId,
    limit: Most = 50,
    cursor: Annotated[str | None, Query(max_length=1_000, description="Of the previous page.")] = None,
) -> Response:
    """A customer's conversations, those begun last first, for an inbox."""
    before = parse_session_cursor(cursor)
    sessions = await asked.service.sessions(
        asked.principal, user_id=user_identifier, before=before, limit=limit + 1
    )
    page = sessions[:limit]
    ends = await asked.service.ends(asked.principal, [one.session_id for one in page])
    listed = [wire.listed(one, ends[one.session_id]) for one in page]
    more = session_cursor(page[-1].created_at, page[-1].session_id) if len(sessions) > limit else None
    return shapes.ShopInbox(
        user_identifier=user_identifier, sessions=listed, count=len(listed), next_cursor=more
    ).send()


# Messages come in at the same place: the operation is the core's own.
router.add_api_route(
    "/v1/sessions/{session_id:id}/messages",
    add_messages,
    methods=["POST"],
    status_code=201,
    response_model=answers.Remembered,
)
