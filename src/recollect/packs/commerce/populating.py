"""A little of everything for one customer, to try the wire with."""

from __future__ import annotations

from datetime import UTC, datetime

from recollect.core.consolidate.linking import person_id
from recollect.core.graph import NewEntity, NewRelation
from recollect.core.pack import Person, Sample

SHOPPER = "sample-customer"
QUERY = "What did I order, and what do I like?"
_ORDERED = datetime(2026, 3, 2, 9, 30, tzinfo=UTC)


def sample_of(user_id: str) -> Sample:
    """A customer with an order of a product, a preference, and an issue; the same each time."""
    product = NewEntity(
        "Sample Alder sofa",
        "product",
        user_id,
        description="Mid-century sofa in walnut and grey wool, 3 seats, 1,890 dollars.",
        attributes={"style": "mid-century", "material": "walnut", "price": 1890, "seats": 3},
    )
    order = NewEntity("order 90001", "order", user_id, attributes={"status": "delivered", "total": 1890})
    taste = NewEntity("mid-century style", "preference", user_id)
    issue = NewEntity("issue 901: loose leg", "issue", user_id, attributes={"status": "resolved"})
    person = person_id(user_id)
    ties = (
        (person, order.id, "placed"),
        (order.id, product.id, "contains"),
        (person, product.id, "owns"),
        (person, taste.id, "prefers"),
        (person, issue.id, "raised"),
        (issue.id, product.id, "concerns"),
    )
    return Sample(
        people=[Person(user_id)],
        entities=[product, order, taste, issue],
        relations=[NewRelation(one, other, kind, valid_from=_ORDERED) for one, other, kind in ties],
    )
