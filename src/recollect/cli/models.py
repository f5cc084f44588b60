"""`recollect model`: the models that the vectors of a database were made by."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

import click

from recollect.cli.command import command, with_settings
from recollect.cli.console import Console, Steps
from recollect.cli.opening import Desk, open_desk
from recollect.core.embeddings import NOBODY
from recollect.core.errors import Misconfigured
from recollect.core.ports import Embedder
from recollect.core.reembedding import change_model
from recollect.settings import Settings
from recollect.storage.roll import list_tenants
from recollect.wiring import closing_embedder


class _ShowByDefault(click.Group):
    """`recollect model` alone is `recollect model show`."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        first = args[0] if args else "show"
        is_named = first in self.commands or first in ctx.help_option_names
        return super().parse_args(ctx, args if is_named and args else ["show", *args])


@click.group(cls=_ShowByDefault)
def model() -> None:
    """Show the embedding models of a database, or change to another. Alone it is `recollect model show`."""


@command
@with_settings("home", "database_url")
async def show(console: Console, settings: Settings) -> None:
    """Show the models that the vectors were made by.

    One serves; while a database is moved from one model to another, the old one retires.
    """
    async with open_desk(settings) as desk, desk.storage.transaction(NOBODY) as tx:
        models = await tx.models()
    lines = [f"{one.name}\t{one.dimensions} dimensions\t{one.state}" for one in models]
    console.show({"models": models}, "\n".join(lines) or "None yet: the first server chooses it.")


@command
@click.argument("name")
@with_settings("home", "database_url", "owner_database_url", "model_threads")
async def use(console: Console, settings: Settings, name: str) -> None:
    """Change the model, and embed everything anew while it serves.

    NAME: a known model, or a folder with one. Servers notice the change within seconds. Cut short, the same
    command takes it up again. A database of yours needs the owner's URL, which alone sees every tenant.
    """
    owner_url = settings.owner_database_url.get_secret_value() if settings.owner_database_url else None
    with Steps() as progress:
        async with open_desk(settings) as desk:
            owner_url = owner_url or desk.database.owner_url
            if owner_url is None:
                raise Misconfigured(
                    "Only the owner of the tables may see all tenants, whose vectors are to be replaced.",
                    hint="Give the owner's URL: --owner-database-url, or RECOLLECT_OWNER_DATABASE_URL.",
                )
            async with closing_embedder(name, settings, progress) as embedder:
                done = await _change(desk, embedder, owner_url, progress)
                serving = embedder.model
    console.show(
        {"model": serving, "embedded": done}, f"{serving} serves; {done} memories were embedded anew."
    )


async def _change(desk: Desk, embedder: Embedder, owner_url: str, progress: Callable[[str], None]) -> int:
    embedded = 0

    async def tenants() -> list[UUID]:
        return [tenant.tenant_id for tenant in await list_tenants(owner_url)]

    def count(more: int) -> None:
        nonlocal embedded
        embedded += more
        progress(f"Embedding anew: {embedded} memories so far")

    progress("Embedding anew")
    return await change_model(desk.storage, embedder, tenants, count)


model.add_command(show)
model.add_command(use)
