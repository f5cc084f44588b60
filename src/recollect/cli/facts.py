"""`recollect facts`: what is known in parts, how it came to be, and what people say of it."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import click

from recollect.cli.command import MOMENT, command, with_settings
from recollect.cli.console import Console, wrapped
from recollect.cli.memories import known_tenant
from recollect.cli.opening import open_memory
from recollect.core.facts import Edit
from recollect.core.model import Filter, Memory, Standing, Which
from recollect.settings import Settings

_tenant = click.option("--tenant", required=True, help="The tenant.")
_fact = click.argument("fact", type=click.UUID)


@click.group
def facts() -> None:
    """Show what is known in parts, and say what is so."""


def _line(fact: Memory) -> str:
    since = f"{fact.valid_from:%Y-%m-%d}"
    until = f" until {fact.valid_to:%Y-%m-%d}" if fact.valid_to else ""
    taken_back = fact.superseded_at and not fact.valid_to and fact.standing is not Standing.REJECTED
    standing = fact.standing or ("taken back" if taken_back else None)
    marks = f" ({standing})" if standing else ""
    return wrapped(f"{fact.id}  {since}{until}  {fact.content}{marks}", " " * 38)


@command
@_tenant
@click.option("--user", metavar="ID", help="The person. Without it: what the tenant shares.")
@click.option("--subject", help='About whom: "user" is the person themself.')
@click.option("--attribute", help="What they tell, as facts have it.")
@click.option("--as-of", type=MOMENT, help="True at that time.")
@click.option("--known-at", type=MOMENT, help="As it was known at that time.")
@click.option("--history", is_flag=True, help="Also those that held once, or were taken back.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 200), help="How many at most.")
@with_settings("home", "database_url")
async def list_(  # noqa: PLR0913 - a filter's own fields
    console: Console,
    *,
    settings: Settings,
    tenant: str,
    user: str | None,
    subject: str | None,
    attribute: str | None,
    as_of: datetime | None,
    known_at: datetime | None,
    history: bool,
    limit: int,
) -> None:
    """List what is known of a person, the newest first."""
    which = Which(
        Filter(user_id=user, include_shared=False, as_of=as_of, known_at=known_at),
        subject,
        attribute,
        history,
    )
    async with open_memory(settings) as memory:
        found = await memory.service.facts(await known_tenant(memory, tenant), which, limit=limit)
    console.show({"facts": found}, "\n".join(map(_line, found)) or "Nothing is known there.")


@command
@_fact
@_tenant
@with_settings("home", "database_url")
async def history(console: Console, *, settings: Settings, tenant: str, fact: UUID) -> None:
    """Show all that was ever held of FACT's subject and attribute."""
    async with open_memory(settings) as memory:
        found = await memory.service.fact_history(await known_tenant(memory, tenant), fact)
    console.show({"facts": found}, "\n".join(map(_line, found)))


@command
@_fact
@_tenant
@with_settings("home", "database_url")
async def confirm(console: Console, *, settings: Settings, tenant: str, fact: UUID) -> None:
    """Say that FACT is so: nothing that is read later ends it."""
    await _judge(console, settings, tenant, fact, so=True)


@command
@_fact
@_tenant
@with_settings("home", "database_url")
async def reject(console: Console, *, settings: Settings, tenant: str, fact: UUID) -> None:
    """Say that FACT is not so, and never was."""
    await _judge(console, settings, tenant, fact, so=False)


async def _judge(console: Console, settings: Settings, tenant: str, fact: UUID, *, so: bool) -> None:
    async with open_memory(settings) as memory:
        principal, service = await known_tenant(memory, tenant), memory.service
        said = await (service.confirm_fact if so else service.reject_fact)(principal, fact)
    console.show(said, _line(said))


@command
@_fact
@_tenant
@click.option("--value", help="What it really is.")
@click.option("--content", help="The sentence. Without it: the old one, with the new value in it.")
@click.option("--valid-from", type=MOMENT, help="Since when it is so.")
@with_settings("home", "database_url")
async def edit(  # noqa: PLR0913 - a command's options
    console: Console,
    *,
    settings: Settings,
    tenant: str,
    fact: UUID,
    value: str | None,
    content: str | None,
    valid_from: datetime | None,
) -> None:
    """Put FACT right: a new one takes its place."""
    async with open_memory(settings) as memory:
        principal = await known_tenant(memory, tenant)
        said = await memory.service.edit_fact(principal, fact, Edit(value, content, valid_from))
    console.show(said, _line(said))


facts.add_command(list_, "list")
facts.add_command(history, "history")
facts.add_command(confirm, "confirm")
facts.add_command(reject, "reject")
facts.add_command(edit, "edit")
