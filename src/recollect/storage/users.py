"""The people who are remembered."""

from __future__ import annotations

from collections.abc import Sequence

import psycopg
from psycopg.types.json import Jsonb

from recollect.core.model import Forgotten, JsonObject, User
from recollect.core.text.alike import Names
from recollect.core.text.names import MOST_NAMES
from recollect.storage.memories import names_around
from recollect.storage.rows import Row, Rows, hidden


def _user(row: Row) -> User:
    return User(**row | {"names": tuple(row["names"])})


class UserRows(Rows):
    """The table `users`, and all that hangs on a person."""

    async def ensure_users(self, user_ids: Sequence[str]) -> None:
        """Make people known, in this order."""
        each = [{"user_id": user_id, "participants": [], "most": MOST_NAMES} for user_id in user_ids]
        await self._run_each("ensure_user", each)

    async def names(self, user_id: str) -> Names:
        """The names heard in the person's sessions, and those that go together; none of nobody we know."""
        return names_around(await self._one("participants_of", user_id=user_id) or {})

    async def user(self, user_id: str) -> User | None:
        """The person, with exact counts of what is remembered."""
        row = await self._one("user", user_id=user_id)
        return _user(row) if row else None

    async def list_users(self, *, after: str, limit: int) -> list[User]:
        """People by id, after one of them, without counts."""
        rows = await self._all("list_users", after=after, limit=limit)
        return [_user(row) for row in rows]

    async def put_user(
        self, user_id: str, names: Sequence[str] | None, attributes: JsonObject | None
    ) -> None:
        """Set what is given of a person, who is made if new."""
        await self._run(
            "put_user",
            user_id=user_id,
            names=None if names is None else list(names),
            attributes=None if attributes is None else Jsonb(attributes),
            most=MOST_NAMES,
        )

    async def delete_user(self, user_id: str) -> Forgotten:
        """Delete a person and everything that is remembered of them.

        Raises:
            Forbidden: something of it is above the principal's role.
        """
        if not await self._run("lock_user", user_id=user_id):
            return Forgotten()  # one who is being met now is not waited for
        await self._run("lock_sessions_of_user", user_id=user_id)
        memories = await self._run("delete_memories_of_user", user_id=user_id)
        await self._run("delete_requests_of_user", user_id=user_id)
        await self._run("delete_entities_of_user", user_id=user_id)
        try:
            sessions = await self._run("delete_sessions_of_user", user_id=user_id)
            return Forgotten(memories, sessions, users=await self._run("delete_user", user_id=user_id))
        except psycopg.errors.ForeignKeyViolation as error:
            raise hidden() from error
