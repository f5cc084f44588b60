"""A transaction's methods, one beside each query, each returning what the domain knows."""

from __future__ import annotations

from recollect.storage.access import AccessRows
from recollect.storage.memories import MemoryRows
from recollect.storage.models import ModelRows
from recollect.storage.sessions import SessionRows
from recollect.storage.users import UserRows


class Transaction(MemoryRows, SessionRows, UserRows, AccessRows, ModelRows):
    """Everything that can be done in one transaction, as `core.ports.Transaction` has it."""
