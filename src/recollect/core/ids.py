"""UUIDs of version 7: sorted by time, made by us."""

from __future__ import annotations

import hashlib
import os
import threading
import time
from uuid import UUID

NEWEST = UUID(int=2**128 - 1)
"""Above every id: the start of a list of what is newest."""

_lock = threading.Lock()
_last = 0


def uuid7() -> UUID:
    """A new UUIDv7 (RFC 9562, 6.2 method 1): 48 bits of milliseconds, a counter of 12, 62 random bits.

    Ids made by one process rise strictly, so a list sorted by id is in the order of its making.

    >>> a, b = uuid7(), uuid7()
    >>> a < b and a.version == 7
    True
    """
    global _last  # noqa: PLW0603 - the counter is the process's own, as the RFC asks
    with _lock:
        _last = max(time.time_ns() // 1_000_000 << 12, _last + 1)
        stamp = _last
    random = int.from_bytes(os.urandom(8)) >> 2
    return UUID(int=(stamp >> 12) << 80 | 0x7 << 76 | (stamp & 0xFFF) << 64 | 0b10 << 62 | random)


def derived_id(base: UUID, *parts: str) -> UUID:
    """The id of what is derived from a memory: the same each time, and beside `base` in a list sorted by id.

    It has the time and the counter of `base`, and for the rest a digest of `base` and the parts.

    >>> base = uuid7()
    >>> derived_id(base, "fact", "sofa") == derived_id(base, "fact", "sofa") != derived_id(base, "sofa")
    True
    """
    said = "\0".join([str(base), *parts]).encode("utf-8", "surrogatepass")
    digest = int.from_bytes(hashlib.sha256(said).digest()[:8]) >> 2
    return UUID(int=base.int >> 64 << 64 | 0b10 << 62 | digest)
