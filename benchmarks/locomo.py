"""The main job on real conversations, as a user has it: ingested and asked over HTTP.

    python benchmarks/locomo.py

starts a server over an empty home, sends the LoCoMo conversations with their dates, asks their questions, and
prints how much of the evidence is among the first k: of the turns alone, and once what was said is
understood, with facts and summaries beside the turns, where a fact stands for the turns that say it and a
summary for nothing; beside BM25 alone and dense alone over the same turns, tokens and vectors. Writes
benchmarks/results/locomo.{md,json}. The data are in $RECOLLECT_DATA (default ../shared/data),
locomo/locomo_dev.json, to be had from its publishers.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import Any

import httpx2
import numpy as np
from numpy.typing import NDArray
from recall_offline import (
    DEPTHS,
    NOTHING,
    RESULTS,
    Conversation,
    Prepared,
    Ranker,
    locomo,
    prepare,
    recalls,
    summarise,
    table,
)
from served import PATIENCE, served

from recollect.adapters.embeddings import DEFAULT_MODEL, open_embedder
from recollect.settings import load_settings

ALONE = (
    Ranker("BM25 alone", replace(NOTHING, words=1.0), stripped=False),
    Ranker("dense alone", replace(NOTHING, dense=1.0), stripped=False),
)


def ingest(client: httpx2.Client, user: str, conversation: Conversation) -> list[str]:
    """Send the turns, a session at a time; their ids."""
    ids: list[str] = []
    for session, turns in groupby(conversation.turns, key=lambda turn: turn.session):
        messages = [{"content": turn.text, "name": turn.speaker, "at": turn.at.isoformat()} for turn in turns]
        answer = client.post(
            f"/v1/sessions/{user}-{session}/messages", json={"user_id": user, "messages": messages}
        )
        ids += answer.raise_for_status().json()["ids"]
    return ids


def ask(client: httpx2.Client, user: str, query: str, **scope: Any) -> tuple[list[dict[str, Any]], float]:
    """What is recalled, the best first, and the milliseconds it took."""
    begin = time.perf_counter()
    body = {"user_id": user, "query": query, "limit": max(DEPTHS), **scope}
    answer = client.post("/v1/recall", json=body)
    elapsed = (time.perf_counter() - begin) * 1000
    return [hit["memory"] for hit in answer.raise_for_status().json()["hits"]], elapsed


def stands_for(memory: dict[str, Any], places: dict[str, int]) -> set[int]:
    """The turns that a hit shows: itself, or those that say the fact."""
    ids = memory["evidence"] if memory["claim"] else [memory["id"]]
    return {places[id_] for id_ in ids if id_ in places}


def shares(found: Sequence[set[int]], evidence: frozenset[int]) -> list[float]:
    """How much of the evidence is among the first hits, at each of DEPTHS."""
    return [len(evidence.intersection(set().union(*found[:depth]))) / len(evidence) for depth in DEPTHS]


def understand(client: httpx2.Client) -> float:
    """Wait until all that was sent is understood; the seconds that it took."""
    begin = time.perf_counter()
    while client.get("/v1/jobs").raise_for_status().json()["sessions_behind"]:
        if time.perf_counter() - begin > PATIENCE:
            raise TimeoutError("What was sent is not understood in time.")
        time.sleep(0.2)
    return time.perf_counter() - begin


@dataclass(slots=True)
class Asked:
    """What one way of asking found, a conversation at a time, and how long each question took."""

    name: str
    scope: dict[str, Any]
    turns_only: bool = False
    found: list[NDArray[np.float64]] = field(default_factory=list)
    milliseconds: list[float] = field(default_factory=list)

    def ask(
        self, client: httpx2.Client, user: str, conversation: Conversation, places: dict[str, int]
    ) -> None:
        """Ask all questions of a conversation."""
        rows = []
        for question in conversation.questions:
            hits, elapsed = ask(client, user, question.text, **self.scope)
            self.milliseconds.append(elapsed)
            kept = [hit for hit in hits if hit["id"] in places] if self.turns_only else hits
            rows.append(shares([stands_for(hit, places) for hit in kept], question.evidence))
        self.found.append(np.array(rows))


def measure(client: httpx2.Client, conversations: Sequence[Conversation]) -> dict[str, Any]:
    """What the server finds, and how long it takes."""
    before = Asked("Recollect over HTTP, turns alone", {"kinds": ["message"]})
    after = Asked("**Recollect over HTTP, understood**", {})
    only = Asked("the same, its turns counted alone", {}, turns_only=True)
    users: list[tuple[str, dict[str, int]]] = []
    begin = time.perf_counter()
    for number, conversation in enumerate(conversations):
        user = f"conversation-{number}"
        users.append((user, {id_: place for place, id_ in enumerate(ingest(client, user, conversation))}))
    seconds = time.perf_counter() - begin
    behind = understand(client)
    for asked in (before, after, only):
        for (user, places), conversation in zip(users, conversations, strict=True):
            asked.ask(client, user, conversation, places)
        print(f"{asked.name}: asked", file=sys.stderr)
    questions = [question for conversation in conversations for question in conversation.questions]
    turns = sum(len(conversation.turns) for conversation in conversations)
    return {
        "rows": [summarise(asked.name, asked.found, questions) for asked in (before, after, only)],
        "ingest turns/s": turns / seconds,
        "understood turns/s": turns / (seconds + behind),
        "recall ms": {
            asked.name: dict(
                zip(("p50", "p95"), np.percentile(asked.milliseconds, (50, 95)).tolist(), strict=True)
            )
            for asked in (before, after)
        },
    }


async def alone(conversations: Sequence[Conversation]) -> list[dict[str, Any]]:
    """The rows to compare with, in process."""
    embedder = await open_embedder(DEFAULT_MODEL, load_settings().home / "models", progress=print)
    corpus: list[Prepared] = [await prepare(each, embedder, stripped=False) for each in conversations]
    await embedder.aclose()
    questions = [question for conversation in conversations for question in conversation.questions]
    return [
        summarise(ranker.name, [recalls(ranker, prepared) for prepared in corpus], questions)
        for ranker in ALONE
    ]


def main() -> None:
    """Measure, print and write."""
    try:
        conversations = list(locomo())
    except FileNotFoundError as missing:
        sys.exit(f"LoCoMo is not there: {missing.filename}; point RECOLLECT_DATA at the folder of the data")
    with served() as server, server.client() as client:
        measured = measure(client, conversations)
    measured["rows"] = [*asyncio.run(alone(conversations)), *measured["rows"]]
    write(conversations, measured)


def write(conversations: Sequence[Conversation], measured: dict[str, Any]) -> None:
    """The table with what it is about, printed and as a file; the same as JSON."""
    turns = sum(len(conversation.turns) for conversation in conversations)
    questions = sum(len(conversation.questions) for conversation in conversations)
    times = "; ".join(
        f"{took['p50']:.1f} and {took['p95']:.1f} ms ({name.strip('*')})"
        for name, took in measured["recall ms"].items()
    )
    text = (
        "# LoCoMo over HTTP\n\n"
        f"`make bench-locomo`: {len(conversations)} conversations, {turns} turns, {questions} questions "
        "with evidence (those without are left out). R@k: the share of a question's evidence turns among the "
        "first k, averaged over questions; any@10: questions with at least one of them. The interval is a "
        "bootstrap over conversations. The last columns are R@10 by category: 1 several turns, 2 time, "
        f"3 open domain, 4 one turn, 5 adversarial. Model {DEFAULT_MODEL}, no LLM; a picture's caption is "
        "part of its turn. Understood: facts and summaries are recalled beside the turns; a fact stands for "
        "the turns that say it, a summary for nothing. Nothing is fitted on LoCoMo.\n\n"
        f"{table(measured['rows'])}\n\n"
        f"Ingested at {measured['ingest turns/s']:.0f} turns a second, and understood at "
        f"{measured['understood turns/s']:.0f}; a recall of {max(DEPTHS)} took (p50, p95) {times}, from one "
        "client, on a shared machine with 2 cores.\n"
    )
    print(text)
    RESULTS.mkdir(parents=True, exist_ok=True)
    (RESULTS / "locomo.md").write_text(text, "utf-8")
    (RESULTS / "locomo.json").write_text(json.dumps(measured, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
