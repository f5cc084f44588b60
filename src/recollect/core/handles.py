"""A tenant, and a person of theirs, as a library's user holds them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Self
from uuid import UUID

from recollect.core.errors import Invalid
from recollect.core.model import (
    Context,
    Filter,
    Forgotten,
    JsonObject,
    Kind,
    Memory,
    Message,
    Note,
    Principal,
    Recalled,
    Remembered,
    Turns,
    tenant_id_of,
)
from recollect.core.ports import Storage
from recollect.core.service import Service
from recollect.core.tenants import check_tenant_name


class TenantMemory:
    """A business's memory. The tenant is made by the first write.

    Everything of `service` is at hand with `principal`, for what these handles leave out.
    """

    def __init__(self, service: Service, storage: Storage, name: str) -> None:
        self.name = check_tenant_name(name)
        self.service = service
        self.principal = Principal(tenant_id_of(name), subject="library")
        self._storage = storage
        self._exists = False

    async def create(self) -> Self:
        """Make the tenant, unless it is there."""
        if not self._exists:
            async with self._storage.transaction(self.principal) as tx:
                await tx.create_tenant(self.name)
            self._exists = True
        return self

    def user(self, user_id: str) -> UserMemory:
        """The memory of one person; the id is the tenant's own for them."""
        return UserMemory(self, user_id)

    async def recall(self, query: str, *, limit: int = 10, **scope: Any) -> Recalled:
        """What the tenant's shared memories answer, or everybody's with `all_users`; `scope`: of `Filter`."""
        return await self.service.recall(self.principal, query, Filter(**scope), limit=limit)


class UserMemory:
    """The memory of one person."""

    def __init__(self, tenant: TenantMemory, user_id: str) -> None:
        if not user_id:
            raise Invalid("A user's id is empty.")
        self.user_id = user_id
        self._tenant = tenant

    async def remember(
        self,
        content: str | Message | Sequence[Message],
        *,
        session: str | None = None,
        agent: str | None = None,
        at: datetime | None = None,
        idempotency_key: str | None = None,
    ) -> Remembered:
        """Keep what was said in a session, or, without one, a fact about the person.

        Raises:
            Invalid, TooLarge, SessionBelongsToAnother: as `Service.remember` does.
        """
        await self._tenant.create()
        service, principal = self._tenant.service, self._tenant.principal
        if session is None:
            if not isinstance(content, str):
                raise Invalid("Messages need a session.")
            note = Note(content, user_id=self.user_id, agent_id=agent, valid_from=at)
            return await service.add(principal, [note], idempotency_key=idempotency_key)
        if at and not isinstance(content, str):
            raise Invalid("Messages have their own times: leave out `at`.")
        messages = [Message(content, at=at)] if isinstance(content, str) else content
        messages = [messages] if isinstance(messages, Message) else messages
        turns = Turns(session, messages, user_id=self.user_id, agent_id=agent)
        return await service.remember(principal, turns, idempotency_key=idempotency_key)

    async def note(
        self, content: str, *, kind: Kind = Kind.FACT, metadata: JsonObject | None = None, **fields: Any
    ) -> UUID:
        """Keep something about the person that nobody said in a session; `fields`: those of `Note`."""
        await self._tenant.create()
        note = Note(content, kind=kind, user_id=self.user_id, metadata=metadata or {}, **fields)
        return (await self._tenant.service.add(self._tenant.principal, [note])).ids[0]

    async def recall(self, query: str, *, limit: int = 10, **scope: Any) -> Recalled:
        """The memories that answer the query best, the best first; `scope`: fields of `Filter`."""
        where = Filter(user_id=self.user_id, **scope)
        return await self._tenant.service.recall(self._tenant.principal, query, where, limit=limit)

    async def context(self, query: str, *, budget: int = 1_000, session: str | None = None) -> Context:
        """What an agent should know before it answers, in at most `budget` tokens."""
        where = Filter(user_id=self.user_id)
        return await self._tenant.service.context(
            self._tenant.principal, query, where, budget=budget, session_id=session
        )

    async def memories(self, *, limit: int = 50, before: UUID | None = None, **scope: Any) -> list[Memory]:
        """The newest memories of the person."""
        where = Filter(user_id=self.user_id, include_shared=False, **scope)
        return await self._tenant.service.memories(self._tenant.principal, where, before=before, limit=limit)

    async def forget(self) -> Forgotten:
        """Delete the person and everything that is remembered of them."""
        return await self._tenant.service.forget_user(self._tenant.principal, self.user_id)
