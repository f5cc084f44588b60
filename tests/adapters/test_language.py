"""Language models of both vendors: the real SDKs, before servers that speak their wires."""

from __future__ import annotations

import json
import logging
import sys
import traceback
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, get_args

import pytest
import vendors
from testbed import free_port
from vendors import Reply, Vendor, refused, running

from recollect.adapters.language import Provider, open_language_model
from recollect.adapters.language.hearing import HeardModel
from recollect.adapters.language.schema import faults
from recollect.core.consolidate.answer import ANSWER
from recollect.core.errors import (
    LanguageModelFailed,
    LanguageModelMalformed,
    LanguageModelRefused,
    LanguageModelUnavailable,
    Misconfigured,
)
from recollect.core.model import Usage
from recollect.core.ports import Prompt

pytestmark = pytest.mark.anyio
KEY = "key-of-nobody-8f3a"
PROMPT = Prompt("Say who is named.", "Ada met Luna.", 300)
SCHEMA = {
    "type": "object",
    "properties": {"names": {"type": "array", "items": {"type": "string"}}, "sure": {"type": "number"}},
    "required": ["names", "sure"],
    "additionalProperties": False,
}
VALUE = {"names": ["Ada", "Luna"], "sure": 0.5}
TEXT = json.dumps(VALUE)
PROVIDERS: tuple[Provider, ...] = get_args(Provider)
SAY: dict[Provider, Callable[..., Reply]] = {"anthropic": vendors.anthropic, "openai": vendors.openai}
REFUSAL: dict[Provider, Reply] = {
    "anthropic": vendors.anthropic("", "refusal"),
    "openai": vendors.openai("", refusal="I will not."),
}
TOO_LONG: dict[Provider, str] = {"anthropic": "max_tokens", "openai": "length"}

both = pytest.mark.parametrize("provider", PROVIDERS)


@asynccontextmanager
async def opened(provider: Provider, url: str, seconds: float = 20) -> AsyncIterator[HeardModel]:
    model = open_language_model(provider, "toy", key=KEY, base_url=url, seconds=seconds)
    try:
        yield model
    finally:
        await model.aclose()


async def complete(provider: Provider, vendor: Vendor, seconds: float = 20) -> Any:
    async with opened(provider, vendor.url, seconds) as model:
        return await model.complete(PROMPT, SCHEMA)


async def fails(
    provider: Provider, *replies: Reply, seconds: float = 20
) -> tuple[LanguageModelUnavailable, Vendor]:
    async with running(*replies) as vendor:
        with pytest.raises(LanguageModelUnavailable) as caught:
            await complete(provider, vendor, seconds)
    return caught.value, vendor


@both
async def test_an_answer_comes_with_what_it_took(provider: Provider) -> None:
    async with running(SAY[provider](TEXT, used=(50, 7))) as vendor:
        completion = await complete(provider, vendor)
    assert completion.value == VALUE
    assert completion.usage == Usage(50, 7)


async def test_what_anthropic_is_asked() -> None:
    async with running(vendors.anthropic(TEXT)) as vendor:
        await complete("anthropic", vendor)
    (asked,) = vendor.asked
    assert asked.path == "/v1/messages"
    assert asked.headers["authorization"] == f"Bearer {KEY}"
    assert asked.headers["anthropic-version"]
    assert asked.body == {
        "model": "toy",
        "max_tokens": 300,
        "system": PROMPT.system,
        "messages": [{"role": "user", "content": PROMPT.user}],
        "output_config": {"format": {"type": "json_schema", "schema": SCHEMA}},
        "stream": True,
    }


async def test_what_openai_is_asked() -> None:
    async with running(vendors.openai(TEXT)) as vendor:
        await complete("openai", vendor)
    (asked,) = vendor.asked
    assert asked.path == "/chat/completions"
    assert asked.headers["authorization"] == f"Bearer {KEY}"
    assert asked.body == {
        "model": "toy",
        "max_completion_tokens": 300,
        "messages": [
            {"role": "system", "content": PROMPT.system},
            {"role": "user", "content": PROMPT.user},
        ],
        "response_format": {
            "type": "json_schema",
            "json_schema": {"name": "answer", "strict": True, "schema": SCHEMA},
        },
        "stream": True,
        "stream_options": {"include_usage": True},
    }


@both
async def test_a_refusal_is_paid_for(provider: Provider) -> None:
    error, _ = await fails(provider, REFUSAL[provider])
    assert isinstance(error, LanguageModelRefused)
    assert error.usage == Usage(50, 7)


