"""The main job on real conversations, as a user has it: ingested and asked over HTTP.

    python benchmarks/locomo.py

starts a server over an empty home, sends the LoCoMo conversations with their dates, asks their questions, and
prints how much of the evidence is among the first k, beside BM25 alone and dense alone over the same turns,
tokens and vectors. Writes benchmarks/results/locomo.{md,json}. The data are in $RECOLLECT_DATA (default
../shared/data), locomo/locomo_dev.json, to be had from its publishers.
"""

from __future__ import annotations

import asyncio
import json
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
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
from served import served

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


def ask(client: httpx2.Client, user: str, query: str, places: dict[str, int]) -> tuple[list[int], float]:
    """The turns that are recalled, the best first, and the milliseconds it took."""
    begin = time.perf_counter()
    answer = client.post("/v1/recall", json={"user_id": user, "query": query, "limit": max(DEPTHS)})
    elapsed = (time.perf_counter() - begin) * 1000
    return [places[hit["memory"]["id"]] for hit in answer.raise_for_status().json()["hits"]], elapsed


def measure(client: httpx2.Client, conversations: Sequence[Conversation]) -> dict[str, Any]:
    """What the server finds, and how long it takes."""
    found: list[NDArray[np.float64]] = []
    milliseconds: list[float] = []
    seconds = 0.0
    for number, conversation in enumerate(conversations):
        user = f"conversation-{number}"
        begin = time.perf_counter()
        places = {id_: place for place, id_ in enumerate(ingest(client, user, conversation))}
        seconds += time.perf_counter() - begin
        shares = np.empty((len(conversation.questions), len(DEPTHS)))
        for row, question in enumerate(conversation.questions):
            order, elapsed = ask(client, user, question.text, places)
            milliseconds.append(elapsed)
            shares[row] = [
                len(question.evidence.intersection(order[:depth])) / len(question.evidence)
                for depth in DEPTHS
            ]
        found.append(shares)
        print(f"{user}: {len(conversation.turns)} turns, {len(shares)} questions", file=sys.stderr)
    questions = [question for conversation in conversations for question in conversation.questions]
    return {
        "rows": [summarise("**Recollect, over HTTP**", found, questions)],
        "ingest turns/s": sum(len(conversation.turns) for conversation in conversations) / seconds,
        "recall ms": dict(zip(("p50", "p95"), np.percentile(milliseconds, (50, 95)).tolist(), strict=True)),
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
    text = (
        "# LoCoMo over HTTP\n\n"
        f"`make bench-locomo`: {len(conversations)} conversations, {turns} turns, {questions} questions "
        "with evidence (those without are left out). R@k: the share of a question's evidence turns among the "
        "first k, averaged over questions; any@10: questions with at least one of them. The interval is a "
        "bootstrap over conversations. The last columns are R@10 by category: 1 several turns, 2 time, "
        f"3 open domain, 4 one turn, 5 adversarial. Model {DEFAULT_MODEL}, no LLM; a picture's caption is "
        "part of its turn. Nothing is fitted on LoCoMo.\n\n"
        f"{table(measured['rows'])}\n\n"
        f"Ingested at {measured['ingest turns/s']:.0f} turns a second; a recall of {max(DEPTHS)} took "
        f"{measured['recall ms']['p50']:.1f} ms (p50), {measured['recall ms']['p95']:.1f} ms (p95), from one "
        "client, on a shared machine with 2 cores.\n"
    )
    print(text)
    RESULTS.mkdir(parents=True, exist_ok=True)
    (RESULTS / "locomo.md").write_text(text, "utf-8")
    (RESULTS / "locomo.json").write_text(json.dumps(measured, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
