"""The word search's tokens: what people write, in many scripts, and whatever else comes along."""

from __future__ import annotations

import re
import threading

import pytest
from hypothesis import given, strategies as st

from recollect.core.text.tokens import MAX_LENGTH, MAX_TOKENS, STOP_WORDS, fold, tokenize


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("She was running; he runs.", ["run", "run"]),
        ("Don't you like Caroline’s dogs?", ["like", "carolin", "dog"]),
        ("What's up with O'Brien", ["obrien", "o", "brien"]),
        ("my mother-in-law", ["motherinlaw", "mother", "law"]),
        ("3.14 and 1,299.50", ["3.14", "3", "14", "1299.50", "1299", "50"]),
        ("Café CAFÉ cafe\u0301", ["cafe", "cafe", "cafe"]),
        ("ﬁne ＡＢＣ", ["fine", "abc"]),
        ("STRASSE Straße", ["strass", "strass"]),
        ("İstanbul Łódź", ["istanbul", "lodz"]),
        ("Ёлка ёлка елка", ["елка"] * 3),
        ("ΆΝΘΡΩΠΟΣ άνθρωπος", ["ανθρωποσ", "ανθρωποσ"]),
        ("שָׁלוֹם שלום", ["שלום", "שלום"]),
        ("العَرَبِيَّة أحمد ـــ", ["العربية", "احمد"]),
        ("٢٠٢٤", ["2024"]),
        ("हिन्दी में", ["हिन्दी", "में"]),
        ("猫", ["猫"]),
        ("小猫睡", ["小", "小猫", "猫", "猫睡", "睡"]),
        ("カタ", ["カ", "カタ", "タ"]),
        ("ｶﾞ", ["ガ"]),
        ("서울에서 집", ["서울에서", "서울", "울에", "에서", "집"]),
        ("ง่าย", ["ง่า", "าย"]),
        ("ខ្មែរ", ["ខ្មែរ"]),
        ("我的iPad坏了", ["我", "我的", "的", "ipad", "坏", "坏了", "了"]),
        ("", []),
        ("👍 … —", []),
    ],
)
def test_texts(text: str, tokens: list[str]) -> None:
    assert tokenize(text) == tokens


@pytest.mark.parametrize(
    ("stored", "asked"),
    [
        ("write to ana.lopez+home@mail.example.co.uk please", "ana.lopez+home@mail.example.co.uk"),
        ("write to ana.lopez@example.com", "lopez"),
        ("call +1 (555) 123-4567", "555-123-4567"),
        ("call +1 (555) 123-4567", "15551234567"),
        ("call 555.123.4567", "(555) 123 4567"),
        ("part SKU-4417/B", "sku4417b"),
        ("part SKU-4417/B", "SKU 4417"),
        ("model A4-L", "a4l"),
        ("the iPhone15", "iphone 15"),
        ("see https://www.example.com/listing/123?x=1.", "example.com/listing/123?x=1"),
        ("see https://www.example.com/listing/123", "listing"),
        ("on 2023-07-05", "20230705"),
        ("on 2023-07-05", "5 July 2023"),
        ("my e-mail", "email"),
        ("1,000,000 dollars", "1000000"),
    ],
)
def test_the_same_thing_is_found_however_it_is_written(stored: str, asked: str) -> None:
    assert set(tokenize(stored)) & set(tokenize(asked))


def test_the_whole_of_a_compound_is_one_token() -> None:
    assert "ana.lopez@example.com" in tokenize("<ana.lopez@example.com>")
    assert "example.com/a/b?c=1" in tokenize("(http://example.com/a/b?c=1)")
    assert "2125551234" in tokenize("+1 212 555 1234")


def test_stop_words_go_unless_they_are_all_there_is() -> None:
    assert tokenize("what is the plan for it") == ["plan"]
    assert tokenize("To be, or not to be") == ["to", "be", "or", "not", "to", "be"]
    assert tokenize("don't") == ["don't"]


def test_a_long_text_is_cut() -> None:
    assert len(tokenize("我" * 50_000)) == MAX_TOKENS
    assert tokenize("x" * 500) == ["x" * MAX_LENGTH]


@pytest.mark.parametrize(
    "piece",
    [
        "a",
        "a-",
        "1,",
        "我",
        "é",
        "1 ",
        "+1",
        "ab://",
        "ก็",
        "\u0301",
        "a\u0301",
        "'",
        "(1",
        "\ud800",
        "\0",
        "\u202e",
        "가",
        ".",
    ],
)
def test_a_megabyte_of_anything_gives_sound_tokens(piece: str) -> None:
    tokens = tokenize(piece * (1_000_000 // len(piece)))
    assert len(tokens) <= MAX_TOKENS
    assert all(0 < len(token) <= MAX_LENGTH for token in tokens)


@given(st.text(st.characters(), max_size=200))
def test_any_text_gives_tokens_that_postgresql_takes(text: str) -> None:
    for token in tokenize(text):
        assert 0 < len(token) <= MAX_LENGTH
        assert "\0" not in token
        assert token.encode()
        assert not re.search(r"\s", token)


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=100))
def test_folding_twice_is_folding_once_for_the_search(text: str) -> None:
    assert tokenize(fold(text)) == tokenize(text)


@given(st.text(max_size=60), st.text(max_size=60))
def test_lines_are_independent(first: str, second: str) -> None:
    both = tokenize(f"{first}\n\n\n\n{second}")
    apart = tokenize(first) + tokenize(second)
    assert set(both) <= set(apart)
    assert {token for token in apart if token not in STOP_WORDS} <= set(both) | STOP_WORDS


@given(st.lists(st.sampled_from(["kitchen", "garden", "Paris", "42", "北京", "서울", "дом"]), max_size=20))
def test_every_word_finds_its_text(words: list[str]) -> None:
    tokens = set(tokenize(" ".join(words)))
    for word in words:
        assert set(tokenize(word.upper())) <= tokens


def test_threads_share_the_stemmer() -> None:
    words = [f"{stem}{end}" for stem in ("walk", "jump", "paint", "climb") for end in ("ing", "ed", "s")]
    expected = {word: tokenize(word) for word in words}
    seen: list[bool] = []

    def work(part: int) -> None:
        fresh = [f"{word} zz{part}q{n}ing" for n in range(200) for word in words]
        seen.append(all(tokenize(text)[0] == expected[text.split()[0]][0] for text in fresh))

    threads = [threading.Thread(target=work, args=(part,)) for part in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert seen == [True] * 4
