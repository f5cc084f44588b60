"""The word search's tokens: what people write, in many scripts, and whatever else comes along."""

from __future__ import annotations

import re
import threading

import pytest
from hypothesis import given, strategies as st

from recollect.core.text import tokens
from recollect.core.text.hanzi import SIMPLIFIED
from recollect.core.text.languages import DROPPED, STOP_WORDS, Reading, read
from recollect.core.text.tokens import MAX_LENGTH, MAX_TOKENS, fold, spell, tokenize


def _runs(word: str) -> list[str]:
    """The word and its runs of four letters, as they are given where words change at the front."""
    beginning = [word[:3]] if len(word) <= 5 else []
    return list(dict.fromkeys([word, *beginning, *(word[at : at + 4] for at in range(len(word) - 3))]))


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
        ("Ёлка ёлка елка", ["елка", "елк"] * 3),
        ("ΆΝΘΡΩΠΟΣ άνθρωπος", ["ανθρωποσ", "ανθρ", "ανθρω"] * 2),
        ("שָׁלוֹם שלום", ["שלומ", "שלו"] * 2),
        ("אֶל", ["אל"]),
        ("أحمد ـــ", ["احمد", "احم"]),
        ("كِتابٌ کتاب", ["كتاب", "كتا"] * 2),
        ("العربيّة", ["العربيه", "الع", "العر", "لعرب", "عربي", "ربيه"]),
        ("٢٠٢٤", ["2024"]),
        ("हिन्दी हिंदी में", ["हिंदि", "हिंद"] * 2 + ["में"]),
        ("ज़मीन जमीन", ["जमिन"] * 2),
        ("猫", ["猫"]),
        ("小猫睡", ["小", "小猫", "猫", "猫睡", "睡"]),
        ("カタ", ["カタ"]),
        ("猫です", ["猫", "猫で", "です"]),
        ("ｶﾞ", ["ガ"]),
        ("서울에서 집", ["서울에서", "서울", "울에", "에서", "집"]),
        ("책을 집에서", ["책을", "책", "집에서", "집에", "에서", "집"]),
        ("漢語 汉语", ["汉", "汉语", "语"] * 2),
        ("ง่าย", ["ง่า", "าย"]),
        ("ខ្មែរ", ["ខ្មែរ"]),
        ("我的iPad坏了", ["我", "我的", "的", "ipad", "坏", "坏了", "了"]),
        ("", []),
        ("👍 … —", []),
    ],
)
def test_texts(text: str, tokens: list[str]) -> None:
    assert tokenize(text, Reading.ENGLISH) == tokens


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("die Häuser und der See", ["die", "hauser", "haus", "hause", "see"]),
        ("wir haben Häuser", ["hauser", "haus", "hause"]),
        ("anasoma kitabu kwa bibi", [*_runs("anasoma"), *_runs("kitabu"), *_runs("bibi")]),
        ("l'été dans la maison", ["lete", "l", "ete", "maison", "mais", "maiso"]),
        ("Sofá azul", ["sofa", "sof", "azul", "azu"]),
        ("grey sofa", ["grey", "sofa"]),
        ("see the sofa", ["see", "sofa"]),
        ("Дома", ["дома", "дом"]),
    ],
)
def test_a_text_that_is_not_english_gives_the_letters_of_its_words_too(text: str, tokens: list[str]) -> None:
    assert tokenize(text) == tokens


@pytest.mark.parametrize(
    ("text", "reading"),
    [
        ("Where did we leave the bicycles?", Reading.ENGLISH),
        ("I was at home in May", Reading.ENGLISH),
        ("It's la dolce vita, isn't it?", Reading.ENGLISH),
        ("Blue sofa, leather, 3 seats", Reading.ENGLISH),
        ("Sofa azul, cuero", Reading.UNSURE),
        ("Ich habe ein kitchen island gekauft", Reading.SUFFIXING),
        ("猫", Reading.UNSURE),
        ("", Reading.UNSURE),
        ("Wo ist mein Fahrrad?", Reading.SUFFIXING),
        ("¿Dónde está la llave?", Reading.SUFFIXING),
        ("Gdzie jest mój klucz?", Reading.SUFFIXING),
        ("Anahtarım nerede, kim aldı?", Reading.SUFFIXING),
        ("Nani alinunua gari hii?", Reading.PREFIXING),
        ("Siapa yang menjual mobil itu?", Reading.PREFIXING),
    ],
)
def test_a_language_is_told_by_its_commonest_words(text: str, reading: Reading) -> None:
    assert read(fold(text)) is reading


