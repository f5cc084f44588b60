"""What goes with a memory that is forgotten or rewritten: everything that was derived from it."""

from __future__ import annotations

import asyncio
from collections.abc import Collection
from dataclasses import replace
from uuid import UUID

from recollect.core.consolidate.resolving import Resolved, resolve
from recollect.core.model import Memory, Standing
from recollect.core.ports import Transaction

DECIDED = frozenset({Standing.CONFIRMED, Standing.REJECTED})
"""What people said of a fact."""


async def write_settled(tx: Transaction, resolved: Resolved) -> None:
    """Write what becomes of facts that are known, and of the turns that told them."""
    await tx.settle_facts(resolved.change)
    await tx.untell(resolved.untold)
    await tx.tell_anew(resolved.retold)


async def unlearn(  # noqa: PLR0913 - what went, and how
    tx: Transaction,
    user_id: str | None,
    ids: Collection[UUID],
    session: str | None,
    *,
    speaking: Collection[UUID] = (),
    rewritten: Memory | None = None,
) -> int:
    """Take back all that was derived from memories of a person, and return how many rows that were.

    The memories were forgotten, or the one was `rewritten`. What rested on others too goes as well. Their
    sessions, those of the turns that are `speaking` of the same, and `session`, are to be understood anew:
    what still holds is derived again. What had been closed by what goes holds again. What people wrote stays,
    without what it rested on; what they confirmed or rejected stays while anything is left that says it. The
    person must be locked.

    From here on the transaction sees all of the tenant: what was derived may be above whoever forgets.
    """
    await tx.see_all()
    gone, kept = await _fallen(tx, user_id, frozenset(ids), session, rewritten)
    others = await tx.withdraw(user_id, sorted({*ids, *gone}))
    await tx.delete_memories(sorted(gone))
    await tx.settle_facts(kept)
    facts = await tx.facts_of(user_id)
    await write_settled(tx, await asyncio.to_thread(resolve, facts, ()))
    evidence = {turn for memory in gone.values() for turn in memory.evidence}
    await tx.reopen_sessions(sorted(evidence.union(others, speaking)), session)
    return len(gone)


async def _fallen(
    tx: Transaction,
    user_id: str | None,
    ids: frozenset[UUID],
    session: str | None,
    rewritten: Memory | None,
) -> tuple[dict[UUID, Memory], list[Memory]]:
    """Of what rests on the memories, what goes, by id; and what stays, as it is then."""
    gone: dict[UUID, Memory] = {}
    kept: dict[UUID, Memory] = {}
    lost = set(ids)
    while lost:
        resting = await tx.derived_from(user_id, sorted(lost), session)
        lost = set()
        for row in resting:
            if row.id in gone or row.id in ids:
                continue
            stays = _left(kept.get(row.id, row), ids | gone.keys(), rewritten)
            if stays:
                kept[row.id] = stays
            else:
                gone[row.id] = row
                lost.add(row.id)
    return gone, [row for id_, row in kept.items() if id_ not in gone]


def _left(row: Memory, lost: Collection[UUID], rewritten: Memory | None) -> Memory | None:
    """The row without what is lost to it; None: nothing is left."""
    if rewritten and row.claim and row.claim.value.lower() in rewritten.content.lower():
        lost = set(lost) - {rewritten.id}
    evidence = tuple(id_ for id_ in row.evidence if id_ not in lost)
    if "extractor" not in row.source:
        return replace(row, evidence=evidence)
    if row.standing not in DECIDED or not evidence:
        return None
    above = rewritten if rewritten and rewritten.id in evidence else row
    ends = [at for at in (row.expires_at, above.expires_at) if at]
    return replace(
        row,
        evidence=evidence,
        min_role=max(row.min_role, above.min_role),
        expires_at=min(ends, default=None),
        source={name: value for name, value in row.source.items() if name != "quote"},
    )
