"""Whatever ids another tenant or another person sends: nothing foreign is told, and nothing changed."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import httpx2
import pytest
from testbed import Bed

from interfaces.door import Door, code
from recollect.core.consolidate.consolidation import Consolidator
from recollect.core.model import Permission

pytestmark = pytest.mark.anyio

SECRET = "the safe is behind the mirror"
SESSION, USER, AGENT = "secret-session", "secret-user", "secret-agent"


@dataclass(frozen=True, slots=True)
class Attack:
    """A request that names what is the victim's. `codes`: the refusals that may answer it."""

    operation: str
    method: str
    path: str
    body: dict[str, Any] | None = None
    codes: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Victim:
    """The ids of what is somebody's: a turn, a fact that it says, an entity, a relation, and a job."""

    memory: str
    fact: str
    entity: str
    relation: str
    job: str


_NOTHING = "019a9d3c-5b7e-7c1a-9f00-2d6b8c4e1a55"
NOBODYS = Victim(_NOTHING, _NOTHING, _NOTHING, _NOTHING, "1")


def attacks(victim: Victim) -> list[Attack]:
    """At least one for each operation that takes an id, with the ids of the victim in every parameter."""
    not_found = frozenset({"not_found"})
    gone = frozenset({"not_found", "forbidden"})
    scope = {"user_id": USER, "agent_id": AGENT, "session_id": SESSION}
    theirs = frozenset({"forbidden", "session_belongs_to_another"})
    wild = {"user_id": "%", "session_id": "secret_session", "agent_id": "' OR true --"}
    query = {"query": "safe mirror"}
    memory, fact, entity = victim.memory, f"/v1/facts/{victim.fact}", f"/v1/entities/{victim.entity}"
    ends = {"source_id": victim.entity, "target_id": _NOTHING, "kind": "x"}
    return [
        Attack("get_memory", "GET", f"/v1/memories/{memory}", None, not_found),
        Attack("correct_memory", "PATCH", f"/v1/memories/{memory}", {"content": "changed"}, not_found),
        Attack("forget_memory", "DELETE", f"/v1/memories/{memory}", None, not_found),
        Attack("list_memories", "GET", f"/v1/memories?user_id={USER}", None, gone),
        Attack("list_memories", "GET", f"/v1/memories?session_id={SESSION}&agent_id={AGENT}"),
        Attack("list_memories", "GET", "/v1/memories?include_shared=true"),
        Attack("list_memories", "GET", "/v1/memories?user_id=%25", None, gone),
        Attack("list_memories", "GET", '/v1/memories?metadata={"k":{"ne":"\' OR 1=1 --"}}'),
        Attack("add_memories", "POST", "/v1/memories", {"content": "x", "evidence": [memory]}),
        Attack("add_memories", "POST", "/v1/memories", {"content": "x", "user_id": USER}, gone),
        Attack("get_session", "GET", f"/v1/sessions/{SESSION}", None, not_found),
        Attack("list_messages", "GET", f"/v1/sessions/{SESSION}/messages", None, not_found),
        Attack("add_messages", "POST", f"/v1/sessions/{SESSION}/messages", {"content": "x"}, theirs),
        Attack(
            "add_messages", "POST", "/v1/sessions/mine/messages", {"content": "x", "user_id": USER}, theirs
        ),
        Attack("list_sessions", "GET", f"/v1/sessions?user_id={USER}", None, gone),
        Attack("list_sessions", "GET", "/v1/sessions"),
        Attack("forget_session", "DELETE", f"/v1/sessions/{SESSION}"),
        Attack("recall", "POST", "/v1/recall", {**query, **scope, "explain": True}, gone),
        Attack("recall", "POST", "/v1/recall", {**query, "session_id": SESSION, "agent_id": AGENT}),
        Attack("recall", "POST", "/v1/recall", {**query, **wild}, gone),
        Attack("recall", "POST", "/v1/recall", {**query, "metadata": {"k') OR true --": {"ne": 1}}}),
        Attack("context", "POST", "/v1/context", {**query, **scope}, gone),
        Attack("context", "POST", "/v1/context", {**query, "session_id": SESSION}),
        Attack("forget", "POST", "/v1/forget", {"memory_id": memory}, not_found),
        Attack("forget", "POST", "/v1/forget", {"session_id": SESSION}),
        Attack("forget", "POST", "/v1/forget", {"user_id": USER}, gone),
        Attack("get_user", "GET", f"/v1/users/{USER}", None, gone),
        Attack("describe_user", "PATCH", f"/v1/users/{USER}", {"names": ["Mallory"]}, gone),
        Attack("forget_user", "DELETE", f"/v1/users/{USER}", None, gone),
        Attack("list_users", "GET", "/v1/users", None, frozenset({"forbidden"})),
        Attack("get_session_summary", "GET", f"/v1/sessions/{SESSION}/summary", None, not_found),
        Attack("end_session", "POST", f"/v1/sessions/{SESSION}/end?wait=1", None, not_found),
        Attack("get_user_summary", "GET", f"/v1/users/{USER}/summary", None, gone),
        Attack("list_actions", "GET", f"/v1/users/{USER}/actions?done=true", None, gone),
        Attack("list_facts", "GET", f"/v1/facts?user_id={USER}&history=true", None, gone),
        Attack("list_facts", "GET", "/v1/facts?history=true"),
        Attack("fact_history", "GET", f"{fact}/history", None, not_found),
        Attack("confirm_fact", "POST", f"{fact}/confirm", None, not_found),
        Attack("reject_fact", "POST", f"{fact}/reject", None, not_found),
        Attack("edit_fact", "PATCH", fact, {"content": "changed"}, not_found),
        Attack("list_entities", "GET", f"/v1/entities?user_id={USER}", None, gone),
        Attack("list_entities", "GET", "/v1/entities"),
        Attack("add_entity", "POST", "/v1/entities", {"name": "x", "user_id": USER}, gone),
        Attack("search_entities", "POST", "/v1/entities/search", {"query": "Vera", "user_id": USER}, gone),
        Attack("search_entities", "POST", "/v1/entities/search", {"query": "Vera"}),
        Attack("get_entity", "GET", entity, None, not_found),
        Attack("change_entity", "PATCH", entity, {"name": "changed"}, not_found),
        Attack("list_neighbours", "GET", f"{entity}/neighbours", None, not_found),
        Attack("list_timeline", "GET", f"{entity}/timeline", None, not_found),
        Attack("find_paths", "GET", f"/v1/entities/path?from={victim.entity}&to={victim.entity}", None, gone),
        Attack("merge_entity", "POST", f"{entity}/merge", {"into": _NOTHING}, gone),
        Attack("unmerge_entity", "POST", f"{entity}/unmerge", None, not_found),
        Attack("forget_entity", "DELETE", entity, None, not_found),
        Attack("add_relation", "POST", "/v1/relations", ends, gone),
        Attack("forget_relation", "DELETE", f"/v1/relations/{victim.relation}", None, not_found),
        Attack("get_lag", "GET", "/v1/jobs", None, frozenset({"forbidden"})),
        Attack("list_parked_jobs", "GET", "/v1/jobs/parked", None, frozenset({"forbidden"})),
        Attack("retry_job", "POST", f"/v1/jobs/{victim.job}/retry", None, gone),
        Attack("retry_jobs", "POST", "/v1/jobs/retry", None, frozenset({"forbidden"})),
        Attack("list_packs", "GET", "/v1/packs"),
        Attack("turn_on_pack", "PUT", "/v1/packs/shop", None, gone),
        Attack("turn_off_pack", "DELETE", "/v1/packs/shop", None, frozenset({"forbidden"})),
        Attack("list_webhooks", "GET", "/v1/packs/shop/webhooks", None, gone),
        Attack("get_language", "GET", "/v1/language", None, frozenset({"forbidden"})),
        Attack(
            "set_language_budget",
            "PUT",
            "/v1/language/budget",
            {"monthly_budget": 1},
            frozenset({"forbidden"}),
        ),
        Attack(
            "answer", "POST", "/v1/answer", {"query": "What do you know about me?", "user_id": USER}, gone
        ),
    ]


