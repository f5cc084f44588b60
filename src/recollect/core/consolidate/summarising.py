"""A conversation in a few sentences: its facts, and those sentences that say most of what is said, quoted.

After Lin and Bilmes, "A Class of Submodular Functions for Document Summarization" (2011): each sentence is
worth the words that none before it has, weighted by how much the conversation speaks of them, per token it
takes; the best is taken first. No words are made up: what is not a fact is a quotation.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set as AbstractSet
from dataclasses import dataclass, field, replace
from datetime import datetime
from heapq import heapify, heappop, heapreplace
from itertools import groupby
from math import fsum, log
from typing import Any
from uuid import UUID

from recollect.core.consolidate.actions import actions
from recollect.core.consolidate.insight import Action, Resolution, Sentiment, speaker
from recollect.core.consolidate.junk import unrecalled
from recollect.core.consolidate.outcomes import resolution
from recollect.core.consolidate.resolving import as_told, resolve
from recollect.core.consolidate.sentiment import sentiment
from recollect.core.consolidate.topics import topics
from recollect.core.ids import derived_id
from recollect.core.model import USER, JsonObject, Kind, Memory, Role, Standing
from recollect.core.recall.context import estimate_tokens
from recollect.core.text.languages import read
from recollect.core.text.sentences import sentences
from recollect.core.text.stems import stems
from recollect.core.text.tokens import fold, tokenize
from recollect.core.text.traits import Trait, traits

WINDOW = 400
"""A session of more turns has a summary for each so many of them: a turn's place tells which it is in."""

SHARE = 0.2
"""A summary takes at most this share of the tokens of what it stands for, and no less than SHORTEST."""

SHORTEST = 40
LONGEST = 400

FACTS_SHARE = 0.6
"""So much of a summary may be facts; what they leave is for quotations."""

SCALE = 0.5
"""The power of a sentence's tokens that it is charged: with 1 the shortest are taken, with 0 the longest."""

FEWEST_WORDS = 3
LONGEST_SENTENCE = 300
LONGEST_READ = 6_000
"""So many characters of a turn are read."""

WINDOW_READ = 100_000
"""So many characters of a window are read: where there are more, the longest turns are read in part."""

SOURCE: JsonObject = {"extractor": "rules", "version": 1}


@dataclass(frozen=True, slots=True)
class Summary:
    """What stands for a conversation.

    `topics`: key phrases in small letters, the most telling first. `evidence`: the turns that it rests on.
    """

    text: str
    evidence: tuple[UUID, ...]
    topics: tuple[str, ...] = ()
    sentiment: Sentiment = field(default_factory=Sentiment)
    resolution: Resolution = Resolution.NONE
    actions: tuple[Action, ...] = ()


@dataclass(frozen=True, slots=True)
class _Sentence:
    """A sentence of a turn: its words, what it costs, and what it is worth beside its words."""

    turn: Memory
    place: int
    text: str
    words: frozenset[str]
    cost: int
    bonus: float


def before_window(seq: int) -> int:
    """The place after which a session's turns are read, so that those after `seq` can be summarised.

    >>> before_window(0), before_window(399), before_window(400), before_window(1_234)
    (0, 0, 400, 1200)
    """
    return seq - seq % WINDOW


