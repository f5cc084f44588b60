"""What was said becomes facts that know when they were true, and what becomes of them."""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from testbed import Bed

from recollect.core.consolidate.consolidation import Consolidator
from recollect.core.errors import Forbidden, Invalid, NotFound
from recollect.core.facts import Edit
from recollect.core.model import (
    Filter,
    Kind,
    Memory,
    Message,
    Note,
    Principal,
    Role,
    Standing,
    Trust,
    Turns,
    Which,
)

pytestmark = pytest.mark.anyio

MARCH = datetime(2026, 3, 10, 9, tzinfo=UTC)
MAY = datetime(2026, 5, 10, 9, tzinfo=UTC)
JULY = datetime(2026, 7, 10, 9, tzinfo=UTC)
NOW = datetime(2026, 8, 1, 9, tzinfo=UTC)

MOVES = (("spring", MARCH, "We live in Covington."), ("summer", JULY, "We live in Atlanta now."))


async def tell(bed: Bed, who: Principal, session: str, at: datetime, *texts: str, user: str = "ann") -> None:
    """Said, and kept, at that time."""
    now, bed.clock.time = bed.clock.time, at
    messages = [Message(text, at=at + timedelta(minutes=minute)) for minute, text in enumerate(texts)]
    await bed.service.remember(who, Turns(session, messages, user))
    bed.clock.time = max(now, at)


async def moved(bed: Bed) -> Principal:
    """A tenant whose Ann lived in Covington from March, and in Atlanta from July."""
    loft = await bed.tenant("loft")
    for session, at, text in MOVES:
        await tell(bed, loft, session, at, text)
    bed.clock.time = NOW
    await bed.learn()
    return loft


async def homes(bed: Bed, who: Principal, *, history: bool = False, **times: Any) -> list[Memory]:
    """What is known of where Ann lives, the oldest first."""
    which = Which(Filter(user_id="ann", **times), "user", "residence", history)
    return sorted(await bed.service.facts(who, which), key=lambda fact: fact.valid_from)


def values(facts: Sequence[Memory]) -> list[str]:
    return [fact.claim.value for fact in facts if fact.claim]


async def test_facts_know_when_they_were_true(bed: Bed) -> None:
    loft = await moved(bed)
    assert values(await homes(bed, loft)) == ["Atlanta"]
    assert values(await homes(bed, loft, as_of=MAY)) == ["Covington"]
    assert values(await homes(bed, loft, known_at=MAY)) == ["Covington"]
    assert values(await homes(bed, loft, known_at=MAY, as_of=NOW)) == ["Covington"]
    assert values(await homes(bed, loft, as_of=MARCH - timedelta(days=1))) == []


async def test_the_history_shows_both_with_their_evidence(bed: Bed) -> None:
    loft = await moved(bed)
    (atlanta,) = await homes(bed, loft)
    covington, same = await bed.service.fact_history(loft, atlanta.id)
    assert same == atlanta
    assert (covington.valid_to, covington.superseded_by) == (atlanta.valid_from, atlanta.id)
    for fact, (session, at, text) in zip((covington, atlanta), MOVES, strict=True):
        (evidence,) = fact.evidence
        turn = await bed.service.memory(loft, evidence)
        assert (turn.session_id, turn.content, fact.valid_from, fact.recorded_at) == (session, text, at, at)


async def test_recall_finds_what_is_so_and_not_what_was(bed: Bed) -> None:
    loft = await moved(bed)
    found = await bed.service.recall(loft, "Where does Ann live?", Filter(user_id="ann"))
    told = [hit.memory.claim.value for hit in found if hit.memory.claim]
    assert told == ["Atlanta"]
    turns = [hit.memory.content for hit in found if hit.memory.seq]
    assert turns.index("We live in Atlanta now.") < turns.index("We live in Covington.")
    places = {hit.memory.kind: place for place, hit in enumerate(found)}
    assert places[Kind.SUMMARY] > places[Kind.MESSAGE], "what only says it once more comes last"
    then = await bed.service.recall(loft, "Where does Ann live?", Filter(user_id="ann", as_of=MAY))
    assert [hit.memory.claim.value for hit in then if hit.memory.claim] == ["Covington"]


