"""Questions answered from what is remembered of a person, without a language model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

from recollect.core.access import own_scope
from recollect.core.answering import (
    REMEMBERED,
    Answer,
    Ask,
    Plain,
    listed,
    may_be_a_fact,
    nothing,
    quoted,
    speaks_of,
    touches,
    understand,
)
from recollect.core.bounds import check_scope
from recollect.core.consolidate import rolling, summarising
from recollect.core.consolidate.profile import ordered, profile
from recollect.core.errors import Invalid
from recollect.core.ids import NEWEST
from recollect.core.lookup import Told, look_up, stands_for_another
from recollect.core.model import USER, Claim, Filter, Memory, Principal, Recalled, Which
from recollect.core.reading import Reader
from recollect.core.summaries import MOST_FACTS, Summaries, to_do

LOOKED_THROUGH = 200
"""So many of the best hits are looked through for a word: what is counted is among them."""

SURE = 0.5
"""A recall less sure than this of having the answer found nothing about what was asked."""

MOST_SUMMARIES = 50
LISTED = 10
TOLD_SUMMARIES = 2
ATTRIBUTE = Plain(Ask.ATTRIBUTE)
_QUOTING = frozenset(source["extractor"] for source in (rolling.SOURCE, summarising.SOURCE))
"""Whose summaries are facts, which are told as they hold now, and quotations."""


class Answers(Reader, Summaries):
    """What can be answered plainly."""

    async def answer(self, principal: Principal, question: str, scope: Filter) -> Answer:
        """The answer to a plain question about one person: "I" is the person, "you" whoever talked with them.

        A question that is not plain is not answered; what was recalled for it comes back.

        Raises:
            Invalid: the scope is not one person's, or the question is empty.
            TooLarge, Forbidden: as `recall` does.
        """
        check_scope(scope)
        scope = own_scope(principal, scope)
        if scope.user_id is None:
            raise Invalid("A question is answered about one person.", hint="Give user_id.")
        scope = replace(scope, include_shared=False)
        plain = understand(question)
        match plain:
            case None:
                return await self._open(principal, question, scope)
            case Plain(Ask.PROFILE):
                return await self._profile(principal, scope)
            case Plain(Ask.LAST_CONTACT | Ask.SESSIONS | Ask.LAST_SUMMARY):
                return await self._conversations(principal, scope, plain)
            case Plain(Ask.ACTIONS):
                return await self._actions(principal, scope, plain)
            case Plain(Ask.ATTRIBUTE | Ask.WHO):
                return await self._attribute(principal, question, scope, plain)
            case _:
                return await self._said(principal, scope, plain)

    async def answer_plainly(self, principal: Principal, question: str, scope: Filter) -> Answer | None:
        """The answer to a plain question, as `answer` gives it; None where it would have to recall for it.

        Raises:
            Forbidden: it is another person's credential.
        """
        scope = replace(own_scope(principal, scope), include_shared=False)
        plain = understand(question)
        match plain:
            case None:
                return (
                    _told(await self._looked_up(principal, question, scope))
                    if may_be_a_fact(question)
                    else None
                )
            case Plain(Ask.ATTRIBUTE | Ask.WHO):
                return _told(await self._looked_up(principal, plain.about, scope), plain)
            case Plain(Ask.PROFILE | Ask.LAST_CONTACT | Ask.SESSIONS | Ask.LAST_SUMMARY | Ask.ACTIONS):
                answer = await self.answer(principal, question, scope)
                return answer if answer.answered else None
            case _:
                return None

    async def _open(self, principal: Principal, question: str, scope: Filter) -> Answer:
        """What a fact tells of a question that is not plain, or else what was recalled for it."""
        if may_be_a_fact(question):
            told = _told(await self._looked_up(principal, question, scope))
            if told:
                return told
        return await self._recalled(principal, question, scope)

    async def _recalled(self, principal: Principal, question: str, scope: Filter) -> Answer:
        """What was recalled for a question that is not plain."""
        return _nothing_sure(await self.recall(principal, question, scope, limit=LISTED), question)

    async def _profile(self, principal: Principal, scope: Filter) -> Answer:
        """The facts, the name first, and what the last summaries add to them."""
        now = self._clock.now()
        async with self._storage.transaction(principal) as tx:
            known = await tx.known_of(scope, facts=MOST_FACTS, summaries=TOLD_SUMMARIES, now=now)
        facts = sorted(profile(known), key=lambda one: not (one.claim and _is_own_name(one.claim)))
        spoken = ordered(known)
        added = {one.id: text for one in spoken if (text := _added(one, facts[:LISTED]))}
        if not facts and not added:
            return quoted(Ask.PROFILE, "This was spoken of:", spoken) if spoken else nothing()
        found = [*facts[: LISTED - len(added)], *(one for one in spoken if one.id in added)]
        return quoted(Ask.PROFILE, REMEMBERED, found, texts=added)

    async def _conversations(self, principal: Principal, scope: Filter, plain: Plain) -> Answer:
        """When there was a conversation, how many there were, or what the last one was about."""
        async with self._storage.transaction(principal) as tx:
            user = await tx.user(str(scope.user_id))
            spoken = await tx.edge_turns(str(scope.user_id), now=self._clock.now())
            last = spoken[-1:] if not plain.first else spoken[:1]
            told = last and plain.ask is Ask.LAST_SUMMARY
            summaries = (
                await tx.summaries_of_session(str(last[0].session_id), now=self._clock.now()) if told else []
            )
        if user is None or not last:
            return nothing()
        if plain.ask is Ask.SESSIONS:
            return quoted(
                plain.ask, f"There were {user.session_count} conversations; the last turn was:", last
            )
        if plain.ask is Ask.LAST_SUMMARY:
            return quoted(
                plain.ask, f"The last conversation, on {last[0].valid_from:%Y-%m-%d}:", summaries or last
            )
        which = "first" if plain.first else "last"
        ago = _ago(self._clock.now() - last[0].valid_from)
        return quoted(
            plain.ask, f"The {which} turn was on {last[0].valid_from:%Y-%m-%d at %H:%M} UTC, {ago}:", last
        )

    async def _actions(self, principal: Principal, scope: Filter, plain: Plain) -> Answer:
        """What is open, or what one of the two promised."""
        async with self._storage.transaction(principal) as tx:
            summaries = await tx.summaries_of(
                scope.user_id, before=NEWEST, limit=MOST_SUMMARIES, now=self._clock.now()
            )
            user = await tx.user(str(scope.user_id))
        own = {"user", *(user.names if user else ())}
        todo = [
            one
            for one in to_do(summaries)
            if not plain.by or (one.action.owner in own) == (plain.by == "user")
        ]
        return listed(todo)

    async def _attribute(self, principal: Principal, question: str, scope: Filter, plain: Plain) -> Answer:
        """What holds, and since when; what was before; who somebody is."""
        told = _told(await self._looked_up(principal, plain.about, scope), plain)
        if told:
            return told
        if plain.before or stands_for_another(plain.about):
            return await self._recalled(principal, question, scope)
        if plain.ask is Ask.WHO:
            return await self._said(principal, scope, plain)
        return await self._said(principal, scope, replace(plain, ask=Ask.SAID, by="user"))

    async def _looked_up(self, principal: Principal, asked: str, scope: Filter) -> Told:
        """What the person's facts tell of what is asked, those included that hold no more."""
        now = self._clock.now()
        async with self._storage.transaction(principal) as tx:
            facts = await tx.list_facts(Which(scope, history=True), before=NEWEST, limit=MOST_FACTS, now=now)
        return look_up(facts, asked, now)

    async def _said(self, principal: Principal, scope: Filter, plain: Plain) -> Answer:
        """What was said of something: all of it, the last time, how often, or who somebody is."""
        found = await self.recall(principal, plain.about, scope, limit=LOOKED_THROUGH)
        spoken = [hit.memory for hit in found if speaks_of(hit.memory, plain.about)]
        facts = [one for one in spoken if one.claim]
        turns = [one for one in spoken if one.seq is not None and _by(one, plain.by)]
        if not turns and not facts:
            return _nothing_sure(found, plain.about)
        by_time = sorted(turns, key=lambda turn: (turn.valid_from, turn.seq or 0), reverse=not plain.first)
        match plain.ask:
            case Ask.COUNT:
                return quoted(plain.ask, f"In {len(turns)} turns, last:", by_time[:1])
            case Ask.LAST_MENTION if by_time:
                which = "First" if plain.first else "Last"
                return quoted(plain.ask, f"{which} on {by_time[0].valid_from:%Y-%m-%d}:", by_time[:1])
            case _:
                return quoted(plain.ask, REMEMBERED, [*facts[: LISTED // 2], *turns])


def _told(told: Told, plain: Plain = ATTRIBUTE) -> Answer | None:
    """The answer that facts give; None: they tell nothing of it.

    What is planned, or only known not to be so, answers nothing but what is asked if nothing else does, and
    says what it is.
    """
    ways: Sequence[tuple[Sequence[Memory], str]]
    if plain.before:
        ways = ((told.earlier, "Before, it was:"), (told.denied, "Only this is known, that it is not so:"))
    else:
        ways = (
            (told.current, _since(told.current)),
            (told.earlier, "This was so, and is so no more:"),
            (told.planned, "This is planned, and not known to be so:"),
            (told.denied, "Only this is known, that it is not so:"),
        )
    return next((quoted(plain.ask, head, facts) for facts, head in ways if facts), None)


def _since(facts: Sequence[Memory]) -> str:
    return f"Since {facts[0].valid_from:%Y-%m-%d}:" if len(facts) == 1 else "It is:"


def _is_own_name(claim: Claim) -> bool:
    return claim.subject == USER and claim.attribute == "name"


def _added(summary: Memory, facts: Sequence[Memory]) -> str:
    """What a summary says beside the facts; "": nothing, or what was said is all that it quotes."""
    if summary.source.get("extractor") in _QUOTING:
        return ""
    text = summary.content
    for fact in facts:
        text = text.replace(fact.content, "")
    told = {id_ for fact in facts for id_ in fact.evidence}
    return "" if summary.evidence and told.issuperset(summary.evidence) else text.strip()


def _nothing_sure(found: Recalled, asked: str) -> Answer:
    """That nothing is remembered; or, if the recall is sure of itself or has the words, what it found."""
    memories = [hit.memory for hit in found[:LISTED]]
    if found.confidence >= SURE:
        return quoted("open", "This may answer it:", memories, answered=False)
    near = [one for one in memories if touches(one, asked)]
    return quoted("open", "This may answer it:", near, answered=False) if near else nothing(memories)


def _by(turn: Memory, by: str) -> bool:
    return not by or (turn.role == "assistant") == (by == "assistant")


def _ago(since: timedelta) -> str:
    """How long ago, in the largest unit that fits.

    >>> _ago(timedelta(days=3, hours=4)), _ago(timedelta(minutes=1)), _ago(timedelta(0))
    ('3 days ago', '1 minute ago', 'just now')
    """
    units = (("day", 86_400), ("hour", 3_600), ("minute", 60))
    for unit, seconds in units:
        count = int(since.total_seconds() // seconds)
        if count >= 1:
            return f"{count} {unit}{'s' if count > 1 else ''} ago"
    return "just now"
