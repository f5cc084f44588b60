"""What embedding costs on this machine, in 8-bit integers and in floats, and what the 8 bits change.

    python benchmarks/embedding.py

prints tables and writes benchmarks/results/embedding.{md,json}. The texts are those of LoCoMo, FriendsQA and
QMSum, in $RECOLLECT_DATA (default ../shared/data). Times are of one process in which the two take turns;
memory is counted in processes of their own. `processor` is the time of all threads, which a busy machine
changes less than the clock's.
"""

from __future__ import annotations

import asyncio
import json
import os
import platform
import runpy
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack, aclosing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from recall_offline import DATA, RESULTS, ROOT, Conversation, friendsqa, interval, locomo

from recollect.adapters.embeddings import DEFAULT_MODEL
from recollect.adapters.embeddings.encoder import Encoder
from recollect.adapters.embeddings.local import LocalEmbedder
from recollect.core.indexing import plain_turn
from recollect.core.ports import Vector, Vectors
from recollect.core.text.names import strip_names
from recollect.settings import default_home

FOLDER = default_home() / "models" / DEFAULT_MODEL
KINDS = {"floats": True, "8 bits": False}
THREADS = (1, 2)
QUERIES = 240
CALLERS = (1, 8, 32)
ROUNDS = 5
BULK = 64
PAUSE = 0.002
REFERENCES = 40
DEPTHS = (10, 50)

Figures = dict[str, float]


@dataclass
class Clock:
    """The seconds of each run, by the clock and of the processor."""

    taken: list[float] = field(default_factory=list)
    used: list[float] = field(default_factory=list)
    _begun: tuple[float, float] = (0, 0)

    def __enter__(self) -> None:
        self._begun = time.perf_counter(), time.process_time()

    def __exit__(self, *_: object) -> None:
        self.taken.append(time.perf_counter() - self._begun[0])
        self.used.append(time.process_time() - self._begun[1])


class Staged(Encoder):
    """Notes when it began, had its tokens, and had its vector."""

    moments: tuple[float, float, float]

    def embed(self, text: str) -> Vector:
        begun = time.perf_counter()
        tokens = self.tokenize(text)
        tokenized = time.perf_counter()
        vector = self.encode(tokens)
        self.moments = begun, tokenized, time.perf_counter()
        return vector


def questions_of(conversations: Sequence[Conversation]) -> list[str]:
    return list(dict.fromkeys(each.text for told in conversations for each in told.questions))


def turns_of(conversations: Sequence[Conversation]) -> list[str]:
    return list(dict.fromkeys(each.text for told in conversations for each in told.turns))


async def time_speed(conversations: Sequence[Conversation]) -> dict[str, Figures]:
    """Milliseconds and rates by figure and kind, for each number of threads."""
    figures: dict[str, Figures] = {}
    asked = questions_of(conversations)[:QUERIES]
    told = [turn for turn in turns_of(conversations) if 120 <= len(turn) <= 200][:BULK]
    for threads in THREADS:
        async with AsyncExitStack() as stack:
            embedders = {
                kind: await stack.enter_async_context(
                    aclosing(
                        LocalEmbedder(kind, Encoder(FOLDER, exact=exact), threads=threads, cached_vectors=0)
                    )
                )
                for kind, exact in KINDS.items()
            }
            if threads == 1:
                figures |= await time_one(embedders, asked)
            for callers in CALLERS:
                name = f"{callers} callers, {threads} threads: queries a second"
                figures[name] = await time_callers(embedders, asked, callers)
            figures[f"bulk, {threads} threads: texts a second"] = await time_bulk(embedders, told)
    return figures


async def time_one(embedders: Mapping[str, LocalEmbedder], asked: Sequence[str]) -> dict[str, Figures]:
    """Each query on both, one after the other."""
    clocks = {kind: Clock() for kind in embedders}
    for query in asked:
        for kind, embedder in embedders.items():
            await asyncio.sleep(PAUSE)
            with clocks[kind]:
                await embedder.embed([query])
    figures = {
        f"a query, p{part}: ms": {
            kind: float(np.percentile(clock.taken, part)) * 1e3 for kind, clock in clocks.items()
        }
        for part in (10, 50, 95)
    }
    figures["a query, processor: ms"] = {
        kind: float(np.median(clock.used)) * 1e3 for kind, clock in clocks.items()
    }
    return figures


async def time_callers(embedders: Mapping[str, LocalEmbedder], asked: Sequence[str], callers: int) -> Figures:
    """Queries a second when so many callers ask one after the other, each its own; the median round."""
    clocks = {kind: Clock() for kind in embedders}

    async def ask(embedder: LocalEmbedder, mine: Sequence[str]) -> None:
        for query in mine:
            await embedder.embed([query])

    for _ in range(ROUNDS):
        for kind, embedder in embedders.items():
            with clocks[kind]:
                await asyncio.gather(*(ask(embedder, asked[caller::callers]) for caller in range(callers)))
    return {kind: len(asked) / float(np.median(clock.taken)) for kind, clock in clocks.items()}


