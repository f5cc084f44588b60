"""All users of a tenant at once: whole while it is small, by the nearest vectors when it is large."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import UTC, datetime
from uuid import UUID

import numpy as np
import psycopg
import pytest
from hypothesis import given, strategies as st
from pgvector import HalfVector
from pgvector.psycopg import register_vector
from testbed import NOON, Bed, Database, HashedWords, make_bed

from recollect.core.errors import Conflict
from recollect.core.model import Filter, Kind, Note, Principal, Role, tenant_id_of
from recollect.core.ports import Aim, Probe, Vector, Vectors
from recollect.core.recall.candidates import Candidates
from recollect.core.reembedding import change_model
from recollect.storage import memories
from recollect.storage.pool import PostgresStorage
from recollect.storage.sizes import SECONDS, WHOLE, Sizes, Way, bound, way
from recollect.storage.vector_indexes import LOCK, index_vectors, unindex_vectors
from recollect.storage.words import hashes

pytestmark = pytest.mark.anyio
EVERYBODY = Filter(all_users=True)
LARGE, SMALL = (Principal(tenant_id_of(name), "owner") for name in ("large", "small"))
ROWS = WHOLE + 2_000
DIMENSIONS = 64
RARE = 7_000
INDEX = "memories_near_1"
WORD = hashes(["word"])


@given(st.integers(0, 10**8), st.integers(0, 10**8))
def test_a_larger_tenant_is_never_searched_more_closely(rows: int, all_rows: int) -> None:
    ways = list(Way)
    assert ways.index(way(rows, all_rows)) <= ways.index(way(rows + 1, all_rows))
    assert (way(rows, all_rows) is Way.BY_INDEX) == (rows > bound(all_rows))


def test_a_size_is_looked_at_again_after_a_minute() -> None:
    time = 5.0
    sizes = Sizes(lambda: time)
    sizes.keep((LARGE.tenant_id, LARGE.role), Way.EXACT)
    time += SECONDS - 1
    assert sizes.find((LARGE.tenant_id, LARGE.role)) is Way.EXACT
    assert sizes.find((SMALL.tenant_id, SMALL.role)) is None
    time += 1
    assert sizes.find((LARGE.tenant_id, LARGE.role)) is None


async def test_everybodys_memories_are_found_and_those_of_others_by_nobody_else(bed: Bed) -> None:
    loft, attic = await bed.tenant("loft"), await bed.tenant("attic")
    notes = [Note("a blue sofa", user_id="ann"), Note("a red sofa", user_id="bob"), Note("sofas are fine")]
    await bed.service.add(loft, notes)
    await bed.service.add(attic, [Note("their sofa", user_id="ann")])
    everything = {note.content for note in notes}
    assert await contents(bed, loft, "sofa") == everything
    ann = Principal(loft.tenant_id, "ann", Role.USER)
    assert await contents(bed, ann, "sofa") == everything - {"a red sofa"}


async def contents(bed: Bed, who: Principal, query: str) -> set[str]:
    return {hit.memory.content for hit in await bed.service.recall(who, query, EVERYBODY)}


def clustered(count: int, seed: int) -> Vectors:
    """Unit vectors about two hundred matters."""
    luck = np.random.default_rng(seed)
    matters = np.random.default_rng(0).standard_normal((200, DIMENSIONS))
    vectors = matters[luck.integers(200, size=count)] + luck.standard_normal((count, DIMENSIONS))
    unit: Vectors = (vectors / np.linalg.norm(vectors, axis=1, keepdims=True)).astype(np.float32)
    return unit


COPY = """
COPY memories (tenant_id, id, kind, content, embedding_model, embedding, term_count, words, counts, trust,
               valid_from)
