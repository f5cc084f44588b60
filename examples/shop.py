"""A customer's memory, from Python: what README shows."""

import asyncio

from recollect import Recollect


async def main() -> None:
    async with Recollect.open() as memory:  # embedded; or Recollect.open("postgresql://…")
        shopper = memory.tenant("loft").user("customer-17")
        await shopper.remember(
            "I love modern furniture, and we just moved to Covington.", session="s1", idempotency_key="s1-1"
        )
        for hit in await shopper.recall("what style of furniture?"):
            print(hit.similarity, hit.memory.content, hit.why)


asyncio.run(main())
