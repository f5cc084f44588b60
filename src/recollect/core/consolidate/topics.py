"""What a conversation is about, in key phrases that read the same from one conversation to the next.

After Rose, Engel, Cramer and Cowley, "Automatic Keyword Extraction from Individual Documents" (2010): runs
of words between stop words, worth what their words are worth; here a word is worth the turns that speak of
it. For text in English.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from math import log

from recollect.core.model import Memory
from recollect.core.text.languages import STOP_WORDS
from recollect.core.text.names import strip_names
from recollect.core.text.tokens import tokenize

MOST = 6
LONGEST_PHRASE = 3
LONGEST_READ = 4_000

# Words that are in every conversation, whatever it is about.
_EMPTY = frozenset(
    str.split(
        """
        able actually add additional additionally ago almost already alright also always amazing
        another anything ask asked away awesome back bad based bit bring brought busy call called
        came care change check come coming congrats consider considering cool could couple course
        create created creating day days definitely different disfmarker done easy eight else end
        enjoy enough even ever every everyone everything exactly example examples excited fact far
        feel feeling felt few find fine first five following found four friday fun gap gave get
        getting give glad go goes going gonna good got great guess guy guys haha half happen
        happened happy hard hear heard hello help helps hey hi hmm hold honestly hope hour hours
        however hundred idea important include includes including inspiring interested interesting
        keep kind kinda know last lately later least leave left less let life like little long look
        looking looks lot lots love loved made main make makes making matter maybe mean might mind
        minute minutes mm mm-hmm moment monday month months morning much must name need needed needs
        never new next nice nine nope nothing now number oh ok okay old one ones options overall
        part pause people perfect person place please pls point pretty probably problem provide
        provided put question quick quite really remember right said saturday saw say saying says
        second see seem seems seen send sent set seven shall share show since six small someone
        something sometimes soon sorry sort sound sounds specific start started stay stuff sunday
        super supposed sure take taking talk tell ten thank thanks thing things think thinking
        though thought thousand three thursday time times today together told tomorrow tonight took
        totally tried true try trying tuesday two uh um understand us use used using usually various
        visit vocalsound wait want wanted wants way wednesday week weekend weeks welcome well went
        whole will wish without wonderful wondering work worked working works would wow yeah year
        years yep yes yesterday yet
        """
    )
)
_CLAUSE = re.compile(r"[^\w\s'’-]+|\s-\s|\n+")
_WORD = re.compile(r"[^\W\d_][\w'’-]*")
_CLITIC = re.compile(r"['’](?:s|m|re|ve|ll|d|t)$")


def topics(turns: Sequence[Memory], names: Collection[str] = (), *, most: int = MOST) -> tuple[str, ...]:
    """Key phrases in small letters, the most telling first, none within another; without the names."""
    phrases = [dict(_phrases(strip_names(turn.content[:LONGEST_READ], names))) for turn in turns]
    spoken = Counter(stem for turn in phrases for stem in {stem for stems in turn for stem in stems})
    times = Counter(stems for turn in phrases for stems in turn)
    written = Counter((stems, words) for turn in phrases for stems, words in turn.items())
    spelt: dict[tuple[str, ...], str] = {}
    for (stems, words), _ in sorted(written.items(), key=lambda each: (-each[1], each[0])):
        spelt.setdefault(stems, words)
    best = sorted(times, key=lambda stems: (-_worth(stems, spoken, times[stems]), stems))
    return tuple(spelt[stems] for stems in _apart(best, most))


def _worth(stems: Sequence[str], spoken: Counter[str], times: int) -> float:
    """The mean of what its words are worth; more for a phrase, and for what is said again."""
    words = sum(log(1 + spoken[stem]) for stem in stems) / len(stems)
    return words * (1 + 0.35 * (len(stems) - 1)) * (1 + 0.5 * log(times))


def _apart(best: Sequence[tuple[str, ...]], most: int) -> Iterator[tuple[str, ...]]:
    """The first that share no word."""
    taken: set[str] = set()
    for stems in best:
        if taken.isdisjoint(stems):
            taken.update(stems)
            most -= 1
            yield stems
        if not most:
            return


def _phrases(text: str) -> Iterator[tuple[tuple[str, ...], str]]:
    """The runs of words with a meaning, as their stems and as they are written."""
    for clause in _CLAUSE.split(text):
        run: list[str] = []
        for word in [*_WORD.findall(clause.lower()), "the"]:
            plain = _CLITIC.sub("", word)
            if word not in STOP_WORDS and plain not in _EMPTY and plain not in STOP_WORDS and len(plain) > 2:
                run.append(plain)
                continue
            if run:
                words = run[-LONGEST_PHRASE:]
                yield tuple(stem for each in words for stem in tokenize(each)[:1]), " ".join(words)
            run = []
