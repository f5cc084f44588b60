"""How fast Recollect is over HTTP, at 10⁵ and 10⁶ memories in 1,000 tenants; from a seed.

    PYTHONPATH=benchmarks python -m speed [--memories 100000 1000000] [--home DIR] [--quick]

fills the stores (or takes those that are kept in DIR), serves them, and measures recall, context and write at
1, 8 and 32 clients for users of 20, 1,000 and 10,000 memories; a whole tenant; 10 to 10,000 tenants; the time
of each stage, with its floors. Writes benchmarks/results/speed.{json,md,svg}, compared with the last.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import platform
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any
from urllib.parse import urlsplit

import psutil
import psycopg
from served import Served, free_port, make_home, serve

from recollect.settings import load_settings
from recollect.wiring import open_database
from speed.cells import Asker, Plan, figures_of, measure_cells, measure_flat, measure_tenant_wide, spread
from speed.client import Request, run
from speed.loading import Store, open_store
from speed.people import SIZES, settle, settle_evenly
from speed.report import chart, report
from speed.stages import stages_of
from speed.tenants import nearest_gathered
from speed.texts import questions

RESULTS = Path(__file__).resolve().parent.parent / "results"
MB = 1_000_000
STARTS = 3
SEED = 17


@dataclass(frozen=True, slots=True)
class Run:
    """How much is measured."""

    memories: tuple[int, ...]
    tenants: int
    flat: tuple[int, ...]
    plan: Plan
    staged: int
    nearest: int


WHOLE = Run((100_000, 1_000_000), 1_000, (10, 100, 1_000, 10_000), Plan(), 200, 50)
QUICK = Run((10_000,), 100, (10, 100), Plan(40, 60), 40, 10)


def tell(text: str) -> None:
    """A line of progress."""
    print(text, file=sys.stderr, flush=True)


def port_of(server: Served) -> int:
    """Where it listens."""
    port = urlsplit(server.url).port
    assert port
    return port


def measure_store(store: Store, wanted: Run) -> dict[str, Any]:
    """Everything about one store."""
    measured: dict[str, Any] = {"load seconds": store.seconds, "index seconds": store.index_seconds}
    measured["cold seconds"] = cold_start(store)
    with serve(store.home, store.keys[0]) as server:
        asker = Asker(store, port_of(server), SEED)
        run(asker.requests("recall", min(SIZES), 20), 1, 0)
        time.sleep(2)
        measured["idle MB"] = resident(server)
        measured["cells"] = measure_cells(asker, wanted.plan, lambda text: tell(f"  {text}"))
        wide = measure_tenant_wide(asker, wanted.plan)
        if isinstance(wide, str):
            measured["tenant-wide refused"] = wide
        else:
            measured["cells"] |= wide
        measured["loaded MB"] = resident(server)
        measured["live"] = live(port_of(server), store.keys[0], wanted.plan.one)
    measured["bare"] = bare(wanted.plan.one)
    tell("  stages, floors, sizes")
    measured["stages"] = asyncio.run(stages_of(store.home, asker, store.people, wanted.staged))
    queries = list(islice(questions(Random(SEED + 1)), wanted.nearest))
    measured["nearest gathered"] = asyncio.run(nearest_gathered(store.home, queries))
    return measured | asyncio.run(sizes(store))


def cold_start(store: Store) -> float:
    """Seconds from nothing running to the first recall's answer, PostgreSQL's start included; the median."""
    question = {"user_id": store.people[0].user_id, "query": "Which sofa did I want?"}
    taken = []
    for _ in range(STARTS):
        began = time.perf_counter()
        with serve(store.home, store.keys[0]) as server, server.client() as client:
            client.post("/v1/recall", json=question).raise_for_status()
            taken.append(time.perf_counter() - began)
    return statistics.median(taken)


def resident(server: Served) -> float:
    """The server's RSS in MB, without PostgreSQL's processes."""
    rss: int = psutil.Process(server.process.pid).memory_info().rss
    return rss / MB


def live(port: int, key: str, count: int) -> dict[str, float]:
    """The server's own door with nothing behind it."""
    return figures_of(run([Request(port, "GET", "/v1/health/live", key)] * count, 1, 20))


def bare(count: int) -> dict[str, float]:
    """A constant answer, from the same server without us."""
    with bare_server() as port:
        request = Request(port, "POST", "/", "none", {"query": "x" * 80})
        return spread(run([request] * count, 1, 20).milliseconds)


