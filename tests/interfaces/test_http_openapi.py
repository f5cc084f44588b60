"""The description of the door is complete, and true: every answer is what it says."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from typing import Any

import httpx2
import pytest
from fastapi import FastAPI
from testbed import Bed, Database, HashedWords, make_bed

from interfaces.door import Door, make_door
from interfaces.json_schema import faults
from recollect.core.pack import Pack, Signature, Webhook

pytestmark = pytest.mark.anyio

ORDERS = Webhook("orders", "test_http_webhooks:receive", Signature("X-Signature"))
SHOP = Pack("shop", "A shop.", package="interfaces", webhooks=(ORDERS,))
ANYBODY = frozenset({"/v1/health/live", "/shop/webhooks/orders"})
"""What asks for no credential."""


@pytest.fixture(scope="module")
async def shared_bed(module_database: Database) -> AsyncIterator[Bed]:
    """The core with a pack, over the module's database."""
    async with make_bed(module_database, HashedWords(), packs={SHOP.name: SHOP}) as bed:
        yield bed


@pytest.fixture(scope="module")
def shared_app(shared_bed: Bed) -> FastAPI:
    """The application, which takes webhooks."""
    return make_door(shared_bed, webhook_secret="s" * 32).app


@pytest.fixture
async def described(loft: httpx2.AsyncClient) -> dict[str, Any]:
    """The OpenAPI document."""
    document: dict[str, Any] = (await loft.get("/v1/openapi.json")).json()
    return document


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Each operation with its path and method."""
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def schemas(node: Any) -> Iterator[dict[str, Any]]:
    """Every object in a document that refers to a schema."""
    if isinstance(node, dict):
        yield from [node] if "$ref" in node else []
        for child in node.values():
            yield from schemas(child)
    elif isinstance(node, list):
        for child in node:
            yield from schemas(child)


async def test_operations_have_stable_names(described: dict[str, Any]) -> None:
    assert {
        operation["operationId"]: f"{method} {path}" for path, method, operation in operations(described)
    } == {
        "add_messages": "post /v1/sessions/{session_id}/messages",
        "list_messages": "get /v1/sessions/{session_id}/messages",
        "get_session": "get /v1/sessions/{session_id}",
        "list_sessions": "get /v1/sessions",
        "forget_session": "delete /v1/sessions/{session_id}",
        "add_memories": "post /v1/memories",
        "get_memory": "get /v1/memories/{memory_id}",
        "list_memories": "get /v1/memories",
        "correct_memory": "patch /v1/memories/{memory_id}",
        "forget_memory": "delete /v1/memories/{memory_id}",
        "recall": "post /v1/recall",
        "context": "post /v1/context",
        "forget": "post /v1/forget",
        "list_users": "get /v1/users",
        "get_user": "get /v1/users/{user_id}",
        "describe_user": "patch /v1/users/{user_id}",
        "forget_user": "delete /v1/users/{user_id}",
        "list_facts": "get /v1/facts",
        "fact_history": "get /v1/facts/{fact_id}/history",
        "confirm_fact": "post /v1/facts/{fact_id}/confirm",
        "reject_fact": "post /v1/facts/{fact_id}/reject",
        "edit_fact": "patch /v1/facts/{fact_id}",
        "list_entities": "get /v1/entities",
        "add_entity": "post /v1/entities",
        "search_entities": "post /v1/entities/search",
        "find_paths": "get /v1/entities/path",
        "get_entity": "get /v1/entities/{entity_id}",
        "change_entity": "patch /v1/entities/{entity_id}",
        "forget_entity": "delete /v1/entities/{entity_id}",
        "list_neighbours": "get /v1/entities/{entity_id}/neighbours",
        "list_timeline": "get /v1/entities/{entity_id}/timeline",
        "merge_entity": "post /v1/entities/{entity_id}/merge",
        "unmerge_entity": "post /v1/entities/{entity_id}/unmerge",
        "add_relation": "post /v1/relations",
        "forget_relation": "delete /v1/relations/{relation_id}",
        "get_session_summary": "get /v1/sessions/{session_id}/summary",
        "end_session": "post /v1/sessions/{session_id}/end",
        "get_user_summary": "get /v1/users/{user_id}/summary",
        "list_actions": "get /v1/users/{user_id}/actions",
        "answer": "post /v1/answer",
        "get_lag": "get /v1/jobs",
        "list_parked_jobs": "get /v1/jobs/parked",
        "retry_job": "post /v1/jobs/{job_id}/retry",
        "retry_jobs": "post /v1/jobs/retry",
        "get_language": "get /v1/language",
        "set_language_budget": "put /v1/language/budget",
        "list_packs": "get /v1/packs",
        "turn_on_pack": "put /v1/packs/{pack}",
        "turn_off_pack": "delete /v1/packs/{pack}",
        "list_webhooks": "get /v1/packs/{pack}/webhooks",
        "shop_receive_orders": "post /shop/webhooks/orders",
        "live": "get /v1/health/live",
        "ready": "get /v1/health/ready",
        "version": "get /v1/version",
    }


async def test_every_operation_says_what_it_promises(described: dict[str, Any]) -> None:
    for path, _, operation in operations(described):
        assert operation["description"], path
        assert operation["tags"], path
        assert "default" in operation["responses"], path
        assert operation.get("security", described["security"]) == (
            [] if path in ANYBODY else [{"bearer": []}]
        )


async def test_every_reference_has_its_schema(described: dict[str, Any]) -> None:
    named = described["components"]["schemas"]
    for reference in schemas(described):
        assert reference["$ref"].removeprefix("#/components/schemas/") in named


async def test_every_schema_has_an_example_that_fits(described: dict[str, Any]) -> None:
    for name, schema in described["components"]["schemas"].items():
        if "enum" in schema:
            continue
        assert schema["examples"], name
        for example in schema["examples"]:
            assert faults(example, schema, described) == [], name


async def test_every_parameter_has_a_description_or_an_example(described: dict[str, Any]) -> None:
    for path, _, operation in operations(described):
        for parameter in operation.get("parameters", []):
            assert parameter.get("description"), (path, parameter["name"])


NAMES_OURS = re.compile(r"\{(?:memory|fact|entity)_id\}|^/v1/relations$")
"""Operations whose examples name ids that were given to something: there is nothing by them here."""


class Recorded:
    """A client that checks each answer against the description."""

    def __init__(self, client: httpx2.AsyncClient, document: dict[str, Any]) -> None:
        self.client = client
        self.document = document
        self.seen: set[tuple[str, str]] = set()

    async def ask(self, method: str, path: str, **request: Any) -> Any:
        answer = await self.client.request(method, path, **request)
        template, operation = self._operation(method, path.partition("?")[0])
        responses = operation["responses"]
        status = str(answer.status_code)
        described = responses[status] if status in responses else responses["default"]
        if answer.is_success:
            assert status in responses, (method, path, status)
            self.seen.add((method, template))
        if "content" not in described:
            assert answer.content == b""
            return None
        (kind,) = described["content"]
        assert answer.headers["content-type"] == kind
        wrong = faults(answer.json(), described["content"][kind]["schema"], self.document)
        assert wrong == [], (method, path, answer.text)
        return answer.json()

    def _operation(self, method: str, path: str) -> tuple[str, dict[str, Any]]:
        fitting = [
            (template, methods[method.lower()])
            for template, methods in self.document["paths"].items()
            if method.lower() in methods and re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", template), path)
        ]
        (found,) = [one for one in fitting if one[0] == path] or fitting
        return found


async def _ask_about_jobs(ask: Callable[..., Awaitable[Any]], database: Database) -> None:
    """Every operation on jobs."""
    await ask("GET", "/v1/jobs")
    park = "UPDATE jobs.procrastinate_jobs SET status = 'failed', reason = 'x' WHERE session_key IS NOT NULL"
    database.rows(f"{park} RETURNING 1")
    (job, *_) = (await ask("GET", "/v1/jobs/parked?limit=1"))["jobs"]
    await ask("POST", f"/v1/jobs/{job['id']}/retry")
    await ask("POST", f"/v1/jobs/{job['id']}/retry")
    await ask("POST", "/v1/jobs/retry")
    await ask("POST", "/v1/sessions/s1/messages?wait=true", json={"content": "a"})


async def test_every_answer_is_as_described(
    door: Door, loft: httpx2.AsyncClient, described: dict[str, Any]
) -> None:
    ask = Recorded(loft, described).ask
    recorded: Recorded = ask.__self__  # type: ignore[attr-defined]
    turns = {"messages": [{"content": "a"}, {"content": "b", "name": "Ada"}], "user_id": "c17"}
    await ask("POST", "/v1/sessions/s1/messages", json=turns)
    await ask(
        "POST",
        "/v1/sessions/s2/messages",
        json={"content": "c", "shared": True, "agent_id": "x", "metadata": {"k": [1]}},
    )
    full = {"min_role": "owner", "valid_to": "2099-01-01T00:00:00Z", "source": {"a": 1}, "user_id": "c17"}
    (id_,) = (await ask("POST", "/v1/memories", json={"content": "d", **full}))["ids"]
    await ask(
        "POST", "/v1/memories", json={"memories": [{"content": "e", "shared": True, "evidence": [id_]}]}
    )
    await ask("PATCH", f"/v1/memories/{id_}", json={"pinned": True})
    await ask("PATCH", "/v1/users/c17", json={"names": ["Ada"], "attributes": {"a": None}})
    for path in (
        f"/v1/memories/{id_}",
        "/v1/memories",
        "/v1/memories?limit=1",
        "/v1/sessions/s1",
        "/v1/sessions",
    ):
        await ask("GET", path)
    for path in ("/v1/sessions?limit=1", "/v1/sessions/s1/messages", "/v1/sessions/s1/messages?limit=1"):
        await ask("GET", path)
    for path in ("/v1/users", "/v1/users/c17", "/v1/health/live", "/v1/health/ready", "/v1/version"):
        await ask("GET", path)
    for explain in (True, False):
        await ask("POST", "/v1/recall", json={"query": "a", "user_id": "c17", "explain": explain})
    await ask("POST", "/v1/context", json={"query": "a", "user_id": "c17", "session_id": "s1"})
    await ask("POST", "/v1/recall", json={"query": ""})
    await ask("GET", "/v1/sessions/none")
    await _ask_for_facts(ask)
    await _ask_the_graph(ask)
    await _ask_about_jobs(ask, door.bed.database)
    await _ask_for_summaries(ask)
    await ask("GET", "/v1/language")
    await ask("PUT", "/v1/language/budget", json={"monthly_budget": 3})
    await _ask_for_packs(ask)
    await ask("DELETE", f"/v1/memories/{id_}")
    await ask("DELETE", "/v1/sessions/s1")
    await ask("DELETE", "/v1/users/c17")
    await ask("POST", "/v1/forget", json={"session_id": "s2"})
    asked = {(method.upper(), path) for path, method, _ in operations(described)}
    assert recorded.seen == asked - {("POST", "/shop/webhooks/orders")}


async def _ask_for_summaries(ask: Callable[..., Awaitable[Any]]) -> None:
    """Every operation on summaries."""
    await ask("POST", "/v1/sessions/s3/messages", json={"content": "I'll call you.", "user_id": "c17"})
    ended = await ask("POST", "/v1/sessions/s3/end?wait=20")
    assert ended["summaries"]
    for path in ("/v1/sessions/s3/summary", "/v1/users/c17/summary", "/v1/users/c17/actions?done=true"):
        await ask("GET", path)
    for query in ("What do you know about me?", "Why?"):
        await ask("POST", "/v1/answer", json={"query": query, "user_id": "c17"})


async def _ask_for_packs(ask: Callable[..., Awaitable[Any]]) -> None:
    """Every operation on packs."""
    await ask("PUT", "/v1/packs/shop")
    assert (await ask("GET", "/v1/packs"))["packs"]
    assert (await ask("GET", "/v1/packs/shop/webhooks"))["webhooks"]
    await ask("DELETE", "/v1/packs/shop")


async def _ask_for_facts(ask: Callable[..., Awaitable[Any]]) -> None:
    """Every operation on facts."""
    told = {"content": "We live in Covington.", "user_id": "c18"}
    await ask("POST", "/v1/sessions/s4/messages?wait=true", json=told)
    (fact,) = (await ask("GET", "/v1/facts?user_id=c18&attribute=residence"))["memories"]
    path = f"/v1/facts/{fact['id']}"
    await ask("GET", f"{path}/history")
    await ask("POST", f"{path}/confirm")
    await ask("PATCH", path, json={"value": "Canton"})
    await ask("POST", f"{path}/reject")


async def _ask_the_graph(ask: Callable[..., Awaitable[Any]]) -> None:
    """Every operation on entities and relations."""
    names = [{"name": name, "user_id": "c17"} for name in ("Maria", "Boston", "Sis")]
    maria, boston, sis = [(await ask("POST", "/v1/entities", json=body))["id"] for body in names]
    lives = {"source_id": maria, "target_id": boston, "kind": "residence", "valid_to": "2099-01-01T00:00:00Z"}
    relation = (await ask("POST", "/v1/relations", json=lives))["id"]
    await ask("PATCH", f"/v1/entities/{maria}", json={"aliases": ["my sister"], "attributes": {"a": [None]}})
    await ask("POST", f"/v1/entities/{sis}/merge", json={"into": maria})
    await ask("POST", "/v1/entities/search", json={"query": "maria"})
    for path in ("", "?limit=1&kinds=thing&kinds=person", f"/path?from={maria}&to={boston}", f"/{maria}"):
        await ask("GET", f"/v1/entities{path}")
    for path in ("neighbours?depth=2&kinds=residence", "timeline", "timeline?limit=1"):
        await ask("GET", f"/v1/entities/{maria}/{path}")
    await ask("POST", f"/v1/entities/{sis}/unmerge")
    await ask("DELETE", f"/v1/relations/{relation}")
    await ask("DELETE", f"/v1/entities/{maria}")


async def test_every_example_of_a_request_is_taken(door: Door, described: dict[str, Any]) -> None:
    for path, method, operation in operations(described):
        if "requestBody" not in operation or NAMES_OURS.search(path):
            continue
        client = await door.client("examples")
        schema = operation["requestBody"]["content"]["application/json"]["schema"]
        names = [option["$ref"].rpartition("/")[2] for option in schema.get("oneOf", [schema])]
        for name in names:
            for example in described["components"]["schemas"][name]["examples"]:
                answer = await client.request(method, re.sub(r"\{\w+\}", "s1", path), json=example)
                assert answer.is_success, (path, name, answer.text)
