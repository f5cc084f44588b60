"""What becomes of facts that are told again, told otherwise, taken back, or decided by people."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from random import Random
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, settings, strategies as st
from testbed import NOON

from recollect.core.consolidate import resolving
from recollect.core.consolidate.resolving import SUREST, Resolved, resolve
from recollect.core.consolidate.sameness import kept_under, same_value, sought_under
from recollect.core.ids import derived_id
from recollect.core.model import USER, Claim, Kind, Memory, Modality, Role, Standing, Trust

RULES = {"extractor": "rules"}
HOME = "residence"


def turn(day: int, place: int = 0) -> UUID:
    """The id of a turn of that day."""
    return UUID(int=(1000 + day) << 80 | 0x7 << 76 | 0b10 << 62 | place)


def said(
    day: int,
    value: str,
    attribute: str = HOME,
    *,
    subject: str = USER,
    single: bool = True,
    negated: bool = False,
    planned: bool = False,
    corrects: bool = False,
    since: int | None = None,
    until: int | None = None,
    recorded: int | None = None,
    place: int = 0,
    confidence: float = 0.7,
    trust: Trust = Trust.USER,
    min_role: Role = Role.USER,
    ends: str = "",
) -> Memory:
    """A fact told on a day, as an extractor finds it."""
    modality = Modality.PLANNED if planned else Modality.ASSERTED
    claim = Claim(subject, attribute, value, negated, modality, single)
    told = turn(day, place)
    parts = (subject, attribute, value, str(negated), str(modality))
    return Memory(
        id=derived_id(told, "fact", *parts),
        kind=Kind.FACT,
        content=f"{'Not ' * negated}{attribute} of {subject}: {value}.",
        trust=trust,
        min_role=min_role,
        valid_from=on(day if since is None else since),
        valid_to=None if until is None else on(until),
        recorded_at=on(day if recorded is None else recorded),
        confidence=confidence,
        evidence=(told,),
        source={**RULES, "said": on(day).isoformat(), "ends": ends}
        | ({"corrects": True} if corrects else {}),
        claim=claim,
    )


def on(day: int) -> datetime:
    return NOON + timedelta(days=day)


@dataclass
class Store:
    """Rows and turns as the database keeps them."""

    rows: dict[UUID, Memory] = field(default_factory=dict)
    anew: dict[UUID, UUID] = field(default_factory=dict)

    def write(self, resolved: Resolved) -> None:
        for row in resolved.insert:
            assert row.id not in self.rows
            self.rows[row.id] = row
        for row in resolved.change:
            before = self.rows[row.id]
            changing = ("valid_to", "superseded_at", "superseded_by", "confidence", "evidence", "standing")
            assert replace(before, **{name: getattr(row, name) for name in changing}) == row != before
            self.rows[row.id] = row
        self.anew.update(resolved.retold)
        for each in resolved.untold:
            self.anew.pop(each, None)

    def tell(self, *found: Memory) -> Resolved:
        resolved = resolve(list(self.rows.values()), found)
        self.write(resolved)
        return resolved

    def decide(self, row: Memory, standing: Standing) -> None:
        """What a person's decision makes of a row."""
        rejected = standing is Standing.REJECTED
        at = row.recorded_at + timedelta(hours=1) if rejected else row.superseded_at
        self.rows[row.id] = replace(self.rows[row.id], standing=standing, superseded_at=at)

    def of(self, fact: Memory) -> Memory:
        return self.rows[fact.id]

    def standing(self) -> list[str]:
        """The values that hold now, as far as is known."""
        now = [row for row in self.rows.values() if row.superseded_at is None and row.valid_to is None]
        return sorted(("not " * row.claim.negated) + row.claim.value for row in now if row.claim)


def test_a_newer_value_of_what_has_one_at_a_time_ends_the_older() -> None:
    store = Store()
    old, new = said(1, "Covington"), said(5, "Atlanta")
    store.tell(old)
    resolved = store.tell(new)
    closed = store.of(old)
    assert (closed.valid_to, closed.superseded_at, closed.superseded_by) == (on(5), on(5), new.id)
    assert (store.of(new).valid_to, store.of(new).superseded_at) == (None, None)
    assert resolved.retold == ((turn(1), turn(5)),)


