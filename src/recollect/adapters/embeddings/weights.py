"""Reads a safetensors file: eight bytes of header length, a JSON header, the numbers.

https://huggingface.co/docs/safetensors/index#format
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from recollect.core.errors import ModelUnavailable

WEIGHTS = "model.safetensors"
_FLOAT_BYTES = 4
_HEADER_LIMIT = 100_000_000


@dataclass(frozen=True, slots=True)
class Place:
    """Where a tensor's little-endian floats lie in the file, in bytes."""

    offset: int
    length: int


class Weights:
    """The tensors of the safetensors file in a folder; none is kept in memory.

    Raises, here and in every method:
        ModelUnavailable: the file cannot be read, lacks the tensor, or has it in another shape or type.
    """

    def __init__(self, folder: Path) -> None:
        self._path = folder / WEIGHTS
        try:
            with self._path.open("rb") as file:
                length = int.from_bytes(file.read(8), "little")
                self._header: dict[str, Any] = json.loads(file.read(min(length, _HEADER_LIMIT)))
        except (OSError, ValueError) as error:
            raise ModelUnavailable(f"{self._path} cannot be read: {error}") from error
        self._start = 8 + length
        self._size = self._path.stat().st_size - self._start

    def find(self, name: str, *shape: int) -> Place:
        """Where a tensor of this shape lies."""
        entry = self._header.get(name)
        if entry is None:
            raise ModelUnavailable(f"{self._path} has no tensor {name}.")
        begin, end = entry["data_offsets"]
        if (entry["dtype"], entry["shape"]) != ("F32", list(shape)):
            raise ModelUnavailable(
                f"{self._path}: {name} is {entry['dtype']} {entry['shape']}; F32 {list(shape)} is needed."
            )
        if end - begin != _FLOAT_BYTES * math.prod(shape) or end > self._size:
            raise ModelUnavailable(f"{self._path} is cut short or damaged at tensor {name}.")
        return Place(self._start + begin, end - begin)

    def read(self, name: str, *shape: int) -> NDArray[np.float32]:
        """The numbers of a tensor of this shape."""
        place = self.find(name, *shape)
        numbers = np.fromfile(self._path, "<f4", math.prod(shape), offset=place.offset)
        return numbers.astype(np.float32, copy=False).reshape(shape)
