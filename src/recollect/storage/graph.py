"""Entities, what they are to each other, and where they are spoken of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import datetime
from uuid import UUID

from psycopg.types.json import Jsonb

from recollect.core.consolidate.linking import MOST_ALIASES, Graph, alike, persons, settle
from recollect.core.consolidate.words import KINDS
from recollect.core.model import Entity, Occasion, Relation, Role
from recollect.core.ports import Sought, Span, Vector, Vectors
from recollect.storage.memories import aim_of, halfvec, model_kept
from recollect.storage.rows import Row, Rows

MOST_SEARCHED = 50_000
"""Of a tenant as a whole, so many entities are compared with a query."""


def _entity(row: Row) -> Entity:
    return Entity(**row | {"aliases": tuple(row["aliases"]), "min_role": Role(row["min_role"])})


def relation(row: Row) -> Relation:
    """A row of `relation_columns`."""
    # Kept in four bytes: read as the number that was written.
    shares = {name: round(row[name], 6) for name in ("strength", "confidence")}
    return Relation(**row | shares | {"evidence": tuple(row["evidence"]), "min_role": Role(row["min_role"])})


def _entity_values(entity: Entity, vector: Vector | None, model: int) -> Row:
    return asdict(entity) | {
        "aliases": list(entity.aliases),
        "attributes": Jsonb(entity.attributes),
        "min_role": int(entity.min_role),
        "embedding": halfvec(vector),
        "model": model,
    }


def _relation_values(relation: Relation) -> Row:
    return asdict(relation) | {
        "min_role": int(relation.min_role),
        "evidence": list(relation.evidence),
        "attributes": Jsonb(relation.attributes),
    }


class GraphRows(Rows):
    """The tables `entities`, `relations` and `mentions`."""

    async def put_graph(self, graph: Graph, vectors: Vectors, model: int) -> None:
        """Put what was read into the person's graph; `vectors`: of `graph.names`, in their order.

        Whoever calls has the person locked. Memories that were forgotten meanwhile speak of nothing.

        Raises:
            ModelRetired: the model has no vectors in the database any more.
        """
        same = persons(graph.user_id)
        entities = [
            _entity_values(one, vector, model) | {"kinds": list(KINDS), "is_person": one.id in same}
            for one, vector in zip(graph.entities, vectors, strict=True)
        ]
        with model_kept():
            await self._run_each("put_entity", entities)
        await self._run_each("put_relation", [_relation_values(one) for one in graph.relations])
        there = await self._all("memories_there", ids=[one.memory_id for one in graph.sightings])
        kept = {row["id"] for row in there}
        sightings = [
            asdict(one) | {"min_role": int(one.min_role), "names": list(one.names)}
            for one in graph.sightings
            if one.memory_id in kept
        ]
        await self._run_each("put_sighting", sightings)
        named = sorted({one["entity_id"] for one in sightings})
        await self._run("gather_aliases", whose=graph.user_id or "", ids=named, most=MOST_ALIASES)
        await self.tidy_graph(graph.user_id)

    async def withdraw(self, user_id: str | None, memories: Sequence[UUID]) -> set[UUID]:
        """Take out of the person's graph what rests on these memories, which are about to be deleted.

        What is called as only they call it goes; whatever else speaks of it is returned, to be read again.
        """
        ids = {"ids": list(memories)}
        found = await self._all("entities_named_in", persons=list(persons(user_id)), **ids)
        await self._run("delete_entities", ids=[row["id"] for row in found])
        whose = {"whose": user_id or ""}
        await self._run("forget_sightings", **ids)
        await self._run("gather_aliases", **whose, ids=None, most=MOST_ALIASES)
        await self._run("delete_relations_of_memories", **whose, **ids)
        await self._run("withdraw_evidence", **whose, **ids)
        await self.tidy_graph(user_id)
        return {memory for row in found for memory in row["memories"]}.difference(memories)

    async def tidy_graph(self, user_id: str | None) -> None:
        """Let go of entities that nothing tells of any more, and merge those that are one.

        Whoever calls has the person locked.
        """
        whose = {"whose": user_id or ""}
        await self._run("delete_unheld_entities", **whose)
        known = [_entity(row) for row in await self._all("entities_of_person", **whose)]
        person = await self._one("names_of_person", user_id=user_id)
        merged = settle(known, user_id, person["names"] if person else ())
        changes = [{"id": id_, "into": merged[id_]} for id_ in sorted(merged)]
        await self._run_each("settle_entity", changes)
        settled = [replace(one, merged_into=merged.get(one.id, one.merged_into)) for one in known]
        await self._run("keep_alike", user_id=user_id, alike=Jsonb(alike(settled, user_id)))

    async def entities(self, ids: Sequence[UUID]) -> dict[UUID, Entity]:
        """Those of the entities that are there, by id."""
        return {row["id"]: _entity(row) for row in await self._all("entities_by_id", ids=list(ids))}

    async def families(self, ids: Sequence[UUID]) -> list[Entity]:
        """The entities, what they are merged into, and all that is merged into that."""
        return [_entity(row) for row in await self._all("families", ids=list(ids))]

    async def entities_spoken_of(self, session_id: str) -> list[UUID]:
        """The ids of whom and what a session's turns speak of, each as it is called there."""
        return [row["id"] for row in await self._all("entities_spoken_of", session_id=session_id)]

    async def list_entities(
        self,
        whose: Sequence[str] | None,
        *,
        kinds: Sequence[str],
        prefix: str | None,
        after: UUID,
        limit: int,
    ) -> list[Entity]:
        """Entities that are merged into no other: of these users ('' for nobody's), or of all; by id."""
        query = "list_entities_of_tenant" if whose is None else "list_entities_of_users"
        users = {} if whose is None else {"whose": list(whose)}
        wanted = {"kinds": list(kinds) or None, "prefix": prefix, "after": after, "limit": limit}
        return [_entity(row) for row in await self._all(query, **users, **wanted)]

    async def relations_around(self, ids: Sequence[UUID], span: Span, *, limit: int) -> list[Relation]:
        """What these entities are to others, and others to them; the strongest first, then the newest."""
        values = asdict(span) | {
            "kinds": list(span.kinds) or None,
            "whose": None if span.whose is None else list(span.whose),
        }
        return [
            relation(row) for row in await self._all("relations_around", ids=list(ids), limit=limit, **values)
        ]

    async def newest_of(
        self, user_id: str, span: Span, *, first: Sequence[str], each: int, limit: int
    ) -> list[UUID]:
        """What is a person's, and what they and theirs are tied to: so many of each kind, the newest first.

        The best of every kind comes before the second of any, and the kinds of `first` before others.
        """
        values = asdict(span) | {"kinds": list(span.kinds) or None, "first": list(first)}
        values |= {"whose": user_id, "persons": list(persons(user_id)), "each": each, "limit": limit}
        return [row["id"] for row in await self._all("newest_of_person", **values)]

    async def relations(self, ids: Sequence[UUID]) -> dict[UUID, Relation]:
        """Those of the relations that are there, by id."""
        return {row["id"]: relation(row) for row in await self._all("relations_by_id", ids=list(ids))}

    async def timeline(
        self, ids: Sequence[UUID], *, before: tuple[datetime, str, UUID], limit: int
    ) -> list[Occasion]:
        """What happened to these entities before a moment, the newest first."""
        at, what, last = before
        rows = await self._all("timeline", ids=list(ids), at=at, what=what, id=last, limit=limit)
        return [Occasion(**row) for row in rows]

    async def search_entities(
        self, sought: Sought, whose: Sequence[str] | None, *, limit: int
    ) -> list[tuple[UUID, float, bool]]:
        """The entities that are looked for, each with its cosine and whether it is named, the best first.

        `whose`: as of `list_entities`. Each is compared, of a tenant as a whole so many as are searched.
        """
        values = aim_of(sought.aim) | {"names": list(sought.names), "limit": limit}
        values |= {"kinds": list(sought.kinds) or None, "floor": sought.floor}
        if whose is None:
            rows = await self._all("search_of_tenant", most=MOST_SEARCHED, **values)
        else:
            rows = await self._all("search_of_users", whose=list(whose), **values)
        return [(row["id"], row["near"], row["named"]) for row in rows]

    async def entities_named(self, names: Sequence[str], whose: Sequence[str], *, limit: int) -> list[Entity]:
        """The users' entities that have one of these names, in small letters, or as an alias; by id."""
        among = {"names": list(names), "whose": list(whose), "limit": limit}
        return [_entity(row) for row in await self._all("entities_named", **among)]

    async def make_entities(self, entities: Sequence[Entity], vectors: Vectors, model: int) -> None:
        """Keep entities that a person makes, in place of what was there of the same ids.

        Raises:
            ModelRetired: the model has no vectors in the database any more.
        """
        values = zip(entities, vectors, strict=True)
        with model_kept():
            await self._run_each("make_entity", [_entity_values(*each, model) for each in values])

    async def change_entity(self, entity: Entity, vector: Vector, model: int) -> None:
        """Keep what a person puts right of an entity.

        Raises:
            ModelRetired: the model has no vectors in the database any more.
        """
        with model_kept():
            await self._run("change_entity", **_entity_values(entity, vector, model))

    async def judge_entity(self, entity_id: UUID, into: UUID | None) -> None:
        """Merge an entity into another one, or tell it apart, as a person says."""
        await self._run("judge_entity", id=entity_id, into=into)

    async def delete_entities(self, ids: Sequence[UUID]) -> int:
        """The number of entities deleted, with all that they are to others."""
        return await self._run("delete_entities", ids=list(ids))

    async def make_relations(self, relations: Sequence[Relation]) -> None:
        """Keep relations that a person makes, in place of what was there of the same ids."""
        await self._run_each("put_relation", [_relation_values(one) for one in relations])

    async def relations_made(self, sources: Sequence[UUID], targets: Sequence[UUID]) -> list[Relation]:
        """What people say that the ones are to the others, in the order in which they said so."""
        rows = await self._all("relations_made", sources=list(sources), targets=list(targets))
        return [relation(row) for row in rows]

    async def delete_relation(self, relation_id: UUID) -> int:
        """The number of relations deleted: 1, or 0 if it was not there."""
        return await self._run("delete_relation", id=relation_id)

    async def entities_of_model(self, model: int, *, after: UUID, limit: int) -> list[tuple[UUID, str, str]]:
        """The tenant's next entities with vectors of the model: id, name and description, by id."""
        rows = await self._all("entities_of_model", model=model, after=after, limit=limit)
        return [(row["id"], row["name"], row["description"]) for row in rows]

    async def replace_entity_vectors(
        self, rows: Sequence[tuple[UUID, str, str]], vectors: Vectors, model: int
    ) -> None:
        """Put new vectors where names and descriptions are still what they were made from."""
        values = [
            {"id": id_, "name": name, "description": about, "embedding": halfvec(vector), "model": model}
            for (id_, name, about), vector in zip(rows, vectors, strict=True)
        ]
        await self._run_each("replace_entity_vector", values)
