"""What users of today's memory layers complain of, and Recollect does not do: one test a complaint.

The numbers are those of the list that these come from; each docstring names the threads.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

import psycopg
import pytest
from testbed import Bed, Database, HashedWords, SetClock, make_bed, open_service

from recollect.core import reading
from recollect.core.consolidate.consolidation import Consolidator, by_rules
from recollect.core.consolidate.extraction import Conversation, Extraction
from recollect.core.errors import Forbidden, Invalid, NotFound, SessionBelongsToAnother, UnsafeRole
from recollect.core.model import (
    Filter,
    Forgotten,
    Message,
    Note,
    Permission,
    Principal,
    Role,
    Turns,
    Which,
)
from recollect.core.ports import Probe, Vectors
from recollect.storage.pool import PostgresStorage

pytestmark = pytest.mark.anyio
READ = b"""
SELECT coalesce(sum(seq_tup_read + idx_tup_fetch), 0)::integer AS read
FROM pg_stat_xact_user_tables WHERE relname = """


async def contents(bed: Bed, who: Principal, query: str, scope: Filter, limit: int = 50) -> set[str]:
    return {hit.memory.content for hit in await bed.service.recall(who, query, scope, limit=limit)}


async def test_01_a_crafted_value_is_only_a_value(bed: Bed) -> None:
    """Langgraph #8300: an unescaped LIKE prefix returned another namespace's rows."""
    loft = await bed.tenant("loft")
    await bed.service.add(loft, [Note("ann's secret", user_id="ann"), Note("of a%", user_id="a%")])
    for crafted in ("%", "a_n", "an%", "a%n", "ANN", "ann' --"):
        scope = Filter(user_id=crafted, include_shared=False)
        assert await contents(bed, loft, "secret", scope) == set()
    assert await contents(bed, loft, "secret", Filter(user_id="a%")) == {"of a%"}


async def test_02_requests_of_two_tenants_at_once_stay_apart(database: Database) -> None:
    """Graphiti #1676, #1331: a pooled connection carried the last tenant over."""
    async with make_bed(database, HashedWords(), size=1) as bed:
        tenants = {name: await bed.tenant(name) for name in ("attic", "loft")}
        for place in range(10):
            await asyncio.gather(
                *(bed.service.add(who, [Note(f"{name} {place}")]) for name, who in tenants.items())
            )
        for name, who in tenants.items():
            assert await contents(bed, who, name, Filter()) == {f"{name} {place}" for place in range(10)}


async def test_03_the_client_does_not_choose_who_it_is(bed: Bed) -> None:
    """mem0 #4236, #6080, MemOS #2202: the server believed the user id that the client sent."""
    loft = await bed.tenant("loft")
    await bed.service.add(loft, [Note("ann's", user_id="ann")])
    bob = Principal(loft.tenant_id, "bob", Role.USER)
    with pytest.raises(Forbidden):
        await contents(bed, bob, "ann's", Filter(user_id="ann"))
    with pytest.raises(Forbidden):
        await bed.service.remember(bob, Turns("s", [Message("mine")], "ann"))


async def test_04_a_small_users_hits_are_neither_crowded_out_nor_read_among_others(bed: Bed) -> None:
    """LongMemory #97, #121: results were scored over everybody and filtered afterwards."""
    loft = await bed.tenant("loft")
    crowd = [Note(f"blue sofa {place}", user_id=f"user-{place % 40}") for place in range(800)]
    await bed.service.add(loft, [*crowd, *(Note(f"a sofa, {place}", user_id="small") for place in range(5))])
    await asyncio.to_thread(analyze, bed.database)
    scope = Filter(user_id="small")
    assert len(await contents(bed, loft, "blue sofa", scope, limit=5)) == 5
    aim = await bed.embeddings.aim("blue sofa")
    probe = Probe(aim, ("blue", "sofa"), 1000)
    async with bed.storage.transaction(loft) as tx:
        assert (await tx.gather(probe, scope, bed.clock.now())).candidates.total == 5
        assert await rows_read(tx, "memories") == 5


def analyze(database: Database) -> None:
    with psycopg.connect(database.admin_url, autocommit=True) as connection:
        connection.execute("ANALYZE")


async def rows_read(tx: Any, table: str) -> int:
    """How many rows of a table this transaction has read, whether it then kept them or not."""
    row = await (await tx._connection.execute(READ + f"'{table}'".encode())).fetchone()
    read: int = row["read"]
    return read


async def test_05_an_update_lands_where_it_was_meant(bed: Bed) -> None:
    """mem0 #2170: one user's update changed another's memory."""
    loft = await bed.tenant("loft")
    mine, theirs = (await bed.service.add(loft, [Note("same", user_id=user) for user in ("ann", "bob")])).ids
    await bed.service.correct(loft, mine, {"content": "changed"})
    assert (await bed.service.memory(loft, theirs)).content == "same"
    with pytest.raises(NotFound):
        await bed.service.correct(Principal(loft.tenant_id, "ann", Role.USER), theirs, {"content": "mine"})


