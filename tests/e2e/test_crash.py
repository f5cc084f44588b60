"""A short run of benchmarks/crash.py: what was acknowledged survives kill -9, once. `make soak` runs long."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

CRASH = Path(__file__).parents[2] / "benchmarks" / "crash.py"
WRITES = 200
KILLS = 4


def test_no_acknowledged_write_is_lost_or_doubled(tmp_path: Path, models: Path) -> None:
    done = subprocess.run(
        [
            sys.executable,
            CRASH,
            f"--writes={WRITES}",
            f"--kills={KILLS}",
            "--seed=7",
            f"--results={tmp_path}",
        ],
        check=False,
        capture_output=True,
        text=True,
        env=os.environ | {"RECOLLECT_HOME": str(models.parent)},
    )
    assert done.returncode == 0, done.stderr
    figures = json.loads((tmp_path / "crash.json").read_text())
    assert figures["acknowledged"] == WRITES
    assert figures["kills"] == {"backend": 1, "both": 1, "postmaster": 1, "server": 1}
    assert figures["repeats"] > 0
    assert {figures[fault] for fault in ("lost", "doubled", "strange", "gaps")} == {0}
