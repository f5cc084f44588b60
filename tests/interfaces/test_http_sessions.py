"""Sessions and their messages, over HTTP."""

from __future__ import annotations

import asyncio
from typing import Any
from urllib.parse import quote

import httpx2
import pytest

from interfaces.door import Door, code

pytestmark = pytest.mark.anyio


async def add(client: httpx2.AsyncClient, session: str, *contents: str, **fields: Any) -> list[str]:
    body = {"messages": [{"content": content} for content in contents], **fields}
    answer = await client.post(f"/v1/sessions/{quote(session, safe='')}/messages", json=body)
    assert answer.status_code == 201, answer.text
    ids: list[str] = answer.json()["ids"]
    return ids


async def test_a_message_comes_back_as_it_was_sent(loft: httpx2.AsyncClient) -> None:
    message = {
        "content": "Wir zögern noch: «Ledersofa» oder 布沙发? 🛋️",
        "role": "assistant",
        "name": "Noor",
        "at": "2026-02-27T23:30:00+01:00",
        "metadata": {"channel": "chat", "nested": {"n": [1, 2.5, None, True]}},
    }
    path = "/v1/sessions/s1/messages"
    sent = await loft.post(path, json={**message, "user_id": "c17", "agent_id": "sales"})
    assert sent.status_code == 201
    (kept,) = (await loft.get(path)).json()["messages"]
    assert sent.json() == {"ids": [kept["id"]], "repeated": False, "consolidated": None}
    assert kept["valid_from"] == "2026-02-27T22:30:00Z"
    assert {name: kept[name] for name in ("content", "role", "name", "metadata")} == {
        name: message[name] for name in ("content", "role", "name", "metadata")
    }
    assert (kept["user_id"], kept["agent_id"], kept["session_id"], kept["seq"]) == ("c17", "sales", "s1", 1)
    assert (kept["kind"], kept["trust"], kept["min_role"]) == ("message", "staff", "user")


async def test_a_batch_is_kept_in_order_and_read_page_by_page(loft: httpx2.AsyncClient) -> None:
    contents = [f"turn {number}" for number in range(1, 8)]
    ids = await add(loft, "s1", *contents, user_id="c17")
    read: list[dict[str, Any]] = []
    after: int | None = 0
    pages = 0
    while after is not None:
        page = (await loft.get("/v1/sessions/s1/messages", params={"after": after, "limit": 3})).json()
        read += page["messages"]
        after = page["next_after"]
        pages += 1
    assert pages == 3
    assert [one["content"] for one in read] == contents
    assert [one["seq"] for one in read] == list(range(1, 8))
    assert [one["id"] for one in read] == ids


async def test_a_session_is_described(loft: httpx2.AsyncClient) -> None:
    messages = [{"content": "hello", "name": "Ada"}, {"content": "hi", "name": "Noor", "role": "assistant"}]
    await loft.post("/v1/sessions/s1/messages", json={"messages": messages, "user_id": "c17"})
    session = (await loft.get("/v1/sessions/s1")).json()
    assert session["user_id"] == "c17"
    assert session["participants"] == ["Ada", "Noor"]
    assert session["last_seq"] == 2


async def test_sessions_are_listed_to_the_end(loft: httpx2.AsyncClient) -> None:
    for number in range(5):
        await add(loft, f"s{number}", "hello", user_id="c17" if number % 2 else "c18")
    assert await _all_sessions(loft, limit=2) == ["s4", "s3", "s2", "s1", "s0"]
    assert await _all_sessions(loft, limit=1, user_id="c17") == ["s3", "s1"]


async def _all_sessions(client: httpx2.AsyncClient, **params: Any) -> list[str]:
    names: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = (await client.get("/v1/sessions", params={**params, **cursor})).json()
        names += [session["session_id"] for session in page["sessions"]]
        if page["next_cursor"] is None:
            return names
        cursor = {"cursor": page["next_cursor"]}


@pytest.mark.parametrize(
    "session", ["a/b", "a b", "%", "_%", "ä/ö", "a.b", "a?b#c", "messages", "a/messages", "'; --"]
)
async def test_an_id_may_hold_any_character(loft: httpx2.AsyncClient, session: str) -> None:
    await add(loft, session, "hello", shared=True)
    await add(loft, "another", "hello", shared=True)
    path = f"/v1/sessions/{quote(session, safe='')}"
    assert (await loft.get(path)).json()["session_id"] == session
    assert len((await loft.get(f"{path}/messages")).json()["messages"]) == 1
    assert (await loft.delete(path)).json() == {"memories": 1, "sessions": 1, "users": 0}
    assert [one["session_id"] for one in (await loft.get("/v1/sessions")).json()["sessions"]] == ["another"]


