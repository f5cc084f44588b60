"""Memories, one by one and in lists, over HTTP."""

from __future__ import annotations

import json
from typing import Any
from uuid import UUID, uuid4

import httpx2
import pytest

from interfaces.door import Door, code

pytestmark = pytest.mark.anyio


async def keep(client: httpx2.AsyncClient, content: str = "Likes oak.", **fields: Any) -> str:
    answer = await client.post(
        "/v1/memories", json={"content": content, "shared": "user_id" not in fields, **fields}
    )
    assert answer.status_code == 201, answer.text
    (id_,) = answer.json()["ids"]
    return str(UUID(id_))


async def listed(client: httpx2.AsyncClient, **params: Any) -> list[str]:
    """The contents of a list, page by page to its end."""
    contents: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        answer = await client.get("/v1/memories", params={**params, **cursor})
        assert answer.status_code == 200, answer.text
        contents += [memory["content"] for memory in answer.json()["memories"]]
        if answer.json()["next_cursor"] is None:
            return contents
        cursor = {"cursor": answer.json()["next_cursor"]}


async def test_a_memory_is_read_as_it_was_kept(loft: httpx2.AsyncClient) -> None:
    evidence = await keep(loft, "We have a dog.", user_id="c17")
    fields: dict[str, Any] = {
        "kind": "preference",
        "user_id": "c17",
        "agent_id": "sales",
        "metadata": {"room": {"name": "living room"}, "tags": ["a", "b"], "price": 0.1},
        "importance": 0.9,
        "confidence": 0.35,
        "min_role": "staff",
        "pinned": True,
        "valid_from": "2026-01-05T00:00:00Z",
        "valid_to": "2027-01-05T00:00:00Z",
        "expires_at": "2030-01-01T00:00:00Z",
        "evidence": [evidence],
        "source": {"system": "by hand"},
    }
    memory = (await loft.get(f"/v1/memories/{await keep(loft, 'No leather.', **fields)}")).json()
    assert {name: memory[name] for name in fields} == fields
    assert memory["content"] == "No leather."
    assert memory["trust"] == "owner"
    assert (memory["session_id"], memory["seq"], memory["role"]) == (None, None, None)


async def test_a_batch_keeps_its_order(loft: httpx2.AsyncClient) -> None:
    contents = [f"fact {number}" for number in range(20)]
    answer = await loft.post(
        "/v1/memories", json={"memories": [{"content": one, "shared": True} for one in contents]}
    )
    ids = answer.json()["ids"]
    assert [(await loft.get(f"/v1/memories/{id_}")).json()["content"] for id_ in ids] == contents


async def test_a_list_goes_on_to_its_end(loft: httpx2.AsyncClient) -> None:
    memories = [{"content": f"fact {number}", "user_id": "c17"} for number in range(150)]
    await loft.post("/v1/memories", json={"memories": memories})
    expected = [memory["content"] for memory in reversed(memories)]
    assert await listed(loft, user_id="c17") == expected
    assert await listed(loft, limit=30) == expected
    exact = await loft.get("/v1/memories", params={"limit": 75, "user_id": "c17"})
    last = await loft.get(
        "/v1/memories", params={"limit": 75, "user_id": "c17", "cursor": exact.json()["next_cursor"]}
    )
    assert (len(last.json()["memories"]), last.json()["next_cursor"]) == (75, None)


async def test_a_list_is_filtered(loft: httpx2.AsyncClient) -> None:
    await keep(loft, "shared")
    await keep(
        loft, "a", user_id="c17", kind="preference", metadata={"n": 1}, valid_from="2025-01-01T00:00:00Z"
    )
    await keep(loft, "b", user_id="c17", agent_id="sales", metadata={"n": 2, "to": {"x": "y"}})
    await keep(loft, "c", user_id="c18", metadata={"n": 3})
    await loft.post("/v1/sessions/s1/messages", json={"content": "d", "user_id": "c17"})
    assert await listed(loft) == ["d", "c", "b", "a", "shared"]
    assert await listed(loft, user_id="c17") == ["d", "b", "a"]
    assert await listed(loft, user_id="c17", include_shared=True) == ["d", "b", "a", "shared"]
    assert await listed(loft, kinds=["preference", "message"]) == ["d", "a"]
    assert await listed(loft, agent_id="sales") == ["b"]
    assert await listed(loft, session_id="s1") == ["d"]
    assert await listed(loft, until="2025-06-01T00:00:00Z") == ["a"]
    assert await listed(loft, since="2025-06-01T00:00:00Z", user_id="c17") == ["d", "b"]
    assert await listed(loft, metadata=json.dumps({"n": {"gte": 2}})) == ["c", "b"]
    assert await listed(loft, metadata=json.dumps({"to.x": "y"})) == ["b"]
    assert await listed(loft, metadata=json.dumps({"n": {"exists": False}})) == ["d", "shared"]


