"""Whether a value is what a JSON schema says, for the words of JSON Schema that our OpenAPI uses.

A word that is not known here is an error, so that nothing passes because it was not looked at.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime
from typing import Any
from uuid import UUID

TYPES: dict[str, Callable[[Any], bool]] = {
    "string": lambda value: isinstance(value, str),
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "number": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "boolean": lambda value: isinstance(value, bool),
    "array": lambda value: isinstance(value, list),
    "object": lambda value: isinstance(value, dict),
    "null": lambda value: value is None,
}
SAID = frozenset({"title", "description", "default", "examples", "example", "discriminator"})


def faults(value: Any, schema: dict[str, Any], whole: dict[str, Any], at: str = "$") -> list[str]:
    """What is wrong with the value; `whole` is the document that references point into."""
    found: list[str] = []
    for word, rule in schema.items():
        if word not in SAID:
            found += _CHECKS[word](value, rule, schema, whole, at)
    return found


def _reference(value: Any, rule: Any, _: Any, whole: Any, at: str) -> list[str]:
    target = whole
    for step in rule.removeprefix("#/").split("/"):
        target = target[step]
    return faults(value, target, whole, at)


def _type(value: Any, rule: Any, *rest: Any) -> list[str]:
    names = [rule] if isinstance(rule, str) else rule
    return [] if any(TYPES[name](value) for name in names) else [f"{rest[-1]}: not {rule}"]


def _properties(value: Any, rule: Any, _: Any, whole: Any, at: str) -> list[str]:
    known = [name for name in rule if isinstance(value, dict) and name in value]
    return [fault for name in known for fault in faults(value[name], rule[name], whole, f"{at}.{name}")]


def _additional(value: Any, rule: Any, schema: Any, whole: Any, at: str) -> list[str]:
    more = value.keys() - schema.get("properties", {}).keys() if isinstance(value, dict) else set()
    if isinstance(rule, dict):
        return [fault for name in more for fault in faults(value[name], rule, whole, f"{at}.{name}")]
    return [] if rule else [f"{at}.{name}: unknown" for name in more]


def _items(value: Any, rule: Any, _: Any, whole: Any, at: str) -> list[str]:
    items = enumerate(value) if isinstance(value, list) else ()
    return [fault for place, item in items for fault in faults(item, rule, whole, f"{at}[{place}]")]


def _some(value: Any, rule: Any, _: Any, whole: Any, at: str) -> list[str]:
    tried = [faults(value, option, whole, at) for option in rule]
    return [] if [] in tried else [fault for option in tried for fault in option]


def _one(value: Any, rule: Any, _: Any, whole: Any, at: str) -> list[str]:
    fitting = [option for option in rule if not faults(value, option, whole, at)]
    return [] if len(fitting) == 1 else [f"{at}: fits {len(fitting)} of the alternatives"]


def _format(value: Any, rule: Any, *rest: Any) -> list[str]:
    readers: dict[str, Callable[[str], Any]] = {
        "uuid": UUID,
        "date-time": datetime.fromisoformat,
        "date": date.fromisoformat,
    }
    try:
        readers[rule](value)
    except (TypeError, ValueError):
        return [f"{rest[-1]}: not a {rule}"]
    return []


def _simple(holds: Callable[[Any, Any], bool]) -> Callable[..., list[str]]:
    def check(value: Any, rule: Any, *rest: Any) -> list[str]:
        return [] if holds(value, rule) else [f"{rest[-1]}: {value!r} breaks {rule!r}"]

    return check


_CHECKS: dict[str, Callable[..., list[str]]] = {
    "$ref": _reference,
    "type": _type,
    "properties": _properties,
    "additionalProperties": _additional,
    "items": _items,
    "anyOf": _some,
    "oneOf": _one,
    "format": _format,
    "required": _simple(lambda value, rule: not isinstance(value, dict) or value.keys() >= set(rule)),
    "enum": _simple(lambda value, rule: value in rule),
    "const": _simple(lambda value, rule: value == rule),
    "minimum": _simple(lambda value, rule: value >= rule),
    "maximum": _simple(lambda value, rule: value <= rule),
    "exclusiveMaximum": _simple(lambda value, rule: value < rule),
    "minLength": _simple(lambda value, rule: len(value) >= rule),
    "maxLength": _simple(lambda value, rule: len(value) <= rule),
    "minItems": _simple(lambda value, rule: len(value) >= rule),
    "maxItems": _simple(lambda value, rule: len(value) <= rule),
    "pattern": _simple(lambda value, rule: re.search(rule, value) is not None),
}
