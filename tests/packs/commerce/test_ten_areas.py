"""What the furniture retailer's memory must do, area by area, over its wire."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from decimal import Decimal
from typing import Any
from uuid import uuid4

import psycopg
import pytest
import vendors
from interfaces.door import Door, make_door
from testbed import Bed, Database
from vendors import running

from packs.commerce.conftest import PRIYA, Chat, open_chat
from recollect.adapters.language import open_language_model
from recollect.core.errors import LanguageModelUnavailable, ModelUnavailable
from recollect.core.language import Language, Prices
from recollect.core.ports import Prompt

pytestmark = pytest.mark.anyio

STATS = {"total_entities", "total_relations", "total_memories", "total_summaries", "unique_users"}


# 1. Availability


async def test_the_status_tells_that_all_is_well(chat: Chat) -> None:
    status = await chat.get("/memory/status")
    assert status["status"] == "operational"
    assert status["system_ready"] is True
    assert status["message"]
    assert set(status["stats"]) == STATS
    assert set(status["stats"].values()) == {0}


async def test_the_status_tells_of_conversations_that_wait_for_long(chat: Chat) -> None:
    await chat.say("late", "I love oak.", learn=False)
    chat.bed.clock.advance(hours=1)
    status = await chat.get("/memory/status")
    assert (status["status"], status["system_ready"]) == ("degraded", True)
    assert "1 messages" in status["message"]


# 2. Entities


async def test_an_entity_is_made_found_and_added_to(chat: Chat) -> None:
    id_ = await chat.entity("order 10432", "order", "Placed on 2 March", metadata={"status": "placed"})
    again = await chat.entity(
        "order 10432", "order", "Delivered on 9 March", metadata={"status": "delivered"}
    )
    assert again == id_
    found = await search(chat, "entities", "order 10432")
    assert [one["id"] for one in found] == [id_]
    assert found[0]["entity_type"] == "order"
    assert found[0]["observations"] == ["Placed on 2 March", "Delivered on 9 March"]
    assert found[0]["metadata"] == {"status": "delivered"}


async def test_a_search_has_only_what_reaches_the_cosine(chat: Chat) -> None:
    await chat.entity("Alder sofa", "product", "Mid-century sofa in walnut and grey wool")
    await chat.entity("Brass lamp", "product", "A desk lamp")
    near = await search(chat, "entities", "a walnut sofa in mid-century style", min_similarity=-1.0)
    assert [one["name"] for one in near] == ["Alder sofa", "Brass lamp"]
    cosines = [one["similarity"] for one in near]
    assert cosines == sorted(cosines, reverse=True)
    between = sum(cosines) / 2
    kept = await search(chat, "entities", "a walnut sofa in mid-century style", min_similarity=between)
    assert [one["similarity"] for one in kept] == cosines[:1]
    assert await search(chat, "entities", "Brass lamp", min_similarity=1.0, limit=1) == []


async def test_the_customer_is_an_entity_too(chat: Chat) -> None:
    id_ = await chat.entity("Priya", "customer", "Speaks Portuguese")
    await chat.say("one", "I love mid-century furniture.")
    found = await search(chat, "entities", "Priya", min_similarity=0.3)
    assert [(one["id"], one["entity_type"]) for one in found][:1] == [(id_, "customer")]


# 3. Relations


async def test_entities_are_related_by_name_and_by_id(chat: Chat) -> None:
    order = await chat.entity("order 7", "order")
    await chat.entity("Alder sofa", "product")
    await chat.relate(PRIYA, "placed", "order 7", metadata={"channel": "chat"})
    await chat.relate(order, "contains", "alder sofa", strength=2.0, confidence=0.9)
    data = (await chat.get(f"/memory/context/{PRIYA}"))["raw_data"]
    ties = {(one["from_entity"], one["relation_type"], one["to_entity"]) for one in data["relations"]}
    assert ties == {(PRIYA, "placed", "order 7"), ("order 7", "contains", "Alder sofa")}
    assert [one["metadata"] for one in data["relations"] if one["relation_type"] == "placed"] == [
        {"channel": "chat"}
    ]


async def test_the_same_relation_is_told_twice_and_there_once(chat: Chat) -> None:
    await chat.entity("order 7", "order")
    for _ in range(2):
        await chat.relate(PRIYA, "placed", "order 7")
    assert (await chat.get("/memory/status"))["stats"]["total_relations"] == 1


# 4. Long-term memory


async def test_what_is_stored_is_found_in_any_later_conversation(chat: Chat) -> None:
    body = {"content": "Wants to be called in the morning.", "memory_type": "preference", "importance": 0.8}
    stored = await chat.post("/memory/memory/store", body, user_identifier=PRIYA, conversation_id="chat-1")
    assert stored["success"] is True
    (found,) = await search(chat, "memories", "When does she want to be called?", min_similarity=0.2)
    assert found["content"] == body["content"]
    assert (found["memory_type"], found["importance"]) == ("preference", 0.8)
    assert found["conversation_id"] == "chat-1"
    assert 0.2 <= found["similarity"] <= 1


async def test_a_memory_type_of_the_shops_own_stays_as_it_is(chat: Chat) -> None:
    await chat.post(
        "/memory/memory/store",
        {"content": "Has a VIP card.", "memory_type": "loyalty"},
        user_identifier=PRIYA,
    )
    (found,) = await search(chat, "memories", "VIP card", min_similarity=0.2)
    assert found["memory_type"] == "loyalty"


async def test_what_was_said_weeks_ago_answers_in_a_new_conversation(chat: Chat) -> None:
    await chat.say("march", "Hi, I'm Priya. I love mid-century furniture. Do you have sectionals?")
    chat.bed.clock.advance(days=30)
    context = await chat.get(f"/memory/context/{PRIYA}", query="What do you remember about me?")
    assert context["has_context"] is True
    assert "Priya" in context["raw_data"]["answer"]
    assert "mid-century" in context["raw_data"]["answer"]
    assert "mid-century" in context["formatted_context"]


# 5. Conversation insights


async def test_insights_tell_what_one_conversation_says(chat: Chat) -> None:
    await chat.say("first", "We live in Covington.", learn=False)
    await chat.say("other", "I prefer walnut.", learn=False)
    behind = await chat.get("/memory/conversation/first/insights", user_identifier=PRIYA)
    assert (behind["processed"], behind["messages"], behind["messages_behind"]) == (False, 1, 1)
    await chat.bed.learn()
    note = {"content": "Asked for a callback."}
    await chat.post("/memory/memory/store", note, user_identifier=PRIYA, conversation_id="first")
    found = await chat.get("/memory/conversation/first/insights", user_identifier=PRIYA)
    assert found["processed"] is True
    said = [one["content"] for one in found["memories"]]
    assert "Lives in Covington." in said
    assert "Asked for a callback." in said
    assert not any("walnut" in one for one in said)
    assert {one["name"] for one in found["entities"]} >= {"Covington"}
    assert {one["relation_type"] for one in found["relations"]} == {"residence"}


# 6. Orchestration


async def test_processing_goes_on_in_the_background(chat: Chat) -> None:
    await chat.say("one", "I love oak.", learn=False)
    first = await chat.post("/memory/conversation/one/process", user_identifier=PRIYA)
    assert first["success"] is True
    due = "SELECT count(*) FROM jobs.procrastinate_jobs WHERE status = 'todo' AND scheduled_at <= now()"
    assert chat.bed.database.value(due) >= 1
    await chat.bed.learn()
    again = await chat.post("/memory/conversation/one/process", user_identifier=PRIYA)
    assert again["message"] != first["message"]


async def test_a_context_brings_all_tiers_together(chat: Chat) -> None:
    await chat.entity("order 7", "order", metadata={"status": "shipped"})
    await chat.relate(PRIYA, "placed", "order 7")
    await chat.post("/memory/memory/store", {"content": "Allergic to wool."}, user_identifier=PRIYA)
    await chat.say("one", "We live in Covington.")
    await chat.say("two", "Where is my order?", learn=False)
    context = await chat.get(f"/memory/context/{PRIYA}", query="Where is my order?")
    data = context["raw_data"]
    assert {one["name"] for one in data["entities"]} >= {"order 7", "Covington"}
    assert {"Allergic to wool.", "Lives in Covington."} <= {one["content"] for one in data["memories"]}
    assert data["recent_messages"][-1]["content"] == "Where is my order?"
    assert data["enrichment"] == {"complete": False, "missing": [], "messages_behind": 1}
    for part in ("order 7", "shipped", "Allergic to wool.", "Covington", "Where is my order?"):
        assert part in context["formatted_context"]


async def test_what_is_theirs_is_in_the_context_related_or_not(chat: Chat) -> None:
    await chat.entity("Thing of no section", "thing")
    empty = await chat.get(f"/memory/context/{PRIYA}")
    assert (empty["has_context"], empty["formatted_context"]) == (False, "")
    await chat.entity("order 7", "order", "Placed on 2 March.", "Gift", metadata={"status": "shipped"})
    await chat.entity("Priya", "customer", "Speaks Portuguese", metadata={"member": True}, confidence=0.9)
    context = await chat.get(f"/memory/context/{PRIYA}")
    assert context["has_context"] is True
    lines = context["formatted_context"].splitlines()
    assert "[m1] customer: Priya: Speaks Portuguese. member: yes." in lines
    assert "[m2] order: order 7: Placed on 2 March. Gift. status: shipped." in lines
    kept = {one["name"]: one for one in context["raw_data"]["entities"]}["Priya"]
    assert (kept["observations"], kept["confidence"]) == (["Speaks Portuguese"], 0.9)
    assert kept["metadata"] == {"member": True}


async def test_only_what_answers_is_said_to_answer(chat: Chat) -> None:
    await chat.say("one", "I love oak.", "We live in Covington.", "My sister has a dog.")
    title = "## What answers this"
    assert title not in (await chat.get(f"/memory/context/{PRIYA}", query="hello"))["formatted_context"]
    answered = (await chat.get(f"/memory/context/{PRIYA}", query="Is it oak?"))["formatted_context"]
    assert "oak" in answered.partition(title)[2].partition("##")[0]


async def test_all_that_is_known_can_be_read_at_once(chat: Chat) -> None:
    aside = "The showroom by the bridge opens at ten.", "It rains on the bridge in winter and in spring, too."
    await chat.say("march", "Hi, I'm Priya. I love mid-century furniture.", *aside, *aside, *aside)
    for number in range(7):
        chat.bed.clock.advance(days=1)
        await chat.entity(f"order {number}", "order", "A long story. " * 30)
        await chat.relate(PRIYA, "placed", f"order {number}")
    context = await chat.get(f"/memory/context/{PRIYA}", query="What do you remember about me?")
    lines = context["raw_data"]["answer"].splitlines()
    assert any("mid-century" in line for line in lines)
    assert not [line for line in lines if "bridge" in line or "preference: mid-century" in line]
    orders = [line.split(" (")[0].split("] ")[1] for line in lines if "order: " in line]
    assert orders == [f"order: order {number}" for number in (6, 5, 4, 3, 2)]
    assert max(map(len, lines)) < 270
    await chat.say("talk", "Is it far to your showroom from the bridge?", user="customer-ben")
    context = await chat.get("/memory/context/customer-ben", query="What do you remember about me?")
    assert "showroom" in context["raw_data"]["answer"]


async def test_what_only_the_shop_has_told_of_is_an_answer_too(chat: Chat) -> None:
    ask = "What do you remember about me?"
    assert (await chat.get(f"/memory/context/{PRIYA}", query=ask))["raw_data"]["answer"] is None
    await chat.entity("order 7", "order", metadata={"status": "shipped"})
    answer = (await chat.get(f"/memory/context/{PRIYA}", query=ask))["raw_data"]["answer"]
    assert answer.startswith("This is remembered:\n[m1] order: order 7")
    assert "shipped" in answer


async def test_the_inbox_lists_the_conversations(chat: Chat) -> None:
    await chat.say("one", "I love oak.")
    await chat.say("two", "And brass lamps.", "Do you have any?")
    inbox = await chat.get(f"/v1/sessions/{PRIYA}")
    assert (inbox["user_identifier"], inbox["count"]) == (PRIYA, 2)
    newest, oldest = inbox["sessions"]
    assert (newest["conversation_id"], newest["message_count"]) == ("two", 2)
    assert newest["last_message"]["content"] == "Do you have any?"
    assert oldest["processed"] is True
    assert oldest["summary"]


# 7. Statistics


async def test_the_statistics_are_true(chat: Chat) -> None:
    user = f"counted-{uuid4().hex}"
    await chat.entity("order 7", "order", user=user)
    await chat.entity("Alder sofa", "product", user="customer-ben")
    await chat.relate(user, "placed", "order 7", user=user)
    await chat.say("one", "I love oak.", user=user, learn=False)
    stats = (await chat.get("/memory/status"))["stats"]
    assert stats == {
        "total_entities": 3,
        "total_relations": 1,
        "total_memories": 0,
        "total_summaries": 0,
        "unique_users": 2,
    }
    await chat.bed.learn()
    kept = "SELECT count(*) FROM memories WHERE superseded_at IS NULL AND user_id = %s AND kind <> ALL (%s)"
    learned = (await chat.get("/memory/status"))["stats"]
    assert learned["total_memories"] == chat.bed.database.value(kept, user, ["message", "summary"]) > 0
    assert learned["total_summaries"] == 1


async def test_a_summary_of_the_customer_counts_exactly(chat: Chat) -> None:
    await chat.say("one", "Hi, I'm Priya and I love oak.")
    summary = await chat.get(f"/memory/user/{PRIYA}/summary")
    assert summary["user_identifier"] == PRIYA
    assert "oak" in summary["summary"]
    assert summary["stats"]["conversations"] == 1
    assert {one["content"] for one in summary["facts"]} >= {"Name: Priya."}


# 8. Clean-up


async def test_what_is_old_and_never_recalled_is_deleted(chat: Chat) -> None:
    for content in ("Likes tea.", "Wants the catalogue by post."):
        await chat.post("/memory/memory/store", {"content": content}, user_identifier=PRIYA)
    await chat.say("one", "I love oak.")
    chat.bed.clock.advance(days=100)
    await search(chat, "memories", "catalogue by post", min_similarity=0.5)
    assert "1 memories" in (await chat.post("/memory/maintenance/cleanup"))["message"]
    left = await search(chat, "memories", "tea catalogue oak", min_similarity=-1.0, limit=50)
    contents = {one["content"] for one in left}
    assert "Wants the catalogue by post." in contents
    assert "Likes tea." not in contents
    assert "I love oak." in contents
    assert "0 memories" in (await chat.post("/memory/maintenance/cleanup"))["message"]


async def test_a_customer_is_erased_completely(chat: Chat) -> None:
    user = f"gone-{uuid4().hex}"
    await chat.post("/memory/test/populate-sample-data", user_identifier=user)
    await chat.post("/memory/memory/store", {"content": "Likes tea."}, user_identifier=user)
    await chat.say("one", "I love oak.", user=user)
    await chat.say("two", "Do you have lamps?", user=user, learn=False)
    await chat.post("/memory/memory/store", {"content": "Likes coffee."}, user_identifier="customer-ben")
    assert left_of(chat.bed.database, user).keys() >= {"users", "sessions", "memories", "entities"}
    gone = await chat.delete(f"/memory/user/{user}")
    assert gone["success"] is True
    assert left_of(chat.bed.database, user) == {}
    assert await search(chat, "memories", "tea", user=user, min_similarity=-1.0) == []
    assert (await chat.get(f"/memory/context/{user}"))["has_context"] is False
    assert len(await search(chat, "memories", "coffee", user="customer-ben", min_similarity=-1.0)) == 1
    again = await chat.delete(f"/memory/user/{user}")
    assert again["success"] is True


def left_of(database: Database, user_id: str) -> dict[str, int]:
    """How many rows of each table name the user anywhere."""
    tables = database.rows("SELECT tablename FROM pg_tables WHERE schemaname IN ('public', 'jobs')")
    schema = "SELECT schemaname FROM pg_tables WHERE tablename = %s"
    found = {}
    for (table,) in tables:
        place = database.value(schema, table)
        count = database.value(
            f"SELECT count(*) FROM {place}.{table} AS t WHERE to_jsonb(t)::text LIKE '%%' || %s || '%%'",
            user_id,
        )
        if count:
            found[table] = count
    return found


# 9. Errors


@pytest.mark.parametrize(
    ("path", "body", "params", "status"),
    [
        ("/memory/search/entities", {"query": "sofa"}, {}, 422),
        ("/memory/search/entities", {"query": "", "user_identifier": "a"}, {}, 422),
        ("/memory/search/entities", {"query": "x", "user_identifier": "a", "min_similarity": 2}, {}, 422),
        ("/memory/search/memories", {"query": "x", "user_identifier": "a", "limit": 0}, {}, 422),
        ("/memory/entity/create", {"name": "x", "entity_type": "order"}, {}, 422),
        ("/memory/entity/create", {"name": "x", "entity_type": "spaceship"}, {"user_identifier": "a"}, 422),
        (
            "/memory/entity/create",
            {"name": "x", "entity_type": "product", "metadata": {"price": "cheap"}},
            {"user_identifier": "a"},
            422,
        ),
        (
            "/memory/relation/create",
            {"from_entity": "nobody", "to_entity": "nothing", "relation_type": "has"},
            {"user_identifier": "a"},
            404,
        ),
        ("/memory/memory/store", {"content": ""}, {"user_identifier": "a"}, 422),
        ("/memory/memory/store", {"content": "x", "importance": 7}, {"user_identifier": "a"}, 422),
        ("/memory/conversation/none/process", None, {"user_identifier": "a"}, 404),
        ("/memory/maintenance/cleanup", None, {"days_old": -1}, 422),
        ("/memory/nowhere", None, {}, 404),
    ],
)
async def test_a_fault_has_its_status_and_says_what_to_do(
    chat: Chat, path: str, body: dict[str, object] | None, params: dict[str, str], status: int
) -> None:
    problem = await chat.post(path, body, status, **params)
    assert problem["success"] is False
    assert problem["message"]
    assert problem["detail"]
    assert problem["hint"]


async def test_nobody_is_answered_without_a_credential(door: Door) -> None:
    response = await door.bearer(None).get("/commerce/memory/status")
    assert response.status_code == 401
    assert response.json()["success"] is False


async def test_a_tenant_that_has_not_turned_the_pack_on_is_refused(door: Door) -> None:
    client = await door.client("attic")
    response = await client.get("/commerce/memory/status")
    assert (response.status_code, response.json()["code"]) == (403, "pack_off")
    await client.put("/v1/packs/commerce")
    assert (await client.get("/commerce/memory/status")).status_code == 200
    await client.delete("/v1/packs/commerce")
    assert (await client.get("/commerce/memory/status")).status_code == 403


async def test_an_unknown_customer_is_not_found(chat: Chat) -> None:
    assert (await chat.get("/memory/user/nobody/summary", 404))["success"] is False
    assert (await chat.get("/memory/context/nobody"))["has_context"] is False
    assert (await chat.get("/v1/sessions/nobody"))["count"] == 0


async def test_two_things_of_one_name_are_asked_back_for(chat: Chat) -> None:
    ids = [await chat.entity("Alder", kind) for kind in ("product", "issue")]
    body = {"from_entity": PRIYA, "to_entity": "Alder", "relation_type": "has"}
    problem = await chat.post("/memory/relation/create", body, 409, user_identifier=PRIYA)
    assert all(id_ in problem["hint"] for id_ in ids)


# Tenancy and people


async def test_two_shops_never_see_each_other(door: Door) -> None:
    ours, theirs = await open_chat(door, "loft"), await open_chat(door, "attic")
    id_ = await ours.entity("order 7", "order", "Ours alone")
    await ours.say("one", "I love oak.")
    assert await search(theirs, "entities", "order 7", min_similarity=-1.0) == []
    assert await search(theirs, "memories", "oak", min_similarity=-1.0) == []
    assert (await theirs.get(f"/memory/context/{PRIYA}"))["has_context"] is False
    await theirs.get("/memory/conversation/one/insights", 404, user_identifier=PRIYA)
    body = {"from_entity": PRIYA, "to_entity": id_, "relation_type": "stole"}
    await theirs.post("/memory/relation/create", body, 404, user_identifier=PRIYA)
    await theirs.delete(f"/memory/user/{PRIYA}")
    assert (await ours.get(f"/memory/context/{PRIYA}"))["has_context"] is True


async def test_a_customers_own_credential_reaches_their_own_alone(own_chat: Chat, door: Door) -> None:
    owner = await open_chat(door)
    await owner.say("bens", "I love brass.", user="customer-ben")
    await own_chat.say("mine", "I love oak.")
    assert len(await search(own_chat, "memories", "oak", min_similarity=0.2)) >= 1
    await own_chat.get("/memory/context/customer-ben", 403)
    await own_chat.get("/memory/conversation/bens/insights", 403, user_identifier="customer-ben")
    await own_chat.delete("/memory/user/customer-ben", 403)
    await own_chat.post("/memory/maintenance/cleanup", None, 403)
    body = {"content": "Is mean."}
    await own_chat.post("/memory/memory/store", body, 403, user_identifier="customer-ben")


async def test_what_customers_share_does_not_lead_from_one_to_another(chat: Chat) -> None:
    shared = {"name": "Alder sofa", "kind": "product", "shared": True}
    assert (await chat.client.post("/v1/entities", json=shared)).status_code == 201
    for user, order in ((PRIYA, "order 1"), ("customer-ben", "order 2")):
        await chat.entity(order, "order", user=user)
        await chat.relate(user, "placed", order, user=user)
        await chat.relate(order, "contains", "Alder sofa", user=user)
    for query in ("", "What do you remember about me?", "Who else bought the Alder sofa?"):
        context = await chat.get(f"/memory/context/{PRIYA}", query=query)
        assert "order 1" in context["formatted_context"]
        assert "order 2" not in str(context)
        assert "customer-ben" not in str(context)
    summary = await chat.get(f"/memory/user/{PRIYA}/summary")
    assert "Alder sofa" in str(summary)
    assert "order 2" not in str(summary)


# 10. End to end


async def test_a_shopper_is_known_weeks_later(chat: Chat) -> None:
    await chat.say("march", "Hi, I'm Priya. I love mid-century furniture.", "Do you have sectionals?")
    await chat.entity("Alder sectional", "product", "Mid-century sectional in grey wool")
    await chat.entity("order 10432", "order", metadata={"status": "placed"})
    await chat.relate(PRIYA, "placed", "order 10432")
    await chat.relate("order 10432", "contains", "Alder sectional")
    await chat.entity("issue 501: broken leg", "issue", metadata={"status": "open"})
    await chat.relate(PRIYA, "raised", "issue 501: broken leg")
    chat.bed.clock.advance(days=40)
    await chat.entity("issue 501: broken leg", "issue", metadata={"status": "resolved"})
    await chat.say("april", "Actually, I prefer Scandinavian style now.")
    context = await chat.get(f"/memory/context/{PRIYA}", query="What do you remember about me?")
    answer = context["raw_data"]["answer"]
    for part in ("Priya", "Scandinavian", "order 10432", "issue 501", "resolved"):
        assert part in answer
    kinds = {one["entity_type"] for one in context["raw_data"]["entities"]}
    assert {"customer", "order", "product", "preference", "issue"} <= kinds
    await chat.delete(f"/memory/user/{PRIYA}")
    assert (await chat.get(f"/memory/context/{PRIYA}"))["has_context"] is False


async def test_sample_data_is_there_once_however_often_it_is_asked_for(chat: Chat) -> None:
    assert (await chat.get("/memory/test/demo-context"))["has_context"] is False
    first = await chat.post("/memory/test/populate-sample-data", user_identifier="sample-customer")
    before = (await chat.get("/memory/status"))["stats"]
    again = await chat.post("/memory/test/populate-sample-data", user_identifier="sample-customer")
    assert first == again
    assert (await chat.get("/memory/status"))["stats"] == before
    context = await chat.get("/memory/test/demo-context")
    kinds = {one["entity_type"] for one in context["raw_data"]["entities"]}
    assert {"customer", "order", "product", "preference", "issue"} <= kinds


# With the enrichment down


@contextmanager
def without(bed: Bed, table: str) -> Iterator[None]:
    """Take a table away: whatever needs it fails."""
    change(bed, f"ALTER TABLE {table} RENAME TO {table}_away")
    try:
        yield
    finally:
        change(bed, f"ALTER TABLE {table}_away RENAME TO {table}")


def change(bed: Bed, statement: str) -> None:
    with psycopg.connect(bed.database.admin_url, autocommit=True) as connection:
        connection.execute(statement.encode())


async def test_without_the_graph_the_chat_goes_on_and_says_so(chat: Chat) -> None:
    await chat.entity("order 7", "order")
    await chat.relate(PRIYA, "placed", "order 7")
    await chat.say("one", "We live in Covington.")
    with without(chat.bed, "relations"):
        context = await chat.get(f"/memory/context/{PRIYA}", query="Where do I live?")
    assert context["raw_data"]["enrichment"]["missing"] == ["graph"]
    assert context["raw_data"]["enrichment"]["complete"] is False
    assert context["raw_data"]["entities"] == []
    assert [one["content"] for one in context["raw_data"]["recent_messages"]] == ["We live in Covington."]
    assert context["formatted_context"].startswith("Not available now: graph.")
    assert "Covington" in context["formatted_context"]
    whole = await chat.get(f"/memory/context/{PRIYA}", query="Where do I live?")
    assert whole["raw_data"]["enrichment"]["complete"] is True


async def test_without_the_embedding_model_there_is_the_plain_history(
    chat: Chat, monkeypatch: pytest.MonkeyPatch
) -> None:
    await chat.say("one", "We live in Covington.")

    async def away(_: object) -> None:
        raise ModelUnavailable

    monkeypatch.setattr(chat.bed.embeddings, "aim", away)
    context = await chat.get(f"/memory/context/{PRIYA}", query="Where would I like to live?")
    assert context["raw_data"]["enrichment"]["missing"] == ["recall"]
    assert context["raw_data"]["recent_messages"][0]["content"] == "We live in Covington."
    assert "Lives in Covington." in context["formatted_context"]


async def test_without_the_language_model_rules_read_and_the_context_says_so(shop_bed: Bed) -> None:
    async with running(vendors.refused(500)) as vendor:
        model = open_language_model("openai", "toy", key="test", base_url=vendor.url, seconds=5)
        prices = Prices(Decimal(1), Decimal(1))
        language = Language(shop_bed.storage, shop_bed.clock, model, prices, Decimal(10))
        door = make_door(shop_bed, language=language)
        chat = await open_chat(door)
        principal = shop_bed.tenants.principal(door.tenant("loft"))
        while not language.paused:
            with pytest.raises(LanguageModelUnavailable):
                await language.complete(principal, Prompt("", "", 10), {"type": "object", "properties": {}})
        await chat.say("one", "We live in Covington.")
        context = await chat.get(f"/memory/context/{PRIYA}", query="Where do I live?")
        assert context["raw_data"]["enrichment"]["missing"] == ["language model"]
        assert context["formatted_context"].startswith("Not available now: language model.")
        assert "Lives in Covington." in context["formatted_context"]
        await door.close()
        await language.aclose()


async def test_without_a_worker_the_chat_goes_on_with_what_was_said(chat: Chat) -> None:
    await chat.say("one", "We live in Covington.", "I love oak.", learn=False)
    context = await chat.get(f"/memory/context/{PRIYA}", query="Where do I live?")
    assert context["raw_data"]["enrichment"] == {"complete": False, "missing": [], "messages_behind": 2}
    assert "Not understood yet: the last 2 messages." in context["formatted_context"]
    assert "We live in Covington." in context["formatted_context"]


async def search(
    chat: Chat, what: str, query: str, user: str = PRIYA, **more: object
) -> list[dict[str, Any]]:
    """The results of a search, whose count is theirs."""
    body = {"query": query, "user_identifier": user, **more}
    found = await chat.post(f"/memory/search/{what}", body)
    assert found["count"] == len(found["results"])
    results: list[dict[str, Any]] = found["results"]
    return results
