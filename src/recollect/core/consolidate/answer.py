"""What a language model is asked to write down of a conversation: the form of its answer, and how it is read.

Every item is checked against the turns; whatever is not said there is thrown away, and counted.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TypeVar

from recollect.core.consolidate.attributes import Attribute, Vocabulary, english
from recollect.core.consolidate.evidence import backed, quotes, says, stems, supported
from recollect.core.consolidate.extraction import Extraction, Finding, Mention
from recollect.core.consolidate.insight import Action, Resolution, Sentiment, speaker
from recollect.core.consolidate.summarising import Summary
from recollect.core.consolidate.telling import Told, sentence
from recollect.core.model import USER, Claim, JsonObject, Kind, Memory, Modality
from recollect.core.text.times import find_times

MACHINES = frozenset({"assistant", "system", "tool", "function", "developer", "ai", "bot", "model"})
"""Roles in which nobody tells anything of themself."""

ENTITY_KINDS = ("person", "place", "organisation", "product", "event", "pet", "thing")
MOST_TOPICS = 6
LONGEST_LINE = 300
LONGEST_TURN = 10_000
LONGEST_SUMMARY = 2_000
_LEAST, _MOST = 0.3, 0.95
_DATE = re.compile(r"(\d{4})(?:-(\d\d))?(?:-(\d\d))?")

T = TypeVar("T")


def _object(**properties: JsonObject) -> JsonObject:
    """All of them required, and none else allowed: the vendors' strictest form."""
    return {
        "type": "object",
        "properties": properties,
        "required": list(properties),
        "additionalProperties": False,
    }


def _list(items: JsonObject) -> JsonObject:
    return {"type": "array", "items": items}


_TEXT: JsonObject = {"type": "string"}
_TURN: JsonObject = {"type": "integer"}
_SURE: JsonObject = {"type": "number"}
_FLAG: JsonObject = {"type": "boolean"}


def form(kinds: Iterable[str] = ()) -> JsonObject:
    """The JSON schema of an answer; "" stands for what is not said.

    `kinds`: of entities, beside the house's own.
    """
    return _object(
        facts=_list(
            _object(
                turn=_TURN,
                quote=_TEXT,
                subject=_TEXT,
                attribute=_TEXT,
                value=_TEXT,
                negated=_FLAG,
                modality={"type": "string", "enum": list(map(str, Modality))},
                kind={"type": "string", "enum": ["fact", "preference", "event"]},
                single=_FLAG,
                since=_TEXT,
                until=_TEXT,
                corrects=_FLAG,
                confidence=_SURE,
                sentence=_TEXT,
            )
        ),
        entities=_list(
            _object(
                turn=_TURN,
                name=_TEXT,
                kind={"type": "string", "enum": list(dict.fromkeys((*ENTITY_KINDS, *kinds)))},
                aliases=_list(_TEXT),
            )
        ),
        summary=_object(
            text=_TEXT,
            topics=_list(_TEXT),
            sentiment=_SURE,
            resolution={"type": "string", "enum": list(map(str, Resolution))},
            actions=_list(_object(turn=_TURN, text=_TEXT, owner=_TEXT, due=_TEXT, done=_FLAG)),
        ),
    )


ANSWER = form()
"""Where there are no packs."""


