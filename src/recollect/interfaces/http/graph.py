"""Who and what is spoken of, and what they are to each other."""

from __future__ import annotations

from dataclasses import asdict
from datetime import datetime
from typing import Annotated, Any, Literal, Self, TypeAlias
from uuid import UUID

from fastapi import APIRouter, Path, Query
from pydantic import ConfigDict, Field, model_validator
from starlette.responses import Response

from recollect.core import graph, model
from recollect.core.access import require_staff
from recollect.core.errors import NotFound
from recollect.core.graph import FIRST, LONGEST_KIND, MOST_NEAR, MOST_PATHS
from recollect.core.making import LONGEST_DESCRIPTION
from recollect.interfaces.http import answers
from recollect.interfaces.http.calls import Asked
from recollect.interfaces.http.cursors import (
    entity_cursor,
    parse_entity_cursor,
    parse_timeline_cursor,
    timeline_cursor,
)
from recollect.interfaces.http.requests import (
    LARGEST_PAGE,
    WHOSE,
    Id,
    Metadata,
    PageRequest,
    Question,
    Rank,
    Shape,
    Share,
    Time,
    shown,
)

EntityId: TypeAlias = Annotated[UUID, Path(description="The entity's id, as a list or a search gave it.")]
RelationId: TypeAlias = Annotated[UUID, Path(description="The relation's id.")]
What: TypeAlias = Literal["mentioned", "began", "ended"]

router = APIRouter(prefix="/v1", tags=["graph"])

_ABOUT = "What is known of it in a sentence or some; a search finds it by that, too."
_ID = "019a9d3c-5b7e-5c1a-9f00-2d6b8c4e1a55"
_OTHER = "019a9d3c-5b7e-5c1a-9f00-2d6b8c4e1a56"
_TIME = "2026-03-02T09:30:00Z"
_MARIA: dict[str, Any] = {
    "id": _ID,
    "name": "Maria",
    "kind": "person",
    "user_id": "customer-17",
    "aliases": ["my sister"],
    "attributes": {},
    "description": "Ann's elder sister, a nurse in Boston.",
    "min_role": "user",
    "merged_into": None,
    "by_hand": False,
    "settled": False,
    "recorded_at": _TIME,
}
_LIVES: dict[str, Any] = {
    "id": "019a9d3c-5b7e-7c1a-9f00-2d6b8c4e1a57",
    "source_id": _ID,
    "target_id": _OTHER,
    "kind": "residence",
    "user_id": "customer-17",
    "strength": 1.0,
    "confidence": 0.8,
    "min_role": "user",
    "valid_from": _TIME,
    "valid_to": None,
    "recorded_at": _TIME,
    "superseded_at": None,
    "evidence": ["019a9d3c-5b7e-7c1a-9f00-2d6b8c4e1a58"],
    "attributes": {},
}
_BOSTON: dict[str, Any] = {
    **_MARIA,
    "id": _OTHER,
    "name": "Boston",
    "kind": "place",
    "aliases": [],
    "description": "",
}


class EntityList(PageRequest):
    """Which entities."""

    user_id: Id | None = Field(None, description="Of this user only. Unset: all that the credential may see.")
    kinds: list[Id] = Field(
        default=[],
        max_length=20,
        description="Of any of these kinds: person, pet, organisation, place, event, product, thing, yours; "
        "repeat the parameter for each.",
    )
    prefix: str | None = Field(None, max_length=200, description="The name, or an alias, begins so.")


class NewEntity(Shape):
    """An entity that you make: what is read of it is merged into it."""

    model_config = shown(
        {
            "name": "Nordic line",
            "kind": "product",
            "user_id": "customer-17",
            "aliases": ["the Nordics"],
            "description": "Shelves and tables of pale oak.",
        }
    )

    name: Id = Field(description="What it is called.")
    kind: Id = Field("thing", max_length=LONGEST_KIND, description="What it is, in a word.")
    user_id: Id | None = Field(None, description=f"Whose it is. {WHOSE}")
    shared: bool = Field(False, description="It is of no user: everybody of the tenant may read it.")
    aliases: list[Id] = Field(default=[], max_length=50, description="What else it is called.")
    attributes: Metadata = Field(default_factory=dict, description="Anything of yours.")
    description: str = Field("", max_length=LONGEST_DESCRIPTION, description=_ABOUT)
    min_role: Rank = Field(
        "user", description="The lowest role that may read it; at most the credential's own."
    )

    @model_validator(mode="after")
    def _is_somebodys_or_shared(self) -> Self:
        if self.shared and self.user_id is not None:
            raise ValueError("shared is for what has no user_id: name one of the two")
        return self

    def entity(self) -> graph.NewEntity:
        """As the core has it."""
        return graph.NewEntity(
            self.name,
            self.kind,
            self.user_id,
            tuple(self.aliases),
            self.attributes,
            model.Role[self.min_role.upper()],
            shared=self.shared,
            description=self.description,
        )


