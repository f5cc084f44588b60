"""Whoever runs SQL of their own as the application, through a hole in our code, stays inside the fence.

The tenant of the transaction is all they have. (Who knows another tenant's id can set it, which is why no
statement of ours is ever put together from a request's text.)
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from datetime import timedelta

import psycopg
import pytest
from testbed import NOON, Database, HashedWords, make_bed

from recollect.core.model import Message, Note, Role, Turns, tenant_id_of

LOFT, ATTIC = tenant_id_of("loft"), tenant_id_of("attic")
ABSENT = (psycopg.errors.FeatureNotSupported, psycopg.errors.UndefinedFunction)
TABLES = ("tenants", "api_keys", "users", "sessions", "memories", "idempotency")


async def furnish(database: Database) -> None:
    """Two tenants with two people each; everything of the attic's says so."""
    async with make_bed(database, HashedWords()) as bed:
        for name in ("loft", "attic"):
            owner = await bed.tenant(name)
            for person in ("ann", "bob"):
                turns = Turns(
                    f"{name}-{person}", [Message(f"{name} {person} says", at=NOON)], f"{name}-{person}"
                )
                await bed.service.remember(owner, turns, idempotency_key=f"{name}-{person}")
            await bed.service.add(owner, [Note(f"{name} shares"), Note(f"{name} hides", min_role=Role.OWNER)])
            await bed.tenants.create_key(name, f"{name}-key", expires_at=NOON + timedelta(days=1))


@pytest.fixture(scope="module")
def furnished(module_database: Database) -> Database:
    asyncio.run(furnish(module_database))
    with psycopg.connect(module_database.admin_url) as connection:
        connection.execute("ANALYZE")
    return module_database


@pytest.fixture
def intruder(furnished: Database) -> Iterator[psycopg.Connection]:
    """The application's role, inside the loft, with whatever SQL it likes; its work is rolled back."""
    with psycopg.connect(furnished.url) as connection:
        enter(connection, str(LOFT))
        yield connection
        connection.rollback()


def enter(connection: psycopg.Connection, tenant: str, role: Role = Role.OWNER, subject: str = "") -> None:
    for setting, value in (("tenant", tenant), ("role", int(role)), ("subject", subject)):
        connection.execute("SELECT set_config(%s, %s, true)", [f"app.{setting}", str(value)])


def everything(connection: psycopg.Connection, statement: str) -> str:
    """All that comes back: rows, what is copied out, notices."""
    heard: list[str] = []
    connection.add_notice_handler(lambda notice: heard.append(notice.message_primary or ""))
    with connection.cursor() as cursor:
        if statement.startswith("COPY") and "TO STDOUT" in statement:
            with cursor.copy(statement.encode()) as copy:
                return str([bytes(block) for block in copy])
        cursor.execute(statement.encode())
        return str((cursor.fetchall() if cursor.description else cursor.rowcount, heard))


def test_the_fence_has_something_on_either_side(furnished: Database) -> None:
    for table in TABLES:
        for tenant in (LOFT, ATTIC):
            count = furnished.value(f"SELECT count(*) FROM {table} WHERE tenant_id = %s", tenant)
            assert count, (table, tenant)


READS = [
    *(f"TABLE {table}" for table in TABLES),
    "SELECT * FROM memories WHERE true OR tenant_id IS NOT NULL",
    "SELECT ctid, tableoid, m.* FROM ONLY memories AS m",
    "SELECT * FROM memories TABLESAMPLE SYSTEM (100)",
    "WITH a AS MATERIALIZED (SELECT * FROM memories) SELECT * FROM a",
    "SELECT (SELECT array_agg(content) FROM memories AS b WHERE b.tenant_id <> a.tenant_id) FROM users AS a",
    "SELECT * FROM users FULL JOIN sessions USING (tenant_id) FULL JOIN memories USING (tenant_id)",
    "SELECT * FROM generate_series(1, 3), LATERAL (SELECT content FROM memories) AS m",
    "SELECT * FROM memories UNION ALL SELECT * FROM memories FOR UPDATE",
    "SELECT content FROM memories FOR UPDATE",
    "SELECT query_to_xml('SELECT * FROM memories', true, false, '')",
    "SELECT table_to_xml('memories', true, false, '')",
    "SELECT schema_to_xml('public', true, false, '')",
    "SELECT database_to_xml(true, false, '')",
    "SELECT json_agg(m) FROM memories AS m",
    "COPY memories (content) TO STDOUT",
    "COPY (SELECT * FROM memories) TO STDOUT (FORMAT csv)",
    "EXPLAIN (ANALYZE, VERBOSE) SELECT * FROM memories",
    "DELETE FROM memories RETURNING *",
    "UPDATE users SET attributes = '{}' RETURNING *",
    "SELECT * FROM pg_stats WHERE tablename = 'memories'",
    "SELECT * FROM pg_stats_ext",
    "SELECT * FROM pg_stat_activity WHERE query LIKE '%attic-%' AND pid <> pg_backend_pid()",
]


