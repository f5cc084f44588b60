"""A pack that is not ours is found by its entry point, once it is installed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path

import pytest

from cli.command_line import PATIENCE, Cli
from recollect.core.model import tenant_id_of
from recollect.core.signatures import derive_secret
from recollect.wiring import installed_packs

GARDEN = Path(__file__).parents[2] / "examples" / "garden"
LIST = "import json; from recollect.wiring import installed_packs; print(json.dumps(list(installed_packs())))"
PACKAGE = "from recollect.core.manifest import read_pack\nPACK = read_pack(__name__)\n"
MOOR = 'name = "moor"\nabout = "Peat."\n'
WEBHOOK = '[[webhook]]\npath = "depths"\nreceive = "code:{}"\n[webhook.signature]\nheader = "X-Signed"\n'
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


Write = Callable[..., None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Write]:
    """Installs a pack `moor` of these files for this process."""
    info = tmp_path / "moor-1.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: moor\nVersion: 1\n", "utf-8")
    (info / "entry_points.txt").write_text("[recollect.packs]\nmoor = recollect_moor:PACK\n", "utf-8")
    (tmp_path / "recollect_moor").mkdir()

    def write(**files: str) -> None:
        for name, text in ({"__init___py": PACKAGE} | files).items():
            stem, _, suffix = name.rpartition("_")
            (tmp_path / "recollect_moor" / f"{stem}.{suffix}").write_text(text, "utf-8")

    monkeypatch.syspath_prepend(tmp_path)
    installed_packs.cache_clear()
    yield write
    installed_packs.cache_clear()
    for name in [name for name in sys.modules if name.partition(".")[0] == "recollect_moor"]:
        del sys.modules[name]


@pytest.mark.parametrize(
    "code", ["PACK = (", "PACK = pack", "PACK = 1 + ''", "PACK = int('x')", "import moor"]
)
def test_one_that_cannot_be_imported_is_told_with_what_to_do(cli: Cli, install: Write, code: str) -> None:
    install(__init___py=code)
    problem = cli.refused("pack", "list")
    assert problem["detail"].startswith("The pack moor cannot be imported: ")
    assert problem["hint"] == "Correct or uninstall moor, which brings it."


@pytest.mark.parametrize(
    ("files", "told"),
    [
        ({"pack_toml": MOOR + 'routes = "code:nothing"'}, "'code:nothing', which cannot be had"),
        ({"pack_toml": MOOR + 'routes = "code:answer"'}, "'code:answer' is no router"),
        ({"pack_toml": MOOR + 'routes = "wrong:router"'}, "'wrong:router', which cannot be had"),
        ({"pack_toml": MOOR + 'sample = "code:nothing"'}, "'code:nothing', which cannot be had"),
        ({"pack_toml": MOOR + 'sample = "code:number"'}, "'code:number' cannot be called"),
        ({"pack_toml": MOOR + WEBHOOK.format("nothing")}, "'code:nothing', which cannot be had"),
        ({"pack_toml": MOOR + WEBHOOK.format("number")}, "'code:number' cannot be called"),
        (
            {"cases_toml": '[[case]]\nsays = "x"\nfacts = ["not peat: deep"]'},
            "recollect_moor/cases.toml, case 1: no attribute is 'peat'",
        ),
        ({"cases_toml": '[[case]]\nsays = "x"\nnames = ["bog"]'}, "case 1: no kind is 'bog'"),
    ],
)
def test_what_it_names_and_has_not_is_found_by_a_check(
    cli: Cli, install: Write, files: dict[str, str], told: str
) -> None:
    install(
        **{"pack_toml": MOOR, "code_py": "number = 1\ndef answer(): ...", "wrong_py": "router = ("} | files
    )
    assert told in cli.refused("pack", "check", "moor")["detail"]


def test_a_check_fails_by_what_the_rules_were_made_with(cli: Cli, install: Write) -> None:
    install(pack_toml=MOOR)
    assert cli.text("pack", "check", "moor") == "There are no cases.\n"
    case = '[[case]]\nsays = "Good morning."\nfacts = ["budget: 5 dollars"]\n'
    for held, code in (("held = true", 0), ("", 1)):
        install(cases_toml=case + held)
        installed_packs.cache_clear()
        sys.modules.pop("recollect_moor", None)
        done = cli.run("pack", "check", "moor")
        assert (done.exit_code, "missed: budget: 5 dollars" in done.stdout) == (code, True)


@pytest.mark.usefixtures("beside")
def test_its_senders_are_told_where_to_post_and_the_secret(cli: Cli) -> None:
    cli.text("tenant", "create", "green")
    assert cli.refused("pack", "webhooks", "garden", "--tenant", "green")["code"] == "webhooks_off"
    server = cli.with_variables(RECOLLECT_WEBHOOK_SECRET=MASTER)
    assert server.json("pack", "on", "garden", "--tenant", "green")["changed"]
    assert "X-Signature-256: sha256=<" in server.text("pack", "webhooks", "garden", "--tenant", "green")
    assert "no webhooks" in cli.text("pack", "webhooks", "commerce", "--tenant", "green")
    from recollect_garden import PACK  # noqa: PLC0415 - it is there only now

    shown = server.json("pack", "webhooks", "garden", "--tenant", "green")
    assert shown == {
        "secret": derive_secret(MASTER, tenant_id_of("green"), "garden"),
        "webhooks": [
            {"path": "/garden/webhooks/readings?tenant=green", **asdict(PACK.webhooks[0].signature)}
        ],
    }
    assert server.refused("pack", "webhooks", "garden", "--tenant", "nobody")["code"] == "not_found"
    assert server.refused("pack", "webhooks", "forest", "--tenant", "green")["code"] == "not_found"
