"""Our tokens in the notation of PostgreSQL's text search types."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

POSITIONS = 16_383
PER_LEXEME = 255


def _quoted(token: str) -> str:
    return "'" + token.replace("\\", "\\\\").replace("'", "''") + "'"


def tsvector(tokens: Sequence[str]) -> str:
    """The literal of a tsvector that counts each token's occurrences, 255 at most.

    >>> print(tsvector(["red", "o'hara", "red"]))
    'red':1,3 'o''hara':2
    """
    places: dict[str, list[int]] = defaultdict(list)
    for place, token in enumerate(tokens[:POSITIONS], start=1):
        if len(places[token]) < PER_LEXEME:
            places[token].append(place)
    return " ".join(f"{_quoted(token)}:{','.join(map(str, at))}" for token, at in places.items())


def tsquery(tokens: Iterable[str]) -> str:
    """The literal of a tsquery that any of the tokens matches.

    >>> print(tsquery(["red", "o'hara"]))
    'red' | 'o''hara'
    """
    return " | ".join(map(_quoted, tokens))
