"""Other memories beside Recollect: the same texts, the same model, one run, nobody with an LLM.

    PYTHONPATH=benchmarks python -m peers [--envs DIR] [--only NAME …]

makes an environment for each outside of the project (kept in DIR, by default in the system's temporary
folder), gives each LoCoMo's conversations and a hundred users of 20 memories, asks every question, and writes
benchmarks/results/peers.{json,md}. One that cannot run here says why in its row. The data are in
$RECOLLECT_DATA (default ../shared/data): locomo/locomo_dev.json, to be had from its publishers.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psycopg
from recall_offline import RESULTS, ROOT
from served import free_port, make_home, new_home, recollect, serve
from speed.report import table

from peers.corpus import SMALL_SIZE, SMALL_USERS, make_corpus
from peers.environments import make_environment, version_of, weigh
from recollect.adapters.embeddings import DEFAULT_MODEL
from recollect.settings import load_settings
from recollect.storage import embedded

PATIENCE = 900
CONTESTANTS = Path(__file__).parent.parent / "contestants"
RUN_BY_US = ["numpy", "onnxruntime", "tokenizers"]
"""What the shared model needs: part of an installation that embeds locally, and so it is counted."""


@dataclass(frozen=True, slots=True)
class Peer:
    """A contestant: its script, its distribution, all that is installed, and what it is told besides."""

    name: str
    script: str
    distribution: str
    packages: Sequence[str]
    store: str = ""


PEERS = (
    Peer("Recollect", "compete_recollect", "recollect", [str(ROOT)]),
    Peer(
        "mem0, local (Qdrant on disk)",
        "compete_mem0",
        "mem0ai",
        ["mem0ai[nlp]", "fastembed", "psycopg[binary,pool]", *RUN_BY_US],
        "qdrant",
    ),
    Peer(
        "mem0, pgvector",
        "compete_mem0",
        "mem0ai",
        ["mem0ai[nlp]", "fastembed", "psycopg[binary,pool]", *RUN_BY_US],
        "pgvector",
    ),
    Peer(
        "LangGraph PostgresStore",
        "compete_langgraph",
        "langgraph-checkpoint-postgres",
        ["langgraph-checkpoint-postgres", "langgraph", "psycopg[binary,pool]", *RUN_BY_US],
    ),
    Peer("Hindsight", "compete_hindsight", "hindsight-api", ["hindsight-api"]),
)


@contextmanager
def postgres() -> Iterator[str]:
    """A PostgreSQL on the loopback with pgvector, our embedded one; its URL up to the database's name."""
    with tempfile.TemporaryDirectory(prefix="recollect-peers-") as folder:
        port = free_port()
        home = make_home(Path(folder))
        server = embedded.start(home, settings={"listen_addresses": "127.0.0.1", "port": str(port)})
        try:
            rules = server.installation.data / "pg_hba.conf"
            rules.write_text("local all all trust\nhost all all 127.0.0.1/32 trust\n")
            server.installation.run("pg_ctl", "reload", "-D", server.installation.data)
            yield f"postgresql://postgres:none@127.0.0.1:{port}/"
        finally:
            server.release()


def make_database(root: str, name: str) -> str:
    """A new database with `vector`; its URL."""
    with psycopg.connect(f"{root}postgres", autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}".encode())
    with psycopg.connect(f"{root}{name}", autocommit=True) as connection:
        connection.execute("CREATE EXTENSION vector")
    return f"{root}{name}"


def run_script(peer: Peer, python: Path, told: dict[str, Any], folder: Path) -> dict[str, Any]:
    """What a contestant's script measured; one that ends badly, or not in time, says why."""
    given, result = folder / "given.json", folder / "result.json"
    given.write_text(json.dumps(told), "utf-8")
    # Nothing of ours is in its environment but the scripts of `contestants`.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    script = subprocess.Popen(
        [python, CONTESTANTS / f"{peer.script}.py", given, result],
        env=environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    try:
        _, complaint = script.communicate(timeout=PATIENCE)
    except subprocess.TimeoutExpired:
        # With the server that it may have started.
        os.killpg(script.pid, signal.SIGKILL)
        script.communicate()
        return {"reason": f"not done after {PATIENCE // 60} minutes"}
    if script.returncode:
        return {"reason": _last_line(complaint)}
    measured: dict[str, Any] = json.loads(result.read_text("utf-8"))
    return measured


def _last_line(text: str) -> str:
    lines = text.strip().splitlines()
    return lines[-1][:300] if lines else "it ended without a word"


def compete(peer: Peer, root: str, corpus: dict[str, Any], environments: Path) -> dict[str, Any]:
    """The row of one contestant."""
    folder = environments / peer.script.removeprefix("compete_")
    try:
        # Ours is made anew each time: its sources change.
        python = make_environment(folder, peer.packages, keep=peer.distribution != "recollect")
    except subprocess.CalledProcessError as error:
        return {"reason": f"cannot be installed: {_last_line(error.stderr)}"}
    row = weigh(folder)
    row["version"] = version_of(folder, peer.distribution)
    if peer.script == "compete_recollect":
        return row | _serve_recollect(peer, python, corpus)
    with tempfile.TemporaryDirectory(prefix="recollect-peer-") as work:
        told = {
            "corpus": corpus,
            "folder": work,
            "store": peer.store,
            "port": free_port(),
            "port of its database": free_port(),
            "postgres": make_database(root, f"{folder.name}_{peer.store or 'store'}"),
            "model": str(load_settings().home / "models" / DEFAULT_MODEL),
            "sources": str(ROOT / "src"),
        }
        return row | run_script(peer, python, told, Path(work))


