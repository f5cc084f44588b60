"""Tenants and their API keys: made, listed, revoked, and known again."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
import secrets
from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from recollect.core.bounds import check_ids
from recollect.core.errors import AlreadyExists, Invalid, NotFound, Unauthenticated
from recollect.core.ids import uuid7
from recollect.core.model import ApiKey, Permission, Principal, Role, Tenant, tenant_id_of
from recollect.core.ports import Clock, Storage

PREFIX = "rcl_"
_IDS = 32
_SECRET = 32
_NAME = re.compile(r"[a-z0-9](?:[a-z0-9._-]{0,61}[a-z0-9])?")


def check_tenant_name(name: str) -> str:
    """The name, if a tenant can have it.

    Raises:
        Invalid: it is not 1 to 63 of a–z, 0–9, dot, dash and underscore, beginning and ending with one of
            the first two.
    """
    if not _NAME.fullmatch(name):
        raise Invalid(
            f"{name!r} cannot be a tenant's name.",
            hint="Use 1 to 63 of a-z, 0-9, '.', '-' and '_', with a letter or a digit at both ends.",
        )
    return name


def _digest(secret: bytes) -> bytes:
    # A random secret of 256 bits needs no slow hash: nobody can guess it.
    return hashlib.sha256(secret).digest()


def format_key(tenant_id: UUID, key_id: UUID, secret: bytes) -> str:
    """The key as its holder has it: it names its own row, so that finding it is one indexed read."""
    return PREFIX + base64.urlsafe_b64encode(tenant_id.bytes + key_id.bytes + secret).decode().rstrip("=")


def parse_key(key: str) -> tuple[UUID, UUID, bytes]:
    """The tenant, the key's id and the secret.

    Raises:
        Unauthenticated: this was never a key.
    """
    text = key.removeprefix(PREFIX)
    try:
        blob = base64.b64decode(text + "=" * (-len(text) % 4), altchars=b"-_", validate=True)
    except (binascii.Error, ValueError):
        blob = b""
    if not key.startswith(PREFIX) or len(blob) != _IDS + _SECRET:
        raise Unauthenticated("This is not an API key.")
    return UUID(bytes=blob[:16]), UUID(bytes=blob[16:32]), blob[32:]


class Tenants:
    """What an operator does with tenants and keys, and what the doors ask of them."""

    def __init__(self, storage: Storage, clock: Clock) -> None:
        self._storage = storage
        self._clock = clock

    @staticmethod
    def principal(name: str) -> Principal:
        """The operator, within a tenant."""
        return Principal(tenant_id_of(check_tenant_name(name)), subject="operator")

    async def create(self, name: str) -> Tenant:
        """A new tenant.

        Raises:
            AlreadyExists: there is one of this name.
        """
        async with self._storage.transaction(self.principal(name)) as tx:
            tenant = await tx.create_tenant(name)
        if tenant is None:
            raise AlreadyExists(
                f"There is a tenant named {name!r} already.",
                hint=f"There is nothing to do; `recollect key create {name}` makes a key for it.",
            )
        return tenant

    async def find(self, name: str) -> Tenant:
        """The tenant of this name.

        Raises:
            NotFound: there is none.
        """
        async with self._storage.transaction(self.principal(name)) as tx:
            tenant = await tx.tenant()
        if tenant is None:
            raise NotFound(
                f"There is no tenant named {name!r}.", hint=f"`recollect tenant create {name}` makes it."
            )
        return tenant

    async def create_key(  # noqa: PLR0913 - a key's own fields
        self,
        tenant: str,
        name: str,
        *,
        role: Role = Role.OWNER,
        permissions: frozenset[Permission] = frozenset(Permission),
        user_id: str | None = None,
        expires_at: datetime | None = None,
    ) -> tuple[ApiKey, str]:
        """A new key, and the text of it, which is shown this once and never kept.

        Raises:
            NotFound: there is no such tenant.
            Invalid: a key of role USER without its user, or the other way round; or it expires in the past.
        """
        if (role is Role.USER) != bool(user_id):
            raise Invalid("A key of role 'user' is one person's: name the user, and only then.")
        check_ids(name=name, user_id=user_id)
        if expires_at and expires_at <= self._clock.now():
            raise Invalid("expires_at is in the past.")
        owner = await self.find(tenant)
        secret = secrets.token_bytes(_SECRET)
        key = ApiKey(
            owner.tenant_id, uuid7(), name, role, permissions, user_id, self._clock.now(), expires_at, None
        )
        async with self._storage.transaction(self.principal(tenant)) as tx:
            kept = await tx.create_key(key, _digest(secret))
        return kept, format_key(kept.tenant_id, kept.id, secret)

    async def keys(self, tenant: str) -> Sequence[ApiKey]:
        """The tenant's keys, the newest first, revoked ones too."""
        await self.find(tenant)
        async with self._storage.transaction(self.principal(tenant)) as tx:
            return await tx.list_keys()

    async def revoke_key(self, tenant: str, key_id: UUID) -> None:
        """Make a key useless from now on.

        Raises:
            NotFound: the tenant has no such key.
        """
        async with self._storage.transaction(self.principal(tenant)) as tx:
            if not await tx.revoke_key(key_id):
                raise NotFound(f"{tenant} has no key {key_id}.")

    async def delete_key(self, tenant: str, key_id: UUID) -> None:
        """Make a key useless and forget that there was one; of an unknown one, nothing."""
        async with self._storage.transaction(self.principal(tenant)) as tx:
            await tx.delete_key(key_id)

    async def authenticate(self, key: str) -> Principal:
        """Whose key this is.

        Raises:
            Unauthenticated: nobody's, or it is revoked or expired. Which of them is not told.
        """
        tenant_id, key_id, secret = parse_key(key)
        found = await self._storage.key(tenant_id, key_id)
        kept, expected = found or (None, bytes(_SECRET))
        if not hmac.compare_digest(_digest(secret), expected) or kept is None or not self._is_live(kept):
            raise Unauthenticated("This API key is not valid.")
        return Principal(kept.tenant_id, kept.user_id or f"key:{kept.id}", kept.role, kept.permissions)

    def _is_live(self, key: ApiKey) -> bool:
        return key.revoked_at is None and (key.expires_at is None or key.expires_at > self._clock.now())
