"""Everything that can be wrong with a request is answered in one form, and tells nothing it should not."""

from __future__ import annotations

import json
import logging
from typing import Any
from uuid import UUID

import httpx2
import pytest
from starlette.requests import Request
from testbed import Bed

from interfaces.door import HOST, Door, code, listening, make_door

pytestmark = pytest.mark.anyio

DEEP = b'{"query":' + b"[" * 90_000 + b"]" * 90_000 + b"}"


async def test_nothing_but_live_answers_a_stranger(door: Door) -> None:
    stranger = door.bearer(None)
    paths = ["/", "/docs", "/openapi.json", "/v1/openapi.json", "/v1/version", "/v1/health/ready", "/nothing"]
    paths += [f"/v1/health/live{tail}" for tail in ("/", "/x", "%2F", "%20", "//", "/../ready")]
    for path in paths:
        for method in ("GET", "POST", "HEAD", "OPTIONS"):
            answer = await stranger.request(method, path)
            assert answer.status_code == 401, (method, path)
            assert method == "HEAD" or code(answer) == "unauthenticated"
    for method in ("POST", "PUT", "DELETE", "OPTIONS"):
        assert (await stranger.request(method, "/v1/health/live")).status_code == 401
    live = await stranger.get("/v1/health/live?x=y")
    assert (live.status_code, live.json()) == (200, {"status": "live"})


async def test_a_stranger_is_told_nothing_of_the_request(door: Door) -> None:
    stranger = door.bearer("nonsense")
    answers = [
        await stranger.post("/v1/recall", content=b"{", headers={"Content-Type": "application/json"}),
        await stranger.get("/v1/memories?limit=huge"),
        await stranger.put("/v1/recall"),
        await stranger.post("/v1/recall", content=b"x" * 500_000),
    ]
    assert [code(answer) for answer in answers] == ["unauthenticated"] * 4


@pytest.mark.parametrize(
    "header",
    [
        "",
        "Bearer",
        "Bearer ",
        "Basic {}",
        "{}",
        "Bearer {} x",
        "Bearer {}x",
        "Token {}",
        "bearer: {}",
        "Bearer\t{}",
    ],
)
async def test_a_header_that_is_not_a_bearers_is_refused(door: Door, header: str) -> None:
    key = await door.key("loft")
    answer = await door.bearer(None).get("/v1/version", headers={"Authorization": header.format(key)})
    assert (answer.status_code, code(answer)) == (401, "unauthenticated")


async def test_two_credentials_are_none(door: Door) -> None:
    keys = [("Authorization", f"Bearer {await door.key(tenant)}") for tenant in ("loft", "attic")]
    assert code(await door.bearer(None).get("/v1/version", headers=keys)) == "unauthenticated"


async def test_the_scheme_is_read_in_any_case(door: Door) -> None:
    headers = {"Authorization": f"bEARER  {await door.key('loft')} "}
    assert (await door.bearer(None).get("/v1/version", headers=headers)).status_code == 200


async def test_an_unknown_path_and_a_wrong_method(loft: httpx2.AsyncClient) -> None:
    for path in ("/", "/v2/recall", "/v1/recall/", "/v1/sessions/", "/v1/recal%6c", "/v1//recall", "/docs"):
        answer = await loft.get(path)
        assert (answer.status_code, code(answer)) == (404, "no_such_path"), path
    answer = await loft.put("/v1/recall", json={})
    assert (answer.status_code, code(answer), answer.headers["allow"]) == (405, "method_not_allowed", "POST")


@pytest.mark.parametrize(
    "body", [b"{", b"'", b'{"query": }', b"\xff\xfe", b'{"query": "\xff"}', b'{"a": 1} x', b"9" * 5_000]
)
async def test_what_is_not_json_is_refused(loft: httpx2.AsyncClient, body: bytes) -> None:
    answer = await loft.post("/v1/recall", content=body, headers={"Content-Type": "application/json"})
    assert (answer.status_code, code(answer)) == (400, "invalid_json")


async def test_depth_without_end_is_refused(loft: httpx2.AsyncClient) -> None:
    answer = await loft.post("/v1/recall", content=DEEP, headers={"Content-Type": "application/json"})
    assert code(answer) in ("invalid_json", "invalid_request")


