"""What the writer writes, onnxruntime reads: every kind of field, checked by running it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnxruntime
from hypothesis import given, settings, strategies as st

from recollect.adapters.embeddings.onnx_graph import ElementType, Graph
from recollect.adapters.embeddings.weights import Place


def run(model: bytes, folder: Path | None = None, **inputs: object) -> list[np.ndarray]:
    options = onnxruntime.SessionOptions()
    if folder:
        options.add_session_config_entry("session.model_external_initializers_file_folder_path", str(folder))
    session = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    return list(session.run(None, inputs))


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(-(2**63), 2**63 - 1), min_size=1, max_size=300))
def test_whole_numbers_arrive_as_they_are(numbers: list[int]) -> None:
    graph = Graph()
    zeros = graph.input("x", ElementType.INT64, [len(numbers)])
    same = graph.add("Add", zeros, graph.constant(np.array(numbers, np.int64)))
    graph.output("y", same, ElementType.INT64, [len(numbers)])
    (result,) = run(graph.model(), x=np.zeros(len(numbers), np.int64))
    assert result.tolist() == numbers


def test_attributes_of_every_type_and_several_results() -> None:
    graph = Graph()
    x = graph.input("x", ElementType.FLOAT, ["rows", 4])
    turned = graph.add("Transpose", x, perm=[1, 0])
    upper, lower = graph.add_many(2, "Split", turned, axis=0)
    leaky = graph.add("LeakyRelu", graph.add("Sub", upper, lower), alpha=0.25)
    graph.output("y", graph.add("Softmax", leaky, axis=-1), ElementType.FLOAT, [2, "rows"])
    values = np.random.default_rng(3).normal(size=(5, 4)).astype(np.float32)
    (result,) = run(graph.model(), x=values)
    difference = values.T[:2] - values.T[2:]
    powers = np.exp(np.where(difference > 0, difference, 0.25 * difference))
    np.testing.assert_allclose(result, powers / powers.sum(axis=1, keepdims=True), rtol=1e-5)


def test_a_negative_attribute() -> None:
    graph = Graph()
    x = graph.input("x", ElementType.FLOAT, [2, 3])
    graph.output("y", graph.add("Concat", x, x, axis=-1), ElementType.FLOAT, [2, 6])
    (result,) = run(graph.model(), x=np.ones((2, 3), np.float32))
    assert result.shape == (2, 6)


def test_a_tensor_stays_in_its_file(tmp_path: Path) -> None:
    numbers = np.arange(12, dtype="<f4").reshape(3, 4)
    (tmp_path / "numbers.bin").write_bytes(b"\0" * 24 + numbers.tobytes())
    graph = Graph()
    x = graph.input("x", ElementType.FLOAT, ["n", 3])
    stored = graph.stored("numbers", (3, 4), file="numbers.bin", place=Place(24, 48))
    graph.output("y", graph.add("MatMul", x, stored), ElementType.FLOAT, ["n", 4])
    model = graph.model()
    assert len(model) < 300
    (result,) = run(model, tmp_path, x=np.eye(3, dtype=np.float32))
    np.testing.assert_array_equal(result, numbers)
