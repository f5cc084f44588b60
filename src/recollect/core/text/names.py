"""The names of a conversation's participants, in its text: to be taken out, or to be found.

Everybody in a conversation is named all the time, so a name says nothing about what a turn means.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import takewhile

from recollect.core.text.languages import STOP_WORDS

MOST_NAMES = 50
"""So many participants are told apart: the pattern for names takes half a millisecond each to make."""

# Names that are also words: a participant's name only where they are capitalised.
ORDINARY_WORDS = frozenset(
    str.split(
        """
    agent alba amber angel april art assistant august autumn bill black bob bot brook brooks brown buck
    butler caller carol chance chase chip christian clay cliff cook crystal customer daisy dale dawn dean
    dick don drew earl eve faith field fields ford frank gene ginger glen grace grant gray green guest guy
    harmony hazel heather herb holly hope host human hunter iris ivy jack jade jasmine jean jerry jewel
    joy june king knight lance lane lily major mark mason max may melody mercy merry miles mo nick norm
    olive page park penny pearl pierce price ray reed rich rob robin rocky rose ruby rusty sage sandy sky
    sonny stone story sue summer system tiffany trinity user victor violet wade wally ward white will
    winter wood woods woody young
    """
    )
)

# Parts of names that name nobody.
_PARTICLES = frozenset(
    str.split(
        "al ben bin da das de del della den der di dos dr du el ibn jr la le los miss mr mrs ms san sr st "
        "ten the van von"
    )
)

_ACCENTED = (range(0xC0, 0x250), range(0x370, 0x500), range(0x1E00, 0x2000))
_PLAIN = {
    code: base[0]
    for code in (code for block in _ACCENTED for code in block)
    if len(base := unicodedata.normalize("NFD", chr(code))) > 1 and base[0].isalpha()
} | {0x2019: "'"}

_UNSPACED = "\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7ff"
_PART = re.compile(r"[^\W\d_]+(?:['-][^\W\d_]+)*")
# Without regard to case, a set of so many characters takes ten milliseconds to compile.
_BESIDE = rf"(?-i:[{_UNSPACED}])"
_BOUNDED = rf"(?:(?<!\w)|(?<={_BESIDE}))(?P<name>{{}})(?:'s|(?<=s)')?(?:(?!\w)|(?={_BESIDE})|(?<={_BESIDE}))"
_LINKS = frozenset({" and ", " & ", ", ", ", and ", " or ", "/"})
_SPACES = re.compile(r"[ \t]*")
_AFTER_OPENING = re.compile(r"[ \t]*[,;:!?.…]*[ \t]*")
_CLOSING = ",;:!?.…)\n"
_BRACKETS = {"(": ")", "[": "]", "“": "”", "«": "»"}
_WORD = re.compile(r"\w")

_SHORTEST_MISSPELT = 4
_LONG_WORD = re.compile(rf"[^\W\d_]{{{_SHORTEST_MISSPELT},}}")
_SOUNDS = (
    (re.compile("ph|v"), "f"),
    (re.compile("c(?=[eiy])"), "s"),
    (re.compile("c[kh]?|q"), "k"),
    (re.compile("(?<=.)h"), ""),
    (re.compile("(?<=.{4})(?:ie|ey|ee)$|y"), "i"),
    (re.compile("z"), "s"),
    (re.compile(r"(.)\1"), r"\1"),
)
_VOWELS = frozenset("aeiouy")


@dataclass(frozen=True, slots=True)
class _Finder:
    pattern: re.Pattern[str]
    owners: dict[str, frozenset[str]]


def strip_names(text: str, names: Collection[str]) -> str:
    """The text without its participants' names: full names, parts of them, short forms, possessives.

    Names are found as whole words, however they are capitalised or accented; one that is also a word
    ("Will") only when capitalised; a short form (the beginning of one participant's first name, "Mel") only
    when capitalised in the middle of a sentence or called out. A text with no more to say, or without names,
    comes back as it was.

    >>> strip_names("Wow, Caroline! What did Mel's kids paint?", ["Caroline", "Melanie Jones"])
    'Wow! What did kids paint?'
    """
    composed = unicodedata.normalize("NFC", text)
    kept: list[str] = []
    at = 0
    for start, end in _spans(composed, frozenset(names)):
        kept.append(composed[at:start])
        at = _mend(kept, composed, end)
    stripped = "".join([*kept, composed[at:]]).strip()
    return stripped if at and _WORD.search(stripped) else text


def mentioned(text: str, names: Collection[str]) -> tuple[str, ...]:
    """Which of the names the text says, in the order they were given.

    By the same rules as strip_names, and those of respell.

    >>> mentioned("Did Mel see Carolyne?", ["Caroline", "Melanie Jones"])
    ('Caroline', 'Melanie Jones')
    """
    finder = _finder(frozenset(names))
    found: set[str] = set()
    for match in finder.pattern.finditer(_plain(respell(text, names))):
        found |= finder.owners.get(_key(match["name"]), frozenset())
    return tuple(name for name in dict.fromkeys(names) if name in found)


def respell(text: str, names: Collection[str]) -> str:
    """The text with its participants' names spelt as they are known: for questions, which people mistype.

    A word of four letters or more is taken for part of a name if it sounds the same ("Melany"), or is one
    slip away from it ("Caorline") and begins and ends alike, as "Christian" and "Christina" do not; but no
    ordinary word is, nor one that could be two names, nor one that begins with a small letter, unless it
    sounds the same and is long.

    >>> respell("What did Melany tell Caorline?", ["Caroline", "Melanie Jones"])
    'What did Melanie tell Caroline?'
    """
    known = _spellings(frozenset(names))
    text = unicodedata.normalize("NFC", text)
    return _LONG_WORD.sub(lambda match: _respelt(match[0], known), text) if known else text


@lru_cache(maxsize=1024)
def _spellings(names: frozenset[str]) -> dict[str, str]:
    """The parts of names that may be misspelt: plain and small, to how they are written."""
    parts = (part for name in names for part in _LONG_WORD.findall(unicodedata.normalize("NFC", name)))
    known = {_plain(part).casefold(): part for part in parts}
    return {plain: part for plain, part in sorted(known.items()) if plain not in ORDINARY_WORDS}


def _respelt(word: str, known: dict[str, str]) -> str:
    plain = _plain(word).casefold()
    if plain in known or plain in ORDINARY_WORDS or plain in STOP_WORDS:
        return word
    near = [
        written
        for part, written in known.items()
        if abs(len(part) - len(plain)) <= 2 and _is_misspelt(plain, part, capital=word[0].isupper())
    ]
    return near[0] if len(near) == 1 else word


def _is_misspelt(word: str, name: str, *, capital: bool) -> bool:
    if _sound(word) == _sound(name):
        return capital or len(word) > 5
    return capital and min(len(word), len(name)) > 5 and _is_slip(word, name)


@lru_cache(maxsize=8192)
def _sound(word: str) -> str:
    for pattern, sound in _SOUNDS:
        word = pattern.sub(sound, word)
    return word


def _is_slip(word: str, name: str) -> bool:
    """Whether one letter too many, too few or exchanged makes the word of the name, between equal ends."""
    begin = _alike(word, name)
    end = _alike(word[begin:][::-1], name[begin:][::-1])
    typed, meant = word[begin : len(word) - end], name[begin : len(name) - end]
    if not begin or not end:
        return False
    if len(typed) == len(meant) == 2:
        return typed == meant[::-1]
    if end < 2:
        return False
    return len(typed + meant) == 1 or (len(typed) == len(meant) == 1 and {typed, meant} <= _VOWELS)


def _alike(first: str, second: str) -> int:
    """How many letters they begin with in common."""
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(first, second, strict=False)))


def _plain(text: str) -> str:
    """The text without accents, as long as it was."""
    return text if text.isascii() else text.translate(_PLAIN)


def _spans(text: str, names: frozenset[str]) -> Iterator[tuple[int, int]]:
    """Where names stand; names that are only linked ("Ann, Bea and Cleo") as one span."""
    begin = end = -1
    for match in _finder(names).pattern.finditer(_plain(text)):
        if end >= 0 and text[end : match.start()] in _LINKS:
            end = match.end()
            continue
        if end >= 0:
            yield begin, end
        begin, end = match.span()
    if end >= 0:
        yield begin, end


def _mend(kept: list[str], text: str, end: int) -> int:
    """Close the gap that a name leaves before text[end]; returns where the text goes on."""
    while True:
        while len(kept) > 1 and not kept[-1]:
            kept.pop()
        before = kept[-1].rstrip(" \t")
        if not before or before[-1] in ".!?\n":
            return _end_of(_AFTER_OPENING, text, end)
        after = _end_of(_SPACES, text, end)
        if text[after : after + 1] != _BRACKETS.get(before[-1]):
            break
        kept[-1], end = before[:-1], after + 1  # brackets around nothing go too
    if after == len(text) or text[after] in _CLOSING:
        kept[-1] = before.removesuffix(",").rstrip(" \t")
        return after
    return end if kept[-1] == before and before[-1] not in _BRACKETS else after


def _end_of(pattern: re.Pattern[str], text: str, start: int) -> int:
    match = pattern.match(text, start)
    return match.end() if match else start


@lru_cache(maxsize=1024)
def _finder(names: frozenset[str]) -> _Finder:
    forms: dict[str, set[str]] = {}
    short: dict[str, set[str]] = {}
    for name in names:
        plain = _plain(unicodedata.normalize("NFC", name)).strip()
        parts = [part for part in _PART.findall(plain) if len(part) > 1 and part.casefold() not in _PARTICLES]
        for form in {plain, *parts} if _WORD.search(plain) else ():
            forms.setdefault(form, set()).add(name)
        for nickname in _nicknames(parts):
            short.setdefault(nickname, set()).add(name)
    unique = {form: owner for form, owner in short.items() if len(owner) == 1}
    owners: dict[str, frozenset[str]] = {}
    for form, named in (*forms.items(), *unique.items()):
        key = _key(form)
        owners[key] = owners.get(key, frozenset()) | named
    written = [*map(_written, _longest_first(forms)), *map(_written_short, _longest_first(unique))]
    return _Finder(re.compile(_BOUNDED.format("|".join(written) or "(?!)"), re.IGNORECASE), owners)


def _longest_first(forms: Collection[str]) -> list[str]:
    return sorted(forms, key=lambda form: (-len(form), form))


def _key(form: str) -> str:
    return " ".join(form.casefold().split())


def _nicknames(parts: list[str]) -> Iterator[str]:
    """Short forms of a first name: its beginnings of three letters or more, but no ordinary word."""
    for length in range(3, len(parts[0]) if parts else 0):
        nickname = parts[0][:length]
        if (
            nickname.isascii()
            and nickname.isalpha()
            and nickname.casefold() not in ORDINARY_WORDS | STOP_WORDS
        ):
            yield nickname.capitalize()


def _written(form: str) -> str:
    """A pattern for one form of a name."""
    if form.casefold() not in ORDINARY_WORDS:
        return r"\s+".join(map(re.escape, form.split()))
    return f"(?-i:{re.escape(form.capitalize())}|{re.escape(form.upper())})"


def _written_short(form: str) -> str:
    """A pattern for a short form: within a sentence, or called out."""
    return rf"(?-i:(?<=[\w,;:] ){form}|{form}(?=['!?,]))"
