"""Conversations of our own, with questions and the turns that answer them, from a grammar and a seed.

    PYTHONPATH=benchmarks python training/conversations.py --seed 1 --conversations 2

prints some. Two kinds take turns: two people who tell each other of their lives over months (people.toml),
and a person who works on projects with an assistant (assistant.toml). Nothing in them comes from a data set,
so weights fitted on them may ship.

A conversation is a run of *scenes*: a few turns about one topic, of one *owner* (a person, or a project). A
scene may follow up an earlier one of the same owner (the dog adopted in May falls ill in July). From what was
told come the questions, whose category says what it takes to answer them: `single`, `temporal`, `two_hop`,
`update`, `list`, `count`, `order`, `summary`; and two that nothing answers: `unanswerable` (never told, or
only of the other person) and `untold` (a detail left out of what was told).
"""

from __future__ import annotations

import argparse
import re
import tomllib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any

from recall_offline import Conversation, Question, Turn

HERE = Path(__file__).resolve().parent
Words = Mapping[str, str]

PEOPLE = (
    *((name, "her") for name in str.split("Adaeze Beatriz Clara Dilnoza Edith Farah Gwen Hanna Isla Judith")),
    *(
        (name, "her")
        for name in str.split("Katya Lucinda Mina Noemi Petra Rosalind Sunniva Tessa Valerie Zainab")
    ),
    *(
        (name, "his")
        for name in str.split("Anton Benedict Cyrus Dario Emeka Fergus Gustav Hamid Ivor Joaquin")
    ),
    *(
        (name, "his")
        for name in str.split("Kenji Lorenz Mateo Nasser Pascal Quentin Rowan Stellan Umut Wesley")
    ),
)
SELF = {"her": "herself", "his": "himself"}
_CHOICE = re.compile(r"\[([^][]*)\]")
_SLOT = re.compile(r"<(\w+)>")
MEASURED = frozenset({"update", "summary"})
"""Categories whose question stands though some of its keys were never told."""


@dataclass(frozen=True, slots=True)
class Ask:
    """A question to be: what it takes, the keys of the lines that answer it, its text."""

    category: str
    keys: tuple[str, ...]
    text: str

    @classmethod
    def read(cls, written: str) -> Ask:
        """From "category key,key: text"."""
        head, text = written.split(": ", 1)
        category, keys = head.split(" ", 1)
        return cls(category, tuple(keys.split(",")), text)


@dataclass(frozen=True, slots=True)
class Scene:
    """`lines`: who speaks (A tells, B listens), the key of what is told, the text."""

    topic: str
    lines: tuple[tuple[str, str, str], ...]
    ask: tuple[Ask, ...] = ()
    collect: tuple[Ask, ...] = ()
    after: str = ""
    event: str = ""
    untold: tuple[str, ...] = ()

    @classmethod
    def read(cls, written: Mapping[str, Any]) -> Scene:
        """From a [[scene]] of the grammar."""
        lines = [line.split(" ", 2) for line in written["lines"]]
        return cls(
            written["topic"],
            tuple((who, key.rstrip(":"), text) for who, key, text in lines),
            tuple(map(Ask.read, written.get("ask", ()))),
            tuple(map(Ask.read, written.get("collect", ()))),
            written.get("after", ""),
            written.get("event", ""),
            tuple(written.get("untold", ())),
        )

    def slots(self) -> list[str]:
        """The slots of all its texts, each once, in order."""
        texts = [text for _, _, text in self.lines] + [ask.text for ask in (*self.ask, *self.collect)]
        return list(dict.fromkeys(_SLOT.findall(" ".join([*texts, self.event]))))


@dataclass(slots=True)
class Owner:
    """Who scenes are about.

    `words` are the same in all of them, `vocabulary` what values are drawn from; `used` those drawn so far,
    by slot.
    """

    teller: str
    listener: str
    words: dict[str, str]
    vocabulary: Words
    used: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))


