"""`recollect migrate`: a database's schema, brought up to date."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import click

from recollect.cli.command import command
from recollect.cli.console import Console, Steps
from recollect.core.errors import Misconfigured
from recollect.settings import Settings, load_settings
from recollect.storage.migrate import Migration, migrate as apply
from recollect.wiring import open_database


@command
@click.option(
    "--phase", type=click.Choice(["pre", "post"]), help="Only the steps before, or after, a deploy."
)
@click.option(
    "--database-url",
    metavar="URL",
    help="The owner's PostgreSQL URL. Unset: RECOLLECT_OWNER_DATABASE_URL, or else the embedded server.",
)
@click.option("--home", metavar="VALUE", help="As for `recollect serve`.")
async def migrate(
    console: Console, *, phase: Literal["pre", "post"] | None, database_url: str | None, home: str | None
) -> None:
    """Bring a database's schema up to date.

    Repeating it changes nothing. The embedded PostgreSQL is migrated by every start.
    """
    settings = load_settings(home=home, owner_database_url=database_url)
    url = settings.owner_database_url.get_secret_value() if settings.owner_database_url else None
    if settings.database_url and not url:
        raise Misconfigured(
            "The database is migrated by its owner, and only the application's URL is set.",
            hint="Give the owner's: --database-url, or RECOLLECT_OWNER_DATABASE_URL.",
        )
    with Steps() as progress:
        applied = await _migrate(url, phase, settings, progress)
    steps = [{"version": step.version, "phase": step.phase, "name": step.name} for step in applied]
    lines = [f"{step.version:04} {step.phase} {step.name}" for step in applied]
    console.show({"applied": steps}, "\n".join(lines) or "The schema is current.")


async def _migrate(
    url: str | None, phase: Literal["pre", "post"] | None, settings: Settings, progress: Steps
) -> Sequence[Migration]:
    if url:
        progress("Migrating the schema")
        return await apply(url, phase)
    async with open_database(settings, progress):
        return ()
