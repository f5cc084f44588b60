"""The graph over HTTP."""

from __future__ import annotations

from typing import Any
from uuid import uuid4

import httpx2
import pytest

from interfaces.door import Door, code

pytestmark = pytest.mark.anyio


async def make(client: httpx2.AsyncClient, name: str, **fields: Any) -> str:
    """The id of a new entity of the user c17."""
    answer = await client.post("/v1/entities", json={"name": name, "user_id": "c17", **fields})
    assert answer.status_code == 201, answer.text
    id_: str = answer.json()["id"]
    return id_


async def join(client: httpx2.AsyncClient, source: str, kind: str, target: str, **fields: Any) -> str:
    body = {"source_id": source, "target_id": target, "kind": kind, **fields}
    answer = await client.post("/v1/relations", json=body)
    assert answer.status_code == 201, answer.text
    id_: str = answer.json()["id"]
    return id_


async def read(client: httpx2.AsyncClient, path: str, **params: Any) -> Any:
    answer = await client.get(path, params=params)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def test_an_entity_comes_back_as_it_was_made(loft: httpx2.AsyncClient) -> None:
    body = {
        "name": "Nördlich",
        "kind": "brand",
        "user_id": "c17",
        "aliases": ["the Nordics"],
        "attributes": {"since": [1951, None]},
        "description": "Shelves of pale oak.",
        "min_role": "staff",
    }
    made = (await loft.post("/v1/entities", json=body)).json()
    assert {name: made[name] for name in body} == body
    assert (made["by_hand"], made["settled"], made["merged_into"]) == (True, False, None)
    assert (await read(loft, f"/v1/entities/{made['id']}")) == {"entity": made, "merged": []}
    again = await loft.post("/v1/entities", json=body)
    assert (again.status_code, code(again)) == (409, "already_exists")


async def test_it_is_put_right_and_deleted(loft: httpx2.AsyncClient) -> None:
    id_ = await make(loft, "Akme")
    changed = (await loft.patch(f"/v1/entities/{id_}", json={"name": "Acme", "aliases": ["the firm"]})).json()
    assert (changed["name"], changed["aliases"], changed["kind"]) == ("Acme", ["the firm"], "thing")
    told = (await loft.patch(f"/v1/entities/{id_}", json={"description": "Makes anvils."})).json()
    assert (told["name"], told["description"]) == ("Acme", "Makes anvils.")
    assert code(await loft.patch(f"/v1/entities/{id_}", json={})) == "invalid_request"
    assert code(await loft.patch(f"/v1/entities/{id_}", json={"min_role": "staff"})) == "invalid_request"
    assert (await loft.delete(f"/v1/entities/{id_}")).json() == {"entities": 1, "relations": 0}
    assert (await loft.delete(f"/v1/entities/{id_}")).json() == {"entities": 0, "relations": 0}
    assert code(await loft.get(f"/v1/entities/{id_}")) == "not_found"


async def test_a_list_is_read_to_its_end(loft: httpx2.AsyncClient) -> None:
    ids = {await make(loft, f"Sofa {number}", kind="product") for number in range(5)}
    await make(loft, "Ann", kind="person")
    seen: list[str] = []
    cursor: dict[str, str] = {}
    while True:
        page = await read(loft, "/v1/entities", prefix="sofa", kinds=["product"], limit=2, **cursor)
        seen += [one["id"] for one in page["entities"]]
        if page["next_cursor"] is None:
            break
        cursor = {"cursor": page["next_cursor"]}
    assert len(seen) == 5
    assert set(seen) == ids
    foreign = (await read(loft, "/v1/entities", limit=1))["next_cursor"]
    assert code(await loft.get("/v1/memories", params={"cursor": foreign})) == "invalid_cursor"
    assert code(await loft.get("/v1/entities", params={"cursor": "x"})) == "invalid_cursor"
    assert (await read(loft, "/v1/entities", user_id="c18"))["entities"] == []


async def test_neighbours_and_paths(loft: httpx2.AsyncClient) -> None:
    ann, maria, acme = await make(loft, "Ann"), await make(loft, "Maria"), await make(loft, "Acme")
    sister = await join(loft, ann, "sister", maria, attributes={"elder": True})
    await join(
        loft, maria, "employer", acme, valid_from="2020-01-01T00:00:00Z", valid_to="2024-01-01T00:00:00Z"
    )
    around = await read(loft, f"/v1/entities/{ann}/neighbours", depth=2)
    assert [(one["entity"]["name"], one["distance"]) for one in around["neighbours"]] == [("Maria", 1)]
    assert [(one["id"], one["attributes"]) for one in around["relations"]] == [(sister, {"elder": True})]
    then = await read(loft, f"/v1/entities/{maria}/neighbours", as_of="2023-01-01T00:00:00Z")
    assert [one["entity"]["name"] for one in then["neighbours"]] == ["Acme"]
    none = await read(loft, f"/v1/entities/{ann}/neighbours", kinds=["employer", "friend"])
    assert none["neighbours"] == []
    (way,) = (await read(loft, "/v1/entities/path", **{"from": ann, "to": maria}))["paths"]
    assert [one["name"] for one in way["entities"]] == ["Ann", "Maria"]
    assert (await read(loft, "/v1/entities/path", **{"from": ann, "to": acme}))["paths"] == []
    assert code(await loft.get(f"/v1/entities/{ann}/neighbours", params={"depth": 4})) == "invalid_request"
    assert code(await loft.get("/v1/entities/path", params={"from": ann})) == "invalid_request"
    assert code(await loft.get("/v1/entities/path", params={"from": ann, "to": str(uuid4())})) == "not_found"
    assert (await loft.delete(f"/v1/relations/{sister}")).json() == {"entities": 0, "relations": 1}
    assert (await loft.delete(f"/v1/relations/{sister}")).json() == {"entities": 0, "relations": 0}


