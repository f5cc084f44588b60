"""Tenants, keys, models, migrations, and the doctor."""

from __future__ import annotations

import asyncio
import traceback
from pathlib import Path
from uuid import uuid4

import pytest
from testbed import NEWEST_ALONE, Production

from cli.command_line import Cli
from recollect import Recollect
from recollect.core.errors import Misconfigured
from recollect.storage.migrate import migrate, migrations
from recollect.storage.pool import PostgresStorage
from recollect.storage.roll import list_tenants


def test_a_tenant_is_made_once_and_listed(cli: Cli) -> None:
    assert cli.json("tenant", "create", "attic")["name"] == "attic"
    problem = cli.refused("tenant", "create", "attic")
    assert problem["code"] == "already_exists"
    assert "`recollect key create attic`" in problem["hint"]
    assert "attic" in [tenant["name"] for tenant in cli.json("tenant", "list")["tenants"]]
    assert "attic\t" in cli.text("tenant", "list")


def test_a_key_is_shown_alone_on_standard_output_and_never_again(cli: Cli) -> None:
    cli.text("tenant", "create", "keys")
    key = cli.text("key", "create", "keys", "--name", "for the shop").strip()
    assert key.startswith("rcl_")
    assert "\n" not in key
    (listed,) = cli.json("key", "list", "keys")["keys"]
    assert (listed["name"], listed["role"], listed["revoked_at"]) == ("for the shop", "owner", None)
    assert key not in cli.text("key", "list", "keys", "--json")


def test_a_key_has_what_it_was_given_and_is_revoked(cli: Cli) -> None:
    cli.text("tenant", "create", "given")
    made = cli.json(
        "key", "create", "given", "--role", "user", "--user", "u1", "--permission", "memory:read",
        "--expires", "2099-01-01",
    )  # fmt: skip
    assert made["name"].startswith("user, 20")
    assert (made["role"], made["user_id"], made["permissions"]) == ("user", "u1", ["memory:read"])
    assert made["expires_at"] == "2099-01-01T00:00:00+00:00"
    assert cli.json("key", "revoke", "given", made["id"]) == {"revoked": made["id"]}
    (listed,) = cli.json("key", "list", "given")["keys"]
    assert listed["revoked_at"] is not None


def test_what_a_new_key_grants_is_told_beside_it(cli: Cli) -> None:
    cli.text("tenant", "create", "grants")
    done = cli.run(
        "key", "create", "grants", "--role", "staff", "--permission", "memory:read", "--expires", "2099-01-01"
    )
    assert ". Role staff: it may memory:read, and expires 2099-01-01 00:00 UTC." in done.stderr
    assert done.stdout.startswith("rcl_")
    assert "never expires" in cli.run("key", "create", "grants").stderr


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (("key", "create", "nobody"), "not_found"),
        (("key", "list", "nobody"), "not_found"),
        (("key", "revoke", "nobody", str(uuid4())), "not_found"),
        (("tenant", "create", "No Name"), "invalid_request"),
        (("model", "show", "--database-url", "postgresql://nobody@127.0.0.1:1/x"), "storage_unavailable"),
        (("tenant", "list", "--database-url", "postgresql://nobody@127.0.0.1:1/x"), "misconfigured"),
        (("migrate", "--database-url", "postgresql://nobody@127.0.0.1:1/x"), "storage_unavailable"),
    ],
)
def test_an_error_has_a_code_and_words(cli: Cli, arguments: tuple[str, ...], code: str) -> None:
    assert cli.refused(*arguments)["code"] == code


def test_a_setting_that_cannot_be_read_is_named_without_its_value(cli: Cli) -> None:
    done = cli.with_variables(RECOLLECT_POOL_SIZE="s3cret").run("tenant", "list")
    assert done.exit_code == 1
    assert "RECOLLECT_POOL_SIZE" in done.stderr
    assert "s3cret" not in done.stderr


SECRET = "s3cret-word"
MALFORMED = [
    f"mysql://app:{SECRET}@h/x",
    f"postgresql:/app:{SECRET}@h/x",
    f"postgresql://app:with {SECRET}@h/x",
    f"postgresql://app:{SECRET}%@h/x",
    f"postgresql://app:with@{SECRET}@h/x",
    f"postgresql://app:with/{SECRET}@h/x",
    f"postgresql://app:{SECRET}@h:port/x",
    f"postgresql://app:{SECRET}@h:99999/x",
    f"postgresql://app@h:{SECRET}/x",
    SECRET,
]


@pytest.mark.parametrize("url", MALFORMED)
def test_a_url_that_cannot_be_read_is_refused_and_shown_nowhere(fresh_cli: Cli, url: str) -> None:
    set_so = fresh_cli.with_variables(RECOLLECT_DATABASE_URL=url)
    for refused in (
        set_so.run("tenant", "list"),
        set_so.run("serve", "--port", "0", "--json"),
        set_so.run("doctor"),
        fresh_cli.run("recall", "x", "--tenant", "t", "--database-url", url),
        fresh_cli.run("migrate", "--database-url", url),
    ):
        assert refused.exit_code == 1
        assert "DATABASE_URL" in refused.output
        assert "percent-encoded" in refused.output
        assert SECRET not in refused.output


def test_the_library_refuses_such_a_url_too() -> None:
    for url in MALFORMED:
        with pytest.raises(Misconfigured) as refused:
            Recollect.open(url)
        assert SECRET not in "".join(traceback.format_exception(refused.value))


