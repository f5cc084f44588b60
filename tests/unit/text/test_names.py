"""Participants' names in what is said."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from recollect.core.text.names import mentioned, strip_names

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
