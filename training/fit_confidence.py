"""Fits the confidence of recall and writes its weights: src/recollect/core/recall/confidence.json.

    PYTHONPATH=benchmarks python training/fit_confidence.py

Needs nothing that the project does not, and is fitted on what the learned ranker is fitted on, and after it
(fit_ranker.py): its questions, the same without the turns that answer them, questions of other conversations,
and those of our own that nothing answers. So that the hits look as they will, each part of the conversations
is ranked by a net that was fitted on the others.

A logistic regression of whether a question's evidence is among the first HITS, on the signs that
`core.recall.confidence` reads. The sets weigh alike; in each, half is answered and half is not, of which each
kind weighs alike. A sign that would speak against an answer by growing is left out. What is printed is by
cross-validation.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path

import numpy as np
from confidence import Example, Floats, examples, halves, measure, sure_of, table, with_strangers
from conversations import generate
from fit_ranker import FOLDS, GENERATED, Settings, teach, written
from platformdirs import user_data_path
from recall_offline import ROOT, Conversation, Prepared, friendsqa, prepare

from recollect.adapters.embeddings import DEFAULT_MODEL, open_embedder
from recollect.core.recall.confidence import CLIP, Belief, Sign

FILE = ROOT / "src" / "recollect" / "core" / "recall" / "confidence.json"
DECAY = 5.0
"""What keeps the weights small, as so many questions that say nothing."""

SETS: dict[str, Callable[[], Iterator[Conversation]]] = {
    "friendsqa": friendsqa,
    "questions": written,
    "generated": lambda: generate(1, GENERATED),
}
Told = dict[str, list[Example]]


def fit(told: Told) -> Belief:
    """The regression over the sets; signs that speak for nothing are left out."""
    everything = [example for each in told.values() for example in each]
    weights = np.concatenate([halves(np.array([one.kind for one in each])) for each in told.values()])
    found = np.array([example.found for example in everything], float)
    names = list(everything[0].seen)
    while True:
        seen = np.array([[example.seen[name] for name in names] for example in everything])
        means, deviations = np.nanmean(seen, axis=0), np.nanstd(seen, axis=0)
        standard = np.nan_to_num(np.clip((seen - means) / deviations, -CLIP, CLIP))
        odds, *worth = _regress(standard, found, weights * len(found) / weights.sum()).tolist()
        against = [name for name, weight in zip(names, worth, strict=True) if weight < 0]
        if not against:
            break
        names = [name for name in names if name not in against]
    columns = zip(names, means.tolist(), deviations.tolist(), worth, strict=True)
    return Belief(
        round(odds, 4), {name: Sign(*(round(value, 4) for value in sign)) for name, *sign in columns}
    )


def _regress(columns: Floats, found: Floats, weights: Floats) -> Floats:
    """The weights of a logistic regression, that of the constant first; Newton's method."""
    extended = np.column_stack([np.ones(len(columns)), columns])
    decay = np.diag([0.0, *[DECAY] * columns.shape[1]])
    regressed: Floats = np.zeros(extended.shape[1])
    for _ in range(20):
        shares = 1 / (1 + np.exp(-extended @ regressed))
        slope = extended.T @ (weights * (shares - found)) + decay @ regressed
        curve = (extended.T * (weights * shares * (1 - shares))) @ extended + decay
        regressed -= np.linalg.solve(curve, slope)
    return regressed


def tell(corpora: dict[str, list[Prepared]]) -> Told:
    """Every set's examples, each ranked by a net that was not fitted on its conversation."""
    told: Told = {name: [] for name in corpora}
    for fold in range(FOLDS):
        print(f"fitting ranker {fold + 1} of {FOLDS}", file=sys.stderr)
        others = {
            name: [each for number, each in enumerate(corpus) if _part(number) != fold]
            for name, corpus in corpora.items()
        }
        net = teach(others, Settings())
        for name, corpus in corpora.items():
            for number, prepared in enumerate(corpus):
                if _part(number) == fold:
                    told[name] += examples(prepared, number, net)
    return told


def _part(number: int) -> int:
    """Which part a conversation belongs to; two that follow one another, of both kinds, to the same."""
    return number // 2 % FOLDS


def validate(told: Told) -> str:
    """A table of what the confidence is, in conversations that it was not fitted on."""
    parts: Told = {name: [] for name in told}
    sure: dict[str, list[Floats]] = {name: [] for name in told}
    for fold in range(FOLDS):
        belief = fit(
            {name: [one for one in each if _part(one.conversation) != fold] for name, each in told.items()}
        )
        for name, each in told.items():
            part = [one for one in each if _part(one.conversation) == fold]
            parts[name] += part
            sure[name].append(sure_of(part, belief))
    return table({name: measure(parts[name], np.concatenate(sure[name])) for name in told})


async def main() -> None:
    """Fit, tell how well by cross-validation, and write."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--models", type=Path, default=user_data_path("recollect") / "models")
    arguments = parser.parse_args()
    embedder = await open_embedder(DEFAULT_MODEL, arguments.models, progress=print)
    corpora: dict[str, list[Prepared]] = {}
    for name, conversations in SETS.items():
        print(f"embedding {name}", file=sys.stderr)
        asked = with_strangers(list(conversations()))
        corpora[name] = [await prepare(each, embedder) for each in asked]
    await embedder.aclose()
    told = tell(corpora)
    print(validate(told))
    belief = fit(told)
    FILE.write_text(json.dumps(asdict(belief), indent=1) + "\n", "utf-8")
    print(FILE.read_text("utf-8"))


if __name__ == "__main__":
    asyncio.run(main())
