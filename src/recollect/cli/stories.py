"""`recollect demo <pack>`: a pack's story on the terminal."""

from __future__ import annotations

from collections.abc import Iterator
from textwrap import fill

import click

from recollect import __version__
from recollect.cli.api import Api
from recollect.cli.console import Console
from recollect.cli.demonstration import first_key, own_key
from recollect.cli.opening import told
from recollect.cli.serving import serving
from recollect.core.consolidate.linking import called
from recollect.core.errors import NotFound, RecollectError
from recollect.core.model import Relation
from recollect.core.pack import Asked, Called, Pack, Said, Shown, Story
from recollect.core.playing import ASSISTANT, Played, Player
from recollect.settings import Settings
from recollect.wiring import installed_packs

_WIDTH = 100
_INDENT = " " * 5


class StoryUntrue(RecollectError):
    """The story did not go as it is told."""

    code = "story_untrue"
    hint = "The steps marked with what is missing show where; with a language model, it may say it otherwise."


async def play_pack(console: Console, settings: Settings, name: str, *, once: bool) -> None:
    """Play the story of a pack in a tenant of its own, `demo-<pack>`, and keep serving, unless it is once.

    Raises:
        NotFound: there is no such pack, or it has no story.
        StoryUntrue: something that the story expects is not there.
    """
    pack = installed_packs().get(name)
    if pack is None or pack.story is None:
        raise NotFound(
            f"There is no pack {name!r} with a story.", hint="`recollect pack list` shows the packs."
        )
    async with told(lambda progress: serving(settings, progress)) as server:
        tenant = f"demo-{name}"
        key = await first_key(server.memory.tenants, tenant)
        async with own_key(server.memory.tenants, tenant) as own, Api(server.url, own) as api:
            principal = server.memory.tenants.principal(tenant)
            await server.memory.service.packs.turn_on(principal, name)
            memory = server.memory
            player = Player(memory.service, memory.replies, principal, pack, api.request)
            played = await _play(console, player, pack.story)
        if missing := [one for each in played for one in each.missing]:
            raise StoryUntrue(f"Expected in vain: {', '.join(missing)}.")
        document = {"url": server.url, "tenant": tenant, "key": key, "steps": played}
        console.show(document, "\n".join(_end(server.url, tenant, pack, key)))
        if not once:
            console.note(f"\nServing on {server.url}; Ctrl-C stops everything.")
            await server.until_ended()


async def _play(console: Console, player: Player, story: Story) -> list[Played]:
    console.tell(click.style(f"\nRecollect {__version__}: {story.about}", bold=True))
    played = []
    async for one in player.play(story):
        console.tell("\n".join(_lines(player.pack, story, one)))
        played.append(one)
    return played


def _lines(pack: Pack, story: Story, played: Played) -> Iterator[str]:
    match played.step:
        case Said(at, _, says, replies):
            yield click.style(f"\n{at:%d %b %Y}", dim=True)
            yield _spoken(story.name, says)
            if replies:
                yield _spoken(ASSISTANT, replies)
        case Asked(at, _, asks):
            assert played.reply
            yield click.style(f"\n{at:%d %b %Y}", dim=True)
            yield _spoken(story.name, asks)
            yield click.style(_spoken(ASSISTANT, played.reply.text), fg="green")
            yield click.style(f"{_INDENT}by {played.reply.by}, from what is remembered", dim=True)
        case Called(calls, why):
            yield click.style(f"{_INDENT}{why}  {calls}", dim=True)
        case Shown():
            yield from _graph(pack, played)
    if played.missing:
        yield click.style(f"{_INDENT}missing: {', '.join(played.missing)}", fg="red")


def _spoken(name: str, text: str) -> str:
    lines = text.splitlines() or [""]
    return "\n".join(
        fill(line, _WIDTH, initial_indent=f"{name}: " if at == 0 else _INDENT, subsequent_indent=_INDENT)
        for at, line in enumerate(lines)
    )


def _graph(pack: Pack, played: Played) -> Iterator[str]:
    """Who and what is around the person, by kind, and what they are to each other."""
    around = played.around
    if around is None:
        return
    yield click.style("\nThe graph", bold=True)
    there = [around.entity, *(one.entity for one in around.near)]
    for kind in dict.fromkeys(map(pack.kind, there)):
        names = ", ".join(called(one) for one in there if pack.kind(one) == kind)
        yield fill(f"{kind}: {names}", _WIDTH, initial_indent=_INDENT, subsequent_indent=_INDENT * 2)
    names_of = {one.id: called(one) for one in there}
    for one in sorted(around.relations, key=lambda one: (one.valid_from, one.id)):
        yield f"{_INDENT}{names_of[one.source_id]} —{one.kind}→ {names_of[one.target_id]}{_until(one)}"


def _until(relation: Relation) -> str:
    return f" (until {relation.valid_to:%d %b %Y})" if relation.valid_to else ""


def _end(url: str, tenant: str, pack: Pack, key: str | None) -> Iterator[str]:
    yield f"\nIts wire is at {url}{pack.path}, and the graph at {url}/v1/entities."
    if key:
        yield f"The API key of the tenant '{tenant}', shown this once:"
        yield click.style(f"  {key}", bold=True)
    if pack.sample:
        yield f"More to look at: `recollect pack sample {pack.name} --tenant {tenant}`."
