"""Builds everything from the settings: the one place that knows all the rooms."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from importlib.metadata import entry_points, version
from types import TracebackType
from typing import TYPE_CHECKING, Self

from recollect.adapters.embeddings import DEFAULT_MODEL, open_embedder
from recollect.adapters.language import open_language_model
from recollect.core.consolidate.consolidation import Consolidator, by_rules
from recollect.core.consolidate.language import LanguageReader
from recollect.core.credentials import Credentials
from recollect.core.embeddings import Embeddings
from recollect.core.errors import Misconfigured
from recollect.core.handles import TenantMemory
from recollect.core.language import Language, Prices
from recollect.core.pack import FAULTS, GROUP, Pack
from recollect.core.packs import Packs
from recollect.core.ports import Clock, Embedder, Jobs, Storage, Tokens
from recollect.core.readiness import Readiness
from recollect.core.replying import Replies
from recollect.core.service import Service
from recollect.core.tenants import Tenants
from recollect.core.webhooks import Webhooks
from recollect.core.writing import DEBOUNCE
from recollect.interfaces.worker import Worker
from recollect.settings import Settings, load_settings
from recollect.storage import embedded
from recollect.storage.migrate import migrate, prepare
from recollect.storage.pool import PostgresStorage

if TYPE_CHECKING:
    from fastapi import FastAPI

log = logging.getLogger(__name__)
Progress = Callable[[str], None]
PAID_DEBOUNCE = 60.0
"""With a language model, what is said in so many seconds is read in one call."""

USES_SECONDS = 30.0
"""How soon it is written down that a memory was recalled."""

MODEL_SECONDS = 5.0
"""How soon a change of the embedding model by another process is noticed."""


class SystemClock:
    """The machine's time."""

    def now(self) -> datetime:
        """The time, aware, in UTC."""
        return datetime.now(UTC)


@dataclass(frozen=True, slots=True)
class Database:
    """Where the database is reached: `url` as the application, `owner_url` as its owner, if we know how."""

    url: str
    owner_url: str | None
    server: embedded.Server | None = None

    async def revive(self) -> None:
        """Start the server again, if it is ours."""
        if self.server:
            await asyncio.to_thread(self.server.revive)


@asynccontextmanager
async def open_database(settings: Settings, progress: Progress = lambda _: None) -> AsyncIterator[Database]:
    """The database of the settings, running, and migrated where we may; ours stops with its last user."""
    if settings.database_url:
        owner = settings.owner_database_url.get_secret_value() if settings.owner_database_url else None
        if owner:
            await migrate(owner)
        yield Database(settings.database_url.get_secret_value(), owner)
        return
    starting = asyncio.ensure_future(asyncio.to_thread(embedded.start, settings.home, progress=progress))
    try:
        server = await asyncio.shield(starting)
        database = Database(server.url("recollect_server"), server.url("recollect_owner"), server)
        await prepare(server.url("postgres", "postgres"), server.url("recollect_owner"))
        await migrate(server.url("recollect_owner"))
        yield database
    finally:
        # A start that was interrupted goes on in its thread; without waiting, its server would stay behind.
        (started,) = await asyncio.gather(starting, return_exceptions=True)
        if isinstance(started, embedded.Server):
            await asyncio.to_thread(started.release)


