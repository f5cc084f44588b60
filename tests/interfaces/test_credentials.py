"""Keys and tokens: who is let in, as whom, and by which signatures; the tokens and their keys are real."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from datetime import timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from testbed import Bed

from interfaces.door import Door, code, make_door
from recollect.adapters.tokens import jwks
from recollect.adapters.tokens.jwt import JwtTokens, Trust, open_tokens
from recollect.core.errors import Misconfigured, Unauthenticated, Unavailable
from recollect.core.model import Permission, Role, tenant_id_of
from recollect.settings import load_settings

pytestmark = pytest.mark.anyio

SECRET = "a-shared-secret-of-sixty-four-bytes-for-every-one-of-the-HS-kind"
RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
OTHER_RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)
SMALL_RSA = rsa.generate_private_key(public_exponent=65537, key_size=1024)
P256 = ec.generate_private_key(ec.SECP256R1())
P384 = ec.generate_private_key(ec.SECP384R1())
P521 = ec.generate_private_key(ec.SECP521R1())
ED25519 = ed25519.Ed25519PrivateKey.generate()
ED448 = ed448.Ed448PrivateKey.generate()
READ_WRITE = frozenset({Permission.READ, Permission.WRITE})


def pem(key: Any) -> str:
    """The public key of a private one."""
    text: bytes = key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)
    return text.decode()


def claims(**changed: Any) -> dict[str, Any]:
    """The claims of a token that is good for a minute; a change to None takes one away."""
    good = {"tenant": "loft", "sub": "ada", "exp": int(time.time()) + 60}
    return {name: value for name, value in {**good, **changed}.items() if value is not None}


def signed(
    key: Any = SECRET, algorithm: str = "HS256", headers: dict[str, Any] | None = None, **changed: Any
) -> str:
    """A token."""
    text = json.dumps(claims(**changed)).encode()  # as it is: the library's own encoder refuses bad claims
    return jwt.api_jws.encode(text, key, algorithm=algorithm, headers=headers)


def tokens(**trust: Any) -> JwtTokens:
    """The reader of tokens that trusts a shared secret, or what is given."""
    opened = open_tokens(Trust(**trust or {"secret": SECRET}))
    assert opened
    return opened


def part(value: Any) -> str:
    """A part of a token, made by hand."""
    text = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(text).decode().rstrip("=")


@pytest.mark.parametrize(
    ("algorithm", "key"),
    [
        ("RS256", RSA),
        ("RS512", RSA),
        ("PS256", RSA),
        ("PS384", RSA),
        ("ES256", P256),
        ("ES384", P384),
        ("ES512", P521),
        ("EdDSA", ED25519),
        ("EdDSA", ED448),
    ],
)
async def test_a_token_by_each_kind_of_key(algorithm: str, key: Any) -> None:
    reader = tokens(public_key=pem(key), algorithms=(algorithm,))
    principal = await reader.verify(signed(key, algorithm))
    assert (principal.tenant_id, principal.subject, principal.role) == (
        tenant_id_of("loft"),
        "ada",
        Role.USER,
    )
    assert principal.permissions == READ_WRITE
    head, body, signature = signed(key, algorithm).split(".")
    broken = bytearray(base64.urlsafe_b64decode(signature + "=="))
    broken[len(broken) // 2] ^= 1
    with pytest.raises(Unauthenticated):
        await reader.verify(f"{head}.{body}.{part(bytes(broken))}")


@pytest.mark.parametrize("algorithm", ["HS256", "HS384", "HS512"])
async def test_a_token_by_a_shared_secret(algorithm: str) -> None:
    reader = tokens(secret=SECRET, algorithms=(algorithm,))
    assert (await reader.verify(signed(algorithm=algorithm))).subject == "ada"
    with pytest.raises(Unauthenticated):
        await reader.verify(signed(SECRET + "x", algorithm))


async def test_a_public_key_is_never_a_shared_secret() -> None:
    """The algorithm confusion of CVE-2015-9235: an HS256 token, signed by the text of the public key."""
    text = pem(RSA)
    body = f"{part({'alg': 'HS256', 'typ': 'JWT'})}.{part(claims())}"
    forged = f"{body}.{part(hmac.digest(text.encode(), body.encode(), hashlib.sha256))}"
    readers = [
        tokens(public_key=text, algorithms=("RS256",)),
        tokens(public_key=text, secret=SECRET, algorithms=("RS256", "HS256")),
    ]
    for reader in readers:
        with pytest.raises(Unauthenticated):
            await reader.verify(forged)
    assert (await readers[1].verify(signed())).subject == "ada"
    assert (await readers[1].verify(signed(RSA, "RS256"))).subject == "ada"


@pytest.mark.parametrize(
    "algorithm", ["none", "None", "NONE", "", "HS512", "RS256", "hs256", None, 5, ["HS256"], {}]
)
async def test_only_the_pinned_algorithms_count(algorithm: Any) -> None:
    head = part({"alg": algorithm, "typ": "JWT"})
    body = part(claims())
    signature = part(hmac.digest(SECRET.encode(), f"{head}.{body}".encode(), hashlib.sha256))
    for token in (f"{head}.{body}.{signature}", f"{head}.{body}."):
        with pytest.raises(Unauthenticated):
            await tokens().verify(token)


@pytest.mark.parametrize(
    "token",
    [
        "",
        ".",
        "..",
        "a.b.c",
        "x" * 9_000,
        f"{part(b'[' * 3_000)}.e30.x",
        f"{part([])}.{part([])}.x",
        f"{part({'alg': 'HS256', 'kid': {}})}.e30.x",
        f"{part({'alg': 'HS256', 'crit': ['exp']})}.e30.x",
        "\u00e9.\u00e9.\u00e9",
        "🛋️",
    ],
)
async def test_what_is_not_a_token_is_refused(token: str) -> None:
    with pytest.raises(Unauthenticated):
        await tokens().verify(token)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"exp": 1}, "expired"),
        ({"exp": None}, "'exp'"),
        ({"exp": "soon"}, "not valid here"),
        ({"exp": 1e400}, "not valid here"),
        ({"exp": float("nan")}, "not valid here"),
        ({"nbf": 4_000_000_000}, "not valid yet"),
        ({"iat": 4_000_000_000}, "not valid yet"),
        ({"sub": None}, "'sub'"),
        ({"sub": 5}, "not valid here"),
        ({"sub": ""}, "sub"),
        ({"sub": "a\0b"}, "sub"),
        ({"sub": "\ud800"}, "sub"),
        ({"sub": "a" * 201}, "sub"),
        ({"tenant": None}, "tenant"),
        ({"tenant": ["loft"]}, "tenant"),
        ({"tenant": "Loft!"}, "tenant"),
        ({"tenant": str(tenant_id_of("loft")) * 2}, "tenant"),
        ({"role": "king"}, "role"),
        ({"role": "OWNER"}, "role"),
        ({"role": 3}, "role"),
        ({"role": ["owner"]}, "role"),
        ({"scope": 5}, "scope"),
        ({"scopes": {"memory:read": True}}, "scope"),
        ({"scopes": [1]}, "scope"),
    ],
)
async def test_claims_that_are_not_good_are_refused(changed: dict[str, Any], said: str) -> None:
    with pytest.raises(Unauthenticated, match=said):
        await tokens().verify(signed(**changed))


async def test_the_leeway_is_the_one_that_was_set() -> None:
    late = signed(exp=int(time.time()) - 20)
    assert (await tokens(secret=SECRET, leeway=60).verify(late)).subject == "ada"
    with pytest.raises(Unauthenticated, match="expired"):
        await tokens(secret=SECRET, leeway=5).verify(late)


async def test_audience_and_issuer_are_enforced_when_set() -> None:
    reader = tokens(secret=SECRET, audience="recollect", issuer="https://id.example")
    good: dict[str, Any] = {"aud": ["web", "recollect"], "iss": "https://id.example"}
    assert (await reader.verify(signed(**good))).subject == "ada"
    changes: list[dict[str, Any]] = [
        {"aud": "web"},
        {"aud": None},
        {"iss": "https://id.example.org"},
        {"iss": None},
        {"iss": ["x"]},
    ]
    for changed in changes:
        with pytest.raises(Unauthenticated):
            await reader.verify(signed(**{**good, **changed}))
    assert (await tokens().verify(signed(aud="anybody"))).subject == "ada"


@pytest.mark.parametrize(
    ("stated", "granted"),
    [
        ({}, {"read", "write"}),
        ({"scope": ""}, set()),
        ({"scopes": []}, set()),
        ({"scope": "openid profile"}, set()),
        ({"scope": "openid memory:read"}, {"read"}),
        ({"scope": "memory:read:write"}, {"read", "write"}),
        ({"scopes": ["memory:forget"]}, {"forget"}),
        ({"scope": "memory:read memory:write memory:forget"}, {"read", "write", "forget"}),
        ({"scope": "memory:write", "scopes": ["memory:read"]}, {"read", "write"}),
        ({"scope": "memory:read:admin"}, set()),
        ({"scope": "memory"}, set()),
        ({"scope": "memory:"}, set()),
        ({"scope": "memory:*"}, set()),
        ({"scope": "memory:read,memory:write"}, set()),
        ({"scope": "MEMORY:READ"}, set()),
        ({"role": "owner"}, {"read", "write"}),
    ],
)
async def test_a_token_may_what_it_states(stated: dict[str, Any], granted: set[str]) -> None:
    principal = await tokens().verify(signed(**stated))
    assert {permission.removeprefix("memory:") for permission in principal.permissions} == granted


async def test_the_claim_of_the_tenant_can_be_named() -> None:
    reader = tokens(secret=SECRET, tenant_claim="https://example/customer_id")
    named: dict[str, Any] = {"https://example/customer_id": "loft"}
    token = signed(tenant="attic", **named)
    assert (await reader.verify(token)).tenant_id == tenant_id_of("loft")


@pytest.mark.parametrize(
    "trust",
    [
        {"algorithms": ("HS256",)},
        {"algorithms": ("RS256",)},
        {"secret": "short"},
        {"secret": "x" * 31},
        {"secret": "x" * 32, "algorithms": ("HS384",)},
        {"secret": "x" * 63, "algorithms": ("HS256", "HS512")},
        {"secret": pem(RSA)},
        {"secret": SECRET, "algorithms": ("RS256",)},
        {"secret": SECRET, "public_key": pem(RSA)},
        {"public_key": pem(RSA)},
        {"public_key": pem(RSA), "algorithms": ("HS256",)},
        {"public_key": pem(RSA), "algorithms": ("ES256",)},
        {"public_key": pem(P256), "algorithms": ("ES384",)},
        {"public_key": pem(P256), "algorithms": ("EdDSA",)},
        {"public_key": pem(SMALL_RSA), "algorithms": ("RS256",)},
        {"public_key": "not a key", "algorithms": ("RS256",)},
        {
            "public_key": RSA.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode(),
            "algorithms": ("RS256",),
        },
        {"jwks_url": "https://id.example/keys"},
        {"jwks_url": "https://id.example/keys", "public_key": pem(RSA), "algorithms": ("RS256",)},
        {"jwks_url": "http://id.example/keys", "algorithms": ("RS256",)},
        {"jwks_url": "http://localhost.evil.example/keys", "algorithms": ("RS256",)},
        {"jwks_url": "file:///etc/passwd", "algorithms": ("RS256",)},
        {"jwks_url": "https://", "algorithms": ("RS256",)},
    ],
)
def test_what_would_keep_nobody_out_is_refused_at_the_start(trust: dict[str, Any]) -> None:
    with pytest.raises(Misconfigured) as refusal:
        open_tokens(Trust(**trust))
    assert refusal.value.hint or "exclude" in str(refusal.value)
    assert "x" * 31 not in f"{refusal.value} {refusal.value.hint}"


def test_the_algorithms_are_read_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECOLLECT_JWT_ALGORITHMS", "RS256, ES256")
    assert load_settings().jwt_algorithms == ("RS256", "ES256")
    for bad in ("none", "RS256,", "HS1"):
        monkeypatch.setenv("RECOLLECT_JWT_ALGORITHMS", bad)
        with pytest.raises(Misconfigured, match="RECOLLECT_JWT_ALGORITHMS"):
            load_settings()


def test_without_any_key_there_are_no_tokens() -> None:
    assert open_tokens(Trust()) is None


@dataclass(slots=True)
class Provider:
    """An identity provider on loopback that publishes keys; `asked` counts."""

    url: str = ""
    keys: list[Any] = field(default_factory=list)
    status: int = 200
    text: bytes | None = None
    asked: int = 0
    delay: float = 0

    def publish(self, kid: str | None, key: Any, **fields: Any) -> None:
        """Publish a private key's public one."""
        entry: dict[str, Any] = dict(_as_jwk(key.public_key()), **fields)
        self.keys.append(entry if kid is None else {**entry, "kid": kid})

    def reader(self, *algorithms: str) -> JwtTokens:
        """Who trusts it."""
        return tokens(jwks_url=self.url, algorithms=algorithms)


