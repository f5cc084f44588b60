"""mem0 in its own environment: `add(infer=False)`, the vector store that the settings name."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from contest import Json, compete, given, resident, tell
from local_model import Model

os.environ |= {"MEM0_TELEMETRY": "False", "OPENAI_API_KEY": "none", "HF_HUB_DOWNLOAD_TIMEOUT": "2"}


class OurEmbedding:
    """mem0's embedder, by the shared model."""

    def __init__(self, model: Model) -> None:
        self._model = model

    def embed(self, text: str, memory_action: str | None = None) -> list[float]:
        """One vector."""
        del memory_action
        return self._model.embed([text])[0]

    def embed_batch(self, texts: list[str], memory_action: str | None = None) -> list[list[float]]:
        """A vector each."""
        del memory_action
        return self._model.embed(texts)


class Mem0:
    """A contestant."""

    def __init__(self, memory: Any) -> None:
        self._memory = memory

    def add(self, user: str, memories: Sequence[Json]) -> None:
        """One by one: metadata, by which we know them again, is given to a whole `add`."""
        for each in memories:
            message = {"role": "user", "content": each["text"], "name": each["speaker"]}
            self._memory.add([message], user_id=user, infer=False, metadata={"ref": each["id"]})

    def search(self, user: str, query: str, limit: int) -> list[str]:
        """Without its threshold of 0.1, which would only take away."""
        found = self._memory.search(query, top_k=limit, threshold=0.0, filters={"user_id": user})
        return [each["metadata"]["ref"] for each in found["results"]]

    def resident(self) -> float:
        """This process: the library, the model, and of the local store the vectors too."""
        return resident()


def store_of(told: Json) -> Json:
    """The settings of its vector store: on disk, or pgvector with its defaults (HNSW)."""
    if told["store"] == "qdrant":
        place = {"path": str(Path(told["folder"]) / "qdrant"), "on_disk": True}
    else:
        place = {"connection_string": told["postgres"]}
    return {
        "provider": told["store"],
        "config": {"collection_name": "bench", "embedding_model_dims": 384, **place},
    }


def main() -> None:
    """Compete."""
    told = given()
    os.environ["MEM0_DIR"] = told["folder"]
    from mem0 import Memory  # type: ignore[import-not-found]  # noqa: PLC0415 - reads MEM0_DIR when imported

    settings = {
        "vector_store": store_of(told),
        "history_db_path": str(Path(told["folder"]) / "history.db"),
    }
    memory = Memory.from_config(settings)
    memory.embedding_model = OurEmbedding(Model(told["model"], told["sources"]))
    tell(compete(Mem0(memory), told["corpus"], _notes(memory)))


def _notes(memory: Any) -> list[str]:
    """What of its word search could not be had here."""
    from mem0.utils.spacy_models import get_nlp_lemma  # type: ignore[import-not-found]  # noqa: PLC0415

    notes = [] if get_nlp_lemma() else ["spaCy's English model cannot be fetched: no lemmas"]
    encoder = getattr(memory.vector_store, "_get_bm25_encoder", None)
    if encoder and encoder() is None:
        notes.append("Qdrant/bm25 cannot be fetched: no word search")
    return notes


if __name__ == "__main__":
    main()
