"""Which words of a text are names: a linear chain over hashed features, fitted by training/fit_entities.py.

A label is "O" (no name), or "B-kind" and "I-kind" for a name's first word and those after it. The score of a
word's label is a sum of weights: of the word, its shape, its beginning and end, the cluster of words that are
used alike, the gazetteers it stands in, and the same of its neighbours; with one weight for each pair of
labels in a row. Forward and backward sums over the chain (Lafferty, McCallum, Pereira 2001) give how likely a
name stands exactly here.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from importlib.resources import files
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

Single = NDArray[np.float32]
Doubles = NDArray[np.float64]

ROOM = files("recollect.core.text")
BUCKETS = 1 << 15
"""Features share so many rows of weights."""

OFFSETS = range(-2, 3)
"""A word is judged with two neighbours on either side."""

KINDS = ("person", "location", "corporation", "group", "product", "creative-work")
LABELS = ("O", *(f"{begin}-{kind}" for kind in KINDS for begin in "BI"))

_TOKEN = re.compile(
    r"https?://\S+|www\.\S+|[\w.+-]+@[\w-]+\.[\w.]+|[@#]\w+|\d+(?:[.,:/-]\d+)*\w*"
    r"|(?:[A-Za-z]\.){2,}|['’](?:s|m|re|ve|ll|d)\b|[^\W\d_]\w*(?:[-&][^\W_]\w*)*|\w+|[^\w\s]"
)
_RUNS = re.compile(r"(.)\1+")
_EDGE = "\n"
_LONGEST = 4  # words of a gazetteer's entry


def _read_gazetteers() -> dict[str, frozenset[str]]:
    with (ROOM / "gazetteers.toml").open("rb") as stream:
        kept = tomllib.load(stream)
    return {name: frozenset(w.replace("_", " ") for w in words.split()) for name, words in kept.items()}


GAZETTEERS: Mapping[str, frozenset[str]] = _read_gazetteers()
"""Known names by list, in small letters."""


def _listings() -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    for name in sorted(GAZETTEERS):
        for entry in GAZETTEERS[name]:
            found.setdefault(entry, []).append(name)
    return {entry: tuple(names) for entry, names in found.items()}


LISTINGS = _listings()
"""In which gazetteers an entry stands."""
_OPENINGS = frozenset(entry.split(" ", 1)[0] for entry in LISTINGS if " " in entry)


@dataclass(frozen=True, slots=True)
class Token:
    """A word or a sign of a text, and where it stands."""

    word: str
    start: int
    end: int


def tokens(text: str) -> list[Token]:
    """The text's words and signs; addresses, handles and hashtags whole, a possessive's "'s" apart.

    >>> [token.word for token in tokens("Maria's at AT&T, isn't she?")]
    ['Maria', "'s", 'at', 'AT&T', ',', 'isn', "'", 't', 'she', '?']
    """
    return [Token(match[0], match.start(), match.end()) for match in _TOKEN.finditer(text)]


@dataclass(frozen=True, slots=True)
class Usage:
    """How words are used in a large text, by the checksum of their small letters: two bytes each.

    `cluster`: words among the same neighbours have the same one. `capital`: how often it is written with a
    capital within a sentence, in eighths, and whether the word is common.
    """

    clusters: Mapping[int, int]
    capitals: Mapping[int, int]


@dataclass(frozen=True, slots=True)
class Weights:
    """`words`: (BUCKETS, labels) of the features; `pairs`: (labels, labels) from a label to the next."""

    words: Single
    pairs: Single
    usage: Usage


@dataclass(frozen=True, slots=True)
class Span:
    """Tokens from `begin` up to `end` that are a name of the kind, with this likelihood."""

    begin: int
    end: int
    kind: str
    likelihood: float


def shape(word: str) -> str:
    """What a word looks like, its runs shortened.

    >>> shape("McDonald"), shape("iPhone7"), shape("NASA")
    ('XxXx', 'xXxd', 'XX')
    """
    drawn = "".join(
        "X" if c.isupper() else "x" if c.islower() else "d" if c.isdigit() else c for c in word[:12]
    )
    short = _RUNS.sub(r"\1", drawn)
    return "XX" if short == "X" and len(word) > 1 else short


def bucket(feature: str) -> int:
    """The row of a feature's weights."""
    return crc32(feature.encode()) % BUCKETS


def word_features(word: str, situation: str, usage: Usage) -> list[list[int]]:
    """The rows of a word's features, for each of OFFSETS: seen from a neighbour it says less.

    `situation`: "first" of its sentence or not, in a text that is written in "small" letters, "large" ones or
    mixed ones.
    """
    low = word.lower()
    key = crc32(low.encode())
    cluster, capital = usage.clusters.get(key, -1), usage.capitals.get(key, -1)
    form, listed = shape(word), "+".join(LISTINGS.get(low, ()))
    near = [f"w={low}", f"s={form}", f"c={cluster}", f"k={cluster // 16}", f"g={listed}", f"a={capital}"]
    own = [
        *near,
        *(f"p{n}={low[:n]}" for n in (1, 2, 3)),
        *(f"e{n}={low[-n:]}" for n in (2, 3, 4)),
        f"sf={form} {situation}",
        f"sa={form} {capital} {situation}",
        f"gs={listed} {form} {capital}",
        f"ga={listed} {situation} {capital}",
        f"cs={cluster} {form[:2]}",
        f"l={min(len(word), 8)} {form[:2]}",
        situation,
    ]
    far = [f"w={low}", f"k={cluster // 16}"]
    by_offset = {-2: far, -1: near, 0: own, 1: near, 2: far}
    return [[bucket(f"{offset}{feature}") for feature in by_offset[offset]] for offset in OFFSETS]


