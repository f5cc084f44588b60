"""`recollect pack`: the domains that are installed, and which of them a tenant has turned on."""

from __future__ import annotations

from dataclasses import asdict

import click

from recollect.cli.command import command, with_settings
from recollect.cli.console import Console, Steps, counted
from recollect.cli.memories import known_tenant
from recollect.cli.opening import open_desk, open_memory
from recollect.core.cases import Judged, Score, judge
from recollect.core.consolidate.attributes import read_vocabulary
from recollect.core.errors import NotFound
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


async def _turned(settings: Settings, tenant: str, name: str, *, on: bool) -> bool:
    async with open_desk(settings) as desk:
        await desk.tenants.find(tenant)
        packs, principal = Packs(desk.storage, installed_packs()), desk.tenants.principal(tenant)
        return await (packs.turn_on(principal, name) if on else packs.turn_off(principal, name))


@command
@_pack
@_tenant
@with_settings("home", "database_url")
async def on(console: Console, *, settings: Settings, pack: str, tenant: str) -> None:
    """Turn PACK on: what is said from now on is read by its rules, and its routes answer."""
    new = await _turned(settings, tenant, pack, on=True)
    told = f"{pack} is on for {tenant}." if new else f"{pack} was on for {tenant} already."
    console.show({"pack": pack, "on": True, "changed": new}, told)


@command
@_pack
@_tenant
@with_settings("home", "database_url")
async def off(console: Console, *, settings: Settings, pack: str, tenant: str) -> None:
    """Turn PACK off; what was remembered with it stays."""
    gone = await _turned(settings, tenant, pack, on=False)
    told = f"{pack} is off for {tenant}." if gone else f"{pack} was not on for {tenant}."
    console.show({"pack": pack, "on": False, "changed": gone}, told)


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
async def check(console: Console, *, pack: str) -> None:
    """Read PACK's evaluation cases by its rules, and show what is read wrongly or not at all."""
    chosen = installed_packs().get(pack)
    if chosen is None:
        raise NotFound(
            f"There is no pack {pack!r} here.", hint="`recollect pack list` shows those there are."
        )
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
        "\n".join(lines),
    )


@command
@_pack
@_tenant
@with_settings("home", "database_url")
async def webhooks(console: Console, *, settings: Settings, pack: str, tenant: str) -> None:
    """Show where others post PACK's webhooks for a tenant, and the secret that they sign with."""
    async with open_desk(settings) as desk:
        await desk.tenants.find(tenant)
        chosen = Packs(desk.storage, installed_packs()).find(pack)
        principal = desk.tenants.principal(tenant)
        senders = await open_webhooks(settings, desk.storage).senders(principal, chosen)
    console.show(asdict(senders), "\n".join([*senders.paths, f"Secret: {senders.secret}"]))


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
