"""Facts out of turns without a language model: rules as data, read clause by clause.

A turn of the role "user" is cleared of what its speaker did not say (junk) and cut into sentences and
clauses; each clause is brought to its subject, verb and meaning (grammar) and read by the rules of
attributes.toml, and by those for open statements and plans (claims); instructions are read by the sentence.
A bare answer is read beside the question before it, and a bare correction beside what was said last
(replies). English is read; of other languages nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence, Set as AbstractSet
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from recollect.core.consolidate.anywhere import anywhere, beside, is_none
from recollect.core.consolidate.attributes import Vocabulary
from recollect.core.consolidate.claims import claimed, labelled
from recollect.core.consolidate.extraction import Conversation, Extraction, Finding, Mention
from recollect.core.consolidate.grammar import led, plain, subjected, unreal
from recollect.core.consolidate.household import household
from recollect.core.consolidate.instructions import instructed
from recollect.core.consolidate.junk import folded, ours, spoken, unquoted
from recollect.core.consolidate.replies import corrected, correction, dropped, question_in, replied, swapped
from recollect.core.consolidate.sentences import Sentence, clauses, sentences
from recollect.core.consolidate.statements import embedded
from recollect.core.consolidate.telling import Told, bare, sentence
from recollect.core.consolidate.wants import wanted
from recollect.core.model import USER, Claim, Memory, Modality
from recollect.core.text.times import find_times

SOURCE = {"extractor": "rules", "version": "1"}
MOST = 40
"""At most so many facts come of one turn."""

RECALLED = 40
"""So many claims of a speaker can still be corrected."""

_SINCE = re.compile(r"(?:ever )?since\b", re.IGNORECASE)
_UNTIL = re.compile(r"(?:until|till?|up to)\b", re.IGNORECASE)
_POLAR = re.compile(
    r"(?:is|are|am|was|were|do|does|did|has|have|had|will|what|when|where|who"
    r"|(?:can|could|would|may|might|shall|should) (?:we|i|he|she|it|they))\b(?!.*\b(?:now that|given"
    r"|since|with)\b)",
    re.IGNORECASE,
)
_IDEALLY = re.compile(
    r"(?<=\w\w),?\s+(?:ideally|preferably|if (?:at all )?possible|if (?:i|we) can|if that is possible)\b.*$",
    re.IGNORECASE,
)
_PLEASANT = re.compile(
    r"\W*(?:(?:thanks|thank you)\b[^.!?]{0,30}|ok|okay|great|sure|hm+|well|ah|oh|good question|perfect"
    r"|lovely|hi|hello"
    r"|fine)\W*",
    re.IGNORECASE,
)
_OPEN = 1
"""The year in which what has no beginning begins."""
_BEFORE = re.compile(r"(?:before|prior to|earlier than)\b", re.IGNORECASE)
_INSTANT = timedelta(microseconds=1)


@dataclass(slots=True)
class _Heard:
    """What was heard in the conversation so far.

    `history`: the latest claims of each speaker, in order. `question`: the last one that was put to the
    speaker. `put`: the turn that did.
    """

    vocabulary: Vocabulary
    history: dict[str | None, tuple[Told, ...]] = field(default_factory=dict)
    question: str = ""
    put: Memory | None = None


@dataclass(frozen=True, slots=True)
class _Said:
    """A claim with the words that make it; `asked`: the question was needed to understand it."""

    told: Told
    quote: str
    asked: bool = False


def extract(conversation: Conversation) -> Extraction:
    """The facts that the new turns tell, and who and what they name.

    Pure and deterministic, in time linear in the text; each turn is read up to junk.LONGEST. A fact's time is
    that of its turn unless another is told. What is over and has no beginning that was told is true for the
    instant before its end.

    >>> from uuid import UUID
    >>> from datetime import UTC
    >>> from recollect.core.model import Kind, Trust
    >>> at = datetime(2026, 3, 1, tzinfo=UTC)
    >>> said = "We live in Oslo. My sister loves jazz!"
    >>> turn = Memory(UUID(int=1), Kind.MESSAGE, said, Trust.USER, at, at, role="user")
    >>> [finding.content for finding in extract(Conversation([turn])).findings]
    ['Lives in Oslo.', 'Sister: likes jazz.']
    """
    repeated = frozenset().union(
        *(ours(turn.content) for turn in conversation.turns if "<remembered>" in turn.content)
    )
    holders = _holders(conversation)
    heard = _Heard(conversation.vocabulary)
    findings: list[Finding] = []
    mentions: dict[tuple[str, str], Mention] = {}
    for place, turn in enumerate(conversation.turns):
        if turn.role != "user":
            heard.question, heard.put = question_in(turn.content), turn
            continue
        said = _read(turn, heard, repeated)
        before = heard.history.get(turn.name, ())
        heard.history[turn.name] = (*before, *(each.told for each in said))[-RECALLED:]
        if place >= conversation.new:
            holder = holders.get(turn.name, USER)
            findings += _findings(said, turn, heard.put, holder)
            for mention in _mentions(said, turn):
                mentions.setdefault((mention.name, mention.kind), mention)
        heard.question = question_in(turn.content) if len(set(holders.values())) > 1 else ""
        heard.put = turn
    return Extraction(tuple(findings), tuple(mentions.values()), SOURCE)


def _holders(conversation: Conversation) -> dict[str | None, str]:
    """For each name of a speaker, whose the first person is in their turns."""
    speakers = {turn.name for turn in conversation.turns if turn.role == "user"}
    if len(speakers - {None}) < 2:
        return dict.fromkeys(speakers, USER)
    own = {part for name in conversation.names for part in (name.casefold(), *name.casefold().split()[:1])}
    return {name: _holder(name, own) for name in speakers}


def _holder(name: str | None, own: AbstractSet[str]) -> str:
    """The speaker as a subject: the person remembered by any of their names, or another by theirs."""
    said = (name or "").casefold().split()
    return " ".join(said) if said and own.isdisjoint((" ".join(said), said[0])) else USER


def _read(turn: Memory, heard: _Heard, repeated: frozenset[str]) -> list[_Said]:
    """What a turn claims, in order, each claim once."""
    own = spoken(turn.content)
    if not own.strip():
        return []
    found: list[_Said] = []
    person = ""
    before = heard.history.get(turn.name, ())
    question = heard.question
    for each in sentences(unquoted(own)):
        raw = " ".join(own[each.begin : each.stop].split())
        if repeated and folded(raw) in repeated:
            continue
        history = [*before, *(one.told for one in found)]
        told, person = _sentence(each, raw, person, history, heard.vocabulary)
        found += [_Said(one, raw) for one in told]
        if question and not each.asks:
            found += [_Said(one, raw, asked=True) for one in _answer(question, each, told, heard.vocabulary)]
            question = question if _PLEASANT.fullmatch(each.text) else ""
    unique: dict[tuple[str, ...], _Said] = {}
    for one in found:
        key = (
            one.told.subject,
            one.told.attribute,
            bare(one.told.value).casefold(),
            str(one.told.negated),
            str(one.told.planned),
        )
        unique.setdefault(key, one)
    return list(unique.values())[:MOST]


def _answer(question: str, each: Sentence, told: Sequence[Told], vocabulary: Vocabulary) -> list[Told]:
    """What a sentence answers, as far as it does not say that by itself: all of it, or its first clause."""
    if not told:
        return replied(question, each.text, vocabulary)
    first = clauses(each)[0].text
    if len(first) == len(each.text) or any(one.clause == plain(first) for one in told):
        return []
    claims = {(one.subject, one.attribute) for one in told}
    return [one for one in replied(question, first, vocabulary) if (one.subject, one.attribute) not in claims]


def _sentence(
    each: Sentence, raw: str, person: str, history: Sequence[Told], vocabulary: Vocabulary
) -> tuple[list[Told], str]:
    """What a sentence claims, and whom "she" or "he" means after it."""
    if instruction := [] if each.asks else instructed(raw):
        return instruction, person
    text = plain(each.text)
    none = bool(vocabulary.anywhere) and is_none(text)
    rest, marked, sure = (text, False, False) if none else correction(text)
    read = replace(each, text=rest) if marked else each
    told: list[Told] = [] if unreal(read.text) else household(led(plain(read.text))[0])
    subject, imagined = "", False
    for clause in clauses(read):
        if clause.link.endswith("but") or clause.link == ";":
            imagined = False
        text = plain(clause.text)
        if clause.asks or imagined:
            told += _asked(text, vocabulary) if not imagined else []
            continue
        if clause.bare and subject:
            text = f"{subject} {text}"
        claims, person, subject = _clause(text, person, vocabulary)
        imagined = claims is None
        known = {
            (one.subject, one.attribute) for one in told if one.entity == "pet" or one.attribute == "pet"
        }
        claims = [one for one in claims or [] if (one.subject, one.attribute) not in known]
        told += [replace(one, clause=text) for one in claims]
    if not marked:
        return told or dropped(rest.strip(" .!"), history) or swapped(rest.strip(" .!"), history), person
    if not told and not each.asks:
        return corrected(rest.strip(" .!"), history, sure=sure), person
    return [_as_correction(one, history, sure=sure) for one in told], person


def _asked(text: str, vocabulary: Vocabulary) -> list[Told]:
    """What a question tells by the way: what is looked for, and what it takes for granted."""
    told = wanted(text, looking=False) or ([] if _POLAR.match(text) or unreal(text) else embedded(text))
    return [*told, *anywhere(text, vocabulary, asks=True)]


def _clause(text: str, person: str, vocabulary: Vocabulary) -> tuple[list[Told] | None, str, str]:
    """What a clause claims (None: it is imagined), whom it leaves as the person, and its subject's words."""
    none = "no " if is_none(text) else ""  # which is also a word that only leads up to something
    text, guess = led(_IDEALLY.sub("", text))
    if instruction := instructed(text):
        return instruction, person, ""
    if unreal(text):
        return None, person, ""
    text = subjected(text)
    details = wanted(text, looking=False)
    read = claimed(text, person, vocabulary, guess=guess)
    told = list(read.told) or labelled(text, vocabulary) or embedded(text)
    told = beside(told, anywhere(none + text, vocabulary, guess=guess), vocabulary)
    kept = [one for one in told if not (one.attribute in {"bedrooms", "bathrooms", "wants"} and details)]
    first = text.split()[0]
    subject = "I" if not read.person else f"my {read.person}" if first.lower() in {"my", "our"} else first
    return (
        [*kept, *details],
        read.person or person,
        subject if (read.told or text[:2] in {"I ", "we", "We"}) else "",
    )


