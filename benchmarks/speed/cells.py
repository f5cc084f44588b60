"""The figures over HTTP: latencies by operation, size of the user and number of clients."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import cycle, islice
from random import Random

import numpy as np

from speed.client import Measured, Request, run
from speed.loading import Store
from speed.people import SESSION_TURNS, SIZES, Person
from speed.texts import questions, turns

CLIENTS = (1, 8, 32)
QUANTILES = (50, 95, 99)
OPERATIONS = ("recall", "context", "write")
LIMIT = 10
BUDGET = 1_000
REPEATED = 40
WARM = 30

Figures = dict[str, float]


@dataclass(frozen=True, slots=True)
class Plan:
    """How many requests a cell takes, by the number of clients."""

    one: int = 400
    many: int = 600

    def count(self, clients: int, size: int) -> int:
        """The largest users get fewer: each of their requests takes longer."""
        count = self.one if clients == 1 else self.many
        return count // 2 if size == max(SIZES) else count


def spread(milliseconds: Sequence[float]) -> Figures:
    """Quantiles, each with the 95 % interval of its order statistics (binomial, normal approximation)."""
    ordered = np.sort(milliseconds)
    count = len(ordered)
    figures: Figures = {"n": count}
    for percent in QUANTILES:
        share = percent / 100
        half = 1.96 * math.sqrt(count * share * (1 - share))
        low, high = (ordered[min(max(round(count * share + side), 0), count - 1)] for side in (-half, half))
        figures[f"p{percent}"] = float(np.percentile(ordered, percent))
        figures[f"p{percent} low"], figures[f"p{percent} high"] = float(low), float(high)
    return figures


class Asker:
    """Makes requests about a store; no question is asked twice, and users take turns."""

    def __init__(self, store: Store, port: int, seed: int) -> None:
        self._store = store
        self._port = port
        self._luck = Random(seed)
        self._questions = questions(self._luck)
        people = store.people[:]
        Random(seed).shuffle(people)
        self._people: dict[int, Iterator[Person]] = {
            size: cycle([person for person in people if person.size == size]) for size in SIZES
        }

    def requests(self, operation: str, size: int, count: int) -> list[Request]:
        """So many requests of users of a size."""
        make: Callable[[Person], Request] = getattr(self, operation)
        return [make(person) for person in islice(self._people[size], count)]

    def recall(self, person: Person) -> Request:
        """A new question about a person."""
        return self._post("/v1/recall", person, query=next(self._questions), limit=LIMIT)

    def context(self, person: Person) -> Request:
        """What is needed to answer a new question in the person's first session."""
        return self._post(
            "/v1/context",
            person,
            query=next(self._questions),
            budget=BUDGET,
            session_id=person.session_id(0),
        )

    def write(self, person: Person) -> Request:
        """The next turn of one of the person's sessions, alone in its request."""
        ((_, text),) = turns(self._luck, 1)
        session = person.session_id(self._luck.randrange(person.size // SESSION_TURNS))
        path = f"/v1/sessions/{session}/messages"
        return self._post(path, person, messages=[{"content": text, "role": "user"}])

    def _post(self, path: str, person: Person, **body: object) -> Request:
        return Request(self._port, "POST", path, self._store.key(person), {"user_id": person.user_id, **body})

    def of_tenant(self, count: int) -> list[Request]:
        """New questions about everybody in the first tenant."""
        bodies = [
            {"all_users": True, "query": query, "limit": LIMIT} for query in islice(self._questions, count)
        ]
        return [Request(self._port, "POST", "/v1/recall", self._store.keys[0], body) for body in bodies]


def figures_of(measured: Measured) -> Figures:
    """A cell: its latencies, its throughput, and what went wrong."""
    return {
        **spread(measured.milliseconds),
        "a second": len(measured.milliseconds) / measured.seconds,
        "failures": measured.failures,
        "without hits": measured.empty,
    }


def measure_cells(asker: Asker, plan: Plan, tell: Callable[[str], None]) -> dict[str, Figures]:
    """Every operation for every size of user at every number of clients, and a question that is repeated."""
    cells: dict[str, Figures] = {}
    for operation in OPERATIONS:
        for size in SIZES:
            for clients in CLIENTS:
                name = f"{operation}, {size:,}, {clients}"
                warm = 20 + 2 * clients
                requests = asker.requests(operation, size, warm + plan.count(clients, size))
                cells[name] = figures_of(run(requests, clients, warm))
                tell(f"{name}: p50 {cells[name]['p50']:.2f} ms, p95 {cells[name]['p95']:.2f} ms")
    again = asker.requests("recall", 1_000, REPEATED)
    cells["recall repeated, 1,000, 1"] = figures_of(run(again * (1 + plan.one // REPEATED), 1, REPEATED))
    return cells


def measure_tenant_wide(asker: Asker, plan: Plan) -> dict[str, Figures] | str:
    """A whole tenant, by the number of clients; or why it was refused."""
    first = run(asker.of_tenant(1), 1, 0)
    if first.failures:
        problem = json.loads(first.first)
        return " ".join([problem["detail"], *(each["message"] for each in problem.get("errors", ()))])
    found: dict[str, Figures] = {}
    for clients in CLIENTS[:2]:
        warm = 10
        requests = asker.of_tenant(warm + plan.one // 2)
        found[f"recall of a tenant, all, {clients}"] = figures_of(run(requests, clients, warm))
    return found


def measure_flat(askers: dict[int, Asker], count: int) -> dict[int, Figures]:
    """The same recall against several stores, by one client, in rounds that each begin with another store.

    So noise is shared by all.
    """
    stores = len(askers)
    each = [asker.requests("recall", min(SIZES), count + WARM) for asker in askers.values()]
    order = [
        (place, turn) for turn in range(count + WARM) for place in _rotated(range(stores), turn % stores)
    ]
    measured = run([each[place][turn] for place, turn in order], 1, WARM * stores)
    assert not measured.failures, measured.first
    taken: dict[int, list[float]] = {tenants: [] for tenants in askers}
    for (place, _), milliseconds in zip(order[WARM * stores :], measured.milliseconds, strict=True):
        taken[list(askers)[place]].append(milliseconds)
    return {tenants: spread(milliseconds) for tenants, milliseconds in taken.items()}


def _rotated(places: Sequence[int], by: int) -> list[int]:
    return [*places[by:], *places[:by]]
