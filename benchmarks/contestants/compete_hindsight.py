"""Hindsight in its own environment: its server, without an LLM (`HINDSIGHT_API_LLM_PROVIDER=none`)."""

from __future__ import annotations

import http.client
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from contest import Json, compete, given, resident, tell

AT_ONCE = 50
PATIENCE = 300


class Hindsight:
    """A contestant; a user is a bank, a memory a document of its own."""

    def __init__(self, port: int, process: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
        self._process = process

    def call(self, method: str, path: str, body: Json | None = None) -> Any:
        """What it answers, as JSON."""
        headers = {"Content-Type": "application/json"}
        self._connection.request(method, path, json.dumps(body) if body else None, headers)
        answer = self._connection.getresponse()
        text = answer.read()
        if answer.status >= 300:
            raise RuntimeError(f"{method} {path}: {answer.status} {text[:500]!r}")
        return json.loads(text)

    def close(self) -> None:
        """The next call begins anew: after one that failed half way, the connection takes no other."""
        self._connection.close()

    def add(self, user: str, memories: Sequence[Json]) -> None:
        """In batches; an answer means that they are kept."""
        for begin in range(0, len(memories), AT_ONCE):
            items = [
                {
                    "content": each["text"],
                    "timestamp": each["at"],
                    "document_id": each["id"],
                    "context": f"said by {each['speaker']}",
                }
                for each in memories[begin : begin + AT_ONCE]
            ]
            path = f"/v1/default/banks/{user}/memories"
            self.call("POST", path, {"items": items, "async": False})

    def search(self, user: str, query: str, limit: int) -> list[str]:
        """With its middle budget, and tokens enough for as many rows as are asked for."""
        body = {"query": query, "budget": "mid", "max_tokens": 300 * limit}
        found = self.call("POST", f"/v1/default/banks/{user}/memories/recall", body)
        documents = [each.get("document_id") for each in found["results"]]
        return list(dict.fromkeys(each for each in documents if each))[:limit]

    def resident(self) -> float:
        """The server's process."""
        return resident(self._process)


def settings_of(told: Json, database: str) -> dict[str, str]:
    """Its environment: no LLM, the shared model, ranks fused where its reranker's weights are not there.

    Its least similarity of 0.3 would only take away rows that are asked for.
    """
    return {
        "HINDSIGHT_API_LLM_PROVIDER": "none",
        "HINDSIGHT_API_EMBEDDINGS_PROVIDER": "local",
        "HINDSIGHT_API_EMBEDDINGS_LOCAL_MODEL": told["model"],
        "HINDSIGHT_API_SEMANTIC_MIN_SIMILARITY": "0.0",
        "HINDSIGHT_API_RERANKER_PROVIDER": os.environ.get("HINDSIGHT_API_RERANKER_PROVIDER", "rrf"),
        "HINDSIGHT_API_DATABASE_URL": database,
        "HINDSIGHT_API_HOST": "127.0.0.1",
        "HINDSIGHT_API_PORT": str(told["port"]),
        "HINDSIGHT_API_LOG_LEVEL": "warning",
        "HF_HUB_OFFLINE": "1",
        "HOME": told["folder"],
    }


@contextmanager
def own_database(told: Json) -> Iterator[str]:
    """The PostgreSQL that it brings and starts by default, and its URL: it asks for pg_trgm, as ours has not.

    PostgreSQL does not run as root, so that root lends it to `nobody`.
    """
    from pg0 import __file__ as package  # type: ignore[import-not-found]  # noqa: PLC0415 - of its environment

    program = Path(package).parent / "bin" / "pg0"
    place = Path(told["folder"]) / "pg0"
    place.mkdir(mode=0o700)
    account = "nobody" if os.geteuid() == 0 else None
    if account:
        Path(told["folder"]).chmod(0o711)
        shutil.chown(place, account)

    def run(*arguments: str) -> None:
        command = [str(program), *arguments, "--name", "bench"]
        home = os.environ | {"HOME": str(place)}
        # Its output would be held open by the server that it leaves behind.
        subprocess.run(command, env=home, cwd=place, user=account, check=True, stdout=subprocess.DEVNULL)

    port = str(told["port of its database"])
    run("start", "--port", port)
    try:
        yield f"postgresql://postgres:postgres@127.0.0.1:{port}/postgres"
    finally:
        run("stop")


def main() -> None:
    """Compete."""
    told = given()
    with own_database(told) as database:
        tell(_serve(told, settings_of(told, database)))


def _serve(told: Json, settings: dict[str, str]) -> Json:
    program = Path(sys.executable).parent / "hindsight-api"
    log = Path(told["folder"]) / "hindsight.log"
    with log.open("wb") as out:
        process = subprocess.Popen([program], env=os.environ | settings, stdout=out, stderr=out)
    try:
        contestant = Hindsight(told["port"], process.pid)
        _wait(contestant, process, log)
        return compete(contestant, told["corpus"], _notes(settings))
    finally:
        process.terminate()
        process.wait()


def _notes(settings: dict[str, str]) -> list[str]:
    notes = [
        "over HTTP",
        "chunks instead of facts, as it does without an LLM",
        "its own PostgreSQL (pg0), as by default",
    ]
    if settings["HINDSIGHT_API_RERANKER_PROVIDER"] == "rrf":
        notes.append(
            "ranks fused (rrf): its cross-encoder's weights are fetched when it starts, and not here"
        )
    return notes


def _wait(contestant: Hindsight, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + PATIENCE
    while True:
        try:
            contestant.call("GET", "/health")
        except (OSError, http.client.HTTPException, RuntimeError):
            contestant.close()
            if process.poll() is not None or time.monotonic() > deadline:
                errors = [line for line in log.read_text("utf-8").splitlines() if "Error" in line]
                sys.exit(f"its server does not answer: {errors[-1] if errors else 'it says nothing'}")
            time.sleep(0.5)
        else:
            return


if __name__ == "__main__":
    main()
