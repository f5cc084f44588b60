"""What language models may cost, and did, through the HTTP door."""

from __future__ import annotations

from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import httpx2
import pytest

from interfaces.door import Door, code
from recollect.core.model import LanguageCost, Role, Usage

pytestmark = pytest.mark.anyio
MARCH = date(2026, 3, 1)


async def spend(door: Door, tenant: str) -> None:
    """What a call of a language model leaves behind, and one under way."""
    owner = door.bed.tenants.principal(door.tenant(tenant))
    async with door.bed.storage.transaction(owner) as tx:
        for _ in range(2):
            assert await tx.reserve_cost(MARCH, "toy", Decimal("0.5"), Decimal(9))
        settled = LanguageCost(MARCH, "toy", 1, 0, Usage(1_000, 100), Decimal("0.003"), Decimal("0.5"))
        await tx.settle_cost(settled)


async def test_the_budget_and_what_was_spent(door: Door, loft: httpx2.AsyncClient) -> None:
    door.bed.clock.time = datetime(2026, 3, 9, tzinfo=UTC)
    await spend(door, "loft")
    response = await loft.get("/v1/language")
    assert response.status_code == 200
    assert response.json() == {
        "model": None,
        "state": "closed",
        "monthly_budget": 10.0,
        "spent": 0.503,
        "costs": [
            {
                "month": "2026-03",
                "model": "toy",
                "calls": 1,
                "failures": 0,
                "input_tokens": 1000,
                "output_tokens": 100,
                "cost": 0.003,
                "reserved": 0.5,
            }
        ],
    }


async def test_the_owner_sets_the_budget(door: Door, loft: httpx2.AsyncClient) -> None:
    response = await loft.put("/v1/language/budget", json={"monthly_budget": 2.5})
    assert response.status_code == 200
    assert response.json()["monthly_budget"] == 2.5
    assert (await loft.get("/v1/language")).json()["monthly_budget"] == 2.5
    attic = await door.client("attic")
    assert (await attic.get("/v1/language")).json()["monthly_budget"] == 10.0


@pytest.mark.parametrize("role", [Role.STAFF, Role.MANAGER])
async def test_nobody_else_does(door: Door, loft: httpx2.AsyncClient, role: Role) -> None:
    other = await door.client("loft", role=role)
    for response in (
        await other.get("/v1/language"),
        await other.put("/v1/language/budget", json={"monthly_budget": 99}),
    ):
        assert response.status_code == 403
        assert code(response) == "forbidden"
    assert (await loft.get("/v1/language")).json()["monthly_budget"] == 10.0


async def test_a_credential_that_only_reads_does_not_set_it(door: Door) -> None:
    reader = await door.reader("loft")
    assert (await reader.get("/v1/language")).status_code == 200
    response = await reader.put("/v1/language/budget", json={"monthly_budget": 99})
    assert code(response) == "forbidden"


@pytest.mark.parametrize("amount", [-1, 100_001, 0.0000001, "NaN", None, "much"])
async def test_a_budget_that_is_none_is_refused(loft: httpx2.AsyncClient, amount: Any) -> None:
    response = await loft.put("/v1/language/budget", json={"monthly_budget": amount})
    assert response.status_code == 422
    assert code(response) == "invalid_request"
