"""Summaries, actions and plain answers over HTTP."""

from __future__ import annotations

from typing import Any

import httpx2
import pytest

from interfaces.door import Door, code
from recollect.core.consolidate.consolidation import Consolidator
from recollect.core.model import Role

pytestmark = pytest.mark.anyio

TALK = {
    "user_id": "ann",
    "messages": [
        {"content": "Hi, my name is Ann and I live in Covington.", "at": "2026-01-05T09:00:00Z"},
        {
            "content": "Hello Ann! How can I help you?",
            "role": "assistant",
            "at": "2026-01-05T09:01:00Z",
        },
        {
            "content": "I need a quote for a leather sofa with three seats, please. I love leather.",
            "at": "2026-01-05T09:02:00Z",
        },
        {
            "content": "Of course. I'll send you the quote by Friday.",
            "role": "assistant",
            "at": "2026-01-05T09:03:00Z",
        },
        {"content": "Great, thank you!", "at": "2026-01-05T09:04:00Z"},
    ],
}
LATER = {
    "user_id": "ann",
    "messages": [
        {"content": "I live in Atlanta now.", "at": "2026-02-10T09:00:00Z"},
        {"content": "And the leather smells odd. Please call me tomorrow.", "at": "2026-02-10T09:01:00Z"},
    ],
}


async def learn(door: Door) -> None:
    """Understand whatever is behind, in every tenant."""
    consolidator = Consolidator(door.bed.storage, door.bed.embeddings)
    behind = "SELECT tenant_id, key FROM sessions WHERE consolidated_seq < last_seq"
    for tenant_id, key in door.bed.database.rows(behind):
        await consolidator.consolidate(tenant_id, key)


@pytest.fixture
async def talked(door: Door, loft: httpx2.AsyncClient) -> httpx2.AsyncClient:
    """The owner of a tenant whose Ann has talked twice."""
    (await loft.post("/v1/sessions/s1/messages", json=TALK)).raise_for_status()
    (await loft.post("/v1/sessions/s2/messages", json=LATER)).raise_for_status()
    await learn(door)
    return loft


async def ask(client: httpx2.AsyncClient, question: str, user_id: str = "ann") -> dict[str, Any]:
    answer = await client.post("/v1/answer", json={"query": question, "user_id": user_id})
    found: dict[str, Any] = answer.raise_for_status().json()
    return found


async def test_what_stands_for_a_session(talked: httpx2.AsyncClient) -> None:
    told = (await talked.get("/v1/sessions/s1/summary")).raise_for_status().json()
    assert "Covington" in told["text"]
    assert (told["upto"], told["final"]) == (5, False)
    (summary,) = told["summaries"]
    assert summary["kind"] == "summary"
    assert summary["metadata"]["resolution"] == "resolved"
    assert summary["metadata"]["actions"][0]["owner"] == "assistant"
    turns = (await talked.get("/v1/sessions/s1/messages")).json()["messages"]
    assert set(summary["evidence"]) <= {turn["id"] for turn in turns}


async def test_a_session_is_ended_and_goes_on(door: Door, loft: httpx2.AsyncClient) -> None:
    (await loft.post("/v1/sessions/s1/messages", json=TALK)).raise_for_status()
    before = (await loft.post("/v1/sessions/s1/end")).raise_for_status().json()
    assert (before["text"], before["final"]) == ("", False)
    ended = (await loft.post("/v1/sessions/s1/end", params={"wait": 20})).raise_for_status().json()
    assert (ended["upto"], ended["final"]) == (5, True)
    (await loft.post("/v1/sessions/s1/messages", json={"content": "One more thing: two lamps."})).json()
    await learn(door)
    again = (await loft.get("/v1/sessions/s1/summary")).json()
    assert (again["upto"], again["final"]) == (6, False)
    assert len(again["summaries"]) == 1
    door.bed.clock.advance(minutes=31)
    assert (await loft.get("/v1/sessions/s1/summary")).json()["final"]