async def test_a_body_must_be_there(loft: httpx2.AsyncClient) -> None:
    assert code(await loft.post("/v1/recall")) == "invalid_request"
    assert code(await loft.patch("/v1/users/c17")) == "invalid_request"


@pytest.mark.parametrize(
    "kind", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"]
)
async def test_a_body_of_another_kind_is_refused(loft: httpx2.AsyncClient, kind: str) -> None:
    body = b'{"query": "x"}'
    answer = await loft.post("/v1/recall", content=body, headers={"Content-Type": kind})
    assert (answer.status_code, code(answer)) == (415, "unsupported_media_type")


@pytest.mark.parametrize(
    ("path", "body", "location"),
    [
        ("/v1/recall", {}, "body.query"),
        ("/v1/recall", [], "body"),
        ("/v1/recall", {"query": ""}, "body.query"),
        ("/v1/recall", {"query": 5}, "body.query"),
        ("/v1/recall", {"query": "x", "limit": 0}, "body.limit"),
        ("/v1/recall", {"query": "x", "limit": 201}, "body.limit"),
        ("/v1/recall", {"query": "x", "limit": 10**30}, "body.limit"),
        ("/v1/recall", {"query": "x", "limit": 1.5}, "body.limit"),
        ("/v1/recall", {"query": "x", "user": "typo"}, "body.user"),
        ("/v1/recall", {"query": "x", "tenant_id": "other"}, "body.tenant_id"),
        ("/v1/recall", {"query": "x", "user_id": ""}, "body.user_id"),
        ("/v1/recall", {"query": "x", "user_id": "a\0"}, "body.user_id"),
        ("/v1/recall", {"query": "x", "user_id": "a" * 201}, "body.user_id"),
        ("/v1/recall", {"query": "x", "kinds": ["gossip"]}, "body.kinds.0"),
        ("/v1/recall", {"query": "x", "since": "2026-01-01T00:00:00"}, "body.since"),
        ("/v1/recall", {"query": "x", "as_of": "0001-01-01T00:00:00+14:00"}, "body.as_of"),
        ("/v1/recall", {"query": "x", "as_of": "9999-12-31T23:59:59-14:00"}, "body.as_of"),
        ("/v1/recall", {"query": "x", "as_of": 1e300}, "body.as_of"),
        ("/v1/context", {"query": "x", "budget": 199}, "body.budget"),
        ("/v1/context", {"query": "x", "budget": 10**9}, "body.budget"),
        ("/v1/context", {"query": "x", "min_similarity": 1.01}, "body.min_similarity"),
        ("/v1/recall", {"query": "x", "min_similarity": -1.01}, "body.min_similarity"),
        ("/v1/sessions/s/messages", {"content": "x", "user_id": "a", "shared": True}, "body"),
        ("/v1/memories", {"content": "x", "user_id": "a", "shared": True}, "body"),
        ("/v1/memories", {"memories": [{"content": "x", "user_id": "a", "shared": True}]}, "body.memories.0"),
        ("/v1/sessions/s/messages", {"messages": []}, "body.messages"),
        (
            "/v1/sessions/s/messages",
            {"messages": [{"content": "x"}, {"content": 1}]},
            "body.messages.1.content",
        ),
        ("/v1/sessions/s/messages", {"messages": [{"content": "x"}], "content": "y"}, "body.content"),
        ("/v1/sessions/s/messages", {"content": "x", "at": "2026-01-01T00:00:00"}, "body.at"),
        ("/v1/sessions/s/messages", {"content": "x", "seq": 5}, "body.seq"),
        ("/v1/memories", {"content": "x", "kind": "message"}, "body.kind"),
        ("/v1/memories", {"content": "x", "importance": -1}, "body.importance"),
        ("/v1/memories", {"content": "x", "evidence": ["x"]}, "body.evidence.0"),
        ("/v1/memories", {"memories": {}}, "body.memories"),
    ],
)
async def test_a_field_that_is_wrong_is_named(
    loft: httpx2.AsyncClient, path: str, body: Any, location: str
) -> None:
    answer = await loft.post(path, json=body)
    assert (answer.status_code, code(answer)) == (422, "invalid_request")
    assert [fault["location"] for fault in answer.json()["errors"]] == [location]
    assert location in answer.json()["hint"]


