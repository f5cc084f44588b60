"""The command line as it is used: a process of its own, with a home of its own."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result

from recollect.cli import main

PATIENCE = 120


@dataclass(frozen=True, slots=True)
class Cli:
    """Runs `recollect` in a home: in this process, which is faster, or in one of its own."""

    home: Path
    variables: dict[str, str] = field(default_factory=dict)

    @property
    def environment(self) -> dict[str, str]:
        return {"RECOLLECT_HOME": str(self.home), **self.variables}

    def run(self, *arguments: str | Path, stdin: str = "") -> Result:
        """Run a command to its end."""
        return CliRunner().invoke(
            main, list(map(str, arguments)), input=stdin, env=self.environment, catch_exceptions=False
        )

    def text(self, *arguments: str | Path, stdin: str = "") -> str:
        """What a command that must go well prints."""
        done = self.run(*arguments, stdin=stdin)
        assert done.exit_code == 0, done.stderr
        return done.stdout

    def json(self, *arguments: str | Path, stdin: str = "") -> Any:
        """The one document that a command that must go well prints with --json."""
        return json.loads(self.text(*arguments, "--json", stdin=stdin))

    def refused(self, *arguments: str | Path) -> dict[str, Any]:
        """The problem of a command that must fail; a person gets the same words."""
        done = self.run(*arguments, "--json")
        assert done.exit_code == 1, done.stderr
        problem: dict[str, Any] = json.loads(done.stdout)
        assert f"error: {problem['detail']}\n" in done.stderr
        assert problem["hint"] is None or f"hint: {problem['hint']}\n" in done.stderr
        return problem

    def process(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Run a command to its end in a process of its own."""
        return subprocess.run(
            [sys.executable, "-m", "recollect", *arguments],
            check=False,
            capture_output=True,
            text=True,
            stdin=subprocess.DEVNULL,
            env={**os.environ, **self.environment},
            timeout=PATIENCE,
        )

    @contextmanager
    def start(self, *arguments: str) -> Iterator[subprocess.Popen[str]]:
        """Run a command that serves; at the end it is interrupted, unless it has ended by then."""
        process = subprocess.Popen(
            [sys.executable, "-m", "recollect", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env={**os.environ, **self.environment},
        )
        with process:
            try:
                yield process
            finally:
                if process.poll() is None:
                    process.send_signal(signal.SIGINT)
                    process.wait(PATIENCE)

    def with_variables(self, **variables: str) -> Cli:
        """The same, with these variables in its environment."""
        return Cli(self.home, {**self.variables, **variables})


def make_home(folder: Path, models: Path) -> Path:
    """A home in which the model is there already, unless it has to be fetched anyway."""
    models.mkdir(parents=True, exist_ok=True)
    (folder / "models").symlink_to(models, target_is_directory=True)
    return folder
