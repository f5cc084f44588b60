"""Recollect: the memory of AI agents, on PostgreSQL."""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import version
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from recollect.core.errors import RecollectError
    from recollect.core.model import (
        Context,
        Filter,
        Forgotten,
        Hit,
        Kind,
        Memory,
        Message,
        Note,
        Principal,
        Remembered,
        Role,
        Turns,
    )
    from recollect.wiring import Recollect

__version__ = version("recollect")
__all__ = [
    "Context",
    "Filter",
    "Forgotten",
    "Hit",
    "Kind",
    "Memory",
    "Message",
    "Note",
    "Principal",
    "Recollect",
    "RecollectError",
    "Remembered",
    "Role",
    "Turns",
    "__version__",
]


def __getattr__(name: str) -> object:
    """The public names, imported when they are first asked for: importing a part does not load the whole."""
    if name not in __all__:
        raise AttributeError(f"module 'recollect' has no attribute {name!r}")
    room = {"Recollect": "wiring", "RecollectError": "core.errors"}.get(name, "core.model")
    return getattr(import_module(f"recollect.{room}"), name)