def _describe_changes(schema: dict[str, Any]) -> None:
    schema["examples"] = [{"name": "Maria Lopez", "aliases": ["my sister"]}]
    for field in schema["properties"].values():
        field.pop("default", None)  # what is left out is not sent at all


class EntityChanges(Shape):
    """What to put right of an entity; a field that is left out stays."""

    model_config = ConfigDict(json_schema_extra=_describe_changes)

    name: Id = Field("-", description="What it is called.")
    kind: Id = Field("thing", max_length=LONGEST_KIND, description="What it is, in a word.")
    aliases: list[Id] = Field(
        default=[], max_length=50, description="What else it is called, in place of all there was."
    )
    attributes: Metadata = Field(default_factory=dict, description="In place of all there was.")
    description: str = Field("", max_length=LONGEST_DESCRIPTION, description=_ABOUT)

    @model_validator(mode="after")
    def _changes_something(self) -> Self:
        if not self.model_fields_set:
            raise ValueError("name at least one field to change")
        return self

    def changes(self) -> dict[str, Any]:
        """The fields that were given, as the core has them."""
        given = {name: getattr(self, name) for name in self.model_fields_set}
        return given | ({"aliases": tuple(self.aliases)} if "aliases" in given else {})


class NewRelation(Shape):
    """What one entity is to another."""

    model_config = shown({"source_id": _ID, "target_id": _OTHER, "kind": "residence"})

    source_id: UUID = Field(description="The one.")
    target_id: UUID = Field(description="The other; both are of one user, or shared.")
    kind: Id = Field(description="What the one has the other for: residence, employer, a word of yours.")
    strength: float = Field(1.0, ge=0, le=1_000, allow_inf_nan=False, description="How strong it is.")
    confidence: Share = Field(1.0, description="How sure you are of it.")
    min_role: Rank = Field(
        "user", description="The lowest role that may read it; at most the credential's own."
    )
    valid_from: Time | None = Field(None, description="Since when it is so. Unset: now.")
    valid_to: Time | None = Field(None, description="Until when it is so.")
    attributes: Metadata = Field(default_factory=dict, description="Anything of yours.")

    def relation(self) -> graph.NewRelation:
        """As the core has it."""
        fields = {name: getattr(self, name) for name in type(self).model_fields}
        return graph.NewRelation(**fields | {"min_role": model.Role[self.min_role.upper()]})


class _Times(Shape):
    as_of: Time | None = Field(None, description="What was so at that time. Unset: what is so now.")
    known_at: Time | None = Field(None, description="As it was known at that time.")


class NeighbourRequest(_Times):
    """How far to look."""

    depth: int = Field(1, ge=1, le=graph.DEEPEST, description="Over how many relations at most.")
    kinds: list[Id] = Field(
        default=[], max_length=50, description="Relations of these kinds only; repeat the parameter for each."
    )
    limit: int = Field(50, ge=1, le=MOST_NEAR, description="How many entities at most.")
    user_id: Id | None = Field(
        None,
        description="Over relations of this user and the tenant's own only. Unset: what is shared leads on "
        "to whoever else has to do with it, as far as the credential may see.",
    )

    def reach(self) -> graph.Reach:
        """As the core has it."""
        return graph.Reach(self.depth, tuple(self.kinds), self.as_of, self.known_at, self.user_id)


class PathRequest(_Times):
    """From where to where."""

    from_: UUID = Field(alias="from", description="The entity to begin with.")
    to: UUID = Field(description="The entity to arrive at.")
    hops: int = Field(4, ge=1, le=graph.MOST_HOPS, description="Over how many relations at most.")
    limit: int = Field(5, ge=1, le=MOST_PATHS, description="How many paths at most.")

    def reach(self) -> graph.Reach:
        """As the core has it."""
        return graph.Reach(self.hops, (), self.as_of, self.known_at)


