"""What the sample store sells: collections in one style each, and the pieces of each."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from itertools import count, islice
from random import Random
from typing import Any

from recollect.core.graph import NewEntity

PIECES = 20
"""So many pieces a collection has in a store of full size."""

FEWEST = 8
"""No store has fewer collections than there are styles."""

TIERS = (0.75, 1.0, 1.0, 1.35)
"""Plain, usual and fine, by what it does to a price."""


@dataclass(frozen=True, slots=True)
class Collection:
    """What belongs together: one style, one frame, one fabric, one or two colours."""

    name: str
    style: str
    frame: str
    fabric: str
    colours: tuple[str, ...]
    tier: float
    """How dear it is, of `TIERS`."""


@dataclass(frozen=True, slots=True)
class Product:
    """A piece of furniture. Lengths in cm, `price` in US dollars."""

    sku: str
    noun: str
    category: str
    room: str
    material: str
    colour: str
    price: int
    width: int
    depth: int
    height: int
    seats: int | None
    soft: bool
    extra: tuple[str, ...]
    collection: Collection

    @property
    def name(self) -> str:
        return f"{self.collection.name} {self.noun}"

    @property
    def detail(self) -> str:
        """Of what it is, how large and how dear, in some words.

        "in walnut and grey wool, 3 seats, 284 cm wide, 1,890 dollars"
        """
        match self.material:
            case self.collection.fabric if self.soft:
                stuff = f"{self.collection.frame} and {self.colour} {self.material}"
            case self.collection.frame:
                stuff = f"{self.material} with {self.colour} details"
            case _:
                stuff = f"{self.colour} {self.material}"
        seats = f", {self.seats} seats" if self.seats and self.seats > 1 else ""
        return f"in {stuff}{seats}, {self.width} cm wide, {self.price:,} dollars"

    @property
    def style(self) -> str:
        return self.collection.style

    @property
    def entity(self) -> NewEntity:
        """The tenant's own entity that it is."""
        style = self.style[0].upper() + self.style[1:]
        collected = f"It belongs to the {self.collection.name} collection."
        seats = {} if self.seats is None else {"seats": self.seats}
        return NewEntity(
            self.name,
            "product",
            description="\n".join([f"{style} {self.noun} {self.detail}.", collected, *self.extra]),
            attributes={
                "sku": self.sku,
                "category": self.category,
                "style": self.style,
                "material": self.material,
                "colour": self.colour,
                "room": self.room,
                "price": self.price,
                "width_cm": self.width,
                "depth_cm": self.depth,
                "height_cm": self.height,
                **seats,
                "collection": self.collection.name,
            },
        )


@cache
def read_catalogue() -> Mapping[str, Any]:
    """catalogue.toml: `collections`, `styles`, `care` and `piece`."""
    return tomllib.loads(files("recollect.packs.commerce").joinpath("catalogue.toml").read_text("utf-8"))


def make_products(rng: Random, number: int) -> list[Product]:
    """So many products, each collection with a sectional sofa first; no two of one name.

    >>> [one.name for one in make_products(Random(5), 32)][:1]
    ['Alder sectional sofa']
    """
    document = read_catalogue()
    collections = _collections(rng, document, max(FEWEST, -(-number // PIECES)))
    sizes = [(number + place) // len(collections) for place in range(len(collections))]
    numbers = count(1001)
    return [
        _product(rng, piece, collection, f"RF-{next(numbers)}")
        for collection, size in zip(collections, sizes, strict=True)
        for piece in [document["piece"][0], *rng.sample(document["piece"][1:], size - 1)]
    ]


def _collections(rng: Random, document: Mapping[str, Any], number: int) -> list[Collection]:
    styles = list(document["styles"].items())
    found = []
    for place, name in enumerate(islice(document["collections"], number)):
        style, made = styles[place % len(styles)]
        frame, fabric = rng.choice(made["frames"]), rng.choice(made["fabrics"])
        colours = tuple(rng.sample(made["colours"], 2))
        found.append(Collection(name, style, frame, fabric, colours, rng.choice(TIERS)))
    return found


def _product(rng: Random, piece: Mapping[str, Any], collection: Collection, sku: str) -> Product:
    width, depth, height = (rng.randint(*span) for span in piece["size"])
    cheapest, dearest = piece["price"]
    price = collection.tier * rng.uniform(cheapest, dearest)
    frame = "wool" if "woven" in piece else collection.frame
    return Product(
        sku=sku,
        noun=piece["noun"],
        category=piece["category"],
        room=rng.choice(piece["rooms"]),
        material=collection.fabric if "soft" in piece else frame,
        colour=rng.choice(collection.colours),
        price=round(price / 10) * 10,
        width=width,
        depth=depth,
        height=height,
        seats=rng.randint(*piece["seats"]) if "seats" in piece else None,
        soft="soft" in piece,
        extra=tuple(rng.sample(piece["extra"], min(2, len(piece["extra"])))),
        collection=collection,
    )
