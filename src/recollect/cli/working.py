"""`recollect worker`: a process that understands what was said, beside those that serve."""

from __future__ import annotations

import click

from recollect.cli.command import command, with_settings
from recollect.cli.console import Console
from recollect.cli.opening import open_memory
from recollect.cli.serving import quieten, until_stopped
from recollect.settings import Settings


@command
@click.option("--concurrency", type=click.IntRange(1, 64), help="As RECOLLECT_WORKER_CONCURRENCY.")
@with_settings("home", "database_url", "pool_size", "model")
async def worker(console: Console, settings: Settings, concurrency: int | None) -> None:
    """Understand what was said, as it comes, until it is interrupted.

    `recollect serve` does so too, unless RECOLLECT_WORKER is false. Any number of workers may run at once.
    """
    quieten()
    await until_stopped(_work(console, settings, concurrency))


async def _work(console: Console, settings: Settings, concurrency: int | None) -> None:
    async with open_memory(settings) as memory:
        console.note("The worker is at its work.")
        await memory.work(concurrency)