async def facts_of(bed: Bed, who: Principal) -> list[tuple[Any, ...]]:
    """Every derived row, as it is kept."""
    return bed.database.rows(
        "SELECT id, content, claim, valid_from, valid_to, recorded_at, superseded_at, superseded_by,"
        " confidence, evidence, standing, source, min_role, trust FROM memories"
        " WHERE tenant_id = %s AND subject IS NOT NULL ORDER BY id",
        who.tenant_id,
    )


async def forget_progress(bed: Bed) -> None:
    bed.database.rows("UPDATE sessions SET consolidated_seq = 0 RETURNING 1")


async def test_a_job_that_runs_again_and_a_log_that_is_replayed_change_nothing(bed: Bed) -> None:
    loft = await moved(bed)
    before = await facts_of(bed, loft)
    assert before
    await bed.learn()
    assert await facts_of(bed, loft) == before
    await forget_progress(bed)
    await bed.learn()
    assert await facts_of(bed, loft) == before


STORY = (
    ("a", MARCH, ("We live in Covington.", "I love leather sofas.", "My budget is $2,000.")),
    ("b", MAY, ("My sister lives in Boston.", "I don't like leather sofas any more.")),
    ("c", JULY, ("We live in Atlanta now.", "My budget is $3,500 now.", "I love leather sofas.")),
    ("d", JULY + timedelta(days=3), ("My sister lives in Denver now.", "I have two dogs.")),
)


async def test_the_order_in_which_sessions_are_understood_makes_no_difference(bed: Bed) -> None:
    states = []
    for number, order in enumerate(itertools.permutations(range(len(STORY)))):
        tenant = await bed.tenant(f"loft-{number}")
        for session, at, texts in STORY:
            await tell(bed, tenant, session, at, *texts)
        consolidator = Consolidator(bed.storage, bed.embeddings)
        keys = [
            key
            for (key,) in bed.database.rows(
                "SELECT key FROM sessions WHERE tenant_id = %s ORDER BY session_id", tenant.tenant_id
            )
        ]
        for place in order:
            await consolidator.consolidate(tenant.tenant_id, keys[place])
        states.append(
            bed.database.rows(
                "SELECT content, valid_from, valid_to, recorded_at, superseded_at, confidence, standing,"
                " cardinality(evidence) FROM memories WHERE tenant_id = %s AND subject IS NOT NULL"
                " ORDER BY content, valid_from",
                tenant.tenant_id,
            )
        )
    assert len(states[0]) >= 6
    assert all(state == states[0] for state in states)


async def test_many_workers_at_once_leave_what_one_leaves(bed: Bed) -> None:
    states = []
    for tenant_name, workers in (("one", 1), ("many", 4)):
        tenant = await bed.tenant(tenant_name)
        for session, at, texts in STORY:
            await tell(bed, tenant, session, at, *texts)
        keys = bed.database.rows("SELECT key FROM sessions WHERE tenant_id = %s", tenant.tenant_id)
        jobs = [
            Consolidator(bed.storage, bed.embeddings).consolidate(tenant.tenant_id, key)
            for (key,) in keys
            for _ in range(workers)
        ]
        await asyncio.gather(*jobs)
        states.append(sorted((row[1], row[3], row[4], row[8]) for row in await facts_of(bed, tenant)))
    assert states[0] == states[1]


async def test_a_correction_was_never_so(bed: Bed) -> None:
    loft = await bed.tenant("loft")
    await tell(bed, loft, "s", MARCH, "We live in Covington.", "No, sorry, I meant we live in Carrollton.")
    bed.clock.time = NOW
    await bed.learn()
    assert values(await homes(bed, loft)) == ["Carrollton"]
    assert values(await homes(bed, loft, as_of=MARCH + timedelta(hours=1))) == ["Carrollton"]
    assert values(await homes(bed, loft, history=True)) == ["Covington", "Carrollton"]


