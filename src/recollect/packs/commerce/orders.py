"""What was bought in the sample store, and what went wrong with it."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from random import Random
from typing import Any

from recollect.core.consolidate.linking import person_id
from recollect.core.graph import NewEntity, NewRelation
from recollect.packs.commerce.catalogue import Product
from recollect.packs.commerce.customers import Customer

FIRST_ORDER, FIRST_ISSUE = 10_001, 501
RETURN_DAYS = 30
"""So long after delivery something may be sent back."""

IN_A_COLLECTION = 0.4
"""The share of orders that furnish a room in one collection."""

IN_THEIR_ROOM = 0.75
"""The share of orders for a room of the customer's home."""


@dataclass(frozen=True, slots=True)
class Line:
    """Some of one product."""

    product: Product
    quantity: int


@dataclass(frozen=True, slots=True)
class Order:
    """What a customer bought at once, and what became of it."""

    number: int
    customer: Customer
    lines: tuple[Line, ...]
    status: str
    placed_at: datetime
    shipped_at: datetime
    delivered_at: datetime

    @property
    def total(self) -> int:
        return sum(line.quantity * line.product.price for line in self.lines)

    @property
    def entity(self) -> NewEntity:
        """The customer's entity that it is."""
        items = [
            {"sku": line.product.sku, "quantity": line.quantity, "price": line.product.price}
            for line in self.lines
        ]
        attributes = {
            "status": self.status,
            "placed_at": self.placed_at.isoformat(),
            "total": self.total,
            "items": items,
        }
        return NewEntity(f"order {self.number}", "order", self.customer.user_id, attributes=attributes)

    def relations(self) -> Iterator[NewRelation]:
        """Who placed it, and what is in it."""
        id_ = self.entity.id
        yield NewRelation(person_id(self.customer.user_id), id_, "placed", valid_from=self.placed_at)
        for line in self.lines:
            yield NewRelation(id_, line.product.entity.id, "contains", valid_from=self.placed_at)


@dataclass(frozen=True, slots=True)
class Issue:
    """What went wrong with a product that was delivered. `trouble`: of phrases.toml, `[[trouble]]`."""

    number: int
    order: Order
    product: Product
    trouble: Mapping[str, Any] = field(hash=False)
    opened_at: datetime
    resolved_at: datetime | None

    @property
    def entity(self) -> NewEntity:
        """The customer's entity that it is."""
        resolved = {"resolved_at": self.resolved_at.isoformat()} if self.resolved_at else {}
        attributes = {
            "status": "resolved" if self.resolved_at else "open",
            "opened_at": self.opened_at.isoformat(),
            **resolved,
            "summary": f"{self.product.name}, order {self.order.number}: {self.trouble['summary']}",
        }
        name = f"issue {self.number}: {self.trouble['title']}"
        return NewEntity(name, "issue", self.order.customer.user_id, attributes=attributes)

    def relations(self) -> Iterator[NewRelation]:
        """Who raised it, and what it is about."""
        id_, since = self.entity.id, self.opened_at
        person = person_id(self.order.customer.user_id)
        yield NewRelation(person, id_, "raised", valid_from=since, valid_to=self.resolved_at)
        yield NewRelation(id_, self.product.entity.id, "concerns", valid_from=since)
        yield NewRelation(id_, self.order.entity.id, "about", valid_from=since)