@pytest.mark.parametrize(
    "cursor",
    ["", "x", "AAAA", "====", "🛋️", "WyJtZW1vcmllcyJd", "WyJtZW1vcmllcyIsIngiXQ", "bnVsbA", "W1tbW1tb", "\0"],
)
async def test_a_cursor_that_is_not_ours_is_refused(loft: httpx2.AsyncClient, cursor: str) -> None:
    for path in ("/v1/memories", "/v1/sessions", "/v1/users"):
        answer = await loft.get(path, params={"cursor": cursor})
        assert (answer.status_code, code(answer)) == (422, "invalid_cursor")


async def test_a_cursor_belongs_to_its_list(loft: httpx2.AsyncClient) -> None:
    for number in range(2):
        await keep(loft, user_id=f"c{number}")
        await loft.post(f"/v1/sessions/s{number}/messages", json={"content": "hello", "shared": True})
    lists = ("/v1/memories", "/v1/sessions", "/v1/users")
    cursors = [(await loft.get(path, params={"limit": 1})).json()["next_cursor"] for path in lists]
    for path in lists:
        answers = [await loft.get(path, params={"cursor": cursor}) for cursor in cursors]
        assert [answer.status_code for answer in answers].count(200) == 1


async def test_a_memory_is_corrected(loft: httpx2.AsyncClient) -> None:
    id_ = await keep(loft, "Lives in Covington.", user_id="c17", valid_to="2027-01-01T00:00:00Z")
    changes = {"content": "Lives in Mandeville.", "importance": 0.8, "pinned": True, "min_role": "manager"}
    changed = await loft.patch(
        f"/v1/memories/{id_}", json={**changes, "metadata": {"by": "hand"}, "valid_to": None}
    )
    assert changed.status_code == 200
    read = (await loft.get(f"/v1/memories/{id_}")).json()
    assert changed.json() == read
    assert {name: read[name] for name in changes} == changes
    assert (read["metadata"], read["valid_to"], read["user_id"]) == ({"by": "hand"}, None, "c17")
    recalled = await loft.post("/v1/recall", json={"query": "Mandeville", "user_id": "c17"})
    assert recalled.json()["hits"][0]["memory"]["id"] == id_


@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"content": ""},
        {"content": None},
        {"importance": None},
        {"importance": 1.5},
        {"min_role": "king"},
        {"user_id": "c18"},
        {"trust": "owner"},
        {"valid_to": "2026-01-01T00:00:00"},
        {"valid_to": "1990-01-01T00:00:00Z"},
        {"metadata": []},
    ],
)
async def test_a_correction_that_makes_no_sense_changes_nothing(
    loft: httpx2.AsyncClient, changes: dict[str, Any]
) -> None:
    id_ = await keep(loft, user_id="c17")
    before = (await loft.get(f"/v1/memories/{id_}")).json()
    answer = await loft.patch(f"/v1/memories/{id_}", json=changes)
    assert (answer.status_code, code(answer)) == (422, "invalid_request")
    assert (await loft.get(f"/v1/memories/{id_}")).json() == before


async def test_a_memory_is_forgotten(loft: httpx2.AsyncClient) -> None:
    id_ = await keep(loft)
    assert (await loft.delete(f"/v1/memories/{id_}")).json() == {"memories": 1, "sessions": 0, "users": 0}
    assert (await loft.delete(f"/v1/memories/{id_}")).json() == {"memories": 0, "sessions": 0, "users": 0}
    assert code(await loft.get(f"/v1/memories/{id_}")) == "not_found"


async def test_an_unknown_memory_is_not_found(loft: httpx2.AsyncClient) -> None:
    path = f"/v1/memories/{uuid4()}"
    answers = [await loft.get(path), await loft.patch(path, json={"pinned": True})]
    assert [code(answer) for answer in answers] == ["not_found"] * 2
    assert code(await loft.get("/v1/memories/not-a-uuid")) == "invalid_request"


async def test_nobody_writes_above_their_own_role(door: Door) -> None:
    staff = await door.client("loft", role=1)
    answer = await staff.post("/v1/memories", json={"content": "secret", "shared": True, "min_role": "owner"})
    assert (answer.status_code, code(answer)) == (403, "forbidden")
    owner = await door.client("loft")
    id_ = await keep(owner, "for managers", min_role="manager")
    assert code(await staff.get(f"/v1/memories/{id_}")) == "not_found"
    assert await listed(staff) == []
    assert await listed(owner) == ["for managers"]


async def test_repeating_a_batch_with_its_key_keeps_it_once(loft: httpx2.AsyncClient) -> None:
    body = {"memories": [{"content": "a", "shared": True}, {"content": "b", "shared": True}]}
    first, again = [
        await loft.post("/v1/memories", json=body, headers={"Idempotency-Key": "k"}) for _ in range(2)
    ]
    assert again.json() == {"ids": first.json()["ids"], "repeated": True, "consolidated": None}
    assert await listed(loft) == ["b", "a"]
    answer = await loft.post(
        "/v1/memories", json={"content": "c", "shared": True}, headers={"Idempotency-Key": "k"}
    )
    assert code(answer) == "idempotency_mismatch"
