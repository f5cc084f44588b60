"""The door as it is built from the settings, with the real model, over a real socket."""

from __future__ import annotations

import time
from pathlib import Path

import httpx2
import jwt
import pytest
from testbed import Database

from interfaces.door import HOST, code, listening
from recollect import Recollect
from recollect.core.errors import Misconfigured
from recollect.settings import load_settings
from recollect.wiring import build_app

pytestmark = pytest.mark.anyio

SECRET = "a secret that only this test and its server know of"


async def test_conversations_go_in_and_the_right_evidence_comes_out(database: Database, models: Path) -> None:
    settings = load_settings(
        database_url=database.url,
        home=models.parent,
        jwt_secret=SECRET,
        jwt_audience="shop",
        max_body_bytes=5_000,
    )
    async with Recollect.open(settings=settings) as memory:
        await memory.tenants.create("loft")
        _, key = await memory.tenants.create_key("loft", "test")
        async with (
            listening(build_app(memory)) as port,
            httpx2.AsyncClient(base_url=f"{HOST}:{port}") as client,
        ):
            client.headers["Authorization"] = f"Bearer {key}"
            messages = [
                {"content": "I love modern furniture.", "name": "Ada", "at": "2026-02-01T10:00:00Z"},
                {"content": "The weather was dreadful in May.", "name": "Ada"},
                {"content": "Our dog scratches leather, so fabric please.", "name": "Ada"},
            ]
            body = {"messages": messages, "user_id": "c17"}
            assert (await client.post("/v1/sessions/s1/messages", json=body)).status_code == 201
            assert code(await client.post("/v1/recall", content=b"x" * 5_001)) == "too_large"
            version = (await client.get("/v1/version")).json()
            assert (version["model"], version["dimensions"]) == ("all-minilm-l6-v2", 384)
            token = jwt.encode(
                {"tenant": "loft", "sub": "c17", "aud": "shop", "exp": time.time() + 60},
                SECRET,
                algorithm="HS256",
            )
            client.headers["Authorization"] = f"Bearer {token}"
            for question, answer in (("which pet do they have?", 2), ("what style of sofas?", 0)):
                hits = (await client.post("/v1/recall", json={"query": question})).json()["hits"]
                assert hits[0]["memory"]["content"] == messages[answer]["content"]


async def test_settings_that_would_keep_nobody_out_are_refused(database: Database, models: Path) -> None:
    settings = load_settings(database_url=database.url, home=models.parent, jwt_secret="short")
    async with Recollect.open(settings=settings) as memory:
        with pytest.raises(Misconfigured, match="RECOLLECT_JWT_SECRET"):
            build_app(memory)