@pytest.mark.parametrize(
    ("stored", "asked"),
    [
        ("Wir haben die Wohnungen gesehen", "Wohnung"),
        ("Abbiamo comprato due biciclette", "bicicletta"),
        ("Perdí mis llaves", "¿Dónde está la llave?"),
        ("Nous cherchons des maisons", "maison"),
        ("Oglądamy mieszkania w Gdańsku", "mieszkanie"),
        ("Hledáme byty v Praze", "bytů"),
        ("De ramen van de keuken zijn kapot", "Wie repareert het raam?"),
        ("Min bror är allergisk mot nötter", "Vem får inte äta en nöt?"),
        ("Hän osti kukan", "Kuka osti kukkia?"),
        ("Kadotin avaimeni puistossa", "avain puistosta"),
        ("A lányunk a kórusban énekel", "kórus"),
        ("Komşularımız arabalarını sattı", "araba"),
        ("Она купила велосипеды", "велосипед"),
        ("Αγόρασε ποδήλατα", "ποδήλατο"),
        ("Dada alinunua baiskeli", "amenunua nini?"),
        ("Istri saya menulis buku", "penulis"),
        ("زار الطبيب في المدينة", "مدينة"),
        ("הוא גר במושבה", "המושבה"),
        ("گربه‌ها می‌خوابند", "گربه"),
        ("मेरी साइकिलें", "साइकिल"),
        ("সাইকেলগুলো কিনেছে", "সাইকেল"),
        ("புத்தகங்களை எழுதினார்", "புத்தகம்"),
        ("책을 읽어요", "책이 어디 있어요?"),
        ("我們的鄰居賣了車", "邻居"),
    ],
)
def test_a_word_is_found_in_another_form(stored: str, asked: str) -> None:
    assert set(tokenize(stored)) & set(tokenize(asked))


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
        ("1.000.000 Euro", "1000000"),
        ("it costs 3.5k", "3500"),
        ("up to 300k", "300,000"),
        ("on 2023-07-05", "july"),
    ],
)
def test_the_same_thing_is_found_however_it_is_written(stored: str, asked: str) -> None:
    assert set(tokenize(stored)) & set(tokenize(asked))


def test_the_whole_of_a_compound_is_one_token() -> None:
    assert "ana.lopez@example.com" in tokenize("<ana.lopez@example.com>")
    assert "example.com/a/b?c=1" in tokenize("(http://example.com/a/b?c=1)")
    assert "2125551234" in tokenize("(212) 555-1234")


@pytest.mark.parametrize(
    ("stored", "asked"),
    [
        ("+1 212 555 1234", "(212) 555-1234"),
        ("+49 171 1234567", "0171 123 45 67"),
        ("+33 6 12 34 56 78", "06 12 34 56 78"),
        ("+44 20 7946 0958", "(020) 7946 0958"),
        ("+61 412 345 678", "0412345678"),
        ("020/79460958", "02079460958"),
    ],
)
def test_a_telephone_number_is_found_with_and_without_its_country(stored: str, asked: str) -> None:
    assert {token for token in tokenize(stored) if len(token) >= 8} & set(tokenize(asked))


def test_stop_words_go_unless_they_are_all_there_is() -> None:
    assert tokenize("what is the plan for it") == ["plan"]
    assert tokenize("To be, or not to be") == ["to", "be", "or", "not", "to", "be"]
    assert tokenize("don't") == ["don't"]


@pytest.mark.parametrize(
    ("stored", "asked"),
    [
        ("blue sofa, leather, 3 seats", "Did I want a leather seat?"),
        ("I would like to have a blue sofa", "blue sofas"),
        ("I would like to have a taupe settee", "taupe settees"),
        ("taupe settee", "Did I want the settees in taupe?"),
        ("Wohnungen, Berlin", "Wie war die Wohnung?"),
    ],
)
def test_a_note_finds_a_sentence_and_a_sentence_a_note(stored: str, asked: str) -> None:
    assert set(tokenize(stored)) & set(tokenize(asked))


