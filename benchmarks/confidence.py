"""How well recall knows what it does not know: its confidence in questions with an answer, and without.

    python benchmarks/confidence.py

prints a table and writes benchmarks/results/confidence.{md,json}. Measured on LoCoMo, on BEAM (data as in
benchmarks/recall_offline.py) and on conversations of our own; a set that is not there is left out by name.
training/fit_confidence.py fits the weights on none of these, but on others of our own by the same grammar.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from platformdirs import user_data_path
from recall_offline import (
    DATA,
    RESAMPLES,
    RESULTS,
    ROOT,
    Conversation,
    Prepared,
    Question,
    beam,
    gather,
    locomo,
    prepare,
    take,
)

from recollect.adapters.embeddings import DEFAULT_MODEL, open_embedder
from recollect.core.recall.candidates import Candidates, Query
from recollect.core.recall.confidence import BELIEF, HITS, Belief, signs
from recollect.core.recall.learned import LEARNED, Net
from recollect.core.recall.ranking import rank

Floats = NDArray[np.float64]
Flags = NDArray[np.bool_]

ANSWERED = "answered"
REMOVED = "its evidence removed"
ELSEWHERE = "of another conversation"
BINS = 10


@dataclass(frozen=True, slots=True)
class Example:
    """A question as it was put. `kind`: ANSWERED, or why nothing answers it; `found`: by the first HITS."""

    conversation: int
    kind: str
    found: bool
    seen: dict[str, float]


def with_strangers(conversations: Sequence[Conversation], seed: int = 0) -> Iterator[Conversation]:
    """Each with half as many questions again, asked about others of its kind, in its own people's names."""
    random = np.random.default_rng(seed)
    for one in conversations:
        answered = sum(bool(question.evidence) for question in one.questions)
        others = [each for each in conversations if each is not one and bool(each.names) == bool(one.names)]
        strangers = [_stranger(one, others, random) for _ in range(answered // 2 if others else 0)]
        yield replace(one, questions=[*one.questions, *strangers])


def _stranger(one: Conversation, others: Sequence[Conversation], random: np.random.Generator) -> Question:
    other = others[int(random.integers(len(others)))]
    answered = [question for question in other.questions if question.evidence]
    text = answered[int(random.integers(len(answered)))].text
    for number, name in enumerate(other.names):
        if name not in one.names:
            mine = one.names[number % len(one.names)]
            text = re.sub(rf"\b(?:{re.escape(name)}|{re.escape(name.split()[0])})\b", mine, text)
    return Question(text, ELSEWHERE, frozenset())


def examples(prepared: Prepared, number: int, net: Net | None = LEARNED) -> Iterator[Example]:
    """Every question of the conversation, which is the number-th; those with evidence without it, too."""
    for place, (question, query) in enumerate(
        zip(prepared.conversation.questions, prepared.queries, strict=True)
    ):
        found = gather(prepared, place)
        kind = ANSWERED if question.evidence else question.category
        yield _example(query, found, question.evidence, net, (number, kind))
        if question.evidence:
            rest = _remove(found, question.evidence)
            yield _example(query, rest, frozenset(), net, (number, REMOVED))


def _example(
    query: Query, found: Candidates, evidence: frozenset[int], net: Net | None, about: tuple[int, str]
) -> Example:
    ranked = rank(query, found, HITS, net=net)
    held = any(found.ids[hit.index].int in evidence for hit in ranked)
    return Example(*about, held, signs(query, found, ranked))


def _remove(found: Candidates, gone: frozenset[int]) -> Candidates:
    """As if those rows had never been written."""
    kept = np.setdiff1d(np.arange(len(found)), sorted(gone))
    rest = take(found, kept)
    return replace(
        rest,
        holders=np.count_nonzero(rest.frequencies, axis=0),
        total=len(kept),
        mean_length=float(rest.lengths.mean()),
    )


def auroc(scores: Floats, positive: Flags) -> float:
    """How often one that is positive scores above one that is not; a tie counts half.

    >>> auroc(np.array([0.9, 0.5, 0.5, 0.1]), np.array([True, True, False, False]))
    0.875
    """
    _, places, counts = np.unique(scores, return_inverse=True, return_counts=True)
    ranks = (np.cumsum(counts) - (counts - 1) / 2)[places]
    n = np.count_nonzero(positive)
    return float((ranks[positive].sum() - n * (n + 1) / 2) / (n * (len(scores) - n)))


def halves(kinds: NDArray[np.str_]) -> Floats:
    """Weights that add up to 1: half for the answered questions, half for the others, each kind alike."""
    others = [kind for kind in np.unique(kinds) if kind != ANSWERED]
    shares = {ANSWERED: 0.5, **dict.fromkeys(others, 0.5 / max(len(others), 1))}
    return np.array([shares[kind] / np.count_nonzero(kinds == kind) for kind in kinds.tolist()])


def calibration(
    sure: Floats, found: Flags, weights: Floats
) -> tuple[float, list[tuple[float, float, float]]]:
    """The expected calibration error, and for each bin its weight, the mean said and the share found."""
    bins = np.minimum((sure * BINS).astype(int), BINS - 1)
    rows: list[tuple[float, float, float]] = []
    for number in range(BINS):
        inside = bins == number
        if weight := float(weights[inside].sum()):
            said, true = (float(column[inside] @ weights[inside] / weight) for column in (sure, found * 1.0))
            rows.append((weight, said, true))
    return sum(weight * abs(said - true) for weight, said, true in rows), rows


def measure(told: Sequence[Example], sure: Floats) -> dict[str, Any]:
    """Of each kind of doubt the AUROC beside the answered questions; the calibration of all."""
    kinds = np.array([each.kind for each in told])
    homes = np.array([each.conversation for each in told])
    found = np.array([each.found for each in told])
    answered = kinds == ANSWERED
    doubts = {}
    for kind in sorted({*kinds.tolist()} - {ANSWERED}):
        chosen = answered | (kinds == kind)
        doubts[kind] = {
            "questions": int(np.count_nonzero(kinds == kind)),
            "auroc": auroc(sure[chosen], answered[chosen]),
            "interval": interval(sure[chosen], answered[chosen], homes[chosen]),
            "mean confidence": float(sure[kinds == kind].mean()),
        }
    error, bins = calibration(sure, found, halves(kinds))
    return {
        "answered": int(np.count_nonzero(answered)),
        "found": float(found[answered].mean()),
        "mean confidence": float(sure[answered].mean()),
        "doubts": doubts,
        "ece": error,
        "bins": bins,
    }


def interval(scores: Floats, positive: Flags, homes: NDArray[np.int_]) -> tuple[float, float]:
    """95 % of the AUROC, by bootstrap over conversations (seed 0)."""
    random = np.random.default_rng(0)
    by_home = [np.flatnonzero(homes == home) for home in np.unique(homes)]
    drawn = []
    for _ in range(RESAMPLES // 4):
        rows = np.concatenate([by_home[place] for place in random.integers(len(by_home), size=len(by_home))])
        if 0 < np.count_nonzero(positive[rows]) < len(rows):
            drawn.append(auroc(scores[rows], positive[rows]))
    low, high = np.percentile(drawn, [2.5, 97.5])
    return float(low), float(high)


def probes() -> Iterator[Conversation]:
    """BEAM with its factual probes, and those that the chat does not answer."""
    paths = sorted((DATA / "beam_100k").glob("*.json"), key=lambda path: int(path.stem))
    for path, conversation in zip(paths, beam(), strict=True):
        chat = json.loads(path.read_text("utf-8"))
        unanswered = [
            Question(probe["question"], "abstention", frozenset()) for probe in chat["probes"]["abstention"]
        ]
        yield replace(conversation, questions=[*conversation.questions, *unanswered])


def ours() -> Iterator[Conversation]:
    """Conversations of our own, of a seed that nothing is fitted on."""
    sys.path.append(str(ROOT / "training"))
    from conversations import generate  # noqa: PLC0415 - it is a script that stands in another folder

    yield from generate(2, 16)


SETS: dict[str, Callable[[], Iterator[Conversation]]] = {"locomo": locomo, "beam": probes, "generated": ours}


def sure_of(told: Sequence[Example], belief: Belief = BELIEF) -> Floats:
    """The confidence in each."""
    return np.array([belief.probability(each.seen) for each in told])


def table(rows: dict[str, dict[str, Any]]) -> str:
    """Markdown: a line for each set and kind of doubt; then how the calibration is."""
    lines = [
        "| set | questions | n | AUROC | 95 % | mean confidence |",
        "|" + " --- |" * 6,
    ]
    for name, row in rows.items():
        lines.append(f"| {name} | answered | {row['answered']} | | | {row['mean confidence']:.2f} |")
        lines += [
            f"| {name} | {kind} | {doubt['questions']} | {doubt['auroc']:.3f} | "
            f"{doubt['interval'][0]:.3f}–{doubt['interval'][1]:.3f} | {doubt['mean confidence']:.2f} |"
            for kind, doubt in row["doubts"].items()
        ]
    lines += ["", "| set | ECE | said → found, by tenths |", "|" + " --- |" * 3]
    for name, row in rows.items():
        bins = ", ".join(f"{said:.2f} → {true:.2f}" for _, said, true in row["bins"])
        lines.append(f"| {name} | {row['ece']:.3f} | {bins} |")
    return "\n".join(lines) + "\n"


ABOUT = """# What recall knows of not knowing

`python benchmarks/confidence.py`. AUROC: how often a question with evidence gets more confidence than one
of this kind; the interval is a bootstrap over conversations. "Its evidence removed": the answered
questions, where the turns that answer them were never written (what else was said of the matter stays). "Of
another conversation": asked with this one's names. BEAM's "abstention" asks for a detail that was left out
of something told, and so does "untold" of our own conversations; part of what tells BEAM's is an accident:
its clock is only an order, so that no hit is "in time", and those probes name a date more often.
"Unanswerable" asks of what was never told, or told of somebody else. ECE: between the confidence and the
share of questions with evidence in the first ten, in ten bins, for a mixture of half answered and half
others, each kind alike: that is the mixture that the weights are fitted for. Model {model}, no LLM.

"""


async def main() -> None:
    """Measure every set that is there."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--models", type=Path, default=user_data_path("recollect") / "models")
    arguments = parser.parse_args()
    embedder = await open_embedder(DEFAULT_MODEL, arguments.models, progress=print)
    rows: dict[str, dict[str, Any]] = {}
    for name, conversations in SETS.items():
        try:
            asked = list(with_strangers(list(conversations())))
        except FileNotFoundError as missing:
            print(f"{name} is not there: {missing.filename}; point RECOLLECT_DATA at its folder")
            continue
        print(f"embedding {name}", file=sys.stderr)
        corpus = [await prepare(each, embedder) for each in asked]
        told = [example for number, each in enumerate(corpus) for example in examples(each, number)]
        rows[name] = measure(told, sure_of(told))
    await embedder.aclose()
    text = ABOUT.format(model=DEFAULT_MODEL) + table(rows)
    print(text)
    RESULTS.mkdir(parents=True, exist_ok=True)
    (RESULTS / "confidence.md").write_text(text, "utf-8")
    (RESULTS / "confidence.json").write_text(json.dumps(rows, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    asyncio.run(main())