async def test_of_an_unknown_session_or_person_there_is_none(loft: httpx2.AsyncClient) -> None:
    assert code(await loft.get("/v1/sessions/nowhere/summary")) == "not_found"
    assert code(await loft.post("/v1/sessions/nowhere/end")) == "not_found"
    assert code(await loft.get("/v1/users/nobody/summary")) == "not_found"


async def test_what_stands_for_a_person(talked: httpx2.AsyncClient) -> None:
    told = (await talked.get("/v1/users/ann/summary")).raise_for_status().json()
    assert "Atlanta" in told["text"].splitlines()[0]
    assert [one["session_id"] for one in told["summaries"]] == ["s2", "s1"]


async def test_what_is_to_be_done(talked: httpx2.AsyncClient) -> None:
    found = (await talked.get("/v1/users/ann/actions")).raise_for_status().json()["actions"]
    assert [(one["text"], one["owner"], one["due"][:10], one["last_day"]) for one in found] == [
        ("send you the quote by Friday", "assistant", "2026-01-10", "2026-01-09"),
        ("call me tomorrow", "assistant", "2026-02-12", "2026-02-11"),
    ]


@pytest.mark.parametrize(
    ("question", "kind", "holds"),
    [
        ("What do you remember about me?", "profile", "Atlanta"),
        ("When did we last speak?", "last_contact", "2026-02-10"),
        ("How many conversations have we had?", "sessions", "2 conversations"),
        ("When did I last mention leather?", "last_mention", "2026-02-10"),
        ("When did I first mention leather?", "last_mention", "2026-01-05"),
        ("What did I say about leather?", "said", "smells odd"),
        ("How many times did I mention leather?", "count", "In 2 turns"),
        ("Where do I live?", "attribute", "Atlanta"),
        ("Where did I live before?", "attribute", "Covington"),
        ("What did you promise me?", "actions", "send you the quote by Friday"),
        ("What did we talk about last time?", "last_summary", "2026-02-10"),
    ],
)
async def test_plain_questions(talked: httpx2.AsyncClient, question: str, kind: str, holds: str) -> None:
    found = await ask(talked, question)
    assert (found["answered"], found["kind"]) == (True, kind)
    assert holds in found["text"]
    assert found["citations"]
    for id_ in found["citations"].values():
        (await talked.get(f"/v1/memories/{id_}")).raise_for_status()


HOUSEHOLD = {
    "user_id": "bo",
    "messages": [
        {"content": content, "at": f"2026-02-02T09:{minute:02}:00Z"}
        for minute, content in enumerate(
            (
                "My name is Bo. We moved to Seattle in June 2025.",
                "My dog is called Gus and he is allergic to chicken.",
                "My daughter Ivy is 6 years old.",
                "My boss lives in Tucker.",
                "Our budget is $400,000.",
                "We want three bedrooms.",
                "The closing is on March 14.",
                "My husband Tom is a nurse.",
                "I don't like zucchini bread with walnuts.",
                "Our budget is $450,000 now.",
            )
        )
    ],
}
PLANS = {
    "user_id": "cy",
    "messages": [
        {"content": "I live in Covington.", "at": "2026-01-02T09:00:00Z"},
        {"content": "I live in Atlanta now.", "at": "2026-02-02T09:00:00Z"},
        {"content": "We plan to live in Portland.", "at": "2026-02-03T09:00:00Z"},
        {"content": "I don't live in Decatur.", "at": "2026-02-04T09:00:00Z"},
    ],
}


@pytest.fixture
async def household(door: Door, loft: httpx2.AsyncClient) -> httpx2.AsyncClient:
    """The owner of a tenant whose Bo has told of the family, and whose Cy has plans."""
    (await loft.post("/v1/sessions/s1/messages", json=HOUSEHOLD)).raise_for_status()
    (await loft.post("/v1/sessions/s2/messages", json=PLANS)).raise_for_status()
    await learn(door)
    return loft


