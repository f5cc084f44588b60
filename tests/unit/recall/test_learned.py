from __future__ import annotations

import logging
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from recollect.core.recall.evidence import COLUMNS
from recollect.core.recall.learned import CLIP, FORMAT, LEARNED, Net, load

WIDE = len(COLUMNS)


def net(*sizes: int, nets: int = 2, seed: int = 0) -> Net:
    """One of random weights, with so many values between its layers."""
    random = np.random.default_rng(seed)
    layers = []
    for before, after in zip((WIDE, *sizes), (*sizes, 1), strict=True):
        weights = random.normal(size=(nets, before, after)).astype(np.float32)
        layers.append((weights, random.normal(size=(nets, 1, after)).astype(np.float32)))
    shift = random.normal(size=WIDE).astype(np.float32)
    return Net(shift, np.full(WIDE, 0.5, np.float32), tuple(layers))


def by_hand(made: Net, row: NDArray[np.float64]) -> float:
    near = np.clip((row - made.shift) * made.scale, -CLIP, CLIP)
    scores = []
    for one in range(len(made.layers[0][0])):
        values = near
        for place, (weights, biases) in enumerate(made.layers):
            values = values @ weights[one] + biases[one, 0]
            values = values if place == len(made.layers) - 1 else np.array([max(x, 0.0) for x in values])
        scores.append(values[0])
    return float(np.mean(scores))


@pytest.mark.parametrize("sizes", [(), (3,), (4, 2)])
def test_a_row_is_scored_as_by_hand(sizes: tuple[int, ...]) -> None:
    made = net(*sizes)
    rows = np.random.default_rng(1).normal(0, 5, (7, WIDE))
    assert made.score(rows) == pytest.approx([by_hand(made, row) for row in rows], rel=1e-4, abs=1e-4)


def test_what_is_far_out_is_no_further_than_the_bound() -> None:
    made = net(3)
    far, bound = np.full((1, WIDE), 1e30), made.shift + CLIP / made.scale
    assert made.score(far) == pytest.approx(made.score(bound[None].astype(np.float64)), rel=1e-4)


def test_no_rows_have_no_scores() -> None:
    assert net(3).score(np.empty((0, WIDE))).shape == (0,)


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    made, file = net(5), tmp_path / "net.npz"
    np.savez(file, **made.arrays())  # type: ignore[arg-type] # the stub takes the names for its own option
    rows = np.random.default_rng(2).normal(size=(4, WIDE))
    read = load(file)
    assert read is not None
    assert (read.score(rows) == made.score(rows)).all()


def test_the_shipped_weights_are_read() -> None:
    assert LEARNED is not None
    assert np.ptp(LEARNED.score(np.random.default_rng(3).normal(size=(9, WIDE)))) > 0


BROKEN = {
    "another format": {"format": np.array(FORMAT + 1)},
    "other columns": {"columns": np.array(COLUMNS[::-1])},
    "fewer columns": {"columns": np.array(COLUMNS[1:])},
    "not finite": {"biases0": np.full((2, 1, 3), np.nan, np.float32)},
    "shapes that do not fit": {"weights0": np.zeros((2, WIDE - 1, 3), np.float32)},
    "two answers a row": {"weights1": np.zeros((2, 3, 2), np.float32), "biases1": np.zeros((3, 1, 2))},
}


@pytest.mark.parametrize("broken", BROKEN.values(), ids=BROKEN)
def test_weights_that_do_not_fit_are_refused(broken: dict[str, NDArray[np.generic]]) -> None:
    with pytest.raises(ValueError, match=r"weights|broadcast|matmul"):
        Net.from_arrays(net(3).arrays() | broken)


def test_a_file_that_cannot_be_read_is_told_once_and_there_is_no_net(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    whole, cut, other = tmp_path / "whole.npz", tmp_path / "cut.npz", tmp_path / "other.npz"
    np.savez(whole, **net(3).arrays())  # type: ignore[arg-type] # as above
    cut.write_bytes(whole.read_bytes()[:-100])
    kept = net(3).arrays()
    del kept["shift"]
    np.savez(other, **kept)  # type: ignore[arg-type] # as above
    for file in (tmp_path / "absent.npz", cut, other):
        caplog.clear()
        assert load(file) is None
        assert [(record.levelno, "fusion" in record.getMessage()) for record in caplog.records] == [
            (logging.WARNING, True)
        ]


def test_a_neutral_column_says_nothing() -> None:
    made = net(3)
    kept = np.arange(WIDE) > 0
    deaf = replace(made, scale=(made.scale * kept).astype(np.float32))
    rows = np.zeros((2, WIDE))
    rows[1, 0] = 3.0
    assert np.ptp(deaf.score(rows)) == 0 < np.ptp(made.score(rows))