async def test_a_timeline_is_read_page_by_page(loft: httpx2.AsyncClient) -> None:
    ann, acme = await make(loft, "Ann"), await make(loft, "Acme")
    for year in (2020, 2022):
        await join(
            loft,
            ann,
            "employer",
            acme,
            valid_from=f"{year}-01-01T00:00:00Z",
            valid_to=f"{year + 1}-01-01T00:00:00Z",
        )
    path = f"/v1/entities/{acme}/timeline"
    first = await read(loft, path, limit=3)
    assert [(one["what"], one["at"][:4]) for one in first["occasions"]] == [
        ("ended", "2023"), ("began", "2022"), ("ended", "2021"),
    ]  # fmt: skip
    (last,) = (await read(loft, path, limit=3, cursor=first["next_cursor"]))["occasions"]
    assert (last["what"], last["relation"]["source_id"], last["memory"]) == ("began", ann, None)
    assert code(await loft.get(path, params={"cursor": "x"})) == "invalid_cursor"


async def test_a_search_names_and_nears(loft: httpx2.AsyncClient) -> None:
    await make(loft, "Maria", aliases=["my sister"])
    await make(loft, "Acme")
    await make(loft, "Sister Act")
    body = {"query": "Where does my sister live?", "user_id": "c17"}
    hits = (await loft.post("/v1/entities/search", json=body)).json()["hits"]
    assert [(one["entity"]["name"], one["named"]) for one in hits] == [("Maria", True), ("Sister Act", False)]
    floor = body | {"min_similarity": 0.9, "include_shared": True, "kinds": ["thing"]}
    assert (await loft.post("/v1/entities/search", json=floor)).json()["hits"] == []
    hits = (await loft.post("/v1/entities/search", json=floor | {"query": "acme"})).json()["hits"]
    assert [one["entity"]["name"] for one in hits] == ["Acme"]
    assert code(await loft.post("/v1/entities/search", json={"query": "  "})) == "invalid_request"


async def test_merged_and_told_apart(loft: httpx2.AsyncClient) -> None:
    maria, sis = await make(loft, "Maria"), await make(loft, "Sis")
    family = (await loft.post(f"/v1/entities/{sis}/merge", json={"into": maria})).json()
    assert (family["entity"]["id"], family["entity"]["aliases"]) == (maria, ["Sis"])
    assert [one["id"] for one in family["merged"]] == [sis]
    assert [one["name"] for one in (await read(loft, "/v1/entities"))["entities"]] == ["Maria"]
    circle = await loft.post(f"/v1/entities/{maria}/merge", json={"into": sis})
    assert (circle.status_code, code(circle)) == (409, "conflict")
    apart = (await loft.post(f"/v1/entities/{sis}/unmerge")).json()
    assert (apart["entity"]["merged_into"], apart["entity"]["settled"]) == (None, True)
    assert len((await read(loft, "/v1/entities"))["entities"]) == 2


async def test_an_entity_is_somebodys_or_shared(door: Door, loft: httpx2.AsyncClient) -> None:
    assert code(await loft.post("/v1/entities", json={"name": "Acme"})) == "invalid_request"
    shared = (await loft.post("/v1/entities", json={"name": "Acme", "shared": True})).json()
    person = await door.person("loft", "c17")
    theirs = (await person.post("/v1/entities", json={"name": "Luna", "kind": "pet"})).json()
    assert (shared["user_id"], theirs["user_id"]) == (None, "c17")
    assert {one["name"] for one in (await read(person, "/v1/entities"))["entities"]} == {"Acme", "Luna"}
    assert code(await person.post("/v1/entities", json={"name": "X", "shared": True})) == "forbidden"
    assert code(await person.delete(f"/v1/entities/{shared['id']}")) == "forbidden"
    assert code(await (await door.client("attic")).get(f"/v1/entities/{theirs['id']}")) == "not_found"
    reader = await door.reader("loft")
    for method, path in (
        ("POST", f"/v1/entities/{theirs['id']}/unmerge"),
        ("DELETE", f"/v1/entities/{theirs['id']}"),
        ("DELETE", f"/v1/relations/{uuid4()}"),
    ):
        assert code(await reader.request(method, path)) == "forbidden"