@dataclass(slots=True)
class Told:
    """A scene as it was told; `places`: where, by key, and by topic.key for it and what it follows.

    `day` is when the event was, and `exact` whether the words tell it to the day.
    """

    scene: Scene
    owner: Owner
    session: int
    bound: dict[str, str]
    day: datetime
    exact: bool
    places: dict[str, int] = field(default_factory=dict)
    followed: set[str] = field(default_factory=set)


def expand(text: str, random: Random) -> str:
    """One of each [a|b], from the inside out.

    >>> expand("[a|a] [b [c|c]]", Random(0))
    'a b c'
    """
    while match := _CHOICE.search(text):
        text = text[: match.start()] + random.choice(match[1].split("|")) + text[match.end() :]
    return text


def draw(slot: str, vocabulary: Words, random: Random) -> str:
    """A value of the slot."""
    return expand(f"[{vocabulary[slot]}]", random)


def past(random: Random, now: datetime) -> tuple[str, datetime, bool]:
    """A day before `now` as people say it, the day, and whether the words tell it to the day."""
    days = random.choice((0, 1, 1, 2, 3, 3, 4, 5, 6, 7, 9, 12, 14, 16, 21, 30, 35))
    day = now - timedelta(days=days)
    near = {0: "this morning", 1: "yesterday", 2: "the day before yesterday"}
    if days in near:
        return near[days], day, True
    vague = {
        3: "a few days ago",
        7: "last week",
        14: "two weeks ago",
        21: "three weeks ago",
        30: "last month",
    }
    if days in vague and random.random() < 0.7:
        return vague[days], day, False
    weekday = (f"on {day:%A}", f"last {day:%A}") if days < 7 else ()
    nth = (f"on the {_nth(day)}",) if days < 20 else ()
    return random.choice((*weekday, *nth, f"on {_date(day)}")), day, True


def coming(random: Random, now: datetime) -> tuple[str, datetime, bool]:
    """A day after `now` as people say it, the day, and whether the words tell it to the day."""
    days = random.choice((1, 3, 4, 5, 7, 10, 14, 20, 30, 45))
    day = now + timedelta(days=days)
    said = {1: "tomorrow", 7: "next week", 14: "in two weeks", 30: "next month", 45: f"in {day:%B}"}
    plain = f"on {day:%A}" if days < 7 else f"on {_date(day)}"
    return said.get(days, plain), day, days not in {7, 14, 30, 45}


def _date(day: datetime) -> str:
    return f"{day.day} {day:%B}"


def _nth(day: datetime) -> str:
    ending = "th" if 10 <= day.day <= 20 else {1: "st", 2: "nd", 3: "rd"}.get(day.day % 10, "th")
    return f"{day.day}{ending}"


