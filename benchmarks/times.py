"""Exact resolution of time expressions on Microsoft's Recognizers-Text specs (English, MIT).

    python benchmarks/times.py

reads $RECOLLECT_DATA/recognizers_datetime (default ../shared/data beside the project) and writes
benchmarks/results/times.json and times.md; with --missed it also prints what was missed. One item is one
expected expression of a time; it is exact when find_times has an overlapping expression with the same
interval. Where a spec gives a past and a future reading, either counts. Conventions that differ are
translated: a range named by its last day, month or year ("2 to 22 October", "the rest of the week") includes
it here and leaves it out there; a part of day that ends at 23:59:59 there ends at midnight here. Durations,
sets ("every day"), time zones and values that the specs leave open (seasons) are left out and counted.
"""

from __future__ import annotations

import json
import os
import re
import sys
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from recollect.core.text.dates import EARLIEST, LATEST, floor, shift
from recollect.core.text.times import TimeSpan, find_times

ROOT = Path(__file__).resolve().parent.parent
DATA = Path(os.environ.get("RECOLLECT_DATA", ROOT.parent / "shared" / "data")) / "recognizers_datetime"
FILES = (
    "DateParser",
    "DatePeriodParser",
    "DateTimeParser",
    "DateTimePeriodParser",
    "TimeParser",
    "TimePeriodParser",
    "HolidayParser",
    "MergedParser",
    "DateTimeModel",
)
RANGE = re.compile(r"\b(?:to|and|through|until|till?|rest)\b|[-–~]", re.IGNORECASE)
SECOND, DAY = timedelta(seconds=1), timedelta(days=1)
NOW = datetime(2016, 11, 7)  # noqa: DTZ001 - the specs have no time zones

Reading = tuple[datetime | None, datetime | None]


@dataclass(frozen=True, slots=True)
class Item:
    """One expected expression: where it stands, and its readings; the end is None for a moment."""

    begin: int
    stop: int
    kind: str
    readings: tuple[Reading, ...]


@dataclass(slots=True)
class Tally:
    """Counts of one spec file."""

    items: int = 0
    exact: int = 0
    found: int = 0
    supported_items: int = 0
    supported_exact: int = 0
    left_out: int = 0
    spurious: int = 0


def moment(value: str | None, now: datetime) -> datetime | None:
    """A spec's date, time or both; None for none."""
    if not value or value in {"not resolved", "Not resolved"}:
        return None
    if "-" not in value:
        value = f"{now:%Y-%m-%d} {'00:00:00' if value.startswith('24') else value}"
    return datetime.fromisoformat(value)


def readings(result: dict[str, Any], now: datetime) -> tuple[str, tuple[Reading, ...]]:
    """The kind of an expected result, and the intervals it may mean."""
    value = result.get("Value") or result.get("Resolution") or {}
    kind = str(result.get("Type") or result.get("TypeName", "")).removeprefix("datetimeV2.")
    sources = value.get("values") or [value.get("PastResolution") or {}, value.get("FutureResolution") or {}]
    found: list[Reading] = []
    for source in sources:
        fields = {
            key.lower().replace("date", "").replace("time", ""): text
            for key, text in source.items()
            if key not in {"timex", "type", "Mod", "sourceEntity"}
        }
        if kind != str(source.get("type", kind)):
            continue
        start = fields.get("start") or fields.get("value") or fields.get("")
        try:
            reading = moment(start, now), moment(fields.get("end"), now)
        except ValueError:
            continue
        begin, end = reading
        if begin and end and end < begin and kind == "timerange":
            reading = begin, end + DAY
        if reading != (None, None):
            found.append(reading)
    return kind, tuple(found)


def same(span: TimeSpan, kind: str, reading: Reading, now: datetime) -> bool:
    """Whether the span is that interval."""
    start, end = reading
    if not kind.endswith("range"):
        return span.start == start and (kind != "date" or span.end == span.start + DAY)
    if span.start != (start or EARLIEST):
        return False
    if end is None:
        return span.end in {LATEST, now}
    last = {end, end + SECOND}
    if RANGE.search(span.phrase):
        last |= {
            shift(end, unit, 1) for unit in ("day", "month", "quarter", "year") if floor(end, unit) == end
        }
    return span.end in last


