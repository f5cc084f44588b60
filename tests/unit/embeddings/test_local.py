"""Many callers at once: the same vectors as one by one, and nobody's trouble is another's."""

from __future__ import annotations

import asyncio
import random
import threading
from collections.abc import AsyncIterator, Sequence
from contextlib import aclosing, asynccontextmanager
from pathlib import Path

import numpy as np
import pytest
from toy_bert import MAX_TOKENS, make_model

from recollect.adapters.embeddings import open_embedder
from recollect.adapters.embeddings.encoder import Encoder
from recollect.adapters.embeddings.local import LocalEmbedder
from recollect.core.errors import Invalid, Unavailable
from recollect.core.ports import Embedder, Vector, Vectors


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_model(tmp_path_factory.mktemp("models") / "toy")


class CountingEncoder(Encoder):
    """The real encoder; counts what reaches it, waits at a gate, and fails on the text 'boom'."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.lengths: list[int] = []
        self.begun = threading.Event()
        self.gate = threading.Event()
        self.gate.set()

    def tokenize(self, text: str) -> list[int]:
        if text == "boom":
            raise RuntimeError("boom")
        return super().tokenize(text)

    def encode(self, tokens: Sequence[int]) -> Vector:
        self.begun.set()
        self.gate.wait()
        self.lengths.append(len(tokens))
        return super().encode(tokens)

    @property
    def encoded(self) -> int:
        return len(self.lengths)


@pytest.fixture
def encoder(folder: Path) -> CountingEncoder:
    return CountingEncoder(folder)


@asynccontextmanager
async def embedding(encoder: Encoder, *, cached_vectors: int = 4096) -> AsyncIterator[LocalEmbedder]:
    async with aclosing(LocalEmbedder("toy", encoder, cached_vectors=cached_vectors)) as embedder:
        yield embedder


def some_texts(count: int, seed: int = 5) -> list[str]:
    """Texts of every length up to beyond the model's, no two alike."""
    chance = random.Random(seed)
    letters = "abcdefghij éß中"
    return [
        f"{n}:" + "".join(chance.choices(letters, k=chance.randrange(2 * MAX_TOKENS))) for n in range(count)
    ]


def one_by_one(encoder: Encoder, texts: Sequence[str]) -> Vectors:
    return np.stack([Encoder.encode(encoder, encoder.tokenize(text)) for text in texts])


def test_it_answers_the_port(folder: Path, tmp_path: Path) -> None:
    async def run() -> Vectors:
        async with aclosing(await open_embedder(str(folder), tmp_path)) as opened:
            embedder: Embedder = opened
            assert embedder.model.startswith("toy-")
            assert embedder.dimensions == 24
            return await embedder.embed(["", "a", "a"])

    vectors = asyncio.run(run())
    assert vectors.shape == (3, 24)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)
    np.testing.assert_array_equal(vectors[1], vectors[2])


def test_no_texts_no_vectors(encoder: CountingEncoder) -> None:
    async def run() -> Vectors:
        async with embedding(encoder) as embedder:
            return await embedder.embed([])

    assert asyncio.run(run()).shape == (0, 24)


def test_hundreds_of_callers_get_what_each_alone_would(encoder: CountingEncoder) -> None:
    texts = some_texts(400)

    async def run() -> list[Vectors]:
        async with embedding(encoder, cached_vectors=50) as embedder:
            return await asyncio.gather(*(embedder.embed([text]) for text in texts))

    together = np.concatenate(asyncio.run(run()))
    assert encoder.encoded == len(texts)
    np.testing.assert_array_equal(together, one_by_one(encoder, texts))


def test_bulks_and_queries_mixed(encoder: CountingEncoder) -> None:
    bulks = [some_texts(150, seed) for seed in range(4)]
    queries = some_texts(60, seed=9)

    async def run() -> list[Vectors]:
        async with embedding(encoder) as embedder:
            return await asyncio.gather(*map(embedder.embed, bulks), *(embedder.embed([q]) for q in queries))

    results = asyncio.run(run())
    expected = [one_by_one(encoder, texts) for texts in (*bulks, *([query] for query in queries))]
    for result, wanted in zip(results, expected, strict=True):
        np.testing.assert_array_equal(result, wanted)


def test_a_query_does_not_wait_for_a_bulk(encoder: CountingEncoder) -> None:
    async def run() -> bool:
        async with embedding(encoder) as embedder:
            bulk = asyncio.create_task(embedder.embed(some_texts(2000)))
            await asyncio.to_thread(encoder.begun.wait)
            await embedder.embed(["a short question"])
            overtaken = not bulk.done()
            await bulk
            return overtaken

    assert asyncio.run(run())


