"""What survives of a session's labelled facts in its summary, and what is read beside it.

    python benchmarks/summaries.py

prints two tables and writes benchmarks/results/summaries.{md,json}. A labelled fact is the answer to a
question, with the turns that it was read from; its words are those of the answer that stand in those turns.
Beside the summary stand the first sentences, the last and random ones, each up to as many tokens. Actions,
moods and outcomes are held against benchmarks/insight.toml, dialogues of our own. Data are in $RECOLLECT_DATA
(default ../shared/data), to be had from their publishers.
"""

from __future__ import annotations

import json
import re
import sys
import tomllib
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from recall_offline import DATA, RESULTS, interval

from recollect.core.consolidate.actions import actions
from recollect.core.consolidate.consolidation import by_rules, facts
from recollect.core.consolidate.extraction import Conversation
from recollect.core.consolidate.outcomes import resolution
from recollect.core.consolidate.sentiment import sentiment
from recollect.core.consolidate.summarising import summarise
from recollect.core.model import Kind, Memory, Trust
from recollect.core.recall.context import estimate_tokens
from recollect.core.text.sentences import sentences
from recollect.core.text.stems import stems

BEGIN = datetime(2026, 3, 4, 12, tzinfo=UTC)
GOLD = Path(__file__).resolve().parent / "insight.toml"
FELT = 0.35
"""A mood nearer to 0 than this is neutral."""


@dataclass(frozen=True, slots=True)
class Told:
    """A session, and the words of each of its labelled facts."""

    turns: Sequence[Memory]
    facts: Sequence[frozenset[str]]


def session(lines: Sequence[tuple[str, str, str]]) -> list[Memory]:
    """Turns of role, name and text, a minute apart."""
    return [
        Memory(
            id=UUID(int=seq),
            kind=Kind.MESSAGE,
            content=text,
            trust=Trust.USER,
            valid_from=BEGIN + timedelta(minutes=seq),
            recorded_at=BEGIN + timedelta(minutes=seq),
            session_id="session",
            seq=seq,
            role=role,
            name=name or None,
        )
        for seq, (role, name, text) in enumerate(lines, 1)
    ]


def _fact(answer: str, turns: Sequence[Memory]) -> frozenset[str]:
    said = frozenset(stem for turn in turns for stem in stems(turn.content))
    return stems(answer) & said


def qmsum() -> Iterator[Told]:
    """Meetings, with queries whose answers rest on spans of turns."""
    for path in sorted((DATA / "qmsum").glob("*.json")):
        meeting = json.loads(path.read_text("utf-8"))
        said = meeting["meeting_transcripts"]
        lines = [("user", turn["speaker"], _clean(turn["content"])) for turn in said]
        turns = session([line for line in lines if line[2]])
        whole = session(lines)
        facts = [
            _fact(asked["answer"], [turn for a, b in spans for turn in whole[int(a) : int(b) + 1]])
            for asked in meeting["specific_query_list"]
            if (spans := asked["relevant_text_span"])
        ]
        yield Told(turns, [fact for fact in facts if fact])


def _clean(text: str) -> str:
    return re.sub(r"\s+([.,?!])", r"\1", re.sub(r"\{[a-z]+\}", "", text)).strip()


def friendsqa() -> Iterator[Told]:
    """Scenes of several people, with questions whose answers are words of one utterance."""
    for part in ("dev", "tst"):
        for scene in json.loads((DATA / "friendsqa" / f"friendsqa_{part}.json").read_text("utf-8"))["data"]:
            (paragraph,) = scene["paragraphs"]
            said = paragraph["utterances:"]
            turns = session([("user", ", ".join(one["speakers"]), one["utterance"]) for one in said])
            places = {one["uid"]: place for place, one in enumerate(said)}
            facts = [
                _fact(answer["answer_text"], [turns[places[answer["utterance_id"]]]])
                for asked in paragraph["qas"]
                for answer in asked["answers"][:1]
                if not answer.get("is_speaker")
            ]
            yield Told(turns, [fact for fact in facts if fact])


def longmemeval() -> Iterator[Told]:
    """Sessions with an assistant in which a question's answer was told."""
    (item,) = json.loads((DATA / "longmemeval_sample" / "longmemeval_single.json").read_text("utf-8"))
    for name, said in zip(item["haystack_session_ids"], item["haystack_sessions"], strict=True):
        if name in item["answer_session_ids"]:
            turns = session([(turn["role"], "", turn["content"]) for turn in said])
            marked = [turn for turn, one in zip(turns, said, strict=True) if one.get("has_answer")]
            yield Told(turns, [_fact(turn.content, [turn]) for turn in marked])


