"""Which tenants there are: the one thing that only the owner of the tables may read."""

from __future__ import annotations

import psycopg
from psycopg.rows import class_row

from recollect.core.errors import SchemaOutdated
from recollect.core.model import Tenant
from recollect.storage.connecting import connected
from recollect.storage.queries import QUERIES


async def list_tenants(owner_url: str) -> list[Tenant]:
    """Every tenant, by name; of a role that is not the owner, none.

    Raises:
        Misconfigured, StorageUnavailable: as `connected`.
        SchemaOutdated: there is no schema yet.
    """
    try:
        async with connected(owner_url) as connection:
            await connection.execute("SET timezone = 'UTC'")
            cursor = connection.cursor(row_factory=class_row(Tenant))
            return await (await cursor.execute(QUERIES["list_tenants"])).fetchall()
    except psycopg.errors.UndefinedTable:
        raise SchemaOutdated("The database has no Recollect schema yet.") from None
