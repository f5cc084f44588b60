"""Whatever ids another tenant or another person sends: nothing foreign is told, and nothing changed."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import httpx2
import pytest
from testbed import Bed

from interfaces.door import Door, code
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


def attacks(memory: str) -> list[Attack]:
    """At least one for each operation that takes an id, with the ids of the victim in every parameter."""
    not_found = frozenset({"not_found"})
    gone = frozenset({"not_found", "forbidden"})
    scope = {"user_id": USER, "agent_id": AGENT, "session_id": SESSION}
    theirs = frozenset({"forbidden", "session_belongs_to_another"})
    wild = {"user_id": "%", "session_id": "secret_session", "agent_id": "' OR true --"}
    query = {"query": "safe mirror"}
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
    ]


async def victim(door: Door) -> str:
    """A person of the tenant `attic`, with a session and a memory; its id."""
    client = await door.client("attic")
    message = {"content": SECRET, "metadata": {"k": "v"}, "name": "Vera"}
    turns = {"messages": [message], "user_id": USER, "agent_id": AGENT}
    answer = await client.post(
        f"/v1/sessions/{SESSION}/messages", json=turns, headers={"Idempotency-Key": "k"}
    )
    memory: str = answer.json()["ids"][0]
    return memory


def theirs(bed: Bed, memory: str) -> list[tuple[object, ...]]:
    """All that is kept of the victim, as the superuser sees it."""
    tenant = bed.database.value("SELECT tenant_id FROM memories WHERE id = %s", memory)
    queries = ("memories WHERE id = %s", "sessions WHERE tenant_id = %s", "users WHERE tenant_id = %s")
    values = (memory, tenant, tenant)
    return [
        row
        for query, value in zip(queries, values, strict=True)
        for row in bed.database.rows(
            f"SELECT to_jsonb(t) FROM {query.replace(' WHERE', ' AS t WHERE')}", value
        )
    ]


async def attack(client: httpx2.AsyncClient, one: Attack) -> None:
    """Nothing secret in the answer; a refusal only of the expected kinds."""
    answer = await client.request(one.method, one.path, json=one.body)
    sent = json.dumps(one.body) + one.path
    for secret in (SECRET, "Vera", *(word for word in (SESSION, USER, AGENT) if word not in sent)):
        assert secret not in answer.text, (one, answer.text)
    if answer.is_error:
        assert code(answer) in one.codes, (one, answer.text)
    elif one.operation not in ("add_memories", "add_messages", "describe_user", "list_users"):
        counts = answer.json()
        assert not any(
            value for name, value in counts.items() if name not in ("took_ms", "text", "tokens", "citations")
        ), (one, answer.text)


async def test_another_tenant_gets_and_changes_nothing(door: Door, loft: httpx2.AsyncClient) -> None:
    memory = await victim(door)
    before = theirs(door.bed, memory)
    wanted = attacks(memory)
    for one in wanted:
        if one.operation in ("add_memories", "add_messages", "describe_user"):
            continue  # the same ids in another tenant are another's: tried by the next test
        await attack(loft, one)
    assert theirs(door.bed, memory) == before
    assert len(before) == 3


async def test_the_same_ids_in_another_tenant_are_others(door: Door, loft: httpx2.AsyncClient) -> None:
    memory = await victim(door)
    before = theirs(door.bed, memory)
    turns = {"content": "mine", "user_id": USER}
    answer = await loft.post(f"/v1/sessions/{SESSION}/messages", json=turns, headers={"Idempotency-Key": "k"})
    assert (answer.status_code, answer.json()["repeated"]) == (201, False)
    await loft.patch(f"/v1/users/{USER}", json={"names": ["Mallory"]})
    await loft.post("/v1/memories", json={"content": "x", "user_id": USER, "evidence": [memory]})
    assert (await loft.delete(f"/v1/users/{USER}")).json() == {"memories": 2, "sessions": 1, "users": 1}
    assert theirs(door.bed, memory) == before


async def test_another_person_gets_and_changes_nothing(door: Door) -> None:
    memory = await victim(door)
    before = theirs(door.bed, memory)
    mallory = await door.person("attic", "mallory")
    # What she writes is hers to find: it is written last.
    for one in sorted(attacks(memory), key=lambda one: one.operation.startswith("add_")):
        await attack(mallory, one)
        assert theirs(door.bed, memory)[: len(before)] == before, one


async def test_every_operation_with_an_id_is_attacked(door: Door, loft: httpx2.AsyncClient) -> None:
    paths = (await loft.get("/v1/openapi.json")).json()["paths"]
    operations = {one["operationId"] for path in paths.values() for one in path.values()}
    assert operations - {"live", "ready", "version"} == {one.operation for one in attacks("x")}


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
    first = await ada.post("/v1/memories", json={"content": "Ada's"}, headers=key)
    second = await bob.post("/v1/memories", json={"content": "Ada's"}, headers=key)
    assert code(second) == "idempotency_mismatch"
    assert first.json()["ids"][0] not in second.text


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
