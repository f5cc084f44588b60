"""What is heard of a language model while it answers, and what becomes of it."""

from __future__ import annotations

import asyncio
import enum
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import islice
from typing import Protocol

from recollect.adapters.language.schema import faults
from recollect.core.errors import (
    LanguageModelFailed,
    LanguageModelMalformed,
    LanguageModelRefused,
    LanguageModelUnavailable,
)
from recollect.core.model import JsonObject, Usage
from recollect.core.ports import Completion, Prompt

RETRIES = 2
"""So many times a vendor's SDK tries again what failed before an answer began."""

CONNECT_SECONDS = 5.0

_FENCED = re.compile(r"\A```\w*\n(.*)\n```\Z", re.DOTALL)
_HINTS = {
    401: "Set RECOLLECT_LANGUAGE_API_KEY to a key that the vendor accepts.",
    403: "The vendor's key may not use this model; see RECOLLECT_LANGUAGE_API_KEY.",
    404: "There is no such model there: see RECOLLECT_LANGUAGE_MODEL and RECOLLECT_LANGUAGE_BASE_URL.",
}


class End(enum.Enum):
    """How an answer ended."""

    WHOLE = enum.auto()
    TOO_LONG = enum.auto()
    REFUSED = enum.auto()


@dataclass(slots=True)
class Heard:
    """An answer as far as it has come. What it used is unknown until the vendor says so."""

    parts: list[str] = field(default_factory=list)
    end: End | None = None
    input_tokens: int | None = None
    output_tokens: int | None = None

    @property
    def text(self) -> str:
        """What was said so far."""
        return "".join(self.parts)

    @property
    def usage(self) -> Usage | None:
        """What was used; of an answer that broke off, one token for each byte at most. None: unknown."""
        if self.input_tokens is None:
            return None
        unsaid = 0 if self.end else len(self.text.encode())
        return Usage(self.input_tokens, max(self.output_tokens or 0, unsaid))


class Wire(Protocol):
    """A vendor's SDK, to be listened to."""

    async def listen(self, prompt: Prompt, schema: JsonObject, heard: Heard) -> None:
        """Ask, and add to what is heard as it comes.

        Raises:
            LanguageModelFailed: it broke off, or never came.
        """
        ...

    async def aclose(self) -> None:
        """Give up what it holds."""
        ...


class HeardModel:
    """A language model behind a vendor's SDK, as `core.ports.LanguageModel` has it.

    The SDK is opened in a thread by the first call: to import one takes up to two seconds. `seconds`: the
    whole of a call, with all that is tried again, however slowly it drips.
    """

    def __init__(self, open_wire: Callable[[], Wire], model: str, seconds: float) -> None:
        self._open = open_wire
        self._opening = asyncio.Lock()
        self._wire: Wire | None = None
        self._model = model
        self._seconds = seconds

    @property
    def model(self) -> str:
        """The model's id, as its vendor has it."""
        return self._model

    async def complete(self, prompt: Prompt, schema: JsonObject) -> Completion:
        """An answer that the schema allows; raises as the port says."""
        heard, wire = Heard(), await self._opened()
        try:
            async with asyncio.timeout(self._seconds):
                await wire.listen(prompt, schema, heard)
        except TimeoutError:
            raise LanguageModelFailed(
                f"The language model did not answer within {self._seconds:g} seconds.", usage=heard.usage
            ) from None
        return _completion(heard, prompt, schema)

    async def aclose(self) -> None:
        """Close the connections."""
        if self._wire:
            await self._wire.aclose()

    async def _opened(self) -> Wire:
        async with self._opening:
            if self._wire is None:
                self._wire = await asyncio.to_thread(self._open)
            return self._wire


def failure(error: Exception, heard: Heard) -> LanguageModelFailed:
    """What an SDK's error means; nothing of its text, which may hold keys and what was asked."""
    status = getattr(error, "status_code", None)
    if heard.input_tokens is not None or heard.parts:
        return LanguageModelFailed("The language model's answer broke off.", usage=heard.usage)
    if status is None:
        usage = None if "Timeout" in type(error).__name__ else Usage()
        return LanguageModelFailed("The language model could not be reached.", usage=usage)
    return LanguageModelFailed(f"The language model's vendor answered {status}.", hint=_HINTS.get(status))


def _completion(heard: Heard, prompt: Prompt, schema: JsonObject) -> Completion:
    most = Usage(len((prompt.system + prompt.user).encode()), len(heard.text.encode()))
    usage = heard.usage or most
    match heard.end:
        case None:
            raise LanguageModelFailed("The language model's answer broke off.", usage=heard.usage)
        case End.REFUSED:
            raise LanguageModelRefused(usage=usage)
        case End.TOO_LONG:
            raise LanguageModelMalformed("The language model's answer was cut at its limit.", usage=usage)
        case End.WHOLE:
            return Completion(_read(heard.text, schema, usage), usage)


def _read(text: str, schema: JsonObject, usage: Usage) -> JsonObject:
    fenced = _FENCED.match(text.strip())
    try:
        value: JsonObject = json.loads(fenced[1] if fenced else text, parse_constant=_refuse)
    except (ValueError, RecursionError):
        raise _malformed("The language model's answer is no JSON.", usage) from None
    if wrong := "; ".join(islice(faults(value, schema), 3)):
        raise _malformed(f"The language model's answer is not what was asked for: {wrong}.", usage)
    return value


def _refuse(constant: str) -> None:
    raise ValueError(constant)


def _malformed(message: str, usage: Usage) -> LanguageModelUnavailable:
    return LanguageModelMalformed(message, usage=usage)
