"""The HTTP door, and clients that knock at it.

A module's tests share a database, and each has tenants of its own: what one leaves behind, the next does
not see, or the fence has a hole.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx2
import pytest
from fastapi import FastAPI
from testbed import Bed, Database, HashedWords, make_bed

from interfaces.door import Door, make_door


@pytest.fixture(scope="module")
async def shared_bed(module_database: Database) -> AsyncIterator[Bed]:
    """The core over the module's database."""
    async with make_bed(module_database, HashedWords()) as bed:
        yield bed


@pytest.fixture(scope="module")
def shared_app(shared_bed: Bed) -> FastAPI:
    """The application over the module's database."""
    return make_door(shared_bed).app


@pytest.fixture
async def door(shared_bed: Bed, shared_app: FastAPI) -> AsyncIterator[Door]:
    """The door, with tenants of the test's own."""
    door = Door(shared_bed, shared_app)
    yield door
    await door.close()


@pytest.fixture
async def loft(door: Door) -> httpx2.AsyncClient:
    """The owner of the tenant `loft`."""
    return await door.client("loft")
