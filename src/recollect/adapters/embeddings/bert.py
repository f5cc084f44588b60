"""The BERT encoder as an ONNX graph over a sentence-transformers folder, whose weights stay where they are.

Devlin et al. 2018, as Hugging Face's `BertModel` computes it; then the mean over the tokens, at unit length.
Attention, norm with residual, and GELU with bias are onnxruntime's fused operators: 6 to 9 % less work than
the plain ones (https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md).
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from recollect.adapters.embeddings.onnx_graph import ElementType, Graph
from recollect.core.errors import ModelUnavailable

WEIGHTS = "model.safetensors"
CONFIG = "config.json"
TOKENIZER = "tokenizer.json"
LENGTH = "sentence_bert_config.json"
POOLING = "1_Pooling/config.json"

Json: TypeAlias = Mapping[str, Any]

_ONLY = {"model_type": "bert", "hidden_act": "gelu", "position_embedding_type": "absolute"}
_FUSED = "com.microsoft"
_FLOAT_BYTES = 4
_HEADER_LIMIT = 100_000_000


@dataclass(frozen=True, slots=True)
class Architecture:
    """The sizes of an encoder. `max_tokens`: where a text is cut, the two special tokens included."""

    layers: int
    heads: int
    hidden: int
    inner: int
    vocabulary: int
    positions: int
    types: int
    epsilon: float
    max_tokens: int


def read_architecture(folder: Path) -> Architecture:
    """The sizes of the encoder in a sentence-transformers folder.

    Raises:
        ModelUnavailable: what lies there is no BERT encoder with mean pooling.
    """
    config = read_json(folder / CONFIG)
    for key, only in _ONLY.items():
        if config.get(key, only) != only:
            raise ModelUnavailable(f"{folder / CONFIG}: {key} is {config[key]!r}; only {only!r} is known.")
    if (folder / POOLING).exists() and not _pools_by_mean(read_json(folder / POOLING)):
        raise ModelUnavailable(f"{folder} does not pool by the mean over the tokens; nothing else is known.")
    length = read_json(folder / LENGTH) if (folder / LENGTH).exists() else {}
    try:
        positions = config["max_position_embeddings"]
        return Architecture(
            layers=config["num_hidden_layers"],
            heads=config["num_attention_heads"],
            hidden=config["hidden_size"],
            inner=config["intermediate_size"],
            vocabulary=config["vocab_size"],
            positions=positions,
            types=config["type_vocab_size"],
            epsilon=config["layer_norm_eps"],
            max_tokens=min(length.get("max_seq_length") or positions, positions),
        )
    except KeyError as missing:
        raise ModelUnavailable(f"{folder / CONFIG} has no {missing}.") from None


def read_json(path: Path) -> Json:
    """The JSON object in a file.

    Raises:
        ModelUnavailable: the file is missing or holds something else.
    """
    try:
        value = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise ModelUnavailable(f"{path} cannot be read: {error}") from error
    if not isinstance(value, dict):
        raise ModelUnavailable(f"{path} does not hold a JSON object.")
    return value


def _pools_by_mean(pooling: Json) -> bool:
    chosen = [key for key, value in pooling.items() if key.startswith("pooling_mode_") and value]
    return chosen == ["pooling_mode_mean_tokens"]


def build_encoder(folder: Path, architecture: Architecture) -> bytes:
    """An ONNX model from `ids` and `mask`, int32 (texts, tokens), to `vectors`, float32 (texts, hidden).

    `mask` is 1 where a token is and 0 where a shorter text is filled up. The weights are referred to, not
    copied: load the model with `folder` as the folder of its external data.

    Raises:
        ModelUnavailable: the folder lacks a tensor, or has it in another shape or type.
    """
    return _Encoder(_Weights(folder / WEIGHTS), architecture).build()


class _Weights:
    """The tensors of a safetensors file: eight bytes of header length, a JSON header, the numbers.

    https://huggingface.co/docs/safetensors/index#format
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            with path.open("rb") as file:
                length = int.from_bytes(file.read(8), "little")
                self._header: Json = json.loads(file.read(min(length, _HEADER_LIMIT)))
        except (OSError, ValueError) as error:
            raise ModelUnavailable(f"{path} cannot be read: {error}") from error
        self._start = 8 + length
        self._size = path.stat().st_size - self._start

    def refer(self, graph: Graph, name: str, *shape: int) -> str:
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
        return graph.stored(name, shape, file=WEIGHTS, offset=self._start + begin, length=end - begin)