def test_an_older_fact_that_arrives_late_is_inserted_already_ended() -> None:
    store = Store()
    new, old = said(5, "Atlanta"), said(1, "Covington", recorded=9)
    store.tell(new)
    assert store.tell(old).change == ()
    assert (store.of(old).valid_to, store.of(old).superseded_at) == (on(5), on(9))


def test_what_is_said_later_is_newer_though_it_was_so_before_the_older_was_said() -> None:
    store = Store()
    home, moved = said(5, "Covington"), said(7, "Atlanta", since=1)
    store.tell(home)
    store.tell(moved)
    assert store.standing() == ["Atlanta"]
    assert (store.of(home).valid_to, store.of(home).superseded_by) == (None, moved.id)
    assert store.anew == {turn(5): turn(7)}


def test_a_value_between_two_ends_the_first_sooner() -> None:
    store = Store()
    a, b, c = said(1, "Covington"), said(3, "Macon"), said(5, "Atlanta")
    store.tell(a, c)
    store.tell(b)
    assert (store.of(a).valid_to, store.of(a).superseded_by) == (on(3), b.id)
    assert store.of(b).valid_to == on(5)
    assert store.anew == {turn(1): turn(3), turn(3): turn(5)}


def test_what_is_told_again_is_one_fact_and_surer() -> None:
    store = Store()
    facts = [said(day, "Atlanta", confidence=0.6) for day in (1, 2, 3)]
    for fact in facts:
        store.tell(fact)
    first = store.of(facts[0])
    assert first.evidence == (turn(1), turn(2), turn(3))
    assert first.confidence == pytest.approx(1 - 0.4**3)
    assert (first.valid_from, first.superseded_at) == (on(1), None)
    for later in facts[1:]:
        hidden = store.of(later)
        assert (hidden.superseded_by, hidden.superseded_at) == (first.id, later.recorded_at)
        assert hidden.valid_to is None
    assert store.anew == {}


def test_however_often_it_is_told_a_fact_is_never_certain() -> None:
    store = Store()
    store.tell(*(said(day, "Atlanta", confidence=0.9) for day in range(1, 9)))
    assert max(row.confidence for row in store.rows.values()) == SUREST


def test_the_same_turn_read_twice_makes_nothing_surer() -> None:
    store = Store()
    store.tell(said(1, "Atlanta"), said(1, "Atlanta, Georgia"))
    assert {row.confidence for row in store.rows.values()} == {0.7}


def test_a_value_told_again_after_another_is_a_new_fact() -> None:
    store = Store()
    first, other, again = said(1, "Atlanta"), said(3, "Macon"), said(5, "Atlanta")
    store.tell(first, other, again)
    assert (store.of(first).valid_to, store.of(other).valid_to) == (on(3), on(5))
    assert store.of(again).superseded_at is None


def test_lists_grow_and_a_negation_ends_its_item_alone() -> None:
    store = Store()
    leather, wool = (
        said(1, what, "likes", single=False, place=i) for i, what in enumerate(["leather", "wool"])
    )
    no_more = said(4, "leather", "likes", single=False, negated=True)
    store.tell(leather, wool, no_more)
    assert store.standing() == ["not leather", "wool"]
    assert (store.of(leather).valid_to, store.of(leather).superseded_by) == (on(4), no_more.id)
    assert store.anew == {turn(1): turn(4)}
    store.tell(said(9, "leather", "likes", single=False))
    assert store.standing() == ["leather", "wool"]


def test_a_negation_ends_a_single_value_and_no_other() -> None:
    store = Store()
    store.tell(said(1, "Covington"), said(2, "Macon", negated=True))
    assert store.standing() == ["Covington", "not Macon"]
    store.tell(said(3, "Covington", negated=True))
    assert store.standing() == ["not Covington", "not Macon"]


def test_a_correction_says_that_it_was_never_so() -> None:
    store = Store()
    wrong, right = said(1, "two", "bedrooms"), said(2, "three", "bedrooms", corrects=True)
    store.tell(wrong)
    resolved = store.tell(right)
    taken_back = store.of(wrong)
    assert (taken_back.valid_to, taken_back.superseded_at, taken_back.superseded_by) == (
        None,
        on(2),
        right.id,
    )
    assert resolved.retold == ((turn(1), turn(2)),)