async def victim(door: Door) -> Victim:
    """A person of the tenant `attic`, with a session that was understood."""
    client = await door.client("attic")
    messages = [
        {"content": SECRET, "metadata": {"k": "v"}, "name": "Vera"},
        {"content": "My sister Zelda lives in Mirrorton.", "name": "Vera"},
    ]
    turns = {"messages": messages, "user_id": USER, "agent_id": AGENT}
    path = f"/v1/sessions/{SESSION}/messages"
    answer = await client.post(path, json=turns, headers={"Idempotency-Key": "k"})
    memory, _ = answer.json()["ids"]
    bed = door.bed
    tenant, key = bed.database.rows(
        "SELECT tenant_id, key FROM sessions JOIN memories USING (tenant_id, session_id) WHERE id = %s",
        memory,
    )[0]
    await Consolidator(bed.storage, bed.embeddings).consolidate(tenant, key)

    def first(table: str) -> str:
        return str(bed.database.rows(f"SELECT id FROM {table} WHERE tenant_id = %s", tenant)[0][0])

    facts = "(SELECT * FROM memories WHERE subject IS NOT NULL)"
    return Victim(
        memory, first(facts), first("entities"), first("relations"), first("jobs.procrastinate_jobs")
    )


WRITES = frozenset({"add_memories", "add_messages", "add_entity", "describe_user"})
KEPT = ("memories", "sessions", "users", "entities", "relations", "mentions")


