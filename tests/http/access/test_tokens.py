"""Tokens: every algorithm, and all that a token must not get away with; as a table of attacks."""

from __future__ import annotations

import asyncio
import base64
import json
import time
from collections.abc import Awaitable, Callable
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from tests.support.access import GOOD_SECONDS, SECRET, token

from headwater.errors import KeysUnavailable, RateLimited, TokenRefused
from headwater.http.access.failures import FAILURES
from headwater.http.access.jwks import MAX_BYTES, check_url
from headwater.http.access.keys import InvalidKey, KeySet, make_key, of_jwk
from headwater.http.access.proofs import TokenProofs
from headwater.http.access.tokens import Tokens
from headwater.http.authorize import Credential
from headwater.hub.access.proven import Proven
from headwater.model import Principal
from headwater.protocol.access.claims import Issuer
from headwater.protocol.asks import Operation

ISSUER = Issuer(issuer="headwater", audience="headwater")
RSA = rsa.generate_private_key(65537, 2048)
EC = ec.generate_private_key(ec.SECP256R1())
ED = ed25519.Ed25519PrivateKey.generate()


def pem(key: Any) -> bytes:
    found: bytes = key.public_key().public_bytes(
        serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo
    )
    return found


def private(key: Any) -> bytes:
    found: bytes = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return found


def tokens(*keys: Any) -> Tokens:
    return Tokens([KeySet(ISSUER, keys or (make_key("HS256", SECRET),))])


def claims(**more: Any) -> dict[str, Any]:
    now = int(time.time())
    return {"iss": "headwater", "aud": "headwater", "sub": "u1", "iat": now, "exp": now + GOOD_SECONDS, **more}


def part(value: Any) -> str:
    data = value if isinstance(value, bytes) else json.dumps(value).encode()
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