def pair_features(before: str, word: str, after: str) -> list[int]:
    """The rows of what shapes in a row say."""
    return [
        bucket(f"bs={before} {word}"),
        bucket(f"sn={word} {after}"),
        bucket(f"bsn={before} {word} {after}"),
    ]


def listed(lowered: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Where the longest entries of gazetteers stand in words in small letters; they may overlap."""
    for begin, word in enumerate(lowered):
        if word in _OPENINGS:
            for end in range(min(begin + _LONGEST, len(lowered)), begin + 1, -1):
                if " ".join(lowered[begin:end]) in LISTINGS:
                    yield begin, end
                    break
            else:
                if word in LISTINGS:
                    yield begin, begin + 1
        elif word in LISTINGS:
            yield begin, begin + 1


def phrase_features(lowered: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Where entries of several words stand: the token's place, and the row of the feature."""
    for begin, end in listed(lowered):
        for name in LISTINGS[" ".join(lowered[begin:end])] if end - begin > 1 else ():
            yield from ((at, bucket(f"{'I' if at > begin else 'B'} {name}")) for at in range(begin, end))


def situations(words: Sequence[str]) -> list[str]:
    """For each word, how its text is written and whether it is the first of a sentence."""
    letters = "".join(words)
    capitals = sum(map(str.isupper, letters))
    smalls = sum(map(str.islower, letters))
    style = "small" if not capitals else "large" if capitals > smalls else "mixed"
    before = (".", *words)
    return [f"{style} first" if prior in {".", "!", "?", ":", '"', "“"} else style for prior in before[:-1]]


class Labeller:
    """Reads words with fitted weights; what words weigh is kept for the next time."""

    def __init__(self, weights: Weights) -> None:
        self._weights = weights
        self._moves: Doubles = np.exp(weights.pairs.astype(np.float64))
        self._word = lru_cache(maxsize=32_768)(self._weigh)
        self._pair = lru_cache(maxsize=8_192)(self._weigh_shapes)

    def spans(self, words: Sequence[str]) -> list[Span]:
        """The names in the words: of those that overlap the likeliest; in order."""
        if not words:
            return []
        scores = self._scores(words)
        scores -= scores.max(axis=1, keepdims=True)
        chain = _Chain(np.exp(scores), self._moves)
        return list(chain.spans())

    def is_seldom_capital(self, word: str) -> bool:
        """Whether it is a common word that is written small within sentences."""
        low = word.lower()
        return self._weights.usage.capitals.get(crc32(low.encode()), 8) % 9 < 2 and low not in LISTINGS

    def _scores(self, words: Sequence[str]) -> Doubles:
        """How well each label fits each word: (words, labels)."""
        count, reach = len(words), len(OFFSETS) // 2
        scores: Doubles = np.zeros((count, len(LABELS)))
        padded = (
            [(_EDGE, "")] * reach + list(zip(words, situations(words), strict=True)) + [(_EDGE, "")] * reach
        )
        seen = np.concatenate([self._word(word, situation) for word, situation in padded])
        for place in range(len(OFFSETS)):
            scores += seen[place * (len(OFFSETS) + 1) :: len(OFFSETS)][:count]
        shapes = [_shape(word) for word, _ in padded]
        rows = [self._pair(*shapes[at - 1 : at + 2]) for at in range(reach, reach + count)]
        scores += np.concatenate(rows).reshape(count, -1)
        for at, row in phrase_features([word.lower() for word in words]):
            scores[at] += self._weights.words[row]
        return scores

    def _weigh(self, word: str, situation: str) -> Single:
        rows = word_features(word, situation, self._weights.usage)
        weighed: Single = np.stack([self._weights.words[there].sum(axis=0) for there in rows])
        return weighed

    def _weigh_shapes(self, before: str, word: str, after: str) -> Single:
        weighed: Single = self._weights.words[pair_features(before, word, after)].sum(axis=0)
        return weighed


_shape = lru_cache(maxsize=32_768)(shape)


UNLIKELY = 1e-2
"""A word that is so much likelier no name, by itself, is taken for none."""

FEW = 0.05
"""Names less likely than this are not looked at."""


@dataclass(frozen=True, slots=True)
class _Chain:
    """`scores`: (words, labels) and `moves`: (labels, labels), both as factors, not as logarithms."""

    scores: Doubles
    moves: Doubles

    def spans(self) -> Iterator[Span]:
        """The likeliest names that do not overlap, in order."""
        for begin, end in self._islands():
            found = sorted(self._within(begin, end), key=lambda span: (-span.likelihood, span.begin))
            taken: set[int] = set()
            kept: list[Span] = []
            for span in found:
                if taken.isdisjoint(places := range(span.begin, span.end)):
                    taken.update(places)
                    kept.append(span)
            yield from sorted(kept, key=lambda span: span.begin)

    def _islands(self) -> Iterator[tuple[int, int]]:
        """Words in a row of which each may belong to a name."""
        likely = (self.scores[:, 1:].max(axis=1) > UNLIKELY * self.scores[:, 0]).tolist()
        begin = -1
        for at, is_likely in enumerate([*likely, False]):
            if is_likely and begin < 0:
                begin = at
            elif not is_likely and begin >= 0:
                yield begin, at
                begin = -1

    def _within(self, begin: int, end: int) -> Iterator[Span]:
        """Names between two words that are none."""
        if end - begin == 1:
            yield from self._alone(begin)
            return
        factors = self.scores[begin:end]
        forward, sums = self._forward(factors)
        backward = self._backward(factors, sums)
        chances = forward * backward
        for first, place in np.argwhere(chances[:, 1::2] > FEW).tolist():
            sides = (factors, forward, backward, sums)
            yield from self._from(first, 1 + 2 * place, KINDS[place], begin, sides)

    def _alone(self, place: int) -> Iterator[Span]:
        """The names of a single word: what `_within` gives, sooner."""
        chances = self.moves[0] * self.scores[place] * self.moves[:, 0]
        chances /= chances.sum()
        for at, chance in enumerate(chances[1::2].tolist()):
            if chance > FEW:
                yield Span(place, place + 1, KINDS[at], chance)

    def _forward(self, factors: Doubles) -> tuple[Doubles, list[float]]:
        """How likely the words so far end in each label, and the sums it was scaled by."""
        forward = np.empty_like(factors)
        sums: list[float] = []
        state = self.moves[0]
        for at, factor in enumerate(factors):
            state = (state if at == 0 else state @ self.moves) * factor
            sums.append(float(state.sum()))
            state = state / sums[-1]
            forward[at] = state
        sums.append(float(state @ self.moves[:, 0]))
        return forward, sums

    def _backward(self, factors: Doubles, sums: Sequence[float]) -> Doubles:
        """How well each label goes on with the words after it."""
        backward = np.empty_like(factors)
        state = self.moves[:, 0] / sums[-1]
        for at in range(len(factors) - 1, -1, -1):
            backward[at] = state
            state = self.moves @ (factors[at] * state) / sums[at]
        return backward

    def _from(
        self,
        first: int,
        label: int,
        kind: str,
        offset: int,
        sums: tuple[Doubles, Doubles, Doubles, list[float]],
    ) -> Iterator[Span]:
        """The name that begins here, with each of its likely ends."""
        factors, forward, backward, scale = sums
        likelihood, last, inside = float(forward[first, label]), label, label + 1
        for end in range(first + 1, len(factors) + 1):
            if end == len(factors):
                over = float(self.moves[last, 0]) / scale[end]
            else:
                onward = self.moves[last] * factors[end] * backward[end] / scale[end]
                over = float(onward.sum() - onward[inside])
            if likelihood * over > FEW:
                yield Span(offset + first, offset + end, kind, min(likelihood * over, 1.0))
            if end == len(factors):
                return
            likelihood *= float(self.moves[last, inside] * factors[end, inside]) / scale[end]
            last = inside
            if likelihood < FEW / 100:
                return


def load() -> Labeller:
    """The labeller that ships with the package."""
    with (ROOM / "entities.npz").open("rb") as stream, np.load(stream, allow_pickle=False) as kept:
        return Labeller(unpack(dict(kept)))


def unpack(kept: Mapping[str, NDArray[np.generic]]) -> Weights:
    """What `pack` gave, within half a step of 1/127 of the largest weight of its label."""
    scale = kept["scale"].astype(np.float32)
    keys = kept["keys"].tolist()
    usage = Usage(
        dict(zip(keys, kept["clusters"].tolist(), strict=True)),
        dict(zip(keys, kept["capitals"].tolist(), strict=True)),
    )
    return Weights(kept["words"].astype(np.float32) * scale, kept["pairs"].astype(np.float32), usage)


def pack(weights: Weights) -> dict[str, NDArray[np.generic]]:
    """As weights are kept in a file: a byte for each."""
    scale = np.maximum(np.abs(weights.words).max(axis=0), 1e-6) / 127
    keys = list(weights.usage.clusters)
    return {
        "words": np.round(weights.words / scale).astype(np.int8),
        "scale": scale.astype(np.float32),
        "pairs": weights.pairs,
        "keys": np.array(keys, np.uint32),
        "clusters": np.array([weights.usage.clusters[key] for key in keys], np.int16),
        "capitals": np.array([weights.usage.capitals[key] for key in keys], np.int8),
    }
