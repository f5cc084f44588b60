"""Where a recall's time goes: the real functions timed in process, and beside them the floors.

The functions are wrapped for the time of the measurement, by name; one that is not there (any more) is told
and left out, and its time counts for whoever calls it. A stage's time is its own, without that of the stages
inside it.
"""

from __future__ import annotations

import functools
import importlib
import inspect
import json
import statistics
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Iterator, MutableMapping, Sequence
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar
from unittest.mock import patch

import psycopg
from pgvector import HalfVector
from pgvector.psycopg import register_vector_async
from psycopg import sql

from recollect.core.model import tenant_id_of
from recollect.settings import load_settings
from recollect.wiring import Recollect, build_app
from speed.cells import Asker
from speed.client import Request
from speed.people import SIZES, Person, tenant_name

T = TypeVar("T")
WARM = 30

POSTGRES = "PostgreSQL"
WHOLE = "the rest: routing, layers, validation"
TOGETHER = "together"
AUTHENTICATION = "authentication"
PARSING = "parsing and checking the request"
CONNECTION = "a connection, BEGIN"
STAGES = (
    (AUTHENTICATION, "recollect.core.credentials", "Credentials.authenticate"),
    (PARSING, "recollect.interfaces.http.shortcut", "json.loads"),
    (
        PARSING,
        "recollect.interfaces.http.requests",
        "RecallRequest.model_validate",
    ),
    ("the participants' names", "recollect.core.reading", "Reader._names"),
    ("understanding the question", "recollect.core.reading", "_understand"),
    ("embedding the question", "recollect.core.embeddings", "Embeddings.aim"),
    (CONNECTION, "recollect.storage.pool", "PostgresStorage._send"),
    ("gathering and decoding", "recollect.storage.transaction", "Transaction.gather"),
    ("features and ranking", "recollect.core.reading", "_rank"),
    ("how sure it is", "recollect.core.reading", "confidence"),
    ("reading the hits", "recollect.storage.transaction", "Transaction.memories"),
    ("why, in words", "recollect.core.reading", "_hit"),
    ("serialising", "recollect.interfaces.http.answers", "Recalled.sent"),
    (POSTGRES, "psycopg", "AsyncConnection.wait"),
)


@dataclass(slots=True)
class _Frame:
    """A stage that is running; `inner` is the time of the stages inside it."""

    stage: str
    inner: float = 0.0


@dataclass(slots=True)
class Stopwatch:
    """Seconds by stage, of one request at a time."""

    seconds: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    missing: list[str] = field(default_factory=list)
    _current: ContextVar[_Frame | None] = field(default_factory=lambda: ContextVar("stage", default=None))

    @contextmanager
    def stage(self, name: str) -> Iterator[None]:
        """Time a stage; what PostgreSQL takes is told by the stage that asked it."""
        outer = self._current.get()
        if _is_part(name, outer):
            yield
            return
        frame = _Frame(_asked_by(outer.stage) if name == POSTGRES and outer else name)
        token = self._current.set(frame)
        began = time.perf_counter()
        try:
            yield
        finally:
            took = time.perf_counter() - began
            self._current.reset(token)
            self.seconds[frame.stage] += took - frame.inner
            if outer:
                outer.inner += took

    @contextmanager
    def wrapped(self) -> Iterator[None]:
        """The stages' functions timed, until the block ends."""
        with ExitStack() as stack:
            for stage, module, path in STAGES:
                try:
                    owner, name, found = _find(module, path)
                except (AttributeError, ImportError):
                    self.missing.append(f"{module}.{path}")
                else:
                    timed = self._timed(stage, getattr(owner, name))
                    # What a class method is bound to is bound already.
                    free = isinstance(found, (classmethod, staticmethod))
                    static = staticmethod(timed) if free else timed
                    stack.enter_context(patch.object(owner, name, static))
            yield

    def _timed(self, stage: str, original: Callable[..., Any]) -> Callable[..., Any]:
        if inspect.iscoroutinefunction(original):

            async def waited(*given: Any, **named: Any) -> Any:
                with self.stage(stage):
                    return await original(*given, **named)

            return waited

        def called(*given: Any, **named: Any) -> Any:
            with self.stage(stage):
                return original(*given, **named)

        return called


def _find(module: str, path: str) -> tuple[Any, str, Any]:
    """Who owns a function, its name there, and it as it stands there."""
    *owners, name = path.split(".")
    owner = functools.reduce(getattr, owners, importlib.import_module(module))
    return owner, name, inspect.getattr_static(owner, name)


def _is_part(stage: str, outer: _Frame | None) -> bool:
    """Whether a stage is told by the one around it, or, without one, is no part of a request."""
    if outer is None:
        return stage == POSTGRES
    # The key's statement is sent together with BEGIN.
    return outer.stage.startswith(POSTGRES) or (outer.stage, stage) == (AUTHENTICATION, CONNECTION)


