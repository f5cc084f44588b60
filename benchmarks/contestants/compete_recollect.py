"""Recollect, over HTTP, as Hindsight is asked: the server of its own environment."""

from __future__ import annotations

import http.client
import json
from collections.abc import Sequence
from itertools import groupby
from typing import Any
from urllib.parse import quote

from contest import Json, compete, given, resident, tell


class Recollect:
    """A contestant."""

    def __init__(self, port: int, key: str, process: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        self._headers = {"Content-Type": "application/json", "Authorization": f"Bearer {key}"}
        self._process = process
        self._ids: dict[str, str] = {}

    def _post(self, path: str, body: Json) -> Any:
        self._connection.request("POST", path, json.dumps(body), self._headers)
        answer = self._connection.getresponse()
        text = answer.read()
        if answer.status >= 300:
            raise RuntimeError(f"{path}: {answer.status} {text[:500]!r}")
        return json.loads(text)

    def add(self, user: str, memories: Sequence[Json]) -> None:
        """A session at a time."""
        for session, turns in groupby(memories, key=lambda each: each["session"]):
            told = list(turns)
            messages = [{"content": each["text"], "name": each["speaker"], "at": each["at"]} for each in told]
            body = {"user_id": user, "messages": messages}
            kept = self._post(f"/v1/sessions/{quote(session, safe='')}/messages", body)
            self._ids |= zip(kept["ids"], (each["id"] for each in told), strict=True)

    def search(self, user: str, query: str, limit: int) -> list[str]:
        """A recall."""
        found = self._post("/v1/recall", {"user_id": user, "query": query, "limit": limit})
        return [self._ids[hit["memory"]["id"]] for hit in found["hits"]]

    def resident(self) -> float:
        """The server's process."""
        return resident(self._process)


def main() -> None:
    """Compete."""
    told = given()
    tell(compete(Recollect(told["port"], told["key"], told["process"]), told["corpus"], ["over HTTP"]))


if __name__ == "__main__":
    main()
