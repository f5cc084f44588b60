"""The bundled conversation: two customers of a furniture shop and its assistant, over ten weeks."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from importlib import resources
from typing import Any

from recollect.core.model import Message, Turns

PAUSE = timedelta(seconds=40)
"""What lies between two turns of a session."""


@dataclass(frozen=True, slots=True)
class Question:
    """What somebody might ask of a person, and the turns, as (session, place), that answer it."""

    user_id: str
    text: str
    evidence: frozenset[tuple[str, int]]


@dataclass(frozen=True, slots=True)
class Conversation:
    """Sessions in the order in which they took place, and questions about them."""

    sessions: tuple[Turns, ...]
    questions: tuple[Question, ...]


def read_conversation() -> Conversation:
    """The conversation as it is bundled."""
    document = json.loads(resources.files(__package__).joinpath("conversation.json").read_text("utf-8"))
    sessions = [_session(session) for session in sorted(document["sessions"], key=lambda one: str(one["at"]))]
    return Conversation(tuple(sessions), tuple(map(_question, document["questions"])))


def _session(session: dict[str, Any]) -> Turns:
    began = datetime.fromisoformat(session["at"])
    messages = [
        Message(turn["content"], turn["role"], turn["name"], began + place * PAUSE)
        for place, turn in enumerate(session["messages"])
    ]
    return Turns(session["session_id"], messages, user_id=session["user_id"])


def _question(question: dict[str, Any]) -> Question:
    evidence = frozenset((turn["session_id"], turn["seq"]) for turn in question["evidence"])
    return Question(question["user_id"], question["question"], evidence)