class Recollect:
    """Recollect as a library.

    >>> async def example():
    ...     async with Recollect.open() as memory:
    ...         shopper = memory.tenant("loft").user("customer-17")
    ...         await shopper.remember("I love modern furniture.", session="s1")
    ...         return await shopper.recall("what style of furniture?")
    """

    service: Service
    tenants: Tenants
    storage: PostgresStorage
    embeddings: Embeddings
    database: Database
    language: Language
    consolidator: Consolidator
    replies: Replies

    def __init__(self, settings: Settings, progress: Progress) -> None:
        self.settings = settings
        self._progress = progress
        self._stack = AsyncExitStack()

    @classmethod
    def open(
        cls,
        url: str | None = None,
        *,
        settings: Settings | None = None,
        progress: Progress = lambda _: None,
    ) -> Self:
        """To be entered by `async with`: the embedded database, or the one at the URL.

        Raises on entering:
            Misconfigured: something must be set up first; the message and its hint say what.
            StorageUnavailable: the database does not answer.
        """
        return cls(settings or load_settings(database_url=url), progress)

    async def __aenter__(self) -> Self:
        async with AsyncExitStack() as stack:
            clock = SystemClock()
            opener = await stack.enter_async_context(_Opener(self.settings, self._progress))
            self.database = await stack.enter_async_context(open_database(self.settings, self._progress))
            self.storage = await stack.enter_async_context(
                await PostgresStorage.open(
                    self.database.url, size=self.settings.pool_size, revive=self.database.revive
                )
            )
            self.embeddings = Embeddings(self.storage, opener.open)
            stack.push_async_callback(self.embeddings.aclose)
            await self.embeddings.start(self.settings.model, DEFAULT_MODEL)
            following = asyncio.create_task(self.embeddings.follow(MODEL_SECONDS))
            stack.push_async_callback(_cancel, following)
            self.language = open_language(self.settings, self.storage, clock)
            stack.push_async_callback(self.language.aclose)
            reader = LanguageReader(self.language, by_rules)
            packs = Packs(self.storage, installed_packs())
            self.consolidator = Consolidator(self.storage, self.embeddings, reader.read, packs.vocabulary)
            self.service = Service(
                self.storage,
                self.embeddings,
                clock,
                debounce=_debounce(self.settings),
                consolidator=self.consolidator,
                packs=packs,
            )
            self.replies = Replies(self.language)
            stack.push_async_callback(self.service.uses.flush)
            noting = asyncio.create_task(self.service.uses.follow(USES_SECONDS))
            stack.push_async_callback(_cancel, noting)
            self.tenants = Tenants(self.storage, clock)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._stack.aclose()

    def tenant(self, name: str) -> TenantMemory:
        """A business's memory."""
        return TenantMemory(self.service, self.storage, name)

    async def consolidate(self) -> None:
        """Understand all that waits for it, of every tenant; what failed waits for its next try."""
        await self.storage.hurry()
        await self._jobs().drain(self._worker(), concurrency=self.settings.worker_concurrency)

    async def work(self, concurrency: int | None = None) -> None:
        """Understand what is said, so many sessions at once, until cancelled."""
        await self._jobs().work(self._worker(), concurrency=concurrency or self.settings.worker_concurrency)

    @asynccontextmanager
    async def working(self, concurrency: int | None = None) -> AsyncIterator[None]:
        """Do so in the background while the block runs."""
        task = asyncio.create_task(self.work(concurrency))
        task.add_done_callback(_tell_end)
        try:
            yield
        finally:
            await _cancel(task)

    def _jobs(self) -> Jobs:
        # Imported here: who neither serves nor works does not load the queue's library.
        from recollect.adapters.jobs.queue import PostgresJobs  # noqa: PLC0415 - see above

        return PostgresJobs(self.database.url)

    def _worker(self) -> Worker:
        return Worker(self.storage, self.consolidator, keep_days=self.settings.idempotency_days)


def _tell_end(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()):
        log.error("The worker has stopped; nothing that is said is understood.", exc_info=error)


async def _cancel(task: asyncio.Task[None]) -> None:
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


class _Opener:
    """Opens embedders; the one that is most likely wanted already while the database starts."""

    def __init__(self, settings: Settings, progress: Progress) -> None:
        self._settings = settings
        self._progress = progress
        self._likely = settings.model or DEFAULT_MODEL
        self._early: asyncio.Task[Embedder] | None = None

    async def __aenter__(self) -> Self:
        self._early = asyncio.create_task(self._open(self._likely))
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._early:
            (opened,) = await asyncio.gather(self._early, return_exceptions=True)
            if not isinstance(opened, BaseException):
                await opened.aclose()

    async def open(self, model: str) -> Embedder:
        """The embedder of a model; whoever gets it closes it."""
        early, self._early = self._early, None
        if early is None:
            return await self._open(model)
        embedder = await early
        if model in (self._likely, embedder.model):
            return embedder
        await embedder.aclose()
        return await self._open(model)

    async def _open(self, model: str) -> Embedder:
        return await _open_model(model, self._settings, self._progress)


async def _open_model(model: str, settings: Settings, progress: Progress) -> Embedder:
    return await open_embedder(
        model, settings.home / "models", threads=settings.model_threads, progress=progress
    )


@asynccontextmanager
async def closing_embedder(model: str, settings: Settings, progress: Progress) -> AsyncIterator[Embedder]:
    """The embedder of a model, for as long as the block runs."""
    embedder = await _open_model(model, settings, progress)
    try:
        yield embedder
    finally:
        await embedder.aclose()