def items_of(case: dict[str, Any], now: datetime, tally: Tally) -> list[Item]:
    items = []
    for result in case["Results"]:
        kind, expected = readings(result, now)
        if (
            kind not in {"date", "daterange", "time", "timerange", "datetime", "datetimerange"}
            or not expected
        ):
            tally.left_out += 1
            continue
        begin = int(result["Start"])
        items.append(Item(begin, begin + len(result["Text"]), kind, expected))
    return items


def judge(case: dict[str, Any], tally: Tally, missed: list[str]) -> None:
    """Count one case."""
    reference = case.get("Context", {}).get("ReferenceDateTime")
    now = datetime.fromisoformat(reference[:19]) if reference else NOW
    spans = find_times(case["Input"], now)
    items = items_of(case, now, tally)
    supported = "python" not in str(case.get("NotSupported", "")) + str(case.get("NotSupportedByDesign", ""))
    for item in items:
        near = [span for span in spans if span.begin < item.stop and item.begin < span.stop]
        exact = any(same(span, item.kind, reading, now) for span in near for reading in item.readings)
        tally.items += 1
        tally.found += bool(near)
        tally.exact += exact
        tally.supported_items += supported
        tally.supported_exact += exact and supported
        if not exact:
            shown = "; ".join(f"{s.phrase!r} {s.start:%F %T} to {s.end:%F %T}" for s in near) or "nothing"
            wanted = " or ".join(f"{a} to {b}" for a, b in item.readings)
            missed.append(f"{case['Input']!r} @ {now:%F %H:%M}: wanted {wanted}; got {shown}")
    expected = [(int(r["Start"]), int(r["Start"]) + len(r["Text"])) for r in case["Results"]]
    tally.spurious += sum(
        not any(s.begin < stop and begin < s.stop for begin, stop in expected) for s in spans
    )


def table(tallies: dict[str, Tally]) -> str:
    """The results as Markdown."""
    lines = [
        "# Time expressions: exact resolution on recognizers_datetime (English)",
        "",
        "Command: `python benchmarks/times.py`; definitions in its docstring. *found*: something overlaps.",
        "*supported*: the items that Microsoft's own Python version is expected to pass. *spurious*:",
        "expressions found where the spec has none.",
        "",
        "| spec | items | exact | exact % | found % | supported: % of n | spurious | left out |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for name, t in tallies.items():
        n, s = max(t.items, 1), max(t.supported_items, 1)
        lines.append(
            f"| {name} | {t.items} | {t.exact} | {100 * t.exact / n:.1f} "
            f"| {100 * t.found / n:.1f} | {100 * t.supported_exact / s:.1f} of {t.supported_items} "
            f"| {t.spurious} | {t.left_out} |"
        )
    return "\n".join(lines) + "\n"


def main() -> None:
    if not DATA.is_dir():
        sys.exit(
            f"skipped: {DATA} is missing. Put Recognizers-Text's Specs/DateTime/English/*.json there, or set "
            "RECOLLECT_DATA."
        )
    tallies: dict[str, Tally] = {}
    missed: dict[str, list[str]] = {}
    for name in FILES:
        tally, misses = tallies.setdefault(name, Tally()), missed.setdefault(name, [])
        for case in json.loads((DATA / f"{name}.json").read_text("utf-8-sig")):
            judge(case, tally, misses)
    total = Tally(
        *(sum(column) for column in zip(*(asdict(t).values() for t in tallies.values()), strict=True))
    )
    tallies["all"] = total
    results = ROOT / "benchmarks" / "results"
    results.mkdir(exist_ok=True)
    (results / "times.json").write_text(
        json.dumps({k: asdict(t) for k, t in tallies.items()}, indent=1) + "\n"
    )
    (results / "times.md").write_text(table(tallies))
    sys.stdout.write(table(tallies))
    if "--missed" in sys.argv:
        for name, misses in missed.items():
            sys.stdout.write(f"\n{name}\n" + "\n".join(misses) + "\n")


if __name__ == "__main__":
    main()
