"""What an agent of a domain should know before it answers: gathered as the domain's pack says.

The plain history is what a chat cannot go on without. All else makes it better: whatever of it does not
answer is left out, and the brief says so.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Mapping, Sequence, Set as AbstractSet
from dataclasses import dataclass, replace
from typing import Any, TypeVar
from uuid import UUID

from recollect.core.access import own_user, require
from recollect.core.answering import REMEMBERED, Answer, Ask, touches, understand
from recollect.core.answers import SURE, Answers
from recollect.core.bounds import check_id
from recollect.core.consolidate.linking import called, key
from recollect.core.consolidate.profile import ordered, profile
from recollect.core.errors import RecollectError
from recollect.core.graph import GraphReader, Neighbourhood
from recollect.core.ids import NEWEST
from recollect.core.model import (
    Claim,
    Context,
    Entity,
    Filter,
    Hit,
    Kind,
    Memory,
    Permission,
    Principal,
    Recalled,
    Relation,
)
from recollect.core.pack import MOST, ContextSection, ContextTemplate
from recollect.core.recall.context import Passage, Section, pack, quoted
from recollect.core.recall.sections import passage

PATIENCE = 2.0
"""Seconds that each part of the enrichment may take."""

SESSIONS = 20
NOTHING = Recalled((), 0.0)
EACH = 5
"""To all that is known in words, the graph adds so many of each section at most."""

LONGEST_LINE = 250
"""So many characters of each."""

_ENDS = (".", "!", "?", "…")

log = logging.getLogger(__name__)
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Brief:
    """What is known of a person, for one message of theirs.

    `turns`: the last ones, in order. `around`: the graph; None: nothing is known, or it does not answer.
    `answer`: to a plain question, in words, each line with where it is from; "". `missing`: the parts that do
    not answer now. `behind`: so many of the
    person's last turns are still to be understood.
    """

    context: Context
    turns: Sequence[Memory]
    known: Sequence[Memory] = ()
    around: Neighbourhood | None = None
    recalled: Sequence[Hit] = ()
    answer: str = ""
    missing: tuple[str, ...] = ()
    behind: int = 0

    @property
    def is_empty(self) -> bool:
        """Nothing is known of the person that could be shown."""
        return not self.context.citations


@dataclass(frozen=True, slots=True)
class _History:
    """What a chat cannot go on without."""

    turns: Sequence[Memory]
    behind: int


class Briefings(Answers, GraphReader):
    """Everything that is gathered for an agent."""

    async def brief(
        self,
        principal: Principal,
        template: ContextTemplate,
        query: str,
        user_id: str,
        *,
        away: Sequence[str] = (),
    ) -> Brief:
        """What is known of the person, and answers the query; without a query, what is known.

        `away`: what else of the enrichment is known not to answer now, to be told of with the rest.

        Raises:
            Forbidden: it is another person's credential.
            StorageUnavailable: not even the plain history can be had.
        """
        require(principal, Permission.READ)
        check_id(user_id, "user_id")
        own_user(principal, user_id)
        scope = Filter(user_id=user_id)
        missing = [*away]
        history, known, around, recalled, answer = await asyncio.gather(
            self._history(principal, scope),
            _part("facts", self._kept(principal, scope), missing),
            _part("graph", self._around(principal, template, user_id), missing),
            _part("recall", self._hits(principal, query, scope), missing),
            _part("answer", self._plainly(principal, query, scope), missing),
        )
        found = recalled or NOTHING
        brief = Brief(
            Context("", {}, 0, 0),
            history.turns,
            known or (),
            around,
            _answering(found, query),
            _answered(answer, around, template, query),
            tuple(sorted(missing)),
            history.behind,
        )
        brief = replace(brief, context=await asyncio.to_thread(_context, brief, template))
        self._note(principal, brief, found)
        return brief

    def _note(self, principal: Principal, brief: Brief, found: Recalled) -> None:
        """What stands in a context was recalled; a use of what was found for the query is noted already."""
        shown = frozenset(brief.context.citations.values()) - {hit.memory.id for hit in found}
        self.uses.note(principal, (one for one in brief.known if one.id in shown))

    async def _history(self, principal: Principal, scope: Filter) -> _History:
        own = replace(scope, include_shared=False, kinds=(Kind.MESSAGE,))
        async with self._storage.transaction(principal) as tx:
            turns = await tx.list_memories(own, before=NEWEST, limit=MOST["turns"], now=self._clock.now())
            sessions = await tx.list_sessions(scope.user_id, before=None, limit=SESSIONS)
        behind = sum(one.last_seq - one.consolidated_seq for one in sessions)
        return _History(sorted(turns, key=lambda turn: (turn.valid_from, turn.id)), behind)

    async def _kept(self, principal: Principal, scope: Filter) -> list[Memory]:
        """Facts, summaries, and what was kept and nobody said in a session."""
        now = self._clock.now()
        async with self._storage.transaction(principal) as tx:
            known = await tx.known_of(scope, facts=MOST["facts"], summaries=MOST["summaries"], now=now)
            notes = await tx.notes_of(str(scope.user_id), limit=MOST["notes"], now=now)
        return [*known, *notes]

    async def _around(
        self, principal: Principal, template: ContextTemplate, user_id: str
    ) -> Neighbourhood | None:
        """The graph, with its share for each kind that the template shows."""
        shown = [one for one in template.section if one.source == "entities"]
        kinds = [kind for one in shown for kind in one.kinds]
        each = max((one.limit for one in shown), default=EACH)
        return await self.around_person(principal, user_id, first=kinds, each=each, limit=MOST["entities"])

    async def _hits(self, principal: Principal, query: str, scope: Filter) -> Recalled:
        if not query.strip():
            return NOTHING
        return await self.recall(principal, query, scope, limit=MOST["recalled"])

    async def _plainly(self, principal: Principal, query: str, scope: Filter) -> Answer | None:
        return await self.answer_plainly(principal, query, scope) if query.strip() else None


def _answering(found: Recalled, query: str) -> list[Hit]:
    """What answers the query: all, if the recall is sure of itself, or else what has its words."""
    return [hit for hit in found if found.confidence >= SURE or touches(hit.memory, query)]


def _answered(
    answer: Answer | None, around: Neighbourhood | None, template: ContextTemplate, query: str
) -> str:
    """A plain answer; to a question about all that is known, with what the graph adds of the pack's kinds."""
    plain = understand(query)
    is_profile = plain is not None and plain.ask is Ask.PROFILE
    facts = answer.memories if answer else ()
    told = {name for fact in facts if fact.claim for name in _names(fact.claim)}
    added = {
        one.id: one
        for section in template.section
        if is_profile and section.source == "entities" and section.kinds
        for one in _entities(section, around, template.person, told)[:EACH]
    }
    if answer is None and not added:
        return ""
    further = (
        f"[m{place}] {_cut(quoted(f'{one.name}: {one.content}'))}"
        for place, one in enumerate(added.values(), (len(answer.citations) if answer else 0) + 1)
    )
    return "\n".join([answer.text if answer else REMEMBERED, *further])


