"""What goes into a context, and where: what is known of the person before what was said."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from uuid import UUID

from recollect.core.consolidate.profile import ordered, profile
from recollect.core.model import Kind, Memory, Standing
from recollect.core.recall.context import Passage, Section, estimate_tokens

PROFILE_SHARE = 0.15
"""At most this share of the budget goes to the profile, however much is known."""

LABEL = 12
"""Tokens that a line takes beside its text: its label and its time."""

MOST_SUMMARIES = 3


@dataclass(frozen=True, slots=True)
class Known:
    """What a context is made of: facts and summaries of the person, what was recalled, the last turns."""

    known: Sequence[Memory]
    recalled: Sequence[Memory]
    recent: Sequence[Memory]


def sections(what: Known, budget: int) -> list[Section]:
    """The sections of a context of so many tokens, in their order.

    A turn that a recalled fact rests on comes after the other turns: what it says is there already. So is
    what a summary says whose turns are all among the last ones.
    """
    facts = [one for one in what.recalled if one.claim]
    recalled = [one for one in what.recalled if one.kind is Kind.SUMMARY]
    turns = [one for one in what.recalled if not one.claim and one.kind is not Kind.SUMMARY]
    shown = {one.id for one in facts}
    recent = {one.id for one in what.recent}
    about = _within((one for one in profile(what.known) if one.id not in shown), budget * PROFILE_SHARE)
    told = (one for one in (*ordered(what.known)[:1], *recalled) if not recent.issuperset(one.evidence))
    summaries = list({one.id: one for one in told}.values())
    return [
        Section("Profile", [passage(one) for one in about]),
        Section("Facts", [passage(one) for one in facts]),
        Section("Summaries", [passage(one) for one in summaries[:MOST_SUMMARIES]]),
        Section("Relevant memories", [passage(one) for one in _retold_last(turns, what.recalled)]),
        Section("Latest in this conversation", [passage(one) for one in what.recent], newest_last=True),
    ]


def _within(facts: Iterable[Memory], budget: float) -> list[Memory]:
    """The first facts that fit."""
    kept: list[Memory] = []
    for fact in facts:
        budget -= estimate_tokens(fact.content) + LABEL
        if budget < 0:
            break
        kept.append(fact)
    return kept


def _retold_last(turns: Sequence[Memory], recalled: Sequence[Memory]) -> list[Memory]:
    """The turns, those last that a fact rests on which was found before them."""
    told: set[UUID] = set()
    retold: set[UUID] = set()
    for one in recalled:
        if one.claim:
            told.update(one.evidence)
        elif one.id in told:
            retold.add(one.id)
    return sorted(turns, key=lambda turn: turn.id in retold)


def passage(memory: Memory) -> Passage:
    """A memory as a line of a context."""
    return Passage(memory.id, memory.content + _remark(memory), memory.valid_from, memory.name or memory.role)


def _remark(memory: Memory) -> str:
    """What a reader must know of a fact beside its text."""
    if memory.valid_to:
        return f" (until {memory.valid_to:%Y-%m-%d})"
    return " (disputed)" if memory.standing is Standing.DISPUTED else ""
