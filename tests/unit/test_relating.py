"""What relates items to a person: each point of a score is a reason, and each reason has its row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given, strategies as st
from testbed import NOON

from recollect.core.errors import Misconfigured
from recollect.core.manifest import read_pack
from recollect.core.model import Entity, Pairing
from recollect.core.pack import ItemField, ItemSchema, Reasons
from recollect.core.relating import Known, Limit, Related, Taste, meant, most, relate

LIGHTS, SOILS = ("sun", "half shade", "shade"), ("clay", "heavy clay", "sand")
SCHEMA = ItemSchema(
    "plant",
    (
        ItemField("light", "text", say="for {value}"),
        ItemField("soils", "list"),
        ItemField("edible", "flag"),
        ItemField("height", "number", unit="cm", say="{value} cm high"),
    ),
    reasons=Reasons(),
)
SCORING = {"light": 1.0, "soils": 0.5, "edible": 0.25, "height": 0.1, "owned": 0.5, "together": 2.0}
EVERY = 100


def _id(place: int) -> UUID:
    return UUID(int=place)


def plant(place: int, name: str = "", **attributes: Any) -> Entity:
    return Entity(_id(place), "plant", name or f"plant {place}", NOON, attributes=attributes)


def taste(field: str, value: str, days: int = 0, **more: Any) -> Taste:
    return Taste(field, value, NOON + timedelta(days=days), _id(1_000 + days), **more)


def found(items: list[Entity], known: Known, scoring: Mapping[str, float] = SCORING) -> dict[str, Related]:
    return {one.entity.name: one for one in relate(items, known, SCHEMA, scoring, EVERY)}


def texts(items: list[Entity], known: Known) -> dict[str, list[str]]:
    return {name: [why.text for why in one.reasons] for name, one in found(items, known).items()}


FERN = plant(1, "Fern", light="shade", soils=["heavy clay", "sand"], height=60)
ROSE = plant(2, "Rose", light="Sun", soils=["heavy clay"], height=150)
KALE = plant(3, "Kale", light="sun", soils=["sand"], edible=True, height=80.5)
MINT = plant(4, "Mint", light="half shade", edible=True)
GARDEN = [FERN, ROSE, KALE, MINT]


def test_nothing_known_gives_nothing() -> None:
    assert relate(GARDEN, Known(), SCHEMA, SCORING, EVERY) == []


def test_each_way_to_be_related_has_its_words_and_its_evidence() -> None:
    known = Known(
        asked=MINT,
        tastes=[taste("light", "sun"), taste("soils", "sand", 1, said=False)],
        limits=[Limit("height", 90, NOON, _id(77))],
        owned=[KALE],
        pairings=[Pairing(MINT.id, FERN.id, 3, 4, 9), Pairing(MINT.id, plant(9).id, 1, 4, 1)],
        had=frozenset([KALE.id]),
    )
    more = plant(5, "Thyme", light="sun", edible=True, height=20)
    assert texts([*GARDEN, more], known) == {
        "Fern": [
            "taken together with Mint 3 times",
            "sand, noted on 3 March 2026",
            "sand, like Kale, which you own",
            "60 cm high, within the limit that you gave on 2 March 2026",
        ],
        "Thyme": [
            "for sun, as you said on 2 March 2026",
            "for sun, like Kale, which you own",
            "edible, like Mint",
            "edible, like Kale, which you own",
            "20 cm high, within the limit that you gave on 2 March 2026",
        ],
    }
    thyme = found([*GARDEN, more], known)["Thyme"]
    assert [why.evidence for why in thyme.reasons] == [_id(1_000), None, None, None, _id(77)]
    assert thyme.score == pytest.approx(1 + 0.5 + 0.25 + 0.125 + 0.1)


def test_what_was_taken_together_once_is_said_so() -> None:
    known = Known(asked=FERN, pairings=[Pairing(FERN.id, ROSE.id, 1, 1, 1)])
    assert texts(GARDEN, known)["Rose"][0] == "taken together with Fern once"
    assert found(GARDEN, known)["Rose"].reasons[0].weight == SCORING["together"]


def test_what_they_have_and_what_is_asked_for_is_not_shown() -> None:
    known = Known(asked=MINT, tastes=[taste("light", "sun")], had=frozenset([KALE.id]))
    assert set(found(GARDEN, known)) == {"Rose"}


def test_what_they_do_not_like_and_what_exceeds_a_limit_is_not_shown() -> None:
    sunny = [taste("light", "sun")]
    assert set(found(GARDEN, Known(tastes=sunny))) == {"Rose", "Kale"}
    assert set(found(GARDEN, Known(tastes=[*sunny, taste("soils", "sand", against=True)]))) == {"Rose"}
    assert set(found(GARDEN, Known(tastes=sunny, limits=[Limit("height", 149, NOON, _id(7))]))) == {
        "Fern",
        "Kale",
    }


@pytest.mark.parametrize(("height", "shown"), [(10**400, False), (-(10**400), True), (True, True)])
def test_numbers_that_measure_nothing_break_nothing(height: Any, shown: bool) -> None:  # noqa: FBT001 - a case
    odd = plant(6, "Odd", light="sun", height=height)
    known = Known(tastes=[taste("light", "sun")], limits=[Limit("height", 90, NOON, _id(77))])
    assert ("Odd" in found([odd], known)) == shown


def test_what_was_said_last_of_a_thing_counts() -> None:
    liked, left = taste("light", "sun", 0), taste("light", "sun", 5, against=True)
    assert found(GARDEN, Known(tastes=[liked, left])) == {}
    assert set(found(GARDEN, Known(tastes=[left, replace(liked, since=NOON + timedelta(days=9))]))) == {
        "Rose",
        "Kale",
    }


def test_what_they_do_not_like_is_hidden_in_every_form_and_nothing_more() -> None:
    sunny = taste("light", "sun")
    no_clay, no_wet_clay = (taste("soils", said, 1, against=True) for said in ("clay", "very heavy clay"))
    assert set(found(GARDEN, Known(tastes=[sunny, no_clay]))) == {"Kale"}
    assert set(found(GARDEN, Known(tastes=[sunny, no_wet_clay]))) == {"Rose", "Kale"}
    again = taste("soils", "clay", 2)
    assert set(found(GARDEN, Known(tastes=[sunny, no_clay, again]))) == {"Fern", "Rose", "Kale"}


def test_of_what_they_like_one_at_a_time_only_the_newest_counts() -> None:
    old, new = taste("light", "sun", 0, single=True, said=False), taste("light", "shade", 5, single=True)
    assert set(found(GARDEN, Known(tastes=[new, old]))) == {"Fern"}
    several = [replace(one, single=False) for one in (old, new)]
    assert set(found(GARDEN, Known(tastes=several))) == {"Fern", "Rose", "Kale"}


def test_what_was_said_in_other_words_is_quoted() -> None:
    said = Known(tastes=[taste("soils", "clay")])
    assert texts(GARDEN, said)["Rose"] == ["heavy clay: you said clay on 2 March 2026"]
    assert texts(GARDEN, Known(tastes=[taste("light", "full sun")]))["Kale"] == [
        "for sun: you said full sun on 2 March 2026"
    ]


def test_what_was_put_down_counts_word_by_word() -> None:
    known = Known(tastes=[taste("light", "full sun", said=False), taste("soils", "Heavy-Clay", said=False)])
    assert texts(GARDEN, known) == {name: ["Heavy-Clay, noted on 2 March 2026"] for name in ("Fern", "Rose")}


@pytest.mark.parametrize(
    ("said", "values", "expected"),
    [
        ("shade", LIGHTS, ["shade"]),
        ("half-shade", LIGHTS, ["half shade"]),
        ("clay", SOILS, ["clay"]),
        ("a heavy clay soil", SOILS, ["heavy clay"]),
        ("peat", SOILS, []),
        ("?", SOILS, []),
    ],
)
def test_values_are_meant_by_their_words(said: str, values: tuple[str, ...], expected: list[str]) -> None:
    assert meant(said, values) == expected


@pytest.mark.parametrize(
    ("said", "unit", "expected"),
    [
        ("about 320 cm", "cm", 320.0),
        ("3,2 m", "cm", 320.0),
        ("84 inches", "cm", 213.36),
        ('10"', "cm", 25.4),
        ("2 metres", "mm", 2_000.0),
        ("12 weeks", "cm", None),
        ("$1.5k", "USD", 1_500.0),
        ("not much", "USD", None),
    ],
)
def test_a_limit_is_read_in_the_unit_of_its_field(said: str, unit: str, expected: float | None) -> None:
    assert most(said, unit) == expected


@pytest.mark.parametrize(
    ("items", "fault"),
    [
        ('[items.reasons]\ntogether = "with {who}"', "reasons, together: it may name {count}, {other} alone"),
        ('[items.reasons]\nsaid = "{value"', "reasons, said: "),
        ('[[items.field]]\nname = "x"\ntype = "text"\nsay = "{}"', "field x: it may name {value} alone"),
        ('[[items.limit]]\nattribute = "budget"\nfield = "light"', "'light' is no number"),
    ],
)
def test_words_that_could_not_be_said_are_refused(
    items: str, fault: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / f"wordy_pack_{abs(hash(items))}"
    folder.mkdir()
    (folder / "__init__.py").touch()
    head = 'name = "wordy"\nabout = "Wordy."\n[items]\nkind = "thing"\n'
    light = '[[items.field]]\nname = "light"\ntype = "text"\n'
    (folder / "pack.toml").write_text(f"{head}{light}{items}\n")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(Misconfigured) as raised:
        read_pack(folder.name)
    assert fault in str(raised.value)


# Of anything

_TASTES = st.builds(
    taste,
    st.just("light"),
    st.sampled_from(LIGHTS),
    st.integers(0, 9),
    against=st.booleans(),
    single=st.booleans(),
    said=st.booleans(),
)
_PLANTS = st.lists(
    st.builds(
        lambda **has: has, light=st.sampled_from(LIGHTS), edible=st.booleans(), height=st.integers(1, 200)
    ),
    min_size=1,
    max_size=8,
).map(lambda many: [plant(place, **has) for place, has in enumerate(many)])


@st.composite
def gardens(draw: st.DrawFn) -> tuple[list[Entity], Known]:
    items = draw(_PLANTS)
    ids = [one.id for one in items]
    owned = draw(st.lists(st.sampled_from(items), max_size=3, unique_by=lambda one: one.id))
    pairs = draw(st.lists(st.tuples(st.sampled_from(ids), st.sampled_from(ids)), max_size=4, unique=True))
    known = Known(
        draw(st.none() | st.sampled_from(items)),
        draw(st.lists(_TASTES, max_size=3)),
        [Limit("height", draw(st.integers(1, 200)), NOON, _id(7))] if draw(st.booleans()) else [],
        owned,
        [Pairing(one, other, draw(st.integers(1, 4)), 4, 4) for one, other in pairs],
        frozenset(one.id for one in owned),
    )
    return items, known


@given(gardens())
def test_a_score_is_the_sum_of_its_reasons_and_the_best_come_first(given: tuple[list[Entity], Known]) -> None:
    shown = relate(*given, SCHEMA, SCORING, EVERY)
    for one in shown:
        assert one.score == pytest.approx(sum(why.weight for why in one.reasons))
        assert all(why.weight > 0 for why in one.reasons)
        assert [why.weight for why in one.reasons] == sorted(
            (why.weight for why in one.reasons), reverse=True
        )
    assert [one.score for one in shown] == sorted((one.score for one in shown), reverse=True)
    assert relate(*given, SCHEMA, SCORING, 2) == shown[:2]


@given(gardens())
def test_no_reason_without_its_signal(given: tuple[list[Entity], Known]) -> None:
    items, known = given
    liked = " or ".join(one.value for one in known.tastes if not one.against)
    for one in relate(items, known, SCHEMA, SCORING, EVERY):
        assert one.entity.id not in known.had
        assert one.entity != known.asked
        for why in one.reasons:
            has = one.entity.attributes
            if "as you said" in why.text or "noted" in why.text:
                assert has["light"] in liked  # "half shade" is said in more words than "shade"
                assert why.evidence in {each.evidence for each in known.tastes}
            elif "together" in why.text:
                assert one.entity.id in {each.other for each in known.pairings}
            elif "which you own" in why.text:
                assert any(each.name in why.text for each in known.owned)
            elif "like" in why.text:
                assert known.asked is not None
            else:
                assert all(has["height"] <= each.most for each in known.limits)


@given(gardens(), st.sampled_from(["tastes", "limits", "owned", "pairings", "asked"]))
def test_without_a_signal_its_reasons_are_gone(given: tuple[list[Entity], Known], signal: str) -> None:
    items, known = given
    empty: dict[str, Any] = {signal: None if signal == "asked" else ()}
    gone = replace(known, **empty)
    marks = {
        "tastes": ("as you said", "noted"),
        "limits": ("within",),
        "owned": ("which you own",),
        "pairings": ("together",),
        "asked": (),
    }[signal]
    shown = [why.text for one in relate(items, gone, SCHEMA, SCORING, EVERY) for why in one.reasons]
    assert not [text for text in shown for mark in marks if mark in text]
    if signal == "asked":
        assert all("which you own" in text for text in shown if "like" in text)


@given(gardens(), st.sampled_from(sorted(SCORING)), st.floats(1, 4))
def test_more_weight_or_more_groups_never_make_a_score_less(
    given: tuple[list[Entity], Known], name: str, more: float
) -> None:
    items, known = given
    before = found(items, known)
    heavier = found(items, known, {**SCORING, name: SCORING[name] * more})
    closer = found(
        items, replace(known, pairings=[replace(one, count=min(4, one.count + 1)) for one in known.pairings])
    )
    for key, one in before.items():
        assert heavier[key].score >= one.score - 1e-9
        assert closer[key].score >= one.score - 1e-9
