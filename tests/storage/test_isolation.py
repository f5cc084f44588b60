"""Whatever a client sends, it reaches its own tenant's rows, and a person reaches their own."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID, uuid4

import pytest
from testbed import Bed, Database, HashedWords, make_bed

from recollect.core.errors import Forbidden, NotFound, RecollectError
from recollect.core.ids import NEWEST
from recollect.core.model import (
    Condition,
    Filter,
    Forgotten,
    Kind,
    Message,
    Note,
    Principal,
    Recalled,
    Remembered,
    Role,
    Turns,
    tenant_id_of,
)
from recollect.core.tenants import format_key

pytestmark = pytest.mark.anyio
ATTIC, LOFT = (Principal(tenant_id_of(name), "owner") for name in ("attic", "loft"))
EVERYTHING = Filter(all_users=True)
SECRET = "attic secret blue sofa"


@dataclass(frozen=True, slots=True)
class Furnished:
    """Two tenants that tests share, since none of them may change a row. `foreign`: an id of the attic's."""

    bed: Bed
    foreign: UUID


@pytest.fixture(scope="module")
async def furnished(module_database: Database) -> AsyncIterator[Furnished]:
    """The attic and the loft."""
    async with make_bed(module_database, HashedWords()) as bed:
        yield Furnished(bed, await furnish(bed))


async def furnish(bed: Bed) -> UUID:
    """The attic has a person, a session and facts; the loft a person of its own. An id of the attic's."""
    for name in ("attic", "loft"):
        await bed.tenant(name)
    said = await bed.service.remember(
        ATTIC, Turns("s-attic", [Message(SECRET)], "ann"), idempotency_key="k-attic"
    )
    await bed.service.add(ATTIC, [Note(f"{SECRET} shared", metadata={"room": "attic"})])
    await bed.service.remember(LOFT, Turns("s-loft", [Message("loft blue sofa")], "bob"))
    return said.ids[0]


def rows(database: Database, tenant: Principal) -> list[Any]:
    """Every row of a tenant, as text."""
    tables = ("api_keys", "users", "sessions", "memories", "idempotency")
    query = "SELECT t::text FROM {} AS t WHERE tenant_id = %s ORDER BY 1"
    return [database.rows(query.format(table), tenant.tenant_id) for table in tables]


Try = Callable[[Any, Principal, UUID], Awaitable[Any]]
TRIES: dict[str, Try] = {
    "memory": lambda service, who, id_: service.memory(who, id_),
    "correct": lambda service, who, id_: service.correct(who, id_, {"content": "mine"}),
    "forget_memory": lambda service, who, id_: service.forget_memory(who, id_),
    "session": lambda service, who, _: service.session(who, "s-attic"),
    "user": lambda service, who, _: service.user(who, "ann"),
}
EMPTY: dict[str, tuple[Try, Any]] = {
    "turns": (lambda service, who, _: service.turns(who, "s-attic"), []),
    "sessions": (lambda service, who, _: service.sessions(who, user_id="ann"), []),
    "recall": (lambda service, who, _: service.recall(who, SECRET, Filter(user_id="ann")), Recalled((), 0.0)),
    "recall in session": (
        lambda service, who, _: service.recall(who, SECRET, Filter(user_id="ann", session_id="s-attic")),
        Recalled((), 0.0),
    ),
    "memories": (lambda service, who, _: service.memories(who, Filter(user_id="ann")), []),
    "forget_session": (lambda service, who, _: service.forget_session(who, "s-attic"), Forgotten()),
    "forget_user": (lambda service, who, _: service.forget_user(who, "ann"), Forgotten()),
}


@pytest.mark.parametrize("name", TRIES)
async def test_another_tenants_id_is_not_found_by(furnished: Furnished, name: str) -> None:
    database = furnished.bed.database
    before = rows(database, ATTIC)
    with pytest.raises(NotFound):
        await TRIES[name](furnished.bed.service, LOFT, furnished.foreign)
    assert rows(database, ATTIC) == before


@pytest.mark.parametrize("name", EMPTY)
async def test_another_tenants_id_gives_nothing_to(furnished: Furnished, name: str) -> None:
    database = furnished.bed.database
    before = rows(database, ATTIC)
    attempt, nothing = EMPTY[name]
    assert await attempt(furnished.bed.service, LOFT, furnished.foreign) == nothing
    assert rows(database, ATTIC) == before


async def test_the_same_ids_in_two_tenants_are_two_things(bed: Bed) -> None:
    await furnish(bed)
    before = rows(bed.database, ATTIC)
    mine = await bed.service.remember(
        LOFT, Turns("s-attic", [Message("loft says")], "ann"), idempotency_key="k-attic"
    )
    assert not mine.repeated
    await bed.service.describe_user(LOFT, "ann", names=["Ann of the loft"])
    assert [turn.seq for turn in await bed.service.turns(LOFT, "s-attic")] == [1]
    assert rows(bed.database, ATTIC) == before
    assert await bed.service.forget_user(LOFT, "ann") == Forgotten(1, 1, 1)
    assert rows(bed.database, ATTIC) == before