@both
@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("Sure! Ada and Luna.", "is no JSON"),
        (TEXT[:-4], "is no JSON"),
        ('{"names": ["Ada"], "sure": NaN}', "is no JSON"),
        ("[" * 100_000, "is no JSON"),
        ('{"names": ["Ada"]}', r"\$.sure is missing"),
        ('{"names": "Ada", "sure": 1}', r"\$.names is no array"),
        ('{"names": [7], "sure": 1}', r"\$.names\[0\] is no string"),
        ('{"names": ["a\\u0000"], "sure": 1}', r"\$.names\[0\] is no text"),
        ('{"names": ["\\ud83d"], "sure": 1}', r"\$.names\[0\] is no text"),
        ('{"names": [], "sure": true}', r"\$.sure is no number"),
        ('{"names": [], "sure": 1, "more": 2}', "a member too many"),
        ('["names"]', r"\$ is no object"),
    ],
)
async def test_an_answer_of_the_wrong_form_is_paid_for(provider: Provider, text: str, why: str) -> None:
    error, _ = await fails(provider, SAY[provider](text))
    assert isinstance(error, LanguageModelMalformed)
    assert error.usage == Usage(50, 7)
    with pytest.raises(LanguageModelMalformed, match=why):
        raise error


@both
async def test_an_answer_cut_at_its_limit_is_malformed(provider: Provider) -> None:
    error, _ = await fails(provider, SAY[provider](TEXT[:20], TOO_LONG[provider]))
    assert isinstance(error, LanguageModelMalformed)
    assert "limit" in str(error)


@both
@pytest.mark.parametrize(("status", "hint"), [(401, "API_KEY"), (403, "API_KEY"), (404, "LANGUAGE_MODEL")])
async def test_what_would_fail_again_is_not_tried_again(provider: Provider, status: int, hint: str) -> None:
    error, vendor = await fails(provider, refused(status))
    assert isinstance(error, LanguageModelFailed)
    assert str(status) in str(error)
    assert hint in str(error.hint)
    assert error.usage == Usage()
    assert len(vendor.asked) == 1


@both
@pytest.mark.parametrize("status", [429, 500, 503, 529])
async def test_what_may_pass_is_tried_again(provider: Provider, status: int) -> None:
    replies = (refused(status, retry_after="0.01"), refused(status, retry_after="0.01"))
    async with running(*replies, SAY[provider](TEXT)) as vendor:
        assert (await complete(provider, vendor)).value == VALUE
    assert len(vendor.asked) == 3


@both
@pytest.mark.parametrize("status", [429, 503, 529])
async def test_what_does_not_pass_fails(provider: Provider, status: int) -> None:
    error, vendor = await fails(provider, refused(status, retry_after="0.01"))
    assert isinstance(error, LanguageModelFailed)
    assert str(status) in str(error)
    assert len(vendor.asked) == 3


@both
async def test_a_wait_that_is_asked_for_is_no_longer_than_the_whole_call(provider: Provider) -> None:
    error, vendor = await fails(provider, refused(429, retry_after="60"), seconds=0.5)
    assert isinstance(error, LanguageModelFailed)
    assert "0.5 seconds" in str(error)
    assert len(vendor.asked) == 1


@both
@pytest.mark.parametrize("cut", [True, False])
async def test_a_stream_that_ends_in_the_middle_fails(provider: Provider, *, cut: bool) -> None:
    error, vendor = await fails(provider, SAY[provider](TEXT * 5, keep=3, cut=cut))
    assert isinstance(error, LanguageModelFailed)
    assert "broke off" in str(error)
    assert len(vendor.asked) == 1
    if provider == "anthropic":
        assert error.usage == Usage(50, 40)
    else:
        assert error.usage is None


async def test_an_error_within_a_stream_fails() -> None:
    whole = vendors.anthropic(TEXT, keep=3)
    overloaded = {"type": "error", "error": {"type": "overloaded_error", "message": "busy"}}
    told = f"event: error\ndata: {json.dumps(overloaded)}\n\n".encode()
    error, _ = await fails("anthropic", Reply(200, whole.headers, [*whole.chunks, told]))
    assert isinstance(error, LanguageModelFailed)
    assert "broke off" in str(error)


@both
async def test_a_slow_drip_is_cut_by_the_whole_time(provider: Provider) -> None:
    error, vendor = await fails(provider, SAY[provider](TEXT * 50, pause=0.2), seconds=0.7)
    assert isinstance(error, LanguageModelFailed)
    assert "0.7 seconds" in str(error)
    assert len(vendor.asked) == 1


@both
async def test_silence_is_cut_by_the_whole_time_and_nobody_knows_what_it_cost(provider: Provider) -> None:
    error, _ = await fails(provider, vendors.SILENT, seconds=0.5)
    assert isinstance(error, LanguageModelFailed)
    assert error.usage is None


@both
async def test_nobody_there(provider: Provider) -> None:
    async with opened(provider, f"http://127.0.0.1:{free_port()}") as model:
        with pytest.raises(LanguageModelFailed, match="could not be reached") as caught:
            await model.complete(PROMPT, SCHEMA)
    assert caught.value.usage == Usage()