@pytest.mark.parametrize(
    ("path", "body", "message"),
    [
        (
            "/v1/forget",
            {"memory_id": str(UUID(int=7)), "user": "typo"},
            "unknown field; known are memory_id, session_id, user_id",
        ),
        (
            "/v1/sessions/s/messages",
            {"messages": [{"content": "x", "text": "y"}]},
            "unknown field; known are content, role, name, at, metadata",
        ),
        ("/v1/forget", {}, "name exactly one of memory_id, session_id and user_id"),
        (
            "/v1/recall",
            {"query": "x", "since": "2026-01-01T00:00:00"},
            "needs a zone, like 2026-03-01T12:00:00Z",
        ),
    ],
)
async def test_a_fault_is_told_in_words_that_help(
    loft: httpx2.AsyncClient, path: str, body: Any, message: str
) -> None:
    answer = await loft.post(path, json=body)
    assert [fault["message"] for fault in answer.json()["errors"]] == [message]


async def test_every_unknown_field_is_told(loft: httpx2.AsyncClient) -> None:
    answer = await loft.post("/v1/recall", json={"query": "x", "user": "a", "top_k": 5})
    locations = [fault["location"] for fault in answer.json()["errors"]]
    assert locations == ["body.top_k", "body.user"]


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/v1/recall", {"query": "x" * 4_001}),
        ("/v1/context", {"query": "x" * 4_001}),
        ("/v1/sessions/s/messages", {"content": "x" * 100_001, "user_id": "a"}),
        ("/v1/sessions/s/messages", {"messages": [{"content": "x"}] * 1_001, "user_id": "a"}),
        ("/v1/memories", {"content": "x" * 100_001, "user_id": "a"}),
        ("/v1/memories", {"memories": [{"content": "x", "user_id": "a"}] * 1_001}),
    ],
)
async def test_what_is_too_large_is_told_how_large_it_may_be(
    loft: httpx2.AsyncClient, path: str, body: Any
) -> None:
    answer = await loft.post(path, json=body)
    assert (answer.status_code, code(answer)) == (413, "too_large")
    assert "ost " in answer.json()["hint"]
    assert (await loft.get("/v1/memories")).json()["memories"] == []


@pytest.mark.parametrize(
    "text",
    [
        b'{"shared": true, "content": "\\u0000"}',
        b'{"shared": true, "content": "\\ud800"}',
        b'{"shared": true, "content": "a", "metadata": {"k": "\\u0000"}}',
        b'{"shared": true, "content": "a", "metadata": {"\\udfff": 1}}',
        b'{"shared": true, "content": "a", "metadata": {"k": NaN}}',
        b'{"shared": true, "content": "a", "metadata": {"k": [-Infinity, 1]}}',
        b'{"shared": true, "content": "a", "metadata": {"k": 1e999}}',
        b'{"shared": true, "content": "a", "importance": NaN}',
        b'{"shared": true, "content": "a", "source": {"k": "\\ud800\\ud800"}}',
        b'{"shared": true, "content": " \\n\\t"}',
        b'{"content": "a", "user_id": "\\ud800"}',
        b'{"content": "a", "user_id": "\\u0085"}',
        b'{"shared": true, "content": "a", "agent_id": "\\u0000"}',
    ],
)
async def test_what_cannot_be_kept_is_refused(loft: httpx2.AsyncClient, text: bytes) -> None:
    answer = await loft.post("/v1/memories", content=text, headers={"Content-Type": "application/json"})
    assert (answer.status_code, code(answer)) == (422, "invalid_request")
    assert (await loft.get("/v1/memories")).json()["memories"] == []


async def test_metadata_is_bounded(loft: httpx2.AsyncClient) -> None:
    nested: Any = 1
    for _ in range(17):
        nested = {"k": nested}
    for metadata in (
        nested,
        {"k": "x" * 70_000},
        {"k": [0] * 70_000},
        {"k": 10**4_000, **dict.fromkeys("abcdefghijklmnopqrstuv", 10**4_000)},
    ):
        answer = await loft.post("/v1/memories", json={"content": "x", "shared": True, "metadata": metadata})
        assert (answer.status_code, code(answer)) == (413, "too_large")
    kept = await loft.post(
        "/v1/memories", json={"content": "x", "shared": True, "metadata": {"k": "x" * 60_000}}
    )
    assert kept.status_code == 201


