"""Sessions and their messages."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Query
from starlette.responses import Response

from recollect.core.access import require_staff
from recollect.interfaces.http import answers
from recollect.interfaces.http.calls import Asked, IdempotencyKey
from recollect.interfaces.http.cursors import parse_session_cursor, session_cursor
from recollect.interfaces.http.jobs import Waiting
from recollect.interfaces.http.paths import SessionId
from recollect.interfaces.http.requests import MessageList, SessionList, SomeTurns

router = APIRouter(prefix="/v1/sessions", tags=["sessions"])


@router.post("/{session_id:id}/messages", status_code=201, response_model=answers.Remembered)
async def add_messages(
    asked: Asked,
    session_id: SessionId,
    turns: SomeTurns,
    waiting: Annotated[Waiting, Query()],
    idempotency_key: IdempotencyKey = None,
) -> Response:
    """Keep the next message of a session, or several: durable when this answers, all of them or none.

    A session begins with its first message, and keeps the user and the agent it was begun with: later ones
    need not name them. To begin one without a user takes `shared`, unless the credential is one person's.
    The messages are understood soon after; with `wait`, before this answers.
    """
    if turns.shared:
        require_staff(asked.principal)
    done = await asked.service.remember(
        asked.principal, turns.turns(session_id), idempotency_key=idempotency_key, wait=waiting.seconds
    )
    return answers.Remembered.of(done).send(201)


@router.get("/{session_id:id}/messages", response_model=answers.MessagePage)
async def list_messages(
    asked: Asked, session_id: SessionId, wanted: Annotated[MessageList, Query()]
) -> Response:
    """A session's messages in their order."""
    turns = await asked.service.turns(asked.principal, session_id, after=wanted.after, limit=wanted.limit + 1)
    if not turns:
        await asked.service.session(asked.principal, session_id)
    messages = [answers.Memory.of(turn) for turn in turns[: wanted.limit]]
    more = messages[-1].seq if len(turns) > wanted.limit else None
    return answers.MessagePage(messages=messages, next_after=more).send()


@router.get("/{session_id:id}", response_model=answers.Session)
async def get_session(asked: Asked, session_id: SessionId) -> Response:
    """One session."""
    return answers.Session.of(await asked.service.session(asked.principal, session_id)).send()


@router.get("", response_model=answers.SessionPage)
async def list_sessions(asked: Asked, wanted: Annotated[SessionList, Query()]) -> Response:
    """The sessions that began last, of one user or of all."""
    before = parse_session_cursor(wanted.cursor)
    found = await asked.service.sessions(
        asked.principal, user_id=wanted.user_id, before=before, limit=wanted.limit + 1
    )
    page = found[: wanted.limit]
    more = session_cursor(page[-1].created_at, page[-1].session_id) if len(found) > wanted.limit else None
    return answers.SessionPage(sessions=[answers.Session.of(one) for one in page], next_cursor=more).send()


@router.delete("/{session_id:id}", response_model=answers.Forgotten)
async def forget_session(asked: Asked, session_id: SessionId) -> Response:
    """Delete a session and all that was said in it. Of an unknown one, nothing is deleted."""
    return answers.Forgotten.of(await asked.service.forget_session(asked.principal, session_id)).send()