@dataclass(slots=True)
class Reading:
    """Reads answers about some turns, by their numbers in the prompt; only those of `new` tell something.

    `names`: what the person remembered is called, in lower case. `vocabulary`: has the closed attributes.
    `dropped` counts what was not said.
    """

    turns: Mapping[int, Memory]
    new: frozenset[int]
    names: frozenset[str] = frozenset()
    vocabulary: Vocabulary = field(default_factory=english)
    dropped: int = 0
    _order: list[Memory] = field(init=False)
    _known: frozenset[str] = field(init=False)

    def __post_init__(self) -> None:
        self._order = [self.turns[number] for number in sorted(self.turns)]
        told = (
            f"{speaker(turn)} {turn.content[:LONGEST_TURN]} {turn.valid_from:%Y %B %d %A}"
            for turn in self._order
        )
        self._known = stems("\n".join([*told, *self.names]))

    def extraction(self, answer: JsonObject) -> Extraction:
        """All of it; of its source only how much was dropped."""
        findings, mentions, summary = self.findings(answer), self.mentions(answer), self.summary(answer)
        return Extraction(findings, mentions, {"dropped": self.dropped}, summary)

    def findings(self, answer: JsonObject) -> tuple[Finding, ...]:
        """The facts that the turns support, each once."""
        found = self._kept(answer["facts"], self._finding)
        return tuple({(each.claim, each.evidence): each for each in found}.values())

    def mentions(self, answer: JsonObject) -> tuple[Mention, ...]:
        """The entities that the turns name."""
        return tuple(self._kept(answer["entities"], self._mention))

    def summary(self, answer: JsonObject) -> Summary | None:
        """The summary; None if it has a name or a number that the turns have not, or nothing at all."""
        given = answer["summary"]
        text = given["text"].strip()[:LONGEST_SUMMARY]
        if not text or not backed(text, self._known):
            self.dropped += 1
            return None
        return Summary(
            text=text,
            evidence=tuple(turn.id for turn in self._order),
            topics=tuple(dict.fromkeys(topic.strip().lower() for topic in given["topics"]))[:MOST_TOPICS],
            sentiment=Sentiment(max(-1.0, min(1.0, float(given["sentiment"])))),
            resolution=Resolution(given["resolution"]),
            actions=tuple(self._kept(given["actions"], self._action)),
        )

    def _kept(self, items: Sequence[JsonObject], read: Callable[[JsonObject], T | None]) -> Iterator[T]:
        for item in items:
            if (kept := read(item)) is None:
                self.dropped += 1
            else:
                yield kept

    def _finding(self, item: JsonObject) -> Finding | None:
        turn = self._new_turn(item)
        if turn is None or (turn.role or "user") in MACHINES:
            return None
        known = self.vocabulary.closed.get(_attribute_name(item))
        claim = self._claim(item, turn, known)
        since, until = self._date(item["since"], turn), self._date(item["until"], turn)
        valid_from = since[0] if since else turn.valid_from
        finding = Finding(
            claim=claim,
            kind=known.kind if known else Kind(item["kind"]),
            content=self._content(item, claim, known),
            evidence=(turn.id,),
            quote=item["quote"],
            valid_from=valid_from,
            valid_to=until[1] if until and until[1] > valid_from else None,
            confidence=min(max(float(item["confidence"]), _LEAST), _MOST),
            corrects=item["corrects"],
        )
        return finding if claim.attribute and supported(finding, self._order) else None

    def _claim(self, item: JsonObject, turn: Memory, known: Attribute | None) -> Claim:
        subject = _line(item["subject"].lower()).removeprefix("my ")
        return Claim(
            subject=self._first_person(turn) if subject in self.names | {USER, ""} else subject,
            attribute=_attribute_name(item),
            value=_line(item["value"]),
            negated=item["negated"],
            modality=Modality(item["modality"]),
            single=known.single if known else item["single"],
        )

    def _first_person(self, turn: Memory) -> str:
        """The person remembered; of several who speak, when nobody said who that is, the speaker."""
        speakers = {each.name for each in self._order if each.name and each.role not in MACHINES}
        return turn.name.lower() if turn.name and not self.names and len(speakers) > 1 else USER

    def _content(self, item: JsonObject, claim: Claim, known: Attribute | None) -> str:
        """Told as the rules tell it; else as the model does, unless it has names or numbers of its own."""
        said = _line(item["sentence"])
        if not known and said and backed(said, self._known | stems(claim.attribute)):
            return said
        planned = claim.modality is Modality.PLANNED
        tell = known.tell if known else ""
        return sentence(
            Told(
                claim.subject,
                claim.attribute,
                claim.value,
                tell=tell,
                negated=claim.negated,
                planned=planned,
            )
        )

    def _mention(self, item: JsonObject) -> Mention | None:
        turn, name = self._new_turn(item), _line(item["name"])
        if turn is None or len(name) < 2 or not quotes(turn.content, name):
            return None
        aliases = map(_line, item["aliases"])
        said = tuple(dict.fromkeys(alias for alias in aliases if alias != name and says(self._order, alias)))
        return Mention(name, item["kind"], turn.id, said)

    def _action(self, item: JsonObject) -> Action | None:
        turn = self.turns.get(item["turn"])
        speakers = {name.lower() for each in self._order for name in (speaker(each), each.role or "user")}
        if turn is None or item["owner"].lower() not in speakers or not backed(item["text"], self._known):
            return None
        due = self._date(item["due"], turn)
        return Action(_line(item["text"]), item["owner"], turn.id, due[1] if due else None, item["done"])

    def _new_turn(self, item: JsonObject) -> Memory | None:
        number: int = item["turn"]
        return self.turns[number] if number in self.new else None

    def _date(self, text: str, turn: Memory) -> tuple[datetime, datetime] | None:
        """The year, month or day [start, end), if the turn tells a time within or around it."""
        span = _span(text)
        if span is None:
            return None
        told = find_times(turn.content[:LONGEST_TURN], turn.valid_from)
        return span if any(one.start < span[1] and span[0] < one.end for one in told) else None


def _span(text: str) -> tuple[datetime, datetime] | None:
    found = _DATE.fullmatch(text.strip())
    if not found:
        return None
    year, month, day = (int(part) if part else None for part in found.groups())
    try:
        start = datetime(year or 1, month or 1, day or 1, tzinfo=UTC)
        if day:
            return start, start + timedelta(days=1)
        if month:
            return start, (start + timedelta(days=31)).replace(day=1)
        return start, start.replace(year=start.year + 1)
    except (ValueError, OverflowError):
        return None


def _line(text: str) -> str:
    return " ".join(text.split())[:LONGEST_LINE]


def _attribute_name(item: JsonObject) -> str:
    return _line(item["attribute"].lower())


def listed(vocabulary: Vocabulary) -> str:
    """The closed attributes, as a prompt lists them: with a star those of one value at a time."""
    return ", ".join(name + "*" * each.single for name, each in vocabulary.closed.items())