def _asked_by(stage: str) -> str:
    """Whom PostgreSQL works for; transactions are ended where no stage is running."""
    return f"{POSTGRES}: {'ends of transactions' if stage == WHOLE else stage}"


def _scope(request: Request, body: bytes) -> dict[str, Any]:
    headers = [
        (b"host", b"bench"),
        (b"authorization", f"Bearer {request.key}".encode()),
        (b"content-type", b"application/json"),
        (b"content-length", str(len(body)).encode()),
    ]
    return {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": request.method,
        "scheme": "http",
        "path": request.path,
        "raw_path": request.path.encode(),
        "query_string": b"",
        "root_path": "",
        "headers": headers,
        "client": ("127.0.0.1", 1),
        "server": ("127.0.0.1", 80),
        "state": {},
    }


async def _send(app: Any, request: Request) -> None:
    body = json.dumps(request.body).encode()
    statuses: list[int] = []

    async def receive() -> MutableMapping[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: MutableMapping[str, Any]) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    await app(_scope(request, body), receive, send)
    assert statuses == [200], statuses


async def time_stages(
    memory: Recollect, requests: Sequence[Request], *, warm: int
) -> tuple[dict[str, float], list[str]]:
    """Milliseconds by stage, the median over the requests after the first `warm`; and stages not found."""
    app = build_app(memory)
    for request in requests[:warm]:
        await _send(app, request)
    watch, each = Stopwatch(), []
    with watch.wrapped():
        for request in requests[warm:]:
            watch.seconds.clear()
            with watch.stage(WHOLE):
                await _send(app, request)
            each.append(dict(watch.seconds))
    stages = {stage for one in each for stage in one}
    medians = {stage: _median_ms([one.get(stage, 0.0) for one in each]) for stage in stages}
    return medians | {TOGETHER: _median_ms([sum(one.values()) for one in each])}, watch.missing


def _median_ms(seconds: Sequence[float]) -> float:
    return statistics.median(seconds) * 1_000


async def time_floors(
    memory: Recollect, people: Sequence[Person], queries: Sequence[str]
) -> dict[str, float]:
    """Medians in ms of what no recall can be faster than, over one person and one question each."""
    # A word more, since the vectors of the questions themselves are kept.
    fresh = [f"{query} Please." for query in queries]
    floors = {"the embedding alone": await _time(fresh, lambda query: memory.embeddings.embed([query]))}
    _, vectors = await memory.embeddings.embed(queries)
    async with await psycopg.AsyncConnection.connect(
        memory.database.url, autocommit=True, prepare_threshold=0
    ) as connection:
        await register_vector_async(connection)
        await connection.execute("SET plan_cache_mode = force_generic_plan")
        floors["SELECT 1, there and back"] = await _time(queries, lambda _: connection.execute("SELECT 1"))
        scans = [
            await _scan(connection, person, HalfVector(vector))
            for person, vector in zip(people, vectors, strict=False)
        ]
        floors["exact scan of the person's vectors, under RLS"] = statistics.median(scans)
    return floors


async def _time(given: Sequence[T], work: Callable[[T], Awaitable[object]]) -> float:
    """The median in ms of the work over what is given."""
    taken = []
    for each in given:
        began = time.perf_counter()
        await work(each)
        taken.append(time.perf_counter() - began)
    return _median_ms(taken)


_NEAREST = """
SELECT id FROM memories
WHERE tenant_id = %(tenant)s AND whose = ANY (%(whose)s::text[])
ORDER BY embedding <=> %(vector)s::halfvec LIMIT 10
"""


async def _scan(connection: psycopg.AsyncConnection[Any], person: Person, vector: HalfVector) -> float:
    """Milliseconds of the ten nearest of a person's memories, nothing else."""
    tenant = tenant_id_of(tenant_name(person.tenant))
    fence = sql.SQL("BEGIN; SET LOCAL app.tenant = {}; SET LOCAL app.role = '3'").format(str(tenant))
    await connection.execute(fence, prepare=False)
    values = {"tenant": tenant, "whose": [person.user_id, ""], "vector": vector}
    await connection.execute(_NEAREST, values, binary=True)
    began = time.perf_counter()
    cursor = await connection.execute(_NEAREST, values, binary=True)
    await cursor.fetchall()
    took = (time.perf_counter() - began) * 1_000
    await connection.execute("COMMIT")
    return took


async def stages_of(home: Path, asker: Asker, people: Sequence[Person], count: int) -> dict[str, Any]:
    """The stage table and the floors, by size of user; and stages that were not found."""
    found: dict[str, Any] = {"stages": {}, "floors": {}, "missing": []}
    async with Recollect.open(settings=load_settings(home=home)) as memory:
        for size in SIZES:
            requests = asker.requests("recall", size, count + WARM)
            found["stages"][size], found["missing"] = await time_stages(memory, requests, warm=WARM)
            some = [person for person in people if person.size == size][:count]
            queries = [str((request.body or {})["query"]) for request in requests[: len(some)]]
            found["floors"][size] = await time_floors(memory, some, queries)
    return found
