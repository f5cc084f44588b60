"""English words that the rules know, from english.toml: short forms, verbs and all their forms."""

from __future__ import annotations

import re
import tomllib
from importlib.resources import files
from typing import Any

from recollect.core.consolidate.words import VERBS

_READ: dict[str, Any] = tomllib.loads(
    files("recollect.core.consolidate").joinpath("english.toml").read_text("utf-8")
)
CONTRACTED: dict[str, str] = _READ["contracted"]
LEADS, UNREAL, NO_NAMES = ("|".join(_READ[key]) for key in ("leads", "unreal", "no_names"))
HEDGES = frozenset({"probably", "maybe", "perhaps", "possibly"})
NEGATIONS = frozenset({"not", "never", "hardly", "rarely"})
ADVERBS = frozenset(_READ["adverbs"]) | HEDGES
_PASSED = ADVERBS | NEGATIONS

_HISSING = re.compile(r"(?:s|sh|ch|x|z)\Z")
_CONSONANT_Y = re.compile(r"[^aeiou]y\Z")
_DOUBLING = re.compile(r"(?:\A[^aeiou]*|.(?:mit|fer))[aeiou]?[^aeiouwxy]\Z")
_ALIKE = frozenset({"am", "is", "are", "being", "been"})


def _inflected(verb: str) -> list[str]:
    """The third person, the past and the form in -ing of a regular verb."""
    if _CONSONANT_Y.search(verb):
        return [f"{verb[:-1]}ies", f"{verb[:-1]}ied", f"{verb}ing"]
    third = f"{verb}es" if _HISSING.search(verb) else f"{verb}s"
    if verb.endswith("e"):
        return [third, f"{verb}d", f"{verb[:-1]}ing"]
    doubled = f"{verb}{verb[-1]}" if _DOUBLING.match(verb) else verb
    return [third, f"{verb}ed", f"{verb}ing", f"{doubled}ed", f"{doubled}ing"]


def _forms() -> dict[str, str]:
    irregular = {verb: others.split() for verb, others in _READ["irregular"].items()}
    regular = sorted((VERBS | frozenset(_READ["regular"])) - irregular.keys())
    forms = {verb: _inflected(verb) for verb in regular} | irregular
    return {form: verb for verb, others in forms.items() for form in (verb, *others)}


FORMS = _forms()
"""Every form of a verb that the rules know, to its base form."""

PAST = frozenset(
    form
    for verb, others in _READ["irregular"].items()
    for form in others.split()
    if form not in _ALIKE | {verb} and not form.endswith(("s", "ing"))
) | {"was", "were"}
"""Forms of irregular verbs that are only past."""


def is_verb(text: str) -> bool:
    """Whether a text begins with a verb."""
    return text.partition(" ")[0].lower().strip(",.") in FORMS


def is_participle(text: str) -> bool:
    """Whether a text begins with what may follow "have": "read", "moved"."""
    word = text.partition(" ")[0].lower().strip(",")
    return word in FORMS and (
        word in PAST or word.endswith("ed") or word in {"come", "become", "run", "read"}
    )


def skipped(text: str) -> str:
    """The text behind its first adverbs and negations.

    >>> skipped("really no longer working there")
    'working there'
    """
    while True:
        word, _, after = text.partition(" ")
        if after and word.lower() in _PASSED:
            text = after
        elif text[:10].lower() == "no longer ":
            text = text[10:]
        else:
            return text


def denied(text: str) -> bool:
    """Whether there is a negation among a text's first adverbs."""
    words = text[: len(text) - len(skipped(text))].lower().split()
    return not NEGATIONS.isdisjoint(words) or "longer" in words