def test_a_cancelled_caller_harms_no_other(encoder: CountingEncoder) -> None:
    texts = some_texts(40)

    async def run() -> list[Vectors]:
        async with embedding(encoder) as embedder:
            encoder.gate.clear()
            tasks = [asyncio.create_task(embedder.embed([text])) for text in texts]
            await asyncio.to_thread(encoder.begun.wait)
            for task in tasks[::2]:
                task.cancel()
            encoder.gate.set()
            cancelled = await asyncio.gather(*tasks[::2], return_exceptions=True)
            assert all(isinstance(result, asyncio.CancelledError) for result in cancelled)
            return await asyncio.gather(*tasks[1::2])

    np.testing.assert_array_equal(np.concatenate(asyncio.run(run())), one_by_one(encoder, texts[1::2]))


def test_a_cancelled_bulk_stops_early(encoder: CountingEncoder) -> None:
    async def run() -> None:
        async with embedding(encoder) as embedder:
            bulk = asyncio.create_task(embedder.embed(some_texts(3000)))
            await asyncio.to_thread(encoder.begun.wait)
            bulk.cancel()
            await asyncio.gather(bulk, return_exceptions=True)

    asyncio.run(run())
    assert encoder.encoded < 1000


def test_an_error_reaches_its_caller_alone(encoder: CountingEncoder) -> None:
    texts = [*some_texts(30), "boom", "half a pair \ud800"]

    async def run() -> list[Vectors | BaseException]:
        async with embedding(encoder) as embedder:
            return await asyncio.gather(*(embedder.embed([text]) for text in texts), return_exceptions=True)

    *good, boom, surrogate = asyncio.run(run())
    assert isinstance(boom, RuntimeError)
    assert isinstance(surrogate, Invalid)
    assert all(isinstance(result, np.ndarray) for result in good)


def test_a_text_asked_again_is_not_encoded_again(encoder: CountingEncoder) -> None:
    async def run() -> None:
        async with embedding(encoder, cached_vectors=3) as embedder:
            first = await embedder.embed(["a", "b", "c", "a"])
            assert encoder.encoded == 3
            np.testing.assert_array_equal(await embedder.embed(["c", "a"]), first[[2, 0]])
            assert encoder.encoded == 3
            await embedder.embed(["d"])  # b is the one that was not asked for since
            await embedder.embed(["a", "c", "d"])
            assert encoder.encoded == 4
            np.testing.assert_array_equal(await embedder.embed(["b"]), first[[1]])
            assert encoder.encoded == 5

    asyncio.run(run())


def test_what_a_caller_does_to_its_vectors_stays_with_it(encoder: CountingEncoder) -> None:
    async def run() -> None:
        async with embedding(encoder) as embedder:
            first = await embedder.embed(["a"])
            kept = first.copy()
            first[:] = 0
            np.testing.assert_array_equal(await embedder.embed(["a"]), kept)

    asyncio.run(run())


def test_no_text_survives_in_the_cache(encoder: CountingEncoder) -> None:
    async def run() -> list[object]:
        async with embedding(encoder) as embedder:
            await embedder.embed(["the secret"])
            return [*embedder._recent]

    (key,) = asyncio.run(run())
    assert isinstance(key, bytes)
    assert b"secret" not in key
    assert len(key) == 16


def test_closing_ends_the_threads_after_what_they_have_in_hand(encoder: CountingEncoder) -> None:
    others = set(threading.enumerate())  # of the embedder that the whole run shares

    async def run() -> None:
        embedder = LocalEmbedder("toy", encoder)
        encoder.gate.clear()
        late = asyncio.create_task(embedder.embed(["in hand"]))
        await asyncio.to_thread(encoder.begun.wait)
        closing = asyncio.create_task(embedder.aclose())
        await asyncio.sleep(0.02)
        encoder.gate.set()
        assert (await late).shape == (1, 24)
        await closing
        await embedder.aclose()
        assert not {t for t in threading.enumerate() if t.name.startswith("embed-")} - others
        with pytest.raises(Unavailable, match="closed"):
            await embedder.embed(["too late"])

    asyncio.run(run())


def test_the_event_loop_runs_meanwhile(encoder: CountingEncoder) -> None:
    async def run() -> bool:
        async with embedding(encoder) as embedder:
            encoder.gate.clear()
            waiting = asyncio.create_task(embedder.embed(["held up"]))
            await asyncio.to_thread(encoder.begun.wait)
            still_waiting = not waiting.done()
            encoder.gate.set()
            await waiting
            return still_waiting

    assert asyncio.run(run())