@pytest.mark.parametrize("statement", READS)
def test_a_read_shows_nothing_of_the_attic(intruder: psycopg.Connection, statement: str) -> None:
    try:
        shown = everything(intruder, statement)
    except psycopg.errors.FeatureNotSupported:
        shown = ""
    assert "attic" not in shown
    assert str(ATTIC) not in shown
    if statement.startswith("TABLE"):
        assert "loft" in shown


LEAKS = [
    "SELECT count(*) FROM memories WHERE pg_temp.tell(content)",
    "SELECT count(*) FROM memories WHERE tenant_id IS NULL OR pg_temp.tell(content)",
    "SELECT count(*) FROM users JOIN memories ON pg_temp.tell(content)",
    "UPDATE memories SET pinned = true WHERE pg_temp.tell(content)",
    "DELETE FROM memories WHERE pg_temp.tell(content)",
]


@pytest.mark.parametrize("statement", LEAKS)
def test_a_function_that_tells_what_it_is_given_is_given_nothing(
    intruder: psycopg.Connection, statement: str
) -> None:
    intruder.execute(
        "CREATE FUNCTION pg_temp.tell(text) RETURNS boolean LANGUAGE plpgsql COST 0.0000001 "
        "AS $$BEGIN RAISE NOTICE '%', $1; RETURN true; END$$"
    )
    shown = everything(intruder, statement)
    assert "loft" in shown
    assert "attic" not in shown


@pytest.mark.parametrize("column", ["content", "whose", "session_id"])
def test_an_errors_text_tells_nothing(intruder: psycopg.Connection, column: str) -> None:
    own = f"SELECT FROM memories WHERE {column}::integer = 1".encode()
    with pytest.raises(psycopg.errors.InvalidTextRepresentation, match=r'"(loft|")'), intruder.transaction():
        intruder.execute(own)
    foreign = f"SELECT FROM memories WHERE {column} LIKE 'attic%' AND {column}::integer = 1".encode()
    assert intruder.execute(foreign).fetchall() == []


def test_a_plan_made_for_one_tenant_reads_for_the_next(intruder: psycopg.Connection) -> None:
    intruder.execute("PREPARE plan AS SELECT content FROM memories")
    assert "loft" in everything(intruder, "EXECUTE plan")
    enter(intruder, str(ATTIC))
    assert "loft" not in everything(intruder, "EXECUTE plan")
    enter(intruder, "")
    assert intruder.execute("EXECUTE plan").fetchall() == []


@pytest.mark.parametrize("table", TABLES)
@pytest.mark.parametrize("tenant", [None, "", "00000000-0000-0000-0000-000000000000"])
def test_without_a_tenant_there_is_nothing(furnished: Database, table: str, tenant: str | None) -> None:
    with psycopg.connect(furnished.url) as connection:
        if tenant is not None:
            enter(connection, tenant)
        assert connection.execute(f"TABLE {table}".encode()).fetchall() == []


@pytest.mark.parametrize(
    "forged", ["*", "%", "' OR true --", f"{LOFT}' OR '1'='1", f"{LOFT},{ATTIC}", "null"]
)
def test_a_tenant_that_is_none_is_an_error(furnished: Database, forged: str) -> None:
    with psycopg.connect(furnished.url) as connection:
        enter(connection, forged)
        with pytest.raises(psycopg.errors.InvalidTextRepresentation):
            connection.execute("TABLE memories")


REFUSED = [
    "SET ROLE recollect_owner",
    "SET ROLE postgres",
    "SET SESSION AUTHORIZATION postgres",
    "SET row_security = off; TABLE memories",
    "SET session_replication_role = replica",
    f"INSERT INTO users (tenant_id, user_id) VALUES ('{ATTIC}', 'spy')",
    f"UPDATE memories SET tenant_id = '{ATTIC}'",
    f"UPDATE users SET tenant_id = '{ATTIC}' WHERE user_id = 'loft-ann'",
    (
        f"INSERT INTO users (tenant_id, user_id) VALUES ('{ATTIC}', 'attic-ann') "
        "ON CONFLICT (tenant_id, user_id) DO UPDATE SET attributes = '{}'"
    ),
    (
        f"MERGE INTO users USING (VALUES ('{ATTIC}'::uuid)) AS v (t) ON tenant_id = t "
        "WHEN NOT MATCHED THEN INSERT (tenant_id, user_id) VALUES (t, 'spy')"
    ),
    f"INSERT INTO tenants VALUES ('{ATTIC}', 'mine')",
    "DELETE FROM tenants",
    "UPDATE tenants SET name = 'mine'",
    "TRUNCATE memories",
    "COPY users (tenant_id, user_id) FROM '/tmp/all'",
    "COPY memories TO '/tmp/all'",
    "COPY memories TO PROGRAM 'cat'",
    "ALTER TABLE memories DISABLE ROW LEVEL SECURITY",
    "ALTER TABLE memories NO FORCE ROW LEVEL SECURITY",
    "CREATE POLICY open ON memories USING (true)",
    "DROP POLICY fence ON memories",
    "CREATE TRIGGER tell AFTER INSERT ON memories EXECUTE FUNCTION suppress_redundant_updates_trigger()",
    "CREATE RULE tell AS ON INSERT TO memories DO NOTHING",
    "CREATE OR REPLACE FUNCTION current_tenant() RETURNS uuid LANGUAGE sql RETURN NULL::uuid",
    "CREATE TABLE loot AS TABLE memories",
    "CREATE VIEW loot AS TABLE memories",
    "CREATE FUNCTION peek() RETURNS bigint LANGUAGE sql SECURITY DEFINER RETURN 1",
    "ALTER ROLE recollect_server BYPASSRLS",
    "GRANT recollect_owner TO recollect_server",
    "CREATE EXTENSION dblink",
    "CREATE EXTENSION postgres_fdw",
    "SELECT dblink('', 'TABLE memories')",
    "SELECT pg_read_file('PG_VERSION')",
    "SELECT pg_read_binary_file('PG_VERSION')",
    "SELECT pg_ls_dir('.')",
    "SELECT lo_import('PG_VERSION')",
    "SELECT lo_export(0, '/tmp/all')",
    "TABLE pg_largeobject",
    "TABLE pg_statistic",
    "TABLE pg_authid",
    "DO $$BEGIN SET LOCAL row_security = off; PERFORM FROM memories; END$$",
]


