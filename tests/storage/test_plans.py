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
    "advance_consolidation": {"sessions_pkey"},
    "advance_session": {"sessions_pkey"},
    "backlog": {"sessions_behind", "memories_of_session"},
    "blank_window": {"memories_of_session"},
    "candidates_of_tenant": {"memories_pkey"},
    "candidates_of_user": {"memories_of_user"},
    "change_entity": {"entities_pkey"},
    "claim_request": set(),
    "create_key": set(),
    "create_tenant": set(),
    "delete_entities": {"entities_pkey"},
    "delete_entities_of_user": {"entities_of_user"},
    "delete_key": {"api_keys_pkey"},
    "delete_lost_jobs": {"jobs_of_tenant", "sessions_by_key"},
    "delete_memories_of_session": {"memories_of_session"},
    "delete_memories_of_user": {"memories_of_user"},
    "delete_memories": {"memories_pkey"},
    "delete_memory": {"memories_pkey"},
    "delete_old_requests": {"idempotency_of_session"},
    "delete_parked": {"jobs_parked"},
    "delete_relation": {"relations_pkey"},
    "delete_relations_of_memories": {"relations_of_user"},
    "delete_requests_of_session": {"idempotency_of_session"},
    "delete_requests_of_user": {"idempotency_of_user"},
    "delete_model": set(),
    "delete_session": {"sessions_pkey"},
    "delete_sessions_of_user": {"sessions_of_user"},
    "delete_unheld_entities": {"entities_of_user", "mentions_pkey", "relations_from", "relations_to"},
    "delete_user": {"users_pkey"},
    "derived_from": {"derived_of_user"},
    "edge_turns": {"memories_of_user", "memories_pkey"},
    "end_session": {"sessions_pkey"},
    "enqueue_behind": {"sessions_behind", "jobs_of_tenant"},
    "notes_of_user": {"notes_of_user"},
    "ends_of_sessions": {"memories_of_session"},
    "enqueue_now": {"sessions_behind"},
    "entities_spoken_of": {"memories_of_session", "mentions_by_memory"},
    "enqueue_reopened": {"sessions_behind", "memories_pkey"},
    "enqueue_session": {"sessions_pkey"},
    "enqueue_tidying": set(),
    "ensure_user": set(),
    "entities_by_id": {"entities_pkey"},
    "entities_named_in": {
        "mentions_by_memory",
        "entities_pkey",
        "mentions_pkey",
        "relations_from",
        "relations_to",
    },
    "entities_named": {"entities_of_user"},
    "entities_of_model": {"entities_pkey"},
    "entities_of_person": {"entities_of_user"},
    "facts_of_person": {"facts_of_user"},
    "families": {"entities_pkey", "entities_merged"},
    "follow_facts": {"relations_pkey", "memories_pkey"},
    "forget_sightings": {"mentions_by_memory"},
    "gather_aliases": {"entities_of_user", "entities_pkey", "mentions_pkey"},
    "has_requests": {"idempotency_of_session"},
    "graph_counts": {"entities_of_user", "relations_of_user", "users_pkey", "entities_pkey"},
    "hurry_jobs": {"procrastinate_jobs_priority_idx_v1"},
    "insert_memory": set(),
    "job_counts": {"jobs_of_tenant"},
    "judge_entity": {"entities_pkey"},
    "keep_alike": {"users_pkey"},
    "key": {"api_keys_pkey"},
    "language_budget": {"language_budgets_pkey"},
    "language_costs": {"language_costs_pkey"},
    "known_of_user": {"facts_of_user", "derived_of_user"},
    "last_turn": {"sessions_pkey", "memories_of_session"},
    "list_entities_of_tenant": {"entities_pkey"},
    "list_entities_of_users": {"entities_of_user", "entities_pkey"},
    "list_facts": {"facts_of_user"},
    "list_keys": {"api_keys_pkey"},
    "list_models": set(),
    "list_of_tenant": {"memories_pkey"},
    "list_of_users": {"memories_of_user"},
    "list_sessions": {"sessions_of_user"},
    "list_tenants": {"tenants_pkey"},
    "list_users": {"users_pkey"},
    "lock_costs": set(),
    "lock_person": set(),
    "lock_session": {"sessions_pkey"},
    "lock_sessions_of_user": {"sessions_of_user"},
    "lock_user": {"users_pkey"},
    "make_entity": set(),
    "memories_by_id": {"memories_pkey"},
    "memory_counts": {"memories_of_session"},
    "memories_there": {"memories_pkey"},
    "memory_for_update": {"memories_pkey"},
    "names_of_person": {"users_pkey"},
    "nearest_of_tenant": {"memories_of_session"},
    "newest_of_person": {"relations_of_user", "entities_of_user", "entities_pkey"},
    "note_failure": {"jobs_of_tenant"},
    "open_costs": set(),
    "open_session": set(),
    "packs": {"tenant_packs_pkey"},
    "parked_jobs": {"jobs_parked", "sessions_by_key"},
    "participants_of": {"users_pkey"},
    "put_accesses": {"memories_pkey"},
    "put_entity": set(),
    "put_language_budget": set(),
    "put_relation": set(),
    "put_sighting": set(),
    "put_user": set(),
    "recent_turns": {"memories_of_session"},
    "relations_around": {"relations_from", "relations_to"},
    "relations_by_id": {"relations_pkey"},
    "relations_made": {"relations_from"},
    "relations_of_person": {"relations_of_user"},
    "reopen_sessions": {"sessions_pkey", "memories_pkey"},
    "replace_entity_vector": {"entities_pkey"},
    "replace_vectors": {"memories_pkey", "memories_of_session"},
    "request": {"idempotency_pkey"},
    "reserve_cost": {"language_costs_pkey", "language_budgets_pkey"},
    "retire_model": set(),
    "retry_parked": {"jobs_parked"},
    "revoke_key": {"api_keys_pkey"},
    "rows_of_model": {"memories_pkey", "memories_of_session", "users_pkey", "sessions_pkey"},
    "search_of_tenant": {"entities_of_user"},
    "search_of_users": {"entities_of_user"},
    "session": {"sessions_pkey"},
    "session_by_key": {"sessions_by_key"},
    "session_key": {"sessions_pkey"},
    "settle_cost": {"language_costs_pkey"},
    "settle_entity": {"entities_pkey"},
    "settle_fact": {"memories_pkey"},
    "size_of_table": {"pg_class_oid_index"},
    "size_of_tenant": {"memories_of_session"},
    "summaries_of_session": {"memories_of_session"},
    "summaries_of_user": {"derived_of_user"},
    "tell_anew": {"memories_pkey"},
    "tenant": {"tenants_pkey"},
    "timeline": {"mentions_pkey", "relations_from", "relations_to"},
    "ids_in_session": {"memories_of_session"},
    "together": {"relations_to", "relations_from"},
    "turn_off_pack": {"tenant_packs_pkey"},
    "turn_on_pack": set(),
    "turns_of_session": {"memories_of_session"},
    "unused_memories": {"memories_of_session", "accesses_pkey"},
    "untell": {"memories_pkey"},
    "update_memory": {"memories_pkey"},
    "user": {"users_pkey", "memories_of_user", "sessions_of_user"},
    "withdraw_evidence": {"relations_of_user", "relations_pkey"},
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
INSERT INTO entities (tenant_id, id, user_id, kind, name, embedding_model, embedding)
    SELECT tenant_id, pg_temp.id(row_number() OVER ()), user_id, 'person', 'Ann', 1, '[1,0]'
    FROM generate_series(1, 40), users;
INSERT INTO relations (tenant_id, id, user_id, source_id, target_id, kind, valid_from)
    SELECT tenant_id, id, user_id, id, id, 'friend', now() FROM entities;
INSERT INTO mentions (tenant_id, entity_id, memory_id, user_id, at)
    SELECT tenant_id, e.id, m.id, m.user_id, now()
    FROM entities AS e JOIN memories AS m USING (tenant_id, user_id) WHERE seq = 1;
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
        across = query in {"hurry_jobs", "list_tenants", "size_of_table"}
        if node.get("Index Name") in MEANT[query] and not across:
            assert "tenant_id = " in node["Index Cond"]


@pytest.mark.parametrize("query", sorted(QUERIES))
def test_the_statement_names_its_tenant(query: str) -> None:
    alone = {"add_model", "delete_model", "hurry_jobs", "list_models", "list_tenants", "retire_model"}
    alone |= {"size_of_table"}
    assert (b"%(tenant_id)s" in QUERIES[query]) == (query not in alone)
