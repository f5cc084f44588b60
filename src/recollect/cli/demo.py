"""`recollect demo`: the first ten minutes, in one command."""

from __future__ import annotations

import asyncio
import itertools
import os
import shutil
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from textwrap import fill, shorten
from typing import Any

import click

from recollect import __version__
from recollect.cli.api import Api
from recollect.cli.command import command, with_settings
from recollect.cli.console import Console, Steps
from recollect.cli.demonstration import first_key, own_key
from recollect.cli.opening import told
from recollect.cli.serving import serving, until_stopped
from recollect.cli.stories import play_pack
from recollect.core.errors import IdempotencyMismatch
from recollect.core.model import Turns
from recollect.demo.conversation import Conversation, Question, read_conversation
from recollect.settings import Settings

TENANT = "demo"
_HITS = 3
_FACTS = 6
_PATIENCE = 10
"""Seconds that the demo waits for its conversation to be understood; then it shows what there is."""
_LOOK = 0.1
_WIDTH = 100
_INDENT = " " * 5


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back for a question; `milliseconds` is the whole round trip, `took_ms` the search in it."""

    question: str
    user_id: str
    hits: list[dict[str, Any]]
    milliseconds: float
    took_ms: float


@command
@click.argument("pack", required=False)
@click.option(
    "--once", is_flag=True, help="End after the answers. It takes any free port, unless one is given."
)
@with_settings("host", "port", "home", "database_url", "owner_database_url")
async def demo(console: Console, *, settings: Settings, pack: str | None, once: bool) -> None:
    """Start everything, load a conversation, ask it five questions, and keep serving.

    With a PACK, like commerce, its story is played instead, from the beginning.

    The first start makes the tenant 'demo' and shows its API key. Later starts find the conversation there.
    """
    if once and "port" not in settings.model_fields_set:
        settings = settings.model_copy(update={"port": 0})
    await until_stopped(
        play_pack(console, settings, pack, once=once) if pack else _demo(console, settings, once=once)
    )


async def _demo(console: Console, settings: Settings, *, once: bool) -> None:
    if settings.debounce_seconds is None:
        settings = settings.model_copy(update={"debounce_seconds": 0.2})  # all is said at once here
    async with told(lambda progress: serving(settings, progress)) as server:
        key = await first_key(server.memory.tenants, TENANT)
        conversation = read_conversation()
        async with own_key(server.memory.tenants, TENANT) as own, Api(server.url, own) as api:
            began = time.perf_counter()
            with Steps() as progress:
                progress("Loading the conversation")
                new = await _load(api, conversation)
            seconds = time.perf_counter() - began
            answers = [await _ask(api, question) for question in conversation.questions]
            with Steps() as progress:
                progress("Understanding the conversation")
                learned = await _learned(api, conversation)
        loaded = {"turns": _count(conversation.sessions), "new": new, "seconds": round(seconds, 3)}
        page = [
            *_tell(server.url, conversation, new, seconds, answers),
            *_tell_learned(learned),
            *_tell_further(None if once else server.url, key),
        ]
        console.show(
            {
                "url": server.url,
                "tenant": TENANT,
                "key": key,
                "loaded": loaded,
                "answers": answers,
                "learned": learned,
            },
            "\n".join(page),
        )
        if not once:
            console.note(f"\nServing on {server.url}; Ctrl-C stops everything.")
            await server.until_ended()


async def _load(api: Api, conversation: Conversation) -> int:
    """Load what is not there yet; returns how many turns were new."""
    new = 0
    by_user = sorted(conversation.sessions, key=lambda session: str(session.user_id))
    for user_id, sessions in itertools.groupby(by_user, key=lambda session: str(session.user_id)):
        whole = list(sessions)
        there = await api.sessions(user_id)
        wanted = [one for one in whole if there.get(one.session_id, 0) < len(one.messages)]
        try:
            new += await _load_sessions(api, wanted)
        except IdempotencyMismatch:
            # An older version had brought another conversation of this person.
            await api.forget_user(user_id)
            new += await _load_sessions(api, whole)
    return new


async def _load_sessions(api: Api, sessions: Sequence[Turns]) -> int:
    for session in sessions:
        await api.remember(session, f"{TENANT}:{session.session_id}")
    return _count(sessions)


def _count(sessions: Sequence[Turns]) -> int:
    return sum(len(session.messages) for session in sessions)


async def _ask(api: Api, question: Question) -> Answer:
    began = time.perf_counter()
    answer = await api.recall(question.user_id, question.text, _HITS)
    milliseconds = (time.perf_counter() - began) * 1_000
    return Answer(
        question.text, question.user_id, answer["hits"], round(milliseconds, 1), round(answer["took_ms"], 1)
    )


async def _learned(api: Api, conversation: Conversation) -> dict[str, list[dict[str, Any]]]:
    """What was learned of each person, the oldest first, once all is understood, or patience ends."""
    with suppress(TimeoutError):
        async with asyncio.timeout(_PATIENCE):
            while await api.behind():  # noqa: ASYNC110 - the server is another process's to wake
                await asyncio.sleep(_LOOK)
    people = sorted({str(session.user_id) for session in conversation.sessions})
    return {user_id: (await api.facts(user_id, _FACTS))[::-1] for user_id in people}


def _tell(
    url: str, conversation: Conversation, new: int, seconds: float, answers: Sequence[Answer]
) -> Iterator[str]:
    """The demo as a page."""
    yield click.style(f"\nRecollect {__version__} at {url}", bold=True)
    people = len({session.user_id for session in conversation.sessions})
    state = f"{new} of them loaded in {seconds:.1f} s" if new else "all there since an earlier start"
    yield (
        f"A furniture shop's assistant and {people} customers: {len(conversation.sessions)} sessions, "
        f"{_count(conversation.sessions)} turns, {state}."
    )
    for place, answer in enumerate(answers, 1):
        yield from _tell_answer(place, answer)


def _tell_answer(place: int, answer: Answer) -> Iterator[str]:
    yield ""
    times = f"{answer.milliseconds:.1f} ms, {answer.took_ms:.1f} of them the search"
    yield click.style(f"{place:2}. {answer.question}", bold=True) + f"  (about {answer.user_id}; {times})"
    best, *others = answer.hits
    yield fill(_line(best), _WIDTH, initial_indent=_INDENT, subsequent_indent=_INDENT + " " * 13)
    yield click.style(f"{_INDENT}{'':13}because: {best['why']}", fg="green")
    for hit in others:
        yield click.style(_INDENT + shorten(_line(hit), _WIDTH - len(_INDENT), placeholder=" …"), dim=True)


def _line(hit: dict[str, Any]) -> str:
    memory = hit["memory"]
    said = datetime.fromisoformat(memory["valid_from"])
    return f"{said:%d %b %Y}, {memory['name'] or memory['kind']}: {memory['content']}"


def _tell_learned(learned: dict[str, list[dict[str, Any]]]) -> Iterator[str]:
    """What was understood in the background, without a language model."""
    for user_id, facts in learned.items():
        if facts:
            yield ""
            yield click.style(f"What was learned of {user_id}", bold=True)
        for fact in facts:
            since = datetime.fromisoformat(fact["valid_from"])
            yield fill(
                f"{since:%d %b %Y}: {fact['content']}",
                _WIDTH,
                initial_indent=_INDENT,
                subsequent_indent=_INDENT + " " * 13,
            )


def _tell_further(url: str | None, key: str | None) -> Iterator[str]:
    """The key, if it is new, and how to go on, if the server does."""
    if key:
        yield f"\nThe API key of the tenant '{TENANT}', shown this once:"
        yield click.style(f"  {key}", bold=True)
    if url:
        yield from _tell_how(url, has_key=bool(key))


def _tell_how(url: str, *, has_key: bool) -> Iterator[str]:
    yield ""
    if has_key:
        yield "Ask something yourself, with the key in RECOLLECT_API_KEY:"
    else:
        yield f"Ask something yourself. A key: RECOLLECT_API_KEY=$({_program()} key create {TENANT})"
    yield (
        f'  curl -s {url}/v1/recall -H "Authorization: Bearer $RECOLLECT_API_KEY" \\\n'
        "    -H 'Content-Type: application/json' \\\n"
        '    -d \'{"user_id": "marisol", "query": "Who is coming for Easter?"}\''
    )


def _program() -> str:
    """How this command is called from here."""
    installed = Path(sys.executable).with_name("recollect")
    return "recollect" if shutil.which("recollect") or not installed.exists() else os.path.relpath(installed)
