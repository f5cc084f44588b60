"""From an entity to those around it, step by step, and the ways between two of them."""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from uuid import UUID

from recollect.core.consolidate.linking import families
from recollect.core.errors import NotFound
from recollect.core.model import Entity, Relation
from recollect.core.ports import Span, Transaction

MOST_RELATIONS = 500
"""So many relations are followed at each step, the strongest."""

MOST_TRIED = 20_000
"""So many ways are tried in search of paths."""


@dataclass(frozen=True, slots=True)
class Path:
    """A way from one entity to another: n + 1 entities, and the n relations between them."""

    entities: tuple[Entity, ...]
    relations: tuple[Relation, ...]


def whole(root: Entity, merged: Iterable[Entity]) -> Entity:
    """An entity with the names of all that are merged into it, each as it is written first."""
    also = (name for one in merged for name in (one.name, *one.aliases))
    names = {root.name.lower(): root.name}
    for name in (*root.aliases, *also):
        names.setdefault(name.lower(), name)
    return replace(root, aliases=tuple(names.values())[1:])


class Walk:
    """What was seen of a graph on a walk in it: two statements for each step, however many entities it is to.

    What is merged is one entity here, `roots` says of each which; relations are between those.
    """

    def __init__(self, tx: Transaction, span: Span) -> None:
        self._tx = tx
        self._span = span
        self.entities: dict[UUID, Entity] = {}
        self.roots: dict[UUID, UUID] = {}
        self.members: dict[UUID, list[UUID]] = {}
        self.relations: dict[UUID, Relation] = {}

    async def root(self, id_: UUID) -> UUID:
        """The entity that one is merged into, or it itself.

        Raises:
            NotFound: there is no such entity, for whoever asks.
        """
        await self.learn([id_])
        if id_ not in self.roots:
            raise NotFound
        return self.roots[id_]

    async def learn(self, ids: Iterable[UUID]) -> None:
        """Look up entities that were not seen yet."""
        new = sorted(set(ids) - self.roots.keys())
        for root, merged in families(await self._tx.families(new)) if new else ():
            self.entities[root.id] = whole(root, merged)
            self.members[root.id] = [root.id, *(one.id for one in merged)]
            self.roots |= dict.fromkeys(self.members[root.id], root.id)

    async def around(self, roots: Sequence[UUID]) -> list[Relation]:
        """The relations of these entities with others, the strongest first, then the newest."""
        ids = [member for root in roots for member in self.members[root]]
        found = await self._tx.relations_around(ids, self._span, limit=MOST_RELATIONS)
        await self.learn(end for one in found for end in (one.source_id, one.target_id))
        return self.between(found)

    def between(self, found: Iterable[Relation]) -> list[Relation]:
        """Those of the relations whose ends were seen, and are not one."""
        seen = []
        for one in found:
            source, target = self.roots.get(one.source_id), self.roots.get(one.target_id)
            if source and target and source != target:
                self.relations[one.id] = replace(one, source_id=source, target_id=target)
                seen.append(self.relations[one.id])
        return seen

    async def explore(self, root: UUID, depth: int, most: int) -> dict[UUID, int]:
        """How far `most` entities are at most that are nearest to one, by the strongest of each step."""
        distances = {root: 0}
        for step in range(1, depth + 1):
            frontier = [one for one, at in distances.items() if at == step - 1]
            for relation in await self.around(frontier) if frontier else ():
                for end in (relation.source_id, relation.target_id):
                    if len(distances) <= most:
                        distances.setdefault(end, step)
        return distances

    def ways(self, begin: UUID, end: UUID, hops: int) -> Iterator[Path]:
        """The ways from one entity to another over relations that were seen, the shortest first."""
        links = self._links()
        tried, waiting = 0, deque([[begin]])
        while waiting and tried < MOST_TRIED:
            way = waiting.popleft()
            if way[-1] == end:
                yield self._path(way, links)
                continue
            tried += 1
            if len(way) <= hops:
                waiting.extend([*way, one] for one in links[way[-1]] if one not in way)

    def _links(self) -> dict[UUID, dict[UUID, Relation]]:
        """The strongest relation between each two, from both."""
        links: dict[UUID, dict[UUID, Relation]] = defaultdict(dict)
        for one in sorted(self.relations.values(), key=lambda one: (-one.strength * one.confidence, one.id)):
            links[one.source_id].setdefault(one.target_id, one)
            links[one.target_id].setdefault(one.source_id, one)
        return links

    def _path(self, way: Sequence[UUID], links: dict[UUID, dict[UUID, Relation]]) -> Path:
        relations = (links[one][other] for one, other in pairwise(way))
        return Path(tuple(self.entities[one] for one in way), tuple(relations))