def _as_jwk(key: Any) -> dict[str, Any]:
    kinds: dict[type, Any] = {
        rsa.RSAPublicKey: jwt.algorithms.RSAAlgorithm,
        ec.EllipticCurvePublicKey: jwt.algorithms.ECAlgorithm,
    }
    kind = next((kind for base, kind in kinds.items() if isinstance(key, base)), jwt.algorithms.OKPAlgorithm)
    entry: dict[str, Any] = kind.to_jwk(key, as_dict=True)
    return entry


@contextmanager
def serving() -> Iterator[Provider]:
    """A provider at its work."""
    provider = Provider()

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            provider.asked += 1
            time.sleep(provider.delay)
            text = (
                provider.text if provider.text is not None else json.dumps({"keys": provider.keys}).encode()
            )
            self.send_response(provider.status)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            with suppress(ConnectionError):  # a client that did not wait
                self.wfile.write(text)

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - as http.server has it
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    # How soon it notices that it is to end; the default is half a second, and there are many tests.
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    provider.url = f"http://127.0.0.1:{server.server_address[1]}/keys"
    try:
        yield provider
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def provider() -> Iterator[Provider]:
    """A provider with one key of each kind, and some that are no use."""
    with serving() as provider:
        provider.keys += [
            {"kty": "unheard-of"},
            {"kty": "oct", "k": part(SECRET.encode()), "kid": "shared"},
            5,
            {},
        ]
        for kid, key in (("rsa", RSA), ("p256", P256), ("ed", ED25519), ("small", SMALL_RSA)):
            provider.publish(kid, key)
        provider.publish("enc", OTHER_RSA, use="enc")
        provider.publish("pinned", OTHER_RSA, alg="RS512")
        yield provider