@pytest.mark.parametrize("path", ["%00", "%0A", "%ff", "%ed%a0%80", "a" * 201])
async def test_what_cannot_be_an_id_is_refused(loft: httpx2.AsyncClient, path: str) -> None:
    answer = await loft.get(f"/v1/sessions/{path}")
    assert (answer.status_code, code(answer)) == (422, "invalid_request")
    assert answer.json()["errors"][0]["location"] == "path.session_id"


async def test_an_unknown_session_is_not_found(loft: httpx2.AsyncClient) -> None:
    assert code(await loft.get("/v1/sessions/none")) == "not_found"
    assert code(await loft.get("/v1/sessions/none/messages")) == "not_found"
    assert (await loft.delete("/v1/sessions/none")).json() == {"memories": 0, "sessions": 0, "users": 0}


async def test_past_the_end_of_a_session_is_an_empty_page(loft: httpx2.AsyncClient) -> None:
    await add(loft, "s1", "hello", shared=True)
    page = await loft.get("/v1/sessions/s1/messages", params={"after": 1})
    assert page.json() == {"messages": [], "next_after": None}


async def test_a_session_stays_with_its_user(loft: httpx2.AsyncClient) -> None:
    await add(loft, "s1", "hello", user_id="c17")
    taken = await loft.post("/v1/sessions/s1/messages", json={"content": "mine now", "user_id": "c18"})
    assert (taken.status_code, code(taken)) == (409, "session_belongs_to_another")
    assert len((await loft.get("/v1/sessions/s1/messages")).json()["messages"]) == 1


async def test_repeating_a_request_with_its_key_does_nothing_twice(loft: httpx2.AsyncClient) -> None:
    body = {"content": "once", "user_id": "c17", "at": "2026-02-01T10:00:00Z"}
    key = {"Idempotency-Key": "9f2a"}
    first = await loft.post("/v1/sessions/s1/messages", json=body, headers=key)
    again = await loft.post("/v1/sessions/s1/messages", json=body, headers=key)
    assert again.status_code == first.status_code == 201
    assert again.json() == {"ids": first.json()["ids"], "repeated": True, "consolidated": None}
    other = await loft.post("/v1/sessions/s1/messages", json={**body, "content": "two"}, headers=key)
    assert (other.status_code, code(other)) == (422, "idempotency_mismatch")
    elsewhere = await loft.post("/v1/sessions/s2/messages", json=body, headers=key)
    assert code(elsewhere) == "idempotency_mismatch"
    assert len((await loft.get("/v1/sessions/s1/messages")).json()["messages"]) == 1


async def test_one_key_at_the_same_time_is_one_write(loft: httpx2.AsyncClient) -> None:
    body = {"messages": [{"content": "a"}, {"content": "b"}], "user_id": "c17"}
    key = {"Idempotency-Key": "k"}
    answers = await asyncio.gather(
        *(loft.post("/v1/sessions/s1/messages", json=body, headers=key) for _ in range(12))
    )
    assert {answer.status_code for answer in answers} == {201}
    assert len({tuple(answer.json()["ids"]) for answer in answers}) == 1
    assert sum(not answer.json()["repeated"] for answer in answers) == 1
    assert len((await loft.get("/v1/sessions/s1/messages")).json()["messages"]) == 2


async def test_a_key_belongs_to_its_tenant(door: Door, loft: httpx2.AsyncClient) -> None:
    attic = await door.client("attic")
    for client in (loft, attic):
        answer = await client.post(
            "/v1/sessions/s1/messages",
            json={"content": client.base_url.host, "shared": True},
            headers={"Idempotency-Key": "k"},
        )
        assert answer.json()["repeated"] is False


async def test_nothing_of_a_bad_batch_is_kept(loft: httpx2.AsyncClient) -> None:
    bad = {"messages": [{"content": "fine"}, {"content": "   "}], "user_id": "c17"}
    answer = await loft.post("/v1/sessions/s1/messages", json=bad)
    assert answer.status_code == 422
    assert code(await loft.get("/v1/sessions/s1")) == "not_found"
    assert code(await loft.get("/v1/users/c17")) == "not_found"