@pytest.mark.parametrize(
    ("question", "holds"),
    [
        ("What's our budget?", "$450,000"),
        ("What was our budget before?", "$400,000"),
        ("How many bedrooms do I want?", "three"),
        ("What is Gus allergic to?", "chicken"),
        ("What is my dog allergic to?", "chicken"),
        ("How old is Ivy?", "6 years"),
        ("How old is my daughter?", "6 years"),
        ("Where does my boss live?", "Tucker"),
        ("When is the closing?", "March 14"),
        ("When did I move to Seattle?", "2025-06"),
        ("What is my dog called?", "Gus"),
        ("What are my pets called?", "Gus"),
        ("Who is my husband?", "Tom"),
        ("Who is Gus?", "Gus"),
        ("What does Tom do?", "nurse"),
    ],
)
async def test_a_fact_is_looked_up(household: httpx2.AsyncClient, question: str, holds: str) -> None:
    found = await ask(household, question, "bo")
    assert (found["answered"], holds in found["text"]) == (True, True), found["text"]
    assert len(found["citations"]) <= 2


async def test_a_turn_that_has_the_words_comes_back_as_evidence(household: httpx2.AsyncClient) -> None:
    found = await ask(household, "Which bread has walnuts in it?", "bo")
    assert not found["answered"]
    assert "zucchini" in found["text"]
    assert "Nothing is remembered" not in found["text"]


async def test_plans_and_negations_are_no_past(household: httpx2.AsyncClient) -> None:
    before = await ask(household, "Where did I live before?", "cy")
    assert "Covington" in before["text"]
    assert not any(place in before["text"] for place in ("Portland", "Decatur", "Atlanta"))
    now = await ask(household, "Where do I live?", "cy")
    assert now["text"].startswith("Since 2026-02-02:")
    assert not any(place in now["text"] for place in ("Portland", "Decatur", "Covington"))


async def test_a_profile_begins_with_the_name(household: httpx2.AsyncClient) -> None:
    text = (await ask(household, "What do you remember about me?", "bo"))["text"]
    assert "Name: Bo" in text.splitlines()[1]
    assert text.count("Lives in Seattle.") == 1


async def test_what_nobody_said_is_not_answered(talked: httpx2.AsyncClient) -> None:
    found = await ask(talked, "What did I say about zeppelins?")
    assert not found["answered"]
    assert "zeppelin" not in found["text"]


async def test_a_question_that_is_not_plain_brings_what_was_recalled(talked: httpx2.AsyncClient) -> None:
    found = await ask(talked, "Should we show her a leather sofa?")
    assert not found["answered"]
    assert found["memories"]


async def test_a_person_asks_about_themself_alone(door: Door, talked: httpx2.AsyncClient) -> None:
    (await talked.post("/v1/sessions/s3/messages", json={"content": "I like jazz.", "user_id": "bea"})).json()
    bea = await door.client("loft", role=Role.USER, user_id="bea")
    assert code(await bea.get("/v1/users/ann/summary")) == "forbidden"
    assert code(await bea.get("/v1/users/ann/actions")) == "forbidden"
    refused = await bea.post("/v1/answer", json={"query": "Where do I live?", "user_id": "ann"})
    assert code(refused) == "forbidden"
    assert code(await bea.get("/v1/sessions/s1/summary")) == "not_found"
    assert code(await bea.post("/v1/sessions/s1/end")) == "not_found"
    (await bea.post("/v1/sessions/s3/end")).raise_for_status()
    mine = (await bea.post("/v1/answer", json={"query": "What do you know about me?"})).json()
    assert "Atlanta" not in str(mine)


async def test_a_context_begins_with_what_is_known(talked: httpx2.AsyncClient) -> None:
    asked = {"query": "What about the sofa?", "user_id": "ann", "session_id": "s2", "budget": 1_000}
    text = (await talked.post("/v1/context", json=asked)).raise_for_status().json()["text"]
    titles = [line.removeprefix("## ") for line in text.splitlines() if line.startswith("## ")]
    order = ["Profile", "Facts", "Summaries", "Relevant memories", "Latest in this conversation"]
    assert titles == [title for title in order if title in titles]
    assert {"Summaries", "Relevant memories", "Latest in this conversation"} <= set(titles)
    assert {"Profile", "Facts"} & set(titles)
    assert text.index("Atlanta") < text.index("## Summaries")
