"""What the tests stand on: clones of a migrated database, an embedder without a model, a clock to be set."""

from __future__ import annotations

import hashlib
import os
import shutil
import socket
import tempfile
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import uuid4

import numpy as np
import psycopg
import pytest

from recollect.core.consolidate.consolidation import Consolidator
from recollect.core.embeddings import Embeddings
from recollect.core.model import Principal, tenant_id_of
from recollect.core.pack import Pack
from recollect.core.packs import NONE, Packs
from recollect.core.ports import Clock, Embedder, Storage, Vectors
from recollect.core.service import Service
from recollect.core.tenants import Tenants
from recollect.core.text.tokens import tokenize
from recollect.storage import embedded
from recollect.storage.embedded import Server
from recollect.storage.pool import PostgresStorage

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)

# Durability is the subject of the crash tests alone, which start servers of their own.
FAST = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "autovacuum": "off",
    "shared_buffers": "64MB",
    "wal_level": "minimal",
    "max_wal_senders": "0",
}
ROLES = {
    "recollect_app": "NOLOGIN",
    "recollect_owner": "LOGIN",
    "recollect_server": "LOGIN IN ROLE recollect_app",
}


@dataclass(frozen=True, slots=True)
class Database:
    """A migrated database of one test, as the three who come to it reach it."""

    name: str
    url: str
    """As the application: fenced."""
    owner_url: str
    """As the owner of the tables: fenced too, for row level security is forced."""
    admin_url: str
    """As the superuser: sees everything."""

    def rows(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """What the superuser sees."""
        with psycopg.connect(self.admin_url, autocommit=True) as connection:
            return connection.execute(query.encode(), values or None).fetchall()

    def value(self, query: str, *values: object) -> Any:
        """The one value that the superuser sees."""
        ((value,),) = self.rows(query, *values)
        return value


def other_database(url: str, name: str) -> str:
    """The URL of another database of the same server.

    >>> other_database("postgresql://me@/here?host=x", "there")
    'postgresql://me@/there?host=x'
    """
    before, _, query = url.partition("?")
    return f"{before.rpartition('/')[0]}/{name}" + (f"?{query}" if query else "")


SHARED_MEMORY_WANTED = 4 * 2**30
"""Bytes: what the servers of a run write at most, several times over."""


def memory() -> Path | None:
    """Where files are kept in memory, if there is such a place, with room, and programs may be run there.

    A database is hundreds of small files, and cloned there in a tenth of the time. What must survive more
    than a kill is the subject of the crash test alone, which chooses its own place.
    """
    shared = Path("/dev/shm")
    if not shared.is_dir() or os.statvfs(shared).f_flag & os.ST_NOEXEC:
        return None
    return shared if shutil.disk_usage(shared).free > SHARED_MEMORY_WANTED else None


@contextmanager
def temporary_folder() -> Iterator[Path]:
    """A folder that root's account for PostgreSQL can reach, with a path short enough for a socket."""
    folder = Path(tempfile.mkdtemp(prefix="recollect-", dir=memory()))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


def clone(template: Database) -> Database:
    """A copy of a database that nobody is connected to, in about 30 ms; by its log, twice that."""
    name = f"test_{uuid4().hex}"
    with psycopg.connect(other_database(template.admin_url, "postgres"), autocommit=True) as connection:
        made = f"CREATE DATABASE {name} TEMPLATE {template.name} STRATEGY file_copy OWNER recollect_owner"
        connection.execute(made.encode())
    urls = (template.url, template.owner_url, template.admin_url)
    return Database(name, *(other_database(url, name) for url in urls))


def drop(database: Database) -> None:
    """Take a database away, whoever is still connected."""
    with psycopg.connect(other_database(database.admin_url, "postgres"), autocommit=True) as connection:
        connection.execute(f"DROP DATABASE {database.name} WITH (FORCE)".encode())


@dataclass(slots=True)
class HashedWords:
    """An embedder for tests whose subject is not meaning: texts are near when they share words.

    It keeps the port's promises (unit vectors, the same for the same text) without a model: each token of
    `core.text` adds one to a dimension that its hash chooses. The empty text points along the first.
    """

    model: str = "hashed-words"
    dimensions: int = 64
    closed: bool = field(default=False)

    async def embed(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors, shape (len(texts), dimensions)."""
        vectors = np.zeros((len(texts), self.dimensions), np.float32)
        for row, text in enumerate(texts):
            for token in tokenize(text):
                digest = hashlib.blake2b(token.encode(), digest_size=4).digest()
                vectors[row, int.from_bytes(digest) % self.dimensions] += 1
            vectors[row, 0] += not vectors[row].any()
        lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
        unit: Vectors = (vectors / lengths).astype(np.float32)
        return unit

    async def aclose(self) -> None:
        """Note that it was closed."""
        self.closed = True


@dataclass(slots=True)
class SetClock:
    """A clock that stands until it is moved."""

    time: datetime = NOON

    def now(self) -> datetime:
        """The time it was set to."""
        return self.time

    def advance(self, **by: float) -> datetime:
        """Move it on, by the arguments of a timedelta, and return the new time."""
        self.time += timedelta(**by)
        return self.time


@dataclass(frozen=True, slots=True)
class Bed:
    """Recollect's core over one real database."""

    database: Database
    storage: PostgresStorage
    embeddings: Embeddings
    service: Service
    tenants: Tenants
    clock: SetClock

    async def tenant(self, name: str) -> Principal:
        """A new tenant's owner."""
        await self.tenants.create(name)
        return Principal(tenant_id_of(name), subject="owner")

    async def learn(self) -> None:
        """Understand every session that is behind, of every tenant, in the order of their ids."""
        consolidator = Consolidator(self.storage, self.embeddings, vocabulary=self.service.packs.vocabulary)
        behind = "SELECT tenant_id, key FROM sessions WHERE consolidated_seq < last_seq ORDER BY session_id"
        for tenant_id, key in self.database.rows(behind):
            await consolidator.consolidate(tenant_id, key)


async def open_service(
    storage: Storage, embedder: Embedder, clock: Clock, packs: Mapping[str, Pack] = NONE
) -> tuple[Embeddings, Service]:
    """The core over a storage; the embedder stays its caller's to close."""

    async def given(_: str) -> Embedder:
        return embedder

    embeddings = Embeddings(storage, given)
    await embeddings.start(None, embedder.model)
    return embeddings, Service(storage, embeddings, clock, packs=Packs(storage, packs))


@asynccontextmanager
async def make_bed(
    database: Database, embedder: Embedder, *, size: int = 4, packs: Mapping[str, Pack] = NONE
) -> AsyncIterator[Bed]:
    """The core over a database, with a pool of `size` connections; `packs`: those that are installed."""
    clock = SetClock()
    async with await PostgresStorage.open(database.url, size=size) as storage:
        embeddings, service = await open_service(storage, embedder, clock, packs)
        yield Bed(database, storage, embeddings, service, Tenants(storage, clock), clock)


@dataclass(frozen=True, slots=True)
class Production:
    """A PostgreSQL as a business runs it: over TCP, with passwords, the owner and the application apart."""

    version: int
    port: int
    database: str = "postgres"

    def url(self, role: str, password: str | None = None) -> str:
        """The URL for a role; its password is its name turned round, unless another is given."""
        return f"postgresql://{role}:{password or role[::-1]}@127.0.0.1:{self.port}/{self.database}"

    @property
    def app(self) -> str:
        """The URL of the application."""
        return self.url("recollect_server")

    @property
    def owner(self) -> str:
        """The URL of the owner."""
        return self.url("recollect_owner")

    def run(self, *statements: str) -> None:
        """What an administrator does."""
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement.encode())


NEWEST_ALONE = pytest.mark.parametrize("production_server", [embedded.VERSION], indirect=True)
"""For a test of `production` whose subject is ours alone: the version of PostgreSQL makes no difference."""


@contextmanager
def run_production(version: int) -> Iterator[Production]:
    """A server of this version, with the roles of storage/roles.sql, each with its password."""
    with temporary_folder() as folder:
        production = Production(version, free_port())
        server = embedded.start(
            folder,
            version=version,
            settings=FAST | {"listen_addresses": "127.0.0.1", "port": str(production.port)},
        )
        try:
            _set_passwords(server, production)
            yield production
        finally:
            server.release()


@contextmanager
def empty_database(server: Production) -> Iterator[Production]:
    """A new database, as an administrator hands it over: owned by the owner, with `vector`."""
    database = replace(server, database=f"test_{uuid4().hex}")
    server.run(
        f"CREATE DATABASE {database.database} OWNER recollect_owner TEMPLATE template0 STRATEGY wal_log"
    )
    database.run("CREATE EXTENSION vector")
    yield database
    server.run(f"DROP DATABASE {database.database} WITH (FORCE)")


def _set_passwords(server: Server, production: Production) -> None:
    with psycopg.connect(f"{server.url('postgres', 'postgres')}&port={production.port}") as connection:
        for role, rights in ROLES.items():
            connection.execute(f"CREATE ROLE {role} {rights}".encode())
        for role in ("postgres", "recollect_owner", "recollect_server"):
            connection.execute(f"ALTER ROLE {role} PASSWORD '{role[::-1]}'".encode())
    rules = server.installation.data / "pg_hba.conf"
    rules.write_text("host all all 127.0.0.1/32 scram-sha-256\n")
    server.installation.run("pg_ctl", "reload", "-D", server.installation.data)


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port
