"""Jobs over HTTP: how far understanding is behind, what was parked, and waiting for it."""

from __future__ import annotations

import asyncio

import httpx2
import pytest

from interfaces.door import Door, code
from recollect.core.consolidate.consolidation import Consolidator

pytestmark = pytest.mark.anyio

TURNS = "/v1/sessions/s1/messages"
SAID = {"user_id": "ann", "content": "I live in Atlanta."}
NOTHING = {
    "sessions_behind": 0, "messages_behind": 0, "oldest_seconds": None,
    "waiting": 0, "running": 0, "retrying": 0, "parked": 0,
}  # fmt: skip


def park(door: Door) -> None:
    """Whatever waits has failed."""
    door.bed.database.rows(
        "UPDATE jobs.procrastinate_jobs SET status = 'failed', attempts = 5, reason = 'Busy: x' "
        "WHERE status = 'todo' RETURNING 1"
    )


async def test_what_is_behind_and_a_wait_that_catches_up(loft: httpx2.AsyncClient) -> None:
    assert (await loft.get("/v1/jobs")).json() == NOTHING
    assert (await loft.post(TURNS, json=SAID)).json()["consolidated"] is None
    lag = (await loft.get("/v1/jobs")).json()
    assert lag == NOTHING | {"sessions_behind": 1, "messages_behind": 1, "oldest_seconds": 0, "waiting": 1}
    assert (await loft.get("/v1/sessions/s1")).json()["consolidated_seq"] == 0
    waited = await loft.post(f"{TURNS}?wait=true", json=SAID)
    assert (waited.status_code, waited.json()["consolidated"]) == (201, True)
    assert (await loft.get("/v1/sessions/s1")).json()["consolidated_seq"] == 2
    assert (await loft.get("/v1/jobs")).json() == NOTHING | {"waiting": 1}


async def test_a_wait_that_is_too_short_says_so_and_keeps_the_message(
    loft: httpx2.AsyncClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def slow(*_: object) -> None:
        await asyncio.sleep(60)

    monkeypatch.setattr(Consolidator, "consolidate", slow)
    waited = await loft.post(f"{TURNS}?wait=true&wait_seconds=0.01", json=SAID)
    assert (waited.status_code, waited.json()["consolidated"]) == (201, False)
    assert len((await loft.get(TURNS)).json()["messages"]) == 1
    assert (await loft.get("/v1/jobs")).json()["waiting"] == 1


async def test_parked_jobs_are_listed_in_pages_and_tried_again(door: Door, loft: httpx2.AsyncClient) -> None:
    for session in ("s1", "s2", "s3"):
        await loft.post(f"/v1/sessions/{session}/messages", json=SAID)
    park(door)
    first = (await loft.get("/v1/jobs/parked", params={"limit": 2})).json()
    rest = (await loft.get("/v1/jobs/parked", params={"cursor": first["next_cursor"]})).json()
    assert [job["session_id"] for job in first["jobs"] + rest["jobs"]] == ["s3", "s2", "s1"]
    assert rest["next_cursor"] is None
    job = first["jobs"][0]
    assert (job["user_id"], job["attempts"], job["reason"]) == ("ann", 5, "Busy: x")
    assert (await loft.post(f"/v1/jobs/{job['id']}/retry")).json() == {"jobs": 1}
    assert code(await loft.post(f"/v1/jobs/{job['id']}/retry")) == "not_found"
    assert (await loft.post("/v1/jobs/retry")).json() == {"jobs": 2}
    assert (await loft.get("/v1/jobs")).json()["waiting"] == 3
    for cursor in ("x", "-1", "9" * 30):
        assert code(await loft.get("/v1/jobs/parked", params={"cursor": cursor})) == "invalid_cursor"


async def test_who_may(door: Door, loft: httpx2.AsyncClient) -> None:
    await loft.post(TURNS, json=SAID)
    park(door)
    (job,) = (await loft.get("/v1/jobs/parked")).json()["jobs"]
    attic = await door.client("attic")
    assert (await attic.get("/v1/jobs/parked")).json()["jobs"] == []
    assert (await attic.get("/v1/jobs")).json() == NOTHING
    assert code(await attic.post(f"/v1/jobs/{job['id']}/retry")) == "not_found"
    ann = await door.person("loft", "ann")
    reader = await door.reader("loft")
    for refused in (
        await ann.get("/v1/jobs"),
        await ann.get("/v1/jobs/parked"),
        await ann.post("/v1/jobs/retry"),
        await reader.post("/v1/jobs/retry"),
        await reader.post(f"/v1/jobs/{job['id']}/retry"),
    ):
        assert (refused.status_code, code(refused)) == (403, "forbidden")
    waited = await ann.post(f"{TURNS}?wait=true", json={"content": "I love Bach."})
    assert waited.json()["consolidated"] is True
