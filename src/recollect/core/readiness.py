"""Whether everything that Recollect stands on answers."""

from __future__ import annotations

from recollect.core.embeddings import Embeddings
from recollect.core.errors import RecollectError
from recollect.core.model import Principal
from recollect.core.ports import Storage

OK = "ok"


class Readiness:
    """Asks each part once, as a request would."""

    def __init__(self, storage: Storage, embeddings: Embeddings) -> None:
        self._storage = storage
        self._embeddings = embeddings

    async def check(self, principal: Principal) -> dict[str, str]:
        """Each part by its name: 'ok', or why it is away."""
        return {"database": await self._database(principal), "model": await self._model()}

    async def _database(self, principal: Principal) -> str:
        try:
            async with self._storage.transaction(principal) as tx:
                await tx.models()
        except RecollectError as error:
            return type(error).__doc__ or error.code
        return OK

    async def _model(self) -> str:
        try:
            await self._embeddings.aim("ready")
        except RecollectError as error:
            return type(error).__doc__ or error.code
        return OK