async def test_published_keys_are_fetched_once(provider: Provider) -> None:
    reader = provider.reader("RS256", "ES256", "EdDSA")
    for kid, key, algorithm in (("rsa", RSA, "RS256"), ("p256", P256, "ES256"), ("ed", ED25519, "EdDSA")) * 3:
        assert (await reader.verify(signed(key, algorithm, {"kid": kid}))).subject == "ada"
    assert provider.asked == 1


@pytest.mark.parametrize(
    ("kid", "key", "algorithm"),
    [
        ("unknown", RSA, "RS256"),
        ("p256", RSA, "RS256"),
        ("rsa", OTHER_RSA, "RS256"),
        ("enc", OTHER_RSA, "RS256"),
        ("pinned", OTHER_RSA, "RS256"),
        ("small", SMALL_RSA, "RS256"),
        ("shared", SECRET, "HS256"),
        ("rsa", SECRET, "HS256"),
    ],
)
@pytest.mark.filterwarnings("ignore::jwt.warnings.InsecureKeyLengthWarning")
async def test_a_key_is_for_its_own_use_only(provider: Provider, kid: str, key: Any, algorithm: str) -> None:
    reader = tokens(
        jwks_url=provider.url, secret=SECRET + "x", algorithms=("RS256", "RS512", "ES256", "HS256")
    )
    with pytest.raises(Unauthenticated):
        await reader.verify(signed(key, algorithm, {"kid": kid}))
    assert (await reader.verify(signed(OTHER_RSA, "RS512", {"kid": "pinned"}))).subject == "ada"


