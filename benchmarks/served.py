"""A real server for a benchmark: `recollect serve` in a process of its own, with a tenant and a key."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx2

from recollect.settings import load_settings

PATIENCE = 120


@dataclass(frozen=True, slots=True)
class Served:
    """Where it answers, the key of its tenant `bench`, and its process."""

    url: str
    key: str
    process: subprocess.Popen[bytes]

    def client(self) -> httpx2.Client:
        """A client that carries the key."""
        return httpx2.Client(
            base_url=self.url, headers={"Authorization": f"Bearer {self.key}"}, timeout=PATIENCE
        )


@contextmanager
def new_home() -> Iterator[Path]:
    """An empty home, which root's account for PostgreSQL reaches, with the model that is here already."""
    with tempfile.TemporaryDirectory(prefix="recollect-") as folder:
        yield make_home(Path(folder))


def make_home(home: Path) -> Path:
    """A home in a folder, made if it is not there, which root's account for PostgreSQL reaches."""
    home.mkdir(parents=True, exist_ok=True)
    home.chmod(0o755)
    models = home / "models"
    if (kept := load_settings().home / "models").is_dir() and not models.exists():
        models.symlink_to(kept)
    return home


def recollect(home: Path, *arguments: str, python: str = sys.executable) -> dict[str, str]:
    """What one command of the CLI answers."""
    done = subprocess.run(
        [python, "-m", "recollect", *arguments, "--home", str(home), "--json"],
        check=True,
        stdout=subprocess.PIPE,
    )
    answer: dict[str, str] = json.loads(done.stdout)
    return answer


def free_port() -> int:
    """A port of 127.0.0.1 that nobody listens on."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port: int = listener.getsockname()[1]
    return port


@contextmanager
def serve(home: Path, key: str, python: str = sys.executable) -> Iterator[Served]:
    """The server over a home, from when it answers until the block ends."""
    port = free_port()
    # None of our settings; and bytecode is kept from one start to the next, as in an installation.
    others = ("RECOLLECT_", "PYTHONDONTWRITEBYTECODE")
    process = subprocess.Popen(
        [python, "-m", "recollect", "serve", "--home", str(home), "--port", str(port)],
        stdout=subprocess.DEVNULL,
        env={name: value for name, value in os.environ.items() if not name.startswith(others)},
    )
    try:
        url = f"http://127.0.0.1:{port}"
        _wait(f"{url}/v1/health/live", process)
        yield Served(url, key, process)
    finally:
        process.terminate()
        process.wait(PATIENCE)


def _wait(url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline:
        if process.poll() is not None:
            sys.exit(f"the server ended with {process.returncode}")
        try:
            if httpx2.get(url).is_success:
                return
        except httpx2.TransportError:
            time.sleep(0.02)
    sys.exit("the server does not answer")


@contextmanager
def served() -> Iterator[Served]:
    """A server over a new home, with a tenant `bench`."""
    with new_home() as home:
        recollect(home, "tenant", "create", "bench")
        key = recollect(home, "key", "create", "bench")["key"]
        with serve(home, key) as server:
            yield server
