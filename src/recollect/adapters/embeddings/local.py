"""An embedder in this process, which answers many callers at once and never blocks the event loop."""

from __future__ import annotations

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

from recollect.adapters.embeddings.encoder import Encoder
from recollect.adapters.embeddings.lane import Lane
from recollect.core.errors import Invalid, Unavailable
from recollect.core.ports import Vectors

BATCH_TOKENS = 1024
BATCH_TEXTS = 32
QUERY_TEXTS = 4
CACHED_VECTORS = 4096
_CHARACTERS_A_TOKEN = 4
_CUT_CHARACTERS_A_TOKEN = 64


class LocalEmbedder:
    """Embeds with an encoder in two threads of its own: one for a few texts at a time, one for the many.

    So a query does not wait for a bulk; it shares the cores with it. A bulk goes batch by batch, in turn with
    other bulks. To be used from one event loop.

    The vectors of the texts that were last asked for are kept, under a digest of the text: a text that is
    forgotten elsewhere is not kept here. Of a text only the first characters are read, 64 for each token that
    the model takes, so that an endless one costs no more than a long one.
    """

    def __init__(self, model: str, encoder: Encoder, *, cached_vectors: int = CACHED_VECTORS) -> None:
        self.model = model
        self.dimensions = encoder.dimensions
        self._cut = encoder.max_tokens * _CUT_CHARACTERS_A_TOKEN
        self._full = encoder.max_tokens * _CHARACTERS_A_TOKEN
        self._recent: OrderedDict[bytes, NDArray[np.float32]] = OrderedDict()
        self._cached_vectors = cached_vectors
        self._queries = Lane(encoder, "embed-queries", batch_tokens=BATCH_TOKENS)
        self._bulk = Lane(encoder, "embed-bulk", batch_tokens=BATCH_TOKENS)
        self._closed = False

    async def embed(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors, shape (len(texts), dimensions), float32. The empty text has a vector too.

        Raises:
            Invalid: a text is not Unicode (it holds half of a surrogate pair).
            Unavailable: the embedder is closed.
        """
        vectors = np.empty((len(texts), self.dimensions), np.float32)
        lane = self._queries if len(texts) <= QUERY_TEXTS else self._bulk
        for rows in self._portions(texts):
            vectors[rows] = await self._embed_portion([texts[row][: self._cut] for row in rows], lane)
        return vectors

    async def aclose(self) -> None:
        """Ends the threads, after what they have in hand."""
        self._closed = True
        await asyncio.to_thread(self._close_lanes)

    def _close_lanes(self) -> None:
        self._queries.close()
        self._bulk.close()

    def _portions(self, texts: Sequence[str]) -> Iterator[list[int]]:
        """The rows of the texts by length, in portions that fit about one batch."""
        portion: list[int] = []
        for row in sorted(range(len(texts)), key=lambda row: len(texts[row])):
            tokens = min(len(texts[row]), self._full) // _CHARACTERS_A_TOKEN
            if portion and (len(portion) == BATCH_TEXTS or (len(portion) + 1) * tokens > BATCH_TOKENS):
                yield portion
                portion = []
            portion.append(row)
        if portion:
            yield portion

    async def _embed_portion(self, texts: list[str], lane: Lane) -> Vectors:
        keys = [_digest(text) for text in texts]
        found = {key: self._recent[key] for key in keys if key in self._recent}
        missing = {key: text for key, text in zip(keys, texts, strict=True) if key not in found}
        if missing:
            if self._closed:
                raise Unavailable("The embedder is closed.")
            fresh = await asyncio.wrap_future(lane.submit(list(missing.values())))
            # Copies, so that a vector that is kept does not keep its whole batch.
            found.update((key, vector.copy()) for key, vector in zip(missing, fresh, strict=True))
        for key, vector in found.items():
            self._remember(key, vector)
        return np.stack([found[key] for key in keys])

    def _remember(self, key: bytes, vector: NDArray[np.float32]) -> None:
        """Keeps a vector as the newest, and lets the oldest go."""
        self._recent[key] = vector
        self._recent.move_to_end(key)
        if len(self._recent) > self._cached_vectors:
            self._recent.popitem(last=False)


def _digest(text: str) -> bytes:
    try:
        return hashlib.blake2b(text.encode(), digest_size=16).digest()
    except UnicodeEncodeError as error:
        raise Invalid(
            f"A text to embed is not Unicode: {error.reason} at character {error.start}."
        ) from error
