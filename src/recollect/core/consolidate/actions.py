"""What is to be done after a conversation: what its speakers promised, and what they asked of each other.

English only. The verbs and turns of phrase are in insight.toml; a time that was named is the due date.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import cache
from importlib.resources import files
from itertools import chain

from recollect.core.consolidate.insight import Action, speaker
from recollect.core.model import Memory
from recollect.core.text.dates import LATEST
from recollect.core.text.names import mentioned
from recollect.core.text.sentences import sentences
from recollect.core.text.stems import stems
from recollect.core.text.times import TimeSpan, find_times

MOST = 50
"""So many actions are kept of one conversation, the last."""

LONGEST_READ = 6_000

_JOINTS = " ,;:–-"
_JOINT = re.compile(r"(?<=[ ,;:–-])(?:and|but|so|then|or|also|ok|okay)\Z", re.IGNORECASE)
_LONGEST_JOINT = 5
_IDLE = re.compile(r"check\b.*\bout\b", re.IGNORECASE)
_POINTS_BACK = re.compile(r"\b(?:it|that|this|them|those|done)\b")
_FIRST_PERSON = re.compile(r"\b(?:i|we|i've|we've)\b|^(?:done|sent|booked|paid|called)\b|\bjust\b")
_PASSIVE = re.compile(r"\b(?:is|are|was|were|been|got)\s+(?:\w+\s+)?$")
_EMPTY = frozenset(str.split("today tomorrow tonight back soon now later next week day morning know"))


@dataclass(frozen=True, slots=True)
class _Patterns:
    """The phrases of insight.toml, made for matching small letters."""

    verbs: Mapping[str, re.Pattern[str]]
    needed: Mapping[str, re.Pattern[str]]
    promise: re.Pattern[str]
    ask: re.Pattern[str]
    imperative: re.Pattern[str]
    unsure: re.Pattern[str]
    advice: re.Pattern[str]
    negated: re.Pattern[str]
    spoken: frozenset[str]
    sought: frozenset[str]
    received: re.Pattern[str]


@cache
def _patterns() -> _Patterns:
    path = files("recollect.core.consolidate") / "insight.toml"
    read = tomllib.loads(path.read_text("utf-8"))["actions"]
    forms = dict(word.split(":") for word in read["verbs"].split())
    needed = dict(line.split(":", 1) for line in read["with"].strip().splitlines())
    verb = rf"(?P<verb>{'|'.join(sorted(forms, key=len, reverse=True))})\b"
    between = rf"(?:(?:{read['between']})\s+)*"
    return _Patterns(
        verbs={verb: re.compile(rf"\b(?:{done})\b") for verb, done in forms.items()},
        needed={verb: re.compile(rf"\s+(?:{rest})\b") for verb, rest in needed.items()},
        promise=re.compile(rf"\b(?:{read['promise']}|{read['must']})\s+{between}{verb}"),
        ask=re.compile(rf"\b(?:{read['ask']})\s+{between}{verb}"),
        imperative=re.compile(
            rf"^(?:(?:ok|okay|and|so|then|also|yes)[, ]+)*(?P<verb>{read['imperative']})"
            r"(?=\s+(?:me|us|him|her|them|the|my|our|a|an)\b)"
        ),
        unsure=re.compile(rf"\b(?:{read['unsure']})\b"),
        advice=re.compile(rf"\b(?:{read['advice']})\b"),
        negated=re.compile(rf"\b(?:{read['negated']})\b|n't\b"),
        spoken=frozenset(read["spoken"].split("|")),
        sought=frozenset(read["sought"].split("|")),
        received=re.compile(rf"\b(?:{read['received']})\b"),
    )


@dataclass(frozen=True, slots=True)
class _Talk:
    """A conversation: who said each turn, the names there are, and who is not only an assistant."""

    turns: Sequence[Memory]
    speakers: Sequence[str]
    names: Sequence[str]
    people: frozenset[str]
    everybody: frozenset[str]

    @classmethod
    def of(cls, turns: Sequence[Memory]) -> _Talk:
        return cls(
            turns,
            speakers=[speaker(turn) for turn in turns],
            names=sorted({turn.name for turn in turns if turn.name}),
            people=frozenset(speaker(turn) for turn in turns if turn.role != "assistant"),
            everybody=frozenset(map(speaker, turns)),
        )


@dataclass(frozen=True, slots=True)
class _Found:
    """An action with what it is known by: its verb, and what it is done to."""

    action: Action
    verb: str
    objects: frozenset[str]


def actions(turns: Sequence[Memory]) -> tuple[Action, ...]:
    """What is to be done, in the order it was said, each with whether a later turn says that it is done."""
    talk = _Talk.of(turns)
    found: list[_Found] = []
    for place, turn in enumerate(turns):
        for said in sentences(turn.content[:LONGEST_READ]):
            sentence = " ".join(said.split())
            small = sentence.lower().replace("’", "'")
            if len(small) == len(sentence):
                found = _checked(found, turn, small)
                for one in _said(talk, place, sentence, small):
                    _add(found, one)
        found = found[-MOST:]
    return tuple(one.action for one in found)


def _said(talk: _Talk, place: int, sentence: str, small: str) -> Iterator[_Found]:
    """The actions that a sentence of a turn speaks of."""
    turn, owner, patterns = talk.turns[place], talk.speakers[place], _patterns()
    starts = [(match, True) for match in patterns.promise.finditer(small)]
    if not (turn.role == "assistant" and patterns.advice.search(small)):
        starts += [(match, False) for match in patterns.ask.finditer(small)]
    if not starts and turn.role != "assistant":
        starts = [(match, False) for match in patterns.imperative.finditer(small)]
    starts.sort(key=lambda start: start[0].start("verb"))
    ends = [*(match.start() for match, _ in starts[1:]), len(sentence)]
    for (match, promised), end in zip(starts, ends, strict=False):
        verb, begin = match["verb"], match.start("verb")
        needed = patterns.needed.get(verb)
        if needed and not needed.match(small, match.end()):
            continue
        if promised and patterns.unsure.search(small, 0, match.start()):
            continue
        text = _trimmed(sentence[begin:end])
        times = find_times(f"will {text}", turn.valid_from)
        who = owner if promised else _other(talk, place, sentence)
        due = _due(times, turn.valid_from)
        by_talking = patterns.spoken if promised else patterns.spoken | patterns.sought
        if not due and ((verb in by_talking and _assists(talk, who)) or _IDLE.match(text)):
            continue
        yield _Found(Action(text, who, turn.id, due), verb, _objects(text, verb, times))


def _trimmed(text: str) -> str:
    """An action without the marks and joining words after it."""
    text = text.rstrip(f"{_JOINTS}.!?")
    while joint := _JOINT.search(text[-_LONGEST_JOINT:]):
        text = text[: -len(joint[0])].rstrip(_JOINTS)
    return text


def _assists(talk: _Talk, who: str) -> bool:
    """Whether it is an assistant, who gives advice by giving it."""
    return who != "user" and who not in talk.people


def _due(times: Sequence[TimeSpan], at: datetime) -> datetime | None:
    """The end of the first of the times that is not over yet."""
    latest = LATEST.replace(tzinfo=at.tzinfo)
    return next((time.end for time in times if at < time.end < latest), None)


def _objects(text: str, verb: str, times: Sequence[TimeSpan]) -> frozenset[str]:
    """The words of an action, without its verb and its times."""
    for time in times:
        text = text.replace(time.phrase, " ")
    return stems(text) - stems(verb) - _EMPTY


def _other(talk: _Talk, place: int, sentence: str) -> str:
    """Whom a sentence asks: whoever it names, or spoke before, or speaks next."""
    me = talk.speakers[place]
    if len(talk.everybody - {me}) > 1:
        called = [name for name in mentioned(sentence, talk.names) if name != me]
        if called:
            return called[0]
    around = chain(reversed(talk.speakers[:place]), talk.speakers[place + 1 :])
    by_default = "assistant" if talk.turns[place].role != "assistant" else "user"
    return next((one for one in around if one != me), by_default)


def _add(found: list[_Found], one: _Found) -> None:
    """Take an action in; one that was spoken of already gets its date, if it had none."""
    for index, other in enumerate(found):
        same = other.verb == one.verb and other.action.owner == one.action.owner and not other.action.done
        if same and (other.objects <= one.objects or one.objects <= other.objects):
            action = replace(other.action, due=one.action.due or other.action.due)
            found[index] = replace(other, action=action, objects=other.objects | one.objects)
            return
    found.append(one)


def _checked(found: Sequence[_Found], turn: Memory, small: str) -> list[_Found]:
    """The actions, done if this sentence of a later turn says so."""
    open_ = any(not one.action.done for one in found)
    if not open_ or _patterns().negated.search(small) or small.endswith("?"):
        return list(found)
    tokens = stems(small)
    return [
        replace(one, action=replace(one.action, done=True))
        if not one.action.done and one.action.evidence != turn.id and _is_done(one, turn, small, tokens)
        else one
        for one in found
    ]


def _is_done(one: _Found, turn: Memory, small: str, tokens: frozenset[str]) -> bool:
    patterns = _patterns()
    spoken_of = not one.objects or bool(one.objects & tokens) or bool(_POINTS_BACK.search(small))
    if not spoken_of:
        return False
    if speaker(turn) == one.action.owner:
        done = patterns.verbs[one.verb].search(small)
        return bool(done and (_FIRST_PERSON.search(small) or _PASSIVE.search(small[: done.start()])))
    received = patterns.received.search(small)
    return bool(received and one.objects & tokens)
