"""An embedder in this process, which answers many callers at once and never blocks the event loop."""

from __future__ import annotations

import asyncio
import hashlib
from collections import OrderedDict
from collections.abc import Sequence
from concurrent.futures import Executor, ThreadPoolExecutor

import numpy as np

from recollect.adapters.embeddings.encoder import Encoder
from recollect.core.errors import Invalid, Unavailable
from recollect.core.ports import Vector, Vectors

PORTION = 32
QUERY_TEXTS = 4
CACHED_VECTORS = 4096
_CUT_CHARACTERS_A_TOKEN = 64


class LocalEmbedder:
    """Embeds text by text, in threads: as many for a few texts at a time, and as many again for bulks.

    So a query does not wait for a bulk; it shares the cores with it. A bulk goes portion by portion, in turn
    with other bulks. To be used from one event loop.

    The vectors of the texts that were last asked for are kept, under a digest of the text: a text that is
    forgotten elsewhere is not kept here. Of a text only the first characters are read, 64 for each token that
    the model takes, so that an endless one costs no more than a long one.
    """

    def __init__(
        self, model: str, encoder: Encoder, *, threads: int = 2, cached_vectors: int = CACHED_VECTORS
    ) -> None:
        self.model = model
        self.dimensions = encoder.dimensions
        self._encoder = encoder
        self._cut = encoder.max_tokens * _CUT_CHARACTERS_A_TOKEN
        self._recent: OrderedDict[bytes, Vector] = OrderedDict()
        self._cached_vectors = cached_vectors
        self._queries = ThreadPoolExecutor(threads, "embed-queries")
        self._bulk = ThreadPoolExecutor(threads, "embed-bulk")
        self._closed = False

    async def embed(self, texts: Sequence[str]) -> Vectors:
        """Unit vectors, shape (len(texts), dimensions), float32. The empty text has a vector too.

        Raises:
            Invalid: a text is not Unicode (it holds half of a surrogate pair).
            Unavailable: the embedder is closed.
        """
        vectors = np.empty((len(texts), self.dimensions), np.float32)
        executor = self._queries if len(texts) <= QUERY_TEXTS else self._bulk
        for first in range(0, len(texts), PORTION):
            portion = slice(first, first + PORTION)
            vectors[portion] = await self._embed([text[: self._cut] for text in texts[portion]], executor)
        return vectors

    async def aclose(self) -> None:
        """Ends the threads, after what they have in hand."""
        self._closed = True
        await asyncio.to_thread(self._queries.shutdown)
        await asyncio.to_thread(self._bulk.shutdown)

    async def _embed(self, texts: Sequence[str], executor: Executor) -> list[Vector]:
        keys = [_digest(text) for text in texts]
        found = {key: self._recent[key] for key in keys if key in self._recent}
        missing = {key: text for key, text in zip(keys, texts, strict=True) if key not in found}
        if missing:
            if self._closed:
                raise Unavailable("The embedder is closed.")
            run = asyncio.get_running_loop().run_in_executor
            fresh = await asyncio.gather(
                *(run(executor, self._encoder.embed, text) for text in missing.values())
            )
            found.update(zip(missing, fresh, strict=True))
        for key, vector in found.items():
            self._remember(key, vector)
        return [found[key] for key in keys]

    def _remember(self, key: bytes, vector: Vector) -> None:
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
