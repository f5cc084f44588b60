"""Fits the labeller of names, core/text/labelling.py, and writes src/recollect/core/text/entities.npz.

    python training/fit_entities.py

reads $RECOLLECT_DATA (default ../shared/data beside the project). Names are learned from wnut17's training
split (CC BY 4.0: Derczynski, Nichols, van Erp, Limsopatham 2017), from sentences of our own (entities.toml,
from a seed), from turns of multidogo_insurance's training split, and from the half of presidio_pii that does
not measure anything; how words are used, without labels, from the text of friendsqa, qmsum,
longmemeval_sample, memorycode, multidogo_insurance and wnut17's training split. With --crossvalidate it only
prints precision and recall by threshold over five folds of wnut17's training split: that is what
core/text/entities.py chose its threshold by. The development split is never read here.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import sys
import tomllib
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from recollect.core.text.labelling import (
    BUCKETS,
    GAZETTEERS,
    LABELS,
    OFFSETS,
    Doubles,
    Labeller,
    Usage,
    Weights,
    pack,
    pair_features,
    phrase_features,
    shape,
    situations,
    tokens,
    unpack,
    word_features,
)

HERE = Path(__file__).resolve().parent
DATA = Path(os.environ.get("RECOLLECT_DATA", HERE.parent.parent / "shared" / "data"))
TARGET = HERE.parent / "src" / "recollect" / "core" / "text" / "entities.npz"
UNLABELLED = ("friendsqa", "qmsum", "longmemeval_sample", "memorycode", "multidogo_insurance")

SEED = 1
VOCABULARY, NEIGHBOURS, DIRECTIONS, CLUSTERS = 16_000, 1_500, 48, 512
OWN_SENTENCES, CUSTOMERS_TURNS = 4_000, 3_000
LIMITS = tuple(n / 20 for n in range(2, 20))
EPOCHS, BATCH, RATE, DECAY = 12, 32, 0.12, 2e-5

Sentence = tuple[list[str], list[str]]
Rows = NDArray[np.int32]

_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)?|\d+|[.!?\n]|[^\w\s]")


def conll(path: Path) -> list[Sentence]:
    """The sentences of a file of words and labels."""
    sentences: list[Sentence] = [([], [])]
    for line in path.read_text("utf-8").splitlines():
        word, _, label = line.strip().partition("\t")
        if label:
            sentences[-1][0].append(word)
            sentences[-1][1].append(label.strip())
        elif sentences[-1][0]:
            sentences.append(([], []))
    return [sentence for sentence in sentences if sentence[0]]


CUSTOMERS = {"name": "person", "car_brand": "product", "car_model": "product"}
PERSONAL = {"PERSON": "person", "GPE": "location", "ORGANIZATION": "corporation"}


def customers() -> Iterator[Sentence]:
    """What customers of an insurance say, without a capital; a car is a product."""
    for line in (DATA / "multidogo_insurance" / "train.tsv").read_text("utf-8").split("\n")[1:]:
        fields = line.split("\t")
        if len(fields) != 6 or len(words := fields[3].split()) != len(slots := fields[4].split()):
            continue
        kinds = [CUSTOMERS.get(slot) for slot in slots]
        pairs = zip(kinds, [None, *kinds], strict=False)
        yield (
            words,
            ["O" if not kind else f"{'I' if kind == before else 'B'}-{kind}" for kind, before in pairs],
        )


def personal() -> Iterator[Sentence]:
    """Texts of presidio_pii whose templates have an even number: the others measure core/text/pii.py."""
    for text in json.loads((DATA / "presidio_pii" / "dev.json").read_text("utf-8")):
        if text["template_id"] % 2:
            continue
        read = tokens(text["full_text"])
        labels = ["O"] * len(read)
        for span in text["spans"]:
            start, end = span["start_position"], span["end_position"]
            inside = [at for at, token in enumerate(read) if start <= token.start and token.end <= end]
            for at in inside if span["entity_type"] in PERSONAL else ():
                labels[at] = f"{'B' if at == inside[0] else 'I'}-{PERSONAL[span['entity_type']]}"
        yield [token.word for token in read], labels


def texts() -> Iterator[str]:
    """Everything that is said in the sets without labels, and the words of the training split."""
    for folder in UNLABELLED:
        for path in sorted((DATA / folder).iterdir()):
            if path.suffix == ".json":
                yield from _strings(json.loads(path.read_text("utf-8-sig")))
            elif path.suffix == ".tsv":
                yield from (
                    line.split("\t")[3]
                    for line in path.read_text("utf-8").split("\n")
                    if line.count("\t") > 3
                )
    yield from (" ".join(words) for words, _ in conll(DATA / "wnut17" / "wnut17train.conll"))


def _strings(value: object) -> Iterator[str]:
    match value:
        case str() if value.count(" ") > 2:
            yield value
        case list():
            for item in value:
                yield from _strings(item)
        case dict():
            for item in value.values():
                yield from _strings(item)


def usage() -> Usage:
    """How the commonest words are used: clusters of their neighbours, and how often they are capitalised."""
    counts: Counter[str] = Counter()
    large: Counter[str] = Counter()
    lines: list[list[str]] = []
    for text in dict.fromkeys(texts()):
        written = _WORD.findall(text)
        lines.append([word.lower() for word in written])
        counts.update(lines[-1])
        for before, word in zip([".", *written], written, strict=False):
            if before not in '.!?\n:"“' and word[0].isupper() and not (len(word) > 1 and word.isupper()):
                large[word.lower()] += 1
    starts = Counter(
        word
        for line in lines
        for before, word in zip([".", *line], line, strict=False)
        if before in '.!?\n:"“'
    )
    common = [word for word, count in counts.most_common(VOCABULARY) if count > 2]
    clusters = _clusters(lines, {word: place for place, word in enumerate(common)})
    capitals = {}
    for word in common:
        within = counts[word] - starts[word]
        share = round(7 * large[word] / within) if within > 1 else 8
        capitals[crc32(word.encode())] = share + 9 * min(int(np.log10(counts[word])), 3)
    keys = [crc32(word.encode()) for word in common]
    return Usage(dict(zip(keys, clusters.tolist(), strict=True)), capitals)


def _clusters(lines: Sequence[Sequence[str]], places: Mapping[str, int]) -> NDArray[np.int64]:
    """A cluster for each word, by pointwise mutual information with the commonest words beside it."""
    width = len(places) + 1
    seen = np.zeros((len(places), 2 * NEIGHBOURS), np.float32)
    for line in lines:
        ids = np.array([places.get(word, width) for word in line], np.int64)
        for side, (words, beside) in enumerate(((ids[1:], ids[:-1]), (ids[:-1], ids[1:]))):
            kept = (words < width) & (beside < NEIGHBOURS)
            np.add.at(seen, (words[kept], beside[kept] + side * NEIGHBOURS), 1)
    total = seen.sum()
    expected = seen.sum(axis=1, keepdims=True) * (seen.sum(axis=0, keepdims=True) ** 0.75)
    expected *= total / expected.sum()
    informed = np.log(np.maximum(seen / np.maximum(expected, 1e-9), 1))
    values, vectors = np.linalg.eigh(informed.T @ informed)
    placed = informed @ vectors[:, -DIRECTIONS:] / np.sqrt(np.sqrt(np.maximum(values[-DIRECTIONS:], 1e-6)))
    placed /= np.maximum(np.linalg.norm(placed, axis=1, keepdims=True), 1e-9)
    return _means(placed)


def _means(points: NDArray[np.float32]) -> NDArray[np.int64]:
    """k-means over directions; clusters that are alike get numbers near each other, sixteen in a group."""
    random = np.random.default_rng(SEED)
    centres = points[random.choice(min(len(points), 4_000), CLUSTERS, replace=False)]
    for _ in range(25):
        nearest = np.argmax(points @ centres.T, axis=1)
        for cluster in range(CLUSTERS):
            if (members := points[nearest == cluster]).size:
                centre = members.sum(axis=0)
                centres[cluster] = centre / max(np.linalg.norm(centre), 1e-9)
    order = _halved(centres, np.arange(CLUSTERS))
    place = np.empty(CLUSTERS, np.int64)
    place[order] = np.arange(CLUSTERS)
    numbered: NDArray[np.int64] = place[np.argmax(points @ centres.T, axis=1)]
    return numbered


def _halved(centres: NDArray[np.float32], members: NDArray[np.int64]) -> NDArray[np.int64]:
    """The members so that each half, quarter, … lies together."""
    if len(members) <= 16:
        return members
    spread = centres[members] - centres[members].mean(axis=0)
    along = spread @ np.linalg.svd(spread, full_matrices=False)[2][0]
    ordered = members[np.argsort(along, kind="stable")]
    half = len(ordered) // 2
    return np.concatenate([_halved(centres, ordered[:half]), _halved(centres, ordered[half:])])


class Author:
    """Writes sentences from entities.toml, with known and invented names in them."""

    SLOTS: Mapping[str, str] = {
        "person": "person",
        "full": "person",
        "last": "person",
        "place": "location",
        "company": "corporation",
        "group": "group",
        "product": "product",
        "work": "creative-work",
    }
    LISTS: Mapping[str, tuple[str, ...]] = {
        "person": ("first_names",),
        "last": ("surnames",),
        "place": ("cities", "regions"),
        "company": ("companies",),
        "group": ("teams",),
        "product": ("products",),
        "work": ("works",),
    }
    ONSETS = (
        "b",
        "br",
        "ch",
        "d",
        "dr",
        "f",
        "g",
        "gr",
        "h",
        "j",
        "k",
        "l",
        "m",
        "n",
        "p",
        "r",
        "s",
        "st",
        "t",
        "v",
        "z",
    )
    NUCLEI = ("a", "e", "i", "o", "u", "ai", "ea", "ee", "ia", "io", "ou", "y")
    CODAS = ("", "", "", "n", "r", "l", "s", "m", "t", "ck", "nd", "th", "x", "ng")
    ENDS: Mapping[str, tuple[str, ...]] = {
        "company": ("Labs", "Inc", "Group", "Bank", "Insurance", "Motors", "& Sons", "Systems", "", "", ""),
        "group": ("United", "Choir", "Society", "FC", "Tigers", "Foundation", "", ""),
        "place": ("Falls", "Beach", "Heights", "City", "ville", "", "", "", "", ""),
        "product": ("Pro", "X", "2", "500", "Mini", "", "", ""),
        "work": ("", "Returns", "Rising", "of the Lake", "and the Stone", "", ""),
    }

    def __init__(self, random: Random) -> None:
        self.random = random
        with (HERE / "entities.toml").open("rb") as stream:
            self.patterns = tomllib.load(stream)
        self.known = {
            slot: sorted(set().union(*(GAZETTEERS[n] for n in lists))) for slot, lists in self.LISTS.items()
        }

    def sentence(self) -> Sentence:
        """One, with its labels; often without a capital, seldom in nothing else."""
        random = self.random
        pattern = self._choose(random.choice(self.patterns["none" if random.random() < 0.4 else "names"]))
        words: list[str] = []
        labels: list[str] = []
        for part in re.split(r"(\{\w+\})", pattern):
            kind = self.SLOTS.get(part.strip("{}")) if part.startswith("{") else None
            text = self._name(part.strip("{}")) if kind else part
            for place, token in enumerate(tokens(text)):
                words.append(token.word)
                labels.append("O" if not kind else f"{'I' if place else 'B'}-{kind}")
        style = random.random()
        change = str.lower if style < 0.3 else str.upper if style < 0.33 else str
        return [change(word) for word in words], labels

    def _choose(self, text: str) -> str:
        while match := re.search(r"\[([^][]*)\]", text):
            text = text[: match.start()] + self.random.choice(match[1].split("|")) + text[match.end() :]
        return text

    def _name(self, slot: str) -> str:
        if slot == "full":
            return f"{self._name('person')} {self._name('last')}"
        if self.random.random() < 0.55:
            return _capitalised(self.random.choice(self.known[slot]))
        invented = self._invented()
        end = self.random.choice(self.ENDS.get(slot, ("",)))
        return invented + end if end == "ville" else f"{invented} {end}".strip()

    def _invented(self) -> str:
        count = self.random.choice((1, 2, 2, 2, 3))
        choose = self.random.choice
        made = "".join(choose(self.ONSETS) + choose(self.NUCLEI) for _ in range(count)) + choose(self.CODAS)
        return made.capitalize()


def _capitalised(name: str) -> str:
    small = {"of", "the", "and", "a", "in", "to", "de", "le", "la", "by", "y"}
    parts = name.split(" ")
    return " ".join(
        p if p in small and at else p.upper() if len(p) < 4 and not p.isalpha() else p.capitalize()
        for at, p in enumerate(parts)
    )


@dataclass(frozen=True, slots=True)
class Prepared:
    """Sentences as rows of weights: (words, most features), padded with BUCKETS; and labels."""

    rows: list[Rows]
    labels: list[NDArray[np.int64]]


def prepare(sentences: Sequence[Sentence], used: Usage) -> Prepared:
    """The features of every word, as the labeller has them."""
    kept: dict[tuple[str, str], list[list[int]]] = {}
    rows, labels = [], []
    reach = len(OFFSETS) // 2
    for words, named in sentences:
        padded = (
            [("\n", "")] * reach + list(zip(words, situations(words), strict=True)) + [("\n", "")] * reach
        )
        seen = [
            kept[key] if key in kept else kept.setdefault(key, word_features(*key, used)) for key in padded
        ]
        forms = [shape(word) for word, _ in padded]
        own = []
        for at in range(len(words)):
            row = [b for place in range(len(OFFSETS)) for b in seen[at + place][place]]
            own.append(row + pair_features(*forms[at + reach - 1 : at + reach + 2]))
        for at, feature in phrase_features([word.lower() for word in words]):
            own[at].append(feature)
        width = max(map(len, own))
        rows.append(np.array([row + [BUCKETS] * (width - len(row)) for row in own], np.int32))
        labels.append(np.array([LABELS.index(label) for label in named]))
    return Prepared(rows, labels)


class Fitter:
    """Maximum likelihood of the labels by AdaGrad, with decay; the weights of the last epochs averaged."""

    def __init__(self, used: Usage) -> None:
        count = len(LABELS)
        self.used = used
        self.words = np.zeros((BUCKETS + 1, count))
        self.pairs = np.zeros((count, count))
        self.forbidden = np.array([[b.startswith("I-") and a[2:] != b[2:] for b in LABELS] for a in LABELS])
        self.pairs[self.forbidden] = -30
        self.squares = [np.full_like(self.words, 1e-2), np.full_like(self.pairs, 1e-1)]

    def fit(self, data: Prepared) -> Weights:
        """The weights after EPOCHS."""
        order = np.random.default_rng(SEED)
        sums = [np.zeros_like(self.words), np.zeros_like(self.pairs)]
        for epoch in range(EPOCHS):
            places = order.permutation(len(data.rows))
            by_length = np.array([len(data.rows[p]) // 4 for p in places])
            batches = []
            for length in np.unique(by_length):
                chosen = places[by_length == length]
                batches += [chosen[i : i + BATCH] for i in range(0, len(chosen), BATCH)]
            for at in order.permutation(len(batches)):
                self._step(data, batches[at])
            if epoch >= EPOCHS // 2:
                sums[0] += self.words
                sums[1] += self.pairs
        count = EPOCHS - EPOCHS // 2
        return Weights(
            (sums[0][:-1] / count).astype(np.float32), (sums[1] / count).astype(np.float32), self.used
        )

    def _step(self, data: Prepared, batch: NDArray[np.int64]) -> None:
        count, length = len(batch), max(len(data.rows[p]) for p in batch)
        scores = np.full((count, length, len(LABELS)), -30.0)
        scores[..., 0] = 0
        mask = np.zeros((count, length), bool)
        gold = np.zeros((count, length), np.int64)
        for i, place in enumerate(batch):
            own = data.rows[place]
            scores[i, : len(own)] = self.words[own].sum(axis=1)
            mask[i, : len(own)] = True
            gold[i, : len(own)] = data.labels[place]
        chances, moves = _expected(scores, self.pairs)
        hot = np.eye(len(LABELS))
        wrong = (chances - hot[gold]) * mask[..., None]
        both = mask[:, 1:] & mask[:, :-1]
        told = np.einsum("nti,ntj->ntij", hot[gold[:, :-1]], hot[gold[:, 1:]])
        pair_wrong = ((moves - told) * both[..., None, None]).sum(axis=(0, 1))
        self._move(data, batch, wrong, pair_wrong)

    def _move(self, data: Prepared, batch: NDArray[np.int64], wrong: Doubles, pair_wrong: Doubles) -> None:
        slope = np.zeros_like(self.words)
        flat = np.concatenate([data.rows[p].ravel() for p in batch])
        spread = np.concatenate(
            [
                np.repeat(wrong[i, : len(data.rows[p])], data.rows[p].shape[1], axis=0)
                for i, p in enumerate(batch)
            ]
        )
        touched, inverse = np.unique(flat, return_inverse=True)
        part = np.stack(
            [
                np.bincount(inverse, weights=spread[:, label], minlength=len(touched))
                for label in range(len(LABELS))
            ],
            axis=1,
        )
        slope = part + DECAY * len(batch) * self.words[touched]
        self.squares[0][touched] += slope**2
        self.words[touched] -= RATE * slope / np.sqrt(self.squares[0][touched])
        self.words[BUCKETS] = 0
        self.squares[1] += pair_wrong**2
        self.pairs -= RATE * pair_wrong / np.sqrt(self.squares[1])
        self.pairs[self.forbidden] = -30


def _expected(scores: Doubles, pairs: Doubles) -> tuple[Doubles, Doubles]:
    """The likelihood of each label (n, t, labels), and of each two in a row (n, t - 1, labels, labels)."""
    count, length, _ = scores.shape
    moves = np.exp(pairs)
    factors = np.exp(scores - scores.max(axis=2, keepdims=True))
    forward, backward = np.empty_like(factors), np.empty_like(factors)
    scale = np.empty((count, length, 1))
    state = np.broadcast_to(moves[0], factors[:, 0].shape)
    for at in range(length):
        state = (state @ moves if at else state) * factors[:, at]
        scale[:, at] = state.sum(axis=1, keepdims=True)
        state = state / scale[:, at]
        forward[:, at] = state
    state = np.ones_like(state)
    for at in range(length - 1, -1, -1):
        backward[:, at] = state
        state = ((factors[:, at] * state) @ moves.T) / scale[:, at]
    both = forward[:, :-1, :, None] * moves * ((factors * backward)[:, 1:] / scale[:, 1:])[:, :, None, :]
    return forward * backward, both


def named(labels: Sequence[str]) -> set[tuple[int, int, str]]:
    """The spans of a sentence's labels."""
    found, begin = set(), -1
    for at, label in enumerate([*labels, "O"]):
        if begin >= 0 and not label.startswith("I-"):
            found.add((begin, at, labels[begin][2:]))
            begin = -1
        if label.startswith("B-"):
            begin = at
    return found


