"""kill -9 of the server and of PostgreSQL while clients write: is an acknowledged write lost or doubled?

A real server over HTTP, with the embedded PostgreSQL and durability on. Clients write with idempotency
keys and repeat a request until it is acknowledged. At moments drawn from a seed the server's process is
killed, or PostgreSQL's first one, or one that serves a connection, or the server and PostgreSQL together.
A killed server is started again; a killed PostgreSQL is the running server's own to start. At the end
everything is killed and started once more, and every acknowledged message must be there once, under the id
that was acknowledged, with its session's numbers without gap.

    python benchmarks/crash.py --writes 10000 --kills 60 --seed 1
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import httpx2
from served import new_home, recollect

from recollect.storage import embedded

RESULTS = Path(__file__).parent / "results"
CLIENTS = 8
SESSIONS = 4
LARGEST_BATCH = 3
PAUSE = 0.05
PATIENCE = 60
KINDS = ("server", "postmaster", "backend", "both")
EXPECTED = {201, 503}
"""What a request may be answered: it is kept, or it may be repeated."""


@dataclass(slots=True)
class Log:
    """What happened. `acknowledged`: the session and the text by the message's id."""

    acknowledged: dict[str, tuple[str, str]] = field(default_factory=dict)
    kills: Counter[str] = field(default_factory=Counter)
    answers: Counter[int] = field(default_factory=Counter)
    repeats: int = 0
    broken_off: int = 0
    repeated: int = 0
    longest_wait: float = 0


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is there at the end, against what was acknowledged."""

    lost: int
    doubled: int
    strange: int
    gaps: int

    @property
    def is_clean(self) -> bool:
        return not (self.lost or self.doubled or self.strange or self.gaps)


class Supervised:
    """`recollect serve` over a home, started again whenever it was killed."""

    def __init__(self, home: Path, port: int) -> None:
        self.home, self.port = home, port
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-m", "recollect", "serve", "--home", self.home, "--port", str(self.port)],
            stdout=subprocess.DEVNULL,
            env={name: value for name, value in os.environ.items() if not name.startswith("RECOLLECT_")},
        )

    def kill(self) -> None:
        assert self._process
        self._process.kill()
        self._process.wait()

    def check(self) -> None:
        """End everything if the server ended without having been killed."""
        if self._process and self._process.poll() is not None:
            sys.exit(f"The server ended by itself, with {self._process.returncode}.")

    def stop(self) -> None:
        assert self._process
        self._process.terminate()
        self._process.wait(PATIENCE)

    @property
    def postmaster(self) -> int | None:
        """The process id of PostgreSQL's first process; None while there is none."""
        file = self.home / "postgres" / "data" / "postmaster.pid"
        lines = file.read_text().splitlines() if file.exists() else []
        return int(lines[0]) if lines else None

    def backends(self) -> list[int]:
        """The process ids of those that serve a connection."""
        return list(_backends(self.postmaster))

    def strike(self, kind: str, luck: random.Random) -> None:
        """Kill what the kind says; a server is started again."""
        if kind in ("server", "both"):
            self.kill()
        if kind in ("postmaster", "both"):
            _kill(self.postmaster)
        if kind == "backend":
            _kill(luck.choice(self.backends() or [None]))
        if kind in ("server", "both"):
            self.start()


def _kill(process: int | None) -> None:
    if process:
        os.kill(process, signal.SIGKILL)


def _backends(postmaster: int | None) -> Iterator[int]:
    for entry in Path("/proc").iterdir():
        try:
            # The name, in parentheses, may hold anything; the parent is the second word after it.
            parent = (entry / "stat").read_text().rpartition(")")[2].split()[1]
            title = (entry / "cmdline").read_bytes()
        except OSError:
            continue
        if postmaster and parent == str(postmaster) and b"recollect_server" in title:
            yield int(entry.name)


async def write(server: Supervised, client: httpx2.AsyncClient, log: Log, place: int, batch: int) -> None:
    """Write a batch, and repeat it until it is acknowledged."""
    session = f"session-{place % SESSIONS}"
    texts = [f"write {place} part {part}" for part in range(batch)]
    body = {"user_id": "customer-17", "messages": [{"content": text} for text in texts]}
    begun = time.monotonic()
    while True:
        try:
            answer = await client.post(
                f"/v1/sessions/{session}/messages", json=body, headers={"Idempotency-Key": f"write-{place}"}
            )
        except httpx2.TransportError:
            log.broken_off += 1
            server.check()
        else:
            log.answers[answer.status_code] += 1
            if answer.status_code == 201:
                break
            if answer.status_code not in EXPECTED:
                print(answer.text, file=sys.stderr)
        log.repeats += 1
        await asyncio.sleep(PAUSE)
    kept = answer.json()
    log.repeated += kept["repeated"]
    log.longest_wait = max(log.longest_wait, time.monotonic() - begun)
    log.acknowledged |= {id_: (session, text) for id_, text in zip(kept["ids"], texts, strict=True)}


async def write_all(server: Supervised, client: httpx2.AsyncClient, log: Log, batches: list[int]) -> None:
    """Every batch, by several clients at once."""
    places = iter(enumerate(batches))

    async def work() -> None:
        for place, batch in places:
            await write(server, client, log, place, batch)

    async with asyncio.TaskGroup() as group:
        for _ in range(CLIENTS):
            group.create_task(work())


