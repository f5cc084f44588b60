"""Signatures of webhooks: the secrets that senders sign with, and whether what came was signed by one."""

from __future__ import annotations

import base64
import hmac
import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from recollect.core.pack import Signature

PREFIX = "whs_"
SHORTEST = 32
"""Fewer characters of a secret than that are no secret."""

_TIMESTAMP = re.compile(r"[0-9]{1,12}")
_PLACES = re.compile(r"(\{body\}|\{timestamp\})")


@dataclass(frozen=True, slots=True)
class Sealed:
    """What came: the body as it was sent, and the values of the two headers, one for each time they came."""

    body: bytes
    signatures: Sequence[str]
    timestamps: Sequence[str] = ()


def derive_secret(master: str, tenant_id: UUID, pack: str) -> str:
    """A tenant's secret of a pack, of which its senders' key is the text, UTF-8. Nothing of it is stored.

    >>> derive_secret("0" * 32, UUID(int=1), "commerce")[:12]
    'whs_a9ebcee8'
    """
    return PREFIX + hmac.digest(master.encode(), f"{tenant_id}\0{pack}".encode(), "sha256").hex()


def sign(signature: Signature, secret: str, body: bytes, timestamp: str = "") -> str:
    """What a sender puts into the header.

    >>> sign(Signature("X-Signature", prefix="sha256="), "whs_1", b"{}")[:15]
    'sha256=99b0d3ff'
    """
    said = {"{body}": body, "{timestamp}": timestamp.encode("latin-1")}
    parts = [said.get(part, part.encode()) for part in _PLACES.split(signature.signed)]
    digest = hmac.digest(secret.encode(), b"".join(parts), "sha256")
    encoded = digest.hex() if signature.encoding == "hex" else base64.b64encode(digest).decode()
    return signature.prefix + encoded


def is_signed(signature: Signature, secret: str, sealed: Sealed, now: datetime) -> bool:
    """Whether it was signed with the secret, and not long ago; of a header that came twice none counts."""
    timestamp = ""
    if signature.timestamp_header:
        if len(sealed.timestamps) != 1 or not _TIMESTAMP.fullmatch(sealed.timestamps[0]):
            return False
        timestamp = sealed.timestamps[0]
    expected = sign(signature, secret, sealed.body, timestamp)
    given = sealed.signatures[0] if len(sealed.signatures) == 1 else ""
    if not hmac.compare_digest(expected.encode(), given.encode()):
        return False
    return not timestamp or abs(now.timestamp() - int(timestamp)) <= signature.tolerance