def locomo() -> Iterator[Told]:
    """Two speakers over months: questions whose evidence is in one session."""
    for sample in json.loads((DATA / "locomo" / "locomo_dev.json").read_text("utf-8")):
        told = sample["conversation"]
        for number in sorted(int(key[8:]) for key in told if re.fullmatch(r"session_\d+", key)):
            said = told[f"session_{number}"]
            turns = session([("user", turn["speaker"], turn["text"]) for turn in said])
            places = {turn["dia_id"]: place for place, turn in enumerate(said)}
            facts = [
                _fact(str(asked["answer"]), [turns[places[id_]] for id_ in asked["evidence"]])
                for asked in sample["qa"]
                if "answer" in asked and asked["evidence"] and places.keys() >= set(asked["evidence"])
            ]
            yield Told(turns, [fact for fact in facts if fact])


def found_in(turns: Sequence[Memory]) -> list[Memory]:
    """The facts that the rules find in a session."""
    conversation = Conversation(turns, user_id="user")
    return facts(by_rules(conversation), conversation)


def _all(turns: Sequence[Memory]) -> list[str]:
    return [f"{turn.name}: {one}" for turn in turns for one in sentences(turn.content)]


def _upto(parts: Sequence[str], budget: int) -> str:
    """So many tokens of the parts, in their order; the last is cut."""
    text = ""
    for part in parts:
        if estimate_tokens(text) >= budget:
            break
        text += f"{part}\n"
    return text[: 4 * budget]


def _random(turns: Sequence[Memory], budget: int) -> str:
    parts = _all(turns)
    Random(len(parts)).shuffle(parts)  # a seed of its own for each session
    return _upto(parts, budget)


SYSTEMS: dict[str, Callable[[Sequence[Memory], str], str]] = {
    "the summary": lambda _, summary: summary,
    "its quotations alone": lambda turns, _: summarise(turns).text,
    "first sentences": lambda turns, summary: _upto(_all(turns), estimate_tokens(summary)),
    "last sentences": lambda turns, summary: _upto(_all(turns)[::-1], estimate_tokens(summary)),
    "random sentences": lambda turns, summary: _random(turns, estimate_tokens(summary)),
    "everything": lambda turns, _: "\n".join(_all(turns)),
}


def survival(system: str, sessions: Sequence[Told], summaries: Sequence[str]) -> dict[str, Any]:
    """How much of the facts' words is in a system's text, and what it takes of the tokens."""
    rows: list[NDArray[np.float64]] = []
    tokens = [0, 0]
    for told, summary in zip(sessions, summaries, strict=True):
        text = SYSTEMS[system](told.turns, summary)
        tokens[0] += estimate_tokens(text)
        tokens[1] += estimate_tokens("\n".join(_all(told.turns)))
        words = stems(text)
        shares = [(len(fact & words) / len(fact), float(fact <= words)) for fact in told.facts]
        rows.append(np.array(shares).reshape(-1, 2))
    found = np.concatenate(rows)
    return {
        "system": system,
        "sessions": len(sessions),
        "facts": len(found),
        "tokens": tokens[0] / tokens[1],
        "words": float(found[:, 0].mean()),
        "words interval": interval(rows, 0),
        "whole": float(found[:, 1].mean()),
        "whole interval": interval(rows, 1),
    }


SETS: dict[str, Callable[[], Iterator[Told]]] = {
    "qmsum": qmsum,
    "friendsqa": friendsqa,
    "longmemeval": longmemeval,
    "locomo": locomo,
}


def read_gold(part: str) -> list[dict[str, Any]]:
    """The dialogues of our own of one part: "dev", which the rules were written with, or "test"."""
    return [one for one in tomllib.loads(GOLD.read_text("utf-8"))["dialogue"] if one["part"] == part]


def _lines(dialogue: dict[str, Any]) -> list[tuple[str, str, str]]:
    """Turns of "U: text" (the user), "A: text" (the assistant), or "Name: text"."""
    parts = (line.split(": ", 1) for line in dialogue["turns"].strip().splitlines())
    roles = {"U": ("user", ""), "A": ("assistant", "")}
    return [(*roles.get(who, ("user", who)), text) for who, text in parts]


