"""What a filter lets through: every operator on metadata, the two times, expiry, whose it is."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import psycopg
import pytest
from testbed import NOON, Bed

from recollect.core.model import Condition, Filter, Kind, Message, Note, Turns

pytestmark = pytest.mark.anyio

DATA: dict[str, dict[str, Any]] = {
    "full": {"n": 5, "s": "b", "flag": True, "list": ["x", "y"], "deep": {"n": 5}, "null": None},
    "text": {"n": "5", "s": "B", "flag": "true", "list": "x", "deep": "n"},
    "empty": {},
}
OPERATORS: list[tuple[tuple[str, ...], str, Any, set[str]]] = [
    (("n",), "eq", 5, {"full"}),
    (("n",), "eq", 5.0, {"full"}),
    (("n",), "eq", "5", {"text"}),
    (("n",), "ne", 5, {"text", "empty"}),
    (("gone",), "ne", 1, {"full", "text", "empty"}),
    (("gone",), "eq", 1, set()),
    (("null",), "eq", None, {"full"}),
    (("n",), "in", [1, 5], {"full"}),
    (("n",), "in", ["5", "6"], {"text"}),
    (("n",), "in", [], set()),
    (("gone",), "in", [1, None], set()),
    (("null",), "in", [1, None], {"full"}),
    (("list",), "in", [["x", "y"]], {"full"}),
    (("list",), "in", [["x", "y", "z"]], set()),
    (("n",), "gt", 4, {"full"}),
    (("n",), "gt", 5, set()),
    (("n",), "gte", 5, {"full"}),
    (("n",), "lt", 6, {"full"}),
    (("n",), "lte", 5, {"full"}),
    (("n",), "lt", 10, {"full"}),
    (("n",), "lt", "6", {"text"}),
    (("s",), "gt", "A", {"full", "text"}),
    (("gone",), "gt", 0, set()),
    (("gone",), "lte", 0, set()),
    (("flag",), "eq", True, {"full"}),
    (("list",), "contains", ["x"], {"full"}),
    (("list",), "contains", "y", {"full"}),
    (("list",), "contains", "x", {"full", "text"}),
    (("deep",), "contains", {"n": 5}, {"full"}),
    (("deep", "n"), "eq", 5, {"full"}),
    (("list", "1"), "eq", "y", {"full"}),
    (("n",), "exists", True, {"full", "text"}),
    (("n",), "exists", False, {"empty"}),
    (("deep", "n"), "exists", True, {"full"}),
    (("null",), "exists", True, {"full"}),
]


async def test_every_operator_on_metadata(bed: Bed) -> None:
    who = await bed.tenant("loft")
    await bed.service.add(who, [Note(name, metadata=data) for name, data in DATA.items()])
    for path, operator, value, expected in OPERATORS:
        scope = Filter(metadata=(Condition(path, operator, value),))
        for found in (
            await bed.service.memories(who, scope),
            [hit.memory for hit in await bed.service.recall(who, "full text empty", scope)],
        ):
            assert {memory.content for memory in found} == expected, (path, operator, value)


async def test_every_condition_has_to_hold(bed: Bed) -> None:
    who = await bed.tenant("loft")
    await bed.service.add(who, [Note(name, metadata=data) for name, data in DATA.items()])
    both = (Condition(("n",), "exists", True), Condition(("s",), "eq", "B"))
    assert [memory.content for memory in await bed.service.memories(who, Filter(metadata=both))] == ["text"]


async def names(bed: Bed, scope: Filter) -> set[str]:
    """What a list and a recall let through, which is the same."""
    who = bed.tenants.principal("loft")
    listed = {memory.content for memory in await bed.service.memories(who, scope)}
    hits = await bed.service.recall(who, "one two three", scope, limit=50)
    assert {hit.memory.content for hit in hits} == listed
    return listed


async def test_when_it_was_true(bed: Bed) -> None:
    who = await bed.tenant("loft")
    day = timedelta(days=1)
    notes = [
        Note("one", valid_from=NOON - 10 * day, valid_to=NOON - 5 * day),
        Note("two", valid_from=NOON - 5 * day),
        Note("three", valid_from=NOON + 5 * day),
    ]
    await bed.service.add(who, notes)
    assert await names(bed, Filter(as_of=NOON - 7 * day)) == {"one"}
    assert await names(bed, Filter(as_of=NOON - 5 * day)) == {"two"}
    assert await names(bed, Filter(as_of=NOON)) == {"two"}
    assert await names(bed, Filter(as_of=NOON + 9 * day)) == {"two", "three"}
    assert await names(bed, Filter(as_of=NOON - 20 * day)) == set()
    assert await names(bed, Filter(since=NOON - 5 * day)) == {"two", "three"}
    assert await names(bed, Filter(since=NOON - 10 * day, until=NOON - 5 * day)) == {"one"}
    hits = await bed.service.recall(who, "one two three", Filter())
    assert {hit.memory.content for hit in hits} == {"two", "three"}
    assert len(await bed.service.memories(who, Filter())) == 3


async def test_when_we_knew(bed: Bed) -> None:
    who = await bed.tenant("loft")
    (one,) = (await bed.service.add(who, [Note("one")])).ids
    bed.clock.advance(days=1)
    (two,) = (await bed.service.add(who, [Note("two")])).ids
    supersede = "UPDATE memories SET superseded_at = %s, superseded_by = %s WHERE id = %s"
    with psycopg.connect(bed.database.admin_url) as connection:
        connection.execute(supersede, [NOON + timedelta(days=1), two, one])
    assert await names(bed, Filter()) == {"two"}
    assert await names(bed, Filter(known_at=NOON + timedelta(hours=1))) == {"one"}
    assert await names(bed, Filter(known_at=NOON + timedelta(days=2))) == {"two"}
    assert await names(bed, Filter(known_at=NOON - timedelta(days=1))) == set()


async def test_what_has_expired_is_not_there(bed: Bed) -> None:
    who = await bed.tenant("loft")
    await bed.service.add(who, [Note("one", expires_at=NOON + timedelta(hours=1)), Note("two")])
    assert await names(bed, Filter()) == {"one", "two"}
    bed.clock.advance(hours=1)
    assert await names(bed, Filter()) == {"two"}


async def test_whose_it_is(bed: Bed) -> None:
    who = await bed.tenant("loft")
    notes = [Note("one", user_id="ann"), Note("two", user_id="bob"), Note("three")]
    await bed.service.add(who, notes)
    assert await names(bed, Filter()) == {"three"}
    assert await names(bed, Filter(user_id="ann")) == {"one", "three"}
    assert await names(bed, Filter(user_id="ann", include_shared=False)) == {"one"}
    assert await names(bed, Filter(user_id="nobody")) == {"three"}
    assert await names(bed, Filter(all_users=True)) == {"one", "two", "three"}
    everybodys = await bed.service.memories(who, Filter(all_users=True))
    assert [memory.content for memory in everybodys] == ["three", "two", "one"]


async def test_kind_agent_and_session(bed: Bed) -> None:
    who = await bed.tenant("loft")
    await bed.service.remember(who, Turns("s", [Message("one")], agent_id="sales"))
    await bed.service.add(who, [Note("two", Kind.PREFERENCE), Note("three", agent_id="sales")])
    assert await names(bed, Filter(kinds=(Kind.MESSAGE, Kind.PREFERENCE))) == {"one", "two"}
    assert await names(bed, Filter(agent_id="sales")) == {"one", "three"}
    assert await names(bed, Filter(session_id="s")) == {"one"}
    assert await names(bed, Filter(session_id="s", kinds=(Kind.FACT,))) == set()
