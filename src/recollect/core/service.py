"""Remember, recall, context, forget: what Recollect does, over its ports."""

from __future__ import annotations

from recollect.core.embeddings import Embeddings
from recollect.core.ports import Clock, Storage
from recollect.core.reading import Reader
from recollect.core.writing import Writer


class Service(Writer, Reader):
    """Everything a principal can do. What it knows is in the storage; what it holds itself may be lost."""

    def __init__(self, storage: Storage, embeddings: Embeddings, clock: Clock) -> None:
        Writer.__init__(self, storage, embeddings, clock)
        Reader.__init__(self, storage, embeddings, clock)
