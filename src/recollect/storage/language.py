"""What language models may cost a tenant, and did."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from recollect.core.model import LanguageCost, Usage
from recollect.storage.rows import Row, Rows


def _cost(row: Row) -> LanguageCost:
    usage = Usage(row.pop("input_tokens"), row.pop("output_tokens"))
    return LanguageCost(**row, usage=usage)


class LanguageRows(Rows):
    """The tables `language_budgets` and `language_costs`."""

    async def language_budget(self) -> Decimal | None:
        """What the tenant lets language models cost in a month, in US dollars; None: it has not said."""
        row = await self._one("language_budget")
        return row["monthly_cost"] if row else None

    async def put_language_budget(self, monthly_cost: Decimal) -> None:
        """Let language models cost so much in a month."""
        await self._run("put_language_budget", monthly_cost=monthly_cost)

    async def language_costs(self, since: date) -> list[LanguageCost]:
        """What they cost in each month since that one, by model, the latest first."""
        return [_cost(row) for row in await self._all("language_costs", since=since)]

    async def reserve_cost(self, month: date, model: str, cost: Decimal, monthly: Decimal) -> bool:
        """Set aside the most that a call can cost; False: the budget, or else `monthly`, does not allow it.

        What is spent and set aside never exceeds the budget, however many ask at once.
        """
        await self._run("lock_costs")
        await self._run("open_costs", month=month, model=model)
        values = {"month": month, "model": model, "cost": cost, "monthly": monthly}
        return await self._run("reserve_cost", **values) == 1

    async def settle_cost(self, settled: LanguageCost) -> None:
        """Add what calls did cost; `reserved`, which was set aside for them, is free again."""
        await self._run(
            "settle_cost",
            month=settled.month,
            model=settled.model,
            calls=settled.calls,
            failures=settled.failures,
            input_tokens=settled.usage.input_tokens,
            output_tokens=settled.usage.output_tokens,
            cost=settled.cost,
            reserved=settled.reserved,
        )
