"""The embedded server: shared by those who use it, stopped by the last, and repaired after every kill."""

from __future__ import annotations

import os
import shutil
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from testbed import FAST, temporary_folder

from recollect.core.errors import Misconfigured
from recollect.storage import embedded
from recollect.storage.embedded import Server

AS_ROOT = pytest.mark.skipif(os.geteuid() != 0, reason="only root needs an account for PostgreSQL")


@pytest.fixture(scope="module")
def made() -> Iterator[Path]:
    """A home with a cluster in it, whose server every test leaves stopped."""
    with temporary_folder() as folder:
        embedded.start(folder).release()
        yield folder


@pytest.fixture
def home(made: Path) -> Iterator[Path]:
    """The home; a server that a test leaves behind is stopped."""
    yield made
    if (made / "postgres" / "data" / "postmaster.pid").exists():
        embedded.start(made).release()


def postmaster(home: Path) -> int:
    return int((home / "postgres" / "data" / "postmaster.pid").read_text().splitlines()[0])


def answers(server: Server) -> bool:
    try:
        psycopg.connect(server.url("postgres", "postgres")).close()
    except psycopg.OperationalError:
        return False
    return True


def test_the_last_one_out_stops_it(home: Path) -> None:
    first, second = embedded.start(home), embedded.start(home)
    assert first.url("postgres") == second.url("postgres")
    first.release()
    assert answers(second)
    second.release()
    assert not answers(second)
    second.release()


def in_another_process(home: Path) -> subprocess.Popen[bytes]:
    """A process that uses the server until it is ended."""
    code = "import pathlib, sys\nfrom recollect.storage import embedded\n"
    code += "server = embedded.start(pathlib.Path(sys.argv[1]))\nprint(flush=True)\ninput()\nserver.release()"
    process = subprocess.Popen(
        [sys.executable, "-c", code, home], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdout
    assert process.stdout.readline() == b"\n"
    return process


def test_processes_share_it(home: Path) -> None:
    with in_another_process(home) as other:
        running = postmaster(home)
        server = embedded.start(home)
        other.communicate(b"\n")
        assert other.returncode == 0
        assert answers(server)
        assert postmaster(home) == running
        server.release()
        assert not answers(server)


def test_a_killed_process_leaves_a_server_that_the_next_uses_and_stops(home: Path) -> None:
    with in_another_process(home) as other:
        running = postmaster(home)
        other.kill()
    server = embedded.start(home)
    assert postmaster(home) == running
    server.release()
    assert not answers(server)


def test_many_that_start_at_once_start_one(home: Path) -> None:
    others = [in_another_process(home) for _ in range(3)]
    server = embedded.start(home)
    for other in others:
        with other:
            other.communicate(b"\n")
    assert [other.returncode for other in others] == [0, 0, 0]
    assert answers(server)
    server.release()


def test_a_killed_server_is_started_again_and_has_what_was_committed(home: Path) -> None:
    server = embedded.start(home)
    with psycopg.connect(server.url("postgres", "postgres"), autocommit=True) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 1")
    os.kill(postmaster(home), signal.SIGKILL)
    server.revive()
    with psycopg.connect(server.url("postgres", "postgres")) as connection:
        assert connection.execute("TABLE kept").fetchall() == [(1,)]
    server.release()


def test_reviving_a_server_that_lives_changes_nothing(home: Path) -> None:
    server = embedded.start(home)
    running = postmaster(home)
    server.revive()
    assert postmaster(home) == running
    server.release()


def test_a_start_that_follows_a_kill_at_once_waits_for_what_the_kill_left(home: Path) -> None:
    server = embedded.start(home)
    connections = [psycopg.connect(server.url("postgres", "postgres")) for _ in range(5)]
    os.kill(postmaster(home), signal.SIGKILL)
    server.lease.close()
    again = embedded.start(home)
    assert answers(again)
    again.release()
    for connection in connections:
        connection.close()


def test_nobody_else_may_look_in(home: Path) -> None:
    server = embedded.start(home)
    for folder in (home / "postgres", home / "postgres" / "data"):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((server.socket / ".s.PGSQL.5432").stat().st_mode) == 0o700
    with psycopg.connect(server.url("postgres", "postgres")) as connection:
        assert connection.execute("SHOW listen_addresses").fetchone() == ("",)
        assert connection.execute("SHOW fsync").fetchone() == ("on",)
    server.release()


def test_a_folder_that_somebody_opened_is_closed_again(home: Path) -> None:
    (home / "postgres").chmod(0o755)
    embedded.start(home).release()
    assert stat.S_IMODE((home / "postgres").stat().st_mode) == 0o700


def test_a_cluster_that_was_cut_short_is_made_again(reachable_path: Path) -> None:
    unfinished = reachable_path / "postgres" / "data.unfinished"
    unfinished.mkdir(parents=True)
    (unfinished / "PG_VERSION").write_text("18\n")
    server = embedded.start(reachable_path, settings=FAST)
    assert answers(server)
    assert not unfinished.exists()
    server.release()


@pytest.mark.parametrize("name", ["long" * 30, "O'Hara's, \"memory\" $HOME; ü"])
def test_a_path_that_postgresql_cannot_take_has_its_socket_elsewhere(reachable_path: Path, name: str) -> None:
    server = embedded.start(reachable_path / name, settings=FAST)
    try:
        assert answers(server)
        assert not server.socket.is_relative_to(reachable_path)
        assert stat.S_IMODE(server.socket.stat().st_mode) == 0o700
    finally:
        server.release()
        shutil.rmtree(server.socket)


def test_a_socket_folder_of_somebody_else_is_not_used(reachable_path: Path) -> None:
    server = embedded.start(reachable_path / ("long" * 30), settings=FAST)
    server.release()
    shutil.rmtree(server.socket)
    trap = reachable_path / "trap"
    trap.mkdir()
    server.socket.symlink_to(trap)
    try:
        with pytest.raises(Misconfigured, match="belongs to somebody else"):
            embedded.start(reachable_path / ("long" * 30), settings=FAST)
    finally:
        server.socket.unlink()


@AS_ROOT
def test_a_folder_that_the_account_cannot_reach_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    with pytest.raises(Misconfigured, match="cannot reach") as refused:
        embedded.start(tmp_path / "home")
    assert refused.value.hint
    assert "/var/lib/recollect" in refused.value.hint


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Misconfigured, match="cannot be made or written"):
        embedded.start(tmp_path / "file" / "home")


