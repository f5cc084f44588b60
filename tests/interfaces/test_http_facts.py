"""Facts over HTTP: learned from what was said, told with their history, and put right by people."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest

from interfaces.door import Door, code

pytestmark = pytest.mark.anyio

TURNS = "/v1/sessions/s1/messages"
MOVED = {
    "user_id": "ann",
    "messages": [
        {"content": "We live in Covington.", "at": "2026-01-10T09:00:00Z"},
        {"content": "We live in Atlanta now.", "at": "2026-02-10T09:00:00Z"},
    ],
}


async def homes(client: httpx2.AsyncClient, **asked: Any) -> list[dict[str, Any]]:
    """The facts about where Ann lives, the newest first."""
    answer = await client.get("/v1/facts", params={"user_id": "ann", "attribute": "residence", **asked})
    facts: list[dict[str, Any]] = answer.raise_for_status().json()["memories"]
    return facts


def values(facts: list[dict[str, Any]]) -> list[str]:
    return [fact["claim"]["value"] for fact in facts]


@pytest.fixture
async def moved(door: Door, loft: httpx2.AsyncClient) -> httpx2.AsyncClient:
    """The owner of a tenant whose Ann has moved."""
    (await loft.post(TURNS, json=MOVED)).raise_for_status()
    await door.bed.learn()
    return loft


async def test_what_holds_and_what_held(moved: httpx2.AsyncClient) -> None:
    assert values(await homes(moved)) == ["Atlanta"]
    assert values(await homes(moved, as_of="2026-01-20T00:00:00Z")) == ["Covington"]
    assert values(await homes(moved, history=True)) == ["Atlanta", "Covington"]
    (atlanta,) = await homes(moved)
    told = (await moved.get(f"/v1/facts/{atlanta['id']}/history")).json()["facts"]
    assert values(told) == ["Covington", "Atlanta"]
    assert told[0]["superseded_by"] == atlanta["id"]
    assert told[0]["valid_to"] == atlanta["valid_from"]


async def test_pages(moved: httpx2.AsyncClient) -> None:
    asked: dict[str, Any] = {"user_id": "ann", "attribute": "residence", "history": True, "limit": 1}
    first = (await moved.get("/v1/facts", params=asked)).json()
    second = (await moved.get("/v1/facts", params=asked | {"cursor": first["next_cursor"]})).json()
    assert values(first["memories"] + second["memories"]) == ["Atlanta", "Covington"]
    assert second["next_cursor"] is None


async def test_people_confirm_reject_and_edit(moved: httpx2.AsyncClient) -> None:
    (atlanta,) = await homes(moved)
    path = f"/v1/facts/{atlanta['id']}"
    confirmed = (await moved.post(f"{path}/confirm")).json()
    assert (confirmed["standing"], confirmed["trust"]) == ("confirmed", "owner")
    rejected = (await moved.post(f"{path}/reject")).json()
    assert rejected["standing"] == "rejected"
    assert values(await homes(moved)) == ["Covington"]
    (covington,) = await homes(moved)
    edited = (await moved.patch(f"/v1/facts/{covington['id']}", json={"value": "Canton"})).json()
    assert (edited["claim"]["value"], edited["standing"]) == ("Canton", "confirmed")
    assert values(await homes(moved)) == ["Canton"]


async def test_what_cannot_be_is_told(moved: httpx2.AsyncClient, door: Door) -> None:
    (atlanta,) = await homes(moved)
    path = f"/v1/facts/{atlanta['id']}"
    empty = await moved.patch(path, json={})
    assert (empty.status_code, code(empty)) == (422, "invalid_request")
    assert "value" in empty.json()["hint"]
    attic = await door.client("attic")
    for answer in (
        await attic.post(f"{path}/confirm"),
        await attic.get(f"{path}/history"),
        await attic.patch(path, json={"value": "x"}),
        await moved.get(f"/v1/facts/{atlanta['evidence'][0]}/history"),
    ):
        assert (answer.status_code, code(answer)) == (404, "not_found")
    reader = await door.reader("loft")
    assert (await reader.post(f"{path}/reject")).status_code == 403
    bob = await door.person("loft", "bob")
    assert (await bob.get("/v1/facts", params={"user_id": "ann"})).status_code == 403
    assert (await bob.post(f"{path}/confirm")).status_code == 404
