"""The people who are remembered."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from recollect.interfaces.http import answers
from recollect.interfaces.http.calls import Asked
from recollect.interfaces.http.cursors import parse_user_cursor, user_cursor
from recollect.interfaces.http.paths import UserId
from recollect.interfaces.http.requests import PageRequest, UserChanges

router = APIRouter(prefix="/v1/users", tags=["users"])


@router.get("", response_model=answers.UserPage)
async def list_users(asked: Asked, wanted: Annotated[PageRequest, Query()]) -> Response:
    """People by their ids. Not for a person's own credential."""
    after = parse_user_cursor(wanted.cursor)
    found = await asked.service.users(asked.principal, after=after, limit=wanted.limit + 1)
    page = found[: wanted.limit]
    more = user_cursor(page[-1].user_id) if len(found) > wanted.limit else None
    return answers.UserPage(users=[answers.Person.of(one) for one in page], next_cursor=more).send()


@router.get("/{user_id:id}", response_model=answers.User)
async def get_user(asked: Asked, user_id: UserId) -> Response:
    """One person, with exact counts of what is remembered of them."""
    return answers.User.of(await asked.service.user(asked.principal, user_id)).send()


@router.patch("/{user_id:id}", response_model=answers.User)
async def describe_user(asked: Asked, user_id: UserId, changes: UserChanges) -> Response:
    """Set what the tenant knows of a person, who is made if new; what is left out stays."""
    described = await asked.service.describe_user(
        asked.principal, user_id, names=changes.names, attributes=changes.attributes
    )
    return answers.User.of(described).send()


@router.delete("/{user_id:id}", response_model=answers.Forgotten)
async def forget_user(asked: Asked, user_id: UserId) -> Response:
    """Delete a person and everything that is remembered of them. Of an unknown one, nothing is deleted."""
    return answers.Forgotten.of(await asked.service.forget_user(asked.principal, user_id)).send()
