"""The description of the door is complete, and true: every answer is what it says."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import httpx2
import pytest

from interfaces.door import Door
from interfaces.json_schema import faults

pytestmark = pytest.mark.anyio


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
            [] if path == "/v1/health/live" else [{"bearer": []}]
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
        (found,) = fitting
        return found


async def test_every_answer_is_as_described(loft: httpx2.AsyncClient, described: dict[str, Any]) -> None:
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
    await ask("DELETE", f"/v1/memories/{id_}")
    await ask("DELETE", "/v1/sessions/s1")
    await ask("DELETE", "/v1/users/c17")
    await ask("POST", "/v1/forget", json={"session_id": "s2"})
    assert recorded.seen == {(method.upper(), path) for path, method, _ in operations(described)}


async def test_every_example_of_a_request_is_taken(door: Door, described: dict[str, Any]) -> None:
    for path, method, operation in operations(described):
        if "requestBody" not in operation or path == "/v1/memories/{memory_id}":
            continue
        client = await door.client("examples")
        schema = operation["requestBody"]["content"]["application/json"]["schema"]
        names = [option["$ref"].rpartition("/")[2] for option in schema.get("oneOf", [schema])]
        for name in names:
            for example in described["components"]["schemas"][name]["examples"]:
                answer = await client.request(method, re.sub(r"\{\w+\}", "s1", path), json=example)
                assert answer.is_success, (path, name, answer.text)
