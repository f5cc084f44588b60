"""The filter on metadata: what is read, and what is refused."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, strategies as st

from recollect.core.errors import InvalidFilter
from recollect.core.filters import OPERATORS, parse_filter, parse_filter_text
from recollect.core.model import Condition

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
)


@pytest.mark.parametrize(
    ("filter_", "conditions"),
    [
        ({}, ()),
        ({"room": "kitchen"}, (Condition(("room",), "eq", "kitchen"),)),
        ({"gone": None}, (Condition(("gone",), "eq", None),)),
        ({"tags": ["a"]}, (Condition(("tags",), "eq", ["a"]),)),
        ({"a.b.c": {"ne": 1}}, (Condition(("a", "b", "c"), "ne", 1),)),
        (
            {"price": {"gte": 1, "lt": 2.5}, "room": {"in": ["a", None]}},
            (
                Condition(("price",), "gte", 1),
                Condition(("price",), "lt", 2.5),
                Condition(("room",), "in", ["a", None]),
            ),
        ),
        ({"whole": {"eq": {"in": []}}}, (Condition(("whole",), "eq", {"in": []}),)),
        ({"x": {"exists": False}}, (Condition(("x",), "exists", False),)),
        ({"'; DROP": {"contains": "%_\\"}}, (Condition(("'; DROP",), "contains", "%_\\"),)),
    ],
)
def test_a_filter_is_read(filter_: dict[str, Any], conditions: tuple[Condition, ...]) -> None:
    assert parse_filter(filter_) == conditions
    assert parse_filter_text(json.dumps(filter_)) == conditions


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '"x"', "1", "NaN", "[" * 5_000, '{"a": NaN}'])
def test_a_text_that_is_no_filter_is_refused(text: str) -> None:
    with pytest.raises(InvalidFilter):
        parse_filter_text(text)


@given(st.dictionaries(st.text(), JSON))
def test_whatever_is_given_is_read_or_refused(filter_: dict[str, Any]) -> None:
    try:
        conditions = parse_filter(filter_)
    except InvalidFilter as refusal:
        assert str(refusal)  # noqa: PT017 - either outcome is right, and each has its promise
        return
    assert len(conditions) <= 32
    for condition in conditions:
        assert condition.operator in OPERATORS
        assert condition.path
        assert all(condition.path)
    json.dumps([condition.value for condition in conditions], allow_nan=False)
