"""Which facts tell what is asked: by whom they are about, what of them, and their own words.

The words for attributes are data: questions.toml, and the nouns of what people and animals are to somebody.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from importlib.resources import files

from recollect.core.consolidate.words import KIN, PEOPLE, PETS
from recollect.core.model import USER, Claim, Memory, Modality, Standing
from recollect.core.text.stems import stems

_NAME = "name"
_ROLES = frozenset(f"{KIN}|{PEOPLE}|{PETS}".replace("[ée]", "e").replace("?", "").split("|"))

Names = Mapping[str, frozenset[str]]
"""For each role ("dog") the stems of the names of whoever has it."""


@dataclass(frozen=True, slots=True)
class Told:
    """What facts tell of something: what is so, what was, what is planned, and what is not so."""

    current: Sequence[Memory]
    earlier: Sequence[Memory]
    planned: Sequence[Memory]
    denied: Sequence[Memory]


@cache
def _words() -> tuple[frozenset[str], Mapping[str, frozenset[str]]]:
    """The words that say nothing of what is asked, and the attributes that a word stands for."""
    read = tomllib.loads((files("recollect.core") / "questions.toml").read_text("utf-8"))
    meant: dict[str, frozenset[str]] = {}
    for name, said in (*read["attributes"].items(), ("pet", PETS.replace("|", " "))):
        for token in (token for word in said.split() for token in stems(word) or (word,)):
            meant[token] = meant.get(token, frozenset()) | {name}
    for token in stems("pet"):
        meant[token] |= frozenset(PETS.split("|"))
    return stems(read["idle"]), meant


def content_words(asked: str) -> frozenset[str]:
    """The stems of what is asked that say what it is about.

    >>> sorted(content_words("How many bedrooms do I want?"))
    ['bedroom']
    """
    idle, meant = _words()
    words = stems(asked)
    return words - idle or words or frozenset(asked.lower().split()) & meant.keys()


def stands_for_another(asked: str) -> bool:
    """Whether what is asked is a word for an attribute ("live"): a turn that has it tells nothing."""
    return any(token in _words()[1] and token not in _words()[1][token] for token in stems(asked))


def named(facts: Iterable[Memory]) -> Names:
    """Who has which role, as facts tell ("Dog: Gus.")."""
    found: dict[str, frozenset[str]] = {}
    for fact in facts:
        claim = fact.claim
        if claim and not claim.negated and _was_so(fact):
            role = claim.attribute if claim.subject == USER else claim.subject
            if role in _ROLES and (claim.subject == USER or claim.attribute == _NAME):
                found[role] = found.get(role, frozenset()) | stems(claim.value)
    return found


def tells(fact: Memory, asked: str, names: Names | None = None) -> int:
    """How well a fact tells what is asked ("job", "sister's name", "how old is Ivy"); 0: it does not.

    All the words must be its own, and one of them its attribute or whom it is about; what is so of somebody
    else tells it only if they are named, by their role or by one of `names`. Who somebody is to the person
    tells a name if it is asked whose.
    """
    claim, words = fact.claim, content_words(asked)
    if claim is None or not words:
        return 0
    whose = _whose(claim, names or {})
    about, rest = words & whose, words - whose
    meant = frozenset(token for token in rest if _means(token, claim))
    if (meant or about) and claim.subject == USER and claim.attribute in _ROLES:
        meant |= frozenset(token for token in rest if _NAME in _words()[1].get(token, ()))
    if not rest <= meant | stems(fact.content) or (claim.subject != USER and not about):
        return 0
    return 0 if not about and not meant else 2 * len(about | meant) + len(rest - meant)


def _whose(claim: Claim, names: Names) -> frozenset[str]:
    """The words for whom a fact is about: of the person, the name of whoever it says they have."""
    if claim.subject == USER:
        return stems(claim.value) if claim.attribute in _ROLES else frozenset()
    return stems(claim.subject) | names.get(claim.subject, frozenset())


def _means(token: str, claim: Claim) -> bool:
    """Whether a word asks for the claim's attribute: by its name, or a word for it."""
    return token in stems(claim.attribute) or claim.attribute in _words()[1].get(token, frozenset())


def look_up(facts: Sequence[Memory], asked: str, now: datetime) -> Told:
    """What the facts that match best tell of what is asked; the newest first, without what was taken back."""
    names = named(facts)
    scored = [(tells(fact, asked, names), fact) for fact in facts if _was_so(fact)]
    best = max((score for score, _ in scored), default=0)
    found = [fact for score, fact in scored if score and score == best]
    found.sort(key=lambda fact: fact.valid_from, reverse=True)
    asserted = [fact for fact in found if _asserted(fact)]
    return Told(
        current=[fact for fact in asserted if not _ended(fact, now)],
        earlier=[fact for fact in asserted if _ended(fact, now)],
        planned=[fact for fact in found if _planned(fact) and not _ended(fact, now)],
        denied=[fact for fact in found if fact.claim and fact.claim.negated and not _ended(fact, now)],
    )


def _was_so(fact: Memory) -> bool:
    """Whether it holds or held: it was not taken back."""
    kept = fact.superseded_at is None or fact.valid_to is not None
    return kept and fact.standing is not Standing.REJECTED


def _ended(fact: Memory, now: datetime) -> bool:
    return fact.valid_to is not None and fact.valid_to <= now


def _asserted(fact: Memory) -> bool:
    return fact.claim is not None and not fact.claim.negated and not _planned(fact)


def _planned(fact: Memory) -> bool:
    return fact.claim is not None and fact.claim.modality is Modality.PLANNED and not fact.claim.negated
