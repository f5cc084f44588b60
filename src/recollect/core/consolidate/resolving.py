"""What is found, settled with what is known: which facts are told again, which end, which were never so.

A person's facts are a function of the set of everything that was ever told, whatever the order it arrived in:
every telling is a row of its own, and what becomes of it is worked out anew from all of them. Going through
them in the order in which they were said,

    told again    the first of them stands for all; the later ones are hidden behind it
    ended         another value of what has one at a time, or a negation: it was so until then
    corrected     it was never so
    disputed      a contradiction without an order, or of what a person has decided: both stay

What a person made, confirmed or rejected is never changed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import Enum, auto
from math import prod
from typing import TypeAlias
from uuid import UUID

from recollect.core.consolidate.sameness import Topic, about, rivals, same_value, topics
from recollect.core.model import Claim, JsonObject, Memory, Modality, Standing, Trust

SUREST = 0.99
"""No number of tellings makes a fact surer."""

Order: TypeAlias = tuple[datetime, datetime, datetime, UUID, UUID]


@dataclass(frozen=True, slots=True)
class Resolved:
    """What is to be written.

    `insert`: new rows. `change`: known rows with their new values; of these only `valid_to`, `superseded_at`,
    `superseded_by`, `confidence`, `evidence` and `standing` differ from before. `retold`: of turns that told
    what is no longer so, each with the turn that tells it anew; `untold`: turns that no turn tells anew any
    more.
    """

    insert: tuple[Memory, ...] = ()
    change: tuple[Memory, ...] = ()
    retold: tuple[tuple[UUID, UUID], ...] = ()
    untold: tuple[UUID, ...] = ()


def resolve(known: Sequence[Memory], found: Sequence[Memory]) -> Resolved:
    """Settle what was found with all that is known of the person.

    `known`: every fact row there is, whatever has become of it. `found`: new ones, with id, claim, evidence,
    valid_from and recorded_at; in a `source` "said" is when it was told, in ISO 8601 (without, it goes by
    valid_from), and "corrects" says that what was told before was wrong. Those that are known already change
    nothing. A row to insert has "told" in its `source`: what it said itself, so that it can be settled anew.
    With nothing found, what is known is settled, as after a person's decision.
    """
    before = {row.id: row for row in known if row.claim}
    new: dict[UUID, Memory] = {}
    for row in sorted(found, key=lambda row: (row.valid_from, -row.confidence, row.content)):
        if row.claim and row.id not in before:
            new.setdefault(row.id, _noted(row))
    groups: defaultdict[str, list[_Line]] = defaultdict(list)
    for row in (*before.values(), *new.values()):
        if row.claim:
            groups[about(row.claim)].append(_Line(row, row.claim))
    for group in groups.values():
        _settle(group)
    lines = {line.row.id: line for group in groups.values() for line in group}
    after = [(before.get(id_), line.settled()) for id_, line in sorted(lines.items())]
    insert = [row for known_row, row in after if known_row is None]
    change = [row for known_row, row in after if known_row is not None and known_row != row]
    return Resolved(tuple(insert), tuple(change), *_told_anew(lines, before, (*insert, *change)))


def _told_anew(
    lines: Mapping[UUID, _Line], before: Mapping[UUID, Memory], written: Iterable[Memory]
) -> tuple[tuple[tuple[UUID, UUID], ...], tuple[UUID, ...]]:
    """`retold` and `untold` of the turns whose facts are written."""
    retold = _retold(lines.values())
    touched = {turn for row in written for turn in lines[row.id].evidence}
    silenced = {
        turn
        for row in written
        if row.id in before and before[row.id].superseded_by
        for turn in before[row.id].evidence
    }
    pairs = ((old, anew) for old, anew in retold.items() if old in touched)
    return tuple(sorted(pairs)), tuple(sorted(silenced - set(retold)))


class _Verdict(Enum):
    """What a later telling is to one that stands."""

    APART = auto()
    AGAIN = auto()
    ENDS = auto()
    CORRECTS = auto()
    CLASHES = auto()


_AGAINST = frozenset({_Verdict.ENDS, _Verdict.CORRECTS, _Verdict.CLASHES})


@dataclass(slots=True, eq=False)
class _Line:
    """A row, and what becomes of it.

    `again`: later tellings that it stands for. `behind`: the one that stands for it. `by`: what stands in its
    place since `teller` told so; then it was so until `ended`, or never.
    """

    row: Memory
    claim: Claim
    again: list[_Line] = field(default_factory=list)
    behind: _Line | None = None
    by: _Line | None = None
    teller: _Line | None = None
    ended: datetime | None = None
    disputed: bool = False

    @property
    def fixed(self) -> bool:
        """Whether a person made or decided it."""
        decided = self.row.standing in {Standing.CONFIRMED, Standing.REJECTED}
        return decided or "extractor" not in self.row.source

    @property
    def stands(self) -> bool:
        """Whether nothing else stands in its place."""
        return self.behind is None and self.by is None

    @property
    def told(self) -> JsonObject:
        """What the row said itself, before others were merged into it."""
        told: JsonObject = self.row.source.get("told") or _told(self.row)
        return told

    @property
    def until(self) -> datetime | None:
        """The end that was told with it."""
        until = self.told["until"]
        return datetime.fromisoformat(until) if until else None

    @property
    def rank(self) -> Trust:
        """How far it is trusted: what comes from outside does not end what a person said."""
        return min(self.row.trust, Trust.USER)

    @property
    def said(self) -> datetime:
        """When it was told; of what was not said, since when it is so."""
        said = self.row.source.get("said")
        return datetime.fromisoformat(said) if said else self.row.valid_from

    @property
    def order(self) -> Order:
        row = self.row
        return self.said, row.valid_from, row.recorded_at, self.turns[0] if self.turns else row.id, row.id

    @property
    def turns(self) -> list[UUID]:
        """The turns that it rests on itself, the one that says it first."""
        return [UUID(turn) for turn in self.told["evidence"]]

    @property
    def evidence(self) -> set[UUID]:
        """The turns that say it."""
        return {turn for line in (self, *self.again) for turn in line.turns}

    def settled(self) -> Memory:
        """The row as it is to be kept."""
        if self.fixed:
            return self.row
        stands = self.behind or self.by
        told = self.behind or self.teller
        return replace(
            self.row,
            valid_to=None if self.behind else self.ended if self.by else self.until,
            superseded_at=max(self.row.recorded_at, told.row.recorded_at) if told else None,
            superseded_by=stands.row.id if stands else None,
            evidence=tuple(sorted(self.evidence)),
            confidence=_surer([self, *self.again]),
            standing=Standing.DISPUTED if self.disputed else None,
        )


def _told(row: Memory) -> JsonObject:
    return {
        "evidence": [str(turn) for turn in row.evidence],
        "confidence": row.confidence,
        "until": row.valid_to.isoformat() if row.valid_to else None,
    }


def _noted(row: Memory) -> Memory:
    """The row with what it says itself, whatever comes of it."""
    return replace(row, source={**row.source, "told": _told(row)})


def as_told(row: Memory) -> Memory:
    """A settled row as it was told itself, before anything came of it; what a person made stays as it is."""
    told = row.source.get("told")
    if told is None:
        return row
    return replace(
        row,
        evidence=tuple(map(UUID, told["evidence"])),
        confidence=told["confidence"],
        valid_to=datetime.fromisoformat(told["until"]) if told["until"] else None,
        superseded_at=None,
        superseded_by=None,
        standing=row.standing if row.standing is Standing.REJECTED else None,
    )


def _surer(tellings: Iterable[_Line]) -> float:
    """1 - Π(1 - c) over the turns that say it, at most SUREST."""
    by_turn: dict[UUID, float] = {}
    for line in tellings:
        turn = line.order[3]
        by_turn[turn] = max(line.told["confidence"], by_turn.get(turn, 0.0))
    surest = max([SUREST, *by_turn.values()])
    return round(min(surest, 1 - prod(1 - each for each in sorted(by_turn.values()))), 4)


def _settle(lines: Iterable[_Line]) -> None:
    """Go through what is told about somebody, from the oldest on."""
    standing: defaultdict[Topic, list[_Line]] = defaultdict(list)
    for line in sorted(lines, key=lambda line: line.order):
        if line.fixed and _withdrawn(line.row):
            continue
        of_it = {other.row.id: other for topic in topics(line.claim) for other in standing[topic]}
        others = sorted((other for other in of_it.values() if other.stands), key=lambda other: other.order)
        _place(line, [(other, _verdict(other, line)) for other in others])
        for topic in topics(line.claim):
            standing[topic] = [other for other in (*standing[topic], line) if other.stands]


def _withdrawn(row: Memory) -> bool:
    """Whether a person put something else in its place, as if it had never been so."""
    return row.superseded_at is not None and row.valid_to is None and row.standing is not Standing.REJECTED


def _place(line: _Line, verdicts: Sequence[tuple[_Line, _Verdict]]) -> None:
    """Let a telling take effect on those that stand before it."""
    against = [(other, verdict) for other, verdict in verdicts if verdict in _AGAINST]
    again = next((other for other, verdict in verdicts if verdict is _Verdict.AGAIN), None)
    if any(other.fixed or other.rank > line.rank for other, _ in against):
        line.disputed = True
        against = []
    elif again:
        _tell_again(again, line)
    stands = line.behind or line
    for other, verdict in against:
        if verdict is _Verdict.CLASHES:
            other.disputed = stands.disputed = True
            continue
        at = line.until or line.row.valid_from
        corrected = verdict is _Verdict.CORRECTS or at <= other.row.valid_from
        other.by, other.teller, other.ended = stands, line, None if corrected else at
        stands.disputed = False


def _tell_again(earlier: _Line, later: _Line) -> None:
    """The earlier stands for both, unless a person made the later, or it is to be trusted further."""
    if later.fixed or later.rank > earlier.rank:
        earlier.behind = later
    else:
        later.behind = earlier
        earlier.again.append(later)


def _verdict(earlier: _Line, later: _Line) -> _Verdict:
    """What the later telling is to one that stands; what a role does not see changes nothing that it sees."""
    a, b = earlier.claim, later.claim
    if later.row.min_role > earlier.row.min_role:
        return _Verdict.APART
    same = same_value(a, b)
    agree = same and a.negated == b.negated
    if Standing.REJECTED in {earlier.row.standing, later.row.standing}:
        return _rejected(earlier, later) if agree else _Verdict.APART
    if earlier.until or later.until:
        agree = agree and not a.negated and a.modality is b.modality
        return _past(earlier, later) if agree else _Verdict.APART
    if _contradict(a, b, same=same):
        return _against(earlier, later)
    return _agreeing(earlier, later) if agree else _Verdict.APART


def _against(earlier: _Line, later: _Line) -> _Verdict:
    """What the later does to the earlier, which it contradicts."""
    if later.row.source.get("corrects"):
        return _Verdict.CORRECTS
    return _Verdict.ENDS if _ordered(earlier, later) else _Verdict.CLASHES


def _agreeing(earlier: _Line, later: _Line) -> _Verdict:
    """What the later does to the earlier, which said the same: if that was a plan, it has come true."""
    if earlier.claim.modality is later.claim.modality:
        return _Verdict.AGAIN if earlier.row.min_role == later.row.min_role else _Verdict.APART
    return _Verdict.ENDS if later.claim.modality is Modality.ASSERTED else _Verdict.APART


def _contradict(a: Claim, b: Claim, *, same: bool) -> bool:
    """Whether b, told later, cannot be so beside a."""
    if b.modality is Modality.PLANNED and a.modality is Modality.ASSERTED:
        return False
    if a.negated != b.negated:
        return same or (b.negated and not b.value)
    return a.modality is b.modality and not a.negated and a.single and b.single and not same and rivals(a, b)


def _ordered(earlier: _Line, later: _Line) -> bool:
    """Whether it can be told which is newer: by time, or by the order of turns that were written together."""
    one, other = earlier.row, later.row
    together = one.recorded_at == other.recorded_at and earlier.turns[:1] != later.turns[:1]
    return one.valid_from != other.valid_from or together


def _rejected(earlier: _Line, later: _Line) -> _Verdict:
    """What a person has rejected is not told again; told anew after that, it is disputed."""
    rejected, other = sorted((earlier, later), key=lambda line: line.row.standing is not Standing.REJECTED)
    decided = rejected.row.superseded_at
    if other.fixed:
        return _Verdict.APART
    return _Verdict.AGAIN if decided is None or other.row.recorded_at <= decided else _Verdict.CLASHES


def _past(earlier: _Line, later: _Line) -> _Verdict:
    """What was told to be over ends what was told to be so before, and stands for what was told within it."""
    if later.until:
        ends = earlier.until is None and earlier.row.valid_from < later.until
        return _Verdict.ENDS if ends else _Verdict.AGAIN if earlier.until == later.until else _Verdict.APART
    assert earlier.until
    return _Verdict.AGAIN if later.row.valid_from < earlier.until else _Verdict.APART


def _retold(lines: Iterable[_Line]) -> dict[UUID, UUID]:
    """Of each turn that told what is no longer so, the one that tells it anew; of several the newest."""
    anew: dict[UUID, tuple[Order, UUID]] = {}
    for line in lines:
        if line.fixed or not line.by or not line.teller or not line.teller.turns:
            continue
        for turn in line.evidence - line.by.evidence - line.teller.evidence:
            told = line.teller.order, line.teller.turns[0]
            anew[turn] = max(told, anew.get(turn, told))
    return {old: turn for old, (_, turn) in anew.items()}
