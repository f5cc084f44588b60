"""What everybody of a tenant may read is said to be so: a forgotten user_id shares nothing."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest

from interfaces.door import Door, code

pytestmark = pytest.mark.anyio

TURNS = "/v1/sessions/s1/messages"
WRITES = [
    (TURNS, {"content": "x"}),
    (TURNS, {"messages": [{"content": "x"}]}),
    ("/v1/memories", {"content": "x"}),
    ("/v1/memories", {"memories": [{"content": "x", "user_id": "c17"}, {"content": "x"}]}),
]


@pytest.mark.parametrize(("path", "body"), WRITES)
async def test_a_forgotten_user_shares_nothing(loft: httpx2.AsyncClient, path: str, body: Any) -> None:
    answer = await loft.post(path, json=body)
    assert (answer.status_code, code(answer)) == (422, "invalid_request")
    assert "user_id" in answer.json()["hint"]
    assert '"shared": true' in answer.json()["hint"]
    assert (await loft.get("/v1/memories")).json()["memories"] == []
    assert (await loft.get("/v1/sessions")).json()["sessions"] == []


@pytest.mark.parametrize("user", [{"user_id": "c17"}, {"shared": True}])
async def test_a_session_stays_whose_it_was_begun(loft: httpx2.AsyncClient, user: dict[str, Any]) -> None:
    for body in ({"content": "first", **user}, {"content": "second"}):
        assert (await loft.post(TURNS, json=body)).status_code == 201
    messages = (await loft.get(TURNS)).json()["messages"]
    assert [one["user_id"] for one in messages] == [user.get("user_id")] * 2


async def test_a_shared_session_is_nobodys(loft: httpx2.AsyncClient) -> None:
    await loft.post(TURNS, json={"content": "first", "shared": True})
    answer = await loft.post(TURNS, json={"content": "second", "user_id": "c17"})
    assert (answer.status_code, code(answer)) == (409, "session_belongs_to_another")
    assert "shared" in answer.json()["detail"]


@pytest.mark.parametrize(("path", "body"), [(TURNS, {"content": "x"}), ("/v1/memories", {"content": "x"})])
async def test_a_person_writes_what_is_theirs_and_shares_nothing(door: Door, path: str, body: Any) -> None:
    ada = await door.person("loft", "ada")
    assert code(await ada.post(path, json={**body, "shared": True})) == "forbidden"
    assert (await ada.post(path, json=body)).status_code == 201
    assert [one["user_id"] for one in (await ada.get("/v1/memories")).json()["memories"]] == ["ada"]
