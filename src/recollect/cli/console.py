"""What a person, or a program, is shown."""

from __future__ import annotations

import dataclasses
import enum
import json
import shutil
import sys
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from textwrap import fill
from types import TracebackType
from typing import Any, Self

import click

from recollect.core.errors import RecollectError

_PATIENCE = 0.5
"""Seconds after which a step is worth telling of."""


@dataclass(frozen=True, slots=True)
class Console:
    """Results go to standard output, once; all else to standard error."""

    as_json: bool

    def show(self, document: Any, text: str) -> None:
        """The result: as a JSON document, or as text."""
        click.echo(_json(plain(document)) if self.as_json else text)

    def tell(self, text: str) -> None:
        """A part of the result that is told as it comes: to people alone."""
        if not self.as_json:
            click.echo(text)

    def note(self, text: str) -> None:
        """What is said beside the result."""
        click.echo(text, err=True)

    def fail(self, error: RecollectError) -> None:
        """What went wrong, and what to do about it."""
        self.explain(error.code, str(error), error.hint)

    def explain(self, code: str, detail: str, hint: str | None) -> None:
        """The same of what is no error of ours."""
        if self.as_json:
            click.echo(_json({"code": code, "detail": detail, "hint": hint}))
        click.echo(f"error: {detail}", err=True)
        if hint:
            click.echo(f"hint: {hint}", err=True)


def counted(number: int, one: str, many: str | None = None) -> str:
    """A number with its noun.

    >>> counted(1, "memory", "memories"), counted(2, "user")
    ('1 memory', '2 users')
    """
    return f"{number} {one if number == 1 else many or one + 's'}"


def wrapped(text: str, indent: str) -> str:
    """The text, on a terminal within its width, the further lines indented; elsewhere as it is."""
    if not sys.stdout.isatty():
        return text
    width = max(shutil.get_terminal_size().columns, 40)
    return "\n".join(fill(line, width, subsequent_indent=indent) for line in text.split("\n"))


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, indent=2, default=_text)


def plain(value: Any) -> Any:
    """The value as JSON has it: objects by their fields, ranks by name."""
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in dataclasses.fields(value)}
    if isinstance(value, Mapping):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    if isinstance(value, frozenset):
        return sorted(value)
    return value.name.lower() if isinstance(value, enum.IntEnum) else value


def _text(value: Any) -> str:
    return value.isoformat() if isinstance(value, datetime) else str(value)


class Steps:
    """Tells which step is under way, on standard error, once it takes longer than a moment.

    On a terminal, with its seconds. Call it with a sentence, from any thread, for each step.
    """

    def __init__(self) -> None:
        self._stream = sys.stderr
        self._terminal = self._stream.isatty()
        self._changed = threading.Condition()
        self._step: str | None = None
        self._since = 0.0
        self._shown = False
        self._ended = False
        self._thread = threading.Thread(target=self._watch, daemon=True, name="steps")

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._changed:
            self._ended = True
            self._begin(None)
        self._thread.join()

    def __call__(self, step: str) -> None:
        """This step begins, and the last one is over."""
        with self._changed:
            self._begin(step)

    def _begin(self, step: str | None) -> None:
        if self._shown and self._terminal:
            self._tell(end="\n")
        self._step = step.rstrip(".") if step else None
        self._since, self._shown = time.monotonic(), False
        self._changed.notify()

    def _watch(self) -> None:
        with self._changed:
            while not self._ended:
                if self._changed.wait(_PATIENCE):
                    continue
                if self._step and (self._terminal or not self._shown):
                    self._tell(end="" if self._terminal else "\n")
                    self._shown = True

    def _tell(self, end: str) -> None:
        if self._terminal:
            self._stream.write(f"\r\x1b[K{self._step} … {time.monotonic() - self._since:.0f} s{end}")
        else:
            self._stream.write(f"{self._step} …{end}")
        self._stream.flush()
