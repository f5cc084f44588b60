"""Sample data: two gardeners, and six plants of the shop."""

from __future__ import annotations

from recollect.core.consolidate.linking import person_id
from recollect.core.graph import NewEntity, NewRelation
from recollect.core.pack import Person, Sample

_PLANTS = (
    ("tomatoes", {"light": "sun", "height": 150, "edible": True}),
    ("basil", {"light": "sun", "height": 40, "edible": True}),
    ("chard", {"light": "half shade", "height": 50, "edible": True}),
    ("lavender", {"light": "sun", "height": 60, "edible": False}),
    ("hostas", {"light": "shade", "height": 60, "edible": False}),
    ("ferns", {"light": "shade", "height": 80, "edible": False}),
)
_GROWN = {"ada": ("tomatoes", "basil"), "bo": ("hostas", "ferns", "chard")}


def make_sample() -> Sample:
    """The sample, the same each time."""
    plants = {name: NewEntity(name, "plant", attributes=attributes) for name, attributes in _PLANTS}
    return Sample(
        people=[Person(user_id, (user_id.title(),)) for user_id in _GROWN],
        entities=list(plants.values()),
        relations=[
            NewRelation(person_id(user_id), plants[name].id, "grows")
            for user_id, names in _GROWN.items()
            for name in names
        ],
    )
