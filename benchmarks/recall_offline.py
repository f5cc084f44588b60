"""How much of the evidence each ranker finds: the core's ranking over whole conversations, in process.

    python benchmarks/recall_offline.py locomo
    python benchmarks/recall_offline.py beam

prints a table and writes benchmarks/results/recall_<set>.{md,json}. The data are in $RECOLLECT_DATA
(default ../shared/data): locomo/locomo_dev.json, beam_100k/*.json, friendsqa/*.json and
longmemeval_sample/*.json, to be had from their publishers. No LLM, no server; what differs between the rows
of a table is only what is named. The learned ranker is fitted on friendsqa and the haystacks of longmemeval
(training/fit_ranker.py), which are measured there, by cross-validation.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import re
import sys
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from itertools import chain
from pathlib import Path
from typing import Any
from uuid import UUID

import numpy as np
from numpy.typing import NDArray
from platformdirs import user_data_path

from recollect.adapters.embeddings import DEFAULT_MODEL, open_embedder
from recollect.core.indexing import MOST_MENTIONS, plain_turn, spans, window
from recollect.core.ports import Embedder, Vectors
from recollect.core.recall.bm25 import bm25
from recollect.core.recall.candidates import Candidates, Query
from recollect.core.recall.evidence import COLUMNS, GROUPED, GROUPS
from recollect.core.recall.fuse import WEIGHTS, Weights
from recollect.core.recall.learned import LEARNED, Net
from recollect.core.recall.ranking import rank
from recollect.core.text.names import mentioned, strip_names
from recollect.core.text.tokens import tokenize
from recollect.core.text.traits import traits

ROOT = Path(__file__).resolve().parent.parent
DATA = Path(os.environ.get("RECOLLECT_DATA", ROOT.parent / "shared" / "data"))
RESULTS = ROOT / "benchmarks" / "results"
DEPTHS = (5, 10, 20, 50)
SESSION_DEPTHS = (5, 10)
READ = 200
ROLES = {"user": 1, "assistant": 2}
RESAMPLES = 2000


@dataclass(frozen=True, slots=True)
class Turn:
    """One message; `session` and `seq` as in the product."""

    session: int
    seq: int
    at: datetime
    speaker: str
    text: str


@dataclass(frozen=True, slots=True)
class Question:
    """`evidence`: the indexes of the turns that answer it, never empty."""

    text: str
    category: str
    evidence: frozenset[int]
    at: datetime | None = None
    """When it is asked; None is a day after the last turn."""


@dataclass(frozen=True, slots=True)
class Conversation:
    """`names`: the participants that have one."""

    names: tuple[str, ...]
    turns: Sequence[Turn]
    questions: Sequence[Question]


def locomo() -> Iterator[Conversation]:
    """LoCoMo: two speakers over months; a shared picture's caption is part of its turn's text."""
    for sample in json.loads((DATA / "locomo" / "locomo_dev.json").read_text("utf-8")):
        told = sample["conversation"]
        turns: list[Turn] = []
        places: dict[str, int] = {}
        for number in sorted(int(key[8:]) for key in told if re.fullmatch(r"session_\d+", key)):
            date = told[f"session_{number}_date_time"]
            begin = datetime.strptime(f"{date} +0000", "%I:%M %p on %d %B, %Y %z")
            for seq, turn in enumerate(told[f"session_{number}"], 1):
                places[turn["dia_id"]] = len(turns)
                at = begin + timedelta(minutes=seq - 1)
                caption = f" [shares {turn['blip_caption']}]" if turn.get("blip_caption") else ""
                turns.append(Turn(number, seq, at, turn["speaker"], turn["text"] + caption))
        questions = [
            Question(item["question"], str(item["category"]), _known(item.get("evidence", []), places))
            for item in sample["qa"]
        ]
        names = (told["speaker_a"], told["speaker_b"])
        yield Conversation(names, turns, [question for question in questions if question.evidence])


def _known(evidence: list[str], places: dict[str, int]) -> frozenset[int]:
    """An entry may hold several ids ("D8:6; D9:17"); a few name turns that do not exist."""
    ids = re.findall(r"D\d+:\d+", " ".join(evidence))
    return frozenset(places[each] for each in ids if each in places)


def beam() -> Iterator[Conversation]:
    """BEAM, 100k tokens: a user with an assistant; a session is one batch, the clock only their order.

    The probes whose evidence is a few given messages: the factual ones.
    """
    for path in sorted((DATA / "beam_100k").glob("*.json"), key=lambda path: int(path.stem)):
        chat = json.loads(path.read_text("utf-8"))
        turns: list[Turn] = []
        places: dict[int, int] = {}
        for session, batch in enumerate(chat["chat"]):
            for seq, message in enumerate(chain.from_iterable(batch["turns"]), 1):
                places[message["id"]] = len(turns)
                at = datetime(2024, 1, 1, tzinfo=UTC) + timedelta(minutes=len(turns))
                text = re.sub(
                    r"\s*->->[\s\d,]*$", "", message["content"]
                )  # the plan's marker leaks the answer
                turns.append(Turn(session, seq, at, message["role"], text))
        questions = [
            Question(
                probe["question"], kind, frozenset(places[id_] for id_ in _numbers(probe["source_chat_ids"]))
            )
            for kind in (
                "information_extraction",
                "knowledge_update",
                "contradiction_resolution",
                "temporal_reasoning",
            )
            for probe in chat["probes"][kind]
        ]
        yield Conversation((), turns, [question for question in questions if question.evidence])


def _numbers(ids: Any) -> list[int]:
    if isinstance(ids, int):
        return [ids]
    return [number for each in (ids.values() if isinstance(ids, dict) else ids) for number in _numbers(each)]


def friendsqa(scenes: int = 12) -> Iterator[Conversation]:
    """FriendsQA: people who talk in so many scenes, a session each, a week apart."""
    parts = (DATA / "friendsqa" / f"friendsqa_{part}.json" for part in ("dev", "tst"))
    told = [scene for part in parts for scene in json.loads(part.read_text("utf-8"))["data"]]
    told.sort(key=lambda scene: str(scene["title"]))
    for first in range(0, len(told), scenes):
        turns: list[Turn] = []
        questions: list[Question] = []
        for session, scene in enumerate(told[first : first + scenes]):
            (paragraph,) = scene["paragraphs"]
            begin = datetime(2022, 1, 3, 18, tzinfo=UTC) + timedelta(weeks=session)
            places: dict[int, int] = {}
            for seq, said in enumerate(paragraph["utterances:"], 1):
                places[said["uid"]] = len(turns)
                at = begin + timedelta(minutes=seq - 1)
                turns.append(Turn(session, seq, at, ", ".join(said["speakers"]), _joined(said["utterance"])))
            for asked in paragraph["qas"]:
                evidence = frozenset(places[each["utterance_id"]] for each in asked["answers"])
                kind = asked["id"].rsplit("_", 1)[-1]
                questions.append(Question(_joined(asked["question"]), kind, evidence))
        names = dict.fromkeys(turn.speaker for turn in turns if _NAME.fullmatch(turn.speaker))
        yield Conversation(tuple(names), turns, [question for question in questions if question.evidence])


_NAME = re.compile(r"[A-Z][a-z]+(?: [A-Z][\w.]+)?")
_APART = re.compile(r"\s+([.,!?;:%)]|n't\b|'(?:s|m|re|ve|ll|d)\b|'(?=\s|$))")


def _joined(text: str) -> str:
    """A text as people write it, of one with spaces between its tokens."""
    return re.sub(r"\b([Gg]on|[Gg]ot|[Ww]an) (na|ta)\b", r"\1\2", _APART.sub(r"\1", text))


def longmemeval() -> Iterator[Conversation]:
    """LongMemEval: sessions with an assistant; one question each, whose evidence is whole sessions."""
    folder = DATA / "longmemeval_sample"
    (item,) = json.loads((folder / "longmemeval_single.json").read_text("utf-8"))
    dated = zip(item["haystack_session_ids"], item["haystack_dates"], item["haystack_sessions"], strict=True)
    yield _haystack(
        [
            (name, _moment(date), [(turn["role"], turn["content"]) for turn in turns])
            for name, date, turns in dated
        ],
        (item["question"], item["question_type"], _moment(item["question_date"])),
        set(item["answer_session_ids"]),
    )
    for path in sorted(set(folder.glob("*.json")) - {folder / "longmemeval_single.json"}):
        steps = json.loads(path.read_text("utf-8"))["steps"]
        (asked,) = (step["input"] for step in steps if step["step_type"] == "query")
        date, question = asked.removeprefix("[").split("] ", 1)
        yield _haystack(
            [
                (
                    step["session_id"],
                    _moment(step["messages"][0]["created_at"]),
                    [(message["peer_id"], message["content"]) for message in step["messages"]],
                )
                for step in steps
                if step["step_type"] == "add_messages"
            ],
            (question, path.stem.rpartition("_")[2], _moment(date)),
            {step["session_id"] for step in steps if str(step.get("session_id")).startswith("answer")},
        )


def _haystack(
    sessions: list[tuple[str, datetime, list[tuple[str, str]]]],
    asked: tuple[str, str, datetime],
    answers: Collection[str],
) -> Conversation:
    turns: list[Turn] = []
    evidence: set[int] = set()
    for number, (name, begin, told) in enumerate(sorted(sessions, key=lambda session: session[1])):
        for seq, (role, text) in enumerate(told, 1):
            if name in answers:
                evidence.add(len(turns))
            turns.append(Turn(number, seq, begin + timedelta(minutes=seq - 1), role, text))
    question, kind, at = asked
    return Conversation((), turns, [Question(question, kind, frozenset(evidence), at)])


def _moment(date: str) -> datetime:
    """Of "2023/05/30 (Tue) 23:40", or of ISO 8601."""
    plain = re.sub(r" \(\w+\)", "", date).replace("/", "-")
    return datetime.fromisoformat(plain).replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A conversation as the product would keep it, and its questions as it would put them."""

    conversation: Conversation
    queries: Sequence[Query]
    frequencies: Sequence[NDArray[np.int32]]
    lengths: NDArray[np.int32]
    traits: NDArray[np.int32]
    mentions: Sequence[tuple[float, float, int]]
    vectors: Vectors
    windows: Vectors
    asked: Vectors


