"""`recollect worker`, `jobs` and `remember --wait`: what was said is understood, here or elsewhere."""

from __future__ import annotations

import asyncio
import subprocess
import time
from collections.abc import Callable
from typing import Any

from testbed import NEWEST_ALONE, Production

from cli.command_line import PATIENCE, Cli
from recollect.storage.migrate import migrate

SAID = ("remember", "I live in Atlanta.", "--tenant", "loft", "--user", "ann", "--session")


def wait_for(process: subprocess.Popen[str], state: Callable[[], bool]) -> None:
    """Return when the process, which must live, has brought this about."""
    deadline = time.monotonic() + PATIENCE
    while not state():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < deadline
        time.sleep(0.2)


def lag(cli: Cli) -> dict[str, Any]:
    """How far the tenant's understanding is behind."""
    found: dict[str, Any] = cli.json("jobs", "status", "--tenant", "loft")["tenants"]["loft"]
    return found


def test_waiting_for_it(cli: Cli) -> None:
    assert cli.json(*SAID, "s1", "--wait")["consolidated"] is True
    assert lag(cli)["sessions"] == 0
    assert cli.json(*SAID, "s1")["consolidated"] is None
    assert (lag(cli)["messages"], lag(cli)["jobs"]["waiting"]) == (1, 1)
    assert "1 message in 1 session behind" in cli.text("jobs")
    assert cli.text("jobs", "parked") == "No job is parked.\n"


def test_what_cannot_be_tried_again_is_told(cli: Cli) -> None:
    cli.run(*SAID, "s1")
    for wrong in (("jobs", "retry"), ("jobs", "retry", "1"), ("jobs", "retry", "1", "--all")):
        assert cli.run(*wrong).exit_code == 2
    assert cli.refused("jobs", "retry", "1", "--tenant", "loft")["code"] == "not_found"
    assert cli.refused("jobs", "status", "--tenant", "lofd")["code"] == "not_found"


@NEWEST_ALONE
def test_a_worker_understands_what_others_wrote(cli: Cli, production: Production) -> None:
    asyncio.run(migrate(production.owner))
    own = cli.with_variables(RECOLLECT_DATABASE_URL=production.app)
    own.text(*SAID, "s1")
    assert own.refused("jobs", "status")["hint"].startswith("Give the owner's URL")
    named = own.with_variables(RECOLLECT_OWNER_DATABASE_URL=production.owner)
    assert lag(own)["sessions"] == 1
    with own.start("worker", "--concurrency", "2") as process:
        wait_for(process, lambda: lag(own)["sessions"] == 0)
    assert named.json("jobs", "status")["tenants"]["loft"] == lag(own)
    production.run("UPDATE sessions SET consolidated_seq = 0")
    assert named.text("jobs", "retry", "--all") == "1 job will be tried again.\n"
    assert lag(own)["jobs"]["waiting"] == 1


@NEWEST_ALONE
def test_serving_works_too_unless_it_is_told_not_to(cli: Cli, production: Production) -> None:
    asyncio.run(migrate(production.owner))
    own = cli.with_variables(RECOLLECT_DATABASE_URL=production.app, RECOLLECT_DEBOUNCE_SECONDS="0")
    with own.with_variables(RECOLLECT_WORKER="false").start("serve", "--port", "0", "--json") as process:
        assert process.stdout
        process.stdout.readline()
        own.text(*SAID, "s1")
        time.sleep(3)
        assert lag(own)["sessions"] == 1
    with own.start("serve", "--port", "0", "--json") as process:
        wait_for(process, lambda: lag(own)["sessions"] == 0)
