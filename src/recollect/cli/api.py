"""A running Recollect, as a command reaches it over HTTP."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from types import TracebackType
from typing import Any, Self
from urllib.parse import quote, urlencode

import httpx2

from recollect.core.errors import RecollectError, Unavailable
from recollect.core.model import Message, Turns

_PATIENCE = 60
"""Seconds that one request may take."""


def is_recollect(url: str) -> bool:
    """Whether a Recollect answers there; blocks for a second at most."""
    try:
        answer = httpx2.get(f"{url}/v1/health/live", timeout=1, trust_env=False).json()
    except (httpx2.HTTPError, ValueError):
        return False
    return isinstance(answer, dict) and answer.get("status") == "live"


class Api:
    """Speaks to the server at a URL with an API key, which goes into no message; `async with` closes it.

    Every method raises the RecollectError that the server answered with, or Unavailable if nothing answers.
    """

    def __init__(self, url: str, key: str) -> None:
        self._url = url
        self._client = httpx2.AsyncClient(
            base_url=url, headers={"Authorization": f"Bearer {key}"}, timeout=_PATIENCE, trust_env=False
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._client.aclose()

    async def remember(self, turns: Turns, idempotency_key: str) -> bool:
        """Keep the next turns of a session; False if that had been done already."""
        body = {
            "messages": [_message(message) for message in turns.messages],
            "user_id": turns.user_id,
            "shared": turns.user_id is None,
            "agent_id": turns.agent_id,
        }
        path = f"/v1/sessions/{quote(turns.session_id, safe='')}/messages"
        done = await self._ask("POST", path, body, **{"Idempotency-Key": idempotency_key})
        return not done["repeated"]

    async def recall(self, user_id: str, query: str, limit: int) -> dict[str, Any]:
        """The answer of `POST /v1/recall`."""
        return await self._ask("POST", "/v1/recall", {"user_id": user_id, "query": query, "limit": limit})

    async def facts(self, user_id: str, limit: int) -> list[dict[str, Any]]:
        """The facts that were learned last about a person, the newest first."""
        asked = urlencode({"user_id": user_id, "limit": limit})
        page = await self._ask("GET", f"/v1/facts?{asked}")
        facts: list[dict[str, Any]] = page["memories"]
        return facts

    async def behind(self) -> int:
        """How many sessions are still to be understood."""
        lag = await self._ask("GET", "/v1/jobs")
        return int(lag["sessions_behind"])

    async def sessions(self, user_id: str) -> dict[str, int]:
        """The place of the last turn in each of a person's sessions, of the hundred that began last."""
        page = await self._ask("GET", f"/v1/sessions?{urlencode({'user_id': user_id, 'limit': 100})}")
        return {session["session_id"]: session["last_seq"] for session in page["sessions"]}

    async def forget_user(self, user_id: str) -> None:
        """Delete a person and everything that is remembered of them."""
        await self._ask("POST", "/v1/forget", {"user_id": user_id})

    async def request(
        self, method: str, path: str, params: Mapping[str, Any], body: Mapping[str, Any]
    ) -> dict[str, Any]:
        """The answer to any request; an empty body is not sent."""
        asked = f"{path}?{urlencode(params)}" if params else path
        return await self._ask(method, asked, dict(body) or None)

    async def _ask(
        self, method: str, path: str, body: dict[str, Any] | None = None, **headers: str
    ) -> dict[str, Any]:
        try:
            response = await self._client.request(method, path, json=body, headers=headers)
        except httpx2.TransportError as error:
            raise Unavailable(
                f"No Recollect answers at {self._url}: {error}.",
                hint="Is it the right URL, and does `recollect serve` run there?",
            ) from error
        if not response.is_success:
            raise _refusal(response)
        answer: dict[str, Any] = response.json()
        return answer


def _message(message: Message) -> dict[str, Any]:
    return {
        "content": message.content,
        "role": message.role,
        "name": message.name,
        "at": message.at.isoformat() if message.at else None,
        "metadata": message.metadata,
    }


def _refusal(response: httpx2.Response) -> RecollectError:
    """The error that a response stands for, as it was raised there."""
    try:
        problem = response.json()
        code, detail, hint = problem["code"], problem["detail"], problem["hint"]
    except (ValueError, TypeError, KeyError):
        return Unavailable(f"{response.url} answered {response.status_code}, and not as Recollect does.")
    # A narrower kind may have the code of a wider one, which stands for it here.
    kinds = {kind.code: kind for kind in reversed(list(_kinds(RecollectError)))}
    return kinds.get(code, RecollectError)(detail, hint=hint)


def _kinds(kind: type[RecollectError]) -> Iterator[type[RecollectError]]:
    yield kind
    for narrower in kind.__subclasses__():
        yield from _kinds(narrower)