async def test_what_a_person_confirmed_is_not_overwritten(bed: Bed) -> None:
    loft = await bed.tenant("loft")
    await tell(bed, loft, "spring", MARCH, "We live in Covington.")
    await bed.learn()
    (covington,) = await homes(bed, loft)
    confirmed = await bed.service.confirm_fact(loft, covington.id)
    assert (confirmed.standing, confirmed.trust, confirmed.confidence) == (
        Standing.CONFIRMED,
        Trust.OWNER,
        1.0,
    )
    await tell(bed, loft, "summer", JULY, "We live in Atlanta now.")
    bed.clock.time = NOW
    await bed.learn()
    both = await homes(bed, loft)
    assert [(value, fact.standing) for value, fact in zip(values(both), both, strict=True)] == [
        ("Covington", Standing.CONFIRMED),
        ("Atlanta", Standing.DISPUTED),
    ]


async def test_what_a_person_rejected_is_not_learned_again(bed: Bed) -> None:
    loft = await moved(bed)
    (atlanta,) = await homes(bed, loft)
    await bed.service.reject_fact(loft, atlanta.id)
    assert values(await homes(bed, loft)) == ["Covington"], "what it had ended holds again"
    await forget_progress(bed)
    await bed.learn()
    assert values(await homes(bed, loft)) == ["Covington"]
    found = await bed.service.recall(loft, "Where does Ann live?", Filter(user_id="ann"))
    assert "Atlanta" not in [hit.memory.claim.value for hit in found if hit.memory.claim]


async def test_an_edited_fact_takes_the_place_of_the_old_one(bed: Bed) -> None:
    loft = await moved(bed)
    (atlanta,) = await homes(bed, loft)
    edited = await bed.service.edit_fact(loft, atlanta.id, Edit(value="Athens"))
    assert edited.content == atlanta.content.replace("Atlanta", "Athens")
    assert (edited.trust, edited.standing, edited.valid_from) == (
        Trust.OWNER,
        Standing.CONFIRMED,
        atlanta.valid_from,
    )
    assert values(await homes(bed, loft)) == ["Athens"]
    await forget_progress(bed)
    await bed.learn()
    assert values(await homes(bed, loft)) == ["Athens"]


async def test_of_what_a_person_decides_the_newest_holds(bed: Bed) -> None:
    loft = await moved(bed)
    (atlanta,) = await homes(bed, loft)
    for value in ("Athens", "Oslo"):
        bed.clock.time += timedelta(hours=1)
        await bed.service.edit_fact(loft, atlanta.id, Edit(value=value))
        assert values(await homes(bed, loft)) == [value]
    bed.clock.time += timedelta(hours=1)
    await bed.service.confirm_fact(loft, atlanta.id)
    assert values(await homes(bed, loft)) == ["Atlanta"]


async def test_an_edit_that_cannot_be_is_refused(bed: Bed) -> None:
    loft = await moved(bed)
    (atlanta,) = await homes(bed, loft)
    for edit in (Edit(), Edit(value=" "), Edit(value="x" * 3_000), Edit(content="  ")):
        with pytest.raises(Invalid):
            await bed.service.edit_fact(loft, atlanta.id, edit)
    assert await homes(bed, loft) == [atlanta]


async def test_a_forgotten_turn_takes_its_facts_with_it(bed: Bed) -> None:
    loft = await moved(bed)
    (atlanta,) = await homes(bed, loft)
    gone = await bed.service.forget_memory(loft, atlanta.evidence[0])
    assert gone.memories >= 2
    assert values(await homes(bed, loft)) == ["Covington"]
    assert not bed.database.rows("SELECT 1 FROM memories WHERE content LIKE '%%Atlanta%%'")
    await bed.learn()
    assert values(await homes(bed, loft, history=True)) == ["Covington"]


