"""What is read in a conversation: the words that extractors and the resolver share."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from recollect.core.consolidate.attributes import Vocabulary, english
from recollect.core.model import Claim, JsonObject, Kind, Memory

if TYPE_CHECKING:
    from recollect.core.consolidate.summarising import Summary


@dataclass(frozen=True, slots=True)
class Conversation:
    """A session's turns in order, as they are to be understood.

    The turns from the place `new` on have not been understood before; those before them are there so that
    they can be. `names`: what the person remembered is called; none if the session is nobody's. `vocabulary`:
    what they are read by.
    """

    turns: Sequence[Memory]
    new: int = 0
    user_id: str | None = None
    names: tuple[str, ...] = ()
    participants: tuple[str, ...] = ()
    vocabulary: Vocabulary = field(default_factory=english)


@dataclass(frozen=True, slots=True)
class Finding:
    """A fact that was found in turns.

    `content`: the fact as a sentence that stands alone. `quote`: the words that say so, out of the turn.
    `valid_from`: since when it is so, as far as was said; otherwise when it was said. `corrects`: what was
    said before is told to have been wrong, not to have changed.
    """

    claim: Claim
    kind: Kind
    content: str
    evidence: tuple[UUID, ...]
    quote: str
    valid_from: datetime
    valid_to: datetime | None = None
    confidence: float = 0.7
    corrects: bool = False


@dataclass(frozen=True, slots=True)
class Mention:
    """Somebody or something that a turn speaks of by name.

    `kind`: person, place, organisation, product, event, pet, thing or a pack's. `aliases`: what else it is
    called there ("my sister").
    """

    name: str
    kind: str
    memory_id: UUID
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Extraction:
    """What an extractor found, and which one it was: `source` stands with every derived memory.

    `summary`: of the whole session, if the extractor made one.
    """

    findings: tuple[Finding, ...] = ()
    mentions: tuple[Mention, ...] = ()
    source: JsonObject = field(default_factory=dict)
    summary: Summary | None = None