async def prepare(conversation: Conversation, embedder: Embedder, *, stripped: bool = True) -> Prepared:
    """Embed and tokenise the turns and the questions, without the participants' names if `stripped`."""
    names = conversation.names if stripped else ()
    now = max(turn.at for turn in conversation.turns) + timedelta(days=1)
    texts = [plain_turn(turn.text, names) for turn in conversation.turns]
    asked = [strip_names(question.text, names) for question in conversation.questions]
    queries = [
        Query(
            question.text,
            tuple(dict.fromkeys(tokenize(text))),
            mentioned(question.text, conversation.names),
            tuple(spans(question.text, question.at or now)),
        )
        for question, text in zip(conversation.questions, asked, strict=True)
    ]
    rows = [Counter(tokenize(turn.text)) for turn in conversation.turns]
    return Prepared(
        conversation,
        queries,
        [_frequencies(rows, query.tokens) for query in queries],
        np.array([row.total() for row in rows], np.int32),
        np.array([traits(turn.text) for turn in conversation.turns], np.int32),
        [
            (start, end, row)
            for row, turn in enumerate(conversation.turns)
            for start, end in spans(turn.text, turn.at)[:MOST_MENTIONS]
        ],
        await embedder.embed(texts),
        await embedder.embed(_windows(conversation.turns, texts, names)),
        await embedder.embed(asked),
    )


