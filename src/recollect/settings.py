"""The settings: one frozen value, read once, from the environment."""

from __future__ import annotations

import difflib
import os
import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal

import platformdirs
import psycopg
from psycopg.conninfo import conninfo_to_dict
from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_core import PydanticCustomError
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from recollect.core.errors import Misconfigured

Algorithm = Literal[
    "HS256",
    "HS384",
    "HS512",
    "RS256",
    "RS384",
    "RS512",
    "ES256",
    "ES384",
    "ES512",
    "PS256",
    "PS384",
    "PS512",
    "EdDSA",
]

_PREFIX = "RECOLLECT_"
_OTHERS = {"RECOLLECT_API_KEY", "RECOLLECT_DATA"}
"""What others read by that prefix: `ingest` its key, the benchmarks their data's folder."""
_URL_FAULT = "database_url"
_URL_HINT = (
    "A URL is like postgresql://user:password@host:5432/database. In the password, whatever is no letter and "
    "no digit is percent-encoded: '@' is %40, '/' is %2F, '%' is %25, a space is %20."
)


def default_home() -> Path:
    """Where the embedded server's data and the model are kept: the user's data folder, or root's."""
    return Path("/var/lib/recollect") if os.geteuid() == 0 else platformdirs.user_data_path("recollect")


class Settings(BaseSettings):
    """How this process runs. Every field is set by RECOLLECT_<FIELD>; secrets are never shown."""

    model_config = SettingsConfigDict(
        env_prefix=_PREFIX, frozen=True, extra="ignore", env_ignore_empty=True, hide_input_in_errors=True
    )

    home: Path = Field(
        default_factory=default_home,
        description="The folder of the embedded PostgreSQL and of the embedding model. By default the user's "
        "data folder, or /var/lib/recollect for root.",
    )
    database_url: SecretStr | None = Field(
        None, description="The application's PostgreSQL URL. Unset: the embedded server in `home`."
    )
    owner_database_url: SecretStr | None = Field(
        None, description="The owner's PostgreSQL URL; with it, `serve` migrates the schema at its start."
    )
    pool_size: int = Field(10, ge=1, le=200, description="Connections to PostgreSQL at most.")
    model: str | None = Field(
        None,
        description="The embedding model: a name, or a folder. Unset: the database's own, or "
        "all-minilm-l6-v2 for a new one.",
    )
    model_threads: int | None = Field(
        None, ge=1, le=64, description="Texts embedded at once, each on a core. Unset: 2, or 1 of 1."
    )
    host: str = Field("127.0.0.1", description="The address that `serve` listens on.")
    port: int = Field(8100, ge=0, le=65535, description="The port that `serve` listens on; 0 takes any.")
    max_body_bytes: int = Field(
        8_000_000, ge=1_000, le=1_000_000_000, description="The largest request body that is read."
    )
    max_requests: int = Field(
        200, ge=1, le=10_000, description="Requests worked on at once; more are answered 503."
    )
    request_seconds: float = Field(
        60, gt=0, le=3600, description="How long a request may take before it is given up."
    )
    language_model: str | None = Field(
        None, description="The language model that reads conversations. Unset: none, and rules read them."
    )
    language_provider: Literal["anthropic", "openai"] = Field(
        "anthropic", description="Whose wire it speaks; `openai` is also for whatever is compatible."
    )
    language_base_url: str | None = Field(
        None,
        description="Where the language model is, like http://localhost:11434/v1 for `openai`. Unset: at the "
        "provider's own address.",
    )
    language_api_key: SecretStr | None = Field(
        None, description="The provider's key. Unset: ANTHROPIC_API_KEY, or OPENAI_API_KEY."
    )
    language_seconds: float = Field(
        90, gt=0, le=600, description="How long a call of the language model may take, with all retries."
    )
    language_input_price: Decimal | None = Field(
        None, ge=0, le=10_000, description="US dollars for a million input tokens; 0 for a server of yours."
    )
    language_output_price: Decimal | None = Field(
        None, ge=0, le=10_000, description="US dollars for a million output tokens; 0 for a server of yours."
    )
    language_budget: Decimal = Field(
        Decimal(10),
        ge=0,
        le=100_000,
        description="US dollars a month that the language model may cost a tenant that has set no budget.",
    )
    worker: bool = Field(True, description="Whether `serve` understands what was said, in the background.")
    worker_concurrency: int = Field(2, ge=1, le=64, description="Sessions that a worker understands at once.")
    debounce_seconds: float | None = Field(
        None,
        ge=0,
        le=3600,
        description="How long after a session's first new message it is understood. Unset: 2, or 60 with a "
        "language model, which is then asked once for what is said in a minute.",
    )
    idempotency_days: int = Field(
        7, ge=1, le=365, description="How long a request is known again by its Idempotency-Key."
    )
    webhook_secret: SecretStr | None = Field(
        None,
        min_length=32,
        description="The secret, 32 characters or more, of which each tenant's webhook secrets are made. "
        "Unset: webhooks are refused.",
    )
    jwt_secret: SecretStr | None = Field(None, description="The shared secret of JWTs signed by HS.")
    jwt_public_key: str | None = Field(
        None, description="The public key (PEM) of JWTs signed by RS, PS, ES or EdDSA."
    )
    jwt_jwks_url: str | None = Field(None, description="Where the public keys of JWTs are published.")
    jwt_algorithms: Annotated[tuple[Algorithm, ...], NoDecode] = Field(
        (), description="The algorithms accepted, separated by commas. Unset: HS256 with a secret, else none."
    )
    jwt_audience: str | None = Field(None, description="The `aud` that JWTs must carry.")
    jwt_issuer: str | None = Field(None, description="The `iss` that JWTs must carry.")
    jwt_leeway_seconds: int = Field(30, ge=0, le=600, description="How far clocks may differ.")
    jwt_tenant_claim: str = Field("tenant", description="The claim that holds the tenant's name.")

    @field_validator("jwt_algorithms", mode="before")
    @classmethod
    def _split(cls, value: object) -> object:
        return tuple(name.strip() for name in value.split(",")) if isinstance(value, str) else value

    @field_validator("language_base_url")
    @classmethod
    def _check_address(cls, url: str | None) -> str | None:
        if url and not re.match(r"https?://[\w.\[\]:@-]+(?:/|$)", url):
            raise PydanticCustomError("address", "this is not an http or https address")
        return url

    @field_validator("database_url", "owner_database_url")
    @classmethod
    def _check_url(cls, url: SecretStr | None) -> SecretStr | None:
        if url and (fault := _url_fault(url.get_secret_value())):
            raise PydanticCustomError(_URL_FAULT, fault)
        return url


