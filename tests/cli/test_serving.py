"""`recollect serve`: it answers when it says so, and stops what it started."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import httpx2
import pytest
from testbed import NEWEST_ALONE, Production, temporary_folder

from cli.command_line import PATIENCE, Cli, make_home
from recollect.storage import embedded
from recollect.storage.migrate import migrate


@pytest.fixture(scope="module")
def made(models: Path) -> Iterator[Path]:
    """A home with a cluster in it, whose server every test leaves stopped."""
    with temporary_folder() as folder:
        home = make_home(folder, models)
        embedded.start(home).release()
        yield home


@pytest.fixture
def stopped_cli(made: Path) -> Iterator[Cli]:
    """The command line, in that home; a server that a test leaves behind is stopped."""
    yield Cli(made)
    if postmaster(made):
        embedded.start(made).release()


@pytest.fixture(scope="module")
def served(cli: Cli) -> Iterator[str]:
    """The URL of a server that does nothing but serve."""
    with cli.start("serve", "--port", "0", "--json") as process:
        yield ready(process)


def ready(process: subprocess.Popen[str]) -> str:
    """The URL that a server with --json says it listens on."""
    assert process.stdout is not None
    lines = []
    for line in process.stdout:
        lines.append(line)
        if line == "}\n":
            break
    url: str = json.loads("".join(lines))["url"]
    return url


def postmaster(home: Path) -> int | None:
    """The process of the embedded PostgreSQL, if it runs."""
    file = home / "postgres" / "data" / "postmaster.pid"
    number = int(file.read_text().split()[0]) if file.exists() else 0
    return number if number and Path(f"/proc/{number}").exists() else None


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_stops_everything_that_was_started(stopped_cli: Cli, number: signal.Signals) -> None:
    with stopped_cli.start("serve", "--port", "0", "--json") as process:
        url = ready(process)
        assert httpx2.get(f"{url}/v1/health/live").json() == {"status": "live"}
        assert httpx2.get(f"{url}/v1/version").status_code == 401
        assert postmaster(stopped_cli.home)
        process.send_signal(number)
        assert process.wait(PATIENCE) == 0
    assert postmaster(stopped_cli.home) is None


def test_an_interrupt_while_it_starts_stops_everything_too(fresh_cli: Cli) -> None:
    with fresh_cli.start("serve", "--port", "0") as process:
        deadline = time.monotonic() + PATIENCE
        while not (fresh_cli.home / "postgres").exists() and time.monotonic() < deadline:
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        assert process.wait(PATIENCE) == 0
    assert postmaster(fresh_cli.home) is None


def test_a_killed_server_leaves_nothing_that_the_next_start_does_not_repair(stopped_cli: Cli) -> None:
    said = ("remember", "Kept through the kill.", "--tenant", "t", "--user", "u", "--session", "s")
    with stopped_cli.start("serve", "--port", "0", "--json") as process:
        ready(process)
        assert stopped_cli.process(*said).returncode == 0
        process.kill()
        process.wait(PATIENCE)
    orphan = postmaster(stopped_cli.home)
    assert orphan
    with stopped_cli.start("serve", "--port", "0", "--json") as process:
        url = ready(process)
        assert postmaster(stopped_cli.home) == orphan
        key = stopped_cli.process("key", "create", "t").stdout.strip()
        found = httpx2.post(
            f"{url}/v1/recall",
            json={"query": "What was kept?", "user_id": "u"},
            headers={"Authorization": f"Bearer {key}"},
        ).json()
        assert "Kept through the kill." in [hit["memory"]["content"] for hit in found["hits"]]
    assert postmaster(stopped_cli.home) is None


def test_a_second_signal_ends_it_at_once(stopped_cli: Cli) -> None:
    with stopped_cli.start("serve", "--port", "0", "--json") as process:
        url = ready(process)
        host, port = url.removeprefix("http://").split(":")
        with socket.create_connection((host, int(port))) as slow:
            slow.sendall(b"POST /v1/recall HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n")
            process.send_signal(signal.SIGINT)
            assert process.stderr is not None
            while "Stopping" not in process.stderr.readline():
                pass
            process.send_signal(signal.SIGINT)
            assert process.wait(PATIENCE) == 128 + signal.SIGINT
    assert stopped_cli.process("tenant", "list").returncode == 0
    assert postmaster(stopped_cli.home) is None


def test_a_port_that_is_taken_is_refused_before_anything_is_started(fresh_cli: Cli) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        problem = fresh_cli.refused("serve", "--port", str(port))
    assert problem["code"] == "misconfigured"
    assert f"port {port}" in problem["detail"]
    assert not (fresh_cli.home / "postgres").exists()


def test_that_a_recollect_has_the_port_is_told(cli: Cli, served: str) -> None:
    port = served.rpartition(":")[2]
    for command in (("serve", "--port", port), ("demo", "--once", "--port", port)):
        problem = cli.refused(*command)
        assert "a Recollect serves there already" in problem["detail"]
        assert f"`RECOLLECT_PORT={int(port) + 1} make run`" in problem["hint"]


def test_endless_headers_are_refused_before_it_is_known_who_asks(served: str) -> None:
    host, port = served.removeprefix("http://").split(":")
    with socket.create_connection((host, int(port))) as stranger:
        stranger.sendall(b"GET /v1/version HTTP/1.1\r\nHost: x\r\n")
        with pytest.raises(OSError):  # noqa: PT011  # a broken pipe or a reset, as it happens
            stranger.sendall(b"X-More: " + b"x" * 50_000_000)
    assert httpx2.get(f"{served}/v1/health/live").json() == {"status": "live"}


def test_settings_of_tokens_that_contradict_each_other_start_nothing(fresh_cli: Cli) -> None:
    with_secret = fresh_cli.with_variables(RECOLLECT_JWT_SECRET="short")
    assert with_secret.refused("serve", "--port", "0")["code"] == "misconfigured"
    assert not (fresh_cli.home / "postgres").exists()


@NEWEST_ALONE
def test_an_outage_is_told_once_and_its_end_too(cli: Cli, production: Production) -> None:
    asyncio.run(migrate(production.owner))
    own = cli.with_variables(RECOLLECT_DATABASE_URL=production.app, RECOLLECT_PROT="1")
    own.text("tenant", "create", "loft")
    key = own.text("key", "create", "loft").strip()
    with own.start("serve", "--port", "0", "--json") as process, httpx2.Client() as client:
        url = ready(process)

        def state() -> int:
            headers = {"Authorization": f"Bearer {key}"}
            return client.get(f"{url}/v1/version", headers=headers, timeout=60).status_code

        assert state() == 200
        away(production, lasts=True)
        assert state() == 503
        away(production, lasts=False)
        wait_for(lambda: state() == 200)
        process.send_signal(signal.SIGINT)
        _, said = process.communicate(timeout=PATIENCE)
    # A step that took long is told too, with an ellipsis; which do depends on the machine.
    lines = [line for line in said.splitlines() if line and not line.endswith("…")]
    assert [line.partition(":")[0] for line in lines] == [
        "warning", "PostgreSQL does not answer", "PostgreSQL answers again.",
        "Stopping; once more to force it.",
    ]  # fmt: skip


def away(production: Production, *, lasts: bool) -> None:
    """Nobody can connect to the database any more, and nobody stays connected; or they can again."""
    replace(production, database="postgres").run(
        f"ALTER DATABASE {production.database} ALLOW_CONNECTIONS {not lasts}",
        f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{production.database}'",
    )


def wait_for(state: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not state():
        assert time.monotonic() < deadline
        time.sleep(0.2)


def test_a_host_that_is_not_ours_is_refused(fresh_cli: Cli) -> None:
    assert "203.0.113.1" in fresh_cli.refused("serve", "--host", "203.0.113.1", "--port", "0")["detail"]