def summaries(turns: Sequence[Memory], facts: Sequence[Memory], source: JsonObject = SOURCE) -> list[Memory]:
    """The memories that stand for a session, one for each window of its turns; as of the newest of them.

    `turns`: in order, each window from its first turn on (see before_window). `facts`: all facts of the
    person, or those that the session told. The same turns and facts give the same rows, whatever was there
    before.
    """
    windows = groupby(_spoken(turns), key=lambda turn: ((turn.seq or 1) - 1) // WINDOW)
    rows: list[Memory] = []
    for _, window in windows:
        part = list(window)
        rows += as_memories(summarise(part, facts), part, source)
    return rows


def summarise(turns: Sequence[Memory], facts: Sequence[Memory] = ()) -> Summary:
    """The summary of some turns, in order. Without words in them, its text is empty.

    Its facts are those that rest on these turns, as the last of them tell it.
    """
    turns = _read(turns)
    told = _told(turns, facts)
    names = sorted({turn.name for turn in turns if turn.name})
    everything = list(_sentences(turns))
    budget = _budget(turns)
    said = list(_within(told, round(budget * FACTS_SHARE)))
    left = budget - sum(estimate_tokens(fact.content) for fact in said)
    known = frozenset(word for fact in said for word in stems(fact.content))
    quoted = _chosen(everything, known, left)
    if not quoted and not said:
        worded = [one for one in everything if one.words]
        quoted = sorted(worded, key=lambda one: (-len(one.words), one.place))[:1]
    ids = {turn.id for turn in turns}
    evidence = [id_ for fact in said for id_ in fact.evidence if id_ in ids]
    return Summary(
        text=_text(said, quoted),
        evidence=tuple(dict.fromkeys([*evidence, *(one.turn.id for one in quoted)])),
        topics=topics(turns, names),
        sentiment=sentiment(turns),
        resolution=resolution(turns),
        actions=actions(turns),
    )


def essence(summaries: Sequence[Memory], budget: int) -> str:
    """The sentences of several summaries that say most, within so many tokens, each after its date."""
    dated = [replace(one, name=f"{one.valid_from:%Y-%m-%d}") for one in summaries]
    return _text((), _chosen(list(_sentences(_read(dated))), frozenset(), budget))


def as_memories(summary: Summary, turns: Sequence[Memory], source: JsonObject = SOURCE) -> list[Memory]:
    """The memory that a summary of these turns becomes; none if it says nothing.

    It is seen by whoever sees all of the turns, and known since the last of them was.
    """
    turns = _spoken(turns)
    if not summary.text or not turns:
        return []
    first, last = turns[0], turns[-1]
    return [
        Memory(
            id=derived_id(first.id, "summary"),
            kind=Kind.SUMMARY,
            content=summary.text,
            user_id=first.user_id,
            agent_id=first.agent_id,
            session_id=first.session_id,
            trust=min(turn.trust for turn in turns),
            min_role=max((turn.min_role for turn in turns), default=Role.USER),
            valid_from=first.valid_from,
            recorded_at=max(turn.recorded_at for turn in turns),
            expires_at=min((turn.expires_at for turn in turns if turn.expires_at), default=None),
            evidence=summary.evidence,
            source=source,
            metadata={**insights(summary), "turns": len(turns), "upto": last.seq},
        )
    ]


def _spoken(turns: Sequence[Memory]) -> list[Memory]:
    """The turns that somebody said: neither instructions, nor what tools gave, nor what was remembered."""
    own = (
        replace(turn, content=unrecalled(turn.content))
        for turn in turns
        if turn.seq and turn.role not in {"system", "tool"}
    )
    return [turn for turn in own if turn.content.strip()]


def insights(summary: Summary) -> dict[str, Any]:
    """What a summary knows beside its text, as its memory's metadata has it."""
    mood = summary.sentiment
    return {
        "topics": list(summary.topics),
        "sentiment": {"overall": mood.overall, "trend": mood.trend, "by_speaker": dict(mood.by_speaker)},
        "resolution": str(summary.resolution),
        "actions": [
            {
                "text": action.text,
                "owner": action.owner,
                "due": action.due.isoformat() if action.due else None,
                "evidence": str(action.evidence),
                "done": action.done,
            }
            for action in summary.actions
        ],
    }


def read_actions(metadata: JsonObject) -> list[Action]:
    """The actions in a summary's metadata."""
    return [
        Action(
            text=one["text"],
            owner=one["owner"],
            evidence=UUID(one["evidence"]),
            due=datetime.fromisoformat(one["due"]) if one["due"] else None,
            done=one["done"],
        )
        for one in metadata.get("actions", ())
    ]


def _read(turns: Sequence[Memory]) -> Sequence[Memory]:
    """What is read of the turns: at most LONGEST_READ of each and WINDOW_READ of all.

    All give way to the same length, so a short turn is read whole beside whatever long ones.
    """
    lengths = sorted(min(len(turn.content), LONGEST_READ) for turn in turns)
    left, share = WINDOW_READ, LONGEST_READ
    for count, length in zip(range(len(lengths), 0, -1), lengths, strict=True):
        if length * count > left:
            share = left // count
            break
        left -= length
    return [
        turn if len(turn.content) <= share else replace(turn, content=turn.content[:share]) for turn in turns
    ]


def _told(turns: Sequence[Memory], facts: Sequence[Memory]) -> list[Memory]:
    """The facts that the turns told, in their order, but those that another of them ended.

    What was told elsewhere, before or since, makes no difference: a summary is of its own turns, and the same
    whichever session is understood first. What a person rejected is left out.
    """
    places = {turn.id: place for place, turn in enumerate(turns)}
    here = [
        fact
        for fact in map(as_told, facts)
        if fact.standing is not Standing.REJECTED and places.keys() & set(fact.evidence[:1])
    ]
    holding = [fact for fact in resolve((), here).insert if fact.superseded_by is None]
    return sorted(holding, key=lambda fact: (min(places.get(id_, 0) for id_ in fact.evidence), fact.id))


def _budget(turns: Sequence[Memory]) -> int:
    tokens = sum(estimate_tokens(turn.content) for turn in turns)
    return min(max(round(SHARE * tokens), SHORTEST), LONGEST, max(tokens // 2, 1))


def _within(facts: Iterable[Memory], budget: int) -> Iterator[Memory]:
    """The facts that fit, in their order: first those of the person of which there is one at a time.

    Not the surest: how sure a fact is changes with what is told in other sessions.
    """
    facts = list(facts)
    chosen: set[UUID] = set()
    for fact in sorted(facts, key=_rank):
        cost = estimate_tokens(fact.content)
        if cost <= budget:
            budget -= cost
            chosen.add(fact.id)
    return (fact for fact in facts if fact.id in chosen)


def _rank(fact: Memory) -> tuple[bool, bool]:
    claim = fact.claim
    return (claim is None or claim.subject != USER, claim is None or not claim.single)


def _sentences(turns: Sequence[Memory]) -> Iterator[_Sentence]:
    reading = read(fold(" ".join(turn.content for turn in turns)[:LONGEST_READ]))
    place = 0
    for turn in turns:
        for text in sentences(turn.content):
            place += 1
            quoted = text if len(text) <= LONGEST_SENTENCE else f"{text[:LONGEST_SENTENCE].rstrip()}…"
            words = frozenset(tokenize(text, reading))
            cost = estimate_tokens(f"{speaker(turn)}: {quoted}") + 1
            yield _Sentence(turn, place, quoted, words, cost, _bonus(text, turn))


_TELLING = Trait.FIRST | Trait.NUMBER | Trait.TIME | Trait.MONEY | Trait.NAME | Trait.PLACE


def _bonus(text: str, turn: Memory) -> float:
    """How much a sentence tells for its words: of the speaker, of numbers and names; little if it asks."""
    found = traits(text)
    bonus = 1 + 0.15 * (found & _TELLING).bit_count()
    if found & Trait.ENDS_ASKING:
        bonus *= 0.5
    if found & Trait.GREETING:
        bonus *= 0.8
    return bonus * (0.6 if turn.role == "assistant" else 1.0)


def _chosen(everything: Sequence[_Sentence], known: frozenset[str], budget: int) -> list[_Sentence]:
    """The sentences that say most for their tokens beside those taken before; in the order they were said.

    The more words are known, the less a sentence gains: so the best by what they gained when last looked at
    is the best if it gains that still, and no other need be looked at (Minoux, "Accelerated Greedy
    Algorithms for Maximizing Submodular Set Functions", 1978).
    """
    weights = _weights(everything)
    said = set(known)
    worded = {one.place: one for one in everything if len(one.words) >= FEWEST_WORDS and one.cost <= budget}
    heap = [(-_gain(one, said, weights), place) for place, one in worded.items()]
    heapify(heap)
    chosen: list[_Sentence] = []
    while heap and heap[0][0]:
        before, place = heap[0]
        one = worded[place]
        gain = _gain(one, said, weights) if one.cost <= budget else 0.0
        if gain != -before:
            heapreplace(heap, (-gain, place))
            continue
        heappop(heap)
        chosen.append(one)
        said |= one.words
        budget -= one.cost
    return sorted(chosen, key=lambda one: one.place)


def _weights(everything: Sequence[_Sentence]) -> Mapping[str, float]:
    """What a word is worth: it grows with the sentences that have it."""
    counts = Counter(word for one in everything for word in one.words)
    return {word: log(1 + count) for word, count in counts.items()}


def _gain(one: _Sentence, known: AbstractSet[str], weights: Mapping[str, float]) -> float:
    """What a sentence says beside what is known, per token; to the last bit, whatever the words' order."""
    charged: float = one.cost**SCALE
    return one.bonus * fsum(weights[word] for word in one.words - known) / charged


def _text(facts: Sequence[Memory], quoted: Sequence[_Sentence]) -> str:
    """Facts as they stand, then each speaker's sentences."""
    runs = groupby(quoted, key=lambda one: speaker(one.turn))
    spoken = [f"{who}: {' '.join(one.text for one in run)}" for who, run in runs]
    return "\n".join(filter(None, [" ".join(fact.content for fact in facts), *spoken]))