async def time_bulk(embedders: Mapping[str, LocalEmbedder], told: Sequence[str]) -> Figures:
    clocks = {kind: Clock() for kind in embedders}
    for _ in range(ROUNDS):
        for kind, embedder in embedders.items():
            with clocks[kind]:
                await embedder.embed(told)
    return {kind: len(told) / float(np.median(clock.taken)) for kind, clock in clocks.items()}


async def time_stages(asked: Sequence[str]) -> Figures:
    """Where the median millisecond of a lone query in 8 bits goes."""
    encoder = Staged(FOLDER)
    stages: list[tuple[float, ...]] = []
    async with aclosing(LocalEmbedder("8 bits", encoder, threads=1, cached_vectors=0)) as embedder:
        for query in asked:
            await asyncio.sleep(PAUSE)
            asking = time.perf_counter()
            await embedder.embed([query])
            moments = (asking, *encoder.moments, time.perf_counter())
            stages.append(tuple(np.diff(moments) * 1e3))
        await asyncio.sleep(0)
    names = ("digest, cache, to the thread", "tokens", "network", "back to the caller")
    return dict(zip(names, np.median(stages, axis=0).tolist(), strict=True))


def megabytes(name: str) -> float:
    """A field of /proc/self/status: VmRSS, or RssAnon, which leaves out what is mapped from files."""
    status = Path("/proc/self/status").read_text().split(f"{name}:")[1]
    return int(status.split()[0]) / 1024


def weigh(kind: str) -> Figures:
    """Memory and start of one encoder, in this process."""
    told = turns_of(list(locomo()))[:300]
    before, start = megabytes("VmRSS"), time.perf_counter()
    encoder = Encoder(FOLDER, exact=KINDS[kind])
    figures = {"load: ms": (time.perf_counter() - start) * 1e3}
    figures["resident after loading: MB more"] = megabytes("VmRSS") - before
    for text in told:
        encoder.embed(text)
    figures["resident after 300 texts: MB more"] = megabytes("VmRSS") - before
    figures["of it in no file: MB of the process"] = megabytes("RssAnon")
    return figures


def weigh_apart() -> dict[str, Figures]:
    figures: dict[str, Figures] = {}
    for kind in KINDS:
        done = subprocess.run([sys.executable, __file__, kind], check=True, capture_output=True, text=True)
        for name, value in json.loads(done.stdout).items():
            figures.setdefault(name, {})[kind] = value
    return figures