async def test_a_fact_told_twice_stays_when_one_telling_is_forgotten(bed: Bed) -> None:
    loft = await bed.tenant("loft")
    await tell(bed, loft, "spring", MARCH, "We live in Covington.")
    await tell(bed, loft, "summer", JULY, "We live in Covington.")
    bed.clock.time = NOW
    await bed.learn()
    (both,) = await homes(bed, loft)
    assert len(both.evidence) == 2
    await bed.service.forget_session(loft, "spring")
    await bed.learn()
    (one,) = await homes(bed, loft)
    assert one.valid_from == JULY
    assert one.confidence < both.confidence


async def test_a_turn_that_is_rewritten_is_understood_anew(bed: Bed) -> None:
    loft = await moved(bed)
    (atlanta,) = await homes(bed, loft)
    await bed.service.correct(loft, atlanta.evidence[0], {"content": "We live in Augusta now."})
    await bed.learn()
    assert values(await homes(bed, loft)) == ["Augusta"]


async def test_nothing_derived_is_left_of_a_forgotten_person(bed: Bed) -> None:
    loft = await moved(bed)
    await bed.service.forget_user(loft, "ann")
    for table in ("memories", "entities", "relations", "mentions", "sessions", "users"):
        assert bed.database.value(f"SELECT count(*) FROM {table}") == 0
    await bed.learn()


async def test_a_fact_is_seen_by_whoever_sees_its_turn(bed: Bed) -> None:
    loft = await bed.tenant("loft")
    await tell(bed, loft, "s", MARCH, "We live in Covington.")
    (turn,) = await bed.service.turns(loft, "s")
    await bed.service.correct(loft, turn.id, {"min_role": Role.MANAGER})
    await bed.learn()
    staff = Principal(loft.tenant_id, "staff", Role.STAFF)
    assert await homes(bed, staff) == []
    (fact,) = await homes(bed, loft)
    assert fact.min_role is Role.MANAGER
    with pytest.raises(NotFound):
        await bed.service.confirm_fact(staff, fact.id)


async def test_a_person_sees_and_says_only_what_is_theirs(bed: Bed) -> None:
    loft = await moved(bed)
    attic = await bed.tenant("attic")
    (atlanta,) = await homes(bed, loft)
    ann = Principal(loft.tenant_id, "ann", Role.USER)
    bob = Principal(loft.tenant_id, "bob", Role.USER)
    assert values(await homes(bed, ann)) == ["Atlanta"]
    with pytest.raises(Forbidden):
        await homes(bed, bob)
    for stranger in (bob, replace(attic, subject="owner")):
        with pytest.raises(NotFound):
            await bed.service.reject_fact(stranger, atlanta.id)
        with pytest.raises(NotFound):
            await bed.service.fact_history(stranger, atlanta.id)
    said = await bed.service.confirm_fact(ann, atlanta.id)
    assert (said.standing, said.trust) == (Standing.CONFIRMED, Trust.USER)


async def test_a_session_whose_last_turn_is_forgotten_is_understood_to_its_end(bed: Bed) -> None:
    loft = await bed.tenant("loft")
    await tell(bed, loft, "s", MARCH, "We live in Covington.", "I love tea.")
    await bed.learn()
    _, last = await bed.service.turns(loft, "s")
    await bed.service.forget_memory(loft, last.id)
    await bed.learn()
    assert bed.database.rows("SELECT last_seq, consolidated_seq FROM sessions") == [(2, 2)]
    assert [fact.content for fact in await bed.service.facts(loft, Which(Filter(user_id="ann")))] == [
        "Lives in Covington."
    ]


