"""`recollect serve`: one process that answers HTTP, and stops what it started."""

from __future__ import annotations

import asyncio
import errno
import gc
import logging
import os
import signal
import socket
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import asynccontextmanager, contextmanager, nullcontext
from dataclasses import dataclass
from typing import Any

import click
import uvicorn

from recollect.cli.api import is_recollect
from recollect.cli.command import command, with_settings
from recollect.cli.console import Console
from recollect.cli.opening import told
from recollect.core.errors import Misconfigured
from recollect.settings import Settings, unknown_variables
from recollect.wiring import Recollect, build_app, trusted_tokens

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
    """Recollect over HTTP while the block runs. What cannot be served is refused before any work is done.

    Raises:
        Misconfigured: the port is taken or not ours to have, the settings of JWTs contradict each other, or
            what `Recollect.open` says.
        StorageUnavailable: the database does not answer.
    """
    trusted_tokens(settings)
    with _claim(settings.host, settings.port) as listener:
        async with Recollect.open(settings=settings, progress=progress) as memory:
            server = _Server(memory)
            ended = asyncio.create_task(server.serve([listener]))
            try:
                await server.wait_until_listening(ended)
                async with memory.working() if settings.worker else nullcontext():
                    # What the start has made stays: to look through it again and again holds requests up.
                    gc.collect()
                    gc.freeze()
                    yield Serving(_url(*listener.getsockname()[:2]), memory, ended)
            finally:
                server.should_exit = True
                await asyncio.wait([ended])


class _Server(uvicorn.Server):
    """uvicorn's server; the signals stay ours, since there is more than it to stop."""

    def __init__(self, memory: Recollect) -> None:
        config = uvicorn.Config(
            build_app(memory),
            host=memory.settings.host,
            port=memory.settings.port,
            # httptools, which uvicorn prefers, saves 0.1 ms a request and takes headers without end.
            http="h11",
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
            try:
                ended.result()
            except OSError as error:
                raise _refused(self.config.host, self.config.port, error) from error


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
    is_ours = error.errno == errno.EADDRINUSE and is_recollect(_url(host, port))
    why = "a Recollect serves there already" if is_ours else (error.strerror or str(error)).lower()
    other = port + 1 if port < 65535 else 8100
    return Misconfigured(
        f"Cannot listen on {host}, port {port}: {why}.",
        hint=f"Stop what listens there, or choose another port: --port {other}, or for make "
        f"`RECOLLECT_PORT={other} make run`. 0 takes any that is free.",
    )


def _url(host: str, port: int) -> str:
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


def quieten() -> None:
    """Leave it to us to tell, once, of the database and of jobs: the libraries would with every attempt."""
    logging.getLogger("psycopg.pool").setLevel(logging.ERROR)
    logging.getLogger("procrastinate").setLevel(logging.CRITICAL)


@command
@with_settings("host", "port", "home", "database_url", "owner_database_url", "pool_size", "model")
async def serve(console: Console, settings: Settings) -> None:
    """Serve HTTP until it is interrupted.

    Without a database URL, the embedded PostgreSQL is started, and stopped at the end unless another process
    uses it. With the owner's URL, the schema is brought up to date first.
    """
    for warning in unknown_variables():
        console.note(f"warning: {warning}")
    quieten()
    await until_stopped(_serve(console, settings))


async def _serve(console: Console, settings: Settings) -> None:
    async with told(lambda progress: serving(settings, progress)) as server:
        console.show({"url": server.url}, f"Recollect listens on {server.url}")
        await server.until_ended()
