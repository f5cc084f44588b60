"""Months in a few sentences: of whoever has many sessions, the old ones' summaries rolled up."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence
from datetime import UTC, datetime
from uuid import UUID

from recollect.core.consolidate.summarising import LONGEST, essence
from recollect.core.embeddings import Embeddings
from recollect.core.errors import ModelRetired
from recollect.core.ids import NEWEST, derived_id
from recollect.core.indexing import Text, index_notes
from recollect.core.model import JsonObject, Kind, Memory, Principal
from recollect.core.ports import Storage

KEPT = 24
"""So many of a person's newest sessions are left out of roll-ups: their own summaries say more."""

MOST = 1_000
"""So many summaries of a person are read to be rolled up."""

MOST_TOPICS = 8

SOURCE: JsonObject = {"extractor": "roll-up", "version": 1}


def rolled(summaries: Sequence[Memory]) -> list[Memory]:
    """The roll-ups that are missing, or rest on other sessions than there are: one for each month.

    `summaries`: all of a person's, roll-ups among them. A month of which a session is among the newest KEPT
    has none yet.
    """
    sessions = sorted((one for one in summaries if one.session_id), key=lambda one: (one.valid_from, one.id))
    kept = {_month(one) for one in sessions[-KEPT:]}
    known = {one.id: one.evidence for one in summaries if not one.session_id}
    months = defaultdict[datetime, list[Memory]](list)
    for one in sessions[:-KEPT]:
        if _month(one) not in kept:
            months[_month(one)].append(one)
    rows = [_roll_up(month, of_month) for month, of_month in sorted(months.items())]
    return [row for row in rows if known.get(row.id) != row.evidence]


def _month(summary: Memory) -> datetime:
    at = summary.valid_from.astimezone(UTC)
    return at.replace(day=1, hour=0, minute=0, second=0, microsecond=0)


def _roll_up(month: datetime, summaries: Sequence[Memory]) -> Memory:
    whose = summaries[0].user_id
    begin = UUID(int=max(int(month.timestamp() * 1_000), 0) << 80)
    topics = Counter(topic for one in summaries for topic in one.metadata.get("topics", ()))
    return Memory(
        id=derived_id(begin, "roll-up", whose or "", month.isoformat()),
        kind=Kind.SUMMARY,
        content=essence(summaries, LONGEST),
        user_id=whose,
        trust=min(one.trust for one in summaries),
        min_role=max(one.min_role for one in summaries),
        valid_from=month,
        recorded_at=max(one.recorded_at for one in summaries),
        expires_at=min((one.expires_at for one in summaries if one.expires_at), default=None),
        evidence=tuple(one.id for one in summaries),
        source=SOURCE,
        metadata={
            "topics": [topic for topic, _ in topics.most_common(MOST_TOPICS)],
            "sessions": len(summaries),
        },
    )


async def roll_up(
    storage: Storage, embeddings: Embeddings, principal: Principal, user_id: str, now: datetime
) -> int:
    """Roll up what is old of a person's sessions; the number of roll-ups that were written.

    What was forgotten meanwhile is not written: whatever a roll-up rests on must still be there.
    """
    async with storage.transaction(principal) as tx:
        summaries = await tx.summaries_of(user_id, before=NEWEST, limit=MOST, now=now)
    rows = rolled(summaries)
    if not rows:
        return 0
    model, indexed = await index_notes([Text(row.content, row.valid_from) for row in rows], embeddings)
    try:
        async with storage.transaction(principal) as tx:
            await tx.lock_person(user_id)
            if await tx.summaries_of(user_id, before=NEWEST, limit=MOST, now=now) != summaries:
                return 0  # whoever was faster rolls up
            await tx.delete_memories([row.id for row in rows])
            await tx.insert_memories(list(zip(rows, indexed, strict=True)), model)
    except ModelRetired:
        await embeddings.refresh()
        return 0
    return len(rows)
