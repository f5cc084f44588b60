"""`recollect graph`: who and what is spoken of, and what they are to each other."""

from __future__ import annotations

from datetime import datetime
from uuid import UUID

import click

from recollect.cli.command import MOMENT, command, with_settings
from recollect.cli.console import Console, wrapped
from recollect.cli.memories import known_tenant
from recollect.cli.opening import open_memory
from recollect.core.errors import NotFound
from recollect.core.graph import DEEPEST, MOST_HOPS, Family, Listing, Reach
from recollect.core.model import Entity, Occasion, Principal, Relation
from recollect.core.service import Service
from recollect.settings import Settings

_tenant = click.option("--tenant", required=True, help="The tenant.")
_user = click.option("--user", metavar="ID", help="Of this person only.")
_entity = click.argument("entity", type=click.UUID)
_as_of = click.option("--as-of", type=MOMENT, help="What was so at that time. Without it: what is so now.")
_limit = click.option(
    "--limit", default=50, show_default=True, type=click.IntRange(1, 200), help="How many at most."
)


async def _meant(service: Service, principal: Principal, said: str, user: str | None) -> UUID:
    """The entity of an id, or of a name.

    Raises:
        NotFound: nobody and nothing is called so.
    """
    try:
        return UUID(said)
    except ValueError:
        found = await service.search_entities(principal, said, user_id=user, limit=1)
    if not found or not found[0].named:
        raise NotFound("Nobody and nothing is known by this name.", hint="`recollect graph show` lists them.")
    return found[0].entity.id


@click.group
def graph() -> None:
    """Show who and what is spoken of, and what they are to each other."""


def _line(entity: Entity) -> str:
    called = f" ({', '.join(entity.aliases)})" if entity.aliases else ""
    whose = entity.user_id or "shared"
    return wrapped(f"{entity.id}  {entity.kind:12}  {whose:12}  {entity.name}{called}", " " * 38)


def _family(family: Family) -> str:
    about = [wrapped(f"  {family.entity.description}", "  ")] if family.entity.description else []
    merged = (f"  is also {one.name}, {one.kind}: {one.id}" for one in family.merged)
    into = [f"  is merged into {family.entity.merged_into}"] if family.entity.merged_into else []
    return "\n".join([_line(family.entity), *about, *into, *merged])


def _arrow(relation: Relation, names: dict[UUID, str]) -> str:
    ends = (names.get(end, str(end)) for end in (relation.source_id, relation.target_id))
    return f" –{relation.kind}→ ".join(ends)


@command
@click.argument("entity", type=click.UUID, required=False)
@_tenant
@_user
@click.option("--kind", "kinds", multiple=True, help="Of this kind only; may be repeated.")
@click.option("--prefix", help="The name, or an alias, begins so.")
@_limit
@with_settings("home", "database_url")
async def show(  # noqa: PLR0913 - a command's options
    console: Console,
    *,
    settings: Settings,
    entity: UUID | None,
    tenant: str,
    user: str | None,
    kinds: tuple[str, ...],
    prefix: str | None,
    limit: int,
) -> None:
    """Show ENTITY with all that is merged into it, or, without one, list them."""
    async with open_memory(settings) as memory:
        principal = await known_tenant(memory, tenant)
        if entity:
            family = await memory.service.entity(principal, entity)
            console.show(family, _family(family))
            return
        found = await memory.service.entities(principal, Listing(user, kinds, prefix), limit=limit)
    console.show({"entities": found}, "\n".join(map(_line, found)) or "Nothing is known there.")


@command
@click.argument("entity")
@_tenant
@_user
@click.option(
    "--depth",
    default=1,
    show_default=True,
    type=click.IntRange(1, DEEPEST),
    help="Over how many relations at most.",
)
@click.option("--kind", "kinds", multiple=True, help="Relations of this kind only; may be repeated.")
@_as_of
@_limit
@with_settings("home", "database_url")
async def neighbours(  # noqa: PLR0913 - a command's options
    console: Console,
    *,
    settings: Settings,
    entity: str,
    tenant: str,
    user: str | None,
    depth: int,
    kinds: tuple[str, ...],
    as_of: datetime | None,
    limit: int,
) -> None:
    """Show what is around ENTITY (its id, or a name), the nearest first, and what they are to each other."""
    async with open_memory(settings) as memory:
        principal = await known_tenant(memory, tenant)
        meant = await _meant(memory.service, principal, entity, user)
        reach = Reach(depth, kinds, as_of, user_id=user)
        around = await memory.service.neighbours(principal, meant, reach, limit=limit)
    names = {around.entity.id: around.entity.name} | {one.entity.id: one.entity.name for one in around.near}
    lines = [f"{one.distance}  {_line(one.entity)}" for one in around.near]
    lines += [_arrow(one, names) for one in around.relations]
    console.show(around, "\n".join(lines) or "Nothing is known around it.")


