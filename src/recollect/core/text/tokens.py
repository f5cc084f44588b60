"""Words as the word search sees them: one function for what is stored and for what is asked.

A text is folded (NFKC, lower case, no accents), cut into chunks, and each chunk gives its tokens by the
kind of its script:

    spaced     words between spaces; English ones are stemmed and its stop words left out
    syllabic   Hangul: the word, and its bigrams of syllables, for its endings are glued on
    ideographic  Han, Hiragana, Katakana: characters and their bigrams
    clustered  Thai, Lao, Khmer, Myanmar: bigrams of grapheme clusters

A compound (e-mail address, URL, phone number, product code, decimal, date, hyphenated word) gives itself as
a whole and then its parts.
"""

from __future__ import annotations

import re
import threading
import unicodedata
from collections.abc import Callable, Iterator
from functools import lru_cache
from itertools import chain, islice, pairwise

import Stemmer

MAX_TOKENS = 16_383
"""At most so many tokens come of one text: PostgreSQL's tsvector has no position beyond."""

MAX_LENGTH = 64
"""No token has more characters; what is longer is cut, in a text and in a query alike."""

STOP_WORDS = frozenset(
    str.split(
        """
    a about above after again against all am an and any are aren't as at be because been before being below
    between both but by can can't cannot could couldn't did didn't do does doesn't doing don't down during
    each few for from further had hadn't has hasn't have haven't having he her here hers herself him himself
    his how i if in into is isn't it its itself just let me more most mustn't my myself no nor not now of off
    on once only or other ought our ours ourselves out over own same shan't she should shouldn't so some such
    than that the their theirs them themselves then there these they this those through to too under until up
    very was wasn't we were weren't what when where which while who whom why will with won't would wouldn't
    you your yours yourself yourselves
    """
    )
)

_IDEOGRAPHIC = (
    "\u3005-\u3007\u3041-\u3096\u309d-\u309f\u30a1-\u30fa\u30fc-\u30ff\u31f0-\u31ff\u3400-\u4dbf"
    "\u4e00-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
)
_SYLLABIC = "\u1100-\u11ff\u3131-\u318e\ua960-\ua97f\uac00-\ud7ff"
_CLUSTERED = (
    "\u0e01-\u0e2e\u0e30-\u0e4e\u0e81-\u0eae\u0eb0-\u0ece\u0edc-\u0edf\u1000-\u103f"
    "\u1050-\u109f\u1780-\u17d3\ua9e0-\ua9ef\ua9fa-\ua9fe\uaa60-\uaa7f"
)
_LEADING_VOWEL = "\u0e40-\u0e44\u0ec0-\u0ec4"
_STACKER = "\u17d2\u1039"

# Marks that only vary a letter, in scripts where people leave them out: Latin, Greek, Cyrillic, Hebrew,
# Arabic; with them the tatweel, the soft hyphen, and the invisible controls of direction and joining.
_DROPPED = re.compile(
    "[\0\u00ad\u0300-\u036f\u0483-\u0487\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7\u0610-\u061a\u0640"
    "\u064b-\u065f\u0670\u06d6-\u06dc\u06df-\u06e4\u06e7\u06e8\u06ea-\u06ed\u1ab0-\u1aff\u1dc0-\u1dff"
    "\u200c-\u200f\u202a-\u202e\u2060-\u2064\u2066-\u2069\u20d0-\u20ff\ufe00-\ufe2f\ufeff]+"
)
_MARKED_SCRIPTS = (range(0x0300, 0x1C00), range(0xA800, 0xAC00), range(0x11000, 0x12000))
_MARKS = "".join(
    re.escape(char)
    for char in map(chr, chain(*_MARKED_SCRIPTS))
    if unicodedata.category(char) in {"Mn", "Mc"}
)
_FOLDED = str.maketrans(
    {"ł": "l", "ø": "o", "đ": "d", "ı": "i", "æ": "ae", "œ": "oe", "’": "'", "ʼ": "'"}
) | {
    code: str(unicodedata.decimal(chr(code)))
    for code in chain(*_MARKED_SCRIPTS)
    if unicodedata.category(chr(code)) == "Nd"
}

_URL = r"[a-z][a-z0-9+]{1,9}://[!-~]+"
_PHONE = r"\+\d[\d(). -]{5,18}\d|\(?\b\d{3}\)?[ .-]{1,2}\d{3}[ .-]\d{4}\b"
_JOINT = r"[-.@/:+_'&](?=[^\W_])|(?<=\d),(?=\d{3}(?!\d))"


def _chunks(word: str) -> str:
    return rf"{_URL}|{_PHONE}|{word}(?:(?:{_JOINT}){word})*"


_SPACED = rf"[^\W_{_IDEOGRAPHIC}{_SYLLABIC}{_CLUSTERED}]"
_ASCII_CHUNK = re.compile(_chunks("[a-z0-9]+"))
_CHUNK = re.compile(
    rf"(?P<ideographic>[{_IDEOGRAPHIC}]+)|(?P<syllabic>[{_SYLLABIC}]+)|(?P<clustered>[{_CLUSTERED}]+)"
    rf"|{_chunks(f'{_SPACED}+(?:[{_MARKS}]+{_SPACED}*)*')}"
)
_CLUSTER = re.compile(rf"[{_LEADING_VOWEL}]?.(?:[{_STACKER}].|[{_MARKS}])*")
_PART = re.compile(r"[^\W_]+(?:[^\w\s!-~]+[^\W_]*)*")
_MIXED = re.compile(r"[^\W\d_]{2,}|\d{2,}")
_ENGLISH_TAIL = re.compile(r"(?<=.)'(?:s|m|re|ve|ll|d)?$")

