"""A pack's sample data, put into a tenant; put in again, it changes nothing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Protocol, TypeVar

from recollect.core.bounds import LARGEST_PAGE
from recollect.core.consolidate.linking import called
from recollect.core.graph import NewEntity
from recollect.core.model import Filter, Note, Principal, Turns
from recollect.core.pack import Person, Sample
from recollect.core.relator import PERSON
from recollect.core.service import Service

AT_ONCE = 200
T = TypeVar("T")


class Progress(Protocol):
    """Is told how far it is."""

    def __call__(self, what: str, done: int, of: int) -> None: ...


@dataclass(frozen=True, slots=True)
class Loaded:
    """What there is now of the sample; `turns`: those that were new."""

    people: int
    entities: int
    relations: int
    conversations: int
    turns: int


def _quiet(what: str, done: int, of: int) -> None:
    """Tell nobody."""


async def load_sample(
    service: Service, principal: Principal, sample: Sample, progress: Progress = _quiet
) -> Loaded:
    """Put sample data into the principal's tenant: people and things first, then what was said.

    Raises:
        Forbidden: the principal may not write for all of the tenant.
    """
    for place, person in enumerate(sample.people):
        progress("people", place, len(sample.people))
        await service.describe_user(
            principal, person.user_id, names=person.names or None, attributes=person.attributes or None
        )
    entities = [*[await _themself(service, principal, one) for one in sample.people], *sample.entities]
    for place, some in _portions(sorted(entities, key=lambda one: one.user_id or "")):
        progress("entities", place, len(entities))
        await service.put_entities(principal, some)
    for place, ties in _portions(sample.relations):
        progress("relations", place, len(sample.relations))
        await service.put_relations(principal, ties)
    await _note(service, principal, sample.notes)
    turns = await _converse(service, principal, sample.conversations, progress)
    counts = (len(sample.people), len(entities), len(sample.relations), len(sample.conversations))
    return Loaded(*counts, turns)


async def _themself(service: Service, principal: Principal, person: Person) -> NewEntity:
    """The person as an entity: by the sample's name, or as they are called already."""
    name = next(iter(person.names), None)
    if name is None:
        around = await service.around_person(principal, person.user_id, limit=1)
        name = called(around.entity) if around else person.user_id
    return NewEntity(name, PERSON, person.user_id, attributes=person.attributes, person=True)


async def _note(service: Service, principal: Principal, notes: Sequence[Note]) -> None:
    """Keep the notes that are not there yet."""
    for user_id, theirs in groupby(sorted(notes, key=_whose), key=_whose):
        wanted = list(theirs)
        scope = Filter(user_id=user_id or None, kinds=tuple({one.kind for one in wanted}))
        there = {one.content for one in await service.memories(principal, scope, limit=LARGEST_PAGE)}
        if new := [one for one in wanted if one.content not in there]:
            await service.add(principal, new)


def _whose(note: Note) -> str:
    return note.user_id or ""


async def _converse(
    service: Service, principal: Principal, conversations: Sequence[Turns], progress: Progress
) -> int:
    """Keep the conversations that are not there yet; returns how many turns were new."""
    new = done = 0
    by_user = sorted(conversations, key=lambda one: str(one.user_id))
    for user_id, theirs in groupby(by_user, key=lambda one: one.user_id):
        there = {one.session_id for one in await service.sessions(principal, user_id=user_id, limit=200)}
        for one in theirs:
            progress("conversations", done, len(conversations))
            done += 1
            if one.session_id not in there:
                await service.remember(principal, one, idempotency_key=f"sample:{one.session_id}")
                new += len(one.messages)
    return new


def _portions(whole: Sequence[T]) -> Iterator[tuple[int, Sequence[T]]]:
    for begin in range(0, len(whole), AT_ONCE):
        yield begin, whole[begin : begin + AT_ONCE]
