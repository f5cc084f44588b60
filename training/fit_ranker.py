"""Fits the learned ranker and writes its weights into the package: src/recollect/core/recall/ranker.npz.

    PYTHONPATH=benchmarks python training/fit_ranker.py
    PYTHONPATH=benchmarks python training/fit_ranker.py --validate

Needs nothing that the project does not. It is fitted on what may be used for that: FriendsQA (Apache-2.0);
the haystacks of LongMemEval (MIT), about whose turns we wrote questions (questions.tsv: the haystack, the
turns that answer, the question); and conversations of our own (conversations.py). The data are in
$RECOLLECT_DATA, as in benchmarks/recall_offline.py. With --validate nothing is written but the figures, in
benchmarks/results/recall_fitted.{md,json}: each part of the conversations is ranked by a net that was fitted
on the others.

A net sees the fusion's best rows of a question as `core.recall.evidence` describes them, and learns to add to
FLOOR times the fusion's score so that the softmax is on the rows that answer. The sets weigh as WEIGHTS says,
whatever their sizes. Each question is asked once more in another guise, so that the net stands what it will
meet: no names, no traits (another language), notes without sessions, the wrong name, fewer candidates.
"""

from __future__ import annotations

import argparse
import asyncio
import csv
import json
import sys
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from conversations import generate
from numpy.typing import NDArray
from platformdirs import user_data_path
from recall_offline import (
    RESULTS,
    ROOT,
    Conversation,
    Prepared,
    Question,
    Ranker,
    friendsqa,
    gather,
    longmemeval,
    measure,
    prepare,
    table,
    truncate,
)

from recollect.adapters.embeddings import DEFAULT_MODEL, open_embedder
from recollect.core.recall.candidates import Candidates, Query
from recollect.core.recall.evidence import describe, head, matrix
from recollect.core.recall.features import measure as measure_features
from recollect.core.recall.fuse import WEIGHTS as FUSION, fuse
from recollect.core.recall.learned import CLIP, Net
from recollect.core.recall.neighbours import Neighbours
from recollect.core.recall.ranking import FLOOR

HERE = Path(__file__).resolve().parent
FILE = ROOT / "src" / "recollect" / "core" / "recall" / "ranker.npz"
WEIGHTS = {"friendsqa": 1.0, "questions": 0.5, "generated": 0.5}
GENERATED = 24
FOLDS = 3

Single = NDArray[np.float32]
Parameters = list[Single]


@dataclass(frozen=True, slots=True)
class Settings:
    """Of the fit. `decay` and `dropped`, the share of columns left out at a step, keep it from noise."""

    seed: int = 1
    nets: int = 4
    hidden: tuple[int, ...] = (32,)
    epochs: int = 12
    questions: int = 64
    rate: float = 2e-3
    decay: float = 0.03
    dropped: float = 0.15


@dataclass(frozen=True, slots=True)
class Lesson:
    """A question's rows: `evidence` (m, features); `fused`, and `target` which adds up to 1, (m,)."""

    evidence: Single
    fused: Single
    target: Single
    weight: float = 1.0


def written() -> Iterator[Conversation]:
    """The haystacks of LongMemEval with our own questions."""
    asked: dict[int, list[Question]] = defaultdict(list)
    with (HERE / "questions.tsv").open(encoding="utf-8", newline="") as lines:
        for haystack, turns, text in csv.reader(lines, delimiter="\t", quoting=csv.QUOTE_NONE):
            asked[int(haystack)].append(Question(text, "written", frozenset(map(int, turns.split(",")))))
    for number, conversation in enumerate(longmemeval()):
        yield replace(conversation, questions=asked[number])


def generated() -> Iterator[Conversation]:
    """Our own conversations, with the questions that something answers."""
    for conversation in generate(1, GENERATED):
        yield replace(conversation, questions=[each for each in conversation.questions if each.evidence])


SETS: dict[str, Callable[[], Iterator[Conversation]]] = {
    "friendsqa": friendsqa,
    "questions": written,
    "generated": generated,
}

Guise = Callable[[Query, Candidates, np.random.Generator], tuple[Query, Candidates]]


def _nameless(query: Query, found: Candidates, _: np.random.Generator) -> tuple[Query, Candidates]:
    return replace(query, names=()), replace(found, names=[None] * len(found))


def _untold(query: Query, found: Candidates, _: np.random.Generator) -> tuple[Query, Candidates]:
    return replace(query, text="", spans=()), replace(found, traits=np.zeros_like(found.traits))


def _notes(query: Query, found: Candidates, _: np.random.Generator) -> tuple[Query, Candidates]:
    n = len(found)
    alone, zero = np.full(n, -1, np.int32), np.zeros(n, np.int32)
    window = np.full(n, np.nan, np.float32)
    return query, replace(found, sessions=alone, seqs=zero, roles=zero, window=window, names=[None] * n)


