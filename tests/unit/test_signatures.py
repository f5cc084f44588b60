"""Signatures of webhooks: what is vouched for, and what is no signature."""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest

from recollect.core.errors import Misconfigured
from recollect.core.manifest import read_pack
from recollect.core.pack import Signature
from recollect.core.signatures import Sealed, derive_secret, is_signed, sign
from recollect.settings import load_settings

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
AT = str(int(NOW.timestamp()))
SECRET = derive_secret("m" * 32, UUID(int=1), "shop")
PLAIN = Signature("X-Signature", prefix="sha256=")
TIMED = Signature("X-Signed", encoding="base64", signed="{timestamp}.{body}", timestamp_header="X-Time")
BODY = b'{"n": 1}'
GOOD = sign(PLAIN, SECRET, BODY)


def test_a_signature_is_what_senders_make() -> None:
    digest = hmac.new(SECRET.encode(), BODY, hashlib.sha256)
    assert f"sha256={digest.hexdigest()}" == GOOD
    timed = hmac.new(SECRET.encode(), f"{AT}.".encode() + BODY, hashlib.sha256)
    assert sign(TIMED, SECRET, BODY, AT) == base64.b64encode(timed.digest()).decode()


def test_a_body_is_never_a_template() -> None:
    tricky = b"{timestamp}{body}\xff"
    digest = hmac.new(SECRET.encode(), f"{AT}.".encode() + tricky, hashlib.sha256).digest()
    assert sign(TIMED, SECRET, tricky, AT) == base64.b64encode(digest).decode()


def test_secrets_are_of_one_tenant_and_one_pack() -> None:
    made = [
        derive_secret(master, UUID(int=tenant), pack)
        for master in ("m" * 32, "n" * 32)
        for tenant in (1, 2)
        for pack in ("shop", "shops")
    ]
    assert len(set(made)) == 8
    assert all(len(secret) == 68 and secret.startswith("whs_") for secret in made)


@pytest.mark.parametrize(
    ("signatures", "body", "holds"),
    [
        ([GOOD], BODY, True),
        ([GOOD], BODY + b" ", False),
        ([], BODY, False),
        ([GOOD, GOOD], BODY, False),
        ([""], BODY, False),
        ([GOOD.removeprefix("sha256=")], BODY, False),
        ([GOOD.replace("sha256=", "sha1=")], BODY, False),
        ([GOOD[:-1]], BODY, False),
        ([GOOD + "0"], BODY, False),
        ([f"{GOOD}, {GOOD}"], BODY, False),
        (["sha256="], BODY, False),
        ([GOOD[:-1] + "é"], BODY, False),
        (["sha256=" + "\x80\xff" * 32], BODY, False),
        ([sign(PLAIN, SECRET, b"")], b"", True),
        ([GOOD], b"", False),
    ],
)
def test_only_the_one_signature_counts(signatures: list[str], body: bytes, *, holds: bool) -> None:
    assert is_signed(PLAIN, SECRET, Sealed(body, signatures), NOW) is holds


@pytest.mark.parametrize(
    ("timestamp", "holds"),
    [
        (int(AT), True),
        (int(AT) - 300, True),
        (int(AT) + 300, True),
        (int(AT) - 301, False),
        (int(AT) + 301, False),
        (0, False),
        (10**12 - 1, False),
    ],
)
def test_what_was_signed_long_ago_or_in_the_future_is_refused(timestamp: int, *, holds: bool) -> None:
    text = str(timestamp)
    sealed = Sealed(BODY, [sign(TIMED, SECRET, BODY, text)], [text])
    assert is_signed(TIMED, SECRET, sealed, NOW) is holds


@pytest.mark.parametrize("timestamp", ["", "now", "-1", "1e9", " 1", "1\n", "٣", "1" * 13, "1" * 5_000, "é"])
def test_what_is_no_timestamp_is_refused(timestamp: str) -> None:
    signed = hmac.new(SECRET.encode(), f"{timestamp}.".encode() + BODY, hashlib.sha256).digest()
    sealed = Sealed(BODY, [base64.b64encode(signed).decode()], [timestamp])
    assert not is_signed(TIMED, SECRET, sealed, datetime.fromtimestamp(1, UTC))


def test_a_timestamp_comes_once_and_is_what_was_signed() -> None:
    sealed = Sealed(BODY, [sign(TIMED, SECRET, BODY, AT)], [AT])
    assert is_signed(TIMED, SECRET, sealed, NOW)
    for timestamps in ([], [AT, AT], [str(int(AT) + 1)]):
        assert not is_signed(TIMED, SECRET, replace(sealed, timestamps=timestamps), NOW)


@pytest.mark.parametrize("garbage", ["====", "AAAA", "a\x00b", "-_-_", "A" * 44, "A" * 100_000])
def test_what_is_no_base64_of_it_is_refused(garbage: str) -> None:
    assert not is_signed(TIMED, SECRET, Sealed(BODY, [garbage], [AT]), NOW)


@pytest.mark.parametrize(
    ("webhook", "fault"),
    [
        ('path = "../v1"\nreceive = "a:b"\nsignature = { header = "X" }', "cannot be a path"),
        ('path = "a/{b}"\nreceive = "a:b"\nsignature = { header = "X" }', "cannot be a path"),
        ('path = "a"\nreceive = "a:b"\nsignature = { header = "" }', "is no header"),
        ('path = "a"\nreceive = "a:b"\nsignature = { header = "X", signed = "x" }', "has not {body}"),
        (
            'path = "a"\nreceive = "a:b"\nsignature = { header = "X", timestamp_header = "T" }',
            "has not {body} and {timestamp}",
        ),
        ('path = "a"\nreceive = "a:b"', "'signature' is missing"),
    ],
)
def test_a_webhook_that_would_let_anybody_in_is_refused(
    webhook: str, fault: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / f"loose_pack_{abs(hash(webhook))}"
    folder.mkdir()
    (folder / "__init__.py").touch()
    (folder / "pack.toml").write_text(f'name = "loose"\nabout = "Loose."\n[[webhook]]\n{webhook}\n')
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(Misconfigured) as raised:
        read_pack(folder.name)
    assert fault in str(raised.value)


def test_a_short_secret_is_no_setting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RECOLLECT_WEBHOOK_SECRET", "short-and-shown-to-nobody")
    with pytest.raises(Misconfigured) as raised:
        load_settings()
    assert "RECOLLECT_WEBHOOK_SECRET" in str(raised.value)
    assert "short-and" not in str(raised.value)
    monkeypatch.setenv("RECOLLECT_WEBHOOK_SECRET", "s" * 32)
    assert load_settings().webhook_secret is not None
