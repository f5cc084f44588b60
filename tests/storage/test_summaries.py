"""Summaries as they are kept: the same however the work was cut, gone with what they rest on."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from testbed import Bed

from recollect.core.consolidate.consolidation import Consolidator
from recollect.core.consolidate.rolling import KEPT
from recollect.core.model import Filter, Message, Principal, Turns

pytestmark = pytest.mark.anyio

MARCH = datetime(2026, 3, 10, 9, tzinfo=UTC)
STORY = (
    (
        "a",
        MARCH,
        "We live in Covington.",
        "I love leather sofas.",
        "My budget is $2,000.",
        "Could you send me a quote by Friday?",
    ),
    ("b", MARCH + timedelta(days=60), "My sister lives in Boston.", "I don't like leather sofas any more."),
    ("c", MARCH + timedelta(days=90), "We live in Atlanta now.", "My budget is $3,500 now."),
)


async def tell(bed: Bed, who: Principal, session: str, at: datetime, *texts: str) -> None:
    bed.clock.time = at
    said = [Message(text, at=at + timedelta(minutes=place)) for place, text in enumerate(texts)]
    await bed.service.remember(who, Turns(session, said, user_id="ann"))


async def learn(bed: Bed) -> None:
    """Understand whatever is behind, in the order of the sessions' names."""
    behind = (
        "SELECT tenant_id, key FROM sessions WHERE consolidated_seq < last_seq ORDER BY tenant_id, session_id"
    )
    for tenant_id, key in bed.database.rows(behind):
        await Consolidator(bed.storage, bed.embeddings).consolidate(tenant_id, key)


def told(bed: Bed, who: Principal) -> list[tuple[Any, ...]]:
    """All summaries, by what does not hang on ids."""
    rows: list[tuple[Any, ...]] = bed.database.rows(
        "SELECT session_id, content, valid_from, recorded_at, cardinality(evidence), data - 'actions'"
        " FROM memories WHERE tenant_id = %s AND kind = 'summary' ORDER BY session_id, id",
        who.tenant_id,
    )
    return rows


async def test_the_order_of_sessions_makes_no_difference(bed: Bed) -> None:
    states = []
    for number, order in enumerate(itertools.permutations(range(len(STORY)))):
        tenant = await bed.tenant(f"loft-{number}")
        for session, at, *texts in STORY:
            await tell(bed, tenant, session, at, *texts)
        keys = bed.database.rows(
            "SELECT key FROM sessions WHERE tenant_id = %s ORDER BY session_id", tenant.tenant_id
        )
        for place in order:
            await Consolidator(bed.storage, bed.embeddings).consolidate(tenant.tenant_id, keys[place][0])
        states.append(told(bed, tenant))
    assert [row[0] for row in states[0]] == ["a", "b", "c"]
    assert all(state == states[0] for state in states)


async def test_turn_by_turn_it_comes_to_what_it_is_at_once(bed: Bed) -> None:
    states = []
    for name, at_once in (("once", True), ("by-turn", False)):
        tenant = await bed.tenant(name)
        session, at, *texts = STORY[0]
        for text in [texts] if at_once else [[text] for text in texts]:
            begin = at + timedelta(minutes=texts.index(text[0]))
            await tell(bed, tenant, session, begin, *text)
            await learn(bed)
        states.append([(row[1], row[4], row[5]) for row in told(bed, tenant)])
    assert states[0] == states[1]
    assert len(states[0]) == 1


async def test_a_job_that_runs_again_changes_nothing(bed: Bed) -> None:
    loft = await bed.tenant("loft")
    for session, at, *texts in STORY:
        await tell(bed, loft, session, at, *texts)
    await learn(bed)
    before = bed.database.rows("SELECT * FROM memories WHERE kind = 'summary' ORDER BY id")
    bed.database.rows("UPDATE sessions SET consolidated_seq = 0 RETURNING 1")
    await learn(bed)
    assert bed.database.rows("SELECT * FROM memories WHERE kind = 'summary' ORDER BY id") == before


async def test_a_forgotten_turn_is_in_no_summary(bed: Bed) -> None:
    loft = await bed.tenant("loft")
    await tell(bed, loft, "a", MARCH, "We live in Covington.", "My secret is a red door.", "I love jazz.")
    await learn(bed)
    turns = await bed.service.turns(loft, "a")
    await bed.service.forget_memory(loft, turns[1].id)
    assert "secret" not in str(bed.database.rows("SELECT content, data FROM memories"))
    await learn(bed)
    (row,) = told(bed, loft)
    assert "Covington" in row[1]
    assert "secret" not in str(row)


async def test_with_a_session_its_summary_goes(bed: Bed) -> None:
    loft = await bed.tenant("loft")
    for session, at, *texts in STORY[:2]:
        await tell(bed, loft, session, at, *texts)
    await learn(bed)
    await bed.service.forget_session(loft, "a")
    assert [row[0] for row in told(bed, loft)] == ["b"]
    assert [one.session_id for one in (await bed.service.user_summary(loft, "ann")).summaries] == ["b"]


async def test_another_tenants_people_have_none_of_it(bed: Bed) -> None:
    loft, attic = await bed.tenant("loft"), await bed.tenant("attic")
    for session, at, *texts in STORY:
        await tell(bed, loft, session, at, *texts)
    await tell(bed, attic, "z", MARCH, "Hello.")
    await learn(bed)
    assert (await bed.service.user_summary(attic, "ann")).facts == []
    assert await bed.service.actions(attic, "ann", done=True) == []
    answer = await bed.service.answer(attic, "Where do I live?", Filter(user_id="ann"))
    assert "Atlanta" not in answer.text


async def test_months_are_rolled_up_for_who_has_many_sessions(bed: Bed) -> None:
    loft = await bed.tenant("loft")
    for week in range(KEPT + 10):
        await tell(
            bed, loft, f"s{week:02}", MARCH + timedelta(weeks=week), f"We painted room {week} blue today."
        )
        await learn(bed)
    rows = bed.database.rows(
        "SELECT valid_from, content, evidence FROM memories WHERE kind = 'summary' AND session_id IS NULL"
        " ORDER BY valid_from"
    )
    assert [(row[0].year, row[0].month) for row in rows] == [(2026, 3), (2026, 4)]
    of_march = bed.database.rows(
        "SELECT id FROM memories WHERE kind = 'summary' AND session_id IS NOT NULL"
        " AND valid_from < '2026-04-01T00:00Z' ORDER BY valid_from"
    )
    assert rows[0][2] == [id_ for (id_,) in of_march]
    assert "room 0" in rows[0][1]
    await bed.service.forget_session(loft, "s00")
    left = bed.database.rows("SELECT content FROM memories WHERE kind = 'summary'")
    assert not any("room 0 " in content for (content,) in left)
