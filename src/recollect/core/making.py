"""What becomes of the graph when people say again, and better, what they said of it before."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from uuid import UUID

from recollect.core.bounds import check_json
from recollect.core.consolidate.linking import MOST_ALIASES
from recollect.core.errors import Invalid
from recollect.core.model import Entity, JsonObject, Relation

LONGEST_DESCRIPTION = 2_000
MOST_LISTED = 200
"""Of a list of texts that is added to again and again, so many are kept."""


def added_to(known: Mapping[UUID, Entity], given: Iterable[Entity]) -> dict[UUID, Entity]:
    """What becomes of entities when these are given, by id, in order of the ids."""
    after: dict[UUID, Entity] = {}
    for one in given:
        before = after.get(one.id, known.get(one.id))
        after[one.id] = _added(before, one) if before else one
    return {id_: after[id_] for id_ in sorted(after)}


def _added(before: Entity, one: Entity) -> Entity:
    """An entity with what is given of it by the same id."""
    if not before.by_hand:
        # What was read of the person remembered: it stands with what told it, and goes with that.
        return replace(
            one, recorded_at=before.recorded_at, merged_into=before.merged_into, settled=before.settled
        )
    names = {before.name.lower(): before.name}
    for name in (*before.aliases, one.name, *one.aliases):
        names.setdefault(name.lower(), name)
    return replace(
        before,
        aliases=tuple(names.values())[1 : MOST_ALIASES + 1],
        attributes={**before.attributes, **_united(before.attributes, one.attributes)},
        description=described([*before.description.splitlines(), *one.description.splitlines()]),
    )


def _united(before: JsonObject, given: JsonObject) -> JsonObject:
    """What is given; a list with what it held before, the newest of it."""
    return {
        key: list(dict.fromkeys([*before[key], *value]))[-MOST_LISTED:]
        if _are_texts(value, before.get(key))
        else value
        for key, value in given.items()
    }


def _are_texts(*lists: object) -> bool:
    return all(isinstance(one, list) and all(isinstance(text, str) for text in one) for one in lists)


def described(lines: Sequence[str]) -> str:
    r"""A description of these lines, each once: as many as there is room for, the last ones kept.

    >>> described(["grey", "soft", "grey"])
    'grey\nsoft'
    """
    kept = list(dict.fromkeys(lines))
    while len("\n".join(kept)) > LONGEST_DESCRIPTION and len(kept) > 1:
        del kept[0]
    return "\n".join(kept)[:LONGEST_DESCRIPTION]


class Said:
    """What people say that entities are to each other, and what becomes of it."""

    def __init__(self, relations: Iterable[Relation], now: datetime) -> None:
        self.known: dict[UUID, Relation] = {}
        self._between: dict[tuple[UUID, UUID, str], list[UUID]] = defaultdict(list)
        self._now = now
        for one in relations:
            self._keep(one)

    def _keep(self, one: Relation) -> None:
        if one.id not in self.known:
            self._between[one.source_id, one.target_id, one.kind].append(one.id)
        self.known[one.id] = one

    def put(self, one: Relation, since: datetime | None) -> UUID:
        """Say it, or say it better, and return the id that it has; `since`: from when, if that is given.

        Who may see it grows by no saying: what was said for a higher role stays for that one.

        Raises:
            Invalid: it would end before it begins.
            TooLarge: with what was said before, its attributes are too large.
        """
        before = self._same(one, since)
        if before:
            one = replace(
                before,
                strength=one.strength,
                confidence=one.confidence,
                min_role=max(before.min_role, one.min_role),
                valid_from=since or before.valid_from,
                valid_to=one.valid_to or before.valid_to,
                attributes={**before.attributes, **one.attributes},
            )
            check_order(one)
            check_json(one.attributes, "attributes")
        self._keep(one)
        return one.id

    def _same(self, one: Relation, since: datetime | None) -> Relation | None:
        """What was said of the same: from the same time on, or holding, and begun before this one ends."""
        found = [self.known[id_] for id_ in self._between[one.source_id, one.target_id, one.kind]]
        begun = next((each for each in found if each.valid_from == since), None)
        return begun or next(
            (
                each
                for each in found
                if (each.valid_to is None or each.valid_to > self._now)
                and (one.valid_to is None or one.valid_to > each.valid_from)
            ),
            None,
        )


def check_order(one: Relation) -> None:
    """Refuse what is nothing to another, or ends before it begins.

    Raises:
        Invalid: it is so.
    """
    if one.source_id == one.target_id or (one.valid_to and one.valid_to <= one.valid_from):
        raise Invalid("It needs two entities, and to end after it begins.")
