"""The same for every contestant, inside its own environment: add all, ask all, tell as JSON.

Needs the standard library alone. A contestant's script makes a `Contestant` and hands it to `compete`.
"""

from __future__ import annotations

import json
import statistics
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

DEPTHS = (5, 10, 50)
SMALL_LIMIT = 10
WARM = 20

Json = dict[str, Any]


class Contestant(Protocol):
    """A memory: what it is given, what it finds, how much it holds."""

    def add(self, user: str, memories: Sequence[Json]) -> None:
        """Keep the memories of a user, raw, in their order."""
        ...

    def search(self, user: str, query: str, limit: int) -> list[str]:
        """The ids of the memories found, the best first."""
        ...

    def resident(self) -> float:
        """MB of RSS of the process that remembers, without a database server's."""
        ...


def resident(process: int | str = "self") -> float:
    """MB of RSS of a process."""
    status = Path(f"/proc/{process}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0]) * 1024 / 1_000_000


def quantile(values: Sequence[float], percent: int) -> float:
    """The percentile, by linear interpolation."""
    return statistics.quantiles(values, n=100, method="inclusive")[percent - 1]


def compete(contestant: Contestant, corpus: Json, notes: Sequence[str] = ()) -> Json:
    """Add everything, ask everything."""
    began = time.perf_counter()
    texts = 0
    for each in corpus["users"]:
        contestant.add(each["user"], each["memories"])
        texts += len(each["memories"])
    added = time.perf_counter() - began
    for question in corpus["questions"][:WARM]:
        contestant.search(question["user"], question["query"] + " Or not?", max(DEPTHS))
    milliseconds, shares, rows = [], [], []
    for question in corpus["questions"]:
        began = time.perf_counter()
        found = contestant.search(question["user"], question["query"], max(DEPTHS))
        milliseconds.append((time.perf_counter() - began) * 1_000)
        wanted = set(question["evidence"])
        shares.append([len(wanted.intersection(found[:depth])) / len(wanted) for depth in DEPTHS])
        rows.append(len(found))
    small = [
        len(contestant.search(question["user"], question["query"], SMALL_LIMIT))
        for question in corpus["small"]
    ]
    return {
        "texts": texts,
        "texts/s": texts / added,
        "p50": quantile(milliseconds, 50),
        "p95": quantile(milliseconds, 95),
        "recall": {
            depth: statistics.fmean(share[place] for share in shares) for place, depth in enumerate(DEPTHS)
        },
        "rows of 50": statistics.fmean(rows),
        "small: nothing": sum(count == 0 for count in small),
        "small: rows of 10": statistics.fmean(small),
        "RSS MB": contestant.resident(),
        "notes": list(notes),
    }


def given() -> Json:
    """What the script was started with: the corpus, where PostgreSQL is, where to work."""
    told: Json = json.loads(Path(sys.argv[1]).read_text("utf-8"))
    return told


def tell(result: Json) -> None:
    """Write the result where the one who started the script looks for it."""
    Path(sys.argv[2]).write_text(json.dumps(result), "utf-8")
