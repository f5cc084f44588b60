"""How much is remembered, and letting go of what nobody needs."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from uuid import UUID

from recollect.core.access import own_user, require, require_staff
from recollect.core.bounds import EARLIEST
from recollect.core.errors import Invalid
from recollect.core.model import Counts, Forgotten, Permission, Principal
from recollect.core.ports import Clock, Storage
from recollect.core.unlearning import unlearn
from recollect.core.uses import Uses

PAGE = 500
MOST_CLEANED = 20_000
"""So many memories are looked through in one go, and deleted."""

_START = UUID(int=0)


class Statistics:
    """What is counted over all of a tenant, and what is tidied by it."""

    def __init__(self, storage: Storage, clock: Clock, uses: Uses) -> None:
        self._storage = storage
        self._clock = clock
        self.uses = uses

    async def statistics(self, principal: Principal, user_id: str | None = None) -> Counts:
        """How much is remembered, of a person or of all, as far as the principal may see.

        Raises:
            Forbidden: it is another person's credential.
        """
        require(principal, Permission.READ)
        if user_id is not None:
            own_user(principal, user_id)
        async with self._storage.transaction(principal) as tx:
            return await tx.counts(user_id, now=self._clock.now())

    async def clean_up(
        self, principal: Principal, *, older_than: timedelta, fewer_uses: int, dry_run: bool = False
    ) -> Forgotten:
        """Delete what was kept longer ago than that, and was recalled fewer than so many times.

        It concerns memories that stand for themselves: neither turns, nor what was derived of them, nor what
        is pinned. With each goes what rests on it alone, and is counted; a dry run does not count that. At
        most `MOST_CLEANED` in one go: of more, the oldest.

        Raises:
            Forbidden: the principal is one person, or may not forget.
            Invalid: the age, or the number of uses, is below 0.
        """
        require(principal, Permission.FORGET)
        require_staff(principal)
        now = self._clock.now()
        if fewer_uses < 0 or not timedelta() <= older_than <= now - EARLIEST:
            raise Invalid("older_than and fewer_uses are ages and numbers from 0 on.")
        await self.uses.flush(principal.tenant_id)
        unused = await self._unused(principal, now - older_than, fewer_uses)
        if dry_run:
            return Forgotten(memories=sum(map(len, unused.values())))
        gone = 0
        for user_id, ids in unused.items():
            for first in range(0, len(ids), PAGE):
                page = ids[first : first + PAGE]
                gone += await self._forget(principal, user_id, page, now - older_than, fewer_uses)
        return Forgotten(memories=gone)

    async def _unused(
        self, principal: Principal, before: datetime, fewer: int
    ) -> Mapping[str | None, Sequence[UUID]]:
        """What may go, by whose it is."""
        found: defaultdict[str | None, list[UUID]] = defaultdict(list)
        after = _START
        for _ in range(0, MOST_CLEANED, PAGE):
            async with self._storage.transaction(principal) as tx:
                page = await tx.unused_memories(before=before, fewer=fewer, after=after, limit=PAGE)
            for id_, user_id in page:
                found[user_id].append(id_)
            if len(page) < PAGE:
                break
            after = page[-1][0]
        return found

    async def _forget(
        self, principal: Principal, user_id: str | None, ids: Sequence[UUID], before: datetime, fewer: int
    ) -> int:
        """Delete those of a person's memories that may still go, and return how many rows that were."""
        async with self._storage.transaction(principal) as tx:
            await tx.lock_person(user_id)
            left = await tx.unused_memories(before=before, fewer=fewer, after=_START, limit=len(ids), ids=ids)
            going = [id_ for id_, _ in left]
            if not going:
                return 0
            speaking = await tx.withdraw(user_id, going)
            count = await tx.delete_memories(going)
            return count + await unlearn(tx, user_id, going, None, speaking=speaking)
