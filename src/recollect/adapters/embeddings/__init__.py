"""The embeddings adapter: the local model behind the port `Embedder`."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from recollect.adapters.embeddings.model_files import DEFAULT_MODEL, find_model

if TYPE_CHECKING:
    from recollect.adapters.embeddings.local import LocalEmbedder

__all__ = ["DEFAULT_MODEL", "open_embedder"]

_DEFAULT_THREADS = 2


async def open_embedder(
    model: str,
    cache: Path,
    *,
    threads: int | None = None,
    progress: Callable[[str], None] = lambda _: None,
) -> LocalEmbedder:
    """The embedder of a known model, or of a folder with one, ready to embed; close it with `aclose()`.

    A known model is fetched once, into a folder of its name in `cache`. `threads`: how many texts at once,
    each on a core; None means two, or one where there is but one core. `progress` is called from another
    thread with a sentence for each step that takes longer than a moment.

    Raises:
        ModelUnavailable: the model cannot be had or read; the hint says what to do.
    """
    return await asyncio.to_thread(_open, model, cache, threads, progress)


def _open(model: str, cache: Path, threads: int | None, progress: Callable[[str], None]) -> LocalEmbedder:
    # onnxruntime takes a third of a second to import: here it runs beside the start of PostgreSQL.
    from recollect.adapters.embeddings.encoder import Encoder  # noqa: PLC0415
    from recollect.adapters.embeddings.local import LocalEmbedder  # noqa: PLC0415

    files = find_model(model, cache, progress)
    at_once = threads or min(_DEFAULT_THREADS, os.cpu_count() or 1)
    return LocalEmbedder(files.model, Encoder(files.folder), threads=at_once)
