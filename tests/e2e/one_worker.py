"""A worker in a process of its own, for a test to kill: `one_worker.py <URL>`. It embeds without a model."""

from __future__ import annotations

import asyncio
import logging
import sys

from testbed import HashedWords, SetClock, open_service

from recollect.adapters.jobs.queue import Pace, PostgresJobs
from recollect.core.consolidate.consolidation import Consolidator
from recollect.interfaces.worker import Worker
from recollect.storage.pool import PostgresStorage

PACE = Pace(poll=0.02, tries=1_000, backoff=0.01, heartbeat=0.1, stalled=0.6)


async def main(url: str) -> None:
    """Work until killed."""
    async with await PostgresStorage.open(url, size=3) as storage:
        embeddings, _ = await open_service(storage, HashedWords(), SetClock())
        worker = Worker(storage, Consolidator(storage, embeddings), keep_days=7)
        await PostgresJobs(url, PACE).work(worker, concurrency=3)


if __name__ == "__main__":
    logging.getLogger("procrastinate").setLevel(logging.CRITICAL)
    asyncio.run(main(sys.argv[1]))