@contextmanager
def bare_server() -> Iterator[int]:
    """Uvicorn with `speed.bare`, and its port."""
    port = free_port()
    options = ["--port", str(port), "--log-level", "warning", "--no-access-log"]
    process = subprocess.Popen([sys.executable, "-m", "uvicorn", "speed.bare:app", *options])
    try:
        for _ in range(500):
            with socket.socket() as probe:
                if probe.connect_ex(("127.0.0.1", port)) == 0:
                    break
            time.sleep(0.02)
        yield port
    finally:
        process.terminate()
        process.wait()


_SIZES = """
SELECT reltuples, pg_relation_size(oid), pg_indexes_size(oid), pg_total_relation_size(oid)
FROM pg_class WHERE oid = 'memories'::regclass
"""


async def sizes(store: Store) -> dict[str, Any]:
    """Bytes of the table of memories, over its rows."""
    async with open_database(load_settings(home=store.home)) as database:
        assert database.owner_url
        with psycopg.connect(database.owner_url) as owner:
            row = owner.execute(_SIZES).fetchone()
    assert row
    rows, heap, indexes, total = row
    parts = {"rows": heap, "indexes": indexes, "long values": total - heap - indexes}
    return {
        "bytes a memory": total / rows,
        "bytes by part": {name: value / rows for name, value in parts.items()},
    }


def measure_tenants(root: Path, wanted: Run) -> dict[int, dict[str, float]]:
    """The same recall with ever more tenants."""
    with ExitStack() as stack:
        askers: dict[int, Asker] = {}
        for tenants in wanted.flat:
            tell(f"{tenants:,} tenants")
            home = make_home(root / f"tenants-{tenants}")
            store = open_store(home, settle_evenly(tenants), SEED)
            server = stack.enter_context(serve(home, store.keys[0]))
            askers[tenants] = Asker(store, port_of(server), SEED)
        return measure_flat(askers, wanted.plan.one)


def measure(root: Path, wanted: Run, command: str) -> dict[str, Any]:
    """The whole run."""
    began, load = time.monotonic(), os.getloadavg()[0]
    stores = {}
    for memories in wanted.memories:
        people = settle(memories, wanted.tenants)
        size = sum(person.size for person in people)
        tell(f"{size:,} memories in {wanted.tenants:,} tenants")
        stores[size] = measure_store(open_store(make_home(root / str(size)), people, SEED), wanted)
    flat = measure_tenants(root, wanted) if wanted.flat else {}
    return {
        "command": command,
        "minutes": (time.monotonic() - began) / 60,
        "machine": {
            "cores": os.cpu_count(),
            "python": platform.python_version(),
            "load before": load,
            "load after": os.getloadavg()[0],
        },
        "stores": stores,
        "flat": flat,
    }


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--memories", type=int, nargs="+", help="sizes of the stores")
    parser.add_argument("--home", type=Path, help="where the stores are kept, to be used again")
    parser.add_argument("--quick", action="store_true", help="a small run, to try it out")
    parser.add_argument("--results", type=Path, help="where the figures go; a quick run has none by default")
    given = parser.parse_args()
    base = QUICK if given.quick else WHOLE
    wanted = Run(
        tuple(given.memories or base.memories), base.tenants, base.flat, base.plan, base.staged, base.nearest
    )
    with tempfile.TemporaryDirectory(prefix="recollect-speed-") as temporary:
        root = make_home(given.home or Path(temporary))
        # Through JSON, so that what is reported is what is kept.
        results = json.loads(json.dumps(measure(root, wanted, _command(given))))
    folder = given.results or (None if given.quick else RESULTS)
    last = last_results(folder or RESULTS)
    text = report(results, last)
    print(text)
    if folder:
        write(results, text, folder)


def _command(given: argparse.Namespace) -> str:
    """What measures the same again; where the stores lie changes nothing."""
    quick = ["--quick"] if given.quick else []
    sizes = ["--memories", *map(str, given.memories)] if given.memories else []
    arguments = " ".join(quick + sizes)
    return f"make bench-speed ARGS='{arguments}'" if arguments else "make bench-speed"


def last_results(folder: Path) -> dict[str, Any] | None:
    """The figures of the last run, to compare with."""
    kept = folder / "speed.json"
    last: dict[str, Any] | None = json.loads(kept.read_text("utf-8")) if kept.exists() else None
    return last


def write(results: dict[str, Any], text: str, folder: Path) -> None:
    """The page, the chart and the figures."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "speed.md").write_text(text, "utf-8")
    (folder / "speed.svg").write_text(chart(results["stores"]), "utf-8")
    (folder / "speed.json").write_text(json.dumps(results, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