@dataclass(slots=True)
class Writer:
    """Writes one conversation: `turns` so far, and the scenes that were `told` in them."""

    random: Random
    words: Words
    turns: list[Turn] = field(default_factory=list)
    told: list[Told] = field(default_factory=list)

    def say(self, session: int, begin: datetime, speaker: str, text: str) -> int:
        """The index of the new turn."""
        seq = self.turns[-1].seq + 1 if self.turns and self.turns[-1].session == session else 1
        self.turns.append(Turn(session, seq, begin + timedelta(seconds=40 * seq), speaker, text))
        return len(self.turns) - 1

    def write(self, text: str, bound: Words) -> str:
        """The text with its choices made and its slots filled: bound ones, or small talk at random."""
        text = expand(text, self.random)
        while match := _SLOT.search(text):
            value = bound[match[1]] if match[1] in bound else draw(match[1], self.words, self.random)
            text = text[: match.start()] + expand(value, self.random) + text[match.end() :]
        text = re.sub(r"([.!?])[.,]+", r"\1", text).strip()
        return text[:1].upper() + text[1:]

    def bind(self, scene: Scene, owner: Owner, earlier: Words, now: datetime) -> Told:
        """The scene with its values drawn: such as the owner did not have, while there are."""
        bound = {**earlier, **owner.words}
        for slot in scene.slots():
            if slot in owner.vocabulary and slot not in bound and slot not in SMALL_TALK:
                bound[slot] = self._draw_new(slot, owner)
        future = any("<soon>" in text for _, _, text in scene.lines)
        phrase, day, exact = (coming if future else past)(self.random, now)
        bound["soon" if future else "when"] = phrase
        for slot in ("deadline", "new_deadline"):
            bound.setdefault(slot, _date(now + timedelta(days=self.random.randint(20, 90))))
        bound["advice"] = advice(owner, bound.get("points"), self.random)
        return Told(scene, owner, 0, bound, day, exact)

    def _draw_new(self, slot: str, owner: Owner) -> str:
        used = owner.used[slot.removeprefix("new_")]
        for _ in range(40):
            value = draw(slot, owner.vocabulary, self.random)
            if value not in used:
                break
        used.add(value)
        return value

    def tell(self, scene: Scene, owner: Owner, session: int, begin: datetime, earlier: Told | None) -> None:
        """Play the scene as the next turns; `earlier` is what it follows up."""
        told = self.bind(scene, owner, earlier.bound if earlier else {}, begin)
        told.session = session
        if earlier:
            told.places.update({key: at for key, at in earlier.places.items() if "." in key})
            earlier.followed.add(scene.topic)
        for who, key, text in scene.lines:
            if key == "-" and self.random.random() < 0.1:
                continue
            speaker = owner.teller if who == "A" else owner.listener
            at = self.say(session, begin, speaker, self.write(text, told.bound))
            if key != "-":
                told.places[key] = told.places[f"{scene.topic}.{key}"] = at
                if earlier:
                    earlier.places.setdefault(key, at)
        self.told.append(told)

    def chat(self, lines: Sequence[str], speakers: Sequence[str], session: int, begin: datetime) -> None:
        """Small talk, line by line in turns; A speaks first."""
        bound = dict(zip("AB", speakers, strict=True))
        for number, text in enumerate(lines):
            self.say(session, begin, speakers[number % 2], self.write(text, bound))


SMALL_TALK = frozenset({"wow", "more", "ok", "ask_help", "intro", "outro", "verb", "because"})
MORE_ADVICE = (
    "",
    "",
    " <verb> what you have, <because>.",
    " <verb> the first step <because>; <verb> the rest.",
)
BULLETS = ("{n}. **{point}**: ", "- **{point}**: ", "### {n}. {point}\n", "{n}. {point} - ")


def advice(owner: Owner, about: str | None, random: Random) -> str:
    """What an assistant answers: a list over the project's points, `about` the first; "" to people."""
    if "points" not in owner.vocabulary:
        return ""
    points = random.sample(owner.vocabulary["points"].split("|"), random.randint(4, 9))
    bullet = random.choice(BULLETS)
    lines = [
        bullet.format(n=n, point=point.capitalize())
        + f"<verb> {point} <because>.{random.choice(MORE_ADVICE)}"
        for n, point in enumerate(dict.fromkeys([about, *points] if about else points), 1)
    ]
    return "<intro>\n\n" + "\n".join(lines) + "\n\n<outro>"


def sessions(random: Random, least: int, most: int) -> Iterator[tuple[int, datetime]]:
    """Numbers and beginnings, days or weeks apart."""
    at = datetime(random.randint(2019, 2025), random.randint(1, 12), random.randint(1, 28), 9, tzinfo=UTC)
    for number in range(1, random.randint(least, most) + 1):
        yield number, at.replace(hour=random.randint(7, 22), minute=random.randint(0, 59))
        at += timedelta(days=random.randint(2, 24))


