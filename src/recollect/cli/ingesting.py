"""`recollect ingest`: conversations out of files."""

from __future__ import annotations

import hashlib
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeAlias

import click

from recollect.cli.api import Api
from recollect.cli.command import command, with_settings
from recollect.cli.console import Console, counted
from recollect.cli.opening import open_memory
from recollect.cli.usage import without_user
from recollect.core.errors import IdempotencyMismatch, Invalid, RecollectError
from recollect.core.model import Turns
from recollect.core.transcripts import read_transcripts
from recollect.core.writing import LARGEST_BATCH
from recollect.settings import Settings

Keep: TypeAlias = Callable[[Turns, str], Awaitable[bool]]
"""Keeps turns under an idempotency key; False if it had done so before."""


@dataclass(frozen=True, slots=True)
class Part:
    """Turns that are kept together or not at all, and the key under which a second run knows them again."""

    file: str
    key: str
    turns: Turns


def read_parts(path: Path, user_id: str | None) -> list[Part]:
    """All that is in a file, each session in as few parts as the largest batch allows.

    A key is made of the file's name and the part's place in it: what the file gains later is new.
    `user_id` is the person of the sessions that name none.

    Raises:
        Invalid: the file cannot be read; names the line.
    """
    try:
        text = path.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Invalid(f"{path}: this is not UTF-8, at byte {error.start}.") from None
    except OSError as error:
        raise Invalid(f"{path} cannot be read: {error.strerror}.") from None
    sessions = read_transcripts(text, str(path))
    return [part for session in sessions for part in _split(path, session, user_id)]


def _split(path: Path, session: Turns, user_id: str | None) -> Iterator[Part]:
    for start in range(0, len(session.messages), LARGEST_BATCH):
        place = "\n".join((path.name, session.session_id, str(start)))
        yield Part(
            file=str(path),
            key=f"ingest:{hashlib.sha256(place.encode('utf-8', 'surrogatepass')).hexdigest()}",
            turns=replace(
                session,
                messages=session.messages[start : start + LARGEST_BATCH],
                user_id=session.user_id or user_id,
            ),
        )


@command
@click.argument("files", nargs=-1, required=True, type=click.Path(dir_okay=False, path_type=Path))
@click.option("--tenant", help="Whose memory it becomes. Over HTTP, the key says it.")
@click.option("--user", metavar="ID", help="The person of the sessions that name none.")
@click.option("--shared", is_flag=True, help="Those are of no person: everybody of the tenant can read them.")
@click.option("--url", help="Load over HTTP into the server at this URL. Without it: into the database.")
@click.option("--key", envvar="RECOLLECT_API_KEY", help="The API key for --url; safer as RECOLLECT_API_KEY.")
@with_settings("home", "database_url")
async def ingest(  # noqa: PLR0913 - a command's options
    console: Console,
    *,
    settings: Settings,
    files: tuple[Path, ...],
    tenant: str | None,
    user: str | None,
    shared: bool,
    url: str | None,
    key: str | None,
) -> None:
    """Load conversations from FILES.

    A file has one JSON object a line, with session_id, content, and where there are such role, name, at,
    user_id, agent_id and metadata:

    \b
      {"session_id": "s1", "user_id": "ann", "content": "My dog is called Rex."}

    Or it has the shape of LoCoMo. It is read and checked whole before anything is kept, and each session is
    kept whole or not at all. To load a file again keeps what is new in it: an interrupted load is taken up
    by repeating the command.
    """  # noqa: D301 - click's mark is the character itself
    if (url is None) == (tenant is None) or (url is not None and not key):
        raise click.UsageError("Give --tenant, or --url with an API key.")
    if user and shared:
        raise click.UsageError("Give --user or --shared, not both.")
    parts = [part for path in files for part in read_parts(path, user)]
    if not shared:
        _require_users(parts)
    began = time.perf_counter()
    async with _keeper(settings, tenant, url, key) as keep:
        kept = await _load(parts, keep)
    seconds = time.perf_counter() - began
    turns = sum(len(part.turns.messages) for part in parts)
    sessions = len({(part.file, part.turns.session_id) for part in parts})
    console.show(
        {"sessions": sessions, "turns": turns, "new": kept, "seconds": round(seconds, 3)},
        f"{counted(turns, 'turn')} in {counted(sessions, 'session')}, {kept} new, in {seconds:.1f} s.",
    )


def _require_users(parts: Sequence[Part]) -> None:
    for part in parts:
        if part.turns.user_id is None:
            raise without_user(f"{part.file}: session {part.turns.session_id!r}")


@asynccontextmanager
async def _keeper(
    settings: Settings, tenant: str | None, url: str | None, key: str | None
) -> AsyncIterator[Keep]:
    """Where the turns go: to a server, or straight into the database."""
    if url and key:
        async with Api(url, key) as api:
            yield api.remember
        return
    assert tenant
    async with open_memory(settings) as memory:
        owner = await memory.tenant(tenant).create()

        async def keep(turns: Turns, idempotency_key: str) -> bool:
            done = await memory.service.remember(owner.principal, turns, idempotency_key=idempotency_key)
            return not done.repeated

        yield keep


async def _load(parts: Sequence[Part], keep: Keep) -> int:
    """Keep all parts, and return how many turns were new."""
    new = 0
    total = sum(len(part.turns.messages) for part in parts)
    with click.progressbar(length=total, label="Loading", file=sys.stderr, show_pos=True) as bar:
        for part in parts:
            if await _keep(part, keep):
                new += len(part.turns.messages)
            bar.update(len(part.turns.messages))
    return new


async def _keep(part: Part, keep: Keep) -> bool:
    try:
        return await keep(part.turns, part.key)
    except IdempotencyMismatch as error:
        raise IdempotencyMismatch(
            f"{part.file}: session {part.turns.session_id!r} was loaded before, and has changed since.",
            hint="Put new turns into new sessions or a file of another name, or forget the session first.",
        ) from error
    except RecollectError as error:
        where = f"{part.file}, session {part.turns.session_id!r}"
        raise type(error)(f"{where}: {error}", hint=error.hint) from error
