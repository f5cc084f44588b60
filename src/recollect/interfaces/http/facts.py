"""Facts in parts: what holds, how it came to be, and what people say of it."""

from __future__ import annotations

from typing import Annotated, TypeAlias
from uuid import UUID

from fastapi import APIRouter, Path, Query
from pydantic import Field
from starlette.responses import Response

from recollect.core import model
from recollect.core.facts import Edit
from recollect.interfaces.http import answers
from recollect.interfaces.http.calls import Asked
from recollect.interfaces.http.cursors import memory_cursor, parse_memory_cursor
from recollect.interfaces.http.requests import Content, Id, PageRequest, Shape, Time, shown

FactId: TypeAlias = Annotated[UUID, Path(description="The fact's id, as a list or a recall gave it.")]

router = APIRouter(prefix="/v1/facts", tags=["facts"])


class FactList(PageRequest):
    """Which facts."""

    user_id: Id | None = Field(
        None, description="About this person. Unset: what the tenant shares; for a person's key, their own."
    )
    include_shared: bool = Field(False, description="With a user: also what the tenant shares.")
    subject: str | None = Field(
        None, max_length=2_000, description='About whom: "user" is the person themself.'
    )
    attribute: str | None = Field(None, max_length=2_000, description="What they tell, as facts have it.")
    as_of: Time | None = Field(None, description="True at that time.")
    known_at: Time | None = Field(None, description="As it was known at that time.")
    history: bool = Field(False, description="Also those that held once, or were taken back.")

    def which(self) -> model.Which:
        """As the core has it."""
        scope = model.Filter(
            user_id=self.user_id,
            include_shared=self.include_shared,
            as_of=self.as_of,
            known_at=self.known_at,
        )
        return model.Which(scope, self.subject, self.attribute, self.history)


class FactEdit(Shape):
    """What to put right of a fact; what is left out stays."""

    model_config = shown({"value": "Atlanta"})

    value: str | None = Field(None, min_length=1, max_length=2_000, description="What it really is.")
    content: Content | None = Field(
        None, description="The sentence. Unset: the old one, with the new value in it."
    )
    valid_from: Time | None = Field(None, description="Since when it is so.")


class FactHistory(answers.Answer):
    """All that was ever held of one thing, the oldest first."""

    model_config = shown({"facts": []})

    facts: list[answers.Memory] = Field(
        description="Each says until when it held (`valid_to`), what took its place, and what it rests on."
    )


@router.get("", response_model=answers.MemoryPage)
async def list_facts(asked: Asked, wanted: Annotated[FactList, Query()]) -> Response:
    """The facts that were learned last about a person, each in parts, with what it rests on."""
    before = parse_memory_cursor(wanted.cursor)
    found = await asked.service.facts(asked.principal, wanted.which(), before=before, limit=wanted.limit + 1)
    page = found[: wanted.limit]
    more = memory_cursor(page[-1].id) if len(found) > wanted.limit else None
    return answers.MemoryPage(memories=[answers.Memory.of(one) for one in page], next_cursor=more).send()


@router.get("/{fact_id}/history", response_model=FactHistory)
async def fact_history(asked: Asked, fact_id: FactId) -> Response:
    """All that was ever held of the fact's subject and attribute."""
    found = await asked.service.fact_history(asked.principal, fact_id)
    return FactHistory(facts=[answers.Memory.of(one) for one in found]).send()


@router.post("/{fact_id}/confirm", response_model=answers.Memory)
async def confirm_fact(asked: Asked, fact_id: FactId) -> Response:
    """Say that a fact is so: nothing that is read later ends it; what says otherwise stands beside it."""
    return answers.Memory.of(await asked.service.confirm_fact(asked.principal, fact_id)).send()


@router.post("/{fact_id}/reject", response_model=answers.Memory)
async def reject_fact(asked: Asked, fact_id: FactId) -> Response:
    """Say that a fact is not so, and never was: it is not recalled any more, and not learned again."""
    return answers.Memory.of(await asked.service.reject_fact(asked.principal, fact_id)).send()


@router.patch("/{fact_id}", response_model=answers.Memory)
async def edit_fact(asked: Asked, fact_id: FactId, edit: FactEdit) -> Response:
    """Put a fact right: the answer is the new one, confirmed, which takes the old one's place."""
    edited = await asked.service.edit_fact(
        asked.principal, fact_id, Edit(edit.value, edit.content, edit.valid_from)
    )
    return answers.Memory.of(edited).send()
