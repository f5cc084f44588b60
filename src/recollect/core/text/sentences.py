"""Where sentences end, in prose as people type it."""

from __future__ import annotations

import re
from collections.abc import Iterator

LONGEST = 600
"""No sentence has more characters: what is longer is cut at a space."""

# Blanks are taken as a whole, with the stop before them: nothing here looks at a character twice.
_END = re.compile(r"(?P<stop>[.!?…][\"'”’)\]]*)?\s+|(?P<dense>[。！？][」』”]*)")
_BLANKS = re.compile(r"\s*")
_ABBREVIATION = re.compile(r"(?:\b(?:Mr|Mrs|Ms|Dr|St|vs|etc|No|e\.g|i\.e|approx)|\b[A-Z]|^\d{1,3})\.$")
_REACH = 12
"""So many characters are more than an abbreviation has, with what stands before it."""

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
        if "\n" in end[0] or end["dense"] or (end["stop"] and not _abbreviates(text, begin, end.start() + 1)):
            yield from _cut(text[begin : end.end()].strip())
            begin = end.end()
    yield from _cut(text[begin:].strip())


def _abbreviates(text: str, begin: int, end: int) -> bool:
    """Whether the stop before `end` is an abbreviation's, in the sentence from `begin` on."""
    return _ABBREVIATION.search(text[max(begin, end - _REACH) : end]) is not None


def _cut(sentence: str) -> Iterator[str]:
    begin = 0
    while len(sentence) - begin > LONGEST:
        at = sentence.rfind(" ", begin + LONGEST // 2, begin + LONGEST)
        at = at if at > 0 else begin + LONGEST
        yield sentence[begin:at]
        blanks = _BLANKS.match(sentence, at)
        begin = blanks.end() if blanks else at
    yield sentence[begin:]
