"""What is asked of language models: within a tenant's budget, past a breaker, and written down.

Before a call, the most that it can cost is set aside; after it, what it did cost takes that place. No
connection is held in between. Whoever dies in between leaves what was set aside as it is: the vendor will
most likely be paid for it, so it counts until the month ends, and no crash, however often, spends more than
the budget.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_CEILING, Decimal

from recollect.core.access import require, require_owner
from recollect.core.breaker import Breaker, BreakerState
from recollect.core.errors import BudgetSpent, Invalid, LanguageModelUnavailable
from recollect.core.model import JsonObject, LanguageCost, Permission, Principal, Usage
from recollect.core.ports import Clock, Completion, LanguageModel, Prompt, Storage

LARGEST_BUDGET = Decimal(100_000)
"""US dollars a month."""

_UNIT = Decimal("0.000001")
_OVERHEAD = 2_000


@dataclass(frozen=True, slots=True)
class Prices:
    """What a million tokens cost, in US dollars."""

    input: Decimal
    output: Decimal

    def of(self, usage: Usage) -> Decimal:
        """What was used costs, rounded up to a millionth of a dollar.

        >>> Prices(Decimal(1), Decimal(5)).of(Usage(1_000, 100))
        Decimal('0.001500')
        """
        cost = (self.input * usage.input_tokens + self.output * usage.output_tokens) / 1_000_000
        return cost.quantize(_UNIT, ROUND_CEILING)


def most_used(prompt: Prompt, schema: JsonObject) -> Usage:
    """More than a call can use: a token stands for one byte of UTF-8 at least.

    The schema may be read twice, by the vendor and as text, and what vendors add is bounded by experience.
    """
    texts = (prompt.system, prompt.user, *(2 * [json.dumps(schema)]))
    size = sum(len(text.encode("utf-8", "surrogatepass")) for text in texts)
    return Usage(size + _OVERHEAD, prompt.output_tokens)


@dataclass(frozen=True, slots=True)
class LanguageReport:
    """What a tenant lets language models cost in a month, and what they cost, in US dollars.

    `model` None: none is set, and nothing is asked of any. `spent`: in this month, with what is set aside.
    """

    model: str | None
    state: BreakerState
    monthly_budget: Decimal
    spent: Decimal
    costs: Sequence[LanguageCost]


class Language:
    """The language model of this process, if one is set, for tenants who pay for it.

    `monthly`: the budget of a tenant that has set none.
    """

    def __init__(
        self,
        storage: Storage,
        clock: Clock,
        model: LanguageModel | None = None,
        prices: Prices = Prices(Decimal(0), Decimal(0)),
        monthly: Decimal = Decimal(0),
    ) -> None:
        self._storage = storage
        self._clock = clock
        self._model = model
        self._prices = prices
        self._monthly = monthly
        self._breaker = Breaker(clock)

    @property
    def model(self) -> str | None:
        """The model's id; None: nothing is asked of any."""
        return self._model.model if self._model else None

    async def complete(self, principal: Principal, prompt: Prompt, schema: JsonObject) -> Completion:
        """The model's answer to a prompt, at the tenant's cost; of a principal of role OWNER.

        Raises:
            LanguageModelUnavailable: there is none; its kind says why.
        """
        if self._model is None:
            raise LanguageModelUnavailable("No language model is set.")
        self._breaker.check()
        most = most_used(prompt, schema)
        month = self._month()
        await self._reserve(principal, month, self._model.model, most)
        try:
            with self._breaker.passing():
                completion = await self._model.complete(prompt, schema)
        except LanguageModelUnavailable as error:
            used = most if error.usage is None else error.usage
            await self._settle(principal, month, most, used, failures=1)
            raise
        await self._settle(principal, month, most, completion.usage, failures=0)
        return completion

    @property
    def paused(self) -> bool:
        """Whether the model failed so often that it is left alone for a while; rules read in its place."""
        return self._model is not None and self._breaker.state is BreakerState.OPEN

    async def report(self, principal: Principal) -> LanguageReport:
        """The budget, and what each model cost in this month and the twelve before; for the tenant's owner.

        Raises:
            Forbidden: the principal is not the owner, or may not read.
        """
        require(principal, Permission.READ)
        require_owner(principal)
        month = self._month()
        async with self._storage.transaction(principal) as tx:
            budget = await tx.language_budget()
            costs = await tx.language_costs(date(month.year - 1, month.month, 1))
        spent = sum((each.cost + each.reserved for each in costs if each.month == month), Decimal(0))
        monthly = self._monthly if budget is None else budget
        return LanguageReport(self.model, self._breaker.state, monthly, spent, costs)

    async def set_budget(self, principal: Principal, monthly_cost: Decimal) -> LanguageReport:
        """Let language models cost the tenant so much in a month, in US dollars; 0: what is free alone.

        Raises:
            Forbidden: the principal is not the owner, or may not write.
            Invalid: it is below 0, above `LARGEST_BUDGET`, or not a number.
        """
        require(principal, Permission.WRITE)
        require_owner(principal)
        if not (monthly_cost.is_finite() and 0 <= monthly_cost <= LARGEST_BUDGET):
            raise Invalid(f"The budget is not from 0 to {LARGEST_BUDGET} US dollars.")
        async with self._storage.transaction(principal) as tx:
            await tx.put_language_budget(monthly_cost)
        return await self.report(principal)

    async def aclose(self) -> None:
        """Give up the model's connections."""
        if self._model:
            await self._model.aclose()

    def _month(self) -> date:
        return self._clock.now().date().replace(day=1)

    async def _reserve(self, principal: Principal, month: date, model: str, most: Usage) -> None:
        async with self._storage.transaction(principal) as tx:
            if not await tx.reserve_cost(month, model, self._prices.of(most), self._monthly):
                raise BudgetSpent

    async def _settle(
        self, principal: Principal, month: date, most: Usage, used: Usage, *, failures: int
    ) -> None:
        assert self._model
        settled = LanguageCost(
            month=month,
            model=self._model.model,
            calls=1,
            failures=failures,
            usage=used,
            cost=self._prices.of(used),
            reserved=self._prices.of(most),
        )
        async with self._storage.transaction(principal) as tx:
            await tx.settle_cost(settled)
