"""The keys of those who issue tokens.

Rule 1: a key has one algorithm and one issuer. What a token says about either chooses nothing but among these.
Rule 2: a key that is too weak, or of another kind than its algorithm, is refused when it is read, and never used.
"""

from __future__ import annotations

from hashlib import sha256
from typing import Any, Final

import msgspec

from headwater.errors import HeadwaterError, MissingExtra
from headwater.protocol.access.claims import MAX_KID_BYTES, Issuer

#: Algorithms (RFC 7518 section 3.1, RFC 8037), and what a key of each is.
ALGORITHMS: Final = {
    **dict.fromkeys(("HS256", "HS384", "HS512"), "oct"),
    **dict.fromkeys(("RS256", "RS384", "RS512", "PS256", "PS384", "PS512"), "RSA"),
    **dict.fromkeys(("ES256", "ES384", "ES512"), "EC"),
    "EdDSA": "OKP",
}
_CURVES: Final = {"ES256": "secp256r1", "ES384": "secp384r1", "ES512": "secp521r1"}
#: Bytes of a secret (RFC 7518 section 3.2, for HS256), bits of an RSA modulus (section 3.3).
MIN_SECRET_BYTES: Final = 32
MIN_RSA_BITS: Final = 2048
#: Keys of an issuer that are tried for a token without a key's name.
MAX_TRIED: Final = 4


class InvalidKey(HeadwaterError, ValueError):
    """A key cannot be used."""

    code = "invalid-key"


class Key(msgspec.Struct, frozen=True):
    """One key.

    Attributes:
        algorithm: the one that it is used with.
        material: as the library takes it.
        kid: its name; None: it has none, and is tried for any.
        print: names the key itself, without telling it, also where it has another `kid` one day.
    """

    algorithm: str
    material: Any
    kid: str | None = None
    print: str = ""


class KeySet(msgspec.Struct, frozen=True):
    """What is known of one issuer.

    Attributes:
        issuer: what is demanded of its tokens.
        keys: given with the settings.
        url: where it publishes keys; None: nowhere.
        algorithm: of those.
    """

    issuer: Issuer
    keys: tuple[Key, ...] = ()
    url: str | None = None
    algorithm: str = "RS256"


def library() -> Any:
    """PyJWT, with what it needs for all algorithms.

    Raises:
        MissingExtra: it is not installed.
    """
    try:
        import cryptography  # noqa: F401
        import jwt
    except ImportError:
        raise MissingExtra.of("access with tokens", "auth") from None
    return jwt


def make_key(algorithm: str, text: bytes, kid: str | None = None) -> Key:
    """A key from a secret, or from a public key in PEM.

    Raises:
        InvalidKey: it is too weak, or none of the algorithm.
        MissingExtra: the library is not installed.
    """
    jwt = library()
    if algorithm not in ALGORITHMS:
        raise InvalidKey(f"{algorithm!r} is no algorithm of ours; there are {', '.join(ALGORITHMS)}")
    if kid is not None and len(kid.encode()) > MAX_KID_BYTES:
        raise InvalidKey(f"the name of a key has at most {MAX_KID_BYTES} bytes")
    if ALGORITHMS[algorithm] == "oct":
        if len(text) < MIN_SECRET_BYTES:
            raise InvalidKey(f"a secret for {algorithm} has at least {MIN_SECRET_BYTES} bytes, this one {len(text)}")
        if text.lstrip().startswith((b"{", b"-----BEGIN", b"ssh-")):
            raise InvalidKey(f"a key in PEM or JSON is no secret for {algorithm}: whoever verifies could sign with it")
    try:
        material = jwt.get_algorithm_by_name(algorithm).prepare_key(text)
    except (jwt.exceptions.PyJWTError, ValueError, TypeError, NotImplementedError) as error:
        raise InvalidKey(f"no key for {algorithm} can be read: {error}") from None
    return _checked(Key(algorithm, _public(material), kid))


def of_jwk(jwk: dict[str, Any], algorithm: str) -> Key:
    """A key as its issuer publishes it (RFC 7517); only those with a public half.

    Raises:
        InvalidKey: it is none for the algorithm.
    """
    kind, kid = ALGORITHMS[algorithm], jwk.get("kid")
    if kind == "oct" or jwk.get("kty") != kind:
        raise InvalidKey(f"a key of the type {str(jwk.get('kty'))[:20]!r} is none for {algorithm}")
    if jwk.get("alg", algorithm) != algorithm or jwk.get("use", "sig") != "sig":
        raise InvalidKey("the key is for something else")
    if kid is not None and (not isinstance(kid, str) or len(kid.encode("utf-8", "replace")) > MAX_KID_BYTES):
        raise InvalidKey("the name of the key is no short text")
    jwt = library()
    try:
        material = jwt.get_algorithm_by_name(algorithm).from_jwk(jwk)
    except (jwt.exceptions.PyJWTError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise InvalidKey(f"the key cannot be read: {error}") from None
    return _checked(Key(algorithm, _public(material), kid))


def _public(material: Any) -> Any:
    """Never the private half, whatever was given: a server verifies."""
    return material.public_key() if hasattr(material, "public_key") else material


def _checked(key: Key) -> Key:
    bits = getattr(key.material, "key_size", None)
    if ALGORITHMS[key.algorithm] == "RSA" and (bits is None or bits < MIN_RSA_BITS):
        raise InvalidKey(f"a key for {key.algorithm} has at least {MIN_RSA_BITS} bits, this one {bits}")
    curve = _CURVES.get(key.algorithm)
    if curve is not None and getattr(getattr(key.material, "curve", None), "name", None) != curve:
        raise InvalidKey(f"a key for {key.algorithm} is on the curve {curve}")
    return msgspec.structs.replace(key, print=_print(key.material))


def _print(material: Any) -> str:
    if hasattr(material, "public_bytes"):
        from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

        material = material.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    return sha256(b"headwater signer " + material).hexdigest()[:24]
