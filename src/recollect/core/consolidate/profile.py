"""What is known of a person, the most telling first."""

from __future__ import annotations

from collections.abc import Iterable
from math import log

from recollect.core.model import USER, Claim, Kind, Memory, Modality, Standing

TELLING = frozenset(
    {
        "name", "nickname", "age", "birthday", "residence", "occupation", "employer", "marital status",
        "partner", "children", "allergy", "diet", "health", "language", "contact preference", "preference",
        "budget", "goal",
    }
)  # fmt: skip
"""What is worth knowing of anybody, whatever is asked."""


def profile(memories: Iterable[Memory]) -> list[Memory]:
    """The facts in parts among the memories, those first that say most of the person.

    What people confirmed, pinned, or asked to be heeded comes before what was only read; what is said of the
    person, before what is said of others.
    """
    facts = [fact for fact in memories if fact.claim]
    return sorted(facts, key=lambda fact: (-_worth(fact, fact.claim), -fact.valid_from.timestamp(), fact.id))


def _worth(fact: Memory, claim: Claim | None) -> float:
    if claim is None:
        return 0.0
    worth = fact.importance + fact.confidence + 0.3 * log(1 + len(fact.evidence))
    worth += 2.0 * fact.pinned + 1.0 * (fact.standing is Standing.CONFIRMED)
    worth += 0.7 * (claim.subject == USER) + 0.5 * (claim.attribute in TELLING) + 0.3 * claim.single
    worth += 0.4 * (fact.kind is Kind.PREFERENCE)
    worth -= 0.4 * claim.negated + 0.5 * (claim.modality is Modality.PLANNED)
    return worth - 0.3 * (fact.standing is Standing.DISPUTED)


def ordered(memories: Iterable[Memory]) -> list[Memory]:
    """The summaries among the memories, the newest conversation first."""
    found = [one for one in memories if one.kind is Kind.SUMMARY]
    return sorted(found, key=lambda one: (one.valid_from, one.id), reverse=True)
