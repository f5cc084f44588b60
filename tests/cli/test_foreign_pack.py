"""A pack that is not ours is found by its entry point, once it is installed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from cli.command_line import PATIENCE, Cli
from recollect.core.model import tenant_id_of
from recollect.core.signatures import derive_secret
from recollect.wiring import installed_packs

GARDEN = Path(__file__).parents[2] / "examples" / "garden"
LIST = "import json; from recollect.wiring import installed_packs; print(json.dumps(list(installed_packs())))"
MASTER = "the-secret-of-this-test-and-of-no-server"


def run(*command: str | Path, path: str = "") -> str:
    """What a command of Python prints that must go well."""
    done = subprocess.run(
        [sys.executable, *command],
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": path},
        timeout=PATIENCE,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder into which the pack is installed, and nothing else; nothing is fetched for it."""
    folder = tmp_path_factory.mktemp("site")
    offline = ("--no-index", "--no-deps", "--no-build-isolation", "--disable-pip-version-check", "--quiet")
    run("-m", "pip", "install", *offline, "--target", folder, GARDEN)
    return folder


@pytest.fixture
def beside(site: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The pack is installed for this process too."""
    monkeypatch.syspath_prepend(site)
    installed_packs.cache_clear()
    yield
    installed_packs.cache_clear()
    for name in [name for name in sys.modules if name.partition(".")[0] == "recollect_garden"]:
        del sys.modules[name]


def test_installing_the_folder_is_all_that_it_takes(site: Path) -> None:
    found = json.loads(run("-W", "error", "-c", LIST, path=str(site)))
    assert sorted(found) == sorted({*installed_packs(), "garden"})


@pytest.mark.usefixtures("beside")
def test_its_senders_are_told_where_to_post_and_the_secret(cli: Cli) -> None:
    cli.text("tenant", "create", "green")
    assert cli.refused("pack", "webhooks", "garden", "--tenant", "green")["code"] == "webhooks_off"
    server = cli.with_variables(RECOLLECT_WEBHOOK_SECRET=MASTER)
    assert server.json("pack", "on", "garden", "--tenant", "green")["changed"]
    shown = server.json("pack", "webhooks", "garden", "--tenant", "green")
    assert shown == {
        "secret": derive_secret(MASTER, tenant_id_of("green"), "garden"),
        "paths": ["/garden/webhooks/readings?tenant=green"],
    }
    assert server.refused("pack", "webhooks", "garden", "--tenant", "nobody")["code"] == "not_found"
    assert server.refused("pack", "webhooks", "forest", "--tenant", "green")["code"] == "not_found"
