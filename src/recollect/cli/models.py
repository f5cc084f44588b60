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
from recollect.storage.vector_indexes import follow_models, index_vectors, unindex_vectors
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
    with Steps() as progress:
        async with open_desk(settings) as desk:
            owner_url = _owner_url(settings, desk)
            async with closing_embedder(name, settings, progress) as embedder:
                done = await _change(desk, embedder, owner_url, progress)
                serving = embedder.model
            progress("Indexing the vectors, if they were")
            await follow_models(owner_url)
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


def _owner_url(settings: Settings, desk: Desk) -> str:
    if settings.owner_database_url:
        return settings.owner_database_url.get_secret_value()
    if desk.database.owner_url is None:
        raise Misconfigured(
            "Only the owner of the tables may do that: it concerns every tenant.",
            hint="Give the owner's URL: --owner-database-url, or RECOLLECT_OWNER_DATABASE_URL.",
        )
    return desk.database.owner_url


@command
@click.option("--drop", is_flag=True, help="Let the index go: large tenants are searched exactly again.")
@click.option(
    "--memory", default="256MB", show_default=True, help="What PostgreSQL may use meanwhile; more is faster."
)
@with_settings("home", "database_url", "owner_database_url")
async def index(console: Console, settings: Settings, *, drop: bool, memory: str) -> None:
    """Index the vectors, for searches over all users of a tenant of tens of thousands of memories.

    Searches within one person never need it. It costs every write some milliseconds, and takes minutes for
    each 100,000 memories to make; nobody who reads or writes waits meanwhile. Cut short, the same command
    begins anew.
    """
    with Steps() as progress:
        async with open_desk(settings) as desk:
            owner_url = _owner_url(settings, desk)
            progress("Letting the index go" if drop else "Indexing the vectors")
            done = await (unindex_vectors(owner_url) if drop else index_vectors(owner_url, memory))
    said = "Gone" if drop else "Indexed"
    console.show({"dropped" if drop else "indexed": done}, f"{said}: {', '.join(done) or 'nothing to do'}.")


model.add_command(show)
model.add_command(use)
model.add_command(index)
