"""Many writers to one place: nothing lost, nothing doubled, a session's numbers without gap."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from datetime import timedelta
from itertools import pairwise

import pytest
from testbed import Bed, HashedWords

from recollect.core.errors import (
    Busy,
    Forbidden,
    IdempotencyMismatch,
    RecollectError,
    SessionBelongsToAnother,
)
from recollect.core.model import (
    Filter,
    Forgotten,
    Message,
    Note,
    Principal,
    Remembered,
    Role,
    Trust,
    Turns,
)
from recollect.core.text.names import MOST_NAMES
from recollect.core.text.tokens import tokenize
from recollect.storage.pool import PostgresStorage

pytestmark = pytest.mark.anyio


def say(session: str, *texts: str, user: str | None = "ann") -> Turns:
    return Turns(session, [Message(text) for text in texts], user)


async def insist(bed: Bed, who: Principal, turns: Turns, key: str | None = None) -> Remembered:
    """As a client does: again, when the server says that it is busy."""
    while True:
        try:
            return await bed.service.remember(who, turns, idempotency_key=key)
        except Busy:
            await asyncio.sleep(0.01)


async def test_many_writers_to_one_session_are_all_kept_in_one_row_of_numbers(bed: Bed) -> None:
    loft = await bed.tenant("loft")
    writes = [
        say("s", f"{writer}.{place}.a", f"{writer}.{place}.b") for writer in range(5) for place in range(4)
    ]
    done = await asyncio.gather(*(insist(bed, loft, turns) for turns in writes))
    turns = await bed.service.turns(loft, "s", limit=200)
    assert [turn.seq for turn in turns] == list(range(1, 41))
    kept = {turn.id: turn.content for turn in turns}
    for write, remembered in zip(writes, done, strict=True):
        assert [kept[id_] for id_ in remembered.ids] == [message.content for message in write.messages]
    places = {turn.content: turn.seq or 0 for turn in turns}
    for write in writes:
        first, second = (places[message.content] for message in write.messages)
        assert second == first + 1
    assert (await bed.service.session(loft, "s")).last_seq == 40


async def test_every_window_rests_on_the_turn_before(bed: Bed) -> None:
    loft = await bed.tenant("loft")
    await asyncio.gather(*(insist(bed, loft, say("s", f"word{place}")) for place in range(12)))
    windows = bed.database.rows("SELECT content, window_embedding::text FROM memories ORDER BY seq")
    for (before, _), (content, window) in pairwise(windows):
        (expected,) = await HashedWords().embed([f"{before} {content}"])
        assert [float(value) for value in window[1:-1].split(",")] == pytest.approx(expected, abs=1e-3)


async def test_a_repeated_request_does_nothing_and_answers_the_same(bed: Bed) -> None:
    loft = await bed.tenant("loft")
    first = await bed.service.remember(loft, say("s", "hello"), idempotency_key="k")
    again = await bed.service.remember(loft, say("s", "hello"), idempotency_key="k")
    assert again == Remembered(first.ids, repeated=True)
    assert bed.database.value("SELECT count(*) FROM memories") == 1


async def test_of_many_that_send_one_request_at_once_one_writes(bed: Bed) -> None:
    loft = await bed.tenant("loft")
    note = Note("Prefers fabric.", user_id="ann")
    calls: list[Awaitable[Remembered]] = [
        insist(bed, loft, say("s", "hello", "there"), "turns") for _ in range(10)
    ]
    calls += [bed.service.add(loft, [note], idempotency_key="note") for _ in range(10)]
    done = await asyncio.gather(*calls)
    for some in (done[:10], done[10:]):
        assert len({one.ids for one in some}) == 1
        assert sorted(one.repeated for one in some) == [False] + [True] * 9
    assert bed.database.value("SELECT count(*) FROM memories") == 3


async def test_a_key_that_was_used_for_something_else_is_refused_and_changes_nothing(bed: Bed) -> None:
    loft = await bed.tenant("loft")
    await bed.service.remember(loft, say("s", "hello"), idempotency_key="k")
    for other in (say("s", "bye"), say("t", "hello"), say("s", "hello", user="bob")):
        with pytest.raises(IdempotencyMismatch):
            await bed.service.remember(loft, other, idempotency_key="k")
    with pytest.raises(IdempotencyMismatch):
        await bed.service.add(loft, [Note("hello")], idempotency_key="k")
    assert bed.database.value("SELECT count(*) FROM memories") == 1
    assert (await bed.service.remember(loft, say("s", "hello"), idempotency_key="k")).repeated


async def test_a_write_that_fails_leaves_its_key_free(bed: Bed) -> None:
    loft = await bed.tenant("loft")
    await bed.service.remember(loft, say("s", "hello", user="bob"))
    with pytest.raises(SessionBelongsToAnother):
        await bed.service.remember(loft, say("s", "hello"), idempotency_key="k")
    assert not (await bed.service.remember(loft, say("mine", "hello"), idempotency_key="k")).repeated


async def test_what_was_forgotten_can_be_said_again_with_its_key(bed: Bed) -> None:
    loft = await bed.tenant("loft")
    await bed.service.remember(loft, say("s", "hello"), idempotency_key="k")
    await bed.service.forget_session(loft, "s")
    assert not (await bed.service.remember(loft, say("s", "hello"), idempotency_key="k")).repeated
    await bed.service.remember(loft, say("s", "bye", user=None), idempotency_key="without user")
    await bed.service.forget_user(loft, "ann")
    assert bed.database.value("SELECT count(*) FROM idempotency") == 0


async def test_names_heard_in_a_session_are_its_users_whoever_is_named(bed: Bed) -> None:
    loft = await bed.tenant("loft")
    await bed.service.remember(loft, say("s", "hello"))
    await bed.service.remember(loft, Turns("s", [Message("Hello, Ann!", name="Bea")]))
    assert bed.database.rows("SELECT participants FROM users") == [(["Bea"],)]


async def test_the_names_of_a_crowd_are_bounded(bed: Bed) -> None:
    loft = await bed.tenant("loft")
    for start in (0, 40, 80):
        crowd = [Message("hello", name=f"Guest {place}") for place in range(start, start + 60)]
        await bed.service.remember(loft, Turns("s", crowd, "ann"))
    await bed.service.describe_user(loft, "ann", names=["Ann"])
    for table, first in (("users", "Ann"), ("sessions", "Guest 0")):
        ((names,),) = bed.database.rows(f"SELECT participants FROM {table}")
        assert (len(names), len(set(names)), names[0]) == (MOST_NAMES, MOST_NAMES, first)


async def test_a_long_text_is_found_by_its_last_word(bed: Bed) -> None:
    loft = await bed.tenant("loft")
    long = f"{'blue sofa ' * 4_000}zygomorphic"
    many, few = len(tokenize(long)), len(tokenize("short"))
    assert many > 8_000
    await bed.service.remember(loft, say("s", "short", long))
    await bed.service.add(loft, [Note(long, user_id="ann"), Note("short", user_id="ann")])
    counts = bed.database.rows("SELECT term_count, window_embedding IS NULL FROM memories ORDER BY id")
    assert counts == [(few, False), (many, False), (many, True), (few, True)]
    hits = await bed.service.recall(loft, "zygomorphic", Filter(user_id="ann"))
    likeliest = sorted(hits, key=lambda hit: hit.parts["words"])[2:]
    assert [hit.memory.content for hit in likeliest] == [long, long]


async def test_what_the_asker_does_not_see_is_not_forgotten_by_halves(bed: Bed) -> None:
    loft = await bed.tenant("loft")
    staff = Principal(loft.tenant_id, "staff", Role.STAFF)
    (turn,) = (await bed.service.remember(loft, say("s", "hello"))).ids
    await bed.service.add(
        loft, [Note("hidden", user_id="bob", min_role=Role.MANAGER), Note("x", user_id="bob")]
    )
    await bed.service.correct(loft, turn, {"min_role": Role.MANAGER})
    for attempt in (
        bed.service.forget_session(staff, "s"),
        bed.service.forget_user(staff, "ann"),
        bed.service.forget_user(staff, "bob"),
    ):
        with pytest.raises(Forbidden, match="More is remembered"):
            await attempt
    assert bed.database.value("SELECT count(*) FROM memories") == 3
    assert await bed.service.forget_user(loft, "bob") == Forgotten(memories=2, users=1)


async def test_who_rewrites_a_text_lends_it_no_more_than_their_own_trust(bed: Bed) -> None:
    loft = await bed.tenant("loft")
    ann = Principal(loft.tenant_id, "ann", Role.USER)
    turns = Turns("s", [Message("The sofa is 900.", role="assistant")], "ann")
    (id_,) = (await bed.service.remember(loft, turns)).ids
    assert (await bed.service.correct(ann, id_, {"pinned": True})).trust is Trust.STAFF
    assert (await bed.service.correct(ann, id_, {"content": "The sofa is free."})).trust is Trust.USER
    assert (await bed.service.correct(loft, id_, {"content": "It is 900."})).trust is Trust.USER
    assert (await bed.service.memory(loft, id_)).trust is Trust.USER


async def test_a_turn_that_has_expired_is_in_no_context(bed: Bed) -> None:
    loft = await bed.tenant("loft")
    ids = (await bed.service.remember(loft, say("s", "the code is 4711", "thank you"))).ids
    await bed.service.correct(loft, ids[0], {"expires_at": bed.clock.now() + timedelta(days=1)})
    scope = Filter(user_id="ann")
    assert "4711" in (await bed.service.context(loft, "code", scope, session_id="s")).text
    bed.clock.advance(days=2)
    later = (await bed.service.context(loft, "code", scope, session_id="s")).text
    assert "thank you" in later
    assert "4711" not in later


async def test_all_of_a_batch_is_kept_or_nothing(bed: Bed) -> None:
    loft = await bed.tenant("loft")
    notes = [Note("fine", user_id="ann"), Note("not fine", user_id="ann", importance=7)]
    with pytest.raises(RecollectError):
        await bed.service.add(loft, notes)
    assert bed.database.value("SELECT count(*) FROM memories") == 0
    assert bed.database.value("SELECT count(*) FROM users") == 0


async def test_a_session_keeps_the_user_it_was_begun_with(bed: Bed) -> None:
    loft = await bed.tenant("loft")
    await bed.service.remember(loft, say("s", "hello"))
    await bed.service.remember(loft, say("s", "and more", user=None))
    with pytest.raises(SessionBelongsToAnother):
        await bed.service.remember(loft, say("s", "mine now", user="bob"))
    assert {turn.user_id for turn in await bed.service.turns(loft, "s")} == {"ann"}


async def test_forgetting_and_writing_at_once_leave_a_whole_session_or_none(bed: Bed) -> None:
    loft = await bed.tenant("loft")

    async def forget(session: str | None) -> Forgotten:
        await asyncio.sleep(0.001)
        if session is None:
            return await bed.service.forget_user(loft, "ann")
        return await bed.service.forget_session(loft, session)

    for place in range(25):
        work: list[Awaitable[Remembered | Forgotten]] = [
            insist(bed, loft, say(f"s{writer % 2}", "one", "two", user="ann" if writer < 3 else None))
            for writer in range(5)
        ]
        work.append(forget(None if place % 2 else "s0"))
        done = await asyncio.gather(*work, return_exceptions=True)
        strange = [one for one in done if isinstance(one, Exception)]
        assert not [(one, one.__cause__) for one in strange if not isinstance(one, SessionBelongsToAnother)]
        stray = "SELECT count(*) FROM memories m LEFT JOIN sessions s USING (tenant_id, session_id) WHERE "
        assert bed.database.value(f"{stray} s.session_id IS NULL") == 0
        gaps = "SELECT session_id FROM memories GROUP BY session_id HAVING max(seq) <> count(*)"
        assert bed.database.rows(gaps) == []


async def test_what_is_forgotten_is_counted_exactly_and_gone(bed: Bed) -> None:
    loft = await bed.tenant("loft")
    for session, user in (("a", "ann"), ("b", "ann"), ("c", "bob"), ("d", None)):
        await bed.service.remember(
            loft, say(session, "one", "two", "three", user=user), idempotency_key=session
        )
    (note,) = (await bed.service.add(loft, [Note("a fact", user_id="ann")])).ids
    assert await bed.service.forget_memory(loft, note) == Forgotten(memories=1)
    assert await bed.service.forget_session(loft, "a") == Forgotten(memories=3, sessions=1)
    assert await bed.service.forget_session(loft, "a") == Forgotten()
    assert await bed.service.forget_user(loft, "ann") == Forgotten(memories=3, sessions=1, users=1)
    assert await bed.service.forget_user(loft, "ann") == Forgotten()
    assert bed.database.rows("SELECT DISTINCT session_id FROM memories ORDER BY 1") == [("c",), ("d",)]
    assert bed.database.rows("SELECT user_id FROM users") == [("bob",)]
    assert bed.database.value("SELECT count(*) FROM idempotency WHERE user_id = 'ann'") == 0


async def test_a_thousand_are_forgotten_in_a_fixed_number_of_statements(bed: Bed) -> None:
    loft = await bed.tenant("loft")
    for session in ("a", "b"):
        await bed.service.remember(loft, say(session, *(f"turn {place}" for place in range(500))))
    assert await bed.service.forget_user(loft, "ann") == Forgotten(memories=1000, sessions=2, users=1)
    assert bed.database.value("SELECT count(*) FROM memories") == 0


async def test_a_forgotten_or_corrected_turn_is_taken_out_of_its_neighbours_window(bed: Bed) -> None:
    loft = await bed.tenant("loft")
    ids = (await bed.service.remember(loft, say("s", "one", "two", "three", "four"))).ids
    await bed.service.forget_memory(loft, ids[0])
    await bed.service.correct(loft, ids[2], {"content": "changed"})
    windows = "SELECT content, window_embedding IS NULL FROM memories ORDER BY seq"
    assert bed.database.rows(windows) == [("two", True), ("changed", True), ("four", True)]
    hits = await bed.service.recall(loft, "changed", Filter(user_id="ann"), limit=1)
    assert hits[0].memory.content == "changed"


async def test_two_servers_number_one_session_together(bed: Bed) -> None:
    loft = await bed.tenant("loft")
    async with await PostgresStorage.open(bed.database.url, size=2) as storage:
        other = type(bed.service)(storage, bed.embeddings, bed.clock)
        here = [insist(bed, loft, say("s", f"here {place}")) for place in range(6)]
        there = [other.remember(loft, say("s", f"there {place}")) for place in range(3)]
        await asyncio.gather(*here, *there)
    turns = await bed.service.turns(loft, "s")
    assert [turn.seq for turn in turns] == list(range(1, 10))
