import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, strategies as st

from recollect.core.recall.bm25 import bm25

documents = st.lists(st.lists(st.sampled_from("abcdef"), max_size=12), min_size=1, max_size=8)


def by_the_book(documents: list[list[str]], query: list[str]) -> list[float]:
    """BM25 one document and one token at a time."""
    mean = sum(map(len, documents)) / len(documents)
    scores = []
    for document in documents:
        score = 0.0
        for token in query:
            holders = sum(token in other for other in documents)
            frequency = Counter(document)[token]
            if frequency:
                idf = math.log(1 + (len(documents) - holders + 0.5) / (holders + 0.5))
                score += idf * frequency * 2.2 / (frequency + 1.2 * (0.25 + 0.75 * len(document) / mean))
        scores.append(score)
    return scores


def of_all(documents: list[list[str]], query: list[str]) -> list[float]:
    frequencies = np.array([[document.count(token) for token in query] for document in documents], np.int32)
    frequencies = frequencies.reshape(len(documents), len(query))
    lengths = np.array([len(document) for document in documents], np.int32)
    holders = np.count_nonzero(frequencies, axis=0)
    return list(bm25(frequencies, lengths, holders, len(documents), float(lengths.mean())))


@given(documents, st.lists(st.sampled_from("abcdefg"), max_size=4, unique=True))
def test_is_the_formula(documents: list[list[str]], query: list[str]) -> None:
    assert of_all(documents, query) == pytest.approx(by_the_book(documents, query))


def test_the_rare_token_and_the_short_row_score_more() -> None:
    common, rare, rare_and_long, nothing = of_all(
        [["a", "b"], ["c", "b"], ["c", "b", "b", "b"], ["a", "d"]], ["a", "c"]
    )
    assert common == nothing > 0
    assert rare > rare_and_long > 0
    assert of_all([["a"], ["a"], ["c"]], ["a", "c"])[2] > of_all([["a"], ["a"], ["c"]], ["a", "c"])[0]


def test_a_token_that_every_row_holds_still_counts_a_little() -> None:
    assert min(of_all([["a"], ["a", "a"]], ["a"])) > 0
