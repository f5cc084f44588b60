"""How an encoder multiplies by its matrices: in 8-bit integers, or in the floats as published.

A matrix is given as (inputs, outputs). Jacob et al. 2018, "Quantization and Training of Neural Networks for
Efficient Integer-Arithmetic-Only Inference"; the operators are onnxruntime's
(https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md).
"""

from __future__ import annotations

from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from recollect.adapters.embeddings.onnx_graph import FUSED, Graph

Matrix = NDArray[np.float32]
Row = NDArray[np.float32]

_GREATEST = 127
_MIDDLE = 128


class Arithmetic(Protocol):
    """What of an encoder depends on the kind of its numbers."""

    def multiply(self, graph: Graph, values: str, matrix: Matrix) -> str:
        """The product values · matrix."""

    def attend(self, graph: Graph, states: str, matrix: Matrix, bias: Row, heads: int) -> str:
        """Self-attention; `matrix` and `bias` make query, key and value side by side."""


class Floats:
    """As published: the model's own vectors, to six digits."""

    def multiply(self, graph: Graph, values: str, matrix: Matrix) -> str:
        return graph.add("MatMul", values, graph.constant(matrix))

    def attend(self, graph: Graph, states: str, matrix: Matrix, bias: Row, heads: int) -> str:
        weights = graph.constant(matrix), graph.constant(bias)
        return graph.add("Attention", states, *weights, domain=FUSED, num_heads=heads)


class Int8:
    """A matrix has one scale for each output; what it is multiplied with, one for the whole text.

    `signed`: the matrices hold -127 to 127; otherwise 1 to 255, around 128. The numbers are the same ones.
    """

    def __init__(self, *, signed: bool) -> None:
        self._signed = signed

    def multiply(self, graph: Graph, values: str, matrix: Matrix) -> str:
        weights, scales, *zero = self._constants(graph, matrix)
        return graph.add("DynamicQuantizeMatMul", values, weights, scales, *zero, domain=FUSED)

    def attend(self, graph: Graph, states: str, matrix: Matrix, bias: Row, heads: int) -> str:
        weights, scales, *zero = self._constants(graph, matrix)
        levels, scale, middle = graph.add_many(3, "DynamicQuantizeLinear", states)
        no_mask = ""
        inputs = (levels, weights, graph.constant(bias), scale, scales, no_mask, middle, *zero)
        return graph.add("QAttention", *inputs, domain=FUSED, num_heads=heads)

    def _constants(self, graph: Graph, matrix: Matrix) -> list[str]:
        whole, scales = quantise(matrix)
        if self._signed:
            return [graph.constant(whole), graph.constant(scales)]
        unsigned = (whole.astype(np.int16) + _MIDDLE).astype(np.uint8)
        return [
            graph.constant(unsigned),
            graph.constant(scales),
            graph.constant(np.array(_MIDDLE, np.uint8)),
        ]


def quantise(matrix: Matrix) -> tuple[NDArray[np.int8], Row]:
    """Whole numbers of -127 to 127 in the matrix's shape, and what a 1 is worth in each column.

    >>> whole, scales = quantise(np.array([[0.5, 2.0], [-1.0, 0.0]], np.float32))
    >>> whole.tolist()
    [[64, 127], [-127, 0]]
    """
    scales = np.abs(matrix).max(axis=0) / np.float32(_GREATEST)
    scales[scales == 0] = 1
    return np.rint(matrix / scales).astype(np.int8), scales
