"""What every command has in common: `--json`, settings as options, and errors without a traceback."""

from __future__ import annotations

import asyncio
import functools
import inspect
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeAlias

import click

from recollect.cli.console import Console
from recollect.core.errors import RecollectError
from recollect.settings import Settings, load_settings

Function: TypeAlias = Callable[..., Any]


class _Moment(click.ParamType[datetime]):
    """A time in ISO 8601; one without a zone is taken as UTC."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> datetime:
        if isinstance(value, datetime):
            return value
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            self.fail(f"{value!r} is not a time like 2026-03-02, or 2026-03-02T17:05:00+01:00.", param, ctx)
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


MOMENT = _Moment()


class Command(click.Command):
    """A command whose function, plain or async, gets the `Console` first, and may raise a RecollectError."""

    def __init__(self, *args: Any, **attributes: Any) -> None:
        super().__init__(*args, **attributes)
        self.params.append(
            click.Option(
                ["--json", "as_json"],
                is_flag=True,
                is_eager=True,
                expose_value=False,
                callback=_make_console,
                help="Print one JSON document.",
            )
        )

    def invoke(self, ctx: click.Context) -> Any:
        console: Console = ctx.obj
        try:
            result = super().invoke(ctx)
            return asyncio.run(result) if inspect.iscoroutine(result) else result
        except RecollectError as error:
            console.fail(error)
            ctx.exit(1)


def _make_console(ctx: click.Context, _: click.Parameter, as_json: bool) -> None:  # noqa: FBT001 - click calls it
    ctx.obj = Console(as_json)


def command(function: Function) -> Command:
    """Makes a function a command; its docstring is the help."""
    return click.command(cls=Command)(click.pass_obj(function))


def with_settings(*names: str) -> Callable[[Function], Function]:
    """Gives a command an option for each of these settings, and passes it all of them as `settings`."""

    def decorate(function: Function) -> Function:
        @functools.wraps(function)
        def run(*args: Any, **params: Any) -> Any:
            given = {name: params.pop(name) for name in names}
            return function(*args, settings=load_settings(**given), **params)

        decorated: Function = run
        for name in reversed(names):
            decorated = _option(name)(decorated)
        return decorated

    return decorate


def _option(name: str) -> Callable[[Function], Function]:
    """An option that says what its setting's documentation says."""
    return click.option(
        f"--{name.replace('_', '-')}",
        metavar="URL" if name.endswith("url") else "VALUE",
        help=f"{Settings.model_fields[name].description} [RECOLLECT_{name.upper()}]",
    )