class EntitySearch(Shape):
    """Who or what is meant."""

    model_config = shown({"query": "where does my sister live?", "user_id": "customer-17"})

    query: Question = Field(description="In words: names in it are found, and what is near in meaning.")
    user_id: Id | None = Field(None, description="Of this user only. Unset: all that the credential may see.")
    include_shared: bool = Field(False, description="Beside the user's, what the tenant shares.")
    kinds: list[Id] = Field(default=[], max_length=20, description="Of any of these kinds. Unset: of all.")
    min_similarity: float | None = Field(
        None, ge=-1, le=1, description="A cosine: leave out what is farther from the query, named or not."
    )
    limit: int = Field(10, ge=1, le=LARGEST_PAGE, description="How many at most.")


class MergeRequest(Shape):
    """The entity that it is the same as."""

    model_config = shown({"into": _OTHER})

    into: UUID = Field(description="The other one, of the same user, or shared.")


class Entity(answers.Answer):
    """Somebody or something that is spoken of."""

    model_config = shown(_MARIA)

    id: UUID = Field(description="Made of whose it is and of its name.")
    name: str = Field(description="What it is called.")
    kind: str = Field(
        description="person, pet, organisation, place, event, product, thing, or a word of yours."
    )
    user_id: str | None = Field(description="Whose it is; null: the tenant shares it.")
    aliases: tuple[str, ...] = Field(description="What else it is called.")
    attributes: dict[str, Any] = Field(description="What you gave it.")
    description: str = Field(description="What is known of it in a sentence or some, as you said.")
    min_role: Rank = Field(description="The lowest role that may read it.")
    merged_into: UUID | None = Field(description="The entity that it is the same as, and is read as.")
    by_hand: bool = Field(description="A person made it, or put it right: what is read changes it no more.")
    settled: bool = Field(description="A person said into what it is merged, or that it is not.")
    recorded_at: datetime = Field(description="When it was first spoken of.")

    @classmethod
    def of(cls, entity: model.Entity) -> Self:
        """As the core has it."""
        return cls(**asdict(entity) | {"min_role": answers.RANKS[entity.min_role]})


class EntityFamily(answers.Answer):
    """An entity, and those that are merged into it: it has their names, too."""

    model_config = shown({"entity": _MARIA, "merged": [{**_MARIA, "name": "sister", "merged_into": _ID}]})

    entity: Entity = Field(description="The entity.")
    merged: list[Entity] = Field(description="Each can be told apart again.")

    @classmethod
    def of(cls, family: graph.Family) -> Self:
        """As the core has it."""
        return cls(entity=Entity.of(family.entity), merged=[Entity.of(one) for one in family.merged])


class EntityPage(answers.Answer):
    """A page of entities, by their ids; what is merged into another is left out."""

    model_config = shown({"entities": [_MARIA], "next_cursor": None})

    entities: list[Entity] = Field(description="The page, of at most `limit`.")
    next_cursor: str | None = Field(description="For the next page; null: this is the last.")


class Relation(answers.Answer):
    """What one entity is to another, in the time in which it holds."""

    model_config = shown(_LIVES)

    id: UUID = Field(description="Of one that was read, the id of the fact that says so.")
    source_id: UUID = Field(description="The one.")
    target_id: UUID = Field(description="The other.")
    kind: str = Field(description="What the one has the other for.")
    user_id: str | None = Field(description="Whose it is; null: the tenant shares it.")
    strength: float = Field(description="log2(1 + memories that say so), or as you said.")
    confidence: float = Field(description="How sure it is, from 0 to 1.")
    min_role: Rank = Field(description="The lowest role that may read it.")
    valid_from: datetime = Field(description="Since when it is so.")
    valid_to: datetime | None = Field(description="Until when; null: without end.")
    recorded_at: datetime = Field(description="When it was known.")
    superseded_at: datetime | None = Field(description="When its end was known, or that it never was so.")
    evidence: tuple[UUID, ...] = Field(description="Ids of the memories that say so.")
    attributes: dict[str, Any] = Field(description="What you gave it.")

    @classmethod
    def of(cls, relation: model.Relation) -> Self:
        """As the core has it."""
        return cls(**asdict(relation) | {"min_role": answers.RANKS[relation.min_role]})


class Neighbour(answers.Answer):
    """An entity near another one."""

    model_config = shown({"entity": _BOSTON, "distance": 1})

    entity: Entity = Field(description="The entity.")
    distance: int = Field(description="Over how many relations it was reached.")


