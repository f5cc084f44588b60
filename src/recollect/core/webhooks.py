"""Webhooks: what a tenant's senders are given, and by what they are known again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from recollect.core.access import require, require_owner
from recollect.core.errors import InvalidSignature, NotFound, WebhooksOff
from recollect.core.model import Permission, Principal, Role, tenant_id_of
from recollect.core.pack import Pack, Webhook
from recollect.core.ports import Clock, Storage
from recollect.core.signatures import Sealed, derive_secret, is_signed

ALLOWED = frozenset({Permission.READ, Permission.WRITE})
"""What a webhook may do: it deletes nothing."""


@dataclass(frozen=True, slots=True)
class Senders:
    """What a tenant's senders to a pack are given: where to send, and the secret to sign with."""

    secret: str
    paths: Sequence[str]


class Webhooks:
    """Knows the senders of webhooks; `secret` None: there are none here."""

    def __init__(self, storage: Storage, clock: Clock, secret: str | None = None) -> None:
        self._storage = storage
        self._clock = clock
        self._secret = secret

    async def senders(self, principal: Principal, pack: Pack) -> Senders:
        """What the tenant's senders are given; `paths` are in the order of `pack.webhooks`.

        Whoever has the secret may do what is `ALLOWED`, so only who may do all of it is told.

        Raises:
            Forbidden: the principal is not the tenant's owner, or may not read and write.
            WebhooksOff: this server has no secret for webhooks.
            NotFound: there is no such tenant.
        """
        for permission in sorted(ALLOWED):
            require(principal, permission)
        require_owner(principal)
        secret = self._secret_of(principal.tenant_id, pack)
        async with self._storage.transaction(principal) as tx:
            tenant = await tx.tenant()
        if tenant is None:
            raise NotFound
        paths = [f"{pack.webhook_path(one)}?tenant={tenant.name}" for one in pack.webhooks]
        return Senders(secret, paths)

    def require_on(self) -> None:
        """Raise WebhooksOff where there is no secret: nothing that comes can be signed with one."""
        if self._secret is None:
            raise WebhooksOff

    async def authenticate(self, tenant: str, pack: Pack, webhook: Webhook, sealed: Sealed) -> Principal:
        """Who a sender is in the tenant of this name; the database is asked only if the signature is good.

        Raises:
            WebhooksOff: this server has no secret for webhooks.
            InvalidSignature: it is not signed with the tenant's secret, or too long ago; or there is no such
                tenant, or the pack is not turned on for it. Which of them is not told.
        """
        tenant_id = tenant_id_of(tenant)
        secret = self._secret_of(tenant_id, pack)
        if not is_signed(webhook.signature, secret, sealed, self._clock.now()):
            raise InvalidSignature
        principal = Principal(tenant_id, f"webhook:{pack.name}/{webhook.path}", Role.STAFF, ALLOWED)
        async with self._storage.transaction(principal) as tx:
            if pack.name not in await tx.packs():
                raise InvalidSignature
        return principal

    def _secret_of(self, tenant_id: UUID, pack: Pack) -> str:
        if self._secret is None:
            raise WebhooksOff
        return derive_secret(self._secret, tenant_id, pack.name)
