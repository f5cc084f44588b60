"""JWTs: which are accepted, and what each says of its bearer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import jwt

from recollect.adapters.tokens.jwks import Jwks
from recollect.adapters.tokens.keys import fits, load_public_key
from recollect.core.bounds import check_id
from recollect.core.errors import Invalid, InvalidToken, Misconfigured, Unauthenticated
from recollect.core.model import Permission, Principal, Role, tenant_id_of
from recollect.core.tenants import check_tenant_name

LONGEST_TOKEN = 8_192
DEFAULT_PERMISSIONS = frozenset({Permission.READ, Permission.WRITE})
"""What a token may that states no scope: to remember and to recall; to delete has to be stated."""

_SHORTEST_SECRET = {"HS256": 32, "HS384": 48, "HS512": 64}
_REASONS: dict[type[jwt.PyJWTError], str] = {
    jwt.ExpiredSignatureError: "This token has expired.",
    jwt.ImmatureSignatureError: "This token is not valid yet.",
    jwt.InvalidAudienceError: "This token is for another audience.",
    jwt.InvalidIssuerError: "This token is from another issuer.",
}


@dataclass(frozen=True, slots=True)
class Trust:
    """Which tokens are accepted. `leeway` in seconds; no algorithm means HS256 if there is a secret."""

    secret: str | None = None
    public_key: str | None = None
    jwks_url: str | None = None
    algorithms: tuple[str, ...] = ()
    audience: str | None = None
    issuer: str | None = None
    leeway: int = 30
    tenant_claim: str = "tenant"


def open_tokens(trust: Trust) -> JwtTokens | None:
    """The reader of the tokens that are trusted; None if none are.

    Raises:
        Misconfigured: a key without an algorithm, an algorithm without its key, or a key that is too weak.
    """
    if not (trust.secret or trust.public_key or trust.jwks_url or trust.algorithms):
        return None
    algorithms = trust.algorithms or (("HS256",) if trust.secret else ())
    shared = [name for name in algorithms if name.startswith("HS")]
    public = [name for name in algorithms if not name.startswith("HS")]
    if bool(shared) != bool(trust.secret) or bool(public) != bool(trust.public_key or trust.jwks_url):
        raise Misconfigured(
            "The algorithms of JWTs do not match their keys.",
            hint="RECOLLECT_JWT_ALGORITHMS names HS… exactly if there is RECOLLECT_JWT_SECRET, and RS…, PS…, "
            "ES… or EdDSA exactly if there is RECOLLECT_JWT_PUBLIC_KEY or RECOLLECT_JWT_JWKS_URL.",
        )
    if trust.public_key and trust.jwks_url:
        raise Misconfigured("RECOLLECT_JWT_PUBLIC_KEY and RECOLLECT_JWT_JWKS_URL exclude each other.")
    for name in shared:
        _check_secret(name, trust.secret or "")
    key = load_public_key(trust.public_key) if trust.public_key else None
    for name in public if key else ():
        _check_key(name, key)
    return JwtTokens(trust, frozenset(algorithms), key, Jwks(trust.jwks_url) if trust.jwks_url else None)


def _check_secret(algorithm: str, secret: str) -> None:
    shortest = _SHORTEST_SECRET[algorithm]
    if len(secret.encode()) < shortest or "-----BEGIN" in secret:
        raise Misconfigured(
            f"RECOLLECT_JWT_SECRET is too short for {algorithm}, or not a secret.",
            hint=f"Use at least {shortest} random bytes: `openssl rand -hex {shortest}`.",
        )


def _check_key(algorithm: str, key: object) -> None:
    if not fits(algorithm, key):
        raise Misconfigured(
            f"RECOLLECT_JWT_PUBLIC_KEY cannot verify {algorithm}.",
            hint="RS and PS need an RSA key of 2048 bits or more; ES256, ES384 and ES512 the curves P-256, "
            "P-384 and P-521; EdDSA Ed25519 or Ed448.",
        )


class JwtTokens:
    """Reads JWTs; made by `open_tokens`."""

    def __init__(self, trust: Trust, algorithms: frozenset[str], key: object, jwks: Jwks | None) -> None:
        self._trust = trust
        self._algorithms = algorithms
        self._key = key
        self._jwks = jwks

    async def verify(self, token: str) -> Principal:
        """Who the token says its bearer is; whether that tenant exists is not looked at.

        Raises:
            Unauthenticated: the token is not one that this server accepts.
            Unavailable: the provider's keys cannot be had.
        """
        algorithm, kid = self._header(token)
        key = await self._key_for(algorithm, kid)
        return _principal(self._claims(token, algorithm, key), self._trust.tenant_claim)

    def _header(self, token: str) -> tuple[str, str | None]:
        if len(token) > LONGEST_TOKEN:
            raise InvalidToken("This token is too long.")
        try:
            header = jwt.get_unverified_header(token)
        except (jwt.PyJWTError, ValueError, RecursionError):
            raise Unauthenticated("This is neither an API key nor a token.") from None
        algorithm, kid = header.get("alg"), header.get("kid")
        if not isinstance(algorithm, str) or algorithm not in self._algorithms:
            raise InvalidToken("This token is signed by an algorithm that is not accepted here.")
        return algorithm, kid if isinstance(kid, str) else None

    async def _key_for(self, algorithm: str, kid: str | None) -> Any:
        """The key of the algorithm's own family: a public key is never taken for a shared secret."""
        if algorithm.startswith("HS"):
            return self._trust.secret
        return await self._jwks.find(kid, algorithm) if self._jwks else self._key

    def _claims(self, token: str, algorithm: str, key: Any) -> dict[str, Any]:
        trust = self._trust
        try:
            return jwt.decode(
                token,
                key,
                algorithms=[algorithm],
                audience=trust.audience,
                issuer=trust.issuer,
                leeway=trust.leeway,
                options={"require": ["exp", "sub"], "verify_aud": trust.audience is not None},
            )
        except jwt.MissingRequiredClaimError as error:
            raise InvalidToken(f"This token lacks the claim {error.claim!r}.") from None
        except jwt.PyJWTError as error:
            raise InvalidToken(_REASONS.get(type(error))) from None
        except (ValueError, OverflowError, RecursionError):
            raise InvalidToken from None


