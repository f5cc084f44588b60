"""Servers on loopback that speak the wires of language models' vendors, to be met by the vendors' own SDKs.

A server gives its replies in their order, the last one again and again, or those that it thinks of; and keeps
what it was asked.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Reply:
    """What a server answers. `pause`: seconds before each chunk. `cut`: the connection breaks off in the end.

    `silent`: nothing ever comes.
    """

    status: int
    headers: dict[str, str]
    chunks: Sequence[bytes]
    pause: float = 0.0
    cut: bool = False
    silent: bool = False


@dataclass(frozen=True, slots=True)
class Asked:
    """What came to a server."""

    path: str
    headers: dict[str, str]
    body: Any


@dataclass(slots=True)
class Vendor:
    """A server, while it runs; `came` is released once for each request."""

    url: str
    replies: list[Reply]
    asked: list[Asked] = field(default_factory=list)
    came: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(0))
    think: Callable[[Asked], Reply] | None = None

    def _reply(self, asked: Asked) -> Reply:
        if self.think:
            return self.think(asked)
        return self.replies.pop(0) if len(self.replies) > 1 else self.replies[0]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while asked := await _read(reader):
                self.asked.append(asked)
                self.came.release()
                reply = self._reply(asked)
                if reply.silent:
                    await asyncio.Event().wait()
                await _write(writer, reply)
                if reply.cut:
                    break
        except (ConnectionError, asyncio.IncompleteReadError):
            pass  # the client gave up, which some tests are about
        finally:
            writer.close()


async def _read(reader: asyncio.StreamReader) -> Asked | None:
    head = await reader.readuntil(b"\r\n\r\n") if not reader.at_eof() else b""
    if not head:
        return None
    first, *lines = head.decode().split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    body = await reader.readexactly(int(headers.get("content-length", 0)))
    return Asked(first.split()[1], headers, json.loads(body))


async def _write(writer: asyncio.StreamWriter, reply: Reply) -> None:
    headers = {"Transfer-Encoding": "chunked", **reply.headers}
    lines = [f"HTTP/1.1 {reply.status} .", *(f"{name}: {value}" for name, value in headers.items())]
    writer.write("\r\n".join([*lines, "", ""]).encode())
    for chunk in reply.chunks:
        await asyncio.sleep(reply.pause)
        writer.write(b"%x\r\n%s\r\n" % (len(chunk), chunk))
        await writer.drain()
    if not reply.cut:
        writer.write(b"0\r\n\r\n")
    await writer.drain()


@asynccontextmanager
async def running(*replies: Reply, think: Callable[[Asked], Reply] | None = None) -> AsyncIterator[Vendor]:
    """A vendor's server that answers so."""
    vendor = Vendor("", list(replies), think=think)
    served: set[asyncio.Task[None]] = set()

    def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        served.add(asyncio.create_task(vendor._serve(reader, writer)))

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    vendor.url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    try:
        yield vendor
    finally:
        server.close()
        for task in served:
            task.cancel()
        await asyncio.gather(*served, return_exceptions=True)


def refused(status: int, message: str = "no", **headers: str) -> Reply:
    """An error, in the words of both vendors."""
    error = {
        "type": "error",
        "error": {"type": "some_error", "message": message, "param": None, "code": None},
    }
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply(status, {"Content-Type": "application/json", **named}, [json.dumps(error).encode()])


SILENT = Reply(200, {}, [], silent=True)
_STREAM = {"Content-Type": "text/event-stream"}


def _event(name: str | None, data: Any) -> bytes:
    return (f"event: {name}\n" if name else "").encode() + f"data: {json.dumps(data)}\n\n".encode()


def anthropic(
    text: str, stop: str = "end_turn", *, used: tuple[int, int] = (50, 7), keep: int | None = None, **how: Any
) -> Reply:
    """A streamed message. `keep`: only so many of its events come."""
    message: dict[str, Any] = {
        "id": "msg_1",
        "type": "message",
        "role": "assistant",
        "model": "toy",
        "content": [],
        "stop_reason": None,
        "stop_sequence": None,
        "usage": {"input_tokens": used[0], "output_tokens": 1},
    }
    block = {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}
    pieces = [text[at : at + 40] for at in range(0, len(text), 40)]
    deltas = [
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": piece}}
        for piece in pieces
    ]
    end = {
        "type": "message_delta",
        "delta": {"stop_reason": stop, "stop_sequence": None},
        "usage": {"output_tokens": used[1]},
    }
    events: list[dict[str, Any]] = [{"type": "message_start", "message": message}, block, *deltas]
    events += [{"type": "content_block_stop", "index": 0}, end, {"type": "message_stop"}]
    return Reply(200, _STREAM, [_event(one["type"], one) for one in events][:keep], **how)


def openai(
    text: str,
    stop: str = "stop",
    *,
    used: tuple[int, int] | None = (50, 7),
    refusal: str | None = None,
    keep: int | None = None,
    **how: Any,
) -> Reply:
    """A streamed chat completion. `keep`: only so many of its chunks come. `used` None: it is not told."""

    def chunk(delta: dict[str, Any], finish: str | None = None) -> dict[str, Any]:
        choice = {"index": 0, "delta": delta, "finish_reason": finish}
        common = {"id": "c-1", "object": "chat.completion.chunk", "created": 1, "model": "toy"}
        return {**common, "choices": [choice], "usage": None}

    pieces = [text[at : at + 40] for at in range(0, len(text), 40)]
    chunks = [chunk({"role": "assistant", "content": ""}), *(chunk({"content": piece}) for piece in pieces)]
    if refusal:
        chunks.append(chunk({"refusal": refusal}))
    chunks.append(chunk({}, stop))
    if used:
        usage = {"prompt_tokens": used[0], "completion_tokens": used[1], "total_tokens": sum(used)}
        chunks.append({**chunk({}), "choices": [], "usage": usage})
    events = [*(_event(None, one) for one in chunks), b"data: [DONE]\n\n"]
    return Reply(200, _STREAM, events[:keep], **how)
