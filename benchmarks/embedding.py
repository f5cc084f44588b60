"""What embedding costs on this machine, and how exact it is.

    python benchmarks/embedding.py

prints tables and writes benchmarks/results/embedding.{md,json}. The texts are the turns of LoCoMo, in
$RECOLLECT_DATA (default ../shared/data): locomo/locomo_dev.json, to be had from its publisher. Every number
of threads runs in a process of its own, so that memory is counted from the start.
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
from collections.abc import Sequence
from contextlib import aclosing
from pathlib import Path
from typing import Any

import numpy as np

from recollect.adapters.embeddings import DEFAULT_MODEL, open_embedder
from recollect.adapters.embeddings.local import LocalEmbedder
from recollect.settings import default_home

ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results"
LOCOMO = (
    Path(os.environ.get("RECOLLECT_DATA", ROOT.parent / "shared" / "data")) / "locomo" / "locomo_dev.json"
)
CACHE = default_home() / "models"
THREADS = (1, 2)
QUERIES = 300
BULK = 1000
CONCURRENT = 32
COMPARED = 60

Figures = dict[str, float]


def load_turns() -> list[str]:
    if not LOCOMO.exists():
        sys.exit(f"{LOCOMO} is missing: get LoCoMo from its publisher, or set RECOLLECT_DATA.")
    turns: dict[str, None] = {}
    for sample in json.loads(LOCOMO.read_text()):
        for name, value in sample["conversation"].items():
            if name.startswith("session_") and isinstance(value, list):
                turns |= dict.fromkeys(turn["text"] for turn in value if turn.get("text"))
    return list(turns)


def load_questions() -> list[str]:
    samples = json.loads(LOCOMO.read_text())
    return list(dict.fromkeys(asked["question"] for sample in samples for asked in sample["qa"]))


def megabytes(field: str) -> float:
    """A field of /proc/self/status: VmRSS, or RssAnon, which leaves out what is mapped from files."""
    status = Path("/proc/self/status").read_text().split(f"{field}:")[1]
    return int(status.split()[0]) / 1024


async def time_queries(embedder: LocalEmbedder, queries: Sequence[str], *, pause: float) -> list[float]:
    """Milliseconds of each query, none of which was asked before."""
    taken = []
    for query in queries:
        await asyncio.sleep(pause)
        start = time.perf_counter()
        await embedder.embed([query])
        taken.append((time.perf_counter() - start) * 1e3)
    return taken


def spread(name: str, taken: Sequence[float]) -> Figures:
    return {f"{name}_p{p}_ms": float(np.percentile(taken, p)) for p in (10, 50, 95)}


async def measure(threads: int) -> Figures:
    """Everything for one number of threads, in this process."""
    turns, questions = load_turns(), load_questions()
    figures: Figures = {"threads": threads, "rss_before_mb": megabytes("VmRSS")}
    start = time.perf_counter()
    async with aclosing(await open_embedder(DEFAULT_MODEL, CACHE, threads=threads)) as embedder:
        figures["load_ms"] = (time.perf_counter() - start) * 1e3
        figures["rss_loaded_mb"] = megabytes("VmRSS")
        start = time.perf_counter()
        await embedder.embed(["the very first text"])
        figures["first_ms"] = (time.perf_counter() - start) * 1e3
        used = time.process_time()
        figures |= spread("query", await time_queries(embedder, questions[:QUERIES], pause=0.003))
        figures["query_cpu_ms"] = (time.process_time() - used) / QUERIES * 1e3
        start = time.perf_counter()
        asked = questions[QUERIES : QUERIES + CONCURRENT]
        await asyncio.gather(*(embedder.embed([question]) for question in asked))
        figures[f"concurrent_{CONCURRENT}_ms"] = (time.perf_counter() - start) * 1e3
        start, used = time.perf_counter(), time.process_time()
        await embedder.embed(turns[:BULK])
        figures["bulk_texts_per_second"] = BULK / (time.perf_counter() - start)
        figures["bulk_cpu_ms_per_text"] = (time.process_time() - used) / BULK * 1e3
        bulk = asyncio.create_task(embedder.embed(turns[BULK:]))
        beside = questions[QUERIES + CONCURRENT : QUERIES + CONCURRENT + 60]
        figures |= spread("query_beside_bulk", await time_queries(embedder, beside, pause=0.003))
        bulk.cancel()
        figures["rss_after_mb"] = megabytes("VmRSS")
        figures["anonymous_after_mb"] = megabytes("RssAnon")
    return figures


def compare() -> Figures:
    """The lowest cosine to the float64 reference of the tests, over turns embedded together."""
    from recollect.adapters.embeddings.encoder import Encoder  # noqa: PLC0415  # not in the timed processes

    reference_of = runpy.run_path(str(ROOT / "tests" / "unit" / "embeddings" / "bert_reference.py"))[
        "Reference"
    ]
    folder = CACHE / DEFAULT_MODEL
    encoder, reference = Encoder(folder), reference_of(folder)
    tokens = encoder.tokenize(load_turns()[:COMPARED])
    vectors = encoder.encode(tokens)
    cosines = [float(vector @ reference.encode(ids)) for vector, ids in zip(vectors, tokens, strict=True)]
    return {"texts": COMPARED, "lowest_cosine": min(cosines)}


def table(runs: Sequence[Figures], compared: Figures, load: Sequence[float]) -> str:
    """What was measured, in Markdown; a column a number of threads."""
    rows = [f"| {name} | " + " | ".join(f"{run[name]:.1f}" for run in runs) + " |" for name in runs[0]]
    body = "\n".join(rows)
    return f"""# Embedding

`python benchmarks/embedding.py`

{platform.machine()}, {os.cpu_count()} cores, Python {platform.python_version()}; the machine's load average
before and after: {load[0]:.1f}, {load[1]:.1f}. {QUERIES} LoCoMo questions one by one, {BULK} LoCoMo turns
in bulk; no text is asked twice. `cpu` is processor time, which a busy machine changes little.

| figure |{" |" * len(runs)}
|---|{"---|" * len(runs)}
{body}

Lowest cosine to the float64 reference over {compared["texts"]:.0f} turns embedded together:
{compared["lowest_cosine"]:.8f}.
"""


def main() -> None:
    if len(sys.argv) > 1:
        print(json.dumps(asyncio.run(measure(int(sys.argv[1])))))
        return
    before = os.getloadavg()[0]
    runs: list[Any] = []
    for threads in THREADS:
        done = subprocess.run(
            [sys.executable, __file__, str(threads)], check=True, capture_output=True, text=True
        )
        runs.append(json.loads(done.stdout))
    compared = compare()
    text = table(runs, compared, (before, os.getloadavg()[0]))
    RESULTS.mkdir(exist_ok=True)
    (RESULTS / "embedding.md").write_text(text)
    (RESULTS / "embedding.json").write_text(
        json.dumps({"runs": runs, "reference": compared}, indent=1) + "\n"
    )
    print(text)


if __name__ == "__main__":
    main()