async def test_a_context_holds_nothing_of_another_tenants_session(bed: Bed) -> None:
    await furnish(bed)
    context = await bed.service.context(LOFT, SECRET, Filter(user_id="bob"), session_id="s-attic")
    assert "attic" not in context.text
    assert "loft blue sofa" in context.text


async def test_a_foreign_cursor_is_only_a_place_in_ones_own_list(bed: Bed) -> None:
    foreign = await furnish(bed)
    for before in (foreign, NEWEST):
        for memory in await bed.service.memories(LOFT, EVERYTHING, before=before):
            assert "attic" not in memory.content


async def test_evidence_that_names_a_foreign_memory_shows_nothing_of_it(bed: Bed) -> None:
    foreign = await furnish(bed)
    (id_,) = (await bed.service.add(LOFT, [Note("mine", evidence=(foreign,))])).ids
    memory = await bed.service.memory(LOFT, id_)
    assert memory.evidence == (foreign,)
    assert "attic" not in str(memory)


HOSTILE = [
    "%",
    "_",
    "ann%",
    "'",
    "' OR '1'='1",
    "'; DROP TABLE memories; --",
    '"',
    "\\",
    "\\' OR true --",
    "$1",
    "%s",
    "%(tenant_id)s",
    "{passing}",
    "$.** ? (@ == @)",
    "{a,b}",
    "NULL",
    "",
    "ann\0",
    "\ud800",
    "𝒂𝒏𝒏",
    "a" * 5000,
    str(ATTIC.tenant_id),
]


@pytest.mark.parametrize("text", HOSTILE, ids=range(len(HOSTILE)))
async def test_no_text_in_any_field_brings_a_foreign_row(furnished: Furnished, text: str) -> None:
    scopes = [
        Filter(user_id=text),
        Filter(all_users=True, agent_id=text),
        Filter(all_users=True, session_id=text),
        Filter(all_users=True, metadata=(Condition((text,), "ne", text),)),
        Filter(all_users=True, metadata=(Condition(("room", text), "contains", {text: text}),)),
        Filter(all_users=True, metadata=(Condition(("room",), text, "attic"),)),
    ]
    service = furnished.bed.service
    asked: list[Awaitable[Any]] = [service.recall(LOFT, text + " sofa", scope) for scope in scopes]
    asked += [service.memories(LOFT, scope) for scope in scopes]
    asked += [service.recall(LOFT, text, Filter(user_id="bob")), service.turns(LOFT, text)]
    asked += [service.sessions(LOFT, user_id=text), service.users(LOFT, after=text)]
    answers = await asyncio.gather(*asked, return_exceptions=True)
    errors = [answer for answer in answers if isinstance(answer, BaseException)]
    assert [error for error in errors if not isinstance(error, RecollectError)] == []
    found = [str(one) for answer in answers if isinstance(answer, list) for one in answer]
    assert not [one for one in found if "attic" in one.replace(text, "")]


async def test_a_key_that_names_another_tenant_is_nobodys(bed: Bed) -> None:
    await furnish(bed)
    key, text = await bed.tenants.create_key("loft", "mine")
    assert (await bed.tenants.authenticate(text)).tenant_id == LOFT.tenant_id
    secret = b"\0" * 32
    for tenant, id_ in ((ATTIC.tenant_id, key.id), (LOFT.tenant_id, uuid4()), (uuid4(), key.id)):
        with pytest.raises(RecollectError, match="not valid"):
            await bed.tenants.authenticate(format_key(tenant, id_, secret))


ANN = Principal(LOFT.tenant_id, "ann", Role.USER)


async def people(bed: Bed) -> tuple[Remembered, Remembered, UUID, UUID]:
    """In the loft: what Ann said, what Bob said, what the loft shares, and what it shares with its owner."""
    await bed.tenant("loft")
    ann = await bed.service.remember(LOFT, Turns("s-ann", [Message("ann's sofa")], "ann"))
    bob = await bed.service.remember(
        LOFT, Turns("s-bob", [Message("bob's sofa")], "bob"), idempotency_key="k-bob"
    )
    notes = [Note("our sofa"), Note("the owner's sofa", min_role=Role.OWNER)]
    shared, hidden = (await bed.service.add(LOFT, notes)).ids
    return ann, bob, shared, hidden


