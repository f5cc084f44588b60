"""Entities, what they are to each other, and where they are spoken of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from datetime import datetime
from uuid import UUID

from psycopg.types.json import Jsonb

from recollect.core.consolidate.linking import KINDS, MOST_ALIASES, Graph, alike, persons, settle
from recollect.core.model import Entity, Occasion, Relation, Role
from recollect.core.ports import Aim, Span, Vector, Vectors
from recollect.storage.memories import aim_of, halfvec, model_kept
from recollect.storage.rows import Row, Rows

MOST_SEARCHED = 50_000
"""Of a tenant as a whole, so many entities are compared with a query."""


def _entity(row: Row) -> Entity:
    return Entity(**row | {"aliases": tuple(row["aliases"]), "min_role": Role(row["min_role"])})


def _relation(row: Row) -> Relation:
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
    return asdict(relation) | {"min_role": int(relation.min_role), "evidence": list(relation.evidence)}


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
        """What these entities are to others, and others to them; the strongest first."""
        values = asdict(span) | {"kinds": list(span.kinds) or None}
        return [
            _relation(row)
            for row in await self._all("relations_around", ids=list(ids), limit=limit, **values)
        ]

    async def relations(self, ids: Sequence[UUID]) -> dict[UUID, Relation]:
        """Those of the relations that are there, by id."""
        return {row["id"]: _relation(row) for row in await self._all("relations_by_id", ids=list(ids))}

    async def timeline(
        self, ids: Sequence[UUID], *, before: tuple[datetime, str, UUID], limit: int
    ) -> list[Occasion]:
        """What happened to these entities before a moment, the newest first."""
        at, what, last = before
        rows = await self._all("timeline", ids=list(ids), at=at, what=what, id=last, limit=limit)
        return [Occasion(**row) for row in rows]

    async def search_entities(
        self, aim: Aim, names: Sequence[str], whose: Sequence[str] | None, *, limit: int
    ) -> list[tuple[UUID, float, bool]]:
        """The entities nearest to a query, each with its cosine and whether the query names it.

        `names`: what in the query may be a name, in small letters. `whose`: as of `list_entities`.
        """
        values = aim_of(aim) | {"names": list(names), "limit": limit}
        if whose is None:
            rows = await self._all("search_of_tenant", most=MOST_SEARCHED, **values)
        else:
            rows = await self._all("search_of_users", whose=list(whose), **values)
        return [(row["id"], row["near"], row["named"]) for row in rows]

    async def add_entity(self, entity: Entity, vector: Vector, model: int) -> bool:
        """Keep an entity that a person makes; False: it is there already.

        Raises:
            ModelRetired: the model has no vectors in the database any more.
        """
        with model_kept():
            return bool(await self._run("add_entity", **_entity_values(entity, vector, model)))

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

    async def add_relation(self, relation: Relation) -> None:
        """Keep a relation that a person makes."""
        await self._run("put_relation", **_relation_values(relation))

    async def delete_relation(self, relation_id: UUID) -> int:
        """The number of relations deleted: 1, or 0 if it was not there."""
        return await self._run("delete_relation", id=relation_id)

    async def entities_of_model(self, model: int, *, after: UUID, limit: int) -> list[tuple[UUID, str]]:
        """The tenant's next entities with vectors of the model: their ids and names, by id."""
        rows = await self._all("entities_of_model", model=model, after=after, limit=limit)
        return [(row["id"], row["name"]) for row in rows]

    async def replace_entity_vectors(
        self, rows: Sequence[tuple[UUID, str]], vectors: Vectors, model: int
    ) -> None:
        """Put new vectors where the names are still what they were made from."""
        values = [
            {"id": id_, "name": name, "embedding": halfvec(vector), "model": model}
            for (id_, name), vector in zip(rows, vectors, strict=True)
        ]
        await self._run_each("replace_entity_vector", values)
