"""A pack's story, played: said, understood, asked, and looked at, step by step."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, TypeAlias

from recollect.core.graph import Neighbourhood
from recollect.core.model import JsonObject, Message, Principal, Turns
from recollect.core.pack import Asked, Called, Pack, Said, Shown, Step, Story
from recollect.core.replying import Replies, Reply
from recollect.core.service import Service

PATIENCE = 120.0
"""Seconds that a story waits until what was said is understood."""

AROUND = 100
HOPS = 2
PAUSE = timedelta(seconds=20)
ASSISTANT = "Assistant"

Request: TypeAlias = Callable[[str, str, Mapping[str, Any], Mapping[str, Any]], Awaitable[JsonObject]]
"""A request to the server: method, path, parameters and body; its answer."""


@dataclass(frozen=True, slots=True)
class Played:
    """A step that was played. `missing`: what was expected of it, and is not there.

    `reply`: to what was asked. `answer`: of a request. `around`: the graph that was shown.
    """

    step: Step
    missing: tuple[str, ...] = ()
    reply: Reply | None = None
    answer: JsonObject | None = None
    around: Neighbourhood | None = None


class Player:
    """Plays the story of a pack in a tenant that has turned the pack on."""

    def __init__(
        self, service: Service, replies: Replies, principal: Principal, pack: Pack, request: Request
    ) -> None:
        self._service = service
        self._replies = replies
        self._principal = principal
        self.pack = pack
        self._request = request

    async def play(self, story: Story) -> AsyncIterator[Played]:
        """Each step as it is played, from nothing: what was remembered of its person is forgotten first."""
        await self._service.forget_user(self._principal, story.user)
        for step in story.steps:
            yield await self._played(story, step)

    async def _played(self, story: Story, step: Step) -> Played:
        match step:
            case Said():
                await self._say(story, step.session, step.says, step.replies, step)
                return Played(step)
            case Asked():
                return await self._asked(story, step)
            case Called():
                method, _, path = step.calls.partition(" ")
                answer = await self._request(method, self.pack.path + path, step.params, step.body)
                said = json.dumps(answer, ensure_ascii=False, default=str)
                return Played(step, _missing(step.expects, said), answer=answer)
            case Shown():
                around = await self._service.around_person(self._principal, story.user, limit=AROUND)
                there = (around.entity, *(near.entity for near in around.near)) if around else ()
                kinds = set(map(self.pack.kind, there))
                missing = tuple(kind for kind in step.expects if kind not in kinds)
                return Played(step, missing, around=around)

    async def _asked(self, story: Story, step: Asked) -> Played:
        """The question, answered from what was remembered before it was asked."""
        template = self.pack.context()
        brief = await self._service.brief(self._principal, template, step.asks, story.user)
        prompt = self.pack.prompts.get("reply", self.pack.about)
        reply = await self._replies.reply(self._principal, prompt, step.asks, brief)
        await self._say(story, step.session, step.asks, reply.text, step)
        return Played(step, _missing(step.expects, reply.text), reply)

    async def _say(self, story: Story, session: str, said: str, reply: str, step: Said | Asked) -> None:
        messages = [Message(said, "user", story.name, step.at)]
        if reply:
            messages.append(Message(reply, "assistant", ASSISTANT, step.at + PAUSE))
        turns = Turns(session, messages, user_id=story.user)
        await self._service.remember(self._principal, turns, wait=PATIENCE)


def _missing(expected: tuple[str, ...], said: str) -> tuple[str, ...]:
    return tuple(one for one in expected if one.casefold() not in said.casefold())