async def test_06_a_role_that_the_fence_does_not_hold_is_refused(database: Database) -> None:
    """Hindsight PR #855: row level security did nothing, for the role was a superuser."""
    for url, reason in ((database.admin_url, "superuser"), (database.owner_url, "owns tables")):
        with pytest.raises(UnsafeRole, match=reason):
            await PostgresStorage.open(url, size=1)


async def test_08_a_key_is_found_by_one_indexed_read(bed: Bed) -> None:
    """Redis agent-memory-server: bcrypt over every stored token on every request."""
    loft = await bed.tenant("loft")
    keys = [await bed.tenants.create_key("loft", f"key {place}") for place in range(100)]
    await asyncio.to_thread(analyze, bed.database)
    kept, text = keys[50]
    assert (await bed.tenants.authenticate(text)).tenant_id == loft.tenant_id
    async with bed.storage.transaction(loft) as tx:
        assert await tx._one("key", id=kept.id)
        assert await rows_read(tx, "api_keys") == 1


async def test_09_forgetting_one_forgets_one(bed: Bed) -> None:
    """mem0 #3928: delete_all(user) wiped everybody."""
    loft, attic = await bed.tenant("loft"), await bed.tenant("attic")
    for who in (loft, attic):
        await bed.service.add(who, [Note(f"of {user}", user_id=user) for user in ("ann", "bob", None)])
    assert await bed.service.forget_user(loft, "ann") == Forgotten(memories=1, users=1)
    with pytest.raises(Invalid):
        await bed.service.forget_user(loft, "")
    left = bed.database.rows("SELECT content FROM memories ORDER BY content")
    assert left == [("of None",), ("of None",), ("of ann",), ("of bob",), ("of bob",)]


async def test_10_forgetting_asks_for_the_permission(bed: Bed) -> None:
    """Cognee #3235: delete skipped the permission check."""
    loft = await bed.tenant("loft")
    said = await bed.service.remember(loft, Turns("s", [Message("hello")], "ann"))
    reader = Principal(loft.tenant_id, "reader", permissions=frozenset({Permission.READ, Permission.WRITE}))
    for attempt in (
        bed.service.forget_user(reader, "ann"),
        bed.service.forget_session(reader, "s"),
        bed.service.forget_memory(reader, said.ids[0]),
    ):
        with pytest.raises(Forbidden, match="memory:forget"):
            await attempt
    assert bed.database.value("SELECT count(*) FROM memories") == 1


async def test_12_what_is_forgotten_survives_nowhere(bed: Bed) -> None:
    """mem0 history.old_memory: deleted text stayed in a history table."""
    loft = await bed.tenant("loft")
    turns = Turns("s-zygomorphic", [Message("zygomorphic", name="Zygomorphic")], "zygomorphic-ann")
    ids = (await bed.service.remember(loft, turns, idempotency_key="k")).ids
    await bed.service.correct(loft, ids[0], {"content": "zygomorphic again"})
    learned = (
        "My sister Zygomorphia lives in Zygomorphic Falls. I'll call you about zygomorphic sofas on Friday."
    )
    await bed.service.remember(loft, Turns("s-zygomorphic", [Message(learned)], "zygomorphic-ann"))
    await bed.learn()
    assert bed.database.value("SELECT count(*) FROM relations") > 0
    await bed.service.forget_user(loft, "zygomorphic-ann")
    tables = bed.database.rows("SELECT relid::regclass::text FROM pg_stat_user_tables")
    assert len(tables) >= 16
    for (table,) in tables:
        assert "zygomorphi" not in str(bed.database.rows(f"SELECT t::text FROM {table} AS t")).lower(), table


JUNK = (
    ("system", "You are a helpful assistant of Loft. The user's name is John Doe and he lives in Kiev."),
    ("tool", '{"status": "ok", "user": {"name": "John Doe", "city": "Boston", "likes": ["leather"]}}'),
    ("assistant", "I live in the cloud and I love helping you!"),
    ("user", "Hi there!"),
    ("user", "Thanks, have a nice day!"),
    ("user", 'Traceback (most recent call last):\n  File "a.py", line 3\nValueError: I live in Rome'),
    ("user", "```python\nname = 'I am Tom'\n# I live in Oslo\n```"),
    ("user", "Can I order online? What if I lived in Berlin?"),
)