def insight(part: str) -> dict[str, float]:
    """How often mood and outcome are read right, and precision and recall of actions."""
    counts = defaultdict[str, int](int)
    dialogues = read_gold(part)
    for dialogue in dialogues:
        turns = session(_lines(dialogue))
        overall = sentiment(turns).overall
        mood = "positive" if overall > FELT else "negative" if overall < -FELT else "neutral"
        counts["mood"] += mood == dialogue["mood"]
        counts["outcome"] += resolution(turns) == dialogue["outcome"]
        _count(counts, turns, dialogue.get("actions", []))
    right, said, meant = counts["right"], counts["said"], counts["meant"]
    return {
        "dialogues": len(dialogues),
        "mood": counts["mood"] / len(dialogues),
        "outcome": counts["outcome"] / len(dialogues),
        "actions": meant,
        "precision": right / max(said, 1),
        "recall": right / max(meant, 1),
        "due": counts["due"] / max(right, 1),
        "done": counts["done"] / max(right, 1),
    }


def _count(counts: dict[str, int], turns: Sequence[Memory], meant: Sequence[dict[str, Any]]) -> None:
    """Each action that is meant is found by one of its owner with its words."""
    left = list(actions(turns))
    counts["said"] += len(left)
    counts["meant"] += len(meant)
    for one in meant:
        words = stems(one["text"])
        owner = {"U": "user", "A": "assistant"}.get(one["owner"], one["owner"])
        hits = [each for each in left if each.owner == owner and words <= stems(each.text)]
        if hits:
            left.remove(hits[0])
            counts["right"] += 1
            due = hits[0].due.date().isoformat() if hits[0].due else ""
            counts["due"] += due == one.get("due", "")
            counts["done"] += hits[0].done == one.get("done", False)


def _percent(value: float, between: tuple[float, float] | None = None) -> str:
    return f"{100 * value:.1f}" + (f" ({100 * between[0]:.1f}–{100 * between[1]:.1f})" if between else "")


def table(rows: Sequence[Sequence[str]]) -> str:
    """Markdown."""
    lines = [rows[0], ["---"] * len(rows[0]), *rows[1:]]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def main() -> None:
    """Measure what there are data for."""
    measured: dict[str, Any] = {"survival": {}, "insight": {}}
    rows = [["set", "system", "facts", "tokens, share", "words that survive", "facts that survive whole"]]
    for name, load in SETS.items():
        try:
            sessions = [told for told in load() if told.facts]
        except FileNotFoundError as missing:
            print(
                f"{name} is not there: {missing.filename}; point RECOLLECT_DATA at its folder",
                file=sys.stderr,
            )
            continue
        summaries = [summarise(told.turns, found_in(told.turns)).text for told in sessions]
        for system in SYSTEMS:
            row = survival(system, sessions, summaries)
            measured["survival"].setdefault(name, []).append(row)
            words, whole = (_percent(row[key], row[f"{key} interval"]) for key in ("words", "whole"))
            rows.append([name, system, str(row["facts"]), _percent(row["tokens"]), words, whole])
    read = [
        ["part", "dialogues", "mood", "outcome", "actions", "precision", "recall", "due right", "done right"]
    ]
    for part in ("dev", "test"):
        found = measured["insight"][part] = insight(part)
        shares = [_percent(found[key]) for key in ("mood", "outcome")]
        shares += [
            str(found["actions"]),
            *(_percent(found[key]) for key in ("precision", "recall", "due", "done")),
        ]
        read.append([part, str(found["dialogues"]), *shares])
    text = (
        "# Summaries\n\n`python benchmarks/summaries.py`: how much of each labelled fact's words is in a "
        "session's summary, in percent, with 95 % by bootstrap over sessions; beside it, sentences up to as "
        "many tokens. The facts in a summary are those that the rules find; no LLM.\n\n"
        f"{table(rows)}\n\nMoods, outcomes and actions on benchmarks/insight.toml, dialogues of our own by "
        "the author of the rules: `dev`, with which the rules were written, and `test`, which was not "
        f"looked at.\n\n{table(read)}\n"
    )
    print(text)
    RESULTS.mkdir(parents=True, exist_ok=True)
    (RESULTS / "summaries.md").write_text(text, "utf-8")
    (RESULTS / "summaries.json").write_text(json.dumps(measured, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    main()
