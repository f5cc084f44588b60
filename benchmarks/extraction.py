"""What the rules read in sentences and short dialogues of our own: precision, recall and F1 by kind.

    python benchmarks/extraction.py [--missed]

reads benchmarks/extraction.toml and writes benchmarks/results/extraction.json and extraction.md; --missed
also prints what is wrong in the half that the rules are developed on. Every second case of a kind is held
out, but of "talk" none. A fact counts as found if its subject, its marks (negated, planned, over, corrects)
and its value agree, and its attribute; values and attributes agree when half of their stemmed words are the
same, whichever has more. Intervals are bootstrap over cases. Speed is over the same cases, one after the
other.
"""

from __future__ import annotations

import json
import random
import re
import sys
import time
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import Stemmer

from recollect.core.consolidate.extraction import Conversation, Finding
from recollect.core.consolidate.rules import extract
from recollect.core.model import Kind, Memory, Modality, Trust

ROOT = Path(__file__).resolve().parent
RESULTS = ROOT / "results"
AT = datetime(2026, 3, 11, 12, tzinfo=UTC)
MARKS = "!~<^?"
ROUNDS = 1000
COMMAND = "python benchmarks/extraction.py"
TALK = "talk"
"""The kind of cases of which none is held out."""
STEM = Stemmer.Stemmer("english").stemWord


@dataclass(frozen=True, slots=True)
class Fact:
    """A fact as it is compared; `optional`: it is right, but was not asked for."""

    subject: str
    attribute: str
    value: str
    marks: frozenset[str]
    optional: bool = False


@dataclass(frozen=True, slots=True)
class Case:
    """A conversation and what should be read in it."""

    kind: str
    held_out: bool
    said: str
    facts: tuple[Fact, ...]


@dataclass(frozen=True, slots=True)
class Score:
    """Counts of one case: found and right, found, and to be found."""

    right: int
    found: int
    wanted: int


def cases() -> list[Case]:
    """The gold file's cases."""
    read = tomllib.loads((ROOT / "extraction.toml").read_text("utf-8"))
    return [
        Case(
            kind,
            number % 2 == 1 and kind != TALK,
            said,
            tuple(map(_gold, filter(str.strip, facts.split(";")))),
        )
        for kind, lines in read.items()
        for number, line in enumerate(lines)
        for said, _, facts in [line.partition(" => ")]
    ]


def _gold(written: str) -> Fact:
    written = written.strip()
    body = written.lstrip(MARKS)
    marks = frozenset(written[: len(written) - len(body)])
    subject, attribute, value = body.split("|")
    return Fact(subject, attribute, value, marks - {"?"}, optional="?" in marks)


def conversation(said: str) -> Conversation:
    """The case's turns."""
    names = {"B": "Bob", "C": "Carla"}
    turns = []
    for number, line in enumerate(said.split(" / "), 1):
        who, text = (line[0], line[2:].strip()) if re.match(r"[ABC]:", line) else ("", line)
        role = "assistant" if who == "A" else "user"
        id_ = UUID(int=number)
        turns.append(
            Memory(id_, Kind.MESSAGE, text, Trust.USER, AT, AT, role=role, name=names.get(who), seq=number)
        )
    return Conversation(turns)


def told(finding: Finding) -> Fact:
    """A finding as it is compared."""
    claim = finding.claim
    marks = {
        "!": claim.negated,
        "~": claim.modality is Modality.PLANNED,
        "<": finding.valid_to is not None and finding.valid_to <= AT,
        "^": finding.corrects,
    }
    return Fact(
        claim.subject, claim.attribute, claim.value, frozenset(mark for mark, on in marks.items() if on)
    )


def words(text: str) -> frozenset[str]:
    """The words of an attribute or a value, stemmed, without articles."""
    found = re.findall(r"[\w$%.@+'-]+", text.casefold().replace("favorite", "favourite"))
    return frozenset(STEM(word.strip(".'-")) for word in found) - {"a", "an", "the", "my", "our", "some", ""}


def same(gold: Fact, found: Fact) -> bool:
    """Whether they are one fact."""
    if gold.subject != found.subject or gold.marks != found.marks:
        return False
    one, other = words(gold.attribute), words(found.attribute)
    value, read = words(gold.value), words(found.value)
    alike = len(one & other) * 2 >= max(len(one), len(other))
    return alike and bool(value & read) and len(value & read) * 2 >= max(len(value), len(read))


