"""The encoder once more, in float64 and plain numpy, written from the paper and not from the product's code.

It reads the same files, one text at a time, without padding: what the product must agree with.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from math import erf, sqrt
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_erf = np.vectorize(erf, otypes=[np.float64])


def read_safetensors(path: Path) -> dict[str, Array]:
    data = path.read_bytes()
    start = 8 + int(np.frombuffer(data, "<u8", 1)[0])
    header = json.loads(data[8:start])
    return {
        name: np.frombuffer(data[start + entry["data_offsets"][0] : start + entry["data_offsets"][1]], "<f4")
        .reshape(entry["shape"])
        .astype(np.float64)
        for name, entry in header.items()
        if name != "__metadata__" and entry["dtype"] == "F32"
    }


class Reference:
    """The encoder in a sentence-transformers folder."""

    def __init__(self, folder: Path) -> None:
        self.config: dict[str, Any] = json.loads((folder / "config.json").read_text())
        self.tensors = read_safetensors(folder / "model.safetensors")

    def encode(self, ids: Sequence[int]) -> Array:
        """The unit vector of one text's token ids."""
        t = self.tensors
        x = t["embeddings.word_embeddings.weight"][list(ids)]
        x = x + t["embeddings.position_embeddings.weight"][: len(ids)]
        x = x + t["embeddings.token_type_embeddings.weight"][0]
        x = self.norm(x, "embeddings.LayerNorm")
        for layer in range(self.config["num_hidden_layers"]):
            x = self.layer(x, f"encoder.layer.{layer}")
        mean = x.mean(axis=0)
        return np.asarray(mean / np.linalg.norm(mean))

    def layer(self, x: Array, name: str) -> Array:
        attended = self.linear(self.attend(x, f"{name}.attention.self"), f"{name}.attention.output.dense")
        x = self.norm(attended + x, f"{name}.attention.output.LayerNorm")
        inner = self.linear(x, f"{name}.intermediate.dense")
        inner = inner * 0.5 * (1 + _erf(inner / sqrt(2)))
        return self.norm(self.linear(inner, f"{name}.output.dense") + x, f"{name}.output.LayerNorm")

    def attend(self, x: Array, name: str) -> Array:
        query, key, value = (self.linear(x, f"{name}.{part}") for part in ("query", "key", "value"))
        width = x.shape[1] // self.config["num_attention_heads"]
        heads = []
        for first in range(0, x.shape[1], width):
            head = slice(first, first + width)
            scores = query[:, head] @ key[:, head].T / sqrt(width)
            weights = np.exp(scores - scores.max(axis=1, keepdims=True))
            heads.append(weights / weights.sum(axis=1, keepdims=True) @ value[:, head])
        return np.concatenate(heads, axis=1)

    def linear(self, x: Array, name: str) -> Array:
        return np.asarray(x @ self.tensors[f"{name}.weight"].T + self.tensors[f"{name}.bias"])

    def norm(self, x: Array, name: str) -> Array:
        centred = x - x.mean(axis=1, keepdims=True)
        scaled = centred / np.sqrt((centred**2).mean(axis=1, keepdims=True) + self.config["layer_norm_eps"])
        return np.asarray(scaled * self.tensors[f"{name}.weight"] + self.tensors[f"{name}.bias"])
