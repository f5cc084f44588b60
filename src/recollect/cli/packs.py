"""`recollect pack`: the domains that are installed, and which of them a tenant has turned on."""

from __future__ import annotations

from dataclasses import asdict

import click

from recollect import __version__
from recollect.cli.command import command, with_settings
from recollect.cli.console import Console, Steps, counted
from recollect.cli.memories import known_tenant
from recollect.cli.opening import open_desk, open_memory
from recollect.core.cases import Judged, Score, judge
from recollect.core.consolidate.attributes import read_vocabulary
from recollect.core.errors import Misconfigured, NotFound
from recollect.core.pack import Pack, Signature
from recollect.core.packs import Packs
from recollect.core.sampling import load_sample
from recollect.settings import Settings
from recollect.wiring import installed_packs, open_webhooks

_pack = click.argument("pack")
_tenant = click.option("--tenant", required=True, help="The tenant.")


@click.group
def pack() -> None:
    """Show the packs that are installed, and turn them on and off for a tenant."""


@command
@click.option("--tenant", help="Also say which of them this tenant has turned on.")
@with_settings("home", "database_url")
async def list_(console: Console, *, settings: Settings, tenant: str | None) -> None:
    """List the packs that are installed."""
    installed = installed_packs()
    on: list[str] = []
    if tenant:
        async with open_desk(settings) as desk:
            await desk.tenants.find(tenant)
            on = await Packs(desk.storage, installed).turned_on(desk.tenants.principal(tenant))
    found = [
        {"name": name, "about": one.about, "path": one.path, "on": name in on if tenant else None}
        for name, one in sorted(installed.items())
    ]
    lines = [
        f"{one['name']}\t{'on' if one['on'] else 'off' if tenant else ''}\t{one['about']}" for one in found
    ]
    console.show({"packs": found}, "\n".join(lines) or "No pack is installed.")


async def _turn(console: Console, settings: Settings, tenant: str, name: str, *, on: bool) -> None:
    """Turn a pack on or off, and tell it."""
    async with open_desk(settings) as desk:
        await desk.tenants.find(tenant)
        packs, principal = Packs(desk.storage, installed_packs()), desk.tenants.principal(tenant)
        changed = await (packs.turn_on(principal, name) if on else packs.turn_off(principal, name))
    state = "on" if on else "off"
    told = f"{name} {'is' if changed else 'was'} {state} for {tenant}{'.' if changed else ' already.'}"
    console.show({"pack": name, "on": on, "changed": changed}, told)


@command
@_pack
@_tenant
@with_settings("home", "database_url")
async def on(console: Console, *, settings: Settings, pack: str, tenant: str) -> None:
    """Turn PACK on: what is said from now on is read by its rules, and its routes answer."""
    await _turn(console, settings, tenant, pack, on=True)


@command
@_pack
@_tenant
@with_settings("home", "database_url")
async def off(console: Console, *, settings: Settings, pack: str, tenant: str) -> None:
    """Turn PACK off; what was remembered with it stays."""
    await _turn(console, settings, tenant, pack, on=False)


@command
@_pack
@_tenant
@with_settings("home", "database_url")
async def sample(console: Console, *, settings: Settings, pack: str, tenant: str) -> None:
    """Put PACK's sample data into a tenant, and turn it on there; a second time changes nothing."""
    async with open_memory(settings) as memory:
        principal = await known_tenant(memory, tenant)
        chosen = memory.service.packs.find(pack)
        if not chosen.sample:
            raise NotFound(f"The pack {pack} has no sample data.", hint="`recollect pack list` shows others.")
        await memory.service.packs.turn_on(principal, pack)
        with Steps() as progress:

            def tell(what: str, done: int, of: int) -> None:
                progress(f"Loading {what}: {done} of {of}")

            loaded = await load_sample(memory.service, principal, chosen.code(chosen.sample)(), tell)
    told = ", ".join(
        [
            counted(loaded.people, "person", "people"),
            counted(loaded.entities, "entity", "entities"),
            counted(loaded.relations, "relation"),
            counted(loaded.conversations, "conversation"),
        ]
    )
    console.show(asdict(loaded), f"{told}; {counted(loaded.turns, 'message')} new, to be understood.")