def _principal(claims: dict[str, Any], tenant_claim: str) -> Principal:
    tenant, subject, role = claims.get(tenant_claim), claims["sub"], claims.get("role", "user")
    if not isinstance(tenant, str):
        raise InvalidToken(f"This token names no tenant in its claim {tenant_claim!r}.")
    if not isinstance(role, str) or role not in _ROLES:
        raise InvalidToken(f"This token's role is none of {', '.join(_ROLES)}.")
    try:
        return Principal(
            tenant_id_of(check_tenant_name(tenant)),
            check_id(subject, "The claim 'sub'"),
            _ROLES[role],
            _permissions(claims),
        )
    except Invalid as error:
        raise InvalidToken(str(error)) from None


_ROLES = {role.name.lower(): role for role in Role}


def _permissions(claims: dict[str, Any]) -> frozenset[Permission]:
    """What the claims `scope` and `scopes` state, whose other words are somebody else's.

    >>> sorted(_permissions({"scope": "openid memory:read:write"}))
    [<Permission.READ: 'memory:read'>, <Permission.WRITE: 'memory:write'>]
    """
    stated = [claims[name] for name in ("scope", "scopes") if name in claims]
    if not stated:
        return DEFAULT_PERMISSIONS
    words = [word for claim in stated for word in _words(claim)]
    return frozenset(permission for word in words for permission in _granted(word))


def _words(claim: Any) -> list[str]:
    words = claim.split() if isinstance(claim, str) else claim
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
        raise InvalidToken("This token's scope is neither a text nor a list of texts.")
    return words


def _granted(word: str) -> set[Permission]:
    area, *verbs = word.split(":")
    asked = {f"{area}:{verb}" for verb in verbs}
    return set(map(Permission, asked)) if asked <= set(Permission) else set()
