"""Public keys, and which algorithms each may verify: a key is never used for another kind than its own."""

from __future__ import annotations

from typing import TypeAlias

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed448 import Ed448PublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import load_pem_public_key

from recollect.core.errors import Misconfigured

PublicKey: TypeAlias = RSAPublicKey | EllipticCurvePublicKey | Ed25519PublicKey | Ed448PublicKey

SMALLEST_RSA = 2048
_CURVES = {"ES256": "secp256r1", "ES384": "secp384r1", "ES512": "secp521r1"}


def fits(algorithm: str, key: object) -> bool:
    """Whether the key is of the kind that the algorithm needs, and strong enough."""
    match algorithm[:2], key:
        case (("RS" | "PS"), RSAPublicKey(key_size=size)):
            return size >= SMALLEST_RSA
        case "ES", EllipticCurvePublicKey(curve=curve):
            return curve.name == _CURVES.get(algorithm)
        case "Ed", Ed25519PublicKey() | Ed448PublicKey():
            return True
        case _:
            return False


def load_public_key(pem: str) -> object:
    """The key of a PEM text.

    Raises:
        Misconfigured: it is not that of a public key.
    """
    try:
        return load_pem_public_key(pem.encode())
    except (ValueError, UnsupportedAlgorithm):
        raise Misconfigured(
            "RECOLLECT_JWT_PUBLIC_KEY is not a public key in PEM.",
            hint="It begins with '-----BEGIN PUBLIC KEY-----'; a private key or a certificate is not one.",
        ) from None
