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
    ("GET", f"/v1/sessions/{PRIYA}", None, {}, {"user_identifier", "sessions", "count", "next_cursor"}),
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
    seen.add("commerce_add_messages")  # by which it was said
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


async def test_what_is_null_is_not_given_and_words_mean_the_same_however_written(chat: Chat) -> None:
    sparse = {"name": "Alder sofa", "entity_type": "Product", "observations": None, "metadata": None}
    id_ = (await chat.post("/memory/entity/create", sparse, user_identifier=PRIYA))["entity_id"]
    again = await chat.post("/memory/entity/create", {**ENTITY, "confidence": 0.4}, user_identifier=PRIYA)
    assert again["entity_id"] == id_
    await chat.post("/memory/entity/create", ENTITY, user_identifier=PRIYA)
    for kind in ("owns", "OWNS"):
        await chat.relate(PRIYA, kind, "Alder sofa")
    data = (await chat.get(f"/memory/context/{PRIYA}"))["raw_data"]
    assert [one["relation_type"] for one in data["relations"]] == ["owns"]
    assert [one["confidence"] for one in data["entities"] if one["id"] == id_] == [0.4]


async def test_messages_come_in_at_the_same_place(chat: Chat) -> None:
    said = {"content": "I love oak.", "user_id": PRIYA}
    kept = await chat.client.post("/commerce/v1/sessions/one/messages", json=said)
    assert (kept.status_code, len(kept.json()["ids"])) == (201, 1)
    assert (await chat.get(f"/v1/sessions/{PRIYA}"))["count"] == 1


async def test_the_inbox_goes_on_page_by_page(chat: Chat) -> None:
    for name in ("one", "two", "three"):
        await chat.say(name, "Hello.", learn=False)
    first = await chat.get(f"/v1/sessions/{PRIYA}", limit=2)
    rest = await chat.get(f"/v1/sessions/{PRIYA}", limit=2, cursor=first["next_cursor"])
    listed = [one["session_id"] for page in (first, rest) for one in page["sessions"]]
    assert sorted(listed) == ["one", "three", "two"]
    assert (first["count"], rest["count"], rest["next_cursor"]) == (2, 1, None)


async def test_what_is_known_of_a_lot_is_found_by_its_name(chat: Chat) -> None:
    many = [f"Seen by a customer in the shop on day {day}" for day in range(30)]
    await chat.entity("order 77", "order", *many)
    body = {"query": "order 77", "user_identifier": PRIYA}
    (found,) = (await chat.post("/memory/search/entities", body))["results"]
    assert (found["name"], len(found["observations"])) == ("order 77", 30)
    assert found["similarity"] > 0.9


async def test_a_relation_that_is_refused_leaves_nobody_behind(chat: Chat) -> None:
    body = {"from_entity": "ghost", "to_entity": "nothing", "relation_type": "has"}
    await chat.post("/memory/relation/create", body, 404, user_identifier="ghost")
    await chat.get("/memory/user/ghost/summary", 404)
    assert (await chat.get("/memory/status"))["stats"]["unique_users"] == 0


async def test_another_customers_things_are_not_related_by_their_ids(chat: Chat) -> None:
    theirs = await chat.entity("order 9", "order", user="customer-ben")
    body = {"from_entity": PRIYA, "to_entity": theirs, "relation_type": "placed"}
    await chat.post("/memory/relation/create", body, 404, user_identifier=PRIYA)
    shared = [{"name": name, "kind": "product", "shared": True} for name in ("Oslo", "Bergen")]
    for one in shared:
        assert (await chat.client.post("/v1/entities", json=one)).status_code == 201
    both = {"from_entity": "Oslo", "to_entity": "Bergen", "relation_type": "fits"}
    await chat.post("/memory/relation/create", both, 422, user_identifier=PRIYA)


async def test_a_products_fields_are_checked_by_whatever_way_they_come(chat: Chat) -> None:
    wrong = {"name": "Oslo", "kind": "product", "user_id": PRIYA, "attributes": {"price": "cheap"}}
    assert (await chat.client.post("/v1/entities", json=wrong)).status_code == 422
    id_ = await chat.entity("Oslo", "product", metadata={"price": 90})
    for changes in ({"attributes": {"price": "cheap"}}, {"attributes": {"price": True}}):
        refused = await chat.client.patch(f"/v1/entities/{id_}", json=changes)
        assert (refused.status_code, "price must be a number" in refused.text) == (422, True)
    kept = await chat.client.patch(f"/v1/entities/{id_}", json={"attributes": {"price": 80}})
    assert kept.status_code == 200


async def test_a_name_may_look_like_an_id(chat: Chat) -> None:
    await chat.entity("3f2b7c1e-52a5-4f0b-9d5e-7d5b2b1f6a11", "order")
    await chat.relate(PRIYA, "placed", "3f2b7c1e-52a5-4f0b-9d5e-7d5b2b1f6a11")


async def test_a_conversation_of_which_only_memories_know_has_insights(chat: Chat) -> None:
    note = {"content": "Asked for a callback."}
    await chat.post("/memory/memory/store", note, user_identifier=PRIYA, conversation_id="phone-1")
    found = await chat.get("/memory/conversation/phone-1/insights", user_identifier=PRIYA)
    assert [one["content"] for one in found["memories"]] == ["Asked for a callback."]
    assert (found["messages"], found["processed"]) == (0, True)
    done = await chat.post("/memory/conversation/phone-1/process", user_identifier=PRIYA)
    assert done["success"] is True
    await chat.get("/memory/conversation/phone-1/insights", 404, user_identifier="customer-ben")


async def test_a_customer_has_the_name_that_was_heard(chat: Chat) -> None:
    await chat.entity("order 1", "order")
    await chat.relate(PRIYA, "placed", "order 1")
    await chat.say("one", "Hi, my name is Lena.")
    assert (await chat.get(f"/memory/user/{PRIYA}/summary"))["names"] == ["Lena"]


@pytest.mark.parametrize("odd", [10**400, True, -1, "high", None, [0.5]])
async def test_an_odd_attribute_breaks_no_answer(chat: Chat, odd: Any) -> None:
    made = {
        "name": "Odd lamp",
        "kind": "product",
        "user_id": PRIYA,
        "attributes": {"confidence": odd, "observations": odd},
    }
    assert (await chat.client.post("/v1/entities", json=made)).status_code == 201
    await chat.relate(PRIYA, "owns", "Odd lamp")
    data = (await chat.get(f"/memory/context/{PRIYA}"))["raw_data"]
    assert {one["confidence"] for one in data["entities"]} == {1.0}


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
