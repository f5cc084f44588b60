"""The model that all contestants share, all-MiniLM-L6-v2 as Recollect runs it, as a plain function."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from threading import Thread
from types import ModuleType
from typing import Any


class Model:
    """Recollect's embedder, out of its sources, in an event loop of its own. Any thread may call."""

    def __init__(self, folder: str, sources: str) -> None:
        # Not the package's own __init__, which asks for an installed Recollect.
        package = ModuleType("recollect")
        package.__path__ = [str(Path(sources) / "recollect")]
        sys.modules["recollect"] = package
        from recollect.adapters.embeddings import open_embedder  # noqa: PLC0415 - its place is known now

        self._loop = asyncio.new_event_loop()
        Thread(target=self._loop.run_forever, daemon=True).start()
        self._embedder: Any = self._wait(open_embedder(folder, Path(folder).parent))

    def _wait(self, work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result()

    def embed(self, texts: list[str]) -> list[list[float]]:
        """A unit vector for each text."""
        vectors: list[list[float]] = self._wait(self._embedder.embed(texts)).tolist()
        return vectors
