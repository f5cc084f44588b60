"""Whether a value is what a JSON schema says, in the words that `core.ports.LanguageModel` allows."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from recollect.core.model import JsonObject

# What PostgreSQL cannot keep: NUL, and half a surrogate pair, both of which JSON can spell.
_NOT_TEXT = re.compile("[\0\ud800-\udfff]")
_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "number": (int, float),
    "boolean": (bool,),
    "array": (list,),
    "object": (dict,),
}


def faults(value: Any, schema: JsonObject, at: str = "$") -> Iterator[str]:
    """Where the value is not what the schema says, and what is wrong there; nothing of the value itself.

    >>> list(faults({"age": "ten"}, {"type": "object", "properties": {"age": {"type": "integer"}}}))
    ['$.age is no integer']
    """
    kind = schema["type"]
    if not isinstance(value, _TYPES[kind]) or (isinstance(value, bool) and kind != "boolean"):
        yield f"{at} is no {kind}"
    elif isinstance(value, str) and _NOT_TEXT.search(value):
        yield f"{at} is no text"
    elif "enum" in schema and value not in schema["enum"]:
        yield f"{at} is none of {', '.join(schema['enum'])}"
    elif isinstance(value, dict):
        yield from _members(value, schema, at)
    elif isinstance(value, list):
        for place, item in enumerate(value):
            yield from faults(item, schema["items"], f"{at}[{place}]")


def _members(value: dict[str, Any], schema: JsonObject, at: str) -> Iterator[str]:
    properties = schema["properties"]
    yield from (f"{at}.{name} is missing" for name in schema.get("required", ()) if name not in value)
    for name, member in value.items():
        if name in properties:
            yield from faults(member, properties[name], f"{at}.{name}")
        elif not schema.get("additionalProperties", True):
            yield f"{at} has a member too many"
