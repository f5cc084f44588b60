"""An old database and a new one arrive at the same schema, whoever migrates them, as often as they like."""

from __future__ import annotations

import asyncio
import re
import shutil
import subprocess
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path
from uuid import UUID

import numpy as np
import psycopg
import pytest
from testbed import Database, Production

from recollect.core.errors import Misconfigured, SchemaOutdated
from recollect.core.model import Filter, Principal, tenant_id_of
from recollect.core.ports import Aim, Probe
from recollect.storage import migrate as migrate_module
from recollect.storage.embedded import POSTGRES_VERSIONS
from recollect.storage.migrate import Migration, migrate, migrations
from recollect.storage.pool import PostgresStorage

pytestmark = pytest.mark.anyio
FIRST = "0001_pre_first_schema.sql"
LAST = len(migrations())
# pg_dump puts a random word around its output, so that psql obeys no command inside it.
RANDOM = re.compile(r"^\\(un)?restrict .*$", re.MULTILINE)


def dump(production: Production, url: str) -> str:
    done = subprocess.run(
        [
            POSTGRES_VERSIONS[production.version] / "pg_dump",
            "--schema-only",
            "--exclude-schema=jobs",  # the queue's library brings its own migrations
            url,
        ],
        check=True,
        capture_output=True,
        text=True,
    )
    return RANDOM.sub("", done.stdout)


async def test_the_schema_and_all_migrations_from_zero_are_equal(production: Production) -> None:
    with psycopg.connect(production.owner) as connection:
        connection.execute(migrate_module._LEDGER.encode())
        for one in migrations():
            connection.execute(one.text.encode())
    migrated = dump(production, production.owner)
    production.run("DROP OWNED BY recollect_owner CASCADE")
    assert "CREATE TABLE" not in dump(production, production.owner)
    await migrate(production.owner)
    assert dump(production, production.owner) == migrated
    assert migrated.count("CREATE TABLE") >= 8
    assert migrated.count("CREATE POLICY") >= 7


OLD_ROWS = """
INSERT INTO embedding_models (name, dimensions, state) VALUES ('hashed-words', 64, 'serving');
INSERT INTO tenants (tenant_id, name) VALUES ('{tenant}', 'loft');
INSERT INTO memories (tenant_id, id, kind, content, embedding_model, embedding, terms, term_count, trust,
                      valid_from)
VALUES ('{tenant}', '{id}', 'fact', 'x', 1, array_fill(0.125, ARRAY[64])::vector::halfvec, {terms}, {count},
        2, now())
"""


async def test_what_the_first_schema_kept_is_found_by_its_words(production: Production) -> None:
    """Rows from before the step, and those that the version before writes or corrects until the last one."""
    first, *_, last = migrations()
    values = {"tenant": tenant_id_of("loft"), "id": UUID(int=1), "count": 4}
    terms = "'sofa:1,3 o_hara:2 zygomorph:4'"
    with psycopg.connect(production.owner) as connection:
        connection.execute(migrate_module._LEDGER.encode())
        connection.execute(first.text.encode())
        record(connection, first)
    production.run(OLD_ROWS.format(terms=terms, **values))
    assert {one.phase for one in await migrate(production.owner, "pre")} == {"pre"}
    again = OLD_ROWS.partition(";")[2].partition(";")[2]
    production.run(again.format(terms=terms, **values | {"id": UUID(int=2)}))
    production.run(again.format(terms="''", **values | {"id": UUID(int=3), "count": 0}))
    production.run(again.format(terms="'gone:1'", **values | {"id": UUID(int=4)}))
    production.run(f"UPDATE memories SET terms = {terms} WHERE id = '{UUID(int=4)}'")
    assert last in await migrate(production.owner)
    probe = Probe(Aim(1, np.full(64, 0.125, np.float32)), ("zygomorph", "sofa", "o_hara", "none"), 10)
    loft = Principal(tenant_id_of("loft"), "owner")
    async with await PostgresStorage.open(production.app, size=1) as storage, storage.transaction(loft) as tx:
        found = (await tx.gather(probe, Filter(), datetime.now(UTC))).candidates
    counts = dict(zip(found.ids, found.frequencies.tolist(), strict=True))
    held = [1, 2, 1, 0]
    assert counts == {UUID(int=1): held, UUID(int=2): held, UUID(int=3): [0, 0, 0, 0], UUID(int=4): held}
    assert found.traits.tolist() == [0, 0, 0, 0]


def record(connection: psycopg.Connection, step: Migration) -> None:
    connection.execute(
        "INSERT INTO schema_migrations (version, phase, name, checksum) VALUES (%s, %s, %s, %s)",
        [step.version, step.phase, step.name, step.checksum],
    )


@pytest.fixture
def texts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of storage's SQL, to which a test adds migrations of its own."""
    copy = tmp_path / "storage"
    with resources.as_file(resources.files("recollect.storage")) as original:
        shutil.copytree(original, copy, ignore=shutil.ignore_patterns("*.py*", "__pycache__"))
    monkeypatch.setattr(migrate_module, "_texts", lambda: copy)
    return copy / "migrations"


