"""Remember, recall, context, forget: what Recollect does, over its ports."""

from __future__ import annotations

from recollect.core.reading import Reader
from recollect.core.writing import Writer


class Service(Writer, Reader):
    """Everything a principal can do. It holds no state: what it knows is in the storage."""