class Neighbours(answers.Answer):
    """What is around an entity."""

    model_config = shown(
        {"entity": _MARIA, "neighbours": [{"entity": _BOSTON, "distance": 1}], "relations": [_LIVES]}
    )

    entity: Entity = Field(description="The entity, or the one that it is merged into.")
    neighbours: list[Neighbour] = Field(description="The nearest first.")
    relations: list[Relation] = Field(description="What all of these are to each other.")

    @classmethod
    def of(cls, around: graph.Neighbourhood) -> Self:
        """As the core has it."""
        near = [Neighbour(entity=Entity.of(one.entity), distance=one.distance) for one in around.near]
        between = [Relation.of(one) for one in around.relations]
        return cls(entity=Entity.of(around.entity), neighbours=near, relations=between)


class EntityPath(answers.Answer):
    """A way from one entity to another."""

    model_config = shown({"entities": [_MARIA, _BOSTON], "relations": [_LIVES]})

    entities: list[Entity] = Field(description="Those on the way, both ends among them.")
    relations: list[Relation] = Field(description="One from each to the next, in either direction.")


class EntityPaths(answers.Answer):
    """The ways from one entity to another, the shortest first."""

    model_config = shown({"paths": [{"entities": [_MARIA, _BOSTON], "relations": [_LIVES]}]})

    paths: list[EntityPath] = Field(description="Empty: they are not that near to each other.")


class Occasion(answers.Answer):
    """Something in the life of an entity."""

    model_config = shown({"at": _TIME, "what": "began", "memory": None, "relation": _LIVES})

    at: datetime = Field(description="When.")
    what: What = Field(description="It was mentioned, or a relation of it began or ended.")
    memory: answers.Memory | None = Field(description="Where it was mentioned.")
    relation: Relation | None = Field(description="What began or ended.")


class Timeline(answers.Answer):
    """A page of an entity's timeline, the newest first."""

    model_config = shown(
        {
            "occasions": [{"at": _TIME, "what": "began", "memory": None, "relation": _LIVES}],
            "next_cursor": None,
        }
    )

    occasions: list[Occasion] = Field(description="The page, of at most `limit`.")
    next_cursor: str | None = Field(description="For the next page; null: this is the last.")


class EntityHit(answers.Answer):
    """An entity that a search brought."""

    model_config = shown({"entity": _MARIA, "similarity": 0.42, "named": True})

    entity: Entity = Field(description="The entity.")
    similarity: float = Field(description="The cosine of the query and its name, with its description.")
    named: bool = Field(description="The query says its name, or an alias.")


class EntityHits(answers.Answer):
    """Whom or what a query names, and then what is nearest to it."""

    model_config = shown({"hits": [{"entity": _MARIA, "similarity": 0.42, "named": True}]})

    hits: list[EntityHit] = Field(description="At most `limit`.")


class Removed(answers.Answer):
    """What was deleted of the graph, in exact counts."""

    model_config = shown({"entities": 2, "relations": 0})

    entities: int = Field(description="Entities; with an entity go those that are merged into it.")
    relations: int = Field(
        description="Relations that were named; those of an entity that goes are not counted."
    )


@router.get("/entities", response_model=EntityPage)
async def list_entities(asked: Asked, wanted: Annotated[EntityList, Query()]) -> Response:
    """The entities of a user, or of all: whom and what was spoken of, and those that people made."""
    which = graph.Listing(wanted.user_id, tuple(wanted.kinds), wanted.prefix)
    after = parse_entity_cursor(wanted.cursor) or FIRST
    found = await asked.service.entities(asked.principal, which, after=after, limit=wanted.limit + 1)
    page = found[: wanted.limit]
    more = entity_cursor(page[-1].id) if len(found) > wanted.limit else None
    return EntityPage(entities=[Entity.of(one) for one in page], next_cursor=more).send()


@router.post("/entities", status_code=201, response_model=Entity)
async def add_entity(asked: Asked, new: NewEntity) -> Response:
    """Make an entity: what is read by its name, and may be the same, is merged into it."""
    if new.shared:
        require_staff(asked.principal)
    return Entity.of(await asked.service.add_entity(asked.principal, new.entity())).send(201)


@router.post("/entities/search", response_model=EntityHits)
async def search_entities(asked: Asked, wanted: EntitySearch) -> Response:
    """The entities that a text names, and then those that are nearest to it in meaning."""
    found = await asked.service.search_entities(
        asked.principal,
        wanted.query,
        user_id=wanted.user_id,
        include_shared=wanted.include_shared,
        kinds=wanted.kinds,
        min_similarity=wanted.min_similarity,
        limit=wanted.limit,
    )
    hits = [
        EntityHit(entity=Entity.of(one.entity), similarity=round(one.similarity, 4), named=one.named)
        for one in found
    ]
    return EntityHits(hits=hits).send()


