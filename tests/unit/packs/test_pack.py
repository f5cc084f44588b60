"""A pack's folder is read whole, or refused with the place and what to do."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest

from recollect.core.errors import Misconfigured, RecollectError
from recollect.core.manifest import read_pack
from recollect.core.pack import Asked, Called, ItemField, ItemSchema, Pack, Said, Shown
from recollect.core.packs import Packs
from recollect.packs.commerce import PACK as COMMERCE

HEAD = 'name = "garden"\nabout = "Plants."\n'
SECTION = HEAD + '[[context]]\nname="c"\n[[context.section]]\ntitle="t"\n'
ENTITY = '[[entity]]\nkind = "plant"\nabout = "Grows."\n'
ITEMS = '[items]\nkind = "thing"\n'
FIELD = '[[items.field]]\nname = "light"\ntype = "text"\n'
ASKING = """
user = "a"
name = "A"
about = "b"
[[step]]
at = 2026-01-01T00:00:00Z
session = "s"
asks = "c"
"""
Write = Callable[..., str]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Write]:
    """Makes a package of files, and gives its name."""
    monkeypatch.syspath_prepend(tmp_path)
    made: list[str] = []

    def make(**texts: str) -> str:
        name = f"pack_{uuid4().hex}"
        folder = tmp_path / name
        (folder / "prompts").mkdir(parents=True)
        (folder / "__init__.py").write_text("", "utf-8")
        for file, text in texts.items():
            path = folder / ("prompts/" if file.endswith("_md") else "") / file.replace("_", ".")
            path.write_text(text, "utf-8")
        made.append(name)
        return name

    yield make
    for name in made:
        sys.modules.pop(name, None)


def test_a_name_and_what_it_is_about_are_enough(write: Write) -> None:
    pack = read_pack(write(pack_toml=HEAD))
    assert (pack.name, pack.path, pack.about) == ("garden", "/garden", "Plants.")
    assert (pack.entities, pack.contexts, pack.items, pack.story, pack.cases) == ((), (), None, None, ())


def test_the_whole_folder_is_read(write: Write) -> None:
    story = """
