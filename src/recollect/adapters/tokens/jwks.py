"""Public keys that an identity provider publishes (RFC 7517), fetched when needed, and kept."""

from __future__ import annotations

import asyncio
import json
import logging
import time
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import httpx2
import jwt

from recollect.adapters.tokens.keys import fits
from recollect.core.errors import InvalidToken, Misconfigured, Unavailable

log = logging.getLogger(__name__)

FRESH_SECONDS = 600.0
"""So long keys are used without asking again."""
STALE_SECONDS = 86_400.0
"""So long they are used while the provider does not answer."""
PAUSE_SECONDS = 30.0
"""The provider is asked no more often, whatever keys tokens name."""
FETCH_SECONDS = 5.0
LARGEST_SET = 500_000
MOST_KEYS = 100


@dataclass(frozen=True, slots=True)
class Published:
    """A key, its id, and the one algorithm that its provider allows it; None: any of its kind."""

    kid: str | None
    algorithm: str | None
    key: object

    def may_verify(self, algorithm: str) -> bool:
        """Whether the key may be used for this algorithm."""
        return self.algorithm in (None, algorithm) and fits(algorithm, self.key)


class Jwks:
    """The keys at a URL."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        safe = parts.scheme == "https" or (
            parts.scheme == "http" and parts.hostname in ("localhost", "127.0.0.1", "::1")
        )
        if not safe or not parts.hostname:
            raise Misconfigured(
                "RECOLLECT_JWT_JWKS_URL is not an https URL.",
                hint="Whoever changes the keys on their way can sign tokens; http is for loopback only.",
            )
        self._url = url
        self._keys: list[Published] = []
        self._fetched = self._tried = -STALE_SECONDS
        self._fetching = asyncio.Lock()

    async def find(self, kid: str | None, algorithm: str) -> object:
        """The key of this id that may verify the algorithm; without an id, the only one that may.

        Raises:
            InvalidToken: the provider has no such key.
            Unavailable: the provider does not answer, and what is kept of it is too old.
        """
        # While one caller asks a provider that may be silent, the others go on with what is kept.
        old = time.monotonic() - self._fetched > FRESH_SECONDS
        if old and not (self._keys and self._fetching.locked()):
            await self._refresh()
        if not self._fitting(kid, algorithm):
            await self._refresh()
        match self._fitting(kid, algorithm):
            case [found]:
                return found.key
            case _:
                raise InvalidToken("This token was signed by a key that is not known here.")

    def _fitting(self, kid: str | None, algorithm: str) -> list[Published]:
        return [key for key in self._keys if kid in (None, key.kid) and key.may_verify(algorithm)]

    async def _refresh(self) -> None:
        """Ask the provider, unless that was done a moment ago; of callers at the same time, one asks."""
        async with self._fetching:
            if time.monotonic() - self._tried > PAUSE_SECONDS:
                self._tried = time.monotonic()
                try:
                    self._keys = _read(await self._fetch())
                    self._fetched = time.monotonic()
                except (httpx2.HTTPError, TimeoutError, ValueError, RecursionError) as error:
                    log.warning("The keys of JWTs cannot be fetched: %s", type(error).__name__)
        if time.monotonic() - self._fetched > STALE_SECONDS:
            raise Unavailable("The keys that tokens are verified with cannot be had.")

    async def _fetch(self) -> bytes:
        text = b""
        async with (
            asyncio.timeout(FETCH_SECONDS),
            httpx2.AsyncClient(timeout=FETCH_SECONDS) as client,
            client.stream("GET", self._url) as response,
        ):
            response.raise_for_status()
            async for part in response.aiter_bytes():
                text += part
                if len(text) > LARGEST_SET:
                    raise ValueError("too large")
        return text


def _read(text: bytes) -> list[Published]:
    """The keys of a set that sign; one that cannot be read is passed over, as RFC 7517 §5 asks.

    Raises:
        ValueError: it is not a set of keys.
    """
    document = json.loads(text)
    entries = document.get("keys") if isinstance(document, dict) else None
    if not isinstance(entries, list):
        raise ValueError("not a set of keys")  # noqa: TRY004 - as for any other text that is not one
    return [key for entry in entries[:MOST_KEYS] if isinstance(entry, dict) for key in _published(entry)]


def _published(entry: dict[str, Any]) -> list[Published]:
    # A shared secret has no place in a public set.
    if entry.get("kty") == "oct" or entry.get("use", "sig") != "sig":
        return []
    try:
        return [Published(entry.get("kid"), entry.get("alg"), jwt.PyJWK.from_dict(entry).key)]
    except jwt.PyJWTError:
        return []
