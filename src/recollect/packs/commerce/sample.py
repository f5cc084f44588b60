"""The sample store: who buys there, what it sells, and what was bought and said in two years."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from random import Random

from recollect.core.consolidate.linking import person_id
from recollect.core.errors import Invalid
from recollect.core.graph import NewRelation
from recollect.core.model import Note, Turns
from recollect.core.pack import Sample
from recollect.packs.commerce.catalogue import Product, make_products
from recollect.packs.commerce.customers import Customer, make_customers
from recollect.packs.commerce.orders import Issue, Order, Shelf, make_issues, make_orders
from recollect.packs.commerce.talk import Occasion, Voice, read_phrases

TODAY = date(2026, 11, 1)
FULL = 300
"""So many customers has the store of full size, with what follows."""

FEWEST, MOST = 6, 600
"""There are enough products for each collection to have two, and enough pieces for all of them."""

PRODUCTS, ORDERS, ISSUES, CONVERSATIONS = 800, 2_000, 150, 1_500


def store(seed: int = 5, *, customers: int = FULL, today: date = TODAY) -> Sample:
    """The sample store of a furniture retailer; the same of the same seed, number and day.

    300 customers, 800 products, 2,000 orders, 150 issues, 1,500 conversations; for other numbers of
    customers in proportion. Everything is dated before the midnight with which `today` begins.

    Raises:
        Invalid: there are fewer than `FEWEST` customers, or more than `MOST`.
    """
    if not FEWEST <= customers <= MOST:
        raise Invalid(f"customers is {customers}; it must be from {FEWEST} to {MOST}.")
    share = customers / FULL
    now = datetime.combine(today, time(), UTC)
    rng = Random(seed)  # noqa: S311 - samples are to be the same each time, and nobody is to be kept from guessing
    shelf = Shelf(rng, make_products(rng, round(PRODUCTS * share)))
    people = make_customers(rng, customers, today, read_phrases()["people"])
    orders = make_orders(rng, shelf, people, round(ORDERS * share), now)
    issues = make_issues(rng, orders, read_phrases()["trouble"], round(ISSUES * share), now)
    told = [pair for one in people for pair in one.preferences()]
    happened: list[Order | Issue] = [*orders, *issues]
    return Sample(
        people=[one.person for one in people],
        entities=[
            *(one.entity for one in shelf.products),
            *(entity for entity, _ in told),
            *(one.entity for one in happened),
        ],
        relations=[
            *(relation for _, relation in told),
            *(relation for one in happened for relation in one.relations()),
            *_ownership(orders),
        ],
        conversations=_Diary(rng, shelf, now).conversations(
            people, orders, issues, round(CONVERSATIONS * share)
        ),
        notes=[*_policies(now), *(note for one in people for note in one.notes())],
    )


def _ownership(orders: Sequence[Order]) -> list[NewRelation]:
    """Who owns which product since when: what came twice is owned since it came first."""
    since: dict[tuple[Customer, Product], datetime] = {}
    for order in sorted(orders, key=lambda one: one.delivered_at):
        if order.status == "delivered":
            for line in order.lines:
                since.setdefault((order.customer, line.product), order.delivered_at)
    return [
        NewRelation(person_id(customer.user_id), product.entity.id, "owns", valid_from=at)
        for (customer, product), at in since.items()
    ]


def _policies(now: datetime) -> Iterator[Note]:
    """What the store holds to with everyone; what is said in conversations agrees with it."""
    for text in read_phrases()["policies"]:
        yield Note(text, valid_from=now - timedelta(days=1_000))


@dataclass(frozen=True, slots=True)
class _Diary:
    """Who wrote when and why."""

    rng: Random
    shelf: Shelf
    now: datetime

    def conversations(
        self, people: Sequence[Customer], orders: Sequence[Order], issues: Sequence[Issue], number: int
    ) -> list[Turns]:
        """So many conversations in the order of time."""
        due = [*self._events(people, orders, issues)][:number]
        others = [self._topic(people, orders) for _ in range(number - len(due))]
        occasions = sorted([*due, *others], key=lambda one: one.at)
        voice = Voice(self.rng)
        return [voice.converse(one, f"chat-{place:05}") for place, one in enumerate(occasions, 1)]

    def _events(
        self, people: Sequence[Customer], orders: Sequence[Order], issues: Sequence[Issue]
    ) -> Iterator[Occasion]:
        """What was written because something happened."""
        for one in people:
            yield self._occasion("first enquiry", one, one.joined)
        for issue in issues:
            yield self._complaint("issue raised", issue, issue.opened_at)
            if issue.resolved_at:
                yield self._complaint("issue resolved", issue, issue.resolved_at)
        for one in people:
            if until := one.tastes[0].until:
                yield self._occasion("change of taste", one, until)
        for order in orders:
            if order.status == "returned":
                at = self._between(order.delivered_at, order.delivered_at + timedelta(days=25))
                yield self._ordered("return", order, at)

    def _topic(self, people: Sequence[Customer], orders: Sequence[Order]) -> Occasion:
        """What was written for some other reason."""
        topics = read_phrases()["topics"]
        among = {kind: (group, weight) for group, kinds in topics.items() for kind, weight in kinds.items()}
        kind = self.rng.choices(list(among), [weight for _, weight in among.values()])[0]
        match among[kind][0]:
            case "shopping":
                customer = self.rng.choice(people)
                return self._occasion(kind, customer, self._between(customer.joined, self.now))
            case "ordered":
                order = self.rng.choice([one for one in orders if one.status != "cancelled"])
                at = self._between(order.placed_at, min(order.delivered_at, self.now))
            case _:
                order = self.rng.choice([one for one in orders if one.status == "delivered"])
                at = self._between(order.delivered_at, self.now)
        return self._ordered(kind, order, at)

    def _between(self, start: datetime, end: datetime) -> datetime:
        """Some time between these, with an hour left to write in."""
        at = start + (end - start - timedelta(hours=2)) * self.rng.uniform(0.05, 1)
        return at.replace(microsecond=0)

    def _occasion(self, kind: str, customer: Customer, at: datetime) -> Occasion:
        style = customer.taste(at).style
        among = [one for one in self.shelf.products if one.style == style and _fits(kind, customer, one)]
        product = self.shelf.pick(customer, at, among)
        return Occasion(kind, customer, at, product, self._other(product))

    def _ordered(self, kind: str, order: Order, at: datetime) -> Occasion:
        product = self.rng.choice(order.lines).product
        return Occasion(kind, order.customer, at, product, self._other(product), order)

    def _complaint(self, kind: str, issue: Issue, at: datetime) -> Occasion:
        other = self._other(issue.product)
        return Occasion(kind, issue.order.customer, at, issue.product, other, issue.order, issue)

    def _other(self, product: Product) -> Product:
        return self.rng.choice(
            [one for one in self.shelf.products if one.collection == product.collection and one != product]
        )


def _fits(kind: str, customer: Customer, one: Product) -> bool:
    """Whether a product may come up: a wall is measured for what is wide; a sectional is in every style."""
    match kind:
        case "sectional search":
            return one.category == "sectional"
        case "measuring":
            return one.width >= 80
        case _:
            return one.room in customer.rooms
