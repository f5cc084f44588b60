"""The right sentence found by its words, in many languages.

    python benchmarks/languages.py

For each language in languages.json, twelve things that somebody told and a question about each, its words in
other forms than the sentence has them (another number, case, tense); written for this table, checked by no
native speakers. Prints a table and writes benchmarks/results/languages.{md,json}. BM25 alone: no vectors, no
names, no dates.
"""

from __future__ import annotations

import json
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import Stemmer

from recollect.core.recall.bm25 import bm25
from recollect.core.text.tokens import tokenize

HERE = Path(__file__).resolve().parent
RESULTS = HERE / "results"
RESAMPLES = 2000
FIRST = (1, 3)

Tokenizer = Callable[[str], list[str]]

# What Snowball calls the languages that it stems.
SNOWBALL = {
    "en": "english",
    "de": "german",
    "nl": "dutch",
    "sv": "swedish",
    "fr": "french",
    "es": "spanish",
    "pt": "portuguese",
    "it": "italian",
    "ro": "romanian",
    "pl": "polish",
    "cs": "czech",
    "fi": "finnish",
    "hu": "hungarian",
    "tr": "turkish",
    "ru": "russian",
    "el": "greek",
    "id": "indonesian",
    "ar": "arabic",
    "fa": "persian",
    "hi": "hindi",
    "ta": "tamil",
}


def split(text: str) -> list[str]:
    """The text's words between spaces, small, without the punctuation around them."""
    marks = "".join({char for char in text if unicodedata.category(char).startswith("P")})
    return [word for each in text.casefold().split() if (word := each.strip(marks))]


def stemmed(language: str) -> Tokenizer | None:
    """The same words by Snowball's stemmer for a language that it is told; None if there is none."""
    if language not in SNOWBALL:
        return None
    stemmer = Stemmer.Stemmer(SNOWBALL[language])
    return lambda text: [str(stem) for stem in stemmer.stemWords(split(text))]


def ranks(
    sentences: Sequence[str], questions: Sequence[tuple[str, int]], tokens: Tokenizer
) -> Iterator[float]:
    """The place of each question's sentence, behind all that score as high; infinity if it scores nothing."""
    rows = [Counter(tokens(sentence)) for sentence in sentences]
    lengths = np.array([row.total() for row in rows])
    for question, right in questions:
        asked = list(dict.fromkeys(tokens(question)))
        held = np.array([[row[token] for token in asked] for row in rows]).reshape(len(rows), len(asked))
        scores = bm25(held, lengths, np.count_nonzero(held, axis=0), len(rows), float(lengths.mean()))
        yield float(np.count_nonzero(scores >= scores[right])) if scores[right] > 0 else np.inf


def shares(places: Sequence[float]) -> list[float]:
    """The share of the places among the first one, and the first three."""
    return [float(np.mean(np.array(places) <= first)) for first in FIRST]


def measure(language: str, told: dict[str, Any]) -> dict[str, Any]:
    """A row of the table, in shares."""
    sentences, questions = told["sentences"], told["questions"]
    stems = stemmed(language)
    words = sum(len(split(sentence)) for sentence in sentences)
    return {
        "language": told["name"],
        "questions": len(questions),
        "spaces": shares(list(ranks(sentences, questions, split))),
        "snowball": shares(list(ranks(sentences, questions, stems))) if stems else None,
        "ours": shares(list(ranks(sentences, questions, tokenize))),
        "distinct tokens a sentence": sum(len(set(tokenize(each))) for each in sentences) / len(sentences),
        "words a sentence": words / len(sentences),
    }


def together(data: dict[str, Any]) -> list[float]:
    """Our shares when one person has told it all, in every language, and asks in each."""
    sentences: list[str] = []
    questions: list[tuple[str, int]] = []
    for language, told in data.items():
        if "/" in language:  # the same sentences, asked in another script
            continue
        questions += [(question, len(sentences) + right) for question, right in told["questions"]]
        sentences += told["sentences"]
    return shares(list(ranks(sentences, questions, tokenize)))


def interval(rows: Sequence[dict[str, Any]], system: str) -> list[float]:
    """95 % of the mean share found first, by bootstrap over the languages that have it (seed 0)."""
    first = np.array([row[system][0] for row in rows if row[system]])
    draws = np.random.default_rng(0).integers(len(first), size=(RESAMPLES, len(first)))
    return [float(each) for each in np.percentile(first[draws].mean(1), [2.5, 97.5])]


def table(rows: Sequence[dict[str, Any]]) -> str:
    """Markdown, in percent."""
    lines = [
        "| language | between spaces | Snowball, told the language | ours | distinct tokens a sentence |",
        "|---|---|---|---|---|",
    ]
    for row in rows:
        cells = [_percent(row[system]) for system in ("spaces", "snowball", "ours")]
        lines.append(
            f"| {row['language']} | {' | '.join(cells)} | {row['distinct tokens a sentence']:.1f} "
            f"for {row['words a sentence']:.1f} words |"
        )
    return "\n".join(lines)


def _percent(found: Sequence[float] | None) -> str:
    return " / ".join(f"{100 * share:.0f}" for share in found) if found else "–"


def summary(rows: Sequence[dict[str, Any]], all_together: Sequence[float]) -> dict[str, Any]:
    """The means, over all languages and over those that Snowball stems."""
    stems = [row for row in rows if row["snowball"]]
    return {
        "all languages": {
            system: {
                "mean": np.mean([row[system] for row in rows], axis=0).tolist(),
                "interval of the first": interval(rows, system),
            }
            for system in ("spaces", "ours")
        },
        "languages with a stemmer": {
            system: {
                "mean": np.mean([row[system] for row in stems], axis=0).tolist(),
                "interval of the first": interval(stems, system),
            }
            for system in ("spaces", "snowball", "ours")
        },
        "ours, all languages in one scope": list(all_together),
    }


def means(found: dict[str, Any]) -> str:
    """The summary in Markdown."""
    lines = ["| mean | found first | 95 % | in the first 3 |", "|---|---|---|---|"]
    for group in ("all languages", "languages with a stemmer"):
        for system, figures in found[group].items():
            low, high = figures["interval of the first"]
            first, third = figures["mean"]
            lines.append(
                f"| {group}: {system} | {100 * first:.1f} | {100 * low:.1f}–{100 * high:.1f} "
                f"| {100 * third:.1f} |"
            )
    first, third = found["ours, all languages in one scope"]
    lines.append(f"| ours, all languages in one scope | {100 * first:.1f} | | {100 * third:.1f} |")
    return "\n".join(lines)


def main() -> None:
    """Measure, print and write."""
    data = json.loads((HERE / "languages.json").read_text("utf-8"))
    rows = [measure(language, told) for language, told in data.items()]
    found = summary(rows, together(data))
    text = (
        "# The right sentence, found by its words\n\n"
        f"`python benchmarks/languages.py`: {len(rows)} languages and ways of writing, each of 12 sentences "
        f"and {sum(row['questions'] for row in rows)} questions in all, whose words stand in other forms "
        "than in the sentence. Found first / in the first three, in percent, by BM25 alone; a tie counts "
        "against. The sentences are written for this table and checked by no native speakers; the interval "
        "is a bootstrap over languages.\n\n"
        f"{means(found)}\n\n{table(rows)}\n"
    )
    print(text)
    (RESULTS / "languages.md").write_text(text, "utf-8")
    (RESULTS / "languages.json").write_text(
        json.dumps({"summary": found, "rows": rows}, indent=1) + "\n", "utf-8"
    )


if __name__ == "__main__":
    main()
