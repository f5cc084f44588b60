"""`recollect doctor`: what is well, what is not, and what to do about it."""

from __future__ import annotations

import os
import platform
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

import click

from recollect import __version__
from recollect.adapters.embeddings.model_files import DEFAULT_MODEL, inspect_model
from recollect.cli.command import command
from recollect.cli.console import Console
from recollect.cli.opening import told, unowned
from recollect.core.embeddings import NOBODY
from recollect.core.errors import RecollectError, SchemaOutdated, UnsafeRole
from recollect.settings import Settings, load_settings, unknown_variables
from recollect.storage.pool import PostgresStorage
from recollect.wiring import installed_packs, open_database

_INDENT = " " * 17


@dataclass(frozen=True, slots=True)
class Finding:
    """One check's outcome; `hint` says what to do about a fault, or what else should be seen to."""

    check: str
    ok: bool
    detail: str
    hint: str | None = None


@command
@click.option("--home", metavar="VALUE", help="As for `recollect serve`.")
@click.option("--database-url", metavar="URL", help="As for `recollect serve`.")
async def doctor(console: Console, *, home: str | None, database_url: str | None) -> None:
    """Check the installation, and say what to do about each fault.

    The embedded PostgreSQL is started for it, as every command does; a database of yours is only read.
    The exit code is 1 if there is a fault.
    """
    findings = []
    async for finding in _examine(home, database_url):
        findings.append(finding)
        if not console.as_json:
            _tell(finding)
    if console.as_json:
        console.show({"version": __version__, "findings": findings}, "")
    if not all(finding.ok for finding in findings):
        click.get_current_context().exit(1)


def _tell(finding: Finding) -> None:
    text = f"{finding.detail}\n{finding.hint}" if finding.hint else finding.detail
    lines = [line.strip() for line in text.splitlines()]
    click.echo(f"{'ok   ' if finding.ok else 'fault'}  {finding.check:9} {f'{chr(10)}{_INDENT}'.join(lines)}")


async def _examine(home: str | None, database_url: str | None) -> AsyncIterator[Finding]:
    """Every check, in an order in which a fault explains those after it."""
    yield _python()
    try:
        settings = load_settings(home=home, database_url=database_url)
    except RecollectError as error:
        yield _fault("settings", error)
        return
    ignored = "\n".join(unknown_variables()) or None
    yield Finding("settings", ok=True, detail=f"Recollect {__version__}, home {settings.home}", hint=ignored)
    yield _folder(settings.home)
    yield _model(settings)
    yield _packs()
    async for finding in _database(settings):
        yield finding


def _fault(check: str, error: RecollectError) -> Finding:
    return Finding(check, ok=False, detail=str(error), hint=error.hint)


def _python() -> Finding:
    detail = f"{platform.python_implementation()} {platform.python_version()} on {platform.platform()}"
    return Finding("python", ok=True, detail=detail)


def _folder(home: Path) -> Finding:
    """Whether the home can be written to, or made."""
    nearest = next(folder for folder in (home, *home.absolute().parents) if folder.exists())
    if nearest.is_dir() and os.access(nearest, os.W_OK | os.X_OK):
        state = "is ours to write" if nearest == home else "will be made"
        return Finding("home", ok=True, detail=f"{home} {state}")
    return Finding(
        "home",
        ok=False,
        detail=f"{nearest} cannot be written to.",
        hint="Give this user the right to, or choose another folder: RECOLLECT_HOME, or --home.",
    )


def _model(settings: Settings) -> Finding:
    """Whether the model's files are whole; a known model that is not is fetched by the next start."""
    model = settings.model or DEFAULT_MODEL
    try:
        faults = inspect_model(model, settings.home / "models")
    except RecollectError as error:
        return _fault("model", error)
    state = f"is not whole yet ({', '.join(faults)}); the next start fetches it" if faults else "is whole"
    return Finding("model", ok=True, detail=f"{model} {state}")


def _packs() -> Finding:
    """Whether the packs that are installed can be read."""
    try:
        installed = installed_packs()
    except RecollectError as error:
        return _fault("packs", error)
    return Finding("packs", ok=True, detail=", ".join(sorted(installed)) or "there are none")


async def _database(settings: Settings) -> AsyncIterator[Finding]:
    """Whether the database answers, its role is fenced, and its schema and vectors are ours."""
    where = "PostgreSQL at the database URL" if settings.database_url else "the embedded PostgreSQL"
    passed = [
        Finding("database", ok=True, detail=f"{where} answers"),
        Finding("role", ok=True, detail="the application's role is held by row level security"),
        Finding("schema", ok=True, detail="the schema is current"),
    ]
    async with AsyncExitStack() as stack:
        try:
            database = await stack.enter_async_context(
                told(lambda progress: open_database(unowned(settings), progress))
            )
            storage = await stack.enter_async_context(await PostgresStorage.open(database.url, size=1))
        except RecollectError as error:
            for finding in _until(error, passed):
                yield finding
            return
        for finding in passed:
            yield finding
        yield await _vectors(storage, settings)


def _until(error: RecollectError, passed: list[Finding]) -> Iterator[Finding]:
    """The checks that were passed before the one that failed, and that one."""
    places: dict[type[RecollectError], int] = {UnsafeRole: 1, SchemaOutdated: 2}
    failed = places.get(type(error), 0)
    yield from passed[:failed]
    yield _fault(passed[failed].check, error)


async def _vectors(storage: PostgresStorage, settings: Settings) -> Finding:
    """Whether the vectors were made by the model that this process is set to."""
    async with storage.transaction(NOBODY) as tx:
        models = await tx.models()
    serving = next((model.name for model in models if model.state == "serving"), None)
    if serving is None:
        return Finding("vectors", ok=True, detail="there are none yet")
    if settings.model not in (None, serving):
        return Finding(
            "vectors",
            ok=False,
            detail=f"They were made by {serving}; RECOLLECT_MODEL is {settings.model}.",
            hint=f"Run `recollect model use {settings.model}`, or set RECOLLECT_MODEL={serving}.",
        )
    others = [f"{model.name} retires" for model in models if model.state != "serving"]
    return Finding("vectors", ok=True, detail=", ".join([f"made by {serving}", *others]))
