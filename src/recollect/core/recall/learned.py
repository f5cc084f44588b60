"""A small net that reads the evidence: fitted by training/fit_ranker.py, evaluated here with numpy."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from importlib.resources.abc import Traversable
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from recollect.core.recall.candidates import Floats
from recollect.core.recall.evidence import COLUMNS

Single = NDArray[np.float32]

FORMAT = 1
"""Of the file of weights; another one is not read."""

CLIP = 4.0
"""What is so many deviations from the mean of the training is no further away than that."""

WEIGHTS_FILE = files("recollect.core.recall") / "ranker.npz"

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Net:
    """Several nets of the same shape, whose scores are averaged.

    `shift`, `scale` (features,) bring a column to mean 0 and deviation 1. `layers`: the weights
    (nets, in, out) and biases (nets, 1, out) of each layer; between them negative values become 0.
    """

    shift: Single
    scale: Single
    layers: tuple[tuple[Single, Single], ...]

    def score(self, evidence: Floats) -> Floats:
        """How well each of m rows answers, (m,): logarithms, of which only the differences mean something."""
        apart = (evidence - self.shift.astype(np.float64)) * self.scale.astype(np.float64)
        values: Single = apart.clip(-CLIP, CLIP).astype(np.float32)[None]
        for place, (weights, biases) in enumerate(self.layers):
            values = values @ weights
            values += biases
            if place < len(self.layers) - 1:
                np.maximum(values, 0.0, out=values)
        scores: Floats = values[..., 0].mean(axis=0, dtype=np.float64)
        return scores

    def arrays(self) -> dict[str, NDArray[np.generic]]:
        """As it is kept in a file; `from_arrays` reads it."""
        kept: dict[str, NDArray[np.generic]] = {
            "format": np.array(FORMAT),
            "columns": np.array(COLUMNS),
            "shift": self.shift,
            "scale": self.scale,
        }
        for place, (weights, biases) in enumerate(self.layers):
            kept |= {f"weights{place}": weights, f"biases{place}": biases}
        return kept

    @classmethod
    def from_arrays(cls, kept: Mapping[str, NDArray[np.generic]]) -> Net:
        """What `arrays` gave.

        Raises:
            ValueError: it is of another format, or reads other columns, or its shapes do not fit.
        """
        if int(kept["format"].astype(int)) != FORMAT or tuple(kept["columns"].tolist()) != COLUMNS:
            raise ValueError("weights of another format, or for other columns")
        depth = sum(name.startswith("weights") for name in kept)
        layers = tuple((_single(kept[f"weights{i}"]), _single(kept[f"biases{i}"])) for i in range(depth))
        net = cls(_single(kept["shift"]), _single(kept["scale"]), layers)
        if net.score(np.zeros((2, len(COLUMNS)))).shape != (2,):
            raise ValueError("weights whose shapes do not fit")
        return net


def _single(values: NDArray[np.generic]) -> Single:
    single: Single = values.astype(np.float32)
    if not np.isfinite(single).all():
        raise ValueError("weights that are no numbers")
    return single


def load(file: Traversable = WEIGHTS_FILE) -> Net | None:
    """The net of a file; None, and a warning in the log, if it cannot be read."""
    try:
        with file.open("rb") as stream, np.load(stream, allow_pickle=False) as kept:
            return Net.from_arrays(dict(kept))
    except (OSError, ValueError, KeyError, BadZipFile) as error:
        _log.warning("The learned ranker cannot be read (%s): the fusion ranks alone.", error)
        return None


LEARNED = load()
"""What ships with the package."""
