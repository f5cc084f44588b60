"""Homes for the command line to run in."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from testbed import FAST, temporary_folder

from cli.command_line import Cli, make_home
from recollect.adapters.embeddings import encoder
from recollect.storage import embedded

OPENED = cache(encoder.Encoder)


@pytest.fixture(autouse=True)
def opened_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Commands that run in this process read a model's files once, not each of them again."""
    monkeypatch.setattr(encoder, "Encoder", OPENED)


@pytest.fixture(scope="session")
def cli(models: Path) -> Iterator[Cli]:
    """The command line, in a home whose PostgreSQL runs already: commands need not start it."""
    with temporary_folder() as folder:
        home = make_home(folder, models)
        server = embedded.start(home, settings=FAST)
        yield Cli(home)
        server.release()


@pytest.fixture
def fresh_cli(reachable_path: Path, models: Path) -> Cli:
    """The command line, in a home where nothing was ever started."""
    return Cli(make_home(reachable_path, models))