def _mistaken(query: Query, found: Candidates, random: np.random.Generator) -> tuple[Query, Candidates]:
    others = sorted({name for name in found.names if name and name not in query.names})
    return replace(query, names=(others[random.integers(len(others))],) if others else ()), found


def _few(query: Query, found: Candidates, random: np.random.Generator) -> tuple[Query, Candidates]:
    return query, truncate(found, int(random.integers(20, 100)))


GUISES: tuple[Guise, ...] = (_nameless, _untold, _notes, _mistaken, _few)


def lessons(prepared: Prepared, random: np.random.Generator) -> Iterator[Lesson]:
    """Those of the questions whose evidence is among the rows that are ranked again."""
    for number, query in enumerate(prepared.queries):
        evidence, found = prepared.conversation.questions[number].evidence, gather(prepared, number)
        guise = GUISES[random.integers(len(GUISES))]
        for seen in ((query, found), guise(query, found, random)):
            if lesson := _lesson(*seen, evidence):
                yield lesson


def _lesson(query: Query, found: Candidates, evidence: frozenset[int]) -> Lesson | None:
    neighbours = Neighbours.of(found)
    features = measure_features(query, found, neighbours)
    fused = np.sum(list(fuse(features, found.sessions, neighbours, FUSION).values()), axis=0)
    best = head(query, found, features, fused, neighbours)
    answers = np.array([found.ids[row].int in evidence for row in best.rows], np.float32)
    if not answers.any():
        return None
    told = matrix(describe(best), len(best.rows)).astype(np.float32)
    return Lesson(told, fused[best.rows].astype(np.float32), answers / answers.sum())


