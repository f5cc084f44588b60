"""Fills a store as its users would, through the core and under row level security, in two processes.

Only two things differ from the product: the vectors are composed (see `vectors`), and a commit does not wait
for the disk.
"""

from __future__ import annotations

import asyncio
import json
import multiprocessing
import sys
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from multiprocessing.sharedctypes import Synchronized
from pathlib import Path

import psycopg

from recollect.core.embeddings import Embeddings
from recollect.core.model import Principal, tenant_id_of
from recollect.core.service import Service
from recollect.core.tenants import Tenants
from recollect.settings import load_settings
from recollect.storage.pool import PostgresStorage
from recollect.storage.sizes import Way, way
from recollect.storage.vector_indexes import index_vectors
from recollect.wiring import SystemClock, open_database
from speed.people import Person, sessions, spoken, tenant_name
from speed.vectors import ComposedEmbedder, embed_vocabulary

LOADERS = 2
AT_ONCE = 4
NOTE = "store.json"
INDEX_MEMORY = "2GB"
"""A graph over a million vectors has room in it."""

_UNHURRIED = "&options=-c%20synchronous_commit%3Doff"


@dataclass(frozen=True, slots=True)
class Store:
    """A filled home, and the key of each of its tenants."""

    home: Path
    people: list[Person]
    keys: list[str]
    seconds: float
    index_seconds: float | None

    def key(self, person: Person) -> str:
        """The API key of the person's tenant."""
        return self.keys[person.tenant]


def open_store(home: Path, people: list[Person], seed: int) -> Store:
    """The store of these people in a home: as it was kept, or filled now."""
    note = home / NOTE
    said = {"seed": seed, "people": len(people), "memories": sum(person.size for person in people)}
    if note.exists():
        kept = json.loads(note.read_text())
        if kept["of"] != said:
            sys.exit(f"{home} holds another store: {kept['of']}, and {said} is asked for.")
        return Store(home, people, kept["keys"], kept["seconds"], kept["index seconds"])
    if (home / "postgres").exists():
        sys.exit(f"{home} holds a store that was not filled to its end: delete it.")
    began = time.monotonic()
    keys, index = asyncio.run(_fill(home, people, seed))
    seconds = time.monotonic() - began - (index or 0)
    note.write_text(json.dumps({"of": said, "keys": keys, "seconds": seconds, "index seconds": index}))
    return Store(home, people, keys, seconds, index)


async def _fill(home: Path, people: list[Person], seed: int) -> tuple[list[str], float | None]:
    settings = load_settings(home=home)
    words = home / "words.npy"
    await embed_vocabulary(home / "models", words)
    async with open_database(settings) as database:
        url = database.url + _UNHURRIED
        tenants = 1 + max(person.tenant for person in people)
        print(f"  making {tenants:,} tenants", file=sys.stderr)
        keys = await _make_tenants(url, words, tenants)
        await _load(url, words, people, seed)
        assert database.owner_url
        index = await _index(database.owner_url) if _is_indexed(people) else None
        print("  tidying (VACUUM ANALYZE)", file=sys.stderr)
        with psycopg.connect(database.owner_url, autocommit=True) as owner:
            owner.execute("VACUUM (ANALYZE)")
    return keys, index


def _is_indexed(people: list[Person]) -> bool:
    """Whether there is a tenant that is searched by the index of vectors."""
    rows: Counter[int] = Counter()
    for person in people:
        rows[person.tenant] += person.size
    return way(max(rows.values()), rows.total()) is Way.BY_INDEX


async def _index(owner_url: str) -> float:
    print("  the index of vectors", file=sys.stderr)
    began = time.monotonic()
    await index_vectors(owner_url, INDEX_MEMORY)
    return time.monotonic() - began


async def _make_tenants(url: str, words: Path, count: int) -> list[str]:
    """The tenants, and a key for each."""
    async with await PostgresStorage.open(url, size=AT_ONCE) as storage:
        await _core(storage, words)
        tenants = Tenants(storage, SystemClock())
        waiting = iter(range(count))
        keys = [""] * count

        async def work() -> None:
            for tenant in waiting:
                await tenants.create(tenant_name(tenant))
                _, keys[tenant] = await tenants.create_key(tenant_name(tenant), "bench")

        await asyncio.gather(*(work() for _ in range(AT_ONCE)))
    return keys


async def _core(storage: PostgresStorage, words: Path) -> Service:
    """The core over composed vectors."""

    async def open_composed(_: str) -> ComposedEmbedder:
        return ComposedEmbedder(words)

    embeddings = Embeddings(storage, open_composed)
    await embeddings.start(None, ComposedEmbedder.model)
    return Service(storage, embeddings, SystemClock())


async def _load(url: str, words: Path, people: list[Person], seed: int) -> None:
    context = multiprocessing.get_context("spawn")
    done: Synchronized[int] = context.Value("q", 0)
    loaders = [
        context.Process(target=_run_loader, args=(url, words, people, seed, part, done))
        for part in range(LOADERS)
    ]
    for loader in loaders:
        loader.start()
    await _tell(lambda: done.value, sum(person.size for person in people), loaders)
    if any(loader.exitcode for loader in loaders):
        sys.exit("A loader failed.")


async def _tell(
    done: Callable[[], int], total: int, loaders: list[multiprocessing.context.SpawnProcess]
) -> None:
    """How far it is, and how long it will take, every few seconds until the loaders end."""
    began = told = time.monotonic()
    while any(loader.is_alive() for loader in loaders):
        await asyncio.sleep(0.2)
        now = time.monotonic()
        if done() and now - told > 5:
            told = now
            rate = done() / (now - began)
            left = (total - done()) / rate
            print(
                f"  {done():,} of {total:,} memories, {rate:,.0f} a second, "
                f"{left // 60:.0f}:{left % 60:02.0f} left",
                file=sys.stderr,
            )


def _run_loader(  # noqa: PLR0913, PLR0917 - what a process is given
    url: str, words: Path, people: list[Person], seed: int, part: int, done: Synchronized[int]
) -> None:
    """One process: the sessions of every second person, so that no two processes write of the same one."""
    asyncio.run(_load_part(url, words, people, seed, part, done))


async def _load_part(  # noqa: PLR0913, PLR0917 - as above
    url: str, words: Path, people: list[Person], seed: int, part: int, done: Synchronized[int]
) -> None:
    mine = [each for each in sessions(people, seed) if each[0].number % LOADERS == part]
    waiting = iter(mine)
    async with await PostgresStorage.open(url, size=AT_ONCE) as storage:
        service = await _core(storage, words)

        async def work() -> None:
            for person, session in waiting:
                principal = Principal(tenant_id_of(tenant_name(person.tenant)), subject="loader")
                kept = await service.remember(principal, spoken(person, session, seed))
                with done.get_lock():
                    done.value += len(kept.ids)

        await asyncio.gather(*(work() for _ in range(AT_ONCE)))
