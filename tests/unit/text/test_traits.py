from __future__ import annotations

import pytest
from hypothesis import given, strategies as st

from recollect.core.text.traits import LONGEST_READ, SHORTEST, Trait, traits

LONG = " and that is how it went on, and on, until nobody was listening any longer"


@pytest.mark.parametrize(
    ("text", "trait"),
    [
        ("Did you see it? I did not.", Trait.ASKS),
        ("你喜欢猫吗？", Trait.ASKS),
        ('She said: "did you see it?"', Trait.ENDS_ASKING),
        ("There were 3.", Trait.NUMBER),
        ("There were a dozen of them.", Trait.NUMBER),
        ("It was at 10:30.", Trait.TIME),
        ("The house dates from 1987.", Trait.TIME),
        ("We met last Tuesday.", Trait.TIME),
        ("It was €40.", Trait.MONEY),
        ("It was forty dollars.", Trait.MONEY),
        ("We asked Bea.", Trait.NAME),
        ("We live in Oslo.", Trait.PLACE),
        ("They bought us a cake.", Trait.FIRST),
        ("It is yours.", Trait.SECOND),
        ("There were apples, pears and plums.", Trait.LIST),
        ("To buy:\n- apples\n- pears", Trait.LIST),
        ("1. Peel\n2. Boil", Trait.LIST),
        ("Wow, that went well.", Trait.GREETING),
        ("Good morning!", Trait.GREETING),
        ("It is called “The Lake”.", Trait.QUOTATION),
        ("See https://example.com for it.", Trait.LINK),
        ("Write to ann@example.com for it.", Trait.LINK),
        ("They left because it rained.", Trait.REASON),
    ],
)
def test_a_text_has_it_whatever_follows(text: str, trait: Trait) -> None:
    assert trait in traits(text)
    assert trait is Trait.ENDS_ASKING or trait in traits(text + LONG)


@pytest.mark.parametrize(
    ("text", "absent"),
    [
        ("Did you see it? We did not.", Trait.ENDS_ASKING),
        ("The flat is light.", ~Trait.SHORT),
        ("So I went.", Trait.NAME | Trait.PLACE),
        ("That is what I told them, and I meant it.", Trait.NAME | Trait.PLACE),
        ("It is done, sadly.", Trait.LIST),
        ("The tonight show", Trait.NUMBER),
        ("", ~Trait.SHORT),
    ],
)
def test_a_text_has_not_what_it_does_not_say(text: str, absent: Trait) -> None:
    assert not traits(text) & absent


def test_short_is_measured_in_characters() -> None:
    assert Trait.SHORT in traits("x" * SHORTEST)
    assert Trait.SHORT not in traits("x" * (SHORTEST + 1))


@given(st.text())
def test_any_text_has_traits_that_fit_a_smallint(text: str) -> None:
    found = traits(text)
    assert 0 <= found < 2**15
    assert found == traits(text)
    assert (Trait.SHORT in found) == (len(text) <= SHORTEST)


def test_only_the_beginning_of_a_long_text_is_read() -> None:
    assert traits("a" * LONGEST_READ + " because of Bea?") == traits("a" * LONGEST_READ)
