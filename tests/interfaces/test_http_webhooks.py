"""Webhooks of packs: only what a tenant's own secret has signed comes in, and nothing else opens."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import httpx2
import pytest
from testbed import Bed, Database, HashedWords, SetClock, make_bed

from interfaces.door import BOUNDS, Door, code, make_door
from recollect.core.errors import InvalidSignature, Misconfigured, StorageUnavailable
from recollect.core.model import Filter, JsonObject, Kind, Note, Permission, Principal, Role, tenant_id_of
from recollect.core.pack import Pack, Signature, Webhook
from recollect.core.signatures import Sealed, derive_secret, sign
from recollect.core.webhooks import Webhooks
from recollect.interfaces.http.app import make_routes
from recollect.interfaces.http.calls import Call
from recollect.storage.pool import PostgresStorage

pytestmark = pytest.mark.anyio

MASTER = "the-secret-of-this-test-and-of-no-server"
PLAIN = Signature("X-Signature", prefix="sha256=")
TIMED = Signature("X-Signed", encoding="base64", signed="{timestamp}.{body}", timestamp_header="X-Time")
PACK = Pack(
    "little_shop",
    "A shop.",
    package="interfaces",
    webhooks=(
        Webhook("orders", "test_http_webhooks:receive", PLAIN),
        Webhook("till/sales", "test_http_webhooks:receive", TIMED),
    ),
)
ORDERS = "/little-shop/webhooks/orders"
SALES = "/little-shop/webhooks/till/sales"
BODY = json.dumps({"id": "7", "about": "An oak table."}).encode()


async def receive(call: Call, event: JsonObject) -> None:
    """Keep what the event is about."""
    note = Note(event["about"], Kind.EVENT, "ann")
    await call.service.add(call.principal, [note], idempotency_key=f"event-{event['id']}")


@pytest.fixture(scope="module")
async def shared_bed(module_database: Database) -> AsyncIterator[Bed]:
    """The core with the pack, over the module's database."""
    async with make_bed(module_database, HashedWords(), packs={PACK.name: PACK}) as bed:
        yield bed


@dataclass(frozen=True, slots=True)
class Sender:
    """A tenant with the pack on, and somebody who has its secret, but no key."""

    door: Door
    owner: httpx2.AsyncClient
    client: httpx2.AsyncClient
    tenant: str
    secret: str

    async def send(
        self, path: str = ORDERS, body: bytes = BODY, headers: Mapping[str, str] | None = None
    ) -> httpx2.Response:
        """Post a body, signed unless headers are given."""
        sent = headers or {"X-Signature": sign(PLAIN, self.secret, body)}
        return await self.post(path, body, sent.items())

    async def post(
        self, path: str, body: bytes, headers: Iterable[tuple[str, str]], **params: str
    ) -> httpx2.Response:
        """Post a body with these headers."""
        return await self.client.post(
            path,
            content=body,
            headers=[(name.encode(), value.encode("latin-1")) for name, value in headers],
            params={"tenant": self.tenant, **params},
        )

    async def kept(self) -> list[str]:
        """What the tenant remembers of Ann."""
        principal = Principal(tenant_id_of(self.tenant), "owner")
        return [one.content for one in await self.door.bed.service.memories(principal, Filter("ann"))]


@pytest.fixture
async def sender(shared_bed: Bed) -> AsyncIterator[Sender]:
    """The sender of the tenant `loft`, which has turned the pack on."""
    door = make_door(shared_bed, webhook_secret=MASTER)
    owner = await door.client("loft")
    assert (await owner.put("/v1/packs/little_shop")).status_code == 200
    shown = (await owner.get("/v1/packs/little_shop/webhooks")).json()
    yield Sender(door, owner, door.bearer(None), door.tenant("loft"), shown["secret"])
    await door.close()


def refusal(answer: httpx2.Response) -> str:
    """The code of a problem on a pack's wire."""
    problem = answer.json()
    assert (problem["success"], problem["status"]) == (False, answer.status_code)
    assert answer.headers["content-type"] == "application/problem+json"
    text: str = problem["code"]
    return text


