"""What Recollect weighs: its installation, its start, its memory when idle.

    python benchmarks/weight.py

installs the locked requirements and the project into a new environment, and starts the server from there over
a home that is set up already, five times. Writes benchmarks/results/weight.{md,json}.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
from recall_offline import RESULTS, ROOT
from served import new_home, recollect, serve

STARTS = 5
IDLE_SECONDS = 5
NOT_OURS = {"pip", "setuptools", "hatchling", "editables", "pathspec", "pluggy", "trove-classifiers"}
MB = 1_000_000


def install(folder: Path) -> str:
    """A new environment as `pip install .` leaves it, bytecode not counted; its Python."""
    subprocess.run([sys.executable, "-m", "venv", str(folder)], check=True)
    python = str(folder / "bin" / "python")
    pip = [python, "-m", "pip", "install", "--quiet", "--no-compile", "--disable-pip-version-check"]
    subprocess.run([*pip, "--require-hashes", "-r", str(ROOT / "requirements.lock")], check=True)
    subprocess.run([*pip, "--no-deps", str(ROOT)], check=True)
    return python


def sizes(site: Path) -> tuple[Counter[str], int]:
    """Bytes by top-level folder, and how many packages there are, what pip brought for itself left out."""
    packages = {
        path.name.split("-")[0].lower().replace("_", "-") for path in site.glob("*.dist-info")
    } - NOT_OURS
    found: Counter[str] = Counter()
    for path in site.rglob("*"):
        top = path.relative_to(site).parts[0]
        ours = top.split("-")[0].lower().replace("_", "-") not in NOT_OURS and top != "pkg_resources"
        if ours and path.is_file() and not path.is_symlink() and path.suffix != ".pyc":
            found[top] += path.stat().st_size
    return found, len(packages)


def postgres(home: Path) -> Iterator[psutil.Process]:
    """The processes of the embedded server of a home."""
    postmaster = int((home / "postgres" / "data" / "postmaster.pid").read_text().split()[0])
    parent = psutil.Process(postmaster)
    return iter([parent, *parent.children()])


def start(home: Path, key: str, python: str) -> dict[str, float]:
    """One start from nothing running: seconds until a question was answered, and MB when idle."""
    begin = time.perf_counter()
    with serve(home, key, python) as server, server.client() as client:
        ready = time.perf_counter() - begin
        client.post("/v1/recall", json={"user_id": "ines", "query": "which sofa?"}).raise_for_status()
        answered = time.perf_counter() - begin
        time.sleep(IDLE_SECONDS)
        return {
            "ready s": ready,
            "first answer s": answered,
            "server RSS MB": psutil.Process(server.process.pid).memory_info().rss / MB,
            "PostgreSQL PSS MB": sum(each.memory_full_info().pss for each in postgres(home)) / MB,
        }


def measure() -> dict[str, Any]:
    """Everything."""
    with tempfile.TemporaryDirectory(prefix="recollect-weight-") as folder, new_home() as home:
        Path(folder).chmod(0o755)
        python = install(Path(folder))
        (site,) = Path(folder).glob("lib/python*/site-packages")
        found, packages = sizes(site)
        recollect(home, "tenant", "create", "bench", python=python)
        key = recollect(home, "key", "create", "bench", python=python)["key"]
        starts = [start(home, key, python) for _ in range(STARTS)]
        model = sum(path.stat().st_size for path in (home / "models").rglob("*") if path.is_file())
    return {
        "install MB": found.total() / MB,
        "packages": packages,
        "largest": {name: size / MB for name, size in found.most_common(12)},
        "model MB": model / MB,
        "median of starts": {name: statistics.median(each[name] for each in starts) for name in starts[0]},
        "starts": starts,
    }


def report(measured: dict[str, Any]) -> str:
    """Markdown."""
    median = measured["median of starts"]
    rows = [
        ("installation, without bytecode and the model", f"{measured['install MB']:.0f} MB", "250 MB"),
        ("packages", str(measured["packages"]), ""),
        ("the embedding model, in the home", f"{measured['model MB']:.0f} MB", ""),
        ("start to ready", f"{median['ready s']:.2f} s", ""),
        ("start to the first answer", f"{median['first answer s']:.2f} s", "3 s"),
        ("server's RSS, idle", f"{median['server RSS MB']:.0f} MB", "350 MB"),
        ("PostgreSQL's PSS, idle", f"{median['PostgreSQL PSS MB']:.0f} MB", ""),
    ]
    largest = ", ".join(f"{name} {size:.0f}" for name, size in measured["largest"].items())
    table = "\n".join(f"| {' | '.join(row)} |" for row in rows)
    return (
        "# Weight\n\n"
        f"`make bench-weight`, Python {sys.version.split()[0]}, the median of {STARTS} starts, on a shared "
        "machine with 2 cores, over a home that is set up; 1 MB is 10⁶ bytes.\n\n"
        f"| what | measured | aim |\n|---|---|---|\n{table}\n\n"
        f"The largest, in MB: {largest}.\n"
    )


def main() -> None:
    """Measure, print and write."""
    measured = measure()
    text = report(measured)
    print(text)
    RESULTS.mkdir(parents=True, exist_ok=True)
    (RESULTS / "weight.md").write_text(text, "utf-8")
    (RESULTS / "weight.json").write_text(json.dumps(measured, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
