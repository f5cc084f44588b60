"""Whether what was found was said: a check for every extractor, above all for one that makes things up."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from difflib import SequenceMatcher

import Stemmer

from recollect.core.consolidate.extraction import Finding
from recollect.core.model import USER, Memory
from recollect.core.text.languages import STOP_WORDS
from recollect.core.text.tokens import fold

ALIKE = 0.85
"""A quotation of some words may differ from its turn by so much: a slip mended, a word left out."""

LONGEST_QUOTE = 200
"""Words."""

_FEWEST = 4
_WORD = re.compile(r"\w+")
_IDLE = STOP_WORDS | {"never"}
_PLAIN = frozenset({"yes", "no", "none", "true", "false"})
_NUMBERS = {
    word: str(number)
    for number, word in enumerate(
        ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"), 1
    )
}
_THOUSANDS = re.compile(r"(?<=\d),(?=\d{3}(?!\d))")
_TELLING = re.compile(r"(?<![.!?]\s)(?<!^)\b[A-Z]\w+|\b\d[\w.,:]*")


def supported(finding: Finding, turns: Sequence[Memory]) -> bool:
    """Whether the turns say what was found.

    Its quotation stands in a turn of its evidence, whatever the spaces, case and punctuation. The words and
    numbers of its value are in its evidence, or in the turn before, which may have asked. Whoever it is told
    of is named by then.
    """
    places = [place for place, turn in enumerate(turns) if turn.id in finding.evidence]
    if not places or len(places) < len(set(finding.evidence)):
        return False
    if not any(quotes(turns[place].content, finding.quote) for place in places):
        return False
    near = {turns[at].id: turns[at] for place in places for at in (max(place - 1, 0), place)}
    if not _plain(finding.claim.value) and not says(near.values(), finding.claim.value):
        return False
    return finding.claim.subject == USER or says(turns[: places[-1] + 1], finding.claim.subject)


def says(turns: Iterable[Memory], phrase: str) -> bool:
    """Whether the turns, or their speakers' names, have the phrase, or the stems of all its words."""
    told = "\n".join(f"{turn.name or ''}: {turn.content}" for turn in turns)
    words = stems(phrase)
    return (bool(words) and words <= stems(told)) or _has(_WORD.findall(fold(told)), phrase)


def backed(text: str, known: Collection[str]) -> bool:
    """Whether a text brings in no name and no number that is not known, of all `stems` that are.

    A word that begins a sentence may be a name or not, and passes.

    >>> backed("Lives in Atlanta.", stems("I moved to Atlanta"))
    True
    >>> backed("Lives in Boston.", stems("I moved to Atlanta"))
    False
    """
    return all(stem in known for found in _TELLING.findall(text) for stem in stems(found))


def stems(text: str) -> frozenset[str]:
    """The stems of a text's words, its numbers in digits, without the words that tell nothing.

    >>> sorted(stems("Three bedrooms, for $450,000."))
    ['3', '450000', 'bedroom']
    """
    words = [_NUMBERS.get(word, word) for word in _WORD.findall(fold(_THOUSANDS.sub("", text)))]
    telling = [word for word in words if word not in _IDLE and (len(word) > 1 or word.isdigit())]
    return frozenset(Stemmer.Stemmer("english").stemWords(telling))


def quotes(text: str, quote: str) -> bool:
    """Whether a quotation stands in a text, whatever the spaces, case and punctuation, or nearly does.

    >>> quotes("Well, we've moved to  Atlanta!", "we've moved to Atlanta")
    True
    >>> quotes("Well, we've moved to Atlanta!", "they moved back to Boston")
    False
    """
    wanted, there = _WORD.findall(fold(quote)), _WORD.findall(fold(text))
    if not wanted or len(wanted) > LONGEST_QUOTE:
        return False
    return _has(there, quote) or (len(wanted) >= _FEWEST and _alike(wanted, there) >= ALIKE)


def _has(there: list[str], phrase: str) -> bool:
    wanted = " ".join(_WORD.findall(fold(phrase)))
    return bool(wanted) and wanted in " ".join(there)


def _alike(wanted: list[str], there: list[str]) -> float:
    """How alike the words are to those of the place in the text that has most of them; in linear time."""
    length = len(wanted)
    missing = Counter(wanted)
    found = best = at = 0
    for place, word in enumerate(there):
        found += missing[word] > 0
        missing[word] -= 1
        if place >= length:
            gone = there[place - length]
            missing[gone] += 1
            found -= missing[gone] > 0
        if found > best:
            best, at = found, place
    if best < ALIKE * length:
        return 0.0
    window = there[max(at - length + 1, 0) : at + 1]
    return SequenceMatcher(None, wanted, window, autojunk=False).ratio()


def _plain(value: str) -> bool:
    return value.strip().lower() in _PLAIN
