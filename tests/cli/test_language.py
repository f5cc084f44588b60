"""`recollect language`, and a language model among the settings."""

from __future__ import annotations

from cli.command_line import Cli


def test_a_tenants_budget_is_set_and_shown(cli: Cli) -> None:
    cli.run("tenant", "create", "dear")
    assert cli.json("language", "costs", "dear") == {"monthly_budget": "10", "spent": "0", "costs": []}
    assert "of $ 2.50 is spent" in cli.text("language", "budget", "dear", "2.50")
    assert cli.json("language", "costs", "dear")["monthly_budget"] == "2.500000"
    assert "$ 0.0000 of $ 2.50" in cli.text("language", "costs", "dear")


def test_the_default_budget_is_a_setting(cli: Cli) -> None:
    cli.run("tenant", "create", "thrifty")
    shown = cli.json("language", "costs", "thrifty", "--language-budget", "3")
    assert shown["monthly_budget"] == "3"


def test_an_amount_that_is_none_is_refused(cli: Cli) -> None:
    cli.run("tenant", "create", "dear")
    for amount in ("much", "NaN", "100001"):
        assert cli.run("language", "budget", "dear", amount).exit_code == 2


def test_an_unknown_tenant_is_told(cli: Cli) -> None:
    assert cli.refused("language", "costs", "nobody")["code"] == "not_found"


def test_a_model_without_its_price_or_key_does_not_start(cli: Cli) -> None:
    cli.run("tenant", "create", "dear")
    chosen = {"RECOLLECT_LANGUAGE_MODEL": "toy", "RECOLLECT_LANGUAGE_PROVIDER": "openai"}
    problem = cli.with_variables(**chosen).refused("recall", "sofa", "--tenant", "dear")
    assert problem["code"] == "misconfigured"
    assert "RECOLLECT_LANGUAGE_INPUT_PRICE" in problem["hint"]
    chosen |= {"RECOLLECT_LANGUAGE_INPUT_PRICE": "1", "RECOLLECT_LANGUAGE_OUTPUT_PRICE": "5"}
    chosen |= {"OPENAI_API_KEY": ""}
    problem = cli.with_variables(**chosen).refused("recall", "sofa", "--tenant", "dear")
    assert problem["code"] == "misconfigured"
    assert "RECOLLECT_LANGUAGE_API_KEY" in problem["hint"]


def test_an_address_that_is_none_is_told(cli: Cli) -> None:
    chosen = cli.with_variables(RECOLLECT_LANGUAGE_BASE_URL="localhost:11434")
    problem = chosen.refused("language", "costs", "dear")
    assert "RECOLLECT_LANGUAGE_BASE_URL: this is not an http or https address" in problem["detail"]