@command
@_pack
def check(console: Console, *, pack: str) -> None:
    """Find what PACK names in its code, read its evaluation cases, and show what is read wrongly or missed.

    The exit code is 1 if that is so of a case that the rules were made with.
    """
    chosen = installed_packs().get(pack)
    if chosen is None:
        raise NotFound(
            f"There is no pack {pack!r} here.", hint="`recollect pack list` shows those there are."
        )
    _resolve(chosen)
    judged = judge(chosen, read_vocabulary(chosen.rules))
    scores = {name: Score.of(some) for name, some in _halves(judged)}
    lines = [line for one in judged for line in _faults(one)]
    lines += [
        f"{name}: {counted(one.cases, 'case')}, precision {one.precision:.1%}, recall {one.recall:.1%}"
        for name, one in scores.items()
    ]
    console.show(
        {
            name: {"cases": one.cases, "precision": one.precision, "recall": one.recall}
            for name, one in scores.items()
        },
        "\n".join(lines) or "There are no cases.",
    )
    if any(one.wrong or one.missed for one in judged if not one.case.held):
        click.get_current_context().exit(1)


def _resolve(chosen: Pack) -> None:
    """Raise Misconfigured unless the pack's code has the routes, receivers and sample that it names."""
    from recollect.interfaces.http.app import make_routes  # noqa: PLC0415 - it takes long, and no other needs it

    make_routes(__version__, {chosen.name: chosen})
    named = [*([chosen.sample] if chosen.sample else []), *(one.receive for one in chosen.webhooks)]
    for reference in named:
        if not callable(chosen.code(reference)):
            raise Misconfigured(
                f"{chosen.package}/pack.toml: {reference!r} cannot be called.", hint="Name a function."
            )


@command
@_pack
@_tenant
@with_settings("home", "database_url")
async def webhooks(console: Console, *, settings: Settings, pack: str, tenant: str) -> None:
    """Show where others post PACK's webhooks for a tenant, how they sign, and with which secret."""
    async with open_desk(settings) as desk:
        await desk.tenants.find(tenant)
        chosen = Packs(desk.storage, installed_packs()).find(pack)
        if not chosen.webhooks:
            console.show({"webhooks": []}, f"The pack {pack} has no webhooks.")
            return
        principal = desk.tenants.principal(tenant)
        senders = await open_webhooks(settings, desk.storage).senders(principal, chosen)
    listed = [
        {"path": path, **asdict(one.signature)}
        for path, one in zip(senders.paths, chosen.webhooks, strict=True)
    ]
    lines = [
        f"{path}\n  {_signed(one.signature)}"
        for path, one in zip(senders.paths, chosen.webhooks, strict=True)
    ]
    console.show(
        {"secret": senders.secret, "webhooks": listed}, "\n".join([*lines, f"Secret: {senders.secret}"])
    )


def _signed(by: Signature) -> str:
    """How a sender signs, in words."""
    told = f"{by.header}: {by.prefix}<HMAC-SHA256 of {by.signed} in {by.encoding}>"
    return f"{told}, {by.timestamp_header}: <seconds since 1970>" if by.timestamp_header else told


def _halves(judged: list[Judged]) -> list[tuple[str, list[Judged]]]:
    held = [one for one in judged if one.case.held]
    seen = [one for one in judged if not one.case.held]
    return [(name, some) for name, some in (("developed on", seen), ("held out", held)) if some]


def _faults(one: Judged) -> list[str]:
    return [
        *(f"wrong:  {text}  ← {one.case.says}" for text in sorted(one.wrong)),
        *(f"missed: {text}  ← {one.case.says}" for text in sorted(one.missed)),
    ]


pack.add_command(list_, "list")
for each in (on, off, sample, check, webhooks):
    pack.add_command(each)
