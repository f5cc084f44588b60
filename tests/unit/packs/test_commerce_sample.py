"""The sample store: as large as it says, the same each time, true in itself, and with tastes that show."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import combinations
from typing import Any
from uuid import UUID

import pytest

from recollect.core.bounds import check_content, check_id, check_json, check_notes, check_turns
from recollect.core.consolidate.linking import person_id
from recollect.core.errors import Invalid
from recollect.core.graph import NewEntity
from recollect.core.pack import Sample
from recollect.packs.commerce import PACK
from recollect.packs.commerce.sample import FEWEST, MOST, TODAY, store

NOW = datetime.combine(TODAY, datetime.min.time(), UTC)
_AT_HOME = re.compile(r"my (?:partner|husband|wife|flatmate)\b")
PRODUCT = {
    "sku": str,
    "category": str,
    "style": str,
    "material": str,
    "colour": str,
    "room": str,
    "price": int,
    "width_cm": int,
    "depth_cm": int,
    "height_cm": int,
    "collection": str,
}


@pytest.fixture(scope="module")
def sample() -> Sample:
    return store()


def _of(sample: Sample, kind: str) -> list[NewEntity]:
    return [one for one in sample.entities if one.kind == kind]


def _counts(sample: Sample) -> tuple[int, ...]:
    kinds = Counter(one.kind for one in sample.entities)
    return (
        len(sample.people),
        kinds["product"],
        kinds["order"],
        kinds["issue"],
        len(sample.conversations),
    )


def test_the_store_is_as_large_as_it_says(sample: Sample) -> None:
    assert _counts(sample) == (300, 800, 2_000, 150, 1_500)
    assert _counts(store(customers=12)) == (12, 32, 80, 6, 60)


def test_a_store_is_the_same_of_the_same_seed_and_another_of_another() -> None:
    assert store(7, customers=12) == store(7, customers=12) != store(8, customers=12)


def test_a_store_may_be_of_another_day() -> None:
    moved = store(customers=12, today=date(2025, 3, 1))
    times = [one.at for turns in moved.conversations for one in turns.messages if one.at]
    assert datetime(2023, 1, 1, tzinfo=UTC) < min(times) < max(times) < datetime(2025, 3, 1, tzinfo=UTC)


@pytest.mark.parametrize("customers", [0, FEWEST - 1, MOST + 1])
def test_a_store_that_cannot_be_is_refused(customers: int) -> None:
    with pytest.raises(Invalid, match="customers"):
        store(customers=customers)


def test_the_smallest_store_is_whole() -> None:
    assert _counts(store(customers=FEWEST)) == (6, 16, 40, 3, 30)


def test_products_are_complete_and_of_the_right_types(sample: Sample) -> None:
    products = _of(sample, "product")
    for one in products:
        assert one.user_id is None
        assert {key: type(one.attributes[key]) for key in PRODUCT} == PRODUCT
        assert one.attributes.keys() - PRODUCT.keys() <= {"seats"}
        assert one.attributes["style"] in one.description.lower()
        assert one.attributes["material"] in one.description
        assert f"{one.attributes['price']:,} dollars" in one.description
        assert len(one.description) <= 2_000
    assert len({one.name for one in products}) == len({one.attributes["sku"] for one in products}) == 800


def test_products_vary_and_a_collection_has_one_style(sample: Sample) -> None:
    varied = {
        key: {one.attributes[key] for one in _of(sample, "product")}
        for key in ("category", "style", "material", "colour", "room", "collection")
    }
    assert [len(values) for values in varied.values()] == [16, 8, 8, 10, 6, 40]
    styles = {(one.attributes["collection"], one.attributes["style"]) for one in _of(sample, "product")}
    assert len(styles) == 40


def test_products_are_as_the_pack_says_that_items_are(sample: Sample) -> None:
    assert PACK.items is not None
    checked = {field.name for field in PACK.items.field}
    for one in _of(sample, "product"):
        assert list(PACK.items.check(one.attributes)) == []
        assert checked - one.attributes.keys() <= {"seats"}


def test_every_relation_joins_what_is_there(sample: Sample) -> None:
    ids = [one.id for one in sample.entities] + [person_id(one.user_id) for one in sample.people]
    assert len(ids) == len(set(ids))
    ends = {end for one in sample.relations for end in (one.source_id, one.target_id)}
    assert ends <= set(ids)
    made = Counter((one.source_id, one.target_id, one.kind) for one in sample.relations)
    assert set(made.values()) == {1}


def test_an_order_is_placed_by_its_customer_and_adds_up(sample: Sample) -> None:
    prices = {one.attributes["sku"]: one.attributes["price"] for one in _of(sample, "product")}
    placed = {one.target_id: one for one in sample.relations if one.kind == "placed"}
    for order in _of(sample, "order"):
        items = order.attributes["items"]
        assert all(item["price"] == prices[item["sku"]] for item in items)
        assert order.attributes["total"] == sum(item["price"] * item["quantity"] for item in items)
        relation = placed[order.id]
        assert relation.source_id == person_id(str(order.user_id))
        assert relation.valid_from == datetime.fromisoformat(order.attributes["placed_at"]) < NOW


def test_statuses_agree_with_times(sample: Sample) -> None:
    statuses = Counter(one.attributes["status"] for one in _of(sample, "order"))
    assert set(statuses) == {"placed", "shipped", "delivered", "cancelled", "returned"}
    for order in _of(sample, "order"):
        age = NOW - datetime.fromisoformat(order.attributes["placed_at"])
        if order.attributes["status"] in {"placed", "shipped"}:
            assert age < timedelta(days=14)
        else:
            assert age >= timedelta(days=5)
    for issue in _of(sample, "issue"):
        opened = datetime.fromisoformat(issue.attributes["opened_at"])
        assert opened < NOW
        assert ("resolved_at" in issue.attributes) == (issue.attributes["status"] == "resolved")
        if "resolved_at" in issue.attributes:
            assert opened < datetime.fromisoformat(issue.attributes["resolved_at"]) < NOW
    assert {one.attributes["status"] for one in _of(sample, "issue")} == {"open", "resolved"}


def test_nothing_is_after_today_and_nothing_ends_before_it_begins(sample: Sample) -> None:
    for one in sample.relations:
        assert one.valid_from is not None
        assert one.valid_from < (one.valid_to or NOW) <= NOW
    assert all(note.valid_from and note.valid_from < NOW for note in sample.notes)
    began = []
    for turns in sample.conversations:
        times = [message.at for message in turns.messages if message.at]
        assert len(times) == len(turns.messages)
        assert times == sorted(times)
        assert times[-1] < NOW
        began.append(times[0])
    assert began == sorted(began)


def test_some_tastes_changed(sample: Sample) -> None:
    ended = [one for one in sample.relations if one.kind == "prefers" and one.valid_to]
    later = {(one.source_id, one.valid_from) for one in sample.relations if one.kind == "prefers"}
    assert len(ended) > 30
    assert {(one.source_id, one.valid_to) for one in ended} <= later


def _styles(sample: Sample) -> Iterator[tuple[str, str]]:
    """Of each thing that was ordered: its style, and the one that the customer then preferred."""
    names = {one.id: one.attributes["value"] for one in _of(sample, "preference")}
    prefers: dict[UUID, list[Any]] = defaultdict(list)
    for one in sample.relations:
        if one.kind == "prefers":
            prefers[one.source_id].append(one)
    products = {one.attributes["sku"]: one for one in _of(sample, "product")}
    styles = {one.attributes["style"] for one in products.values()}
    for order in _of(sample, "order"):
        at = datetime.fromisoformat(order.attributes["placed_at"])
        own = next(
            names[one.target_id]
            for one in prefers[person_id(str(order.user_id))]
            if names[one.target_id] in styles and one.valid_from <= at < (one.valid_to or NOW)
        )
        for item in order.attributes["items"]:
            yield products[item["sku"]].attributes["style"], own


def test_customers_buy_in_their_style_but_not_only(sample: Sample) -> None:
    pairs = list(_styles(sample))
    share = sum(style == own for style, own in pairs) / len(pairs)
    assert 0.5 < share < 0.9  # by chance it would be one in eight


def test_what_is_bought_together_is_of_one_collection_more_often_than_by_chance(sample: Sample) -> None:
    collections = {one.attributes["sku"]: one.attributes["collection"] for one in _of(sample, "product")}
    pairs = [
        (collections[first["sku"]], collections[second["sku"]])
        for order in _of(sample, "order")
        for first, second in combinations(order.attributes["items"], 2)
    ]
    assert sum(first == second for first, second in pairs) / len(pairs) > 0.3  # by chance one in forty


def test_sessions_are_distinct_and_within_bounds(sample: Sample) -> None:
    assert len({turns.session_id for turns in sample.conversations}) == len(sample.conversations)
    for turns in sample.conversations:
        check_turns(turns)
        assert 4 <= len(turns.messages) <= 14
        assert [one.role for one in turns.messages] == ["user", "assistant"] * (len(turns.messages) // 2)
        for message in turns.messages:
            check_content(message.content, "content")
            assert "{" not in message.content
    check_notes(sample.notes)


def test_entities_and_people_are_within_bounds(sample: Sample) -> None:
    for one in sample.entities:
        check_id(one.name, "name")
        check_json(one.attributes, "attributes")
    for person in sample.people:
        assert person.attributes["email"].endswith("@example.com")
        assert person.attributes["email"].isascii()


def test_customers_say_things_in_many_ways(sample: Sample) -> None:
    said = [one.content for turns in sample.conversations for one in turns.messages if one.role == "user"]
    assert len(set(said)) / len(said) >= 0.7


def test_what_customers_say_agrees_with_what_is_known_of_them(sample: Sample) -> None:
    names = {one.user_id: one.names[0] for one in sample.people}
    orders = {one.name: one.user_id for one in _of(sample, "order")}
    for turns in sample.conversations:
        assert turns.user_id is not None
        assert {one.name for one in turns.messages if one.role == "user"} == {names[turns.user_id]}
        spoken_of = [
            words[place + 1].strip(".,?!:")
            for one in turns.messages
            if one.role == "assistant"
            for words in [one.content.split()]
            for place, word in enumerate(words[:-1])
            if word.lower() == "order"
        ]
        assert all(orders[f"order {number}"] == turns.user_id for number in spoken_of if number.isdigit())


def test_nobody_lives_with_a_husband_in_one_conversation_and_a_wife_in_another(sample: Sample) -> None:
    said = defaultdict(set)
    for turns in sample.conversations:
        for one in turns.messages:
            said[turns.user_id].update(_AT_HOME.findall(one.content.lower()))
    assert {len(found) for found in said.values()} == {0, 1}


def test_issues_are_raised_and_resolved_in_conversation(sample: Sample) -> None:
    texts = [
        (turns.user_id, one.content)
        for turns in sample.conversations
        for one in turns.messages
        if one.role == "assistant"
    ]
    for issue in _of(sample, "issue")[:20]:
        number = issue.name.removeprefix("issue ").split(":")[0]
        assert any(user_id == issue.user_id and f"ssue {number}" in text for user_id, text in texts)
