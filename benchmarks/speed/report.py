"""The figures beside their targets and beside those of the last run: Markdown, a chart, JSON."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from html import escape
from operator import itemgetter
from typing import Any

NOISE = 0.05
"""A figure has changed when the intervals of both runs are apart, and it by more than this share."""

TARGETS = {
    ("recall, 20, 1", "p50"): 5.0,
    ("recall, 20, 1", "p95"): 10.0,
    ("recall, 1,000, 1", "p50"): 5.0,
    ("recall, 1,000, 1", "p95"): 10.0,
    ("recall, 10,000, 1", "p95"): 30.0,
    ("recall repeated, 1,000, 1", "p95"): 2.0,
    ("context, 20, 1", "p95"): 15.0,
    ("context, 1,000, 1", "p95"): 15.0,
    ("write, 20, 1", "p95"): 10.0,
    ("write, 1,000, 1", "p95"): 10.0,
    ("write, 10,000, 1", "p95"): 10.0,
    ("recall of a tenant, all, 1", "p95"): 25.0,
}
"""Milliseconds at most, by cell and quantile (DESIGN §8 and issue 3)."""

FLAT = 0.10

Cells = Mapping[str, Mapping[str, float]]
Figure = Callable[[Mapping[str, Any]], float | str]


def _fastest(measured: Mapping[str, Any]) -> float:
    cells: Cells = measured["cells"]
    return max(cells[name]["a second"] for name in ("recall, 1,000, 8", "recall, 1,000, 32"))


def _nearest(measured: Mapping[str, Any]) -> float | str:
    found: float | str = measured["nearest gathered"]
    return f"skipped: {found}" if isinstance(found, str) else found


def _index(measured: Mapping[str, Any]) -> float | str:
    seconds: float | None = measured["index seconds"]
    return "no tenant is large enough" if seconds is None else seconds


@dataclass(frozen=True, slots=True)
class Once:
    """A figure that is told once of a store, with its aim if it has one."""

    name: str
    figure: Figure
    unit: str = ""
    aim: float | None = None
    at_most: bool = True


ONCE = (
    Once("recalls a second, users of 1,000", _fastest, aim=200.0, at_most=False),
    Once("tenant-wide: the 10 nearest among what is gathered", _nearest, aim=0.98, at_most=False),
    Once("server's RSS, idle", itemgetter("idle MB"), " MB", aim=350.0),
    Once("server's RSS, after the load", itemgetter("loaded MB"), " MB"),
    Once("cold start to the first recall", itemgetter("cold seconds"), " s", aim=3.0),
    Once("bytes a memory, indexes and all", itemgetter("bytes a memory")),
    Once("of them rows", lambda measured: measured["bytes by part"]["rows"]),
    Once("of them indexes", lambda measured: measured["bytes by part"]["indexes"]),
    Once("of them long values", lambda measured: measured["bytes by part"]["long values"]),
    Once("loaded in", itemgetter("load seconds"), " s"),
    Once("the index for whole tenants made in", _index, " s"),
)


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def verdict(value: float, aim: float, *, at_most: bool = True) -> str:
    """The aim, and whether it is met."""
    met = value <= aim if at_most else value >= aim
    return f"{'≤' if at_most else '≥'} {aim:g}: {'met' if met else '**missed**'}"


def aimed(cell: Mapping[str, float], quantile: str, aim: float) -> str:
    """The verdict on a cell, which no request may have failed in."""
    return (
        f"≤ {aim:g}: **{cell['failures']:.0f} failed**" if cell["failures"] else verdict(cell[quantile], aim)
    )


def report(results: Mapping[str, Any], last: Mapping[str, Any] | None) -> str:
    """The whole page."""
    parts = [_about(results)]
    for memories, measured in results["stores"].items():
        before = ((last or {}).get("stores") or {}).get(memories) or {}
        parts += [f"## {int(memories):,} memories", *_store(measured, before)]
    if results["flat"]:
        parts += ["## From few tenants to many", _flat(results["flat"], (last or {}).get("flat") or {})]
    return "\n\n".join(parts) + "\n"


def _about(results: Mapping[str, Any]) -> str:
    machine = results["machine"]
    return (
        "# Speed\n\n"
        f"`{results['command']}` on {machine['cores']} cores, Python {machine['python']}, load average "
        f"before and after {machine['load before']:.1f} and {machine['load after']:.1f}; "
        f"{results['minutes']:.0f} minutes. Milliseconds, over HTTP with an API key and row level security, "
        "against `recollect serve`, warm; the client is a lean one over asyncio's streams in a process of "
        "its own, on the same cores. Every request is another question, about the next user of that size; a "
        "hit list has 10, a context 1,000 tokens, a write one turn, durable when it is acknowledged.\n\n"
        "The texts are generated from a seed. The vectors of the stored texts are made, not embedded: the "
        "weighted sum of the real vectors of their words, with noise that depends on the text. Questions "
        "and writes are embedded for real. Each user's sessions lie scattered over the table, as they came "
        "in.\n\n"
        "![p50 and p95 over HTTP](speed.svg)\n\n"
        "One client: dark to the p50, light to the p95, in red the aim of the p95."
    )


def _store(measured: Mapping[str, Any], before: Mapping[str, Any]) -> Iterator[str]:
    yield _headline(measured, before)
    yield "### Over HTTP, by operation, memories of the user, and clients"
    yield _cells(measured["cells"], before.get("cells", {}))
    yield "### Where the time of a recall goes"
    yield _stages(measured["stages"])
    yield "Floors, in ms: " + "; ".join(_floors(measured)) + "."


def _headline(measured: Mapping[str, Any], before: Mapping[str, Any]) -> str:
    rows = [*_aims(measured["cells"], before.get("cells", {})), *_refused(measured)]
    rows += [_once(one, measured, before) for one in ONCE]
    return table(["what", "measured", "aim", "to last"], rows)


def _aims(cells: Cells, before: Cells) -> Iterator[list[str]]:
    for (name, quantile), aim in TARGETS.items():
        if name in cells:
            judged = aimed(cells[name], quantile, aim)
            last = compare(cells[name], before.get(name), quantile)
            yield [f"{name}, {quantile}", f"{cells[name][quantile]:.2f} ms", judged, last]


def _refused(measured: Mapping[str, Any]) -> Iterator[list[str]]:
    if refusal := measured.get("tenant-wide refused"):
        yield ["recall of a tenant, all", f"skipped: {refusal}", "", ""]


def _once(one: Once, measured: Mapping[str, Any], before: Mapping[str, Any]) -> list[str]:
    found = one.figure(measured)
    if isinstance(found, str):
        return [one.name, found, "", ""]
    judged = "" if one.aim is None else verdict(found, one.aim, at_most=one.at_most)
    last = one.figure(before) if before else ""
    ratio = f"{found / last:.2f}" if isinstance(last, (int, float)) and last else ""
    return [one.name, f"{found:,.{_digits(found)}f}{one.unit}", judged, ratio]


def _digits(figure: float) -> int:
    return 3 if figure < 1 else 2 if figure < 10 else 0


def _cells(cells: Cells, before: Cells) -> str:
    rows = []
    for name, cell in cells.items():
        wrong = [f"{cell[key]:.0f} {key}" for key in ("failures", "without hits") if cell[key]]
        rows.append(
            [
                *name.split(", "),
                *(f"{cell[quantile]:.2f}" for quantile in ("p50", "p95", "p99")),
                f"{cell['a second']:.0f}",
                f"{cell['n']:.0f}",
                compare(cell, before.get(name), "p50"),
                compare(cell, before.get(name), "p95"),
                ", ".join(wrong),
            ]
        )
    head = "operation, user, clients, p50, p95, p99, a second, n, p50 to last, p95 to last, wrong"
    return table(head.split(", "), rows)


def compare(cell: Mapping[str, float], before: Mapping[str, float] | None, quantile: str) -> str:
    """This run's figure over the last one's, with an arrow when that is more than noise.

    >>> cell = {"p50": 4.0, "p50 low": 3.9, "p50 high": 4.1}
    >>> compare(cell, {"p50": 5.0, "p50 low": 4.9, "p50 high": 5.1}, "p50")
    '0.80 ↓'
    """
    if not before or not before.get(quantile):
        return ""
    ratio = cell[quantile] / before[quantile]
    apart = (
        cell[f"{quantile} low"] > before[f"{quantile} high"]
        or cell[f"{quantile} high"] < before[f"{quantile} low"]
    )
    arrow = (" ↑" if ratio > 1 else " ↓") if apart and abs(ratio - 1) > NOISE else ""
    return f"{ratio:.2f}{arrow}"


def _stages(found: Mapping[str, Any]) -> str:
    sizes = list(found["stages"])
    names = sorted(found["stages"][sizes[-1]], key=lambda stage: -found["stages"][sizes[-1]][stage])
    rows = [[stage, *(f"{found['stages'][size].get(stage, 0.0):.3f}" for size in sizes)] for stage in names]
    text = table(["stage, ms of its own", *(f"user of {int(size):,}" for size in sizes)], rows)
    about = (
        "\n\nIn process, without uvicorn and the network; the median of each stage without the stages in it, "
        "so that they do not quite add up. “PostgreSQL: x” is what x waits for the database: the way there "
        "and back, and the statement."
    )
    missing = f" Not found by name: {', '.join(found['missing'])}." if found["missing"] else ""
    return text + about + missing


def _floors(measured: Mapping[str, Any]) -> Iterator[str]:
    yield f"a constant answer over HTTP {measured['bare']['p50']:.2f}"
    yield f"Recollect's /v1/health/live {measured['live']['p50']:.2f}"
    floors = measured["stages"]["floors"]
    sizes = list(floors)
    for name in floors[sizes[0]]:
        values = " / ".join(f"{floors[size][name]:.2f}" for size in sizes)
        yield f"{name} {values if 'scan' in name else values.rpartition(' / ')[2]}"


def _flat(flat: Cells, before: Cells) -> str:
    first = next(iter(flat.values()))["p50"]
    rows = [
        [
            f"{int(tenants):,}",
            f"{cell['p50']:.2f}",
            f"{cell['p95']:.2f}",
            f"{cell['p50'] / first:.2f}",
            verdict(abs(cell["p50"] / first - 1), FLAT),
            compare(cell, before.get(tenants), "p50"),
        ]
        for tenants, cell in flat.items()
    ]
    return (
        "A server and a database for each number of tenants, one user of 20 memories in each tenant; the "
        "same number of recalls of each in turn, by one client.\n\n"
        + table(
            ["tenants", "p50 ms", "p95 ms", "p50 to the first", "its distance from 1", "p50 to last"], rows
        )
    )


_BAR, _GAP, _LEFT, _WIDTH, _RIGHT = 14, 8, 240, 860, 120


def chart(stores: Mapping[str, Mapping[str, Any]]) -> str:
    """An SVG: a bar to the p50 of each cell, a thin one to its p95, and a line at the aim of the p95."""
    bars = [
        (f"{int(memories):,}: {name}", cell)
        for memories, measured in stores.items()
        for name, cell in measured["cells"].items()
        if name.endswith(", 1")
    ]
    most = max(cell["p95"] for _, cell in bars)
    scale = (_WIDTH - _LEFT - _RIGHT) / most
    height = len(bars) * (_BAR + _GAP) + _GAP
    drawn = "".join(
        _bar(place, name, cell, scale, TARGETS.get((name.split(": ")[1], "p95")))
        for place, (name, cell) in enumerate(bars)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_WIDTH} {height}" '
        'font-family="sans-serif" font-size="11">\n'
        f'<rect width="{_WIDTH}" height="{height}" fill="#fff"/>\n{drawn}</svg>\n'
    )


def _bar(place: int, name: str, cell: Mapping[str, float], scale: float, aim: float | None) -> str:
    top = _GAP + place * (_BAR + _GAP)
    middle, foot = top + _BAR / 2, top + _BAR - 3
    half, most = cell["p50"] * scale, cell["p95"] * scale
    line = (
        f'<line x1="{_LEFT + aim * scale:.0f}" x2="{_LEFT + aim * scale:.0f}" y1="{top - 2}" '
        f'y2="{top + _BAR + 2}" stroke="#c33"/>'
        if aim and aim * scale < _WIDTH - _LEFT
        else ""
    )
    told = _LEFT + max(most, aim * scale if line and aim else 0.0) + 6
    return (
        f'<text x="{_LEFT - 6}" y="{foot}" text-anchor="end">{escape(name)}</text>'
        f'<rect x="{_LEFT}" y="{middle - 2}" width="{most:.0f}" height="4" fill="#9bc"/>'
        f'<rect x="{_LEFT}" y="{top}" width="{half:.0f}" height="{_BAR}" fill="#357"/>{line}'
        f'<text x="{told:.0f}" y="{foot}">{cell["p50"]:.1f} / {cell["p95"]:.1f} ms</text>\n'
    )
