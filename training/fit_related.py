"""Fits what counts how much where products are related, and prints it for packs/commerce/pack.toml.

    PYTHONPATH=benchmarks python training/fit_related.py

Needs nothing that the project does not. The sample store of seed 5, as benchmarks/related.py looks at it: of
both its tasks, the likelihood of what was bought is made as large as it can be, if who buys one of the
products takes each with odds of e to its score. A weight of a source times a weight of a field, each above 0,
by Adam; then all but the sources as if `stated` were 1 and the largest of the fields 2.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product

import numpy as np
from related import FITTED, SCHEMA, SOURCES, TEXTS, Case, Floats, Store

from recollect.core.relating import relate
from recollect.packs.commerce.sample import store

STEPS, RATE, DECAY = 250, 0.08, 0.002
LARGEST = 2.0
PARTS = [*product(SOURCES, TEXTS)]


@dataclass(frozen=True, slots=True)
class Choice:
    """What each part, and `together`, gives each product that might have been bought; and what was."""

    gives: Floats
    bought: list[int]


def choices(shop: Store) -> Iterator[Choice]:
    """A choice for each customer and task."""
    places = {one.id: place for place, one in enumerate(shop.items)}
    for beside in (False, True):
        for case in shop.cases(beside=beside):
            gives = np.array(
                [_given(shop, case, source, field) for source, field in (*PARTS, ("together", ""))]
            )
            asked = {case.known.asked.id} if case.known.asked else set()
            left = np.array([one.id not in case.known.had | asked for one in shop.items])
            at = np.cumsum(left) - 1
            yield Choice(gives[:, left], [int(at[places[one]]) for one in case.wanted])


def _given(shop: Store, case: Case, source: str, field: str) -> Floats:
    """What one part, by itself, gives each product."""
    scoring = dict.fromkeys((*SOURCES, "together"), 0.0) | {source: 1.0, field: 1.0}
    shown = relate(shop.items, case.known, SCHEMA, scoring, len(shop.items))
    scores = {one.entity.id: one.score for one in shown}
    return np.array([scores.get(one.id, 0.0) for one in shop.items])


def spread(logs: Floats) -> Floats:
    """The weight of each part, and of `together`, from the logarithms of those of sources, fields and it."""
    sources, fields = np.exp(logs[: len(SOURCES)]), np.exp(logs[len(SOURCES) : -1])
    return np.append(np.outer(sources, fields).ravel(), np.exp(logs[-1]))


def slope(logs: Floats, told: list[Choice]) -> Floats:
    """Where the likelihood falls, by each of the logarithms."""
    weights = spread(logs)
    total = np.zeros(len(weights))
    for one in told:
        odds = np.exp(weights @ one.gives)
        total += one.gives @ (odds / odds.sum()) - one.gives[:, one.bought].mean(1)
    by_part = total * weights / len(told)
    table = by_part[:-1].reshape(len(SOURCES), len(TEXTS))
    return np.concatenate([table.sum(1), table.sum(0), by_part[-1:]]) + DECAY * logs


def fit(told: list[Choice]) -> dict[str, float]:
    """The weights as pack.toml has them."""
    logs = np.full(len(SOURCES) + len(TEXTS) + 1, -0.5)
    mean, square = np.zeros_like(logs), np.zeros_like(logs)
    for step in range(1, STEPS + 1):
        by = slope(logs, told)
        mean, square = 0.9 * mean + 0.1 * by, 0.99 * square + 0.01 * by**2
        logs -= RATE * (mean / (1 - 0.9**step)) / (np.sqrt(square / (1 - 0.99**step)) + 1e-8)
    found = dict(zip((*SOURCES, *TEXTS, "together"), np.exp(logs).tolist(), strict=True))
    stated = found["stated"]
    scale = LARGEST / max(found[field] for field in TEXTS)
    fields = {field: found[field] * scale for field in TEXTS}
    sources = {source: found[source] / stated for source in SOURCES}
    return {**sources, "together": found["together"] * scale / stated, **fields}


def main() -> None:
    """Fit, print."""
    for name, weight in fit(list(choices(Store(store(FITTED))))).items():
        print(f"{name} = {weight:.2f}")


if __name__ == "__main__":
    main()
