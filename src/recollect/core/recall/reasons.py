"""Why a memory was recalled, in a few words."""

from __future__ import annotations

import re
from collections.abc import Iterator

from recollect.core.recall.candidates import Query
from recollect.core.recall.ranking import Ranked
from recollect.core.text.tokens import tokenize

WORDS_SHOWN = 3
LONGEST_READ = 10_000
"""So many characters of a memory are looked through for the words: a longer one is not read for an answer."""
NOTABLE = 0.15
"""The share of a score's positive parts from which on a part is told."""

CLOSE = 0.3
"""The cosine from which on a text is called close in meaning, however far all the others are."""

_AROUND = ("window", "window_words", "previous", "following")
_WORD = re.compile(r"[^\W_]+(?:['’][^\W_]+)*")


def why(query: Query, ranked: Ranked, content: str, name: str | None) -> str:
    """What speaks for this memory, the strongest first; `content` and `name` are the memory's own.

    >>> parts = {"dense": 2.0, "words": 3.0, "speaker": 0.4}
    >>> ranked = Ranked(0, 5.4, parts, matched=("section",), similarity=0.6)
    >>> query = Query("Which sectionals does Caroline like?", names=("Caroline",))
    >>> why(query, ranked, "I love that grey sectional!", "Caroline")
    "says 'sectional'; close in meaning; said by Caroline"
    """
    reasons = sorted(_reasons(query, ranked, content, name), reverse=True, key=lambda reason: reason[0])
    return "; ".join(text for _, text in reasons) or "the nearest there is"


def _reasons(query: Query, ranked: Ranked, content: str, name: str | None) -> Iterator[tuple[float, str]]:
    """The reasons that hold, each with its worth. What was asked for outright is told however small."""
    parts = ranked.parts
    least = NOTABLE * sum(value for value in parts.values() if value > 0)
    if words := _words(ranked.matched, content):
        yield parts.get("words", 0.0), "says " + ", ".join(f"'{word}'" for word in words)
    if name in query.names:
        yield parts.get("speaker", 0.0), f"said by {name}"
    if (date := parts.get("date", 0.0)) > 0:
        yield date, "on the date asked about"
    if (meaning := parts.get("dense", 0.0)) > least and (ranked.similarity or 0.0) >= CLOSE:
        yield meaning, "close in meaning"
    if (around := sum(parts.get(part, 0.0) for part in _AROUND)) > least:
        yield around, "the turns around it fit"
    if (session := parts.get("session", 0.0)) > least:
        yield session, "from a session about it"


def _words(matched: tuple[str, ...], content: str) -> list[str]:
    """How the content writes the first of the matched tokens; a script without spaces is told by token."""
    written: dict[str, str] = {}
    wanted = matched[:WORDS_SHOWN]
    for match in _WORD.finditer(content, 0, LONGEST_READ):
        tokens = tokenize(match.group())
        for token in tokens:
            if token in wanted:
                written.setdefault(token, match.group() if len(tokens) == 1 else token)
        if len(written) == len(wanted):
            break
    return [written[token] for token in wanted if token in written]