def _frequencies(rows: Sequence[Counter[str]], tokens: Sequence[str]) -> NDArray[np.int32]:
    counts = [[row[token] for token in tokens] for row in rows]
    return np.array(counts, np.int32).reshape(len(rows), len(tokens))


def _windows(turns: Sequence[Turn], texts: Sequence[str], names: Collection[str]) -> list[str]:
    """Each turn after the one before it in its session, as the product embeds it."""
    before = [None, *turns[:-1]]
    return [
        window(earlier.text if earlier and earlier.session == turn.session else None, text, names)
        for earlier, turn, text in zip(before, turns, texts, strict=True)
    ]


def gather(prepared: Prepared, number: int) -> Candidates:
    """Every turn of the conversation, as the storage tells of it for this question."""
    turns, frequencies = prepared.conversation.turns, prepared.frequencies[number]
    return Candidates(
        ids=[UUID(int=i) for i in range(len(turns))],
        sessions=np.array([turn.session for turn in turns], np.int32),
        seqs=np.array([turn.seq for turn in turns], np.int32),
        at=np.array([turn.at.timestamp() for turn in turns]),
        names=[None if turn.speaker in ROLES else turn.speaker for turn in turns],
        dense=prepared.vectors @ prepared.asked[number],
        window=prepared.windows @ prepared.asked[number],
        lengths=prepared.lengths,
        frequencies=frequencies,
        holders=np.count_nonzero(frequencies, axis=0),
        total=len(turns),
        mean_length=float(prepared.lengths.mean()),
        roles=np.array([ROLES.get(turn.speaker, 0) for turn in turns], np.int32),
        traits=prepared.traits,
        mentions=np.array([mention[:2] for mention in prepared.mentions], float).reshape(-1, 2),
        mentioned_by=np.array([row for _, _, row in prepared.mentions], np.int32),
    )