def test_what_is_planned_supersedes_nothing_and_ends_when_it_comes_true() -> None:
    store = Store()
    home, plan = said(1, "Covington"), said(2, "Atlanta", planned=True)
    store.tell(home, plan)
    assert store.standing() == ["Atlanta", "Covington"]
    moved = said(5, "Atlanta")
    store.tell(moved)
    assert store.standing() == ["Atlanta"]
    assert store.of(plan).superseded_by == moved.id
    assert store.of(home).superseded_by == moved.id


def test_another_plan_takes_the_place_of_a_plan() -> None:
    store = Store()
    store.tell(said(1, "Atlanta", planned=True), said(2, "Macon", planned=True))
    assert store.standing() == ["Macon"]


def test_a_contradiction_without_an_order_stays_and_is_flagged() -> None:
    store = Store()
    one, other = said(1, "Covington", since=1), said(3, "Atlanta", since=1)
    store.tell(one, other)
    assert store.standing() == ["Atlanta", "Covington"]
    assert store.of(one).standing is store.of(other).standing is Standing.DISPUTED
    store.tell(said(6, "Atlanta"))
    assert store.standing() == ["Atlanta"]
    assert store.of(other).standing is None


def test_turns_written_together_have_an_order_though_all_are_of_one_time() -> None:
    store = Store()
    first, second = said(1, "Covington", place=1), said(1, "Atlanta", place=2)
    store.tell(second, first)
    assert store.standing() == ["Atlanta"]
    assert (store.of(first).valid_to, store.of(first).superseded_by) == (None, second.id)


def test_one_turn_that_contradicts_itself_is_disputed_and_tells_nothing_anew() -> None:
    store = Store()
    store.tell(said(1, "Covington"), said(1, "Atlanta"))
    assert store.standing() == ["Atlanta", "Covington"]
    assert {row.standing for row in store.rows.values()} == {Standing.DISPUTED}
    assert store.anew == {}


def test_of_a_turn_that_tells_old_and_new_nothing_is_told_anew() -> None:
    store = Store()
    store.tell(said(5, "Covington", since=1), said(5, "Atlanta"))
    assert store.standing() == ["Atlanta"]
    assert store.anew == {}


def test_what_was_told_to_be_over_ends_what_was_open_and_is_no_newer_value() -> None:
    store = Store()
    home, now = said(1, "Covington"), said(4, "Atlanta")
    store.tell(home)
    store.tell(said(6, "Covington", since=0, until=3))
    assert store.standing() == []
    store.tell(now)
    assert store.standing() == ["Atlanta"]
    store.tell(said(9, "Oslo", since=2, until=3))
    assert store.standing() == ["Atlanta"]


@pytest.mark.parametrize("standing", [Standing.CONFIRMED, Standing.REJECTED])
def test_what_people_decided_is_never_changed(standing: Standing) -> None:
    store = Store()
    home = said(1, "Covington")
    store.tell(home)
    store.decide(home, standing)
    decided = store.of(home)
    store.tell(said(5, "Atlanta"), said(6, "Covington"), said(7, "Covington", negated=True))
    assert store.of(home) == decided


def test_a_fact_that_contradicts_what_a_person_confirmed_is_disputed() -> None:
    store = Store()
    home, other = said(1, "Covington"), said(5, "Atlanta")
    store.tell(home)
    store.decide(home, Standing.CONFIRMED)
    store.tell(other)
    assert store.of(other).standing is Standing.DISPUTED
    assert store.of(other).superseded_at is None


def test_what_a_person_made_ends_what_was_extracted() -> None:
    store = Store()
    old, made = said(1, "Covington"), replace(said(3, "Atlanta"), source={}, evidence=())
    store.rows[made.id] = made
    store.tell(old, said(4, "Atlanta"))
    assert store.standing() == ["Atlanta"]
    assert store.of(old).superseded_by == made.id
    assert store.of(made) == made


def test_what_was_rejected_is_not_found_again_but_told_anew_it_is_disputed() -> None:
    store = Store()
    wrong = said(1, "Covington")
    store.tell(wrong)
    store.decide(wrong, Standing.REJECTED)
    before, after = said(1, "Covington", place=3), said(8, "Covington")
    store.tell(before, after)
    assert store.of(before).superseded_by == wrong.id
    assert (store.of(after).superseded_at, store.of(after).standing) == (None, Standing.DISPUTED)