async def test_a_person_sees_their_own_and_what_is_shared(bed: Bed) -> None:
    await people(bed)
    for scope in (Filter(), Filter(user_id="ann"), EVERYTHING, Filter(session_id=None, kinds=tuple(Kind))):
        seen = {hit.memory.content for hit in await bed.service.recall(ANN, "sofa", scope, limit=50)}
        assert seen == {"ann's sofa", "our sofa"}
        assert {memory.content for memory in await bed.service.memories(ANN, scope)} == seen
    assert [session.session_id for session in await bed.service.sessions(ANN)] == ["s-ann"]
    assert (await bed.service.user(ANN, "ann")).memory_count == 1
    context = await bed.service.context(ANN, "sofa", EVERYTHING, session_id="s-bob")
    assert "bob" not in context.text
    assert await bed.service.turns(ANN, "s-bob") == []


async def test_a_person_is_refused_what_is_somebody_elses(bed: Bed) -> None:
    _, bob, shared, hidden = await people(bed)
    before = rows(bed.database, LOFT)
    service, theirs = bed.service, Filter(user_id="bob")
    hello = [Message("hello")]
    refused: list[tuple[type[RecollectError], Awaitable[Any]]] = [
        (Forbidden, service.recall(ANN, "sofa", theirs)),
        (Forbidden, service.context(ANN, "sofa", theirs)),
        (Forbidden, service.memories(ANN, theirs)),
        (Forbidden, service.sessions(ANN, user_id="bob")),
        (Forbidden, service.user(ANN, "bob")),
        (Forbidden, service.users(ANN)),
        (Forbidden, service.describe_user(ANN, "bob", names=["Robert"])),
        (Forbidden, service.forget_user(ANN, "bob")),
        (Forbidden, service.remember(ANN, Turns("s-new", hello, "bob"))),
        (Forbidden, service.add(ANN, [Note("of bob", user_id="bob")])),
        (Forbidden, service.add(ANN, [Note("above me", min_role=Role.STAFF)])),
        (NotFound, service.memory(ANN, bob.ids[0])),
        (NotFound, service.memory(ANN, hidden)),
        (NotFound, service.session(ANN, "s-bob")),
        (NotFound, service.correct(ANN, bob.ids[0], {"content": "mine"})),
        (NotFound, service.forget_memory(ANN, bob.ids[0])),
        (NotFound, service.forget_memory(ANN, hidden)),
        (RecollectError, service.correct(ANN, shared, {"content": "mine"})),
        (RecollectError, service.forget_memory(ANN, shared)),
        (RecollectError, service.remember(ANN, Turns("s-bob", hello))),
        (RecollectError, service.remember(ANN, Turns("s-bob", hello, "ann"))),
    ]
    for error, attempt in refused:
        with pytest.raises(error):
            await attempt
    assert await service.forget_session(ANN, "s-bob") == Forgotten()
    after = rows(bed.database, LOFT)
    assert after == before


async def test_a_persons_idempotency_keys_meet_nobody_elses(bed: Bed) -> None:
    await people(bed)
    service, bob = bed.service, Principal(LOFT.tenant_id, "bob", Role.USER)
    for key in ("k-bob", "order-7", "k" * 200):
        for who in (ANN, bob):
            first, again = [await service.add(who, [Note("mine")], idempotency_key=key) for _ in range(2)]
            assert (first.repeated, again) == (False, replace(first, repeated=True))
    order = [Note("An order.", user_id="ann")]
    assert not (await service.add(LOFT, order, idempotency_key="order-7")).repeated
    await service.forget_user(LOFT, "ann")
    assert bed.database.value("SELECT count(*) FROM idempotency WHERE user_id = 'ann'") == 0
    assert not (await service.add(ANN, [Note("mine")], idempotency_key="order-7")).repeated
    assert (await service.add(bob, [Note("mine")], idempotency_key="order-7")).repeated


async def test_a_persons_note_is_theirs_whatever_it_says(bed: Bed) -> None:
    await people(bed)
    (id_,) = (await bed.service.add(ANN, [Note("mine")])).ids
    assert (await bed.service.memory(LOFT, id_)).user_id == "ann"


@pytest.mark.parametrize("rank", [Role.STAFF, Role.MANAGER, Role.OWNER])
async def test_a_memory_is_read_from_its_rank_upwards(bed: Bed, rank: Role) -> None:
    await bed.tenant("loft")
    await bed.service.add(LOFT, [Note(f"for {role.name}", min_role=role) for role in Role])
    who = Principal(LOFT.tenant_id, "somebody", rank)
    seen = {memory.content for memory in await bed.service.memories(who, EVERYTHING)}
    assert seen == {f"for {role.name}" for role in Role if role <= rank}
    hits = await bed.service.recall(who, "for whom", Filter(), limit=50)
    assert {hit.memory.content for hit in hits} == seen
