"""A transaction's methods, one beside each query, each returning what the domain knows."""

from __future__ import annotations

from recollect.storage.access import AccessRows
from recollect.storage.facts import FactRows
from recollect.storage.graph import GraphRows
from recollect.storage.jobs import JobRows
from recollect.storage.language import LanguageRows
from recollect.storage.memories import MemoryRows
from recollect.storage.models import ModelRows
from recollect.storage.packs import PackRows
from recollect.storage.pairings import PairingRows
from recollect.storage.sessions import SessionRows
from recollect.storage.statistics import StatisticsRows
from recollect.storage.summaries import SummaryRows
from recollect.storage.users import UserRows
from recollect.storage.uses import UseRows


class Transaction(
    FactRows,
    GraphRows,
    JobRows,
    MemoryRows,
    SessionRows,
    SummaryRows,
    UserRows,
    AccessRows,
    ModelRows,
    PackRows,
    PairingRows,
    StatisticsRows,
    UseRows,
    LanguageRows,
):
    """Everything that can be done in one transaction, as `core.ports.Transaction` has it."""
