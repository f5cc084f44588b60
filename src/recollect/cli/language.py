"""`recollect language`: what language models may cost a tenant, and did."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from decimal import Decimal, InvalidOperation
from typing import Any

import click

from recollect.cli.command import command, with_settings
from recollect.cli.console import Console
from recollect.cli.opening import open_desk
from recollect.core.language import LARGEST_BUDGET, Language, LanguageReport
from recollect.core.model import LanguageCost, Principal
from recollect.settings import Settings
from recollect.wiring import SystemClock


@click.group
def language() -> None:
    """Show what language models cost, and say what they may."""


class _Dollars(click.ParamType[Decimal]):
    """An amount of money."""

    name = "dollars"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Decimal:
        try:
            amount = Decimal(value)
        except InvalidOperation:
            self.fail(f"{value!r} is not an amount like 25 or 7.50.", param, ctx)
        if not (amount.is_finite() and 0 <= amount <= LARGEST_BUDGET):
            self.fail(f"{value} is not from 0 to {LARGEST_BUDGET}.", param, ctx)
        return amount


def _line(cost: LanguageCost) -> str:
    tokens = f"{cost.usage.input_tokens} + {cost.usage.output_tokens} tokens"
    failed = f", {cost.failures} failed" if cost.failures else ""
    reserved = f" ($ {cost.reserved:.4f} set aside)" if cost.reserved else ""
    parts = (f"{cost.month:%Y-%m}", f"$ {cost.cost:.4f}{reserved}", f"{cost.calls} calls{failed}", tokens)
    return "\t".join((*parts, cost.model))


def _told(report: LanguageReport) -> str:
    left = f"$ {report.spent:.4f} of $ {report.monthly_budget:.2f} is spent this month."
    return "\n".join([left, *map(_line, report.costs)])


def _show(console: Console, report: LanguageReport) -> None:
    """All but what the model does just now, which is the server's to tell."""
    document = {"monthly_budget": report.monthly_budget, "spent": report.spent, "costs": report.costs}
    console.show(document, _told(report))


@asynccontextmanager
async def _of_tenant(settings: Settings, tenant: str) -> AsyncIterator[tuple[Language, Principal]]:
    """What a tenant's language models cost, and the operator within it; no model is opened."""
    async with open_desk(settings) as desk:
        await desk.tenants.find(tenant)
        language = Language(desk.storage, SystemClock(), monthly=settings.language_budget)
        yield language, desk.tenants.principal(tenant)


@command
@click.argument("tenant")
@with_settings("home", "database_url", "language_budget")
async def costs(console: Console, *, settings: Settings, tenant: str) -> None:
    """Show what language models cost TENANT, by month and model, and what they may."""
    async with _of_tenant(settings, tenant) as (language, principal):
        _show(console, await language.report(principal))


@command
@click.argument("tenant")
@click.argument("dollars", type=_Dollars())
@with_settings("home", "database_url")
async def budget(console: Console, *, settings: Settings, tenant: str, dollars: Decimal) -> None:
    """Let language models cost TENANT at most DOLLARS in a calendar month.

    With 0, only a model that costs nothing is asked; rules read everything else.
    """
    async with _of_tenant(settings, tenant) as (language, principal):
        _show(console, await language.set_budget(principal, dollars))


language.add_command(costs, "costs")
language.add_command(budget, "budget")
