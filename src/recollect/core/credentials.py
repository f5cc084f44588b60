"""Who asks: an API key or a token, resolved to a principal."""

from __future__ import annotations

from recollect.core.errors import InvalidToken
from recollect.core.model import Principal
from recollect.core.ports import Storage, Tokens
from recollect.core.tenants import PREFIX, Tenants


class Credentials:
    """Knows the bearer of a credential; `tokens` None: API keys are the only ones."""

    def __init__(self, tenants: Tenants, storage: Storage, tokens: Tokens | None) -> None:
        self._tenants = tenants
        self._storage = storage
        self._tokens = tokens

    async def authenticate(self, credential: str) -> Principal:
        """The bearer of an API key, or of a token.

        Raises:
            Unauthenticated: nobody we know, or of a tenant that does not exist.
            Unavailable: it cannot be found out now.
        """
        if self._tokens is None or credential.startswith(PREFIX):
            return await self._tenants.authenticate(credential)
        principal = await self._tokens.verify(credential)
        async with self._storage.transaction(principal) as tx:
            if await tx.tenant() is None:
                raise InvalidToken("This token is for a tenant that does not exist here.")
        return principal
