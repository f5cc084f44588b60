"""A pack's evaluation cases: what its rules read in them, and what they should have."""

from __future__ import annotations

from collections.abc import Sequence, Set as AbstractSet
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from recollect.core.consolidate.attributes import Vocabulary
from recollect.core.consolidate.consolidation import by_rules
from recollect.core.consolidate.extraction import Conversation, Finding
from recollect.core.consolidate.words import ATTRIBUTES, KINDS
from recollect.core.errors import Misconfigured
from recollect.core.model import Kind, Memory, Trust
from recollect.core.pack import Case, Pack

_NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Judged:
    """A case, with what was read in it rightly, wrongly, and not at all."""

    case: Case
    right: AbstractSet[str]
    wrong: AbstractSet[str]
    missed: AbstractSet[str]


@dataclass(frozen=True, slots=True)
class Score:
    """How well cases are read. `precision`, `recall`: from 0 to 1; 1 where there is nothing to be read."""

    cases: int
    precision: float
    recall: float
    judged: Sequence[Judged]

    @classmethod
    def of(cls, judged: Sequence[Judged]) -> Score:
        """Over all cases together."""
        right = sum(len(one.right) for one in judged)
        read = right + sum(len(one.wrong) for one in judged)
        wanted = right + sum(len(one.missed) for one in judged)
        return cls(len(judged), right / read if read else 1.0, right / wanted if wanted else 1.0, judged)


def judge(pack: Pack, vocabulary: Vocabulary) -> list[Judged]:
    """Read the pack's cases by a vocabulary with its rules, each alone.

    Raises:
        Misconfigured: a case expects what cannot be read; it names the case.
    """
    _check(pack, vocabulary)
    own = frozenset(one["name"] for one in pack.rules.get("attribute", ()))
    kinds = frozenset(one.kind for one in pack.entities) | {
        one["kind"] for one in pack.rules.get("mention", ())
    }
    return [_judged(case, vocabulary, own, kinds) for case in pack.cases]


def _check(pack: Pack, vocabulary: Vocabulary) -> None:
    """Raise Misconfigured if a case expects an attribute, or a kind of entity, that there is not."""
    attributes, kinds = ATTRIBUTES | vocabulary.closed.keys(), {*KINDS, *vocabulary.kinds}
    for place, case in enumerate(pack.cases, 1):
        facts = [one.casefold().removeprefix("not ") for one in case.facts]
        for what, known, expected in (("attribute", attributes, facts), ("kind", kinds, case.names)):
            for one in expected:
                name, colon, _ = one.partition(": ")
                if not colon or name not in known:
                    raise Misconfigured(
                        f"{pack.package}/cases.toml, case {place}: no {what} is {name!r}.",
                        hint=f'Write "{what}: value" with one of {", ".join(sorted(known))}.',
                    )


def _judged(case: Case, vocabulary: Vocabulary, own: AbstractSet[str], kinds: AbstractSet[str]) -> Judged:
    turns = [_turn(1, "assistant", case.asked)] if case.asked else []
    turns.append(_turn(2, "user", case.says))
    found = by_rules(Conversation(turns, new=len(turns) - 1, user_id="somebody", vocabulary=vocabulary))
    wanted = {one.casefold() for one in (*case.facts, *case.names)}
    told = {_fact(one): one.claim.attribute for one in found.findings}
    named = {f"{one.kind}: {one.name}".casefold(): one.kind for one in found.mentions}
    read = {text for text, attribute in told.items() if attribute in own or text in wanted}
    read |= {text for text, kind in named.items() if kind in kinds or text in wanted}
    return Judged(case, read & wanted, read - wanted, wanted - read)


def _turn(place: int, role: str, content: str) -> Memory:
    return Memory(UUID(int=place), Kind.MESSAGE, content, Trust.USER, _NOW, _NOW, seq=place, role=role)


def _fact(finding: Finding) -> str:
    claim = finding.claim
    return f"{'not ' if claim.negated else ''}{claim.attribute}: {claim.value}".casefold()