@router.get("/entities/path", response_model=EntityPaths)
async def find_paths(asked: Asked, wanted: Annotated[PathRequest, Query()]) -> Response:
    """The ways from one entity to another, the shortest first."""
    found = await asked.service.paths(
        asked.principal, wanted.from_, wanted.to, wanted.reach(), limit=wanted.limit
    )
    paths = [
        EntityPath(
            entities=[Entity.of(entity) for entity in one.entities],
            relations=[Relation.of(relation) for relation in one.relations],
        )
        for one in found
    ]
    return EntityPaths(paths=paths).send()


@router.get("/entities/{entity_id}", response_model=EntityFamily)
async def get_entity(asked: Asked, entity_id: EntityId) -> Response:
    """One entity, with those that are merged into it."""
    return EntityFamily.of(await asked.service.entity(asked.principal, entity_id)).send()


@router.patch("/entities/{entity_id}", response_model=Entity)
async def change_entity(asked: Asked, entity_id: EntityId, changes: EntityChanges) -> Response:
    """Put an entity right: what is read later changes it no more."""
    changed = await asked.service.change_entity(asked.principal, entity_id, changes.changes())
    return Entity.of(changed).send()


@router.delete("/entities/{entity_id}", response_model=Removed)
async def forget_entity(asked: Asked, entity_id: EntityId) -> Response:
    """Delete an entity, those that are merged into it, and what they are to others; what was said stays.

    Of an unknown one, nothing is deleted.
    """
    try:
        gone = await asked.service.forget_entity(asked.principal, entity_id)
    except NotFound:
        gone = 0
    return Removed(entities=gone, relations=0).send()


@router.get("/entities/{entity_id}/neighbours", response_model=Neighbours)
async def list_neighbours(
    asked: Asked, entity_id: EntityId, wanted: Annotated[NeighbourRequest, Query()]
) -> Response:
    """The entities around one, the nearest first, and what they are to each other."""
    around = await asked.service.neighbours(asked.principal, entity_id, wanted.reach(), limit=wanted.limit)
    return Neighbours.of(around).send()


@router.get("/entities/{entity_id}/timeline", response_model=Timeline)
async def list_timeline(
    asked: Asked, entity_id: EntityId, wanted: Annotated[PageRequest, Query()]
) -> Response:
    """When an entity was spoken of, and when what it is to others began and ended; the newest first."""
    before = parse_timeline_cursor(wanted.cursor)
    found = await asked.service.timeline(asked.principal, entity_id, before=before, limit=wanted.limit + 1)
    page = found[: wanted.limit]
    last = page[-1] if len(found) > wanted.limit else None
    more = timeline_cursor(last.at, last.what, last.id) if last else None
    return Timeline(occasions=[_occasion(one) for one in page], next_cursor=more).send()


def _occasion(one: model.Occasion) -> Occasion:
    memory = answers.Memory.of(one.memory) if one.memory else None
    relation = Relation.of(one.relation) if one.relation else None
    return Occasion.model_validate({"at": one.at, "what": one.what, "memory": memory, "relation": relation})


@router.post("/entities/{entity_id}/merge", response_model=EntityFamily)
async def merge_entity(asked: Asked, entity_id: EntityId, wanted: MergeRequest) -> Response:
    """Say that an entity is the same as another one: it is read as that, until it is told apart again."""
    return EntityFamily.of(await asked.service.merge(asked.principal, entity_id, wanted.into)).send()


@router.post("/entities/{entity_id}/unmerge", response_model=EntityFamily)
async def unmerge_entity(asked: Asked, entity_id: EntityId) -> Response:
    """Say that an entity is something of its own: all about it is as it was, and nothing merges it again."""
    return EntityFamily.of(await asked.service.unmerge(asked.principal, entity_id)).send()


@router.post("/relations", status_code=201, response_model=Relation)
async def add_relation(asked: Asked, new: NewRelation) -> Response:
    """Say what one entity is to another."""
    return Relation.of(await asked.service.add_relation(asked.principal, new.relation())).send(201)


@router.delete("/relations/{relation_id}", response_model=Removed)
async def forget_relation(asked: Asked, relation_id: RelationId) -> Response:
    """Delete a relation that a person made; one that was read goes with its fact. An unknown one is none."""
    try:
        gone = await asked.service.forget_relation(asked.principal, relation_id)
    except NotFound:
        gone = 0
    return Removed(entities=0, relations=gone).send()
