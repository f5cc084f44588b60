"""Participants' names in what is said."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given, strategies as st

from recollect.core.text.names import mentioned, respell, strip_names

NAMES = ["Caroline", "Melanie Jones", "Will Smith"]


@pytest.mark.parametrize(
    ("text", "stripped"),
    [
        ("Wow, Caroline! What did Mel's kids paint?", "Wow! What did kids paint?"),
        ("Caroline's book", "book"),
        ("caroline’s book", "book"),
        ("Hey Mel! How are you?", "Hey! How are you?"),
        ("Caroline, how are you?", "how are you?"),
        ("How are you, Caroline", "How are you"),
        ("Thanks, Melanie, for the card", "Thanks, for the card"),
        ("What did CAROLINE tell Melanie Jones about it?", "What did tell about it?"),
        ("Will, will you come?", "will you come?"),
        ("I saw Caroline and Melanie (Caroline) today", "I saw today"),
        ("Melanies carolines", "Melanies carolines"),
        ("Two  spaces stay,  Caroline!", "Two  spaces stay!"),
        ("Jones' dog", "dog"),
        ("Hi\nCaroline\nbye", "Hi\n\nbye"),
        ("Carol sings; so does a car", "Carol sings; so does a car"),
        ("nobody here", "nobody here"),
    ],
)
def test_names_go_and_the_rest_stays_natural(text: str, stripped: str) -> None:
    assert strip_names(text, NAMES) == stripped


@pytest.mark.parametrize("text", ["Caroline", "Caroline!", "Mel's!", " Will Smith ", "", "…"])
def test_a_text_of_names_alone_stays(text: str) -> None:
    assert strip_names(text, NAMES) == text


@pytest.mark.parametrize(
    ("text", "names", "stripped"),
    [
        ("José's aunt met Zoe\u0308", ["jose", "Zoë"], "aunt met"),
        ("我和赵雅琳去吃饭", ["赵雅琳"], "我和去吃饭"),
        ("김민수 씨 안녕", ["김민수"], "씨 안녕"),
        ("Анна, привет", ["Анна"], "привет"),
        ("Vincent van Gogh took the van", ["Vincent van Gogh"], "took the van"),
        ("mark my words, Mark. May I?", ["Mark", "May"], "mark my words. I?"),
        ("Andrew and Andy. And so on", ["Andrew"], "and Andy. And so on"),
        ("Jo, John and Jon", ["Jon"], "Jo, John and"),
        ("hi there", ["", "  ", "."], "hi there"),
        ("hi there", [], "hi there"),
    ],
)
def test_names_of_many_kinds(text: str, names: list[str], stripped: str) -> None:
    assert strip_names(text, names) == stripped


def test_a_short_form_shared_by_two_is_nobodys() -> None:
    assert strip_names("Well, Mel, come in", ["Melanie", "Melissa"]) == "Well, Mel, come in"
    assert mentioned("Well, Mel, come in", ["Melanie", "Melissa"]) == ()


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("Did Mel and caroline see that?", ("Caroline", "Melanie Jones")),
        ("Ms Jones will know", ("Melanie Jones",)),
        ("Ask Will", ("Will Smith",)),
        ("I will ask", ()),
        ("", ()),
    ],
)
def test_who_is_mentioned(text: str, names: tuple[str, ...]) -> None:
    assert mentioned(text, NAMES) == names


def test_one_part_may_name_two() -> None:
    assert mentioned("the Jones family", ["Ann Jones", "Bob Jones"]) == ("Ann Jones", "Bob Jones")


@given(st.text(max_size=200), st.lists(st.text(max_size=20), max_size=4))
def test_any_text_and_any_names(text: str, names: list[str]) -> None:
    stripped = strip_names(text, names)
    assert stripped == text or len(stripped) < max(len(text), 1) * 4
    assert set(mentioned(text, names)) <= set(names)


@given(
    st.lists(st.sampled_from(["Caroline", "Mel", "we", "paint", ",", "!", "and", "today", "."]), max_size=12)
)
def test_nobody_is_mentioned_in_what_is_left(words: list[str]) -> None:
    text = " ".join(words)
    stripped = strip_names(text, ["Caroline", "Melanie"])
    assert stripped == text or "Caroline" not in stripped


def test_a_megabyte_of_names() -> None:
    assert strip_names("Caroline " * 110_000 + "paints", NAMES) == "paints"
    assert strip_names("Hello, Mel! " * 80_000, NAMES).count("Hello!") == 80_000
    depth = 20_000
    assert strip_names("x " + "(" * depth + "Mel" + ")" * depth, ["Mel"]) == "x"


@pytest.mark.parametrize(
    ("text", "respelt"),
    [
        ("What did Melany say?", "What did Melanie say?"),
        ("what did melany say?", "what did Melanie say?"),
        ("Karoline's and Carolline's book", "Caroline's and Caroline's book"),
        ("Has Caorline seen Melenie?", "Has Caroline seen Melanie?"),
        ("Where is Steven?", "Where is Stephen?"),
        ("Where is Zoe\u0301lie?", "Where is Zoélie?"),
        ("Did Sara and Erick come?", "Did Sarah and Eric come?"),
        ("Mel, Caroline, MELANIE", "Mel, Caroline, MELANIE"),
        ("Carolina, Carol and Stephanie sing carols", "Carolina, Carol and Stephanie sing carols"),
        ("Christian, Daniel and Simon", "Christian, Daniel and Simon"),
        ("caorline", "caorline"),
        ("", ""),
    ],
)
def test_a_question_names_people_as_they_are_known(text: str, respelt: str) -> None:
    names = ["Caroline", "Melanie Jones", "Stephen", "Sarah", "Eric", "Christina", "Danielle", "Simone"]
    assert respell(text, names) == respelt


def test_a_misspelling_of_two_names_is_of_neither() -> None:
    assert respell("Ask Katherin", ["Katharin", "Kathorin"]) == "Ask Katherin"
    assert respell("Ask Katherin", ["Katharin"]) == "Ask Katharin"


def test_a_name_that_is_a_word_is_not_read_into_others() -> None:
    assert respell("Grase and Willl came", ["Grace", "Will"]) == "Grase and Willl came"


def test_who_is_mentioned_may_be_misspelt() -> None:
    assert mentioned("What did Karoline and Melany see?", NAMES) == ("Caroline", "Melanie Jones")


@given(st.text(max_size=100), st.lists(st.text(max_size=20), max_size=4))
def test_any_question_and_any_names(text: str, names: list[str]) -> None:
    assert respell(text, names).count(" ") == unicodedata.normalize("NFC", text).count(" ")


@given(st.permutations(NAMES), st.sampled_from(["Melany", "Karoline", "Smyth"]))
def test_the_order_of_the_names_changes_no_spelling(names: list[str], word: str) -> None:
    assert respell(f"ask {word}", names) == respell(f"ask {word}", NAMES) != f"ask {word}"