def _url_fault(url: str) -> str | None:
    """What keeps this from being a PostgreSQL URL, in words that have nothing of it; None if it is one.

    libpq takes some slips in the password for a host or a port, and would show them when it cannot reach it.
    """
    try:
        parts = conninfo_to_dict(url)
    except psycopg.ProgrammingError:
        return "this is not a PostgreSQL URL"
    rest = url.partition("://")[2]
    if rest.count("@") > 1 or "@" in rest.partition("/")[2]:
        return "this has an '@' where none can be"
    ports = str(parts.get("port") or "0").split(",")
    if not all(port == "" or (port.isdecimal() and int(port) <= 65535) for port in ports):
        return "the port is no number up to 65535"
    return None


def load_settings(**given: object) -> Settings:
    """The settings of the environment, with what is given put over them.

    Raises:
        Misconfigured: names the variables that cannot be read, and why, without their values.
    """
    try:
        return Settings(**{name: value for name, value in given.items() if value is not None})  # type: ignore[arg-type]
    except ValidationError as error:
        faults = "; ".join(
            f"{_PREFIX}{'_'.join(map(str, fault['loc'])).upper()}: {fault['msg']}" for fault in error.errors()
        )
        hint = _URL_HINT if any(fault["type"] == _URL_FAULT for fault in error.errors()) else None
        raise Misconfigured(f"The settings cannot be read: {faults}.", hint=hint) from None


def unknown_variables() -> Iterator[str]:
    """A sentence for each variable of the environment that looks like a setting, and is none."""
    known = {f"{_PREFIX}{name.upper()}" for name in Settings.model_fields}
    for name in sorted(os.environ):
        if name.upper().startswith(_PREFIX) and name.upper() not in known | _OTHERS:
            near = difflib.get_close_matches(name.upper(), known, n=1)
            yield f"{name} is no setting, and is ignored{f': is {near[0]} meant?' if near else '.'}"
