"""OpenAI's models, and whatever speaks like them, by its SDK: structured outputs, streamed.

Servers that are compatible are so to a degree. One that refuses a parameter by its name is asked again
without it, and so from then on.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any, Self

import httpx2
import openai

from recollect.adapters.language.hearing import CONNECT_SECONDS, RETRIES, End, Heard, failure
from recollect.core.model import JsonObject
from recollect.core.ports import Prompt

_ENDS = {"stop": End.WHOLE, "length": End.TOO_LONG, "content_filter": End.REFUSED}
_SCHEMA = "\n\nAnswer with one JSON object, and nothing else, that this JSON schema allows:\n"


@dataclass(frozen=True, slots=True)
class Manner:
    """How a server is asked. `formats`: those still to be tried, the best first; "" is none at all."""

    formats: tuple[str, ...] = ("json_schema", "json_object", "")
    limit: str = "max_completion_tokens"
    counts: bool = True

    def plainer(self, refused: str) -> Self | None:
        """Without what a server refused; None if that names nothing that can be left out."""
        if len(self.formats) > 1 and ("response_format" in refused or self.formats[0] in refused):
            return replace(self, formats=self.formats[1:])
        if "max_completion_tokens" in refused and self.limit == "max_completion_tokens":
            return replace(self, limit="max_tokens")
        if "stream_options" in refused and self.counts:
            return replace(self, counts=False)
        return None

    def parameters(self, prompt: Prompt, schema: JsonObject) -> dict[str, Any]:
        """The request's."""
        form = self.formats[0]
        told = "" if form == "json_schema" else _SCHEMA + json.dumps(schema)
        parameters: dict[str, Any] = {
            "messages": [
                {"role": "system", "content": prompt.system + told},
                {"role": "user", "content": prompt.user},
            ],
            self.limit: prompt.output_tokens,
        }
        if form:
            parameters["response_format"] = {"type": form}
        if form == "json_schema":
            named = {"name": "answer", "strict": True, "schema": dict(schema)}
            parameters["response_format"][form] = named
        if self.counts:
            parameters["stream_options"] = {"include_usage": True}
        return parameters


class OpenAIWire:
    """OpenAI's chat completions, or what speaks like them at `base_url`."""

    def __init__(self, model: str, key: str, base_url: str | None, seconds: float) -> None:
        self._model = model
        self._manner = Manner()
        self._client = openai.AsyncOpenAI(
            api_key=key,
            base_url=base_url,
            max_retries=RETRIES,
            timeout=httpx2.Timeout(seconds, connect=min(CONNECT_SECONDS, seconds)),
        )

    async def listen(self, prompt: Prompt, schema: JsonObject, heard: Heard) -> None:
        """As `Wire` says."""
        manner: Manner | None = self._manner
        while manner:
            try:
                await self._stream(manner.parameters(prompt, schema), heard)
            except (openai.BadRequestError, openai.UnprocessableEntityError) as error:
                manner = manner.plainer(error.message)
                if manner is None:
                    raise failure(error, heard) from None
            except (openai.APIError, httpx2.HTTPError, ValueError) as error:
                raise failure(error, heard) from None
            else:
                self._manner = manner
                return

    async def _stream(self, parameters: dict[str, Any], heard: Heard) -> None:
        chunks = await self._client.chat.completions.create(model=self._model, stream=True, **parameters)
        async with chunks:
            async for chunk in chunks:
                _hear(chunk, heard)

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.close()


def _hear(chunk: Any, heard: Heard) -> None:
    if chunk.usage:
        heard.input_tokens, heard.output_tokens = chunk.usage.prompt_tokens, chunk.usage.completion_tokens
    for choice in chunk.choices[:1]:
        if choice.delta.content:
            heard.parts.append(choice.delta.content)
        if choice.delta.refusal:
            heard.end = End.REFUSED
        elif choice.finish_reason:
            heard.end = heard.end or _ENDS.get(choice.finish_reason)
