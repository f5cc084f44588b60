"""The test-bed: one real PostgreSQL for the whole run, and a database of its own for each test that asks.

`bed` is the core over a fresh database with an embedder that needs no model; `meaningful_bed` has the real
one. `database` alone is for tests of the storage. `production` is a PostgreSQL, 16 and 18, reached over TCP
with passwords, as a business would run it.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import hypothesis
import pytest
from testbed import (
    FAST,
    Bed,
    Database,
    HashedWords,
    Production,
    clone,
    drop,
    empty_database,
    make_bed,
    run_production,
    temporary_folder,
)

from recollect.adapters.embeddings import DEFAULT_MODEL, open_embedder
from recollect.adapters.embeddings.local import LocalEmbedder
from recollect.settings import load_settings
from recollect.storage import embedded
from recollect.storage.embedded import Server
from recollect.storage.migrate import migrate, prepare

hypothesis.settings.register_profile("recollect", deadline=None, derandomize=True, database=None)
hypothesis.settings.load_profile("recollect")

# Where the developer keeps the model already, so that it is never fetched twice; read before the environment
# is stripped.
MODELS = load_settings().home / "models"


@pytest.fixture(scope="session", autouse=True)
def stripped_environment() -> Iterator[None]:
    """The developer's own settings do not reach the tests; only where the data sets are stays."""
    with pytest.MonkeyPatch.context() as patch:
        for name in list(os.environ):
            if name.startswith(("RECOLLECT_", "PG")) and name != "RECOLLECT_DATA":
                patch.delenv(name)
        yield


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    """Async tests run on asyncio, as the product does."""
    return "asyncio"


@pytest.fixture
def reachable_path() -> Iterator[Path]:
    """A folder for a server's data: root's account for PostgreSQL must reach it, which pytest's forbid."""
    with temporary_folder() as folder:
        yield folder


@pytest.fixture(scope="session")
def server() -> Iterator[Server]:
    """The embedded PostgreSQL of the whole run."""
    with temporary_folder() as folder:
        server = embedded.start(folder, settings=FAST)
        yield server
        server.release()


@pytest.fixture(scope="session")
def template(server: Server) -> Database:
    """The database that every test's own is cloned from; nobody may connect to it."""
    urls = [server.url(role) for role in ("recollect_server", "recollect_owner", "postgres")]
    asyncio.run(prepare(server.url("postgres", "postgres"), server.url("recollect_owner")))
    asyncio.run(migrate(server.url("recollect_owner")))
    return Database("recollect", *urls)


@pytest.fixture
def database(template: Database) -> Iterator[Database]:
    """A migrated, empty database of the test's own."""
    database = clone(template)
    yield database
    drop(database)


@pytest.fixture(scope="module")
def module_database(template: Database) -> Iterator[Database]:
    """A migrated database that a module's tests share."""
    database = clone(template)
    yield database
    drop(database)


@pytest.fixture
async def bed(database: Database) -> AsyncIterator[Bed]:
    """The core over the test's own database, with a pool of four connections."""
    async with make_bed(database, HashedWords()) as bed:
        yield bed


@pytest.fixture(scope="session")
def models() -> Path:
    """The folder in which the real model is kept between runs."""
    return MODELS


@pytest.fixture(scope="session")
def local_embedder(models: Path) -> Iterator[LocalEmbedder]:
    """The real embedder, for tests whose subject is meaning."""
    embedder = asyncio.run(open_embedder(DEFAULT_MODEL, models))
    yield embedder
    asyncio.run(embedder.aclose())


@pytest.fixture
async def meaningful_bed(database: Database, local_embedder: LocalEmbedder) -> AsyncIterator[Bed]:
    """The core over the test's own database, with the real embedding model."""
    async with make_bed(database, local_embedder) as bed:
        yield bed


@pytest.fixture(scope="session", params=sorted(embedded.POSTGRES_VERSIONS))
def production_server(request: pytest.FixtureRequest) -> Iterator[Production]:
    """A PostgreSQL over TCP with passwords, of each version that we bring."""
    with run_production(request.param) as production:
        yield production


@pytest.fixture
def production(production_server: Production) -> Iterator[Production]:
    """A new database on it, as an administrator hands it over: empty, owned by the owner, with `vector`."""
    with empty_database(production_server) as production:
        yield production
