"""Names that go together, in a question."""

from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from recollect.core.text.alike import MOST_OTHERS, Names, other_names

ALIKE = (("Maria", "Maria Lopez", "my sister", "sister"), ("Luna", "dog", "my dog"), ("José", "the boss"))


@pytest.mark.parametrize(
    ("text", "others"),
    [
        ("Where does my sister live?", ("Maria", "Maria Lopez")),
        ("Where does MARIA LOPEZ's dog sleep?", ("my sister", "sister", "Luna")),
        ("What did jose want?", ("the boss",)),
        ("And (the boss)?", ("José",)),
        ("What about Mariana and the dogs?", ()),
        ("", ()),
    ],
)
def test_who_is_named_is_meant_by_all_their_names(text: str, others: tuple[str, ...]) -> None:
    assert other_names(text, Names((), ALIKE)) == others


def test_a_name_of_two_means_both() -> None:
    assert other_names("sister?", Names((), (("Ann", "sister"), ("Bea", "sister")))) == ("Ann", "Bea")


def test_participants_are_not_looked_for() -> None:
    alike = (("Ross", "Ross Geller", "my brother", "Rossy"),)
    assert other_names("my brother?", Names(("Ross Geller", "Monica"), alike)) == ("Rossy",)


@given(st.text(max_size=200), st.lists(st.lists(st.text(max_size=12), max_size=12).map(tuple), max_size=4))
def test_any_text_will_do(text: str, alike: list[tuple[str, ...]]) -> None:
    found = other_names(text, Names((), tuple(alike)))
    assert len(found) <= MOST_OTHERS
    assert set(found) <= {name for names in alike for name in names}
