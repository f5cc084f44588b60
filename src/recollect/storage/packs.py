"""Which packs a tenant has turned on."""

from __future__ import annotations

from recollect.storage.rows import Rows


class PackRows(Rows):
    """The table `tenant_packs`."""

    async def packs(self) -> list[str]:
        """The names of the packs that are on, sorted."""
        return [row["pack"] for row in await self._all("packs")]

    async def turn_on_pack(self, name: str) -> bool:
        """Turn a pack on; False: it was on."""
        return bool(await self._run("turn_on_pack", pack=name))

    async def turn_off_pack(self, name: str) -> bool:
        """Turn a pack off; False: it was not on."""
        return bool(await self._run("turn_off_pack", pack=name))