def test_once_the_newer_fact_is_rejected_the_older_holds_again() -> None:
    store = Store()
    old, new = said(1, "Covington"), said(5, "Atlanta")
    store.tell(old, new)
    store.decide(new, Standing.REJECTED)
    store.tell()
    assert store.of(old).superseded_at is store.of(old).valid_to is None
    assert store.anew == {}


def test_what_comes_from_outside_ends_nothing_that_a_person_said() -> None:
    store = Store()
    home, mail = said(1, "Covington"), said(5, "Atlanta", trust=Trust.EXTERNAL)
    store.tell(home, mail)
    assert store.standing() == ["Atlanta", "Covington"]
    assert (store.of(home).standing, store.of(mail).standing) == (None, Standing.DISPUTED)


def test_what_a_role_does_not_see_changes_nothing_that_it_sees() -> None:
    store = Store()
    home, again, other = (
        said(1, "Covington"),
        said(2, "Covington", min_role=Role.STAFF),
        said(3, "Macon", min_role=Role.STAFF),
    )
    store.tell(home)
    seen = store.of(home)
    store.tell(again, other)
    assert store.of(home) == seen
    assert store.of(again).superseded_by == other.id


def test_whom_it_is_about_and_what_of_them_keep_facts_apart() -> None:
    store = Store()
    store.tell(
        said(1, "Covington"),
        said(2, "Boston", subject="sister"),
        said(3, "Erie", "hometown"),
        said(4, "35%", "test coverage"),
        said(5, "April 2", "first sprint deadline"),
        said(6, "April 9", "second sprint deadline"),
    )
    assert all(row.superseded_at is None for row in store.rows.values())


def test_what_a_higher_role_heard_hides_nothing_and_lends_no_evidence() -> None:
    store = Store()
    heard = said(1, "Paris", until=30, min_role=Role.MANAGER)
    store.tell(heard)
    alone = store.of(heard)
    told = said(2, "Paris")
    store.tell(told)
    assert store.of(told).superseded_at is None
    assert store.of(heard) == alone


def test_what_a_higher_role_confirmed_disputes_nothing_that_lower_ones_see() -> None:
    store = Store()
    hidden, open_ = said(1, "Paris", min_role=Role.MANAGER), said(5, "Rome")
    store.tell(hidden)
    store.decide(hidden, Standing.CONFIRMED)
    store.tell(open_)
    assert store.of(open_).standing is None
    store.tell(said(7, "Oslo", min_role=Role.MANAGER))
    assert store.of(open_).standing is None


def confirmed(day: int, value: str, *, since: int = 1, **more: Any) -> Memory:
    """What a person put there on a day, confirmed."""
    made = said(day, value, since=since, **more)
    return replace(made, source={}, standing=Standing.CONFIRMED, confidence=1.0)


def test_a_newer_decision_of_what_has_one_value_ends_the_older() -> None:
    store = Store()
    rome, oslo = confirmed(3, "Rome"), confirmed(4, "Oslo")
    store.rows = {row.id: row for row in (oslo, rome)}
    store.tell()
    assert store.standing() == ["Oslo"]
    ended = store.of(rome)
    assert (ended.valid_to, ended.superseded_at, ended.superseded_by) == (None, on(4), oslo.id)
    assert store.tell() == Resolved()
    store.decide(oslo, Standing.REJECTED)
    store.tell()
    assert store.standing() == ["Rome"]
    assert store.of(rome) == rome


def test_a_decision_is_as_old_as_it_says_not_as_what_it_decides() -> None:
    store = Store()
    paris, rome = said(1, "Paris"), confirmed(3, "Rome", since=2)
    paris = replace(paris, standing=Standing.CONFIRMED, source={**RULES, "decided": on(5).isoformat()})
    store.rows = {row.id: row for row in (paris, rome)}
    store.tell()
    assert store.standing() == ["Paris"]
    assert (store.of(rome).superseded_at, store.of(rome).superseded_by) == (on(5), paris.id)


def test_decisions_from_different_times_leave_a_history_and_the_same_ones_are_one() -> None:
    store = Store()
    first, second, again = confirmed(3, "Rome"), confirmed(5, "Oslo", since=5), confirmed(6, "Oslo", since=5)
    store.rows = {row.id: row for row in (first, second, again)}
    store.tell()
    assert store.standing() == ["Oslo"]
    assert (store.of(first).valid_to, store.of(first).superseded_by) == (on(5), second.id)
    assert store.of(second).superseded_by == again.id


