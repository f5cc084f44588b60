"""`recollect serve`: one process that answers HTTP, and stops what it started."""

from __future__ import annotations

import asyncio
import os
import signal
import socket
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from typing import Any

import click
import uvicorn

from recollect.cli.command import command, with_settings
from recollect.cli.console import Console
from recollect.cli.opening import told
from recollect.core.errors import Misconfigured
from recollect.settings import Settings
from recollect.wiring import Recollect, build_app

_GRACE = 10
"""Seconds that requests under way have to end when the server is stopped."""
_SIGNALS = (signal.SIGINT, signal.SIGTERM)


@dataclass(frozen=True, slots=True)
class Serving:
    """A server that answers at `url`."""

    url: str
    memory: Recollect
    ended: asyncio.Task[None]

    async def until_ended(self) -> None:
        """Wait until the server has stopped; a cancelled wait leaves it running."""
        await asyncio.wait([self.ended])
        self.ended.result()


@asynccontextmanager
async def serving(settings: Settings, progress: Callable[[str], None]) -> AsyncIterator[Serving]:
    """Recollect over HTTP while the block runs. A port that is taken is refused before any work is done.

    Raises:
        Misconfigured: the port is taken or not ours to have, or what `Recollect.open` says.
        StorageUnavailable: the database does not answer.
    """
    with _claim(settings.host, settings.port) as listener:
        url = _url(listener)
        async with Recollect.open(settings=settings, progress=progress) as memory:
            server = _Server(memory)
            ended = asyncio.create_task(server.serve([listener]))
            try:
                await server.wait_until_listening(ended)
                yield Serving(url, memory, ended)
            except OSError as error:
                raise _refused(settings.host, settings.port, error) from error
            finally:
                server.should_exit = True
                await asyncio.wait([ended])


class _Server(uvicorn.Server):
    """uvicorn's server; the signals stay ours, since there is more than it to stop."""

    def __init__(self, memory: Recollect) -> None:
        config = uvicorn.Config(
            build_app(memory),
            log_level="warning",
            access_log=False,
            server_header=False,
            timeout_graceful_shutdown=_GRACE,
        )
        super().__init__(config)
        self._listening = asyncio.Event()

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._listening.set()

    async def wait_until_listening(self, ended: asyncio.Task[None]) -> None:
        """Return when it answers; raise what kept it from it."""
        listening = asyncio.create_task(self._listening.wait())
        await asyncio.wait([ended, listening], return_when=asyncio.FIRST_COMPLETED)
        if not self._listening.is_set():
            listening.cancel()
            ended.result()


@contextmanager
def _claim(host: str, port: int) -> Iterator[socket.socket]:
    """The port, ours from now on; nobody is answered yet."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except OSError as error:
        raise _refused(host, port, error) from error
    with socket.socket(family, kind, protocol) as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind(address)
        except OSError as error:
            raise _refused(host, port, error) from error
        yield listener


def _refused(host: str, port: int, error: OSError) -> Misconfigured:
    return Misconfigured(
        f"Cannot listen on {host}, port {port}: {(error.strerror or str(error)).lower()}.",
        hint="Stop what listens there, or choose another with --port (0 takes any that is free).",
    )


def _url(listener: socket.socket) -> str:
    host, port = listener.getsockname()[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


async def until_stopped(work: Coroutine[Any, Any, None]) -> None:
    """Do the work until it ends or SIGINT or SIGTERM cancels it; it then stops what it started.

    A second signal ends the process at once, as a kill would: the next start repairs what that leaves.
    """
    task = asyncio.ensure_future(work)
    loop = asyncio.get_running_loop()
    signals: list[int] = []

    def stop(number: int) -> None:
        signals.append(number)
        if len(signals) > 1:
            os._exit(128 + number)
        click.echo("\nStopping; once more to force it.", err=True)
        task.cancel()

    for number in _SIGNALS:
        loop.add_signal_handler(number, stop, number)
    try:
        await task
    except asyncio.CancelledError:
        if not signals:
            raise
    finally:
        for number in _SIGNALS:
            loop.remove_signal_handler(number)


@command
@with_settings("host", "port", "home", "database_url", "owner_database_url", "pool_size", "model")
async def serve(console: Console, settings: Settings) -> None:
    """Serve HTTP until it is interrupted.

    Without a database URL, the embedded PostgreSQL is started, and stopped at the end unless another process
    uses it. With the owner's URL, the schema is brought up to date first.
    """
    await until_stopped(_serve(console, settings))


async def _serve(console: Console, settings: Settings) -> None:
    async with told(lambda progress: serving(settings, progress)) as server:
        console.show({"url": server.url}, f"Recollect listens on {server.url}")
        await server.until_ended()
