"""What takes the short way and what takes the framework's are answered alike."""

from __future__ import annotations

import json
from typing import Any

import httpx2
import pytest
from starlette.types import Message, Receive, Scope, Send

from interfaces.door import Door
from recollect.core.model import Principal, tenant_id_of
from recollect.interfaces.http import recall
from recollect.interfaces.http.calls import KEY, Call
from recollect.interfaces.http.shortcut import Shortcut

pytestmark = pytest.mark.anyio

SHORT = "application/json"
LONG = "application/json; charset=utf-8"
BODIES = [
    ("/v1/recall", b'{"query": "modern", "user_id": "c17", "explain": true, "limit": 3}'),
    (
        "/v1/recall",
        b'{"query": "modern", "user_id": "c17", "kinds": ["message"], "since": "2026-01-01T00:00:00Z"}',
    ),
    ("/v1/recall", b'\xef\xbb\xbf{"query": "modern", "user_id": "c17"}'),
    ("/v1/recall", '{"query": "modern", "user_id": "c17"}'.encode("utf-16")),
    ("/v1/recall", b'{"query": "modern", "query": "furniture", "user_id": "c17"}'),
    ("/v1/recall", b'{"query": "\\ud800", "user_id": "c17"}'),
    ("/v1/recall", b'{"query": "\xff", "user_id": "c17"}'),
    ("/v1/recall", b'{"query": "modern", "min_similarity": NaN}'),
    ("/v1/recall", b'{"query": "modern", "limit": "3", "since": 1}'),
    ("/v1/recall", b'{"query": "modern", "metadata": {"room": {"like": 1}}}'),
    ("/v1/recall", b'{"query": "", "limit": 1e400, "quarry": 1}'),
    ("/v1/recall", b'{"query": 7}'),
    ("/v1/recall", b'{"query":'),
    ("/v1/recall", b'{"query":' + b"[" * 50_000 + b"]" * 50_000 + b"}"),
    ("/v1/recall", b"[]"),
    ("/v1/recall", b"null"),
    ("/v1/recall", b""),
    ("/v1/context", b'{"query": "modern", "user_id": "c17", "budget": 300}'),
    ("/v1/context", b'{"query": "modern", "budget": 1}'),
    ("/v1/forget", b'{"user_id": "nobody"}'),
    ("/v1/forget", b'{"user_id": "nobody", "session_id": "s1"}'),
    ("/v1/forget", b'{"memory_id": "x"}'),
]


async def answered(client: httpx2.AsyncClient, path: str, body: bytes, kind: str) -> tuple[int, Any]:
    """The status and the document of an answer, without what differs each time."""
    answer = await client.post(path, content=body, headers={"Content-Type": kind})
    document = answer.json()
    document.pop("took_ms", None)
    return answer.status_code, document


@pytest.mark.parametrize(("path", "body"), BODIES)
async def test_both_ways_answer_alike(loft: httpx2.AsyncClient, path: str, body: bytes) -> None:
    turns = {"messages": [{"content": "I love modern furniture."}, {"content": "Red."}], "user_id": "c17"}
    await loft.post("/v1/sessions/s1/messages", json=turns)
    short = await answered(loft, path, body, SHORT)
    assert short == await answered(loft, path, body, LONG)
    assert short[0] in {200, 400, 422}


async def test_a_body_that_is_declared_twice_goes_the_long_way(loft: httpx2.AsyncClient) -> None:
    headers = [("Content-Type", "text/plain"), ("Content-Type", SHORT)]
    answer = await loft.post("/v1/recall", content=b'{"query": "a"}', headers=headers)
    assert answer.status_code == 415


async def taken(door: Door, *, kind: str = SHORT, body: bytes = b'{"query": "a"}', **changed: Any) -> bool:
    """Whether a request is answered without the framework."""
    asked_framework = []
    received: list[Message] = [{"type": "http.request", "body": body, "more_body": False}]
    sent: list[Message] = []

    async def framework(_: Scope, receive: Receive, __: Send) -> None:
        asked_framework.append((await receive())["body"])

    async def receive() -> Message:
        return received.pop()

    async def send(message: Message) -> None:
        sent.append(message)

    principal = Principal(tenant_id_of(door.tenant("loft")), "test")
    scope: Scope = {
        "type": "http",
        "method": "POST",
        "path": "/v1/recall",
        "headers": [(b"content-type", kind.encode())],
        KEY: Call(door.bed.service, principal),
    }
    await Shortcut(framework, recall.router.routes)({**scope, **changed}, receive, send)
    assert asked_framework == ([] if sent else [body])
    return bool(sent) and json.loads(sent[1]["body"])["hits"] == []


async def test_what_is_fit_takes_the_short_way_and_nothing_else_does(
    door: Door, loft: httpx2.AsyncClient
) -> None:
    assert await taken(door)
    assert not await taken(door, kind=LONG)
    assert not await taken(door, body=b'{"query": 7}')
    assert not await taken(door, method="PUT")
    assert not await taken(door, path="/v1/recall/")
