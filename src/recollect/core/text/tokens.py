"""Words as the word search sees them: one function for what is stored and for what is asked.

A text is folded (NFKC, lower case, no accents), cut into chunks, and each chunk gives its tokens by the
kind of its script:

    spaced       words between spaces: in English text their stems, without its stop words; otherwise also
                 the beginnings of each, or all its runs of four letters where words change at the front
    syllabic     Hangul: the word, and its bigrams of syllables, for its endings are glued on
    ideographic  Han, Hiragana, Katakana: bigrams, and each Han character
    clustered    Thai, Lao, Khmer, Myanmar: bigrams of grapheme clusters

A compound (e-mail address, URL, phone number, product code, decimal, date, hyphenated word) gives itself as
a whole and then its parts. Every word that is no stop word gives the same first token in a text of any
language, so that a word is found whatever surrounds it.
"""

from __future__ import annotations

import re
import threading
import unicodedata
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache, partial
from itertools import chain, islice, pairwise, product

import Stemmer

from recollect.core.text.hanzi import SIMPLIFIED
from recollect.core.text.languages import DROPPED, STOP_WORDS, Reading, read

MAX_TOKENS = 16_383
"""At most so many tokens come of one text."""

MAX_LENGTH = 64
"""No token has more characters; what is longer is cut, in a text and in a query alike."""

BEGINNINGS = range(3, 6)
"""How many letters of a word count for it where it changes at its end; three only of one of up to five."""

RUN = 4
"""How many letters in a row count for a word where it changes at its front."""

_LONGEST_WORD = 24

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
_FOLDED = (
    str.maketrans({"ł": "l", "ø": "o", "đ": "d", "ı": "i", "æ": "ae", "œ": "oe", "’": "'", "ʼ": "'"})
    | str.maketrans("ךםןףץ", "כמנפצ")  # Hebrew letters at the end of a word
    | str.maketrans("ةىیکہھ", "هييكهه")  # Arabic ones that are one, or written as one
    | {0x93C: None, 0x901: "\u0902"}  # Devanagari: no dots below, a moon is a dot, no vowel is long
    | str.maketrans("ईऊ\u0940\u0942", "इउ\u093f\u0941")
    | SIMPLIFIED
    | {
        code: str(unicodedata.decimal(chr(code)))
        for code in chain(*_MARKED_SCRIPTS)
        if unicodedata.category(chr(code)) == "Nd"
    }
)
_NASAL = re.compile("[ङञणनम]\u094d(?=[क-ह])")

_URL = r"[a-z][a-z0-9+]{1,9}://[!-~]+"
_PHONE = (
    r"\+\d[\d(). -]{5,18}\d|\(?\b\d{3}\)?[ .-]{1,2}\d{3}[ .-]\d{4}\b|\(?\b0\d{1,4}\)?(?:[ /-]\d{2,8}){1,5}\b"
)
_JOINT = r"[-.@/:+_'&](?=[^\W_])|(?<=\d),(?=\d{3}(?!\d))"


def _joined(word: str) -> str:
    return rf"{word}(?:(?:{_JOINT}){word})*"


def _chunks(word: str) -> str:
    return f"{_URL}|{_PHONE}|{_joined(word)}"


_SPACED = rf"[^\W_{_IDEOGRAPHIC}{_SYLLABIC}{_CLUSTERED}]"
_ASCII_CHUNK = re.compile(_chunks("[a-z0-9]+"))
_PLAIN_CHUNK = re.compile(_joined("[a-z0-9]+"))
_CHUNK = re.compile(
    rf"(?P<ideographic>[{_IDEOGRAPHIC}]+)|(?P<syllabic>[{_SYLLABIC}]+)|(?P<clustered>[{_CLUSTERED}]+)"
    rf"|{_chunks(f'{_SPACED}+(?:[{_MARKS}]+{_SPACED}*)*')}"
)
_BY_TOKEN = frozenset({"ideographic", "clustered"})
_CLUSTER = re.compile(rf"[{_LEADING_VOWEL}]?.(?:[{_STACKER}].|[{_MARKS}])*")
_PARTICLE = re.compile("[은는이가을를에의로도만과와요]|에서|으로|에게|한테|까지|부터|이요|이다|이에요")
_KANA = re.compile("[\u3041-\u30ff\u31f0-\u31ff]")
_FRONTED = re.compile("[\u0590-\u07bf\u0860-\u08ff]")
_PART = re.compile(r"[^\W_]+(?:[^\w\s!-~]+[^\W_]*)*")
_DOUBLED = re.compile(r"([^\W\d_])\1")
_MIXED = re.compile(r"[^\W\d_]{2,}|\d{2,}")
_DIGIT = re.compile("[0-9]")
_THOUSANDS = re.compile(r"(\d+)(?:\.(\d))?k")
_ISO_DATE = re.compile(r"\d{4}[-/.](0[1-9]|1[0-2])[-/.]\d\d")
_MONTHS = str.split("january february march april may june july august september october november december")
_ENGLISH_TAIL = re.compile(r"(?<=.)'(?:s|m|re|ve|ll|d)?$")

