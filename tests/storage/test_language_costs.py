"""What language models may cost a tenant: set aside before each call, settled after it, never more."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from decimal import Decimal

import pytest
import vendors
from testbed import Bed
from vendors import Reply, Vendor, refused, running

from recollect.adapters.language import open_language_model
from recollect.core.breaker import FAILURES, BreakerState
from recollect.core.errors import (
    BudgetSpent,
    Forbidden,
    Invalid,
    LanguageModelFailed,
    LanguageModelMalformed,
    LanguageModelPaused,
)
from recollect.core.language import Language, Prices, most_used
from recollect.core.model import Principal, Role, Usage
from recollect.core.ports import Prompt
from recollect.settings import load_settings
from recollect.wiring import open_language

pytestmark = pytest.mark.anyio
PROMPT = Prompt("Say who is named.", "Ada met Luna.", 300)
SCHEMA = {
    "type": "object",
    "properties": {"names": {"type": "array", "items": {"type": "string"}}},
    "required": ["names"],
    "additionalProperties": False,
}
PRICES = Prices(Decimal(2), Decimal(10))
MOST = PRICES.of(most_used(PROMPT, SCHEMA))
SAID = vendors.openai('{"names": ["Ada"]}', used=(1_000, 100))
COST = Decimal("0.003")
MARCH = date(2026, 3, 1)


@dataclass(frozen=True, slots=True)
class Counter:
    """A language model before a vendor's server, and a tenant that pays for it."""

    language: Language
    vendor: Vendor
    owner: Principal
    bed: Bed

    async def ask(self) -> None:
        await self.language.complete(self.owner, PROMPT, SCHEMA)

    async def spent(self) -> Decimal:
        return (await self.language.report(self.owner)).spent


@asynccontextmanager
async def counter(bed: Bed, *replies: Reply, monthly: Decimal = Decimal(1)) -> AsyncIterator[Counter]:
    owner = await bed.tenant("loft")
    async with running(*replies) as vendor:
        model = open_language_model("openai", "toy", key="none", base_url=vendor.url, seconds=20)
        language = Language(bed.storage, bed.clock, model, PRICES, monthly)
        yield Counter(language, vendor, owner, bed)
        await language.aclose()


async def test_a_call_is_settled_at_what_it_took(bed: Bed) -> None:
    async with counter(bed, SAID) as desk:
        await desk.ask()
        await desk.ask()
        report = await desk.language.report(desk.owner)
    (cost,) = report.costs
    assert (cost.month, cost.model, cost.calls, cost.failures) == (MARCH, "toy", 2, 0)
    assert cost.usage == Usage(2_000, 200)
    assert cost.cost == report.spent == 2 * COST
    assert cost.reserved == 0
    assert (report.model, report.state) == ("toy", BreakerState.CLOSED)
    assert report.monthly_budget == 1


async def test_no_call_is_made_that_could_pass_the_budget(bed: Bed) -> None:
    async with counter(bed, SAID, monthly=MOST + COST - Decimal("0.000001")) as desk:
        await desk.ask()
        with pytest.raises(BudgetSpent):
            await desk.ask()
        assert len(desk.vendor.asked) == 1
        assert await desk.spent() == COST
        await desk.language.set_budget(desk.owner, MOST + COST)
        await desk.ask()
        assert await desk.spent() == 2 * COST


async def test_many_at_once_do_not_spend_more_than_the_budget(bed: Bed) -> None:
    async with counter(bed, SAID, monthly=MOST * 3) as desk:
        asked = await asyncio.gather(*(desk.ask() for _ in range(12)), return_exceptions=True)
        refusals = [one for one in asked if one is not None]
        assert all(isinstance(one, BudgetSpent) for one in refusals)
        assert len(desk.vendor.asked) == 12 - len(refusals) >= 3
        assert await desk.spent() == COST * (12 - len(refusals)) <= MOST * 3


async def test_reservations_of_two_models_count_together(bed: Bed) -> None:
    owner = await bed.tenant("loft")
    half = Decimal("0.6")

    async def reserve(model: str) -> bool:
        async with bed.storage.transaction(owner) as tx:
            return await tx.reserve_cost(MARCH, model, half, Decimal(1))

    assert sorted(await asyncio.gather(*(reserve(f"toy-{n}") for n in range(4)))) == [
        False,
        False,
        False,
        True,
    ]


async def test_a_failed_call_costs_what_it_used(bed: Bed) -> None:
    replies = (refused(401), vendors.openai("no JSON", used=(500, 50)))
    async with counter(bed, *replies) as desk:
        with pytest.raises(LanguageModelFailed):
            await desk.ask()
        assert await desk.spent() == 0
        with pytest.raises(LanguageModelMalformed):
            await desk.ask()
        (cost,) = (await desk.language.report(desk.owner)).costs
    assert (cost.calls, cost.failures, cost.usage) == (2, 2, Usage(500, 50))
    assert cost.cost == Decimal("0.0015")
    assert cost.reserved == 0


async def test_a_call_of_which_nobody_knows_what_it_used_costs_the_most(bed: Bed) -> None:
    cut = vendors.openai('{"names": ["Ada"]}' * 9, keep=3, cut=True)
    async with counter(bed, cut) as desk:
        with pytest.raises(LanguageModelFailed):
            await desk.ask()
        assert await desk.spent() == MOST


