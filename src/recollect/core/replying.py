"""A reply to somebody, with all that is known of them: by a language model, or else from memory alone."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass

from recollect.core.answering import REMEMBERED
from recollect.core.briefing import Brief
from recollect.core.errors import LanguageModelUnavailable
from recollect.core.language import Language
from recollect.core.model import JsonObject, Principal
from recollect.core.ports import Prompt
from recollect.core.recall.context import quoted

OUTPUT_TOKENS = 600
ANSWER: JsonObject = {
    "type": "object",
    "properties": {"reply": {"type": "string"}},
    "required": ["reply"],
    "additionalProperties": False,
}
QUOTED = 3
"""So many memories are quoted where a question is not plain."""

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Reply:
    """What to say. `by`: the language model's name, or "memory". `fell_back`: why no model was asked."""

    text: str
    by: str
    fell_back: str | None = None


class Replies:
    """Whoever replies."""

    def __init__(self, language: Language) -> None:
        self._language = language

    async def reply(self, principal: Principal, prompt: str, message: str, brief: Brief) -> Reply:
        """A reply to the message; `prompt`: what the model is told to be. It never fails for want of one."""
        if self._language.model is None:
            return _remembered(brief)
        told = Prompt(prompt, _told(message, brief), OUTPUT_TOKENS)
        try:
            completion = await self._language.complete(principal, told, ANSWER)
        except LanguageModelUnavailable as error:
            log.warning("Memory replies where a language model should have: %s", error)
            return _remembered(brief, error.reason)
        return Reply(completion.value["reply"], self._language.model)


def _told(message: str, brief: Brief) -> str:
    """What is known, and the message as JSON, which no text can end."""
    said = json.dumps({"message": message}, ensure_ascii=False).replace("<", "\\u003c")
    return f"{brief.context.text}\n\nReply to this message:\n{said}"


def _remembered(brief: Brief, fell_back: str | None = None) -> Reply:
    """What is remembered, in its own words."""
    if brief.answer:
        return Reply(brief.answer, "memory", fell_back)
    found = enumerate(brief.recalled[:QUOTED], 1)
    lines = [f"[m{place}] {quoted(hit.memory.content)}" for place, hit in found]
    text = "\n".join([REMEMBERED, *lines]) if lines else "Nothing is remembered of this."
    return Reply(text, "memory", fell_back)
