"""`recollect tenant`: the businesses in a database."""

from __future__ import annotations

import click

from recollect.cli.command import command, with_settings
from recollect.cli.console import Console
from recollect.cli.opening import open_desk
from recollect.core.errors import Misconfigured
from recollect.core.model import Tenant
from recollect.settings import Settings
from recollect.storage.roll import list_tenants


@click.group
def tenant() -> None:
    """Make and list tenants."""


@command
@click.argument("name")
@with_settings("home", "database_url")
async def create(console: Console, settings: Settings, name: str) -> None:
    """Make a tenant.

    NAME: 1 to 63 of a-z, 0-9, '.', '-' and '_', with a letter or a digit at both ends.
    """
    async with open_desk(settings) as desk:
        made = await desk.tenants.create(name)
    console.show(made, f"Tenant {made.name} is made. `recollect key create {made.name}` makes a key for it.")


@command
@with_settings("home", "database_url", "owner_database_url")
async def list_(console: Console, settings: Settings) -> None:
    """List the tenants.

    Only the owner of the tables sees them all: a database of yours needs the owner's URL.
    """
    found = await named_tenants(settings)
    lines = [f"{one.name}\t{one.created_at:%Y-%m-%d %H:%M}\t{one.tenant_id}" for one in found]
    console.show(
        {"tenants": found}, "\n".join(lines) or "There is no tenant yet. `recollect tenant create` makes one."
    )


async def named_tenants(settings: Settings) -> list[Tenant]:
    """Every tenant, as only the owner of the tables sees them.

    Raises:
        Misconfigured: the owner's URL of a database of yours is not known.
    """
    if settings.owner_database_url:
        return await list_tenants(settings.owner_database_url.get_secret_value())
    if settings.database_url:
        raise Misconfigured(
            "Only the owner of the tables may see which tenants there are.",
            hint="Give the owner's URL: --owner-database-url, or RECOLLECT_OWNER_DATABASE_URL.",
        )
    async with open_desk(settings) as desk:
        assert desk.database.owner_url
        return await list_tenants(desk.database.owner_url)


tenant.add_command(create, "create")
tenant.add_command(list_, "list")
