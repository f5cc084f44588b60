"""What a conversation shows beside facts: its topics, its mood, how it ended, and what was promised in it."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from recollect.core.model import Memory


class Resolution(enum.StrEnum):
    """What became of what was asked."""

    NONE = "none"
    """Nothing was asked for."""
    OPEN = "open"
    """The last word was the one who asks."""
    RESOLVED = "resolved"
    UNRESOLVED = "unresolved"
    """It was said that it is not solved, or cannot be."""
    ESCALATED = "escalated"
    """It was handed to somebody else."""


@dataclass(frozen=True, slots=True)
class Action:
    """Something to be done: promised by its owner, or asked of them.

    `owner`: the name of a speaker, or their role. `due`: the end of the time that was named. `evidence`: the
    turn that says it. `done`: a later turn says so.
    """

    text: str
    owner: str
    evidence: UUID
    due: datetime | None = None
    done: bool = False


@dataclass(frozen=True, slots=True)
class Sentiment:
    """How it sounds, from -1 to 1; `trend`: of its last third, less that of its first."""

    overall: float = 0.0
    trend: float = 0.0
    by_speaker: Mapping[str, float] = field(default_factory=dict)


def speaker(turn: Memory) -> str:
    """Who said it: their name, or else their role."""
    return turn.name or turn.role or "user"