def next_scene(
    writer: Writer, owner: Owner, scenes: Sequence[Scene], session: int
) -> tuple[Scene, Told | None]:
    """A follow-up of what the owner told in an earlier session, or something new."""
    random = writer.random
    open_ends = [
        (scene, told)
        for told in writer.told
        for scene in scenes
        if told.owner is owner
        and told.session < session
        and scene.after == told.scene.topic
        and scene.topic not in told.followed
    ]
    if open_ends and random.random() < 0.5:
        return random.choice(open_ends)
    once = {told.scene.topic for told in writer.told if told.owner is owner and not told.scene.collect}
    fresh = [scene for scene in scenes if not scene.after and scene.topic not in once]
    # Everybody has a few topics to which they come back: the first ones of their own order.
    taste = sorted(owner.words.values())
    own = sorted(fresh, key=lambda scene: Random(f"{taste}{scene.topic}").random())
    return random.choice(own[:6] if random.random() < 0.6 else own), None


def people(random: Random) -> Conversation:
    """Two people over months."""
    grammar = tomllib.loads((HERE / "people.toml").read_text("utf-8"))
    scenes, talk = [Scene.read(written) for written in grammar["scene"]], grammar["smalltalk"]
    pair = random.sample(PEOPLE, 2)
    names = [name for name, _ in pair]
    owners = [
        Owner(name, other, {"A": name, "B": other, "her": her, "herself": SELF[her]}, grammar["words"])
        for (name, her), other in zip(pair, reversed(names), strict=True)
    ]
    writer = Writer(random, grammar["words"])
    for session, begin in sessions(random, 12, 22):
        order = random.sample(names, 2)
        _exchange(writer, talk["greet"], talk["return"], order, session, begin)
        for _ in range(random.randint(2, 5)):
            if random.random() < 0.3:
                writer.chat(random.choice(talk["chat"]), random.sample(names, 2), session, begin)
            owner = random.choice(owners)
            scene, earlier = next_scene(writer, owner, scenes, session)
            writer.tell(scene, owner, session, begin, earlier)
        _exchange(writer, talk["bye"], talk["byeback"], order, session, begin)
    return Conversation(tuple(names), writer.turns, questions(writer, owners, scenes))


def _exchange(  # noqa: PLR0913, PLR0917 - one call for the beginning and one for the end of a session
    writer: Writer,
    first: Sequence[str],
    second: Sequence[str],
    order: Sequence[str],
    session: int,
    at: datetime,
) -> None:
    """A greeting and its return: both lines call the one who speaks last B, and first A."""
    lines = [writer.random.choice(first), writer.random.choice(second)]
    writer.chat(lines, order, session, at)


def assistant(random: Random) -> Conversation:
    """A person with an assistant, over weeks."""
    grammar = tomllib.loads((HERE / "assistant.toml").read_text("utf-8"))
    scenes = [scene for written in grammar["thread"] for scene in _of_thread(written)]
    said = grammar["words"]
    # A value told later is drawn from the same words as the first.
    words = said | {f"new_{slot}": said[slot] for slot in ("money", "dayname", "many", "share")}
    asides = [chat["lines"] for chat in grammar["chat"]]
    chosen = random.sample(grammar["project"], random.randint(2, 4))
    owners = [_project(project, words, random) for project in chosen]
    writer = Writer(random, words)
    for session, begin in sessions(random, 8, 14):
        owner = random.choice(owners)
        for _ in range(random.randint(3, 7)):
            scene, earlier = next_scene(writer, owner, scenes, session)
            writer.tell(scene, owner, session, begin, earlier)
            if random.random() < 0.2:
                aside = [
                    _filled(line, {"advice": advice(owner, None, random)}) for line in random.choice(asides)
                ]
                writer.chat(aside, ("user", "assistant"), session, begin)
    return Conversation((), writer.turns, questions(writer, owners, scenes))


def _project(written: Words, words: Words, random: Random) -> Owner:
    fixed = {slot: expand(written[slot], random) for slot in ("name", "noun", "unit", "measure")}
    return Owner("user", "assistant", fixed, {**words, **written})