_stemmer = Stemmer.Stemmer("english")
_stemmer_lock = threading.Lock()


def fold(text: str) -> str:
    """The text with everything gone by which the same word is written in two ways.

    >>> fold("Café ＮＯ. ٣ — Ёлка")
    'cafe no. 3 — елка'
    """
    if text.isascii():
        return text.lower()
    plain = unicodedata.normalize("NFD", unicodedata.normalize("NFKC", text).casefold())
    return unicodedata.normalize("NFC", _DROPPED.sub("", plain).translate(_FOLDED))


def tokenize(text: str) -> list[str]:
    """The tokens of a text in any language, in order: at most MAX_TOKENS, each of 1 to MAX_LENGTH characters.

    Any str will do, and takes time linear in its length. English stop words are left out, unless the text
    has nothing else.

    >>> tokenize("Don't you like Caroline's e-mail?")
    ['like', 'carolin', 'email', 'e', 'mail']
    >>> tokenize("SKU-4417/B costs 1,299.50")
    ['sku4417b', 'sku', '4417', 'b', 'cost', '1299.50', '1299', '50']
    >>> tokenize("我的上司")
    ['我', '我的', '的', '的上', '上', '上司', '司']
    >>> tokenize("Who are you?")
    ['who', 'are', 'you']
    """
    folded = fold(text)
    words = list(islice(_words(folded), MAX_TOKENS))
    return words or list(islice(_words(folded, keep=True), MAX_TOKENS))


def _words(folded: str, *, keep: bool = False) -> Iterator[str]:
    if folded.isascii():
        for chunk in _ASCII_CHUNK.findall(folded):
            yield from _spaced(chunk, keep) if len(chunk) <= MAX_LENGTH else _read(chunk, keep)
        return
    for match in _CHUNK.finditer(folded):
        chunk = match.group()
        if match.lastgroup is not None:
            yield from _DENSE[match.lastgroup](chunk)
        else:
            yield from _spaced(chunk, keep) if len(chunk) <= MAX_LENGTH else _read(chunk, keep)


def _ideographic(run: str) -> Iterator[str]:
    for pair in pairwise(run):
        yield pair[0]
        yield "".join(pair)
    yield run[-1]


def _syllabic(run: str) -> Iterator[str]:
    yield run[:MAX_LENGTH]
    if len(run) > 2:  # a word of two syllables is its own bigram
        yield from map("".join, pairwise(run))


def _clustered(run: str) -> Iterator[str]:
    clusters = _CLUSTER.findall(run)
    if len(clusters) == 1:
        clusters.append("")
    for first, second in pairwise(clusters):
        yield (first + second)[:MAX_LENGTH]


_DENSE: dict[str, Callable[[str], Iterator[str]]] = {
    "ideographic": _ideographic,
    "syllabic": _syllabic,
    "clustered": _clustered,
}


def _read(chunk: str, keep: bool) -> tuple[str, ...]:  # noqa: FBT001 - positional for the cache's speed
    """The tokens of one spaced chunk; with `keep`, its stop words too."""
    word = _ENGLISH_TAIL.sub("", chunk)
    if word.isalnum() and not (word.isascii() and _is_mixed(word)):
        return (_stem(word),) if keep or word not in STOP_WORDS else ()
    if word in STOP_WORDS:
        return (word,) if keep else ()
    return tuple(
        dict.fromkeys(
            part[:MAX_LENGTH]
            for part in chain(_wholes(word), _parts(word))
            if part and (keep or part not in STOP_WORDS)
        )
    )


_spaced = lru_cache(maxsize=32_768)(_read)


def _is_mixed(word: str) -> bool:
    return not (word.isalpha() or word.isdigit())


def _wholes(chunk: str) -> Iterator[str]:
    digits = re.sub(r"\D", "", chunk)
    if "://" in chunk:
        yield chunk.split("://", 1)[1].removeprefix("www.").rstrip(".,;:!?)]}>\"'/")
    elif not any(char.isalpha() for char in chunk):
        long = len(digits) >= 7  # telephone numbers and whole dates, however they are written
        yield digits if long else chunk.replace(",", "")
        if len(digits) > 10:  # the number without its country
            yield digits[-10:]
    else:
        yield _stem(re.sub(r"[-_/',]", "", chunk.removeprefix("www.")))


def _parts(chunk: str) -> Iterator[str]:
    for part in _PART.findall(chunk.replace(",", "")):
        if part.isdigit():
            yield part.lstrip("0") or "0" if len(part) <= 2 else part  # 05 is the 5th
            continue
        yield _stem(part)
        if _is_mixed(part) and len(pieces := _MIXED.findall(part)) > 1:
            yield from map(_stem, pieces)


def _stem(word: str) -> str:
    if not (word.isascii() and word.isalpha()) or len(word) > MAX_LENGTH:
        return word[:MAX_LENGTH]
    with _stemmer_lock:
        return str(_stemmer.stemWord(word))