async def strike_all(server: Supervised, log: Log, total: int, kills: int, luck: random.Random) -> None:
    """Kill at moments drawn from the luck: so many acknowledged messages, and a moment more."""
    moments = sorted(luck.randrange(total) for _ in range(kills))
    kinds = [KINDS[place % len(KINDS)] for place in range(kills)]
    luck.shuffle(kinds)
    for moment, kind in zip(moments, kinds, strict=True):
        while len(log.acknowledged) < moment:
            server.check()
            await asyncio.sleep(0.002)
        await asyncio.sleep(luck.uniform(0, 0.05))
        server.strike(kind, luck)
        log.kills[kind] += 1


async def judge(client: httpx2.AsyncClient, log: Log) -> Verdict:
    """Read everything back."""
    found: list[tuple[str, str, str]] = []
    gaps = 0
    for number in range(SESSIONS):
        session = f"session-{number}"
        turns = [turn async for turn in read(client, session)]
        gaps += [turn["seq"] for turn in turns] != list(range(1, len(turns) + 1))
        found += [(turn["id"], session, turn["content"]) for turn in turns]
    there = {id_: (session, text) for id_, session, text in found}
    texts = Counter(text for _, _, text in found)
    return Verdict(
        lost=sum(there.get(id_) != kept for id_, kept in log.acknowledged.items()),
        doubled=sum(texts.values()) - len(texts),
        strange=len(there.keys() - log.acknowledged.keys()),
        gaps=gaps,
    )


async def read(client: httpx2.AsyncClient, session: str) -> AsyncIterator[dict[str, Any]]:
    """A session's messages, page by page."""
    after = 0
    while after is not None:
        answer = await client.get(f"/v1/sessions/{session}/messages", params={"after": after, "limit": 100})
        answer.raise_for_status()
        page = answer.json()
        for turn in page["messages"]:
            yield turn
        after = page["next_after"]


@asynccontextmanager
async def supervised(home: Path) -> AsyncIterator[tuple[Supervised, httpx2.AsyncClient]]:
    """A running server with a tenant, and a client that carries its key. Nothing of it is left running."""
    recollect(home, "tenant", "create", "soak")
    key = recollect(home, "key", "create", "soak", "--name", "soak")["key"]
    server = Supervised(home, _free_port())
    server.start()
    try:
        async with httpx2.AsyncClient(
            base_url=f"http://127.0.0.1:{server.port}",
            headers={"Authorization": f"Bearer {key}"},
            timeout=PATIENCE,
        ) as client:
            await wait(server, client)
            yield server, client
        server.stop()
    finally:
        server.kill()
        embedded.start(home).release()


async def wait(server: Supervised, client: httpx2.AsyncClient) -> None:
    """Return when the server is ready."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        try:
            if (await client.get("/v1/health/ready")).status_code == 200:
                return
        except httpx2.TransportError:
            server.check()
        await asyncio.sleep(PAUSE)
    sys.exit("The server does not get ready.")


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


async def run(home: Path, writes: int, kills: int, seed: int) -> tuple[Log, Verdict, float]:
    """All of it; the seconds are those of the writing."""
    luck = random.Random(seed)
    log = Log()
    batches: list[int] = []
    while sum(batches) < writes:
        batches.append(min(luck.randint(1, LARGEST_BATCH), writes - sum(batches)))
    async with supervised(home) as (server, client):
        begun = time.monotonic()
        async with asyncio.TaskGroup() as group:
            group.create_task(write_all(server, client, log, batches))
            group.create_task(strike_all(server, log, writes, kills, luck))
        seconds = time.monotonic() - begun
        server.strike("both", luck)
        await wait(server, client)
        return log, await judge(client, log), seconds


def report(arguments: argparse.Namespace, log: Log, verdict: Verdict, seconds: float) -> dict[str, object]:
    """The figures, as JSON."""
    return {
        "command": f"python benchmarks/crash.py --writes {arguments.writes} --kills {arguments.kills} "
        f"--seed {arguments.seed}",
        "acknowledged": len(log.acknowledged),
        "kills": dict(sorted(log.kills.items())),
        "answers": {str(status): count for status, count in sorted(log.answers.items())},
        "broken_off": log.broken_off,
        "repeats": log.repeats,
        "answered_as_repeated": log.repeated,
        "longest_wait_seconds": round(log.longest_wait, 2),
        "seconds": round(seconds, 1),
        **asdict(verdict),
    }


def describe(figures: dict[str, object]) -> str:
    """The figures, as a page."""
    rows = "\n".join(f"| {name.replace('_', ' ')} | {value} |" for name, value in figures.items())
    return (
        "# Crash: kill -9 during acknowledged writes\n\n"
        f"What is counted are messages, sent 1 to {LARGEST_BATCH} in a request; the answers are requests.\n\n"
        f"|  |  |\n|---|---|\n{rows}\n"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--writes", type=int, default=10_000, help="messages to be acknowledged")
    parser.add_argument("--kills", type=int, default=60)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--results", type=Path, default=RESULTS)
    arguments = parser.parse_args()
    with new_home() as home:
        log, verdict, seconds = asyncio.run(run(home, arguments.writes, arguments.kills, arguments.seed))
    figures = report(arguments, log, verdict, seconds)
    arguments.results.mkdir(parents=True, exist_ok=True)
    (arguments.results / "crash.json").write_text(json.dumps(figures, indent=2) + "\n")
    (arguments.results / "crash.md").write_text(describe(figures))
    print(describe(figures))
    surprises = set(log.answers) - EXPECTED
    sys.exit(0 if verdict.is_clean and not surprises else 1)


if __name__ == "__main__":
    main()
