"""What packs' rules see named in what was said: "order number 10432" is the order 10432."""

from __future__ import annotations

from collections.abc import Iterator

from recollect.core.consolidate.extraction import Conversation, Mention
from recollect.core.consolidate.junk import LONGEST, spoken
from recollect.core.model import Memory

MOST = 40
"""At most so many names of one turn."""


def mentioned(conversation: Conversation) -> Iterator[Mention]:
    """What the new turns name by packs' rules: people's in their own words, others' as they stand."""
    if conversation.vocabulary.mentions:
        for turn in conversation.turns[conversation.new :]:
            named = dict.fromkeys(_named(turn, conversation))
            yield from list(named)[:MOST]


def _named(turn: Memory, conversation: Conversation) -> Iterator[Mention]:
    role = turn.role or "user"
    said = spoken(turn.content) if role == "user" else turn.content[:LONGEST]
    for rule in conversation.vocabulary.mentions:
        if role in rule.roles:
            for found in rule.pattern.finditer(said):
                if value := " ".join((found["value"] or "").split()):
                    yield Mention(rule.name.replace("{value}", value), rule.kind, turn.id)
