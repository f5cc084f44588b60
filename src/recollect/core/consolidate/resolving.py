"""What is found, settled with what is known: which facts are told again, which end, which were never so.

A person's facts are a function of the set of everything that was ever told, whatever the order it arrived in:
every telling is a row of its own, and what becomes of it is worked out anew from all of them. Going through
them in the order in which they were said,

    told again    the first of them stands for all; the later ones are hidden behind it
    ended         another value of what has one at a time, or a negation: it was so until then
    corrected     it was never so
    disputed      a contradiction without an order, or of what a person has decided: both stay
    over          what was told earlier of the attribute that it "ends": it was so until then

What a person made, confirmed or rejected no telling changes. Of what people confirmed, a newer decision
(`decided` in the source, or else when it was recorded) ends the older ones that cannot be so beside it, and
hides those that say the same; without it they hold again. What was rejected stays so.

What only a higher role sees changes nothing of what lower roles see: it is merged with nothing of theirs,
ends, hides and disputes nothing. What they see may end or dispute it.

Each telling is compared only with those that say the same, or may be its rivals.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import Enum, auto
from math import prod
from typing import Any, TypeAlias
from uuid import UUID

from recollect.core.consolidate.sameness import about, kept_under, rivals, same_value, sought_under, topics
from recollect.core.model import Claim, JsonObject, Memory, Modality, Role, Standing, Trust

SUREST = 0.99
"""No number of tellings makes a fact surer."""

FIRM = Trust.USER + 1
"""How far what people decided holds out against what is told: further than anything told."""

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
    valid_from), "corrects" says that what was told before was wrong, and "ends" names the attribute of which
    all that was told before is over. Those that are known already change nothing. A row to insert has "told"
    in its `source`: what it said itself, so that it can be settled anew. With nothing found, what is known is
    settled, as after a person's decision.
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
    touched |= {turn for row in written if row.id in before for turn in before[row.id].evidence}
    silenced = {turn for row in before.values() if row.superseded_by for turn in row.evidence} & touched
    pairs = ((old, anew) for old, anew in retold.items() if old in touched)
    return tuple(sorted(pairs)), tuple(sorted(silenced - set(retold)))


_DECIDED = frozenset({Standing.CONFIRMED, Standing.REJECTED})


class _Verdict(Enum):
    """What a later telling is to one that stands."""

    APART = auto()
    AGAIN = auto()
    ENDS = auto()
    CORRECTS = auto()
    CLASHES = auto()


_Standing: TypeAlias = defaultdict[Hashable, list["_Line"]]

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

    told: JsonObject = field(init=False)
    turns: list[UUID] = field(init=False)
    until: datetime | None = field(init=False)
    order: Order = field(init=False)
    fixed: bool = field(init=False)
    rank: int = field(init=False)

    def __post_init__(self) -> None:
        """Read off the row, once, what it is compared by.

        `told`: what the row said itself, before others were merged into it; `turns` it rests on itself, the
        one that says it first; `until`: the end that was told with it. `fixed`: a person made or decided it.
        `rank`: how far it is trusted; what comes from outside does not end what a person said.
        """
        row = self.row = _reopened(self.row)
        self.told = row.source.get("told") or _told(row)
        self.turns = [UUID(turn) for turn in self.told["evidence"]]
        until = self.told["until"]
        self.until = datetime.fromisoformat(until) if until else None
        said = row.source.get("said")
        when = datetime.fromisoformat(said) if said else row.valid_from
        self.order = when, row.valid_from, row.recorded_at, self.turns[0] if self.turns else row.id, row.id
        self.fixed = row.standing in _DECIDED or "extractor" not in row.source
        self.rank = min(row.trust, Trust.USER)

    @property
    def stands(self) -> bool:
        """Whether nothing else stands in its place."""
        return self.behind is None and self.by is None

    @property
    def decided(self) -> datetime:
        """When a person made or decided it."""
        decided = self.row.source.get("decided")
        return datetime.fromisoformat(decided) if decided else self.row.recorded_at

    @property
    def evidence(self) -> set[UUID]:
        """The turns that say it."""
        if not self.again:
            return set(self.turns)
        return {turn for line in (self, *self.again) for turn in line.turns}

    def settled(self) -> Memory:
        """The row as it is to be kept."""
        stands = self.behind or self.by
        told = self.behind or self.teller
        if self.fixed:
            if not (stands and told):
                return self.row
            at = max(self.row.recorded_at, told.decided)
            return replace(self.row, valid_to=self.ended, superseded_at=at, superseded_by=stands.row.id)
        becomes: dict[str, Any] = {
            "valid_to": None if self.behind else self.ended if self.by else self.until,
            "superseded_at": max(self.row.recorded_at, told.row.recorded_at) if told else None,
            "superseded_by": stands.row.id if stands else None,
            "evidence": tuple(sorted(self.evidence)),
            "confidence": _surer([self, *self.again]),
            "standing": Standing.DISPUTED if self.disputed else None,
        }
        if all(getattr(self.row, name) == as_is for name, as_is in becomes.items()):
            return self.row
        return replace(self.row, **becomes)


def _reopened(row: Memory) -> Memory:
    """The row without the end that another decision put to it: that is worked out anew."""
    if row.standing is not Standing.CONFIRMED or row.superseded_at is None:
        return row
    return replace(row, valid_to=None, superseded_at=None, superseded_by=None)


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
    """Go through what is told about somebody: what was rejected, then the rest from the oldest on."""
    ordered = sorted(lines, key=_place_of)
    _decide(line for line in ordered if line.row.standing is Standing.CONFIRMED and not line.until)
    standing: _Standing = defaultdict(list)
    for line in ordered:
        if line.fixed and (_withdrawn(line.row) or not line.stands):
            continue
        _place(line, _met(line, standing))
        _close(line, standing)
        _keep(line, standing)


def _place_of(line: _Line) -> tuple[bool, Order]:
    return line.row.standing is not Standing.REJECTED, line.order


def _decide(lines: Iterable[_Line]) -> None:
    """Let what people confirmed take effect on what they had confirmed before."""
    standing: _Standing = defaultdict(list)
    for line in sorted(lines, key=lambda line: (line.decided, line.row.id)):
        for other in list(_near(line, standing)):
            a, b = other.claim, line.claim
            same = same_value(a, b)
            if other.row.min_role >= line.row.min_role and _contradict(a, b, same=same):
                _end(other, line, line)
            elif same and (a.negated, a.modality, other.row.min_role) == (
                b.negated,
                b.modality,
                line.row.min_role,
            ):
                other.behind = line
        _keep(line, standing)


def _keep(line: _Line, standing: _Standing) -> None:
    """Put it where those look that it may matter to."""
    if not line.stands:
        return
    sway = FIRM if line.fixed else line.rank
    for topic in topics(line.claim):
        for key in (*kept_under(line.claim), *_open_to(line, kept=True)):
            standing[topic, key, sway].append(line)


def _near(line: _Line, standing: _Standing) -> Iterator[_Line]:
    """Those that stand and say the same of the same, or may be its rivals; what holds out furthest first."""
    seen: set[UUID] = set()
    keys = [*sought_under(line.claim), *_open_to(line, kept=False)]
    places = [(topic, key) for topic in topics(line.claim) for key in keys]
    for sway in range(FIRM, -1, -1):
        for topic, key in places:
            kept = standing.get((topic, key, sway))
            if not kept:
                continue
            kept[:] = [other for other in kept if other.stands]
            for other in kept:
                if other.row.id not in seen:
                    seen.add(other.row.id)
                    yield other


def _open_to(line: _Line, *, kept: bool) -> Iterator[Hashable]:
    """Where it is kept, or looks, for what says another value: of the past, or rejected, nothing does."""
    claim = line.claim
    if line.until or line.row.standing is Standing.REJECTED:
        return
    if claim.single and not claim.negated:
        yield "one", claim.modality
    if not claim.negated if kept else claim.negated and not claim.value:
        yield "any"


def _met(line: _Line, standing: _Standing) -> list[tuple[_Line, _Verdict]]:
    """What it is to each that stands before it, the oldest first; only the one that holds out against it."""
    met = []
    for other in _near(line, standing):
        verdict = _seen_verdict(other, line)
        if verdict in _AGAINST and _firm(other, line):
            return [(other, verdict)]
        if verdict is not _Verdict.APART:
            met.append((other, verdict))
    return sorted(met, key=lambda each: _place_of(each[0]))


def _firm(earlier: _Line, later: _Line) -> bool:
    """Whether the earlier holds out against whatever the later says."""
    return earlier.fixed or earlier.rank > later.rank


def _withdrawn(row: Memory) -> bool:
    """Whether a person put something else in its place, as if it had never been so."""
    return row.superseded_at is not None and row.valid_to is None and row.standing is not Standing.REJECTED


def _place(line: _Line, verdicts: Sequence[tuple[_Line, _Verdict]]) -> None:
    """Let a telling take effect on those that stand before it."""
    against = [(other, verdict) for other, verdict in verdicts if verdict in _AGAINST]
    if any(_firm(other, line) for other, _ in against):
        line.disputed = True
        return
    again = next((other for other, verdict in verdicts if verdict is _Verdict.AGAIN), None)
    if again:
        _tell_again(again, line)
        if again.row.standing is Standing.REJECTED:
            return
    stands = line.behind or line
    for other, verdict in against:
        clashes = verdict is _Verdict.CLASHES
        if other.row.min_role == line.row.min_role:
            stands.disputed = clashes
        if clashes:
            other.disputed = True
        else:
            _end(other, stands, line, corrected=verdict is _Verdict.CORRECTS)


def _close(line: _Line, standing: _Standing) -> None:
    """End what is over with a telling: all that stands of another attribute, and was so before it."""
    stands = line.behind or line
    ends = line.row.source.get("ends")
    if not ends or line.until or line.disputed or stands.row.standing is Standing.REJECTED:
        return
    for sway in range(line.rank + 1):
        for other in standing.get((ends, "any", sway), ()):
            sooner = other.row.valid_from < line.row.valid_from
            if sooner and other.stands and other is not stands and other.row.min_role >= line.row.min_role:
                _end(other, stands, line)


def _end(other: _Line, stands: _Line, teller: _Line, *, corrected: bool = False) -> None:
    """It is so no more, since what stands in its place is so; or it never was."""
    at = teller.until or teller.row.valid_from
    never = corrected or at <= other.row.valid_from
    other.by, other.teller, other.ended = stands, teller, None if never else at


def _tell_again(earlier: _Line, later: _Line) -> None:
    """The earlier stands for both, unless a person made the later, or it is to be trusted further."""
    if not earlier.fixed and (later.fixed or later.rank > earlier.rank):
        earlier.behind = later
    elif not later.fixed:
        later.behind = earlier
        earlier.again.append(later)


def _seen_verdict(earlier: _Line, later: _Line) -> _Verdict:
    """What the later telling is to one that stands; what a role does not see changes nothing that it sees."""
    verdict = _verdict(earlier, later)
    seen, told = earlier.row.min_role, later.row.min_role
    if seen == told:
        return verdict
    felt = verdict in _AGAINST and (seen < told) == _firm(earlier, later)
    return verdict if felt else _Verdict.APART


def _verdict(earlier: _Line, later: _Line) -> _Verdict:
    """What the later telling is to one that stands."""
    a, b = earlier.claim, later.claim
    same = same_value(a, b)
    agree = same and a.negated == b.negated
    if Standing.REJECTED in {earlier.row.standing, later.row.standing}:
        return _rejected(earlier, later) if agree else _Verdict.APART
    if earlier.until or later.until:
        agree = agree and not a.negated and a.modality is b.modality
        return _past(earlier, later) if agree else _Verdict.APART
    if _contradict(a, b, same=same):
        return _against(earlier, later)
    return _agreeing(a, b) if agree else _Verdict.APART


def _against(earlier: _Line, later: _Line) -> _Verdict:
    """What the later does to the earlier, which it contradicts."""
    if later.row.source.get("corrects"):
        return _Verdict.CORRECTS
    return _Verdict.ENDS if _ordered(earlier, later) else _Verdict.CLASHES


def _agreeing(a: Claim, b: Claim) -> _Verdict:
    """What b does to a, which said the same: if that was a plan, it has come true."""
    if a.modality is b.modality:
        return _Verdict.AGAIN
    return _Verdict.ENDS if b.modality is Modality.ASSERTED else _Verdict.APART


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


def _retold(lines: Collection[_Line]) -> dict[UUID, UUID]:
    """Of each turn that told what is no longer so, the one that tells it anew; of several the newest.

    Nothing is told anew of a turn that a role sees which does not see what is no longer so.
    """
    seen: dict[UUID, Role] = {}
    for line in lines:
        for turn in line.turns:
            seen[turn] = min(line.row.min_role, seen.get(turn, line.row.min_role))
    anew: dict[UUID, tuple[Order, UUID]] = {}
    for line in lines:
        if line.fixed or not line.by or not line.teller or not line.teller.turns:
            continue
        for turn in line.evidence - line.by.evidence - line.teller.evidence:
            if seen[turn] < line.row.min_role:
                continue
            told = line.teller.order, line.teller.turns[0]
            anew[turn] = max(told, anew.get(turn, told))
    return {old: turn for old, (_, turn) in anew.items()}
