"""Workers are killed in the middle of jobs, again and again, beside writers: what is learned is the same."""

from __future__ import annotations

import asyncio
import os
import random
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from testbed import NOON, Bed, Database, HashedWords, clone, drop, make_bed

from recollect.core.consolidate.consolidation import Consolidator
from recollect.core.model import Message, Turns

pytestmark = pytest.mark.anyio

TESTS = Path(__file__).parents[1]
PEOPLE, SESSIONS, ROUNDS, KILLS = 4, 2, 6, 5
PLACES = ("Atlanta", "Boston", "Chicago", "Denver", "Lisbon", "Munich")
SAID = ("I live in {}.", "My sister lives in {}.", "I moved from {} years ago.", "I love the museums of {}.")

STATE = """
SELECT kind, user_id, session_id, seq, content, claim::text, valid_from, valid_to, recorded_at, superseded_at,
    standing, cardinality(evidence), superseded_by IS NOT NULL
FROM memories ORDER BY 1, 2, 3, 4, 5, 6, 7, 8"""
HURRY = "UPDATE jobs.procrastinate_jobs SET scheduled_at = NULL WHERE status = 'todo' RETURNING 1"
MARKS = "SELECT session_id, last_seq, consolidated_seq FROM sessions ORDER BY 1"
GRAPH = """
SELECT e.user_id, e.name, e.kind, (SELECT count(*) FROM mentions WHERE entity_id = e.id),
    (SELECT count(*) FROM relations WHERE source_id = e.id)
FROM entities AS e ORDER BY 1, 2, 3, 4, 5"""


def conversation(turn: int, person: int, session: int) -> Turns:
    """What is said in a round; the same each time it is asked for."""
    at = NOON + timedelta(hours=turn, minutes=person * 10 + session)
    place = PLACES[(turn + person) % len(PLACES)]
    message = Message(SAID[(turn + session) % len(SAID)].format(place), at=at)
    return Turns(f"s{person}-{session}", [message, Message("I see.", role="assistant", at=at)], f"u{person}")


@contextmanager
def worker(database: Database) -> Iterator[subprocess.Popen[bytes]]:
    """A worker's process; at the end it is killed."""
    process = subprocess.Popen(
        [sys.executable, TESTS / "e2e" / "one_worker.py", database.url],
        env=os.environ | {"PYTHONPATH": str(TESTS)},
    )
    with process:
        try:
            yield process
        finally:
            process.kill()


async def write(bed: Bed, *, pause: float) -> None:
    """Everybody talks at once."""
    tenant = await bed.tenant("loft")

    async def talk(person: int, session: int) -> None:
        for turn in range(ROUNDS):
            await bed.service.remember(tenant, conversation(turn, person, session))
            await asyncio.sleep(pause)

    await asyncio.gather(*(talk(person, session) for person in range(PEOPLE) for session in range(SESSIONS)))


async def kill_workers(database: Database) -> None:
    """Two workers at a time, each killed after a moment, at random, while others hurry the jobs."""
    chance = random.Random(7)
    for _ in range(KILLS):
        with worker(database), worker(database):
            await asyncio.sleep(1 + chance.random())
            # In a thread: a writer of this very process may hold a row that this waits for.
            await asyncio.to_thread(database.rows, HURRY)
            await asyncio.sleep(chance.random() / 4)


def learned(database: Database) -> list[list[tuple[Any, ...]]]:
    """All that is known, whatever its ids are."""
    return [database.rows(query) for query in (STATE, MARKS, GRAPH)]


async def test_killed_workers_leave_the_state_of_an_undisturbed_run(bed: Bed, template: Database) -> None:
    await asyncio.gather(write(bed, pause=0.3), kill_workers(bed.database))
    with worker(bed.database):
        async with asyncio.timeout(90):
            while bed.database.rows("SELECT 1 FROM jobs.procrastinate_jobs"):  # noqa: ASYNC110 - of another process
                await asyncio.sleep(0.1)
    calm = clone(template)
    try:
        async with make_bed(calm, HashedWords()) as undisturbed:
            await write(undisturbed, pause=0)
            consolidator = Consolidator(undisturbed.storage, undisturbed.embeddings)
            for tenant_id, key in calm.rows("SELECT tenant_id, key FROM sessions ORDER BY session_id"):
                await consolidator.consolidate(tenant_id, key)
        disturbed, expected = learned(bed.database), learned(calm)
    finally:
        drop(calm)
    assert {last == consolidated == 2 * ROUNDS for _, last, consolidated in disturbed[1]} == {True}
    assert disturbed == expected
    assert any(row[5] for row in expected[0])
