"""The keys of a demonstration: one for whoever tries it out, and its own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

from recollect.core.errors import AlreadyExists
from recollect.core.tenants import Tenants
from recollect.wiring import SystemClock

_FIRST_KEY = "shown at the first start"
_OWN_KEY_LASTS = timedelta(minutes=10)


async def first_key(tenants: Tenants, tenant: str) -> str | None:
    """The tenant's key, if this is the first start, or the first that came as far as here."""
    try:
        await tenants.create(tenant)
    except AlreadyExists:
        if any(key.name == _FIRST_KEY for key in await tenants.keys(tenant)):
            return None
    _, text = await tenants.create_key(tenant, _FIRST_KEY)
    return text


@asynccontextmanager
async def own_key(tenants: Tenants, tenant: str) -> AsyncIterator[str]:
    """A key for the demonstration's own requests, deleted when they are done."""
    expires_at = SystemClock().now() + _OWN_KEY_LASTS
    key, text = await tenants.create_key(tenant, "the demo's own", expires_at=expires_at)
    try:
        yield text
    finally:
        await tenants.delete_key(tenant, key.id)