def _of_thread(written: Mapping[str, Any]) -> Iterator[Scene]:
    """A thread's scenes: what is told at first, and what is told later."""
    topic = written["topic"]
    ask, collect = (tuple(map(Ask.read, written.get(key, ()))) for key in ("ask", "collect"))
    answer = f"[{written['echo']} |]<advice>"
    told = (("A", "tell", written["tell"]), ("B", "answer", answer))
    yield Scene(topic, told, ask, collect, untold=tuple(written.get("untold", ())))
    if "update" in written:
        said, answer = (
            text.replace("<new>", f"<new_{written.get('slot')}>")
            for text in (written["update"], f"[{written['later']} |]<advice>")
        )
        yield Scene(f"{topic} later", (("A", "update", said), ("B", "-", answer)), after=topic)


def questions(writer: Writer, owners: Sequence[Owner], scenes: Sequence[Scene]) -> list[Question]:
    """What can be asked of what was told, and some that cannot be answered; each text once."""
    asked = [
        *_about_scenes(writer),
        *_over_scenes(writer),
        *_about_order(writer),
        *_about_months(writer),
        *_unanswerable(writer, owners, scenes),
        *_untold(writer),
    ]
    return list({question.text: question for question in reversed(asked)}.values())


def _put(writer: Writer, text: str, bound: Words, category: str, evidence: frozenset[int]) -> Question:
    """The question as a person may type it."""
    written = writer.write(text, bound)
    if writer.random.random() < 0.08:
        written = written.rstrip("?").lower()
    return Question(written, category, evidence)


def _about_scenes(writer: Writer) -> Iterator[Question]:
    """Two questions of each scene, such as no other scene would answer too."""
    for told in writer.told:
        alike = [
            one for one in writer.told if one.owner is told.owner and one.scene.topic == told.scene.topic
        ]
        for ask in writer.random.sample(told.scene.ask, min(2, len(told.scene.ask))):
            text = expand(ask.text, writer.random)
            found = frozenset(told.places[key] for key in ask.keys if key in told.places)
            complete = all(key in told.places for key in ask.keys) or (found and ask.category in MEASURED)
            if complete and sum(_said(one, text) == _said(told, text) for one in alike) == 1:
                bound = told.bound | {"month": _asked_when(writer, told)}
                yield _put(writer, text, bound, ask.category, found)


def _said(told: Told, text: str) -> list[str]:
    """What tells the scene from others in the question."""
    bound = told.bound | {"month": f"{told.day:%Y-%m}"}
    return [bound[slot] for slot in _SLOT.findall(text)]


def _asked_when(writer: Writer, told: Told) -> str:
    now, day = writer.turns[-1].at + timedelta(days=1), told.day
    asked = [f"in {day:%B %Y}"] * 2
    if told.exact:
        asked += [f"on {_date(day)} {day.year}", f"on {day:%B} {day.day}, {day.year}"]
    if (now.year, now.month) == (day.year, day.month + 1):
        asked += ["last month"]
    if timedelta(0) < now - day < timedelta(days=300):
        asked += [f"in {day:%B}"]
    return writer.random.choice(asked)


def _over_scenes(writer: Writer) -> Iterator[Question]:
    """What an owner told in several scenes of a topic."""
    by_topic = defaultdict(list)
    for told in writer.told:
        by_topic[id(told.owner), told.scene.topic].append(told)
    for group in by_topic.values():
        for ask in group[0].scene.collect if len(group) > 1 else ():
            found = frozenset(one.places[key] for one in group for key in ask.keys if key in one.places)
            yield _put(writer, ask.text, group[0].bound, ask.category, found)


ORDERS = (
    "What did <A> [do|tell of] first, <one> or <two>?",
    "Which [happened|came] [first|earlier] for <A>: <one> or <two>?",
    "In what order did these [happen to <A>|come]: <one>, <two> and <three>?",
    "[Put in order what <A> did|Order these by date]: <one>, <two>, <three>.",
)


def _about_order(writer: Writer) -> Iterator[Question]:
    for teller in dict.fromkeys(told.owner.teller for told in writer.told):
        events = [told for told in writer.told if told.scene.event and told.owner.teller == teller]
        for _ in range(min(6, len(events) - 2)):
            text = writer.random.choice(ORDERS)
            chosen = writer.random.sample(events, 3 if "<three>" in text else 2)
            named = {
                slot: expand(_filled(one.scene.event, one.bound), writer.random)
                for slot, one in zip(("one", "two", "three"), chosen, strict=False)
            }
            evidence = frozenset(min(_own(one)) for one in chosen)
            yield _put(writer, text, chosen[0].bound | named, "order", evidence)


