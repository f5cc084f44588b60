"""The core's words as the wire has them, and back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any
from uuid import UUID

from recollect.core.briefing import Brief
from recollect.core.consolidate.linking import called
from recollect.core.consolidate.profile import ordered
from recollect.core.consolidate.words import KINDS
from recollect.core.errors import Invalid
from recollect.core.graph import Neighbourhood, NewEntity
from recollect.core.insights import SessionEnd
from recollect.core.making import described
from recollect.core.model import Entity, Hit, Kind, Memory, Relation, Session
from recollect.core.relating import Related
from recollect.packs.commerce import PACK, shapes

OWN = ("_observations", "_confidence", "observations", "confidence")
"""Attributes of an entity that the wire has fields of its own for: as it keeps them, untold in a context (the
description has the observations), and as others may have written them."""

CUSTOMER = next(one.kind for one in PACK.entities if one.person)
MEMORY_TYPE = "memory_type"
CONVERSATION = "conversation_id"
_TYPES = tuple(
    dict.fromkeys([*(one.kind for one in PACK.entities), *(one for one in KINDS if one != "person")])
)


def new_entity(user_id: str, sent: shapes.ShopNewEntity) -> NewEntity:
    """The entity that is to be known.

    Raises:
        Invalid: its type is unknown, or an item's field is not as it must be.
    """
    if sent.entity_type not in _TYPES:
        raise Invalid(f"{sent.entity_type!r} is no type of entity.", hint=f"Types are: {', '.join(_TYPES)}.")
    if reserved := sorted(sent.metadata.keys() & set(OWN)):
        raise Invalid(f"metadata has {', '.join(reserved)}, which are fields of their own.")
    is_customer = sent.entity_type == CUSTOMER
    return NewEntity(
        sent.name,
        "person" if is_customer else sent.entity_type,
        user_id,
        description=described([line for one in sent.observations for line in one.splitlines()]),
        attributes={
            **sent.metadata,
            "_observations": sent.observations,
            **({"_confidence": sent.confidence} if "confidence" in sent.model_fields_set else {}),
        },
        person=is_customer,
    )


def entity(found: Entity, similarity: float | None = None) -> shapes.ShopEntity:
    """An entity as the wire has it: the person remembered is a customer."""
    own = found.attributes
    observations = own.get("_observations", own.get("observations"))
    sure = own.get("_confidence", own.get("confidence"))
    if not isinstance(observations, list) or not all(isinstance(one, str) for one in observations):
        observations = found.description.splitlines()
    return shapes.ShopEntity(
        id=found.id,
        name=called(found),
        entity_type=PACK.kind(found),
        observations=observations,
        confidence=float(sure) if isinstance(sure, int | float) and 0 <= sure <= 1 else 1.0,
        metadata={key: value for key, value in own.items() if key not in OWN},
        similarity=None if similarity is None else round(similarity, 4),
    )


def relations(found: Iterable[Relation], names: Mapping[UUID, str]) -> list[shapes.ShopRelation]:
    """Relations as the wire has them, of those whose ends have names here."""
    return [
        shapes.ShopRelation(
            from_entity=names[one.source_id],
            to_entity=names[one.target_id],
            relation_type=one.kind,
            strength=one.strength,
            confidence=one.confidence,
            metadata=dict(one.attributes),
            since=one.valid_from,
            until=one.valid_to,
        )
        for one in found
        if one.source_id in names and one.target_id in names
    ]


def heard(found: Neighbourhood | None) -> list[str]:
    """What the customer is called, as far as that was heard."""
    return [called(found.entity)] if found and called(found.entity) != found.entity.user_id else []


def around(found: Neighbourhood | None) -> tuple[list[shapes.ShopEntity], list[shapes.ShopRelation]]:
    """The entities of a neighbourhood, the nearest first, and what they are to each other."""
    if found is None:
        return [], []
    there = [found.entity, *(one.entity for one in found.near)]
    names = {one.id: called(one) for one in there}
    return [entity(one) for one in there], relations(found.relations, names)


def memory(found: Memory, similarity: float | None = None) -> shapes.ShopMemory:
    """A memory as the wire has it."""
    said = "conversation" if found.kind is Kind.MESSAGE else str(found.kind)
    return shapes.ShopMemory(
        id=found.id,
        content=found.content,
        memory_type=str(found.metadata.get(MEMORY_TYPE, said)),
        importance=found.importance,
        confidence=found.confidence,
        conversation_id=_text(found.session_id or found.metadata.get(CONVERSATION)),
        created_at=found.valid_from,
        valid_until=found.valid_to,
        similarity=None if similarity is None else round(similarity, 4),
    )


def _text(value: Any) -> str | None:
    return value if isinstance(value, str) else None


def memories(found: Iterable[Memory]) -> list[shapes.ShopMemory]:
    """Memories as the wire has them."""
    return [memory(one) for one in found]


def hits(found: Sequence[Hit]) -> list[shapes.ShopMemory]:
    """What was recalled, with its cosine."""
    return [memory(one.memory, one.similarity) for one in found]


def said(turn: Memory) -> shapes.ShopMessage:
    """A turn as the wire has it."""
    return shapes.ShopMessage(
        role=turn.role or "user",
        name=turn.name,
        content=turn.content,
        conversation_id=turn.session_id,
        timestamp=turn.valid_from,
    )


def listed(session: Session, end: SessionEnd) -> shapes.ShopConversation:
    """A session in the inbox."""
    return shapes.ShopConversation(
        session_id=session.session_id,
        conversation_id=session.session_id,
        agent_id=session.agent_id,
        participants=list(session.participants),
        created_at=session.created_at,
        message_count=session.last_seq,
        processed=session.consolidated_seq == session.last_seq,
        last_message=said(end.turn) if end.turn else None,
        summary=end.summary or None,
        metadata=dict(session.attributes),
    )


def related(found: Related) -> shapes.ShopRelatedProduct:
    """An item that may suit, with the reasons in words."""
    return shapes.ShopRelatedProduct(
        product=entity(found.entity),
        score=round(found.score, 4),
        reasons=[one.text for one in found.reasons],
        evidence=list(dict.fromkeys(one.evidence for one in found.reasons if one.evidence)),
    )


def context(brief: Brief) -> shapes.ShopContext:
    """A brief as the wire has it."""
    entities, ties = around(brief.around)
    recalled = {one.memory.id for one in brief.recalled}
    known = [one for one in brief.known if one.kind is not Kind.SUMMARY and one.id not in recalled]
    data = shapes.ShopContextData(
        entities=entities,
        relations=ties,
        memories=[*hits(brief.recalled), *memories(known)],
        summaries=memories(ordered(brief.known)),
        recent_messages=[said(turn) for turn in brief.turns],
        answer=brief.answer or None,
        enrichment=shapes.ShopEnrichment(
            complete=not (brief.missing or brief.behind),
            missing=list(brief.missing),
            messages_behind=brief.behind,
        ),
    )
    text = "" if brief.is_empty else brief.context.text
    return shapes.ShopContext(formatted_context=text, raw_data=data, has_context=not brief.is_empty)
