"""The pack from Python, without a server."""

from __future__ import annotations

from datetime import datetime, timedelta
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


async def test_an_issue_that_was_put_right_is_over(shop_bed: Bed) -> None:
    loft = TenantMemory(shop_bed.service, shop_bed.storage, f"loft-{uuid4().hex}")
    await loft.turn_on("commerce")
    shopper, days = (
        loft.user("customer-17"),
        [shop_bed.clock.now() - timedelta(days=day) for day in (4, 3, 2, 1)],
    )

    async def issues(said: str, session: str, at: datetime) -> list[str]:
        await shopper.remember(said, session=session, at=at)
        await shop_bed.learn()
        return sorted(one.claim.value for one in await shopper.facts(attribute="issue") if one.claim)

    wobbly = ["drawer is stuck", "table is wobbly"]
    assert await issues("The drawer is stuck and the table is wobbly.", "s0", days[0]) == wobbly
    assert await issues("It is still not fixed.", "s1", days[1]) == wobbly
    assert await issues("Thanks, everything is fixed now!", "s3", days[3]) == []
    # What was told in between arrives late, and was put right since, too.
    assert await issues("The rug arrived stained.", "s2", days[2]) == []