def crossvalidate(
    sentences: Sequence[Sentence], own: Sequence[Sentence], used: Usage, folds: int = 5
) -> None:
    """Print precision, recall and F1 by threshold, typed and untyped, over the folds."""
    counts: dict[float, list[int]] = defaultdict(lambda: [0, 0, 0])
    wanted = 0
    for fold in range(folds):
        train = [s for i, s in enumerate(sentences) if i % folds != fold] + list(own)
        labeller = Labeller(unpack(pack(Fitter(used).fit(prepare(train, used)))))
        for words, labels in (s for i, s in enumerate(sentences) if i % folds == fold):
            gold = named(labels)
            places = {g[:2] for g in gold}
            wanted += len(gold)
            for span in labeller.spans(words):
                for limit in LIMITS:
                    if span.likelihood >= limit:
                        counts[limit][0] += 1
                        counts[limit][1] += (span.begin, span.end, span.kind) in gold
                        counts[limit][2] += (span.begin, span.end) in places
    for limit, (found, right, placed) in sorted(counts.items()):
        typed, untyped = (
            f"P {hit / found:.3f} R {hit / wanted:.3f} F1 {2 * hit / (found + wanted):.3f}"
            for hit in (right, placed)
        )
        print(f"{limit:.2f}: typed {typed}; untyped {untyped}")


def main() -> None:
    options = argparse.ArgumentParser()
    options.add_argument("--crossvalidate", action="store_true")
    asked = options.parse_args()
    if not DATA.is_dir():
        sys.exit(f"skipped: {DATA} is missing; set RECOLLECT_DATA.")
    sentences = conll(DATA / "wnut17" / "wnut17train.conll")
    author = Author(Random(SEED))
    others = [author.sentence() for _ in range(OWN_SENTENCES)]
    others += [*Random(SEED).sample(list(customers()), CUSTOMERS_TURNS), *personal()]
    used = usage()
    if asked.crossvalidate:
        crossvalidate(sentences, others, used)
        return
    train = [*sentences, *others]
    weights = Fitter(used).fit(prepare(train, used))
    np.savez_compressed(TARGET, allow_pickle=False, **pack(weights))
    print(f"{TARGET}: {TARGET.stat().st_size / 1024:.0f} KB from {len(train)} sentences")


if __name__ == "__main__":
    main()