@command
@click.argument("source", type=click.UUID)
@click.argument("target", type=click.UUID)
@_tenant
@click.option(
    "--hops",
    default=MOST_HOPS,
    show_default=True,
    type=click.IntRange(1, MOST_HOPS),
    help="Over how many relations at most.",
)
@_as_of
@with_settings("home", "database_url")
async def path(  # noqa: PLR0913 - a command's options
    console: Console,
    *,
    settings: Settings,
    source: UUID,
    target: UUID,
    tenant: str,
    hops: int,
    as_of: datetime | None,
) -> None:
    """Show the ways from SOURCE to TARGET, the shortest first."""
    async with open_memory(settings) as memory:
        principal = await known_tenant(memory, tenant)
        found = await memory.service.paths(principal, source, target, Reach(hops, as_of=as_of))
    lines = [
        "; ".join(_arrow(one, {entity.id: entity.name for entity in way.entities}) for one in way.relations)
        for way in found
    ]
    console.show({"paths": found}, "\n".join(lines) or "They are not that near to each other.")


@command
@_entity
@_tenant
@_limit
@with_settings("home", "database_url")
async def timeline(console: Console, *, settings: Settings, entity: UUID, tenant: str, limit: int) -> None:
    """Show when ENTITY was spoken of, and what of it began and ended; the newest first."""
    async with open_memory(settings) as memory:
        principal = await known_tenant(memory, tenant)
        found = await memory.service.timeline(principal, entity, limit=limit)
    console.show({"occasions": found}, "\n".join(map(_told, found)) or "Nothing is known of it.")


def _told(one: Occasion) -> str:
    what = one.memory.content if one.memory else one.relation.kind if one.relation else str(one.id)
    return wrapped(f"{one.at:%Y-%m-%d %H:%M}  {one.what:9}  {what}", " " * 29)


@command
@click.argument("query")
@_tenant
@_user
@click.option("--limit", default=10, show_default=True, type=click.IntRange(1, 200), help="How many at most.")
@with_settings("home", "database_url")
async def search(  # noqa: PLR0913 - a command's options
    console: Console, *, settings: Settings, query: str, tenant: str, user: str | None, limit: int
) -> None:
    """Find the entities that QUERY names, and then those that are nearest to it in meaning."""
    async with open_memory(settings) as memory:
        principal = await known_tenant(memory, tenant)
        found = await memory.service.search_entities(principal, query, user_id=user, limit=limit)
    lines = [
        f"{one.similarity:5.2f} {'named' if one.named else '     '}  {_line(one.entity)}" for one in found
    ]
    console.show({"hits": found}, "\n".join(lines) or "Nothing is known there.")


@command
@_entity
@click.argument("into", type=click.UUID)
@_tenant
@with_settings("home", "database_url")
async def merge(console: Console, *, settings: Settings, entity: UUID, into: UUID, tenant: str) -> None:
    """Say that ENTITY is the same as INTO: it is read as that, until it is told apart again."""
    async with open_memory(settings) as memory:
        family = await memory.service.merge(await known_tenant(memory, tenant), entity, into)
    console.show(family, _family(family))


@command
@_entity
@_tenant
@with_settings("home", "database_url")
async def unmerge(console: Console, *, settings: Settings, entity: UUID, tenant: str) -> None:
    """Say that ENTITY is something of its own: nothing merges it again."""
    async with open_memory(settings) as memory:
        family = await memory.service.unmerge(await known_tenant(memory, tenant), entity)
    console.show(family, _family(family))


for each in (show, neighbours, path, timeline, search, merge, unmerge):
    graph.add_command(each)
