"""What is known of the best candidates, in numbers that mean the same whatever the question and the scope.

Cosines and BM25 are told in deviations from the mean of all candidates, as gaps to the best and as ranks;
the words as shares of the question's; the times as shares of the scope's. So a model that is fitted on short
scenes reads a scope of a thousand rows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from recollect.core.recall.bm25 import SATURATION
from recollect.core.recall.candidates import Candidates, Floats, Query
from recollect.core.recall.fuse import standardise
from recollect.core.recall.neighbours import Neighbours, session_level
from recollect.core.recall.questions import EXPECTED, Asked, Kind, read
from recollect.core.text.traits import Trait

DAY = 86_400.0
Column: TypeAlias = tuple[str, Floats | float]
"""A name and the values, (m,); or one value for all rows."""
Group: TypeAlias = Iterator[Column]


@dataclass(frozen=True, slots=True)
class Head:
    """The best m rows of n candidates, with what is told of them.

    `levels` (5, n): dense, window, words, window_words and the fusion's score, in deviations. `cosines`
    (2, n): dense and window, the mean for those that are not known. `before` and `after` (m,): the rows of
    the turns around each, itself where `preceded` or `followed` says there is none.
    """

    asked: Asked
    query: Query
    found: Candidates
    features: Mapping[str, Floats]
    rows: NDArray[np.intp]
    levels: Floats
    cosines: Floats
    before: NDArray[np.intp]
    after: NDArray[np.intp]
    preceded: Floats
    followed: Floats

    def previous(self, values: Floats) -> Floats:
        """Of the (…, n) values those of the turns before the head's, 0 where there is none."""
        previous: Floats = values[..., self.before] * self.preceded
        return previous

    def following(self, values: Floats) -> Floats:
        """Of the (…, n) values those of the turns after the head's, 0 where there is none."""
        following: Floats = values[..., self.after] * self.followed
        return following


SIGNALS = ("dense", "window", "words", "window_words")

HEAD = 200
"""So many rows are described."""


def head(
    query: Query, found: Candidates, features: Mapping[str, Floats], fused: Floats, neighbours: Neighbours
) -> Head:
    """The HEAD rows of the highest fused score; `features` as `measure` gives them."""
    n = len(found)
    rows = np.sort(np.argpartition(-fused, HEAD - 1)[:HEAD]) if n > HEAD else np.arange(n)
    levels = standardise(np.array([*(features[name] for name in SIGNALS), fused]))
    cosines = np.array([_filled(features["dense"]), _filled(features["window"])])
    linked = np.zeros(n + 1)
    linked[1:n] = neighbours.follows
    preceded, followed = linked[rows], linked[rows + 1]
    before, after = rows - preceded.astype(np.intp), rows + followed.astype(np.intp)
    return Head(read(query), query, found, features, rows, levels, cosines, before, after, preceded, followed)


def describe(best: Head) -> dict[str, Floats | float]:
    """Every column of the head by name: COLUMNS; all of them finite."""
    return {name: column for group in GROUPS.values() for name, column in group(best)}


def matrix(columns: Mapping[str, Floats | float], rows: int) -> Floats:
    """The columns side by side, (rows, len(columns))."""
    filled = np.empty((len(columns), rows))
    for place, column in enumerate(columns.values()):
        filled[place] = column
    return filled.T


def _filled(cosines: Floats) -> Floats:
    """The cosines, the mean of those that are known for those that are not."""
    known = np.isfinite(cosines)
    if known.all():
        return cosines
    filled: Floats = np.where(known, cosines, cosines[known].mean() if known.any() else 0.0)
    return filled


def _ranks(column: Floats) -> Floats:
    """0 for the best to 1 for the last, on a logarithmic scale; equals have the same."""
    better = np.searchsorted(np.sort(-column), -column)
    scaled: Floats = np.log1p(better) / np.log1p(max(len(column) - 1, 1))
    return scaled


def _meaning(best: Head) -> Group:
    tops = best.cosines.max(axis=1, initial=0.0)
    for place, name in enumerate(("dense", "window")):
        level, cosine = best.levels[place, best.rows], best.cosines[place, best.rows]
        yield f"{name} level", level
        yield f"{name} cosine", cosine
        yield f"{name} gap", cosine - tops[place]
        yield f"{name} rank", _ranks(level)
    following = best.following(best.cosines[1])
    yield "next window cosine", following
    yield "next window gap", following - tops[1]


def _words(best: Head) -> Group:
    found, rows = best.found, best.rows
    rarity = np.log1p((found.total - found.holders + 0.5) / (found.holders + 0.5))
    named: Floats = np.array(best.asked.named, bool) * rarity
    whole, names = float(rarity.sum()) or 1.0, float(named.sum()) or 1.0
    top = float(rarity.max(initial=0.0)) or 1.0
    held = np.ascontiguousarray(found.frequencies.T > 0)
    own = held[:, rows]
    both = np.array([own, own | held[:, best.before] | held[:, best.after]], np.float64)
    share, window_share = rarity / whole @ both
    rarest, window_rarest = (both * (rarity / top)[:, None]).max(axis=1, initial=0.0)
    names_share, window_names_share = named / names @ both
    scores = best.features["words"] / (whole * (SATURATION + 1))
    level, window_level = best.levels[2:4, rows]
    yield "words level", level
    yield "words share", scores[rows]
    yield "words gap", scores[rows] - scores.max(initial=0.0)
    yield "words rank", _ranks(level)
    yield "window words level", window_level
    yield "coverage", share
    yield "window coverage", window_share
    yield "rarest", rarest
    yield "window rarest", window_rarest
    yield "matched", both[0].sum(axis=0) / 4.0
    yield "names asked", float(min(int(np.count_nonzero(named)), 3))
    yield "names matched", names_share
    yield "window names matched", window_names_share