def test_of_a_list_all_that_was_confirmed_holds() -> None:
    store = Store()
    rows = [confirmed(day, what, single=False) for day, what in enumerate(["leather", "wool"], 3)]
    store.rows = {row.id: row for row in rows}
    assert store.tell() == Resolved()


def test_what_a_higher_role_decides_ends_no_decision_of_a_lower_one() -> None:
    store = Store()
    rows = [confirmed(3, "Rome"), confirmed(5, "Oslo", min_role=Role.STAFF)]
    store.rows = {row.id: row for row in rows}
    assert store.tell() == Resolved()


def test_what_was_rejected_ends_nothing() -> None:
    store = Store()
    home, wrong, told = said(1, "Covington"), said(3, "Macon"), said(2, "Macon", recorded=3)
    store.rows[wrong.id] = replace(wrong, standing=Standing.REJECTED, superseded_at=on(9))
    store.tell(home, told)
    assert store.of(told).superseded_by == wrong.id
    assert store.standing() == ["Covington"]


def trouble(day: int, what: str, **more: Any) -> Memory:
    return said(day, what, "trouble", single=False, **more)


def mended(day: int, **more: Any) -> Memory:
    return said(day, "mended", "outcome", single=False, ends="trouble", **more)


def test_what_ends_another_attribute_ends_all_of_it_that_was_told_before() -> None:
    store = Store()
    slugs, lives, put_right, drought = trouble(1, "slugs"), said(1, "Macon"), mended(4), trouble(6, "drought")
    store.tell(slugs, lives, put_right)
    store.tell(drought)
    ended = store.of(slugs)
    assert (ended.valid_to, ended.superseded_at, ended.superseded_by) == (on(4), on(4), put_right.id)
    assert store.standing() == ["Macon", "drought", "mended"]
    store.tell(mended(8))
    assert (store.of(drought).valid_to, store.of(drought).superseded_by) == (on(8), put_right.id)
    assert store.of(slugs) == ended
    store.tell(again := trouble(9, "slugs"))
    assert store.of(again).valid_to is store.of(again).superseded_at is None
    store.decide(put_right, Standing.REJECTED)
    store.tell()
    assert store.of(slugs).valid_to is None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (trouble(4, "slugs"), mended(4)),
        (trouble(1, "slugs"), mended(4, trust=Trust.EXTERNAL)),
        (trouble(1, "slugs"), mended(4, min_role=Role.STAFF)),
        (trouble(1, "slugs"), mended(4, until=5)),
        (replace(trouble(1, "slugs"), standing=Standing.CONFIRMED), mended(4)),
    ],
    ids=["at once", "from outside", "unseen", "of the past", "decided"],
)
def test_what_ends_another_has_its_bounds(one: Memory, other: Memory) -> None:
    store = Store({one.id: one})
    store.tell(other)
    assert store.of(one) == one


def many(attributes: int) -> dict[str, list[Memory]]:
    """Two thousand tellings each, as they come."""
    days = range(2000)
    return {
        "a list": [said(day, f"thing {day}", f"likes {day % attributes}", single=False) for day in days],
        "one at a time": [said(day, f"town {day}", f"home {day % attributes}") for day in days],
        "told again": [said(day, "Macon", f"home {day % attributes}") for day in days],
        "taken back": [said(day, f"thing {day // 2}", negated=day % 2 == 1, single=False) for day in days],
        "sums": [said(day, f"{day} dollars", "spent", single=False) for day in days],
        "doubted": [
            said(0, "Paris", trust=Trust.STAFF),
            *(said(day + 1, f"town {day}", trust=Trust.EXTERNAL) for day in days),
        ],
    }


@pytest.mark.parametrize("kind", many(1))
@pytest.mark.parametrize("attributes", [1, 50])
def test_a_telling_is_compared_with_few(kind: str, attributes: int, monkeypatch: pytest.MonkeyPatch) -> None:
    compared = 0

    def counting(one: Claim, other: Claim) -> bool:
        nonlocal compared
        compared += 1
        return same_value(one, other)

    monkeypatch.setattr(resolving, "same_value", counting)
    facts = many(attributes)[kind]
    assert len(resolve((), facts).insert) == len(facts)
    assert compared <= 2 * len(facts)


