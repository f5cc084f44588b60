"""What language models may cost the tenant, and did; for its owner."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Self

from fastapi import APIRouter, Request
from pydantic import Field
from starlette.responses import Response

from recollect.core.breaker import BreakerState
from recollect.core.language import LARGEST_BUDGET, LanguageReport as Report
from recollect.core.model import LanguageCost as Cost
from recollect.interfaces.http import answers
from recollect.interfaces.http.calls import Asked, Server
from recollect.interfaces.http.requests import Shape, shown

router = APIRouter(prefix="/v1/language", tags=["server"])

_COST: dict[str, Any] = {
    "month": "2026-03",
    "model": "claude-haiku-4-5",
    "calls": 412,
    "failures": 3,
    "input_tokens": 1_204_551,
    "output_tokens": 118_320,
    "cost": 1.796151,
    "reserved": 0.0,
}


class LanguageBudget(Shape):
    """What language models may cost."""

    model_config = shown({"monthly_budget": 25})

    monthly_budget: Decimal = Field(
        ge=0,
        le=LARGEST_BUDGET,
        max_digits=12,
        decimal_places=6,
        description="US dollars in a calendar month (UTC). 0: only what is free is asked.",
    )


class LanguageCost(answers.Answer):
    """What one language model cost in one month."""

    model_config = shown(_COST)

    month: str = Field(description="As YYYY-MM, of UTC.")
    model: str = Field(description="As its vendor calls it.")
    calls: int = Field(description="How often it was asked.")
    failures: int = Field(description="Of these, how often it gave nothing that could be used.")
    input_tokens: int = Field(description="What it was asked, in its tokens.")
    output_tokens: int = Field(description="What it answered, in its tokens.")
    cost: float = Field(description="US dollars, at the prices of the settings when it was asked.")
    reserved: float = Field(
        description="US dollars set aside for calls under way, at most, and for those whose end nobody saw."
    )

    @classmethod
    def of(cls, cost: Cost) -> Self:
        """The answer for it."""
        return cls(
            month=f"{cost.month:%Y-%m}",
            model=cost.model,
            calls=cost.calls,
            failures=cost.failures,
            input_tokens=cost.usage.input_tokens,
            output_tokens=cost.usage.output_tokens,
            cost=float(cost.cost),
            reserved=float(cost.reserved),
        )


class LanguageReport(answers.Answer):
    """The language model, its budget, and what was spent."""

    model_config = shown(
        {
            "model": "claude-haiku-4-5",
            "state": "closed",
            "monthly_budget": 25.0,
            "spent": 1.796151,
            "costs": [_COST],
        }
    )

    model: str | None = Field(description="The one that this server asks; null: none, rules read everything.")
    state: BreakerState = Field(
        description="Whether this server asks it: open means that it failed too often and is left alone for "
        "a while, half_open that the next call tries."
    )
    monthly_budget: float = Field(description="US dollars in a calendar month (UTC).")
    spent: float = Field(description="US dollars of this month, with what is set aside.")
    costs: list[LanguageCost] = Field(description="By month and model, the latest first, for a year.")

    @classmethod
    def of(cls, report: Report) -> Self:
        """The answer for it."""
        return cls(
            model=report.model,
            state=report.state,
            monthly_budget=float(report.monthly_budget),
            spent=float(report.spent),
            costs=[LanguageCost.of(cost) for cost in report.costs],
        )


@router.get("", response_model=LanguageReport)
async def get_language(asked: Asked, request: Request) -> Response:
    """The language model that is asked, its budget, and what it cost. For the owner's credential."""
    server: Server = request.app.state.server
    return LanguageReport.of(await server.language.report(asked.principal)).send()


@router.put("/budget", response_model=LanguageReport)
async def set_language_budget(asked: Asked, request: Request, budget: LanguageBudget) -> Response:
    """Let language models cost so much in a month. For the owner's credential.

    A call that could pass the budget is not made: rules read the conversation instead.
    """
    server: Server = request.app.state.server
    return LanguageReport.of(await server.language.set_budget(asked.principal, budget.monthly_budget)).send()