def _as_correction(told: Told, history: Sequence[Told], *, sure: bool) -> Told:
    """The claim as one that corrects, if that is sure or another value was said before."""
    if told.attribute.startswith(("likes", "wants", "instruction", "plan")) and not sure:
        return told
    before = [one for one in history if (one.subject, one.attribute) == (told.subject, told.attribute)]
    if sure or (told.single and before and before[-1].value.casefold() != told.value.casefold()):
        return replace(told, corrects=True)
    return told


def _findings(said: Sequence[_Said], turn: Memory, put: Memory | None, holder: str) -> Iterator[Finding]:
    for one in said:
        told = one.told if one.told.subject != USER else replace(one.told, subject=holder)
        begin, end = _when(told, told.clause or one.quote, turn.valid_from)
        yield Finding(
            claim=Claim(
                told.subject,
                told.attribute,
                bare(told.value),
                negated=told.negated,
                modality=Modality.PLANNED if told.planned else Modality.ASSERTED,
                single=told.single,
            ),
            kind=told.kind,
            content=sentence(told),
            evidence=(turn.id, put.id) if one.asked and put else (turn.id,),
            quote=one.quote,
            valid_from=begin,
            valid_to=end,
            confidence=told.confidence,
            corrects=told.corrects,
        )


def _when(told: Told, said: str, at: datetime) -> tuple[datetime, datetime | None]:
    """From when to when it is so, as far as its clause says."""
    begin: datetime | None = None
    end: datetime | None = None
    for span in find_times(said, at):
        if span.phrase in told.value or told.value in span.phrase:
            continue
        if _SINCE.match(span.phrase):
            begin = span.start
        elif (_UNTIL.match(span.phrase) and not told.planned) or (told.over and _BEFORE.match(span.phrase)):
            end = span.end
        elif (told.over or told.change) and span.start.year > _OPEN and span.start < at:
            begin, end = span.start, (span.end if told.over else end)
    if told.over:
        end = min(end, at) if end else at
    begin = begin if begin and begin <= at else at
    if end is not None and end <= begin:
        begin = end - _INSTANT
    return begin, end


def _mentions(said: Sequence[_Said], turn: Memory) -> Iterator[Mention]:
    """The people, pets, places and organisations that a turn's facts name."""
    for told in (one.told for one in said):
        if told.entity and told.value[:1].isupper():
            kin = told.entity in {"person", "pet"} and told.attribute not in {"name", "nickname"}
            yield Mention(told.value, told.entity, turn.id, (f"my {told.attribute}",) if kin else ())
