"""The evidence for questions in Chinese about daily life: MemDaily, word search and fusion.

    python benchmarks/memdaily.py

prints a table and writes benchmarks/results/memdaily.{md,json}. Each of MemDaily's persons has told four or
eight things and asks one question; each is searched in the person's own scope, and once more in one scope
of all persons of a file, where much the same is told many times over and only the asker's own counts. The
data are in $RECOLLECT_DATA (default ../shared/data), memdaily_zh/*.json, to be had from their publishers.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from platformdirs import user_data_path
from recall_offline import (
    DATA,
    NOTHING,
    RESULTS,
    Conversation,
    Prepared,
    Question,
    Ranker,
    Turn,
    interval,
    orders,
    prepare,
)

from recollect.adapters.embeddings import DEFAULT_MODEL, open_embedder
from recollect.core.ports import Embedder
from recollect.core.recall.learned import LEARNED

DEPTH = 5


@dataclass(frozen=True, slots=True)
class System:
    """One row of the table; `characters`: words are single characters."""

    name: str
    ranker: Ranker
    characters: bool = False


SYSTEMS = (
    System("BM25 over characters", Ranker("", replace(NOTHING, words=1.0)), characters=True),
    System("BM25 over our tokens", Ranker("", replace(NOTHING, words=1.0))),
    System("dense alone", Ranker("", replace(NOTHING, dense=1.0))),
    System("the fusion", Ranker("")),
    System("the learned ranker", Ranker("", net=LEARNED)),
)


def persons(path: Path) -> Iterator[Conversation]:
    """What each person of a file has told, as one session, with the question asked at its end."""
    for number, person in enumerate(json.loads(path.read_text("utf-8"))):
        turns = [
            Turn(number, seq, _moment(told["time"]), "user", told["message"])
            for seq, told in enumerate(person["message_list"], 1)
        ]
        questions = [
            Question(asked["question"], path.stem, frozenset(asked["target_step_id"]), _moment(asked["time"]))
            for asked in person["question_list"]
        ]
        yield Conversation((), turns, questions)


def _moment(written: str) -> datetime:
    """A moment as MemDaily writes it, "2024年04月01日 周一 08:39".

    >>> _moment("2024年04月01日 周一 08:39").isoformat()
    '2024-04-01T08:39:00+00:00'
    """
    day, _, clock = written.split()
    return datetime.strptime(f"{day} {clock} +0000", "%Y年%m月%d日 %H:%M %z")


def pooled(conversations: Sequence[Conversation]) -> Conversation:
    """All of it as one person's."""
    turns: list[Turn] = []
    questions: list[Question] = []
    for each in conversations:
        shift = len(turns)
        turns += each.turns
        questions += [
            replace(question, evidence=frozenset(shift + turn for turn in question.evidence))
            for question in each.questions
        ]
    return Conversation((), turns, questions)


def in_characters(prepared: Prepared) -> Prepared:
    """The same with single characters for words."""
    rows = [Counter(filter(str.isalnum, turn.text)) for turn in prepared.conversation.turns]
    queries = [
        replace(query, tokens=tuple(dict.fromkeys(filter(str.isalnum, query.text))))
        for query in prepared.queries
    ]
    return replace(
        prepared,
        queries=queries,
        frequencies=[
            np.array([[row[token] for token in query.tokens] for row in rows], np.int32) for query in queries
        ],
        lengths=np.array([row.total() for row in rows], np.int32),
    )


def found(system: System, prepared: Prepared) -> NDArray[np.float64]:
    """(questions, 2): the share of the evidence among as many as there are of it, and among DEPTH."""
    chosen = in_characters(prepared) if system.characters else prepared
    pairs = zip(prepared.conversation.questions, orders(system.ranker, chosen), strict=True)
    return np.array(
        [
            [len(wanted.intersection(order[:depth])) / len(wanted) for depth in (len(wanted), DEPTH)]
            for wanted, order in ((question.evidence, order) for question, order in pairs)
        ]
    )


async def measure(path: Path, embedder: Embedder) -> list[dict[str, Any]]:
    """The rows of one file: each system in the persons' own scopes, and in one of them all."""
    conversations = list(persons(path))
    own = [await prepare(each, embedder) for each in conversations]
    together = await prepare(pooled(conversations), embedder)
    return [_row(system, path.stem, own, together) for system in SYSTEMS]


def _row(system: System, name: str, own: Sequence[Prepared], together: Prepared) -> dict[str, Any]:
    alone = [found(system, each) for each in own]
    pool = found(system, together)
    by_person = np.split(pool, np.cumsum([len(each) for each in alone])[:-1])
    return {
        "file": name,
        "system": system.name,
        "questions": len(pool),
        "messages a person": len(own[0].conversation.turns),
        "messages in all": len(together.conversation.turns),
        "own, first n": _share(alone, 0),
        "own, first 5": _share(alone, 1),
        "all persons, first n": _share(by_person, 0),
        "all persons, first 5": _share(by_person, 1),
    }


def _share(by_person: Sequence[NDArray[np.float64]], column: int) -> list[float]:
    """The mean over questions, and its interval."""
    return [float(np.concatenate(by_person)[:, column].mean()), *interval(by_person, column)]


def table(rows: Sequence[dict[str, Any]]) -> str:
    """Markdown, in percent."""
    columns = [column for column in rows[0] if "," in column]
    lines = [["file", "system", *columns], ["---"] * (2 + len(columns))]
    for row in rows:
        cells = ["{:.1f} ({:.1f}–{:.1f})".format(*(100 * each for each in row[column])) for column in columns]
        lines.append([f"{row['file']} (n = {row['questions']})", row["system"], *cells])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


async def main() -> None:
    """Measure, print and write."""
    paths = sorted((DATA / "memdaily_zh").glob("*.json"))
    if not paths:
        sys.exit(f"memdaily_zh is not in {DATA}; point RECOLLECT_DATA at its folder")
    embedder = await open_embedder(DEFAULT_MODEL, user_data_path("recollect") / "models", progress=print)
    rows = [row for path in paths for row in await measure(path, embedder)]
    await embedder.aclose()
    text = (
        "# Evidence in Chinese, MemDaily\n\n"
        "`python benchmarks/memdaily.py`: the share of a question's messages (`target_step_id`, one or two) "
        "among the first n, where n is how many there are, and among the first five, in percent, with 95 % "
        "by bootstrap over persons. Own: among the four or eight messages of the asker; all persons: among "
        "the 400 or 800 of the file, where a question often fits several persons' messages, so that nothing "
        f"could reach 100. Model {DEFAULT_MODEL}, which has read little Chinese; no LLM.\n\n"
        f"{table(rows)}\n"
    )
    print(text)
    (RESULTS / "memdaily.md").write_text(text, "utf-8")
    (RESULTS / "memdaily.json").write_text(json.dumps({"rows": rows}, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    asyncio.run(main())
