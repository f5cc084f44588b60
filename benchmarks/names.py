"""What it is worth that whoever is asked for by one name is looked for by the others too.

    python benchmarks/names.py

prints a table and writes benchmarks/results/names.{md,json}. The graph is read from each conversation as the
product does without a language model: its rules, its names, its merging. Then the learned ranker is asked,
with the other names of whom a question names, and without. The first set is made here from a seed: 25 people
who introduce six of their relatives and pets and then speak of them, half by name and half by what they are.
The others are those of recall_offline.py. No LLM, no server.
"""

from __future__ import annotations

import asyncio
import json
import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

import numpy as np
from platformdirs import user_data_path
from recall_offline import (
    RESAMPLES,
    RESULTS,
    ROLES,
    Conversation,
    Question,
    Ranker,
    Turn,
    beam,
    friendsqa,
    locomo,
    prepare,
    recalls,
)

from recollect.adapters.embeddings import DEFAULT_MODEL, open_embedder
from recollect.core.consolidate.consolidation import by_rules, facts
from recollect.core.consolidate.extraction import Conversation as Said
from recollect.core.consolidate.linking import Graph, alike, link, settle
from recollect.core.model import Entity, Kind, Memory, Trust
from recollect.core.ports import Embedder
from recollect.core.recall.learned import LEARNED
from recollect.core.text.alike import Alike, Names, other_names
from recollect.core.text.names import strip_names
from recollect.core.text.tokens import tokenize

ANN = "ann"
PEOPLE = str.split("Maria Elena Ben Karen Julia Tom Sophie Lukas Priya Omar Nadia Felix Ruth Hugo Ines Pavel")
PETS = str.split("Luna Rex Biscuit Pepper Momo")
WHAT = ("sister", "brother", "wife", "boss", "neighbour", "best friend", "daughter", "son", "cousin", "aunt")
MET = ("My {} is called {}.", "My {} {} came over yesterday.", "My {}'s name is {}.")
TOLD = (
    ("{} just moved to {}.", "Where does {} live now?", ("Boston", "Denver", "Lisbon", "Leeds", "Oslo")),
    ("{} started a new job as a {}.", "What does {} do for work?", ("nurse", "baker", "pilot", "welder")),
    ("{} is allergic to {}.", "What is {} allergic to?", ("peanuts", "shellfish", "pollen")),
    ("{} has a birthday on {}.", "When is the birthday of {}?", ("4 May", "9 June", "1 October")),
    ("{} is training for {}.", "What is {} training for?", ("a marathon", "a triathlon", "a chess final")),
    ("{} wants {} for Christmas.", "What present would {} like?", ("a telescope", "boots", "a cookbook")),
    ("{} drives a {} these days.", "Which car does {} have?", ("Volvo", "Mazda", "Skoda")),
)
BESIDE = (
    "The weather was awful all week.", "I finally cleaned the garage.", "We ordered pizza again last night.",
    "The printer at work broke.", "I am reading a long novel about whales.", "My back hurts from gardening.",
    "The new sofa arrives on Friday.", "I burned the toast this morning.", "We watched a film about space.",
    "Traffic was terrible on the bridge.", "I need a better alarm clock.", "The kitchen tap drips.",
)  # fmt: skip


