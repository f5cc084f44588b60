"""Of what has changed, does recall bring the newer above the older? And how much is taken for over wrongly?

    PYTHONPATH=training python benchmarks/updates.py

prints tables and writes benchmarks/results/updates.{md,json}. No LLM. A conversation is understood by the
rules, session by session, settled, and recalled as the product does, in process. The sets: conversations of
our own (benchmarks/changes.toml: topics to develop on, and held ones), where it is known what has changed;
BEAM's probes of `knowledge_update` and `contradiction_resolution`; the instructions of MemoryCode that are
changed in a later session. On LoCoMo it is measured what facts in the scope do to the evidence that is found.
The data are in $RECOLLECT_DATA as for benchmarks/recall_offline.py; a set that is not there is left out.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import sys
import tomllib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from itertools import groupby, pairwise
from pathlib import Path
from random import Random
from typing import Any
from uuid import UUID

import numpy as np
from conversations import assistant, expand
from numpy.typing import NDArray
from platformdirs import user_data_path
from recall_offline import (
    DATA,
    DEPTHS,
    RESAMPLES,
    RESULTS,
    ROLES,
    ROOT,
    Conversation,
    Prepared,
    Question,
    Turn,
    gather,
    locomo,
    prepare,
)

from recollect.adapters.embeddings import DEFAULT_MODEL, open_embedder
from recollect.core.consolidate.consolidation import facts
from recollect.core.consolidate.extraction import Conversation as Heard
from recollect.core.consolidate.resolving import resolve
from recollect.core.consolidate.rules import extract
from recollect.core.consolidate.sameness import same_value
from recollect.core.indexing import spans
from recollect.core.model import Kind, Memory, Trust
from recollect.core.ports import Embedder, Vectors
from recollect.core.recall.candidates import Candidates
from recollect.core.recall.ranking import rank
from recollect.core.recall.updates import asks_what_was
from recollect.core.text.tokens import tokenize
from recollect.core.text.traits import traits

FIRST = 5
GRAMMAR = ROOT / "benchmarks" / "changes.toml"


@dataclass(frozen=True, slots=True)
class Probe:
    """A question about what has changed: the turns that tell how it is, and those that tell how it was."""

    kind: str
    text: str
    new: frozenset[int]
    old: frozenset[int]


@dataclass(frozen=True, slots=True)
class Scenario:
    """A conversation whose questions are the probes', in their order.

    `ended`: of each turn of which it is known, the turn that ends what it tells, None while it holds.
    """

    conversation: Conversation
    probes: Sequence[Probe]
    ended: Mapping[int, int | None] = field(default_factory=dict)


def scenario(
    names: tuple[str, ...], turns: Sequence[Turn], probes: Sequence[Probe], ended: Mapping[int, int | None]
) -> Scenario:
    """The probes as questions of the conversation."""
    kept = [probe for probe in probes if probe.new and probe.old]
    asked = [Question(probe.text, probe.kind, probe.new) for probe in kept]
    return Scenario(Conversation(names, turns, asked), kept, ended)


@dataclass(frozen=True, slots=True)
class Said:
    """A turn of our own to be told: whether it tells the topic's value, and in which order."""

    topic: int
    step: int
    text: str


OPENERS = ("", "", "", "Hi again! ", "Quick note: ", "Before I forget: ", "One more thing. ", "So, ")
CLOSERS = ("", "", "", " Just so you know.", " What do you think?", " Can you keep that in mind?", " Anyway.")
REPLIES = ("Got it, thanks for telling me.", "Noted!", "Thanks, I'll keep that in mind.", "Understood.")


def own(seed: str, number: int, *, held: bool) -> Iterator[Scenario]:
    """Conversations with an assistant into which things that change are told."""
    topics = [
        topic
        for topic in tomllib.loads(GRAMMAR.read_text("utf-8"))["topic"]
        if topic.get("held", False) is held
    ]
    for place in range(number):
        yield _own(Random(f"{seed}/{place}"), topics)


