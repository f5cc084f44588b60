"""What routes take from a request besides its own fields."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, TypeAlias

from fastapi import Depends, Header, Request

from recollect.core.credentials import Credentials
from recollect.core.embeddings import Embeddings
from recollect.core.language import Language
from recollect.core.model import Principal
from recollect.core.readiness import Readiness
from recollect.core.service import Service
from recollect.core.webhooks import Webhooks
from recollect.interfaces.http.requests import Id

KEY = "recollect.call"
"""Where a request's scope keeps its `Call`."""


@dataclass(frozen=True, slots=True)
class Server:
    """What stands behind every request."""

    service: Service
    credentials: Credentials
    readiness: Readiness
    embeddings: Embeddings
    language: Language
    version: str
    webhooks: Webhooks


@dataclass(frozen=True, slots=True)
class Call:
    """What a route works with: everything that can be done, and who asks for it."""

    service: Service
    principal: Principal


async def _call(request: Request) -> Call:
    call: Call = request.scope[KEY]
    return call


Asked: TypeAlias = Annotated[Call, Depends(_call)]

IdempotencyKey: TypeAlias = Annotated[
    Id | None,
    Header(
        alias="Idempotency-Key",
        description="Of your making, new for each new request. Repeating a request with its key does nothing "
        "twice, and gives the same ids.",
    ),
]