@pytest.mark.parametrize(
    ("text", "wanted", "told"),
    [
        ("The lake-house by the LAKE’s shore", ["lake"], {"lake": "LAKE’s"}),
        ("Write to Ana.Lopez@example.com!", ["lopez"], {"lopez": "Ana.Lopez@example.com"}),
        ("Die Fahrräder, das Rad", ["fahra", "rad"], {"fahra": "Fahrräder", "rad": "Rad"}),
        ("मेरी साइकिलें", ["साइकि"], {"साइकि": "साइकिलें"}),
        ("책을 읽어요", ["책"], {"책": "책을"}),
        ("我的ｉＰａｄ坏了", ["ipad", "坏", "坏了"], {"ipad": "ｉＰａｄ", "坏": "坏了", "坏了": "坏了"}),
        ("İstanbul’da", ["istanbul"], {"istanbul": "İstanbul"}),
        ("not to be", ["be"], {"be": "be"}),
        ("x" * 500, ["x" * MAX_LENGTH], {"x" * MAX_LENGTH: "x" * 500}),
        ("the shore", ["lake"], {}),
    ],
)
def test_a_token_is_told_by_the_shortest_word_that_gives_it(
    text: str, wanted: list[str], told: dict[str, str]
) -> None:
    assert spell(text, frozenset(wanted)) == told


@given(st.text("abs01 .-@/:+_'&,()\n", max_size=60))
def test_the_quick_pattern_finds_the_same_chunks(small: str) -> None:
    quick = tokens._chunk_of(small)
    assert quick.findall(small) == tokens._ASCII_CHUNK.findall(small)


@given(st.text(max_size=100))
def test_only_what_stands_in_a_text_is_told_of_it(text: str) -> None:
    told = spell(text, frozenset(tokenize(text)))
    assert all(word in text or word in fold(text) for word in told.values())


@given(st.lists(st.sampled_from(["kitchen", "Gärten", "SKU-4417/B", "42", "北京市", "서울에서", "дома"])))
def test_every_token_is_told(words: list[str]) -> None:
    tokens = tokenize(", ".join(words))
    assert set(spell(", ".join(words), frozenset(tokens))) == set(tokens)


def test_a_long_text_is_cut() -> None:
    assert len(tokenize("我" * 50_000)) == MAX_TOKENS
    assert tokenize("the " + "x" * 500) == ["x" * MAX_LENGTH]
    assert max(map(len, tokenize("x" * 500))) == MAX_LENGTH


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


@given(st.text(max_size=60), st.text(max_size=60), st.sampled_from(Reading))
def test_lines_are_independent(first: str, second: str, reading: Reading) -> None:
    both = tokenize(f"{first}\n\n\n\n{second}", reading)
    apart = tokenize(first, reading) + tokenize(second, reading)
    stop_words = STOP_WORDS | DROPPED[reading]
    assert set(both) <= set(apart)
    assert {token for token in apart if token not in stop_words} <= set(both) | stop_words


@given(st.text(max_size=60), st.sampled_from(Reading))
def test_whatever_a_text_is_taken_for_its_words_are_found(text: str, reading: Reading) -> None:
    stop_words = frozenset().union(*DROPPED.values())
    found = set(tokenize(text, reading))
    for word in fold(text).split():
        if not stop_words & {word, *tokenize(word, Reading.ENGLISH)}:
            assert set(tokenize(word, Reading.ENGLISH)) <= found


def test_what_is_simplified_is_simple() -> None:
    assert not set(SIMPLIFIED) & set(map(ord, SIMPLIFIED.values()))


@given(
    st.lists(
        st.sampled_from(["kitchen", "the", "Gärten", "auf", "nyumba", "kwa", "42", "北京", "서울", "дома"]),
        max_size=20,
    )
)
def test_every_word_finds_its_text(words: list[str]) -> None:
    tokens = set(tokenize(" ".join(words)))
    for word in set(words) - {"the", "auf", "kwa"}:
        assert set(tokenize(word.upper())) & tokens


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
