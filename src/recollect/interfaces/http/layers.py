"""What every request passes before it reaches a route, as plain ASGI, the outermost first.

Guard (a request's id, errors, headers) → Limits (how many at once, how long) → Authentication (who asks)
→ Body (how large) → Shortcut (what is fit is answered at once) → the routes. Nothing of a request is read
before it is known who asks, but for the body of a webhook, by whose signature it is known: whoever sends one
may be anybody, so webhooks have places of their own, few, and little time.
"""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Set as AbstractSet

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from recollect.core.credentials import Credentials
from recollect.core.errors import Busy, RecollectError, TimedOut, TooLarge, Unauthenticated
from recollect.core.ids import uuid7
from recollect.core.service import Service
from recollect.core.webhooks import Webhooks
from recollect.interfaces.http.calls import KEY, Call
from recollect.interfaces.http.problems import OF_A_PACK, InternalError, Problem

log = logging.getLogger(__name__)

LIVE = "/v1/health/live"
OF_A_WEBHOOK = "recollect.webhook"
"""In a request's scope: it is posted to a webhook."""

WEBHOOK_SHARE = 8
"""For so many other requests there is a place for one of a webhook."""

WEBHOOK_SECONDS = 5.0
"""So long may a webhook's body take to come."""

_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_MARKS = (
    (b"cache-control", b"no-store"),
    (b"x-content-type-options", b"nosniff"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
)


def _is_open(scope: Scope) -> bool:
    """Whether a request is for the one page that answers anybody."""
    return scope["method"] == "GET" and _path(scope) == LIVE


def _path(scope: Scope) -> str:
    """The path as it was sent, without what a proxy puts before it."""
    path: str = scope["path"]
    return path.removeprefix(scope.get("root_path", ""))


def sent(scope: Scope, header: bytes) -> list[str]:
    """The values of a request's header, one for each time that it was sent."""
    return [value.decode("latin-1") for name, value in scope["headers"] if name == header]


def replaying(message: Message, receive: Receive) -> Receive:
    """What tells the message again, and then what comes after it."""
    told = False

    async def replay() -> Message:
        nonlocal told
        if told:
            return await receive()
        told = True
        return message

    return replay


class Guard:
    """Gives each request an id, and turns whatever goes wrong into a problem.

    `packs`: where packs are, whose clients are answered as they know it. `webhooks`: their paths in full.
    """

    def __init__(
        self, app: ASGIApp, packs: AbstractSet[str] = frozenset(), webhooks: AbstractSet[str] = frozenset()
    ) -> None:
        self._app = app
        self._packs = packs
        self._webhooks = webhooks

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        # Routes match the path as it was sent, so that an id may hold a slash (%2F).
        scope["path"] = scope["raw_path"].decode("latin-1")
        scope[OF_A_PACK] = "/".join(_path(scope).split("/", 2)[:2]) in self._packs
        scope[OF_A_WEBHOOK] = scope["method"] == "POST" and _path(scope) in self._webhooks
        given = sent(scope, b"x-request-id")
        request_id = given[0] if given and _REQUEST_ID.fullmatch(given[0]) else str(uuid7())
        started = False

        async def outgoing(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                _mark(message, request_id)
            await send(message)

        try:
            await self._app(scope, receive, outgoing)
        except Exception as error:
            if started:
                raise
            await _problem(error, request_id, scope)(scope, receive, outgoing)


def _mark(message: Message, request_id: str) -> None:
    message["headers"] = [*message["headers"], *_MARKS, (b"x-request-id", request_id.encode())]


def _problem(error: Exception, request_id: str, scope: Scope) -> Problem:
    known = isinstance(error, RecollectError)
    problem = Problem(error if isinstance(error, RecollectError) else InternalError())
    if not known or problem.status_code == InternalError.status:
        log.error("Request %s failed: %s %s", request_id, scope["method"], scope["path"], exc_info=error)
    return problem


class Limits:
    """At most `most` requests at once, none longer than `seconds`: a late one is cancelled, and undone.

    Those of webhooks are counted apart, so that nobody without a credential takes the places of the others.
    """

    def __init__(self, app: ASGIApp, most: int, seconds: float) -> None:
        self._app = app
        self._most = {False: most, True: max(1, most // WEBHOOK_SHARE)}
        self._seconds = seconds
        self._active = {False: 0, True: 0}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or _is_open(scope):
            await self._app(scope, receive, send)
            return
        kind = scope[OF_A_WEBHOOK]
        if self._active[kind] >= self._most[kind]:
            raise Busy
        self._active[kind] += 1
        try:
            async with asyncio.timeout(self._seconds) as timeout:
                await self._app(scope, receive, send)
        except TimeoutError:
            if timeout.expired():
                raise TimedOut from None
            raise
        finally:
            self._active[kind] -= 1


class Authentication:
    """Knows who asks before anything else is looked at; /v1/health/live alone answers anybody.

    What is posted to a webhook is let pass, if there are any here: its signature is over its body.
    """

    def __init__(self, app: ASGIApp, service: Service, credentials: Credentials, webhooks: Webhooks) -> None:
        self._app = app
        self._service = service
        self._credentials = credentials
        self._webhooks = webhooks

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and not _is_open(scope):
            if scope[OF_A_WEBHOOK]:
                self._webhooks.require_on()
            else:
                principal = await self._credentials.authenticate(_bearer(scope))
                scope[KEY] = Call(self._service, principal)
        await self._app(scope, receive, send)


def _bearer(scope: Scope) -> str:
    given = sent(scope, b"authorization")
    scheme, _, credential = given[0].partition(" ") if len(given) == 1 else ("", "", "")
    if scheme.lower() != "bearer" or not credential.strip():
        raise Unauthenticated
    return credential.strip()


class Body:
    """Reads a request's body, of at most `most` bytes, however it is sent."""

    def __init__(self, app: ASGIApp, most: int) -> None:
        self._app = app
        self._most = most

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or _is_open(scope):
            await self._app(scope, receive, send)
            return
        try:
            async with asyncio.timeout(WEBHOOK_SECONDS if scope[OF_A_WEBHOOK] else None):
                body = await self._read(scope, receive)
        except TimeoutError:
            raise TimedOut from None
        if body is None:
            return
        whole = {"type": "http.request", "body": body, "more_body": False}
        await self._app(scope, replaying(whole, receive), send)

    async def _read(self, scope: Scope, receive: Receive) -> bytes | None:
        """The whole body; None if the client went away.

        What is somewhat too large is read to its end and thrown away: a client that is still sending
        would not see the answer.
        """
        declared = _declared(scope)
        parts: list[bytes] = []
        size, more = 0, True
        while more:
            if max(size, declared) > 2 * self._most:
                break
            message = await receive()
            if message["type"] == "http.disconnect":
                return None
            size += len(message.get("body", b""))
            parts.append(message.get("body", b""))
            if size > self._most:
                parts.clear()
            more = message.get("more_body", False)
        if more or size > self._most:
            raise TooLarge("The body is too large.", hint=f"Send at most {self._most} bytes at once.")
        return b"".join(parts)


def _declared(scope: Scope) -> int:
    """The length that a request says its body has; 0 if it says none that is a number."""
    given = sent(scope, b"content-length")
    # Of thousands of digits Python makes no number; the first are enough to see that it is too large.
    return int(given[0][:20]) if given and given[0].isdecimal() else 0