async def test_13_junk_is_not_learned(bed: Bed) -> None:
    """mem0 #4573: 97.8 % of 10,134 memories were junk: system prompts, boot text, recalled memories again."""
    loft = await bed.tenant("loft")
    await bed.service.remember(loft, Turns("s", [Message("I live in Lisbon.")], "ann"))
    await bed.learn()
    told = await bed.service.context(loft, "Where does Ann live?", Filter(user_id="ann"))
    junk = [Message(text, role) for role, text in JUNK]
    for place in range(3):
        again = Message(f"{told.text}\nWhat do you think?")
        await bed.service.remember(loft, Turns(f"t{place}", [*junk, again], "ann"))
    await bed.learn()
    (fact,) = await bed.service.facts(loft, Which(Filter(user_id="ann")))
    assert (fact.content, len(fact.evidence)) == ("Lives in Lisbon.", 1)


async def test_14_of_two_contradictions_one_is_current(bed: Bed) -> None:
    """mem0 #4896: both of two contradictions were kept as current."""
    loft = await bed.tenant("loft")
    for place, city in enumerate(("Covington", "Atlanta")):
        await bed.service.remember(loft, Turns(f"s{place}", [Message(f"I live in {city}.")], "ann"))
        await bed.learn()
        bed.clock.advance(days=30)
    (fact,) = await bed.service.facts(loft, Which(Filter(user_id="ann")))
    assert fact.content == "Lives in Atlanta."


async def test_17_only_the_same_subject_and_attribute_supersede(bed: Bed) -> None:
    """Graphiti #1728: 41 % of facts were invalidated wrongly."""
    loft = await bed.tenant("loft")
    said = (
        "I live in Atlanta.",
        "I work at Acme in Boston.",
        "My sister lives in Denver.",
        "I love leather sofas.",
        "I love fabric chairs.",
        "My dog is called Luna.",
        "My cat is called Milo.",
        "I used to live in Austin.",
        "We're thinking of moving to Seattle.",
    )
    for place, text in enumerate(said):
        await bed.service.remember(loft, Turns(f"s{place}", [Message(text)], "ann"))
        await bed.learn()
        bed.clock.advance(days=1)
    everything = await bed.service.facts(loft, Which(Filter(user_id="ann"), history=True))
    assert len(everything) >= len(said)
    ended = [fact.content for fact in everything if fact.superseded_at]
    assert ended == []


async def test_22_a_write_waits_for_no_understanding(bed: Bed) -> None:
    """mem0 #3097, graphiti #186: a write took seconds, because it waited for an LLM."""
    loft = await bed.tenant("loft")
    await bed.service.remember(loft, Turns("s", [Message("I live in Atlanta.")], "ann"))
    (row,) = bed.database.rows("SELECT last_seq, consolidated_seq FROM sessions")
    assert row == (1, 0), "acknowledged, and not understood yet"
    assert (
        bed.database.value("SELECT count(*) FROM jobs.procrastinate_jobs WHERE session_key IS NOT NULL") == 1
    )


async def test_28_no_connection_is_held_while_it_is_understood(bed: Bed) -> None:
    """Hindsight PR #3082: a database connection was held across an LLM call."""
    loft = await bed.tenant("loft")
    async with await PostgresStorage.open(bed.database.url, size=1, wait=2) as storage:
        embeddings, service = await open_service(storage, HashedWords(), SetClock())

        async def read(who: Principal, conversation: Conversation) -> Extraction:
            async with storage.transaction(who) as tx:  # the only connection there is
                await tx.tenant()
            return by_rules(conversation)

        await service.remember(loft, Turns("s", [Message("I live in Atlanta.")], "ann"))
        ((key,),) = bed.database.rows("SELECT key FROM sessions")
        await Consolidator(storage, embeddings, read).consolidate(loft.tenant_id, key)
        assert len(await service.facts(loft, Which(Filter(user_id="ann")))) == 1


async def test_15_two_at_once_make_one(bed: Bed) -> None:
    """mem0 #6515: a race between check and insert made permanent duplicates."""
    loft = await bed.tenant("loft")
    turns = [Turns("s", [Message(f"turn {place}")], "ann") for place in range(5)]
    await asyncio.gather(*(bed.service.remember(loft, each) for each in turns))
    for table, count in (("users", 1), ("sessions", 1), ("memories", 5)):
        assert bed.database.value(f"SELECT count(*) FROM {table}") == count


async def test_16_forty_retries_make_one_copy(bed: Bed) -> None:
    """MemOS plugin #145: a client's time-out and retry made 30 to 40 copies."""
    loft = await bed.tenant("loft")
    note = Note("Prefers fabric.", user_id="ann")
    done = [await bed.service.add(loft, [note], idempotency_key="request-1") for _ in range(40)]
    assert len({one.ids for one in done}) == 1
    assert bed.database.value("SELECT count(*) FROM memories") == 1