@cache
def installed_packs() -> Mapping[str, Pack]:
    """The packs of this installation, ours and others', by name.

    Raises:
        Misconfigured: one of them cannot be had, or two have one name; which, and what to do.
    """
    found: dict[str, Pack] = {}
    for point in sorted(entry_points(group=GROUP), key=lambda one: (one.name, one.value)):
        hint = f"Correct or uninstall {point.dist.name if point.dist else point.value}, which brings it."
        try:
            pack = point.load()
        except FAULTS as error:
            raise Misconfigured(f"The pack {point.name} cannot be imported: {error}.", hint=hint) from error
        if not isinstance(pack, Pack) or pack.name != point.name:
            raise Misconfigured(f"{point.value} is not the pack {point.name}.", hint=hint)
        if pack.name in found:
            raise Misconfigured(f"There are two packs {pack.name}.", hint=hint)
        found[pack.name] = pack
    Packs.check(found)
    return found


def open_webhooks(settings: Settings, storage: Storage) -> Webhooks:
    """The webhooks of the settings."""
    secret = settings.webhook_secret.get_secret_value() if settings.webhook_secret else None
    return Webhooks(storage, SystemClock(), secret)


def _debounce(settings: Settings) -> float:
    if settings.debounce_seconds is not None:
        return settings.debounce_seconds
    return DEBOUNCE if settings.language_model is None else PAID_DEBOUNCE


def open_language(settings: Settings, storage: Storage, clock: Clock) -> Language:
    """The language model of the settings, for tenants with budgets; close it with `aclose()`.

    Raises:
        Misconfigured: a model is set without its prices, its key, or its vendor's package.
    """
    monthly = settings.language_budget
    if settings.language_model is None:
        return Language(storage, clock, monthly=monthly)
    paid, got = settings.language_input_price, settings.language_output_price
    if paid is None or got is None:
        raise Misconfigured(
            "A language model is set, and not what it costs.",
            hint="Set RECOLLECT_LANGUAGE_INPUT_PRICE and RECOLLECT_LANGUAGE_OUTPUT_PRICE to the US dollars "
            "of a million tokens, or to 0 for a server of your own: budgets are kept by them.",
        )
    model = open_language_model(
        settings.language_provider,
        settings.language_model,
        key=settings.language_api_key.get_secret_value() if settings.language_api_key else None,
        base_url=settings.language_base_url,
        seconds=settings.language_seconds,
    )
    return Language(storage, clock, model, Prices(paid, got), monthly)


def build_app(memory: Recollect) -> FastAPI:
    """The HTTP door of an opened memory, which stays its caller's to close.

    Raises:
        Misconfigured: the settings of JWTs contradict each other, or would not keep anybody out.
    """
    # Imported here: who uses the library only does not load a web framework.
    from recollect.interfaces.http.app import Bounds, make_app  # noqa: PLC0415 - see above
    from recollect.interfaces.http.calls import Server  # noqa: PLC0415 - see above

    settings = memory.settings
    server = Server(
        memory.service,
        Credentials(memory.tenants, memory.storage, trusted_tokens(settings)),
        Readiness(memory.storage, memory.embeddings),
        memory.embeddings,
        memory.language,
        version("recollect"),
        open_webhooks(settings, memory.storage),
    )
    return make_app(server, Bounds(settings.max_body_bytes, settings.max_requests, settings.request_seconds))


def trusted_tokens(settings: Settings) -> Tokens | None:
    """The reader of the JWTs that the settings trust; None if they trust none.

    Raises:
        Misconfigured: they contradict each other, or would not keep anybody out.
    """
    from recollect.adapters.tokens.jwt import Trust, open_tokens  # noqa: PLC0415 - see build_app

    secret = settings.jwt_secret.get_secret_value() if settings.jwt_secret else None
    return open_tokens(
        Trust(
            secret=secret,
            public_key=settings.jwt_public_key,
            jwks_url=settings.jwt_jwks_url,
            algorithms=settings.jwt_algorithms,
            audience=settings.jwt_audience,
            issuer=settings.jwt_issuer,
            leeway=settings.jwt_leeway_seconds,
            tenant_claim=settings.jwt_tenant_claim,
        )
    )