@pytest.mark.parametrize(
    ("algorithm", "key"),
    [("RS256", RSA), ("RS512", RSA), ("PS256", RSA), ("ES256", EC), ("EdDSA", ED)],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_public_keys(algorithm: str, key: Any) -> None:
    """A token signed with the private half is taken, remembered, and nothing else is."""
    verifier = tokens(make_key(algorithm, pem(key)))
    text = jwt.encode(claims(), private(key), algorithm=algorithm)
    found = verifier.verify(text)
    assert isinstance(found, Proven)
    assert found.principal == Principal("u1", "headwater")
    assert verifier.verify(text) is found is verifier.known(text)
    for other in (text[:-4] + ("AAAA" if text[-4:] != "AAAA" else "BBBB"), text + "=", text + ".", " " + text):
        with pytest.raises(TokenRefused):
            verifier.verify(other)
    assert verifier.verify(jwt.encode(claims(), private(key), algorithm=algorithm, headers={"kid": "any"}))


def test_a_private_key_is_kept_as_its_public_half() -> None:
    """Also where somebody gives the server the wrong file."""
    assert not hasattr(make_key("RS256", private(RSA)).material, "private_bytes")


def signed(head: dict[str, Any] | bytes, body: dict[str, Any] | bytes, secret: bytes = SECRET) -> str:
    """With a right signature, whatever is said."""
    import hashlib
    import hmac

    text = f"{part(head)}.{part(body)}"
    return f"{text}.{part(hmac.new(secret, text.encode(), hashlib.sha256).digest())}"


HEAD = {"alg": "HS256", "typ": "JWT"}
ATTACKS: dict[str, str] = {
    "none": f"{part({'alg': 'none'})}.{part(claims())}.",
    "NoNe": f"{part({'alg': 'NoNe'})}.{part(claims())}.AA",
    "another algorithm": signed({"alg": "HS512"}, claims()),
    "jwk": signed({**HEAD, "jwk": {"kty": "oct", "k": part(SECRET)}}, claims()),
    "jku": signed({**HEAD, "jku": "http://127.0.0.1/"}, claims()),
    "x5u": signed({**HEAD, "x5u": "http://127.0.0.1/"}, claims()),
    "crit": signed({**HEAD, "crit": ["x"], "x": 1}, claims()),
    "b64": signed({**HEAD, "b64": False}, claims()),
    "kid of 10 kB": signed({**HEAD, "kid": "k" * 10_000}, claims()),
    "kid as a number": signed({**HEAD, "kid": 7}, claims()),
    "another secret": token(secret=b"x" * 32),
    "logout": signed({**HEAD, "typ": "logout+jwt"}, claims()),
    "an id token": signed(HEAD, {**claims(), "aud": "client-7", "nonce": "x"}),
    "unknown issuer": token(iss="https://evil.example"),
    "no exp": token(exp=None),
    "exp as text": signed(HEAD, {**claims(), "exp": str(int(time.time()) + GOOD_SECONDS)}),
    "exp 1e308": signed(HEAD, {**claims(), "exp": 1e308}),
    "in ten years": token(seconds=10 * 365 * 86400),
    "sub twice": signed(HEAD, json.dumps(claims()).replace('"sub"', '"sub": "root", "sub"', 1).encode()),
    "nested 100,000 times": signed(HEAD, b'{"a":' + b"[" * 2000 + b"]" * 2000 + b"}"),
    "9 KiB": token(pad="x" * 9000),
    "no JSON": signed(HEAD, b"\xff\xfe"),
    "one bad pattern": token(streams={"read": ["a", "b*c"]}),
    "a subject as a path": token("../x", streams={"read": ["users/{sub}/**"]}),
    "two parts": f"{part(HEAD)}.{part(claims())}",
    "empty": "",
    "no base64": "a.!.b",
    "whitespace": token() + "\n",
}


@pytest.mark.parametrize("text", ATTACKS.values(), ids=ATTACKS)
def test_attacks(text: str, caplog: pytest.LogCaptureFixture) -> None:
    """Each is refused in the same words; the reason is kept for the log, and nothing has the token."""
    with caplog.at_level("DEBUG"), pytest.raises(TokenRefused) as refused:
        tokens().verify(text)
    assert refused.value.message == "the token is worthless here"
    because = refused.value.because
    assert because
    for piece in text.split("."):
        assert len(piece) < 8 or piece not in caplog.text + because


@pytest.mark.parametrize(
    "key", [pem(RSA), json.dumps(jwt.algorithms.RSAAlgorithm.to_jwk(RSA.public_key(), True)).encode()]
)
def test_a_public_key_is_no_secret(key: bytes) -> None:
    """A token that is signed with the public key as a secret is refused; so is the key as one, in the settings."""
    forged = signed(HEAD, claims(), key)
    with pytest.raises(TokenRefused):
        tokens(make_key("RS256", pem(RSA))).verify(forged)
    with pytest.raises(InvalidKey):
        make_key("HS256", key)


@pytest.mark.parametrize(
    ("algorithm", "key"),
    [
        ("HS256", b"short"),
        ("HS256", b"x" * 31),
        ("none", b"x" * 32),
        ("RS256", SECRET),
        ("RS256", pem(rsa.generate_private_key(65537, 1024))),
        ("RS256", pem(EC)),
        ("ES256", pem(ec.generate_private_key(ec.SECP384R1()))),
        ("ES256", pem(RSA)),
        ("EdDSA", pem(EC)),
    ],
)
def test_keys_that_are_none(algorithm: str, key: bytes) -> None:
    """Too weak, or of another kind: refused when it is read."""
    with pytest.raises(InvalidKey):
        make_key(algorithm, key)


def test_the_name_of_a_key_chooses_among_its_issuers_own() -> None:
    """Never among another issuer's."""
    other = Issuer(issuer="other", audience="headwater")
    verifier = Tokens(
        [
            KeySet(ISSUER, (make_key("HS256", SECRET, "mine"),)),
            KeySet(other, (make_key("HS256", b"y" * 32, "theirs"),)),
        ]
    )
    assert verifier.verify(token(headers={"kid": "mine"}))
    for text in (
        token(headers={"kid": "theirs"}),
        token(secret=b"y" * 32, headers={"kid": "theirs"}),
        token(headers={"kid": "../../etc/passwd"}),
        token(headers={"kid": "x' OR 1=1 --"}),
        token(iss="other", headers={"kid": "mine"}),
    ):
        with pytest.raises(TokenRefused):
            verifier.verify(text)


def test_secrets_overlap_while_they_are_exchanged() -> None:
    """Two at a time; when one is gone, its tokens are worth nothing, remembered or not."""
    old, new = make_key("HS256", SECRET), make_key("HS256", b"n" * 32)
    verifier, told = tokens(old, new), []
    verifier.changed = lambda: told.append(1)
    mine, fresh = token(), token(secret=b"n" * 32)
    assert verifier.verify(mine)
    assert verifier.verify(fresh)
    verifier.use([KeySet(ISSUER, (new,))])
    assert told == [1]
    assert verifier.known(mine) is None
    with pytest.raises(TokenRefused):
        verifier.verify(mine)
    assert verifier.verify(fresh)


# Published keys.


def jwk(key: Any, **more: Any) -> dict[str, Any]:
    names: dict[str, Any] = {"RSA": jwt.algorithms.RSAAlgorithm, "EC": jwt.algorithms.ECAlgorithm}
    kind = "RSA" if isinstance(key, rsa.RSAPrivateKey) else "EC"
    return {**names[kind].to_jwk(key.public_key(), as_dict=True), **more}


class Published:
    """An issuer's URL."""

    def __init__(self, *keys: dict[str, Any]) -> None:
        self.keys = list(keys)
        self.fetched = 0
        self.answer: Callable[[], Awaitable[bytes]] | None = None

    async def __call__(self, url: str) -> bytes:
        self.fetched += 1
        await asyncio.sleep(0)
        if self.answer is not None:
            return await self.answer()
        return json.dumps({"keys": self.keys}).encode()

    def tokens(self) -> Tokens:
        return Tokens([KeySet(ISSUER, (), "https://issuer.example/keys", "RS256")], self)


async def verified(verifier: Tokens, text: str) -> Proven:
    found = verifier.verify(text)
    return found if isinstance(found, Proven) else await found


def by_rsa(key: Any = RSA, kid: str | None = "k1") -> str:
    return jwt.encode(claims(), private(key), algorithm="RS256", headers={"kid": kid} if kid else None)


def test_published_keys() -> None:
    """Fetched once for a crowd; a new one when its name is seen, once a minute at most; one that is gone ends."""
    second = rsa.generate_private_key(65537, 2048)

    async def main() -> None:
        published = Published(jwk(RSA, kid="k1"))
        verifier = published.tokens()
        told: list[int] = []
        verifier.changed = lambda: told.append(1)
        await asyncio.gather(*[verified(verifier, by_rsa()) for _ in range(20)])
        assert (published.fetched, told) == (1, [1])
        assert isinstance(verifier.verify(by_rsa(kid=None)), Proven)
        jwks = verifier._issuers["headwater"].published[0]
        assert jwks is not None
        jwks._tried_at -= 61
        published.keys = [jwk(second, kid="k2")]
        assert await verified(verifier, by_rsa(second, "k2"))
        assert told == [1, 1]
        for number in range(50):  # names that nobody has
            with pytest.raises(TokenRefused):
                await verified(verifier, by_rsa(kid=f"x{number}"))
        assert published.fetched == 2
        with pytest.raises(TokenRefused):
            await verified(verifier, by_rsa())

    asyncio.run(main())


def test_keys_that_cannot_be_fetched() -> None:
    """503, not 401, and no storm; what is known goes on for an hour."""

    async def broken() -> bytes:
        raise ValueError("the response has the status 302")

    async def main() -> None:
        published = Published(jwk(RSA, kid="k1"))
        published.answer = broken
        verifier = published.tokens()
        with pytest.raises(KeysUnavailable):
            await verified(verifier, by_rsa())
        for _ in range(10):
            with pytest.raises(KeysUnavailable):
                await verified(verifier, by_rsa())
        assert published.fetched == 1
        jwks = verifier._issuers["headwater"].published[0]
        assert jwks is not None
        published.answer = None
        jwks._tried_at -= 61
        assert await verified(verifier, by_rsa())
        published.answer = broken
        for name in ("_tried_at", "_fetched_at"):
            setattr(jwks, name, getattr(jwks, name) - 1800)
        verifier._known.clear()
        assert isinstance(verifier.verify(by_rsa()), Proven)
        await asyncio.sleep(0.01)
        for name in ("_tried_at", "_fetched_at"):
            setattr(jwks, name, getattr(jwks, name) - 1801)
        verifier._known.clear()
        with pytest.raises(KeysUnavailable):
            await verified(verifier, by_rsa())

    asyncio.run(main())


@pytest.mark.parametrize(
    "found",
    [
        {"kty": "oct", "k": part(SECRET), "kid": "k1"},
        jwk(EC, kid="k1"),
        jwk(RSA, use="enc"),
        jwk(RSA, alg="RS512"),
        jwk(RSA, kid=7),
        jwk(RSA, kid="k" * 257),
        jwk(rsa.generate_private_key(65537, 1024)),
        {"kty": "RSA", "n": "AQAB"},
        {"kty": "RSA", "n": 7, "e": "AQAB"},
        {},
    ],
)
def test_published_keys_that_are_none(found: dict[str, Any]) -> None:
    """Secrets, others' kinds, other uses, weak ones."""
    with pytest.raises(InvalidKey):
        of_jwk(found, "RS256")


@pytest.mark.parametrize(
    "url", ["http://issuer.example/", "ftp://127.0.0.1/", "https://u:p@issuer.example/", "file:///etc/passwd", "x"]
)
def test_where_keys_come_from(url: str) -> None:
    """Over HTTPS, or from this machine."""
    with pytest.raises(InvalidKey):
        check_url(url)
    assert check_url("http://127.0.0.1:8080/keys")
    assert MAX_BYTES == 64 * 1024


def test_a_flood_of_bad_tokens() -> None:
    """After some the address is told to wait, and nothing is verified; who is known goes on; others' addresses too."""
    proofs, good = TokenProofs(tokens()), token()
    shown = Credential({b"authorization": f"Bearer {good}".encode()})
    assert isinstance(proofs(shown, ("10.0.0.1", 1)), Proven)
    refused = limited = 0
    for number in range(1000):
        bad = Credential({b"authorization": f"Bearer {good[:-6]}{number:06d}".encode()})
        try:
            proofs(bad, ("10.0.0.1", number))
        except RateLimited:
            limited += 1
        except TokenRefused:
            refused += 1
        assert isinstance(proofs(shown, ("10.0.0.1", 1)), Proven)
    assert refused == FAILURES
    assert limited == 1000 - FAILURES
    assert isinstance(proofs(Credential({b"authorization": f"Bearer {token('u2')}".encode()}), ("10.0.0.2", 1)), Proven)


@pytest.mark.parametrize(
    ("headers", "shown"),
    [
        ({}, None),
        ({b"authorization": b"Bearer abc"}, "abc"),
        ({b"authorization": b"bearer abc"}, "abc"),
        ({b"authorization": b"Basic abc"}, "Basic abc"),
        ({b"authorization": b""}, ""),
    ],
)
def test_what_is_shown(headers: dict[bytes, bytes], shown: str | None) -> None:
    """The header first; then the connection's own token, which `auth` puts in its place."""
    assert Credential(headers).shown == shown
    assert Credential(headers, None, "t").shown == ("t" if shown is None else shown)
    assert Credential(headers).with_token("new", replaces=True).shown == "new"


def test_what_is_granted() -> None:
    """By patterns, as everywhere."""
    found = tokens().verify(token("u4", streams={"read": ["users/{sub}/**"]}))
    assert isinstance(found, Proven)
    assert found.allows(Operation.READ, "users/u4/inbox")
    assert not found.allows(Operation.READ, "users/u42/inbox")
