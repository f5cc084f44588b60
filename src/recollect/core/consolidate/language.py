"""A conversation read by a language model, with the rules for whatever it leaves unread.

The turns go to the model in windows, as data: one JSON object a line, in which no text can end its own line
or the fence around all. What comes back counts only as far as the turns say so. When the model fails or
refuses, or may not be asked, the rules' result stands for those turns, and `Extraction.source["fell_back"]`
says why.
"""

from __future__ import annotations

import asyncio
import json
import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeAlias

from recollect.core.consolidate.answer import MACHINES, Reading, form, listed
from recollect.core.consolidate.attributes import Vocabulary
from recollect.core.consolidate.evidence import supported
from recollect.core.consolidate.extraction import Conversation, Extraction
from recollect.core.consolidate.junk import spoken
from recollect.core.consolidate.mentioning import mentioned
from recollect.core.errors import LanguageModelUnavailable
from recollect.core.language import Language
from recollect.core.model import JsonObject, Memory, Principal
from recollect.core.ports import Prompt
from recollect.core.prompts import read_prompt

__all__ = ["LanguageReader", "supported"]

PROMPT = "understanding-1"
"""The file, with its version, that tells a model what to do."""

WINDOW = 40
"""So many new turns go to the model at once."""

BEFORE = 20
"""With so many that were read before, so that the new ones can be understood."""

LONGEST_TURN = 2_000
LONGEST_KNOWN = 500
LONGEST_WINDOW = 16_000
"""Characters of a new turn, of one read before, and of a window's new turns, that go to the model."""

MOST_CALLS = 6
"""For one conversation; what is left is for the rules."""

OUTPUT_TOKENS = 8_000

log = logging.getLogger(__name__)
Rules: TypeAlias = Callable[[Conversation], Extraction]


@dataclass(frozen=True, slots=True)
class Window:
    """Turns that go to the model together, by their numbers; those of `new` are to be understood."""

    turns: Mapping[int, Memory]
    new: frozenset[int]


class LanguageReader:
    """Reads conversations by a language model, within its tenant's budget, and by rules where it cannot."""

    def __init__(self, language: Language, rules: Rules) -> None:
        self._language = language
        self._rules = rules

    async def read(self, principal: Principal, conversation: Conversation) -> Extraction:
        """What the conversation's new turns tell; it never fails for want of a model."""
        windows = list(cut(conversation))
        if self._language.model is None or not windows:
            return await self._by_rules(conversation)
        source = {"extractor": "language", "prompt": PROMPT, "model": self._language.model}
        found = Extraction(mentions=tuple(mentioned(conversation)), source=source)
        for place, window in enumerate(windows):
            if place == MOST_CALLS:
                return await self._completed(found, conversation, windows[place:], "calls")
            try:
                found = _joined(found, await self._understood(principal, conversation, window))
            except LanguageModelUnavailable as error:
                log.warning("Rules read what a language model should have: %s", error)
                return await self._completed(found, conversation, windows[place:], error.reason)
        return found if len(windows) == 1 and conversation.turns[0].seq == 1 else replace(found, summary=None)

    async def _by_rules(self, conversation: Conversation) -> Extraction:
        return await asyncio.to_thread(self._rules, conversation)

    async def _completed(
        self, found: Extraction, conversation: Conversation, unread: Sequence[Window], reason: str
    ) -> Extraction:
        """What the model found, and in the turns that it did not read what the rules do."""
        by_rules = await self._by_rules(conversation)
        turns = {window.turns[number].id for window in unread for number in window.new}
        if turns >= {turn.id for turn in conversation.turns[conversation.new :]}:
            return replace(by_rules, source={**by_rules.source, "fell_back": reason})
        return Extraction(
            (*found.findings, *(each for each in by_rules.findings if turns.intersection(each.evidence))),
            (*found.mentions, *(each for each in by_rules.mentions if each.memory_id in turns)),
            {**found.source, "fell_back": reason},
        )

    async def _understood(
        self, principal: Principal, conversation: Conversation, window: Window
    ) -> Extraction:
        vocabulary = conversation.vocabulary
        prompt = Prompt(_instructions(vocabulary), _told(conversation, window), OUTPUT_TOKENS)
        completion = await self._language.complete(principal, prompt, form(vocabulary.kinds))
        names = frozenset(map(str.lower, conversation.names))
        reading = Reading(window.turns, window.new, names, vocabulary)
        return await asyncio.to_thread(reading.extraction, completion.value)


def cut(conversation: Conversation) -> Iterator[Window]:
    """The new turns in windows, each with those before it; none where no person says anything.

    Turns are numbered from 1, in the whole conversation.
    """
    numbered = list(enumerate(conversation.turns, 1))
    window: list[tuple[int, Memory]] = []
    size = 0
    for number, turn in [*numbered[conversation.new :], (0, None)]:
        length = len(_said(turn)) if turn else 0
        if window and (turn is None or len(window) == WINDOW or size + length > LONGEST_WINDOW):
            if any(_tells(each) for _, each in window):
                before = numbered[max(window[0][0] - 1 - BEFORE, 0) : window[0][0] - 1]
                yield Window(dict([*before, *window]), frozenset(place for place, _ in window))
            window, size = [], 0
        if turn:
            window.append((number, turn))
            size += length


def _tells(turn: Memory) -> bool:
    return turn.role not in MACHINES and bool(_said(turn).strip())


def _said(turn: Memory) -> str:
    """What goes to the model of a turn: of a person's, what they say in their own words."""
    text = turn.content if turn.role in MACHINES else spoken(turn.content)
    return text[:LONGEST_TURN]


def _instructions(vocabulary: Vocabulary) -> str:
    """Ours, and after them those of the tenant's packs."""
    ours = read_prompt(PROMPT).replace("{attributes}", listed(vocabulary))
    return (
        f"{ours.rstrip()}\n\n# this domain\n\n{vocabulary.instructions}\n"
        if vocabulary.instructions
        else ours
    )


def _told(conversation: Conversation, window: Window) -> str:
    """The turns between their tags, which no turn can close: "<" is written as JSON allows."""
    lines = [_line(number, turn, known=number not in window.new) for number, turn in window.turns.items()]
    fenced = "\n".join(lines).replace("<", "\\u003c")
    who = json.dumps(conversation.names, ensure_ascii=False).replace("<", "\\u003c")
    return f"The person remembered is called: {who}\n<conversation>\n{fenced}\n</conversation>"


def _line(number: int, turn: Memory, *, known: bool) -> str:
    said = _said(turn)
    line: JsonObject = {
        "turn": number,
        "at": f"{turn.valid_from:%A %Y-%m-%d %H:%M}",
        "role": turn.role or "user",
        **({"name": turn.name} if turn.name else {}),
        **({"known": True} if known else {}),
        "said": said[:LONGEST_KNOWN] if known else said,
    }
    return json.dumps(line, ensure_ascii=False)


def _joined(one: Extraction, other: Extraction) -> Extraction:
    dropped = one.source.get("dropped", 0) + other.source.get("dropped", 0)
    source = {**one.source, **({"dropped": dropped} if dropped else {})}
    return Extraction(
        (*one.findings, *other.findings), (*one.mentions, *other.mentions), source, other.summary
    )
