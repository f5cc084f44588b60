"""A model in memory: a text to tokens to a vector, in the calling thread."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnxruntime
from tokenizers import Tokenizer

from recollect.adapters.embeddings.arithmetic import Floats, Int8
from recollect.adapters.embeddings.bert import TOKENIZER, build_encoder, read_architecture
from recollect.adapters.embeddings.onnx_graph import ElementType, Graph
from recollect.core.errors import ModelUnavailable
from recollect.core.ports import Vector

_FOLDER_OF_WEIGHTS = "session.model_external_initializers_file_folder_path"


class Encoder:
    """The encoder in a sentence-transformers folder, in 8-bit integers. Threads may share it.

    A vector depends on its text alone, and takes one core: texts that are to be embedded at the same time
    want threads of their own. `exact`: in floats, as the model was published; the same space, two to three
    times the work.

    Raises:
        ModelUnavailable: the folder does not hold a model that can be run.
    """

    def __init__(self, folder: Path, *, exact: bool = False) -> None:
        architecture = read_architecture(folder)
        self.dimensions = architecture.hidden
        self.max_tokens = architecture.max_tokens
        self._tokenizer = _load_tokenizer(folder / TOKENIZER, architecture.max_tokens)
        arithmetic = Floats() if exact else Int8(signed=multiplies_signed())
        model = build_encoder(folder, architecture, arithmetic)
        self._session = load_session(model, folder)

    def embed(self, text: str) -> Vector:
        """The unit vector of a text."""
        return self.encode(self.tokenize(text))

    def tokenize(self, text: str) -> list[int]:
        """The token ids of a text, cut at `max_tokens`."""
        # A batch of one takes a third of the time of `encode`, which notes where each token stood.
        (encoding,) = self._tokenizer.encode_batch_fast([text])
        ids: list[int] = encoding.ids
        return ids

    def encode(self, tokens: Sequence[int]) -> Vector:
        """The unit vector of token ids, shape (dimensions,)."""
        vectors = self._session.run(["vectors"], {"ids": np.array([tokens], np.int32)})[0]
        vector: Vector = vectors[0]
        return vector


def _load_tokenizer(path: Path, max_tokens: int) -> Tokenizer:
    try:
        tokenizer = Tokenizer.from_buffer(path.read_bytes())
    except (OSError, ValueError) as error:
        raise ModelUnavailable(f"{path} cannot be read: {error}") from error
    tokenizer.no_padding()
    tokenizer.enable_truncation(max_tokens)
    return tokenizer


def multiplies_signed() -> bool:
    """Whether this processor multiplies by signed bytes without overflow.

    x86 without VNNI adds pairs of products in 16 bits, which the greatest numbers exceed. So they are tried;
    unsigned bytes are right everywhere, and slower where signed ones are right too.
    """
    size = 64
    graph = Graph()
    ones = graph.input("ones", ElementType.FLOAT, [1, size])
    product = Int8(signed=True).multiply(graph, ones, np.ones((size, size), np.float32))
    graph.output("product", product, ElementType.FLOAT, [1, size])
    session = load_session(graph.model(), Path())
    (products,) = session.run(["product"], {"ones": np.ones((1, size), np.float32)})
    return bool(np.allclose(products, size))


def load_session(model: bytes, folder: Path) -> onnxruntime.InferenceSession:
    """A model ready to run in the calling thread; `folder`: where its stored tensors are."""
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = 1
    options.inter_op_num_threads = 1
    options.enable_mem_pattern = False  # a plan is kept for every shape ever seen, and texts have many
    options.add_session_config_entry(_FOLDER_OF_WEIGHTS, str(folder))
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