def theirs(bed: Bed, victim: Victim) -> list[list[tuple[object, ...]]]:
    """All that is kept of the victim, as the superuser sees it."""
    tenant = bed.database.value("SELECT tenant_id FROM memories WHERE id = %s", victim.memory)
    return [
        bed.database.rows(
            f"SELECT to_jsonb(t) FROM {table} AS t WHERE tenant_id = %s AND user_id = %s ORDER BY t::text",
            tenant,
            USER,
        )
        for table in KEPT
    ]


async def attack(client: httpx2.AsyncClient, one: Attack) -> None:
    """Nothing secret in the answer; a refusal only of the expected kinds."""
    answer = await client.request(one.method, one.path, json=one.body)
    sent = json.dumps(one.body) + one.path
    for secret in (
        SECRET,
        "Vera",
        "Zelda",
        "Mirrorton",
        *(word for word in (SESSION, USER, AGENT) if word not in sent),
    ):
        assert secret not in answer.text, (one, answer.text)
    if answer.is_error:
        assert code(answer) in one.codes, (one, answer.text)
    elif one.operation not in {*WRITES, "list_users", "get_language", "set_language_budget"}:
        counts = answer.json()
        assert not any(
            value
            for name, value in counts.items()
            if name not in ("took_ms", "text", "tokens", "citations", "kind")
        ), (one, answer.text)


async def test_another_tenant_gets_and_changes_nothing(door: Door, loft: httpx2.AsyncClient) -> None:
    ids = await victim(door)
    before = theirs(door.bed, ids)
    wanted = attacks(ids)
    for one in wanted:
        if one.operation in WRITES:
            continue  # the same ids in another tenant are another's: tried by the next test
        await attack(loft, one)
    assert theirs(door.bed, ids) == before
    assert all(before)


async def test_the_same_ids_in_another_tenant_are_others(door: Door, loft: httpx2.AsyncClient) -> None:
    ids = await victim(door)
    before = theirs(door.bed, ids)
    turns = {"content": "mine", "user_id": USER}
    answer = await loft.post(f"/v1/sessions/{SESSION}/messages", json=turns, headers={"Idempotency-Key": "k"})
    assert (answer.status_code, answer.json()["repeated"]) == (201, False)
    await loft.patch(f"/v1/users/{USER}", json={"names": ["Mallory"]})
    await loft.post("/v1/memories", json={"content": "x", "user_id": USER, "evidence": [ids.memory]})
    assert (await loft.delete(f"/v1/users/{USER}")).json() == {"memories": 2, "sessions": 1, "users": 1}
    assert theirs(door.bed, ids) == before


async def test_another_person_gets_and_changes_nothing(door: Door) -> None:
    ids = await victim(door)
    before = theirs(door.bed, ids)
    mallory = await door.person("attic", "mallory")
    # What she writes is hers to find: it is written last.
    for one in sorted(attacks(ids), key=lambda one: one.operation.startswith("add_")):
        await attack(mallory, one)
        assert theirs(door.bed, ids) == before, one


