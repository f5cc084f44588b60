"""The wire field by field: what existing clients send, and what they get."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

import pytest
from interfaces.json_schema import faults

from packs.commerce.conftest import PRIYA, Chat

pytestmark = pytest.mark.anyio

ENTITY = {"name": "Alder sofa", "entity_type": "product", "observations": ["A grey sofa"]}
RELATION = {"from_entity": PRIYA, "to_entity": "Alder sofa", "relation_type": "owns"}
SEARCH = {"query": "Alder sofa", "user_identifier": PRIYA}
OF_PRIYA = {"user_identifier": PRIYA}

WIRE: list[tuple[str, str, dict[str, Any] | None, dict[str, str], set[str]]] = [
    ("POST", "/memory/entity/create", ENTITY, OF_PRIYA, {"success", "entity_id", "message"}),
    ("POST", "/memory/relation/create", RELATION, OF_PRIYA, {"success", "message"}),
    (
        "POST",
        "/memory/memory/store",
        {"content": "Likes tea."},
        {**OF_PRIYA, "conversation_id": "one"},
        {"success", "message"},
    ),
    ("GET", "/memory/status", None, {}, {"status", "message", "stats", "system_ready"}),
    (
        "GET",
        f"/memory/user/{PRIYA}/summary",
        None,
        {},
        {
            "user_identifier",
            "names",
            "summary",
            "facts",
            "entities",
            "relations",
            "recent_summaries",
            "stats",
            "first_seen",
        },
    ),
    ("POST", "/memory/search/entities", SEARCH, {}, {"results", "count"}),
    ("POST", "/memory/search/memories", SEARCH, {}, {"results", "count"}),
    (
        "GET",
        f"/memory/context/{PRIYA}",
        None,
        {"query": "tea"},
        {"formatted_context", "raw_data", "has_context"},
    ),
    ("POST", "/memory/conversation/one/process", None, OF_PRIYA, {"success", "message"}),
    (
        "GET",
        "/memory/conversation/one/insights",
        None,
        OF_PRIYA,
        {
            "conversation_id",
            "user_identifier",
            "entities",
            "relations",
            "memories",
            "summaries",
            "messages",
            "messages_behind",
            "processed",
        },
    ),
    ("GET", "/memory/products/related", None, OF_PRIYA, {"user_identifier", "products", "count"}),
    ("POST", "/memory/maintenance/cleanup", None, {}, {"success", "message"}),
    ("POST", "/memory/test/populate-sample-data", None, OF_PRIYA, {"success", "message"}),
    (
        "GET",
        "/memory/test/demo-context",
        None,
        {},
        {"formatted_context", "raw_data", "has_context"},
    ),
    ("GET", f"/v1/sessions/{PRIYA}", None, {}, {"user_identifier", "sessions", "count"}),
    ("DELETE", f"/memory/user/{PRIYA}", None, {}, {"success", "message"}),
]


def described(document: dict[str, Any], method: str, path: str) -> dict[str, Any]:
    """The operation of a path, whose ids stand for its parameters."""
    template = f"/commerce{path}".replace(PRIYA, "{user_identifier}").replace("/one/", "/{conversation_id}/")
    operation: dict[str, Any] = document["paths"][template][method.lower()]
    return operation


async def test_every_path_answers_with_its_fields_and_as_it_is_described(chat: Chat) -> None:
    document = (await chat.client.get("/v1/openapi.json")).json()
    await chat.say("one", "We live in Covington.")
    seen = set()
    for method, path, body, params, fields in WIRE:
        response = await chat.client.request(method, f"/commerce{path}", json=body, params=params)
        assert response.status_code == 200, (path, response.text)
        assert set(response.json()) == fields, path
        operation = described(document, method, path)
        schema = operation["responses"]["200"]["content"]["application/json"]["schema"]
        assert faults(response.json(), schema, document) == [], path
        seen.add(operation["operationId"])
    there = {
        operation["operationId"]
        for path, methods in document["paths"].items()
        for operation in methods.values()
        if path.startswith("/commerce/")
    }
    assert seen == there


async def test_everything_is_described_with_an_example_that_fits(chat: Chat) -> None:
    document = (await chat.client.get("/v1/openapi.json")).json()
    for name, schema in document["components"]["schemas"].items():
        if "enum" not in schema:
            assert schema["examples"], name
            assert [fault for one in schema["examples"] for fault in faults(one, schema, document)] == [], (
                name
            )
    for path, methods in document["paths"].items():
        for operation in methods.values():
            assert operation["description"], path
            assert all(one.get("description") for one in operation.get("parameters", [])), path


async def test_what_is_left_out_has_its_old_default(chat: Chat) -> None:
    document = (await chat.client.get("/v1/openapi.json")).json()
    named = document["components"]["schemas"]

    def defaults(name: str) -> dict[str, Any]:
        return {key: one["default"] for key, one in named[name]["properties"].items() if "default" in one}

    assert defaults("ShopSearch") == {"limit": 5, "min_similarity": 0.6}
    assert defaults("ShopNewMemory") == {"memory_type": "general", "importance": 0.5}
    assert defaults("ShopNewRelation") == {"strength": 1.0, "confidence": 1.0}
    cleanup = described(document, "POST", "/memory/maintenance/cleanup")
    assert {one["name"]: one["schema"]["default"] for one in cleanup["parameters"]} == {
        "days_old": 90,
        "min_access_count": 1,
    }


async def test_a_client_may_send_more_than_is_needed(chat: Chat) -> None:
    made = await chat.post("/memory/entity/create", {**ENTITY, "version": 2}, user_identifier=PRIYA)
    assert made["success"] is True


async def test_storing_with_a_key_twice_stores_once(chat: Chat) -> None:
    for _ in range(2):
        response = await chat.client.post(
            "/commerce/memory/memory/store",
            json={"content": "Likes tea."},
            params=OF_PRIYA,
            headers={"Idempotency-Key": "k1"},
        )
        assert response.status_code == 200
    assert (await chat.get("/memory/status"))["stats"]["total_memories"] == 1


@pytest.mark.parametrize("user", ["ana@example.com", "Zoë Ünal", "a/b c", "顾客-17", "+1 (555) 010"])
async def test_a_customer_may_be_called_anything(chat: Chat, user: str) -> None:
    await chat.post("/memory/memory/store", {"content": "Likes tea."}, user_identifier=user)
    path = quote(user, safe="")
    assert (await chat.get(f"/memory/context/{path}"))["has_context"] is True
    assert (await chat.get(f"/memory/user/{path}/summary"))["user_identifier"] == user
    assert (await chat.delete(f"/memory/user/{path}"))["success"] is True
    assert (await chat.get(f"/memory/context/{path}"))["has_context"] is False
