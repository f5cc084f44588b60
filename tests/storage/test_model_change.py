"""The embedding model is changed while everything serves."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

import pytest
from testbed import Bed, Database, HashedWords, SetClock

from recollect.core.embeddings import Embeddings
from recollect.core.errors import Conflict, ModelMismatch
from recollect.core.graph import NewEntity
from recollect.core.model import Filter, Message, Note, Principal, Turns
from recollect.core.ports import Embedder, Vectors
from recollect.core.reembedding import BATCH, change_model
from recollect.core.service import Service
from recollect.storage.pool import PostgresStorage

pytestmark = pytest.mark.anyio

OLD, NEW = HashedWords(), HashedWords(model="narrower", dimensions=32)


async def open_by_name(model: str) -> Embedder:
    return {embedder.model: embedder for embedder in (OLD, NEW)}[model]


async def follower(bed: Bed) -> tuple[Embeddings, Service]:
    """Another server over the same database, which can open both models."""
    embeddings = Embeddings(bed.storage, open_by_name)
    await embeddings.start(None, OLD.model)
    return embeddings, Service(bed.storage, embeddings, SetClock())


@dataclass(frozen=True, slots=True)
class Shop:
    """A tenant with something to remember, in `size` turns and a note."""

    principal: Principal
    size: int = 2 * BATCH + 3

    async def fill(self, service: Service) -> None:
        messages = [
            Message(f"Sofa number {number} is what I like", name="Ines") for number in range(self.size)
        ]
        await service.remember(self.principal, Turns("s1", messages, user_id="ines"))
        await service.add(self.principal, [Note("She owns a piano", user_id="ines")])

    async def tenants(self) -> Sequence[UUID]:
        return [self.principal.tenant_id]

    async def best(self, service: Service, query: str) -> str:
        hits = await service.recall(self.principal, query, Filter(user_id="ines"), limit=1)
        return hits[0].memory.content


def models_of_rows(database: Database) -> dict[object, object]:
    return dict(
        database.rows(
            "SELECT e.name, count(*) FROM memories AS m "
            "JOIN embedding_models AS e ON e.id = m.embedding_model "
            "GROUP BY e.name"
        )
    )


async def test_every_vector_is_replaced_and_recall_never_stops(bed: Bed) -> None:
    shop = Shop(await bed.tenant("loft"))
    embeddings, service = await follower(bed)
    await shop.fill(service)
    seen: list[tuple[str, str]] = []

    class Watched(HashedWords):
        """Recalls, by a server that noticed and one that did not, whenever a batch is embedded."""

        async def embed(self, texts: Sequence[str]) -> Vectors:
            await embeddings.refresh()
            seen.append(
                (await shop.best(service, "sofa number 77"), await shop.best(bed.service, "sofa number 77"))
            )
            return await NEW.embed(texts)

    done: list[int] = []
    changed = await change_model(bed.storage, Watched("narrower", 32), shop.tenants, done.append)
    assert changed == sum(done) == shop.size + 1
    assert models_of_rows(bed.database) == {"narrower": shop.size + 1}
    assert bed.database.value("SELECT count(*) FROM embedding_models") == 1
    assert len(seen) == 3
    assert {text for both in seen for text in both} == {"Sofa number 77 is what I like"}
    await embeddings.refresh()
    assert embeddings.model.name == "narrower"
    assert await shop.best(service, "does she own a piano") == "She owns a piano"
    assert bed.database.value("SELECT count(*) FROM memories WHERE window_embedding IS NULL") == 1


async def test_a_server_that_has_not_noticed_loses_nothing(bed: Bed) -> None:
    shop = Shop(await bed.tenant("loft"), size=5)
    _, late = await follower(bed)
    await shop.fill(late)

    class Slow(HashedWords):
        async def embed(self, texts: Sequence[str]) -> Vectors:
            if len(texts) > 2:
                await late.add(shop.principal, [Note("Written in the middle", user_id="ines")])
            return await NEW.embed(texts)

    await change_model(bed.storage, Slow("narrower", 32), shop.tenants, lambda _: None)
    await late.add(shop.principal, [Note("Written after the end", user_id="ines")])
    assert models_of_rows(bed.database) == {"narrower": 8}


async def test_a_change_that_was_cut_short_is_taken_up(bed: Bed) -> None:
    shop = Shop(await bed.tenant("loft"))
    _, service = await follower(bed)
    await shop.fill(service)

    class Failing(HashedWords):
        async def embed(self, texts: Sequence[str]) -> Vectors:
            if len(texts) < 2 * BATCH:
                raise ConnectionError
            return await NEW.embed(texts)

    with pytest.raises(ConnectionError):
        await change_model(bed.storage, Failing("narrower", 32), shop.tenants, lambda _: None)
    assert models_of_rows(bed.database) == {"narrower": 2 * BATCH, OLD.model: shop.size + 1 - 2 * BATCH}
    with pytest.raises(Conflict, match="not finished"):
        await change_model(bed.storage, HashedWords("third", 16), shop.tenants, lambda _: None)
    assert await change_model(bed.storage, NEW, shop.tenants, lambda _: None) == shop.size + 1 - 2 * BATCH
    assert models_of_rows(bed.database) == {"narrower": shop.size + 1}


async def test_a_text_that_changes_meanwhile_keeps_its_own_vector(bed: Bed) -> None:
    shop = Shop(await bed.tenant("loft"), size=3)
    _, service = await follower(bed)
    await shop.fill(service)
    (first, *_) = await service.turns(shop.principal, "s1")

    class Correcting(HashedWords):
        corrected = False

        async def embed(self, texts: Sequence[str]) -> Vectors:
            if not Correcting.corrected:
                Correcting.corrected = True
                await service.correct(shop.principal, first.id, {"content": "An armchair, rather"})
            return await NEW.embed(texts)

    await change_model(bed.storage, Correcting("narrower", 32), shop.tenants, lambda _: None)
    assert models_of_rows(bed.database) == {"narrower": 4}
    (vector,) = await NEW.embed(["An armchair, rather"])
    distance = bed.database.value(
        "SELECT max(embedding <=> %s::halfvec) FROM memories WHERE id = %s", str(vector.tolist()), first.id
    )
    assert isinstance(distance, float)
    assert distance < 1e-3


async def test_the_names_in_the_graph_are_embedded_anew(bed: Bed) -> None:
    shop = Shop(await bed.tenant("loft"), size=1)
    embeddings, service = await follower(bed)
    await shop.fill(service)
    names = [f"Sofa {number}" for number in range(BATCH + 2)]
    made = await service.put_entities(
        shop.principal, [NewEntity(name, user_id="ines", description="Blue.") for name in names]
    )

    class Renaming(HashedWords):
        async def embed(self, texts: Sequence[str]) -> Vectors:
            if made[0].text in texts:
                await service.change_entity(shop.principal, made[0].id, {"name": "Armchair"})
                await service.change_entity(shop.principal, made[1].id, {"description": "Green."})
            return await NEW.embed(texts)

    assert await change_model(bed.storage, Renaming("narrower", 32), shop.tenants, lambda _: None) == 2
    assert bed.database.value("SELECT count(*) FROM embedding_models") == 1
    await embeddings.refresh()
    last = f"{names[-1]}: Blue."
    for text, name in (("armchair: blue", "Armchair"), ("Sofa 1: Green.", "Sofa 1"), (last, names[-1])):
        (found,) = await service.search_entities(shop.principal, text, user_id="ines", limit=1)
        assert (found.entity.name, round(found.similarity, 2)) == (name, 1)


async def test_another_model_than_the_databases_is_refused_at_the_start(bed: Bed) -> None:
    embeddings = Embeddings(bed.storage, open_by_name)
    with pytest.raises(
        ModelMismatch, match=r"made by hashed-words; this process is set to narrower"
    ) as caught:
        await embeddings.start("narrower", OLD.model)
    assert "recollect model use narrower" in (caught.value.hint or "")


async def test_a_change_that_another_one_overtook_writes_no_vector(bed: Bed) -> None:
    shop = Shop(await bed.tenant("loft"), size=3)
    _, service = await follower(bed)
    await shop.fill(service)

    async def tenants() -> Sequence[UUID]:
        bed.database.rows("UPDATE embedding_models SET name = 'third' WHERE state = 'serving' RETURNING id")
        return await shop.tenants()

    with pytest.raises(Conflict, match="to third"):
        await change_model(bed.storage, NEW, tenants, lambda _: None)
    assert models_of_rows(bed.database) == {OLD.model: 4}


async def test_of_two_models_for_a_new_database_one_is_refused(database: Database) -> None:
    async with await PostgresStorage.open(database.url, size=2) as storage:
        first, second = Embeddings(storage, open_by_name), Embeddings(storage, open_by_name)
        starts = (first.start(OLD.model, OLD.model), second.start(NEW.model, OLD.model))
        done = await asyncio.gather(*starts, return_exceptions=True)
    assert [type(one) for one in done if one] == [ModelMismatch]
