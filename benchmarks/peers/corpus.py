"""What every contestant is given: LoCoMo's conversations, and a hundred users with few memories each."""

from __future__ import annotations

from itertools import islice
from random import Random
from typing import Any

from recall_offline import locomo
from speed.texts import questions, turns

SMALL_USERS = 100
SMALL_SIZE = 20
SEED = 17


def make_corpus() -> dict[str, Any]:
    """Users with their memories, and questions with the ids of the memories that answer them.

    Of a small user's question it is only counted how many memories come back: they have 20.

    Raises:
        FileNotFoundError: LoCoMo is not there.
    """
    users, asked = [], []
    for number, conversation in enumerate(locomo()):
        user = f"conversation-{number}"
        memories = [
            {
                "id": f"{user}-{place}",
                "session": f"{user}-{turn.session}",
                "speaker": turn.speaker,
                "at": turn.at.isoformat(),
                "text": turn.text,
            }
            for place, turn in enumerate(conversation.turns)
        ]
        users.append({"user": user, "memories": memories})
        asked += [
            {
                "user": user,
                "query": question.text,
                "evidence": [f"{user}-{place}" for place in sorted(question.evidence)],
            }
            for question in conversation.questions
        ]
    return {"users": users + _small_users(), "questions": asked, "small": _small_questions()}


def _small_users() -> list[dict[str, Any]]:
    return [
        {
            "user": f"small-{number}",
            "memories": [
                {
                    "id": f"small-{number}-{place}",
                    "session": f"small-{number}-session",
                    "speaker": role,
                    "at": f"2025-03-01T12:{place:02}:00+00:00",
                    "text": text,
                }
                for place, (role, text) in enumerate(turns(Random(f"{SEED}/{number}"), SMALL_SIZE))
            ],
        }
        for number in range(SMALL_USERS)
    ]


def _small_questions() -> list[dict[str, Any]]:
    asked = islice(questions(Random(SEED)), SMALL_USERS)
    return [{"user": f"small-{number}", "query": query} for number, query in enumerate(asked)]
