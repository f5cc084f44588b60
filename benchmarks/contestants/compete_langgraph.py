"""LangGraph's PostgresStore in its own environment, with its index over the text."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from contest import Json, compete, given, resident, tell
from langgraph.store.base import PutOp  # type: ignore[import-not-found]
from langgraph.store.postgres import PostgresStore  # type: ignore[import-not-found]
from local_model import Model

AT_ONCE = 100


class LangGraph:
    """A contestant; a user is a namespace."""

    def __init__(self, store: Any) -> None:
        self._store = store

    def add(self, user: str, memories: Sequence[Json]) -> None:
        """In batches, which it embeds together."""
        for begin in range(0, len(memories), AT_ONCE):
            self._store.batch(
                [
                    PutOp(("users", user), each["id"], {"text": each["text"]})
                    for each in memories[begin : begin + AT_ONCE]
                ]
            )

    def search(self, user: str, query: str, limit: int) -> list[str]:
        """By meaning, the only way it has."""
        return [item.key for item in self._store.search(("users", user), query=query, limit=limit)]

    def resident(self) -> float:
        """This process."""
        return resident()


def main() -> None:
    """Compete."""
    told = given()
    model = Model(told["model"], told["sources"])
    index = {"dims": 384, "embed": model.embed, "fields": ["text"]}
    with PostgresStore.from_conn_string(told["postgres"], index=index) as store:
        store.setup()
        tell(compete(LangGraph(store), told["corpus"]))


if __name__ == "__main__":
    main()