def test_data_of_a_version_that_we_do_not_bring_is_refused(reachable_path: Path) -> None:
    data = reachable_path / "postgres" / "data"
    data.mkdir(parents=True)
    (data / "PG_VERSION").write_text("12\n")
    with pytest.raises(Misconfigured, match="PostgreSQL 12") as refused:
        embedded.start(reachable_path)
    assert refused.value.hint
    assert "pg_dump" in refused.value.hint


def test_data_of_an_older_version_that_we_bring_is_served_by_it(reachable_path: Path) -> None:
    embedded.start(reachable_path, version=16, settings=FAST).release()
    server = embedded.start(reachable_path, settings=FAST)
    with psycopg.connect(server.url("postgres", "postgres")) as connection:
        assert connection.info.server_version // 10_000 == 16
    server.release()


@AS_ROOT
def test_a_start_holds_nothing_up(made: Path) -> None:
    """After a fork of this process, numpy's library would wait for ever for its own threads."""
    beside = (
        "import sys, threading\n"
        "from pathlib import Path\n"
        "import numpy as np\n"
        "from recollect.storage import embedded\n"
        "rows, done = np.ones((384, 1536), np.float32), threading.Event()\n"
        "def multiply():\n"
        "    while True:\n"
        "        rows[:, 0] @ rows\n"
        "        done.set()\n"
        "threading.Thread(target=multiply, daemon=True).start()\n"
        "for _ in range(3):\n"
        "    embedded.start(Path(sys.argv[1])).release()\n"
        "for _ in range(2):\n"
        "    done.clear()\n"
        "    done.wait()\n"
    )
    # The limit is for the failure, which would be for ever.
    subprocess.run([sys.executable, "-c", beside, made], check=True, timeout=60)
