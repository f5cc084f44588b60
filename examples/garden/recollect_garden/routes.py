"""The pack's own routes, under /garden."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from pydantic import Field
from starlette.responses import Response

from recollect.core.consolidate.linking import person_id
from recollect.core.graph import Reach
from recollect.interfaces.http.answers import Answer
from recollect.interfaces.http.calls import Asked
from recollect.interfaces.http.paths import UserId
from recollect.interfaces.http.requests import shown
from recollect_garden import PACK

router = APIRouter(tags=["garden"])


class PlantList(Answer):
    """What somebody grows."""

    model_config = shown({"plants": ["basil", "tomatoes"]})

    plants: list[str] = Field(description="By name.")


@router.get("/plants/{user_id:id}", response_model=PlantList)
async def list_plants(asked: Asked, user_id: UserId) -> Response:
    """The plants that somebody grows now, from the graph."""
    grows = Reach(kinds=["grows"])
    around = await asked.service.neighbours(asked.principal, person_id(user_id), grows)
    return PlantList(plants=sorted({one.entity.name for one in around.near})).send()


class Advice(Answer):
    """What an adviser should know before they answer."""

    model_config = shown({"context": "<remembered>…</remembered>"})

    context: str = Field(description="A text for the prompt; what is remembered is marked as data.")


@router.get("/advice/{user_id:id}", response_model=Advice)
async def get_advice(
    asked: Asked, user_id: UserId, query: Annotated[str, Query(max_length=4_000)] = ""
) -> Response:
    """What is known of somebody, and what answers their question."""
    brief = await asked.service.brief(asked.principal, PACK.context("advice"), query, user_id)
    return Advice(context=brief.context.text).send()