def qmsum_turns(most: int = 700) -> list[str]:
    """Turns of meetings, every so many, so that all meetings have a part."""
    told = [
        turn["content"]
        for path in sorted((DATA / "qmsum").glob("*.json"))
        for turn in json.loads(path.read_text("utf-8"))["meeting_transcripts"]
    ]
    return told[:: max(1, len(told) // most)]


def compare(texts: Sequence[str], floats: Encoder, whole: Encoder) -> Figures:
    """The cosines of the two vectors of each text."""
    cosines = np.array([floats.embed(text) @ whole.embed(text) for text in texts])
    return {
        "texts": len(texts),
        "mean": float(cosines.mean()),
        "p1": float(np.percentile(cosines, 1)),
        "lowest": float(cosines.min()),
    }


def lowest_to_reference(floats: Encoder) -> float:
    """The lowest cosine of the floats to the float64 reference of the tests."""
    path = ROOT / "tests" / "unit" / "embeddings" / "bert_reference.py"
    reference = runpy.run_path(str(path))["Reference"](FOLDER)
    tokens = [floats.tokenize(text) for text in turns_of(list(locomo()))[:REFERENCES]]
    return min(float(floats.encode(ids) @ reference.encode(ids)) for ids in tokens)


def found(conversation: Conversation, turns: Vectors, asked: Vectors) -> NDArray[np.float64]:
    """The shares of each question's evidence among the nearest turns, shape (questions, DEPTHS)."""
    orders = np.argsort(-(asked @ turns.T), axis=1, kind="stable").tolist()
    return np.array(
        [
            [len(question.evidence.intersection(order[:depth])) / len(question.evidence) for depth in DEPTHS]
            for question, order in zip(conversation.questions, orders, strict=True)
        ]
    )


def recall(conversations: Sequence[Conversation], floats: Encoder, whole: Encoder) -> list[dict[str, Any]]:
    """Dense recall of the turn, names stripped: stored and asked in either kind, beside floats for both."""
    shares: dict[str, list[NDArray[np.float64]]] = {
        "floats": [],
        "8 bits": [],
        "8 bits asked, floats stored": [],
    }
    for told in conversations:
        texts = [plain_turn(turn.text, told.names) for turn in told.turns]
        asked = [strip_names(question.text, told.names) for question in told.questions]
        turns, again = (np.stack([kind.embed(text) for text in texts]) for kind in (floats, whole))
        queries, quick = (np.stack([kind.embed(text) for text in asked]) for kind in (floats, whole))
        shares["floats"].append(found(told, turns, queries))
        shares["8 bits"].append(found(told, again, quick))
        shares["8 bits asked, floats stored"].append(found(told, turns, quick))
    rows = []
    for name, by_conversation in shares.items():
        changes = [new - old for new, old in zip(by_conversation, shares["floats"], strict=True)]
        means = np.concatenate(by_conversation).mean(0)
        rows.append(
            {"vectors": name, "questions": sum(map(len, by_conversation))}
            | {
                f"R@{depth}": (float(means[column]), *interval(changes, column))
                for column, depth in enumerate(DEPTHS)
            }
        )
    return rows


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def beside(figures: Mapping[str, Figures]) -> str:
    """A row a figure: floats, 8 bits, and the second by the first."""
    rows = [
        [name, *(f"{each[kind]:.2f}" for kind in KINDS), f"{each['8 bits'] / each['floats']:.2f}"]
        for name, each in figures.items()
    ]
    return table(["figure", *KINDS, "ratio"], rows)


def shown(share: tuple[float, float, float]) -> str:
    mean, low, high = (100 * each for each in share)
    return f"{mean:.1f} ({low:+.1f} to {high:+.1f})"


def report(measured: Mapping[str, Any]) -> str:
    cosines = [
        [name, f"{each['texts']:.0f}", *(f"{each[part]:.4f}" for part in ("mean", "p1", "lowest"))]
        for name, each in measured["cosines"].items()
    ]
    recalls = [
        [name, row["vectors"], str(row["questions"]), *(shown(row[f"R@{depth}"]) for depth in DEPTHS)]
        for name, rows in measured["recall"].items()
        for row in rows
    ]
    stages = [[name, f"{value:.2f}"] for name, value in measured["stages"].items()]
    loads = ", ".join(f"{load:.1f}" for load in measured["load average"])
    return f"""# Embedding

`python benchmarks/embedding.py`

{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}; the machine's load average
before and after the times: {loads}. {QUERIES} LoCoMo questions, {BULK} LoCoMo turns of 120 to 200 characters
in bulk; floats and 8 bits take turns; nothing is cached. A thread embeds one text at a time.

## Time

{beside(measured["speed"])}

Where a lone query's time goes in 8 bits (medians, ms):

{table(["stage", "ms"], stages)}

## Memory and start

Each in a process of its own; resident counts the pages of the model's file that were touched.

{beside(measured["weight"])}

## What 8 bits change

Cosine between a text's vector in floats and in 8 bits:

{table(["texts of", "n", "mean", "1st percentile", "lowest"], cosines)}

Recall of evidence turns by cosine alone, names stripped, in percent; in brackets the change against floats,
95 % by bootstrap over conversations:

{table(["questions of", "vectors", "n", *(f"R@{depth}" for depth in DEPTHS)], recalls)}

Floats against the float64 reference of the tests, lowest of {REFERENCES} cosines:
{measured["reference"]:.7f}.
"""


def main() -> None:
    if len(sys.argv) > 1:
        print(json.dumps(weigh(sys.argv[1])))
        return
    sets = {"LoCoMo": list(locomo()), "FriendsQA": list(friendsqa())}
    asked = questions_of(sets["LoCoMo"])[:QUERIES]
    before = os.getloadavg()[0]
    measured: dict[str, Any] = {
        "speed": asyncio.run(time_speed(sets["LoCoMo"])),
        "stages": asyncio.run(time_stages(asked)),
        "load average": [before, os.getloadavg()[0]],
        "weight": weigh_apart(),
    }
    floats, whole = Encoder(FOLDER, exact=True), Encoder(FOLDER)
    texts = {name: turns_of(told)[::3] for name, told in sets.items()} | {"QMSum": qmsum_turns()}
    texts["questions of LoCoMo"] = questions_of(sets["LoCoMo"])
    measured["cosines"] = {name: compare(some, floats, whole) for name, some in texts.items()}
    measured["recall"] = {name: recall(told, floats, whole) for name, told in sets.items()}
    measured["reference"] = lowest_to_reference(floats)
    text = report(measured)
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "embedding.md").write_text(text)
    (RESULTS / "embedding.json").write_text(json.dumps(measured, indent=1) + "\n")
    print(text)


if __name__ == "__main__":
    main()
