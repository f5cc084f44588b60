"""Tables of a TOML file as dataclasses, with errors that say what is wrong where."""

from __future__ import annotations

import types
from collections.abc import Mapping
from dataclasses import MISSING, fields
from datetime import datetime
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from recollect.core.errors import Misconfigured

T = TypeVar("T")

_WORDS: Mapping[Any, str] = {
    str: "a text",
    bool: "true or false",
    int: "a whole number",
    float: "a number",
    datetime: "a time with its zone",
}


def build(shape: type[T], table: Mapping[str, Any], where: str) -> T:
    """A dataclass of a table that has its fields; lists become tuples, tables that stand for one are built.

    Raises:
        Misconfigured: a key is unknown or missing, or a value is of another type; it names the place.
    """
    hints = get_type_hints(shape)
    known = {each.name: each for each in fields(shape)}  # type: ignore[arg-type]
    for key in table:
        if key not in known:
            raise Misconfigured(f"{where}: {key!r} is unknown.", hint=f"Known are: {', '.join(known)}.")
    for name, each in known.items():
        if name not in table and each.default is MISSING and each.default_factory is MISSING:
            raise Misconfigured(f"{where}: {name!r} is missing.", hint="Add it.")
    return shape(**{key: _fit(value, hints[key], f"{where}, {key}") for key, value in table.items()})


def _fit(value: Any, hint: Any, where: str) -> Any:
    """The value as its type has it."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in (Union, types.UnionType):
        return _fit(value, arguments[0], where)
    if origin is Literal:
        return _of(value, arguments, where)
    if origin is tuple:
        items = _checked(value, list, "a list", where)
        return tuple(_fit(item, arguments[0], f"{where} {place}") for place, item in enumerate(items, 1))
    if origin is Mapping or hasattr(hint, "__dataclass_fields__"):
        table = _checked(value, dict, "a table", where)
        if origin is None:
            return build(hint, table, where)
        return {key: _fit(item, arguments[1], f"{where}, {key}") for key, item in table.items()}
    return value if hint is Any else _scalar(value, hint, where)


def _of(value: Any, allowed: tuple[Any, ...], where: str) -> Any:
    if value not in allowed:
        raise Misconfigured(f"{where}: it is none of {', '.join(allowed)}.", hint="Write one of them.")
    return value


def _scalar(value: Any, hint: type, where: str) -> Any:
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if hint is not bool and isinstance(value, bool):
        value = None
    value = _checked(value, hint, _WORDS[hint], where)
    if isinstance(value, datetime) and value.tzinfo is None:
        return _checked(None, hint, _WORDS[hint], where)
    return value


def _checked(value: Any, kind: type, words: str, where: str) -> Any:
    if not isinstance(value, kind):
        raise Misconfigured(f"{where}: it is not {words}.", hint="Change it as its message says.")
    return value
