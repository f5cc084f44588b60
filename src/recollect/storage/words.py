"""Our tokens as the table keeps them: four bytes of a hash each, which numpy compares all at once.

Two of a hundred thousand different words meet in one hash with a chance of seven in ten; a query's ten words
meet another one of such a scope with about one in four thousand.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from hashlib import sha256

WIDTH = 4
MOST_COUNTED = 255


def hashes(tokens: Iterable[str]) -> bytes:
    """Of each token the first WIDTH bytes of the SHA-256 of its UTF-8, one after the other.

    >>> hashes(["sofa"]).hex()
    'd32ce7bf'
    """
    return b"".join(sha256(token.encode()).digest()[:WIDTH] for token in tokens)


def words_and_counts(tokens: Sequence[str]) -> tuple[bytes, bytes]:
    """The hashes of the distinct tokens, and how often each stands there: a byte each, MOST_COUNTED at most.

    >>> words, counts = words_and_counts(["red", "sofa", "red"])
    >>> words == hashes(["red", "sofa"]), list(counts)
    (True, [2, 1])
    """
    found = Counter(tokens)
    return hashes(found), bytes(min(count, MOST_COUNTED) for count in found.values())