def _own(random: Random, topics: Sequence[Mapping[str, Any]]) -> Scenario:
    background = assistant(random)
    sessions = [list(turns) for _, turns in groupby(background.turns, key=lambda turn: turn.session)]
    told: list[list[Said]] = [[] for _ in sessions]
    for place, topic in enumerate(topics):
        for session, said in _tellings(random, place, topic, len(sessions)):
            told[session].append(said)
    turns: list[Turn] = []
    places: dict[tuple[int, int], int] = {}
    ended: dict[int, int | None] = {}
    for number, (before, new) in enumerate(zip(sessions, told, strict=True)):
        begin = before[0].at
        lines: list[tuple[str, str, Said | None]] = [(turn.speaker, turn.text, None) for turn in before]
        for said in new:
            text = random.choice(OPENERS) + said.text + random.choice(CLOSERS)
            at = 2 * random.randint(0, len(lines) // 2)
            lines[at:at] = [("user", text, said), ("assistant", random.choice(REPLIES), None)]
        for seq, (speaker, text, line) in enumerate(lines, 1):
            if line is not None:
                ended[len(turns)] = None
                if line.step >= 0:
                    places[line.topic, line.step] = len(turns)
            turns.append(Turn(number, seq, begin + timedelta(minutes=seq - 1), speaker, text))
    probes = []
    for number, topic in enumerate(topics):
        steps = sorted(step for of, step in places if of == number)
        chain = [places[number, step] for step in steps]
        ended |= dict(pairwise(chain))
        text = random.choice(topic["ask"])
        probes.append(Probe(topic["name"], text, frozenset(chain[-1:]), frozenset(chain[:-1])))
    return scenario((), turns, probes, ended)


def _tellings(
    random: Random, number: int, topic: Mapping[str, Any], sessions: int
) -> Iterator[tuple[int, Said]]:
    """When what of a topic is told: its values in order, each in a session of its own, and what is beside."""
    values = random.sample(topic["values"].split("|"), 4)
    steps = 1 + (random.randint(1, 2) if "change" in topic else 0)
    chain = (
        sorted(values[:steps], key=topic["values"].split("|").index) if "rising" in topic else values[:steps]
    )
    when = sorted(random.sample(range(sessions), steps))
    for step, (value, session) in enumerate(zip(chain, when, strict=True)):
        text = expand(random.choice(topic["change" if step else "tell"]), random)
        yield session, Said(number, step, text.replace("<v>", value).replace("<o>", chain[step - 1]))
    for text in random.sample(topic["beside"], 2):
        said = expand(text, random).replace("<w>", values[3])
        yield random.randrange(sessions), Said(number, -1, said)


def beam() -> Iterator[Scenario]:
    """BEAM, 100k tokens: probes with the messages that tell it first, and anew."""
    for path in sorted((DATA / "beam_100k").glob("*.json"), key=lambda path: int(path.stem)):
        chat = json.loads(path.read_text("utf-8"))
        turns: list[Turn] = []
        places: dict[int, int] = {}
        for session, batch in enumerate(chat["chat"]):
            for seq, message in enumerate((each for turn in batch["turns"] for each in turn), 1):
                places[message["id"]] = len(turns)
                at = datetime(2024, 1, 1, tzinfo=UTC) + timedelta(minutes=len(turns))
                text = re.sub(r"\s*->->[\s\d,]*$", "", message["content"])
                turns.append(Turn(session, seq, at, message["role"], text))
        probes = [
            Probe(kind, probe["question"], *_sides(probe["source_chat_ids"], places))
            for kind in ("knowledge_update", "contradiction_resolution")
            for probe in chat["probes"][kind]
        ]
        yield scenario((), turns, probes, {})


def _sides(ids: Mapping[str, list[int]], places: Mapping[int, int]) -> tuple[frozenset[int], frozenset[int]]:
    """The newer turns and the older: of a contradiction the one that was said later is the newer."""
    sides = [frozenset(places[id_] for id_ in side) for side in ids.values()]
    old, new = sorted((sides[0] - sides[-1], sides[-1] - sides[0]), key=lambda side: max(side, default=-1))
    return new, old


def memorycode() -> Iterator[Scenario]:
    """MemoryCode: a mentor tells a mentee how to write code, and in a later session tells some of it anew."""
    for path in sorted((DATA / "memorycode").glob("*.json")):
        dialogue = json.loads(path.read_text("utf-8"))
        turns: list[Turn] = []
        told: dict[str, list[int]] = {}
        for number, session in enumerate(dialogue["sessions"]):
            begin = datetime(2024, 1, 1, tzinfo=UTC) + timedelta(weeks=number)
            first = len(turns)
            for seq, line in enumerate(re.split(r"\n+(?=[A-Z]\w*: )", session["text"]), 1):
                speaker, _, text = line.partition(": ")
                role = "user" if speaker.strip() == dialogue["context"]["mentor"] else "assistant"
                turns.append(Turn(number, seq, begin + timedelta(minutes=seq), role, text))
            for instruction in session["topic"]:
                if quoted := re.search(r"'([^']+)'", instruction):
                    place = _first(turns, first, quoted[1])
                    told.setdefault(instruction.replace(quoted[0], "what"), []).extend(place)
        probes = [
            Probe("instruction", f"{asked}?", frozenset(places[-1:]), frozenset(places[:-1]))
            for asked, places in told.items()
        ]
        yield scenario((), turns, probes, {})


def _first(turns: Sequence[Turn], since: int, what: str) -> list[int]:
    """Where the user first says so, if at all."""
    said = (
        place
        for place in range(since, len(turns))
        if turns[place].speaker == "user" and what in turns[place].text
    )
    return [place for place, _ in zip(said, range(1), strict=False)]


ABOUT = f"""# What has changed

`PYTHONPATH=training python benchmarks/updates.py`: of a probe, the best place of a turn that tells how it is,
beside that of one that tells how it was; a fact stands for the turns that say so. Understood: it is known
that the one turn is told anew by the other. In brackets 95 % by bootstrap over conversations. BEAM: 100k
tokens, probes whose two sides are given; of a contradiction the side that was said later counts as the newer.
Model {DEFAULT_MODEL}, no LLM."""
ENDED = """## Facts that were ended

In our own conversations, of facts told in turns of which it is known what they tell: ended wrongly is what
still holds, or was ended by something else."""

OWN = "own, developed on", "own, held"
SETS: dict[str, Callable[[], Iterator[Scenario]]] = {
    OWN[0]: lambda: own("develop", 12, held=False),
    OWN[1]: lambda: own("held", 12, held=True),
    "BEAM": beam,
    "MemoryCode": memorycode,
}


@dataclass(frozen=True, slots=True)
class Understood:
    """What the product makes of a conversation: its facts, and which turn tells which anew."""

    facts: Sequence[Memory]
    retold: Sequence[tuple[int, int]]

    @property
    def standing(self) -> list[Memory]:
        """The facts that hold."""
        return [fact for fact in self.facts if fact.superseded_at is None and fact.valid_to is None]


def identity(place: int) -> UUID:
    """The id of a turn."""
    return UUID(int=(place + 1) << 80 | 0x7 << 76 | 0b10 << 62)


def place_of(turn: UUID) -> int:
    """The place of the turn with this id.

    >>> place_of(identity(7))
    7
    """
    return (turn.int >> 80) - 1


def understand(conversation: Conversation) -> Understood:
    """All sessions read by the rules, and settled."""
    turns = [_memory(place, turn) for place, turn in enumerate(conversation.turns)]
    found: list[Memory] = []
    for _, group in groupby(turns, key=lambda turn: turn.session_id):
        heard = Heard(list(group), 0, "somebody", (), conversation.names)
        found += facts(extract(heard), heard)
    resolved = resolve((), found)
    return Understood(resolved.insert, [(place_of(old), place_of(new)) for old, new in resolved.retold])


def _memory(place: int, turn: Turn) -> Memory:
    role = turn.speaker if turn.speaker in ROLES else "user"
    return Memory(
        id=identity(place),
        kind=Kind.MESSAGE,
        content=turn.text,
        trust=Trust.STAFF if role == "assistant" else Trust.USER,
        valid_from=turn.at,
        recorded_at=turn.at,
        user_id="somebody",
        session_id=str(turn.session),
        seq=turn.seq,
        role=role,
        name=None if turn.speaker in ROLES else turn.speaker,
    )


@dataclass(frozen=True, slots=True)
class Known:
    """A conversation as it is asked: its turns, and the facts that hold with their vectors."""

    prepared: Prepared
    understood: Understood
    facts: Sequence[Memory]
    vectors: Vectors


async def know(conversation: Conversation, embedder: Embedder) -> Known:
    """Understand and embed."""
    understood = understand(conversation)
    standing = understood.standing
    vectors = await embedder.embed([fact.content for fact in standing])
    return Known(await prepare(conversation, embedder), understood, standing, vectors)


def candidates(known: Known, number: int, *, with_facts: bool, renewed: bool) -> Candidates:
    """The turns, and after them the facts, as the storage tells of them for a question."""
    found = gather(known.prepared, number)
    if with_facts and known.facts:
        found = _with_facts(found, known, number)
    pairs = known.understood.retold if renewed else ()
    return replace(found, renewals=np.array(pairs, np.int32).reshape(-1, 2))


def _with_facts(found: Candidates, known: Known, number: int) -> Candidates:
    query, rows, turns = known.prepared.queries[number], known.facts, len(found)
    words = [list(tokenize(fact.content)) for fact in rows]
    counts = np.array([[told.count(token) for token in query.tokens] for told in words], np.int32)
    frequencies = np.vstack([found.frequencies, counts.reshape(len(rows), len(query.tokens))])
    lengths = np.concatenate([found.lengths, np.array([len(told) for told in words], np.int32)])
    none = np.zeros(len(rows), np.int32)
    mentions = [
        (*span, turns + i) for i, fact in enumerate(rows) for span in spans(fact.content, fact.valid_from)
    ]
    sayings = [
        (turns + i, place_of(turn))
        for i, fact in enumerate(rows)
        for turn in {fact.evidence[0], fact.evidence[-1]}
    ]
    return replace(
        found,
        ids=[*found.ids, *(fact.id for fact in rows)],
        sessions=np.concatenate([found.sessions, none - 1]),
        seqs=np.concatenate([found.seqs, none]),
        at=np.concatenate([found.at, [fact.valid_from.timestamp() for fact in rows]]),
        names=[*found.names, *[None] * len(rows)],
        dense=np.concatenate([found.dense, known.vectors @ known.prepared.asked[number]]),
        window=np.concatenate([found.window, np.full(len(rows), np.nan, np.float32)]),
        lengths=lengths,
        frequencies=frequencies,
        holders=np.count_nonzero(frequencies, axis=0),
        total=len(lengths),
        mean_length=float(lengths.mean()),
        roles=np.concatenate([found.roles, none]),
        traits=np.concatenate([found.traits, np.array([traits(fact.content) for fact in rows], np.int32)]),
        mentions=np.vstack([found.mentions, np.array([m[:2] for m in mentions], float).reshape(-1, 2)]),
        mentioned_by=np.concatenate([found.mentioned_by, np.array([m[2] for m in mentions], np.int32)]),
        sayings=np.array(sayings, np.int32).reshape(-1, 2),
    )


@dataclass(frozen=True, slots=True)
class Way:
    """How it is recalled."""

    name: str
    with_facts: bool
    renewed: bool


WAYS = (
    Way("turns alone, as ranked", with_facts=False, renewed=False),
    Way("turns, told anew", with_facts=False, renewed=True),
    Way("turns and facts, told anew", with_facts=True, renewed=True),
)


def order(known: Known, number: int, way: Way) -> list[frozenset[int]]:
    """The turns that each hit stands for, the best first: a fact for those that say so."""
    found = candidates(known, number, with_facts=way.with_facts, renewed=way.renewed)
    query = known.prepared.queries[number]
    query = replace(query, past=asks_what_was(query.text))
    stands: dict[int, set[int]] = {}
    for fact, turn in found.sayings.tolist():
        stands.setdefault(fact, set()).add(turn)
    ranked = rank(query, found, len(found))
    return [frozenset(stands.get(each.index, {each.index})) for each in ranked]


def judge(scenarios: Sequence[Scenario], known: Sequence[Known], way: Way) -> list[NDArray[np.float64]]:
    """For each conversation (probes, 2): the newer stands above the older; it is among the FIRST."""
    judged = []
    for scene, each in zip(scenarios, known, strict=True):
        rows = []
        for number, probe in enumerate(scene.probes):
            ranked = order(each, number, way)
            new, old = _place(ranked, probe.new), _place(ranked, probe.old)
            rows.append((float(new < old), float(new < FIRST)))
        judged.append(np.array(rows).reshape(-1, 2))
    return judged


def _place(ranked: Sequence[frozenset[int]], turns: frozenset[int]) -> int:
    return next(place for place, stands in enumerate(ranked) if stands & turns)


def interval(judged: Sequence[NDArray[np.float64]], column: int) -> tuple[float, float]:
    """95 % of the mean over probes, by bootstrap over conversations (seed 0)."""
    sums = np.array([each[:, column].sum() for each in judged])
    sizes = np.array([len(each) for each in judged])
    draws = np.random.default_rng(0).integers(len(judged), size=(RESAMPLES, len(judged)))
    low, high = np.percentile(sums[draws].sum(1) / sizes[draws].sum(1).clip(min=1), [2.5, 97.5])
    return float(low), float(high)


def closures(scenarios: Sequence[Scenario], known: Sequence[Known]) -> dict[str, int]:
    """Of the facts that were told in turns of which it is known: how many there are, ended, ended wrongly.

    A fact is ended rightly if it is by a turn that comes later in the chain of what it is told to be.
    """
    counted = {"facts": 0, "ended": 0, "wrongly": 0}
    for scene, each in zip(scenarios, known, strict=True):
        rows = {fact.id: fact for fact in each.understood.facts}
        for fact in rows.values():
            by = rows.get(fact.superseded_by) if fact.superseded_by else None
            told = _told_in(fact)
            if told not in scene.ended:
                continue
            counted["facts"] += 1
            if by and not _told_again(fact, by):
                counted["ended"] += 1
                counted["wrongly"] += _told_in(by) not in _chain(scene.ended, told)
    return counted


def _told_again(fact: Memory, by: Memory) -> bool:
    """Whether the one only stands for the other too."""
    assert fact.claim
    assert by.claim
    return fact.valid_to is None and same_value(fact.claim, by.claim)


def _told_in(fact: Memory) -> int:
    return place_of(UUID(fact.source["told"]["evidence"][0]))


def _chain(ended: Mapping[int, int | None], turn: int) -> set[int]:
    """The turns that end what the turn tells, one after another."""
    chain: set[int] = set()
    while (later := ended.get(turn)) is not None:
        chain.add(later)
        turn = later
    return chain


def evidence(known: Sequence[Known], way: Way) -> dict[str, float]:
    """The share of the evidence among the first hits; a fact stands for the turns that say so."""
    shares: list[list[float]] = []
    for each in known:
        for number, question in enumerate(each.prepared.conversation.questions):
            ranked = order(each, number, way)
            found = [frozenset[int]().union(*ranked[:depth]) for depth in DEPTHS]
            shares.append([len(question.evidence & turns) / len(question.evidence) for turns in found])
    return {
        f"R@{depth}": share for depth, share in zip(DEPTHS, np.mean(shares, axis=0).tolist(), strict=True)
    }


def rows(name: str, scenarios: Sequence[Scenario], known: Sequence[Known]) -> Iterator[dict[str, Any]]:
    """What is measured of a set, for each kind of probe that is not our own and each way."""
    kinds = [None] if name in OWN else sorted({probe.kind for scene in scenarios for probe in scene.probes})
    for kind in kinds:
        for way in WAYS:
            judged = [
                rows_[[kind in {None, probe.kind} for probe in scene.probes]]
                for scene, rows_ in zip(scenarios, judge(scenarios, known, way), strict=True)
            ]
            above, first = np.concatenate(judged).mean(0).tolist()
            yield {
                "set": name if kind is None else f"{name}, {kind.replace('_', ' ')}",
                "way": way.name,
                "probes": sum(map(len, judged)),
                "known": sum(_is_known(probe, each, kind) for probe, each in _pairs(scenarios, known)),
                "above": [above, *interval(judged, 0)],
                "first": [first, *interval(judged, 1)],
            }


def _pairs(scenarios: Sequence[Scenario], known: Sequence[Known]) -> Iterator[tuple[Probe, Known]]:
    for scene, each in zip(scenarios, known, strict=True):
        for probe in scene.probes:
            yield probe, each


def _is_known(probe: Probe, known: Known, kind: str | None) -> bool:
    """Whether a turn that tells it as it was is known to be told anew by one that tells it as it is."""
    told = set(known.understood.retold)
    return kind in {None, probe.kind} and any((old, new) in told for old in probe.old for new in probe.new)


def table(measured: Sequence[Mapping[str, Any]]) -> str:
    """Markdown, in percent."""
    head = ["set", "way", "probes", "of them understood", "newer above older", f"newer in the first {FIRST}"]
    lines = [head, ["---"] * len(head)]
    for row in measured:
        shares = [_share(*row[column]) for column in ("above", "first")]
        lines.append([row["set"], row["way"], str(row["probes"]), str(row["known"]), *shares])
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def _share(mean: float, low: float, high: float) -> str:
    return f"{100 * mean:.1f} ({100 * low:.1f}–{100 * high:.1f})"


async def main() -> None:
    """Measure every set that is there."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--models", type=Path, default=user_data_path("recollect") / "models")
    arguments = parser.parse_args()
    embedder = await open_embedder(DEFAULT_MODEL, arguments.models, progress=print)
    measured: list[dict[str, Any]] = []
    closed: dict[str, dict[str, int]] = {}
    for name, scenes in SETS.items():
        try:
            scenarios = [scene for scene in scenes() if scene.probes]
        except FileNotFoundError as missing:
            print(f"{name} is not there: {missing.filename}", file=sys.stderr)
            continue
        print(f"{name}: {len(scenarios)} conversations", file=sys.stderr)
        known = [await know(scene.conversation, embedder) for scene in scenarios]
        measured += rows(name, scenarios, known)
        if name in OWN:
            closed[name] = closures(scenarios, known)
    found = await _on_locomo(embedder)
    await embedder.aclose()
    write(measured, closed, found)


async def _on_locomo(embedder: Embedder) -> dict[str, dict[str, float]]:
    """The evidence found, by each way; nothing if the set is not there."""
    try:
        conversations = list(locomo())
    except FileNotFoundError as missing:
        print(f"LoCoMo is not there: {missing.filename}", file=sys.stderr)
        return {}
    known = [await know(conversation, embedder) for conversation in conversations]
    return {way.name: evidence(known, way) for way in WAYS}


def write(
    measured: Sequence[Mapping[str, Any]],
    closed: Mapping[str, Mapping[str, int]],
    found: Mapping[str, Mapping[str, float]],
) -> None:
    """The tables with what they are about, printed and as a file; the same as JSON."""
    ended = "\n".join(
        f"- {name}: {count['facts']} facts, {count['ended']} ended, {count['wrongly']} of them wrongly "
        f"({100 * count['wrongly'] / max(count['ended'], 1):.1f} %)"
        for name, count in closed.items()
    )
    shares = "\n".join(
        f"- {way}: {', '.join(f'{name} {100 * share:.1f}' for name, share in shares.items())}"
        for way, shares in found.items()
    )
    lines = [ABOUT, table(measured), ENDED, ended, "## Evidence found on LoCoMo", shares]
    text = "\n\n".join(lines) + "\n"
    print(text)
    RESULTS.mkdir(parents=True, exist_ok=True)
    (RESULTS / "updates.md").write_text(text, "utf-8")
    kept = {"probes": measured, "closures": closed, "locomo": found}
    (RESULTS / "updates.json").write_text(json.dumps(kept, indent=1) + "\n", "utf-8")


if __name__ == "__main__":
    asyncio.run(main())
