"""The words of a short text, so that they are found in any other."""

from __future__ import annotations

import re

from recollect.core.text.languages import STOP_WORDS
from recollect.core.text.tokens import tokenize

_WORD = re.compile(r"[^\W_]+(?:['’.-][^\W_]+)*")
_DENSE = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff]")


def stems(text: str) -> frozenset[str]:
    """The words of a text but its stop words, each as the token that it gives in a text of any language.

    `tokenize` may give more for a short text, whose language cannot be told. What is written without spaces
    gives all its tokens.

    >>> sorted(stems("The leather sofas in Oslo"))
    ['leather', 'oslo', 'sofa']
    """
    found: set[str] = set()
    for word in _WORD.findall(text):
        tokens = tokenize(word)
        if _DENSE.search(word):
            found.update(tokens)
        elif word.lower().replace("’", "'") not in STOP_WORDS:
            found.update(tokens[:1])
    return frozenset(found)