async def test_what_nobody_settled_counts_until_the_month_ends(bed: Bed) -> None:
    async with counter(bed, vendors.SILENT, monthly=MOST) as desk:
        call = asyncio.create_task(desk.ask())
        await desk.vendor.came.acquire()
        call.cancel()
        await asyncio.gather(call, return_exceptions=True)
        with pytest.raises(BudgetSpent):
            await desk.ask()
        assert await desk.spent() == MOST
        desk.vendor.replies[:] = [SAID]
        bed.clock.time = datetime(2026, 4, 1, tzinfo=UTC)
        await desk.ask()
        assert await desk.spent() == COST
        report = await desk.language.report(desk.owner)
    assert [cost.month for cost in report.costs] == [date(2026, 4, 1), MARCH]
    assert [cost.reserved for cost in report.costs] == [0, MOST]


async def test_a_call_is_settled_in_the_month_in_which_it_was_made(bed: Bed) -> None:
    bed.clock.time = datetime(2026, 3, 31, 23, 59, 59, tzinfo=UTC)
    async with counter(bed, replace(SAID, pause=0.05)) as desk:
        call = asyncio.create_task(desk.ask())
        await desk.vendor.came.acquire()
        bed.clock.advance(seconds=1)
        await call
        report = await desk.language.report(desk.owner)
    assert report.spent == 0
    (cost,) = report.costs
    assert (cost.month, cost.cost) == (MARCH, COST)
    assert cost.reserved == 0


async def test_without_a_budget_only_what_is_free_is_asked(bed: Bed) -> None:
    async with counter(bed, SAID, monthly=Decimal(0)) as desk:
        with pytest.raises(BudgetSpent):
            await desk.ask()
        assert not desk.vendor.asked
    async with running(SAID) as vendor:
        model = open_language_model("openai", "toy", key="none", base_url=vendor.url, seconds=20)
        free = Language(bed.storage, bed.clock, model)
        await free.complete(desk.owner, PROMPT, SCHEMA)
        (cost,) = (await free.report(desk.owner)).costs
        await free.aclose()
    assert cost.cost == 0
    assert cost.usage == Usage(1_000, 100)


async def test_the_settings_model_is_asked_at_the_settings_prices(bed: Bed) -> None:
    owner = await bed.tenant("loft")
    async with running(vendors.anthropic('{"names": ["Ada"]}', used=(1_000, 100))) as vendor:
        settings = load_settings(
            language_model="claude-toy",
            language_base_url=vendor.url,
            language_api_key="key-of-nobody",
            language_input_price="3",
            language_output_price="15",
            language_budget="0.5",
        )
        assert "key-of-nobody" not in repr(settings)
        language = open_language(settings, bed.storage, bed.clock)
        completion = await language.complete(owner, PROMPT, SCHEMA)
        report = await language.report(owner)
        await language.aclose()
    assert completion.value == {"names": ["Ada"]}
    assert vendor.asked[0].body["model"] == "claude-toy"
    assert report.spent == Decimal("0.0045")
    assert report.monthly_budget == Decimal("0.5")


async def test_an_open_breaker_makes_no_call_and_sets_nothing_aside(bed: Bed) -> None:
    async with counter(bed, refused(401), monthly=MOST) as desk:
        for _ in range(FAILURES):
            with pytest.raises(LanguageModelFailed):
                await desk.ask()
        with pytest.raises(LanguageModelPaused):
            await desk.ask()
        assert len(desk.vendor.asked) == FAILURES
        assert (await desk.language.report(desk.owner)).state is BreakerState.OPEN
        assert await desk.spent() == 0
        bed.clock.advance(seconds=30)
        desk.vendor.replies[:] = [SAID]
        await desk.ask()
        assert (await desk.language.report(desk.owner)).state is BreakerState.CLOSED


async def test_no_connection_is_held_while_a_model_thinks(bed: Bed) -> None:
    async with counter(bed, vendors.SILENT, monthly=Decimal(10)) as desk:
        calls = [asyncio.create_task(desk.ask()) for _ in range(6)]  # the pool has four
        for _ in calls:
            await desk.vendor.came.acquire()
        assert await desk.spent() == 6 * MOST
        for call in calls:
            call.cancel()
        await asyncio.gather(*calls, return_exceptions=True)


@pytest.mark.parametrize("role", [Role.USER, Role.STAFF, Role.MANAGER])
async def test_only_the_owner_knows_and_sets_the_budget(bed: Bed, role: Role) -> None:
    async with counter(bed, SAID) as desk:
        await desk.ask()
        await desk.language.set_budget(desk.owner, Decimal(5))
        other = Principal(desk.owner.tenant_id, "ann", role)
        with pytest.raises(Forbidden):
            await desk.language.report(other)
        with pytest.raises(Forbidden):
            await desk.language.set_budget(other, Decimal(9))
        async with bed.storage.transaction(other) as tx:
            assert await tx.language_budget() is None
            assert await tx.language_costs(MARCH) == []


async def test_another_tenants_costs_and_budget_are_its_own(bed: Bed) -> None:
    attic = await bed.tenant("attic")
    async with counter(bed, SAID) as desk:
        await desk.ask()
        await desk.language.set_budget(desk.owner, Decimal(5))
        report = await desk.language.report(attic)
    assert report.spent == 0
    assert report.monthly_budget == 1
    assert report.costs == []


@pytest.mark.parametrize("amount", ["-0.01", "100000.01", "NaN", "Infinity"])
async def test_a_budget_that_is_none_is_refused(bed: Bed, amount: str) -> None:
    owner = await bed.tenant("loft")
    with pytest.raises(Invalid):
        await Language(bed.storage, bed.clock).set_budget(owner, Decimal(amount))


def test_more_is_set_aside_than_a_call_can_use() -> None:
    most = most_used(Prompt("é" * 10, "日本" * 10, 50), SCHEMA)
    assert most.input_tokens >= 20 + 60
    assert most.output_tokens == 50
