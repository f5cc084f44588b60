"""How many messages a second are understood on this machine, and how soon after they were written.

    python benchmarks/consolidation.py [--sessions 100] [--messages 20] [--writes 40]

starts a PostgreSQL of its own, writes conversations made here, drains the queue, and then has a worker
understand single writes, one after the other: how long after each was acknowledged its facts were there.
The embedding model is the default one, from $RECOLLECT_HOME.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from recollect.core.model import Message, Principal, Turns
from recollect.core.writing import DEBOUNCE
from recollect.settings import default_home, load_settings
from recollect.wiring import Recollect

RESULTS = Path(__file__).parent / "results"
PLACES = ("Atlanta", "Boston", "Denver", "Lisbon", "Munich", "Osaka", "Quito", "Toronto")
NAMES = ("Maria", "Omar", "Priya", "Sven", "Tomoko", "Wanda")
SAID = (
    "I live in {place} now.",
    "My sister {name} moved to {place} last year.",
    "Could you tell me when the shop in {place} opens?",
    "I don't like leather any more, fabric is better with the dog.",
    "I'm planning to visit {place} in October with {name}.",
    "That sounds good, thank you.",
    "My birthday is on 3 March, and {name}'s a week later.",
    "I work as a nurse in {place}.",
)


def message(chance: random.Random) -> Message:
    """Something that a customer says."""
    return Message(chance.choice(SAID).format(place=chance.choice(PLACES), name=chance.choice(NAMES)))


async def throughput(memory: Recollect, tenant: Principal, sessions: int, messages: int) -> dict[str, Any]:
    """Messages a second from a queue that is full, and what came of them."""
    chance = random.Random(1)
    for place in range(sessions):
        said = [message(chance) for _ in range(messages)]
        await memory.service.remember(tenant, Turns(f"s{place}", said, f"u{place // 2}"))
    began = time.perf_counter()
    await memory.consolidate()
    seconds = time.perf_counter() - began
    lag = await memory.service.lag(tenant)
    return {
        "messages": sessions * messages,
        "left": lag.messages,
        "parked": lag.jobs.parked,
        "seconds": round(seconds, 2),
        "messages_per_second": round(sessions * messages / seconds, 1),
    }


async def delays(memory: Recollect, tenant: Principal, writes: int) -> dict[str, Any]:
    """Seconds from a write until it is understood; a new session begins every 0.3 s."""
    chance = random.Random(2)
    taken: list[float] = []

    async def follow(session: str) -> None:
        began = time.perf_counter()
        await memory.service.remember(tenant, Turns(session, [message(chance)], session))
        while not (await memory.service.session(tenant, session)).consolidated_seq:  # noqa: ASYNC110 - as a client would
            await asyncio.sleep(0.02)
        taken.append(time.perf_counter() - began)

    async with memory.working(), asyncio.TaskGroup() as group:
        for place in range(writes):
            group.create_task(follow(f"d{place}"))
            await asyncio.sleep(0.3)
    return _told(taken) | {"debounce": DEBOUNCE}


async def waits(memory: Recollect, tenant: Principal, writes: int) -> dict[str, Any]:
    """Seconds that a write takes that waits for its facts, with nothing else going on."""
    chance = random.Random(3)
    taken: list[float] = []
    for place in range(writes):
        began = time.perf_counter()
        done = await memory.service.remember(tenant, Turns(f"w{place}", [message(chance)], "ann"), wait=10)
        assert done.consolidated
        taken.append(time.perf_counter() - began)
    return _told(taken)


def _told(taken: list[float]) -> dict[str, Any]:
    p50, p95 = np.percentile(taken, [50, 95]).round(3).tolist()
    return {"writes": len(taken), "p50": p50, "p95": p95}


async def measure(home: Path, arguments: argparse.Namespace) -> dict[str, Any]:
    """Both figures, on a database of their own."""
    (home / "models").symlink_to(default_home() / "models", target_is_directory=True)
    async with Recollect.open(settings=load_settings(home=home)) as memory:
        tenant = (await memory.tenant("bench").create()).principal
        filled = await throughput(memory, tenant, arguments.sessions, arguments.messages)
        return {
            "throughput": filled,
            "wait": await waits(memory, tenant, arguments.writes),
            "delay": await delays(memory, tenant, arguments.writes),
        }


def main() -> None:
    """Measure, print and write down."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    for name, default in (("sessions", 100), ("messages", 20), ("writes", 40)):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--results", type=Path, default=RESULTS)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="recollect-") as folder:
        home = Path(folder)
        home.chmod(0o755)
        figures = asyncio.run(measure(home, arguments))
    filled, wait, delay = figures["throughput"], figures["wait"], figures["delay"]
    text = (
        "# How fast it is understood\n\n"
        f"`python benchmarks/consolidation.py`: {arguments.sessions} sessions of {arguments.messages} "
        "messages made here, by rules, with the default embedding model; a shared machine with 2 cores.\n\n"
        f"- {filled['messages_per_second']:.0f} messages a second, from a full queue to an empty one "
        f"({filled['seconds']:.0f} s, {filled['parked']} jobs parked).\n"
        f"- From a write to its facts: p50 {delay['p50']:.2f} s, p95 {delay['p95']:.2f} s, of which "
        f"{delay['debounce']:.0f} s are waited for more to be said.\n"
        f"- A write that waits for its facts takes {wait['p50']:.2f} s (p50), {wait['p95']:.2f} s (p95).\n"
    )
    print(text)
    (arguments.results / "consolidation.md").write_text(text, "utf-8")
    (arguments.results / "consolidation.json").write_text(json.dumps(figures, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
