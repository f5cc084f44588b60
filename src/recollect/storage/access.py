"""Tenants, API keys, and requests that were made before."""

from __future__ import annotations

from uuid import UUID

from psycopg.types.json import Jsonb

from recollect.core.errors import IdempotencyMismatch
from recollect.core.model import ApiKey, Permission, Role, Tenant
from recollect.core.ports import Done
from recollect.storage.rows import Row, Rows


def _key(row: Row) -> ApiKey:
    permissions = frozenset(map(Permission, row["permissions"]))
    return ApiKey(**row | {"role": Role(row["role"]), "permissions": permissions})


def kept_key(row: Row) -> tuple[ApiKey, bytes]:
    """A row of the query `key`: the key, and its secret's hash."""
    secret_hash = row.pop("secret_hash")
    return _key(row), secret_hash


class AccessRows(Rows):
    """The tables `tenants`, `api_keys` and `idempotency`."""

    async def create_tenant(self, name: str) -> Tenant | None:
        """Make the principal's own tenant; None if it is there already."""
        row = await self._one("create_tenant", name=name)
        return Tenant(**row) if row else None

    async def tenant(self) -> Tenant | None:
        """The principal's tenant, if there is one."""
        row = await self._one("tenant")
        return Tenant(**row) if row else None

    async def create_key(self, key: ApiKey, secret_hash: bytes) -> ApiKey:
        """Keep a key, and of its secret the SHA-256."""
        row = await self._one(
            "create_key",
            id=key.id,
            name=key.name,
            secret_hash=secret_hash,
            role=int(key.role),
            permissions=sorted(key.permissions),
            user_id=key.user_id,
            expires_at=key.expires_at,
        )
        assert row is not None
        return _key(row)

    async def list_keys(self) -> list[ApiKey]:
        """The tenant's keys, the newest first."""
        return [_key(row) for row in await self._all("list_keys")]

    async def revoke_key(self, key_id: UUID) -> bool:
        """Make the key useless; False if there is none."""
        return await self._run("revoke_key", id=key_id) == 1

    async def delete_key(self, key_id: UUID) -> None:
        """Delete the key."""
        await self._run("delete_key", id=key_id)

    async def claim_request(
        self, key: str, done: Done, *, user_id: str | None, session_id: str | None
    ) -> Done | None:
        """None: this request, which does `done`, is the first with its key. Otherwise what the first one did.

        Raises:
            IdempotencyMismatch: it was a request of a person whom the principal may not see.
        """
        values = {
            "key": key,
            "fingerprint": done.fingerprint,
            "user_id": user_id,
            "session_id": session_id,
            "result": Jsonb(done.result),
        }
        # With it goes the job that forgets it one day; a day on, it sees to how many days that is.
        async with self._connection.pipeline():
            claimed = await self._queue("claim_request", values)
            await self._queue("enqueue_tidying", {"due_in": 86_400.0})
        if claimed.rowcount:
            return None
        first = await self.request(key)
        if first is None:  # somebody else's, whom this principal may not see
            raise IdempotencyMismatch
        return first

    async def request(self, key: str) -> Done | None:
        """What the request with this key did; None if there was none, for this principal."""
        row = await self._one("request", key=key)
        return Done(**row) if row else None