def truncate(found: Candidates, most: int) -> Candidates:
    """As the storage does in a large scope: the best so many by vector, and by words."""
    words = bm25(found.frequencies, found.lengths, found.holders, found.total, found.mean_length)
    by_words = np.argsort(-words, kind="stable")[:most]
    return take(found, np.union1d(np.argsort(-found.dense)[:most], by_words[words[by_words] > 0]))


def take(found: Candidates, kept: NDArray[np.intp]) -> Candidates:
    """Some of the candidates, by their ascending indexes."""
    columns = ("sessions", "seqs", "at", "dense", "window", "lengths", "frequencies", "roles", "traits")
    speaking = np.isin(found.mentioned_by, kept)
    return replace(
        found,
        mentions=found.mentions[speaking],
        mentioned_by=np.searchsorted(kept, found.mentioned_by[speaking]).astype(np.int32),
        ids=[found.ids[i] for i in kept.tolist()],
        names=[found.names[i] for i in kept.tolist()],
        **{column: getattr(found, column)[kept] for column in columns},
    )


NOTHING = Weights(**dict.fromkeys(Weights.__slots__, 0.0))


@dataclass(frozen=True, slots=True)
class Ranker:
    """One row of the table."""

    name: str
    weights: Weights = WEIGHTS
    net: Net | None = None
    stripped: bool = True
    most: int | None = None


def without(group: str) -> Net | None:
    """The learned ranker when a group's columns are all at their mean; it is not fitted anew."""
    kept = np.array([column not in GROUPED[group] for column in COLUMNS])
    return replace(LEARNED, scale=LEARNED.scale * kept) if LEARNED else None


RANKERS = (
    Ranker("BM25 alone, names stripped from the question", replace(NOTHING, words=1.0)),
    Ranker("dense alone", replace(NOTHING, dense=1.0), stripped=False),
    Ranker("dense alone, names stripped", replace(NOTHING, dense=1.0)),
    Ranker("the fusion"),
    Ranker("· no window vector", replace(WEIGHTS, window=0.0)),
    Ranker("· no window of words", replace(WEIGHTS, window_words=0.0)),
    Ranker("· no window at all", replace(WEIGHTS, window=0.0, window_words=0.0)),
    Ranker("· no speaker", replace(WEIGHTS, speaker=0.0)),
    Ranker("· no dates", replace(WEIGHTS, date=0.0)),
    Ranker("· no neighbours", replace(WEIGHTS, previous=0.0, following=0.0)),
    Ranker("· no sessions", replace(WEIGHTS, session=0.0)),
    Ranker("· names not stripped", stripped=False),
    Ranker("· at most 50 candidates a branch", most=50),
    Ranker("· at most 200 candidates a branch", most=200),
    Ranker("**the learned ranker**", net=LEARNED),
    *(Ranker(f"·· {group} neutralised", net=without(group)) for group in GROUPS),
    Ranker("·· names not stripped", net=LEARNED, stripped=False),
    Ranker("·· at most 50 candidates a branch", net=LEARNED, most=50),
    Ranker("·· at most 200 candidates a branch", net=LEARNED, most=200),
)


