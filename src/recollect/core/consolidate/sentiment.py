"""How people sound: words and emoji with a weight each, turned about by "not" and made stronger by "very".

After Hutto and Gilbert, "VADER: A Parsimonious Rule-based Model for Sentiment Analysis" (2014), with a word
list of our own. English only: what is said in another language sounds neutral, but for its emoji.
"""

from __future__ import annotations

import re
import tomllib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib.resources import files
from itertools import chain
from math import sqrt
from typing import Any

from recollect.core.consolidate.insight import Sentiment, speaker
from recollect.core.model import Memory

TURNED = -0.6
"""What "not" makes of a feeling: "not bad" is not yet good."""

REACH = 3
"""So many words before one bend it."""

EVENLY = 8.0
"""A weight w sounds like w / √(w² + EVENLY)."""

LONGEST_READ = 4_000

_CLAUSE = re.compile(r"[.,;:!?…()\n]+|\bbut\b|\bhowever\b|\balthough\b")
_WORD = re.compile(r"[a-z]+(?:'[a-z]+)*")
_ENDINGS = ("s", "d", "es", "ed", "ing", "ly")
_AFTER_BUT = 1.5
_LIKING = frozenset(str.split("i we really also do don't didn't you they always still"))


@cache
def _weights() -> Mapping[str, Any]:
    """The word list, each part by word."""
    read = tomllib.loads((files("recollect.core.consolidate") / "sentiment.toml").read_text("utf-8"))
    parts = {
        part: {word: float(weight) for weight, words in read[part].items() for word in words.split()}
        for part in ("words", "degrees", "emoji")
    }
    return {**parts, "turned": frozenset(read["turned"]["words"].split())}


def feeling(text: str) -> float:
    """How a text sounds, from -1 to 1; 0 if it has no word for it.

    >>> feeling("The sofa is not bad, but the delivery was really awful!") < -0.5
    True
    >>> feeling("It arrives on Tuesday.")
    0.0
    """
    small = text[:LONGEST_READ].lower().replace("’", "'")
    before, _, after = small.partition(" but ")
    weight = sum(chain(_felt(before), (_AFTER_BUT * each for each in _felt(after))))
    weight += sum(value for sign, value in _weights()["emoji"].items() if sign in small)
    weight *= 1 + 0.1 * min(text.count("!"), 3)
    return round(weight / sqrt(weight * weight + EVENLY), 3) if weight else 0.0


def _felt(text: str) -> Iterator[float]:
    """The weights of the words of a text, each as those before it in its clause bend it."""
    lists = _weights()
    for clause in _CLAUSE.split(text):
        words = _WORD.findall(clause)
        for place, word in enumerate(words):
            before = words[max(place - REACH, 0) : place]
            weight = _weight(word, before)
            if weight:
                for each in before:
                    weight *= lists["degrees"].get(each, 1.0)
                yield weight * (TURNED if lists["turned"].intersection(before) else 1.0)


def _weight(word: str, before: Sequence[str]) -> float:
    words: Mapping[str, float] = _weights()["words"]
    if word in {"like", "likes", "liked"} and not _LIKING.intersection(before[-1:]):
        return 0.0  # "looks like", "I would like to"
    if word in words:
        return words[word]
    stems = (word.removesuffix(ending) for ending in _ENDINGS if word.endswith(ending))
    return next((words[stem] for stem in stems if len(stem) > 2 and stem in words), 0.0)


def sentiment(turns: Sequence[Memory]) -> Sentiment:
    """How a conversation sounds, by what people say in it: the stronger a turn's feeling, the more it counts.

    An assistant is polite whatever happens, so what it says counts only by itself, in `by_speaker`.
    """
    felt = [(place, speaker(turn), feeling(turn.content)) for place, turn in enumerate(turns)]
    felt = [one for one in felt if one[2]]
    by_speaker = defaultdict[str, list[float]](list)
    for _, who, value in felt:
        by_speaker[who].append(value)
    people = {speaker(turn) for turn in turns if turn.role != "assistant"} or by_speaker.keys()
    felt = [one for one in felt if one[1] in people]
    first = [value for place, _, value in felt if place < len(turns) / 3]
    last = [value for place, _, value in felt if place >= len(turns) * 2 / 3]
    return Sentiment(
        overall=_mean([value for *_, value in felt]),
        trend=round(_mean(last) - _mean(first), 3) if first and last else 0.0,
        by_speaker={who: _mean(values) for who, values in by_speaker.items()},
    )


def _mean(values: Sequence[float]) -> float:
    """The mean, each weighted by how strong it is."""
    strength = sum(map(abs, values))
    return round(sum(value * abs(value) for value in values) / strength, 3) if strength else 0.0