VALUES = ("Covington", "Atlanta", "Macon, GA", "Macon")
TELLINGS = st.builds(
    said,
    st.integers(0, 6),
    st.sampled_from(VALUES),
    st.sampled_from([HOME, "home town", "town of his home"]),
    single=st.booleans(),
    negated=st.booleans(),
    planned=st.booleans(),
    corrects=st.booleans(),
    since=st.none() | st.integers(0, 3),
    until=st.none() | st.integers(7, 9),
    recorded=st.none() | st.integers(5, 9),
    place=st.integers(0, 2),
    confidence=st.sampled_from([0.5, 0.7, 0.95]),
    trust=st.sampled_from([Trust.EXTERNAL, Trust.USER, Trust.STAFF]),
    min_role=st.sampled_from([Role.USER, Role.STAFF]),
    ends=st.sampled_from(["", HOME, "home town"]),
)


def batched(facts: Sequence[Memory], random: Random) -> list[list[Memory]]:
    """The facts in any order, in batches of any size, each batch twice."""
    left = random.sample(facts, len(facts))
    batches = []
    while left:
        size = random.randint(1, len(left))
        batches += [left[:size]] * 2
        left = left[size:]
    return batches


@settings(max_examples=300)
@given(
    st.lists(TELLINGS, max_size=9, unique_by=lambda fact: fact.id),
    st.lists(
        st.tuples(TELLINGS, st.sampled_from([None, *Standing])), max_size=2, unique_by=lambda d: d[0].id
    ),
    st.randoms(use_true_random=False),
)
def test_any_order_and_any_batching_end_in_the_same_rows(
    facts: list[Memory], decided: list[tuple[Memory, Standing | None]], random: Random
) -> None:
    people = {
        row.id: replace(row, standing=standing, source={} if standing is None else RULES)
        for row, standing in decided
        if standing is not Standing.DISPUTED
    }
    at_once, in_parts = Store(dict(people)), Store(dict(people))
    at_once.tell(*facts)
    for batch in batched(facts, random):
        in_parts.tell(*batch)
    assert in_parts.rows == at_once.rows
    assert in_parts.anew == at_once.anew
    assert at_once.tell(*facts) == in_parts.tell() == Resolved()
    for row in at_once.rows.values():
        assert row.valid_to is None or row.valid_to > row.valid_from
        assert row.superseded_by is None or row.superseded_at
        assert row.id not in people or row == as_decided(row, people[row.id])


def as_decided(row: Memory, before: Memory) -> Memory:
    """A decision as it may be: only a newer one ends it."""
    if before.standing is not Standing.CONFIRMED:
        return before
    return replace(
        before, valid_to=row.valid_to, superseded_at=row.superseded_at, superseded_by=row.superseded_by
    )


@settings(max_examples=300)
@given(
    st.lists(TELLINGS, max_size=9, unique_by=lambda fact: fact.id),
    st.lists(
        st.tuples(TELLINGS, st.sampled_from([None, *Standing])), max_size=3, unique_by=lambda d: d[0].id
    ),
)
def test_lower_roles_see_what_they_would_without_what_only_higher_ones_see(
    facts: list[Memory], decided: list[tuple[Memory, Standing | None]]
) -> None:
    people = {row.id: replace(row, standing=standing) for row, standing in decided if standing}
    found = {fact.id: fact for fact in facts if fact.id not in people}
    whole, part = Store(dict(people)), Store({id_: row for id_, row in people.items() if not row.min_role})
    whole.tell(*found.values())
    part.tell(*(fact for fact in found.values() if not fact.min_role))
    assert part.rows == {id_: row for id_, row in whole.rows.items() if not row.min_role}
    seen = {id_ for row in part.rows.values() for id_ in row.evidence}
    assert part.anew == {old: new for old, new in whole.anew.items() if old in seen}


PHRASES = st.lists(
    st.sampled_from(
        ["Macon", ",", "GA", "two", "2", "$2", "dollars", "%", "of", "rooms", "April", "1.2.3", "v1", "the"]
    ),
    max_size=4,
).map(" ".join)
SAID = st.builds(lambda value, single: Claim(USER, HOME, value, single=single), PHRASES, st.booleans())


@settings(max_examples=500)
@given(SAID, SAID)
def test_what_says_the_same_shares_a_key(one: Claim, other: Claim) -> None:
    if same_value(one, other):
        assert set(kept_under(one)) & set(sought_under(other))
