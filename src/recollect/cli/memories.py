"""`recollect remember`, `recall`, `context` and `forget`: an operator's own access, without a server."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Any, TypeAlias
from uuid import UUID

import click

from recollect.cli.command import MOMENT, command, with_settings
from recollect.cli.console import Console, counted, wrapped
from recollect.cli.opening import open_memory
from recollect.cli.usage import without_user
from recollect.core.errors import Invalid, NotFound
from recollect.core.filters import parse_filter_text
from recollect.core.model import (
    Filter,
    Forgotten,
    Hit,
    Kind,
    Message,
    Note,
    Principal,
    Recalled,
    Remembered,
    Turns,
)
from recollect.settings import Settings
from recollect.wiring import Recollect

Function: TypeAlias = Callable[..., Any]

WAIT = 10.0
"""Seconds that `remember --wait` waits until what was said is understood."""

_NOTE_KINDS = [str(kind) for kind in Kind if kind is not Kind.MESSAGE]


_tenant = click.option("--tenant", required=True, help="The tenant.")


def _whose(function: Function) -> Function:
    """The options that say whose memory is meant."""
    user = click.option("--user", metavar="ID", help="The person. Without it: what the tenant shares.")
    return _tenant(user(function))


def _metadata(_: click.Context, __: click.Parameter, text: str | None) -> dict[str, Any]:
    try:
        value = json.loads(text) if text else {}
    except ValueError as error:
        raise click.BadParameter(f"this is not JSON: {error}") from None
    if not isinstance(value, dict):
        raise click.BadParameter("this is not a JSON object.")
    return value


@command
@click.argument("content")
@_tenant
@click.option("--user", metavar="ID", help="The person. A session that was begun has one already.")
@click.option("--shared", is_flag=True, help="Of no person: everybody of the tenant can read it.")
@click.option("--session", metavar="ID", help="The conversation it was said in. Without it: a fact.")
@click.option("--role", help="Who spoke: user (the default), assistant, system, tool.")
@click.option("--name", help="The speaker's name.")
@click.option("--kind", type=click.Choice(_NOTE_KINDS), help="What it is, if no turn. Without it: fact.")
@click.option("--at", type=MOMENT, help="When it was said, or since when it is true. Without it: now.")
@click.option("--metadata", metavar="JSON", callback=_metadata, help="An object of anything of yours.")
@click.option("--idempotency-key", metavar="KEY", help="Repeating the command with it changes nothing.")
@click.option("--wait", is_flag=True, help="Of a turn: understand it before returning.")
@with_settings("home", "database_url")
async def remember(  # noqa: PLR0913 - a turn's own fields
    console: Console,
    *,
    settings: Settings,
    content: str,
    tenant: str,
    user: str | None,
    shared: bool,
    session: str | None,
    role: str | None,
    name: str | None,
    kind: str | None,
    at: datetime | None,
    metadata: dict[str, Any],
    idempotency_key: str | None,
    wait: bool,
) -> None:
    """Keep CONTENT; '-' reads it from standard input.

    With --session it is the next turn of a conversation, without it a fact. The first write makes the tenant.
    """
    if session and kind:
        raise click.UsageError("--kind is for what is no turn: leave out --session.")
    if not session and (role or name):
        raise click.UsageError("--role and --name are a turn's: give its --session.")
    if user and shared:
        raise click.UsageError("Give --user or --shared, not both.")
    text = sys.stdin.read() if content == "-" else content
    if not text.strip():
        raise Invalid("There is nothing to remember: the text is empty.")
    named = user or shared
    if not (named or session):
        raise without_user("This")

    async def write(memory: Recollect, principal: Principal) -> Remembered:
        if session:
            message = Message(text, role or "user", name, at, metadata)
            turns = Turns(session, [message], user_id=user)
            return await memory.service.remember(
                principal, turns, idempotency_key=idempotency_key, wait=WAIT if wait else None
            )
        note = Note(text, Kind(kind or Kind.FACT), user_id=user, valid_from=at, metadata=metadata)
        return await memory.service.add(principal, [note], idempotency_key=idempotency_key)

    async with open_memory(settings) as memory:
        owner = memory.tenant(tenant)
        if session and not named:
            await _require_begun(memory, owner.principal, session)
        done = await write(memory, (await owner.create()).principal)
    said = "Remembered before" if done.repeated else "Remembered"
    later = "; it is not understood yet" if done.consolidated is False else ""
    console.show(done, f"{said}: {done.ids[0]}{later}")


async def _require_begun(memory: Recollect, principal: Principal, session: str) -> None:
    try:
        await memory.service.session(principal, session)
    except NotFound:
        raise without_user(f"Session {session!r} is new, and") from None


@command
@click.argument("query")
@_whose
@click.option("--limit", default=5, show_default=True, type=click.IntRange(1, 200), help="How many at most.")
@click.option(
    "--kind",
    "kinds",
    type=click.Choice(list(map(str, Kind))),
    multiple=True,
    help="Of this kind only; may be repeated.",
)
@click.option("--session", metavar="ID", help="Of this conversation only.")
@click.option("--agent", metavar="ID", help="Of this agent only.")
@click.option("--since", type=MOMENT, help="Said, or true, from then on.")
@click.option("--until", type=MOMENT, help="Said, or true, before then.")
@click.option("--as-of", type=MOMENT, help="True at that time.")
@click.option("--known-at", type=MOMENT, help="As it was known at that time.")
@click.option(
    "--metadata", metavar="JSON", default="{}", help='Like {"room": "kitchen", "price": {"lt": 500}}.'
)
@click.option("--all-users", is_flag=True, help="What is remembered of everybody, instead of --user.")
@click.option("--explain", is_flag=True, help="Also the parts of each score.")
@with_settings("home", "database_url")
async def recall(  # noqa: PLR0913 - a filter's own fields
    console: Console,
    *,
    settings: Settings,
    query: str,
    tenant: str,
    user: str | None,
    limit: int,
    kinds: tuple[str, ...],
    session: str | None,
    agent: str | None,
    metadata: str,
    all_users: bool,
    explain: bool,
    **times: Any,
) -> None:
    """Find the memories that answer QUERY, the best first."""
    scope = Filter(
        user_id=user,
        all_users=all_users,
        agent_id=agent,
        session_id=session,
        kinds=tuple(map(Kind, kinds)),
        metadata=parse_filter_text(metadata),
        **times,
    )
    async with open_memory(settings) as memory:
        principal = await known_tenant(memory, tenant)
        began = time.perf_counter()
        found = await memory.service.recall(principal, query, scope, limit=limit)
        took = (time.perf_counter() - began) * 1_000
    nothing = "Nothing is remembered there."
    if not (user or all_users):
        nothing += " Without --user only what the tenant shares was searched."
    answer = {"hits": found.hits, "confidence": round(found.confidence, 3), "took_ms": round(took, 2)}
    console.show(answer, "\n".join(_lines(found, explain=explain)) if found else nothing)


def _lines(found: Recalled, *, explain: bool) -> Iterator[str]:
    yield from (_line(place, hit, explain=explain) for place, hit in enumerate(found, 1))
    yield f"Confidence that the answer is there: {found.confidence:.0%}"


def _line(place: int, hit: Hit, *, explain: bool) -> str:
    memory = hit.memory
    who = memory.name or memory.role or memory.kind.value
    similarity = "  – " if hit.similarity is None else f"{hit.similarity:4.2f}"
    text = f"{place}. {similarity}  {memory.valid_from:%Y-%m-%d}  {who}: {memory.content}"
    parts = sorted(hit.parts.items(), key=lambda part: -abs(part[1]))
    explained = [f"{hit.score:+7.2f}  in all", *(f"{value:+7.2f}  {name}" for name, value in parts)]
    lines = [wrapped(text, " " * 9), f"   {hit.why}", *(f"   {line}" for line in explained if explain)]
    return "\n".join(lines)


@command
@click.argument("query")
@_whose
@click.option("--session", metavar="ID", help="The conversation under way: its last turns come along.")
@click.option("--budget", default=1_000, show_default=True, type=click.IntRange(1), help="Tokens at most.")
@with_settings("home", "database_url")
async def context(  # noqa: PLR0913 - a command's options
    console: Console,
    *,
    settings: Settings,
    query: str,
    tenant: str,
    user: str | None,
    session: str | None,
    budget: int,
) -> None:
    """Show what an agent should know before it answers QUERY, as it goes into a prompt."""
    async with open_memory(settings) as memory:
        principal = await known_tenant(memory, tenant)
        packed = await memory.service.context(
            principal, query, Filter(user_id=user), budget=budget, session_id=session
        )
    console.show(packed, packed.text)


@command
@click.option("--tenant", required=True, help="The tenant.")
@click.option("--memory", "memory_id", metavar="ID", type=click.UUID, help="One memory.")
@click.option("--session", metavar="ID", help="A conversation, and all that was said in it.")
@click.option("--user", metavar="ID", help="A person, and everything that is remembered of them.")
@click.option("--yes", is_flag=True, help="Do not ask.")
@with_settings("home", "database_url")
async def forget(  # noqa: PLR0913 - a command's options
    console: Console,
    *,
    settings: Settings,
    tenant: str,
    memory_id: UUID | None,
    session: str | None,
    user: str | None,
    yes: bool,
) -> None:
    """Delete a memory, a session, or a person, for good."""
    what = [
        f"{name} {value}"
        for name, value in (("memory", memory_id), ("session", session), ("user", user))
        if value
    ]
    if len(what) != 1:
        raise click.UsageError(
            "Give exactly one of --memory, --session and --user: a memory and a session are found by their "
            "id alone, and a user is forgotten whole."
        )
    if not yes:
        _confirm(f"Delete {what[0]} of {tenant} for good?")

    async def delete(memory: Recollect, principal: Principal) -> Forgotten:
        if memory_id:
            return await memory.service.forget_memory(principal, memory_id)
        if session:
            return await memory.service.forget_session(principal, session)
        return await memory.service.forget_user(principal, str(user))

    async with open_memory(settings) as memory:
        gone = await delete(memory, await known_tenant(memory, tenant))
    counts = (
        counted(gone.memories, "memory", "memories"),
        counted(gone.sessions, "session"),
        counted(gone.users, "user"),
    )
    console.show(gone, f"Forgotten: {', '.join(counts)}.")


def _confirm(question: str) -> None:
    """Ask, on a terminal or of a pipe; a pipe that is empty has no answer."""
    try:
        is_sure = click.confirm(question, err=True)
    except click.Abort:
        if sys.stdin.isatty():
            raise
        raise click.UsageError("Nobody is here to be asked: give --yes.") from None
    if not is_sure:
        raise click.Abort


async def known_tenant(memory: Recollect, tenant: str) -> Principal:
    """The operator within a tenant; a misspelt one is told, and not made."""
    await memory.tenants.find(tenant)
    return memory.tenants.principal(tenant)
