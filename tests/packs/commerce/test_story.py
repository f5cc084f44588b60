"""The shopper's story, as `recollect demo commerce` plays it: by rules, and with a language model."""

from __future__ import annotations

import json
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

import pytest
import vendors
from interfaces.door import Door
from testbed import Bed
from vendors import Asked, Reply, running

from recollect.adapters.language import open_language_model
from recollect.core import pack
from recollect.core.consolidate.consolidation import Consolidator, by_rules
from recollect.core.consolidate.language import LanguageReader
from recollect.core.language import Language, Prices
from recollect.core.model import JsonObject, tenant_id_of
from recollect.core.playing import Played, Player
from recollect.core.replying import Replies
from recollect.core.service import Service
from recollect.packs.commerce import PACK

pytestmark = pytest.mark.anyio


async def play(bed: Bed, door: Door, service: Service, language: Language) -> list[Played]:
    """The story, played to its end."""
    client = await door.client("loft")
    assert (await client.put("/v1/packs/commerce")).status_code == 200
    principal = bed.tenants.principal(door.tenant("loft"))
    assert principal.tenant_id == tenant_id_of(door.tenant("loft"))

    async def request(
        method: str, path: str, params: Mapping[str, Any], body: Mapping[str, Any]
    ) -> JsonObject:
        response = await client.request(method, path, params=dict(params), json=dict(body) or None)
        assert response.is_success, response.text
        answer: JsonObject = response.json()
        return answer

    assert PACK.story
    player = Player(service, Replies(language), principal, PACK, request)
    return [one async for one in player.play(PACK.story)]


async def test_it_is_true_by_rules_alone(shop_bed: Bed, door: Door) -> None:
    language = Language(shop_bed.storage, shop_bed.clock, monthly=Decimal(10))
    played = await play(shop_bed, door, shop_bed.service, language)
    assert {one.step: one.missing for one in played if one.missing} == {}
    assert {one.reply.by for one in played if one.reply} == {"memory"}


# What the model finds in what is said; whatever else is said tells it nothing.
FOUND = {
    "I'm Priya.": ("name", "Priya", "fact", True, "Name: Priya."),
    "I love mid-century furniture": ("style", "mid-century", "preference", True, "Likes mid-century style."),
    "we just moved to Covington": ("residence", "Covington", "fact", True, "Lives in Covington."),
    "I don't like leather": ("dislikes", "leather", "preference", False, "Does not like leather."),
    "I prefer Scandinavian style now": (
        "style",
        "Scandinavian",
        "preference",
        True,
        "Likes Scandinavian style.",
    ),
}


def think(asked: Asked) -> Reply:
    """What a model would answer: it reads conversations, and replies with what is remembered."""
    told = asked.body["messages"][-1]["content"]
    text = told if isinstance(told, str) else told[0]["text"]
    if "<conversation>" not in text:
        remembered = text.partition("<remembered>")[2].rpartition("</remembered>")[0]
        return vendors.anthropic(json.dumps({"reply": f"Of course, Priya! {remembered}"}))
    lines = [json.loads(line) for line in text.splitlines() if line.startswith("{")]
    facts = [
        _fact(line["turn"], quote)
        for line in lines
        for quote in FOUND
        if quote in line["said"] and not line.get("known") and line["role"] == "user"
    ]
    summary = {"text": "", "topics": [], "sentiment": 0.0, "resolution": "open", "actions": []}
    return vendors.anthropic(json.dumps({"facts": facts, "entities": [], "summary": summary}))


def _fact(turn: int, quote: str) -> dict[str, Any]:
    attribute, value, kind, single, sentence = FOUND[quote]
    return {
        "turn": turn,
        "quote": quote,
        "subject": "user",
        "attribute": attribute,
        "value": value,
        "negated": False,
        "modality": "asserted",
        "kind": kind,
        "single": single,
        "since": "",
        "until": "",
        "corrects": False,
        "confidence": 0.9,
        "sentence": sentence,
    }


async def test_it_is_true_with_a_language_model(shop_bed: Bed, door: Door) -> None:
    async with running(think=think) as vendor:
        model = open_language_model("anthropic", "toy", key="test", base_url=vendor.url, seconds=10)
        language = Language(
            shop_bed.storage, shop_bed.clock, model, Prices(Decimal(1), Decimal(5)), Decimal(10)
        )
        reader = LanguageReader(language, by_rules)
        packs = shop_bed.service.packs
        service = Service(
            shop_bed.storage,
            shop_bed.embeddings,
            shop_bed.clock,
            consolidator=Consolidator(shop_bed.storage, shop_bed.embeddings, reader.read, packs.vocabulary),
            packs=packs,
        )
        played = await play(shop_bed, door, service, language)
        await language.aclose()
    assert {one.step: one.missing for one in played if one.missing} == {}
    assert {(one.reply.by, one.reply.fell_back) for one in played if one.reply} == {("toy", None)}
    systems = [json.dumps(one.body["system"]) for one in vendor.asked]
    for prompt in PACK.prompts.values():  # that of understanding, and that of replying
        assert any(json.dumps(prompt.strip())[1:-1] in one for one in systems)


async def test_without_its_language_model_memory_replies_and_says_why(shop_bed: Bed, door: Door) -> None:
    async with running(vendors.refused(401)) as vendor:
        model = open_language_model("anthropic", "toy", key="test", base_url=vendor.url, seconds=5)
        language = Language(
            shop_bed.storage, shop_bed.clock, model, Prices(Decimal(1), Decimal(5)), Decimal(10)
        )
        played = await play(shop_bed, door, shop_bed.service, language)
        await language.aclose()
    assert [one for one in played if one.missing] == []
    assert {one.reply.by for one in played if one.reply} == {"memory"}
    assert {one.reply.fell_back for one in played if one.reply} <= {"failed", "paused"}


def test_the_story_has_every_kind_of_step() -> None:
    assert PACK.story
    assert {type(step) for step in PACK.story.steps} == {pack.Said, pack.Asked, pack.Called, pack.Shown}