def _filled(text: str, bound: Words) -> str:
    return _SLOT.sub(lambda match: bound.get(match[1], match[0]), text)


def _own(told: Told) -> list[int]:
    """Where the scene itself told something."""
    return [at for key, at in told.places.items() if key.startswith(f"{told.scene.topic}.")]


MONTHS = (
    "What [has <A> been up to|happened to <A>|did <A> do] in <month>?",
    "What [was new in <A>'s life|news did <A> have] in <month>?",
)


def _about_months(writer: Writer) -> Iterator[Question]:
    """What was told of a month, where it is two to six things."""
    by_month = defaultdict(list)
    for told in writer.told:
        if "A" in told.bound and any("<when>" in text for _, _, text in told.scene.lines):
            by_month[told.owner.teller, f"{told.day:%B %Y}"].append(told)
    for (_, month), group in by_month.items():
        if 2 <= len(group) <= 6 and writer.random.random() < 0.5:
            bound = group[0].bound | {"month": month}
            evidence = frozenset(min(_own(told)) for told in group)
            yield _put(writer, writer.random.choice(MONTHS), bound, "list", evidence)


def _unanswerable(writer: Writer, owners: Sequence[Owner], scenes: Sequence[Scene]) -> Iterator[Question]:
    """Asked of whom never told of the topic (what another told, if one did), or with values nobody told."""
    now = writer.turns[-1].at
    for owner in owners:
        topics = {told.scene.topic for told in writer.told if told.owner is owner}
        for scene in writer.random.sample(scenes, min(14, len(scenes))):
            others = [told.bound for told in writer.told if told.scene is scene and told.owner is not owner]
            bound = {**(others[0] if others else {}), **owner.words}
            made = writer.bind(scene, owner, bound, now).bound | {"month": f"in {now:%B}"}
            asks = [ask for ask in scene.ask if "<month>" not in ask.text]
            if scene.topic in topics:
                fresh = writer.bind(scene, owner, {}, now).bound
                told = {value for one in writer.told for value in one.bound.values()}
                asks = [
                    ask
                    for ask in asks
                    if _values(ask, fresh, owner) and not _values(ask, fresh, owner) & told
                ]
                made = fresh
            if asks and not (scene.after and scene.topic not in topics and not others):
                yield _put(writer, writer.random.choice(asks).text, made, "unanswerable", frozenset())


def _untold(writer: Writer) -> Iterator[Question]:
    """What was left out of something that was told."""
    for told in writer.told:
        if told.scene.untold and writer.random.random() < 0.5:
            text = writer.random.choice(told.scene.untold)
            yield _put(writer, text, told.bound, "untold", frozenset())


def _values(ask: Ask, bound: Words, owner: Owner) -> set[str]:
    return {bound[slot] for slot in _SLOT.findall(ask.text) if slot not in owner.words}


def generate(seed: int, conversations: int) -> Iterator[Conversation]:
    """So many conversations, people and assistants by turns; the same for the same seed.

    The n-th does not depend on how many follow. Questions of `unanswerable` and `untold` have no evidence.
    """
    for number in range(conversations):
        kind = assistant if number % 2 else people
        yield kind(Random(f"{seed}/{number}"))


def main() -> None:
    """Print some."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--conversations", type=int, default=2)
    arguments = parser.parse_args()
    for conversation in generate(arguments.seed, arguments.conversations):
        for number, turn in enumerate(conversation.turns):
            print(f"{number:4} {turn.session}.{turn.seq} {turn.at:%Y-%m-%d} {turn.speaker}: {turn.text}")
        for question in conversation.questions:
            print(f"{question.category}: {question.text} {sorted(question.evidence)}")


if __name__ == "__main__":
    main()