user = "ann"
name = "Ann"
about = "A gardener."
[[step]]
at = 2026-03-02T10:00:00Z
session = "s"
says = "I grow tomatoes."
[[step]]
at = 2026-03-09T10:00:00Z
session = "t"
asks = "What do I grow?"
expects = ["tomatoes"]
[[step]]
calls = "GET /plants"
why = "They are looked at."
[[step]]
shows = "graph"
"""
    pack = read_pack(
        write(
            pack_toml=HEAD
            + '[[entity]]\nkind = "plant"\nabout = "Grows."\n[retention]\nevent = 3\n'
            + '[[context]]\nname = "advice"\nsection = []\n'
            + '[scoring]\nlight = 1\n[items]\nkind = "plant"\n[[items.field]]\nname = "light"\ntype = "text"',
            prompts_md="",
            understanding_md="Plants.",
            story_toml=story,
            cases_toml='[[case]]\nsays = "I grow basil."\nnames = ["plant: basil"]',
        )
    )
    assert [one.kind for one in pack.entities] == ["plant"]
    assert pack.scoring == {"light": 1.0}
    assert pack.retention == {"event": 3}
    assert pack.prompts["understanding"] == pack.rules["instructions"] == "Plants."
    assert pack.story
    assert [type(step) for step in pack.story.steps] == [Said, Asked, Called, Shown]
    assert pack.story.steps[0] == Said(datetime(2026, 3, 2, 10, tzinfo=UTC), "s", "I grow tomatoes.")
    assert pack.cases[0].names == ("plant: basil",)


@pytest.mark.parametrize(
    ("files", "told"),
    [
        ({"pack_toml": 'about = "x"'}, "'name' is missing"),
        ({"pack_toml": 'name = "garden"'}, "'about' is missing"),
        ({"pack_toml": "name = "}, "is not TOML"),
        ({"pack_toml": 'name = "Garden"\nabout = "x"'}, "cannot be a pack's name"),
        ({"pack_toml": 'name = "v1"\nabout = "x"'}, "cannot be a pack's name"),
        ({"pack_toml": HEAD + 'colour = "green"'}, "'colour' is unknown"),
        ({"pack_toml": HEAD + "routes = 3"}, "routes: it is not a text"),
        ({"pack_toml": HEAD + '[[entity]]\nkind = "plant"'}, "entity 1: 'about' is missing"),
        (
            {"pack_toml": HEAD + '[[entity]]\nkind = "a"\nabout = "b"\nperson = 1'},
            "person: it is not true or false",
        ),
        ({"pack_toml": HEAD + "[scoring]\nlight = 'much'"}, "scoring, light: it is not a number"),
        ({"pack_toml": HEAD + "[retention]\nplant = 3"}, "'plant' is no kind of memory"),
        ({"pack_toml": HEAD + "[retention]\nevent = 0"}, "below 1"),
        (
            {"pack_toml": HEAD + '[[context]]\nname="c"\n[[context.section]]\ntitle="t"\nsource="stars"'},
            "source: it is none of facts",
        ),
        ({"pack_toml": HEAD, "story_toml": 'user = "a"\nname = "A"'}, "story.toml: 'about' is missing"),
        (
            {"pack_toml": HEAD, "story_toml": 'user="a"\nname="A"\nabout="b"\n[[step]]\nwhy = "c"'},
            "step 1: it does nothing",
        ),
        (
            {
                "pack_toml": HEAD,
                "story_toml": 'user="a"\nname="A"\nabout="b"\n[[step]]\nat=2026-01-01T00:00:00\n'
                'session="s"\nsays="c"',
            },
            "at: it is not a time with its zone",
        ),
        ({"pack_toml": HEAD + "[scoring]\nlight = 1"}, "scoring weighs items, and there are none"),
        (
            {"pack_toml": HEAD + '[scoring]\nlihgt = 1\n[items]\nkind = "thing"\nfield = []'},
            "scoring weighs lihgt, which no item has",
        ),
        ({"pack_toml": HEAD + '[items]\nkind = "moon"\nfield = []'}, "'moon' is no kind of entity"),
        ({"pack_toml": HEAD + 'routes = "routes"'}, "'routes' is not \"module:name\""),
        (
            {"pack_toml": HEAD + '[[context]]\nname="c"\nbudget=5\nsection=[]'},
            "its budget is below",
        ),
        (
            {"pack_toml": HEAD + '[[context]]\nname="c"\nsection=[]\n[[context]]\nname="c"\nsection=[]'},
            "there are 2 of context 'c'",
        ),
        (
            {
                "pack_toml": HEAD
                + '[[context]]\nname="c"\n[[context.section]]\ntitle="t"\nsource="turns"\nlimit=99'
            },
            "its limit is not from 1 to 20",
        ),
        (
            {
                "pack_toml": HEAD
                + '[[context]]\nname="c"\n[[context.section]]\ntitle="t"\nsource="entities"\nkinds=["moon"]'
            },
            "no kind of entity is moon",
        ),
        (
            {"pack_toml": SECTION + 'source = "facts"\nattributes = ["soil", "budget"]'},
            "section 't': no attribute is soil",
        ),
        ({"pack_toml": HEAD + '[[context]]\nname="c"\nsection=[]\nperson="x"'}, "'person' is unknown"),
        ({"pack_toml": HEAD + ENTITY + ENTITY}, "there are 2 of entity 'plant'"),
        ({"pack_toml": HEAD + ITEMS + FIELD + FIELD}, "there are 2 of field 'light'"),
        ({"pack_toml": HEAD + "[scoring]\nlight = inf\n" + ITEMS + FIELD}, "light weighs no number"),
        ({"pack_toml": HEAD + "[scoring]\nlight = nan\n" + ITEMS + FIELD}, "light weighs no number"),
        ({"pack_toml": HEAD, "cases_toml": "[[caes]]\nsays = 'x'"}, "cases.toml: 'caes' is unknown"),
        (
            {
                "pack_toml": HEAD,
                "story_toml": 'user="a"\nname="A"\nabout="b"\n[[step]]\nat=2026-01-01T00:00:00Z\n'
                'session="s"\nasks="c"',
            },
            "it asks, and the pack has no context",
        ),
        ({"pack_toml": HEAD, "cases_toml": "[[case]]\nfacts = []"}, "case 1: 'says' is missing"),
    ],
)
def test_what_is_wrong_is_told_with_its_place(write: Write, files: dict[str, str], told: str) -> None:
    with pytest.raises(Misconfigured) as refused:
        read_pack(write(**files))
    assert told in str(refused.value)
    assert refused.value.hint


def test_rules_that_cannot_be_read_stop_the_start(write: Write) -> None:
    pack = read_pack(write(pack_toml=HEAD + '[[attribute]]\nname = "soil"\nsingle = true\nfree = "("'))
    with pytest.raises(Misconfigured, match=f"{pack.package}/pack.toml, attribute 'soil'"):
        Packs.check({"garden": pack})


def test_code_is_had_by_its_name_or_refused(write: Write) -> None:
    pack = read_pack(write(pack_toml=HEAD, routes_py="router = 7"))
    assert pack.code("routes:router") == 7
    for reference in ("routes:nothing", "nowhere:router", "no name"):
        with pytest.raises(Misconfigured, match="cannot be had"):
            pack.code(reference)
    with pytest.raises(Misconfigured, match="has no context"):
        pack.context("chat")


def test_an_items_fields_are_checked() -> None:
    schema = ItemSchema(
        "plant",
        (
            ItemField("height", "number", unit="cm"),
            ItemField("light", "text", one_of=("sun", "shade")),
            ItemField("hardy", "flag"),
            ItemField("months", "list"),
        ),
    )
    assert (
        list(schema.check({"height": 3, "light": "sun", "hardy": True, "months": ["May"], "more": 1})) == []
    )
    wrong = {"height": True, "light": "moon", "hardy": 1, "months": ["May", 6]}
    assert list(schema.check(wrong)) == [
        "height must be a number.",
        "light must be one of sun, shade.",
        "hardy must be true or false.",
        "months must be a list of texts.",
    ]


def test_ours_declares_everything_that_a_pack_may() -> None:
    assert COMMERCE.routes
    assert COMMERCE.sample
    assert {one.kind for one in COMMERCE.entities} == {"customer", "order", "product", "preference", "issue"}
    assert [one.kind for one in COMMERCE.entities if one.person] == ["customer"]
    assert COMMERCE.items
    assert COMMERCE.scoring
    assert COMMERCE.retention
    assert COMMERCE.story
    assert len(COMMERCE.cases) == 71
    assert COMMERCE.code(COMMERCE.routes)
    assert COMMERCE.code(COMMERCE.sample)(customers=6).people


def test_a_pack_that_is_not_installed_is_told_with_those_that_are() -> None:
    packs = Packs(None, {"commerce": COMMERCE})  # type: ignore[arg-type]  # nothing is asked of it
    with pytest.raises(RecollectError) as refused:
        packs.find("garden")
    assert refused.value.status == 404
    assert "commerce" in str(refused.value.hint)
    assert packs.vocabulary(["commerce", "gone"]) is packs.vocabulary(["commerce"])
    assert isinstance(COMMERCE, Pack)
