"""The command `recollect`: everything an operator does, and what a newcomer sees first."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from typing import Any

import click

from recollect.cli.usage import told_apart

COMMANDS: Mapping[str, tuple[str, str]] = {
    "demo": ("demo", "Start everything, load a conversation, ask it five questions, and keep serving."),
    "serve": ("serving", "Serve HTTP, with the embedded PostgreSQL or your own."),
    "doctor": ("doctor", "Check the installation, and say what to do about each fault."),
    "worker": ("working", "Understand what was said, in a process of its own."),
    "jobs": ("jobs", "Show how far understanding is behind, and try again what failed."),
    "migrate": ("migrating", "Bring a database's schema up to date."),
    "tenant": ("tenants", "Make and list tenants."),
    "pack": ("packs", "Show the packs that are installed, and turn them on and off for a tenant."),
    "key": ("keys", "Make, list and revoke API keys."),
    "remember": ("memories", "Keep a turn of a conversation, or a fact."),
    "recall": ("memories", "Find the memories that answer a question."),
    "context": ("memories", "Show what an agent should know before it answers."),
    "graph": ("graph", "Show who and what is spoken of, and what they are to each other."),
    "facts": ("facts", "Show what is known in parts, and say what is so."),
    "answer": ("summaries", "Answer a plain question about a person."),
    "summary": ("summaries", "Show what stands for a person, or for a session."),
    "forget": ("memories", "Delete a memory, a session, or a person."),
    "language": ("language", "Show what language models cost a tenant, and say what they may."),
    "ingest": ("ingesting", "Load conversations from files."),
    "model": ("models", "Show the embedding models of a database, or change to another."),
}
"""Each command: the module that has it, and its line in the list, told without importing that module."""


class _Lazy(click.Group):
    """The commands, each imported when it is first wanted."""

    def make_context(
        self, info_name: str | None, args: list[str], parent: click.Context | None = None, **extra: Any
    ) -> click.Context:
        with told_apart(args):
            return super().make_context(info_name, args, parent, **extra)

    def invoke(self, ctx: click.Context) -> Any:
        with told_apart(ctx.args):
            return super().invoke(ctx)

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's signature
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002 - click's signature
        if cmd_name not in COMMANDS:
            return None
        module, _ = COMMANDS[cmd_name]
        command: click.Command = getattr(importlib.import_module(f"recollect.cli.{module}"), cmd_name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002 - click's signature
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, summary) in COMMANDS.items()])


def _show_version(ctx: click.Context, _: click.Parameter, wanted: Any) -> None:
    if wanted and not ctx.resilient_parsing:
        from recollect import __version__  # noqa: PLC0415 - reads the package's metadata, for this alone

        click.echo(__version__)
        ctx.exit()


@click.group(cls=_Lazy, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_show_version,
    help="Print the version.",
)
def main() -> None:
    """Recollect, the memory of AI agents on PostgreSQL.

    Every command takes --json: one JSON document on standard output, progress on standard error.
    URLs with passwords, and keys, are safer in the environment than among the options, which others on
    the same machine can see. The exit code is 0 when all went well, 1 for an error, and 2 for a command
    that cannot be understood.
    """
