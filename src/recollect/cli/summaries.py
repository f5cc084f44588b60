"""`recollect answer` and `recollect summary`: plain questions, and what stands for a person or a session."""

from __future__ import annotations

import click

from recollect.cli.command import command, with_settings
from recollect.cli.console import Console
from recollect.cli.memories import known_tenant
from recollect.cli.opening import open_memory
from recollect.core.model import Filter
from recollect.settings import Settings

_tenant = click.option("--tenant", required=True, help="The tenant.")


@command
@click.argument("question")
@_tenant
@click.option("--user", metavar="ID", required=True, help="The person whom the question is about.")
@with_settings("home", "database_url")
async def answer(console: Console, *, settings: Settings, question: str, tenant: str, user: str) -> None:
    """Answer a plain QUESTION about a person, quoting what is remembered.

    "I" is the person, "you" the agent: "When did I last mention leather?"
    """
    async with open_memory(settings) as memory:
        principal = await known_tenant(memory, tenant)
        found = await memory.service.answer(principal, question, Filter(user_id=user))
    console.show(found, found.text)


@command
@_tenant
@click.option("--user", metavar="ID", help="A person.")
@click.option("--session", metavar="ID", help="A conversation.")
@with_settings("home", "database_url")
async def summary(
    console: Console, *, settings: Settings, tenant: str, user: str | None, session: str | None
) -> None:
    """Show what stands for a person, or for a session."""
    if bool(user) == bool(session):
        raise click.UsageError("Give --user or --session.")
    async with open_memory(settings) as memory:
        principal = await known_tenant(memory, tenant)
        if user:
            person = await memory.service.user_summary(principal, user)
            console.show(person, person.text or "Nothing is known of them yet.")
            return
        told = await memory.service.session_summary(principal, str(session))
    text = "\n".join(one.content for one in told.summaries)
    console.show(told, text or "It has not been understood yet.")