def _speaker(best: Head) -> Group:
    asked = best.query.names
    spoke = best.features["speaker"]
    own = spoke[best.rows]
    other: Floats | float = 0.0
    if len(asked) == 1:
        names = best.found.names
        other = np.array([names[row] is not None for row in best.rows.tolist()], float) - own
    yield "people asked", float(min(len(asked), 3))
    yield "speaker asked", own
    yield "other speaker", other
    yield "previous speaker asked", best.previous(spoke)
    yield "following speaker asked", best.following(spoke)


_BITS = np.array(list(Trait), np.int32)
_IS = [f"is {trait.name}" for trait in Trait]
_ASKS = {kind: f"asks {kind.name}" for kind in Kind}


def _turn(best: Head) -> Group:
    found = best.found
    yield from zip(_IS, (found.traits[best.rows] & _BITS[:, None] > 0).astype(np.float64), strict=True)
    asks = ((found.traits & Trait.ENDS_ASKING) > 0).astype(float)
    yield "answers", best.previous(asks)
    yield "is answered", best.following(asks)
    lengths = np.log1p(found.lengths.astype(np.float64))
    own = lengths[best.rows]
    yield "length", own
    yield "relative length", own - float(lengths.sum()) / max(len(lengths), 1)
    yield "previous length", best.previous(lengths)


def _answer(best: Head) -> Group:
    asked = best.asked
    for kind, name in _ASKS.items():
        yield name, float(asked.kind is kind)
    expected = EXPECTED[asked.kind]
    fits = ((best.found.traits & expected) > 0).astype(float)
    yield "fits", fits[best.rows]
    yield "following fits", best.following(fits)
    yield "expects", float(bool(expected))
    yield "asks several", float(asked.several)


def _around(best: Head) -> Group:
    previous, following = best.previous(best.levels), best.following(best.levels)
    for place, name in enumerate((*SIGNALS, "fused")):
        yield f"previous {name}", previous[place]
        yield f"following {name}", following[place]
    yield "is first", 1.0 - best.preceded
    yield "is last", 1.0 - best.followed


def _session(best: Head) -> Group:
    found, rows = best.found, best.rows
    fused = best.levels[4]
    levels = session_level(found.sessions, fused)
    own, session = fused[rows], levels[rows]
    yield "fused level", own
    yield "fused gap", own - fused.max(initial=0.0)
    yield "fused rank", _ranks(own)
    yield "session level", session
    yield "session gap", session - levels.max(initial=0.0)
    yield "above session", own - session
    yield "place", np.log1p(found.seqs[rows].astype(np.float64))


def _time(best: Head) -> Group:
    found, rows, asked = best.found, best.rows, best.asked
    begin, end = (float(found.at.min()), float(found.at.max())) if len(found) else (0.0, 0.0)
    place = (found.at[rows] - begin) / ((end - begin) or 1.0)
    yield "moment", place
    yield "latest", place * asked.latest
    yield "earliest", (1 - place) * asked.first
    inside, away, near = _dated(best)
    yield "times asked", float(min(len(best.query.spans), 2))
    yield "in time", inside[rows]
    yield "share in time", float(inside.mean()) if len(inside) else 0.0
    yield "days away", away
    yield "speaks of time", near
    yield "tells a time", np.bincount(found.mentioned_by, minlength=len(found))[rows].clip(max=2) / 2.0


def _dated(best: Head) -> tuple[Floats, Floats, Floats]:
    """Which of the n were said in the times asked for; of the head's: days away, whether they touch them.

    The days are on a logarithmic scale; a row touches them if it speaks of a time that they share.
    """
    found, rows = best.found, best.rows
    inside, apart, near = np.zeros(len(found)), np.full(len(rows), np.inf), np.zeros(len(found))
    for start, end in best.query.spans:
        inside[(found.at >= start) & (found.at < end)] = 1.0
        at = found.at[rows]
        apart = np.minimum(apart, np.maximum(np.maximum(start - at, at - end), 0.0))
        touching = (found.mentions[:, 0] < end) & (found.mentions[:, 1] > start)
        near[found.mentioned_by[touching]] = 1.0
    away = np.log1p(apart / DAY) if best.query.spans else np.zeros(len(rows))
    return inside, away, near[rows]


def _role(best: Head) -> Group:
    roles = best.found.roles
    chat = float((roles == 2).any())
    user, assistant = (roles[best.rows] == 1) * chat, (roles[best.rows] == 2) * 1.0
    yield "chat", chat
    yield "user", user
    yield "assistant", assistant
    yield "mine of user", user * best.asked.mine
    yield "yours of assistant", assistant * best.asked.yours


def _scope(best: Head) -> Group:
    yield "tokens", float(min(len(best.query.tokens), 12))
    yield "rows", float(np.log1p(len(best.found)))
    yield "best cosine", float(best.cosines[0].max(initial=0.0))


GROUPS: dict[str, Callable[[Head], Group]] = {
    "meaning": _meaning,
    "words": _words,
    "speaker": _speaker,
    "turn": _turn,
    "answer": _answer,
    "neighbours": _around,
    "session": _session,
    "time": _time,
    "role": _role,
    "scope": _scope,
}
_NONE = Candidates.none()
_EMPTY = dict.fromkeys((*SIGNALS, "speaker"), _NONE.at)
_NOTHING = head(Query(""), _NONE, _EMPTY, _NONE.at, Neighbours.of(_NONE))
GROUPED = {name: tuple(column for column, _ in group(_NOTHING)) for name, group in GROUPS.items()}
"""The names of each group's columns."""
COLUMNS = tuple(chain.from_iterable(GROUPED.values()))
"""The names of all columns, in order."""
