"""What goes with a memory that is forgotten or rewritten: everything that was derived from it."""

from __future__ import annotations

from collections.abc import Collection
from uuid import UUID

from recollect.core.consolidate.resolving import Resolved, resolve
from recollect.core.model import Memory
from recollect.core.ports import Transaction


async def write_settled(tx: Transaction, resolved: Resolved) -> None:
    """Write what becomes of facts that are known, and of the turns that told them."""
    await tx.settle_facts(resolved.change)
    await tx.untell(resolved.untold)
    await tx.tell_anew(resolved.retold)


async def unlearn(tx: Transaction, user_id: str | None, ids: Collection[UUID], session: str | None) -> int:
    """Take back all that was derived from memories of a person, and return how many rows that were.

    What rested on others too goes as well. Their sessions, and `session`, are to be understood anew: what
    still holds is derived again. What had been closed by what goes holds again. What people wrote or said
    stays. The person must be locked.
    """
    gone: dict[UUID, Memory] = {}
    last = set(ids)
    while last:
        derived = await tx.derived_from(user_id, sorted(last), session)
        last = {memory.id for memory in derived} - gone.keys()
        gone |= {memory.id: memory for memory in derived}
    await tx.withdraw(user_id, sorted({*ids, *gone}))
    if gone:
        facts = [fact for fact in await tx.facts_of(user_id) if fact.id not in gone]
        await write_settled(tx, resolve(facts, ()))
        await tx.delete_memories(sorted(gone))
    evidence = {turn for memory in gone.values() for turn in memory.evidence}
    await tx.reopen_sessions(sorted(evidence), session)
    return len(gone)