def _serve_recollect(peer: Peer, python: Path, corpus: dict[str, Any]) -> dict[str, Any]:
    with new_home() as home, tempfile.TemporaryDirectory(prefix="recollect-peer-") as work:
        recollect(home, "tenant", "create", "bench", python=str(python))
        key = recollect(home, "key", "create", "bench", python=str(python))["key"]
        with serve(home, key, python=str(python)) as server:
            told = {
                "corpus": corpus,
                "port": urlsplit(server.url).port,
                "key": key,
                "process": server.process.pid,
            }
            return run_script(peer, python, told, Path(work))


def report(results: dict[str, Any]) -> str:
    """Markdown."""
    head = (
        "memory, version, R@5, R@10, R@50, search p50 ms, p95 ms, add texts/s, rows of 50, "
        f"nothing found for users of {SMALL_SIZE}, rows of 10 for them, RSS MB, install MB, packages"
    )
    rows = [_row(name, row) for name, row in results["rows"].items()]
    notes = [
        f"- {name}: {'; '.join(row['notes'])}." for name, row in results["rows"].items() if row.get("notes")
    ]
    graphics = [
        f"- {name}: of the installation, {row['for graphics cards MB']:.0f} MB drive graphics cards."
        for name, row in results["rows"].items()
        if row.get("for graphics cards MB")
    ]
    return (
        "# Peers\n\n"
        f"`{results['command']}`, one run on {results['cores']} cores, Python {results['python']}, load "
        f"average before and after {results['load'][0]:.1f} and {results['load'][1]:.1f}, "
        f"{results['minutes']:.0f} minutes. The same for all: LoCoMo's three conversations here as memories "
        "of three users, turn by turn and raw (no LLM anywhere), and "
        f"{SMALL_USERS} users of {SMALL_SIZE} generated memories among them; {results['questions']} "
        f"questions with evidence; {DEFAULT_MODEL}. R@k: the share of a question's evidence turns among the "
        "first k, averaged; 50 rows were asked for, and that is what was timed, with the question's "
        "embedding. Those that are a server are asked over HTTP, the libraries in process. RSS is of the "
        "process that remembers, after everything, without PostgreSQL's. The installation is without "
        "bytecode, "
        "models and PostgreSQL (Recollect brings its own).\n\n"
        f"{table(head.split(', '), rows)}\n\n" + "\n".join([*notes, *graphics]) + "\n"
    )


def _row(name: str, row: dict[str, Any]) -> list[str]:
    weight = [f"{row['install MB']:.0f}", str(row["packages"])] if "install MB" in row else ["", ""]
    if "reason" in row:
        return [name, row.get("version", ""), f"did not run: {row['reason']}", *[""] * 9, *weight]
    return [
        name,
        row["version"],
        *(f"{100 * row['recall'][depth]:.1f}" for depth in ("5", "10", "50")),
        f"{row['p50']:.1f}",
        f"{row['p95']:.1f}",
        f"{row['texts/s']:.0f}",
        f"{row['rows of 50']:.1f}",
        f"{row['small: nothing']} of {SMALL_USERS}",
        f"{row['small: rows of 10']:.1f}",
        f"{row['RSS MB']:.0f}",
        *weight,
    ]


def main() -> None:
    """Measure, print and write."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--envs", type=Path, default=Path(tempfile.gettempdir()) / "recollect-peers")
    parser.add_argument("--only", nargs="+", default=[], help="names that begin so, in lower case")
    parser.add_argument("--results", type=Path, default=RESULTS)
    given = parser.parse_args()
    try:
        corpus = make_corpus()
    except FileNotFoundError as missing:
        sys.exit(f"LoCoMo is not there: {missing.filename}; point RECOLLECT_DATA at the folder of the data")
    began, load = time.monotonic(), os.getloadavg()[0]
    rows: dict[str, Any] = {}
    with postgres() as root:
        for peer in PEERS:
            if not given.only or peer.name.lower().startswith(tuple(given.only)):
                rows[peer.name] = compete(peer, root, corpus, given.envs)
                print(peer.name, json.dumps(rows[peer.name]), file=sys.stderr, flush=True)
    results = {
        "command": "make bench-peers",
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "load": [load, os.getloadavg()[0]],
        "minutes": (time.monotonic() - began) / 60,
        "questions": len(corpus["questions"]),
        "rows": rows,
    }
    text = report(results)
    print(text)
    given.results.mkdir(parents=True, exist_ok=True)
    (given.results / "peers.md").write_text(text, "utf-8")
    (given.results / "peers.json").write_text(json.dumps(results, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
