"""The fence has no gap: every table, policy, key, index and right is read from the catalogue and checked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from testbed import Database

WITHOUT_TENANT = {
    "embedding_models": "which models made the vectors is the database's own affair; no row is a tenant's",
    "schema_migrations": "the ledger of the schema",
}
FOR_THE_OWNER = {("tenants", "roll"): "the owner lists the tenants, and sees nothing else of theirs"}
FENCE = "(tenant_id = current_tenant())"

TABLES = """
SELECT relname, relrowsecurity, relforcerowsecurity, pg_get_userbyid(relowner),
    EXISTS (SELECT FROM pg_attribute WHERE attrelid = c.oid AND attname = 'tenant_id' AND attnotnull)
FROM pg_class AS c WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'p', 'm', 'f')"""

POLICIES = """
SELECT tablename, policyname, permissive = 'PERMISSIVE', 'recollect_app' = ANY (roles), cmd,
    coalesce(qual, ''), coalesce(with_check, '')
FROM pg_policies WHERE schemaname = 'public'"""

INDEXES = """
SELECT t.relname, i.relname, indisprimary, attname
FROM pg_index
JOIN pg_class AS i ON i.oid = indexrelid
JOIN pg_class AS t ON t.oid = indrelid
LEFT JOIN pg_attribute ON attrelid = indrelid AND attnum = indkey[0]
WHERE t.relnamespace = 'public'::regnamespace"""

FOREIGN_KEYS = """
SELECT conrelid::regclass::text, conname, confrelid::regclass::text, a.attname, f.attname
FROM pg_constraint
JOIN pg_attribute AS a ON a.attrelid = conrelid AND a.attnum = conkey[1]
JOIN pg_attribute AS f ON f.attrelid = confrelid AND f.attnum = confkey[1]
WHERE contype = 'f' AND connamespace = 'public'::regnamespace"""

RIGHTS = """
SELECT relname, grantee::regrole::text, privilege_type
FROM pg_class, aclexplode(relacl) WHERE relnamespace = 'public'::regnamespace AND grantee <> relowner"""

FUNCTIONS = """
SELECT proname, prosecdef, pg_get_userbyid(proowner) FROM pg_proc
WHERE pronamespace = 'public'::regnamespace
  AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = pg_proc.oid AND deptype = 'e')"""

VIEWS = """
SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'v'
  AND NOT coalesce(reloptions @> '{security_invoker=true}', false)"""

ROLES = """
SELECT rolname FROM pg_roles
WHERE rolname IN ('recollect_app', 'recollect_server') AND (rolbypassrls OR rolsuper OR rolcreaterole)"""

QUEUE = """
SELECT relrowsecurity AND relforcerowsecurity AND 1 = (
    SELECT count(*) FROM pg_policies WHERE schemaname = 'jobs' AND roles = '{recollect_app}' AND cmd = 'ALL'
        AND (qual, with_check) = (expected, expected))
