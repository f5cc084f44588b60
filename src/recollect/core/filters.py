"""The filter on metadata as a client writes it, read into conditions."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from recollect.core.bounds import check_json
from recollect.core.errors import Invalid, InvalidFilter, TooLarge
from recollect.core.model import Condition

OPERATORS = frozenset({"eq", "ne", "in", "gt", "gte", "lt", "lte", "contains", "exists"})
MOST_CONDITIONS = 32
DEEPEST_PATH = 8
LARGEST_FILTER = 8_192
_ORDERED = frozenset({"gt", "gte", "lt", "lte"})


def parse_filter(filter_: Mapping[str, Any]) -> tuple[Condition, ...]:
    """The conditions, all of which must hold. A key with dots is a path; a plain value stands for eq.

    Raises:
        InvalidFilter: the message names the key and what is wrong with it.

    >>> parse_filter({"price": {"lt": 500}, "room.kind": "kitchen"})[0]
    Condition(path=('price',), operator='lt', value=500)
    """
    _check_size(filter_)
    conditions = tuple(condition for key, test in filter_.items() for condition in _conditions(key, test))
    if len(conditions) > MOST_CONDITIONS:
        raise InvalidFilter(
            f"The filter has {len(conditions)} conditions; at most {MOST_CONDITIONS} can be asked."
        )
    return conditions


def parse_filter_text(text: str) -> tuple[Condition, ...]:
    """The conditions of a filter written as a JSON object.

    Raises:
        InvalidFilter: it is not a JSON object, or as `parse_filter` does.
    """
    try:
        read = json.loads(text)
    except (ValueError, RecursionError):
        raise InvalidFilter("The filter is not JSON.") from None
    if not isinstance(read, dict):
        raise InvalidFilter("The filter is not a JSON object.")
    return parse_filter(read)


def _check_size(filter_: Mapping[str, Any]) -> None:
    try:
        check_json(dict(filter_), "The filter")
    except (Invalid, TooLarge) as error:
        raise InvalidFilter(str(error)) from None
    if len(json.dumps(filter_)) > LARGEST_FILTER:
        raise InvalidFilter(f"The filter is longer than {LARGEST_FILTER} characters.")


def _conditions(key: str, test: Any) -> Iterator[Condition]:
    path = tuple(key.split("."))
    if not all(path) or len(path) > DEEPEST_PATH:
        raise InvalidFilter(f"{key!r} is not a key, nor a path of at most {DEEPEST_PATH} keys.")
    if not isinstance(test, dict):
        yield Condition(path, "eq", test)
        return
    if not test:
        raise InvalidFilter(f"The condition on {key!r} is empty.")
    for operator, value in test.items():
        yield Condition(path, operator, _check_value(key, operator, value))


def _check_value(key: str, operator: str, value: Any) -> Any:
    if operator not in OPERATORS:
        raise InvalidFilter(f"{operator!r}, asked of {key!r}, is not an operator.")
    if operator == "in" and not isinstance(value, list):
        raise InvalidFilter(f"'in', asked of {key!r}, needs a list.")
    if operator == "exists" and not isinstance(value, bool):
        raise InvalidFilter(f"'exists', asked of {key!r}, needs true or false.")
    if operator in _ORDERED and (isinstance(value, bool) or not isinstance(value, int | float | str)):
        raise InvalidFilter(f"{operator!r}, asked of {key!r}, needs a number or a text.")
    return value