def versions(database: Database) -> list[object]:
    return [version for (version,) in database.rows("SELECT version FROM schema_migrations ORDER BY version")]


async def opens(database: Database) -> bool:
    async with await PostgresStorage.open(database.url, size=1):
        return True


async def test_a_second_run_changes_nothing(database: Database) -> None:
    before = database.rows("SELECT * FROM schema_migrations")
    assert await migrate(database.owner_url) == []
    assert database.rows("SELECT * FROM schema_migrations") == before


async def test_an_edited_migration_is_refused(database: Database, texts: Path) -> None:
    (texts / FIRST).write_text((texts / FIRST).read_text() + "-- edited\n")
    with pytest.raises(Misconfigured, match="was edited after it had been applied"):
        await migrate(database.owner_url)
    with pytest.raises(Misconfigured, match="was edited"):
        await opens(database)


def step(place: int, name: str) -> str:
    """The name of a migration that comes so many after ours."""
    return f"{LAST + place:04}_{name}.sql"


@pytest.mark.parametrize("name", [step(2, "pre_gap"), "0001_post_again.sql"])
def test_a_gap_or_a_repeat_in_the_numbers_is_refused(texts: Path, name: str) -> None:
    (texts / name).write_text("SELECT 1")
    with pytest.raises(Misconfigured, match="without gap or repeat"):
        migrations()


@pytest.mark.parametrize("name", ["2_pre_short.sql", "0002_mid_phase.sql", "0002_pre_x.sql.orig", "a.txt"])
def test_a_misnamed_file_is_refused(texts: Path, name: str) -> None:
    (texts / name).write_text("SELECT 1")
    with pytest.raises(Misconfigured, match="is not named as a migration"):
        migrations()


async def test_of_many_that_run_at_once_one_applies(database: Database, texts: Path) -> None:
    # Each of them fails if it runs twice.
    (texts / step(1, "pre_a")).write_text("CREATE TABLE a (); SELECT pg_sleep(0.05)")
    (texts / step(2, "pre_b")).write_text("CREATE TABLE b ()")
    applied = await asyncio.gather(*(migrate(database.owner_url) for _ in range(8)))
    assert sorted(len(steps) for steps in applied) == [0] * 7 + [2]
    assert versions(database) == list(range(1, LAST + 3))


async def test_of_many_that_make_a_new_database_one_makes_it(production: Production) -> None:
    applied = await asyncio.gather(*(migrate(production.owner) for _ in range(4)))
    assert sorted(map(bool, applied)) == [False, False, False, True]


async def test_a_step_that_fails_leaves_no_trace_and_is_repeated(database: Database, texts: Path) -> None:
    (texts / step(1, "pre_good")).write_text("CREATE TABLE good ()")
    bad = texts / step(2, "pre_bad")
    bad.write_text("CREATE TABLE half (); SELECT 1 / 0")
    with pytest.raises(psycopg.errors.DivisionByZero):
        await migrate(database.owner_url)
    assert versions(database) == list(range(1, LAST + 2))
    assert database.value("SELECT to_regclass('half')") is None
    bad.write_text("CREATE TABLE half (); SELECT 1 / 1")
    assert [one.version for one in await migrate(database.owner_url)] == [LAST + 2]
    assert database.value("SELECT to_regclass('half')") is not None


async def test_a_new_database_that_is_cut_short_is_made_again(production: Production, texts: Path) -> None:
    policies = texts.parent / "policies.sql"
    whole = policies.read_text()
    policies.write_text(whole + "SELECT 1 / 0;")
    with pytest.raises(psycopg.errors.DivisionByZero):
        await migrate(production.owner)
    policies.write_text(whole)
    assert await migrate(production.owner) == migrations()


async def test_phases_run_apart_and_in_order(database: Database, texts: Path) -> None:
    for place, name in enumerate(("pre_a", "post_b", "pre_c"), start=1):
        (texts / step(place, name)).write_text(f"CREATE TABLE {name[-1]} ()")
    assert await migrate(database.owner_url, "post") == []
    assert [one.version for one in await migrate(database.owner_url, "pre")] == [LAST + 1]
    assert [one.version for one in await migrate(database.owner_url, "post")] == [LAST + 2]
    assert [one.version for one in await migrate(database.owner_url)] == [LAST + 3]


async def test_code_runs_before_its_post_steps_and_not_before_its_pre_steps(
    database: Database, texts: Path
) -> None:
    (texts / step(1, "post_later")).write_text("SELECT 1")
    assert await opens(database)
    (texts / step(2, "pre_first")).write_text("SELECT 1")
    with pytest.raises(SchemaOutdated, match=f"lacks 1 migrations, from {LAST + 2} on"):
        await opens(database)


async def test_a_database_that_is_newer_than_the_code_is_left_alone(database: Database) -> None:
    with psycopg.connect(database.admin_url) as connection:
        connection.execute("INSERT INTO schema_migrations VALUES (99, 'pre', 'future', '')")
    for attempt in (migrate(database.owner_url), opens(database)):
        with pytest.raises(SchemaOutdated, match="migration 99") as refused:
            await attempt
        assert refused.value.hint
        assert "newer version" in refused.value.hint
    assert versions(database) == [*range(1, LAST + 1), 99]
