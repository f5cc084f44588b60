"""Who is in a store: so many memories among tenants, in users of 20, 1,000 and 10,000 memories."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from random import Random

from recollect.core.model import Message, Turns
from speed.texts import NAMES, turns

SIZES = (20, 1_000, 10_000)
SHARES = {20: 0.5, 1_000: 0.3, 10_000: 0.2}
"""Of the memories of a store, how many belong to users of each size."""

LARGE = 10
"""One user in so many of each size belongs to the first tenant, the one that is searched whole."""

SESSION_TURNS = 20
BEGIN = datetime(2025, 1, 1, tzinfo=UTC)
DAYS = 500


@dataclass(frozen=True, slots=True)
class Person:
    """A user of a tenant, both by their numbers, with so many memories."""

    tenant: int
    number: int
    size: int

    @property
    def user_id(self) -> str:
        return f"user-{self.number}"

    def session_id(self, session: int) -> str:
        """The id of one of their sessions, from 0."""
        return f"{self.user_id}-{session}"


def tenant_name(tenant: int) -> str:
    """The name of the tenant of this number."""
    return f"bench-{tenant}"


def settle(memories: int, tenants: int) -> list[Person]:
    """The people of a store of about so many memories; each size has at least two."""
    people: list[Person] = []
    for size, share in SHARES.items():
        for place in range(max(2, round(memories * share / size))):
            number = len(people)
            tenant = (1 + number % (tenants - 1)) if place % LARGE else 0
            people.append(Person(tenant, number, size))
    return people


def settle_evenly(tenants: int) -> list[Person]:
    """One user of the smallest size in each tenant."""
    return [Person(tenant, tenant, min(SIZES)) for tenant in range(tenants)]


def sessions(people: list[Person], seed: int) -> list[tuple[Person, int]]:
    """Every session of everybody in the order in which they come in: people's rows lie mixed, as in life."""
    found = [(person, place) for person in people for place in range(person.size // SESSION_TURNS)]
    Random(seed).shuffle(found)
    return found


def spoken(person: Person, session: int, seed: int) -> Turns:
    """What was said in a session; the same for the same seed."""
    luck = Random(f"{seed}/{person.number}/{session}")
    begin = BEGIN + timedelta(days=luck.randrange(DAYS), minutes=luck.randrange(600, 1200))
    return Turns(
        person.session_id(session),
        list(_messages(luck, NAMES[person.number % len(NAMES)], begin)),
        user_id=person.user_id,
    )


def _messages(luck: Random, name: str, begin: datetime) -> Iterator[Message]:
    for place, (role, text) in enumerate(turns(luck, SESSION_TURNS)):
        speaker = name if role == "user" else None
        yield Message(text, role, speaker, begin + timedelta(minutes=place))
