"""Answers to plain questions, without a language model: quoted from what is remembered, each with its source.

A question that is not plain is not answered; what was recalled for it comes back instead.
"""

from __future__ import annotations

import enum
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from uuid import UUID

from recollect.core.lookup import content_words
from recollect.core.model import Memory
from recollect.core.recall import context
from recollect.core.summaries import ToDo
from recollect.core.text.stems import stems
from recollect.core.text.tokens import tokenize

REMEMBERED = "This is remembered:"
"""What stands above what is quoted."""

MOST_LINES = 10
"""An answer quotes so many memories at most."""


class Ask(enum.StrEnum):
    """What a plain question asks for."""

    PROFILE = "profile"
    LAST_CONTACT = "last_contact"
    LAST_SUMMARY = "last_summary"
    SESSIONS = "sessions"
    COUNT = "count"
    LAST_MENTION = "last_mention"
    ACTIONS = "actions"
    SAID = "said"
    ATTRIBUTE = "attribute"
    WHO = "who"


@dataclass(frozen=True, slots=True)
class Plain:
    """A plain question. `about`: of what. `by`: said by the "user", the "assistant", or "" for either.

    `first`: the earliest is asked for, and not the latest. `before`: what was so, and not what is.
    """

    ask: Ask
    about: str = ""
    by: str = ""
    first: bool = False
    before: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer, with a label for each memory that it rests on; `memories` in the order of the labels.

    `answered` False: the question is not plain ("open"), or nothing is remembered ("nothing"); `memories` are
    then what was recalled for it.
    """

    answered: bool
    kind: str
    text: str
    citations: Mapping[str, UUID]
    memories: Sequence[Memory]


@cache
def _questions() -> tuple[re.Pattern[str], Sequence[tuple[Ask, re.Pattern[str]]], re.Pattern[str]]:
    """The courtesies, the patterns of each kind, and how a question begins that facts may answer."""
    read = tomllib.loads((files("recollect.core") / "questions.toml").read_text("utf-8"))
    patterns = [
        (Ask(one["kind"]), re.compile(pattern)) for one in read["question"] for pattern in one["patterns"]
    ]
    return re.compile(read["openings"]), patterns, re.compile(read["open"])


def understand(question: str) -> Plain | None:
    """What a plain question asks for; None: it is not plain.

    >>> understand("Hey, when did I last mention the leather sofa?")
    Plain(ask=<Ask.LAST_MENTION: 'last_mention'>, about='leather sofa', by='user', first=False, before=False)
    >>> understand("Should we take the sofa?") is None
    True
    """
    small = _small(question)
    for ask, pattern in _questions()[1]:
        if found := pattern.fullmatch(small):
            said = {name: value for name, value in found.groupdict().items() if value}
            about = re.sub(r"^(?:the|a|an|my|our|any|some) ", "", said.get("about", "")).strip()
            by = {"i": "user", "you": "assistant"}.get(said.get("by", ""), "")
            first = "first" in said or "earliest" in said
            return Plain(ask, about, by, first, bool(said.keys() & {"old", "before", "then"}))
    return None


def may_be_a_fact(question: str) -> bool:
    """Whether a question that is not plain may be answered by a fact: it asks for no advice or opinion.

    >>> may_be_a_fact("How old is Ivy?"), may_be_a_fact("Which sofa should I buy?")
    (True, False)
    """
    return bool(_questions()[2].fullmatch(_small(question)))


def speaks_of(memory: Memory, about: str) -> bool:
    """Whether a memory has all the words that are asked about."""
    words = stems(about)
    return bool(words) and words <= frozenset(tokenize(memory.content))


def touches(memory: Memory, question: str) -> bool:
    """Whether a memory has at least half of the words that say what a question is about."""
    words = content_words(question)
    return bool(words) and 2 * len(words & frozenset(tokenize(memory.content))) >= len(words)


def quoted(
    kind: str,
    head: str,
    memories: Sequence[Memory],
    *,
    answered: bool = True,
    texts: Mapping[UUID, str] | None = None,
) -> Answer:
    """An answer that says `head`, and then each of the memories on a line with its label.

    `texts`: what is quoted of a memory, where that is not all of it.
    """
    shown, texts = memories[:MOST_LINES], texts or {}
    lines = [f"[m{label}] {_line(one, texts.get(one.id, one.content))}" for label, one in enumerate(shown, 1)]
    citations = {f"m{label}": one.id for label, one in enumerate(shown, 1)}
    return Answer(answered, kind, "\n".join(filter(None, [head, *lines])), citations, shown)


def listed(todo: Sequence[ToDo]) -> Answer:
    """An answer that lists what is to be done."""
    shown = todo[:MOST_LINES]
    lines: list[str] = []
    for label, one in enumerate(shown, 1):
        due = f", due by {one.last_day}" if one.last_day else ""
        said = context.quoted(f"{one.action.owner}: {one.action.text}")
        lines.append(f"[m{label}] {said}{due} (said {one.said_at:%Y-%m-%d})")
    head = "Still to be done:" if shown else "Nothing is open."
    citations = {f"m{label}": one.action.evidence for label, one in enumerate(shown, 1)}
    return Answer(True, Ask.ACTIONS, "\n".join([head, *lines]), citations, [one.summary for one in shown])


def nothing(recalled: Sequence[Memory] = ()) -> Answer:
    """That nothing is remembered about it; the memories are what came nearest."""
    return Answer(False, "nothing", "Nothing is remembered about that.", {}, tuple(recalled))


def _line(memory: Memory, content: str) -> str:
    who, text = context.quoted(memory.name or memory.role or ""), context.quoted(content)
    until = f" (until {memory.valid_to:%Y-%m-%d})" if memory.valid_to else ""
    return f"{memory.valid_from:%Y-%m-%d}{f', {who}' if who else ''}: {text}{until}"


def _small(question: str) -> str:
    """A question in small letters, without its courtesies and its question mark."""
    small = " ".join(question.lower().replace("’", "'").split()).strip(" ?!.")
    return _questions()[0].sub("", small, count=1)
