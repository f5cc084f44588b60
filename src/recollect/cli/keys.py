"""`recollect key`: the API keys of a tenant."""

from __future__ import annotations

from datetime import UTC, datetime
from uuid import UUID

import click

from recollect.cli.command import MOMENT, command, with_settings
from recollect.cli.console import Console, plain
from recollect.cli.opening import open_desk
from recollect.core.model import ApiKey, Permission, Role
from recollect.settings import Settings


@click.group
def key() -> None:
    """Make, list and revoke API keys."""


@command
@click.argument("tenant")
@click.option("--name", help="What the key is for. Without it: its role and the day.")
@click.option(
    "--role",
    type=click.Choice([role.name.lower() for role in Role]),
    default="owner",
    show_default=True,
    help="How much it may see. A key of role 'user' is one person's, and needs --user.",
)
@click.option("--user", metavar="ID", help="The one person whose key it is.")
@click.option(
    "--permission",
    "permissions",
    type=click.Choice(list(map(str, Permission))),
    multiple=True,
    help="What it may do; may be repeated. Without it: everything.",
)
@click.option("--expires", type=MOMENT, help="When it stops to be valid. Without it: never.")
@with_settings("home", "database_url")
async def create(  # noqa: PLR0913 - a key's own fields
    console: Console,
    *,
    settings: Settings,
    tenant: str,
    name: str | None,
    role: str,
    user: str | None,
    permissions: tuple[str, ...],
    expires: datetime | None,
) -> None:
    """Make an API key for TENANT.

    The key is printed on standard output, this once: it is kept only as a digest.
    """
    async with open_desk(settings) as desk:
        made, text = await desk.tenants.create_key(
            tenant,
            name or f"{role}, {datetime.now(UTC):%Y-%m-%d}",
            role=Role[role.upper()],
            permissions=frozenset(map(Permission, permissions)) or frozenset(Permission),
            user_id=user,
            expires_at=expires,
        )
    console.note(f"Key {made.id} of {tenant}, named {made.name!r}. {_grants(made)}. Shown this once:")
    console.show(plain(made) | {"key": text}, text)


def _grants(made: ApiKey) -> str:
    """What a key's holder may do, and until when."""
    until = f"expires {made.expires_at:%Y-%m-%d %H:%M} UTC" if made.expires_at else "never expires"
    return f"Role {_whose(made)}: it may {', '.join(sorted(made.permissions))}, and {until}"


def _whose(one: ApiKey) -> str:
    return f"{one.role.name.lower()} {one.user_id or ''}".strip()


@command
@click.argument("tenant")
@with_settings("home", "database_url")
async def list_(console: Console, settings: Settings, tenant: str) -> None:
    """List the keys of TENANT, the newest first, without their secrets."""
    async with open_desk(settings) as desk:
        keys = await desk.tenants.keys(tenant)
    console.show({"keys": keys}, "\n".join(map(_line, keys)) or f"{tenant} has no key.")


def _line(one: ApiKey) -> str:
    if one.revoked_at:
        state = f"revoked {one.revoked_at:%Y-%m-%d}"
    else:
        state = f"expires {one.expires_at:%Y-%m-%d %H:%M}" if one.expires_at else "valid"
    return "\t".join((str(one.id), _whose(one), state, ", ".join(sorted(one.permissions)), one.name)).rstrip()


@command
@click.argument("tenant")
@click.argument("key_id", type=click.UUID)
@with_settings("home", "database_url")
async def revoke(console: Console, settings: Settings, tenant: str, key_id: UUID) -> None:
    """Make a key of TENANT useless from now on.

    KEY_ID is what `recollect key list` shows.
    """
    async with open_desk(settings) as desk:
        await desk.tenants.revoke_key(tenant, key_id)
    console.show({"revoked": key_id}, f"Key {key_id} is revoked.")


key.add_command(create, "create")
key.add_command(list_, "list")
key.add_command(revoke, "revoke")
