"""What training/fit_ranker.py makes of lessons."""

from __future__ import annotations

import importlib
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
from testbed import HashedWords

from recollect.core.recall.evidence import COLUMNS
from recollect.core.recall.learned import Net

ROOT = Path(__file__).resolve().parents[3]
TELLING = COLUMNS.index("answers")


@pytest.fixture
def fitting(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The script, which stands beside the package."""
    for folder in ("benchmarks", "training"):
        monkeypatch.syspath_prepend(str(ROOT / folder))
    return importlib.import_module("fit_ranker")


def lesson(fitting: ModuleType, random: np.random.Generator) -> object:
    """Twenty rows of noise, of which the one that is highest in one column answers."""
    evidence = random.normal(size=(20, len(COLUMNS))).astype(np.float32)
    target = np.zeros(20, np.float32)
    target[evidence[:, TELLING].argmax()] = 1
    return fitting.Lesson(evidence, random.normal(size=20).astype(np.float32), target)


def fit(fitting: ModuleType, seed: int = 1) -> Net:
    random = np.random.default_rng(0)
    taught = [lesson(fitting, random) for _ in range(300)]
    settings = fitting.Settings(seed=seed, nets=2, hidden=(8,), epochs=20, questions=16, rate=0.02)
    net = fitting.fit(taught, settings)
    assert isinstance(net, Net)
    return net


def test_the_net_learns_what_tells_the_answers_from_the_rest(fitting: ModuleType) -> None:
    net = fit(fitting)
    rows = np.random.default_rng(7).normal(size=(200, 20, len(COLUMNS)))
    right = [net.score(each).argmax() == each[:, TELLING].argmax() for each in rows]
    assert np.mean(right) > 0.7


def test_the_same_seed_fits_the_same_net(fitting: ModuleType) -> None:
    rows = np.random.default_rng(8).normal(size=(5, len(COLUMNS)))
    assert (fit(fitting).score(rows) == fit(fitting).score(rows)).all()
    assert (fit(fitting).score(rows) != fit(fitting, seed=2).score(rows)).any()


@pytest.mark.anyio
async def test_a_question_is_taught_as_it_is_and_in_another_guise(fitting: ModuleType) -> None:
    conversation = next(iter(fitting.generated()))
    prepared = await fitting.prepare(conversation, HashedWords())
    taught = list(fitting.lessons(prepared, np.random.default_rng(0)))
    assert len(prepared.queries) < len(taught) <= 2 * len(prepared.queries)
    for each in taught:
        assert each.evidence.shape == (len(each.fused), len(COLUMNS))
        assert each.target.sum() == pytest.approx(1)


@pytest.mark.anyio
async def test_a_guise_takes_away_what_it_says_it_takes(fitting: ModuleType) -> None:
    conversation = next(iter(fitting.generated()))
    prepared = await fitting.prepare(conversation, HashedWords())
    query, found = prepared.queries[0], fitting.gather(prepared, 0)
    seen = {guise.__name__: guise(query, found, np.random.default_rng(0)) for guise in fitting.GUISES}
    assert set(seen["_nameless"][1].names) == {None}
    assert not seen["_untold"][1].traits.any()
    assert np.isnan(seen["_notes"][1].window).all()
    assert not set(seen["_mistaken"][0].names) & set(query.names)
    assert len(seen["_few"][1]) < len(found)