async def test_what_is_signed_is_received_once(sender: Sender) -> None:
    for _ in range(2):
        answer = await sender.send()
        assert (answer.status_code, answer.json()) == (200, {"received": True})
    assert await sender.kept() == ["An oak table."]


async def test_the_owner_is_shown_where_and_how(sender: Sender) -> None:
    shown = (await sender.owner.get("/v1/packs/little_shop/webhooks")).json()
    assert shown["secret"] == derive_secret(MASTER, tenant_id_of(sender.tenant), "little_shop")
    assert [one["path"] for one in shown["webhooks"]] == [
        f"{ORDERS}?tenant={sender.tenant}",
        f"{SALES}?tenant={sender.tenant}",
    ]
    assert shown["webhooks"][1]["signed"] == "{timestamp}.{body}"
    assert code(await sender.owner.get("/v1/packs/nothing/webhooks")) == "not_found"
    staff = await sender.door.client("loft", role=Role.STAFF)
    assert code(await staff.get("/v1/packs/little_shop/webhooks")) == "forbidden"
    writer = await sender.door.client("loft", permissions=frozenset({Permission.WRITE}))
    assert code(await writer.get("/v1/packs/little_shop/webhooks")) == "forbidden"
    # Whoever has the secret can write: it is not for who may only read.
    reader = await sender.door.reader("loft")
    assert code(await reader.get("/v1/packs/little_shop/webhooks")) == "forbidden"
    assert code(await sender.client.get("/v1/packs/little_shop/webhooks")) == "unauthenticated"


async def test_a_timestamp_is_signed_too_and_does_not_last(sender: Sender) -> None:
    at = int(sender.door.bed.clock.now().timestamp())
    for off, status in ((0, 200), (-300, 200), (-301, 401), (301, 401)):
        time = str(at + off)
        headers = {"X-Time": time, "X-Signed": sign(TIMED, sender.secret, BODY, time)}
        assert (await sender.send(SALES, headers=headers)).status_code == status
    moved = {"X-Time": str(at + 1), "X-Signed": sign(TIMED, sender.secret, BODY, str(at))}
    assert refusal(await sender.send(SALES, headers=moved)) == "unauthenticated"
    assert refusal(await sender.send(SALES)) == "unauthenticated"


async def test_what_is_not_signed_as_it_must_be_is_refused(sender: Sender) -> None:
    good = sign(PLAIN, sender.secret, BODY)
    other = derive_secret(MASTER, tenant_id_of("attic"), "little_shop")
    forged: list[list[tuple[str, str]]] = [
        [],
        [("X-Signature", good), ("X-Signature", good)],
        [("X-Signature", good.removeprefix("sha256="))],
        [("X-Signature", "sha256=" + "\xe9" * 64)],
        [("X-Signature", sign(PLAIN, other, BODY))],
        [("X-Signature", sign(PLAIN, "", BODY))],
        [("X-Signature", sign(PLAIN, MASTER, BODY))],
        [("X-Signature", sign(PLAIN, sender.secret, BODY + b" "))],
        [("Authorization", "Bearer " + good)],
    ]
    for headers in forged:
        answer = await sender.post(ORDERS, BODY, headers)
        assert (answer.status_code, refusal(answer)) == (401, "unauthenticated")
    assert await sender.kept() == []


async def test_which_tenants_there_are_is_not_told(sender: Sender) -> None:
    """Not even to whoever has a secret: one of a tenant that is not there, or has the pack off."""
    await sender.door.key("attic")
    wrong = (await sender.post(ORDERS, BODY, [])).json()
    for tenant in ("nobody", sender.door.tenant("attic"), "", "\x00", "é" * 500):
        secret = derive_secret(MASTER, tenant_id_of(tenant), "little_shop")
        signed = [("X-Signature", sign(PLAIN, secret, BODY))]
        answer = await sender.post(ORDERS, BODY, signed, tenant=tenant)
        assert (answer.status_code, answer.json()) == (401, wrong)
    assert (await sender.client.post(ORDERS, content=BODY)).json() == wrong
    await sender.owner.delete("/v1/packs/little_shop")
    assert (await sender.send()).json() == wrong