def _cut(line: str) -> str:
    return line if len(line) <= LONGEST_LINE else f"{line[:LONGEST_LINE].rstrip()}…"


def _names(claim: Claim) -> tuple[str, str]:
    """What an entity is called that is no more than what a claim says: "oak", or "oak material"."""
    return key(claim.value), key(f"{claim.value} {claim.attribute}")


async def _part(name: str, work: Awaitable[T], missing: list[str]) -> T | None:
    """What a part of the enrichment gives; None, and its name among the missing, if it does not answer."""
    try:
        async with asyncio.timeout(PATIENCE):
            return await work
    except Exception as error:
        # Whatever a part runs into, the chat goes on without it; only what the asker did wrong is theirs.
        if isinstance(error, RecollectError) and error.status < 500:
            raise
        log.warning("A context is made without its part %s.", name, exc_info=error)
        missing.append(name)
        return None


def _context(brief: Brief, template: ContextTemplate) -> Context:
    """The text of a brief, and before it what is not in it."""
    head = _degraded(brief)
    packed = pack([_section(one, brief, template.person) for one in template.section], template.budget)
    text = f"{head}\n{packed.text}" if head else packed.text
    return Context(text, dict(packed.citations), packed.tokens, len(packed.dropped))


def _degraded(brief: Brief) -> str:
    lines = []
    if brief.missing:
        lines.append(f"Not available now: {', '.join(brief.missing)}. What follows is the rest of it.")
    if brief.behind:
        lines.append(
            f"Not understood yet: the last {brief.behind} messages. Those here stand as they were said."
        )
    return "\n".join(lines)


