"""From the columns of bytes that `queries/recall.sql` gathers to the candidates that are ranked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Self, overload
from uuid import UUID

import numpy as np
from numpy.typing import NDArray

from recollect.core.recall.candidates import Candidates, Codes, no_pairs
from recollect.storage.words import WIDTH, hashes

RECORD = np.dtype(
    [
        ("id", ">u8", 2),
        ("session", ">i8"),
        ("at", ">i8"),
        ("seq", ">i4"),
        ("length", ">i4"),
        ("words", ">i4"),
        ("mentions", ">i4"),
        ("traits", ">i2"),
        ("role", ">i2"),
        ("dense", ">f4"),
        ("window", ">f4"),
    ]
)
"""One record of the column `records`: `at` in microseconds since EPOCH, `words` and `mentions` in bytes."""

EPOCH = 946_684_800
"""PostgreSQL's: the year 2000, in seconds since the epoch."""

SPAN = 16
"""The bytes of a mention: two float8."""

MOST_HELD = 20_000
"""Of a scope that comes in parts, no more rows are held before the best of them are chosen."""

Places = NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Rows:
    """n rows with what the query found in each, in no particular order.

    `frequencies` (n, q), `names` (n,) of str or None, `mentions` (m, 2) and `mentioned_by` (m,), ascending.
    """

    records: NDArray[np.void]
    frequencies: NDArray[np.int32]
    names: NDArray[np.object_]
    mentions: NDArray[np.float64]
    mentioned_by: Places

    @classmethod
    def read(cls, row: Mapping[str, Any], wanted: NDArray[np.uint32]) -> Self:
        """The rows of one answer; `wanted`: the hashes of the query's tokens."""
        records = np.frombuffer(row["records"] or b"", RECORD)
        return cls(
            records=records,
            frequencies=_frequencies(row, records, wanted),
            names=np.array(row["names"] or [], object),
            mentions=np.frombuffer(row["mentions"] or b"", ">f8").astype(np.float64).reshape(-1, 2),
            mentioned_by=np.repeat(np.arange(len(records)), records["mentions"] // SPAN),
        )

    @classmethod
    def join(cls, parts: Sequence[Self]) -> Self:
        """The rows of all parts, one part after the other."""
        starts = np.cumsum([0, *(len(part.records) for part in parts)])
        return cls(
            records=np.concatenate([part.records for part in parts]),
            frequencies=np.concatenate([part.frequencies for part in parts]),
            names=np.concatenate([part.names for part in parts]),
            mentions=np.concatenate([part.mentions for part in parts]),
            mentioned_by=np.concatenate(
                [part.mentioned_by + start for part, start in zip(parts, starts, strict=False)]
            ),
        )

    def take(self, places: Places) -> Self:
        """These rows, in this order."""
        moved = np.full(len(self.records), -1)
        moved[places] = np.arange(len(places))
        owners = moved[self.mentioned_by]
        order = np.argsort(owners, kind="stable")[np.count_nonzero(owners < 0) :]
        return type(self)(
            records=self.records[places],
            frequencies=self.frequencies[places],
            names=self.names[places],
            mentions=self.mentions[order],
            mentioned_by=owners[order],
        )


class Gathering:
    """Adds up a scope that comes in parts, and keeps of it what may be ranked.

    At most `depth` rows are kept by each way of finding: the nearest turns, the nearest windows, those with
    the rarest of the query's words, and the newest. A scope of at most `depth` rows is kept whole. How many
    rows there are, how long, and how many hold each word, is counted over all of them; but which words are
    rare, of more than `MOST_HELD` rows, by those that have come until then.
    """

    def __init__(self, tokens: Sequence[str], depth: int) -> None:
        self._wanted = np.frombuffer(hashes(tokens), np.uint32)
        self._depth = depth
        self._kept: list[Rows] = []
        self._renewals: list[bytes] = []
        self._sayings: list[bytes] = []
        self._total = 0
        self._tokens = 0
        self._holders = np.zeros(len(tokens), np.int64)

    def add(self, row: Mapping[str, Any], limit: int) -> UUID | None:
        """Count an answer's rows in, and keep the best of them.

        Returns the id that the next answer's are older than; None if there were fewer than `limit`.
        """
        rows = Rows.read(row, self._wanted)
        self._total += len(rows.records)
        self._tokens += int(rows.records["length"].sum(dtype=np.int64))
        self._holders += np.count_nonzero(rows.frequencies, axis=0)
        self._kept.append(rows)
        self._renewals.append(row["renewals"] or b"")
        self._sayings.append(row["sayings"] or b"")
        if sum(len(part.records) for part in self._kept) > MOST_HELD:
            held = Rows.join(self._kept)
            self._kept = [held.take(self._best(held))]
        return _oldest(rows.records) if len(rows.records) >= limit else None

    def _best(self, rows: Rows) -> Places:
        if len(rows.records) <= self._depth:
            return np.arange(len(rows.records))
        held = (rows.frequencies > 0) / np.maximum(self._holders, 1)
        ways = (
            np.nan_to_num(rows.records["dense"], nan=-np.inf),
            np.nan_to_num(rows.records["window"], nan=-np.inf),
            held.sum(axis=1),
            rows.records["id"][:, 0],
        )
        return np.unique(np.concatenate([_highest(way, self._depth) for way in ways]))

    def candidates(self) -> Candidates:
        """What was kept, in the order of (session, seq)."""
        if not self._total:
            return Candidates.none(len(self._holders))
        rows = Rows.join(self._kept) if len(self._kept) > 1 else self._kept[0]
        best = self._best(rows)
        sessions = _codes(rows.records[best])
        order = np.lexsort((rows.records["seq"][best], sessions))
        rows, sessions = rows.take(best[order]), sessions[order]
        records = rows.records
        renewals = _linked(b"".join(self._renewals), 2, records)
        sayings = _linked(b"".join(self._sayings), 3, records)
        return Candidates(
            ids=_ids(records),
            sessions=sessions,
            seqs=records["seq"].astype(np.int32),
            at=records["at"] / 1e6 + EPOCH,
            names=rows.names.tolist(),
            dense=records["dense"].astype(np.float32),
            window=records["window"].astype(np.float32),
            lengths=records["length"].astype(np.int32),
            frequencies=rows.frequencies,
            holders=self._holders,
            total=self._total,
            mean_length=self._tokens / self._total,
            roles=records["role"].astype(np.int32),
            traits=records["traits"].astype(np.int32),
            mentions=rows.mentions,
            mentioned_by=rows.mentioned_by.astype(np.int32),
            renewals=renewals,
            sayings=sayings,
        )


def _linked(links: bytes, width: int, records: NDArray[np.void]) -> Codes:
    """(m, 2): the places of each first of `width` ids and of another, where both are among the records."""
    if not links:
        return no_pairs()
    # The low half of an id is random, and enough to know it by: numbers are sorted faster than bytes.
    ids = records["id"][:, 1].astype(np.uint64)
    order = np.argsort(ids)
    wanted = np.frombuffer(links, ">u8")[1::2].astype(np.uint64)
    places = np.searchsorted(ids[order], wanted).clip(max=len(ids) - 1)
    found = np.where(ids[order][places] == wanted, order[places], -1).reshape(-1, width)
    pairs = np.concatenate([found[:, [0, other]] for other in range(1, width)])
    return np.unique(pairs[(pairs >= 0).all(axis=1)], axis=0).astype(np.int32)


def _highest(values: NDArray[Any], most: int) -> Places:
    """The places of the `most` highest values above nothing: not of -inf, nor of 0 among floats."""
    places: Places = np.argpartition(values, -most)[-most:] if most < len(values) else np.arange(len(values))
    found: NDArray[np.bool_] = np.isfinite(values[places]) & (values[places] != 0)
    return places[found]


def _frequencies(
    row: Mapping[str, Any], records: NDArray[np.void], wanted: NDArray[np.uint32]
) -> NDArray[np.int32]:
    """(n, q): how often each row holds each of the wanted hashes."""
    frequencies = np.zeros((len(records), len(wanted)), np.int32)
    words = np.frombuffer(row["words"] or b"", np.uint32)
    counts = np.frombuffer(row["counts"] or b"", np.uint8)
    ends = np.cumsum(records["words"], dtype=np.int64) // WIDTH
    for column, wanted_hash in enumerate(wanted):
        at = np.flatnonzero(words == wanted_hash)
        frequencies[np.searchsorted(ends, at, side="right"), column] = counts[at]
    return frequencies


def _codes(records: NDArray[np.void]) -> NDArray[np.int32]:
    """A small number for each session instead of its hash, -1 for none."""
    codes = np.unique(records["session"], return_inverse=True)[1].astype(np.int32)
    codes[records["seq"] == 0] = -1
    return codes


def _oldest(records: NDArray[np.void]) -> UUID:
    ids = records["id"]
    return _ids(records[np.lexsort((ids[:, 1], ids[:, 0]))[:1]])[0]


def _ids(records: NDArray[np.void]) -> _Ids:
    return _Ids(records["id"].astype(">u8").tobytes())


class _Ids(Sequence[UUID]):
    """UUIDs out of one bytea, each made when it is asked for: of a thousand candidates, ten are."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def __len__(self) -> int:
        return len(self._data) // 16

    @overload
    def __getitem__(self, place: int) -> UUID: ...
    @overload
    def __getitem__(self, place: slice) -> list[UUID]: ...
    def __getitem__(self, place: int | slice) -> UUID | list[UUID]:
        if isinstance(place, slice):
            return [self[each] for each in range(*place.indices(len(self)))]
        at = range(len(self))[place] * 16
        return UUID(bytes=self._data[at : at + 16])
