"""Opens what a command works with, and tells the steps that take long."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, ExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import TypeVar

from recollect.cli.console import Steps
from recollect.core.tenants import Tenants
from recollect.settings import Settings
from recollect.storage.pool import PostgresStorage
from recollect.wiring import Database, Recollect, SystemClock, open_database

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Desk:
    """What an operator works with where no memory is read: no embedding model is opened."""

    database: Database
    storage: PostgresStorage
    tenants: Tenants


@asynccontextmanager
async def told(
    open_: Callable[[Callable[[str], None]], AbstractAsyncContextManager[T]],
) -> AsyncIterator[T]:
    """Open something, telling what is being done until it is open."""
    with ExitStack() as opening:
        progress = opening.enter_context(Steps())
        async with open_(progress) as opened:
            opening.close()
            yield opened


def open_memory(settings: Settings) -> AbstractAsyncContextManager[Recollect]:
    """The whole of it. Unlike a server's start, a command never changes the schema of a database of yours."""
    return told(lambda progress: Recollect.open(settings=unowned(settings), progress=progress))


def open_desk(settings: Settings) -> AbstractAsyncContextManager[Desk]:
    """The operator's desk. Raises as `Recollect.open` does."""
    return told(lambda progress: _desk(unowned(settings), progress))


@asynccontextmanager
async def _desk(settings: Settings, progress: Callable[[str], None]) -> AsyncIterator[Desk]:
    async with (
        open_database(settings, progress) as database,
        await PostgresStorage.open(database.url, size=1) as storage,
    ):
        yield Desk(database, storage, Tenants(storage, SystemClock()))


def unowned(settings: Settings) -> Settings:
    """The settings without the owner's URL: with it, opening the database would migrate it."""
    return settings.model_copy(update={"owner_database_url": None})