async def test_a_sender_of_one_tenant_reaches_no_other(sender: Sender) -> None:
    attic = await sender.door.client("attic")
    await attic.put("/v1/packs/little_shop")
    signed = [("X-Signature", sign(PLAIN, sender.secret, BODY))]
    other = sender.door.tenant("attic")
    assert (await sender.post(ORDERS, BODY, signed, tenant=other)).status_code == 401
    assert (await sender.send()).status_code == 200
    assert (await attic.get("/v1/memories", params={"user_id": "ann"})).json()["memories"] == []


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", ORDERS),
        ("HEAD", ORDERS),
        ("PUT", ORDERS),
        ("DELETE", ORDERS),
        ("OPTIONS", ORDERS),
        ("POST", f"{ORDERS}/"),
        ("POST", f"/{ORDERS}"),
        ("POST", "/little-shop/webhooks/%6frders"),
        ("POST", "/little-shop%2Fwebhooks/orders"),
        ("POST", "/little-shop/webhooks/orders%3F"),
        ("POST", "/little-shop/webhooks/orders%00"),
        ("POST", "/little-shop/webhooks/nothing"),
        ("POST", "/little-shop/webhooks"),
        ("POST", "/LITTLE-SHOP/webhooks/orders"),
        ("POST", "/little_shop/webhooks/orders"),
        ("POST", "/v1/packs/little_shop/webhooks"),
        ("POST", "/v1/webhooks/orders"),
        ("POST", "/v1/memories"),
        ("POST", "/v1/recall"),
    ],
)
async def test_nothing_else_opens(sender: Sender, method: str, path: str) -> None:
    headers = {"X-Signature": sign(PLAIN, sender.secret, BODY), "Content-Type": "application/json"}
    answer = await sender.client.request(
        method, f"{path}?tenant={sender.tenant}", content=BODY, headers=headers
    )
    assert answer.status_code == 401
    assert await sender.kept() == []


async def test_the_path_is_taken_as_it_was_sent(sender: Sender) -> None:
    """No dots are resolved, whatever a client in between does with them."""
    scope: dict[str, Any] = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": "POST",
        "path": ORDERS,
        "query_string": f"tenant={sender.tenant}".encode(),
        "headers": [(b"x-signature", sign(PLAIN, sender.secret, BODY).encode())],
    }
    statuses = []

    async def listen() -> dict[str, Any]:
        return {"type": "http.request", "body": BODY}

    async def note(message: Any) -> None:
        if message["type"] == "http.response.start":
            statuses.append(message["status"])

    for raw in ("/little-shop/webhooks/x/../orders", "/v1/../little-shop/webhooks/orders", ORDERS):
        await sender.door.app({**scope, "raw_path": raw.encode()}, listen, note)
    assert statuses == [401, 401, 200]


async def test_a_key_does_not_replace_a_signature(sender: Sender) -> None:
    answer = await sender.owner.post(f"{ORDERS}?tenant={sender.tenant}", content=BODY)
    assert refusal(answer) == "unauthenticated"
    assert (await sender.owner.get(ORDERS)).status_code == 405


@pytest.mark.parametrize(
    "body", [b"", b"[]", b'"x"', b"null", b"{", b"\xff", b'{"id": NaN}', b'{"a":' * 5_000, b"id=7&about=oak"]
)
async def test_what_is_signed_and_no_object_is_refused(sender: Sender, body: bytes) -> None:
    answer = await sender.send(body=body)
    assert (answer.status_code, refusal(answer)) == (400, "invalid_json")
    unsigned = await sender.send(body=body, headers={"X-Signature": "sha256=0"})
    assert (unsigned.status_code, refusal(unsigned)) == (401, "unauthenticated")


