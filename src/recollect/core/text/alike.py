"""Names that go together: who is asked for by one of them is spoken of by another."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice

from recollect.core.consolidate.linking import key
from recollect.core.text.names import mentioned

LONGEST_NAME = 5
"""So many words may be one name."""

MOST_WORDS = 200
MOST_OTHERS = 8
"""By so many other names a query is put, besides those that it says."""

Alike = tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Names:
    """What is known of the names around a person.

    `participants`: those heard in their sessions. `alike`: each time all names of one ("Maria", "my sister").
    """

    participants: tuple[str, ...] = ()
    alike: Alike = ()


def other_names(text: str, names: Names) -> tuple[str, ...]:
    """By which other names they are called whom the text names, at most MOST_OTHERS.

    Participants are not looked for: their names are heard all the time.

    >>> other_names("Where does my sister live?", Names((), (("Maria", "my sister"), ("Luna", "my dog"))))
    ('Maria',)
    """
    alike = names.alike
    if not alike:
        return ()
    places = _places(alike)
    said = dict.fromkeys(run for run in _runs(text) if run in places)
    meant = dict.fromkeys(place for run in said for place in places[run])
    others = dict.fromkeys(name for place in meant for name in alike[place] if key(name) not in said)
    unheard = (name for name in others if not mentioned(name, names.participants))
    return tuple(islice(unheard, MOST_OTHERS))


@lru_cache(maxsize=256)
def _places(alike: Alike) -> Mapping[str, tuple[int, ...]]:
    """For each name, as it is compared, whose it is."""
    places: dict[str, list[int]] = defaultdict(list)
    for place, names in enumerate(alike):
        for name in {key(name) for name in names} - {""}:
            places[name].append(place)
    return {name: tuple(found) for name, found in places.items()}


def _runs(text: str) -> Iterator[str]:
    """Each run of words, as names are compared."""
    words = text.split()[:MOST_WORDS]
    for start in range(len(words)):
        for end in range(start + 1, min(start + LONGEST_NAME, len(words)) + 1):
            yield key(" ".join(words[start:end]))
