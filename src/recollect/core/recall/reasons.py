"""Why a memory was recalled, in words that a person understands."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from recollect.core.model import Memory, Modality, Standing
from recollect.core.recall.candidates import Query
from recollect.core.recall.ranking import Ranked
from recollect.core.text.tokens import spell

WORDS_SHOWN = 3
LONGEST_READ = 2_000
"""So many characters of a memory are looked through for the words: a longer one is not read for an answer."""
NOTABLE = 0.15
"""The share of a score's positive parts from which on a part is told."""

CLOSE = 0.3
"""The cosine from which on a text is called close in meaning, however far all the others are."""

_DAY = 86_400
_NEAR_DAYS = 30
"""How far from the date asked about a memory's own date is still worth telling."""

_AROUND = ("window", "window_words", "previous", "following")
_NUMBERS = str.split("zero one two three four five six seven eight nine ten eleven twelve thirteen")


def why(query: Query, ranked: Ranked, memory: Memory) -> str:
    """What speaks for this memory: what it says, who said it, when; then how it came near.

    Of what was asked for outright all is told, however small its part of the score.

    >>> from datetime import datetime, timezone
    >>> from uuid import UUID
    >>> from recollect.core.model import Kind, Trust
    >>> at = datetime(2026, 3, 2, tzinfo=timezone.utc)
    >>> memory = Memory(UUID(int=1), Kind.MESSAGE, "A sectional!", Trust.USER, at, at, role="customer")
    >>> asked = (at.timestamp() + 2 * 86400, at.timestamp() + 3 * 86400)
    >>> query = Query("Which sectional did I like on 4 March?", spans=(asked,))
    >>> why(query, Ranked(0, 5.0, {"words": 5.0}, matched=("section",)), memory)
    "says 'sectional', said by the customer, two days before the date you asked about"
    """
    told = list(_told(ranked, memory.content))
    near = list(_near(ranked.parts))
    if not told and not near:
        told = ["the nearest there is"]
    dated = _dated(query.spans, memory.valid_from)
    return ", ".join([*told, *_said_by(memory), *dated, *near, *_since(memory)])


def _told(ranked: Ranked, content: str) -> Iterator[str]:
    if words := _words(ranked.matched, content):
        yield "says " + _listed([f"'{word}'" for word in words])
    if (ranked.similarity or 0.0) >= CLOSE and ranked.parts.get("dense", 0.0) > _least(ranked.parts):
        yield "close in meaning"


def _near(parts: Mapping[str, float]) -> Iterator[str]:
    if sum(parts.get(part, 0.0) for part in _AROUND) > _least(parts):
        yield "the turns around it fit"
    if parts.get("session", 0.0) > _least(parts):
        yield "from a session about it"


def _least(parts: Mapping[str, float]) -> float:
    return NOTABLE * sum(value for value in parts.values() if value > 0)


def _said_by(memory: Memory) -> Iterator[str]:
    if memory.name:
        yield f"said by {memory.name}"
    elif memory.role:
        yield f"said by the {memory.role}"


def _dated(spans: Sequence[tuple[float, float]], moment: datetime) -> Iterator[str]:
    """How the memory's day lies to the nearest of the times that were asked about."""
    day = int(moment.timestamp() // _DAY)
    asked = [(int(start // _DAY), int(-(-end // _DAY))) for start, end in spans]
    for first, after in sorted(asked, key=lambda days: max(days[0] - day, day - days[1]))[:1]:
        what = "date" if after - first <= 2 else "time"
        early, late = first - day, day - after + 1
        if max(early, late) <= 0:
            yield f"{'on' if what == 'date' else 'in'} the {what} you asked about"
        elif max(early, late) <= _NEAR_DAYS:
            apart = f"{_days(early)} before" if early > 0 else f"{_days(late)} after"
            yield f"{apart} the {what} you asked about"


def _since(memory: Memory) -> Iterator[str]:
    """From when to when a fact was so; of a turn, whether what it told is told anew."""
    if memory.claim:
        held = "planned" if memory.claim.modality is Modality.PLANNED else "so"
        until = f" until {_day(memory.valid_to)}" if memory.valid_to else ""
        yield f"{held} since {_day(memory.valid_from)}{until}"
        if memory.standing is Standing.DISPUTED:
            yield "contradicted"
    elif memory.superseded_by:
        yield "told anew since"


def _day(moment: datetime) -> str:
    return f"{moment.day} {moment:%B %Y}"


def _days(count: int) -> str:
    """A number of days as people say it.

    >>> [_days(count) for count in (1, 5, 20, 30)]
    ['a day', 'five days', 'three weeks', 'four weeks']
    """
    if count == 1:
        return "a day"
    return f"{_NUMBERS[count]} days" if count < 14 else f"{_NUMBERS[round(count / 7)]} weeks"


def _listed(words: Sequence[str]) -> str:
    """Words as a sentence lists them.

    >>> _listed(["a", "b", "c"])
    'a, b and c'
    """
    return " and ".join(filter(None, [", ".join(words[:-1]), words[-1]]))


def _words(matched: Sequence[str], content: str) -> list[str]:
    """How the content writes the first of the matched tokens, each word once."""
    written = spell(content[:LONGEST_READ], frozenset(matched))
    return list(dict.fromkeys(written[token] for token in matched if token in written))[:WORDS_SHOWN]
