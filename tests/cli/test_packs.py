"""Packs on the command line: listed, turned on and off, their cases judged, a story played."""

from __future__ import annotations

from uuid import uuid4

from cli.command_line import Cli

COMMERCE = {
    "name": "commerce",
    "about": "The memory of a furniture retailer's chat: customers, orders, products, preferences, issues.",
    "path": "/commerce",
}


def test_a_pack_is_turned_on_and_off_for_a_tenant(cli: Cli) -> None:
    tenant = f"shop-{uuid4().hex}"
    cli.text("tenant", "create", tenant)
    assert {**COMMERCE, "on": None} in cli.json("pack", "list")["packs"]
    assert {**COMMERCE, "on": False} in cli.json("pack", "list", "--tenant", tenant)["packs"]
    assert cli.json("pack", "on", "commerce", "--tenant", tenant)["changed"] is True
    assert cli.json("pack", "on", "commerce", "--tenant", tenant)["changed"] is False
    assert {**COMMERCE, "on": True} in cli.json("pack", "list", "--tenant", tenant)["packs"]
    assert "commerce is off" in cli.text("pack", "off", "commerce", "--tenant", tenant)
    assert "was off" in cli.text("pack", "off", "commerce", "--tenant", tenant)


def test_what_is_not_there_is_refused_with_what_there_is(cli: Cli) -> None:
    tenant = f"shop-{uuid4().hex}"
    assert cli.refused("pack", "on", "commerce", "--tenant", tenant)["code"] == "not_found"
    cli.text("tenant", "create", tenant)
    for command in (
        ("pack", "on", "nothing", "--tenant", tenant),
        ("pack", "sample", "nothing", "--tenant", tenant),
        ("pack", "check", "nothing"),
        ("demo", "nothing", "--once"),
    ):
        problem = cli.refused(*command)
        assert (problem["code"], "pack" in problem["detail"]) == ("not_found", True)
        assert problem["hint"]


def test_the_cases_are_read_as_well_as_is_claimed(cli: Cli) -> None:
    scores = cli.json("pack", "check", "commerce")
    assert (scores["developed on"]["cases"], scores["held out"]["cases"]) == (41, 30)
    for name, at_least in (("developed on", 0.95), ("held out", 0.8)):
        assert scores[name]["precision"] >= at_least
        assert scores[name]["recall"] >= at_least


def test_the_story_is_played_as_often_as_it_is_asked_for(cli: Cli) -> None:
    for _ in range(2):
        page = cli.text("demo", "commerce", "--once")
        assert "Priya: What do you remember about me?" in page
        assert "Likes Scandinavian style." in page
        assert "customer: Priya" in page
        assert "missing:" not in page