def _section(wanted: ContextSection, brief: Brief, person: str) -> Section:
    match wanted.source:
        case "turns":
            return Section(wanted.title, _passages(brief.turns[-wanted.limit :]), newest_last=True)
        case "entities":
            return Section(wanted.title, _entities(wanted, brief.around, person))
        case "facts":
            found = [one for one in profile(brief.known) if _is_wanted(one, wanted)]
        case "summaries":
            found = ordered(brief.known)
        case "notes":
            found = [one for one in brief.known if not one.claim and one.kind is not Kind.SUMMARY]
        case "recalled":
            found = [hit.memory for hit in brief.recalled]
    return Section(wanted.title, _passages(found[: wanted.limit]))


def _passages(memories: Sequence[Memory]) -> list[Passage]:
    return [passage(one) for one in memories]


def _is_wanted(fact: Memory, wanted: ContextSection) -> bool:
    return not wanted.attributes or (fact.claim is not None and fact.claim.attribute in wanted.attributes)


def _entities(
    wanted: ContextSection, around: Neighbourhood | None, person: str, told: AbstractSet[str] = frozenset()
) -> list[Passage]:
    """The entities of these kinds, but those called as is `told`, each with what it is to those around it.

    The person first, if their word is among the kinds, and something is known of them beside what is there.
    """
    if around is None:
        return []
    me = around.entity
    names = {one.id: called(one) for one in (me, *(one.entity for one in around.near))}
    found = [
        Passage(one.id, f"{one.name}{_ties(one, around.relations, names)}{_known(one)}", None, one.kind)
        for one in (near.entity for near in around.near)
        if (not wanted.kinds or one.kind in wanted.kinds) and key(one.name) not in told
    ]
    if person in wanted.kinds and (known := _known(me)):
        found.insert(0, Passage(me.id, f"{called(me)}{known}", None, person))
    return found[: wanted.limit]


def _ties(entity: Entity, relations: Sequence[Relation], names: Mapping[UUID, str]) -> str:
    """What an entity is to others, in brackets."""
    ties = [
        f"{names[one.source_id]} —{one.kind}→ it"
        if one.target_id == entity.id
        else f"—{one.kind}→ {names[one.target_id]}"
        for one in relations
        if entity.id in (one.source_id, one.target_id)
    ]
    return f" ({'; '.join(ties)})" if ties else ""


def _known(entity: Entity) -> str:
    """What is known of an entity, in sentences after a colon; attributes that begin with "_" are not told."""
    lines = [line.strip() for line in entity.description.splitlines()]
    told = [
        f"{name}: {text}"
        for name, value in entity.attributes.items()
        if not name.startswith("_") and (text := _plain(value))
    ]
    parts = (one if one.endswith(_ENDS) else f"{one}." for one in filter(None, [*lines, ", ".join(told)]))
    known = " ".join(parts)
    return f": {known}" if known else ""


def _plain(value: Any) -> str:
    """A value of an attribute in words; "" of what has none."""
    match value:
        case bool():
            return "yes" if value else "no"
        case str() | int():
            return str(value)
        case float():
            return f"{value:.15g}"
        case list() if all(isinstance(one, str) for one in value):
            return ", ".join(value)
        case _:
            return ""