async def test_without_a_kid_the_only_key_that_fits_is_meant(provider: Provider) -> None:
    reader = provider.reader("ES256", "RS256")
    assert (await reader.verify(signed(P256, "ES256"))).subject == "ada"
    provider.publish("second", P256)
    with pytest.raises(Unauthenticated):
        await provider.reader("ES256").verify(signed(P256, "ES256"))


async def test_a_new_key_is_found_and_unknown_ones_do_not_flood_the_provider(
    provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = provider.reader("RS256")
    await reader.verify(signed(RSA, "RS256", {"kid": "rsa"}))
    for number in range(20):
        with pytest.raises(Unauthenticated):
            await reader.verify(signed(OTHER_RSA, "RS256", {"kid": f"guess {number}"}))
    assert provider.asked == 1
    provider.publish("new", OTHER_RSA)
    monkeypatch.setattr(jwks, "PAUSE_SECONDS", -1.0)
    assert (await reader.verify(signed(OTHER_RSA, "RS256", {"kid": "new"}))).subject == "ada"
    assert provider.asked == 2


async def test_a_withdrawn_key_ends_and_a_silent_provider_does_not(
    provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = provider.reader("RS256")
    token = signed(RSA, "RS256", {"kid": "rsa"})
    await reader.verify(token)
    monkeypatch.setattr(jwks, "PAUSE_SECONDS", -1.0)
    monkeypatch.setattr(jwks, "FRESH_SECONDS", -1.0)
    provider.status = 500
    assert (await reader.verify(token)).subject == "ada"
    provider.status = 200
    provider.keys = []
    with pytest.raises(Unauthenticated):
        await reader.verify(token)


@pytest.mark.parametrize("text", [b"", b"{", b"[]", b'{"keys": {}}', b"[" * 100_000, b" " * 600_000, b"\xff"])
async def test_what_is_not_a_set_of_keys_is_no_outage_for_others(provider: Provider, text: bytes) -> None:
    provider.text = text
    with pytest.raises(Unavailable) as error:
        await provider.reader("RS256").verify(signed(RSA, "RS256"))
    assert provider.url not in str(error.value)


async def test_a_provider_that_is_too_slow_is_given_up(
    provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jwks, "FETCH_SECONDS", 0.05)
    provider.delay = 0.5
    with pytest.raises(Unavailable):
        await provider.reader("RS256").verify(signed(RSA, "RS256"))


async def test_a_redirect_is_not_followed(provider: Provider) -> None:
    provider.status = 302
    with pytest.raises(Unavailable):
        await provider.reader("RS256").verify(signed(RSA, "RS256"))
    assert provider.asked == 1


@pytest.fixture
async def open_door(shared_bed: Bed) -> AsyncIterator[Door]:
    """A door that also trusts tokens by the shared secret."""
    door = make_door(shared_bed, tokens=tokens())
    yield door
    await door.close()


async def test_a_token_opens_the_door_of_its_tenant(open_door: Door) -> None:
    loft, attic = await open_door.client("loft"), await open_door.client("attic")
    ada = open_door.bearer(signed(tenant=open_door.tenant("loft")))
    answer = await ada.post("/v1/sessions/s1/messages", json={"content": "I am Ada."})
    assert answer.status_code == 201
    assert (await loft.get("/v1/sessions/s1")).json()["user_id"] == "ada"
    assert code(await attic.get("/v1/sessions/s1")) == "not_found"
    assert code(await ada.get("/v1/users")) == "forbidden"
    assert code(await ada.delete("/v1/sessions/s1")) == "forbidden"
    staff = open_door.bearer(signed(tenant=open_door.tenant("loft"), role="staff", sub="sam"))
    assert (await staff.get("/v1/users")).json()["users"][0]["user_id"] == "ada"


async def test_a_token_of_an_unknown_tenant_is_refused(open_door: Door) -> None:
    answer = await open_door.bearer(signed(tenant="nobody-knows")).get("/v1/version")
    assert (answer.status_code, code(answer)) == (401, "unauthenticated")
    assert "issuer" in answer.json()["hint"]
    assert "key create" not in answer.json()["hint"]
    assert open_door.bed.database.value("SELECT count(*) FROM tenants WHERE name = 'nobody-knows'") == 0


async def test_a_token_is_nothing_where_none_are_trusted(door: Door) -> None:
    await door.key("loft")
    answer = await door.bearer(signed(tenant=door.tenant("loft"))).get("/v1/version")
    assert code(answer) == "unauthenticated"


async def test_a_key_of_each_sort_that_is_not_good(bed: Bed) -> None:
    door = make_door(bed)
    good = await door.key("loft")
    other = await door.key("attic")
    expired = await door.key("loft", expires_at=bed.clock.now() + timedelta(hours=1))
    kept, revoked = await bed.tenants.create_key(door.tenant("loft"), "revoked")
    for key in (good, other, expired, revoked):
        assert (await door.bearer(key).get("/v1/version")).status_code == 200
    bed.clock.advance(hours=2)
    await bed.tenants.revoke_key(door.tenant("loft"), kept.id)
    raw_good, raw_other = (base64.urlsafe_b64decode(key[4:] + "==") for key in (good, other))
    bad = {
        "expired": expired,
        "revoked": revoked,
        "of another tenant": "rcl_" + part(raw_other[:16] + raw_good[16:]),
        "with another's secret": "rcl_" + part(raw_good[:32] + raw_other[32:]),
        "of zeros": "rcl_" + part(bytes(64)),
        "cut off": good[:-2],
        "too long": good + "AAAA",
        "without its prefix": good[4:],
        "with a bit changed": "rcl_" + part(raw_good[:-1] + bytes([raw_good[-1] ^ 1])),
    }
    refusals = [await door.bearer(key).get("/v1/version") for key in bad.values()]
    assert [code(answer) for answer in refusals] == ["unauthenticated"] * len(bad)
    assert len({answer.json()["detail"] for answer in refusals}) <= 2
    assert (await door.bearer(good).get("/v1/version")).status_code == 200
    await door.close()