def score(case: Case) -> tuple[Score, list[Fact], list[Fact]]:
    """The case's counts, and what was missed and what was made up."""
    left = list(case.facts)
    right, wrong, found = 0, [], 0
    for fact in map(told, extract(conversation(case.said)).findings):
        match = next((gold for gold in left if same(gold, fact)), None)
        if match is None:
            wrong.append(fact)
            found += 1
            continue
        left.remove(match)
        if not match.optional:
            right += 1
            found += 1
    wanted = sum(not gold.optional for gold in case.facts)
    return Score(right, found, wanted), [gold for gold in left if not gold.optional], wrong


def rates(scores: Sequence[Score]) -> tuple[float, float, float]:
    """Precision, recall and F1 of the sums."""
    right, found, wanted = (
        sum(part) for part in zip(*((s.right, s.found, s.wanted) for s in scores), strict=True)
    )
    precision = right / found if found else float(not wanted or right)
    recall = right / wanted if wanted else float(not found)
    return precision, recall, 2 * right / (found + wanted) if found + wanted else 1.0


def intervals(scores: Sequence[Score]) -> list[tuple[float, float]]:
    """95 % bootstrap intervals of the rates, over cases."""
    dice = random.Random(7)
    drawn = [rates(dice.choices(scores, k=len(scores))) for _ in range(ROUNDS)]
    return [
        (sorted(column)[int(0.025 * ROUNDS)], sorted(column)[int(0.975 * ROUNDS)])
        for column in zip(*drawn, strict=True)
    ]


def speed(held: Sequence[Case]) -> float:
    """Turns a second, on one core."""
    conversations = [conversation(case.said) for case in held]
    turns = sum(len(each.turns) for each in conversations)
    began = time.process_time()
    for _ in range(3):
        for each in conversations:
            extract(each)
    return 3 * turns / (time.process_time() - began)


def row(name: str, scores: Sequence[Score]) -> dict[str, object]:
    """One line of the table; where nothing is to be found, only what was made up."""
    wanted = sum(score.wanted for score in scores)
    false = sum(score.found - score.right for score in scores)
    measured = zip(("precision", "recall", "f1"), rates(scores), intervals(scores), strict=True)
    named = {
        measure: {"value": round(value, 3), "low": round(low, 3), "high": round(high, 3)} if wanted else None
        for measure, value, (low, high) in measured
    }
    return {"kind": name, "cases": len(scores), "facts": wanted, "made up": false, **named}


def table(rows: Sequence[dict[str, object]]) -> str:
    """The rows as Markdown."""

    def shown(cell: object) -> str:
        if isinstance(cell, dict):
            return f"{100 * cell['value']:.1f} ({100 * cell['low']:.1f}–{100 * cell['high']:.1f})"
        return "–" if cell is None else str(cell)

    head = list(rows[0])
    lines = ["| " + " | ".join(head) + " |", "|" + "---|" * len(head)]
    return "\n".join([*lines, *("| " + " | ".join(map(shown, each.values())) + " |" for each in rows)])


def half(cases: Sequence[Case], *, missed: bool) -> list[dict[str, object]]:
    """The table of some cases, by kind and together."""
    kinds: dict[str, list[Score]] = {}
    for case in cases:
        counts, left, wrong = score(case)
        kinds.setdefault(case.kind, []).append(counts)
        if missed and (left or wrong):
            print(f"{case.kind}: {case.said}\n   missed {left}\n   made up {wrong}")
    together = [counts for scores in kinds.values() for counts in scores]
    return [*(row(kind, scores) for kind, scores in kinds.items()), row("all", together)]


def main() -> None:
    """Score both halves, and write the results."""
    everything = cases()
    parts = {
        "Held out": half([case for case in everything if case.held_out], missed=False),
        "Developed on": half(
            [case for case in everything if not case.held_out], missed="--missed" in sys.argv
        ),
    }
    per_second = round(speed(everything), -2)
    text = "\n\n".join(
        (
            "# Facts that the rules read",
            f"`{COMMAND}`, on benchmarks/extraction.toml (our own); in percent, with 95 % intervals.",
            *(f"## {title}\n\n{table(rows)}" for title, rows in parts.items()),
            f"{per_second:.0f} turns a second of processor time, on a machine that was busy otherwise.",
        )
    )
    RESULTS.joinpath("extraction.md").write_text(text + "\n", "utf-8")
    results = {"command": COMMAND, "parts": parts, "turns a second": per_second}
    RESULTS.joinpath("extraction.json").write_text(json.dumps(results, indent=1) + "\n", "utf-8")
    print(text)


if __name__ == "__main__":
    main()
