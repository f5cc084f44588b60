"""The settings: one frozen value, read once, from the environment."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Literal

import platformdirs
from pydantic import Field, SecretStr, ValidationError, field_validator
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


def default_home() -> Path:
    """Where the embedded server's data and the model are kept: the user's data folder, or root's."""
    return Path("/var/lib/recollect") if os.geteuid() == 0 else platformdirs.user_data_path("recollect")


class Settings(BaseSettings):
    """How this process runs. Every field is set by RECOLLECT_<FIELD>; secrets are never shown."""

    model_config = SettingsConfigDict(
        env_prefix="RECOLLECT_", frozen=True, extra="ignore", env_ignore_empty=True, hide_input_in_errors=True
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
        None, ge=1, le=64, description="Cores that one batch of embeddings may use. Unset: 2, or 1 of 1."
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


def load_settings(**given: object) -> Settings:
    """The settings of the environment, with what is given put over them.

    Raises:
        Misconfigured: names the variables that cannot be read, and why, without their values.
    """
    try:
        return Settings(**{name: value for name, value in given.items() if value is not None})  # type: ignore[arg-type]
    except ValidationError as error:
        faults = "; ".join(
            f"RECOLLECT_{'_'.join(map(str, fault['loc'])).upper()}: {fault['msg']}"
            for fault in error.errors()
        )
        raise Misconfigured(f"The settings cannot be read: {faults}.") from None
