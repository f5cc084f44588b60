"""Entities and relations, without a server."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID, uuid4

import pytest

from cli.command_line import Cli
from recollect.core.graph import NewEntity, NewRelation
from recollect.core.model import tenant_id_of
from recollect.settings import load_settings
from recollect.wiring import Recollect

TENANT = ("--tenant", "graph")


@pytest.fixture(scope="module")
def known(cli: Cli) -> dict[str, str]:
    """Ann's sister is Maria, who works at Acme; the ids by name."""

    async def make() -> dict[str, UUID]:
        async with Recollect.open(settings=load_settings(home=cli.home)) as memory:
            tenant = await memory.tenant("graph").create()
            made = [
                await memory.service.add_entity(tenant.principal, NewEntity(name, kind, "ann", **more))
                for name, kind, more in (
                    ("Ann", "person", {}),
                    ("Maria", "person", {"aliases": ("my sister",)}),
                    ("Acme", "organisation", {"description": "Makes anvils."}),
                )
            ]
            ids = {one.name: one.id for one in made}
            for source, kind, target in (("Ann", "sister", "Maria"), ("Maria", "employer", "Acme")):
                new = NewRelation(ids[source], ids[target], kind)
                await memory.service.add_relation(tenant.principal, new)
            assert tenant.principal.tenant_id == tenant_id_of("graph")
            return ids

    return {name: str(id_) for name, id_ in asyncio.run(make()).items()}


def names(found: list[dict[str, Any]]) -> list[str]:
    return [one["entity"]["name"] for one in found]


def test_entities_are_shown(cli: Cli, known: dict[str, str]) -> None:
    assert {one["name"] for one in cli.json("graph", "show", *TENANT)["entities"]} == set(known)
    listed = cli.json("graph", "show", *TENANT, "--user", "ann", "--kind", "person", "--prefix", "my")
    assert [one["name"] for one in listed["entities"]] == ["Maria"]
    assert "Maria (my sister)" in cli.text("graph", "show", known["Maria"], *TENANT)
    assert cli.refused("graph", "show", str(uuid4()), *TENANT)["code"] == "not_found"
    assert cli.refused("graph", "show", "--tenant", "misspelt")["code"] == "not_found"


def test_what_is_around_one(cli: Cli, known: dict[str, str]) -> None:
    around = cli.json("graph", "neighbours", known["Ann"], *TENANT, "--depth", "2")
    assert names(around["near"]) == ["Maria", "Acme"]
    named = cli.json("graph", "neighbours", "my sister", *TENANT, "--user", "ann")
    assert named["entity"]["name"] == "Maria"
    assert cli.refused("graph", "neighbours", "Zoe", *TENANT)["code"] == "not_found"
    shown = cli.text("graph", "neighbours", known["Ann"], *TENANT)
    assert "Ann –sister→ Maria" in shown
    assert "Acme" not in shown
    path = ("graph", "path", known["Ann"], known["Acme"], *TENANT)
    assert cli.text(*path) == "Ann –sister→ Maria; Maria –employer→ Acme\n"
    assert cli.json(*path, "--hops", "1") == {"paths": []}
    told = cli.text("graph", "timeline", known["Acme"], *TENANT)
    assert "began      employer" in told


def test_a_search_names_and_nears(cli: Cli, known: dict[str, str]) -> None:
    hits = cli.json("graph", "search", "where is my sister?", *TENANT, "--limit", "2")["hits"]
    assert (names(hits)[0], hits[0]["named"]) == ("Maria", True)
    assert cli.json("graph", "search", "photosynthesis", *TENANT)["hits"] == []
    assert "named" in cli.text("graph", "search", "acme", *TENANT, "--user", "ann")


def test_merged_and_told_apart(cli: Cli, known: dict[str, str]) -> None:
    family = cli.json("graph", "merge", known["Acme"], known["Maria"], *TENANT)
    assert [one["name"] for one in family["merged"]] == ["Acme"]
    shown = cli.text("graph", "show", known["Acme"], *TENANT)
    assert "is merged into" in shown
    assert "Makes anvils." in shown
    refused = cli.refused("graph", "merge", known["Maria"], known["Acme"], *TENANT)
    assert refused["code"] == "conflict"
    apart = cli.json("graph", "unmerge", known["Acme"], *TENANT)
    assert (apart["entity"]["merged_into"], apart["merged"]) == (None, [])
