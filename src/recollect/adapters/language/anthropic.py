"""Anthropic's models, by its SDK: structured outputs, streamed."""

from __future__ import annotations

from typing import Any

import anthropic
import httpx2

from recollect.adapters.language.hearing import CONNECT_SECONDS, RETRIES, End, Heard, failure
from recollect.core.model import JsonObject
from recollect.core.ports import Prompt

_ENDS = {
    "end_turn": End.WHOLE,
    "stop_sequence": End.WHOLE,
    "max_tokens": End.TOO_LONG,
    "model_context_window_exceeded": End.TOO_LONG,
    "refusal": End.REFUSED,
}


class AnthropicWire:
    """Anthropic's Messages, or what speaks like them at `base_url`."""

    def __init__(self, model: str, key: str, base_url: str | None, seconds: float) -> None:
        self._model = model
        self._client = anthropic.AsyncAnthropic(
            api_key=key,
            base_url=base_url,
            max_retries=RETRIES,
            timeout=httpx2.Timeout(seconds, connect=min(CONNECT_SECONDS, seconds)),
            open_telemetry=False,  # what is asked holds what people said
        )

    async def listen(self, prompt: Prompt, schema: JsonObject, heard: Heard) -> None:
        """As `Wire` says. A stream that breaks comes as the network's error, or the JSON reader's."""
        try:
            async with await self._client.messages.create(
                model=self._model,
                max_tokens=prompt.output_tokens,
                system=prompt.system,
                messages=[{"role": "user", "content": prompt.user}],
                output_config={"format": {"type": "json_schema", "schema": dict(schema)}},
                stream=True,
            ) as events:
                async for event in events:
                    _hear(event, heard)
        except (anthropic.APIError, httpx2.HTTPError, ValueError) as error:
            raise failure(error, heard) from None

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.close()


def _hear(event: Any, heard: Heard) -> None:
    match event.type:
        case "message_start":
            used = event.message.usage
            cached = (used.cache_read_input_tokens or 0) + (used.cache_creation_input_tokens or 0)
            heard.input_tokens = used.input_tokens + cached
        case "content_block_delta" if event.delta.type == "text_delta":
            heard.parts.append(event.delta.text)
        case "message_delta":
            heard.output_tokens = event.usage.output_tokens
            heard.end = _ENDS.get(event.delta.stop_reason)
