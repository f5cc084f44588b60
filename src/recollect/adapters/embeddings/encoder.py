"""A model in memory: texts to tokens to vectors, in the calling thread."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import onnxruntime
from tokenizers import Tokenizer

from recollect.adapters.embeddings.bert import TOKENIZER, build_encoder, read_architecture
from recollect.core.errors import ModelUnavailable
from recollect.core.ports import Vectors

_DEFAULT_THREADS = 2
_FOLDER_OF_WEIGHTS = "session.model_external_initializers_file_folder_path"
_STOP_SPINNING = "session.force_spinning_stop"


class Encoder:
    """The encoder in a sentence-transformers folder. Threads may share it.

    `threads`: how many cores one batch may use; None means two, or one where there is but one.

    Raises:
        ModelUnavailable: the folder does not hold a model that can be run.
    """

    def __init__(self, folder: Path, threads: int | None = None) -> None:
        architecture = read_architecture(folder)
        self.dimensions = architecture.hidden
        self.max_tokens = architecture.max_tokens
        self._tokenizer = _load_tokenizer(folder / TOKENIZER, architecture.max_tokens)
        self._session = _load_session(build_encoder(folder, architecture), folder, threads)

    def tokenize(self, texts: Sequence[str]) -> list[list[int]]:
        """The token ids of each text, cut at `max_tokens`."""
        return [encoding.ids for encoding in self._tokenizer.encode_batch_fast(list(texts))]

    def encode(self, tokens: Sequence[Sequence[int]]) -> Vectors:
        """A unit vector for each list of token ids, shape (len(tokens), dimensions)."""
        ids = np.zeros((len(tokens), max(map(len, tokens))), np.int32)
        mask = np.zeros_like(ids)
        for row, text in enumerate(tokens):
            ids[row, : len(text)] = text
            mask[row, : len(text)] = 1
        vectors: Vectors = self._session.run(["vectors"], {"ids": ids, "mask": mask})[0]
        return vectors


def _load_tokenizer(path: Path, max_tokens: int) -> Tokenizer:
    try:
        tokenizer = Tokenizer.from_buffer(path.read_bytes())
    except (OSError, ValueError) as error:
        raise ModelUnavailable(f"{path} cannot be read: {error}") from error
    tokenizer.no_padding()
    tokenizer.enable_truncation(max_tokens)
    return tokenizer


def _load_session(model: bytes, folder: Path, threads: int | None) -> onnxruntime.InferenceSession:
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads or min(_DEFAULT_THREADS, os.cpu_count() or 1)
    options.inter_op_num_threads = 1
    options.enable_mem_pattern = False  # a plan is kept for every shape ever seen, and texts have many
    options.add_session_config_entry(_FOLDER_OF_WEIGHTS, str(folder))
    # Between two runs the threads sleep: left to spin they use 16 ms of processor for a query of 6.
    options.add_session_config_entry(_STOP_SPINNING, "1")
    return onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
