"""Where something has been told anew since, the newer stands above the older; and facts beside their turns.

Turns tell many things, and words say more than what has changed: so a row is lifted only where it is about as
near to the question as what it renews. A fact is one more way to come upon what a turn says: it stands where
it is the better one, and where its turn is better, it would only take another's place.
"""

from __future__ import annotations

import re

import numpy as np

from recollect.core.recall.candidates import Candidates, Codes, Floats

NEAR = 0.35
"""A row that tells anew may be so much farther from the question, in cosine, than the one that it renews."""

STEP = 1e-6
"""How far above it then stands."""

_PAST = re.compile(
    r"\b(?:originally|original|initially|initial|at first|at the (?:time|start|beginning)|used? to|previously"
    r"|previous|formerly|former|earlier|before|back then|in the past|no longer|any ?more)\b"
    r"|\bwas (?:my|our|the|\w+'s) (?:very )?(?:first|old)\b|\bhow (?:has|have) .*\bchanged\b",
    re.IGNORECASE,
)


def asks_what_was(text: str) -> bool:
    """Whether a question asks for what was, or how it changed, and not for what is.

    >>> asks_what_was("Where did we live before?"), asks_what_was("Where do we live?")
    (True, False)
    """
    return bool(_PAST.search(text))


def lift(candidates: Candidates, scores: Floats) -> Floats:
    """What is added to each row's score, (n,), so that what tells anew stands above what it renews.

    The turn does, and so do its facts: they are often nearer. Chains of renewals are gone through from the
    oldest on. A row without a vector lifts nothing.
    """
    pairs = _renewals(candidates)
    older, newer = pairs.T
    pairs = pairs[candidates.dense[newer] >= candidates.dense[older] - NEAR]
    lifted: dict[int, float] = {}
    for (old, new), (below, above) in zip(pairs.tolist(), scores[pairs].tolist(), strict=True):
        least = lifted.get(old, below) + STEP
        if lifted.get(new, above) < least:
            lifted[new] = least
    added = np.zeros(len(scores))
    added[list(lifted)] = list(lifted.values()) - scores[list(lifted)]
    return added


def _renewals(candidates: Candidates) -> Codes:
    """(m, 2): a row, and what tells it anew: a turn, and the facts that it tells; the oldest turns first."""
    older, newer = candidates.renewals[np.argsort(candidates.at[candidates.renewals[:, 1]], kind="stable")].T
    facts, turns = candidates.sayings.T
    places, told = np.nonzero(newer[:, None] == turns)
    pairs = np.column_stack([np.concatenate([older, older[places]]), np.concatenate([newer, facts[told]])])
    return pairs[np.argsort(np.concatenate([np.arange(len(older)), places]), kind="stable")]


def sink(candidates: Candidates, scores: Floats) -> Floats:
    """What is added to each row's score, (n,), so that what a turn above says already comes after all others.

    A summary always does. Those that sink keep their order.
    """
    facts, turns = candidates.sayings[:, 0], candidates.sayings[:, 1]
    below = np.unique(facts[(scores[turns] > scores[facts]) | (turns == facts)])
    added = np.zeros(len(scores))
    if len(below):
        added[below] = scores.min() - scores[below].max() - STEP
    return added