class _Encoder:
    def __init__(self, weights: _Weights, architecture: Architecture) -> None:
        self._weights = weights
        self._sizes = architecture
        self._graph = Graph()

    def build(self) -> bytes:
        graph = self._graph
        ids = graph.input("ids", ElementType.INT32, ["texts", "tokens"])
        mask = graph.input("mask", ElementType.INT32, ["texts", "tokens"])
        states = self._embed(ids)
        for layer in range(self._sizes.layers):
            states = self._transform(states, mask, f"encoder.layer.{layer}.")
        graph.output("vectors", self._pool(states, mask), ElementType.FLOAT, ["texts", self._sizes.hidden])
        return graph.model()

    def _tensor(self, name: str, *shape: int) -> str:
        return self._weights.refer(self._graph, name, *shape)

    def _matrix(self, *names: str, columns: int, rows: int) -> str:
        """Linear layers side by side, turned as MatMul wants them; onnxruntime does it once, at load."""
        parts = [self._tensor(f"{name}.weight", rows, columns) for name in names]
        joined = self._graph.add("Concat", *parts, axis=0) if len(parts) > 1 else parts[0]
        return self._graph.add("Transpose", joined, perm=[1, 0])

    def _embed(self, ids: str) -> str:
        """Word + position + the first type, normed."""
        graph, sizes = self._graph, self._sizes
        words = self._tensor("embeddings.word_embeddings.weight", sizes.vocabulary, sizes.hidden)
        places = self._tensor("embeddings.position_embeddings.weight", sizes.positions, sizes.hidden)
        types = self._tensor("embeddings.token_type_embeddings.weight", sizes.types, sizes.hidden)
        zero, one = graph.constant(np.array([0])), graph.constant(np.array([1]))
        tokens = graph.add("Gather", graph.add("Shape", ids), one)
        place = graph.add(
            "Add", graph.add("Slice", places, zero, tokens, zero), graph.add("Gather", types, zero)
        )
        states = graph.add("Add", graph.add("Gather", words, ids), place)
        norm = (self._tensor(f"embeddings.LayerNorm.{part}", sizes.hidden) for part in ("weight", "bias"))
        return graph.add("LayerNormalization", states, *norm, axis=-1, epsilon=sizes.epsilon)

    def _transform(self, states: str, mask: str, layer: str) -> str:
        """One layer: attention, then two linear layers around a GELU; after each, residual and norm."""
        graph, sizes = self._graph, self._sizes
        hidden, inner = sizes.hidden, sizes.inner
        heads = [f"{layer}attention.self.{part}" for part in ("query", "key", "value")]
        bias = graph.add("Concat", *(self._tensor(f"{part}.bias", hidden) for part in heads), axis=0)
        matrix = self._matrix(*heads, columns=hidden, rows=hidden)
        mixed = graph.add("Attention", states, matrix, bias, mask, domain=_FUSED, num_heads=sizes.heads)
        states = self._project(mixed, states, f"{layer}attention.output", columns=hidden)
        wide = graph.add(
            "MatMul", states, self._matrix(f"{layer}intermediate.dense", columns=hidden, rows=inner)
        )
        wide = graph.add(
            "BiasGelu", wide, self._tensor(f"{layer}intermediate.dense.bias", inner), domain=_FUSED
        )
        return self._project(wide, states, f"{layer}output", columns=inner)

    def _project(self, values: str, residual: str, name: str, *, columns: int) -> str:
        """Norm of (values · W + bias + residual)."""
        graph, hidden = self._graph, self._sizes.hidden
        projected = graph.add("MatMul", values, self._matrix(f"{name}.dense", columns=columns, rows=hidden))
        norm = (
            self._tensor(f"{name}.{part}", hidden)
            for part in ("LayerNorm.weight", "LayerNorm.bias", "dense.bias")
        )
        return graph.add(
            "SkipLayerNormalization", projected, residual, *norm, domain=_FUSED, epsilon=self._sizes.epsilon
        )

    def _pool(self, states: str, mask: str) -> str:
        """The sum over the tokens that are there, made a unit vector: the mean's direction."""
        graph = self._graph
        one = graph.constant(np.array([1]))
        row = graph.add("Unsqueeze", graph.add("Cast", mask, to=ElementType.FLOAT), one)
        total = graph.add("Squeeze", graph.add("MatMul", row, states), one)
        return graph.add("LpNormalization", total, axis=-1, p=2)
