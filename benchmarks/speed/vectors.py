"""Vectors for a million texts without an hour of embedding.

Every word of the generator is embedded for real, once. A text's vector is the weighted sum of its words'
vectors, plus a little noise that depends on the text, at unit length: so texts on the same matter lie near
each other, and a question that is embedded for real lies near the texts about the same things.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from zlib import crc32

import numpy as np

from recollect.adapters.embeddings import DEFAULT_MODEL, open_embedder
from recollect.core.ports import Vectors
from speed.texts import vocabulary

NOISE = 0.35
_NOISES = 8_192


async def embed_vocabulary(models: Path, file: Path) -> None:
    """Embed the words by the real model, and keep them with their weights."""
    words = vocabulary()
    embedder = await open_embedder(DEFAULT_MODEL, models, progress=print)
    vectors = await embedder.embed(list(words))
    await embedder.aclose()
    np.save(file, vectors * np.fromiter(words.values(), np.float32)[:, None])


class ComposedEmbedder:
    """The port `Embedder` over the words of a file; one that is not there, as a number, has another's row."""

    model = DEFAULT_MODEL

    def __init__(self, file: Path) -> None:
        self._rows = {word: row for row, word in enumerate(vocabulary())}
        self._words: Vectors = np.load(file)
        self.dimensions = self._words.shape[1]
        noise = np.random.default_rng(0).standard_normal((_NOISES, self.dimensions), np.float32)
        self._noise: Vectors = noise * np.float32(NOISE / np.sqrt(self.dimensions))

    async def embed(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors, shape (len(texts), dimensions)."""
        sums = np.stack([self._sum(text) for text in texts])
        unit: Vectors = sums / np.linalg.norm(sums, axis=1, keepdims=True)
        return unit

    def _sum(self, text: str) -> Vectors:
        rows = [self._row(word.strip(".,?:")) for word in text.lower().split()]
        total: Vectors = self._words[rows].sum(axis=0)
        noise: Vectors = self._noise[crc32(text.encode()) % _NOISES]
        return total / max(float(np.linalg.norm(total)), 1e-6) + noise

    def _row(self, word: str) -> int:
        row = self._rows.get(word)
        return crc32(word.encode()) % len(self._rows) if row is None else row

    async def aclose(self) -> None:
        """There is nothing to give up."""
