"""Commands that cannot be understood."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import IO, Any

import click

from recollect.cli.console import Console
from recollect.core.errors import Invalid

CODE = "usage"


class Misunderstood(click.ClickException):
    """A usage error, told as every other error is, behind the command's usage."""

    exit_code = 2

    def __init__(self, error: click.UsageError, *, as_json: bool) -> None:
        super().__init__(error.format_message())
        self._ctx = error.ctx
        self._console = Console(as_json)

    def show(self, file: IO[Any] | None = None) -> None:  # noqa: ARG002 - click's signature
        hint = None
        if self._ctx:
            self._console.note(self._ctx.get_usage())
            hint = f"`{self._ctx.command_path} --help` says how it is used."
        self._console.explain(CODE, self.message, hint)


@contextmanager
def told_apart(arguments: Sequence[str]) -> Iterator[None]:
    """Tells usage errors in our way; as a JSON document too, if the arguments ask for it."""
    # Looked up before they are parsed: it may be the parsing that fails.
    as_json = "--json" in arguments
    try:
        yield
    except click.exceptions.NoArgsIsHelpError:
        raise
    except click.UsageError as error:
        raise Misunderstood(error, as_json=as_json) from error


def without_user(what: str) -> Invalid:
    """Why something is not kept without a user, unless it was asked for."""
    return Invalid(
        f"{what} names no user. What is kept without one can be read by everybody of the tenant.",
        hint="Give --user, or --shared if that is what you want.",
    )