_stemmer = Stemmer.Stemmer("english")
_stemmer_lock = threading.Lock()


def fold(text: str) -> str:
    """The text with everything gone by which the same word is written in two ways.

    >>> fold("Café ＮＯ. ٣ — Ёлка 漢語")
    'cafe no. 3 — елка 汉语'
    """
    if text.isascii():
        return text.lower()
    plain = unicodedata.normalize("NFD", unicodedata.normalize("NFKC", text).casefold())
    folded = unicodedata.normalize("NFC", _DROPPED.sub("", plain).translate(_FOLDED))
    return _NASAL.sub("\u0902", folded)


def tokenize(text: str, reading: Reading | None = None) -> list[str]:
    """The tokens of a text in any language, in order: at most MAX_TOKENS, each of 1 to MAX_LENGTH characters.

    Any str will do, and takes time linear in its length. Stop words are left out, unless the text has nothing
    else. `reading` is that of the text which a word is taken from; without it, the text's own.

    >>> tokenize("Don't you like Caroline's e-mail?")
    ['like', 'carolin', 'email', 'e', 'mail']
    >>> tokenize("the SKU-4417/B costs 1,299.50")
    ['sku4417b', 'sku', '4417', 'b', 'cost', '1299.50', '1299', '50']
    >>> tokenize("die Fahrräder und der See")
    ['die', 'fahrrad', 'fahr', 'fahra', 'see']
    >>> tokenize("我的上司")
    ['我', '我的', '的', '的上', '上', '上司', '司']
    >>> tokenize("Who are you?")
    ['who', 'are', 'you']
    """
    folded = fold(text)
    if reading is None:
        reading = read(folded)
    words = list(islice(_words(folded, reading), MAX_TOKENS))
    return words or list(islice(_words(folded, reading, keep=True), MAX_TOKENS))


def spell(text: str, wanted: frozenset[str]) -> dict[str, str]:
    """How the text writes each of the wanted tokens that it gives: by the shortest word that gives it.

    What is written without spaces between the words is told by token, by the longest that holds it.

    >>> spell("Sie sah Fahrräder am lake’s shore", frozenset(["lake", "fahr", "sofa"]))
    {'fahr': 'Fahrräder', 'lake': 'lake’s'}
    >>> sorted(spell("我喜欢灰色的沙发", frozenset(["沙", "沙发"])).items())
    [('沙', '沙发'), ('沙发', '沙发')]
    """
    reading = read(fold(text))
    words: dict[str, str] = {}
    dense: set[str] = set()
    for match, tokens in _placed(_lower(text), reading):
        given = wanted.intersection(tokens)
        if not given:
            continue
        if match.lastgroup in _BY_TOKEN:
            dense |= given
            continue
        for token in given:
            word = text[match.start() : match.end()]
            if token not in words or len(word) < len(words[token]):
                words[token] = word
    return words | {token: max((each for each in dense if token in each), key=len) for token in dense}


def _placed(small: str, reading: Reading) -> Iterator[tuple[re.Match[str], Iterable[str]]]:
    """The chunks of a text in small letters, each with all its tokens."""
    chunks = _chunk_of(small).finditer(small)
    if small.isascii():
        spaced = _SPACED_OF[reading, True]
        return (
            (each, spaced(chunk) if len(chunk := each[0]) <= MAX_LENGTH else _take(chunk, reading, True))
            for each in chunks
        )
    return ((each, _given(fold(each[0]), each.lastgroup, reading, True)) for each in chunks)


def _chunk_of(small: str) -> re.Pattern[str]:
    """The quickest pattern that finds the chunks of this text in small letters."""
    if not small.isascii():
        return _CHUNK
    # an address has "://" in it, and a telephone number a digit
    return _ASCII_CHUNK if "://" in small or _DIGIT.search(small) else _PLAIN_CHUNK


def _lower(text: str) -> str:
    """The text in small letters and with plain apostrophes, as long as it was."""
    small = text.lower().replace("’", "'")
    return small if len(small) == len(text) else text


def _words(folded: str, reading: Reading, *, keep: bool = False) -> Iterator[str]:
    if not folded.isascii():
        chunks = _CHUNK.finditer(folded)
        return chain.from_iterable(_given(each.group(), each.lastgroup, reading, keep) for each in chunks)
    spaced = _SPACED_OF[reading, keep]
    return chain.from_iterable(
        spaced(chunk) if len(chunk) <= MAX_LENGTH else _take(chunk, reading, keep)
        for chunk in _chunk_of(folded).findall(folded)
    )