FROM STDIN (FORMAT binary)"""
TYPES = ["uuid", "uuid", "text", "text", "int2", "halfvec", "int4", "bytea", "bytea", "int2", "timestamptz"]


def fill(connection: psycopg.Connection, tenant: UUID, vectors: Vectors) -> None:
    with connection.cursor() as cursor, cursor.copy(COPY.encode()) as copy:
        copy.set_types(TYPES)
        for place, vector in enumerate(vectors, start=1):
            kind = "event" if place == RARE else "fact"
            row = (UUID(int=place), kind, f"row {place}", 1, HalfVector(vector), 1, WORD, b"1", 2, NOON)
            copy.write_row([tenant, *row])


@pytest.fixture(scope="module")
async def large(module_database: Database) -> AsyncIterator[PostgresStorage]:
    """A large tenant beside a small one, with an index over the vectors of the one model."""
    with psycopg.connect(module_database.admin_url, autocommit=True) as connection:
        register_vector(connection)
        connection.execute(
            "INSERT INTO embedding_models (name, dimensions, state) VALUES ('hashed-words', 64, 'serving')"
        )
        for who, count in ((LARGE, ROWS), (SMALL, ROWS // 10)):
            connection.execute("INSERT INTO tenants VALUES (%s, %s)", [who.tenant_id, f"t{count}"])
            fill(connection, who.tenant_id, clustered(count, count))
        connection.execute("ANALYZE")
    assert await index_vectors(module_database.owner_url) == ["hashed-words"]
    async with await PostgresStorage.open(module_database.url, size=2) as storage:
        yield storage


async def gather(
    storage: PostgresStorage, who: Principal, vector: Vector, scope: Filter = EVERYBODY
) -> Candidates:
    async with storage.transaction(who) as tx:
        return (await tx.gather(Probe(Aim(1, vector), ("word",), 1000), scope, datetime.now(UTC))).candidates


async def scans(storage: PostgresStorage, who: Principal, vector: Vector) -> int:
    """How often a search reads the index of vectors."""
    read = f"SELECT pg_stat_get_xact_numscans('{INDEX}'::regclass) AS scans".encode()
    counts: list[int] = []
    async with storage.transaction(who) as tx:
        for gathering in (False, True):
            if gathering:
                await tx.gather(Probe(Aim(1, vector), (), 1000), EVERYBODY, NOON)
            row = await (await tx._connection.execute(read)).fetchone()
            counts.append(row["scans"] if row else 0)
    before, after = counts
    return after - before


def best(found: Candidates) -> list[UUID]:
    """The ten nearest of what was found."""
    return [found.ids[place] for place in np.argsort(-found.dense)[:10]]


async def test_the_index_finds_nearly_all_that_is_nearest(large: PostgresStorage) -> None:
    everything = clustered(ROWS, ROWS).astype(np.float16).astype(np.float32)
    shared = 0
    for vector in clustered(50, 1):
        found = await gather(large, LARGE, vector)
        nearest = np.argsort(-(everything @ vector))[:10]
        shared += len(set(best(found)) & {UUID(int=int(place) + 1) for place in nearest})
    assert shared / 500 >= 0.98


async def test_a_large_tenant_is_searched_by_the_index_and_a_small_one_whole(large: PostgresStorage) -> None:
    (vector,) = clustered(1, 2)
    assert await scans(large, LARGE, vector) == 1
    assert await scans(large, SMALL, vector) == 0
    found = await gather(large, SMALL, vector)
    assert (found.total, found.holders.tolist()) == (ROWS // 10, [ROWS // 10])


async def test_by_the_index_too_nobody_sees_what_is_not_theirs(large: PostgresStorage) -> None:
    (vector,) = clustered(ROWS, ROWS)[7:8]  # the large tenant's own
    large._sizes.keep((SMALL.tenant_id, SMALL.role), Way.BY_INDEX)
    assert await scans(large, SMALL, vector) == 1
    found = await gather(large, SMALL, vector)
    assert len(found) > 0
    assert max(id_.int for id_ in found.ids) <= ROWS // 10
    assert found.dense.max() < 0.99
    stranger = Principal(tenant_id_of("stranger"), "owner")
    large._sizes.keep((stranger.tenant_id, stranger.role), Way.BY_INDEX)
    assert len(await gather(large, stranger, vector)) == 0


async def test_the_exact_way_finds_the_nearest_without_the_index(large: PostgresStorage) -> None:
    vectors = clustered(ROWS // 10, ROWS // 10).astype(np.float16).astype(np.float32)
    (vector,) = clustered(1, 3)
    large._sizes.keep((SMALL.tenant_id, SMALL.role), Way.EXACT)
    assert await scans(large, SMALL, vector) == 0
    nearest = np.argsort(-(vectors @ vector))[:10]
    assert set(best(await gather(large, SMALL, vector))) == {UUID(int=int(place) + 1) for place in nearest}


async def test_what_few_rows_pass_is_found_though_the_index_gives_up(
    large: PostgresStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memories, "_BY_INDEX", memories._BY_INDEX + b"; SET LOCAL hnsw.max_scan_tuples = 1")
    (vector,) = clustered(1, 4)
    found = await gather(large, LARGE, vector, Filter(all_users=True, kinds=(Kind.EVENT,)))
    assert list(found.ids) == [UUID(int=RARE)]
    assert len(await gather(large, LARGE, vector, Filter(all_users=True, session_id="none"))) == 0


async def test_indexes_are_made_once_and_follow_the_models(bed: Bed) -> None:
    owner = bed.database.owner_url
    assert await index_vectors(owner) == ["hashed-words"]
    assert await index_vectors(owner) == []
    broken = (
        "UPDATE pg_index SET indisvalid = false WHERE indexrelid = 'memories_near_1'::regclass RETURNING 1"
    )
    assert bed.database.rows(broken)
    assert await index_vectors(owner) == ["hashed-words"]
    await change_model(bed.storage, HashedWords("narrower", 32), no_tenants, print)
    assert await index_vectors(owner) == ["narrower"]
    names = "SELECT relname FROM pg_class WHERE relname LIKE 'memories_near%'"
    ((name,),) = bed.database.rows(names)
    assert await unindex_vectors(owner) == [name]
    assert bed.database.rows(names) == []


async def no_tenants() -> list[UUID]:
    return []


async def test_of_two_who_make_indexes_one_is_told_to_wait(database: Database) -> None:
    with psycopg.connect(database.owner_url) as other:
        other.execute("SELECT pg_advisory_lock(%s)", [LOCK])
        with pytest.raises(Conflict, match="being made already"):
            await index_vectors(database.owner_url)


async def test_while_a_model_retires_the_rows_of_both_are_found(database: Database) -> None:
    async with make_bed(database, HashedWords()) as bed:
        who = await bed.tenant("loft")
        await bed.service.add(who, [Note("old sofa", user_id="ann")])
        await change_by(bed, HashedWords("narrower", 32))
        (retiring,) = await HashedWords().embed(["sofa"])
        (serving,) = await HashedWords("narrower", 32).embed(["sofa"])
        new = bed.database.value("SELECT id FROM embedding_models WHERE state = 'serving'")
        bed.storage._sizes.keep((who.tenant_id, who.role), Way.EXACT)
        probe = Probe(Aim(new, serving, bed.embeddings.model.id, retiring), ("sofa",), 10)
        async with bed.storage.transaction(who) as tx:
            found = (await tx.gather(probe, EVERYBODY, NOON)).candidates
    assert len(found) == 1
    assert found.dense[0] > 0.3


async def change_by(bed: Bed, embedder: HashedWords) -> None:
    """Let another model serve, and replace nothing yet."""
    async with bed.storage.transaction(Principal(UUID(int=0), "operator")) as tx:
        await tx.switch_model(embedder.model, embedder.dimensions)