def orders(ranker: Ranker, prepared: Prepared) -> Iterator[list[int]]:
    """For each question the first READ turns, the best first."""
    for number, query in enumerate(prepared.queries):
        candidates = gather(prepared, number)
        if ranker.most is not None:
            candidates = truncate(candidates, ranker.most)
        best = rank(query, candidates, READ, ranker.weights, ranker.net)
        yield [candidates.ids[each.index].int for each in best]


def recalls(ranker: Ranker, prepared: Prepared) -> NDArray[np.float64]:
    """(questions, DEPTHS): the share of the evidence among the first so many."""
    return shares(prepared.conversation, list(orders(ranker, prepared)))[0]


Shares = tuple[NDArray[np.float64], NDArray[np.float64]]


def shares(conversation: Conversation, ranked: Sequence[Sequence[int]]) -> Shares:
    """The shares of the evidence among the first turns, and of its sessions among the first sessions.

    (questions, DEPTHS) and (questions, SESSION_DEPTHS); sessions come in the order of their best turns.
    """
    turns = conversation.turns
    found = np.empty((len(ranked), len(DEPTHS)))
    sessions = np.empty((len(ranked), len(SESSION_DEPTHS)))
    for row, (question, order) in enumerate(zip(conversation.questions, ranked, strict=True)):
        wanted = question.evidence
        found[row] = [len(wanted.intersection(order[:depth])) / len(wanted) for depth in DEPTHS]
        homes = {turns[turn].session for turn in wanted}
        seen = list(dict.fromkeys(turns[turn].session for turn in order))
        sessions[row] = [len(homes.intersection(seen[:depth])) / len(homes) for depth in SESSION_DEPTHS]
    return found, sessions


def interval(by_conversation: Sequence[NDArray[np.float64]], column: int) -> tuple[float, float]:
    """95 % of the mean over questions, by bootstrap over conversations (seed 0)."""
    draws = np.random.default_rng(0).integers(len(by_conversation), size=(RESAMPLES, len(by_conversation)))
    sums = np.array([found[:, column].sum() for found in by_conversation])
    sizes = np.array([len(found) for found in by_conversation])
    low, high = np.percentile(sums[draws].sum(1) / sizes[draws].sum(1), [2.5, 97.5])
    return float(low), float(high)


def summarise(
    name: str,
    by_conversation: Sequence[NDArray[np.float64]],
    questions: Sequence[Question],
    sessions: Sequence[NDArray[np.float64]] = (),
) -> dict[str, Any]:
    """A row of the table, in shares."""
    found = np.concatenate(by_conversation)
    at_ten = found[:, DEPTHS.index(10)]
    by_category: dict[str, list[float]] = defaultdict(list)
    for question, share in zip(questions, at_ten.tolist(), strict=True):
        by_category[question.category].append(share)
    return {
        "ranker": name,
        "recall": dict(zip(map(str, DEPTHS), found.mean(0).tolist(), strict=True)),
        "any@10": float((at_ten > 0).mean()),
        "interval@10": interval(by_conversation, DEPTHS.index(10)),
        "by category@10": {name: float(np.mean(values)) for name, values in sorted(by_category.items())},
        **(_by_session(np.concatenate(sessions)) if sessions else {}),
    }


def _by_session(found: NDArray[np.float64]) -> dict[str, float]:
    """Questions with any of their sessions, and with all of them, among the first so many."""
    return {
        f"session {what}@{depth}": float(held[:, column].mean())
        for column, depth in enumerate(SESSION_DEPTHS)
        for what, held in (("any", found > 0), ("all", found == 1))
    }