FROM pg_class, (VALUES ('((current_tenant() IS NULL) OR (tenant_id = current_tenant()))')) AS v (expected)
WHERE oid = 'jobs.procrastinate_jobs'::regclass"""

QUEUE_RIGHTS = """
SELECT relname, grantee::regrole::text, privilege_type
FROM pg_class, aclexplode(relacl) WHERE relnamespace = 'jobs'::regnamespace AND relkind = 'r'
  AND grantee <> relowner"""

# What a role of the application may do to the queue. Only the jobs' own table says anything of a tenant.
FOR_JOBS = {
    ("migrations", "SELECT"),
    ("procrastinate_periodic_defers", "SELECT"),
    ("procrastinate_periodic_defers", "UPDATE"),
    *((table, right) for table in ("procrastinate_jobs", "procrastinate_workers")
      for right in ("SELECT", "INSERT", "UPDATE", "DELETE")),
}  # fmt: skip

QUEUE_FUNCTIONS = """
SELECT proname FROM pg_proc WHERE pronamespace = 'jobs'::regnamespace
  AND (prosecdef OR NOT coalesce(proconfig @> '{"search_path=jobs, pg_temp"}', false))"""

CREATES = "SELECT has_schema_privilege('recollect_app', 'public', 'CREATE')"

Connection = psycopg.Connection[tuple[Any, ...]]


def tables(connection: Connection) -> Iterator[str]:
    fenced = {
        table
        for table, _, permissive, for_app, command, qual, check in connection.execute(POLICIES.encode())
        if permissive and for_app and command == "ALL" and all(map(is_fence, (qual, check)))
    }
    for table, enabled, forced, owner, has_tenant in connection.execute(TABLES.encode()):
        if owner != "recollect_owner":
            yield f"{table}: belongs to {owner}"
        if has_tenant:
            if not (enabled and forced):
                yield f"{table}: row level security is not enabled and forced"
            if table not in fenced:
                yield f"{table}: no policy with USING and WITH CHECK for recollect_app"
        elif table not in WITHOUT_TENANT:
            yield f"{table}: has no tenant_id"


def is_fence(expression: str) -> bool:
    return expression == FENCE or expression.startswith(f"({FENCE} AND ")


def policies(connection: Connection) -> Iterator[str]:
    for table, name, permissive, for_app, _, qual, check in connection.execute(POLICIES.encode()):
        if not permissive or (table, name) in FOR_THE_OWNER:
            continue
        if not for_app or not all(is_fence(part) for part in (qual, check) if part):
            yield f"{table}: policy {name} lets more through"


def indexes(connection: Connection) -> Iterator[str]:
    rows = connection.execute(INDEXES.encode()).fetchall()
    for table, index, _, first in rows:
        if first != "tenant_id" and table not in WITHOUT_TENANT:
            yield f"{table}: index {index} does not start with tenant_id"
    keyed = {table for table, _, primary, _ in rows if primary}
    for table, *_ in connection.execute(TABLES.encode()):
        if table not in keyed:
            yield f"{table}: has no primary key"


def foreign_keys(connection: Connection) -> Iterator[str]:
    for table, name, target, column, aim in connection.execute(FOREIGN_KEYS.encode()):
        if target not in WITHOUT_TENANT and (column, aim) != ("tenant_id", "tenant_id"):
            yield f"{table}: foreign key {name} does not start with tenant_id"


def rights(connection: Connection) -> Iterator[str]:
    for table, grantee, right in connection.execute(RIGHTS.encode()):
        if grantee != "recollect_app" or right not in ("SELECT", "INSERT", "UPDATE", "DELETE"):
            yield f"{table}: {right} is granted to {grantee}"
    for function, definer, owner in connection.execute(FUNCTIONS.encode()):
        if definer or owner != "recollect_owner":
            yield f"{function}: runs with the rights of {owner}"
    for (view,) in connection.execute(VIEWS.encode()):
        yield f"{view}: a view that reads with its owner's rights"
    for (role,) in connection.execute(ROLES.encode()):
        yield f"{role}: has BYPASSRLS, CREATEROLE or is a superuser"
    if connection.execute(CREATES.encode()).fetchone() == (True,):
        yield "public: recollect_app may create objects"


def queue(connection: Connection) -> Iterator[str]:
    if connection.execute(QUEUE.encode()).fetchone() != (True,):
        yield "jobs: inside a tenant there are jobs of others"
    rows = connection.execute(QUEUE_RIGHTS.encode()).fetchall()
    for table, grantee, right in rows:
        if grantee != "recollect_app" or (table, right) not in FOR_JOBS:
            yield f"jobs.{table}: {right} is granted to {grantee}"
    for (function,) in connection.execute(QUEUE_FUNCTIONS.encode()):
        yield f"jobs.{function}: may be led to other tables, or to other rights"


def findings(connection: Connection) -> set[str]:
    checks = (tables, policies, indexes, foreign_keys, rights, queue)
    return {finding for check in checks for finding in check(connection)}


def test_the_schema_has_no_gap(module_database: Database) -> None:
    with psycopg.connect(module_database.admin_url) as connection:
        assert findings(connection) == set()
        names = {table for table, *_ in connection.execute(TABLES.encode())}
    assert names >= {"tenants", "api_keys", "users", "sessions", "memories", "idempotency", *WITHOUT_TENANT}


GAPS = {
    "an uncovered table": (
        "CREATE TABLE notes (tenant_id uuid NOT NULL, id uuid, PRIMARY KEY (tenant_id, id))",
        "notes: row level security is not enabled and forced",
    ),
    "a table without tenant": ("CREATE TABLE notes (id uuid PRIMARY KEY)", "notes: has no tenant_id"),
    "a tenant that may be unknown": (
        "ALTER TABLE sessions DROP CONSTRAINT sessions_pkey CASCADE, ALTER tenant_id DROP NOT NULL",
        "sessions: has no tenant_id",
    ),
    "a table without key": (
        "CREATE TABLE notes (tenant_id uuid NOT NULL)",
        "notes: has no primary key",
    ),
    "RLS switched off": (
        "ALTER TABLE memories DISABLE ROW LEVEL SECURITY",
        "memories: row level security is not enabled and forced",
    ),
    "RLS not forced": (
        "ALTER TABLE memories NO FORCE ROW LEVEL SECURITY",
        "memories: row level security is not enabled and forced",
    ),
    "a policy that is gone": (
        "DROP POLICY fence ON users",
        "users: no policy with USING and WITH CHECK for recollect_app",
    ),
    "a policy that checks no writes": (
        (
            "DROP POLICY fence ON users; CREATE POLICY fence ON users TO recollect_app "
            "USING (tenant_id = current_tenant()) WITH CHECK (true)"
        ),
        "users: no policy with USING and WITH CHECK for recollect_app",
    ),
    "a second, open policy": (
        "CREATE POLICY too_open ON memories FOR SELECT TO recollect_app USING (true)",
        "memories: policy too_open lets more through",
    ),
    "a policy for everybody": (
        "CREATE POLICY all_of_us ON memories USING (tenant_id = current_tenant())",
        "memories: policy all_of_us lets more through",
    ),
    "a fence with a way round": (
        "CREATE POLICY way_round ON memories TO recollect_app USING (tenant_id = current_tenant() OR pinned)",
        "memories: policy way_round lets more through",
    ),
    "a unique index across tenants": (
        "CREATE UNIQUE INDEX one_key ON idempotency (key)",
        "idempotency: index one_key does not start with tenant_id",
    ),
    "a foreign key across tenants": (
        (
            "ALTER TABLE memories ADD UNIQUE (id); "
            "ALTER TABLE memories ADD CONSTRAINT stray FOREIGN KEY (superseded_by) REFERENCES memories (id)"
        ),
        "memories: foreign key stray does not start with tenant_id",
    ),
    "too many rights": (
        "GRANT TRUNCATE ON memories TO recollect_app",
        "memories: TRUNCATE is granted to recollect_app",
    ),
    "rights for everybody": ("GRANT SELECT ON memories TO PUBLIC", "memories: SELECT is granted to -"),
    "an owner who serves": (
        "ALTER TABLE memories OWNER TO recollect_app",
        "memories: belongs to recollect_app",
    ),
    "a function with its owner's rights": (
        "CREATE FUNCTION peek() RETURNS bigint LANGUAGE sql SECURITY DEFINER RETURN 1",
        "peek: runs with the rights of postgres",
    ),
    "a view with its owner's rights": (
        "CREATE VIEW peek AS SELECT * FROM memories",
        "peek: a view that reads with its owner's rights",
    ),
    "a role that steps over": (
        "ALTER ROLE recollect_server BYPASSRLS",
        "recollect_server: has BYPASSRLS, CREATEROLE or is a superuser",
    ),
    "a queue without fence": (
        "ALTER TABLE jobs.procrastinate_jobs NO FORCE ROW LEVEL SECURITY",
        "jobs: inside a tenant there are jobs of others",
    ),
    "a queue with a second policy": (
        "ALTER POLICY fence ON jobs.procrastinate_jobs USING (true)",
        "jobs: inside a tenant there are jobs of others",
    ),
    "a queue's diary": (
        "GRANT SELECT ON jobs.procrastinate_events TO recollect_app",
        "jobs.procrastinate_events: SELECT is granted to recollect_app",
    ),
    "a queue's function that can be led astray": (
        "ALTER FUNCTION jobs.procrastinate_fetch_job_v2 RESET search_path",
        "jobs.procrastinate_fetch_job_v2: may be led to other tables, or to other rights",
    ),
    "a role that makes objects": (
        "GRANT CREATE ON SCHEMA public TO recollect_app",
        "public: recollect_app may create objects",
    ),
}


@pytest.mark.parametrize("gap", GAPS)
def test_the_check_sees(module_database: Database, gap: str) -> None:
    statements, expected = GAPS[gap]
    with psycopg.connect(module_database.admin_url) as connection:
        connection.execute(statements.encode())
        assert expected in findings(connection)
        connection.rollback()
