"""Every named query is planned as the application: no misspelt column, each on the index it is meant for."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from testbed import Database

from recollect.storage.queries import QUERIES

PLACEHOLDER = re.compile(r"%\((\w+)\)s")
Plan = dict[str, Any]

# The index that each query reads a table of tenants by. A query that reads none has the empty set.
MEANT: dict[str, set[str]] = {
    "add_model": set(),
    "advance_session": {"sessions_pkey"},
    "blank_window": {"memories_of_session"},
    "candidates_of_tenant": {"memories_pkey"},
    "candidates_of_user": {"memories_of_user"},
    "claim_request": set(),
    "create_key": set(),
    "create_tenant": set(),
    "delete_key": {"api_keys_pkey"},
    "delete_memories_of_session": {"memories_of_session"},
    "delete_memories_of_user": {"memories_of_user"},
    "delete_memory": {"memories_pkey"},
    "delete_requests_of_session": {"idempotency_of_session"},
    "delete_requests_of_user": {"idempotency_of_user"},
    "delete_model": set(),
    "delete_session": {"sessions_pkey"},
    "delete_sessions_of_user": {"sessions_of_user"},
    "delete_user": {"users_pkey"},
    "ensure_user": set(),
    "insert_memory": set(),
    "key": {"api_keys_pkey"},
    "last_turn": {"sessions_pkey", "memories_of_session"},
    "list_keys": {"api_keys_pkey"},
    "list_models": set(),
    "list_of_tenant": {"memories_pkey"},
    "list_of_users": {"memories_of_user"},
    "list_sessions": {"sessions_of_user"},
    "list_tenants": {"tenants_pkey"},
    "list_users": {"users_pkey"},
    "lock_session": {"sessions_pkey"},
    "lock_sessions_of_user": {"sessions_of_user"},
    "lock_user": {"users_pkey"},
    "memories_by_id": {"memories_pkey"},
    "memory_for_update": {"memories_pkey"},
    "nearest_of_tenant": {"memories_of_session"},
    "open_session": set(),
    "participants_of": {"users_pkey"},
    "put_user": set(),
    "recent_turns": {"memories_of_session"},
    "replace_vectors": {"memories_pkey", "memories_of_session"},
    "request": {"idempotency_pkey"},
    "retire_model": set(),
    "revoke_key": {"api_keys_pkey"},
    "rows_of_model": {"memories_pkey", "memories_of_session", "users_pkey", "sessions_pkey"},
    "session": {"sessions_pkey"},
    "size_of_table": {"pg_class_oid_index"},
    "size_of_tenant": {"memories_of_session"},
    "tenant": {"tenants_pkey"},
    "turns_of_session": {"memories_of_session"},
    "update_memory": {"memories_pkey"},
    "user": {"users_pkey", "memories_of_user", "sessions_of_user"},
}

# 20 tenants with 50 people each, 2 sessions a person, 10 turns a session; and as many keys as people.
FILL = """
CREATE FUNCTION pg_temp.id(place bigint) RETURNS uuid LANGUAGE sql RETURN lpad(to_hex(place), 32, '0')::uuid;
INSERT INTO embedding_models (name, dimensions, state) VALUES ('toy', 2, 'serving');
INSERT INTO tenants SELECT md5(t::text)::uuid, t FROM generate_series(1, 20) AS t;
INSERT INTO users (tenant_id, user_id)
    SELECT tenant_id, name || '-' || u FROM tenants, generate_series(1, 50) AS u;
INSERT INTO sessions (tenant_id, session_id, user_id)
    SELECT tenant_id, user_id || '-' || s, user_id FROM generate_series(1, 2) AS s, users;
INSERT INTO memories (tenant_id, id, kind, user_id, session_id, seq, content, embedding_model, embedding,
                      term_count, words, counts, trust, valid_from)
    SELECT tenant_id, pg_temp.id(row_number() OVER ()), 'message', user_id, session_id, seq, 'blue', 1,
        '[1,0]', 1, 'blue', 'x', 2, now()
    FROM generate_series(1, 10) AS seq, sessions;
INSERT INTO api_keys (tenant_id, id, name, secret_hash, role, permissions)
    SELECT tenant_id, pg_temp.id(row_number() OVER ()), user_id, sha256('x'), 3, '{}' FROM users;
INSERT INTO idempotency (tenant_id, key, fingerprint, user_id, result)
    SELECT tenant_id, session_id, 'x', user_id, '{}' FROM sessions;
ANALYZE"""


@pytest.fixture(scope="module")
def application(module_database: Database) -> Iterator[psycopg.Connection]:
    """The application, inside one tenant of a database that is full enough for the planner to choose."""
    with psycopg.connect(module_database.admin_url) as connection:
        connection.execute(FILL)
    with psycopg.connect(module_database.url) as connection:
        connection.execute(
            "SET enable_seqscan = off; SET jit = off; SET plan_cache_mode = force_generic_plan"
        )
        connection.execute(f"SET LOCAL app.tenant = '{'0' * 32}'; SET LOCAL app.role = '3'".encode())
        yield connection


def plan(application: psycopg.Connection, query: str) -> Plan:
    """The plan for no value in particular, which is the one that the pool's connections use."""
    names: dict[str, str] = {}
    text = PLACEHOLDER.sub(
        lambda match: names.setdefault(match[1], f"${len(names) + 1}"), QUERIES[query].decode()
    )
    (rows,) = application.execute(f"EXPLAIN (GENERIC_PLAN, FORMAT JSON) {text}".encode()).fetchone() or ([],)
    found: Plan = rows[0]["Plan"]
    return found


def nodes(node: Plan) -> Iterator[Plan]:
    yield node
    for child in node.get("Plans", ()):
        yield from nodes(child)


def test_every_query_is_listed_here() -> None:
    assert set(MEANT) == set(QUERIES)


@pytest.mark.parametrize("query", sorted(QUERIES))
def test_the_plan_of(application: psycopg.Connection, query: str) -> None:
    found = list(nodes(plan(application, query)))
    indexes = {node["Index Name"] for node in found if "Index Name" in node}
    assert indexes - {"embedding_models_pkey", "embedding_models_state"} == MEANT[query]
    assert not [
        node["Relation Name"]
        for node in found
        if node["Node Type"] == "Seq Scan" and node["Relation Name"] != "embedding_models"
    ]


@pytest.mark.parametrize("query", sorted(query for query, meant in MEANT.items() if meant))
def test_the_index_is_entered_by_the_tenant(application: psycopg.Connection, query: str) -> None:
    for node in nodes(plan(application, query)):
        if node.get("Index Name") in MEANT[query] and query not in {"list_tenants", "size_of_table"}:
            assert "tenant_id = " in node["Index Cond"]


@pytest.mark.parametrize("query", sorted(QUERIES))
def test_the_statement_names_its_tenant(query: str) -> None:
    alone = {"add_model", "delete_model", "list_models", "list_tenants", "retire_model", "size_of_table"}
    assert (b"%(tenant_id)s" in QUERIES[query]) == (query not in alone)
