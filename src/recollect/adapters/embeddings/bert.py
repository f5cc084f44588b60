"""The BERT encoder as an ONNX graph over a sentence-transformers folder, for one text at a time.

Devlin et al. 2018, as Hugging Face's `BertModel` computes it; then the mean over the tokens, at unit length.
Attention, norm with residual, and GELU with bias are onnxruntime's fused operators.

Between the matrices two values are written in another way than in the paper, equal in exact arithmetic, so
that 8 bits are enough for them: what goes into the wide layer is the norm before its scale and shift, which
move into the matrix (Xiao et al. 2023, "SmoothQuant"), and what comes out of it is divided by its greatest
number, token by token, and multiplied by it afterwards.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from recollect.adapters.embeddings.arithmetic import Arithmetic, Matrix, Row
from recollect.adapters.embeddings.onnx_graph import FUSED, ElementType, Graph
from recollect.adapters.embeddings.weights import WEIGHTS, Weights
from recollect.core.errors import ModelUnavailable

CONFIG = "config.json"
TOKENIZER = "tokenizer.json"
LENGTH = "sentence_bert_config.json"
POOLING = "1_Pooling/config.json"
WORDS = "embeddings.word_embeddings.weight"

Json: TypeAlias = Mapping[str, Any]

_ONLY = {"model_type": "bert", "hidden_act": "gelu", "position_embedding_type": "absolute"}
_DEPTH_OF_GELU = 0.17  # its lowest value is -0.16997


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


def build_encoder(folder: Path, architecture: Architecture, arithmetic: Arithmetic) -> bytes:
    """An ONNX model from `ids`, int32 (1, tokens), to `vectors`, float32 (1, hidden), at unit length.

    The table of words is referred to, not copied: load the model with `folder` as the folder of its external
    data.

    Raises:
        ModelUnavailable: the folder lacks a tensor, or has it in another shape or type.
    """
    return _Encoder(Weights(folder), architecture, arithmetic).build()


class _Encoder:
    def __init__(self, weights: Weights, architecture: Architecture, arithmetic: Arithmetic) -> None:
        self._weights = weights
        self._sizes = architecture
        self._arithmetic = arithmetic
        self._graph = Graph()

    def build(self) -> bytes:
        graph = self._graph
        states = self._embed(graph.input("ids", ElementType.INT32, [1, "tokens"]))
        for layer in range(self._sizes.layers):
            states = self._transform(states, f"encoder.layer.{layer}.")
        mean = graph.add("ReduceMean", states, axes=[1], keepdims=0)
        vectors = graph.add("LpNormalization", mean, axis=-1, p=2)
        graph.output("vectors", vectors, ElementType.FLOAT, [1, self._sizes.hidden])
        return graph.model()

    def _row(self, name: str, size: int | None = None) -> Row:
        return self._weights.read(name, size or self._sizes.hidden)

    def _matrix(self, name: str, inputs: int, outputs: int) -> Matrix:
        return self._weights.read(name, outputs, inputs).T

    def _embed(self, ids: str) -> str:
        """Word + position + the first type, normed."""
        graph, sizes = self._graph, self._sizes
        words = graph.stored(
            WORDS,
            (sizes.vocabulary, sizes.hidden),
            file=WEIGHTS,
            place=self._weights.find(WORDS, sizes.vocabulary, sizes.hidden),
        )
        places = self._weights.read("embeddings.position_embeddings.weight", sizes.positions, sizes.hidden)
        types = self._weights.read("embeddings.token_type_embeddings.weight", sizes.types, sizes.hidden)
        zero, one = graph.constant(np.array([0])), graph.constant(np.array([1]))
        tokens = graph.add("Gather", graph.add("Shape", ids), one)
        place = graph.add("Slice", graph.constant(places[: sizes.max_tokens] + types[0]), zero, tokens, zero)
        states = graph.add("Add", graph.add("Gather", words, ids), place)
        norm = (graph.constant(self._row(f"embeddings.LayerNorm.{part}")) for part in ("weight", "bias"))
        return graph.add("LayerNormalization", states, *norm, axis=-1, epsilon=sizes.epsilon)

    def _transform(self, states: str, layer: str) -> str:
        """One layer: attention, then two linear layers around a GELU; after each, residual and norm."""
        graph, hidden, inner = self._graph, self._sizes.hidden, self._sizes.inner
        mixed = self._attend(states, f"{layer}attention.")
        ones, zeros = np.ones(hidden, np.float32), np.zeros(hidden, np.float32)
        bias = self._row(f"{layer}attention.output.dense.bias")
        normed = self._norm(mixed, states, ones, zeros, bias)
        scale = self._row(f"{layer}attention.output.LayerNorm.weight")
        shift = self._row(f"{layer}attention.output.LayerNorm.bias")

        matrix = self._matrix(f"{layer}intermediate.dense.weight", hidden, inner)
        bias = self._row(f"{layer}intermediate.dense.bias", inner) + shift @ matrix
        wide = self._arithmetic.multiply(graph, normed, scale[:, None] * matrix)
        wide = graph.add("BiasGelu", wide, graph.constant(bias), domain=FUSED)

        projected = self._multiply_levelled(wide, self._matrix(f"{layer}output.dense.weight", inner, hidden))
        scaled = graph.add("Mul", normed, graph.constant(scale))
        scale, after = (self._row(f"{layer}output.LayerNorm.{part}") for part in ("weight", "bias"))
        return self._norm(projected, scaled, scale, after, self._row(f"{layer}output.dense.bias") + shift)

    def _attend(self, states: str, attention: str) -> str:
        hidden = self._sizes.hidden
        heads = [f"{attention}self.{part}" for part in ("query", "key", "value")]
        matrix = np.concatenate([self._matrix(f"{head}.weight", hidden, hidden) for head in heads], axis=1)
        bias = np.concatenate([self._row(f"{head}.bias") for head in heads])
        mixed = self._arithmetic.attend(self._graph, states, matrix, bias, self._sizes.heads)
        matrix = self._matrix(f"{attention}output.dense.weight", hidden, hidden)
        return self._arithmetic.multiply(self._graph, mixed, matrix)

    def _multiply_levelled(self, values: str, matrix: Matrix) -> str:
        """The product values · matrix, where a few of the tokens may be ten times as large as the others."""
        graph = self._graph
        depth = graph.constant(np.array(_DEPTH_OF_GELU, np.float32))
        greatest = graph.add("Max", graph.add("ReduceMax", values, axes=[-1], keepdims=1), depth)
        product = self._arithmetic.multiply(graph, graph.add("Div", values, greatest), matrix)
        return graph.add("Mul", product, greatest)

    def _norm(self, values: str, residual: str, scale: Row, shift: Row, bias: Row) -> str:
        """(values + bias + residual), at mean 0 and variance 1, · scale + shift."""
        rows = (self._graph.constant(row) for row in (scale, shift, bias))
        return self._graph.add(
            "SkipLayerNormalization",
            values,
            residual,
            *rows,
            domain=FUSED,
            epsilon=self._sizes.epsilon,
        )
