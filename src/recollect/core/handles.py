"""A tenant, and a person of theirs, as a library's user holds them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, Self
from uuid import UUID

from recollect.core.answering import Answer
from recollect.core.bounds import LARGEST_PAGE
from recollect.core.briefing import Brief
from recollect.core.consolidate.linking import person_id
from recollect.core.errors import Invalid, NotFound
from recollect.core.graph import Listing, Neighbourhood, Reach
from recollect.core.model import (
    Context,
    Entity,
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
    Which,
    tenant_id_of,
)
from recollect.core.ports import Storage
from recollect.core.service import Service
from recollect.core.summaries import PersonSummary, ToDo
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

    async def turn_on(self, pack: str) -> bool:
        """Have what is said from now on read by a pack, too; False: it is already.

        Raises:
            NotFound: there is no such pack.
        """
        await self.create()
        return await self.service.packs.turn_on(self.principal, pack)

    async def turn_off(self, pack: str) -> bool:
        """Turn a pack off; what was remembered with it stays. False: it was not on."""
        return await self.service.packs.turn_off(self.principal, pack)

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

    async def remember(  # noqa: PLR0913 - a turn's own fields
        self,
        content: str | Message | Sequence[Message],
        *,
        session: str | None = None,
        agent: str | None = None,
        at: datetime | None = None,
        idempotency_key: str | None = None,
        wait: float | None = None,
    ) -> Remembered:
        """Keep what was said in a session, or, without one, a fact about the person.

        `wait`: also understand what was said, within so many seconds; `consolidated` tells whether it is.

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
        return await service.remember(principal, turns, idempotency_key=idempotency_key, wait=wait)

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

    async def brief(self, query: str, *, pack: str, context: str | None = None) -> Brief:
        """What an agent of a pack's domain should know before it answers; `context`: the template's name.

        Raises:
            NotFound: there is no such pack.
            Misconfigured: it has no such template.
        """
        chosen = self._tenant.service.packs.find(pack)
        return await self._tenant.service.brief(
            self._tenant.principal, chosen.context(context), query, self.user_id
        )

    async def answer(self, question: str) -> Answer:
        """The answer to a plain question ("When did I last mention leather?"), with its sources."""
        where = Filter(user_id=self.user_id)
        return await self._tenant.service.answer(self._tenant.principal, question, where)

    async def summary(self) -> PersonSummary:
        """What stands for the person: the most telling facts, and the last conversations."""
        return await self._tenant.service.user_summary(self._tenant.principal, self.user_id)

    async def actions(self, *, done: bool = False, limit: int = 50) -> list[ToDo]:
        """What was promised and asked for, and is still to be done; with `done`, also what is."""
        service, principal = self._tenant.service, self._tenant.principal
        return await service.actions(principal, self.user_id, done=done, limit=limit)

    async def memories(self, *, limit: int = 50, before: UUID | None = None, **scope: Any) -> list[Memory]:
        """The newest memories of the person."""
        where = Filter(user_id=self.user_id, include_shared=False, **scope)
        return await self._tenant.service.memories(self._tenant.principal, where, before=before, limit=limit)

    async def facts(
        self,
        *,
        subject: str | None = None,
        attribute: str | None = None,
        history: bool = False,
        limit: int = 50,
        **scope: Any,
    ) -> list[Memory]:
        """What is known of the person in parts, the newest first; `history`: also what held once."""
        where = Filter(user_id=self.user_id, include_shared=False, **scope)
        which = Which(where, subject, attribute, history)
        return await self._tenant.service.facts(self._tenant.principal, which, limit=limit)

    async def entities(self, *, prefix: str | None = None, kinds: Sequence[str] = ()) -> list[Entity]:
        """Whom and what the person speaks of, as many as are on a page; `prefix`: of a name, or an alias."""
        which = Listing(self.user_id, kinds, prefix)
        return await self._tenant.service.entities(self._tenant.principal, which, limit=LARGEST_PAGE)

    async def entity(self, name: str) -> Entity | None:
        """Whom or what the person means by a name ("my sister"); None: nobody and nothing that is known."""
        service, principal = self._tenant.service, self._tenant.principal
        found = await service.search_entities(principal, name, user_id=self.user_id, limit=1)
        return found[0].entity if found and found[0].named else None

    async def neighbours(
        self, entity: UUID | str | None = None, *, hops: int = 1, **reach: Any
    ) -> Neighbourhood:
        """What is around an entity, by its id or its name, or around the person themself.

        `reach`: fields of `Reach`.

        Raises:
            NotFound: there is no such entity; of the person, nothing is known yet.
        """
        where = Reach(hops, user_id=self.user_id, **reach)
        if isinstance(entity, str):
            named = await self.entity(entity)
            if named is None:
                raise NotFound("The person speaks of nobody and nothing by this name.")
            entity = named.id
        start = entity or person_id(self.user_id)
        return await self._tenant.service.neighbours(self._tenant.principal, start, where)

    async def forget(self) -> Forgotten:
        """Delete the person and everything that is remembered of them."""
        return await self._tenant.service.forget_user(self._tenant.principal, self.user_id)