async def test_every_operation_with_an_id_is_attacked(door: Door, loft: httpx2.AsyncClient) -> None:
    paths = (await loft.get("/v1/openapi.json")).json()["paths"]
    operations = {one["operationId"] for path in paths.values() for one in path.values()}
    assert operations - {"live", "ready", "version"} == {one.operation for one in attacks(NOBODYS)}


async def test_a_person_is_themself_whatever_they_say(door: Door) -> None:
    ada = await door.person("loft", "ada")
    await ada.post("/v1/sessions/s1/messages", json={"content": "I am Ada."})
    await ada.post("/v1/memories", json={"content": "Ada likes oak.", "user_id": "ada"})
    owner = await door.client("loft")
    listed = (await owner.get("/v1/memories", params={"user_id": "ada"})).json()["memories"]
    assert {memory["user_id"] for memory in listed} == {"ada"}
    assert {memory["trust"] for memory in listed} == {"user"}
    hits = (await ada.post("/v1/recall", json={"query": "oak"})).json()["hits"]
    assert {hit["memory"]["content"] for hit in hits} == {"I am Ada.", "Ada likes oak."}
    answer = await ada.post("/v1/memories", json={"content": "x", "min_role": "staff"})
    assert code(answer) == "forbidden"


async def test_a_refusal_does_not_tell_who_exists(door: Door) -> None:
    await victim(door)
    mallory = await door.person("attic", "mallory")
    for path in ("/v1/users/{}", "/v1/memories?user_id={}", "/v1/sessions?user_id={}", "/v1/sessions/{}"):
        known, unknown = [
            await mallory.get(path.format(id_))
            for id_ in (SESSION if path.endswith("s/{}") else USER, "nobody")
        ]
        assert (known.status_code, known.json()) == (unknown.status_code, unknown.json())


async def test_a_person_reads_what_is_shared_and_leaves_it(door: Door) -> None:
    owner, ada = await door.client("loft"), await door.person("loft", "ada")
    shared = (await owner.post("/v1/memories", json={"content": "Open on Sundays.", "shared": True})).json()[
        "ids"
    ][0]
    path = f"/v1/memories/{shared}"
    assert (await ada.get(path)).json()["content"] == "Open on Sundays."
    assert code(await ada.patch(path, json={"content": "Closed."})) == "forbidden"
    assert code(await ada.delete(path)) == "forbidden"
    assert (await owner.get(path)).json()["content"] == "Open on Sundays."


async def test_a_persons_idempotency_key_is_not_anothers(door: Door) -> None:
    key = {"Idempotency-Key": "k"}
    ada, bob = await door.person("loft", "ada"), await door.person("loft", "bob")
    owner = await door.client("loft")
    ids = []
    for client, body in ((ada, {}), (bob, {}), (owner, {"user_id": "ada"})):
        sent = {"content": "Ada's", **body}
        first, again = [await client.post("/v1/memories", json=sent, headers=key) for _ in range(2)]
        assert (first.json()["repeated"], again.json()["repeated"]) == (False, True)
        assert again.json()["ids"] == first.json()["ids"]
        ids += first.json()["ids"]
    assert len(set(ids)) == 3


@pytest.mark.parametrize(
    ("permission", "allowed"),
    [
        ("memory:read", {"GET", "recall"}),
        ("memory:write", {"PATCH", "add"}),
        ("memory:forget", {"DELETE", "forget"}),
    ],
)
async def test_a_credential_does_only_what_it_states(door: Door, permission: str, allowed: set[str]) -> None:
    client = await door.client("loft", permissions=frozenset({Permission(permission)}))
    requests = {
        "GET": client.get("/v1/memories"),
        "recall": client.post("/v1/recall", json={"query": "x"}),
        "PATCH": client.patch("/v1/users/ada", json={}),
        "add": client.post("/v1/memories", json={"content": "x", "user_id": "ada"}),
        "DELETE": client.delete("/v1/users/ada"),
        "forget": client.post("/v1/forget", json={"user_id": "ada"}),
    }
    for name, request in requests.items():
        answer = await request
        assert answer.is_success == (name in allowed), name
        assert answer.is_success or permission in str(answer.json()["hint"])
