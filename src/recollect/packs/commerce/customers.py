"""Who buys in the sample store: where they live, how they furnish, and when that changed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import product
from random import Random
from typing import Any

from recollect.core.consolidate.linking import person_id
from recollect.core.graph import NewEntity, NewRelation
from recollect.core.model import Kind, Note
from recollect.core.pack import Person
from recollect.core.text.tokens import fold
from recollect.packs.commerce.catalogue import Product, read_catalogue

OLDEST, NEWEST = 720, 40
"""So many days before the last one a customer came, at most and at least."""

CHANGING = 0.2
"""The share of customers whose style changes."""


@dataclass(frozen=True, slots=True)
class Taste:
    """How somebody furnishes, since when and until when."""

    style: str
    frame: str
    fabric: str
    colour: str
    since: datetime
    until: datetime | None = None

    def weigh(self, one: Product, tier: float) -> float:
        """How much likelier than any other a product is bought in this taste; 1 is as likely."""
        weight = 16.0 if one.style == self.style else 1.0
        weight *= 2.0 if one.material in {self.frame, self.fabric} else 1.0
        weight *= 2.0 if one.colour == self.colour else 1.0
        return weight * (1.0 if abs(one.collection.tier - tier) < 0.3 else 0.4)


@dataclass(frozen=True, slots=True)
class Customer:
    """Somebody who buys. `says`: which parts of their taste they tell. `circle`: whom they speak of.

    `wall` in cm, `budget` in dollars.
    """

    user_id: str
    first: str
    last: str
    city: str
    rooms: tuple[str, ...]
    wall: int
    budget: int
    tier: float
    says: tuple[str, ...]
    circle: tuple[str, ...]
    pet: str | None
    slot: str | None
    favourite: str
    tastes: tuple[Taste, ...]

    @property
    def name(self) -> str:
        return f"{self.first} {self.last}"

    @property
    def joined(self) -> datetime:
        return self.tastes[0].since

    @property
    def person(self) -> Person:
        """Who they are to the memory."""
        email = f"{fold(self.first)}.{fold(self.last)}@example.com".replace(" ", "")
        return Person(self.user_id, (self.name, self.first), {"email": email, "city": self.city})

    def taste(self, at: datetime) -> Taste:
        """The taste that they had then."""
        return next((one for one in self.tastes if one.until is None or at < one.until), self.tastes[-1])

    def preferences(self) -> Iterator[tuple[NewEntity, NewRelation]]:
        """What they have told of their taste; a style that they left has ended."""
        for taste in self.tastes:
            yield self._preference("style", f"{taste.style} style", taste.style, taste.since, taste.until)
        for part in self.says:
            value = getattr(self.tastes[0], part)
            about = "colour" if part == "colour" else "material"
            yield self._preference(about, value, value, self.joined, None)

    def _preference(
        self, about: str, name: str, value: str, since: datetime, until: datetime | None
    ) -> tuple[NewEntity, NewRelation]:
        entity = NewEntity(name, "preference", self.user_id, attributes={"about": about, "value": value})
        return entity, NewRelation(
            person_id(self.user_id), entity.id, "prefers", valid_from=since, valid_to=until
        )

    def notes(self) -> Iterator[Note]:
        """What the staff has put down about them."""
        if self.slot:
            text = f"{self.name} takes deliveries on {self.slot}."
            yield Note(text, Kind.PREFERENCE, self.user_id, valid_from=self.joined)


def make_customers(rng: Random, number: int, today: date, people: Mapping[str, Any]) -> list[Customer]:
    """So many customers, no two of one name, the earliest first."""
    midnight = datetime.combine(today, time(), UTC)
    names = rng.sample(list(product(people["first"], people["last"])), number)
    days = sorted((rng.randint(NEWEST, OLDEST) for _ in names), reverse=True)
    joined = [midnight - timedelta(days=days_ago, seconds=rng.randint(14_400, 43_200)) for days_ago in days]
    return [
        _customer(rng, f"customer-{place:04}", name, since, people)
        for place, (name, since) in enumerate(zip(names, joined, strict=True), 1)
    ]


def _customer(
    rng: Random, user_id: str, name: tuple[str, str], since: datetime, people: Mapping[str, Any]
) -> Customer:
    tier = rng.choice((0.75, 1.0, 1.35))
    rooms = ("living room", *rng.sample(people["rooms"], rng.randint(1, 3)))
    parts = ("frame", "fabric", "colour")
    return Customer(
        user_id,
        *name,
        city=rng.choice(people["cities"]),
        rooms=rooms,
        wall=rng.randrange(220, 420, 5),
        budget=round(tier * rng.uniform(1_200, 2_600) / 100) * 100,
        tier=tier,
        says=tuple(part for part in parts if rng.random() < 0.6),
        circle=(rng.choice(people["at_home"]), *rng.sample(people["others"], 3)),
        pet=rng.choice([*people["pets"], None, None, None]),
        slot=rng.choice([*people["slots"], None, None]),
        favourite=rng.choice(rooms),
        tastes=_tastes(rng, since),
    )


def _tastes(rng: Random, since: datetime) -> tuple[Taste, ...]:
    styles = read_catalogue()["styles"]
    first, second = rng.sample(list(styles), 2)
    made = styles[first]
    parts = rng.choice(made["frames"]), rng.choice(made["fabrics"]), rng.choice(made["colours"])
    if rng.random() >= CHANGING:
        return (Taste(first, *parts, since),)
    change = since + timedelta(days=rng.randint(12, NEWEST - 4), seconds=rng.randint(0, 9_000))
    return Taste(first, *parts, since, change), Taste(second, *parts, change)