async def test_18_every_user_gets_all_that_there_is(bed: Bed) -> None:
    """Pgvector #259, hindsight #2645: an approximate index with a filter returned fewer rows, even none."""
    loft = await bed.tenant("loft")
    for user in range(30):
        notes = [Note(f"user {user} likes sofa {place}", user_id=f"u{user}") for place in range(20)]
        await bed.service.add(loft, notes)
    for user in range(30):
        found = await contents(bed, loft, "which sofa?", Filter(user_id=f"u{user}"), limit=20)
        assert found == {f"user {user} likes sofa {place}" for place in range(20)}


async def test_19_words_of_every_script_are_found(bed: Bed) -> None:
    """mem0 #4884, #6717: Chinese became one token, Thai none, and accents kept names from matching."""
    loft = await bed.tenant("loft")
    texts = {
        "沙发": "我想买一张蓝色的沙发放在客厅",
        "ソファ": "リビングに青いソファを置きたい",
        "โซฟา": "ฉันอยากซื้อโซฟาสีน้ำเงิน",
        "munoz": "La señora Muñoz prefiere el azul",
        "диван": "Мы купили синий диван",
    }
    await bed.service.add(loft, [Note(text, user_id="ann") for text in texts.values()])
    for query, text in texts.items():
        hits = await bed.service.recall(loft, query, Filter(user_id="ann"), limit=1)
        assert [hit.memory.content for hit in hits] == [text], query


async def test_20_a_match_of_words_alone_surfaces(bed: Bed, monkeypatch: pytest.MonkeyPatch) -> None:
    """mem0: only the nearest vectors were rescored, so that a match of words alone could never surface."""
    monkeypatch.setattr(reading, "DEPTH", 3)
    loft = await bed.tenant("loft")
    long = "the warranty of the table that we delivered last week has the number zx4411 on its label"
    await bed.service.add(loft, [Note(long, user_id="ann")])
    await bed.service.add(loft, [Note(f"number {place}", user_id="ann") for place in range(40)])
    hits = await bed.service.recall(loft, "number zx4411", Filter(user_id="ann"), limit=3)
    assert long in [hit.memory.content for hit in hits]


async def test_21_a_list_goes_on_to_its_end(bed: Bed) -> None:
    """mem0 #5752: lists stopped at 20 rows, without a next page."""
    loft = await bed.tenant("loft")
    ids = (await bed.service.add(loft, [Note(f"note {place}", user_id="ann") for place in range(230)])).ids
    listed: list[Any] = []
    while page := await bed.service.memories(
        loft, Filter(user_id="ann"), before=listed[-1] if listed else None, limit=50
    ):
        listed += [memory.id for memory in page]
    assert listed == sorted(ids, reverse=True)


class Visitor(HashedWords):
    """An embedder that needs the database while it embeds."""

    storage: PostgresStorage
    principal: Principal
    visits = 0

    async def embed(self, texts: Sequence[str]) -> Vectors:
        async with self.storage.transaction(self.principal) as tx:
            await tx.tenant()
        self.visits += 1
        return await super().embed(texts)


async def test_28_no_connection_is_held_while_a_model_works(bed: Bed) -> None:
    """Hindsight PR #3082: a database connection was held across an LLM call."""
    loft = await bed.tenant("loft")
    visitor = Visitor()
    async with await PostgresStorage.open(bed.database.url, size=1, wait=2) as storage:
        visitor.storage, visitor.principal = storage, loft
        _, service = await open_service(storage, visitor, SetClock())
        done = await service.remember(loft, Turns("s", [Message("hello")], "ann"))
        await service.add(loft, [Note("a fact", user_id="ann")])
        await service.correct(loft, done.ids[0], {"content": "hello again"})
        await service.recall(loft, "hello", Filter(user_id="ann"))
    assert visitor.visits == 4


async def test_29_a_message_costs_no_handshake(bed: Bed) -> None:
    """Letta #3219: 40 to 60 TCP handshakes a message."""
    loft = await bed.tenant("loft")
    for place in range(30):
        await bed.service.remember(loft, Turns("s", [Message(f"turn {place}")], "ann"))
        await bed.service.recall(loft, "turn", Filter(user_id="ann"))
    assert bed.storage._pool.get_stats()["connections_num"] <= 4


async def test_a_session_is_not_taken_over(bed: Bed) -> None:
    """Graphiti #1676, mem0 #2170, as they would look with sessions: writes of one land with another."""
    loft = await bed.tenant("loft")
    await bed.service.remember(loft, Turns("s", [Message("ann's")], "ann"))
    with pytest.raises(SessionBelongsToAnother):
        await bed.service.remember(loft, Turns("s", [Message("bob's")], "bob"))
    assert [turn.content for turn in await bed.service.turns(loft, "s")] == ["ann's"]
