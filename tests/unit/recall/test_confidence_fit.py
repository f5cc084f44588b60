"""How the confidence is fitted and measured: training/fit_confidence.py and benchmarks/confidence.py."""

from __future__ import annotations

import importlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from itertools import product
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from hypothesis import given, strategies as st
from numpy.typing import NDArray

from recollect.core.text.tokens import tokenize

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture(scope="module")
def scripts() -> dict[str, ModuleType]:
    """The scripts, which stand beside the package."""
    with pytest.MonkeyPatch.context() as patch:
        for folder in ("training", "benchmarks"):
            patch.syspath_prepend(str(ROOT / folder))
        names = ("recall_offline", "confidence", "fit_confidence")
        return {name: importlib.import_module(name) for name in names}


@given(st.lists(st.tuples(st.sampled_from([0.1, 0.5, 0.9]), st.booleans()), min_size=2, max_size=12))
def test_the_auroc_is_the_share_of_pairs_in_order(
    scripts: dict[str, ModuleType], scored: list[tuple[float, bool]]
) -> None:
    good = [score for score, positive in scored if positive]
    bad = [score for score, positive in scored if not positive]
    if good and bad:
        pairs = [1.0 if one > other else 0.5 * (one == other) for one, other in product(good, bad)]
        scores, positive = (np.array(column) for column in zip(*scored, strict=True))
        assert scripts["confidence"].auroc(scores, positive) == pytest.approx(np.mean(pairs))


def test_the_calibration_error_is_what_is_said_too_much(scripts: dict[str, ModuleType]) -> None:
    found = np.array([True, True, False, False])
    honest, boasting = np.full(4, 0.5), np.full(4, 0.9)
    alike = np.full(4, 0.25)
    assert scripts["confidence"].calibration(honest, found, alike)[0] == pytest.approx(0.0)
    assert scripts["confidence"].calibration(boasting, found, alike)[0] == pytest.approx(0.4)


def test_half_of_the_weight_is_on_what_is_answered(scripts: dict[str, ModuleType]) -> None:
    kinds = np.array(["answered", "untold", "untold", "elsewhere"])
    assert scripts["confidence"].halves(kinds).tolist() == [0.5, 0.125, 0.125, 0.25]


def told(scripts: dict[str, ModuleType], rows: Sequence[tuple[bool, float, float]]) -> list[object]:
    example, answered = scripts["confidence"].Example, scripts["confidence"].ANSWERED
    return [
        example(place, answered if found else "untold", found, {"for": good, "against": bad})
        for place, (found, good, bad) in enumerate(rows)
    ]


def test_a_fit_knows_what_speaks_for_an_answer_and_leaves_out_what_does_not(
    scripts: dict[str, ModuleType],
) -> None:
    random = np.random.default_rng(0)
    truth = (random.random(2000) < 0.5).astype(float)
    noise = random.normal(size=(2, 2000))
    rows = list(
        zip((truth == 1).tolist(), (truth + noise[0]).tolist(), (noise[1] - truth).tolist(), strict=True)
    )
    belief = scripts["fit_confidence"].fit({"ours": told(scripts, rows)})
    assert list(belief.signs) == ["for"]
    sure = np.array([belief.probability({"for": good}) for _, good, _ in rows])
    # Of two normal columns one apart, the odds are the exponential of how far one is from the middle.
    assert sure == pytest.approx(1 / (1 + np.exp(0.5 - np.array([good for _, good, _ in rows]))), abs=0.05)


class ByWords:
    """An embedder: a dimension for each token."""

    async def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        vectors = np.full((len(texts), 64), 1e-3, np.float32)
        for vector, text in zip(vectors, texts, strict=True):
            for token in tokenize(text):
                vector[sum(token.encode()) % 64] += 1
        unit: NDArray[np.float32] = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        return unit


def conversation(scripts: dict[str, ModuleType], names: tuple[str, str], texts: Sequence[str]) -> object:
    offline = scripts["recall_offline"]
    begin = datetime(2024, 5, 1, tzinfo=UTC)
    turns = [
        offline.Turn(1, seq, begin + timedelta(minutes=seq), names[seq % 2], text)
        for seq, text in enumerate(texts, 1)
    ]
    asked = offline.Question(f"Which boat did {names[0]} buy?", "single", frozenset({1}))
    return offline.Conversation(names, turns, [asked, asked])


@pytest.mark.anyio
async def test_a_question_is_put_with_its_evidence_and_without_and_to_others(
    scripts: dict[str, ModuleType],
) -> None:
    texts = ["Hello there.", "I bought a red boat.", "How nice!", *["We talked of the weather."] * 9]
    both = [conversation(scripts, names, texts) for names in (("Ann", "Bea"), ("Cyrus", "Dora"))]
    asked = list(scripts["confidence"].with_strangers(both))
    assert [question.text for question in asked[0].questions][2:] == ["Which boat did Ann buy?"]
    prepared = await scripts["recall_offline"].prepare(asked[1], ByWords())
    examples = list(scripts["confidence"].examples(prepared, 7))
    kinds = ["answered", "its evidence removed"] * 2 + ["of another conversation"]
    assert [each.kind for each in examples] == kinds
    assert [each.found for each in examples] == [True, False, True, False, False]
    assert {each.conversation for each in examples} == {7}
    with_it, without = examples[:2]
    assert with_it.seen["coverage"] > without.seen["coverage"]