async def test_an_unknown_parameter_is_refused_not_ignored(loft: httpx2.AsyncClient) -> None:
    for path in ("/v1/memories", "/v1/sessions", "/v1/users", "/v1/sessions/s/messages"):
        answer = await loft.get(path, params={"userid": "c17"})
        assert answer.json()["errors"][0]["location"] == "query.userid"
        for limit in ("0", "101", "1e3", "99999999999999999999", "-1", "ten"):
            assert code(await loft.get(path, params={"limit": limit})) == "invalid_request"
    for after in ("-1", "2147483648", "x"):
        assert code(await loft.get("/v1/sessions/s/messages", params={"after": after})) == "invalid_request"
    for metadata in ("{", "[]", "5", "x" * 8_193, "[" * 8_000):
        assert code(await loft.get("/v1/memories", params={"metadata": metadata})) in (
            "invalid_filter",
            "invalid_request",
        )


@pytest.mark.parametrize("key", ["", "x" * 201, "a\x1fb"])
async def test_an_idempotency_key_is_bounded(loft: httpx2.AsyncClient, key: str) -> None:
    answer = await loft.post("/v1/memories", json={"content": "x"}, headers={"Idempotency-Key": key})
    assert answer.json()["errors"][0]["location"] == "header.Idempotency-Key"


async def test_a_request_has_an_id(loft: httpx2.AsyncClient) -> None:
    given = await loft.get("/v1/version", headers={"X-Request-Id": "trace-1.a_B"})
    assert given.headers["x-request-id"] == "trace-1.a_B"
    for bad in ("", "a b", "x" * 65, "<script>", "a;b"):
        answer = await loft.get("/v1/version", headers={"X-Request-Id": bad})
        assert answer.headers["x-request-id"] not in (bad, "")


async def test_answers_are_not_kept_nor_guessed_at(loft: httpx2.AsyncClient) -> None:
    for path in ("/v1/version", "/v1/health/live", "/nothing"):
        headers = (await loft.get(path)).headers
        assert headers["cache-control"] == "no-store"
        assert headers["x-content-type-options"] == "nosniff"
        assert "access-control-allow-origin" not in headers


async def test_a_failure_is_logged_and_not_told(shared_bed: Bed, caplog: pytest.LogCaptureFixture) -> None:
    door = make_door(shared_bed)

    @door.app.get("/v1/broken")
    async def broken(_: Request) -> None:
        raise RuntimeError("SELECT secret FROM api_keys")

    client = await door.client("loft")
    with caplog.at_level(logging.ERROR, "recollect"):
        answer = await client.get("/v1/broken", headers={"X-Request-Id": "find-me"})
    assert (answer.status_code, code(answer)) == (500, "internal_error")
    assert "secret" not in answer.text
    (record,) = caplog.records
    assert "find-me" in record.getMessage()
    assert record.exc_info
    await door.close()


async def test_ready_says_what_is_away(bed: Bed) -> None:
    door = make_door(bed)
    client = await door.client("loft")
    assert (await client.get("/v1/health/ready")).json() == {
        "status": "ready",
        "checks": {"database": "ok", "model": "ok"},
    }
    await bed.storage.close()
    answer = await client.get("/v1/health/ready")
    assert (answer.status_code, code(answer)) == (503, "storage_unavailable")
    assert "postgres" not in answer.json()["hint"].lower()
    assert (await client.get("/v1/health/live")).status_code == 200
    await door.close()


async def test_problems_over_a_real_socket(door: Door) -> None:
    headers = {"Authorization": f"Bearer {await door.key('loft')}"}
    async with listening(door.app) as port, httpx2.AsyncClient(base_url=f"{HOST}:{port}") as client:
        assert code(await client.get("/v1/openapi.json")) == "unauthenticated"
        assert (await client.get("/v1/health/live")).status_code == 200
        client.headers.update(headers)
        assert code(await client.get("/v1/none")) == "no_such_path"
        answer = await client.post(
            "/v1/sessions/a%2Fb%20c/messages", json={"content": "hello", "shared": True}
        )
        assert answer.status_code == 201
        assert (await client.get("/v1/sessions/a%2Fb%20c")).json()["session_id"] == "a/b c"
        assert json.loads((await client.get("/v1/openapi.json")).text)["openapi"].startswith("3.1")
