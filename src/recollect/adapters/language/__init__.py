"""The language adapter: vendors' models behind the port `LanguageModel`, each by its own SDK."""

from __future__ import annotations

import os
from functools import partial
from importlib.util import find_spec
from typing import Literal, TypeAlias

from recollect.adapters.language.hearing import HeardModel, Wire
from recollect.core.errors import Misconfigured

__all__ = ["Provider", "open_language_model"]

Provider: TypeAlias = Literal["anthropic", "openai"]

_VARIABLES: dict[Provider, str] = {"anthropic": "ANTHROPIC_API_KEY", "openai": "OPENAI_API_KEY"}


def open_language_model(
    provider: Provider, model: str, *, key: str | None, base_url: str | None, seconds: float
) -> HeardModel:
    """A vendor's model; close it with `aclose()`. Nothing is asked of it yet.

    `key` None: the vendor's own variable has it, and a server at `base_url` may need none. `seconds`: what
    a call may take at most.

    Raises:
        Misconfigured: the vendor's package is not installed, or there is no key.
    """
    key = key or os.environ.get(_VARIABLES[provider]) or ("none" if base_url else None)
    if key is None:
        raise Misconfigured(
            f"There is no key for {provider}.",
            hint=f"Set RECOLLECT_LANGUAGE_API_KEY, or {_VARIABLES[provider]}.",
        )
    if find_spec(provider) is None:
        raise Misconfigured(
            f"The package {provider} is not installed.", hint=f"pip install 'recollect[{provider}]'"
        )
    return HeardModel(partial(_open, provider, model, key, base_url, seconds), model, seconds)


def _open(provider: Provider, model: str, key: str, base_url: str | None, seconds: float) -> Wire:
    # An SDK takes long to import, and is not there unless it is wanted.
    match provider:
        case "anthropic":
            from recollect.adapters.language.anthropic import AnthropicWire  # noqa: PLC0415 - see above

            return AnthropicWire(model, key, base_url, seconds)
        case "openai":
            from recollect.adapters.language.openai import OpenAIWire  # noqa: PLC0415 - see above

            return OpenAIWire(model, key, base_url, seconds)