@pytest.mark.parametrize("word", [Standing.CONFIRMED, Standing.REJECTED])
async def test_a_persons_word_stays_while_anything_is_left_that_says_the_fact(
    bed: Bed, word: Standing
) -> None:
    loft = await bed.tenant("loft")
    await tell(bed, loft, "spring", MARCH, "We live in Covington.")
    await tell(bed, loft, "summer", JULY, "We live in Covington.")
    bed.clock.time = NOW
    await bed.learn()
    (fact,) = await homes(bed, loft)
    say = bed.service.confirm_fact if word is Standing.CONFIRMED else bed.service.reject_fact
    await say(loft, fact.id)
    (first,) = await bed.service.turns(loft, "spring")
    await bed.service.correct(loft, first.id, {"expires_at": NOW + timedelta(days=900)})
    await bed.learn()
    assert (await bed.service.memory(loft, fact.id)).standing is word
    await bed.service.forget_memory(loft, first.id)
    await bed.learn()
    left = await bed.service.memory(loft, fact.id)
    assert (left.standing, len(left.evidence)) == (word, 1)
    assert bool(await homes(bed, loft)) is (word is Standing.CONFIRMED)
    (second,) = await bed.service.turns(loft, "summer")
    await bed.service.forget_memory(loft, second.id)
    assert await homes(bed, loft, history=True) == []


async def test_what_people_wrote_loses_only_what_it_rested_on(bed: Bed) -> None:
    loft = await moved(bed)
    (atlanta,) = await homes(bed, loft)
    edited = await bed.service.edit_fact(loft, atlanta.id, Edit(value="Athens"))
    assert edited.evidence == atlanta.evidence
    await bed.service.forget_session(loft, "summer")
    await bed.learn()
    (athens,) = await homes(bed, loft)
    assert (athens.id, athens.evidence) == (edited.id, ())


async def test_what_is_above_the_forgetter_forgets_too(bed: Bed) -> None:
    loft = await bed.tenant("loft")
    await tell(bed, loft, "s", MARCH, "My sister Maria plays the xylophone.", "My boss lives in Boston.")
    first, second = await bed.service.turns(loft, "s")
    await bed.service.correct(loft, second.id, {"min_role": Role.MANAGER})
    await bed.learn()
    (summary,) = bed.database.rows("SELECT min_role FROM memories WHERE kind = 'summary'")
    assert summary == (Role.MANAGER,)
    await bed.service.forget_memory(Principal(loft.tenant_id, "staff", Role.STAFF), first.id)
    for _ in range(2):
        for (table,) in bed.database.rows("SELECT relid::regclass::text FROM pg_stat_user_tables"):
            kept = str(bed.database.rows(f"SELECT t::text FROM {table} AS t")).lower()
            assert "xylophone" not in kept, table
            assert "maria" not in kept, table
        await bed.learn()


async def test_a_forgotten_fact_does_not_come_back_from_its_other_tellings(bed: Bed) -> None:
    loft = await moved(bed)
    await tell(bed, loft, "autumn", NOW, "We live in Atlanta.")
    await bed.learn()
    (atlanta,) = await homes(bed, loft)
    assert len(atlanta.evidence) == 2
    await bed.service.forget_memory(loft, atlanta.id)
    assert values(await homes(bed, loft)) == ["Covington"], "what it had closed holds again"
    await tell(bed, loft, "winter", NOW, "I love tea.")
    await bed.learn()
    assert values(await homes(bed, loft)) == ["Covington"]


async def test_strangers_without_an_id_are_not_one_person(bed: Bed) -> None:
    loft = await bed.tenant("loft")
    for session, text in (("a", "I'm Bob and I live in Paris."), ("b", "I'm Eve. We live in Rome now.")):
        await bed.service.remember(loft, Turns(session, [Message(text)]))
    await bed.learn()
    assert await bed.service.facts(loft, Which(Filter())) == []


async def test_what_was_derived_cannot_be_feigned(bed: Bed) -> None:
    loft = await bed.tenant("loft")
    for key in ("extractor", "told", "said", "corrects"):
        with pytest.raises(Invalid, match=key):
            await bed.service.add(loft, [Note("Likes tea.", user_id="ann", source={key: "rules"})])
