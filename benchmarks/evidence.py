"""Whether facts that somebody made up are caught, and facts that were said pass the check.

    python benchmarks/evidence.py

takes the facts that the rules read in benchmarks/extraction.toml (our own), and alters each as a language
model might: the value of another fact, another number, a word more, somebody who is not named, words that
nobody said. What is altered and, letter by letter, stands in the conversation is left out. It writes
benchmarks/results/evidence.json and evidence.md. Intervals are 95 %, Wilson's.
"""

from __future__ import annotations

import json
import random
import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import partial
from math import sqrt
from pathlib import Path
from typing import TypeAlias

from extraction import Fact, cases, conversation, table

from recollect.core.consolidate.evidence import supported
from recollect.core.consolidate.extraction import Conversation, Finding
from recollect.core.consolidate.rules import extract
from recollect.core.model import Claim, Kind, Memory

RESULTS = Path(__file__).resolve().parent / "results"
COMMAND = "python benchmarks/evidence.py"
NOBODY = ("brother-in-law", "Priya", "Oscar", "landlady", "Mr Novak")
WHAT = (
    f"`{COMMAND}`, on {{}} facts that the rules read in benchmarks/extraction.toml (our own), in percent "
    "(95 % intervals, Wilson's)."
)
LIMITS = (
    "The check knows words, not what they mean: a wrong attribute, a negation turned round, or a value given "
    "to another person who is named there, passes."
)
SLIP = 8
"""A quotation of so many words may lack one."""

Said: TypeAlias = tuple[Conversation, Finding]
Change: TypeAlias = Callable[[Finding, Finding, random.Random], Finding | None]


def _claim(finding: Finding, **parts: str) -> Finding:
    return replace(finding, claim=replace(finding.claim, **parts))  # type: ignore[arg-type]


def as_said(finding: Finding, _: Finding, __: random.Random) -> Finding | None:
    """Nothing is altered."""
    return finding


def other_spelling(finding: Finding, _: Finding, __: random.Random) -> Finding | None:
    """The quotation in capitals, without punctuation."""
    return replace(finding, quote="  ".join(re.findall(r"\w+", finding.quote.upper())))


def slip(finding: Finding, _: Finding, dice: random.Random) -> Finding | None:
    """The quotation without one of its words."""
    words = finding.quote.split()
    if len(words) < SLIP:
        return None
    words.pop(dice.randrange(1, len(words) - 1))
    return replace(finding, quote=" ".join(words))


def other_value(finding: Finding, other: Finding, _: random.Random) -> Finding | None:
    """The value of another fact."""
    return _claim(finding, value=other.claim.value)


def other_number(finding: Finding, _: Finding, dice: random.Random) -> Finding | None:
    """Another number in the value."""
    changed = re.sub(r"\d", lambda _: str(dice.randrange(10)), finding.claim.value)
    return _claim(finding, value=changed) if changed != finding.claim.value else None


def word_more(finding: Finding, other: Finding, _: random.Random) -> Finding | None:
    """The value with a word of another fact's."""
    return _claim(finding, value=f"{finding.claim.value} {other.claim.value.split()[-1]}")


def nobody(finding: Finding, _: Finding, dice: random.Random) -> Finding | None:
    """Told of somebody who is not named."""
    return _claim(finding, subject=dice.choice(NOBODY))


def other_quotation(finding: Finding, other: Finding, _: random.Random) -> Finding | None:
    """The words of another conversation, with the right value."""
    return replace(finding, quote=other.quote)


PASSING: tuple[Change, ...] = (as_said, other_spelling, slip)
CAUGHT: tuple[Change, ...] = (other_value, other_number, word_more, nobody, other_quotation)


def is_there(altered: Finding, finding: Finding, said: Conversation) -> bool:
    """Whether what was altered stands in the conversation nevertheless, letter by letter."""
    text = "\n".join(turn.content for turn in said.turns).lower()
    one, other = (
        (each.claim.subject, each.claim.value, " ".join(each.quote.split())) for each in (altered, finding)
    )
    return all(new.lower() in text for new, old in zip(one, other, strict=True) if new != old)


def counted(change: Change, facts: Sequence[Said], *, passing: bool) -> tuple[int, int]:
    """How many were judged rightly, of how many."""
    dice = random.Random(7)
    right = tried = 0
    for said, finding in facts:
        altered = change(finding, dice.choice(facts)[1], dice)
        if altered is None or (not passing and is_there(altered, finding, said)):
            continue
        tried += 1
        right += supported(altered, said.turns) == passing
    return right, tried


def written(facts: Sequence[tuple[Conversation, Fact]]) -> tuple[int, int]:
    """How many facts pass as people wrote them down, with a whole turn for their quotation; of how many."""
    return sum(any(map(partial(_passes, fact, said), said.turns)) for said, fact in facts), len(facts)


def _passes(fact: Fact, said: Conversation, turn: Memory) -> bool:
    claim = Claim(fact.subject, fact.attribute, fact.value)
    finding = Finding(claim, Kind.FACT, fact.value, (turn.id,), turn.content, turn.valid_from)
    return supported(finding, said.turns)


def row(what: str, right: int, tried: int, *, passing: bool) -> dict[str, object]:
    """One line of the table."""
    share, z = right / tried, 1.96
    middle = (share + z * z / (2 * tried)) / (1 + z * z / tried)
    half = z * sqrt(share * (1 - share) / tried + z * z / (4 * tried * tried)) / (1 + z * z / tried)
    rate = {"value": share, "low": max(middle - half, 0.0), "high": min(middle + half, 1.0)}
    return {"fact": what, "n": tried, "passes" if passing else "is caught": rate}


def rows(changes: Sequence[Change], facts: Sequence[Said], *, passing: bool) -> list[dict[str, object]]:
    """A line for each change."""
    named = ((str(change.__doc__).partition("\n")[0].rstrip("."), change) for change in changes)
    return [row(what, *counted(change, facts, passing=passing), passing=passing) for what, change in named]


def main() -> None:
    """Judge all, and write the results."""
    everything = [(conversation(case.said), case.facts) for case in cases()]
    facts = [(said, finding) for said, _ in everything for finding in extract(said).findings]
    gold = [(said, fact) for said, told in everything for fact in told]
    by_people = row("As the gold file has it, whoever reads it", *written(gold), passing=True)
    kept = [*rows(PASSING, facts, passing=True), by_people]
    caught = rows(CAUGHT, facts, passing=False)
    text = "\n\n".join(
        [
            "# Facts that nobody said",
            WHAT.format(len(facts)),
            f"## Said\n\n{table(kept)}",
            f"## Made up\n\n{table(caught)}",
            LIMITS,
        ]
    )
    RESULTS.joinpath("evidence.md").write_text(text + "\n", "utf-8")
    results = {"command": COMMAND, "said": kept, "made up": caught}
    RESULTS.joinpath("evidence.json").write_text(json.dumps(results, indent=1) + "\n", "utf-8")
    print(text)


if __name__ == "__main__":
    main()