def relatives(people: int = 25) -> Iterator[Conversation]:
    """People who speak of their relatives and pets, by name or by what they are, and are asked by either."""
    rng = random.Random(7)
    for _ in range(people):
        known = list(zip(rng.sample(WHAT, 5), rng.sample(PEOPLE, 5), strict=True))
        known.append((rng.choice(("dog", "cat")), rng.choice(PETS)))
        turns: list[Turn] = []
        questions: list[Question] = []
        for what, name in known:
            _say(turns, 0, rng.choice(MET).format(what, name), rng.choice(BESIDE))
        told = [(one, fact) for one in known for fact in rng.sample(TOLD, 4)]
        rng.shuffle(told)
        for number, ((what, name), (tell, ask, values)) in enumerate(told):
            forms = [f"my {what}", name]
            rng.shuffle(forms)
            said = tell.format(forms[0], rng.choice(values))
            place = _say(turns, 1 + number // 6, said[0].upper() + said[1:], rng.choice(BESIDE))
            for form, kind in zip(forms, ("by the same name", "by another name"), strict=True):
                questions.append(Question(ask.format(form), kind, frozenset([place])))
        yield Conversation((), turns, questions)


def _say(turns: list[Turn], session: int, *texts: str) -> int:
    """Add turns to a session; returns the index of the first."""
    first = len(turns)
    for text in texts:
        at = datetime(2025, 1, 1, tzinfo=UTC) + timedelta(days=3 * session, minutes=len(turns))
        turns.append(Turn(session, 1 + sum(turn.session == session for turn in turns), at, "user", text))
    return first


def read(conversation: Conversation) -> Alike:
    """Which names go together, as the product finds without a language model."""
    sessions: dict[int, list[Memory]] = defaultdict(list)
    for place, turn in enumerate(conversation.turns, 1):
        name = None if turn.speaker in ROLES else turn.speaker
        role = "user" if name else turn.speaker
        memory = Memory(UUID(int=place), Kind.MESSAGE, turn.text, Trust.USER, turn.at, turn.at, ANN)
        sessions[turn.session].append(replace(memory, role=role, name=name, seq=turn.seq))
    graphs = [_graph(turns, conversation.names) for turns in sessions.values()]
    names: dict[UUID, set[str]] = defaultdict(set)
    for graph in graphs:
        for one in graph.sightings:
            names[one.entity_id] |= set(one.names)
    found: dict[UUID, Entity] = {}
    for entity in (entity for graph in graphs for entity in graph.entities):
        found.setdefault(entity.id, replace(entity, aliases=tuple(sorted(names[entity.id] - {entity.name}))))
    merged = settle(list(found.values()), ANN, conversation.names[:1])
    settled = [replace(one, merged_into=merged.get(one.id)) for one in found.values()]
    return tuple(map(tuple, alike(settled, ANN)))


def _graph(turns: Sequence[Memory], names: tuple[str, ...]) -> Graph:
    said = Said(turns, user_id=ANN, names=names[:1], participants=names)
    extraction = by_rules(said)
    return link(extraction, facts(extraction, said), said)


@dataclass(frozen=True, slots=True)
class Measured:
    """Of a set's questions, the share of evidence among the first 5 and 10, without and with other names."""

    questions: int
    put: int
    without: tuple[float, float]
    with_names: tuple[float, float]
    gained: tuple[float, float, float]


def _others(question: str, known: Names) -> tuple[str, ...]:
    return other_names(strip_names(question, known.participants), known)


async def measure(conversations: Iterator[Conversation], embedder: Embedder) -> Measured:
    """Ask each question twice; `gained`: at 10, with its 95 % interval over conversations."""
    ranker = Ranker("learned", net=LEARNED)
    without, with_names, put = [], [], 0
    for conversation in conversations:
        prepared = await prepare(conversation, embedder)
        rows = [Counter(tokenize(turn.text)) for turn in conversation.turns]
        known = Names(conversation.names, read(conversation))
        others = [
            [token for name in _others(question.text, known) for token in tokenize(name)]
            for question in conversation.questions
        ]
        queries = [
            replace(query, tokens=tuple(dict.fromkeys([*query.tokens, *more])))
            for query, more in zip(prepared.queries, others, strict=True)
        ]
        counts = [
            np.array([[row[token] for token in query.tokens] for row in rows], np.int32).reshape(
                len(rows), -1
            )
            for query in queries
        ]
        put += sum(map(bool, others))
        without.append(recalls(ranker, prepared)[:, :2] * 100)
        with_names.append(
            recalls(ranker, replace(prepared, queries=queries, frequencies=counts))[:, :2] * 100
        )
    return _measured(without, with_names, put)


def _measured(without: list[np.ndarray], with_names: list[np.ndarray], put: int) -> Measured:
    rng = np.random.default_rng(1)
    differences = [(new - old)[:, 1] for old, new in zip(without, with_names, strict=True)]
    drawn = [
        np.concatenate([differences[i] for i in rng.integers(0, len(differences), len(differences))]).mean()
        for _ in range(RESAMPLES)
    ]
    old, new = np.vstack(without), np.vstack(with_names)
    low, high = np.percentile(drawn, [2.5, 97.5])
    gained = (float(np.concatenate(differences).mean()), float(low), float(high))
    return Measured(len(old), put, tuple(old.mean(axis=0)), tuple(new.mean(axis=0)), gained)


async def main() -> None:
    """Measure every set."""
    sets: dict[str, Callable[[], Iterator[Conversation]]] = {
        "relatives (made here)": relatives,
        "friendsqa": friendsqa,
        "locomo": locomo,
        "beam": beam,
    }
    embedder = await open_embedder(DEFAULT_MODEL, user_data_path("recollect") / "models")
    lines = [
        "# Other names of whom a question names",
        "",
        "`python benchmarks/names.py`: recall@5 / @10 of the learned ranker, the share of a question's",
        "evidence turns, without and with the other names of whom the question names; gained: at 10, with",
        "its 95 % interval over conversations.",
        "",
        "| set | questions | put by other names too | without | with | gained |",
        "|---|---|---|---|---|---|",
    ]
    results: dict[str, Measured] = {}
    for name, conversations in sets.items():
        one = await measure(conversations(), embedder)
        results[name] = one
        lines.append(
            f"| {name} | {one.questions} | {one.put} | {one.without[0]:.1f} / {one.without[1]:.1f} "
            f"| {one.with_names[0]:.1f} / {one.with_names[1]:.1f} "
            f"| {one.gained[0]:+.1f} [{one.gained[1]:+.1f}, {one.gained[2]:+.1f}] |"
        )
        print(lines[-1], flush=True)
        _keep(lines, results)
    await embedder.aclose()


def _keep(lines: Sequence[str], results: Mapping[str, Measured]) -> None:
    (RESULTS / "names.md").write_text("\n".join(lines) + "\n", "utf-8")
    document = {name: asdict(one) for name, one in results.items()}
    (RESULTS / "names.json").write_text(json.dumps(document, indent=2) + "\n", "utf-8")


if __name__ == "__main__":
    asyncio.run(main())
