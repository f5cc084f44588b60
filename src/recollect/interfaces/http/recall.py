"""Recall, context, forget."""

from __future__ import annotations

import time

from fastapi import APIRouter
from starlette.responses import Response

from recollect.interfaces.http import answers
from recollect.interfaces.http.calls import Asked
from recollect.interfaces.http.memories import forget_one
from recollect.interfaces.http.requests import ContextRequest, ForgetRequest, RecallRequest

router = APIRouter(prefix="/v1", tags=["recall"])


@router.post("/recall", response_model=answers.Recalled)
async def recall(asked: Asked, request: RecallRequest) -> Response:
    """The memories that answer a question best, the best first. Filters apply before anything is ranked."""
    began = time.perf_counter()
    found = await asked.service.recall(asked.principal, request.query, request.filter(), limit=request.limit)
    took = round((time.perf_counter() - began) * 1_000, 2)
    return answers.Recalled.sent(found, took, explain=request.explain)


@router.post("/context", response_model=answers.Context)
async def context(asked: Asked, request: ContextRequest) -> Response:
    """What an agent should know before it answers, as a text for its prompt, with citations."""
    packed = await asked.service.context(
        asked.principal,
        request.query,
        request.filter(),
        budget=request.budget,
        session_id=request.session_id,
    )
    return answers.Context.of(packed).send()


@router.post("/forget", response_model=answers.Forgotten)
async def forget(asked: Asked, request: ForgetRequest) -> Response:
    """Delete one memory, a session with all that was said in it, or a person with all that is remembered.

    Of an unknown one, nothing is deleted.
    """
    service, principal = asked.service, asked.principal
    if request.memory_id:
        forgotten = await forget_one(asked, request.memory_id)
    elif request.session_id:
        forgotten = await service.forget_session(principal, request.session_id)
    else:
        assert request.user_id
        forgotten = await service.forget_user(principal, request.user_id)
    return answers.Forgotten.of(forgotten).send()