def table(rows: Sequence[dict[str, Any]]) -> str:
    """Markdown, in percent."""
    categories = list(rows[0]["by category@10"])
    sessions = [column for column in rows[0] if column.startswith("session")]
    head = ["ranker", *(f"R@{depth}" for depth in DEPTHS), "95 % of R@10", "any@10", *categories, *sessions]
    lines = [head, ["---"] * len(head)]
    for row in rows:
        low, high = row["interval@10"]
        shares = [*row["recall"].values(), row["any@10"], *row["by category@10"].values()]
        shares += [row[column] for column in sessions]
        cells = [f"{100 * share:.1f}" for share in shares]
        lines.append(
            [row["ranker"], *cells[: len(DEPTHS)], f"{100 * low:.1f}–{100 * high:.1f}", *cells[len(DEPTHS) :]]
        )
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


SETS: dict[str, Callable[[], Iterator[Conversation]]] = {
    "locomo": locomo,
    "beam": beam,
    "longmemeval": longmemeval,
}


async def main() -> None:
    """Measure one set with every ranker."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("set", choices=SETS)
    parser.add_argument("--models", type=Path, default=user_data_path("recollect") / "models")
    arguments = parser.parse_args()
    try:
        conversations = list(SETS[arguments.set]())
    except FileNotFoundError as missing:
        sys.exit(f"{arguments.set} is not there: {missing.filename}; point RECOLLECT_DATA at its folder")
    embedder = await open_embedder(DEFAULT_MODEL, arguments.models, progress=print)
    rankers = [ranker for ranker in RANKERS if ranker.stripped or conversations[0].names]
    corpora: dict[bool, list[Prepared]] = {}
    for stripped in {ranker.stripped for ranker in rankers}:
        print(f"embedding {len(conversations)} conversations", file=sys.stderr)
        corpora[stripped] = [await prepare(each, embedder, stripped=stripped) for each in conversations]
    await embedder.aclose()
    rows = [measure([each] * len(conversations), corpora[each.stripped]) for each in rankers]
    write(arguments.set, conversations, rows)


def measure(rankers: Sequence[Ranker], corpus: Sequence[Prepared]) -> dict[str, Any]:
    """A row of the table; each conversation by its ranker."""
    found = [
        shares(each.conversation, list(orders(ranker, each)))
        for ranker, each in zip(rankers, corpus, strict=True)
    ]
    questions = [question for each in corpus for question in each.conversation.questions]
    return summarise(rankers[0].name, [turns for turns, _ in found], questions, [homes for _, homes in found])


def write(name: str, conversations: Sequence[Conversation], rows: list[dict[str, Any]]) -> None:
    """The table with what it is about, printed and as a file; the same as JSON."""
    questions = sum(len(conversation.questions) for conversation in conversations)
    turns = sum(len(conversation.turns) for conversation in conversations)
    about = (
        f"# Evidence found, {name}\n\n"
        f"`python benchmarks/recall_offline.py {name}`: {len(conversations)} conversations, {turns} turns, "
        f"{questions} questions with evidence (the others are left out). R@k: the share of a question's "
        f"evidence turns among the first k, averaged over questions; any@10: questions with at least one. "
        f"The interval is a bootstrap over conversations. The last columns are R@10 by category. "
        f"A session stands where its best turn does: any@5, all@10 are questions with any, or all, of their "
        f"sessions among so many sessions. Rows with a dot are the fusion with one thing changed, those with "
        f"two are the learned ranker: neutralised columns are at their mean, nothing is fitted anew. "
        f"Model {DEFAULT_MODEL}, no LLM.\n\n"
    )
    text = about + table(rows) + "\n"
    print(text)
    RESULTS.mkdir(parents=True, exist_ok=True)
    (RESULTS / f"recall_{name}.md").write_text(text, "utf-8")
    measured = {"set": name, "conversations": len(conversations), "turns": turns, "questions": questions}
    (RESULTS / f"recall_{name}.json").write_text(
        json.dumps(measured | {"rows": rows}, indent=1) + "\n", "utf-8"
    )


if __name__ == "__main__":
    asyncio.run(main())
