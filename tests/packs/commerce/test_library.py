"""The pack from Python, without a server."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

import pytest
from testbed import Bed

from recollect.core.errors import Misconfigured, NotFound
from recollect.core.handles import TenantMemory

pytestmark = pytest.mark.anyio


async def test_a_pack_is_turned_on_and_briefs(shop_bed: Bed) -> None:
    loft = TenantMemory(shop_bed.service, shop_bed.storage, f"loft-{uuid4().hex}")
    assert await loft.turn_on("commerce") is True
    assert await loft.turn_on("commerce") is False
    shopper = loft.user("customer-17")
    await shopper.remember("I'm looking for something in walnut.", session="s1")
    await shop_bed.learn()
    (taste,) = await shopper.facts(attribute="material")
    assert taste.claim
    assert taste.claim.value == "walnut"
    brief = await shopper.brief("What do you know about me?", pack="commerce")
    assert "walnut" in brief.context.text
    assert (brief.missing, brief.behind, brief.is_empty) == ((), 0, False)
    with pytest.raises(NotFound):
        await shopper.brief("?", pack="nothing")
    with pytest.raises(Misconfigured):
        await shopper.brief("?", pack="commerce", context="nothing")
    assert await loft.turn_off("commerce") is True
    await shopper.remember("And something in oak.", session="s2", at=shop_bed.clock.now() + timedelta(days=1))
    await shop_bed.learn()
    assert [one.claim.value for one in await shopper.facts(attribute="material") if one.claim] == ["walnut"]
