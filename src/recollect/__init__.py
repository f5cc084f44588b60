"""Recollect: the memory of AI agents, on PostgreSQL."""

from __future__ import annotations

from importlib.metadata import version
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from recollect.core.model import Filter, Hit, Kind, Memory, Message, Note
    from recollect.wiring import Recollect

__version__ = version("recollect")
__all__ = ["Filter", "Hit", "Kind", "Memory", "Message", "Note", "Recollect", "__version__"]


def __getattr__(name: str) -> object:
    """The public names, imported when they are first asked for: importing a part does not load the whole."""
    if name == "Recollect":
        from recollect.wiring import Recollect  # noqa: PLC0415

        return Recollect
    if name in __all__:
        from recollect.core import model  # noqa: PLC0415

        return getattr(model, name)
    raise AttributeError(name)