def _given(chunk: str, kind: str | None, reading: Reading, keep: bool) -> Iterable[str]:  # noqa: FBT001 - see _take
    """The tokens of one chunk; `kind` is the group of _CHUNK that it is in, None for words between spaces."""
    if kind is not None:
        return _DENSE[kind](chunk)
    if len(chunk) > MAX_LENGTH:
        return _take(chunk, reading, keep)
    return _SPACED_OF[reading, keep](chunk)


def _ideographic(run: str) -> Iterator[str]:
    for pair in pairwise(run):
        if not _KANA.match(pair[0]):
            yield pair[0]
        yield "".join(pair)
    if len(run) == 1 or not _KANA.match(run[-1]):
        yield run[-1]


def _syllabic(run: str) -> Iterator[str]:
    yield run[:MAX_LENGTH]
    if len(run) > 2:  # a word of two syllables is its own bigram
        yield from map("".join, pairwise(run))
    if _PARTICLE.fullmatch(run, 1):  # a word of one has none
        yield run[0]


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


def _take(chunk: str, reading: Reading, keep: bool) -> tuple[str, ...]:  # noqa: FBT001 - a key of the caches
    """The tokens of one spaced chunk; with `keep`, its stop words too."""
    word = _ENGLISH_TAIL.sub("", chunk)
    dropped = frozenset() if keep else DROPPED[reading]
    if word in dropped:
        return ()
    if word in STOP_WORDS:
        return (word,)
    if word.isalnum() and not (word.isascii() and _is_mixed(word)):
        return tuple(dict.fromkeys(chain((_stem(word),), _letters(word, reading), _tail(word))))
    parts = (part[:MAX_LENGTH] for part in chain(_wholes(word), _parts(word, reading)))
    return tuple(dict.fromkeys(part for part in parts if part and part not in dropped))


_SPACED_OF: dict[tuple[Reading, bool], Callable[[str], tuple[str, ...]]] = {
    (reading, keep): lru_cache(maxsize=4_096)(partial(_take, reading=reading, keep=keep))
    for reading, keep in product(Reading, (False, True))
}


def _is_mixed(word: str) -> bool:
    return not word.isdigit() and _DIGIT.search(word) is not None


def _letters(word: str, reading: Reading) -> Iterator[str]:
    """What else a word is found by in another form: pieces of it.

    McNamee, Nicholas and Mayfield, "Addressing morphological variation in alphabetic languages" (2009): runs
    of four letters, and beginnings of five, do as well as a stemmer for each. A doubled letter counts
    as one, for it is often doubled in some of a word's forms only: "raam", "ramen"; "kukka", "kukan".
    """
    if word.isdigit() or (reading is Reading.ENGLISH and word.isascii()):
        return
    word = _DOUBLED.sub(r"\1", word[:_LONGEST_WORD])
    fronted = _FRONTED.match(word) is not None
    latin = word.isascii()
    if fronted or (len(word) in BEGINNINGS and word[:3].isalpha()):
        yield word[:3]
    if not fronted and not (latin and reading is Reading.PREFIXING):
        yield from (word[:count] for count in BEGINNINGS[1:] if count <= len(word))
    if fronted or (latin and reading is not Reading.SUFFIXING):
        yield from (word[at : at + RUN] for at in range(len(word) - RUN + 1))


def _wholes(chunk: str) -> Iterator[str]:
    digits = re.sub(r"\D", "", chunk)
    if "://" in chunk:
        yield chunk.split("://", 1)[1].removeprefix("www.").rstrip(".,;:!?)]}>\"'/")
    elif not any(char.isalpha() for char in chunk):
        long = len(digits) >= 7  # telephone numbers and whole dates, however they are written
        yield digits if long else re.sub(r"[,\s]", "", chunk)
        yield from _tail(digits)
        if date := _ISO_DATE.fullmatch(chunk):
            yield _stem(_MONTHS[int(date[1]) - 1])
    else:
        yield _stem(re.sub(r"[-_/',]", "", chunk.removeprefix("www.")))
        if thousands := _THOUSANDS.fullmatch(chunk):
            yield f"{thousands[1]}{thousands[2] or 0}00"


def _tail(digits: str) -> Iterator[str]:
    """What is the same in a telephone number with its country, and without."""
    if len(digits) > 8 and digits.isdigit():
        yield digits[-8:]


def _parts(chunk: str, reading: Reading) -> Iterator[str]:
    for part in _PART.findall(chunk.replace(",", "")):
        if part.isdigit():
            yield part.lstrip("0") or "0" if len(part) <= 2 else part  # 05 is the 5th
            continue
        yield _stem(part)
        if not _is_mixed(part):
            yield from _letters(part, reading)
        elif len(pieces := _MIXED.findall(part)) > 1:
            yield from map(_stem, pieces)


def _stem(word: str) -> str:
    if not (word.isascii() and word.isalpha()) or len(word) > MAX_LENGTH:
        return word[:MAX_LENGTH]
    with _stemmer_lock:
        return str(_stemmer.stemWord(word))
