"""PostgreSQL 16 and 18 over TCP with passwords: the owner migrates, the application serves in its fence."""

from __future__ import annotations

from collections.abc import AsyncIterator

import psycopg
import pytest
from testbed import NOON, HashedWords, Production, SetClock, empty_database, free_port, open_service

from recollect.core.errors import Misconfigured, SchemaOutdated, StorageUnavailable, UnsafeRole
from recollect.core.model import Filter, Message, Principal, Turns, tenant_id_of
from recollect.core.tenants import Tenants
from recollect.storage.migrate import migrate
from recollect.storage.pool import PostgresStorage

pytestmark = pytest.mark.anyio


@pytest.fixture(scope="module")
async def migrated(production_server: Production) -> AsyncIterator[Production]:
    """A migrated database, shared by those who ask for one and are turned away."""
    with empty_database(production_server) as database:
        await migrate(database.owner)
        yield database


async def refuse(url: str) -> str:
    """The reason for which this role is refused."""
    with pytest.raises(UnsafeRole) as refused:
        await PostgresStorage.open(url, size=1)
    assert refused.value.hint
    assert "IN ROLE recollect_app" in refused.value.hint
    return str(refused.value)


async def test_the_owner_migrates_and_the_application_remembers_and_recalls(production: Production) -> None:
    applied = await migrate(production.owner)
    assert [step.version for step in applied] == list(range(1, len(applied) + 1))
    async with await PostgresStorage.open(production.app, size=2) as storage:
        clock = SetClock()
        _, service = await open_service(storage, HashedWords(), clock)
        await Tenants(storage, clock).create("loft")
        loft = Principal(tenant_id_of("loft"), "owner")
        await service.remember(loft, Turns("s1", [Message("The sofa is blue.", at=NOON)], user_id="ann"))
        hits = await service.recall(loft, "blue sofa", Filter(user_id="ann"))
    assert [hit.memory.content for hit in hits] == ["The sofa is blue."]


async def test_a_wrong_password_says_so(production: Production) -> None:
    with pytest.raises(StorageUnavailable, match="password authentication failed") as refused:
        await PostgresStorage.open(production.url("recollect_server", "wrong"), size=1)
    assert refused.value.hint
    assert "password" in refused.value.hint
    with pytest.raises(StorageUnavailable, match="password authentication failed"):
        await migrate(production.url("recollect_owner", "wrong"))


async def test_nobody_listening_says_so() -> None:
    with pytest.raises(StorageUnavailable, match="refused"):
        await PostgresStorage.open(Production(18, free_port()).app, size=1)


async def test_a_database_that_was_never_migrated_is_outdated(production: Production) -> None:
    with pytest.raises(SchemaOutdated) as refused:
        await PostgresStorage.open(production.app, size=1)
    assert refused.value.hint
    assert "recollect migrate" in refused.value.hint


async def test_a_role_without_the_applications_rights_is_told_what_it_lacks(migrated: Production) -> None:
    migrated.run("DROP ROLE IF EXISTS stranger", "CREATE ROLE stranger LOGIN PASSWORD 'regnarts'")
    with pytest.raises(SchemaOutdated) as refused:
        await PostgresStorage.open(migrated.url("stranger"), size=1)
    assert refused.value.hint
    assert "GRANT recollect_app TO" in refused.value.hint


async def test_the_owner_may_not_serve(migrated: Production) -> None:
    assert "owns tables (accesses" in await refuse(migrated.owner)


async def test_a_superuser_may_not_serve(migrated: Production) -> None:
    reason = await refuse(migrated.url("postgres"))
    assert "superuser" in reason
    assert "postgres" in reason


@pytest.mark.parametrize(
    ("rights", "reason"),
    [
        ("BYPASSRLS IN ROLE recollect_app", "(risky)"),
        ("SUPERUSER", "risky)"),
        ("IN ROLE recollect_app, pg_read_server_files", "(pg_read_server_files)"),
        ("IN ROLE recollect_app, postgres", "(postgres)"),
        ("NOINHERIT IN ROLE recollect_app, postgres", "(postgres)"),
        ("IN ROLE recollect_app, unfenced", "(unfenced)"),
        ("IN ROLE recollect_app, recollect_owner", "owns tables (accesses"),
        ("NOINHERIT IN ROLE recollect_app, recollect_owner", "owns tables (accesses"),
    ],
)
async def test_a_role_that_can_step_over_the_fence_may_not_serve(
    migrated: Production, rights: str, reason: str
) -> None:
    migrated.run(
        "DROP ROLE IF EXISTS risky",
        "DROP ROLE IF EXISTS unfenced",
        "CREATE ROLE unfenced BYPASSRLS",
        f"CREATE ROLE risky LOGIN PASSWORD 'yksir' {rights}",
    )
    assert reason in await refuse(migrated.url("risky"))


async def test_an_owner_without_rights_is_told_what_an_administrator_does(production: Production) -> None:
    production.run("DROP ROLE IF EXISTS poor", "CREATE ROLE poor LOGIN PASSWORD 'roop'")
    with pytest.raises(Misconfigured) as refused:
        await migrate(production.url("poor"))
    assert refused.value.hint
    assert "CREATE EXTENSION vector" in refused.value.hint
    with psycopg.connect(production.owner) as connection:
        assert connection.execute("SELECT to_regclass('memories')").fetchone() == (None,)
