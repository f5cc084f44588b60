"""A lean HTTP/1.1 client over asyncio's streams, in a process of its own: `python -m speed.client`.

Reads a plan as JSON, sends its requests over kept connections by so many clients at once, and writes what it
measured as JSON. The requests are encoded before the clock starts; a time is from the first byte sent to the
last byte read. It shares the cores with the server, so that it is kept as small as it can be.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

_LIMIT = 4_000_000
_LENGTH = b"content-length: "
EMPTY = b'"hits":[]'


@dataclass(frozen=True, slots=True)
class Request:
    """What is sent to 127.0.0.1 at a port."""

    port: int
    method: str
    path: str
    key: str
    body: dict[str, Any] | None = None

    def encode(self) -> bytes:
        """As it goes over the wire."""
        body = json.dumps(self.body).encode() if self.body is not None else b""
        head = (
            f"{self.method} {self.path} HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\n"
            f"Authorization: Bearer {self.key}\r\nContent-Type: application/json\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        return head.encode() + body


@dataclass(frozen=True, slots=True)
class Measured:
    """Milliseconds of each request in the order of the plan, and what went wrong.

    `first`: the body of the first answer, for who wants to look into it.
    """

    milliseconds: list[float]
    seconds: float
    failures: int
    empty: int
    first: str


def run(requests: Sequence[Request], clients: int, warm: int) -> Measured:
    """Send the requests from a process of its own; the first `warm` are not counted."""
    plan = {"clients": clients, "warm": warm, "requests": [asdict(request) for request in requests]}
    done = subprocess.run(
        [sys.executable, "-m", "speed.client"],
        input=json.dumps(plan).encode(),
        check=True,
        stdout=subprocess.PIPE,
    )
    return Measured(**json.loads(done.stdout))


class _Client:
    """One client: a connection to each port that it was sent to."""

    def __init__(self) -> None:
        self._connections: dict[int, tuple[asyncio.StreamReader, asyncio.StreamWriter]] = {}

    async def send(self, port: int, request: bytes) -> tuple[bytes, bytes]:
        """The head and the body of the answer."""
        if port not in self._connections:
            self._connections[port] = await asyncio.open_connection("127.0.0.1", port, limit=_LIMIT)
        reader, writer = self._connections[port]
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        at = head.lower().index(_LENGTH) + len(_LENGTH)
        return head, await reader.readexactly(int(head[at : head.index(b"\r", at)]))


@dataclass(slots=True)
class _Log:
    milliseconds: list[float]
    failures: int = 0
    empty: int = 0
    first: bytes = b""


async def _work(client: _Client, waiting: Iterator[tuple[int, tuple[int, bytes]]], log: _Log) -> None:
    for place, (port, request) in waiting:
        began = time.perf_counter()
        head, body = await client.send(port, request)
        log.milliseconds[place] = (time.perf_counter() - began) * 1_000
        log.failures += not head.startswith(b"HTTP/1.1 2")
        log.empty += EMPTY in body
        log.first = log.first or body


async def _all(clients: Sequence[_Client], requests: Sequence[tuple[int, bytes]]) -> tuple[_Log, float]:
    log = _Log([0.0] * len(requests))
    waiting = iter(enumerate(requests))
    began = time.perf_counter()
    await asyncio.gather(*(_work(client, waiting, log) for client in clients))
    return log, time.perf_counter() - began


async def _run(plan: dict[str, Any]) -> Measured:
    requests = [(each["port"], Request(**each).encode()) for each in plan["requests"]]
    clients = [_Client() for _ in range(plan["clients"])]
    await _all(clients, requests[: plan["warm"]])
    log, seconds = await _all(clients, requests[plan["warm"] :])
    return Measured(log.milliseconds, seconds, log.failures, log.empty, log.first.decode())


if __name__ == "__main__":
    print(json.dumps(asdict(asyncio.run(_run(json.load(sys.stdin))))))
