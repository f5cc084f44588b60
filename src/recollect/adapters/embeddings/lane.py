"""A thread that embeds what its callers hand it, together what came together."""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from typing import Protocol

from recollect.core.ports import Vectors


class Encodes(Protocol):
    """What a lane runs; `Encoder` is one."""

    def tokenize(self, texts: Sequence[str]) -> list[list[int]]: ...
    def encode(self, tokens: Sequence[Sequence[int]]) -> Vectors: ...


@dataclass(slots=True)
class _Request:
    texts: Sequence[str]
    vectors: Future[Vectors] = field(default_factory=Future)
    tokens: list[list[int]] = field(default_factory=list)

    @property
    def longest(self) -> int:
        return max(map(len, self.tokens))


class Lane:
    """Requests in order of arrival, run as few batches of at most `batch_tokens`, filling up included.

    A request is never divided: one that is larger alone is run alone. An error reaches the requests of its
    batch and no other; a cancelled request is skipped.
    """

    def __init__(self, encoder: Encodes, name: str, *, batch_tokens: int) -> None:
        self._encoder = encoder
        self._batch_tokens = batch_tokens
        self._waiting: queue.SimpleQueue[_Request | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._serve, name=name, daemon=True)
        self._thread.start()

    def submit(self, texts: Sequence[str]) -> Future[Vectors]:
        """The vectors of at least one text, in time."""
        request = _Request(texts)
        self._waiting.put(request)
        return request.vectors

    def close(self) -> None:
        """Ends the thread when everything submitted is done, and waits for that."""
        self._waiting.put(None)
        self._thread.join()

    def _serve(self) -> None:
        closing = False
        while not closing:
            arrived = [self._waiting.get()]
            while not self._waiting.empty():
                arrived.append(self._waiting.get())
            closing = None in arrived
            self._run([request for request in arrived if request is not None])

    def _run(self, requests: list[_Request]) -> None:
        live = [request for request in requests if request.vectors.set_running_or_notify_cancel()]
        for batch in self._batches([request for request in live if self._tokenize(request)]):
            self._encode(batch)

    def _tokenize(self, request: _Request) -> bool:
        try:
            request.tokens = self._encoder.tokenize(request.texts)
        except Exception as error:  # noqa: BLE001  # whatever it is, it is the caller's and not the thread's
            request.vectors.set_exception(error)
            return False
        return True

    def _batches(self, requests: list[_Request]) -> Iterator[list[_Request]]:
        """Requests of like length together, the shortest first."""
        batch: list[_Request] = []
        count = 0
        for request in sorted(requests, key=lambda request: request.longest):
            count += len(request.texts)
            if batch and count * request.longest > self._batch_tokens:
                yield batch
                batch, count = [], len(request.texts)
            batch.append(request)
        if batch:
            yield batch

    def _encode(self, batch: list[_Request]) -> None:
        try:
            vectors = self._encoder.encode([text for request in batch for text in request.tokens])
        except Exception as error:  # noqa: BLE001  # as above
            for request in batch:
                request.vectors.set_exception(error)
            return
        first = 0
        for request in batch:
            after = first + len(request.texts)
            request.vectors.set_result(vectors[first:after])
            first = after
