"""Writes the pages that are made out of the commands, the settings and the HTTP door themselves.

python -m recollect.cli.docs [--check] [FOLDER]
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import click
from pydantic.fields import FieldInfo

from recollect import __version__
from recollect.cli import main
from recollect.cli.command import command
from recollect.cli.console import Console
from recollect.core.errors import Misconfigured
from recollect.interfaces.http.app import make_routes
from recollect.interfaces.http.openapi import describe
from recollect.interfaces.http.reference import write_reference
from recollect.settings import Settings
from recollect.wiring import installed_packs

_MADE = "<!-- Made by `python -m recollect.cli.docs`; edit the code instead. -->\n"
_WIDTH = 96
_OURS = "recollect.packs."
_OPERATIONS = (
    "Every operation of the HTTP API with all its fields, out of [openapi.json](openapi.json). "
    "[http.md](http.md) tells\nwhat concerns them all: credentials, ids, filters, lists, errors. "
    "Times are RFC 3339 with a zone.\n"
)


def pages() -> Mapping[str, str]:
    """The text of each page, by its file's name."""
    ours = {name: pack for name, pack in installed_packs().items() if pack.package.startswith(_OURS)}
    document = describe(make_routes(__version__, ours))
    return {
        "cli.md": "\n".join(_commands()),
        "settings.md": "\n".join(_settings()),
        "openapi.json": f"{json.dumps(document, indent=1, ensure_ascii=False)}\n",
        "operations.md": f"# Operations\n\n{_MADE}\n{_OPERATIONS}\n{write_reference(document)}",
    }


def _commands() -> Iterator[str]:
    yield f"# The command line\n\n{_MADE}"
    root = main.make_context("recollect", ["help"], terminal_width=_WIDTH)
    for context in _walk(root):
        yield f"## {context.command_path}\n\n```text\n{context.get_help()}\n```\n"


def _walk(context: click.Context) -> Iterator[click.Context]:
    """A command and all below it."""
    yield context
    if isinstance(context.command, click.Group):
        for name in context.command.list_commands(context):
            inner = context.command.get_command(context, name)
            assert inner
            yield from _walk(click.Context(inner, parent=context, info_name=name))


def _settings() -> Iterator[str]:
    yield f"# The settings\n\n{_MADE}"
    yield (
        "Every setting is an environment variable, read once at the start. Most have an option of the same "
        "name\non the commands that they concern; the option wins. An empty variable counts as unset.\n"
    )
    yield "| variable | default | what it does |\n|---|---|---|"
    for name, field in Settings.model_fields.items():
        yield f"| `RECOLLECT_{name.upper()}` | {_default(field)} | {field.description} |"
    yield ""


def _default(field: FieldInfo) -> str:
    """The default, where it is the same everywhere and worth a word."""
    return "" if field.default_factory or field.default in (None, ()) else f"`{field.default}`"


@command
@click.option("--check", is_flag=True, help="Write nothing; fail unless the pages are current.")
@click.argument("folder", default="docs", type=click.Path(file_okay=False, exists=True, path_type=Path))
def write(console: Console, *, folder: Path, check: bool) -> None:
    """Write the pages into FOLDER."""
    made = pages()
    stale = [
        name
        for name, text in made.items()
        if not (folder / name).exists() or (folder / name).read_text("utf-8") != text
    ]
    if check and stale:
        raise Misconfigured(
            f"Not current in {folder}: {', '.join(stale)}.", hint="Run: python -m recollect.cli.docs"
        )
    for name in stale:
        (folder / name).write_text(made[name], "utf-8")
    console.show({"written": stale}, f"Written: {', '.join(stale)}." if stale else "The docs are current.")


if __name__ == "__main__":
    write()
