"""What a text is found by: its meaning, its meaning after the turn before it, and what it holds."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar

import numpy as np

from recollect.core.embeddings import Embeddings
from recollect.core.ports import Embedder, Indexed, ModelRow, Vector, Vectors
from recollect.core.text.names import strip_names
from recollect.core.text.times import find_times
from recollect.core.text.tokens import tokenize
from recollect.core.text.traits import traits

BEFORE = 300
"""So many characters of the turn before are part of a window: a long one would push the turn itself out of
what the model reads."""

LONG = 5_000
"""Texts of more characters are read in a thread: in the event loop, a large batch would stop everybody."""

MOST_MENTIONS = 16
"""So many of the times that a text speaks of are kept, the first."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Text:
    """A text to be kept, and when it was said or began to hold: "yesterday" is the day before."""

    content: str
    at: datetime


@dataclass(frozen=True, slots=True)
class _Read:
    """What is read in a text."""

    tokens: list[str]
    traits: int
    mentions: list[tuple[float, float]]

    @classmethod
    def of(cls, text: Text) -> _Read:
        return cls(
            tokenize(text.content), int(traits(text.content)), spans(text.content, text.at)[:MOST_MENTIONS]
        )


def spans(text: str, at: datetime) -> list[tuple[float, float]]:
    """The times that a text speaks of, as said `at`: [start, end) in seconds since the epoch, with slack.

    >>> from datetime import timezone
    >>> [(start, end)] = spans("I was there on 4 May 2023.", datetime(2023, 6, 1, tzinfo=timezone.utc))
    >>> datetime.fromtimestamp(start, timezone.utc).isoformat(), end - start
    ('2023-05-04T00:00:00+00:00', 86400.0)
    """
    return [
        # In seconds, since no date is before the first one, or after the last.
        (time.start.timestamp() - slack, time.end.timestamp() + slack)
        for time in find_times(text, at)
        for slack in (time.slack.total_seconds(),)
    ]


def plain_turn(turn: str, names: Collection[str]) -> str:
    """The turn as it is embedded: without its participants' names, which everybody says."""
    return strip_names(turn, names)


def window(before: str | None, plain: str, names: Collection[str]) -> str:
    """The turn after the end of the one before it, as it is embedded; the first of a session stands alone."""
    return f"{plain_turn(before, names)[-BEFORE:]} {plain}" if before else plain


async def index_notes(notes: Sequence[Text], embeddings: Embeddings) -> tuple[int, list[Indexed]]:
    """The model's id, and what each of the texts is found by, on its own."""
    texts = [note.content for note in notes]
    model, vectors = await embeddings.embed(texts)
    read = await _read(texts, lambda: list(map(_Read.of, notes)))
    return model, [_indexed(vector, None, one) for vector, one in zip(vectors, read, strict=True)]


async def index_turns(
    turns: Sequence[Text], before: str | None, names: Collection[str], embeddings: Embeddings
) -> tuple[int, list[Indexed]]:
    """The model's id, and what each of a session's next turns is found by; `before`: the turn before them.

    The names stay among the words, where their frequency makes them count for little.
    """
    contents = [turn.content for turn in turns]

    def read() -> tuple[list[str], list[_Read]]:
        plain = [plain_turn(turn, names) for turn in contents]
        befores = zip([before, *contents], plain, strict=False)
        return plain + [window(earlier, turn, names) for earlier, turn in befores], list(map(_Read.of, turns))

    texts, found = await _read(contents, read)
    model, vectors = await embeddings.embed(texts)
    return model, [_indexed(*one) for one in zip(*_halves(vectors), found, strict=True)]


async def _read(texts: Sequence[str], work: Callable[[], T]) -> T:
    return await asyncio.to_thread(work) if sum(map(len, texts)) > LONG else work()


def _indexed(embedding: Vector, window: Vector | None, read: _Read) -> Indexed:
    return Indexed(embedding, window, read.tokens, read.traits, read.mentions)


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
