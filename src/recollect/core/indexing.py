"""What a text is found by: its meaning, its meaning after the turn before it, and its words."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Sequence
from typing import TypeVar

import numpy as np

from recollect.core.embeddings import Embeddings
from recollect.core.ports import Embedder, Indexed, ModelRow, Vector, Vectors
from recollect.core.text.names import strip_names
from recollect.core.text.tokens import tokenize

BEFORE = 300
"""So many characters of the turn before are part of a window: a long one would push the turn itself out of
what the model reads."""

LONG = 5_000
"""Texts of more characters are read in a thread: in the event loop, a large batch would stop everybody."""

T = TypeVar("T")


def plain_turn(turn: str, names: Collection[str]) -> str:
    """The turn as it is embedded: without its participants' names, which everybody says."""
    return strip_names(turn, names)


def window(before: str | None, plain: str, names: Collection[str]) -> str:
    """The turn after the end of the one before it, as it is embedded; the first of a session stands alone."""
    return f"{plain_turn(before, names)[-BEFORE:]} {plain}" if before else plain


async def index_notes(texts: Sequence[str], embeddings: Embeddings) -> tuple[int, list[Indexed]]:
    """The model's id, and what each of the texts is found by, on its own."""
    model, vectors = await embeddings.embed(texts)
    tokens = await _read(texts, lambda: list(map(tokenize, texts)))
    return model, [Indexed(vector, None, words) for vector, words in zip(vectors, tokens, strict=True)]


async def index_turns(
    turns: Sequence[str], before: str | None, names: Collection[str], embeddings: Embeddings
) -> tuple[int, list[Indexed]]:
    """The model's id, and what each of a session's next turns is found by; `before`: the turn before them.

    The names stay among the words, where their frequency makes them count for little.
    """

    def read() -> tuple[list[str], list[list[str]]]:
        plain = [plain_turn(turn, names) for turn in turns]
        befores = zip([before, *turns], plain, strict=False)
        return plain + [window(earlier, turn, names) for earlier, turn in befores], list(map(tokenize, turns))

    texts, tokens = await _read(turns, read)
    model, vectors = await embeddings.embed(texts)
    return model, [Indexed(*found) for found in zip(*_halves(vectors), tokens, strict=True)]


async def _read(texts: Sequence[str], work: Callable[[], T]) -> T:
    return await asyncio.to_thread(work) if sum(map(len, texts)) > LONG else work()


async def vectors_of(rows: Sequence[ModelRow], embedder: Embedder) -> list[tuple[Vector, Vector | None]]:
    """The vectors of rows as they would be written today: their own, and a turn's after the one before it."""
    plain = [plain_turn(row.content, row.participants) if row.is_turn else row.content for row in rows]
    windows = [
        window(row.before, text, row.participants) if row.is_turn else ""
        for row, text in zip(rows, plain, strict=True)
    ]
    alone, after = _halves(await embedder.embed([*plain, *windows]))
    return [(alone[at], after[at] if row.is_turn else None) for at, row in enumerate(rows)]


def _halves(vectors: Vectors) -> tuple[Vectors, Vectors]:
    first, second = np.split(vectors, 2)
    return first, second
