"""The packs that are installed, and which of them a tenant has turned on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import timedelta
from functools import lru_cache
from types import MappingProxyType

from recollect.core.access import require_owner
from recollect.core.consolidate.attributes import Vocabulary, english, read_vocabulary
from recollect.core.errors import Invalid, Misconfigured, NotFound, PackOff
from recollect.core.graph import NewEntity
from recollect.core.model import Kind, Principal
from recollect.core.pack import Pack
from recollect.core.ports import Storage

NONE: Mapping[str, Pack] = MappingProxyType({})
"""No packs."""


class Packs:
    """What packs there are, and for whom."""

    def __init__(self, storage: Storage, installed: Mapping[str, Pack] = NONE) -> None:
        self._storage = storage
        self.installed = installed
        self._read = lru_cache(maxsize=64)(self._vocabulary)

    @staticmethod
    def check(packs: Mapping[str, Pack]) -> None:
        """Raise Misconfigured if one of them cannot be read by; the message names its file."""
        for pack in packs.values():
            try:
                read_vocabulary(pack.rules)
            except Misconfigured as error:
                raise Misconfigured(f"{pack.package}/pack.toml, {error}", hint=error.hint) from error

    def find(self, name: str) -> Pack:
        """The pack of this name.

        Raises:
            NotFound: none is installed.
        """
        if name not in self.installed:
            there = ", ".join(sorted(self.installed)) or "none"
            raise NotFound(f"There is no pack {name!r} here.", hint=f"Installed are: {there}.")
        return self.installed[name]

    async def turned_on(self, principal: Principal) -> list[str]:
        """The packs that the tenant has turned on, those too that are not installed here."""
        async with self._storage.transaction(principal) as tx:
            return await tx.packs()

    async def require_on(self, principal: Principal, name: str) -> None:
        """Raise PackOff unless the tenant has turned the pack on."""
        if name not in await self.turned_on(principal):
            raise PackOff(f"The pack {name} is not turned on for this tenant.")

    async def turn_on(self, principal: Principal, name: str) -> bool:
        """Turn a pack on for the tenant, for what is said from now on; False: it was on.

        Raises:
            NotFound: it is not installed.
            Forbidden: the principal is not the tenant's owner.
        """
        require_owner(principal)
        self.find(name)
        async with self._storage.transaction(principal) as tx:
            return await tx.turn_on_pack(name)

    async def turn_off(self, principal: Principal, name: str) -> bool:
        """Turn a pack off; what was remembered with it stays. False: it was not on.

        Raises:
            Forbidden: the principal is not the tenant's owner.
        """
        require_owner(principal)
        async with self._storage.transaction(principal) as tx:
            return await tx.turn_off_pack(name)

    async def _of(self, principal: Principal) -> list[Pack]:
        """The packs that the tenant has turned on, as far as they are installed."""
        if not self.installed:
            return []
        return [self.installed[name] for name in await self.turned_on(principal) if name in self.installed]

    async def retention(self, principal: Principal) -> Mapping[Kind, timedelta]:
        """How long memories of a kind last in the tenant: of several packs, the longest."""
        days: dict[Kind, timedelta] = {}
        for pack in await self._of(principal):
            for kind, many in pack.retention.items():
                days[Kind(kind)] = max(days.get(Kind(kind), timedelta()), timedelta(days=many))
        return days

    async def check_items(self, principal: Principal, news: Iterable[NewEntity]) -> None:
        """Raise Invalid if an entity is an item of one of the tenant's packs, and is not as those are."""
        schemas = [pack.items for pack in await self._of(principal) if pack.items]
        for new in news:
            for schema in schemas:
                if schema.kind == new.kind and (faults := list(schema.check(new.attributes))):
                    raise Invalid(f"{new.name} is not a valid {new.kind}: {' '.join(faults)}")

    def vocabulary(self, names: Iterable[str]) -> Vocabulary:
        """What conversations are read by, of a tenant that has turned on these packs."""
        return self._read(tuple(sorted(name for name in names if name in self.installed)))

    def _vocabulary(self, names: tuple[str, ...]) -> Vocabulary:
        return read_vocabulary(*(self.installed[name].rules for name in names)) if names else english()