@pytest.mark.parametrize("url", ["mysql://app:s3cret-word@h/x", "s3cret-word"])
def test_storage_by_itself_shows_nothing_of_a_url_either(url: str) -> None:
    for connect in (PostgresStorage.open, migrate, list_tenants):
        with pytest.raises(Misconfigured) as refused:
            asyncio.run(connect(url))
        assert SECRET not in "".join(traceback.format_exception(refused.value))


def test_a_variable_that_is_no_setting_is_told_of(cli: Cli) -> None:
    page = cli.with_variables(RECOLLECT_PROT="1", RECOLLECT_API_KEY="rcl_x").text("doctor")
    assert "RECOLLECT_PROT is no setting, and is ignored: is RECOLLECT_PORT meant?" in page
    assert "API_KEY" not in page


def test_the_embedded_database_is_current_after_any_start(cli: Cli) -> None:
    assert cli.json("migrate") == {"applied": []}


@NEWEST_ALONE
def test_a_database_of_ones_own_is_migrated_by_its_owner_and_then_used(
    cli: Cli, production: Production
) -> None:
    server = cli.with_variables(RECOLLECT_DATABASE_URL=production.app)
    assert server.refused("tenant", "create", "loft")["code"] == "schema_outdated"
    assert server.refused("migrate")["code"] == "misconfigured"
    applied = server.json("migrate", "--database-url", production.owner)["applied"]
    assert [step["version"] for step in applied] == [step.version for step in migrations()]
    assert server.json("migrate", "--database-url", production.owner) == {"applied": []}
    server.text("tenant", "create", "loft")
    assert server.refused("tenant", "list")["code"] == "misconfigured"
    owner = server.with_variables(RECOLLECT_OWNER_DATABASE_URL=production.owner)
    assert [tenant["name"] for tenant in owner.json("tenant", "list")["tenants"]] == ["loft"]


def checks(findings: dict[str, list[dict[str, object]]]) -> dict[object, object]:
    return {finding["check"]: finding["ok"] for finding in findings["findings"]}


def test_the_doctor_finds_a_sound_installation_sound(cli: Cli) -> None:
    found = checks(cli.json("doctor"))
    named = ["python", "settings", "home", "model", "packs", "database", "role", "schema", "vectors"]
    assert list(found) == named
    assert all(found.values())
    assert "fault" not in cli.text("doctor")


@pytest.mark.parametrize(
    ("variables", "check"),
    [
        ({"RECOLLECT_PORT": "nonsense"}, "settings"),
        ({"RECOLLECT_HOME": "/dev/null/recollect"}, "home"),
        ({"RECOLLECT_MODEL": "nonsense"}, "model"),
        ({"RECOLLECT_DATABASE_URL": "postgresql://nobody@127.0.0.1:1/x"}, "database"),
        ({"RECOLLECT_DATABASE_URL": "postgresql://nobody@/x?host=/nowhere"}, "database"),
    ],
)
def test_the_doctor_tells_a_fault_and_its_remedy(cli: Cli, variables: dict[str, str], check: str) -> None:
    done = cli.with_variables(**variables).run("doctor")
    assert done.exit_code == 1
    assert f"fault  {check}" in done.stdout
    assert all(line.startswith(("ok     ", "fault  ", " " * 17)) for line in done.stdout.splitlines())


@NEWEST_ALONE
def test_the_doctor_finds_a_schema_that_is_missing_and_a_role_that_is_not_fenced(
    cli: Cli, production: Production
) -> None:
    done = cli.run("doctor", "--database-url", production.app)
    assert "fault  schema" in done.stdout
    asyncio.run(migrate(production.owner))
    assert "fault" not in cli.text("doctor", "--database-url", production.app)
    done = cli.run("doctor", "--database-url", production.owner)
    assert done.exit_code == 1
    assert "fault  role" in done.stdout


def test_the_doctor_leaves_a_damaged_model_as_it_is(fresh_cli: Cli, tmp_path: Path) -> None:
    (fresh_cli.home / "models").unlink()
    damaged = fresh_cli.home / "models" / "all-minilm-l6-v2" / "config.json"
    damaged.parent.mkdir(parents=True)
    damaged.write_text("nonsense")
    assert "is not whole yet" in fresh_cli.text("doctor")
    assert damaged.read_text() == "nonsense"


def test_the_vectors_are_indexed_once_and_the_index_can_go(cli: Cli) -> None:
    cli.text("remember", "Something.", "--tenant", "indexed", "--user", "u")
    assert cli.json("model", "index")["indexed"] == ["all-minilm-l6-v2"]
    assert "nothing to do" in cli.text("model", "index")
    assert cli.json("recall", "something", "--tenant", "indexed", "--all-users")["hits"]
    assert "256MB" in cli.refused("model", "index", "--memory", "lots")["hint"]
    (gone,) = cli.json("model", "index", "--drop")["dropped"]
    assert gone.startswith("memories_near_")
    assert cli.json("model", "index", "--drop")["dropped"] == []


def test_the_model_of_the_vectors_is_shown(cli: Cli) -> None:
    cli.text("remember", "Something.", "--tenant", "models", "--shared")
    (shown,) = cli.json("model")["models"]
    assert (shown["name"], shown["dimensions"], shown["state"]) == ("all-minilm-l6-v2", 384, "serving")
    assert "384 dimensions" in cli.text("model", "show")