class Shelf:
    """The products of a store by room, to pick from as somebody with a taste would."""

    def __init__(self, rng: Random, products: Sequence[Product]) -> None:
        self._rng = rng
        self.products = products
        self._by_room: dict[str, list[Product]] = defaultdict(list)
        self._by_collection: dict[str, list[Product]] = defaultdict(list)
        for one in products:
            self._by_room[one.room].append(one)
            self._by_collection[one.collection.name].append(one)

    def pick(self, customer: Customer, at: datetime, among: Sequence[Product]) -> Product:
        """One of these, by the customer's taste."""
        taste = customer.taste(at)
        weights = [taste.weigh(one, customer.tier) for one in among]
        return self._rng.choices(among, weights)[0]

    def basket(self, customer: Customer, at: datetime) -> list[Product]:
        """What is bought together: for a room, often of one collection."""
        theirs = self._rng.random() < IN_THEIR_ROOM
        room = self._rng.choice(customer.rooms if theirs else sorted(self._by_room))
        first = self.pick(customer, at, self._by_room.get(room) or self.products)
        matching = self._rng.random() < IN_A_COLLECTION
        among = self._by_collection[first.collection.name] if matching else self._by_room[first.room]
        rest = [
            self.pick(customer, at, among) for _ in range(self._rng.choices((0, 1, 2, 3), (5, 4, 2, 1))[0])
        ]
        return list(dict.fromkeys([first, *rest]))


def make_orders(
    rng: Random, shelf: Shelf, customers: Sequence[Customer], number: int, now: datetime
) -> list[Order]:
    """So many orders, at least one of each customer, numbered as they were placed."""
    keen = [rng.paretovariate(2.0) for _ in customers]
    buyers = [*customers, *rng.choices(customers, keen, k=number - len(customers))]
    orders = sorted((_order(rng, shelf, one, now) for one in buyers), key=lambda order: order.placed_at)
    return [replace(one, number=place) for place, one in enumerate(orders, FIRST_ORDER)]


def _order(rng: Random, shelf: Shelf, customer: Customer, now: datetime) -> Order:
    days = (now - customer.joined).days
    placed = customer.joined + timedelta(days=rng.uniform(0.1, days - 0.5))
    placed = placed.replace(microsecond=0)
    shipped = placed + timedelta(days=rng.randint(2, 4))
    delivered = shipped + timedelta(days=rng.randint(3, 9))
    lines = tuple(Line(one, _quantity(rng, one)) for one in shelf.basket(customer, placed))
    status = _status(rng, now, shipped, delivered)
    return Order(0, customer, lines, status, placed, shipped, delivered)


def _quantity(rng: Random, one: Product) -> int:
    match one.category:
        case "dining chair":
            return rng.choice((2, 4, 4, 6))
        case "nightstand" | "lamp":
            return rng.choice((1, 1, 2))
        case _:
            return 1


def _status(rng: Random, now: datetime, shipped: datetime, delivered: datetime) -> str:
    if now < shipped:
        return "placed"
    if now < delivered:
        return "shipped"
    old = now - delivered > timedelta(days=RETURN_DAYS)
    return rng.choices(("delivered", "cancelled", "returned"), (88, 6, 6 if old else 0))[0]


def make_issues(
    rng: Random, orders: Sequence[Order], troubles: Sequence[Mapping[str, Any]], number: int, now: datetime
) -> list[Issue]:
    """So many issues with what was delivered, numbered as they were raised, most of them resolved."""
    delivered = [(one, line.product) for one in orders if one.status == "delivered" for line in one.lines]
    issues = sorted(
        (_issue(rng, order, one, troubles, now) for order, one in rng.sample(delivered, number)),
        key=lambda issue: issue.opened_at,
    )
    return [replace(one, number=place) for place, one in enumerate(issues, FIRST_ISSUE)]


def _issue(
    rng: Random, order: Order, one: Product, troubles: Sequence[Mapping[str, Any]], now: datetime
) -> Issue:
    fitting = [each for each in troubles if one.category in each.get("of", (one.category,))]
    lived_with = min(timedelta(days=rng.uniform(0.2, 45)), (now - order.delivered_at) * 0.5)
    opened = (order.delivered_at + lived_with).replace(microsecond=0)
    resolved = opened + timedelta(days=rng.randint(2, 18), seconds=rng.randint(0, 20_000))
    done = resolved < now - timedelta(days=1) and rng.random() < 0.8
    return Issue(0, order, one, rng.choice(fitting), opened, resolved if done else None)