def fit(taught: Sequence[Lesson], settings: Settings) -> Net:
    """Nets side by side, each from its own beginning: Adam on the cross-entropy with the targets."""
    everything = np.concatenate([lesson.evidence for lesson in taught])
    shift, deviation = everything.mean(0), everything.std(0)
    scale = np.where(deviation > 1e-6, 1 / np.maximum(deviation, 1e-6), 0).astype(np.float32)
    ready = [replace(each, evidence=np.clip((each.evidence - shift) * scale, -CLIP, CLIP)) for each in taught]
    random = np.random.default_rng(settings.seed)
    parameters = _begin(len(shift), settings, random)
    steps = settings.epochs * -(-len(ready) // settings.questions)
    adam = Adam(parameters, settings, steps)
    for _ in range(settings.epochs):
        order = random.permutation(len(ready))
        for first in range(0, len(order), settings.questions):
            batch = [ready[place] for place in order[first : first + settings.questions]]
            adam.step(_gradients(parameters, batch, settings, random))
    pairs = zip(parameters[::2], parameters[1::2], strict=True)
    return Net(shift, scale, tuple(pairs))


def _begin(features: int, settings: Settings, random: np.random.Generator) -> Parameters:
    parameters: Parameters = []
    widths = (features, *settings.hidden, 1)
    for width, following in pairwise(widths):
        deviation = np.sqrt((2 if following > 1 else 0.25) / width)
        shape = (settings.nets, width, following)
        parameters.append(random.normal(0, deviation, shape).astype(np.float32))
        parameters.append(np.zeros((settings.nets, 1, following), np.float32))
    return parameters


def _gradients(
    parameters: Parameters, batch: Sequence[Lesson], settings: Settings, random: np.random.Generator
) -> Parameters:
    """Of the mean cross-entropy of the batch, weighted."""
    evidence = np.concatenate([lesson.evidence for lesson in batch])[None]
    kept = random.random((settings.nets, 1, evidence.shape[2])) >= settings.dropped
    layers: list[Single] = [(evidence * kept).astype(np.float32)]
    for weights, biases in zip(parameters[:-2:2], parameters[1:-2:2], strict=True):
        layers.append(np.maximum(layers[-1] @ weights + biases, 0))
    scores = (layers[-1] @ parameters[-2] + parameters[-1])[..., 0]
    flow = _errors(scores, batch)[..., None]
    gradients: Parameters = []
    for depth in range(len(layers) - 1, -1, -1):
        gradients[:0] = [layers[depth].transpose(0, 2, 1) @ flow, flow.sum(1, keepdims=True)]
        if depth:
            flow = (flow @ parameters[2 * depth].transpose(0, 2, 1)) * (layers[depth] > 0)
    return gradients


def _errors(scores: Single, batch: Sequence[Lesson]) -> Single:
    """Of each row's share from its target, (nets, rows), weighted."""
    sizes = [len(lesson.fused) for lesson in batch]
    begins = np.cumsum([0, *sizes[:-1]])
    scores = (scores + FLOOR * np.concatenate([lesson.fused for lesson in batch])).astype(np.float32)
    powers = np.exp(scores - np.repeat(np.maximum.reduceat(scores, begins, axis=1), sizes, axis=1))
    shares = powers / np.repeat(np.add.reduceat(powers, begins, axis=1), sizes, axis=1)
    weights = np.repeat([lesson.weight for lesson in batch], sizes) / len(batch)
    errors: Single = ((shares - np.concatenate([lesson.target for lesson in batch])) * weights).astype(
        np.float32
    )
    return errors


class Adam:
    """Kingma and Ba, "Adam" (2015), with decoupled decay of the weights and a rate that falls as a cosine."""

    def __init__(self, parameters: Parameters, settings: Settings, steps: int) -> None:
        self._parameters, self._settings, self._steps = parameters, settings, steps
        self._means = [np.zeros_like(each) for each in parameters]
        self._squares = [np.zeros_like(each) for each in parameters]
        self._done = 0

    def step(self, gradients: Parameters) -> None:
        self._done += 1
        warm = min(1.0, self._done / 50)
        rate = self._settings.rate * warm * (1 + np.cos(np.pi * self._done / self._steps)) / 2
        for place, gradient in enumerate(gradients):
            mean, square = self._means[place], self._squares[place]
            mean += 0.1 * (gradient - mean)
            square += 0.001 * (gradient**2 - square)
            move = mean / (1 - 0.9**self._done)
            move /= np.sqrt(square / (1 - 0.999**self._done)) + 1e-8
            decayed = self._settings.decay * self._parameters[place] if place % 2 == 0 else 0.0
            self._parameters[place] -= rate * (move + decayed)


def teach(corpora: dict[str, list[Prepared]], settings: Settings) -> Net:
    """A net fitted on all of these."""
    random = np.random.default_rng(settings.seed)
    taught: list[Lesson] = []
    for name, corpus in corpora.items():
        found = [lesson for prepared in corpus for lesson in lessons(prepared, random)]
        taught += [replace(each, weight=WEIGHTS[name] / len(found)) for each in found]
    mean = sum(lesson.weight for lesson in taught) / len(taught)
    return fit([replace(lesson, weight=lesson.weight / mean) for lesson in taught], settings)


def validate(corpora: dict[str, list[Prepared]], settings: Settings) -> dict[str, list[dict[str, Any]]]:
    """For each set the fusion and the net, which saw none of the conversations that it ranks."""
    nets = []
    for fold in range(FOLDS):
        print(f"fitting fold {fold + 1} of {FOLDS}", file=sys.stderr)
        others = {
            name: [each for place, each in enumerate(corpus) if place // 2 % FOLDS != fold]
            for name, corpus in corpora.items()
        }
        nets.append(teach(others, settings))
    return {
        name: [
            _row(Ranker("the fusion"), corpus, [None] * FOLDS),
            _row(Ranker("**the learned ranker**"), corpus, nets),
        ]
        for name, corpus in corpora.items()
    }


def _row(ranker: Ranker, corpus: list[Prepared], nets: Sequence[Net | None]) -> dict[str, Any]:
    rankers = [replace(ranker, net=nets[place // 2 % FOLDS]) for place in range(len(corpus))]
    return measure(rankers, corpus)


def report(rows: dict[str, list[dict[str, Any]]]) -> None:
    """The validation, printed and as files."""
    text = (
        "# Evidence found on what the ranker is fitted on\n\n"
        "`PYTHONPATH=benchmarks python training/fit_ranker.py --validate`: cross-validation in "
        f"{FOLDS} parts by conversation, so nothing is ranked by a net that has seen it. Columns as in "
        "recall_locomo.md.\n\n"
    )
    text += "\n".join(f"## {name}\n\n{table(each)}\n" for name, each in rows.items())
    print(text)
    RESULTS.mkdir(parents=True, exist_ok=True)
    (RESULTS / "recall_fitted.md").write_text(text, "utf-8")
    (RESULTS / "recall_fitted.json").write_text(json.dumps(rows, indent=1) + "\n", "utf-8")


async def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--validate", action="store_true", help="measure, and write no weights")
    parser.add_argument("--models", type=Path, default=user_data_path("recollect") / "models")
    arguments = parser.parse_args()
    embedder = await open_embedder(DEFAULT_MODEL, arguments.models, progress=print)
    corpora: dict[str, list[Prepared]] = {}
    for name, conversations in SETS.items():
        print(f"embedding {name}", file=sys.stderr)
        corpora[name] = [await prepare(each, embedder) for each in conversations()]
    await embedder.aclose()
    if arguments.validate:
        report(validate(corpora, Settings()))
        return
    kept = teach(corpora, Settings()).arrays()
    np.savez_compressed(FILE, **kept)  # type: ignore[arg-type] # the stub takes the names for its own option
    print(f"{FILE}: {FILE.stat().st_size} bytes")


if __name__ == "__main__":
    asyncio.run(main())