@both
async def test_neither_key_nor_text_is_in_errors_or_logs(
    provider: Provider, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    secret = Prompt("Say who is named.", "Zanzibar-7 met Luna.", 300)
    reply = refused(401, f"Incorrect API key provided: {KEY}, for Zanzibar-7")
    async with running(reply) as vendor, opened(provider, vendor.url) as model:
        with pytest.raises(LanguageModelFailed) as caught:
            await model.complete(secret, SCHEMA)
    told = "".join(traceback.format_exception(caught.value))
    assert KEY not in told
    assert "Zanzibar" not in told
    assert KEY not in caplog.text
    ours = [record for record in caplog.records if record.name.startswith("recollect")]
    assert not [record for record in ours if "Zanzibar" in record.getMessage()]


async def test_a_compatible_server_is_asked_in_plainer_ways_until_it_understands() -> None:
    replies = (
        refused(400, "'max_completion_tokens' is not supported, use 'max_tokens'"),
        refused(400, "response_format type json_schema is unavailable"),
        refused(422, "Unknown field: stream_options"),
        vendors.openai(TEXT, used=None),
    )
    async with running(*replies) as vendor, opened("openai", vendor.url) as model:
        completion = await model.complete(PROMPT, SCHEMA)
        assert completion.value == VALUE
        assert (await model.complete(PROMPT, SCHEMA)).value == VALUE
    assert len(vendor.asked) == 5
    for asked in vendor.asked[3:]:
        assert asked.body["response_format"] == {"type": "json_object"}
        assert asked.body["max_tokens"] == 300
        assert "stream_options" not in asked.body
        assert json.dumps(SCHEMA) in asked.body["messages"][0]["content"]
    assert completion.usage.input_tokens >= len(PROMPT.user) // 4


async def test_a_server_without_any_form_is_told_it_in_words() -> None:
    replies = (
        refused(400, "response_format: json_schema is unknown"),
        refused(400, "'response_format.type' must be 'text', not json_object"),
        vendors.openai(f"```json\n{TEXT}\n```"),
    )
    async with running(*replies) as vendor:
        assert (await complete("openai", vendor)).value == VALUE
    assert "response_format" not in vendor.asked[-1].body


async def test_a_bad_request_that_nothing_can_be_left_out_of_fails() -> None:
    error, vendor = await fails("openai", refused(400, "the prompt is too long"))
    assert isinstance(error, LanguageModelFailed)
    assert len(vendor.asked) == 1


async def test_openais_content_filter_is_a_refusal() -> None:
    error, _ = await fails("openai", vendors.openai('{"na', "content_filter"))
    assert isinstance(error, LanguageModelRefused)


async def test_anthropics_cached_tokens_count() -> None:
    reply = vendors.anthropic(TEXT, used=(50, 7))
    first = reply.chunks[0].replace(
        b'"input_tokens": 50', b'"input_tokens": 50, "cache_read_input_tokens": 9'
    )
    async with running(Reply(200, reply.headers, [first, *reply.chunks[1:]])) as vendor:
        assert (await complete("anthropic", vendor)).usage == Usage(59, 7)


@both
def test_without_a_key_nothing_is_opened(provider: Provider, monkeypatch: pytest.MonkeyPatch) -> None:
    variable = f"{provider.upper()}_API_KEY"
    monkeypatch.delenv(variable, raising=False)
    with pytest.raises(Misconfigured, match=provider) as caught:
        open_language_model(provider, "toy", key=None, base_url=None, seconds=1)
    assert variable in str(caught.value.hint)


@both
async def test_the_vendors_own_variable_is_the_key(
    provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(f"{provider.upper()}_API_KEY", "from-the-environment")
    async with running(SAY[provider](TEXT)) as vendor:
        model = open_language_model(provider, "toy", key=None, base_url=vendor.url, seconds=20)
        await model.complete(PROMPT, SCHEMA)
        await model.aclose()
    assert "from-the-environment" in "".join(vendor.asked[0].headers.values())


@both
def test_a_package_that_is_not_installed_is_named(
    provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, provider, None)
    with pytest.raises(Misconfigured) as caught:
        open_language_model(provider, "toy", key=KEY, base_url=None, seconds=1)
    assert caught.value.hint == f"pip install 'recollect[{provider}]'"


def _inner(schema: dict[str, Any]) -> list[dict[str, Any]]:
    members = [*schema.get("properties", {}).values(), *([schema["items"]] if "items" in schema else [])]
    return [schema, *(inner for member in members for inner in _inner(member))]


def test_the_schema_that_is_used_is_one_that_both_vendors_hold_models_to() -> None:
    known = {"type", "properties", "required", "additionalProperties", "items", "enum"}
    for schema in _inner(dict(ANSWER)):
        assert set(schema) <= known
        if schema["type"] == "object":
            assert schema["required"] == list(schema["properties"])
            assert schema["additionalProperties"] is False


def test_what_is_not_said_is_told_without_the_value() -> None:
    found = "; ".join(faults({"names": ["secret", 7]}, SCHEMA))
    assert "missing" in found
    assert "secret" not in found
