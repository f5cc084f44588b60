"""What a server takes on: how large, how many at once, how long."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import httpx2
import psycopg
import pytest
from testbed import Bed

from interfaces.door import HOST, Door, code, listening, make_door
from recollect.interfaces.http.app import Bounds

pytestmark = pytest.mark.anyio

BOUNDS = Bounds(body=10_000, requests=3, seconds=1)


@pytest.fixture
async def narrow(shared_bed: Bed) -> AsyncIterator[Door]:
    """A door that lets through little."""
    door = make_door(shared_bed, BOUNDS)
    yield door
    await door.close()


@pytest.fixture
async def socket(narrow: Door) -> AsyncIterator[httpx2.AsyncClient]:
    """The owner of `loft`, over a real socket."""
    headers = {"Authorization": f"Bearer {await narrow.key('loft')}", "Content-Type": "application/json"}
    async with (
        listening(narrow.app) as port,
        httpx2.AsyncClient(base_url=f"{HOST}:{port}", headers=headers, timeout=20) as client,
    ):
        yield client


def body(size: int) -> bytes:
    """A request to keep a memory, of so many bytes."""
    frame = b'{"shared": true, "content": "%s"}'
    return frame % (b"x" * (size - len(frame) + 2))


async def parts(text: bytes) -> AsyncIterator[bytes]:
    """The text in parts, which are sent without a length being told beforehand."""
    for start in range(0, len(text), 3_000):
        yield text[start : start + 3_000]


async def test_a_body_may_have_so_many_bytes_and_no_more(socket: httpx2.AsyncClient) -> None:
    assert (await socket.post("/v1/memories", content=body(10_000))).status_code == 201
    for size in (10_001, 15_000, 20_001, 3_000_000):
        answer = await socket.post("/v1/memories", content=body(size))
        assert (answer.status_code, code(answer)) == (413, "too_large")


async def test_a_body_without_a_length_is_bounded_too(socket: httpx2.AsyncClient) -> None:
    assert (await socket.post("/v1/memories", content=parts(body(9_000)))).status_code == 201
    for size in (10_001, 19_000):
        answer = await socket.post("/v1/memories", content=parts(body(size)))
        assert (answer.status_code, code(answer)) == (413, "too_large")


async def test_an_endless_body_is_not_read_to_its_end(narrow: Door) -> None:
    sent = 0

    async def endless() -> AsyncIterator[bytes]:
        nonlocal sent
        while sent < 100_000_000:
            sent += 1_000
            yield b"x" * 1_000

    client = await narrow.client("loft")
    messages = endless()

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": await anext(messages), "more_body": True}

    status, _ = await asgi(narrow, client.headers["authorization"], receive)
    assert status == 413
    assert sent <= 3 * BOUNDS.body


async def asgi(door: Door, authorization: str, receive: object, **headers: str) -> tuple[int, bytes]:
    """The answer to a request whose body is made by hand."""
    answered: list[dict[str, object]] = []

    async def send(message: dict[str, object]) -> None:
        answered.append(message)

    given = {"authorization": authorization, "content-type": "application/json", **headers}
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/v1/memories",
        "raw_path": b"/v1/memories",
        "query_string": b"",
        "headers": [(name.replace("_", "-").encode(), value.encode()) for name, value in given.items()],
    }
    await door.app(scope, receive, send)  # type: ignore[arg-type]
    (start, end) = answered or ({"status": 0}, {"body": b""})
    return int(str(start["status"])), bytes(end["body"])  # type: ignore[call-overload]


async def test_a_length_that_is_a_lie_does_not_matter(narrow: Door) -> None:
    authorization = (await narrow.client("loft")).headers["authorization"]

    async def receive() -> dict[str, object]:
        return {"type": "http.request", "body": body(12_000), "more_body": False}

    for length in ("5", "x", "-1", "", "١٢", "9" * 5_000):
        status, text = await asgi(narrow, authorization, receive, content_length=length)
        assert (status, b"too_large" in text) == (413, True)


async def test_a_client_who_goes_away_is_not_answered(narrow: Door) -> None:
    authorization = (await narrow.client("loft")).headers["authorization"]

    async def receive() -> dict[str, object]:
        return {"type": "http.disconnect"}

    assert await asgi(narrow, authorization, receive) == (0, b"")


async def test_a_late_request_is_undone(narrow: Door) -> None:
    client = await narrow.client("loft")
    path = "/v1/sessions/s1/messages"
    await client.post(path, json={"content": "first", "user_id": "c17"})
    with psycopg.connect(narrow.bed.database.admin_url) as other:
        other.execute("SELECT FROM sessions WHERE session_id = 's1' FOR UPDATE")
        late = await client.post(
            path, json={"content": "late", "user_id": "c17"}, headers={"Idempotency-Key": "k"}
        )
        assert (late.status_code, code(late)) == (503, "timed_out")
        other.rollback()
    again = await client.post(
        path, json={"content": "late", "user_id": "c17"}, headers={"Idempotency-Key": "k"}
    )
    assert (again.status_code, again.json()["repeated"]) == (201, False)
    messages = (await client.get(path)).json()["messages"]
    assert [(one["seq"], one["content"]) for one in messages] == [(1, "first"), (2, "late")]
    waiting = (
        "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND state ~ 'transaction'"
    )
    assert narrow.bed.database.value(waiting) == 0


async def test_more_at_once_than_agreed_are_told_to_come_back(shared_bed: Bed) -> None:
    door = make_door(shared_bed, Bounds(body=10_000, requests=3, seconds=20))
    client = await door.client("loft")
    path = "/v1/sessions/s2/messages"
    await client.post(path, json={"content": "first", "user_id": "c17"})
    waiting = (
        "SELECT count(*) FROM pg_stat_activity "
        "WHERE datname = current_database() AND wait_event_type = 'Lock'"
    )
    with psycopg.connect(shared_bed.database.admin_url) as other:
        other.execute("SELECT FROM sessions WHERE session_id = 's2' FOR UPDATE")
        held = [asyncio.create_task(client.post(path, json={"content": "held"})) for _ in range(3)]
        while await asyncio.to_thread(shared_bed.database.value, waiting) != 3:
            assert not any(request.done() for request in held)
        for _ in range(5):
            extra = await client.get("/v1/version")
            assert (extra.status_code, code(extra)) == (503, "busy")
        assert (await client.get("/v1/health/live")).status_code == 200
        other.rollback()
    answers = await asyncio.gather(*held)
    assert [answer.status_code for answer in answers] == [201] * 3
    assert (await client.get("/v1/version")).status_code == 200
    await door.close()
