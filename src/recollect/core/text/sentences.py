"""Where sentences end, in prose as people type it."""

from __future__ import annotations

import re
from collections.abc import Iterator

LONGEST = 600
"""No sentence has more characters: what is longer is cut at a space."""

_END = re.compile(r"(?<=[.!?…])[\"'”’)\]]*\s+(?=\S)|(?<=[。！？])[」』”]*|\s*\n+\s*")
_ABBREVIATION = re.compile(r"(?:\b(?:Mr|Mrs|Ms|Dr|St|vs|etc|No|e\.g|i\.e|approx)|\b[A-Z]|^\d{1,3})\.$")
_BULLET = re.compile(r"^(?:[-*•#>]+|\d+[.)])\s+")


def sentences(text: str) -> list[str]:
    r"""The sentences of a text, in order, without the marks of lists.

    >>> sentences("Dr. Haas called.  He's in!\n- call back\n我喜欢灰色。真的吗？")
    ['Dr. Haas called.', "He's in!", 'call back', '我喜欢灰色。', '真的吗？']
    """
    return [part for sentence in _whole(text) if (part := _BULLET.sub("", sentence).strip())]


def _whole(text: str) -> Iterator[str]:
    begin = 0
    for end in _END.finditer(text):
        if _ABBREVIATION.search(text[begin : end.start()]) and "\n" not in end[0]:
            continue
        yield from _cut(text[begin : end.end()].strip())
        begin = end.end()
    yield from _cut(text[begin:].strip())


def _cut(sentence: str) -> Iterator[str]:
    while len(sentence) > LONGEST:
        at = sentence.rfind(" ", LONGEST // 2, LONGEST)
        at = at if at > 0 else LONGEST
        yield sentence[:at]
        sentence = sentence[at:].lstrip()
    yield sentence
