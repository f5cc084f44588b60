"""The words and classes of values that all rules share, from attributes.toml, and the kinds of entities."""

from __future__ import annotations

import tomllib
from importlib.resources import files
from typing import Any

HOUSE: dict[str, Any] = tomllib.loads(
    files("recollect.core.consolidate").joinpath("attributes.toml").read_text("utf-8")
)
"""The house's own rules, as they are written."""

VALUES: dict[str, str] = HOUSE["values"]
ATTRIBUTES = frozenset(
    (*(one["name"] for one in HOUSE["attribute"]), "area", "experience", "household size", "plan", "visit")
)
"""What the house's own rules can know of somebody, but for what people themselves give a name."""

NUM = r"(?:\d{1,4}|one|two|three|four|five|six|seven|eight|nine|ten|eleven|twelve)"

KINDS = ("person", "pet", "organisation", "place", "event", "product", "thing")
"""What an entity can be found to be. Of two findings about one name the earlier here holds."""


def words(group: str) -> frozenset[str]:
    return frozenset(HOUSE["people"][group].split("|"))


KIN = HOUSE["people"]["kin"]
PEOPLE = HOUSE["people"]["others"]
PETS = HOUSE["people"]["pets"]
SHE, HE = words("she"), words("he")
VERBS = frozenset(verb for each in HOUSE["attribute"] for verb in each.get("verbs", ()))