@pytest.mark.parametrize("statement", REFUSED)
def test_a_way_round_is_refused(intruder: psycopg.Connection, statement: str) -> None:
    with pytest.raises((psycopg.errors.InsufficientPrivilege, *ABSENT)):
        intruder.execute(statement.encode())


NOTHING = [
    f"DELETE FROM memories WHERE tenant_id = '{ATTIC}'",
    f"UPDATE memories SET content = '' WHERE tenant_id = '{ATTIC}'",
    f"UPDATE api_keys SET revoked_at = now() WHERE tenant_id = '{ATTIC}'",
    f"DELETE FROM idempotency WHERE tenant_id = '{ATTIC}'",
]


@pytest.mark.parametrize("statement", NOTHING)
def test_a_write_to_the_attic_touches_nothing(intruder: psycopg.Connection, statement: str) -> None:
    assert intruder.execute(statement.encode()).rowcount == 0


ANN = [
    ("SELECT content FROM memories", {"loft ann says", "loft shares"}),
    ("SELECT user_id FROM users", {"loft-ann"}),
    ("SELECT session_id FROM sessions", {"loft-ann"}),
    ("SELECT key FROM idempotency", {"loft-ann"}),
    ("SELECT name FROM api_keys", set()),
    ("DELETE FROM memories RETURNING content", {"loft ann says"}),
    ("DELETE FROM idempotency RETURNING key", {"loft-ann"}),
    ("UPDATE users SET attributes = '{}' RETURNING user_id", {"loft-ann"}),
    ("UPDATE sessions SET last_seq = 9 RETURNING session_id", {"loft-ann"}),
]


@pytest.mark.parametrize(("statement", "shown"), ANN)
def test_a_person_reaches_what_is_theirs(
    intruder: psycopg.Connection, statement: str, shown: set[str]
) -> None:
    enter(intruder, str(LOFT), Role.USER, "loft-ann")
    assert {value for (value,) in intruder.execute(statement.encode())} == shown


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE memories SET content = 'mine'",
        "UPDATE memories SET user_id = 'loft-bob' WHERE user_id = 'loft-ann'",
        "UPDATE memories SET user_id = NULL WHERE user_id = 'loft-ann'",
        "UPDATE memories SET min_role = 3 WHERE user_id = 'loft-ann'",
        "UPDATE sessions SET user_id = 'loft-bob'",
        f"INSERT INTO users (tenant_id, user_id) VALUES ('{LOFT}', 'loft-cid')",
        f"INSERT INTO idempotency VALUES ('{LOFT}', 'k', 'f', 'loft-bob', NULL, '{{}}')",
        f"INSERT INTO api_keys VALUES ('{LOFT}', '{LOFT}', 'k', sha256('k'), 3, '{{}}')",
    ],
)
def test_a_person_writes_nothing_that_is_not_theirs(intruder: psycopg.Connection, statement: str) -> None:
    enter(intruder, str(LOFT), Role.USER, "loft-ann")
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        intruder.execute(statement.encode())


@pytest.mark.parametrize("role", [Role.STAFF, Role.MANAGER])
def test_a_rank_sees_up_to_itself(intruder: psycopg.Connection, role: Role) -> None:
    enter(intruder, str(LOFT), role)
    assert "loft hides" not in everything(intruder, "SELECT content FROM memories")
    assert intruder.execute("TABLE api_keys").fetchall() == []


def test_a_person_without_a_name_is_nobody(intruder: psycopg.Connection) -> None:
    enter(intruder, str(LOFT), Role.USER, "")
    assert intruder.execute("SELECT content FROM memories").fetchall() == [("loft shares",)]
    assert intruder.execute("TABLE users").fetchall() == []
