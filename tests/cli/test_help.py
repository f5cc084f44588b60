"""What `recollect --help` says, and that it says it at once."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from recollect import __version__
from recollect.cli import COMMANDS, main
from recollect.cli.docs import pages
from recollect.settings import Settings

DOCS = Path(__file__).parents[2] / "docs"


def commands(context: click.Context) -> Iterator[click.Context]:
    yield context
    if isinstance(context.command, click.Group):
        for name in context.command.list_commands(context):
            inner = context.command.get_command(context, name)
            assert inner is not None
            yield from commands(click.Context(inner, parent=context, info_name=name))


EVERY = list(commands(main.make_context("recollect", ["help"])))


@pytest.fixture(scope="module")
def made() -> Mapping[str, str]:
    """The pages as the code makes them now."""
    return pages()


def test_the_help_lists_every_command() -> None:
    shown = CliRunner().invoke(main, ["--help"]).output
    assert all(summary[:40] in shown for _, summary in COMMANDS.values())


def test_the_help_loads_no_part_that_is_slow_to_load() -> None:
    code = (
        "import sys, click.testing, recollect.cli;"
        "click.testing.CliRunner().invoke(recollect.cli.main, ['--help']);"
        "print(*{'pydantic', 'numpy', 'psycopg', 'fastapi', 'uvicorn', 'onnxruntime'} & sys.modules.keys())"
    )
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.strip() == ""


@pytest.mark.parametrize("context", EVERY, ids=lambda context: context.command_path)
def test_every_command_and_option_is_described(context: click.Context) -> None:
    command = context.command
    assert command.help
    options = [option for option in command.params if isinstance(option, click.Option)]
    assert [option.name for option in options if not option.help] == []
    if not isinstance(command, click.Group):
        assert "--json" in {name for option in options for name in option.opts}


def test_the_version_is_told() -> None:
    assert CliRunner().invoke(main, ["--version"]).output == f"{__version__}\n"


@pytest.mark.parametrize("arguments", [["nonsense"], ["recall"], ["key", "create"], ["serve", "--nonsense"]])
def test_a_command_that_cannot_be_understood_exits_with_2(arguments: list[str]) -> None:
    done = CliRunner().invoke(main, arguments)
    assert done.exit_code == 2
    assert "\nerror: " in done.stderr
    assert done.stdout == ""
    done = CliRunner().invoke(main, [*arguments, "--json"])
    assert done.exit_code == 2
    problem = json.loads(done.stdout)
    assert problem["code"] == "usage"
    assert f"error: {problem['detail']}\nhint: {problem['hint']}\n" in done.stderr


@pytest.mark.parametrize("arguments", [[], ["key"]])
def test_a_group_alone_shows_its_commands(arguments: list[str]) -> None:
    assert "Commands:" in CliRunner().invoke(main, arguments).stderr


def test_options_that_exclude_each_other_are_explained() -> None:
    forget = ["forget", "--tenant", "t", "--session", "s", "--user", "u", "--json"]
    assert "exactly one of" in json.loads(CliRunner().invoke(main, forget).stdout)["detail"]


@pytest.mark.parametrize("name", ["cli.md", "settings.md"])
def test_the_pages_are_current(made: Mapping[str, str], name: str) -> None:
    assert (DOCS / name).read_text("utf-8") == made[name], "run: python -m recollect.cli.docs"


@pytest.mark.parametrize("name", Settings.model_fields)
def test_every_setting_is_described(made: Mapping[str, str], name: str) -> None:
    assert Settings.model_fields[name].description
    assert f"`RECOLLECT_{name.upper()}`" in made["settings.md"]
