"""Recall, context, forget and users, over HTTP."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest

from interfaces.door import code

pytestmark = pytest.mark.anyio


async def converse(client: httpx2.AsyncClient, session: str, user: str, *contents: str) -> None:
    messages = [{"content": content, "name": "Ada"} for content in contents]
    answer = await client.post(
        f"/v1/sessions/{session}/messages", json={"messages": messages, "user_id": user}
    )
    assert answer.status_code == 201


async def contents(client: httpx2.AsyncClient, query: str, **body: Any) -> list[str]:
    answer = await client.post("/v1/recall", json={"query": query, **body})
    assert answer.status_code == 200, answer.text
    return [hit["memory"]["content"] for hit in answer.json()["hits"]]


async def test_the_best_answer_comes_first_with_its_reason(loft: httpx2.AsyncClient) -> None:
    await converse(loft, "s1", "c17", "The dog scratches leather.", "We want a sofa.", "The kitchen is blue.")
    answer = (
        await loft.post("/v1/recall", json={"query": "blue kitchen", "user_id": "c17", "explain": True})
    ).json()
    best = answer["hits"][0]
    assert best["memory"]["content"] == "The kitchen is blue."
    assert sum(best["parts"].values()) == pytest.approx(best["score"])
    assert "kitchen" in best["why"]
    assert answer["took_ms"] > 0
    scores = [hit["score"] for hit in answer["hits"]]
    assert scores == sorted(scores, reverse=True)


async def test_a_hit_holds_the_memory_as_it_is_read_alone(loft: httpx2.AsyncClient) -> None:
    await converse(loft, "s1", "c17", "The kitchen \u2028 is 'blue' 🏡.")
    (evidence,) = (await loft.get("/v1/sessions/s1/messages")).json()["messages"]
    note = {
        "content": "A blue kitchen",
        "kind": "preference",
        "user_id": "c17",
        "metadata": {"rooms": ["kitchen", {"height": 2.75, "sold": None, "é": True}], "large": 1.5e300},
        "min_role": "staff",
        "confidence": 0.1,
        "valid_from": "2026-03-01T10:00:00.123456+05:30",
        "expires_at": "2999-12-31T23:59:59Z",
        "evidence": [evidence["id"]],
    }
    await loft.post("/v1/memories", json=note)
    answer = await loft.post("/v1/recall", json={"query": "blue kitchen", "user_id": "c17"})
    found = [hit["memory"] for hit in answer.json()["hits"]]
    assert len(found) == 2
    assert found == [(await loft.get(f"/v1/memories/{memory['id']}")).json() for memory in found]


async def test_parts_are_for_those_who_ask(loft: httpx2.AsyncClient) -> None:
    await converse(loft, "s1", "c17", "hello")
    answer = await loft.post("/v1/recall", json={"query": "hello", "user_id": "c17"})
    assert [hit["parts"] for hit in answer.json()["hits"]] == [None]


async def test_recall_is_of_one_person_and_what_is_shared(loft: httpx2.AsyncClient) -> None:
    await converse(loft, "s1", "c17", "sofa of c17")
    await converse(loft, "s2", "c18", "sofa of c18")
    await loft.post("/v1/memories", json={"content": "sofa for all", "shared": True})
    assert set(await contents(loft, "sofa", user_id="c17")) == {"sofa of c17", "sofa for all"}
    assert await contents(loft, "sofa", user_id="c17", include_shared=False) == ["sofa of c17"]
    assert await contents(loft, "sofa") == ["sofa for all"]
    assert await contents(loft, "sofa", user_id="nobody", include_shared=False) == []


async def test_staff_may_search_everybody_and_nobody_by_two_ways(loft: httpx2.AsyncClient) -> None:
    await converse(loft, "s1", "c17", "sofa of c17")
    await converse(loft, "s2", "c18", "sofa of c18")
    await loft.post("/v1/memories", json={"content": "sofa for all", "shared": True})
    everybody = await contents(loft, "sofa", all_users=True)
    assert set(everybody) == {"sofa of c17", "sofa of c18", "sofa for all"}
    answer = await loft.post("/v1/recall", json={"query": "sofa", "user_id": "c17", "all_users": True})
    assert answer.status_code == 422
    assert "not both" in answer.text


async def test_the_confidence_is_of_the_answer_and_none_without_one(loft: httpx2.AsyncClient) -> None:
    said = ["The sofa is grey.", "We had rain.", "My cat is asleep.", "I go to work by bus."]
    await converse(loft, "s1", "c17", *said)

    async def confidence(query: str, **scope: Any) -> float:
        answer = await loft.post("/v1/recall", json={"query": query, "user_id": "c17", **scope})
        return float(answer.json()["confidence"])

    near, far = await confidence("Is the sofa grey?"), await confidence("Who won the election?")
    assert 0 < far < near < 1
    assert await confidence("Is the sofa grey?", session_id="none", include_shared=False) == 0


async def test_filters_apply_before_ranking(loft: httpx2.AsyncClient) -> None:
    memories = [
        {"content": f"lamp {price}", "user_id": "c17", "metadata": {"price": price, "tags": ["lamp"]}}
        for price in range(40)
    ]
    await loft.post("/v1/memories", json={"memories": memories})
    await converse(loft, "s9", "c17", "a lamp, said in s9")
    found = await contents(loft, "lamp", user_id="c17", metadata={"price": {"gte": 37}}, limit=3)
    assert set(found) == {"lamp 37", "lamp 38", "lamp 39"}
    found = await contents(loft, "lamp", user_id="c17", metadata={"tags": {"contains": "lamp"}, "price": 5})
    assert found == ["lamp 5"]
    assert await contents(loft, "lamp", user_id="c17", session_id="s9") == ["a lamp, said in s9"]
    assert await contents(loft, "lamp", user_id="c17", kinds=["message"]) == ["a lamp, said in s9"]


async def test_recall_travels_in_time(loft: httpx2.AsyncClient) -> None:
    home = {"user_id": "c17", "valid_from": "2020-01-01T00:00:00Z", "valid_to": "2025-01-01T00:00:00Z"}
    await loft.post("/v1/memories", json={"content": "home is Lyon", **home})
    await loft.post(
        "/v1/memories",
        json={"content": "home is Graz", "user_id": "c17", "valid_from": "2025-01-01T00:00:00Z"},
    )
    assert await contents(loft, "home", user_id="c17", as_of="2024-05-01T00:00:00Z") == ["home is Lyon"]
    assert await contents(loft, "home", user_id="c17", as_of="2025-05-01T00:00:00Z") == ["home is Graz"]
    assert await contents(loft, "home", user_id="c17", known_at="2001-01-01T00:00:00Z") == []


@pytest.mark.parametrize(
    ("metadata", "named"),
    [
        ({"price": {"near": 5}}, "near"),
        ({"price": {}}, "price"),
        ({"price": {"in": 5}}, "in"),
        ({"price": {"gt": None}}, "gt"),
        ({"price": {"exists": 1}}, "exists"),
        ({"a..b": 1}, "a..b"),
        ({"": 1}, "''"),
        ({str(number): 1 for number in range(33)}, "33"),
        ({"a": {"eq": "x" * 9_000}}, "longer"),
        ({"nul": "\0"}, "NUL"),
    ],
)
async def test_a_filter_that_cannot_be_read_says_why(
    loft: httpx2.AsyncClient, metadata: dict[str, Any], named: str
) -> None:
    answer = await loft.post("/v1/recall", json={"query": "x", "metadata": metadata})
    assert (answer.status_code, code(answer)) == (422, "invalid_filter")
    assert named in answer.json()["detail"]


async def test_context_cites_what_it_tells(loft: httpx2.AsyncClient) -> None:
    await converse(loft, "s1", "c17", "The dog scratches leather.")
    await converse(loft, "s2", "c17", "Which sofa?")
    body = {"query": "leather sofa", "user_id": "c17", "session_id": "s2", "budget": 300}
    answer = (await loft.post("/v1/context", json=body)).json()
    assert "The dog scratches leather." in answer["text"]
    assert answer["text"].count("Which sofa?") == 1
    assert 0 < answer["tokens"] <= 300
    for label, id_ in answer["citations"].items():
        memory = (await loft.get(f"/v1/memories/{id_}")).json()
        lines = [line for line in answer["text"].splitlines() if f"[{label}]" in line]
        assert memory["content"] in lines[-1]


async def test_similarity_compares_across_answers_and_is_a_floor(loft: httpx2.AsyncClient) -> None:
    await converse(loft, "s1", "c17", "blue kitchen", "the old oak table")
    ask = {"query": "blue kitchen", "user_id": "c17"}
    alone = (await loft.post("/v1/recall", json=ask)).json()["hits"]
    same, other = sorted((hit["similarity"] for hit in alone), reverse=True)
    assert -1 <= other < same <= 1
    assert await contents(loft, **ask, min_similarity=(same + other) / 2) == ["blue kitchen"]
    assert await contents(loft, **ask, min_similarity=-1) == [hit["memory"]["content"] for hit in alone]
    context = await loft.post("/v1/context", json={**ask, "min_similarity": (same + other) / 2})
    assert "blue kitchen" in context.text
    assert "oak" not in context.text
    await converse(loft, "s2", "c17", *(f"filler number {number}" for number in range(9)))
    more = (await loft.post("/v1/recall", json={**ask, "limit": 50})).json()["hits"]
    again = {hit["memory"]["content"]: hit["similarity"] for hit in more}
    assert again["blue kitchen"] == pytest.approx(same, abs=1e-6)


async def test_the_smallest_budget_holds_a_memory_whatever_it_says(loft: httpx2.AsyncClient) -> None:
    message = {"content": "沙发" * 5_000, "name": "灰" * 200}
    await loft.post("/v1/sessions/s1/messages", json={"messages": [message], "user_id": "c17"})
    for session in ({}, {"session_id": "s1"}):
        body = {"query": "沙发", "user_id": "c17", "budget": 200, **session}
        answer = (await loft.post("/v1/context", json=body)).json()
        assert (len(answer["citations"]), answer["dropped"]) == (1, 0)
        assert answer["tokens"] <= 200


async def test_a_context_holds_nothing_of_somebody_elses_session(loft: httpx2.AsyncClient) -> None:
    await converse(loft, "theirs", "c18", "My PIN is 4711.")
    body = {"query": "PIN", "user_id": "c17", "session_id": "theirs"}
    answer = await loft.post("/v1/context", json=body)
    assert answer.status_code == 200
    assert "4711" not in answer.text


async def test_forget_counts_exactly(loft: httpx2.AsyncClient) -> None:
    await converse(loft, "s1", "c17", "a", "b", "c")
    await converse(loft, "s2", "c17", "d")
    kept = (await loft.post("/v1/memories", json={"content": "fact", "user_id": "c17"})).json()["ids"][0]
    await converse(loft, "s3", "c18", "stays")

    async def forget(**what: str) -> dict[str, int]:
        answer = await loft.post("/v1/forget", json=what)
        assert answer.status_code == 200
        counts: dict[str, int] = answer.json()
        return counts

    assert await forget(memory_id=kept) == {"memories": 1, "sessions": 0, "users": 0}
    assert await forget(session_id="s1") == {"memories": 3, "sessions": 1, "users": 0}
    assert await forget(user_id="c17") == {"memories": 1, "sessions": 1, "users": 1}
    assert await forget(user_id="c17") == {"memories": 0, "sessions": 0, "users": 0}
    assert await contents(loft, "stays", user_id="c18") == ["stays"]


@pytest.mark.parametrize(
    "body", [{}, {"session_id": "s1", "user_id": "c17"}, {"user_id": ""}, {"user_id": None}]
)
async def test_forget_wants_exactly_one(loft: httpx2.AsyncClient, body: dict[str, Any]) -> None:
    await converse(loft, "s1", "c17", "stays")
    assert code(await loft.post("/v1/forget", json=body)) == "invalid_request"
    assert await contents(loft, "stays", user_id="c17") == ["stays"]


async def test_users_are_described_and_listed(loft: httpx2.AsyncClient) -> None:
    await converse(loft, "s1", "c17", "hello", "again")
    answer = await loft.patch("/v1/users/c17", json={"names": ["Ada"], "attributes": {"tier": "gold"}})
    assert answer.status_code == 200
    assert answer.json() == (await loft.get("/v1/users/c17")).json()
    await loft.patch("/v1/users/c17", json={"attributes": {"tier": "silver"}})
    await loft.patch("/v1/users/a%2Fb", json={})
    user = (await loft.get("/v1/users/c17")).json()
    assert (user["names"], user["attributes"]) == (["Ada"], {"tier": "silver"})
    assert (user["memory_count"], user["session_count"]) == (2, 1)
    first = (await loft.get("/v1/users", params={"limit": 1})).json()
    second = (await loft.get("/v1/users", params={"limit": 1, "cursor": first["next_cursor"]})).json()
    assert [one["user_id"] for page in (first, second) for one in page["users"]] == ["a/b", "c17"]
    assert second["next_cursor"] is None
    assert (await loft.delete("/v1/users/c17")).json() == {"memories": 2, "sessions": 1, "users": 1}
    assert code(await loft.get("/v1/users/c17")) == "not_found"