async def test_the_database_is_asked_only_for_what_is_signed(module_database: Database) -> None:
    async with await PostgresStorage.open(module_database.url, size=1) as storage:
        webhooks = Webhooks(storage, SetClock(), MASTER)
    orders = PACK.webhooks[0]
    secret = derive_secret(MASTER, tenant_id_of("loft"), PACK.name)
    for signature, raised in (
        ("sha256=0", InvalidSignature),
        (sign(PLAIN, secret, BODY), StorageUnavailable),
    ):
        with pytest.raises(raised):
            await webhooks.authenticate("loft", PACK, orders, Sealed(BODY, [signature]))


async def test_a_body_is_bounded_before_it_is_signed(sender: Sender) -> None:
    huge = b"x" * (BOUNDS.body + 1)
    for headers in (None, {"X-Signature": "sha256=0"}):
        answer = await sender.send(body=huge, headers=headers)
        assert (answer.status_code, refusal(answer)) == (413, "too_large")


async def endless(begun: asyncio.Event) -> AsyncIterator[bytes]:
    """A body of which nothing ever comes."""
    begun.set()
    await asyncio.Event().wait()
    yield b""


async def test_slow_bodies_take_few_places_and_no_others(
    sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("recollect.interfaces.http.layers.WEBHOOK_SECONDS", 60)
    door = make_door(sender.door.bed, replace(BOUNDS, requests=2, seconds=3_600), webhook_secret=MASTER)
    narrow = replace(sender, client=door.bearer(None))
    owner = door.bearer(sender.owner.headers["Authorization"].removeprefix("Bearer "))
    begun = asyncio.Event()
    held = asyncio.create_task(narrow.client.post(ORDERS, content=endless(begun)))
    await begun.wait()
    for _ in range(3):
        assert refusal(await narrow.send()) == "busy"
    assert (await owner.get("/v1/version")).status_code == 200
    held.cancel()
    await asyncio.wait([held])
    assert (await narrow.send()).status_code == 200
    monkeypatch.setattr("recollect.interfaces.http.layers.WEBHOOK_SECONDS", 0.01)
    async with asyncio.timeout(30):  # for ever, if a body had all the time of a request
        assert refusal(await narrow.client.post(ORDERS, content=endless(begun))) == "timed_out"
    await door.close()


async def test_a_server_without_a_secret_takes_none(sender: Sender) -> None:
    door = make_door(sender.door.bed)
    answer = await replace(sender, client=door.bearer(None)).send()
    assert (answer.status_code, refusal(answer)) == (404, "webhooks_off")
    assert "RECOLLECT_WEBHOOK_SECRET" in answer.json()["hint"]
    unread = await door.bearer(None).post(ORDERS, content=endless(asyncio.Event()))
    assert refusal(unread) == "webhooks_off"
    owner = door.bearer(sender.owner.headers["Authorization"].removeprefix("Bearer "))
    assert code(await owner.get("/v1/packs/little_shop/webhooks")) == "webhooks_off"
    await door.close()


async def test_a_webhook_may_read_and_write_and_not_forget(
    sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[Principal] = []

    async def look(call: Call, _: JsonObject) -> None:
        seen.append(call.principal)

    monkeypatch.setattr("interfaces.test_http_webhooks.receive", look)
    door = make_door(sender.door.bed, webhook_secret=MASTER)
    assert (await replace(sender, client=door.bearer(None)).send()).status_code == 200
    await door.close()
    allowed = frozenset({Permission.READ, Permission.WRITE})
    assert seen == [Principal(tenant_id_of(sender.tenant), "webhook:little_shop/orders", Role.STAFF, allowed)]


async def test_a_receiver_that_is_not_there_is_told_at_the_start() -> None:
    lost = replace(PACK, webhooks=(Webhook("orders", "test_http_webhooks:nothing", PLAIN),))
    with pytest.raises(Misconfigured):
        make_routes("0", {lost.name: lost})


async def test_webhooks_are_described(sender: Sender) -> None:
    described = (await sender.owner.get("/v1/openapi.json")).json()
    operation = described["paths"][SALES]["post"]
    assert (operation["operationId"], operation["security"]) == ("little_shop_receive_till_sales", [])
